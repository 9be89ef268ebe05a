"""The table of decisions: its indexes, and reads and writes whose failures are Overread's own."""

import hashlib
import json
import random
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import ClientError

from overread.errors import RetryableError
from overread_aws.attribute_values import attribute_values, plain_item
from overread_aws.failures import calling, error_code, service_error

Item = dict[str, Any]
Key = tuple[str, str]
Pause = Callable[[float], None]
"""Waits for so many seconds."""

OPEN_INDEX, QUEUE_INDEX, CHAIN_INDEX, OUTBOX_INDEX = "open", "queue", "chain", "outbox"
CALLER_INDEX, REFERENCE_INDEX, PEOPLE_INDEX = "caller", "reference", "people"
LISTED = ("decision_id", "state", "reference", "use_case")
"""What a listing shows, and its indexes therefore hold."""

_ATTEMPTS = 6
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.02, 0.32
_CONFLICT, _REFUSED = "TransactionConflict", "ConditionalCheckFailed"


@dataclass(frozen=True, slots=True)
class Index:
    """One index: its keys, and which attributes it holds beside them (None: all)."""

    name: str
    partition: str
    sort: str
    sort_type: str = "S"
    holds: tuple[str, ...] | None = ("decision_id",)


INDEXES = (
    Index(OPEN_INDEX, "open_state", "due_at"),
    Index(QUEUE_INDEX, "queue", "queue_key"),
    Index(CALLER_INDEX, "caller_scope", "listed_at", holds=LISTED),
    Index(REFERENCE_INDEX, "caller_reference", "listed_at", holds=LISTED),
    Index(CHAIN_INDEX, "chain_shard", "chain_seq", sort_type="N", holds=None),
    Index(OUTBOX_INDEX, "outbox_state", "outbox_due_at", holds=()),
    Index(PEOPLE_INDEX, "people_state", "received_at", holds=("use_case", "waiting")),
)


def table_definition(name: str) -> dict[str, Any]:
    """What CreateTable takes for the table of decisions."""
    types = {"pk": "S", "sk": "S"}
    for index in INDEXES:
        types |= {index.partition: "S", index.sort: index.sort_type}
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": key, "AttributeType": kind} for key, kind in types.items()
        ],
        "KeySchema": _key_schema("pk", "sk"),
        "GlobalSecondaryIndexes": [
            {
                "IndexName": index.name,
                "KeySchema": _key_schema(index.partition, index.sort),
                "Projection": _projection(index),
            }
            for index in INDEXES
        ],
    }


def _key_schema(partition: str, sort: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]


def _projection(index: Index) -> dict[str, Any]:
    if index.holds is None:
        return {"ProjectionType": "ALL"}
    if not index.holds:
        return {"ProjectionType": "KEYS_ONLY"}
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(index.holds)}


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of the item that stands, in DynamoDB's words; values are plain ones."""

    expression: str
    values: Mapping[str, Any]
    names: Mapping[str, str]

    def members(self) -> dict[str, Any]:
        """The condition as members of a request."""
        members: dict[str, Any] = {"ConditionExpression": self.expression} if self.expression else {}
        if self.names:
            members["ExpressionAttributeNames"] = dict(self.names)
        if self.values:
            members["ExpressionAttributeValues"] = attribute_values(self.values)
        return members


NOT_THERE = Condition("attribute_not_exists(pk)", {}, {})
Refusal = Callable[[Item | None], Exception]
"""What a failed condition means, given the item that stands (None: there is none, or it was not told)."""


def refused_with(error: Exception) -> Refusal:
    """The refusal that is the same whatever stands there."""
    return lambda _: error


@dataclass(frozen=True, slots=True)
class Write:
    """One action of a transaction. `refusal` says what it means that its condition did not hold."""

    action: Literal["Put", "Update", "Delete", "ConditionCheck"]
    members: Mapping[str, Any]
    refusal: Refusal | None = None


