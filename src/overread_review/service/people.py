"""The people who review: who they are, whether they may work here, and what is known of their work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from overread_review.service.model import Agreement, Person, Reviewer, Standing


@dataclass(frozen=True, slots=True)
class PersonStatistics:
    """What one person did in the last 30 days."""

    answers: int
    median_worked_s: float | None
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person as a lead sees them; `statistics` only where figures by name are allowed."""

    person: Person
    teams: tuple[str, ...]
    is_lead: bool
    state: Literal["active", "disabled", "invited"]
    standings: tuple[Standing, ...]
    statistics: PersonStatistics | None


@dataclass(frozen=True, slots=True)
class AliasStatistics:
    """One person's figures under a pseudonym."""

    alias: str
    statistics: PersonStatistics


@dataclass(frozen=True, slots=True)
class ShownPerson:
    """How the author of an answer is shown to a lead: by key and name, or both times by an alias."""

    person: str
    name: str


class People:
    """Signing in, the list of people, inviting and disabling."""

    def seen(self, reviewer: Reviewer) -> Person:
        """Remember that the reviewer was here. Raises PersonDisabledError."""
        raise NotImplementedError

    def check(self, reviewer: Reviewer) -> None:
        """Raises PersonDisabledError when the reviewer may not work here any more."""

    def is_lead(self, reviewer: Reviewer) -> bool:
        """Whether one of the reviewer's groups makes them a lead."""
        raise NotImplementedError

    def list(self, lead: Reviewer) -> tuple[PersonView, ...]:
        """The people of the lead's teams, by name."""
        raise NotImplementedError

    def groups(self, lead: Reviewer) -> tuple[str, ...]:
        """The groups to which the lead may invite: those of their teams."""
        raise NotImplementedError

    def aliases(self, lead: Reviewer) -> tuple[AliasStatistics, ...]:
        """Figures under pseudonyms, when the settings ask for them."""
        raise NotImplementedError

    def shown(self, person: str, *, loop_name: str) -> ShownPerson:
        """How the author of an answer to that loop is shown to a lead."""
        raise NotImplementedError

    def name(self, person: str) -> str:
        """The person's name, or their key when they are not known."""
        raise NotImplementedError

    def invite(self, lead: Reviewer, *, email: str, name: str, group: str) -> Person:
        """Record an invitation."""
        raise NotImplementedError

    def disable(self, lead: Reviewer, key: str) -> Person:
        """End somebody's access and free their claims."""
        raise NotImplementedError

    def enable(self, lead: Reviewer, key: str) -> Person:
        """Give the access back."""
        raise NotImplementedError
