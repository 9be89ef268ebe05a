"""Which of many S3 objects are there, asked one by one but several at a time."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError

_AT_ONCE = 8


class Presence(StrEnum):
    """What S3 says of an object. Who may not list a bucket is told `DENIED` for a missing object, too."""

    THERE = "there"
    MISSING = "missing"
    DENIED = "denied"


def presences(client: Any, uris: Sequence[str]) -> Iterator[Presence]:
    """The presence of each object s3://BUCKET/KEY, in their order.

    Raises:
        botocore.exceptions.ClientError: S3 cannot tell (throttled, broken).
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(lambda uri: _presence(client, uri), uris)


def _presence(client: Any, uri: str) -> Presence:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        client.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status == 404:
            return Presence.MISSING
        if status == 403:
            return Presence.DENIED
        raise
    return Presence.THERE
