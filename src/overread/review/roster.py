"""The roster: who may decide which cases, until when, up to what amount, and about whom not."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

from overread.errors import InvalidRosterError
from overread.instants import parse_instant
from overread.routing.policy import USE_CASE_NAME
from overread.routing.prediction import Reason
from overread.strict_json import parse_json

_PEOPLE = 20_000
_TEXT_LENGTH = 256
_LARGEST = 1e15
_EXACT = 2**53
"""From here on whole numbers do not survive being written anew as 64-bit floats."""


class Identity(Protocol):
    """What tells people of a private workforce apart."""

    @property
    def sub(self) -> str:
        """The person, in the words of the issuer."""

    @property
    def issuer(self) -> str:
        """Whose word `sub` is."""


@dataclass(frozen=True, slots=True)
class Qualification:
    """For one use case: trained until, and the largest amount (None: any)."""

    until: datetime
    authority_limit: float | None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on the roster. `conflicts` are what they may not decide about."""

    name: str
    use_cases: Mapping[str, Qualification]
    conflicts: frozenset[str]
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody who may decide, by subject and issuer; `sha256` is the document's."""

    sha256: str
    people: Mapping[tuple[str, str], Person]

    def objection(
        self, identity: Identity, *, use_case: str, at: datetime, amount: object, conflict_key: object
    ) -> Reason | None:
        """Why the person may not decide the case at that time; None when they may.

        `amount` counts where the person's authority is limited, and must then be a number. `conflict_key` is
        a text, a whole number or a list of them; None where the use case has none. Anything else tells
        nothing, and then nobody who has conflicts may decide.
        """
        person = self.people.get((identity.sub, identity.issuer))
        if person is None:
            return Reason("reviewer_not_on_roster")
        if person.revoked_at is not None and at >= person.revoked_at:
            return Reason("reviewer_revoked")
        qualification = person.use_cases.get(use_case)
        if qualification is None:
            return Reason("reviewer_not_qualified")
        objections = (
            (at >= qualification.until, "training_expired"),
            (_is_about(conflict_key, person.conflicts), "conflict_of_interest"),
            (not _is_within(amount, qualification.authority_limit), "authority_exceeded"),
        )
        return next((Reason(code) for holds, code in objections if holds), None)


@lru_cache(maxsize=8)
def parse_roster(body: bytes) -> Roster:
    """The roster in a JSON document of schema 1; those read last are remembered, since answers come in rows.

    Raises:
        InvalidRosterError: it has faults; all are listed and nothing of it may be used.
    """
    try:
        document = parse_json(body)
    except ValueError as error:
        raise InvalidRosterError([f"not JSON: {error}"]) from error
    faults: list[str] = []
    people = _people(document, faults)
    if faults:
        raise InvalidRosterError(faults)
    return Roster(sha256=hashlib.sha256(body).hexdigest(), people=people)


def _people(document: object, faults: list[str]) -> dict[tuple[str, str], Person]:
    if not isinstance(document, dict) or document.get("schema") != 1:
        faults.append("the roster must be an object with schema 1")
        return {}
    _unknown(document, ("schema", "people"), "", faults)
    stated = document.get("people")
    if not isinstance(stated, list) or len(stated) > _PEOPLE:
        faults.append(f"people must be a list of at most {_PEOPLE}")
        return {}
    people: dict[tuple[str, str], Person] = {}
    for index, one in enumerate(stated):
        path = f"people[{index}]"
        if not isinstance(one, dict):
            faults.append(f"{path} must be an object")
            continue
        key = (_text(one, "sub", path, faults), _text(one, "issuer", path, faults))
        if all(key) and key in people:
            faults.append(f"{path} is a person who stands there before: sub {key[0]!r} of {key[1]!r}")
        people[key] = _person(one, path, faults)
    return people


def _person(one: dict[str, Any], path: str, faults: list[str]) -> Person:
    _unknown(one, ("sub", "issuer", "name", "use_cases", "conflicts", "revoked_at"), path, faults)
    stated, conflicts = one.get("use_cases", {}), one.get("conflicts", [])
    if not isinstance(stated, dict):
        faults.append(f"{path}.use_cases must be an object of use cases")
        stated = {}
    faults += [
        f"{path}.use_cases.{name[:80]} must be a use case's name"
        for name in stated
        if not re.fullmatch(USE_CASE_NAME, name)
    ]
    if not isinstance(conflicts, list) or not all(isinstance(key, str) and key for key in conflicts):
        faults.append(f"{path}.conflicts must be a list of texts")
        conflicts = []
    revoked_at = one.get("revoked_at")
    return Person(
        name=_text(one, "name", path, faults),
        use_cases={
            use_case: _qualification(terms, f"{path}.use_cases.{use_case[:80]}", faults)
            for use_case, terms in stated.items()
        },
        conflicts=frozenset(conflicts),
        revoked_at=None if revoked_at is None else _instant(revoked_at, f"{path}.revoked_at", faults),
    )


def _qualification(terms: object, path: str, faults: list[str]) -> Qualification:
    if not isinstance(terms, dict):
        faults.append(f"{path} must be an object")
        terms = {}
    _unknown(terms, ("qualified_until", "authority_limit"), path, faults)
    limit = terms.get("authority_limit")
    if limit is not None and not (_is_number(limit) and 0 <= limit <= _LARGEST):
        faults.append(f"{path}.authority_limit must be a number from 0 to {_LARGEST:g}, got {limit!r:.80}")
        limit = 0
    return Qualification(
        until=_instant(terms.get("qualified_until"), f"{path}.qualified_until", faults),
        authority_limit=None if limit is None else float(limit),
    )


def _instant(text: object, path: str, faults: list[str]) -> datetime:
    try:
        if isinstance(text, str):
            return parse_instant(text)
    except (ValueError, OverflowError):
        pass
    faults.append(f"{path} must be a time such as 2027-01-01T00:00:00Z, got {text!r:.80}")
    return parse_instant("1970-01-01T00:00:00Z")


def _text(one: dict[str, Any], name: str, path: str, faults: list[str]) -> str:
    value = one.get(name)
    if isinstance(value, str) and 1 <= len(value) <= _TEXT_LENGTH and value.isprintable():
        return value
    faults.append(
        f"{path}.{name} must be a text of 1 to {_TEXT_LENGTH} printable characters, got {value!r:.80}"
    )
    return ""


def _unknown(document: dict[str, Any], allowed: tuple[str, ...], path: str, faults: list[str]) -> None:
    prefix = f"{path}." if path else ""
    faults += [
        f"{prefix}{name[:80]} is unknown, allowed are {', '.join(allowed)}"
        for name in document
        if name not in allowed
    ]


def _is_about(conflict_key: object, conflicts: frozenset[str]) -> bool:
    """Whether it may be about one of them. A number that A2I wrote anew, 17.0, is the customer 17."""
    if conflict_key is None or not conflicts:
        return False
    keys = conflict_key if isinstance(conflict_key, list) else [conflict_key]
    texts = [_key_text(key) for key in keys]
    return not texts or any(text is None or text in conflicts for text in texts)


def _key_text(key: object) -> str | None:
    if isinstance(key, str):
        return key or None
    if isinstance(key, bool) or not isinstance(key, int | float) or not abs(key) < _EXACT:
        return None
    return str(int(key)) if key == int(key) else None


def _is_within(amount: object, limit: float | None) -> bool:
    """Written so that NaN is not."""
    if limit is None:
        return True
    return isinstance(amount, int | float) and not isinstance(amount, bool) and amount <= limit


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
