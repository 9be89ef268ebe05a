"""DynamoDB as the review service's store needs it: throttled calls are repeated for a while only."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from overread_aws.failures import RETRYABLE_CODES, error_code
from overread_review.service.errors import StoreUnavailableError

Item = dict[str, dict[str, str]]
Pause = Callable[[float], None]
"""Waits for so many seconds."""

INDEXES = {
    "flow": ("flow_arn", "created_key"),
    "open": ("open_flow", "queue_key"),
    "due": ("due_group", "due_key"),
}
_LONGEST_KEYS = {"pk": 2048, "sk": 1024}
_READ_AT_ONCE = 100
_ATTEMPTS = 10
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.02, 0.64
_CONFLICTS = frozenset({"TransactionConflict", "TransactionConflictException"})


def table_definition(table_name: str) -> dict[str, Any]:
    """What CreateTable takes for the store's table."""
    attributes = ("pk", "sk", *dict.fromkeys(name for keys in INDEXES.values() for name in keys))
    return {
        "TableName": table_name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in attributes],
        "KeySchema": _key_schema("pk", "sk"),
        "GlobalSecondaryIndexes": [
            {"IndexName": name, "KeySchema": _key_schema(*keys), "Projection": {"ProjectionType": "ALL"}}
            for name, keys in INDEXES.items()
        ],
    }


def _key_schema(partition: str, sort: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]


