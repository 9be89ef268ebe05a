"""What watches over deployed stacks: an old case becomes a figure, an alarm becomes a message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.local.conftest import Deployment
from tests.local.metric_lines import metric_lines
from tests.local.organized import PREFIX as NAMES
from tests.local.review_backends import until
from tests.local.test_runbooks import LOAN, Caller, taken_away

from overread_client import Decision

TWO_HOURS_S = 7200
LONG_AGO = "2020-01-01T00:00:00.000Z"
PREFIX = f"{NAMES}-demo"


def _wait(caller: Caller, decision: Decision) -> bool:
    """Whether a start was tried and has to be tried again."""
    return "waiting" in caller.api.get(decision.decision_id).document.get("review", {})


def test_alarms_look_at_metrics_as_functions_write_them(deployed: Deployment) -> None:
    """An alarm over a name or a dimension that is never written would never ring."""
    caller = Caller(deployed)
    for module in ("anchor_audit", "measure_operations"):
        caller.invoke(module)
    caller.signed(reference="metrics")
    with taken_away(deployed, "start_loop", "sagemaker:StartHumanLoop"):
        refused = caller.unsure(reference="metrics-refused")
        until(lambda: _wait(caller, refused), what="a failed start")
    caller.api.cancel(refused.decision_id)
    modules = ("anchor_audit", "ingest_review", "measure_operations", "start_loop")
    written = {
        (metric["Name"], frozenset((name, line[name]) for name in dimensions))
        for module in modules
        for line in until(lambda: metric_lines(deployed, module), what=f"lines of {module}")  # noqa: B023
        for directive in line["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
        for dimensions in directive["Dimensions"]
    }
    names = {name for name, _ in written}
    looked_at = {
        (alarm["MetricName"], frozenset((one["Name"], one["Value"]) for one in alarm["Dimensions"]))
        for page in deployed.client("cloudwatch").get_paginator("describe_alarms").paginate()
        for alarm in page["MetricAlarms"]
        if alarm["Namespace"] == "Overread" and alarm["AlarmName"].startswith(f"{PREFIX}-")
    }
    of_others = {("OverrideRate", use_case) for use_case in ("digit-reading", "tumor-screening")}
    known = {
        one for one in looked_at if one[0] in names and (one[0], dict(one[1]).get("UseCase")) not in of_others
    }
    assert {name for name, _ in known} >= {
        "ChainVerifyFail",
        "OldestPendingAge",
        "OldestWaitingAge",
        "OutboxAge",
        "OverrideRate",
        "StartHumanLoopRefusals",
        "Unreconciled",
    }
    assert known - written == set()


@pytest.fixture(scope="module")
def old(deployed: Deployment) -> Iterator[list[dict[str, Any]]]:
    """What was measured while an old case could not be given to people."""
    caller = Caller(deployed)
    with taken_away(deployed, "start_loop", "sagemaker:StartHumanLoop"):
        decision = caller.unsure(reference="operations")
        until(lambda: _wait(caller, decision), what="a failed start")
        deployed.client("dynamodb").update_item(
            TableName=deployed.output("data", "TableName"),
            Key={"pk": {"S": decision.decision_id}, "sk": {"S": "DECISION"}},
            UpdateExpression="SET received_at = :past",
            ExpressionAttributeValues={":past": {"S": LONG_AGO}},
        )
        caller.invoke("measure_operations")
        yield until(lambda: metric_lines(deployed, "measure_operations"), what="lines of metrics")
    caller.api.cancel(decision.decision_id)


def test_an_old_case_that_cannot_start_is_in_the_figures(old: list[dict[str, Any]]) -> None:
    of_loans = [line for line in old if line.get("UseCase") == LOAN]
    assert max(line["OldestPendingAge"] for line in of_loans) > TWO_HOURS_S
    assert max(line["OldestWaitingAge"] for line in of_loans) > TWO_HOURS_S
    assert {line["Deployment"] for line in old} == {PREFIX}
    assert max(line["OpenDecisions"] for line in old if line.get("State") == "PENDING") >= 1
    assert [line for line in old if "Unreconciled" in line and "OutboxAge" in line]


def test_an_alarm_tells_the_topic(deployed: Deployment) -> None:
    sqs, sns = deployed.client("sqs"), deployed.client("sns")
    url = sqs.create_queue(QueueName="told-by-alarms")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = deployed.output("operations", "AlarmTopicArn")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]
    try:
        deployed.client("cloudwatch").set_alarm_state(
            AlarmName=f"{PREFIX}-chain-failures", StateValue="ALARM", StateReason="a drill"
        )
        (message,) = until(
            lambda: sqs.receive_message(QueueUrl=url).get("Messages"), what="a message of the alarm"
        )
        told = json.loads(json.loads(message["Body"])["Message"])
        assert (told["AlarmName"], told["NewStateValue"]) == (f"{PREFIX}-chain-failures", "ALARM")
        assert "docs/runbooks/" in told["AlarmDescription"]
    finally:
        sns.unsubscribe(SubscriptionArn=subscription)
        sqs.delete_queue(QueueUrl=url)
