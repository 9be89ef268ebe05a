"""The reviewer's list: whose tasks come first, what is not offered, and what comes next."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from overread.instants import format_instant
from overread_review.service.errors import TaskConflictError, TaskUnknownError
from overread_review.service.model import Priority, Reviewer
from overread_review.service.offers import Offers
from overread_review.service.settings import VendorTeam
from overread_testing.review_fakes import ADA, GRACE, KATHERINE, LENA, VERA, ReviewLab, review_lab

ACME = VendorTeam("acme-readers", "Acme readers", "Acme", "acme")


@pytest.fixture
def lab() -> ReviewLab:
    lab = review_lab()
    lab.flow_definition()
    return lab


def names(lab: ReviewLab, reviewer: Reviewer) -> list[str]:
    return [task.loop.name for task in lab.service.tasks.offered(reviewer)]


def test_tasks_are_offered_by_priority_then_deadline_then_age(lab: ReviewLab) -> None:
    def start(name: str, **own: Any) -> None:
        lab.start(name, overread=own)
        lab.clock.advance(1)

    soon = format_instant(lab.clock.now + timedelta(hours=1))
    late = format_instant(lab.clock.now + timedelta(hours=2))
    start("low", priority="low", deadline=soon)
    start("old")
    start("young")
    start("late", deadline=late)
    start("soon", deadline=soon)
    start("high", priority="high")
    start("urgent", priority="urgent")
    assert names(lab, ADA) == ["urgent", "high", "soon", "late", "old", "young", "low"]


def test_a_deadline_after_the_end_of_availability_counts_as_that_end(lab: ReviewLab) -> None:
    lab.flow_definition("short", TaskAvailabilityLifetimeInSeconds=60)
    far, near = (format_instant(lab.clock.now + timedelta(seconds=s)) for s in (9000, 600))
    lab.start("near", overread={"deadline": near})
    lab.start("ends-first", flow="short", overread={"deadline": far})
    assert names(lab, ADA) == ["ends-first", "near"]


@pytest.mark.parametrize(
    "own",
    ["urgent", ["urgent"], {"priority": "URGENT"}, {"priority": None, "deadline": 7}, {"deadline": "2026"}],
)
def test_a_malformed_priority_or_deadline_is_none(lab: ReviewLab, own: Any) -> None:
    loop = lab.start("loop-1", overread=own, priority="urgent", deadline="2026-03-05T00:00:00Z")
    assert (loop.priority, loop.deadline_at) == (Priority.NORMAL, None)


def test_a_deadline_without_an_offset_is_none(lab: ReviewLab) -> None:
    assert lab.start("loop-1", overread={"deadline": "2026-03-05T00:00:00"}).deadline_at is None


def test_overreads_own_task_document_says_its_priority_at_the_top(lab: ReviewLab) -> None:
    loop = lab.start("loop-1", decision_id="d-1", priority="high", deadline="2026-03-05T00:00:00Z")
    assert loop.priority is Priority.HIGH
    assert loop.deadline_at is not None


def test_ones_own_tasks_come_first_the_begun_before_the_given(lab: ReviewLab) -> None:
    lab.start("urgent", overread={"priority": "urgent"})
    lab.start("begun", overread={"priority": "low"})
    lab.start("given", overread={"priority": "low"})
    lab.service.tasks.claim("begun", reviewer=ADA)
    lab.service.people.seen(ADA)
    lab.service.lead.assign(LENA, "given", person=ADA.key)
    assert names(lab, ADA) == ["begun", "given", "urgent"]
    begun, given, urgent = lab.service.tasks.offered(ADA)
    assert (begun.claimed_by_me, begun.assigned_to_me) == (True, False)
    assert (given.claimed_by_me, given.assigned_to_me) == (False, True)
    assert (urgent.claimed_by_me, urgent.assigned_to_me) == (False, False)
    assert names(lab, GRACE) == ["urgent"]


def test_tasks_that_one_cannot_take_hide_no_later_ones() -> None:
    lab = review_lab()
    lab.flow_definition(TaskCount=2)
    for number in range(230):
        lab.start(f"loop-{number:03d}")
        if number < 225:
            lab.service.tasks.give_back(f"loop-{number:03d}", reviewer=ADA, decline=True)
    assert names(lab, ADA) == [f"loop-{number}" for number in range(225, 230)]
    assert len(names(lab, GRACE)) == 200


def test_next_claims_the_first_task_that_can_be_claimed(lab: ReviewLab) -> None:
    lab.start("first")
    lab.clock.advance(1)
    lab.start("second")
    lab.clock.advance(1)
    lab.start("third")
    lab.service.tasks.claim("first", reviewer=GRACE)
    claimed = lab.service.tasks.next(ADA)
    assert claimed is not None
    assert (claimed.loop.name, claimed.claim.person) == ("second", ADA.key)
    again = lab.service.tasks.next(ADA)
    assert again is not None
    assert again.loop.name == "second"


def test_next_passes_over_a_task_that_somebody_takes_meanwhile(
    lab: ReviewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.start("first")
    lab.clock.advance(1)
    lab.start("second")
    offered = lab.service.tasks.offered(ADA)
    lab.service.tasks.claim("first", reviewer=GRACE)
    monkeypatch.setattr(Offers, "in_turn", lambda _offers, _reviewer: iter(offered))
    claimed = lab.service.tasks.next(ADA)
    assert claimed is not None
    assert claimed.loop.name == "second"


def test_without_tasks_nothing_is_next(lab: ReviewLab) -> None:
    assert lab.service.tasks.next(ADA) is None


def test_a_seat_is_kept_for_whom_the_task_is_assigned_to() -> None:
    lab = review_lab()
    lab.flow_definition(TaskCount=2)
    lab.start("loop-1")
    lab.service.people.seen(ADA)
    lab.service.lead.assign(LENA, "loop-1", person=ADA.key)
    lab.service.tasks.claim("loop-1", reviewer=GRACE)
    with pytest.raises(TaskConflictError, match="assigned to another reviewer"):
        lab.service.tasks.claim("loop-1", reviewer=KATHERINE)
    assert names(lab, KATHERINE) == []
    lab.answer("loop-1", by=ADA)
    lab.clock.advance(1)
    lab.service.tasks.give_back("loop-1", reviewer=GRACE, decline=False)
    assert names(lab, KATHERINE) == ["loop-1"]


def test_who_declines_what_was_given_to_them_hands_it_to_everybody(lab: ReviewLab) -> None:
    lab.start("loop-1")
    lab.service.people.seen(ADA)
    lab.service.lead.assign(LENA, "loop-1", person=ADA.key)
    assert names(lab, GRACE) == []
    lab.service.tasks.give_back("loop-1", reviewer=ADA, decline=True)
    assert names(lab, GRACE) == ["loop-1"]


def vendor_lab() -> ReviewLab:
    lab = review_lab(vendor_teams=(ACME,))
    arn = lab.service.settings.arn("workteam/vendor-crowd/acme-readers")
    lab.flow_definition("outside", WorkteamArn=arn)
    lab.flow_definition("inside")
    lab.start("theirs", flow="outside")
    lab.start("ours", flow="inside")
    return lab


def test_a_vendors_people_see_exactly_their_own_queue_whatever_groups_their_issuer_claims() -> None:
    lab = vendor_lab()
    assert names(lab, VERA) == ["theirs"]
    assert names(lab, ADA) == ["ours"]
    assert names(lab, Reviewer("x", "x", frozenset({"reviewers"}), provider="other")) == []
    with pytest.raises(TaskUnknownError):
        lab.service.tasks.claim("ours", reviewer=VERA)


def test_a_vendors_person_is_never_somebody_of_the_workforce_with_the_same_sub() -> None:
    lab = review_lab(vendor_teams=(ACME,))
    arn = lab.service.settings.arn("workteam/vendor-crowd/acme-readers")
    lab.flow_definition(WorkteamArn=arn)
    lab.start("theirs")
    lab.service.tasks.claim("theirs", reviewer=VERA)
    twin = Reviewer("ada", VERA.sub, ADA.groups)
    assert lab.store.open_loops_of_person(twin.key) == []
    assert [loop.name for loop in lab.store.open_loops_of_person(VERA.key)] == ["theirs"]


def test_a_vendors_answers_carry_its_own_issuer() -> None:
    lab = vendor_lab()
    (answer,) = lab.answer("theirs", by=VERA).answers
    assert (answer.sub, answer.issuer, answer.identity_provider) == ("v-1", "https://acme.example", "Oidc")
    (ours,) = lab.answer("ours", by=ADA).answers
    assert answer.worker_id != ours.worker_id
