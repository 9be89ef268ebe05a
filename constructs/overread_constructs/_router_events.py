"""What wakes the starter and the ingest function, and where an event goes that cannot be delivered."""

from __future__ import annotations

from aws_cdk import Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources

from overread_constructs._dead_letters import dead_letter_queue, sendable
from overread_constructs._handler import Handler

EVENT_SOURCES = ["aws.sagemaker", "overread.review"]
"""A2I's, and the review service's: only AWS may emit aws.* on AWS."""

_PENDING_DECISIONS = {
    "eventName": lambda_.FilterRule.or_("INSERT", "MODIFY"),
    "dynamodb": {"NewImage": {"sk": {"S": ["DECISION"]}, "state": {"S": ["PENDING"]}}},
}


def start_from_stream(starter: Handler, *, table: dynamodb.ITable, key: kms.IKey) -> None:
    """Wake the starter for each decision that became pending; a record that keeps failing is set aside."""
    stream_arn = table.table_stream_arn
    starter.allow(
        "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", on=[str(stream_arn)]
    )
    starter.allow("dynamodb:ListStreams", on=[f"{table.table_arn}/stream/*"])
    queue = dead_letter_queue(starter, "StreamFailures", key=key)
    lambda_.EventSourceMapping(
        starter,
        "Stream",
        target=starter.function,
        event_source_arn=stream_arn,
        starting_position=lambda_.StartingPosition.TRIM_HORIZON,
        filters=[lambda_.FilterCriteria.filter(_PENDING_DECISIONS)],
        batch_size=10,
        bisect_batch_on_error=True,
        report_batch_item_failures=True,
        retry_attempts=5,
        max_record_age=Duration.hours(6),
        parallelization_factor=2,
        on_failure=event_sources.SqsDlq(sendable(queue)),
    ).node.add_dependency(starter.role)


def start_each_minute(starter: Handler, *, key: kms.IKey) -> None:
    """Wake the starter each minute for pending decisions that could not be started before."""
    events.Rule(
        starter,
        "EachMinute",
        description="Pending decisions whose human loop could not be started are tried again",
        schedule=events.Schedule.rate(Duration.minutes(1)),
        targets=[
            targets.LambdaFunction(
                starter.function,
                dead_letter_queue=dead_letter_queue(starter, "Undelivered", key=key),
                max_event_age=Duration.minutes(5),  # the next one comes in a minute
                retry_attempts=2,
            )
        ],
    )


def hear_reviews(ingest: Handler, *, name_prefix: str, key: kms.IKey) -> None:
    """Wake the ingest function when a human loop of this deployment changes its state."""
    flow_definitions = Stack.of(ingest).format_arn(
        service="sagemaker", resource="flow-definition", resource_name=f"{name_prefix}-"
    )
    events.Rule(
        ingest,
        "LoopChanged",
        description="Human loops of this deployment that ended",
        event_pattern=events.EventPattern(
            source=EVENT_SOURCES,
            detail_type=["SageMaker A2I HumanLoop Status Change"],
            detail={"flowDefinitionArn": [{"prefix": flow_definitions}]},
        ),
        targets=[
            targets.LambdaFunction(
                ingest.function,
                dead_letter_queue=dead_letter_queue(ingest, "Undelivered", key=key),
                max_event_age=Duration.hours(24),
                retry_attempts=185,
            )
        ],
    )
