"""What decided cases teach the next model, as a data set in a bucket."""

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from overread.decisions.record import OutboxEntry
from overread.delivery.lessons import FEEDBACK, manifest_key, manifest_line, manifest_prefix
from overread.errors import PermanentError
from overread_aws.failures import calling, error_code

_GONE = ("404", "NoSuchKey", "NoSuchVersion", "NotFound", "405", "MethodNotAllowed")


class FeedbackReceiver:
    """The port `Receiver` of target `feedback`: an object a case, whose name makes twice once."""

    def __init__(self, client: Any, *, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def deliver(self, entry: OutboxEntry) -> None:
        """Puts the case's line."""
        lesson = json.loads(entry.payload)
        with calling("PutObject"):
            self._client.put_object(
                Bucket=self._bucket,
                Key=manifest_key(lesson),
                Body=manifest_line(lesson),
                ContentType="application/jsonlines",
            )


class FeedbackSet:
    """The data set, read."""

    def __init__(self, client: Any, *, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def use_cases(self) -> list[str]:
        """Those of which there are lines."""
        pages = self._pages(Prefix=FEEDBACK, Delimiter="/")
        found = [one["Prefix"] for page in pages for one in page.get("CommonPrefixes", ())]
        return [prefix.removeprefix(FEEDBACK).rstrip("/") for prefix in found]

    def keys(self, use_case: str) -> Iterator[str]:
        """Of each of the use case's lines, in no order that means anything."""
        for page in self._pages(Prefix=manifest_prefix(use_case)):
            for one in page.get("Contents", ()):
                yield one["Key"]

    def line(self, key: str) -> bytes | None:
        """The line, ending in a line feed; None once it, or the input that it tells of, was erased.

        Raises:
            ServiceError: it cannot be read, or is no line of a manifest.
        """
        try:
            with calling("GetObject"):
                body: bytes = self._got("get_object", Bucket=self._bucket, Key=key)["Body"].read()
                self._got("head_object", **_input_of(body, key=key))
        except _GoneError:
            return None
        return body

    def _got(self, operation: str, **request: Any) -> dict[str, Any]:
        try:
            reply: dict[str, Any] = getattr(self._client, operation)(**request)
        except ClientError as error:
            if error_code(error) in _GONE:
                raise _GoneError from error
            raise
        return reply

    def _pages(self, **request: Any) -> Iterator[dict[str, Any]]:
        with calling("ListObjectsV2"):
            yield from self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, **request)


def _input_of(line: bytes, *, key: str) -> dict[str, str]:
    try:
        lesson = json.loads(line)
        bucket, _, place = lesson["source-ref"].removeprefix("s3://").partition("/")
        return {"Bucket": bucket, "Key": place, "VersionId": lesson["source-ref-version"]}
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise PermanentError("NoManifestLine", operation="GetObject", message=key) from error


class _GoneError(Exception):
    """The object is not there any more."""
