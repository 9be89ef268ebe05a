"""A decision made again from its audit entries, by the same decision code that wrote them."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from overread.audit.chain import Head, Link, seal
from overread.audit.replay import Replay
from overread.decisions import callers
from overread.decisions.record import Record, Truth
from overread_testing.audit_case import TEMPLATE
from overread_testing.audit_case import AuditCase as Case
from overread_testing.decision_builders import policy_document

TRUTH = Truth(
    label="approve",
    learnt_at=datetime(2026, 11, 23, tzinfo=UTC),
    recorded_at=datetime(2026, 11, 23, tzinfo=UTC),
    recorded_by="role/loans",
)
RULES = [{"name": "high-amount", "when": "input.amount > `5000`"}]


def wrong(replayed: Replay) -> dict[str, str]:
    return {check.name: check.detail for check in replayed.checks if check.is_right is False}


def untold(replayed: Replay) -> set[str]:
    return {check.name for check in replayed.checks if check.is_right is None}


@pytest.fixture
def by_model() -> Case:
    return Case(routing__threshold=0.0)


@pytest.fixture
def by_people() -> Case:
    case = Case(routing__rules=RULES, routing__threshold=0.99, review__two_person=True)
    case.read("approve", "decline")
    case.read("decline")
    return case


def test_decision_of_the_model_is_made_again(by_model: Case) -> None:
    replayed = by_model.replay()
    assert (wrong(replayed), untold(replayed)) == ({}, {"answers"})
    outcome = by_model.record.outcome
    assert outcome is not None
    assert (replayed.state, replayed.label, replayed.source) == ("FINAL", outcome.label, "model")
    assert replayed.reasons == ()


def test_decision_of_three_readers_is_made_again(by_people: Case) -> None:
    replayed = by_people.replay()
    assert (wrong(replayed), untold(replayed)) == ({}, set())
    assert replayed.is_confirmed
    assert (replayed.state, replayed.label, replayed.source) == ("FINAL", "decline", "human")
    assert [reason["code"] for reason in replayed.reasons] == ["confidence_below_threshold", "rule"]
    assert len(replayed.reviewers) == 2


def test_every_page_is_built_again_with_the_hash_that_was_shown(by_people: Case) -> None:
    replayed = by_people.replay()
    assert len(replayed.pages) == 3
    for page in replayed.pages:
        assert page.template == TEMPLATE
        assert page.content == by_people.world.loops.content(page.loop_name)
        assert page.content["input"] == {"amount": 9600, "purpose": "car"}


def test_decision_that_nobody_has_made_yet_is_replayed_so_far() -> None:
    case = Case(routing__always_review=True)
    replayed = case.replay()
    assert (replayed.state, replayed.label, wrong(replayed)) == ("PENDING", "", {})


def test_unusable_prediction_is_replayed_by_its_faults() -> None:
    case = Case(labels=["yes", "no"], routing__rules=RULES)
    replayed = case.replay()
    assert wrong(replayed) == {}
    assert [reason["code"] for reason in replayed.reasons] == ["label_unknown", "rule"]


def test_erased_input_leaves_what_can_be_told(by_people: Case) -> None:
    replayed = by_people.replay(input_body=None)
    assert replayed.is_confirmed
    pages = {f"page of {page.loop_name}" for page in replayed.pages}
    assert untold(replayed) == {"input", "route", *pages}


def test_policy_that_is_not_in_the_change_log_is_told(by_people: Case) -> None:
    assert untold(by_people.replay(policy_sha256s=[])) == {"route"}
    assert untold(by_people.replay(find_text=lambda _: None)) == {"route"}
    assert untold(by_people.replay(find_text=lambda _: "{}")) == {"route"}


def test_another_input_is_found(by_people: Case) -> None:
    found = wrong(by_people.replay(input_body=b'{"amount": 1}'))
    assert {"input", "route", *(f"page of {review.loop_name}" for review in by_people.record.reviews)} == set(
        found
    )


def test_another_policy_under_the_version_is_found(by_people: Case) -> None:
    lax = json.dumps(policy_document(routing__threshold=0.5))
    found = wrong(by_people.replay(policy_sha256s=["lax"], find_text={"lax": lax}.get))
    assert set(found) == {"route"}
    assert "high-amount" in found["route"]


def changed(links: list[Link], event: str, change: Callable[[dict[str, Any]], None]) -> list[Link]:
    made = []
    for link in links:
        entry = json.loads(json.dumps(link.entry))
        if entry["event"] == event:
            change(entry)
            sealed = seal(entry, head=Head(link.shard, link.seq - 1, link.previous))
            made.append(sealed)
        else:
            made.append(link)
    return made


def test_page_of_terms_that_were_replaced_since_cannot_be_told(by_people: Case) -> None:
    """The third reader's loop began after the terms were replaced, the others' before."""
    begun = [link.entry["number"] for link in by_people.links if link.entry["event"] == "review_started"]
    links = changed(
        by_people.links, "readers_disagree", lambda entry: entry.update(event="review_terms_replaced")
    )
    other = replace(by_people.record, terms=replace(by_people.record.terms, statement="another"))
    replayed = by_people.replay(links=links, record=other)
    assert [page.is_of_other_terms for page in replayed.pages] == [True, True, False]
    assert {f"page of {replayed.pages[2].loop_name}"} <= set(wrong(replayed))
    assert {f"page of {page.loop_name}" for page in replayed.pages[:2]} <= untold(replayed)
    assert len(begun) == 3


def test_label_that_the_answers_do_not_give_is_found(by_people: Case) -> None:
    links = changed(by_people.links, "decided_by_people", lambda e: e["detail"].update(label="approve"))
    assert set(wrong(by_people.replay(links=links))) == {"log", "answers", "record"}


def test_record_that_says_otherwise_is_found(by_people: Case) -> None:
    outcome = by_people.record.outcome
    assert outcome is not None
    forged = replace(by_people.record, outcome=replace(outcome, label="approve", source="model"))
    assert wrong(by_people.replay(record=forged)) == {
        "record": "label is 'approve', the entries tell 'decline'; "
        "source is 'model', the entries tell 'human'"
    }
    assert set(wrong(by_people.replay(record=None))) == {"record"}


def forged_outcome(record: Record, **changes: Any) -> Record:
    assert record.outcome is not None
    return replace(record, outcome=replace(record.outcome, **changes))


def forged_signer(record: Record) -> Record:
    assert record.outcome is not None
    first, *others = record.outcome.sign_offs
    other = replace(first, reviewer=replace(first.reviewer, worker_id="somebody-else"))
    return forged_outcome(record, sign_offs=(other, *others))


def forged_prediction(record: Record) -> Record:
    assert record.prediction is not None
    return replace(record, prediction=replace(record.prediction, confidence=0.999))


@pytest.mark.parametrize(
    ("forge", "found"),
    [
        (lambda one: forged_outcome(one, reason_code="fraud"), "reason_code is 'fraud'"),
        (lambda one: forged_outcome(one, sign_offs=one.outcome.sign_offs[:1]), "sign-offs is"),
        (forged_signer, "sign-offs is"),
        (forged_prediction, "confidence is 0.999"),
        (lambda one: replace(one, prediction=None), "prediction is ()"),
        (lambda one: replace(one, policy=replace(one.policy, version="another")), "policy is 'another'"),
        (lambda one: replace(one, input=replace(one.input, sha256="0" * 64)), "input is '000"),
        (lambda one: replace(one, route=replace(one.route, reasons=())), "reasons is []"),
        (lambda one: replace(one, contested_by="d-x"), "contested_by is 'd-x'"),
        (lambda one: replace(one, truth=TRUTH), "truth is 'approve'"),
    ],
)
def test_record_whose_particulars_were_changed_is_found(
    forge: Callable[[Record], Record], found: str, by_people: Case
) -> None:
    (detail,) = [
        detail
        for name, detail in wrong(by_people.replay(record=forge(by_people.record))).items()
        if name == "record"
    ]
    assert found in detail


def test_record_that_was_contested_and_whose_truth_is_known_says_what_the_entries_tell(
    by_people: Case,
) -> None:
    world = by_people.world
    ports, clock = world.change_ports, world.clock
    callers.learn_truth(
        by_people.decision_id, label="approve", learnt_at=clock(), by="role/loans", ports=ports, clock=clock
    )
    callers.contest(
        by_people.decision_id, grounds="", idempotency_key="c", by="role/loans", ports=ports, clock=clock
    )
    assert by_people.replay().is_confirmed


def test_entry_that_is_not_in_the_chain_is_found(by_people: Case) -> None:
    """Sealed by itself, and lying beside the record, but the chain has another one in its place."""
    links = changed(by_people.links, "decided_by_people", lambda e: e["detail"].update(seconds=1))
    number = links[-1].entry["number"]
    assert wrong(by_people.replay(links=links))["log"] == f"not what the chain holds: number {number}"
    altered = [*by_people.links[:-1], replace(by_people.links[-1], entry=links[-1].entry)]
    assert "log" in wrong(by_people.replay(links=altered, find_link=lambda shard, seq: None))


def test_entry_that_the_index_does_not_have_yet_cannot_be_told(by_people: Case) -> None:
    last = by_people.links[-1].seq

    def lagging(shard: str, seq: int) -> Link | None:
        return None if seq == last else by_people.link_at(shard, seq)

    assert untold(by_people.replay(find_link=lagging)) == {"log"}


def test_entry_that_is_missing_is_found(by_people: Case) -> None:
    found = wrong(by_people.replay(links=by_people.links[:2] + by_people.links[3:]))
    assert {"entries", "record"} <= set(found)


def test_entry_that_begins_elsewhere_is_found(by_people: Case) -> None:
    links = changed(by_people.links, "decided_by_people", lambda e: e.update(from_state="RECEIVED"))
    assert "begins in RECEIVED" in wrong(by_people.replay(links=links))["entries"]


def test_nothing_is_replayed_from_nothing(by_model: Case) -> None:
    with pytest.raises(ValueError, match="there are no audit entries"):
        by_model.replay(links=[])
