"""Gets pending decisions to people: at once when the table's stream tells of one, else once a minute."""

import os
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any, Protocol

from overread.decisions.ports import Clock, StartPorts
from overread.decisions.record import State
from overread.decisions.start_loop import StartResult, start_loop
from overread.errors import ServiceError
from overread_aws.a2i_loops import A2iLoops
from overread_aws.appconfig_policies import AppConfigPolicies
from overread_aws.clients import make_client
from overread_aws.dynamodb_records import DynamoDbRecords
from overread_aws.s3_objects import S3Inputs
from overread_lambda.backend_clients import make_a2i_client
from overread_lambda.logs import log
from overread_lambda.settings import StartSettings, start_settings

TIME_TO_LEAVE_MS = 15_000


class Context(Protocol):
    """What the handler asks of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the function."""


class DueRecords(Protocol):
    """The sweep over what is open."""

    def due(self, state: State, *, until: datetime) -> Iterable[str]:
        """The ids of records in `state` that were to be looked at by `until`."""


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """What the stream and the schedule call."""
    ports, records = _ports()
    if "Records" in event:
        return start_streamed(event, ports=ports, clock=_now, jitter=_jitter)
    return start_due(
        records, ports=ports, clock=_now, jitter=_jitter, remaining_ms=context.get_remaining_time_in_millis
    )


def start_streamed(
    event: dict[str, Any], *, ports: StartPorts, clock: Clock, jitter: Callable[[], float]
) -> dict[str, Any]:
    """Starts what a batch of stream records tells of; the stream repeats it from the first failure on."""
    for record in event["Records"]:
        keys = record["dynamodb"]["Keys"]
        if keys["sk"]["S"] != "DECISION":
            continue
        try:
            _start(keys["pk"]["S"], ports=ports, clock=clock, jitter=jitter)
        except ServiceError as error:
            _log_failure(keys["pk"]["S"], error)
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    return {"batchItemFailures": []}


def start_due(
    records: DueRecords,
    *,
    ports: StartPorts,
    clock: Clock,
    jitter: Callable[[], float],
    remaining_ms: Callable[[], int],
) -> dict[str, int]:
    """Starts what should have been started by now, most overdue first, while there is time."""
    counts: dict[str, int] = {}
    for decision_id in records.due(State.PENDING, until=clock()):
        if remaining_ms() < TIME_TO_LEAVE_MS:
            break
        try:
            result = str(_start(decision_id, ports=ports, clock=clock, jitter=jitter))
        except ServiceError as error:
            _log_failure(decision_id, error)
            result = "failed"
        counts[result] = counts.get(result, 0) + 1
    if counts:
        log.info("sweep done", extra={"results": counts})
    return counts


def _start(decision_id: str, *, ports: StartPorts, clock: Clock, jitter: Callable[[], float]) -> StartResult:
    result = start_loop(decision_id, ports=ports, clock=clock, jitter=jitter())
    if result is StartResult.POSTPONED:
        log.warning("review not started yet", extra={"decision_id": decision_id})
    elif result is not StartResult.NOTHING_TO_DO:
        log.info("review start", extra={"decision_id": decision_id, "result": str(result)})
    return result


def _log_failure(decision_id: str, error: ServiceError) -> None:
    fields = {"decision_id": decision_id, "code": error.code, "operation": error.operation}
    log.warning("review start failed", extra=fields)


def _now() -> datetime:
    return datetime.now(UTC)


def _jitter() -> float:
    return int.from_bytes(os.urandom(4), "big") / 2**32


@cache
def _settings() -> StartSettings:
    return start_settings(os.environ)


@cache
def _ports() -> tuple[StartPorts, DynamoDbRecords]:
    settings = _settings()
    records = DynamoDbRecords(make_client("dynamodb"), table=settings.table)
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
    )
    return ports, records
