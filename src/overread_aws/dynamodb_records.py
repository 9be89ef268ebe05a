"""Decision records, audit entries and loop entries in one DynamoDB table."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from overread.decisions.codec import audit_item, loop_item, loop_of, record_item, record_of
from overread.decisions.record import Change, Fence, LoopEntry, Record, State
from overread.errors import PermanentError, RecordConflictError, RetryableError
from overread.instants import format_instant
from overread_aws.attribute_values import attribute_values, plain_item
from overread_aws.failures import calling, error_code

OPEN_INDEX = "open"
_RECORD, _LOOP = "DECISION", "LOOP"
_CONFLICTS = {"ConditionalCheckFailed", "TransactionConflict"}


class DynamoDbRecords:
    """The port `Records`, and the sweep over what is open."""

    def __init__(self, client: Any, *, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, decision_id: str) -> Record | None:
        """The record as of now (a consistent read).

        Raises:
            PermanentError: an item stands there that is no record; whoever reads many goes on with the next.
        """
        item = self._get(decision_id, _RECORD)
        try:
            return None if item is None else record_of(item)
        except (KeyError, TypeError, ValueError) as error:
            raise PermanentError("RecordUnreadable", operation="GetItem", message=repr(error)) from error

    def find_loop(self, loop_name: str) -> LoopEntry | None:
        """Whose loop this is."""
        item = self._get(f"LOOP#{loop_name}", _LOOP)
        return None if item is None else loop_of(item)

    def write(self, change: Change) -> None:
        """All of the change or nothing; one plain write where it is one item.

        Raises:
            RecordConflictError: the fence does not hold, or another transaction is at the same items.
        """
        record_put = {**self._record_item(change.record), **_condition(change.fence)}
        others = [
            self._put(f"{entry.decision_id}", f"AUDIT#{entry.number:08d}", audit_item(entry))
            for entry in change.audit
        ]
        others += [self._put(f"LOOP#{entry.loop_name}", _LOOP, loop_item(entry)) for entry in change.loops]
        try:
            if others:
                puts = [{"Put": put} for put in (record_put, *others)]
                with calling("TransactWriteItems"):
                    self._transact(puts)
            else:
                with calling("PutItem"):
                    self._put_one(record_put)
        except _LostError as error:
            raise RecordConflictError(change.record.decision_id) from error

    def due(self, state: State, *, until: datetime) -> Iterator[str]:
        """The ids of records in `state` that were to be looked at by `until`, most overdue first."""
        query = {
            "TableName": self._table,
            "IndexName": OPEN_INDEX,
            "KeyConditionExpression": "open_state = :state AND due_at <= :until",
            "ExpressionAttributeValues": {
                ":state": {"S": str(state)},
                ":until": {"S": format_instant(until)},
            },
            "ProjectionExpression": "decision_id",
            "Limit": 100,
        }
        while True:
            with calling("Query"):
                page = self._client.query(**query)
            for item in page["Items"]:
                yield item["decision_id"]["S"]
            if "LastEvaluatedKey" not in page:
                return
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _get(self, pk: str, sk: str) -> dict[str, Any] | None:
        with calling("GetItem"):
            reply = self._client.get_item(
                TableName=self._table, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True
            )
        return plain_item(reply["Item"]) if "Item" in reply else None

    def _record_item(self, record: Record) -> dict[str, Any]:
        item = record_item(record)
        if record.due_at is not None:
            item["open_state"] = str(record.state)
        return self._put(record.decision_id, _RECORD, item)

    def _put(self, pk: str, sk: str, item: dict[str, Any]) -> dict[str, Any]:
        return {"TableName": self._table, "Item": attribute_values({"pk": pk, "sk": sk, **item})}

    def _put_one(self, put: dict[str, Any]) -> None:
        try:
            self._client.put_item(**put)
        except ClientError as error:
            if error_code(error) == "ConditionalCheckFailedException":
                raise _LostError from error
            raise

    def _transact(self, puts: list[dict[str, Any]]) -> None:
        try:
            self._client.transact_write_items(TransactItems=puts)
        except ClientError as error:
            if error_code(error) != "TransactionCanceledException":
                raise
            reasons = [reason.get("Code", "") for reason in error.response.get("CancellationReasons", [])]
            if _CONFLICTS.intersection(reasons):
                raise _LostError from error
            if any("Throttling" in code or "Throughput" in code for code in reasons):
                raise RetryableError("ThrottlingError", operation="TransactWriteItems") from error
            raise


class _LostError(Exception):
    """The write lost against another one."""


def _condition(fence: Fence | None) -> dict[str, Any]:
    if fence is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "#state = :state AND generation = :generation AND revision = :revision",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": {
            ":state": {"S": str(fence.state)},
            ":generation": {"N": str(fence.generation)},
            ":revision": {"N": str(fence.revision)},
        },
    }
