"""Bearer tokens by OpenID Connect's client credentials (RFC 6749, section 4.4), fetched and kept."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from urllib.parse import quote, urlencode, urlsplit

from botocore.awsrequest import AWSRequest
from botocore.exceptions import ConnectionError as BotocoreConnectionError
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session

from overread_client._errors import TokenRefusedError

_TIMEOUT_S = 10.0
_RENEWED_BEFORE_S = 60.0
_LIFETIME_WHEN_UNSAID_S = 300.0


class ClientCredentials:
    """A source of tokens for `Decisions(token=…)`: asks the identity provider, and again before one is over.

    `scope` and `audience` are sent when given; which of them a provider wants, its own pages say.

    Example:
        >>> token = ClientCredentials("https://id.example.com/token", client_id="loans", client_secret=secret)
        >>> decisions = Decisions(url, token=token)
    """

    def __init__(
        self,
        token_url: str,
        *,
        client_id: str,
        client_secret: str,
        scope: str = "",
        audience: str = "",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises ValueError when `token_url` is no https address; http is for this machine only."""
        parts = urlsplit(token_url)
        is_here = parts.hostname in {"127.0.0.1", "localhost", "::1"}
        if not (parts.scheme == "https" or (parts.scheme == "http" and is_here)):
            raise ValueError(f"token_url must be an https address, got {token_url!r}")
        self._url = token_url
        self._basic = base64.b64encode(
            f"{quote(client_id, safe='')}:{quote(client_secret, safe='')}".encode()
        )
        wanted = {"grant_type": "client_credentials", "scope": scope, "audience": audience}
        self._form = urlencode({name: value for name, value in wanted.items() if value}).encode()
        self._monotonic = monotonic
        self._http = URLLib3Session(timeout=_TIMEOUT_S)
        self._kept, self._good_until = "", float("-inf")

    def __call__(self) -> str:
        """A token that is good for a while yet.

        Raises:
            TokenRefusedError: the provider refuses, or does not answer.
        """
        now = self._monotonic()
        if now >= self._good_until:
            self._kept, lifetime_s = self._fetch()
            # One that lives for less than the margin is fetched anew for every request.
            self._good_until = now + lifetime_s - _RENEWED_BEFORE_S
        return self._kept

    def _fetch(self) -> tuple[str, float]:
        headers = {
            "Authorization": f"Basic {self._basic.decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        request = AWSRequest("POST", self._url, headers=headers, data=self._form)
        try:
            reply = self._http.send(request.prepare())
        except (HTTPClientError, BotocoreConnectionError) as error:
            raise TokenRefusedError(f"the identity provider at {self._url} does not answer") from error
        try:
            document = json.loads(reply.content)
        except ValueError:
            document = None
        told = document if isinstance(document, dict) else {}
        token, lifetime_s = told.get("access_token"), told.get("expires_in", _LIFETIME_WHEN_UNSAID_S)
        if reply.status_code != 200 or not isinstance(token, str) or not token:
            why = str(told.get("error_description") or told.get("error") or f"status {reply.status_code}")
            raise TokenRefusedError(f"the identity provider gave no token: {why[:200]}")
        is_number = isinstance(lifetime_s, int | float) and not isinstance(lifetime_s, bool)
        return token, float(lifetime_s) if is_number else _LIFETIME_WHEN_UNSAID_S
