"""Gets decisions to people: at once when the table's stream tells of one, else once a minute."""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Protocol

from overread.decisions.ports import Clock, StartPorts
from overread.decisions.record import State
from overread.decisions.start_loop import StartResult, start_loop, start_waiting
from overread.decisions.start_rate import Rate
from overread.errors import ServiceError
from overread_aws.a2i_loops import A2iLoops
from overread_aws.appconfig_policies import AppConfigPolicies
from overread_aws.clients import make_client
from overread_aws.dynamodb_records import DynamoDbRecords
from overread_aws.queue_gauges import QueueGauges
from overread_aws.s3_objects import S3Inputs
from overread_aws.start_rate import DynamoDbStartRate
from overread_lambda.backend_clients import make_a2i_client
from overread_lambda.counted import CountedLoops, CountedRecords
from overread_lambda.entry import entry
from overread_lambda.logs import log
from overread_lambda.settings import StartSettings, start_settings
from overread_lambda.sweeping import Context, DueRecords, counted, in_time, log_failure
from overread_lambda.table_stream import NO_FAILURE, Attributes, member, text, told_by

_WITH_EMPTY_SEATS = (State.ESCALATED, State.PENDING)


class Measures(Protocol):
    """The count of what waits."""

    def measure(self, queue: str) -> int:
        """Counts what waits for a place in the queue, for whoever asks later."""


@entry()
def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """What the stream and the schedule call."""
    ports, records, gauges = _ports()
    if "Records" in event:
        return start_streamed(event, ports=ports, clock=_now, jitter=_jitter)
    return start_due(
        records,
        queues=_settings().queues,
        gauges=gauges,
        ports=ports,
        clock=_now,
        jitter=_jitter,
        remaining_ms=context.get_remaining_time_in_millis,
    )


def start_streamed(
    event: dict[str, Any], *, ports: StartPorts, clock: Clock, jitter: Callable[[], float]
) -> dict[str, Any]:
    """Starts what a batch of stream records tells of; the stream repeats it from the first failure on.

    Where a team's queue has places, they go to the most urgent case, whichever record told of one.
    """
    ports = _counted(ports, clock=clock)
    for told in told_by(event):
        if told.sk != "DECISION":
            continue
        try:
            if queue := _limited_queue(told.image):
                start_waiting(queue, ports=ports, clock=clock, jitter=jitter())
            if _has_own_turn(told.image):
                _start(told.pk, ports=ports, clock=clock, jitter=jitter)
        except ServiceError as error:
            log_failure(told.pk, error)
            return told.failure()
    return NO_FAILURE


def start_due(
    records: DueRecords,
    *,
    queues: Iterable[str],
    gauges: Measures,
    ports: StartPorts,
    clock: Clock,
    jitter: Callable[[], float],
    remaining_ms: Callable[[], int],
) -> dict[str, int]:
    """Starts what should have been started by now, the most urgent and the most overdue first."""
    counts: dict[str, int] = {}
    ports = _counted(ports, clock=clock)
    for queue in queues:
        try:
            if started := start_waiting(queue, ports=ports, clock=clock, jitter=jitter()):
                counts[str(StartResult.STARTED)] = counts.get(str(StartResult.STARTED), 0) + started
            gauges.measure(queue)
        except ServiceError as error:
            log_failure(queue, error, field="queue")
    for state in _WITH_EMPTY_SEATS:
        ids = in_time(records.due(state, until=clock()), remaining_ms=remaining_ms)
        counted(ids, lambda one: _start(one, ports=ports, clock=clock, jitter=jitter), counts=counts)
    if counts:
        log.info("sweep done", extra={"results": counts})
    return counts


def _counted(ports: StartPorts, *, clock: Clock) -> StartPorts:
    return replace(ports, records=CountedRecords(ports.records), loops=CountedLoops(ports.loops, clock=clock))


def _limited_queue(image: Attributes) -> str:
    """The queue of a decision whose team has a limit; empty for others."""
    terms = member(member(image, "terms"), "M")
    return text(terms, "queue") if "max_open" in terms else ""


def _has_own_turn(image: Attributes) -> bool:
    """Whether it waits, but not for a place in its team's queue."""
    state = text(image, "state") or State.PENDING
    if state == State.PENDING:
        return not _limited_queue(image) or member(image, "is_admitted").get("BOOL") is True
    return state == State.ESCALATED


def _start(decision_id: str, *, ports: StartPorts, clock: Clock, jitter: Callable[[], float]) -> StartResult:
    result = start_loop(decision_id, ports=ports, clock=clock, jitter=jitter())
    if result is StartResult.POSTPONED:
        log.warning("review not started yet", extra={"decision_id": decision_id})
    elif result is not StartResult.NOTHING_TO_DO:
        log.info("review start", extra={"decision_id": decision_id, "result": str(result)})
    return result


def _now() -> datetime:
    return datetime.now(UTC)


def _jitter() -> float:
    return int.from_bytes(os.urandom(4), "big") / 2**32


@cache
def _settings() -> StartSettings:
    return start_settings(os.environ)


@cache
def _ports() -> tuple[StartPorts, DynamoDbRecords, QueueGauges]:
    settings = _settings()
    dynamodb = make_client("dynamodb")
    records = DynamoDbRecords(dynamodb, table=settings.table)
    rate = Rate(per_second=settings.starts_per_second, burst=settings.start_burst)
    ports = StartPorts(
        records=records,
        inputs=S3Inputs(make_client("s3"), bucket=settings.input_bucket),
        policies=AppConfigPolicies(
            make_client("appconfigdata"),
            application=settings.policies.application,
            environment=settings.policies.environment,
            monotonic=time.monotonic,
        ),
        loops=A2iLoops(make_a2i_client(os.environ, read_timeout_s=10.0, attempts=1)),
        rate=DynamoDbStartRate(dynamodb, table=settings.table, rate=rate),
    )
    return ports, records, QueueGauges(dynamodb, table=settings.table)
