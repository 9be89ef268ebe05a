"""Qualifications: questions with known answers that a team's people have to answer, and how everybody did."""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from overread_review.service.errors import QualificationInvalidError, QualificationUnknownError
from overread_review.service.flow_definitions import QUALIFICATION_TAG
from overread_review.service.model import GoldItem, Qualification, Reviewer, Standing
from overread_review.service.nesting import MAX_LEVELS, is_too_deep
from overread_review.service.ports import Clock, ReviewStore
from overread_review.service.queues import Queues
from overread_review.service.registers import (
    people_register,
    qualifications_register,
    standing_key,
    standings_register,
)
from overread_review.service.settings import ServiceSettings
from overread_review.service.standings import StandingState, repeat_at, score, state_of

MAX_ITEMS = 500
MAX_QUESTIONS = 100
MAX_BYTES = 300_000
"""A qualification is one item of the store's table, which holds 400 kB."""
MAX_GOLD_SHARE = 0.5
MAX_VALID_DAYS = 3650
_MEMBERS = ("items", "questions", "pass_mark", "gold_share", "valid_days")
_ITEM_MEMBERS = ("id", "input", "expected")
_NAME = re.compile(r"[A-Za-z0-9](-*[A-Za-z0-9])*")
_LONGEST_NAME = 63
_ITEM_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LONGEST_CHOICE, _LONGEST_EXPECTED = 64, 1000
_FAULTS_SHOWN = 20

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """How one person did in a qualification. `score` is of the last test that ended.

    Figures about gold questions are figures about a person: None unless statistics are "named".
    """

    qualification: str
    person: str
    name: str
    state: StandingState
    score: float | None
    test_correct: int
    test_total: int
    passed_at: datetime | None
    valid_until: datetime | None
    gold_correct: int | None
    gold_total: int | None


@dataclass(frozen=True, slots=True)
class OwnQualification:
    """What a person is told of their own test: `answered` of `questions`, and the result after the last.

    `score` stays unknown while a test goes on, and so does everything about gold questions.
    """

    name: str
    title: str
    state: StandingState
    score: float | None
    answered: int
    questions: int
    valid_until: datetime | None
    repeat_at: datetime | None


class Qualifications:
    """Put, get and list qualifications; who passed them."""

    def __init__(
        self, *, store: ReviewStore, clock: Clock, queues: Queues, settings: ServiceSettings
    ) -> None:
        self._clock = clock
        self._queues = queues
        self._settings = settings
        self._qualifications = qualifications_register(store)
        self._standings = standings_register(store)
        self._people = people_register(store)

    def put(self, name: str, document: object) -> Qualification:
        """Create or replace the qualification; who passed an earlier version stays qualified.

        Raises:
            QualificationInvalidError: the name or the document has faults; the text names all of them.
        """
        parsed = parse_qualification(name, document)
        return self._qualifications.change(parsed, by=lambda newest: replace(parsed, version=newest.version))

    def get(self, name: str) -> Qualification:
        """The qualification. Raises QualificationUnknownError."""
        found = self._qualifications.find(name)
        if found is None:
            raise QualificationUnknownError(f"there is no qualification {name!r}")
        return found

    def list(self) -> tuple[Qualification, ...]:
        """All qualifications, by name."""
        return tuple(self._qualifications.list())

    def roster(self, name: str) -> tuple[RosterEntry, ...]:
        """Everybody who answered one of its questions, by name. Raises QualificationUnknownError."""
        self.get(name)
        now = self._clock()
        names = {person.key: person.name for person in self._people.list()}
        entries = [
            roster_entry(
                standing, name=names.get(standing.person, standing.person), now=now, settings=self._settings
            )
            for standing in self._standings.list(prefix=standing_key(name, person=""))
        ]
        return tuple(sorted(entries, key=lambda entry: (entry.name.casefold(), entry.person)))

    def of(self, reviewer: Reviewer) -> tuple[OwnQualification, ...]:
        """The qualifications that the reviewer's queues ask for, with what they may know of their own."""
        titles: dict[str, str] = {}
        for queue in self._queues.of(reviewer):
            if name := queue.tags.get(QUALIFICATION_TAG, ""):
                titles.setdefault(name, queue.request["HumanLoopConfig"]["TaskTitle"])
        return tuple(self._own(name, title=title, person=reviewer.key) for name, title in titles.items())

    def _own(self, name: str, *, title: str, person: str) -> OwnQualification:
        now, qualification = self._clock(), self._qualifications.find(name)
        standing = self._standings.find(standing_key(name, person=person))
        has_test = standing is not None and bool(standing.test_answers)
        return OwnQualification(
            name=name,
            title=title,
            state=state_of(standing, now=now),
            score=None if standing is None else score(standing),
            answered=len(standing.test_answers) if standing is not None and has_test else 0,
            questions=0 if qualification is None else qualification.questions,
            valid_until=None if standing is None else standing.valid_until,
            repeat_at=None if standing is None else repeat_at(standing, now=now),
        )


