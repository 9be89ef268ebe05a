"""The use case submit: one key, one decision, whatever dies on the way."""

import json
from typing import Any

import pytest

from overread.decisions import transitions
from overread.decisions.commit import commit_change
from overread.decisions.record import Record, State
from overread.decisions.requests import parse_submission
from overread.decisions.submit import submit
from overread.errors import (
    AmbiguousError,
    PermanentError,
    Problem,
    RecordConflictError,
    RequestRefusedError,
    RetryableError,
)
from overread_testing.decision_builders import CALLER_PREDICTS, CALLER_SCOPE, policy, request_body
from overread_testing.decision_fakes import World, service_error


@pytest.fixture
def world() -> World:
    return World(policy())


def post(world: World, body: bytes | None = None, *, key: str = "order-8841") -> Record:
    return submit(
        parse_submission(body or request_body()),
        use_case="loan-approval",
        environment="test",
        caller_scope=CALLER_SCOPE,
        idempotency_key=key,
        ports=world.submit_ports,
        clock=world.clock,
    )


def unsure(world: World) -> World:
    world.models.reply = b'{"label": "approve", "confidence": 0.71}'
    return world


def test_a_confident_prediction_is_final_at_once_with_one_audit_entry(world: World) -> None:
    record = post(world)
    assert record == world.records.only()
    assert (record.state, record.generation, record.due_at) == (State.FINAL, 0, None)
    assert record.outcome is not None
    assert (record.outcome.label, record.outcome.source) == ("approve", "model")
    (entry,) = world.records.audit
    assert (entry.number, entry.event, entry.detail["label"]) == (1, "decided_by_model", "approve")
    assert entry.detail["input_sha256"] == record.input.sha256


def test_the_record_stands_before_the_model_is_asked(world: World) -> None:
    states: list[str] = []
    world.faults.hooks["predict"] = []
    original = world.models.predict

    def predict(*args: Any, **kwargs: Any) -> Any:
        states.append(world.records.only().state)
        return original(*args, **kwargs)

    world.models.predict = predict  # type: ignore[method-assign]
    post(world)
    assert states == ["RECEIVED"]


def test_the_model_gets_the_visible_input_only_and_an_inference_id(world: World) -> None:
    record = post(world)
    ((endpoint, body, inference_id),) = world.models.asked
    assert endpoint == "overread-test-loan-approval"
    assert json.loads(body) == {"amount": 9600, "purpose": "car"}
    assert inference_id == f"{record.decision_id}/1"


def test_the_whole_input_is_stored_under_its_hash(world: World) -> None:
    record = post(world)
    assert json.loads(world.inputs.objects[record.input.key])["sex"] == "f"
    assert record.input.key == f"inputs/loan-approval/{record.input.sha256}.json"


def test_an_unsure_prediction_waits_for_people_and_its_loop_is_known(world: World) -> None:
    record = post(unsure(world))
    assert (record.state, record.generation, record.outcome) == (State.PENDING, 1, None)
    assert record.prediction is not None
    assert record.prediction.confidence == 0.71
    assert world.events() == ["sent_to_people"]
    ((name, item),) = world.records.loops.items()
    assert name.endswith("-g1")
    assert item["decision_id"] == record.decision_id


def test_everything_that_decided_is_pinned(world: World) -> None:
    record = post(unsure(world))
    assert record.policy.version == "3f2a9c1b77de"
    assert record.terms == world.policies.policy.review
    assert record.prediction is not None
    assert (record.prediction.model, record.prediction.version, record.prediction.variant) == (
        "loan-approval",
        "sha256:0123456789ab",
        "AllTraffic",
    )


@pytest.mark.parametrize("kind", [RetryableError, AmbiguousError, PermanentError])
def test_an_endpoint_error_of_any_kind_goes_to_people(world: World, kind: Any) -> None:
    world.faults.before["predict"] = [service_error(kind, "ModelError")]
    record = post(world)
    assert record.state is State.PENDING
    assert record.route is not None
    assert [one.document() for one in record.route.reasons] == [
        {"code": "endpoint_error", "error": "ModelError"}
    ]
    assert len(world.models.asked) == 1


