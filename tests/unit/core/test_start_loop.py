"""The use case start_loop: one loop a generation, and a start that fails stays pending and visible."""

import json
from datetime import timedelta
from typing import Any

import pytest

from overread.decisions.record import State
from overread.decisions.requests import parse_submission
from overread.decisions.start_loop import StartResult, start_loop, start_waiting
from overread.decisions.submit import submit
from overread.decisions.transitions import backoff_s
from overread.errors import AmbiguousError, PermanentError, RecordConflictError, RetryableError
from overread.review.wire import content_sha256, loop_name
from overread_testing.decision_builders import (
    CALLER_SCOPE,
    FLOW_DEFINITION_ARN,
    NEXT_FLOW_DEFINITION_ARN,
    policy,
    request_body,
)
from overread_testing.decision_fakes import World, service_error
from overread_testing.decision_worlds import post


def pending(body: bytes | None = None, **changes: Any) -> World:
    """A world with one decision that waits for people."""
    world = World(policy(**changes))
    world.models.reply = b'{"label": "approve", "confidence": 0.71}'
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


def start(world: World, jitter: float = 0.0) -> StartResult:
    (decision_id,) = world.records.items
    return start_loop(decision_id, ports=world.start_ports, clock=world.clock, jitter=jitter)


def content(world: World) -> dict[str, Any]:
    (body,) = world.loops.contents.values()
    document: dict[str, Any] = json.loads(body)
    return document


def test_a_pending_decision_gets_its_loop() -> None:
    world = pending()
    assert start(world) is StartResult.STARTED
    record = world.records.only()
    name = loop_name(record.decision_id, generation=1)
    assert list(world.loops.loops) == [name]
    assert (record.state, record.generation) == (State.IN_REVIEW, 1)
    assert [(one.loop_name, one.flow_definition_arn) for one in record.reviews] == [
        (name, FLOW_DEFINITION_ARN)
    ]
    assert world.events() == ["sent_to_people", "review_started"]


def test_the_task_holds_what_the_reviewer_needs_and_nothing_withheld() -> None:
    world = pending()
    start(world)
    record = world.records.only()
    assert content(world) == {
        "decision_id": record.decision_id,
        "use_case": "loan-approval",
        "reference": "loan-8841",
        "input": {"amount": 9600, "purpose": "car"},
        "labels": ["approve", "decline"],
        "prediction": {"label": "approve", "confidence": 0.71},
        "reasons": [{"code": "confidence_below_threshold", "threshold": 0.9, "confidence": 0.71}],
        "generation": 1,
        "separation": record.separation,
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"review__blind": True},
        {"routing__threshold": 0.1, "routing__spot_check_probability": 1},
        {"routing__spot_check_probability": 1},
        {"routing__spot_check_probability": 1, "routing__spot_check_two_reader_share": 1},
    ],
)
def test_a_blind_review_and_any_spot_check_tell_nothing_of_the_model(changes: dict[str, Any]) -> None:
    world = pending(**changes)
    start(world)
    for name in world.loops.loops:
        document = world.loops.content(name)
        assert "prediction" not in document
        assert document["reasons"] == []


def test_a_spot_check_for_two_readers_opens_a_loop_for_each() -> None:
    world = pending(routing__spot_check_probability=1, routing__spot_check_two_reader_share=1)
    start(world)
    assert [review.seat for review in world.records.only().open_reviews] == ["a", "b"]


def test_the_statement_to_sign_is_part_of_what_people_see() -> None:
    world = pending(review__statement="I have read the case.")
    start(world)
    assert content(world)["statement"] == "I have read the case."


@pytest.mark.parametrize(("data", "is_personal"), [("personal", True), ("free-of-personal-data", False)])
def test_only_data_declared_so_is_declared_free_of_personal_data(data: str, is_personal: bool) -> None:
    world = pending(data__class=data)
    start(world)
    assert list(world.loops.personal.values()) == [is_personal]


def test_starting_again_does_nothing() -> None:
    world = pending()
    start(world)
    assert start(world) is StartResult.NOTHING_TO_DO
    assert len(world.loops.loops) == 1


