"""The host's own paths: closed without the stack's token; events of AWS reach rules."""

import json
import time
from typing import Any

import httpx
import pytest
from tests.local.conftest import Clients

from overread_local.stack import LocalStack

EVENT = {
    "source": "aws.sagemaker",
    "detail-type": "SageMaker A2I HumanLoop Status Change",
    "resources": ["arn:aws:sagemaker:us-east-1:000000000000:human-loop/one"],
    "detail": {"flowDefinitionArn": "arn:aws:sagemaker:us-east-1:000000000000:flow-definition/demo-loan-1"},
}
PREFIX = {"prefix": "arn:aws:sagemaker:us-east-1:000000000000:flow-definition/demo-"}


@pytest.mark.parametrize("path", ["events", "iam", "checkpoint"])
@pytest.mark.parametrize("token", [None, "wrong"])
def test_a_path_of_the_host_needs_the_token(local_stack: LocalStack, path: str, token: str | None) -> None:
    headers = {} if token is None else {"x-overread-token": token}
    reply = httpx.post(f"{local_stack.endpoint_url}/_overread/{path}", json=EVENT, headers=headers)
    assert reply.status_code == 403


def test_an_event_of_aws_reaches_a_rule_that_matches_its_prefix(
    local_stack: LocalStack, aws: Clients
) -> None:
    queue = aws("sqs").create_queue(QueueName="reviewed")["QueueUrl"]
    arn = aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    pattern = {
        "source": ["aws.sagemaker", "overread.review"],
        "detail-type": [EVENT["detail-type"]],
        "detail": {"flowDefinitionArn": [PREFIX]},
    }
    aws("events").put_rule(Name="reviewed", EventPattern=json.dumps(pattern))
    aws("events").put_targets(Rule="reviewed", Targets=[{"Id": "queue", "Arn": arn}])
    other: dict[str, Any] = {
        **EVENT,
        "detail": {"flowDefinitionArn": "arn:aws:sagemaker:::flow-definition/x"},
    }
    for event in (other, EVENT):
        reply = httpx.post(
            f"{local_stack.endpoint_url}/_overread/events",
            json=event,
            headers={"x-overread-token": local_stack.record.token},
        )
        assert reply.status_code == 200
    received = _receive(aws, queue)
    assert [message["detail"] for message in received] == [EVENT["detail"]]
    assert received[0]["source"] == "aws.sagemaker"
    assert received[0]["account"] == "000000000000"
    assert received[0]["resources"] == EVENT["resources"]


def _receive(aws: Clients, queue: str) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 5
    messages: list[dict[str, Any]] = []
    while not messages and time.monotonic() < deadline:
        got = aws("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        messages += [json.loads(message["Body"]) for message in got]
    return messages


def test_everything_listens_on_loopback_only(local_stack: LocalStack) -> None:
    import psutil

    pids = {process.pid for process in local_stack.record.processes.values()}
    listening = {
        connection.laddr.ip
        for connection in psutil.net_connections("tcp")
        if connection.pid in pids and connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}