class ReviewTable:
    """Reads and conditional writes of items; raises StoreUnavailableError for what may work later."""

    def __init__(self, client: Any, *, table_name: str, pause: Pause = time.sleep) -> None:
        self._client = client
        self._table = table_name
        self._pause = pause

    def get(self, key: Item) -> Item | None:
        """The item as of now; there is none under what DynamoDB takes for no key."""
        if not all(1 <= len(key[name]["S"].encode()) <= size for name, size in _LONGEST_KEYS.items()):
            return None
        request = {"TableName": self._table, "Key": key, "ConsistentRead": True}
        item: Item | None = self._call(self._client.get_item, request).get("Item")
        return item

    def get_many(self, keys: Sequence[Item]) -> list[Item]:
        """The items under different keys as of now, as far as there are any."""
        if len(keys) <= 1:
            return [item for key in keys if (item := self.get(key)) is not None]
        found: list[Item] = []
        left: list[Item] = list(keys)
        while left:
            asked = {"Keys": left[:_READ_AT_ONCE], "ConsistentRead": True}
            reply = self._call(self._client.batch_get_item, {"RequestItems": {self._table: asked}})
            found += reply["Responses"].get(self._table, ())
            unread = reply.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            left = [*unread, *left[_READ_AT_ONCE:]]
        return found

    def put(self, item: Item, *, version: int | None, failure: Exception) -> None:
        """Put the item over `version`, or as a new one (None). Raises `failure` when that is not so."""
        self._conditional(self._client.put_item, self.put_request(item, version=version), failure=failure)

    def put_request(self, item: Item, *, version: int | None) -> dict[str, Any]:
        """What PutItem and a transaction's Put take."""
        return {"TableName": self._table, "Item": item, **_fence(version)}

    def plain_put(self, item: Item) -> dict[str, Any]:
        """A transaction's unconditional Put."""
        return {"Put": {"TableName": self._table, "Item": item}}

    def unless_other_put(self, item: Item, *, name: str, value: str) -> dict[str, Any]:
        """A transaction's Put over nothing, or over an item whose attribute `name` has the same value."""
        condition = {
            "ConditionExpression": "attribute_not_exists(pk) OR #name = :value",
            "ExpressionAttributeNames": {"#name": name},
            "ExpressionAttributeValues": {":value": {"S": value}},
        }
        return {"Put": {"TableName": self._table, "Item": item, **condition}}

    def delete(self, key: Item, *, version: int, failure: Exception, also: str = "") -> None:
        """Delete exactly this version if `also` holds for it too. Raises `failure` otherwise."""
        request = {"TableName": self._table, "Key": key, **_fence(version)}
        if also:
            request["ConditionExpression"] = f"{request['ConditionExpression']} AND {also}"
        self._conditional(self._client.delete_item, request, failure=failure)

    def count_update(self, key: Item, *, change: int, condition: str, limit: int) -> dict[str, Any]:
        """A transaction's Update of the counter `open_loops`."""
        return {
            "Update": {
                "TableName": self._table,
                "Key": key,
                "UpdateExpression": "ADD open_loops :change",
                "ConditionExpression": condition,
                "ExpressionAttributeValues": {
                    ":change": {"N": str(change)},
                    ":limit": {"N": str(limit)},
                },
            }
        }

    def transact(self, items: Sequence[Mapping[str, Any]], *, failures: Sequence[Exception]) -> None:
        """All of the items or nothing. Raises the failure in the place of the condition that did not hold."""
        # With a token of its own a repeated transaction that had succeeded succeeds again, once.
        request = {"TransactItems": list(items), "ClientRequestToken": str(uuid.uuid4())}
        try:
            self._call(self._client.transact_write_items, request)
        except ClientError as error:
            for reason, failure in zip(_reasons(error), failures, strict=False):
                if reason == "ConditionalCheckFailed":
                    raise failure from error
            raise

    def query_index(
        self,
        index: str,
        partition: str,
        *,
        limit: int,
        between: tuple[str, str] = ("!", "~"),
        ascending: bool = True,
    ) -> list[Item]:
        """Items of an index's partition, whose sort keys lie in `between`, both ends included."""
        names = INDEXES[index]
        request = self._query(names, partition, between=between) | {"IndexName": index}
        return self._pages(request | {"ScanIndexForward": ascending}, limit=limit)

    def query(
        self,
        partition: str,
        *,
        between: tuple[str, str] = ("!", "~"),
        limit: int | None = None,
        ascending: bool = True,
    ) -> list[Item]:
        """Items of the table's partition as of now, whose sort keys lie in `between`, both ends included."""
        request = self._query(("pk", "sk"), partition, between=between) | {"ConsistentRead": True}
        return self._pages(request | {"ScanIndexForward": ascending}, limit=limit)

    def _query(self, names: tuple[str, str], partition: str, *, between: tuple[str, str]) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "KeyConditionExpression": f"{names[0]} = :partition AND {names[1]} BETWEEN :low AND :high",
            "ExpressionAttributeValues": {
                ":partition": {"S": partition},
                ":low": {"S": between[0]},
                ":high": {"S": between[1]},
            },
        }

    def _pages(self, request: dict[str, Any], *, limit: int | None) -> list[Item]:
        items: list[Item] = []
        while limit is None or len(items) < limit:
            size = {} if limit is None else {"Limit": limit - len(items)}
            reply = self._call(self._client.query, request | size)
            items.extend(reply["Items"])
            if "LastEvaluatedKey" not in reply:
                break
            request["ExclusiveStartKey"] = reply["LastEvaluatedKey"]
        return items

    def _conditional(
        self, call: Callable[..., Any], request: Mapping[str, Any], *, failure: Exception
    ) -> None:
        try:
            self._call(call, request)
        except ClientError as error:
            if error_code(error) == "ConditionalCheckFailedException":
                raise failure from error
            raise

    def _call(self, call: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        wait_s = _FIRST_WAIT_S
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return call(**request)
            except ClientError as error:
                if not _may_work_later(error):
                    raise
                if attempt == _ATTEMPTS:
                    raise StoreUnavailableError(
                        f"DynamoDB: {error_code(error)} after {_ATTEMPTS} attempts; try again"
                    ) from error
            except BotoCoreError as error:
                raise StoreUnavailableError(f"DynamoDB: {error}") from error
            self._pause(random.uniform(0, wait_s))  # noqa: S311
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
        raise StoreUnavailableError("DynamoDB: no attempt was made")


def _fence(version: int | None) -> dict[str, Any]:
    if version is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "version = :version",
        "ExpressionAttributeValues": {":version": {"N": str(version)}},
    }


def _reasons(error: ClientError) -> list[str]:
    return [str(reason.get("Code")) for reason in error.response.get("CancellationReasons", ())]


def _may_work_later(error: ClientError) -> bool:
    """Whether nothing is wrong with the request itself: throttled, or other writers were at the items."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    code = error_code(error)
    if status >= 500 or code in RETRYABLE_CODES or code in _CONFLICTS:
        return True
    reasons = _reasons(error)
    if "ConditionalCheckFailed" in reasons:
        return False
    return any(reason in _CONFLICTS or "Throttling" in reason or "Throughput" in reason for reason in reasons)
