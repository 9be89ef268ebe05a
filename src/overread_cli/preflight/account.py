"""Asks the account: every call is one that reads, and a refused one is told by its action's name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from overread_cli.preflight.checks import UnreadError

_REFUSED = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "NotAuthorized",
    "UnauthorizedOperation",
}
_PREFIXES = {"service-quotas": "servicequotas", "sagemaker-a2i-runtime": "sagemaker"}
MakeClient = Callable[[str], Any]


class Account:
    """One account and region. `make_client(service)` gives a boto3 client; `region=` of another region."""

    def __init__(self, make_client: Callable[..., Any]) -> None:
        self._make_client = make_client

    def ask(self, service: str, operation: str, *, region: str | None = None, **parameters: Any) -> Any:
        """One call's answer.

        Raises:
            UnreadError: when the call is refused or fails.
        """
        try:
            client = self._client(service, region)
            return getattr(client, xform_name(operation))(**parameters)
        except (ClientError, BotoCoreError) as error:
            raise _unread(service, operation, error) from error

    def all(
        self, service: str, operation: str, key: str, *, region: str | None = None, **parameters: Any
    ) -> list[Any]:
        """The list under `key`, over all pages.

        Raises:
            UnreadError: when a call is refused or fails.
        """
        try:
            client = self._client(service, region)
            name = xform_name(operation)
            if not client.can_paginate(name):
                return list(_by_token(getattr(client, name), key, parameters))
            pages = client.get_paginator(name).paginate(**parameters)
            return [item for page in pages for item in page.get(key, ())]
        except (ClientError, BotoCoreError) as error:
            raise _unread(service, operation, error) from error

    def _client(self, service: str, region: str | None) -> Any:
        return self._make_client(service, region=region) if region else self._make_client(service)


def _by_token(call: Callable[..., Any], key: str, parameters: dict[str, Any]) -> Iterator[Any]:
    """All pages of a call for which the SDK has no paginator, such as ListReceivedLicenses."""
    more: dict[str, Any] = {}
    while True:
        page = call(**parameters, **more)
        yield from page.get(key, ())
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}


def _unread(service: str, operation: str, error: Exception) -> UnreadError:
    action = f"{_PREFIXES.get(service, service)}:{operation}"
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return UnreadError(action=action, reason="no AWS credentials were found", is_refused=False)
    if isinstance(error, ClientError):
        told = error.response.get("Error", {})
        reason = f"{told.get('Message') or 'no reason given'} ({told.get('Code', 'unknown error')})"
        return UnreadError(action=action, reason=reason, is_refused=told.get("Code") in _REFUSED)
    return UnreadError(action=action, reason=str(error), is_refused=False)
