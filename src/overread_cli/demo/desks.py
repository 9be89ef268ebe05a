"""Where the demo's reviewers work: the local stack's own portal, or that of a deployed review service."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from overread_cli.demo.portal_client import PortalClient, through_pages
from overread_local.stack import LocalStack


class Desk(Protocol):
    """A portal and the people who can sign in to it."""

    @property
    def portal_url(self) -> str:
        """The portal's address without `/portal/`."""

    @property
    def how_to_sign_in(self) -> str:
        """What a person has to know."""

    def reviewer(self, name: str) -> PortalClient:
        """A client that signs in as that reviewer."""

    def names(self) -> Mapping[str, str]:
        """The people's names by the subject that their answers carry."""


@dataclass(frozen=True)
class LocalDesk:
    """The local stack's portal, where a name is enough."""

    stack: LocalStack
    people: Sequence[str]
    lead: str

    @property
    def portal_url(self) -> str:
        return self.stack.portal_url

    @property
    def how_to_sign_in(self) -> str:
        return f"sign in as {', '.join(self.people)}; {self.lead} leads"

    def reviewer(self, name: str) -> PortalClient:
        return PortalClient(self.portal_url, reviewer=name)

    def names(self) -> Mapping[str, str]:
        return self.stack.reviewer_names()


class PoolDesk:
    """The portal of a deployed review service, whose people are users of its Cognito pool."""

    def __init__(self, portal_url: str, *, cognito: Any, user_pool_id: str, lead: str) -> None:
        self.portal_url = portal_url
        self._lead = lead
        self._cognito = cognito
        self._user_pool_id = user_pool_id
        # Cognito wants a letter of each case, a digit and a sign.
        self._password = f"Demo-{secrets.token_urlsafe(9)}-7a"
        self._names: dict[str, str] = {}

    @property
    def how_to_sign_in(self) -> str:
        people = ", ".join(name for name in self._names.values() if name != self._lead)
        return f"sign in as {people}; {self._lead} leads; the password of each is {self._password}"

    def add(self, name: str, *, groups: Sequence[str]) -> None:
        """Creates a user who can sign in."""
        user = {"UserPoolId": self._user_pool_id, "Username": name}
        attributes = {"email": f"{name}@example.com", "email_verified": "true", "name": name}
        created = self._cognito.admin_create_user(
            **user,
            UserAttributes=[{"Name": key, "Value": value} for key, value in attributes.items()],
            TemporaryPassword=self._password,
            MessageAction="SUPPRESS",
        )["User"]
        self._cognito.admin_set_user_password(**user, Password=self._password, Permanent=True)
        for group in groups:
            self._cognito.admin_add_user_to_group(**user, GroupName=group)
        sub = next(found["Value"] for found in created["Attributes"] if found["Name"] == "sub")
        self._names[sub] = name

    def reviewer(self, name: str) -> PortalClient:
        sign_in = through_pages(username=name, password=self._password)
        return PortalClient(self.portal_url, reviewer=name, sign_in=sign_in)

    def names(self) -> Mapping[str, str]:
        return dict(self._names)