def test_an_unknown_decision_is_nothing_to_do() -> None:
    world = pending()
    assert (
        start_loop("d-x", ports=world.start_ports, clock=world.clock, jitter=0) is StartResult.NOTHING_TO_DO
    )


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (RetryableError, "ThrottlingException"),
        (RetryableError, "ServiceQuotaExceededException"),
        (PermanentError, "AccessDeniedException"),
        (AmbiguousError, "InternalServerException"),
    ],
)
def test_a_start_that_fails_stays_pending_and_tells_why_and_when_next(kind: Any, code: str) -> None:
    world = pending()
    world.faults.before["start"] = [service_error(kind, code)] * 3
    for attempt in (1, 2, 3):
        assert start(world) is StartResult.POSTPONED
        record = world.records.only()
        assert record.state is State.PENDING
        assert record.waiting is not None
        assert (record.waiting.code, record.waiting.attempts) == (code, attempt)
        assert record.due_at == record.waiting.next_attempt_at > world.clock()
        assert start(world) is StartResult.NOTHING_TO_DO
        world.clock.pass_seconds(1000)
    assert start(world) is StartResult.STARTED
    assert world.records.only().waiting is None


def test_back_off_doubles_to_a_quarter_of_an_hour_and_jitter_spreads_its_upper_half() -> None:
    assert [backoff_s(n, jitter=1) for n in (1, 2, 3, 7, 8, 5000)] == [15, 30, 60, 900, 900, 900]
    assert [backoff_s(n, jitter=0) for n in (1, 2)] == [7.5, 15]


def test_a_lost_reply_leads_to_one_loop() -> None:
    world = pending()
    world.faults.after["start"] = [service_error(AmbiguousError, "ReadTimeoutError")]
    assert start(world) is StartResult.POSTPONED
    assert len(world.loops.loops) == 1
    world.clock.pass_seconds(1000)
    world.faults.before["start"] = [AssertionError("must look before it starts again")]
    assert start(world) is StartResult.STARTED
    assert len(world.loops.loops) == 1


def test_a_starter_that_died_before_its_note_is_followed_by_one_that_finds_the_loop() -> None:
    world = pending()
    world.faults.before["write"] = [service_error(AmbiguousError, "ReadTimeoutError")]
    with pytest.raises(AmbiguousError):
        start(world)
    assert start(world) is StartResult.STARTED
    assert len(world.loops.loops) == 1


def test_the_start_pins_what_people_are_to_see_in_the_record_and_its_audit() -> None:
    world = pending()
    start(world)
    (review,) = world.records.only().reviews
    assert review.input_content_sha256 == content_sha256(content(world))
    assert world.records.audit[-1].detail["input_content_sha256"] == review.input_content_sha256


def test_a_loop_with_other_content_is_taken_but_what_it_should_show_is_pinned() -> None:
    world = pending()
    (decision_id,) = world.records.items
    name = loop_name(decision_id, generation=1)
    world.loops.start(
        name, flow_definition_arn=FLOW_DEFINITION_ARN, input_content=b"{}", free_of_personal_data=False
    )
    assert start(world) is StartResult.STARTED
    assert world.loops.contents[name] == b"{}"
    twin = pending()
    start(twin)
    (review,), (of_twin,) = world.records.only().reviews, twin.records.only().reviews
    assert review.input_content_sha256 == of_twin.input_content_sha256 != content_sha256({})


def test_a_loop_of_another_flow_definition_under_our_name_costs_a_generation() -> None:
    world = pending()
    (decision_id,) = world.records.items
    world.loops.start(
        loop_name(decision_id, generation=1),
        flow_definition_arn=NEXT_FLOW_DEFINITION_ARN,
        input_content=b"{}",
        free_of_personal_data=False,
    )
    assert start(world) is StartResult.STARTED
    assert world.records.only().generation == 2
    assert world.events() == ["sent_to_people", "review_repeated", "review_started"]


def test_a_conflict_over_a_loop_that_is_gone_by_then_is_tried_again() -> None:
    world = pending()
    (decision_id,) = world.records.items
    name = loop_name(decision_id, generation=1)
    world.loops.start(
        name, flow_definition_arn=FLOW_DEFINITION_ARN, input_content=b"{}", free_of_personal_data=False
    )
    world.faults.hooks["describe"] = [world.loops.loops.clear]
    assert start(world) is StartResult.POSTPONED
    waiting = world.records.only().waiting
    assert waiting is not None
    assert waiting.code == "ConflictException"


def test_a_vanished_flow_definition_is_replaced_by_the_policys_and_the_audit_tells() -> None:
    world = pending()
    world.loops.gone.add(FLOW_DEFINITION_ARN)
    world.policies.policy = policy(version="next", review__flow_definition_arn=NEXT_FLOW_DEFINITION_ARN)
    assert start(world) is StartResult.STARTED
    record = world.records.only()
    assert record.terms.flow_definition_arn == NEXT_FLOW_DEFINITION_ARN
    assert record.reviews[0].flow_definition_arn == NEXT_FLOW_DEFINITION_ARN
    entry = world.records.audit[1]
    assert entry.event == "review_terms_replaced"
    assert entry.detail["from_flow_definition_arn"] == FLOW_DEFINITION_ARN
    assert entry.detail["policy_version"] == "next"


