"""Alarms over what AWS measures of a stack: its queues, functions and APIs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aws_cdk import Duration, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IConstruct

_FIVE_MINUTES = Duration.minutes(5)
_SERVER_ERRORS = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """An alarm below `node`: it rings when `periods` periods in a row reach the threshold."""

    node: Construct
    id: str
    name: str
    metric: cloudwatch.Metric
    threshold: float
    periods: int
    tells: str
    runbook: str


def watch_services(stack: Stack, *, deployment: str, actions: cloudwatch.IAlarmAction) -> tuple[str, ...]:
    """Adds an alarm to each queue, function and REST API of the stack, once it is whole; gives their names.

    Here and not in the operations stack, which would else hold on to other stacks by exports.
    """
    terms = [one for node in stack.node.find_all() for one in _terms(node)]
    return tuple(_watch(one, stack=stack, deployment=deployment, actions=actions) for one in terms)


def _terms(node: IConstruct) -> Iterator[_Terms]:
    if isinstance(node, sqs.Queue):  # all of Overread's queues are for dead letters
        yield _Terms(
            node=node,
            id="DeadLetters",
            name="dead-letters",
            metric=node.metric_approximate_number_of_messages_visible(
                statistic="Maximum", period=_FIVE_MINUTES
            ),
            threshold=1,
            periods=1,
            tells="Something could not be handled and lies in {place}.",
            runbook="redrive",
        )
    elif isinstance(node, lambda_.Function):
        yield _Terms(
            node=node,
            id="Throttles",
            name="throttles",
            metric=node.metric_throttles(period=_FIVE_MINUTES),
            threshold=1,
            periods=3,
            tells="For a quarter of an hour, {place} was wanted more often at once than the account allows.",
            runbook="server-errors",
        )
    elif isinstance(node, apigateway.RestApi):
        yield _Terms(
            node=node,
            id="ServerErrors",
            name="server-errors",
            metric=node.deployment_stage.metric_server_error(statistic="Average", period=_FIVE_MINUTES),
            threshold=_SERVER_ERRORS,
            periods=3,
            tells="For a quarter of an hour, {place} answered one call in a hundred with 5xx.",
            runbook="server-errors",
        )


def _watch(terms: _Terms, *, stack: Stack, deployment: str, actions: cloudwatch.IAlarmAction) -> str:
    place = _place(terms.node, stack=stack, deployment=deployment)
    name = f"{deployment}-{terms.name}-{place}"
    alarm = terms.metric.create_alarm(
        terms.node,
        terms.id,
        alarm_name=name,
        alarm_description=f"{terms.tells.format(place=place)} Runbook: docs/runbooks/{terms.runbook}.md",
        threshold=terms.threshold,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluation_periods=terms.periods,
        # AWS measures nothing of a queue, a function or an API that nobody uses.
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    alarm.add_alarm_action(actions)
    alarm.add_ok_action(actions)
    return name


def _place(node: IConstruct, *, stack: Stack, deployment: str) -> str:
    """The stack's part of the deployment and the path in it."""
    part = stack.stack_name.removeprefix(f"{deployment}-")
    path = node.node.path.removeprefix(f"{stack.node.path}/").removesuffix("/Function")
    return f"{part}-{path.replace('/', '-')}"
