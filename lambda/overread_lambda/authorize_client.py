"""Lets OIDC clients call the decision API: checks the bearer token that client credentials gave them.

API Gateway asks this function before any other one runs, and keeps its answer for as long as the deployment
says. What it lets in is the decisions' calls only: kill switches and the roster take an AWS principal.
"""

import json
import math
import os
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import jwt

from overread.decisions.ids import client_scope
from overread.errors import OverreadError
from overread_lambda.entry import entry
from overread_lambda.logs import log
from overread_lambda.settings import AuthorizeSettings, authorize_settings

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "PS256")
"""Asymmetric ones only: a token that anybody could have signed with a known text is refused."""
CALLS = (
    "POST/v1/use-cases/*/decisions",
    "GET/v1/decisions",
    "GET/v1/decisions/*",
    "POST/v1/decisions/*/cancel",
    "POST/v1/decisions/*/contest",
    "POST/v1/decisions/*/outcome",
)
_LONGEST_TOKEN = 8 * 1024
_LEEWAY_S = 60
_CLIENT_CLAIMS = ("client_id", "azp", "appid")
"""Where RFC 9068, OpenID Connect and Microsoft name the client."""
_TIMEOUT_S = 5
_LARGEST_ANSWER = 1024 * 1024

Keys = Callable[[str], Any]
"""The provider's public key of a token. Raises jwt.PyJWTError."""


class UnauthorizedError(OverreadError):
    """What API Gateway turns into 401: it compares the text."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


class ProviderError(OverreadError):
    """The identity provider's keys cannot be read now."""


@entry(ProviderError, UnauthorizedError)
def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """What API Gateway calls."""
    return respond(event, settings=_settings(), keys=_published_key, now=datetime.now(UTC))


class _TokenError(Exception):
    """Why a token does not count; for the log only, never for its bearer."""


def respond(
    event: Mapping[str, Any], *, settings: AuthorizeSettings, keys: Keys, now: datetime
) -> dict[str, Any]:
    """The policy that lets the token's client make the decisions' calls, under its own scope.

    Raises:
        UnauthorizedError: the token is missing, over, not the provider's, or not for this API.
        ProviderError: the provider's keys cannot be read now.
    """
    try:
        client = _client(_bearer_token(event), settings=settings, keys=keys, now=now)
    except _TokenError as error:
        log.info("token refused", extra={"why": str(error)})
        raise UnauthorizedError from error
    # arn:…:execute-api:region:account:api/stage/METHOD/path
    stage = "/".join(str(event["methodArn"]).split("/")[:2])
    return {
        "principalId": client,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": [f"{stage}/{call}" for call in CALLS],
                }
            ],
        },
        "context": {"caller_scope": client_scope(client)},
    }


def _bearer_token(event: Mapping[str, Any]) -> str:
    scheme, _, token = str(event.get("authorizationToken") or "").partition(" ")
    if scheme.lower() != "bearer" or not token.isascii() or not 0 < len(token) <= _LONGEST_TOKEN:
        raise _TokenError("no bearer token")
    return token.strip()


def _client(token: str, *, settings: AuthorizeSettings, keys: Keys, now: datetime) -> str:
    try:
        if jwt.get_unverified_header(token).get("alg") not in ALGORITHMS:
            raise _TokenError("not an asymmetric signature")
        claims: dict[str, Any] = jwt.decode(
            token,
            keys(token),
            algorithms=list(ALGORITHMS),
            audience=settings.audience,
            issuer=settings.issuer,
            # Times are compared below, with the clock that the function was given.
            options={
                "require": ["iss", "aud", "exp"],
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except jwt.PyJWKClientConnectionError as error:
        log.error("no keys of the identity provider", extra={"error": type(error).__name__})
        raise ProviderError("the identity provider's keys cannot be read") from error
    except (jwt.PyJWTError, TypeError) as error:  # TypeError: a key of another kind than the algorithm's
        raise _TokenError(type(error).__name__) from error
    _check_times(claims, now=now.timestamp())
    named = [claims[name] for name in _CLIENT_CLAIMS if name in claims]
    client = named[0] if named else claims.get("sub")
    if not isinstance(client, str) or not client_scope(client):
        raise _TokenError("names no client")
    return client


def _check_times(claims: Mapping[str, Any], *, now: float) -> None:
    """`exp` must be there; `nbf` and `iat` count where they are."""
    for name, default in (("exp", None), ("nbf", 0), ("iat", 0)):
        at = claims.get(name, default)
        if isinstance(at, bool) or not isinstance(at, int | float) or not math.isfinite(at):
            raise _TokenError(f"no usable {name}")
        if (at + _LEEWAY_S <= now) if name == "exp" else (at > now + _LEEWAY_S):
            raise _TokenError("over" if name == "exp" else "of a time to come")


def published_keys_address(settings: AuthorizeSettings, *, fetch: Callable[[str], bytes]) -> str:
    """Where the provider publishes its keys, as its own discovery document says.

    Raises:
        jwt.PyJWKClientConnectionError: it does not say so, or is not reached.
    """
    address = f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        document = json.loads(fetch(address))
    except (OSError, ValueError) as error:
        raise jwt.PyJWKClientConnectionError(f"{address} cannot be read") from error
    if not isinstance(document, dict) or document.get("issuer") != settings.issuer:
        raise jwt.PyJWKClientConnectionError(f"{address} is of another issuer")
    keys = document.get("jwks_uri")
    if not isinstance(keys, str) or urlsplit(keys).scheme != urlsplit(settings.issuer).scheme:
        raise jwt.PyJWKClientConnectionError(f"{address} names no place of keys")
    return keys


def _fetch(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=_TIMEOUT_S) as reply:  # noqa: S310 - the deployment's issuer
        content: bytes = reply.read(_LARGEST_ANSWER)
        return content


def _published_key(token: str) -> Any:
    return _keys().get_signing_key_from_jwt(token).key


@cache
def _keys() -> jwt.PyJWKClient:
    address = published_keys_address(_settings(), fetch=_fetch)
    return jwt.PyJWKClient(address, timeout=_TIMEOUT_S, lifespan=3600)


@cache
def _settings() -> AuthorizeSettings:
    return authorize_settings(os.environ)
