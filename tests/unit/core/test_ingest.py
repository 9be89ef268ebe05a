"""The use case ingest: one outcome however events come, and never a machine's when people should decide."""

import json
from typing import Any

import pytest

from overread.decisions.ingest import IngestResult, ingest
from overread.decisions.record import LoopEnd, Record, State
from overread.decisions.requests import parse_submission
from overread.decisions.start_loop import StartResult, start_loop
from overread.decisions.submit import submit
from overread.errors import AmbiguousError, RecordConflictError, RetryableError
from overread.review.wire import loop_name
from overread_testing.decision_builders import (
    CALLER_SCOPE,
    FLOW_DEFINITION_ARN,
    NEXT_FLOW_DEFINITION_ARN,
    answer,
    output_document,
    policy,
    request_body,
)
from overread_testing.decision_fakes import World, service_error


def pending(**changes: Any) -> World:
    """A world with one decision that waits for people."""
    world = World(policy(**changes))
    world.models.reply = b'{"label": "approve", "confidence": 0.71}'
    submit(
        parse_submission(request_body()),
        use_case="loan-approval",
        environment="test",
        caller_scope=CALLER_SCOPE,
        idempotency_key="k",
        ports=world.submit_ports,
        clock=world.clock,
    )
    return world


def in_review(**changes: Any) -> World:
    """A world with one decision whose first loop is open."""
    world = pending(**changes)
    assert start(world) is StartResult.STARTED
    return world


def start(world: World) -> StartResult:
    (decision_id,) = world.records.items
    return start_loop(decision_id, ports=world.start_ports, clock=world.clock, jitter=0)


def name_of(world: World, generation: int = 1) -> str:
    (decision_id,) = world.records.items
    return loop_name(decision_id, generation=generation)


def output(world: World, *, generation: int = 1, **changes: Any) -> bytes:
    (decision_id,) = world.records.items
    name = name_of(world, generation)
    content = {**world.loops.content(name), "decision_id": changes.pop("decision_id", decision_id)}
    return output_document(
        **{"loop_name": name, "decision_id": decision_id, "inputContent": content, **changes}
    )


def news(world: World, generation: int = 1) -> IngestResult:
    return ingest(name_of(world, generation), ports=world.ingest_ports, clock=world.clock)


def answered(world: World, **changes: Any) -> Record:
    world.answer(name_of(world), output(world, **changes))
    world.clock.pass_seconds(60)
    news(world)
    return world.records.only()


def test_an_answer_becomes_the_outcome_with_its_reviewer_and_the_output_it_came_from() -> None:
    world = in_review()
    record = answered(world)
    assert record.state is State.FINAL
    assert record.outcome is not None
    assert (record.outcome.label, record.outcome.source, record.outcome.seconds) == ("decline", "human", 41.2)
    assert record.outcome.reviewers[0].worker_id == "0a1b2c3d4e5f6071"
    (review,) = record.reviews
    assert (review.end, review.output and review.output.version_id) == (LoopEnd.ANSWERED, "v1")
    assert record.due_at is None
    assert world.events() == ["sent_to_people", "review_started", "decided_by_people"]
    assert [entry.number for entry in world.records.audit] == [1, 2, 3]


def test_an_event_that_comes_again_changes_nothing() -> None:
    world = in_review()
    record = answered(world)
    for _ in range(3):
        assert news(world) is IngestResult.NOTHING_TO_DO
    assert world.records.only() == record


def test_two_handlers_at_once_make_one_outcome() -> None:
    world = in_review()
    world.answer(name_of(world), output(world))
    inner: list[IngestResult] = []
    world.faults.hooks["read_output"] = [lambda: inner.append(news(world))]
    assert news(world) is IngestResult.NOTHING_TO_DO
    assert inner == [IngestResult.DECIDED]
    assert world.events().count("decided_by_people") == 1


