"""The ways in which templates write the address of an S3 object."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

_VIRTUAL_HOST = re.compile(
    r"^(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\.s3[.-]?(?:dualstack\.)?(?:[a-z0-9-]+\.)?amazonaws\.com(?:\.cn)?$"
)
_PATH_HOST = re.compile(r"^s3[.-]?(?:dualstack\.)?(?:[a-z0-9-]+\.)?amazonaws\.com(?:\.cn)?$")


@dataclass(frozen=True)
class S3Location:
    """One object of one bucket; `key` is not URL-encoded."""

    bucket: str
    key: str


SignUrl = Callable[[S3Location], str]
"""Gives a short-lived address under which a browser can read the object."""


def parse_s3_location(text: str) -> S3Location | None:
    """The object that `text` names, or None when it is no S3 address.

    Understands `s3://bucket/key`, path style (`http(s)://s3.amazonaws.com/bucket/key`, with or without a
    region) and virtual-host style (`https://bucket.s3.eu-west-1.amazonaws.com/key`). Only http(s) keys are
    URL-decoded: an `s3://` address is not a URL and its key is meant literally.
    """
    stripped = text.strip()
    if stripped.startswith("s3://"):
        bucket, _, key = stripped[len("s3://") :].partition("/")
        return S3Location(bucket=bucket, key=key) if bucket and key else None
    try:
        parts = urlsplit(stripped)
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"}:
        return None
    path = parts.path.lstrip("/")
    if _PATH_HOST.match(host):
        bucket, _, key = path.partition("/")
    elif matched := _VIRTUAL_HOST.match(host):
        bucket, key = matched["bucket"], path
    else:
        return None
    return S3Location(bucket=bucket, key=unquote(key)) if bucket and key else None
