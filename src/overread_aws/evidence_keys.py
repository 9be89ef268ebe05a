"""Keys of archived evidence, and how far archiving has come, in the table of decisions."""

import base64
import secrets
from collections.abc import Iterator
from typing import Any

from overread_aws.attribute_values import attribute_values
from overread_aws.decision_table import NOT_THERE, DecisionTable, Key, refused_with
from overread_aws.failures import calling

KEY_BYTES = 32
_KEYS = "KEY#"


class _TakenError(Exception):
    """The decision has, or had, a key already."""


class DynamoDbEvidenceKeys:
    """The port `Keys`. A decision points at its subject, whose keys lie side by side."""

    def __init__(self, client: Any, *, table: str) -> None:
        self._client = client
        self._name = table
        self._table = DecisionTable(client, name=table)

    def key_for(self, decision_id: str, *, subject: str) -> bytes | None:
        """The decision's key, made when there never was one; None when it was erased."""
        known = self.key_of(decision_id)
        if known is not None:
            return known
        made = secrets.token_bytes(KEY_BYTES)
        taken = refused_with(_TakenError())
        writes = [
            self._table.put(_pointer(decision_id), {"subject": subject}, condition=NOT_THERE, refusal=taken),
            self._table.put(_key(subject, decision_id), {"key": base64.b64encode(made).decode()}),
        ]
        try:
            self._table.write(writes)
        except _TakenError:
            return self.key_of(decision_id)
        return made

    def key_of(self, decision_id: str) -> bytes | None:
        """The decision's key; None when it never had one or was erased."""
        pointer = self._table.get(_pointer(decision_id))
        item = None if pointer is None else self._table.get(_key(pointer["subject"], decision_id))
        return None if item is None else base64.b64decode(item["key"])

    def delete(self, decision_id: str) -> int:
        """Deletes the decision's key; how many there were. The pointer stays, so that none is made again."""
        pointer = self._table.get(_pointer(decision_id))
        if pointer is None:
            return 0
        pk, sk = _key(pointer["subject"], decision_id)
        with calling("DeleteItem"):
            reply = self._client.delete_item(
                TableName=self._name, Key=attribute_values({"pk": pk, "sk": sk}), ReturnValues="ALL_OLD"
            )
        return int("Attributes" in reply)

    def decisions_of(self, subject: str) -> Iterator[str]:
        """The decisions about a subject whose keys were not erased."""
        request: dict[str, Any] = {
            "TableName": self._name,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :subject AND begins_with(sk, :keys)",
            "ExpressionAttributeValues": attribute_values({":subject": f"SUBJECT#{subject}", ":keys": _KEYS}),
            "ProjectionExpression": "sk",
        }
        while True:
            with calling("Query"):
                page = self._client.query(**request)
            yield from (item["sk"]["S"].removeprefix(_KEYS) for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def reached(self, shard: str) -> int:
        """The place in the chain up to which evidence was archived."""
        item = self._table.get(_cursor(shard))
        return 0 if item is None else int(item["seq"])

    def reach(self, shard: str, seq: int) -> None:
        """Archived up to that place."""
        self._table.write_one(self._table.put(_cursor(shard), {"seq": seq}))


def _pointer(decision_id: str) -> Key:
    return decision_id, "SUBJECT"


def _key(subject: str, decision_id: str) -> Key:
    return f"SUBJECT#{subject}", f"{_KEYS}{decision_id}"


def _cursor(shard: str) -> Key:
    return f"EVIDENCE#{shard}", "REACHED"