def roster_entry(standing: Standing, *, name: str, now: datetime, settings: ServiceSettings) -> RosterEntry:
    """How the person of that name did, as far as the settings let others know."""
    shows_gold = settings.statistics == "named"
    return RosterEntry(
        qualification=standing.qualification,
        person=standing.person,
        name=name,
        state=state_of(standing, now=now),
        score=score(standing),
        test_correct=standing.test_correct,
        test_total=standing.test_total,
        passed_at=standing.passed_at,
        valid_until=standing.valid_until,
        gold_correct=standing.gold_correct if shows_gold else None,
        gold_total=standing.gold_total if shows_gold else None,
    )


def qualification_document(qualification: Qualification) -> Json:
    """The document from which `parse_qualification` makes the same qualification."""
    return {
        "items": [
            {"id": item.item_id, "input": dict(item.input), "expected": dict(item.expected)}
            for item in qualification.items
        ],
        "questions": qualification.questions,
        "pass_mark": qualification.pass_mark,
        "gold_share": qualification.gold_share,
        "valid_days": qualification.valid_days,
    }


def parse_qualification(name: str, document: object) -> Qualification:
    """The qualification behind an untrusted JSON document.

    `gold_share` is 0.05 and `valid_days` 180 unless given.

    Raises:
        QualificationInvalidError: with all faults in its text.
    """
    faults = _name_faults(name)
    if not isinstance(document, Mapping):
        faults.append("a qualification is a JSON object")
        raise _invalid(faults)
    faults += _unknown(document, allowed=_MEMBERS, where="")
    items = _items(document.get("items"), faults)
    questions = _integer(document, "questions", 1, MAX_QUESTIONS, faults)
    pass_mark = _share(document, "pass_mark", faults)
    gold_share = _share(document, "gold_share", faults)
    valid_days = _integer(document, "valid_days", 1, MAX_VALID_DAYS, faults)
    if len(items) < questions <= MAX_QUESTIONS and isinstance(document.get("items"), list):
        faults.append(f"questions must be at most the number of items, {len(items)}, got {questions}")
    faults += _unwritable(document)
    if faults:
        raise _invalid(faults)
    return Qualification(name, items, questions, pass_mark, gold_share, valid_days)


def _name_faults(name: str) -> list[str]:
    if _NAME.fullmatch(name) and len(name) <= _LONGEST_NAME:
        return []
    return [
        f"name must have 1 to {_LONGEST_NAME} letters, digits and hyphens inside, got {reprlib.repr(name)}"
    ]


def _invalid(faults: Sequence[str]) -> QualificationInvalidError:
    shown = list(faults[:_FAULTS_SHOWN])
    if len(faults) > _FAULTS_SHOWN:
        shown.append(f"and {len(faults) - _FAULTS_SHOWN} more")
    return QualificationInvalidError("; ".join(shown))


def _unknown(document: Mapping[str, Any], *, allowed: Sequence[str], where: str) -> list[str]:
    known = ", ".join(allowed)
    return [
        f"{where}unknown member {str(name)[:80]!r}, allowed are {known}"
        for name in sorted(document.keys() - set(allowed))
    ]


