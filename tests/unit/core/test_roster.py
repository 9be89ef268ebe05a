"""The roster: who may decide what, and that each fault of a roster is named."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.errors import InvalidRosterError
from overread.instants import parse_instant
from overread.review.roster import Roster, parse_roster

NOW = "2026-11-22T21:00:00Z"
POOL = "https://pool"


@dataclass(frozen=True)
class Someone:
    sub: str = "ada"
    issuer: str = POOL


ADA = Someone()


def person(**changes: Any) -> dict[str, Any]:
    """A person of the roster; None removes a member."""
    document = {
        "sub": "ada",
        "issuer": POOL,
        "name": "Ada Example",
        "use_cases": {
            "loan-approval": {"qualified_until": "2027-01-01T00:00:00Z", "authority_limit": 50_000}
        },
        "conflicts": ["customer-17", "18"],
        "revoked_at": None,
        **changes,
    }
    return {name: value for name, value in document.items() if value is not None}


def body(*people: Any, **changes: Any) -> bytes:
    return json.dumps({"schema": 1, "people": list(people), **changes}).encode()


def objection(
    roster: Roster,
    *,
    who: Someone = ADA,
    use_case: str = "loan-approval",
    at: str = NOW,
    amount: object = 100,
    conflict_key: object = "customer-1",
) -> str:
    """The objection's code, empty when there is none."""
    found = roster.objection(
        who, use_case=use_case, at=parse_instant(at), amount=amount, conflict_key=conflict_key
    )
    return found.code if found else ""


def of_ada(**changes: Any) -> Roster:
    return parse_roster(body(person(**changes)))


def test_somebody_on_the_roster_may_decide() -> None:
    assert objection(of_ada()) == ""


@pytest.mark.parametrize("who", [Someone(sub="bob"), Someone(issuer="https://other"), Someone("", "")])
def test_who_is_not_on_the_roster_may_not(who: Someone) -> None:
    assert objection(of_ada(), who=who) == "reviewer_not_on_roster"


def test_a_person_without_the_use_case_is_not_qualified() -> None:
    assert objection(of_ada(), use_case="tumor-screening") == "reviewer_not_qualified"


@pytest.mark.parametrize(
    ("at", "code"),
    [("2026-12-31T23:59:59.999Z", ""), ("2027-01-01T00:00:00Z", "training_expired")],
)
def test_a_qualification_ends_at_its_instant(at: str, code: str) -> None:
    assert objection(of_ada(), at=at) == code


@pytest.mark.parametrize(
    ("at", "code"), [("2026-06-01T11:59:59Z", ""), ("2026-06-01T12:00:00Z", "reviewer_revoked")]
)
def test_a_revoked_person_may_not_decide_from_then_on(at: str, code: str) -> None:
    assert objection(of_ada(revoked_at="2026-06-01T14:00:00+02:00"), at=at) == code


@pytest.mark.parametrize("amount", [50_000, 0, -1, 49_999.99])
def test_an_amount_within_the_authority_is_decided(amount: object) -> None:
    assert objection(of_ada(), amount=amount) == ""


@pytest.mark.parametrize("amount", [50_000.01, 10**400, float("inf"), float("nan"), None, "100", True, [1]])
def test_an_amount_beyond_the_authority_or_of_no_size_is_not(amount: object) -> None:
    assert objection(of_ada(), amount=amount) == "authority_exceeded"


@pytest.mark.parametrize("amount", [10**400, None, "a lot"])
def test_who_has_no_limit_decides_any_amount(amount: object) -> None:
    unlimited = of_ada(use_cases={"loan-approval": {"qualified_until": "2027-01-01T00:00:00Z"}})
    assert objection(unlimited, amount=amount) == ""


@pytest.mark.parametrize("key", ["customer-17", "18", 18, 18.0, ["customer-1", 18.0], ["customer-17"]])
def test_nobody_decides_about_whom_they_have_a_conflict_with(key: object) -> None:
    assert objection(of_ada(), conflict_key=key) == "conflict_of_interest"


@pytest.mark.parametrize("key", ["", [], {}, True, 1.5, float("nan"), 2.0**53, 2**60, ["customer-1", None]])
def test_a_key_that_tells_nothing_is_not_for_who_has_conflicts(key: object) -> None:
    assert objection(of_ada(), conflict_key=key) == "conflict_of_interest"
    assert objection(of_ada(conflicts=[]), conflict_key=key) == ""


