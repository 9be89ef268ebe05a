"""What AWS holds of a decision outside its record, for erasure."""

from collections.abc import Iterator
from typing import Any

from overread.decisions.record import StoredObject
from overread_aws.attribute_values import attribute_values
from overread_aws.evidence_keys import DynamoDbEvidenceKeys
from overread_aws.failures import calling

_NEWS = "OUTBOX#"


class AwsHoldings:
    """The port `Holdings`."""

    def __init__(self, client: Any, s3: Any, *, table: str) -> None:
        self._client = client
        self._s3 = s3
        self._table = table
        self._keys = DynamoDbEvidenceKeys(client, table=table)

    def undelivered(self, decision_id: str) -> int:
        """How many news of the decision are still to be delivered, or were given up and may be sent again."""
        return sum(1 for item in self._news(decision_id) if "outbox_state" in item)

    def delete_news(self, decision_id: str) -> int:
        """Deletes the news that were delivered; how many."""
        delivered = [item for item in self._news(decision_id) if "outbox_state" not in item]
        for item in delivered:
            with calling("DeleteItem"):
                self._client.delete_item(TableName=self._table, Key={"pk": item["pk"], "sk": item["sk"]})
        return len(delivered)

    def delete_object(self, stored: StoredObject) -> int:
        """Deletes every version of the object and every mark of a deletion; how many."""
        versions = [one for one in self._versions(stored) if one["Key"] == stored.key]
        for one in versions:
            with calling("DeleteObject"):
                self._s3.delete_object(Bucket=stored.bucket, Key=stored.key, VersionId=one["VersionId"])
        return len(versions)

    def delete_key(self, decision_id: str) -> int:
        """Deletes the key of the decision's archived evidence; how many there were."""
        return self._keys.delete(decision_id)

    def _news(self, decision_id: str) -> Iterator[dict[str, Any]]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :decision AND begins_with(sk, :news)",
            "ExpressionAttributeValues": attribute_values({":decision": decision_id, ":news": _NEWS}),
            "ProjectionExpression": "pk, sk, outbox_state",
        }
        while True:
            with calling("Query"):
                page = self._client.query(**request)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _versions(self, stored: StoredObject) -> Iterator[dict[str, Any]]:
        request = {"Bucket": stored.bucket, "Prefix": stored.key}
        while True:
            with calling("ListObjectVersions"):
                page = self._s3.list_object_versions(**request)
            yield from (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
            if not page.get("IsTruncated"):
                return
            request |= {
                "KeyMarker": page["NextKeyMarker"],
                "VersionIdMarker": page.get("NextVersionIdMarker", ""),
            }
