"""The audit log in the table of decisions, for reading."""

from collections.abc import Iterator
from typing import Any

from overread.audit.chain import Head, Link
from overread.decisions.codec import record_of
from overread.decisions.record import Record
from overread.errors import PermanentError
from overread_aws import decision_items as items
from overread_aws.attribute_values import attribute_values, plain_item
from overread_aws.decision_table import CHAIN_INDEX, Condition, DecisionTable
from overread_aws.failures import calling

_AUDIT, _DECISION = "AUDIT#", "DECISION"


class DynamoDbAuditLog:
    """The port `AuditLog`, and the records beside it."""

    def __init__(self, client: Any, *, table: str) -> None:
        self._client = client
        self._name = table
        self._table = DecisionTable(client, name=table)

    def head(self, shard: str) -> Head:
        """The end of the chain, as of now."""
        return items.head_of(self._table.get(items.head_key(shard)), shard=shard)

    def links(self, shard: str, *, after: int) -> Iterator[Link]:
        """The chain behind a place, in order; the index lags a little behind the table.

        Raises:
            PermanentError: an item that claims a place in the chain is no link.
        """
        key = Condition("chain_shard = :shard AND chain_seq > :after", {":shard": shard, ":after": after}, {})
        for page in self._table.pages(CHAIN_INDEX, key=key):
            yield from map(_link, page["Items"])

    def entries(self, subject: str) -> Iterator[Link]:
        """All links about one decision or change, in order, as of now."""
        for page in self._pages(subject, prefix=_AUDIT):
            yield from map(_link, page["Items"])

    def record(self, decision_id: str) -> Record | None:
        """The decision's record, as of now."""
        item = self._table.get(items.record_key(decision_id))
        return None if item is None else record_of(item)

    def decision_ids(self) -> Iterator[str]:
        """The ids of all records there are, in no order: this reads the whole table."""
        request = {
            "TableName": self._name,
            "FilterExpression": "sk = :decision",
            "ProjectionExpression": "pk",
            "ExpressionAttributeValues": attribute_values({":decision": _DECISION}),
        }
        while True:
            with calling("Scan"):
                page = self._client.scan(**request)
            for item in page["Items"]:
                yield item["pk"]["S"]
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _pages(self, subject: str, *, prefix: str) -> Iterator[dict[str, Any]]:
        request: dict[str, Any] = {
            "TableName": self._name,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :subject AND begins_with(sk, :prefix)",
            "ExpressionAttributeValues": attribute_values({":subject": subject, ":prefix": prefix}),
        }
        while True:
            with calling("Query"):
                page = self._client.query(**request)
            yield page
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _link(attributes: dict[str, Any]) -> Link:
    item = plain_item(attributes)
    try:
        return items.link_of(item)
    except (KeyError, TypeError, ValueError) as error:
        place = f"{item.get('pk')} {item.get('sk')}"
        raise PermanentError("AuditEntryUnreadable", operation="Query", message=place) from error