@pytest.mark.parametrize(
    "reply",
    [b"", b'{"label": "approve", "confidence": NaN}', b'{"label": "approve", "confidence": 1.2}', b"[1]"],
)
def test_a_reply_that_cannot_be_used_goes_to_people(world: World, reply: bytes) -> None:
    world.models.reply = reply
    record = post(world)
    assert (record.state, record.prediction) == (State.PENDING, None)


def test_a_known_key_gives_the_same_decision_and_asks_nobody(world: World) -> None:
    first = post(world)
    world.models.reply = b'{"label": "decline", "confidence": 1}'
    world.policies.policy = policy(version="newer")
    assert post(world) == first
    assert len(world.models.asked) == 1
    assert len(world.records.audit) == 1


def test_a_known_key_needs_neither_policy_nor_secret(world: World) -> None:
    first = post(world)
    for operation in ("current_policy", "spot_check_key", "put_input"):
        world.faults.before[operation] = [service_error(RetryableError, "Down")]
    assert post(world) == first


def test_a_key_used_for_another_body_is_refused_and_changes_nothing(world: World) -> None:
    first = post(world)
    objects = dict(world.inputs.objects)
    with pytest.raises(RequestRefusedError) as caught:
        post(world, request_body(input={"amount": 1}))
    assert caught.value.problem is Problem.IDEMPOTENCY_KEY_REUSED
    assert "order-8841" in caught.value.detail
    assert world.records.only() == first
    assert world.inputs.objects == objects


def test_another_key_is_another_decision(world: World) -> None:
    post(world, key="a")
    post(world, key="b")
    assert len(world.records.items) == 2


@pytest.mark.parametrize("operation", ["put_input", "write", "predict"])
def test_a_run_that_died_is_finished_by_the_next_one(world: World, operation: str) -> None:
    class DiedError(Exception):
        pass

    world.faults.before[operation] = [DiedError()]
    with pytest.raises(DiedError):
        post(world)
    record = post(world)
    assert record.state is State.FINAL
    assert world.events() == ["decided_by_model"]


def test_a_finished_run_after_a_death_counts_its_attempt(world: World) -> None:
    class DiedError(Exception):
        pass

    world.faults.before["predict"] = [DiedError()]
    with pytest.raises(DiedError):
        post(world)
    world.policies.policy = policy(version="newer")
    record = post(world)
    assert [asked[2] for asked in world.models.asked] == [
        f"{record.decision_id}/1",
        f"{record.decision_id}/2",
    ]
    assert (record.attempts, record.policy.version) == (2, "newer")
    assert record.prediction is not None
    assert record.prediction.attempt == 2


def test_a_write_that_happened_though_its_reply_was_lost_is_not_repeated(world: World) -> None:
    lost = service_error(AmbiguousError, "ReadTimeoutError")
    world.faults.after["write"] = [lost]
    with pytest.raises(AmbiguousError):
        post(world)
    world.faults.hooks["predict"] = [
        lambda: world.faults.after.update(write=[service_error(AmbiguousError, "ReadTimeoutError")])
    ]
    with pytest.raises(AmbiguousError):
        post(world)
    record = post(world)
    assert record.state is State.FINAL
    assert world.events() == ["decided_by_model"]
    assert len(world.models.asked) == 1


def test_two_runs_at_once_make_one_decision(world: World) -> None:
    """While the first run asks the model, the second one runs from start to end."""
    inner: list[Record] = []
    world.faults.hooks["predict"] = [lambda: inner.append(post(world))]
    outer = post(world)
    assert [outer] == inner
    assert world.events() == ["decided_by_model"]
    assert len(world.records.items) == 1


@pytest.mark.parametrize("nested_at", ["put_input", "write"])
def test_a_run_overtaken_before_its_record_stands_adopts_the_others(world: World, nested_at: str) -> None:
    inner: list[Record] = []
    world.faults.hooks[nested_at] = [lambda: inner.append(post(world))]
    outer = post(world)
    assert [outer] == inner
    assert world.events() == ["decided_by_model"]


def test_overtaking_runs_that_disagree_still_make_one_decision(world: World) -> None:
    def second() -> None:
        world.models.reply = b'{"label": "decline", "confidence": 0.2}'
        post(world)
        world.models.reply = b'{"label": "approve", "confidence": 0.99}'

    world.faults.hooks["predict"] = [second]
    record = post(world)
    assert record.state is State.PENDING
    assert world.events() == ["sent_to_people"]