class DecisionTable:
    """One table, as one writer sees it. Every method raises `ServiceError` when DynamoDB fails.

    `writer` tells this one from all others: what two of them write is never the same transaction, even where
    it is the same in every word.
    """

    def __init__(self, client: Any, *, name: str, pause: Pause = time.sleep, writer: str = "") -> None:
        self._client = client
        self._name = name
        self._pause = pause
        self.writer = writer or uuid.uuid4().hex

    def get(self, key: Key) -> Item | None:
        """The item as of now."""
        with calling("GetItem"):
            reply = self._client.get_item(TableName=self._name, Key=_key(key), ConsistentRead=True)
        return plain_item(reply["Item"]) if "Item" in reply else None

    def get_all(self, keys: Sequence[Key]) -> dict[Key, Item]:
        """Those of the items that are there, each as of now, in one call."""
        wanted: dict[str, Any] = {
            self._name: {"Keys": [_key(key) for key in keys], "ConsistentRead": True},
        }
        found: dict[Key, Item] = {}
        for wait_s in _waits():
            with calling("BatchGetItem"):
                reply = self._client.batch_get_item(RequestItems=wanted)
            for attributes in reply["Responses"].get(self._name, ()):
                item = plain_item(attributes)
                found[item["pk"], item["sk"]] = item
            wanted = reply.get("UnprocessedKeys") or {}
            if not wanted:
                return found
            self._pause(wait_s)
        raise RetryableError("UnprocessedKeys", operation="BatchGetItem")

    def put(
        self,
        key: Key,
        item: Mapping[str, Any],
        *,
        condition: Condition | None = None,
        refusal: Refusal | None = None,
    ) -> Write:
        """Puts the item, as a part of a transaction."""
        attributes = attribute_values({"pk": key[0], "sk": key[1], **item})
        members = {"TableName": self._name, "Item": attributes}
        return Write("Put", members | (condition.members() if condition else {}), refusal)

    def check(self, key: Key, *, condition: Condition, refusal: Refusal) -> Write:
        """Demands the condition of an item, as a part of a transaction; the refusal sees the item."""
        members = {"TableName": self._name, "Key": _key(key), **condition.members()}
        told = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        return Write("ConditionCheck", members | told, refusal)

    def update(self, key: Key, *, update: str, condition: Condition, refusal: Refusal | None = None) -> Write:
        """Updates an item, as a part of a transaction; `condition` holds the values of both expressions."""
        members = {"TableName": self._name, "Key": _key(key), "UpdateExpression": update}
        return Write("Update", {**members, **condition.members()}, refusal)

    def update_one(self, key: Key, *, update: str, condition: Condition) -> bool:
        """Updates an item at once; False when its condition does not hold."""
        members = self.update(key, update=update, condition=condition).members
        with calling("UpdateItem"):
            try:
                self._client.update_item(**members)
            except ClientError as error:
                if error_code(error) == f"{_REFUSED}Exception":
                    return False
                raise
        return True

    def write_one(self, write: Write) -> None:
        """A put on its own.

        A put that had happened when its reply was lost is repeated by botocore, and its condition fails
        then; so the item that stands is compared.
        """
        told = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        with calling("PutItem"):
            try:
                self._client.put_item(**write.members, **told)
            except ClientError as error:
                if error_code(error) != f"{_REFUSED}Exception" or write.refusal is None:
                    raise
                standing = error.response.get("Item")
                if _plain(standing) == plain_item(write.members["Item"]):
                    return
                raise write.refusal(_plain(standing)) from error

    def write(self, writes: Sequence[Write]) -> None:
        """All of the writes or nothing. Of several that are refused, the first one's refusal is raised.

        The token makes one of a transaction and its repetitions by the same writer. Where another one is at
        the same items, nobody knows yet whether the conditions hold: it is repeated until they are judged.

        Raises:
            RetryableError: throttled, or others were at the items all the time.
        """
        actions: list[dict[str, Any]] = [{write.action: dict(write.members)} for write in writes]
        request = {"TransactItems": actions, "ClientRequestToken": self._token(actions)}
        for wait_s in _waits():
            cancelled = self._transact(request)
            if cancelled is None:
                return
            _judge(cancelled, writes)
            self._pause(wait_s)
        raise RetryableError(_CONFLICT, operation="TransactWriteItems")

    def remove(self, key: Key, *, refusal: Refusal) -> Write:
        """Removes an item, as a part of a transaction; it must be there."""
        there = Condition("attribute_exists(pk)", {}, {})
        return Write("Delete", {"TableName": self._name, "Key": _key(key), **there.members()}, refusal)

    def items(self, *, key: Condition, **members: Any) -> Iterator[dict[str, Any]]:
        """The pages of a query of the table itself, as of now."""
        return self._query(key, {"ConsistentRead": True, **members})

    def pages(self, index: str, *, key: Condition, **members: Any) -> Iterator[dict[str, Any]]:
        """The pages of a query of an index."""
        return self._query(key, {"IndexName": index, **members})

    def _query(self, key: Condition, members: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        request = {
            "TableName": self._name,
            "KeyConditionExpression": key.expression,
            "ExpressionAttributeValues": attribute_values(key.values),
            **members,
        }
        if key.names:
            request["ExpressionAttributeNames"] = dict(key.names)
        while True:
            with calling("Query"):
                page = self._client.query(**request)
            yield page
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _transact(self, request: Mapping[str, Any]) -> ClientError | None:
        """What DynamoDB said when it cancelled the transaction, None when it happened."""
        with calling("TransactWriteItems"):
            try:
                self._client.transact_write_items(**request)
            except ClientError as error:
                if error_code(error) != "TransactionCanceledException":
                    raise
                return error
        return None

    def _token(self, actions: Sequence[Mapping[str, Any]]) -> str:
        text = json.dumps([self.writer, actions], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:36]


def _judge(cancelled: ClientError, writes: Sequence[Write]) -> None:
    """Raises what the cancellation means; returns when only others at the same items were in the way."""
    operation = "TransactWriteItems"
    reasons = cancelled.response.get("CancellationReasons", [])
    codes = [str(reason.get("Code", "")) for reason in reasons]
    for code, reason, write in zip(codes, reasons, writes, strict=False):
        if code == _REFUSED and write.refusal is not None:
            raise write.refusal(_plain(reason.get("Item"))) from cancelled
    if any("Throttling" in code or "Throughput" in code for code in codes):
        raise RetryableError("ThrottlingError", operation=operation) from cancelled
    if _CONFLICT not in codes:
        raise service_error(cancelled, operation=operation) from cancelled


def _key(key: Key) -> dict[str, Any]:
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def _plain(attributes: Mapping[str, Any] | None) -> Item | None:
    return plain_item(attributes) if attributes else None


def _waits() -> Iterator[float]:
    for attempt in range(_ATTEMPTS):
        longest_s = min(_FIRST_WAIT_S * 2**attempt, _LONGEST_WAIT_S)
        yield random.uniform(0, longest_s)  # noqa: S311
