"""How far the analytics export has come, and the output manifests that it reads, in S3."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from overread.analytics import Progress
from overread.errors import RecordConflictError
from overread_aws.failures import calling, error_code

_MISSING = frozenset({"NoSuchKey", "404", "NotFound"})
_MOVED = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
MANIFEST = "/manifests/output/output.manifest"


class ExportMarks:
    """The port `Marks`: one object, written only over the version that was read."""

    def __init__(self, client: Any, *, bucket: str, key: str) -> None:
        self._client = client
        self._bucket = bucket
        self._key = key

    def read(self) -> Progress:
        """The progress, zero before the first run."""
        try:
            with calling("GetObject"):
                reply = _got(self._client, self._bucket, self._key)
                document = json.loads(reply["Body"].read())
        except _MissingError:
            return Progress({})
        return Progress({shard: int(seq) for shard, seq in document.items()}, etag=reply["ETag"])

    def write(self, progress: Progress) -> Progress:
        """Notes it, if nobody else has meanwhile.

        Raises:
            RecordConflictError: another run has.
        """
        fence = {"IfMatch": progress.etag} if progress.etag else {"IfNoneMatch": "*"}
        body = json.dumps(dict(progress.reached), sort_keys=True).encode()
        with calling("PutObject"):
            reply = self._put(body, fence)
        return replace(progress, etag=str(reply["ETag"]))

    def _put(self, body: bytes, fence: dict[str, str]) -> dict[str, Any]:
        try:
            reply: dict[str, Any] = self._client.put_object(
                Bucket=self._bucket, Key=self._key, Body=body, ContentType="application/json", **fence
            )
        except ClientError as error:
            if error_code(error) in _MOVED:
                raise RecordConflictError from error
            raise
        return reply


class ManifestMarks:
    """Which version of each output manifest was exported; lost, all are exported again."""

    def __init__(self, client: Any, *, bucket: str, key: str) -> None:
        self._client = client
        self._bucket = bucket
        self._key = key

    def read(self) -> dict[str, str]:
        """Version tags by key, none before the first run."""
        try:
            with calling("GetObject"):
                found: dict[str, str] = json.loads(_got(self._client, self._bucket, self._key)["Body"].read())
        except _MissingError:
            return {}
        return found

    def write(self, tags: dict[str, str]) -> None:
        """Notes them."""
        with calling("PutObject"):
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._key,
                Body=json.dumps(tags, sort_keys=True).encode(),
                ContentType="application/json",
            )


@dataclass(frozen=True, slots=True)
class OutputManifests:
    """Output manifests of labeling jobs below a prefix of a bucket."""

    client: Any
    bucket: str
    prefix: str

    def manifests(self) -> Iterator[tuple[str, str, str]]:
        """Name of the job, key and version tag of each manifest that is there."""
        with calling("ListObjectsV2"):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self.prefix
            )
            for page in pages:
                for one in page.get("Contents", ()):
                    if one["Key"].endswith(MANIFEST):
                        job = one["Key"].removesuffix(MANIFEST).rsplit("/", 1)[-1]
                        yield job, one["Key"], one["ETag"]

    def lines(self, key: str) -> Iterator[bytes]:
        """The lines of a manifest, one at a time."""
        with calling("GetObject"):
            yield from self.client.get_object(Bucket=self.bucket, Key=key)["Body"].iter_lines()


class _MissingError(Exception):
    """No run has noted anything yet."""


def _got(client: Any, bucket: str, key: str) -> dict[str, Any]:
    try:
        reply: dict[str, Any] = client.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error_code(error) in _MISSING:
            raise _MissingError from error
        raise
    return reply
