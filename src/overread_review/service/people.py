"""The people who review: who they are, whether they may work here, and what is known of their work."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

from overread_review.service import steering
from overread_review.service.aliases import Aliases
from overread_review.service.errors import (
    InvitationInvalidError,
    NotLeadError,
    PersonDisabledError,
    PersonUnknownError,
    PersonUnsuitableError,
    RecordChangedError,
    ResourceMissingError,
)
from overread_review.service.figures import SANDBOX_PROVIDER, Figures, PersonStatistics
from overread_review.service.loop_changes import LoopChanges
from overread_review.service.model import WORKFORCE, Person, Reviewer, Standing
from overread_review.service.ports import Clock, ReviewStore
from overread_review.service.qualifications import RosterEntry, roster_entry
from overread_review.service.queues import Queues
from overread_review.service.registers import people_register, standings_register
from overread_review.service.settings import ServiceSettings
from overread_review.service.teams import Teams

__all__ = ["AliasStatistics", "People", "PersonStatistics", "PersonView", "ShownPerson"]

_EMAIL = re.compile(r"[^@\s]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_LONGEST_EMAIL = 254
_LONGEST_NAME = 64
_INVITED = "invited:"


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person as a lead sees them; `statistics` only where figures by name are allowed."""

    person: Person
    teams: tuple[str, ...]
    is_lead: bool
    state: Literal["active", "disabled", "invited"]
    standings: tuple[RosterEntry, ...]
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
    """Signing in, the list of people, inviting and disabling.

    A lead knows the people of their own identity provider who share a team with them.
    """

    def __init__(
        self,
        *,
        store: ReviewStore,
        clock: Clock,
        settings: ServiceSettings,
        teams: Teams,
        queues: Queues,
        loops: LoopChanges,
        figures: Figures,
        aliases: Aliases,
    ) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._teams = teams
        self._queues = queues
        self._loops = loops
        self._figures = figures
        self._aliases = aliases
        self._register = people_register(store)
        self._standings = standings_register(store)

    # Signing in

    def seen(self, reviewer: Reviewer) -> Person:
        """Remember that the reviewer was here, under what their identity provider says of them now.

        Raises:
            PersonDisabledError: a lead has ended their access, or withdrew their invitation.
        """
        now = self._clock()
        invitation = self._invitation(reviewer)
        fresh = Person(
            key=reviewer.key,
            sub=reviewer.sub,
            provider=reviewer.provider,
            issuer=reviewer.issuer,
            name=reviewer.name,
            disabled=invitation is not None and invitation.disabled,
            invited_at=None if invitation is None else invitation.invited_at,
            first_seen_at=now,
        )
        person = self._register.change(
            fresh,
            by=lambda newest: (
                newest
                if newest.disabled and newest.version
                else replace(
                    newest,
                    issuer=reviewer.issuer,
                    name=reviewer.name,
                    email=reviewer.email,
                    groups=tuple(sorted(reviewer.groups)),
                    last_seen_at=now,
                )
            ),
        )
        if invitation is not None:
            self._fulfil(invitation)
        _check_enabled(person)
        return person

    def _invitation(self, reviewer: Reviewer) -> Person | None:
        if not reviewer.email or reviewer.provider != WORKFORCE:
            return None
        return self._register.find(_invited_key(reviewer.email))

    def _fulfil(self, invitation: Person) -> None:
        try:
            self._register.delete(invitation)
        except RecordChangedError:
            # The same person signed in twice at once, or is being invited anew: the next sign-in settles it.
            return

    def check(self, reviewer: Reviewer) -> None:
        """Raises PersonDisabledError when the reviewer may not work here any more."""
        person = self._register.find(reviewer.key)
        if person is not None:
            _check_enabled(person)

    def is_lead(self, reviewer: Reviewer) -> bool:
        """Whether one of the reviewer's groups makes them a lead."""
        return bool(reviewer.groups & self._settings.lead_groups)

    def check_lead(self, reviewer: Reviewer) -> None:
        """Raises NotLeadError for everybody but leads."""
        if not self.is_lead(reviewer):
            raise NotLeadError("this is for leads only")

    # The list

    def list(self, lead: Reviewer) -> tuple[PersonView, ...]:
        """The people whom the lead knows, by name."""
        self.check_lead(lead)
        standings: dict[str, tuple[Standing, ...]] = {}
        for standing in self._standings.list():
            standings[standing.person] = (*standings.get(standing.person, ()), standing)
        figures: dict[str, PersonStatistics] = {}
        if self._settings.statistics == "named":
            figures = self._figures.of_people(self._queues.of(lead), now=self._clock())
        views = [
            PersonView(
                person=person,
                teams=tuple(arn.rsplit("/", 1)[-1] for arn in teams),
                is_lead=self.is_lead(_reviewer(person)),
                state=_state(person),
                standings=tuple(
                    roster_entry(one, name=person.name, now=self._clock(), settings=self._settings)
                    for one in standings.get(person.key, ())
                ),
                statistics=figures.get(person.key),
            )
            for person, teams in self._known_to(lead)
        ]
        return tuple(sorted(views, key=lambda view: (view.person.name.casefold(), view.person.key)))

    def _known_to(self, lead: Reviewer) -> tuple[tuple[Person, tuple[str, ...]], ...]:
        """People with the teams that they share with the lead."""
        own = self._teams.groups_by_team(lead)
        known = []
        for person in self._register.list():
            shared = tuple(
                arn
                for arn, groups in own.items()
                if lead.provider != WORKFORCE or groups.intersection(person.groups)
            )
            if person.provider == lead.provider and shared:
                known.append((person, shared))
        return tuple(known)

    def groups(self, lead: Reviewer) -> tuple[str, ...]:
        """The groups to which the lead may invite: those of their teams, none at a vendor's provider."""
        self.check_lead(lead)
        return tuple(sorted(frozenset().union(*self._teams.groups_by_team(lead).values())))

    def aliases(self, lead: Reviewer) -> tuple[AliasStatistics, ...]:
        """Figures under pseudonyms, when the settings ask for them; in the order of the pseudonyms."""
        self.check_lead(lead)
        if self._settings.statistics != "pseudonymous":
            return ()
        figures = self._figures.of_people(self._queues.of(lead), now=self._clock())
        listed = [AliasStatistics(self._aliases.lasting(key), one) for key, one in figures.items()]
        return tuple(sorted(listed, key=lambda one: one.alias))

    def shown(self, person: str, *, loop_name: str) -> ShownPerson:
        """How the author of an answer to that loop is shown to a lead.

        Without statistics about people the alias changes from task to task, so that nothing adds up.
        """
        if self._settings.statistics == "named":
            return ShownPerson(person, self.name(person))
        lasts = self._settings.statistics == "pseudonymous"
        alias = self._aliases.lasting(person) if lasts else self._aliases.of_loop(person, loop_name)
        return ShownPerson(alias, alias)

    def name(self, person: str) -> str:
        """The person's name, or what their key says of them when they are not known."""
        if person.startswith(f"{SANDBOX_PROVIDER}:"):
            return person.partition(":")[2]
        found = self._register.find(person)
        return person if found is None else found.name

    # Steering

    def active(self, lead: Reviewer, key: str) -> Reviewer:
        """Somebody who may work here now, with what was last heard of their groups.

        Raises:
            PersonUnknownError: no such person among the lead's.
            PersonUnsuitableError: they never signed in, or their access has ended.
        """
        person = self._named(lead, key)
        if (state := _state(person)) != "active":
            raise PersonUnsuitableError(f"{person.name} is {state}")
        return _reviewer(person)

    def invite(self, lead: Reviewer, *, email: str, name: str, group: str) -> Person:
        """Record an invitation; who signs in with that address later takes its place.

        Raises:
            InvitationInvalidError: the address, the name or the group cannot be, or that address works here.
        """
        self.check_lead(lead)
        address, shown = email.strip(), name.strip()
        if lead.provider != WORKFORCE:
            raise InvitationInvalidError("people of a vendor are invited at the vendor's identity provider")
        if len(address) > _LONGEST_EMAIL or not _EMAIL.fullmatch(address):
            raise InvitationInvalidError(f"email must be an address like ada@example.com, got {address!r}")
        if not (1 <= len(shown) <= _LONGEST_NAME and shown.isprintable()):
            raise InvitationInvalidError(f"name must have 1 to {_LONGEST_NAME} printable characters")
        if group not in (allowed := self.groups(lead)):
            raise InvitationInvalidError(f"group must be one of {', '.join(allowed)}, got {group!r}")
        if any(_is_at(person, address) for person in self._register.list()):
            raise InvitationInvalidError(f"{address} works here already")
        now = self._clock()
        fresh = Person(_invited_key(address), "", WORKFORCE, "", shown, address)
        return self._register.change(
            fresh,
            by=lambda newest: replace(newest, name=shown, groups=(group,), invited_at=now, disabled=False),
        )

    def disable(self, lead: Reviewer, key: str) -> Person:
        """End somebody's access, withdraw an invitation; what they had begun goes back to everybody.

        Raises:
            PersonUnknownError: no such person among the lead's.
            PersonUnsuitableError: it is the lead.
        """
        if key == lead.key:
            raise PersonUnsuitableError("you cannot end your own access")
        person = self._register.change(
            self._named(lead, key), by=lambda newest: replace(newest, disabled=True)
        )
        for loop in self._store.open_loops_of_person(key):
            with suppress(ResourceMissingError):  # deleted meanwhile
                self._loops.change(loop, by=lambda newest: steering.without(newest, person=key))
        return person

    def enable(self, lead: Reviewer, key: str) -> Person:
        """Give the access back. Raises PersonUnknownError."""
        return self._register.change(
            self._named(lead, key), by=lambda newest: replace(newest, disabled=False)
        )

    def _named(self, lead: Reviewer, key: str) -> Person:
        self.check_lead(lead)
        found = next((person for person, _ in self._known_to(lead) if person.key == key), None)
        if found is None:
            raise PersonUnknownError("there is no such person, or they are not in your teams")
        return found


def _check_enabled(person: Person) -> None:
    if person.disabled:
        raise PersonDisabledError("your access to this portal has ended; ask your lead")


def _state(person: Person) -> Literal["active", "disabled", "invited"]:
    if person.disabled:
        return "disabled"
    return "invited" if person.first_seen_at is None else "active"


def _reviewer(person: Person) -> Reviewer:
    return Reviewer(
        name=person.name,
        sub=person.sub,
        groups=frozenset(person.groups),
        provider=person.provider,
        issuer=person.issuer,
        email=person.email,
    )


def _invited_key(email: str) -> str:
    return f"{_INVITED}{email.casefold()}"


def _is_at(person: Person, email: str) -> bool:
    has_come = person.first_seen_at is not None and person.provider == WORKFORCE
    return has_come and person.email.casefold() == email.casefold()
