"""Requests for decisions: what is accepted, and how each fault is refused."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.decisions.requests import BODY_BYTES, checked_idempotency_key, parse_submission
from overread.errors import Problem, RequestRefusedError
from overread.instants import format_instant, parse_instant
from overread_testing.decision_builders import request_body


def refusal(body: bytes) -> RequestRefusedError:
    with pytest.raises(RequestRefusedError) as caught:
        parse_submission(body)
    return caught.value


def test_a_request_is_read() -> None:
    submission = parse_submission(request_body(priority="high", deadline="2026-12-01T13:00:00+01:00"))
    assert submission.input["amount"] == 9600
    assert (submission.reference, submission.priority) == ("loan-8841", "high")
    assert submission.deadline == datetime(2026, 12, 1, 12, tzinfo=UTC)
    assert submission.prediction is None


def test_only_the_input_is_required() -> None:
    submission = parse_submission(b'{"input": {}}')
    assert (submission.reference, submission.priority, submission.deadline) == ("", "normal", None)


def test_a_request_is_the_same_however_it_is_spelt() -> None:
    one = parse_submission(b'{"input": {"a": 1, "b": 2}, "reference": "r"}')
    other = parse_submission(b'{"reference":"r",\n"input":{"b":2,"a":1}}')
    assert one.request_sha256 == other.request_sha256
    assert one.input_sha256 == other.input_sha256


@pytest.mark.parametrize("changes", [{"reference": "s"}, {"priority": "low"}, {"input": {"amount": 1}}])
def test_any_other_content_is_another_request(changes: dict[str, Any]) -> None:
    assert (
        parse_submission(request_body()).request_sha256
        != parse_submission(request_body(**changes)).request_sha256
    )


def test_a_body_of_one_mebibyte_is_read_and_a_byte_more_is_refused() -> None:
    start, end = b'{"input": {"a": "', b'"}}'
    full = start + b"x" * (BODY_BYTES - len(start) - len(end)) + end
    assert len(parse_submission(full).input["a"]) > 1_000_000
    error = refusal(full + b" ")
    assert error.problem is Problem.REQUEST_TOO_LARGE
    assert "1,048,577 bytes, allowed are 1,048,576" in error.detail


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 100000,
        b'{"input": {"a": NaN}}',
        b'{"input": {"a": 1e999}}',
        b'{"input": {}, "input": {}}',
        b'{"input": {"a": "\\ud800"}}',
    ],
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    assert refusal(body).problem is Problem.MALFORMED_JSON


@pytest.mark.parametrize(
    ("document", "field", "text"),
    [
        ([], "", "the body must be an object"),
        ({}, "input", "input must be an object, got nothing"),
        ({"input": None}, "input", "input must be an object, got null"),
        ({"input": [1]}, "input", "input must be an object, got a list"),
        ({"input": {}, "colour": 1}, "colour", "colour is unknown, allowed are input, reference"),
        ({"input": {}, "reference": 7}, "reference", "reference must be a text of at most 256"),
        ({"input": {}, "reference": "x" * 257}, "reference", "reference must be a text"),
        ({"input": {}, "reference": "a\nb"}, "reference", "reference must be a text"),
        ({"input": {}, "priority": "urgent"}, "priority", "priority must be one of low, normal, high"),
        ({"input": {}, "priority": ["low"]}, "priority", "priority must be one of low, normal, high"),
        ({"input": {}, "deadline": "tomorrow"}, "deadline", "deadline must be a time such as"),
        ({"input": {}, "deadline": "2026-12-01T12:00:00"}, "deadline", "deadline must be a time such as"),
        ({"input": {}, "deadline": "0001-01-01T00:00:00+23:00"}, "deadline", "deadline must be a time"),
        ({"input": {}, "deadline": 5}, "deadline", "deadline must be a time such as"),
        ({"input": {}, "prediction": "x"}, "prediction", "prediction must be an object, got a text"),
        (
            {"input": {}, "prediction": {"version": "1"}},
            "prediction.model",
            "prediction.model must be a text",
        ),
        (
            {"input": {}, "prediction": {"model": "m", "version": 3}},
            "prediction.version",
            "prediction.version",
        ),
        (
            {"input": {}, "prediction": {"model": "m", "version": "3", "p": 1}},
            "prediction.p",
            "prediction.p is unknown, allowed are label, confidence, model, version",
        ),
    ],
)
def test_a_fault_names_its_field_and_what_is_allowed(document: object, field: str, text: str) -> None:
    error = refusal(json.dumps(document).encode())
    assert (error.problem, error.field) == (Problem.INVALID_REQUEST, field)
    assert text in error.detail


def test_a_deadline_of_any_year_can_be_read_back() -> None:
    submission = parse_submission(request_body(deadline="0999-01-01T00:00:00Z"))
    assert submission.deadline is not None
    assert format_instant(submission.deadline) == "0999-01-01T00:00:00.000Z"
    assert parse_instant(format_instant(submission.deadline)) == submission.deadline


def test_all_faults_are_told_at_once() -> None:
    detail = refusal(b'{"priority": 1, "deadline": 1, "x": 1}').detail
    assert [name in detail for name in ("input", "priority", "deadline", "x is unknown")] == [True] * 4


@pytest.mark.parametrize("confidence", [None, "0.9", True, 7, [], {}])
def test_a_callers_confidence_of_any_kind_is_left_to_the_router(confidence: object) -> None:
    stated = {"label": "approve", "confidence": confidence, "model": "m", "version": "1"}
    submission = parse_submission(request_body(prediction=stated))
    assert submission.prediction is not None
    assert submission.prediction.confidence == confidence


@given(st.binary(max_size=200))
def test_no_body_whatsoever_breaks_the_reader(body: bytes) -> None:
    with pytest.raises(RequestRefusedError):
        parse_submission(body)


@pytest.mark.parametrize("values", [[], [""], ["", ""]])
def test_an_idempotency_key_is_required(values: list[str]) -> None:
    with pytest.raises(RequestRefusedError) as caught:
        checked_idempotency_key(values)
    assert caught.value.problem is Problem.IDEMPOTENCY_KEY_MISSING
    assert caught.value.field == "Idempotency-Key"


@pytest.mark.parametrize("values", [["a", "b"], ["x" * 256], ["ключ"], ["a\tb"]])
def test_an_idempotency_key_is_one_short_printable_text(values: list[str]) -> None:
    with pytest.raises(RequestRefusedError) as caught:
        checked_idempotency_key(values)
    assert caught.value.problem is Problem.IDEMPOTENCY_KEY_INVALID


@pytest.mark.parametrize("values", [["order-8841"], ["x" * 255], ["a b"], ["same", "same"]])
def test_a_good_idempotency_key_is_taken_as_it_is(values: list[str]) -> None:
    assert checked_idempotency_key(values) == values[0]