def test_an_event_about_a_loop_that_goes_on_changes_nothing() -> None:
    world = in_review()
    record = world.records.only()
    assert news(world) is IngestResult.NOTHING_TO_DO
    world.loops.end(name_of(world), "Stopping")
    assert news(world) is IngestResult.NOTHING_TO_DO
    assert world.records.only() == record


@pytest.mark.parametrize("name", ["h-unknown-g1", "x"])
def test_a_forged_event_changes_nothing(name: str) -> None:
    world = in_review()
    record = world.records.only()
    assert ingest(name, ports=world.ingest_ports, clock=world.clock) is IngestResult.UNKNOWN_LOOP
    assert world.records.only() == record


def test_an_event_about_a_loop_that_a2i_does_not_know_changes_nothing() -> None:
    world = in_review()
    record = world.records.only()
    world.loops.loops.clear()
    assert news(world) is IngestResult.UNKNOWN_LOOP
    assert world.records.only() == record


def test_an_answer_that_overtakes_the_note_of_the_start_waits_for_it_and_then_decides() -> None:
    world = in_review()
    (decision_id,) = world.records.items
    world.records.items[decision_id] = {**world.records.items[decision_id], "state": "PENDING", "reviews": []}
    before = dict(world.records.items[decision_id])
    world.answer(name_of(world), output(world))
    with pytest.raises(RetryableError, match="StartNotNoted"):
        news(world)
    assert world.records.items[decision_id] == before
    assert start(world) is StartResult.STARTED
    assert news(world) is IngestResult.DECIDED


def test_a_loop_that_somebody_else_made_under_our_name_decides_nothing() -> None:
    world = pending()
    name = name_of(world)
    forged = {"decision_id": world.records.only().decision_id, "generation": 1, "input": {"amount": 1}}
    world.loops.start(
        name,
        flow_definition_arn=FLOW_DEFINITION_ARN,
        input_content=json.dumps(forged).encode(),
        free_of_personal_data=False,
    )
    assert start(world) is StartResult.STARTED
    record = answered(world)
    assert (record.state, record.generation, record.outcome) == (State.PENDING, 2, None)
    assert record.reviews[0].end_code == "output_of_other_content"
    detail = world.records.audit[-1].detail
    assert detail["reason"] == {"code": "output_of_other_content"}
    assert detail["output"]["version_id"] == "v1"
    assert start(world) is StartResult.STARTED
    world.answer(name_of(world, 2), output(world, generation=2))
    assert news(world, 2) is IngestResult.DECIDED


def test_numbers_and_order_written_otherwise_are_the_same_content() -> None:
    world = in_review()
    content = dict(reversed(world.loops.content(name_of(world)).items()))
    content["input"] = {**content["input"], "amount": 9600.0}
    assert answered(world, inputContent={**content, "generation": 1.0}).state is State.FINAL


@pytest.mark.parametrize("amount", [9601, 9600.5, "9600", True, None])
def test_another_value_in_the_input_is_other_content(amount: object) -> None:
    world = in_review()
    content = world.loops.content(name_of(world))
    content["input"]["amount"] = amount
    assert answered(world, inputContent=content).reviews[0].end_code == "output_of_other_content"


def test_a_review_from_before_the_hash_was_kept_is_not_compared() -> None:
    world = in_review()
    (item,) = world.records.items.values()
    del item["reviews"][0]["input_content_sha256"]
    assert (
        answered(world, inputContent={"decision_id": item["decision_id"], "generation": 1}).state == "FINAL"
    )


def test_one_person_who_answers_twice_decides_nothing() -> None:
    world = in_review()
    record = answered(world, answers=[answer(), answer()])
    assert (record.state, record.outcome) == (State.PENDING, None)
    assert record.reviews[0].end_code == "same_reviewer_twice"


