"""Settles decisions: when a human loop has ended, and by looking at all that is open, without any event."""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from overread.decisions.ingest import IngestResult, ingest
from overread.decisions.ports import Clock, IngestPorts, Policies
from overread.decisions.sweep import SWEPT, reverse_sweep, sweep_review
from overread.errors import ServiceError
from overread.review.limits import HUMAN_LOOP_NAME
from overread_aws.a2i_loops import A2iLoops
from overread_aws.appconfig_policies import AppConfigPolicies
from overread_aws.clients import make_client
from overread_aws.dynamodb_records import DynamoDbRecords
from overread_aws.rosters import S3Rosters
from overread_aws.s3_objects import S3Outputs
from overread_lambda.backend_clients import make_a2i_client
from overread_lambda.counted import DUPLICATES, HEARD_LATE, REPAIRS, CountedRecords
from overread_lambda.entry import entry
from overread_lambda.logs import log
from overread_lambda.metrics import USE_CASE, emit
from overread_lambda.settings import IngestSettings, ingest_settings
from overread_lambda.sweeping import Context, DueRecords, counted, in_time, log_failure

DUE, ORPHANS = "due", "orphans"
"""What the schedules ask for in the member `sweep`."""


@entry()
def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """What EventBridge calls. Errors are raised: Lambda tries twice more, then the event is a dead letter."""
    ports, records, policies = _ports()
    sweep = event.get("sweep")
    if sweep == DUE:
        return sweep_due(records, ports=ports, clock=_now, remaining_ms=context.get_remaining_time_in_millis)
    if sweep == ORPHANS:
        return stop_orphans(_settings().use_cases, policies=policies, ports=ports, clock=_now)
    return respond(event, ports=ports, clock=_now)


def respond(event: dict[str, Any], *, ports: IngestPorts, clock: Clock) -> dict[str, Any]:
    """What became of the news.

    Raises:
        ServiceError: a service failed, or the output is not there yet.
    """
    detail = event.get("detail")
    name = detail.get("humanLoopName") if isinstance(detail, dict) else None
    if not isinstance(name, str) or not HUMAN_LOOP_NAME.allows(name):
        log.warning("event without a human loop")
        return {"result": str(IngestResult.UNKNOWN_LOOP)}
    result = ingest(name, ports=replace(ports, records=CountedRecords(ports.records)), clock=clock)
    if result is IngestResult.NOTHING_TO_DO:
        emit({DUPLICATES: 1}, at=clock())
    log.info("review event", extra={"human_loop": name, "result": str(result)})
    return {"result": str(result)}


def sweep_due(
    records: DueRecords, *, ports: IngestPorts, clock: Clock, remaining_ms: Callable[[], int]
) -> dict[str, Any]:
    """Looks at every decision whose open loops are due for a look, most overdue first."""
    counts: dict[str, int] = {}
    swept = replace(ports, records=CountedRecords(ports.records, repairs=HEARD_LATE))
    for state in SWEPT:
        ids = in_time(records.due(state, until=clock()), remaining_ms=remaining_ms)
        counted(ids, lambda one: sweep_review(one, ports=swept, clock=clock), counts=counts)
    if counts:
        log.info("sweep done", extra={"results": counts})
    return counts


def stop_orphans(
    use_cases: Iterable[str], *, policies: Policies, ports: IngestPorts, clock: Clock
) -> dict[str, Any]:
    """Stops the human loops that no decision waits for."""
    stopped = 0
    for use_case in sorted(use_cases):
        try:
            terms = policies.current(use_case).review
            arns = (
                terms.flow_definition_arn,
                terms.second_flow_definition_arn,
                terms.escalation_flow_definition_arn,
            )
            names = reverse_sweep(sorted({arn for arn in arns if arn}), ports=ports)
        except ServiceError as error:
            log_failure(use_case, error, field="use_case")
            continue
        for name in names:
            log.warning("human loop without a decision stopped", extra={"human_loop": name})
        if names:
            emit({REPAIRS: len(names)}, at=clock(), dimensions={USE_CASE: use_case})
        stopped += len(names)
    return {"stopped": stopped}


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _settings() -> IngestSettings:
    return ingest_settings(os.environ)


@cache
def _ports() -> tuple[IngestPorts, DynamoDbRecords, AppConfigPolicies]:
    settings = _settings()
    dynamodb, s3 = make_client("dynamodb"), make_client("s3", read_timeout_s=10.0)
    records = DynamoDbRecords(dynamodb, table=settings.table)
    ports = IngestPorts(
        records=records,
        loops=A2iLoops(make_a2i_client(os.environ, read_timeout_s=10.0)),
        outputs=S3Outputs(s3, bucket=settings.output_bucket),
        rosters=S3Rosters(dynamodb, s3, table=settings.table, bucket=settings.input_bucket),
    )
    policies = AppConfigPolicies(
        make_client("appconfigdata"),
        application=settings.policies.application,
        environment=settings.policies.environment,
        monotonic=time.monotonic,
    )
    return ports, records, policies
