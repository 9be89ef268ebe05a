"""A2I's wire: loop names and output documents, good and poisoned."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.errors import PoisonedAnswerError
from overread.review.limits import HUMAN_LOOP_NAME
from overread.review.wire import content_sha256, loop_name, parse_output
from overread_testing.decision_builders import answer, output_document


@given(st.text(), st.integers(1, 99), st.sampled_from(["", "a", "b"]))
def test_every_loop_name_is_one_that_a2i_takes(decision_id: str, generation: int, suffix: str) -> None:
    try:
        name = loop_name(decision_id, generation=generation, suffix=suffix)
    except UnicodeEncodeError:
        return
    assert HUMAN_LOOP_NAME.allows(name)


def test_a_loop_name_depends_on_decision_generation_and_reviewer_only() -> None:
    name = loop_name("d-1", generation=1)
    assert name == loop_name("d-1", generation=1)
    assert len({name, loop_name("d-1", generation=2), loop_name("d-2", generation=1)}) == 3
    assert loop_name("d-1", generation=1, suffix="b") == f"{name}-b"


def test_an_output_document_is_read_as_a2i_writes_it() -> None:
    output = parse_output(output_document(loop_name="h-1", decision_id="d-1"))
    (one,) = output.answers
    assert (output.human_loop_name, output.input_content["decision_id"]) == ("h-1", "d-1")
    assert one.seconds == 41.2
    assert one.sub == "5f0c8a52-1111-4222-8333-944455556666"
    assert one.content["decision"] == {"label": "decline"}


def test_an_old_output_without_times_and_a_vendors_without_identity_are_read() -> None:
    old = {
        key: value
        for key, value in answer().items()
        if key not in {"acceptanceTime", "timeSpentInSeconds", "workerMetadata"}
    }
    (one,) = parse_output(output_document(loop_name="h-1", decision_id="d-1", answers=[old])).answers
    assert (one.seconds, one.acceptance_time, one.sub) == (None, "", "")


def test_answers_stand_in_the_order_of_submission() -> None:
    late = answer("decline", submissionTime="2026-11-22T21:09:00.000Z", workerId="aa")
    early = answer("approve", submissionTime="2026-11-22T21:08:00.000Z", workerId="bb")
    output = parse_output(output_document(loop_name="h-1", decision_id="d-1", answers=[late, early]))
    assert [one.worker_id for one in output.answers] == ["bb", "aa"]


POISON = {
    "nothing": b"",
    "not JSON": b"<html>",
    "not UTF-8": b"\xff\xfe\xff",
    "a list": b"[]",
    "NaN": output_document(loop_name="h", decision_id="d").replace(b"41.2", b"NaN"),
    "NaN in an answer": output_document(loop_name="h", decision_id="d").replace(b'"\\u2026"', b"NaN"),
    "infinite seconds": output_document(loop_name="h", decision_id="d").replace(b"41.2", b"1e999"),
    "an endless number of seconds": output_document(loop_name="h", decision_id="d").replace(
        b"41.2", b"1" + b"0" * 400
    ),
    "too deep": b"[" * 100_000,
    "no answers member": output_document(loop_name="h", decision_id="d", humanAnswers=None),
    "answers no list": output_document(loop_name="h", decision_id="d", humanAnswers={}),
    "answer no object": output_document(loop_name="h", decision_id="d", answers=["approve"]),
    "content no object": output_document(loop_name="h", decision_id="d", answers=[answer(answerContent="x")]),
    "seconds a text": output_document(
        loop_name="h", decision_id="d", answers=[answer(timeSpentInSeconds="1")]
    ),
    "seconds negative": output_document(
        loop_name="h", decision_id="d", answers=[answer(timeSpentInSeconds=-1)]
    ),
    "worker id a number": output_document(loop_name="h", decision_id="d", answers=[answer(workerId=7)]),
    "worker id half a surrogate": output_document(
        loop_name="h", decision_id="d", answers=[answer(workerId="\ud800")]
    ),
    "identity no object": output_document(
        loop_name="h", decision_id="d", answers=[answer(workerMetadata={"identityData": "me"})]
    ),
    "input content a text": output_document(loop_name="h", decision_id="d", inputContent="{}"),
}


@pytest.mark.parametrize("body", POISON.values(), ids=POISON.keys())
def test_a_poisoned_output_is_told_from_a_good_one(body: bytes) -> None:
    with pytest.raises(PoisonedAnswerError, match=r"output_(not_json|malformed)"):
        parse_output(body)


@given(
    st.binary()
    | st.recursive(st.none() | st.booleans() | st.text() | st.integers(), st.lists).map(
        lambda value: json.dumps({"humanLoopName": value, "humanAnswers": value}).encode()
    )
)
def test_no_output_whatsoever_breaks_the_reader(body: bytes) -> None:
    with pytest.raises(PoisonedAnswerError):
        parse_output(body)


@pytest.mark.parametrize("same", ['{"b": 100, "a": 0}', '{"a": -0.0, "b": 1e2}', '{"a": 0.0, "b": 100.0}'])
def test_content_is_hashed_by_its_values(same: str) -> None:
    assert content_sha256(json.loads(same)) == content_sha256({"a": 0, "b": 100})


@pytest.mark.parametrize(
    "other", [{"a": False, "b": 100}, {"a": "0", "b": 100}, {"a": 0, "b": 100.5}, {"b": 100}]
)
def test_other_values_have_another_hash(other: dict[str, Any]) -> None:
    assert content_sha256(other) != content_sha256({"a": 0, "b": 100})


@pytest.mark.parametrize("text", ['{"a": 1e999}', '{"a": "\\ud800"}', '{"a": ' + "9" * 400 + "}"])
def test_whatever_json_reads_has_a_hash(text: str) -> None:
    assert len(content_sha256(json.loads(text))) == 64


def test_content_nested_too_deeply_to_be_hashed_is_poison() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5_000):
        deep = {"a": deep}
    with pytest.raises(PoisonedAnswerError, match="output_of_other_content"):
        content_sha256(deep)
