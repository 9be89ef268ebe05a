"""Pseudonyms of people, where leads must not see whose figures or answers they look at."""

from __future__ import annotations

import base64
import hashlib
import hmac

_LENGTH = 7


class Aliases:
    """Pseudonyms under a secret of the deployment: without it nobody can tell who is behind one."""

    def __init__(self, secret: str) -> None:
        self._key = secret.encode()

    def lasting(self, person: str) -> str:
        """The same wherever the person appears."""
        return self._alias(person)

    def of_loop(self, person: str, loop_name: str) -> str:
        """Another one in every task."""
        return self._alias(f"{person}\n{loop_name}")

    def _alias(self, text: str) -> str:
        digest = hmac.new(self._key, text.encode(), hashlib.sha256).digest()
        return f"reviewer-{base64.b32encode(digest).decode()[:_LENGTH].lower()}"
