"""Signed session cookies and the CSRF tokens that belong to them; nothing is kept on the server."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

COOKIE = "overread_session"
CSRF_HEADER = "x-overread-csrf"
_LIFETIME = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in, by the name of the reviewer; `session_id` ties the CSRF token to the cookie."""

    reviewer_name: str
    session_id: str
    expires_at: datetime


class Sessions:
    """Opens, reads and checks sessions under one secret."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"overread portal session" + secret.encode()).digest()

    def open(self, reviewer_name: str, *, now: datetime) -> Session:
        """A new session."""
        return Session(reviewer_name, secrets.token_urlsafe(18), now + _LIFETIME)

    def cookie(self, session: Session) -> str:
        """The cookie's value."""
        payload = json.dumps([session.reviewer_name, session.session_id, session.expires_at.timestamp()])
        encoded = base64.urlsafe_b64encode(payload.encode()).decode().rstrip("=")
        return f"{encoded}.{self._mac('cookie', encoded)}"

    def read(self, cookie: str, *, now: datetime) -> Session | None:
        """The session behind a cookie; None when it is forged, malformed or over."""
        encoded, _, mac = cookie.partition(".")
        if not hmac.compare_digest(mac.encode(), self._mac("cookie", encoded).encode()):
            return None
        payload = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        name, session_id, expires = json.loads(payload)
        session = Session(name, session_id, datetime.fromtimestamp(expires, tz=now.tzinfo))
        return session if now < session.expires_at else None

    def csrf_token(self, session: Session) -> str:
        """What state-changing calls of this session must send in the header."""
        return self._mac("csrf", session.session_id)

    def is_csrf_token(self, token: str, *, session: Session) -> bool:
        """Whether the token belongs to the session."""
        return hmac.compare_digest(token.encode(), self.csrf_token(session).encode())

    def _mac(self, purpose: str, text: str) -> str:
        return hmac.new(self._key, f"{purpose}:{text}".encode(), hashlib.sha256).hexdigest()
