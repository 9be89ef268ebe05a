"""Invocations from SageMaker's data capture in S3."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from overread.audit.captured import endpoint_of, invocations_in
from overread.audit.reconcile import Invocation
from overread_aws.failures import calling

_HOUR = timedelta(hours=1)


class S3DataCapture:
    """What endpoints captured below a prefix of a bucket."""

    def __init__(self, client: Any, *, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    def between(self, begin: datetime, end: datetime) -> Iterator[Invocation]:
        """The invocations of the hours from `begin` to `end`, and none of other hours.

        Raises:
            ValueError: an object below the prefix is none of data capture's.
        """
        for key in self._keys():
            if begin - _HOUR < hour_of(key) <= end:
                with calling("GetObject"):
                    body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
                yield from invocations_in(body.splitlines(), endpoint=endpoint_of(key))

    def _keys(self) -> Iterator[str]:
        request = {"Bucket": self._bucket, "Prefix": self._prefix}
        while True:
            with calling("ListObjectsV2"):
                page = self._client.list_objects_v2(**request)
            yield from (one["Key"] for one in page.get("Contents", ()))
            if not page.get("IsTruncated"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]


def hour_of(path: str) -> datetime:
    """The hour that a path of data capture names.

    Raises:
        ValueError: the path is another one.
    """
    endpoint_of(path)
    year, month, day, hour = map(int, path.split("/")[-5:-1])
    return datetime(year, month, day, hour, tzinfo=UTC)
