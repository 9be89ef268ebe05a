"""Once a minute: counts what was audited, tells the figures, turns the model off where it errs too often."""

import os
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from overread.decisions.error_monitor import WatchPorts, watch
from overread.decisions.monitor_state import MonitorState
from overread.decisions.ports import Clock
from overread_aws.appconfig_policies import AppConfigPolicies
from overread_aws.clients import make_client
from overread_aws.error_monitors import DynamoDbErrorMonitors
from overread_aws.steering import DynamoDbSteering
from overread_lambda.entry import entry
from overread_lambda.metrics import COUNT, NO_UNIT, USE_CASE, Metric, emit
from overread_lambda.settings import WatchSettings, watch_settings
from overread_lambda.sweeping import Context, counted, in_time

AUDITED = Metric("AuditedCases", COUNT, "cases whose truth is known, in the error monitor's run")
ERRORS = Metric("AuditedErrors", COUNT, "those of them that the model got wrong")
UPPER_BOUND = Metric(
    "ErrorUpperBound", NO_UNIT, "the model's error rate is below this, at the policy's confidence"
)
EVIDENCE = Metric("LogEvidence", NO_UNIT, "natural logarithm of the evidence that the model errs too often")
ALARM = Metric("ErrorMonitorAlarm", NO_UNIT, "1 while the error monitor's alarm stands, else 0")
RAISED = Metric("ErrorMonitorAlarmRaised", NO_UNIT, "1 in the ten minutes after it was raised, else 0")
METRICS = (AUDITED, ERRORS, UPPER_BOUND, EVIDENCE, ALARM, RAISED)
_JUST_RAISED = timedelta(minutes=10)
"""For so long an alarm may roll a policy back that has just gone out."""


@entry()
def handler(event: dict[str, Any], context: Context) -> dict[str, int]:
    """What the schedule calls."""
    settings = _settings()
    return watch_all(
        sorted(settings.use_cases),
        ports=_ports(),
        clock=_now,
        remaining_ms=context.get_remaining_time_in_millis,
    )


def watch_all(
    use_cases: Iterable[str],
    *,
    ports: WatchPorts,
    clock: Clock,
    remaining_ms: Callable[[], int],
) -> dict[str, int]:
    """How many use cases are calm, alarmed, not watched, or failed and come again."""
    counts: dict[str, int] = {}

    def look(use_case: str) -> str:
        state = watch(use_case, ports=ports, clock=clock)
        if state is None:
            return "not_watched"
        at = clock()
        emit(figures(state, at=at), at=at, dimensions={USE_CASE: use_case})
        return "alarm" if state.monitor.is_alarm else "calm"

    counted(in_time(use_cases, remaining_ms=remaining_ms), look, counts=counts, field="use_case")
    return counts


def figures(state: MonitorState, *, at: datetime) -> dict[Metric, float]:
    """The figures of a use case, each kept by the deployment too: there the highest counts."""
    monitor = state.monitor
    is_raised = state.alarmed_at is not None and at - state.alarmed_at < _JUST_RAISED
    return {
        AUDITED: monitor.n,
        ERRORS: monitor.errors,
        UPPER_BOUND: monitor.interval()[1],
        EVIDENCE: monitor.log_e,
        ALARM: int(monitor.is_alarm),
        RAISED: int(is_raised),
    }


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _settings() -> WatchSettings:
    return watch_settings(os.environ)


@cache
def _ports() -> WatchPorts:
    settings = _settings()
    dynamodb = make_client("dynamodb")
    return WatchPorts(
        monitors=DynamoDbErrorMonitors(dynamodb, table=settings.table),
        policies=AppConfigPolicies(
            make_client("appconfigdata"),
            application=settings.policies.application,
            environment=settings.policies.environment,
            monotonic=time.monotonic,
        ),
        steering=DynamoDbSteering(
            dynamodb, make_client("s3"), table=settings.table, bucket=settings.input_bucket
        ),
    )
