"""From an ID token to the reviewer that it names (OpenID Connect Core 1.0, section 3.1.3.7)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import jwt

from overread_review.identity.errors import SignInRefusedError
from overread_review.identity.providers import Keys, OidcProvider
from overread_review.service.model import Reviewer

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "PS256")
"""Asymmetric ones only: a token that anybody could have signed with a known text is refused."""
_LEEWAY = timedelta(seconds=60)
_REQUIRED = ["iss", "sub", "aud", "exp", "iat", "nonce"]
_LONGEST_TEXT = 200


def reviewer_of(token: str, *, provider: OidcProvider, keys: Keys, nonce: str, now: datetime) -> Reviewer:
    """Who the provider says it is.

    Raises:
        SignInRefusedError: the token is not the provider's, not for this client and sign-in, or over.
        KeyUnknownError: it names a key that the provider does not publish.
    """
    claims = _claims(token, provider=provider, keys=keys)
    _check_times(claims, now=now)
    if claims["nonce"] != nonce:
        raise SignInRefusedError("the identity provider answered another sign-in")
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != provider.client_id:
        raise SignInRefusedError("the token was made for another program too")
    # An address that the provider does not know to be theirs must not take an invitation's place.
    email = "" if claims.get("email_verified") in (False, "false") else _text(claims.get("email"))
    name = _text(claims.get("name")) or email or _text(claims.get("cognito:username")) or claims["sub"]
    return Reviewer(
        name=name[:_LONGEST_TEXT],
        sub=claims["sub"],
        groups=_groups(claims.get(provider.groups_claim)),
        provider=provider.id,
        issuer=provider.issuer,
        email=email[:_LONGEST_TEXT],
    )


def _claims(token: str, *, provider: OidcProvider, keys: Keys) -> dict[str, Any]:
    try:
        header = jwt.get_unverified_header(token)
        kid = header.get("kid")
        if header.get("alg") not in ALGORITHMS or not isinstance(kid, str):
            raise SignInRefusedError("the token is not signed with a key of the identity provider")
        claims: dict[str, Any] = jwt.decode(
            token,
            keys(provider, kid),
            algorithms=list(ALGORITHMS),
            audience=provider.client_id,
            issuer=provider.issuer,
            # Times are compared below, with the clock that the program was given.
            options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
    except (jwt.PyJWTError, TypeError) as error:  # TypeError: a key of another kind than the algorithm's
        raise SignInRefusedError(f"the identity provider's token is not valid: {error}") from error
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= _LONGEST_TEXT:
        raise SignInRefusedError("the identity provider's token names nobody")
    return claims


def _check_times(claims: Mapping[str, Any], *, now: datetime) -> None:
    for name in ("exp", "iat"):
        if not isinstance(claims[name], int | float) or not math.isfinite(claims[name]):
            raise SignInRefusedError(f"the identity provider's token has no usable {name}")
    if now.timestamp() >= claims["exp"] + _LEEWAY.total_seconds():
        raise SignInRefusedError("the identity provider's token is over")
    if claims["iat"] > now.timestamp() + _LEEWAY.total_seconds():
        raise SignInRefusedError("the identity provider's token is of a time to come")


def _groups(value: object) -> frozenset[str]:
    """A list of texts, or one text with commas between, as some providers write it."""
    listed = value.split(",") if isinstance(value, str) else value
    if not isinstance(listed, list):
        return frozenset()
    return frozenset(one.strip() for one in listed if isinstance(one, str) and one.strip())


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) and value.isprintable() else ""
