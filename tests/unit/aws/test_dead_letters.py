"""What is done about each kind of dead letter, and that none is lost or done that must not be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from overread_aws.dead_letters import DeadLetterQueue, Remedy, SqsDeadLetters, read_letter

FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:overread-prod-ingest-review:$LATEST"
EVENT = {"detail-type": "SageMaker A2I HumanLoop Status Change", "detail": {"humanLoopName": "h-1"}}
QUEUE = DeadLetterQueue("overread-prod-failures", "https://sqs.example/overread-prod-failures", 1)


def of_function(event: object) -> str:
    """What Lambda writes to a destination of events that failed."""
    return json.dumps(
        {"version": "1.0", "requestContext": {"functionArn": FUNCTION}, "requestPayload": event}
    )


@pytest.mark.parametrize(
    ("body", "attributes", "remedy"),
    [
        (of_function(EVENT), {}, Remedy.HAND_OVER),
        (of_function({"sweep": "due"}), {}, Remedy.HAND_OVER),
        (json.dumps(EVENT), {"TARGET_ARN": FUNCTION}, Remedy.HAND_OVER),
        (json.dumps({"detail-type": "Scheduled Event"}), {"TARGET_ARN": FUNCTION}, Remedy.NOTHING),
        (json.dumps({"sweep": "due"}), {"TARGET_ARN": FUNCTION}, Remedy.NOTHING),
        (json.dumps({"DDBStreamBatchInfo": {"shardId": "1"}}), {}, Remedy.NOTHING),
        (json.dumps(EVENT), {}, Remedy.UNKNOWN),
        ("not JSON", {}, Remedy.UNKNOWN),
        ("[]", {"TARGET_ARN": FUNCTION}, Remedy.UNKNOWN),
    ],
)
def test_each_kind_has_its_remedy(body: str, attributes: dict[str, str], remedy: Remedy) -> None:
    assert read_letter(body, attributes=attributes).remedy is remedy


@pytest.mark.parametrize("request_type", ["Create", "Update", "Delete"])
def test_what_an_old_deployment_asked_for_is_not_done_after_a_later_one(request_type: str) -> None:
    asked = {
        "RequestType": request_type,
        "ResponseURL": "https://s3.example/answer",
        "ResourceProperties": {},
    }
    letter = read_letter(of_function(asked), attributes={})
    assert (letter.remedy, letter.payload) == (Remedy.OUTLIVED, b"")


@pytest.fixture
def clients() -> Iterator[tuple[Any, Stubber, Any, Stubber]]:
    keys = {"region_name": "eu-west-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    sqs, functions = boto3.client("sqs", **keys), boto3.client("lambda", **keys)
    with Stubber(sqs) as queue, Stubber(functions) as invoked:
        yield sqs, queue, functions, invoked
        queue.assert_no_pending_responses()
        invoked.assert_no_pending_responses()


def received(queue: Stubber, *bodies: str) -> None:
    messages = [{"Body": body, "ReceiptHandle": f"r{n}"} for n, body in enumerate(bodies)]
    queue.add_response("receive_message", {"Messages": messages} if messages else {})


def test_a_message_is_removed_once_its_function_took_it_over(
    clients: tuple[Any, Stubber, Any, Stubber],
) -> None:
    sqs, queue, functions, invoked = clients
    received(queue, of_function(EVENT))
    handed = {"FunctionName": FUNCTION, "InvocationType": "Event", "Payload": json.dumps(EVENT).encode()}
    invoked.add_response("invoke", {"StatusCode": 202}, handed)
    queue.add_response("delete_message", {}, {"QueueUrl": QUEUE.url, "ReceiptHandle": "r0"})
    received(queue)
    letters = SqsDeadLetters(sqs, functions, prefix="overread-prod-")
    assert list(letters.redrive(QUEUE)) == [Remedy.HAND_OVER]


def test_a_function_that_is_gone_keeps_no_other_message_from_its_own(
    clients: tuple[Any, Stubber, Any, Stubber],
) -> None:
    sqs, queue, functions, invoked = clients
    received(queue, of_function(EVENT), of_function({"sweep": "due"}))
    invoked.add_client_error("invoke", "ResourceNotFoundException")
    invoked.add_response("invoke", {"StatusCode": 202})
    queue.add_response("delete_message", {}, {"QueueUrl": QUEUE.url, "ReceiptHandle": "r1"})
    received(queue)
    letters = SqsDeadLetters(sqs, functions, prefix="overread-prod-")
    assert list(letters.redrive(QUEUE)) == [Remedy.UNKNOWN, Remedy.HAND_OVER]
