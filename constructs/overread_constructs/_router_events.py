"""What wakes the starter and the ingest function, and where an event goes that cannot be delivered."""

from __future__ import annotations

from aws_cdk import Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs

from overread_constructs._dead_letters import dead_letter_queue, sendable
from overread_constructs._handler import Handler

EVENT_SOURCES = ["aws.sagemaker", "overread.review"]
"""A2I's, and the review service's: only AWS may emit aws.* on AWS."""

_DECISIONS = {"eventName": lambda_.FilterRule.or_("INSERT", "MODIFY")}
_WITH_PEOPLE = {
    **_DECISIONS,
    "dynamodb": {"NewImage": {"sk": {"S": ["DECISION"]}, "state": {"S": ["PENDING", "ESCALATED"]}}},
}
"""Decisions that may need a human loop."""
_PLACES_FREED = {
    **_DECISIONS,
    "dynamodb": {
        "NewImage": {
            "sk": {"S": ["DECISION"]},
            "state": {"S": ["FINAL", "CANCELLED"]},
            "terms": {"M": {"max_open": {"N": lambda_.FilterRule.exists()}}},
        }
    },
}
"""Decisions whose end may have freed a place in a team's queue."""


def start_from_stream(starter: Handler, *, table: dynamodb.ITable, key: kms.IKey) -> None:
    """Wake the starter for each decision that waits for people; a record that keeps failing is set aside."""
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
        filters=[
            lambda_.FilterCriteria.filter(_WITH_PEOPLE),
            lambda_.FilterCriteria.filter(_PLACES_FREED),
        ],
        batch_size=10,
        bisect_batch_on_error=True,
        report_batch_item_failures=True,
        retry_attempts=5,
        max_record_age=Duration.hours(6),
        parallelization_factor=2,
        on_failure=event_sources.SqsDlq(sendable(queue)),
    ).node.add_dependency(starter.role)


def start_each_minute(starter: Handler, *, key: kms.IKey) -> None:
    """Wake the starter each minute for what could not be started before."""
    _each(
        starter,
        "EachMinute",
        description="Decisions whose human loop could not be started are tried again",
        every=Duration.minutes(1),
        key=key,
    )


def look_at_open_reviews(ingest: Handler, *, key: kms.IKey) -> None:
    """Wake the ingest function without any event: for open reviews, and for loops nobody waits for."""
    queue = dead_letter_queue(ingest, "UndeliveredSweeps", key=key)
    _each(
        ingest,
        "EachMinute",
        description="Open reviews are looked at, in case their event was lost",
        every=Duration.minutes(1),
        input={"sweep": "due"},
        queue=queue,
        key=key,
    )
    _each(
        ingest,
        "EachHour",
        description="Human loops that no decision waits for are stopped",
        every=Duration.hours(1),
        input={"sweep": "orphans"},
        queue=queue,
        key=key,
    )


def resume_each_minute(resumer: Handler, *, key: kms.IKey) -> None:
    """Wake the function that finishes what dead routers left."""
    _each(
        resumer,
        "EachMinute",
        description="Requests whose router died are finished",
        every=Duration.minutes(1),
        key=key,
    )


def watch_each_minute(watcher: Handler, *, key: kms.IKey) -> None:
    """Wake the function that watches how often models are wrong."""
    _each(
        watcher,
        "EachMinute",
        description="Spot checks and outcomes are counted",
        every=Duration.minutes(1),
        key=key,
    )


def _each(
    handler: Handler,
    id: str,
    *,
    description: str,
    every: Duration,
    key: kms.IKey,
    input: dict[str, str] | None = None,
    queue: sqs.Queue | None = None,
) -> None:
    events.Rule(
        handler,
        id,
        description=description,
        schedule=events.Schedule.rate(every),
        targets=[
            targets.LambdaFunction(
                handler.function,
                dead_letter_queue=queue or dead_letter_queue(handler, "Undelivered", key=key),
                event=events.RuleTargetInput.from_object(input) if input else None,
                max_event_age=Duration.minutes(5),  # the next one comes soon
                retry_attempts=2,
            )
        ],
    )


def hear_reviews(ingest: Handler, *, name_prefix: str, key: kms.IKey) -> None:
    """Wake the ingest function when a human loop of this deployment changes its state.

    It gets the loop's name only, so that its dead letters hold nothing else: the reason of a failure, which
    the event has too, may quote the case.
    """
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
                event=events.RuleTargetInput.from_object(
                    {
                        "detail-type": events.EventField.detail_type,
                        "detail": {"humanLoopName": events.EventField.from_path("$.detail.humanLoopName")},
                    }
                ),
                dead_letter_queue=dead_letter_queue(ingest, "Undelivered", key=key),
                max_event_age=Duration.hours(24),
                retry_attempts=185,
            )
        ],
    )
