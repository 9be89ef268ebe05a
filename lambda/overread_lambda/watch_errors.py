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
from overread_lambda.logs import log
from overread_lambda.settings import WatchSettings, watch_settings
from overread_lambda.sweeping import Context, counted, in_time

NAMESPACE = "Overread"
_METRICS = ("AuditedCases", "AuditedErrors", "ErrorUpperBound", "LogEvidence", "ErrorMonitorAlarm")
_OF_DEPLOYMENT = ("ErrorMonitorAlarmRaised",)
_JUST_RAISED = timedelta(minutes=10)
"""For so long an alarm may roll a policy back that has just gone out."""


def handler(event: dict[str, Any], context: Context) -> dict[str, int]:
    """What the schedule calls."""
    settings = _settings()
    return watch_all(
        sorted(settings.use_cases),
        deployment=settings.deployment,
        ports=_ports(),
        clock=_now,
        remaining_ms=context.get_remaining_time_in_millis,
    )


def watch_all(
    use_cases: Iterable[str],
    *,
    deployment: str,
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
        log.info("error monitor", extra=figures(state, deployment=deployment, at=clock()))
        return "alarm" if state.monitor.is_alarm else "calm"

    counted(in_time(use_cases, remaining_ms=remaining_ms), look, counts=counts)
    return counts


def figures(state: MonitorState, *, deployment: str, at: datetime) -> dict[str, Any]:
    """The figures as fields of a log line, of which CloudWatch makes metrics (embedded metric format)."""
    monitor = state.monitor
    is_raised = state.alarmed_at is not None and at - state.alarmed_at < _JUST_RAISED
    return {
        "_aws": {
            "Timestamp": int(at.timestamp() * 1000),
            "CloudWatchMetrics": [
                _directive(_METRICS, dimensions=["Deployment", "UseCase"]),
                _directive(_OF_DEPLOYMENT, dimensions=["Deployment"]),
            ],
        },
        "Deployment": deployment,
        "UseCase": state.use_case,
        "AuditedCases": monitor.n,
        "AuditedErrors": monitor.errors,
        "ErrorUpperBound": monitor.interval()[1],
        "LogEvidence": monitor.log_e,
        "ErrorMonitorAlarm": int(monitor.is_alarm),
        "ErrorMonitorAlarmRaised": int(is_raised),
    }


def _directive(names: Iterable[str], *, dimensions: list[str]) -> dict[str, Any]:
    return {
        "Namespace": NAMESPACE,
        "Dimensions": [dimensions],
        "Metrics": [{"Name": name} for name in names],
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
