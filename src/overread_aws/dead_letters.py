"""Dead-letter queues of a deployment: what no function could handle, and handing it over again."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError

_SCHEDULED = "Scheduled Event"


class Remedy(StrEnum):
    """What is to be done about a dead letter."""

    HAND_OVER = "handed over again"
    NOTHING = "needed nothing: the next sweep does it"
    OUTLIVED = "removed: CloudFormation waits for it no longer, deploy again"
    UNKNOWN = "left: of no kind that is known, or its function is gone"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message. `function` (an ARN) gets `payload` again where the remedy is to hand it over."""

    remedy: Remedy
    function: str = ""
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class DeadLetterQueue:
    """A queue and how many messages it holds, those that somebody just handles included."""

    name: str
    url: str
    messages: int


def read_letter(body: str, *, attributes: dict[str, str]) -> DeadLetter:
    """What a message is: `attributes` are the texts of its message attributes.

    Sources: "Retaining records of asynchronous invocations" (Lambda), "Using dead-letter queues to process
    undelivered events" (EventBridge), "Retain discarded batches" of DynamoDB event source mappings (Lambda).
    """
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        return DeadLetter(Remedy.UNKNOWN)
    if "DDBStreamBatchInfo" in document:
        return DeadLetter(Remedy.NOTHING)
    if "requestPayload" in document and (function := document.get("requestContext", {}).get("functionArn")):
        return _of_function(function, event=document["requestPayload"])
    if target := attributes.get("TARGET_ARN"):
        if document.get("detail-type") == _SCHEDULED or "detail-type" not in document:
            return DeadLetter(Remedy.NOTHING)  # a schedule's own event, or its constant input
        return DeadLetter(Remedy.HAND_OVER, function=target, payload=body.encode())
    return DeadLetter(Remedy.UNKNOWN)


def _of_function(function: str, *, event: object) -> DeadLetter:
    if isinstance(event, dict) and "ResponseURL" in event:
        # Of a deployment that failed by it. Done now, it would undo or repeat what a later one did.
        return DeadLetter(Remedy.OUTLIVED)
    return DeadLetter(Remedy.HAND_OVER, function=function, payload=json.dumps(event).encode())


class SqsDeadLetters:
    """The queues of a deployment; `sqs` and `functions` are boto3 clients of SQS and Lambda."""

    def __init__(self, sqs: Any, functions: Any, *, prefix: str) -> None:
        """`prefix`: what the names of the deployment's queues begin with."""
        self._sqs = sqs
        self._functions = functions
        self._prefix = prefix

    def queues(self) -> Iterator[DeadLetterQueue]:
        """Every queue, empty ones too."""
        pages = self._sqs.get_paginator("list_queues").paginate(QueueNamePrefix=self._prefix)
        counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        for page in pages:
            for url in page.get("QueueUrls", ()):
                found = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=counts)["Attributes"]
                yield DeadLetterQueue(
                    name=url.rpartition("/")[2],
                    url=url,
                    messages=sum(int(found.get(count, 0)) for count in counts),
                )

    def redrive(self, queue: DeadLetterQueue) -> Iterator[Remedy]:
        """Does what is to be done about each message; those of no known kind stay.

        A message is removed after its function took it over: ending in between hands it over twice, which
        every function bears.
        """
        while messages := self._receive(queue):
            for message in messages:
                texts = {
                    name: attribute.get("StringValue", "")
                    for name, attribute in message.get("MessageAttributes", {}).items()
                }
                remedy = self._remedied(read_letter(message["Body"], attributes=texts))
                if remedy is not Remedy.UNKNOWN:
                    self._sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])
                yield remedy

    def _remedied(self, letter: DeadLetter) -> Remedy:
        """What was done; a function that is gone takes nothing over, and keeps none of the others waiting."""
        if letter.remedy is Remedy.HAND_OVER:
            try:
                self._functions.invoke(
                    FunctionName=letter.function, InvocationType="Event", Payload=letter.payload
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceNotFoundException":
                    raise
                return Remedy.UNKNOWN
        return letter.remedy

    def _receive(self, queue: DeadLetterQueue) -> list[dict[str, Any]]:
        received = self._sqs.receive_message(
            QueueUrl=queue.url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            VisibilityTimeout=120,
            WaitTimeSeconds=1,
        )
        found: list[dict[str, Any]] = received.get("Messages", [])
        return found
