"""Signed webhooks: HMAC-SHA256 over time and body, as a sender makes them and a receiver checks them."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from overread.errors import WebhookRefusedError

TIMESTAMP, SIGNATURE, DEDUPE_KEY = "Overread-Timestamp", "Overread-Signature", "Overread-Dedupe-Key"
WINDOW_S = 300
"""How far a webhook's time may lie from the receiver's."""
_VERSION = "v1"
_SIGNATURES = 8
"""More than that nobody signs with at a time."""


def signed_headers(body: bytes, *, secret: bytes, timestamp: int, dedupe_key: str) -> dict[str, str]:
    """The headers of a webhook; `timestamp` in seconds since 1970."""
    return {
        "Content-Type": "application/json",
        TIMESTAMP: str(timestamp),
        SIGNATURE: f"{_VERSION}={_digest(body, secret=secret, timestamp=str(timestamp))}",
        DEDUPE_KEY: dedupe_key,
    }


def verify(
    body: bytes, headers: Mapping[str, str], *, secrets: Sequence[bytes], now: float, window_s: int = WINDOW_S
) -> None:
    """Returns when the body is from whoever has one of `secrets`, and of now.

    Several secrets are for the time in which one replaces another.

    Raises:
        WebhookRefusedError: a header is missing, the time is too far away, or no signature fits.
    """
    given = {name.lower(): value for name, value in headers.items()}
    timestamp, signature = given.get(TIMESTAMP.lower(), ""), given.get(SIGNATURE.lower(), "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise WebhookRefusedError(f"header {TIMESTAMP} must be seconds since 1970, got {timestamp[:40]!r}")
    if not abs(now - int(timestamp)) <= window_s:
        raise WebhookRefusedError(f"header {TIMESTAMP} must be within {window_s} s of now, got {timestamp}")
    parts = [part.strip().partition("=") for part in signature.split(",")[:_SIGNATURES]]
    stated = [value for version, _, value in parts if version == _VERSION]
    expected = [_digest(body, secret=secret, timestamp=timestamp) for secret in secrets]
    fits = [_is_same(one, other) for one in stated for other in expected]
    if not any(fits):
        raise WebhookRefusedError(f"header {SIGNATURE} must be the body's, with a secret of this receiver")


def _is_same(one: str, other: str) -> bool:
    """Takes as long whether they differ early or late."""
    return hmac.compare_digest(one.encode(errors="replace"), other.encode())


def _digest(body: bytes, *, secret: bytes, timestamp: str) -> str:
    return hmac.digest(secret, timestamp.encode() + b"." + body, hashlib.sha256).hex()
