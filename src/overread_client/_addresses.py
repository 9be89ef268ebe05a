"""Addresses of Overread's APIs, and what requests to them are signed with."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import botocore.session

_REGION_IN_HOST = re.compile(r"\.execute-api\.([a-z0-9-]+)\.")


def checked_address(url: str, *, of: str) -> str:
    """`url` without a slash at its end.

    Raises:
        ValueError: it is no http(s) address.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.netloc:
        raise ValueError(f"url must be the http(s) address of a {of}, got {url!r}")
    return url.rstrip("/")


def botocore_session(session: Any) -> Any:
    """The botocore session inside a boto3 session; botocore's own as it is; a new one for None."""
    if session is None:
        return botocore.session.get_session()
    return session._session if hasattr(session, "resource") else session


def region_of(url: str, *, region: str | None, session: Any) -> str:
    """The region to sign for: the given one, that in the address, or the session's.

    Raises:
        ValueError: none of them names one.
    """
    named = _REGION_IN_HOST.search(urlsplit(url).netloc)
    found = region or (named[1] if named else None) or session.get_config_variable("region")
    if not found:
        raise ValueError(
            f"region must be given: neither {url!r} nor the session (AWS_DEFAULT_REGION) names one"
        )
    return str(found)
