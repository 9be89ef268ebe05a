"""The record's arrows, its item form, and the documents made of it."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.decisions import settling, transitions
from overread.decisions.callers import cancel
from overread.decisions.codec import loop_item, loop_of, record_item, record_of
from overread.decisions.documents import decision_document, problem_document
from overread.decisions.ingest import ingest
from overread.decisions.record import Change, LoopEntry, Record, Seat, State, Truth
from overread.decisions.requests import parse_submission
from overread.decisions.start_loop import start_loop
from overread.decisions.submit import submit
from overread.errors import Problem, RetryableError
from overread.instants import format_instant, parse_instant
from overread.review.wire import loop_name
from overread.routing.prediction import Reason, endpoint_failed
from overread.routing.route import route
from overread_testing.decision_builders import (
    CALLER_SCOPE,
    answer,
    output_document,
    policy,
    request_body,
)
from overread_testing.decision_fakes import World, service_error

UNSURE = b'{"label": "approve", "confidence": 0.71}'
AT = datetime(2026, 11, 22, 21, tzinfo=UTC)


def posted(*, reply: bytes | None = None, body: bytes | None = None, **changes: Any) -> World:
    world = World(policy(**changes))
    world.models.reply = reply or world.models.reply
    submit(
        parse_submission(body or request_body()),
        use_case="loan-approval",
        environment="test",
        caller_scope=CALLER_SCOPE,
        idempotency_key="k",
        ports=world.submit_ports,
        clock=world.clock,
    )
    return world


def start(world: World) -> None:
    start_loop(world.records.only().decision_id, ports=world.start_ports, clock=world.clock, jitter=0)


def finish(world: World, label: str = "decline") -> None:
    record = world.records.only()
    name = loop_name(record.decision_id, generation=1)
    body = output_document(
        loop_name=name,
        decision_id=record.decision_id,
        answers=[answer(label)],
        inputContent=world.loops.content(name),
    )
    world.answer(name, body)
    world.clock.pass_seconds(47.12)
    ingest(name, ports=world.ingest_ports, clock=world.clock)


def test_the_document_of_a_decision_by_the_model() -> None:
    record = posted().records.only()
    assert decision_document(record) == {
        "decision_id": record.decision_id,
        "use_case": "loan-approval",
        "state": "FINAL",
        "reference": "loan-8841",
        "outcome": {"label": "approve", "source": "model", "decided_at": "2026-11-22T21:00:00.000Z"},
        "prediction": {
            "label": "approve",
            "confidence": 0.95,
            "model": "loan-approval",
            "version": "sha256:0123456789ab",
        },
        "route": {
            "to": "model",
            "reasons": [],
            "spot_check_probability": 0.0,
            "routing_policy": "3f2a9c1b77de",
            "guarantee": None,
        },
        "links": {
            "self": f"/v1/decisions/{record.decision_id}",
            "outcome": f"/v1/decisions/{record.decision_id}/outcome",
            "contest": f"/v1/decisions/{record.decision_id}/contest",
        },
    }


def test_the_document_of_a_decision_by_people() -> None:
    world = posted(reply=UNSURE)
    start(world)
    finish(world)
    document = decision_document(world.records.only())
    assert document["outcome"] == {
        "label": "decline",
        "source": "human",
        "reason_code": "income-unverified",
        "decided_at": "2026-11-22T21:00:47.120Z",
    }
    assert document["review"] == {
        "generation": 1,
        "reviews": 1,
        "seconds": 41.2,
        "signed_at": ["2026-11-22T21:07:44.120Z"],
    }
    assert document["prediction"]["confidence"] == 0.71


def test_the_document_says_what_was_signed() -> None:
    world = posted(reply=UNSURE, review__statement="I have read the case.")
    start(world)
    assert "statement" not in decision_document(world.records.only())["review"]
    finish(world)
    assert decision_document(world.records.only())["review"]["statement"] == "I have read the case."


@pytest.mark.parametrize("reply", [UNSURE, b'{"label": "maybe", "confidence": 7}'])
def test_a_waiting_decision_does_not_tell_what_the_model_said(reply: bytes) -> None:
    world = posted(reply=reply, routing__label_thresholds={"approve": 0.777})
    for _ in range(2):
        text = json.dumps(decision_document(world.records.only()))
        assert not any(told in text for told in ("0.71", "0.777", "approve", "maybe", '"7"', "outcome"))
        start(world)
    assert decision_document(world.records.only())["state"] == "IN_REVIEW"


@pytest.mark.parametrize(
    ("reply", "codes"),
    [
        (UNSURE, ["confidence_below_threshold", "rule", "spot_check"]),
        (b'{"label": "maybe", "confidence": 7}', ["prediction_unusable", "rule", "spot_check"]),
        (b"oops", ["prediction_unusable", "rule", "spot_check"]),
    ],
)
def test_a_waiting_decisions_reasons_are_codes_each_told_once(reply: bytes, codes: list[str]) -> None:
    rules = [{"name": f"secret-{i}", "when": "input.amount > `100`"} for i in range(3)]
    world = posted(reply=reply, routing__rules=rules, routing__spot_check_probability=1)
    for _ in range(2):
        document = decision_document(world.records.only())
        assert document["route"]["reasons"] == [{"code": code} for code in codes]
        assert "secret" not in json.dumps(document)
        start(world)


def test_a_cancelled_decision_does_not_tell_what_the_model_said() -> None:
    world = posted(reply=UNSURE)
    cancel(
        world.records.only().decision_id,
        reason="withdrawn",
        by="caller",
        ports=world.change_ports,
        clock=world.clock,
    )
    document = decision_document(world.records.only())
    assert document["cancellation"] == {"code": "cancelled_by_caller", "reason": "withdrawn"}
    assert document["links"] == {"self": f"/v1/decisions/{document['decision_id']}"}
    assert not {"prediction", "outcome"} & set(document)
    assert all(told not in json.dumps(world.records.outbox[-1].payload) for told in ("0.71", "approve"))


def test_a_use_case_may_show_its_prediction_to_the_waiting_caller() -> None:
    document = decision_document(posted(reply=UNSURE, review__show_prediction_to_caller=True).records.only())
    assert document["prediction"]["label"] == "approve"
    assert document["route"]["reasons"][0]["confidence"] == 0.71


def test_a_start_that_failed_is_visible_to_the_caller() -> None:
    world = posted(reply=UNSURE)
    world.faults.before["start"] = [service_error(RetryableError, "ThrottlingException")]
    start(world)
    assert decision_document(world.records.only())["review"] == {
        "generation": 1,
        "waiting": {
            "code": "ThrottlingException",
            "attempts": 1,
            "next_attempt_at": "2026-11-22T21:00:07.500Z",
        },
    }


def test_an_escalated_decision_says_why() -> None:
    world = posted(reply=UNSURE)
    start(world)
    finish(world, "cannot-decide")
    document = decision_document(world.records.only())
    assert document["state"] == "ESCALATED"
    assert document["review"]["escalation"] == {"code": "cannot_decide"}
    assert "outcome" not in document


def test_a_shadowed_decision_says_so_and_what_it_would_have_been() -> None:
    document = decision_document(posted(reply=UNSURE, mode="shadow").records.only())
    assert (document["shadow"], document["state"], document["route"]["to"]) == (True, "FINAL", "human")
    assert document["outcome"]["source"] == "model"


def test_no_document_names_reviewer_caller_or_storage() -> None:
    world = posted(reply=UNSURE)
    start(world)
    finish(world)
    text = json.dumps(decision_document(world.records.only()))
    for secret in ("0a1b2c3d4e5f6071", "5f0c8a52", CALLER_SCOPE, "inputs", "arn:"):
        assert secret not in text


def test_a_problem_document_has_the_shape_of_rfc_9457() -> None:
    assert problem_document(Problem.IDEMPOTENCY_KEY_REUSED, detail="d", field="Idempotency-Key") == {
        "type": "urn:overread:problem:idempotency-key-reused",
        "title": "Idempotency key reused with another body",
        "status": 422,
        "detail": "d",
        "field": "Idempotency-Key",
    }
    assert "field" not in problem_document(Problem.MALFORMED_JSON, detail="d")


def worlds() -> list[World]:
    """One world in each state, with every optional part of a record somewhere."""
    final, human, waiting, escalated = (
        posted(),
        posted(reply=UNSURE, body=request_body(deadline="2027-01-01T00:00:00Z")),
        posted(reply=b"oops"),
        posted(reply=UNSURE, routing__spot_check_probability=1),
    )
    start(human)
    finish(human)
    waiting.faults.before["start"] = [service_error(RetryableError, "ThrottlingException")]
    start(waiting)
    start(escalated)
    finish(escalated, "cannot-decide")
    cancelled = posted(reply=UNSURE)
    cancel(
        cancelled.records.only().decision_id,
        reason="withdrawn",
        by="caller",
        ports=cancelled.change_ports,
        clock=cancelled.clock,
    )
    return [final, human, waiting, escalated, cancelled]


def test_every_record_survives_its_item_form() -> None:
    states = set()
    for world in worlds():
        for change in world.records.writes:
            item = record_item(change.record)
            assert record_of(json.loads(json.dumps(item))) == change.record
            assert None not in item.values()
            states.add(change.record.state)
    assert states == set(State)


def test_a_loop_entry_survives_its_item_form() -> None:
    entry = LoopEntry(loop_name="h-1-g2", decision_id="d-1", generation=2)
    assert loop_of(loop_item(entry)) == entry


def test_audit_numbers_have_no_gap_and_every_write_but_waiting_ones_is_told() -> None:
    for world in worlds():
        numbers = [entry.number for entry in world.records.audit]
        assert numbers == list(range(1, len(numbers) + 1))
        assert world.records.only().audit_length == len(numbers)


def test_every_change_is_fenced_by_where_the_record_stood() -> None:
    for world in worlds():
        before: Record | None = None
        for change in world.records.writes:
            if before is None:
                assert change.fence is None
            else:
                assert change.fence is not None
                assert (change.fence.state, change.fence.generation, change.fence.revision) == (
                    before.state,
                    before.generation,
                    before.revision,
                )
                assert change.record.revision == before.revision + 1
            before = change.record


ARROWS: dict[str, Callable[[Record], Change]] = {
    "claim": lambda record: transitions.claim_attempt(record, policy=policy(), at=AT),
    "send": lambda record: transitions.decide(
        record,
        policy=policy(),
        prediction=None,
        route=route(
            policy(),
            decision_id="d",
            visible_input={},
            reading=endpoint_failed("x"),
            spot_check_key=b"k" * 16,
        ),
        at=AT,
    ),
    "postpone": lambda record: transitions.postpone(
        record, error=service_error(RetryableError, "x"), is_unknown=False, at=AT, jitter=0
    ),
    "admit": lambda record: transitions.admit(record, at=AT),
    "begin": lambda record: transitions.begin_review(
        record, seat=Seat("", 1), input_content_sha256="ab" * 32, at=AT
    ),
    "repin": lambda record: transitions.repin(record, terms=record.terms, policy_version="2", at=AT),
    "again": lambda record: settling.review_again(
        record, seat=Seat("", 1), reason=Reason("x"), output=None, at=AT
    ),
    "escalate": lambda record: settling.escalate(record, reason=Reason("x"), at=AT),
    "cancel": lambda record: transitions.cancel(record, reason=Reason("x"), by="caller", at=AT),
    "note_contest": lambda record: transitions.note_contest(record, contested_by="d-2", by="x", at=AT),
    "learn_truth": lambda record: transitions.learn_truth(
        record, truth=Truth(label="approve", learnt_at=AT, recorded_at=AT, recorded_by="x")
    ),
}
ALLOWED = {
    State.RECEIVED: {"claim", "send", "cancel"},
    State.PENDING: {"admit", "postpone", "begin", "repin", "again", "escalate", "cancel"},
    State.IN_REVIEW: {"again", "escalate", "cancel"},
    State.ESCALATED: {"postpone", "begin", "repin", "again", "cancel"},
    State.FINAL: {"again", "note_contest", "learn_truth"},
    State.CANCELLED: {"again"},
}
"""`again` only closes the loop where people are not awaited any more."""


@pytest.mark.parametrize("state", State)
def test_only_the_drawn_arrows_exist(state: State) -> None:
    record = replace(posted(reply=UNSURE).records.only(), state=state)
    possible = set()
    for name, arrow in ARROWS.items():
        with contextlib.suppress(ValueError):
            arrow(record)
            possible.add(name)
    assert possible == ALLOWED[state]


def test_the_model_never_decides_without_a_prediction() -> None:
    record = replace(posted().records.only(), state=State.RECEIVED, prediction=None)
    chosen = record.route
    assert chosen is not None
    with pytest.raises(ValueError, match="without a prediction"):
        transitions.decide(record, policy=policy(), prediction=None, route=chosen, at=AT)


@given(st.integers(0, 10**15).map(lambda micros: AT + timedelta(microseconds=micros)))
def test_an_instant_survives_to_the_millisecond_and_sorts_as_text(instant: datetime) -> None:
    text = format_instant(instant)
    back = parse_instant(text)
    assert 0 <= (instant - back).total_seconds() < 0.001
    assert format_instant(back) == text
    assert len(text) == 24
