"""The other handlers of the decision as AWS calls them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from overread.decisions.record import Record, State
from overread.decisions.requests import parse_submission
from overread.decisions.start_loop import start_loop
from overread.decisions.submit import submit
from overread.errors import AmbiguousError, MissingSettingsError, RetryableError
from overread.review.wire import loop_name
from overread_lambda import settings
from overread_lambda.ingest_review import respond as ingest
from overread_lambda.ingest_review import stop_orphans, sweep_due
from overread_lambda.resume_decisions import resume_due
from overread_lambda.start_loop import start_due, start_streamed
from overread_testing.decision_builders import CALLER_SCOPE, output_document, policy, request_body
from overread_testing.decision_fakes import World, service_error

Event = Callable[..., dict[str, Any]]


@pytest.fixture
def world() -> World:
    unsure = World(policy())
    unsure.models.reply = b'{"label": "approve", "confidence": 0.71}'
    return unsure


def pending(world: World, key: str = "k", **changes: Any) -> Record:
    return submit(
        parse_submission(request_body(**changes)),
        use_case="loan-approval",
        environment="test",
        caller_scope=CALLER_SCOPE,
        idempotency_key=key,
        ports=world.submit_ports,
        clock=world.clock,
    )


def streamed(event: Event, *decision_ids: str) -> dict[str, Any]:
    """A batch of stream records that tells of these decisions, and an audit entry at its end."""
    batch = event("dynamodb-stream")
    of_decision, of_audit = batch["Records"]
    records = []
    for number, decision_id in enumerate(decision_ids, start=1):
        record = json.loads(json.dumps(of_decision))
        record["dynamodb"]["Keys"]["pk"]["S"] = decision_id
        record["dynamodb"]["SequenceNumber"] = str(number)
        records.append(record)
    return {"Records": [*records, of_audit]}


def stream(world: World, batch: dict[str, Any]) -> dict[str, Any]:
    return start_streamed(batch, ports=world.start_ports, clock=world.clock, jitter=lambda: 0.0)


def test_the_stream_gets_a_pending_decision_to_people(world: World, event: Event) -> None:
    record = pending(world)
    assert stream(world, streamed(event, record.decision_id)) == {"batchItemFailures": []}
    assert world.records.only().state is State.IN_REVIEW


def test_throttling_is_no_failure_of_the_batch_because_the_record_waits(world: World, event: Event) -> None:
    record = pending(world)
    world.faults.before["start"] = [service_error(RetryableError, "ThrottlingException")]
    assert stream(world, streamed(event, record.decision_id)) == {"batchItemFailures": []}
    waiting = world.records.only().waiting
    assert waiting is not None
    assert waiting.code == "ThrottlingException"


def test_from_the_first_record_that_fails_the_stream_repeats(world: World, event: Event) -> None:
    first, second, third = (pending(world, key) for key in "abc")
    batch = streamed(event, first.decision_id, second.decision_id, third.decision_id)
    world.faults.hooks["get"] = [
        lambda: None,
        lambda: None,
        lambda: world.faults.before.update(get=[service_error(AmbiguousError, "ReadTimeoutError")]),
    ]
    assert stream(world, batch) == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert len(world.loops.loops) == 1
    assert stream(world, batch) == {"batchItemFailures": []}
    assert len(world.loops.loops) == 3


def sweep(world: World, remaining_ms: int = 60_000) -> dict[str, int]:
    return start_due(
        world.records,
        queues=(),
        gauges=world.gauges,
        ports=world.start_ports,
        clock=world.clock,
        jitter=lambda: 0.0,
        remaining_ms=lambda: remaining_ms,
    )


def test_the_sweep_starts_what_is_due_and_leaves_what_the_stream_has_at_hand(world: World) -> None:
    pending(world)
    assert sweep(world) == {}
    world.clock.pass_seconds(60)
    assert sweep(world) == {"started": 1}
    world.clock.pass_seconds(60)
    assert sweep(world) == {}


def test_the_sweep_tries_a_throttled_start_again_when_its_time_has_come(world: World, event: Event) -> None:
    record = pending(world)
    world.faults.before["start"] = [service_error(RetryableError, "ThrottlingException")] * 2
    stream(world, streamed(event, record.decision_id))
    world.clock.pass_seconds(7)
    assert sweep(world) == {}
    world.clock.pass_seconds(1)
    assert sweep(world) == {"postponed": 1}
    world.clock.pass_seconds(16)
    assert sweep(world) == {"started": 1}


def test_one_failing_record_does_not_stop_the_sweep(world: World) -> None:
    pending(world, "a")
    pending(world, "b")
    world.clock.pass_seconds(60)
    world.faults.before["write"] = [service_error(AmbiguousError, "ReadTimeoutError")]
    assert sweep(world) == {"failed": 1, "started": 1}


def test_the_sweep_stops_before_its_time_is_up(world: World) -> None:
    pending(world)
    world.clock.pass_seconds(60)
    assert sweep(world, remaining_ms=14_999) == {}
    assert world.loops.loops == {}


def completed(world: World, event: Event) -> dict[str, Any]:
    """One decision whose loop is answered, and the event that tells so."""
    record = pending(world)
    stream(world, streamed(event, record.decision_id))
    name = loop_name(record.decision_id, generation=1)
    world.answer(
        name,
        output_document(
            loop_name=name, decision_id=record.decision_id, inputContent=world.loops.content(name)
        ),
    )
    news = event("a2i-completed")
    return {**news, "detail": {**news["detail"], "humanLoopName": name}}


@pytest.mark.parametrize("source", ["aws.sagemaker", "overread.review"])
def test_the_end_of_a_loop_makes_its_decision_final(world: World, event: Event, source: str) -> None:
    news = {**completed(world, event), "source": source}
    assert ingest(news, ports=world.ingest_ports, clock=world.clock) == {"result": "decided"}
    assert world.records.only().state is State.FINAL


def test_what_the_event_claims_does_not_count(world: World, event: Event) -> None:
    news = completed(world, event)
    news["detail"]["humanLoopStatus"] = "Failed"
    news["detail"]["humanLoopOutput"] = {"outputS3Uri": "s3://attacker/x"}
    assert ingest(news, ports=world.ingest_ports, clock=world.clock) == {"result": "decided"}


@pytest.mark.parametrize(
    "detail", [None, {}, [], {"humanLoopName": 7}, {"humanLoopName": ""}, {"humanLoopName": "A" * 99}]
)
def test_an_event_that_names_no_loop_is_ignored(world: World, event: Event, detail: Any) -> None:
    news = event("a2i-completed", detail=detail)
    assert ingest(news, ports=world.ingest_ports, clock=world.clock) == {"result": "unknown_loop"}


def test_an_event_about_a_strangers_loop_is_ignored(world: World, event: Event) -> None:
    news = event("a2i-completed")
    assert ingest(news, ports=world.ingest_ports, clock=world.clock) == {"result": "unknown_loop"}


def test_an_output_that_is_not_there_yet_is_left_to_lambdas_retry(world: World, event: Event) -> None:
    news = completed(world, event)
    world.faults.before["read_output"] = [service_error(RetryableError, "NoSuchKey")]
    with pytest.raises(RetryableError):
        ingest(news, ports=world.ingest_ports, clock=world.clock)


def test_the_log_of_a_review_names_no_worker_and_no_label(
    world: World, event: Event, capsys: pytest.CaptureFixture[str]
) -> None:
    news = completed(world, event)
    ingest(news, ports=world.ingest_ports, clock=world.clock)
    lines = capsys.readouterr().out
    assert '"review event"' in lines
    for personal in ("0a1b2c3d4e5f6071", "5f0c8a52", "decline", "income-unverified"):
        assert personal not in lines


@pytest.mark.parametrize(
    ("read", "names"),
    [
        (settings.read_settings, ["OVERREAD_TABLE"]),
        (
            settings.ingest_settings,
            [
                "OVERREAD_TABLE",
                "OVERREAD_INPUT_BUCKET",
                "OVERREAD_OUTPUT_BUCKET",
                "OVERREAD_USE_CASES",
                "OVERREAD_APPCONFIG_APPLICATION",
                "OVERREAD_APPCONFIG_ENVIRONMENT",
            ],
        ),
        (
            settings.start_settings,
            [
                "OVERREAD_TABLE",
                "OVERREAD_INPUT_BUCKET",
                "OVERREAD_APPCONFIG_APPLICATION",
                "OVERREAD_APPCONFIG_ENVIRONMENT",
                "OVERREAD_STARTS_PER_SECOND",
                "OVERREAD_START_BURST",
            ],
        ),
    ],
)
def test_each_function_needs_its_own_settings_only(read: Callable[[Any], Any], names: list[str]) -> None:
    assert read(dict.fromkeys(names, "7"))
    with pytest.raises(MissingSettingsError) as caught:
        read({names[0]: ""})
    assert list(caught.value.names) == names


def test_use_cases_are_read_from_a_list_with_commas() -> None:
    names = ("ENVIRONMENT", "TABLE", "INPUT_BUCKET", "APPCONFIG_APPLICATION", "APPCONFIG_ENVIRONMENT")
    environ = {f"OVERREAD_{name}": "x" for name in (*names, "SPOT_CHECK_SECRET")}
    read = settings.route_settings({**environ, "OVERREAD_USE_CASES": "a, b,,c"})
    assert read.use_cases == {"a", "b", "c"}


def limited(**queue: int) -> World:
    """A world whose team has a limit."""
    world = World(policy(review__queue={"name": "loans", **queue}))
    world.models.reply = b'{"label": "approve", "confidence": 0.71}'
    return world


def test_where_a_team_has_a_limit_the_most_urgent_case_is_started(event: Event) -> None:
    world = limited(max_open=1)
    low, high = pending(world, "low"), pending(world, "high", priority="high")
    batch = streamed(event, low.decision_id)
    batch["Records"][0]["dynamodb"]["NewImage"] = {
        "state": {"S": "PENDING"},
        "terms": {"M": {"queue": {"S": "loans"}, "max_open": {"N": "1"}}},
    }
    stream(world, batch)
    assert [world.records.get(one.decision_id).state for one in (low, high)] == [  # type: ignore[union-attr]
        State.PENDING,
        State.IN_REVIEW,
    ]


def test_a_place_that_was_freed_is_given_on(event: Event) -> None:
    world = limited(max_open=1)
    first = pending(world, "first")
    start_loop(first.decision_id, ports=world.start_ports, clock=world.clock, jitter=0.0)
    second = pending(world, "second")
    name = loop_name(first.decision_id, generation=1)
    world.answer(
        name,
        output_document(
            loop_name=name, decision_id=first.decision_id, inputContent=world.loops.content(name)
        ),
    )
    detail = {"humanLoopName": name}
    ingest(event("a2i-completed", detail=detail), ports=world.ingest_ports, clock=world.clock)
    batch = streamed(event, first.decision_id)
    batch["Records"][0]["dynamodb"]["NewImage"] = {
        "state": {"S": "FINAL"},
        "terms": {"M": {"queue": {"S": "loans"}, "max_open": {"N": "1"}}},
    }
    stream(world, batch)
    assert world.records.get(second.decision_id).state is State.IN_REVIEW  # type: ignore[union-attr]


def test_the_sweep_of_reviews_settles_what_no_event_told_of(world: World, event: Event) -> None:
    completed(world, event)
    world.clock.pass_seconds(3600)
    counts = sweep_due(
        world.records, ports=world.ingest_ports, clock=world.clock, remaining_ms=lambda: 60_000
    )
    assert counts == {"moved": 1}
    assert world.records.only().state is State.FINAL


def test_orphans_are_stopped_once_an_hour(world: World) -> None:
    arn = world.policies.policy.review.flow_definition_arn
    orphan = "h-" + "a" * 26 + "-g1"
    world.loops.start(orphan, flow_definition_arn=arn, input_content=b"{}", free_of_personal_data=False)
    done = stop_orphans(
        ["loan-approval"], policies=world.policies, ports=world.ingest_ports, clock=world.clock
    )
    assert done == {"stopped": 1}
    assert world.loops.loops[orphan].status == "Stopped"


def test_the_sweep_of_requests_finishes_what_a_dead_router_left(world: World) -> None:
    world.faults.hooks["predict"] = [dying]
    with pytest.raises(Died):
        pending(world)
    assert (
        resume_due(world.records, ports=world.submit_ports, clock=world.clock, remaining_ms=lambda: 60_000)
        == {}
    )
    world.clock.pass_seconds(60)
    counts = resume_due(
        world.records, ports=world.submit_ports, clock=world.clock, remaining_ms=lambda: 60_000
    )
    assert counts == {"finished": 1}
    assert world.records.only().state is State.PENDING


class Died(BaseException):
    """What ends a process."""


def dying() -> None:
    raise Died
