"""The review service's store in DynamoDB: one table, every write conditional on the version read before."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from overread_review.service import transitions
from overread_review.service.errors import (
    OpenLimitReachedError,
    RecordChangedError,
    RecordExistsError,
    StoreUnavailableError,
)
from overread_review.service.model import Loop, LoopPage, Resource, ResourceKind
from overread_review.service.ports import LoopQuery
from overread_review.service.records import (
    loop_text,
    parse_loop,
    parse_resource,
    resource_text,
    sortable,
)

_Item = dict[str, dict[str, str]]
_CONFLICT_ATTEMPTS = 12
_DUE = "DUE"
_INDEXES = {
    "flow": ("flow_arn", "created_key"),
    "team": ("open_team", "created_key"),
    "due": ("due_group", "due_key"),
}


def table_definition(table_name: str) -> dict[str, Any]:
    """What CreateTable takes for the store's table."""
    attributes = ("pk", "sk", *dict.fromkeys(name for keys in _INDEXES.values() for name in keys))
    return {
        "TableName": table_name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in attributes],
        "KeySchema": _key_schema("pk", "sk"),
        "GlobalSecondaryIndexes": [
            {"IndexName": name, "KeySchema": _key_schema(*keys), "Projection": {"ProjectionType": "ALL"}}
            for name, keys in _INDEXES.items()
        ],
    }


def _key_schema(partition: str, sort: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]