@pytest.mark.parametrize(
    ("status", "failure_code"), [("Failed", "Expired"), ("Failed", "ValidationError"), ("Stopped", "")]
)
def test_a_loop_without_an_answer_is_repeated_and_then_escalated_never_decided(
    status: str, failure_code: str
) -> None:
    world = in_review()
    for generation in (1, 2):
        world.loops.end(name_of(world, generation), status, failure_code=failure_code)
        assert news(world, generation) is IngestResult.REVIEW_REPEATED
        record = world.records.only()
        assert (record.state, record.generation) == (State.PENDING, generation + 1)
        assert start(world) is StartResult.STARTED
    world.loops.end(name_of(world, 3), status, failure_code=failure_code)
    assert news(world, 3) is IngestResult.ESCALATED
    record = world.records.only()
    assert (record.state, record.outcome) == (State.ESCALATED, None)
    assert record.escalation is not None
    code = f"loop_{status.lower()}"
    assert record.escalation.document() == {"code": "generations_exhausted", "last": code}
    assert [one.end_code for one in record.reviews] == [code] * 3
    assert len(world.loops.loops) == 3


POISON: list[dict[str, Any]] = [
    {"answers": []},
    {"answers": [answer("maybe")]},
    {"humanAnswers": "x"},
    {"loop_name": "h-other-g1"},
    {"decision_id": "d-other"},
    {"flowDefinitionArn": NEXT_FLOW_DEFINITION_ARN},
]


@pytest.mark.parametrize("changes", POISON, ids=["none", "label", "shape", "loop", "decision", "flow"])
def test_a_poisoned_output_is_kept_and_the_review_repeated(changes: dict[str, Any]) -> None:
    world = in_review()
    record = answered(world, **changes)
    assert (record.state, record.generation, record.outcome) == (State.PENDING, 2, None)
    (review,) = record.reviews
    assert review.end is LoopEnd.UNUSABLE
    assert review.output is not None
    assert world.records.audit[-1].detail["output"]["version_id"] == "v1"


def test_an_output_that_is_not_json_is_poison() -> None:
    world = in_review()
    world.answer(name_of(world), b"<html>")
    assert news(world) is IngestResult.REVIEW_REPEATED
    assert world.records.only().reviews[0].end_code == "output_not_json"


def test_an_output_elsewhere_is_never_read() -> None:
    world = in_review()
    world.loops.end(name_of(world), "Completed", output_uri="s3://attacker/output.json")
    assert news(world) is IngestResult.REVIEW_REPEATED
    assert world.records.only().reviews[0].end_code == "output_elsewhere"


def test_a_loop_of_another_flow_definition_under_our_name_decides_nothing() -> None:
    world = in_review()
    name = name_of(world)
    del world.loops.loops[name]
    world.loops.start(
        name, flow_definition_arn=NEXT_FLOW_DEFINITION_ARN, input_content=b"{}", free_of_personal_data=False
    )
    world.answer(name, output(world, flowDefinitionArn=NEXT_FLOW_DEFINITION_ARN))
    assert news(world) is IngestResult.REVIEW_REPEATED
    assert world.records.only().reviews[0].end_code == "loop_of_another_flow_definition"


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([answer("cannot-decide")], "cannot_decide"),
        ([answer("approve"), answer("decline", workerId="bb")], "disagreement"),
    ],
)
def test_reviewers_who_cannot_decide_or_disagree_escalate(answers: list[Any], code: str) -> None:
    world = in_review()
    record = answered(world, answers=answers)
    assert (record.state, record.outcome) == (State.ESCALATED, None)
    assert record.escalation is not None
    assert record.escalation.code == code
    assert record.reviews[0].answer is not None
    assert record.reviews[0].answer.no_label_code == code
    assert news(world) is IngestResult.NOTHING_TO_DO


def test_an_output_that_is_not_there_yet_is_asked_for_again() -> None:
    world = in_review()
    world.answer(name_of(world), output(world))
    world.faults.before["read_output"] = [service_error(RetryableError, "NoSuchKey")]
    with pytest.raises(RetryableError):
        news(world)
    assert world.records.only().state is State.IN_REVIEW
    assert news(world) is IngestResult.DECIDED