@pytest.mark.parametrize("key", [None, "customer-170", 17, ["customer-1", "customer-2"]])
def test_other_keys_and_none_are_no_conflict(key: object) -> None:
    assert objection(of_ada(), conflict_key=key) == ""


def test_a_roster_is_known_by_its_hash() -> None:
    one, other = body(person()), body(person(name="Ada Other"))
    assert len(parse_roster(one).sha256) == 64
    assert parse_roster(one).sha256 == parse_roster(one).sha256 != parse_roster(other).sha256


def test_nobody_may_decide_by_an_empty_roster() -> None:
    assert objection(parse_roster(body())) == "reviewer_not_on_roster"


def qualified(**terms: Any) -> dict[str, Any]:
    return person(use_cases={"loan-approval": {"qualified_until": "2027-01-01T00:00:00Z", **terms}})


FAULTS: list[tuple[bytes, str]] = [
    (b"", "not JSON"),
    (b"[]", "the roster must be an object with schema 1"),
    (body(schema=2), "the roster must be an object with schema 1"),
    (body(colour="red"), "colour is unknown, allowed are schema, people"),
    (b'{"schema": 1}', "people must be a list of at most 20000"),
    (body(7), "people[0] must be an object"),
    (body(person(sub=None)), "people[0].sub must be a text of 1 to 256 printable characters, got None"),
    (body(person(issuer="")), "people[0].issuer must be a text"),
    (body(person(name="a\nb")), "people[0].name must be a text"),
    (body(person(name=None)), "people[0].name must be a text"),
    (body(person(), person(name="Twice")), "people[1] is a person who stands there before: sub 'ada' of"),
    (body(person(email="a@b")), "people[0].email is unknown, allowed are sub, issuer, name"),
    (body(person(use_cases=[])), "people[0].use_cases must be an object of use cases"),
    (body(person(use_cases={"Loan": {}})), "people[0].use_cases.Loan must be a use case's name"),
    (body(person(use_cases={"loan": 1})), "people[0].use_cases.loan must be an object"),
    (body(person(use_cases={"loan": {}})), "people[0].use_cases.loan.qualified_until must be a time such as"),
    (body(qualified(qualified_until="2027-01-01")), "people[0].use_cases.loan-approval.qualified_until must"),
    (body(qualified(qualified_until="0001-01-01T00:00:00+14:00")), "people[0].use_cases.loan-approval.qual"),
    (body(qualified(limit=3)), "people[0].use_cases.loan-approval.limit is unknown"),
    (body(qualified(authority_limit="3")), "people[0].use_cases.loan-approval.authority_limit must be a num"),
    (body(qualified(authority_limit=-1)), "people[0].use_cases.loan-approval.authority_limit must be a num"),
    (body(qualified(authority_limit=True)), "people[0].use_cases.loan-approval.authority_limit must be a n"),
    (body(qualified(authority_limit=10**400)), "people[0].use_cases.loan-approval.authority_limit must be"),
    (body(person(conflicts="customer-17")), "people[0].conflicts must be a list of texts"),
    (body(person(conflicts=[""])), "people[0].conflicts must be a list of texts"),
    (body(person(conflicts=[17])), "people[0].conflicts must be a list of texts"),
    (body(person(revoked_at="yesterday")), "people[0].revoked_at must be a time such as"),
    (body(person(revoked_at=1_700_000_000)), "people[0].revoked_at must be a time such as"),
]


@pytest.mark.parametrize(("document", "fault"), FAULTS)
def test_a_fault_is_named_with_its_place(document: bytes, fault: str) -> None:
    with pytest.raises(InvalidRosterError) as caught:
        parse_roster(document)
    assert any(found.startswith(fault) for found in caught.value.faults), caught.value.faults


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InvalidRosterError) as caught:
        parse_roster(body(person(sub=""), person(sub="", conflicts=7), 7, extra=1))
    assert len(caught.value.faults) == 5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


MEMBERS = ("sub", "issuer", "name", "use_cases", "conflicts", "revoked_at", "other")


@given(
    st.binary(max_size=40)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.fixed_dictionaries({}, optional=dict.fromkeys(MEMBERS, JSON)).map(lambda one: body(person(**one)))
)
def test_any_bytes_are_a_roster_or_faults(document: bytes) -> None:
    faults: tuple[str, ...] = ()
    try:
        roster = parse_roster(document)
    except InvalidRosterError as error:
        faults = error.faults
    assert faults or isinstance(objection(roster), str)
