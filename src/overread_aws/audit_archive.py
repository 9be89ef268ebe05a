"""The audit archive: a bucket with Object Lock, read by first versions, which nobody can replace."""

import itertools
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from overread.audit.ports import Archived
from overread.errors import PermanentError
from overread_aws.failures import calling, error_code

_TAKEN = ("PreconditionFailed", "ConditionalRequestConflict")


class S3AuditArchive:
    """The port `Archive`. The bucket's default retention locks what is put."""

    def __init__(self, client: Any, *, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, body: bytes, *, content_type: str) -> None:
        """Stores the object once; the same bytes again are no second version.

        Raises:
            PermanentError: something else was stored there before.
        """
        with calling("PutObject"):
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=body,
                    ContentType=content_type,
                    IfNoneMatch="*",
                    ChecksumAlgorithm="SHA256",
                )
            except ClientError as error:
                if error_code(error) not in _TAKEN:
                    raise
            else:
                return
        if self.find(key) != body:
            raise PermanentError("ArchivedDifferently", operation="PutObject", message=key)

    def find(self, key: str) -> bytes | None:
        """The first bytes ever stored under exactly this key."""
        for archived in self.first_versions(key):
            if archived.key == key:
                return self.read(archived)
        return None

    def first_versions(self, prefix: str) -> Iterator[Archived]:
        """What was first stored under each key that begins so, in the order of the keys."""
        for key, versions in itertools.groupby(self._versions(prefix), key=lambda one: str(one["Key"])):
            stored = list(versions)  # the newest first
            bodies = [one for one in stored if "Size" in one]  # what has no size is a deletion
            if bodies:
                first = bodies[-1]
                yield Archived(key=key, version_id=first["VersionId"], is_only=len(stored) == 1)

    def read(self, archived: Archived) -> bytes:
        """The bytes of that very version."""
        with calling("GetObject"):
            reply = self._client.get_object(
                Bucket=self._bucket, Key=archived.key, VersionId=archived.version_id
            )
            body: bytes = reply["Body"].read()
        return body

    def _versions(self, prefix: str) -> Iterator[dict[str, Any]]:
        """Versions and deletions, by key, the newest of each first."""
        request = {"Bucket": self._bucket, "Prefix": prefix}
        while True:
            with calling("ListObjectVersions"):
                page = self._client.list_object_versions(**request)
            found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            # Both lists are sorted like this already; they only have to be merged.
            found.sort(key=lambda one: one["LastModified"], reverse=True)
            yield from sorted(found, key=lambda one: str(one["Key"]).encode())
            if not page.get("IsTruncated"):
                return
            request |= {
                "KeyMarker": page["NextKeyMarker"],
                "VersionIdMarker": page.get("NextVersionIdMarker", ""),
            }
