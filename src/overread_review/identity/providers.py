"""The identity providers that sign people in: the workforce's, and one for each vendor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """An OpenID Connect client at an identity provider.

    `groups_claim` names the claim of the ID token that lists groups: `cognito:groups` of Cognito,
    `sagemaker:groups` of other providers, as A2I reads it. `client_secret` is empty for a public client.
    """

    id: str
    title: str
    issuer: str
    client_id: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    groups_claim: str
    logout_endpoint: str = ""
    client_secret: str = field(default="", repr=False)


Exchange = Callable[[OidcProvider, Mapping[str, str]], Mapping[str, Any]]
"""Posts a form to the provider's token endpoint and gives its JSON. Raises ExchangeError."""

Keys = Callable[[OidcProvider, str], Any]
"""The provider's public key of that id (`kid`), as PyJWT takes it. Raises KeyUnknownError."""


class Inviter(Protocol):
    """Creates people at an identity provider."""

    def invite(self, *, email: str, name: str, group: str) -> None:
        """Create them and tell them by mail. Raises InvitationError."""
