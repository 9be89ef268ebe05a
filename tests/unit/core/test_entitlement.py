"""Who may decide a case: by the roster, and not who has read it, or what it supersedes, before."""

import json
from typing import Any

import pytest

from overread.decisions.callers import contest
from overread.decisions.ingest import IngestResult, ingest
from overread.decisions.record import LoopEnd, Record, State
from overread.decisions.start_loop import start_loop
from overread.decisions.steering import put_roster
from overread.errors import RetryableError
from overread_testing.decision_builders import answer, output_document, policy
from overread_testing.decision_fakes import World
from overread_testing.decision_worlds import post

UNSURE = b'{"label": "approve", "confidence": 0.71}'
ISSUER = answer()["workerMetadata"]["identityData"]["issuer"]
BY_ROSTER: dict[str, Any] = {
    "review__requires_roster": True,
    "review__authority": "input.amount",
    "review__conflict_key": "input.customer",
}
INPUT = {"amount": 9600, "customer": 17}


def on_roster(who: str, **changes: Any) -> dict[str, Any]:
    terms = {"qualified_until": "2027-01-01T00:00:00Z", "authority_limit": 10_000}
    return {
        "sub": f"sub-of-{who}",
        "issuer": ISSUER,
        "name": who,
        "use_cases": {"loan-approval": {**terms, **changes.pop("terms", {})}},
        "conflicts": ["99"],
        **changes,
    }


def put(world: World, *people: dict[str, Any]) -> None:
    body = json.dumps({"schema": 1, "people": list(people)}).encode()
    put_roster(body, by="ann", reason="", needs_two=False, steering=world.steering, clock=world.clock)


def in_review(*people: dict[str, Any], case: dict[str, Any] | None = None, **changes: Any) -> World:
    """A case that people on the roster read."""
    world = World(policy(**{**BY_ROSTER, **changes}))
    world.models.reply = UNSURE
    put(world, *people)
    post(world, input=case or INPUT)
    start(world, world.records.only())
    return world


def start(world: World, record: Record) -> None:
    start_loop(record.decision_id, ports=world.start_ports, clock=world.clock, jitter=0.0)


def say(world: World, record: Record, label: str = "decline", *, who: str, **changes: Any) -> IngestResult:
    """Somebody answers the oldest open loop, and the news arrives."""
    name = record.open_reviews[0].loop_name
    content = world.loops.content(name)
    document = output_document(
        loop_name=name,
        decision_id=record.decision_id,
        answers=[answer(label, workerId=who, **changes)],
        inputContent=content,
    )
    world.answer(name, document)
    return ingest(name, ports=world.ingest_ports, clock=world.clock)


def only(world: World) -> Record:
    return world.records.only()


def test_somebody_on_the_roster_decides_and_the_audit_names_the_roster() -> None:
    world = in_review(on_roster("ada"))
    assert say(world, only(world), who="ada") is IngestResult.DECIDED
    assert world.records.pin is not None
    assert world.records.audit[-1].detail["roster_sha256"] == world.records.pin.sha256


@pytest.mark.parametrize(
    ("person", "case", "code"),
    [
        (on_roster("bob"), INPUT, "reviewer_not_on_roster"),
        (on_roster("ada", revoked_at="2026-11-22T00:00:00Z"), INPUT, "reviewer_revoked"),
        (on_roster("ada", use_cases={}), INPUT, "reviewer_not_qualified"),
        (on_roster("ada", terms={"qualified_until": "2026-11-22T21:07:44Z"}), INPUT, "training_expired"),
        (on_roster("ada"), {**INPUT, "amount": 10_001}, "authority_exceeded"),
        (on_roster("ada"), {"customer": 17}, "authority_exceeded"),
        (on_roster("ada", conflicts=["17"]), INPUT, "conflict_of_interest"),
        (on_roster("ada"), {"amount": 1}, "conflict_of_interest"),
    ],
)
def test_an_answer_that_the_roster_objects_to_is_kept_but_does_not_count(
    person: dict[str, Any], case: dict[str, Any], code: str
) -> None:
    world = in_review(person, case=case)
    assert say(world, only(world), who="ada") is IngestResult.REVIEW_REPEATED
    record = only(world)
    assert (record.state, record.generation, record.outcome) == (State.PENDING, 2, None)
    (review,) = record.reviews
    assert (review.end, review.end_code) == (LoopEnd.UNUSABLE, code)
    assert review.output is not None
    assert world.records.audit[-1].detail["output"]["sha256"] == review.output.sha256


