"""Signed session cookies and the CSRF tokens that belong to them; nothing is kept on the server."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from overread_review.service.model import Reviewer

COOKIE = "overread_session"
_PURPOSE = "session"
CSRF_HEADER = "x-overread-csrf"
LIFETIME = timedelta(hours=8)
MAX_COOKIE_BYTES = 3_900
"""Browsers drop a cookie of more than 4,096 bytes, name and attributes included."""


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in; `session_id` ties the CSRF token to the cookie."""

    reviewer: Reviewer
    session_id: str
    expires_at: datetime


class Sessions:
    """Opens, reads and checks sessions under one secret."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"overread portal session" + secret.encode()).digest()

    def open(self, reviewer: Reviewer, *, now: datetime) -> Session:
        """A new session."""
        return Session(reviewer, secrets.token_urlsafe(18), now + LIFETIME)

    def cookie(self, session: Session) -> str:
        """The cookie's value."""
        reviewer = session.reviewer
        return self.signed(
            [
                *(reviewer.name, reviewer.sub, reviewer.provider, reviewer.issuer, reviewer.email),
                sorted(reviewer.groups),
                session.session_id,
            ],
            purpose=_PURPOSE,
            expires_at=session.expires_at,
        )

    def read(self, cookie: str, *, now: datetime) -> Session | None:
        """The session behind a cookie; None when it is forged, malformed or over."""
        found = self._unsigned(cookie, purpose=_PURPOSE, now=now)
        if found is None:
            return None
        (name, sub, provider, issuer, email, groups, session_id), expires_at = found
        reviewer = Reviewer(
            name=name, sub=sub, groups=frozenset(groups), provider=provider, issuer=issuer, email=email
        )
        return Session(reviewer, session_id, expires_at)

    def csrf_token(self, session: Session) -> str:
        """What state-changing calls of this session must send in the header."""
        return self._mac("csrf", session.session_id)

    def is_csrf_token(self, token: str, *, session: Session) -> bool:
        """Whether the token belongs to the session."""
        return hmac.compare_digest(token.encode(), self.csrf_token(session).encode())

    def signed(self, values: list[object], *, purpose: str, expires_at: datetime) -> str:
        """Any JSON values as text that only this service can have written, for one `purpose`."""
        payload = json.dumps([values, expires_at.timestamp()], separators=(",", ":"))
        packed = base64.urlsafe_b64encode(zlib.compress(payload.encode(), 9)).decode().rstrip("=")
        return f"{packed}.{self._mac(purpose, packed)}"

    def unsigned(self, text: str, *, purpose: str, now: datetime) -> list[object] | None:
        """The values behind `signed`; None when the text is forged, for another purpose, or over."""
        found = self._unsigned(text, purpose=purpose, now=now)
        return None if found is None else found[0]

    def _unsigned(self, text: str, *, purpose: str, now: datetime) -> tuple[list, datetime] | None:  # type: ignore[type-arg]
        packed, _, mac = text.partition(".")
        if not text.isascii():
            return None
        if not hmac.compare_digest(mac.encode(), self._mac(purpose, packed).encode()):
            return None
        payload = zlib.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
        values, expires = json.loads(payload)
        expires_at = datetime.fromtimestamp(expires, tz=now.tzinfo)
        return (values, expires_at) if now < expires_at else None

    def _mac(self, purpose: str, text: str) -> str:
        return hmac.new(self._key, f"{purpose}:{text}".encode(), hashlib.sha256).hexdigest()
