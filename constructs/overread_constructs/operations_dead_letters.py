"""An alarm over each queue for what could not be handled, in the queue's own stack."""

from __future__ import annotations

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs

_DESCRIPTION = "Something could not be handled and lies in {queue}. Runbook: docs/runbooks/redrive.md"


def watch_dead_letters(stack: Stack, *, deployment: str, actions: cloudwatch.IAlarmAction) -> None:
    """Adds an alarm to each queue of the stack: all of Overread's queues are for dead letters.

    Here and not in the operations stack, which would else hold on to the queues of other stacks by exports.
    """
    for node in stack.node.find_all():
        if isinstance(node, sqs.Queue):
            _watch(node, deployment=deployment, actions=actions)


def _watch(queue: sqs.Queue, *, deployment: str, actions: cloudwatch.IAlarmAction) -> None:
    place = queue.node.path.removeprefix(f"{deployment}-").replace("/", "-")
    alarm = queue.metric_approximate_number_of_messages_visible(
        statistic="Maximum", period=Duration.minutes(5)
    ).create_alarm(
        queue,
        "DeadLetters",
        alarm_name=f"{deployment}-dead-letters-{place}",
        alarm_description=_DESCRIPTION.format(queue=place),
        threshold=1,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluation_periods=1,
        # SQS stops measuring a queue that nobody has used for six hours.
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    alarm.add_alarm_action(actions)
    alarm.add_ok_action(actions)
