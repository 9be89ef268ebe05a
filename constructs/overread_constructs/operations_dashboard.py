"""One page of figures of a deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from overread_constructs.operations_alarms import DEPLOYMENT, NAMESPACE, USE_CASE

_FIVE_MINUTES, _HOUR, _DAY = Duration.minutes(5), Duration.hours(1), Duration.days(1)
_STATES = ("PENDING", "IN_REVIEW", "ESCALATED")
_WIDTH = 8
_ALL: Final[Mapping[str, str]] = {}


def make_dashboard(
    scope: Construct,
    id: str,
    *,
    deployment: str,
    use_cases: Sequence[str],
    alarms: Sequence[cloudwatch.Alarm],
) -> cloudwatch.Dashboard:
    """Alarms first, then what comes in, what waits, what people and models do, and what goes wrong."""

    def metric(
        name: str, *, statistic: str, period: Duration = _FIVE_MINUTES, of: Mapping[str, str] = _ALL
    ) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={DEPLOYMENT: deployment, **of},
            statistic=statistic,
            period=period,
            label=" ".join(of.values()) or name,
        )

    def counted(title: str, *names: str) -> cloudwatch.GraphWidget:
        return _graph(title, [metric(name, statistic="Sum") for name in names])

    def measured(title: str, *names: str) -> cloudwatch.GraphWidget:
        return _graph(title, [metric(name, statistic="Maximum") for name in names])

    def by_use_case(title: str, name: str, *, statistic: str, period: Duration) -> cloudwatch.GraphWidget:
        return _graph(
            title,
            [metric(name, statistic=statistic, period=period, of={USE_CASE: one}) for one in use_cases],
        )

    return cloudwatch.Dashboard(
        scope,
        id,
        dashboard_name=f"{deployment}-dashboard",
        default_interval=_DAY,
        widgets=[
            [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=24, height=4)],
            [
                counted(
                    "Decisions", "DecisionsReceived", "DecisionsAuto", "DecisionsHuman", "DecisionsFinal"
                ),
                _graph(
                    "With people",
                    [metric("OpenDecisions", statistic="Maximum", of={"State": state}) for state in _STATES],
                ),
                measured("Unreconciled", "Unreconciled"),
            ],
            [
                by_use_case(
                    "Oldest not begun (s)", "OldestPendingAge", statistic="Maximum", period=_FIVE_MINUTES
                ),
                by_use_case(
                    "Oldest that cannot start (s)",
                    "OldestWaitingAge",
                    statistic="Maximum",
                    period=_FIVE_MINUTES,
                ),
                measured("Oldest news (s)", "OutboxAge"),
            ],
            [
                by_use_case(
                    "People decide otherwise, a day", "OverrideRate", statistic="Average", period=_DAY
                ),
                by_use_case("People's seconds, median", "ReviewSeconds", statistic="p50", period=_HOUR),
                by_use_case("Kill switches", "KillSwitchState", statistic="Maximum", period=_FIVE_MINUTES),
            ],
            [
                counted(
                    "Human loops",
                    "LoopsStarted",
                    "StartHumanLoopThrottles",
                    "StartHumanLoopRefusals",
                    "LoopExpired",
                    "LoopFailed",
                ),
                counted("Repairs", "SweeperRepairs", "GenerationBumps", "DuplicateEvents", "LateAnswers"),
                counted("Answers refused", "PoisonOutputs", "RosterRejects"),
            ],
            [
                counted("News", "NewsDelivered", "NewsPostponed", "NewsGivenUp"),
                measured("Audit log", "ChainVerifyFail"),
                measured("Error monitors", "ErrorUpperBound", "ErrorMonitorAlarm"),
            ],
        ],
    )


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=_WIDTH, height=6)
