"""How people sign in: by their name, where everybody is trusted, or with an identity provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from overread_review.portal.sessions import Session
from overread_review.service.model import Reviewer
from overread_review.service.ports import ReviewerDirectory


class SignIn(Protocol):
    """What the portal asks about signing in; the lead groups say who is shown as a lead."""

    def methods(self, *, lead_groups: frozenset[str]) -> dict[str, Any]:
        """What the sign-in page offers."""

    def by_name(self, name: str) -> Reviewer | None:
        """Who signs in by nothing but a name; None where that is not possible."""

    def reviewer(self, session: Session) -> Reviewer | None:
        """Who the session stands for now; None when they may not sign in like that any more."""

    def sign_out_url(self, session: Session) -> str:
        """Where the session at the identity provider ends too, relative to the portal; empty: nowhere."""

    @property
    def can_invite(self) -> bool:
        """Whether people can be invited from the portal."""


class NamesSignIn:
    """Everybody in a directory signs in by choosing their name: for one machine only."""

    def __init__(self, directory: ReviewerDirectory) -> None:
        self._directory = directory

    def methods(self, *, lead_groups: frozenset[str]) -> dict[str, Any]:
        """The names."""
        found = [self._directory.find(name) for name in self._directory.names()]
        people = [
            {"name": one.name, "lead": bool(one.groups & lead_groups)} for one in found if one is not None
        ]
        return {"mode": "names", "reviewers": people}

    def by_name(self, name: str) -> Reviewer | None:
        """The reviewer of that name."""
        return self._directory.find(name)

    def reviewer(self, session: Session) -> Reviewer | None:
        """The reviewer as the directory has them now, groups read afresh."""
        return self._directory.find(session.reviewer.name)

    def sign_out_url(self, session: Session) -> str:
        """There is no other session."""
        return ""

    @property
    def can_invite(self) -> bool:
        """The directory is a file of this machine."""
        return False


@dataclass(frozen=True, slots=True)
class SignInMethod:
    """An identity provider as the sign-in page shows it; `signs_out` when it can end its own session."""

    id: str
    title: str
    signs_out: bool
    invites: bool


class OidcSignIn:
    """Identity providers sign people in; what they said stands in the session until it is over."""

    def __init__(self, methods: Sequence[SignInMethod]) -> None:
        self._methods = {method.id: method for method in methods}

    def methods(self, *, lead_groups: frozenset[str]) -> dict[str, Any]:
        """A link for each provider, relative to the portal."""
        providers = [
            {"id": method.id, "title": method.title, "url": f"sign-in/{method.id}"}
            for method in self._methods.values()
        ]
        return {"mode": "oidc", "providers": providers}

    def by_name(self, name: str) -> Reviewer | None:
        """Nobody signs in by name."""
        return None

    def reviewer(self, session: Session) -> Reviewer | None:
        """Who signed in, while their provider is one of this deployment's."""
        return session.reviewer if session.reviewer.provider in self._methods else None

    def sign_out_url(self, session: Session) -> str:
        """The sign-in program's way out."""
        method = self._methods.get(session.reviewer.provider)
        return f"sign-out/{method.id}" if method is not None and method.signs_out else ""

    @property
    def can_invite(self) -> bool:
        """Whether one of the providers is a user pool of this deployment."""
        return any(method.invites for method in self._methods.values())
