"""One sign-in, from the link to the reviewer: code with PKCE (RFC 6749, RFC 7636), state and nonce."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from overread_review.identity.errors import SignInRefusedError
from overread_review.identity.providers import Exchange, Keys, OidcProvider
from overread_review.identity.tokens import reviewer_of
from overread_review.portal.sessions import Sessions
from overread_review.service.model import Reviewer

PENDING_FOR = timedelta(minutes=10)
_PURPOSE = "sign-in"
_SCOPE = "openid email profile"


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes, and the cookie that it brings back."""

    address: str
    cookie: str


def depart(
    provider: OidcProvider, *, redirect_uri: str, sessions: Sessions, back_to: str, now: datetime
) -> Departure:
    """Begin a sign-in; `back_to` is where in the portal the reviewer wanted to go."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    query = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri,
        "scope": _SCOPE,
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    glue = "&" if "?" in provider.authorization_endpoint else "?"
    cookie = sessions.signed(
        [provider.id, state, nonce, verifier, back_to], purpose=_PURPOSE, expires_at=now + PENDING_FOR
    )
    return Departure(f"{provider.authorization_endpoint}{glue}{urlencode(query)}", cookie)


def arrive(
    provider: OidcProvider,
    *,
    query: Mapping[str, str],
    cookie: str,
    redirect_uri: str,
    sessions: Sessions,
    exchange: Exchange,
    keys: Keys,
    now: datetime,
) -> tuple[Reviewer, str]:
    """Who came back from the provider, and where in the portal they wanted to go.

    Raises:
        SignInRefusedError: this browser began no such sign-in, it is over, or its token cannot be trusted.
        ExchangeError: the provider gives no token for the code.
        KeyUnknownError: the token's key is not the provider's.
    """
    pending = sessions.unsigned(cookie, purpose=_PURPOSE, now=now)
    if pending is None:
        raise SignInRefusedError("this sign-in was not begun here, or took too long; begin again")
    provider_id, state, nonce, verifier, back_to = (str(value) for value in pending)
    if provider_id != provider.id or not hmac.compare_digest(query.get("state", "").encode(), state.encode()):
        raise SignInRefusedError("this sign-in was not begun here; begin again")
    if "error" in query:
        raise SignInRefusedError(_refused_by_provider(query))
    code = query.get("code", "")
    if not code:
        raise SignInRefusedError("the identity provider sent no code")
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    token = exchange(provider, form).get("id_token")
    if not isinstance(token, str):
        raise SignInRefusedError("the identity provider sent no ID token")
    return reviewer_of(token, provider=provider, keys=keys, nonce=nonce, now=now), back_to


def _refused_by_provider(query: Mapping[str, str]) -> str:
    described = query.get("error_description") or query["error"]
    shown = "".join(char for char in described if char.isprintable())[:200]
    return f"the identity provider says: {shown}"
