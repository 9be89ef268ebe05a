"""What a receiver of webhooks needs: whether one is genuine and of now, and what it tells."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from overread.delivery.signature import verify
from overread.errors import WebhookRefusedError

_SECRET_BYTES = 16


@dataclass(frozen=True, slots=True)
class Webhook:
    """News of a decision. The same `dedupe_key` again is the same news again."""

    event: str
    dedupe_key: str
    document: Mapping[str, Any]


def verify_webhook(
    body: bytes,
    headers: Mapping[str, str],
    *,
    secrets: Sequence[str | bytes],
    now: Callable[[], float] = time.time,
) -> Webhook:
    """The news in the webhook, once it is sure that they are genuine and at most five minutes old.

    `body` as it came, before any parsing. `secrets`: the current one, and while it is being replaced the
    other one too. News may come several times: keep `dedupe_key` and answer 200 to the second as well.

    Raises:
        WebhookRefusedError: it is not what its sender signed, not of now, or no webhook. Answer 401.
        ValueError: there is no secret to check with, or one that can be guessed.
    """
    verify(body, headers, secrets=_usable(secrets), now=now())
    try:
        document = json.loads(body)
        return Webhook(event=document["event"], dedupe_key=document["dedupe_key"], document=document)
    except (ValueError, KeyError, TypeError) as error:
        raise WebhookRefusedError("the body must be an object with event and dedupe_key") from error


def _usable(secrets: Sequence[str | bytes]) -> list[bytes]:
    if isinstance(secrets, str | bytes) or not secrets:
        raise ValueError("secrets must be a list of at least one secret")
    usable = [secret.encode() if isinstance(secret, str) else secret for secret in secrets]
    if any(len(secret) < _SECRET_BYTES for secret in usable):
        raise ValueError(f"each of secrets must have at least {_SECRET_BYTES} bytes")
    return usable
