"""What a world is made of: routing policies, rosters, people, requests. All of it is made once and shared."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from random import Random
from typing import Any

from tests.simulation.scheduler import EPOCH

from overread.decisions.requests import Submission, parse_submission
from overread.instants import format_instant
from overread.review.roster import Roster, parse_roster
from overread.routing.policy import UseCasePolicy
from overread_testing.decision_builders import policy
from overread_testing.decision_fakes import ACCOUNT, REGION

HOUR = 3600.0
LABELS = ("approve", "decline", "refer")
PRESETS = 64
ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Simulated"
WITHHELD_CANARY = "withheld-canary"
INPUT_CANARY = "input-canary"
REFERENCE_CANARY = "reference-canary"
GROUNDS_CANARY = "grounds-canary"
PUBLIC_TEAM = "public"
QUEUE = "team"
ENVIRONMENT = "simulated"
CALLER = f"{ACCOUNT}:assumed-role/LoanService"
OTHER_CALLER = f"{ACCOUNT}:assumed-role/BranchOffice"


@dataclass(frozen=True, slots=True)
class FlowDefinition:
    """What the ARN of a simulated flow definition says: whose it is, and its version."""

    team: str
    version: int


@dataclass(frozen=True, slots=True)
class Version:
    """One deployed version of a use case's policy."""

    preset: int
    number: int
    is_healed: bool
    is_busy: bool = False
    """Whether many cases come and most of them are plain: the model may decide them."""


@cache
def flow_definition_arn(use_case: str, team: str, version: int) -> str:
    """The ARN of a team's flow definition in a version of a use case."""
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:flow-definition/{use_case}-{team}-v{version}"


@cache
def flow_definition(arn: str) -> FlowDefinition:
    """What `flow_definition_arn` made the ARN of."""
    _, team, version = arn.rpartition("/")[2].split("-")
    return FlowDefinition(team, int(version[1:]))


@cache
def policy_of(use_case: str, version: Version) -> UseCasePolicy:
    """The routing policy of a version. A preset fixes what a redeployment leaves alone."""
    random = Random(f"preset {version.preset}")
    is_callers = random.random() < 0.15
    is_public = random.random() < 0.12
    two_person = random.random() < 0.25
    has_roster = random.random() < 0.5 and not is_public
    changes: dict[str, Any] = {
        "use_case": use_case,
        "version": str(version.number),
        "labels": list(LABELS),
        "mode": "shadow" if random.random() < 0.12 else "live",
        "input": {"withheld": ["sex"]},
        "routing": {
            "threshold": 0.9 - 0.02 * version.number,
            "always_review": random.random() < 0.1,
            "rules": [{"name": "large", "when": "input.amount > `9000`"}] if random.random() < 0.5 else [],
            "spot_check_probability": random.choice([0.0, 0.1, 0.3]),
            "spot_check_two_reader_share": random.choice([0.0, 0.5]),
        },
        "review": {
            "flow_definition_arn": flow_definition_arn(
                use_case, PUBLIC_TEAM if is_public else "first", version.number
            ),
            "task_ui_sha256": f"{version.number:064x}",
            "backend": random.choice(["a2i", "overread"]),
            "answer": {"label": "label", "reason_code": "reason", "cannot_decide": "cannot_decide"},
            "blind": random.random() < 0.3,
            "max_generations": random.choice([1, 2, 3]),
            "public_workforce": is_public,
            "two_person": two_person,
            "merge": random.choice(["unanimous", "majority", "first"]),
            "requires_roster": has_roster,
            "statement": f"I have looked at all of it (v{version.number})." if random.random() < 0.5 else "",
        },
        "data": {"class": "free-of-personal-data" if is_public else "personal"},
        "delivery": {"webhook": random.random() < 0.5, "feedback": random.random() < 0.3},
    }
    review = changes["review"]
    if random.random() < 0.3:
        review["queue"] = {"name": QUEUE, "max_open": random.choice([2, 3]), "max_waiting": 4}
    if two_person and random.random() < 0.6:
        review["second_flow_definition_arn"] = flow_definition_arn(use_case, "second", version.number)
    if random.random() < 0.88 or version.is_healed:
        review["escalation_flow_definition_arn"] = flow_definition_arn(use_case, "senior", version.number)
    if has_roster:
        review["authority"] = "input.amount"
        review["conflict_key"] = "input.customer"
    if not review["statement"]:
        del review["statement"]
    if version.is_busy:
        changes["mode"] = "live"
        changes["routing"] |= {"always_review": False, "rules": [], "spot_check_probability": 0.02}
    if is_callers:
        changes["prediction"] = {"source": "caller"}
    return policy(**changes)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who answers tasks."""

    number: int

    @property
    def worker_id(self) -> str:
        """In the words of the review's backend."""
        return f"w{self.number:02d}"

    @property
    def sub(self) -> str:
        """In the words of the identity provider."""
        return f"sub-{self.number:02d}"