def test_a_final_write_whose_reply_was_lost_is_found_done() -> None:
    world = in_review()
    world.answer(name_of(world), output(world))
    world.faults.after["write"] = [service_error(AmbiguousError, "ReadTimeoutError")]
    with pytest.raises(AmbiguousError):
        news(world)
    assert news(world) is IngestResult.NOTHING_TO_DO
    assert world.events().count("decided_by_people") == 1


def late(world: World) -> None:
    """The first loop is stopped, a second one is open, and then the first one's worker submits."""
    world.loops.end(name_of(world), "Stopped")
    assert news(world) is IngestResult.REVIEW_REPEATED
    assert start(world) is StartResult.STARTED
    world.answer(name_of(world), output(world))


def test_a_late_answer_is_kept_and_not_used() -> None:
    world = in_review()
    late(world)
    assert news(world) is IngestResult.LATE_ANSWER_KEPT
    record = world.records.only()
    assert (record.state, record.generation, record.outcome) == (State.IN_REVIEW, 2, None)
    assert [one.end for one in record.reviews] == [LoopEnd.LATE, LoopEnd.OPEN]
    entry = world.records.audit[-1]
    assert (entry.event, entry.detail["answered_generation"]) == ("late_answer_kept", 1)
    assert entry.detail["output"]["key"].endswith("output.json")
    assert news(world) is IngestResult.NOTHING_TO_DO


def test_a_late_answer_after_the_end_does_not_change_the_outcome() -> None:
    world = in_review()
    late(world)
    world.answer(name_of(world, 2), output(world, generation=2, answers=[answer("approve")]))
    assert news(world, 2) is IngestResult.DECIDED
    assert news(world) is IngestResult.LATE_ANSWER_KEPT
    record = world.records.only()
    assert record.state is State.FINAL
    assert record.outcome is not None
    assert record.outcome.label == "approve"


def test_a_late_stop_or_an_unreadable_late_output_is_no_news() -> None:
    world = in_review()
    late(world)
    world.loops.end(name_of(world), "Completed", output_uri="s3://attacker/x")
    assert news(world) is IngestResult.NOTHING_TO_DO
    world.loops.end(name_of(world), "Stopped")
    assert news(world) is IngestResult.NOTHING_TO_DO
    assert world.records.only().generation == 2


def test_a_late_answer_to_a_loop_that_was_never_noted_is_kept() -> None:
    world = in_review()
    (decision_id,) = world.records.items
    changed = {"generation": 2, "reviews": [], "seats": [{"name": "", "generation": 2}]}
    world.records.items[decision_id] = {**world.records.items[decision_id], **changed}
    world.answer(name_of(world), output(world))
    assert news(world) is IngestResult.LATE_ANSWER_KEPT
    assert world.records.only().reviews[0].generation == 1


def test_endless_conflicts_end_in_an_error_that_may_be_retried() -> None:
    world = in_review()
    world.answer(name_of(world), output(world))
    world.faults.before["write"] = [RecordConflictError("d") for _ in range(20)]
    with pytest.raises(RetryableError, match="RecordContended"):
        news(world)


def test_a_loop_entry_whose_record_is_missing_is_unknown() -> None:
    world = in_review()
    name = name_of(world)
    world.answer(name, output(world))
    world.records.items.clear()
    assert ingest(name, ports=world.ingest_ports, clock=world.clock) is IngestResult.UNKNOWN_LOOP


def test_a_loop_entry_that_does_not_fit_its_name_is_unknown() -> None:
    world = in_review()
    name = name_of(world)
    world.records.loops["h-forged-g1"] = world.records.loops[name]
    world.loops.loops["h-forged-g1"] = world.loops.loops[name]
    world.answer("h-forged-g1", output(world))
    assert ingest("h-forged-g1", ports=world.ingest_ports, clock=world.clock) is IngestResult.UNKNOWN_LOOP
