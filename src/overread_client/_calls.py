"""Calls of the decision API: authorized, repeated where that is harmless, every refusal an `ApiError`."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ConnectionError as BotocoreConnectionError
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session

from overread_client._addresses import botocore_session, checked_address, region_of
from overread_client._errors import ApiError, ApiUnreachableError
from overread_client._signed_json import SIGNED_FOR

Json = Mapping[str, Any]
TokenSource = Callable[[], str]
"""Gives a bearer token that is good now; called before every request."""

_WORTH_REPEATING = frozenset({429, 500, 502, 503, 504})
_NEVER_WORTH_REPEATING = frozenset({"internal-error", "kill-switch-on", "prediction-failed"})
"""Problems that do not end within seconds."""
_LONGEST_PAUSE_S = 30.0


@dataclass(frozen=True)
class Pauses:
    """How often a call is sent, and how it waits in between: `sleep` and `jitter` are the world's."""

    attempts: int = 4
    first_s: float = 0.5
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    monotonic: Callable[[], float] = time.monotonic

    def before(self, attempt: int, *, asked_for: float | None) -> float:
        """Seconds before the given attempt (the first is 1): what the API asked for, or doubling ones."""
        doubling = self.first_s * 2.0 ** (attempt - 2) * (0.5 + self.jitter() / 2)
        return min(_LONGEST_PAUSE_S, max(doubling, asked_for or 0.0))


@dataclass(frozen=True)
class Answer:
    """A call's status and document."""

    status: int
    document: dict[str, Any]


class ApiCalls:
    """Sends calls to one deployed API. Every call that it sends may be sent twice without harm."""

    def __init__(
        self,
        url: str,
        *,
        region: str | None,
        session: Any,
        token: TokenSource | None,
        timeout_s: float,
        pauses: Pauses,
    ) -> None:
        """`token` in place of a signature; `session`: boto3's or botocore's, a new one by default.

        Raises:
            ValueError: `url` is no http(s) address, or requests are to be signed and no region is known.
        """
        self._url = checked_address(url, of="decision API")
        self._token = token
        self._session: Any = botocore_session(session) if token is None else None
        self._region = "" if token else region_of(self._url, region=region, session=self._session)
        self._http = URLLib3Session(timeout=timeout_s)
        self.pauses = pauses

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Json | bytes | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        member: str,
    ) -> Answer:
        """The answer to a call; a right one has the `member`.

        Raises:
            ApiError: the API refused it for good, or something else answered.
            ApiUnreachableError: no attempt was answered.
        """
        url = self._url + path + (f"?{urlencode(query)}" if query else "")
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {**({"Content-Type": "application/json"} if data is not None else {}), **(headers or {})}
        attempt = 1
        while True:
            try:
                return self._send(method, url, data=data, headers=sent, member=member)
            except (ApiError, ApiUnreachableError) as error:
                if attempt >= self.pauses.attempts or not _is_worth_repeating(error):
                    raise
                asked_for = error.retry_after_s if isinstance(error, ApiError) else None
            attempt += 1
            self.pauses.sleep(self.pauses.before(attempt, asked_for=asked_for))

    def _send(
        self, method: str, url: str, *, data: bytes | None, headers: Mapping[str, str], member: str
    ) -> Answer:
        request = AWSRequest(method, url, headers=dict(headers), data=data)
        self._authorize(request)
        try:
            reply = self._http.send(request.prepare())
        except (HTTPClientError, BotocoreConnectionError) as error:
            raise ApiUnreachableError(f"{self._url} does not answer: {error}") from error
        try:
            document = json.loads(reply.content)
        except ValueError:
            document = None
        told = document if isinstance(document, dict) else {}
        if reply.status_code not in {200, 202} or member not in told:
            retry_after = reply.headers.get("Retry-After", "")
            raise ApiError.of(
                told,
                status=reply.status_code,
                text=reply.text,
                retry_after_s=float(retry_after) if retry_after.isdigit() else None,
            )
        return Answer(reply.status_code, told)

    def _authorize(self, request: AWSRequest) -> None:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token()}"
            return
        credentials = self._session.get_credentials()
        if credentials is None:
            raise ApiUnreachableError("there are no AWS credentials to sign requests with")
        SigV4Auth(credentials, SIGNED_FOR, self._region).add_auth(request)


def _is_worth_repeating(error: ApiError | ApiUnreachableError) -> bool:
    if isinstance(error, ApiUnreachableError):
        return error.__cause__ is not None
    return error.status in _WORTH_REPEATING and error.slug not in _NEVER_WORTH_REPEATING