def _items(value: object, faults: list[str]) -> tuple[GoldItem, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_ITEMS:
        got = f"{len(value)} items" if isinstance(value, list) else _kind(value)
        faults.append(f"items must be a list of 1 to {MAX_ITEMS} items, got {got}")
        return ()
    items = tuple(_item(one, where=f"items[{place}]", faults=faults) for place, one in enumerate(value))
    places: dict[str, int] = {}
    for place, item in enumerate(items):
        if item.item_id in places:
            faults.append(
                f"items[{place}].id must be unique, got {item.item_id!r} of items[{places[item.item_id]}]"
            )
        elif item.item_id:
            places[item.item_id] = place
    return items


def _item(value: object, *, where: str, faults: list[str]) -> GoldItem:
    if not isinstance(value, Mapping):
        faults.append(f"{where} must be an object, got {_kind(value)}")
        return GoldItem("", {}, {})
    faults += _unknown(value, allowed=_ITEM_MEMBERS, where=f"{where}: ")
    item_id, task_input, expected = (value.get(name) for name in _ITEM_MEMBERS)
    if not isinstance(item_id, str) or not _ITEM_ID.fullmatch(item_id):
        faults.append(f"{where}.id must be a text that matches {_ITEM_ID.pattern}, got {_shown(item_id)}")
        item_id = ""
    if not isinstance(task_input, Mapping):
        faults.append(f"{where}.input must be an object, the input of a task, got {_kind(task_input)}")
        task_input = {}
    if not isinstance(expected, Mapping) or not expected:
        faults.append(f"{where}.expected must be an object with at least one choice, got {_shown(expected)}")
        expected = {}
    for name, choice in expected.items():
        if len(name) > _LONGEST_CHOICE:
            faults.append(
                f"{where}.expected: the name {name[:80]!r} has more than {_LONGEST_CHOICE} characters"
            )
        if not isinstance(choice, str) or len(choice) > _LONGEST_EXPECTED or "\n" in choice:
            faults.append(
                f"{where}.expected[{name[:80]!r}] must be a text of one line with at most "
                f"{_LONGEST_EXPECTED:,} characters, got {_shown(choice)}"
            )
    return GoldItem(item_id, task_input, expected)


def _integer(document: Mapping[str, Any], name: str, minimum: int, maximum: int, faults: list[str]) -> int:
    value = document.get(name, _DEFAULTS.get(name))
    if isinstance(value, int) and not isinstance(value, bool) and minimum <= value <= maximum:
        return value
    faults.append(f"{name} must be a whole number from {minimum} to {maximum}, got {_shown(value)}")
    return 0


def _share(document: Mapping[str, Any], name: str, faults: list[str]) -> float:
    value = document.get(name, _DEFAULTS.get(name))
    minimum, maximum, allowed = _SHARES[name]
    if isinstance(value, int | float) and not isinstance(value, bool) and minimum <= value <= maximum:
        return float(value)
    faults.append(f"{name} must be a number {allowed}, got {_shown(value)}")
    return 0.0


_DEFAULTS: Mapping[str, Any] = {"gold_share": 0.05, "valid_days": 180}
_SHARES = {
    "pass_mark": (5e-324, 1.0, "above 0 and at most 1"),
    "gold_share": (0.0, MAX_GOLD_SHARE, f"from 0 to {MAX_GOLD_SHARE}"),
}


def _unwritable(document: Mapping[str, Any]) -> list[str]:
    if is_too_deep(document):
        return [f"a qualification may be nested {MAX_LEVELS} levels deep at most"]
    try:
        size = len(json.dumps(document, ensure_ascii=False, allow_nan=False).encode())
    except (ValueError, TypeError):
        return ["a qualification may hold neither NaN nor infinities nor half of a surrogate pair"]
    if size > MAX_BYTES:
        return [f"a qualification may have at most {MAX_BYTES:,} bytes, got {size:,}"]
    return []


def _shown(value: object) -> str:
    # Not `repr`: the value may be nested deeper than it can follow.
    return "nothing" if value is None else reprlib.repr(value)[:80]


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", int: "a number"}
    return "nothing" if value is None else kinds.get(type(value), "a number")