@pytest.mark.parametrize("is_policy_down", [True, False])
def test_a_vanished_flow_definition_without_a_new_one_waits(is_policy_down: bool) -> None:
    world = pending()
    world.loops.gone.add(FLOW_DEFINITION_ARN)
    if is_policy_down:
        world.faults.before["current_policy"] = [service_error(RetryableError, "Down")]
    assert start(world) is StartResult.POSTPONED
    waiting = world.records.only().waiting
    assert waiting is not None
    assert waiting.code == ("Down" if is_policy_down else "ValidationException")


def test_a_newer_policy_does_not_change_a_review_whose_flow_definition_stands() -> None:
    world = pending()
    world.policies.policy = policy(version="next", review__flow_definition_arn=NEXT_FLOW_DEFINITION_ARN)
    start(world)
    assert world.records.only().terms.flow_definition_arn == FLOW_DEFINITION_ARN


def test_an_input_that_cannot_be_read_waits() -> None:
    world = pending()
    world.faults.before["read_input"] = [service_error(PermanentError, "AccessDenied")]
    assert start(world) is StartResult.POSTPONED
    waiting = world.records.only().waiting
    assert waiting is not None
    assert waiting.code == "AccessDenied"


def test_an_input_that_is_not_what_was_stored_is_never_shown() -> None:
    world = pending()
    for key in world.inputs.objects:
        world.inputs.objects[key] = b'{"amount": 1}'
    assert start(world) is StartResult.POSTPONED
    waiting = world.records.only().waiting
    assert waiting is not None
    assert waiting.code == "InputAltered"
    assert world.loops.loops == {}


def test_a_passed_deadline_escalates_instead_of_starting() -> None:
    world = pending(request_body(deadline="2026-11-22T22:00:00Z"))
    world.clock.pass_seconds(3600)
    assert start(world) is StartResult.ESCALATED
    record = world.records.only()
    assert record.state is State.ESCALATED
    assert record.escalation is not None
    assert record.escalation.code == "deadline_passed"
    assert world.loops.loops == {}


def test_two_starters_at_once_start_one_loop_and_write_it_once() -> None:
    world = pending()
    inner: list[StartResult] = []
    world.faults.hooks["start"] = [lambda: inner.append(start(world))]
    assert start(world) is StartResult.NOTHING_TO_DO
    assert inner == [StartResult.STARTED]
    assert world.events() == ["sent_to_people", "review_started"]
    assert len(world.loops.loops) == 1


def test_records_that_cannot_be_written_are_the_callers_error() -> None:
    world = pending()
    world.faults.before["write"] = [RecordConflictError("d") for _ in range(20)]
    with pytest.raises(RetryableError, match="RecordContended"):
        start(world)


def test_a_retry_sends_the_very_same_content() -> None:
    world = pending()
    world.faults.after["start"] = [service_error(RetryableError, "ThrottlingException")]
    start(world)
    world.clock.now += timedelta(days=3)
    assert start(world) is StartResult.STARTED
    assert len(world.loops.loops) == 1


def test_a_full_queue_is_not_written_about_again_and_again() -> None:
    world = pending(review__queue={"name": "loans", "max_open": 1})
    world.records.open["loans"] = 1
    world.clock.pass_seconds(60)
    assert start(world) is StartResult.QUEUE_FULL
    writes = len(world.records.writes)
    assert start(world) is StartResult.QUEUE_FULL  # as the stream tells of that very write
    assert len(world.records.writes) == writes


def test_a_loop_that_began_before_its_flow_definition_went_is_kept() -> None:
    world = pending()
    world.faults.after["start"] = [KeyboardInterrupt()]  # type: ignore[list-item]  # the starter dies
    with pytest.raises(KeyboardInterrupt):
        start(world)
    world.loops.gone.add(FLOW_DEFINITION_ARN)
    world.policies.policy = policy(review__flow_definition_arn=NEXT_FLOW_DEFINITION_ARN)
    assert start(world) is StartResult.STARTED
    record = world.records.only()
    assert [one.flow_definition_arn for one in record.open_reviews] == [FLOW_DEFINITION_ARN]
    assert len(world.loops.loops) == 1


def test_who_waits_behind_a_record_that_cannot_be_read_is_started_all_the_same() -> None:
    world = pending(review__queue={"name": "loans", "max_open": 5})
    post(world, key="another")
    assert len(world.records.items) == 2
    world.faults.before["get"] = [service_error(PermanentError, "RecordUnreadable")]
    assert start_waiting("loans", ports=world.start_ports, clock=world.clock, jitter=0.0) == 1