def test_a_conflict_about_what_readers_may_not_see_cannot_be_ruled_out() -> None:
    world = in_review(on_roster("ada", conflicts=["42"]), input={"withheld": ["customer"]})
    assert say(world, only(world), who="ada") is IngestResult.REVIEW_REPEATED
    assert only(world).reviews[0].end_code == "conflict_of_interest"


def test_a_customers_number_is_the_same_after_a2i_wrote_it_anew() -> None:
    world = in_review(on_roster("ada", conflicts=["17"]))
    name = only(world).open_reviews[0].loop_name
    content = world.loops.content(name)
    content["input"]["customer"] = 17.0
    document = output_document(
        loop_name=name,
        decision_id=only(world).decision_id,
        answers=[answer(workerId="ada")],
        inputContent=content,
    )
    world.answer(name, document)
    assert ingest(name, ports=world.ingest_ports, clock=world.clock) is IngestResult.REVIEW_REPEATED
    assert only(world).reviews[0].end_code == "conflict_of_interest"


@pytest.mark.parametrize("time", ["acceptanceTime", "submissionTime"])
def test_both_times_of_an_answer_count(time: str) -> None:
    person = on_roster("ada", revoked_at="2026-11-22T22:00:00Z")
    world = in_review(person)
    changes = {time: "2026-11-22T22:00:00Z"}
    assert say(world, only(world), who="ada", **changes) is IngestResult.REVIEW_REPEATED
    assert only(world).reviews[0].end_code == "reviewer_revoked"


@pytest.mark.parametrize("time", ["", "yesterday", "2026-11-22T21:00:00"])
def test_an_answer_that_does_not_say_when_does_not_count(time: str) -> None:
    world = in_review(on_roster("ada"))
    assert say(world, only(world), who="ada", acceptanceTime=time) is IngestResult.REVIEW_REPEATED
    assert only(world).reviews[0].end_code == "answer_without_time"


def test_the_roster_of_the_moment_of_judgement_counts() -> None:
    world = in_review(on_roster("ada"))
    put(world, on_roster("bob"))
    assert say(world, only(world), who="ada") is IngestResult.REVIEW_REPEATED


def test_without_any_roster_an_answer_waits_for_one() -> None:
    world = in_review(on_roster("ada"))
    world.records.pin = None
    record = only(world)
    with pytest.raises(RetryableError, match="RosterMissing"):
        say(world, record, who="ada")
    assert only(world) == record
    put(world, on_roster("ada"))
    assert say(world, record, who="ada") is IngestResult.DECIDED


def test_a_case_that_nobody_may_decide_is_escalated_never_approved() -> None:
    world = in_review(on_roster("bob"))
    results = []
    for _ in range(3):
        results.append(say(world, only(world), who="ada"))
        start(world, only(world))
    assert results == [IngestResult.REVIEW_REPEATED, IngestResult.REVIEW_REPEATED, IngestResult.ESCALATED]
    record = only(world)
    assert (record.state, record.outcome) == (State.ESCALATED, None)
    assert record.escalation is not None
    assert record.escalation.document() == {"code": "generations_exhausted", "last": "reviewer_not_on_roster"}


def contested(world: World, old: Record) -> Record:
    return contest(
        old.decision_id,
        grounds="",
        idempotency_key="k",
        by="caller",
        ports=world.change_ports,
        clock=world.clock,
    )


def test_who_read_the_contested_decision_may_not_read_the_contest_however_they_voted() -> None:
    world = World(policy(review__two_person=True))
    world.models.reply = UNSURE
    old = post(world)
    for label, who in (("approve", "ada"), ("decline", "bob"), ("decline", "cyd")):
        start(world, old)
        say(world, world.records.get(old.decision_id) or old, label, who=who)
    new = contested(world, old)
    for who in ("ada", "bob", "cyd"):
        start(world, new)
        current = world.records.get(new.decision_id)
        assert current is not None
        say(world, current, "approve", who=who)
    after = world.records.get(new.decision_id)
    assert after is not None
    ends = {(review.end, review.end_code) for review in after.reviews if review.end is not LoopEnd.OPEN}
    assert ends == {(LoopEnd.UNUSABLE, "excluded_reviewer")}
