"""Keyed pseudonyms: the same for the same, and nothing about whom without the key.

    pseudonym = first 26 characters of base32(HMAC-SHA-256(key, kind + newline + identity)), lower case

130 bits: two of a thousand million identities share one with a probability below 10^-21. Who has the key can
tell by trial whose a pseudonym is, so the key is for the export alone; with another key all change.
"""

import base64
import hmac
from collections.abc import Sequence
from hashlib import sha256

LEAST_KEY_BYTES = 16
_LENGTH = 26


class Pseudonyms:
    """Pseudonyms under one key."""

    def __init__(self, key: bytes) -> None:
        """The key has at least 16 bytes.

        Raises:
            ValueError: it is shorter.
        """
        if len(key) < LEAST_KEY_BYTES:
            raise ValueError(f"key must have at least {LEAST_KEY_BYTES} bytes, got {len(key)}")
        self._key = key

    def of(self, kind: str, identity: str | Sequence[str]) -> str:
        """The pseudonym of an identity; other kinds of identity have others for the same text."""
        parts = [identity] if isinstance(identity, str) else list(identity)
        # Lengths, so that no two lists of parts spell the same.
        text = "\n".join([kind, *(f"{len(part)}:{part}" for part in parts)])
        digest = hmac.new(self._key, text.encode(), sha256).digest()
        return base64.b32encode(digest).decode().lower()[:_LENGTH]
