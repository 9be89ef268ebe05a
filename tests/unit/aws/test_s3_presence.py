"""Which objects S3 says are there."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from overread_aws.s3_presence import Presence, presences


class Bucket:
    """An S3 client that answers HEAD with the status of each key."""

    def __init__(self, **status: int) -> None:
        self._status = status
        self.asked: list[tuple[str, str]] = []

    def head_object(self, *, Bucket: str, Key: str) -> None:  # noqa: N803
        self.asked.append((Bucket, Key))
        status = self._status.get(Key, 200)
        if status != 200:
            reply: Any = {"Error": {"Code": str(status)}, "ResponseMetadata": {"HTTPStatusCode": status}}
            raise ClientError(reply, "HeadObject")


def test_each_object_is_asked_for_and_answered_in_order() -> None:
    bucket = Bucket(gone=404, shut=403)
    uris = ["s3://scans/here", "s3://scans/gone", "s3://scans/shut", "s3://scans/a/b c"]
    found = list(presences(bucket, uris))
    assert found == [Presence.THERE, Presence.MISSING, Presence.DENIED, Presence.THERE]
    assert sorted(bucket.asked) == [("scans", key) for key in ("a/b c", "gone", "here", "shut")]


def test_an_s3_that_cannot_tell_is_an_error() -> None:
    with pytest.raises(ClientError):
        list(presences(Bucket(x=503), ["s3://scans/x"]))
