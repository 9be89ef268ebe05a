"""The alarms over a deployment: what each looks at, when it rings, and which runbook says what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

NAMESPACE, DEPLOYMENT, USE_CASE = "Overread", "Deployment", "UseCase"
_STILL = cloudwatch.TreatMissingData.IGNORE
"""For what is measured each five minutes: the last figure stands; silence has an alarm of its own."""
_QUIET = cloudwatch.TreatMissingData.NOT_BREACHING
"""For what is counted when it happens: no line, nothing happened."""
_SILENT = cloudwatch.TreatMissingData.BREACHING
"""For what must be measured: silence is a fault too."""
_WAITING_S = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmTerms:
    """One alarm: it rings when `periods` periods in a row, of `period_s` each, reach the threshold."""

    name: str
    metric: str
    tells: str
    runbook: str
    threshold: float
    statistic: str = "Maximum"
    period_s: int = 300
    periods: int = 3
    missing: cloudwatch.TreatMissingData = _STILL
    dimensions: Mapping[str, str] = field(default_factory=dict)

    @property
    def description(self) -> str:
        """What the notification says."""
        return f"{self.tells} Runbook: docs/runbooks/{self.runbook}.md"


def alarms(
    *, pending_age_s: Mapping[str, int], outbox_age_s: int, override_rate: float
) -> Iterator[AlarmTerms]:
    """All alarms of a deployment. `pending_age_s`: by use case, how long a decision may wait to be begun."""
    for use_case, longest_s in pending_age_s.items():
        yield from _of_use_case(use_case, pending_age_s=longest_s, override_rate=override_rate)
    yield AlarmTerms(
        name="oldest-waiting",
        metric="OldestWaitingAge",
        tells=f"A decision is older than {_WAITING_S} s and its human loop cannot be started.",
        runbook="review-outage",
        threshold=_WAITING_S,
    )
    yield AlarmTerms(
        name="unreconciled",
        metric="Unreconciled",
        tells="What decisions have left to do is overdue for ten minutes; or nothing is measured.",
        runbook="standstill",
        threshold=1,
        missing=_SILENT,
    )
    yield AlarmTerms(
        name="chain-failures",
        metric="ChainVerifyFail",
        tells="The audit log is not what it was; or for hours nobody looked.",
        runbook="chain-break",
        threshold=1,
        period_s=3600,  # that of the look
        periods=1,
        missing=_SILENT,
    )
    yield AlarmTerms(
        name="outbox-age",
        metric="OutboxAge",
        tells=f"News of decisions have not been delivered for {outbox_age_s} s.",
        runbook="redrive",
        threshold=outbox_age_s,
    )
    yield AlarmTerms(
        name="start-throttles",
        metric="StartHumanLoopThrottles",
        tells="For half an hour, starts of human loops have been put off without a pause.",
        runbook="backlog-surge",
        threshold=1,
        statistic="Sum",
        periods=6,
        missing=_QUIET,
    )
    yield from _at_once()


def _of_use_case(use_case: str, *, pending_age_s: int, override_rate: float) -> Iterator[AlarmTerms]:
    dimensions = {USE_CASE: use_case}
    yield AlarmTerms(
        name=f"oldest-pending-{use_case}",
        metric="OldestPendingAge",
        tells=f"A decision of {use_case} is {pending_age_s} s old and no human loop was started for it.",
        runbook="backlog-surge",
        threshold=pending_age_s,
        dimensions=dimensions,
    )
    yield AlarmTerms(
        name=f"override-rate-{use_case}",
        metric="OverrideRate",
        tells=f"People decided {override_rate:.0%} of a day's cases of {use_case} otherwise than the model.",
        runbook="kill-switch",
        # The figures are 0 and 1. No average but a percentile, which CloudWatch does not judge of too few.
        threshold=0.5,
        statistic=f"p{100 * (1 - override_rate):.4g}",
        period_s=86_400,
        periods=1,
        missing=_QUIET,
        dimensions=dimensions,
    )


def _at_once() -> Iterator[AlarmTerms]:
    """Those that ring for a single event."""
    for name, metric, tells, runbook in (
        (
            "start-refusals",
            "StartHumanLoopRefusals",
            "The service refused to start a human loop.",
            "review-outage",
        ),
        ("poison-outputs", "PoisonOutputs", "A human loop's output could not be used.", "poison-template"),
        (
            "news-given-up",
            "NewsGivenUp",
            "News were not delivered in three days, and are set aside.",
            "redrive",
        ),
        ("error-monitor", "ErrorMonitorAlarm", "A model errs more often than is allowed.", "kill-switch"),
    ):
        yield AlarmTerms(
            name=name,
            metric=metric,
            tells=tells,
            runbook=runbook,
            threshold=1,
            # An alarm that stands is told again each minute.
            statistic="Maximum" if metric == "ErrorMonitorAlarm" else "Sum",
            periods=1,
            missing=_QUIET,
        )


def metric_of(terms: AlarmTerms, *, deployment: str) -> cloudwatch.Metric:
    """What the alarm looks at."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=terms.metric,
        dimensions_map={DEPLOYMENT: deployment, **terms.dimensions},
        statistic=terms.statistic,
        period=Duration.seconds(terms.period_s),
    )


def make_alarm(
    scope: Construct, *, terms: AlarmTerms, deployment: str, actions: cloudwatch.IAlarmAction
) -> cloudwatch.Alarm:
    """The alarm, named after the deployment; `actions` are told when it rings and when it is over."""
    alarm = metric_of(terms, deployment=deployment).create_alarm(
        scope,
        "".join(part.capitalize() for part in terms.name.split("-")),
        alarm_name=f"{deployment}-{terms.name}",
        alarm_description=terms.description,
        threshold=terms.threshold,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluation_periods=terms.periods,
        evaluate_low_sample_count_percentile="ignore" if terms.statistic.startswith("p") else None,
        treat_missing_data=terms.missing,
    )
    alarm.add_alarm_action(actions)
    alarm.add_ok_action(actions)
    return alarm