class DynamoReviewStore:
    """Implements `overread_review.service.ports.ReviewStore`; safe for many threads and processes at once."""

    def __init__(self, client: Any, *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    # Loops

    def create_loop(self, loop: Loop, *, open_limit: int) -> Loop:
        """Store a new loop; see the port."""
        stored = replace(loop, version=1)
        put = {
            "TableName": self._table,
            "Item": _loop_item(stored),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        if not loop.is_open:
            self._conditional(self._client.put_item, put, failure=RecordExistsError(loop.name))
            return stored
        below = "attribute_not_exists(open_loops) OR open_loops < :limit"
        count = self._count_update(loop, change=1, condition=below, limit=open_limit)
        failures = (RecordExistsError(loop.name), OpenLimitReachedError(loop.terms.flow_definition_arn))
        self._transact([{"Put": put}, {"Update": count}], failures=failures)
        return stored

    def replace_loop(self, loop: Loop) -> Loop:
        """Store `loop` over its own version; see the port."""
        stored = replace(loop, version=loop.version + 1)
        put = {
            "TableName": self._table,
            "Item": _loop_item(stored),
            "ConditionExpression": "version = :version",
            "ExpressionAttributeValues": {":version": {"N": str(loop.version)}},
        }
        changed = RecordChangedError(loop.name)
        before = None if loop.is_open else self.find_loop(loop.name)
        if before is None or not before.is_open:
            self._conditional(self._client.put_item, put, failure=changed)
            return stored
        count = self._count_update(loop, change=-1, condition="open_loops > :limit", limit=0)
        self._transact([{"Put": put}, {"Update": count}], failures=(changed, changed))
        return stored

    def delete_loop(self, loop: Loop) -> None:
        """Remove exactly this version of an ended loop; see the port."""
        request = {
            "TableName": self._table,
            "Key": _loop_key(loop.name),
            "ConditionExpression": "version = :version AND attribute_not_exists(open_team)",
            "ExpressionAttributeValues": {":version": {"N": str(loop.version)}},
        }
        self._conditional(self._client.delete_item, request, failure=RecordChangedError(loop.name))

    def find_loop(self, name: str) -> Loop | None:
        """The loop as of now; see the port."""
        item = self._get(_loop_key(name))
        return None if item is None else _loop(item)

    def list_loops(self, query: LoopQuery) -> LoopPage:
        """One page in the order of creation; see the port."""
        low, high = "", "~"
        if query.created_after is not None:
            low = f"{sortable(query.created_after)}#~"
        if query.created_before is not None:
            high = f"{sortable(query.created_before)}#"
        if query.cursor and query.ascending:
            low = max(low, f"{query.cursor}!")
        elif query.cursor:
            high = min(high, query.cursor)
        if low > high:
            return LoopPage(())
        items = self._query(
            "flow",
            query.flow_definition_arn,
            between=(low or "!", high),
            ascending=query.ascending,
            limit=query.limit + 2,
        )
        fresh = [item for item in items if item["created_key"]["S"] != query.cursor]
        chosen = fresh[: query.limit]
        following = chosen[-1]["created_key"]["S"] if len(fresh) > query.limit else ""
        return LoopPage(tuple(map(_loop, chosen)), following)

    def open_loops_of_team(self, workteam_arn: str, *, limit: int) -> Sequence[Loop]:
        """Open loops, the oldest first; see the port."""
        return [_loop(item) for item in self._query("team", workteam_arn, limit=limit)]

    def count_open_loops(self, flow_definition_arn: str) -> int:
        """The number of open loops; see the port."""
        item = self._get(_count_key(flow_definition_arn))
        return 0 if item is None else int(item["open_loops"]["N"])

    def due_loops(self, now: datetime, *, limit: int) -> Sequence[Loop]:
        """Loops that are due; see the port. Read again one by one, because the index may lag."""
        items = self._query("due", _DUE, between=("!", f"{sortable(now)}#~"), limit=limit)
        names = [item["pk"]["S"].removeprefix("LOOP#") for item in items]
        return [loop for name in names if (loop := self.find_loop(name)) is not None]

    # Resources

    def create_resource(self, resource: Resource) -> Resource:
        """Store a new resource; see the port."""
        stored = replace(resource, version=1)
        request = {
            "TableName": self._table,
            "Item": _resource_item(stored),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        self._conditional(self._client.put_item, request, failure=RecordExistsError(resource.arn))
        return stored

    def replace_resource(self, resource: Resource) -> Resource:
        """Store `resource` over its own version; see the port."""
        stored = replace(resource, version=resource.version + 1)
        request = {
            "TableName": self._table,
            "Item": _resource_item(stored),
            "ConditionExpression": "version = :version",
            "ExpressionAttributeValues": {":version": {"N": str(resource.version)}},
        }
        self._conditional(self._client.put_item, request, failure=RecordChangedError(resource.arn))
        return stored

    def delete_resource(self, resource: Resource) -> None:
        """Remove exactly this version; see the port."""
        request = {
            "TableName": self._table,
            "Key": _resource_key(resource.kind, resource.name),
            "ConditionExpression": "version = :version",
            "ExpressionAttributeValues": {":version": {"N": str(resource.version)}},
        }
        self._conditional(self._client.delete_item, request, failure=RecordChangedError(resource.arn))

    def find_resource(self, kind: ResourceKind, *, name: str) -> Resource | None:
        """The resource as of now; see the port."""
        item = self._get(_resource_key(kind, name))
        return None if item is None else _resource(item)

    def list_resources(self, kind: ResourceKind) -> Sequence[Resource]:
        """All resources of a kind; see the port."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": f"RESOURCE#{kind}"}},
            "ConsistentRead": True,
        }
        found: list[Resource] = []
        while True:
            reply = self._call(self._client.query, request)
            found.extend(_resource(item) for item in reply["Items"])
            if "LastEvaluatedKey" not in reply:
                return found
            request["ExclusiveStartKey"] = reply["LastEvaluatedKey"]

    def secret(self, name: str, *, proposal: str) -> str:
        """The secret kept under `name`; see the port."""
        key = {"pk": {"S": f"SECRET#{name}"}, "sk": {"S": "SECRET"}}
        request = {
            "TableName": self._table,
            "Item": {**key, "value": {"S": proposal}},
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        try:
            self._conditional(self._client.put_item, request, failure=RecordExistsError(name))
        except RecordExistsError:
            item = self._get(key)
            if item is not None:
                return item["value"]["S"]
        return proposal

    # DynamoDB

    def _get(self, key: _Item) -> _Item | None:
        request = {"TableName": self._table, "Key": key, "ConsistentRead": True}
        item: _Item | None = self._call(self._client.get_item, request).get("Item")
        return item

    def _query(
        self,
        index: str,
        partition: str,
        *,
        limit: int,
        between: tuple[str, str] = ("!", "~"),
        ascending: bool = True,
    ) -> list[_Item]:
        partition_key, sort_key = _INDEXES[index]
        request: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": index,
            "KeyConditionExpression": f"{partition_key} = :partition AND {sort_key} BETWEEN :low AND :high",
            "ExpressionAttributeValues": {
                ":partition": {"S": partition},
                ":low": {"S": between[0]},
                ":high": {"S": between[1]},
            },
            "ScanIndexForward": ascending,
        }
        items: list[_Item] = []
        while len(items) < limit:
            reply = self._call(self._client.query, request | {"Limit": limit - len(items)})
            items.extend(reply["Items"])
            if "LastEvaluatedKey" not in reply:
                break
            request["ExclusiveStartKey"] = reply["LastEvaluatedKey"]
        return items

    def _count_update(self, loop: Loop, *, change: int, condition: str, limit: int) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Key": _count_key(loop.terms.flow_definition_arn),
            "UpdateExpression": "ADD open_loops :change",
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {":change": {"N": str(change)}, ":limit": {"N": str(limit)}},
        }

    def _conditional(
        self, call: Callable[..., Any], request: Mapping[str, Any], *, failure: Exception
    ) -> None:
        try:
            self._call(call, request)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise failure from error
            raise

    def _transact(self, items: list[dict[str, Any]], *, failures: tuple[Exception, ...]) -> None:
        for attempt in range(_CONFLICT_ATTEMPTS):
            try:
                self._call(self._client.transact_write_items, {"TransactItems": items})
                return
            except ClientError as error:
                reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", ())]
                for reason, failure in zip(reasons, failures, strict=False):
                    if reason == "ConditionalCheckFailed":
                        raise failure from error
                if "TransactionConflict" not in reasons:
                    raise
            time.sleep(random.uniform(0, 0.02 * 2 ** min(attempt, 5)))  # noqa: S311
        raise StoreUnavailableError("too many writers want the same record; try again")

    def _call(self, call: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        try:
            return call(**request)
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
            code = error.response["Error"]["Code"]
            if status >= 500 or "Throttl" in code or "ThroughputExceeded" in code or "LimitExceeded" in code:
                raise StoreUnavailableError(f"DynamoDB: {code}") from error
            raise
        except BotoCoreError as error:
            raise StoreUnavailableError(f"DynamoDB: {error}") from error


def _loop_key(name: str) -> _Item:
    return {"pk": {"S": f"LOOP#{name}"}, "sk": {"S": "LOOP"}}


def _count_key(flow_definition_arn: str) -> _Item:
    return {"pk": {"S": f"FLOW#{flow_definition_arn}"}, "sk": {"S": "OPEN"}}


def _resource_key(kind: ResourceKind, name: str) -> _Item:
    return {"pk": {"S": f"RESOURCE#{kind}"}, "sk": {"S": name}}


def _loop_item(loop: Loop) -> _Item:
    item = _loop_key(loop.name) | {
        "body": {"S": loop_text(loop)},
        "version": {"N": str(loop.version)},
        "flow_arn": {"S": loop.terms.flow_definition_arn},
        "created_key": {"S": f"{sortable(loop.created_at)}#{loop.name}"},
    }
    if loop.is_open:
        item["open_team"] = {"S": loop.terms.workteam_arn}
    if (due_at := transitions.due_at(loop)) is not None:
        item |= {"due_group": {"S": _DUE}, "due_key": {"S": f"{sortable(due_at)}#{loop.name}"}}
    return item


def _loop(item: _Item) -> Loop:
    return parse_loop(item["body"]["S"], version=int(item["version"]["N"]))


def _resource_item(resource: Resource) -> _Item:
    return _resource_key(resource.kind, resource.name) | {
        "body": {"S": resource_text(resource)},
        "version": {"N": str(resource.version)},
    }


def _resource(item: _Item) -> Resource:
    return parse_resource(item["body"]["S"], version=int(item["version"]["N"]))
