"""What the sign-in program asks of identity providers over HTTPS: tokens for codes, and public keys."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import quote, urlencode

import jwt

from overread_review.identity.errors import ExchangeError, KeyUnknownError
from overread_review.identity.providers import OidcProvider

_TIMEOUT_S = 8.0
_LARGEST_ANSWER = 1024 * 1024


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is a refusal: the client's secret goes to the token endpoint and nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def exchange(provider: OidcProvider, form: Mapping[str, str]) -> Mapping[str, Any]:
    """The token endpoint's answer to `form`.

    Raises:
        ExchangeError: it refuses, does not answer, or answers something that is no JSON object.
    """
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    fields = {**form, "client_id": provider.client_id}
    if provider.client_secret:
        pair = f"{quote(provider.client_id, safe='')}:{quote(provider.client_secret, safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    request = urllib.request.Request(  # noqa: S310 - the address is the deployment's own
        provider.token_endpoint, data=urlencode(fields).encode(), headers=headers, method="POST"
    )
    try:
        with _OPENER.open(request, timeout=_TIMEOUT_S) as reply:
            document = json.loads(reply.read(_LARGEST_ANSWER))
    except urllib.error.HTTPError as error:
        error.close()
        raise ExchangeError(f"the identity provider refused the sign-in (status {error.code})") from error
    except (OSError, HTTPException, ValueError) as error:
        raise ExchangeError("the identity provider cannot be reached; try again") from error
    if not isinstance(document, dict):
        raise ExchangeError("the identity provider answered nothing usable")
    return document


class PublishedKeys:
    """Providers' public keys, read from their JWKS and kept; read again when a key is new."""

    def __init__(self) -> None:
        self._clients: dict[str, jwt.PyJWKClient] = {}

    def __call__(self, provider: OidcProvider, kid: str) -> Any:
        """The key. Raises KeyUnknownError."""
        client = self._clients.setdefault(
            provider.jwks_uri, jwt.PyJWKClient(provider.jwks_uri, timeout=int(_TIMEOUT_S), lifespan=3600)
        )
        try:
            return client.get_signing_key(kid).key
        except (jwt.PyJWTError, OSError, ValueError) as error:  # ValueError: what is published is no JSON
            raise KeyUnknownError("the identity provider's signing key cannot be read") from error