PEOPLE = tuple(Person(number) for number in range(34))
TEAMS: Mapping[str, tuple[Person, ...]] = {
    "first": PEOPLE[0:6],
    "second": PEOPLE[4:8],
    "senior": PEOPLE[6:10],
    PUBLIC_TEAM: PEOPLE[0:5],
}
HEALERS = PEOPLE[10:]
"""Who reads when everything works again: entitled to decide everything, and more than one case can use up."""
ROSTERS = 12


@cache
def roster_body(number: int) -> bytes:
    """A roster. The last one entitles everybody; in the others people are missing, revoked, untrained, …"""
    random = Random(f"roster {number}")
    people = []
    for person in PEOPLE:
        is_trusted = number == ROSTERS - 1 or person in HEALERS
        draw = 1.0 if is_trusted else random.random()
        if draw < 0.1:
            continue
        until = EPOCH + timedelta(hours=random.uniform(1, 6) if draw < 0.2 else 24 * 365)
        terms: dict[str, Any] = {"qualified_until": format_instant(until)}
        if 0.2 <= draw < 0.3:
            terms["authority_limit"] = 5000
        use_cases = {name: terms for name in USE_CASES if not (0.3 <= draw < 0.35 and name == USE_CASES[0])}
        entry: dict[str, Any] = {
            "sub": person.sub,
            "issuer": ISSUER,
            "name": f"Person {person.number}",
            "use_cases": use_cases,
            "conflicts": ["customer-1"] if 0.35 <= draw < 0.45 else [],
        }
        if 0.45 <= draw < 0.55:
            entry["revoked_at"] = format_instant(EPOCH + timedelta(hours=random.uniform(0, 6)))
        people.append(entry)
    return json.dumps({"schema": 1, "people": people}).encode()


@cache
def roster_of(body: bytes) -> Roster:
    """The roster in a document."""
    return parse_roster(body)


USE_CASES = ("loan", "claim")


@cache
def request(
    *, amount: int, customer: int, priority: str, deadline_h: float, stated: str, note: int
) -> Submission:
    """A caller's request. `deadline_h` 0: none; `stated` names the reply of the caller's own model."""
    document: dict[str, Any] = {
        "input": {
            "amount": amount,
            "customer": f"customer-{customer}",
            "sex": WITHHELD_CANARY,
            "note": f"{INPUT_CANARY} {note}",
        },
        "reference": f"{REFERENCE_CANARY}-{note}",
        "priority": priority,
    }
    if deadline_h:
        document["deadline"] = format_instant(EPOCH + timedelta(hours=deadline_h))
    if stated:
        said = SPOKEN[stated]
        document["prediction"] = {
            "label": said.label,
            "confidence": said.confidence,
            "model": "caller",
            "version": "1",
        }
    return parse_submission(json.dumps(document).encode())


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a model says: its reply, and (apart from the code under test) what must be made of it.

    `is_usable`: it names a known label with a confidence in [0, 1].
    """

    body: bytes
    label: object
    confidence: object
    is_usable: bool


def _spoken(label: object, confidence: object, *, is_usable: bool) -> Spoken:
    return Spoken(
        json.dumps({"label": label, "confidence": confidence}).encode(), label, confidence, is_usable
    )


SPOKEN: Mapping[str, Spoken] = {
    "sure": _spoken("approve", 0.97, is_usable=True),
    "also sure": _spoken("decline", 0.95, is_usable=True),
    "edge": _spoken("approve", 0.87, is_usable=True),
    "unsure": _spoken("decline", 0.6, is_usable=True),
    "unknown label": _spoken("perhaps", 0.99, is_usable=False),
    "above one": _spoken("approve", 1.5, is_usable=False),
    "text": _spoken("approve", "0.99", is_usable=False),
    "no confidence": _spoken("approve", None, is_usable=False),
    "no label": _spoken(None, 0.99, is_usable=False),
    "nan": Spoken(b'{"label": "approve", "confidence": NaN}', "approve", float("nan"), False),
    "infinite": Spoken(b'{"label": "approve", "confidence": Infinity}', "approve", float("inf"), False),
    "garbage": Spoken(b"<html>", None, None, False),
}
SAID_BY_CALLERS = ("sure", "also sure", "edge", "unsure", "unknown label", "above one", "text")
SAID_BY_MODELS = tuple(SPOKEN)
MODEL_WEIGHTS = (14, 7, 2, 2, 0.5, 0.5, 0.5, 0.5, 0.5, 1.0, 0.5, 0.5)
BUSY_MODEL_WEIGHTS = (200, 90, 6, 4, 0.5, 0.5, 0.5, 0.5, 0.5, 1.0, 0.5, 0.5)