def test_an_overtaking_run_with_another_body_is_refused(world: World) -> None:
    def other() -> None:
        post(world, request_body(input={"amount": 1}))

    world.faults.hooks["put_input"] = [other]
    with pytest.raises(RequestRefusedError) as caught:
        post(world)
    assert caught.value.problem is Problem.IDEMPOTENCY_KEY_REUSED
    assert len(world.records.items) == 1


def test_a_claim_of_another_run_does_not_stop_the_answer(world: World) -> None:
    """Another run claims an attempt while this one asks the model: this one's answer still counts."""

    def claim() -> None:
        change = transitions.claim_attempt(
            world.records.only(), policy=world.policies.policy, at=world.clock()
        )
        commit_change(change, records=world.records)

    world.faults.hooks["predict"] = [claim]
    record = post(world)
    assert (record.state, record.attempts) == (State.FINAL, 2)
    assert record.prediction is not None
    assert record.prediction.attempt == 1


def test_endless_conflicts_end_in_an_error_that_may_be_retried(world: World) -> None:
    world.faults.hooks["predict"] = [
        lambda: world.faults.before.update(write=[RecordConflictError("d") for _ in range(20)])
    ]
    with pytest.raises(RetryableError, match="RecordContended"):
        post(world)


@pytest.mark.parametrize("operation", ["get", "put_input", "write", "current_policy", "spot_check_key"])
def test_a_service_that_fails_is_told_to_the_caller(world: World, operation: str) -> None:
    world.faults.before[operation] = [service_error(RetryableError, "ThrottlingException")]
    with pytest.raises(RetryableError):
        post(world)
    assert world.models.asked == []


def test_a_callers_own_prediction_is_routed_and_recorded_as_a_statement() -> None:
    world = World(policy(**CALLER_PREDICTS))
    stated = {"label": "approve", "confidence": 0.97, "model": "bedrock:claims-7", "version": "3"}
    record = post(world, request_body(prediction=stated))
    assert record.state is State.FINAL
    assert record.prediction is not None
    assert (record.prediction.model, record.prediction.attempt) == ("bedrock:claims-7", 0)
    assert world.models.asked == []


@pytest.mark.parametrize("confidence", [1.7, "high", True, None])
def test_a_callers_abnormal_confidence_goes_to_people(confidence: object) -> None:
    world = World(policy(**CALLER_PREDICTS))
    stated = {"label": "approve", "confidence": confidence, "model": "m", "version": "3"}
    assert post(world, request_body(prediction=stated)).state is State.PENDING


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        (CALLER_PREDICTS, request_body()),
        ({}, request_body(prediction={"label": "approve", "confidence": 1, "model": "m", "version": "1"})),
    ],
)
def test_a_prediction_missing_or_not_wanted_is_refused_and_changes_nothing(
    changes: dict[str, Any], body: bytes
) -> None:
    world = World(policy(**changes))
    with pytest.raises(RequestRefusedError) as caught:
        post(world, body)
    assert (caught.value.problem, caught.value.field) == (Problem.INVALID_REQUEST, "prediction")
    assert world.records.items == {}
    assert world.inputs.objects == {}


def test_shadow_mode_answers_with_the_model_and_records_the_route_it_would_have_taken() -> None:
    world = unsure(World(policy(mode="shadow")))
    record = post(world)
    assert record.state is State.FINAL
    assert record.outcome is not None
    assert (record.outcome.label, record.outcome.source) == ("approve", "model")
    assert record.route is not None
    assert record.route.to == "human"


def test_shadow_mode_without_a_prediction_is_an_error_and_never_a_review() -> None:
    world = World(policy(mode="shadow"))
    world.models.reply = b"{}"
    with pytest.raises(RequestRefusedError) as caught:
        post(world)
    assert caught.value.problem is Problem.PREDICTION_FAILED
    assert world.records.only().state is State.RECEIVED
    world.models.reply = b'{"label": "approve", "confidence": 0.1}'
    assert post(world).state is State.FINAL


def test_a_spot_check_survives_a_retry() -> None:
    world = World(policy(routing__spot_check_probability=0.5))
    drawn = [post(world, key=f"k{i}").route for i in range(40)]
    again = World(policy(routing__spot_check_probability=0.5))
    assert drawn == [post(again, key=f"k{i}").route for i in range(40)]
    assert 5 < sum(chosen.is_spot_check for chosen in drawn if chosen) < 35
