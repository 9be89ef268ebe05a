"""What leads see and steer, over fakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from overread.review.wire import LoopStatus
from overread_review.service.errors import (
    NoteInvalidError,
    NotLeadError,
    PersonUnknownError,
    PersonUnsuitableError,
    QueueUnknownError,
    TaskConflictError,
    TaskGoneError,
    TaskUnknownError,
)
from overread_review.service.lead import Queue
from overread_review.service.model import Agreement, Reviewer
from overread_review.service.settings import VendorTeam
from overread_testing.review_fakes import (
    ADA,
    GRACE,
    KATHERINE,
    LENA,
    STRANGER,
    VERA,
    ReviewLab,
    review_lab,
)

OTHER_LEAD = Reviewer("olga", "o-1", frozenset({"others", "leads"}))


@pytest.fixture
def lab() -> ReviewLab:
    lab = review_lab()
    lab.flow_definition()
    for person in (ADA, GRACE, KATHERINE, STRANGER, LENA):
        lab.service.people.seen(person)
    return lab


def queue(lab: ReviewLab, name: str = "flow") -> Queue:
    return next(one for one in lab.service.lead.overview(LENA).queues if one.flow_definition == name)


def offered(lab: ReviewLab, reviewer: Reviewer) -> list[str]:
    return [task.loop.name for task in lab.service.tasks.offered(reviewer)]


def test_an_overview_of_nothing(lab: ReviewLab) -> None:
    one = queue(lab)
    assert (one.title, one.team, one.paused) == ("Review a loan", "team", False)
    assert (one.open, one.claimed, one.waiting, one.flagged, one.overdue) == (0, 0, 0, 0, 0)
    assert (one.oldest_age_s, one.median_age_s, one.median_worked_s) == (None, None, None)
    assert (one.completed_1h, one.completed_24h, one.agreement) == (0, 0, Agreement(0, 0))


def test_backlog_ages_and_what_needs_a_lead(lab: ReviewLab) -> None:
    lab.start("old", overread={"deadline": "2026-03-02T10:00:00Z"})
    lab.clock.advance(600)
    lab.start("middle")
    lab.clock.advance(300)
    lab.start("young")
    lab.service.tasks.claim("young", reviewer=ADA)
    lab.service.tasks.note("middle", reviewer=ADA, kind="flag", text="Odd")
    lab.clock.advance(100)
    one = queue(lab)
    assert (one.open, one.claimed, one.waiting, one.flagged, one.overdue) == (3, 1, 2, 1, 0)
    assert (one.oldest_age_s, one.median_age_s) == (1000, 400)
    lab.service.lead.reply(LENA, "middle", text="Fine")
    lab.clock.advance(3600)
    assert (queue(lab).flagged, queue(lab).overdue) == (0, 1)


def test_throughput_time_and_agreement(lab: ReviewLab) -> None:
    lab.flow_definition("twice", TaskCount=2)
    for name, second in (("one", "approve"), ("two", "decline")):
        lab.start(name, flow="twice")
        lab.answer(name, by=ADA, label="approve", worked_s=10)
        lab.answer(name, by=GRACE, label=second, worked_s=20)
    lab.start("stopped", flow="twice")
    lab.answer("stopped", by=ADA, worked_s=99)
    lab.call(lab.service.loops.stop, HumanLoopName="stopped")
    one = queue(lab, "twice")
    assert (one.completed_1h, one.completed_24h, one.median_worked_s) == (2, 2, 20)
    assert one.agreement == Agreement(pairs=2, agreed=1)
    lab.clock.advance(3600)
    assert (queue(lab, "twice").completed_1h, queue(lab, "twice").completed_24h) == (0, 2)
    lab.clock.advance(23 * 3600 + 1)
    later = queue(lab, "twice")
    assert (later.completed_24h, later.median_worked_s, later.agreement.pairs) == (0, None, 2)
    assert queue(lab).completed_24h == 0


def test_leads_see_the_queues_of_their_teams_only(lab: ReviewLab) -> None:
    lab.start("loop-1")
    assert lab.service.lead.overview(OTHER_LEAD).queues == ()
    with pytest.raises(QueueUnknownError):
        lab.service.lead.tasks(OTHER_LEAD, flow_definition="flow")
    with pytest.raises(TaskUnknownError):
        lab.service.lead.task(OTHER_LEAD, "loop-1")
    with pytest.raises(TaskUnknownError):
        lab.service.lead.task(LENA, "nothing")


STEPS: list[Callable[[ReviewLab, Reviewer], Any]] = [
    lambda lab, who: lab.service.lead.overview(who),
    lambda lab, who: lab.service.lead.tasks(who, flow_definition="flow"),
    lambda lab, who: lab.service.lead.task(who, "loop-1"),
    lambda lab, who: lab.service.lead.assign(who, "loop-1", person=None),
    lambda lab, who: lab.service.lead.return_answer(who, "loop-1", person="x", comment="x"),
    lambda lab, who: lab.service.lead.stop(who, "loop-1"),
    lambda lab, who: lab.service.lead.hold(who, "loop-1"),
    lambda lab, who: lab.service.lead.unhold(who, "loop-1"),
    lambda lab, who: lab.service.lead.reply(who, "loop-1", text="x"),
    lambda lab, who: lab.service.lead.pause_queue(who, "flow"),
    lambda lab, who: lab.service.lead.resume_queue(who, "flow"),
]


@pytest.mark.parametrize("step", STEPS)
def test_only_leads_see_and_steer(lab: ReviewLab, step: Callable[[ReviewLab, Reviewer], Any]) -> None:
    loop = lab.start("loop-1")
    with pytest.raises(NotLeadError):
        step(lab, ADA)
    assert lab.loop("loop-1") == loop


@pytest.mark.parametrize("step", [*STEPS[3:9]])
def test_ended_loops_are_never_changed(lab: ReviewLab, step: Callable[[ReviewLab, Reviewer], Any]) -> None:
    lab.start("loop-1")
    ended = lab.answer("loop-1", by=ADA)
    with pytest.raises(TaskGoneError):
        step(lab, LENA)
    assert lab.loop("loop-1") == ended


def test_tasks_open_flagged_and_ended_page_by_page(lab: ReviewLab) -> None:
    for number in range(7):
        lab.start(f"loop-{number}")
        lab.clock.advance(1)
    for number in (0, 3):
        lab.answer(f"loop-{number}", by=ADA)
    lab.service.tasks.note("loop-5", reviewer=ADA, kind="question", text="?")

    def names(state: Any) -> list[str]:
        found, cursor = [], ""
        while True:
            page = lab.service.lead.tasks(LENA, flow_definition="flow", state=state, cursor=cursor, limit=2)
            found += [loop.name for loop in page.loops]
            cursor = page.next_cursor
            if not cursor:
                return found

    assert names("open") == ["loop-1", "loop-2", "loop-4", "loop-5", "loop-6"]
    assert names("flagged") == ["loop-5"]
    assert names("ended") == ["loop-3", "loop-0"]


def test_a_task_comes_with_its_input_and_its_answers_contents(lab: ReviewLab) -> None:
    lab.flow_definition("twice", TaskCount=2)
    lab.start("loop-1", flow="twice", note="n")
    lab.answer("loop-1", by=ADA, label="decline")
    shown = lab.service.lead.task(LENA, "loop-1")
    assert shown.task_input == {"note": "n"}
    assert shown.contents == ({"decision": {"label": "decline"}},)


def test_an_assigned_task_is_taken_from_who_has_it(lab: ReviewLab) -> None:
    lab.start("loop-1")
    lab.service.tasks.claim("loop-1", reviewer=GRACE)
    loop = lab.service.lead.assign(LENA, "loop-1", person=ADA.key)
    assert (loop.assigned_to, loop.claims) == (ADA.key, ())
    assert (offered(lab, ADA), offered(lab, GRACE)) == (["loop-1"], [])
    with pytest.raises(TaskConflictError):
        lab.service.tasks.answer("loop-1", reviewer=GRACE, content={})
    assert lab.answer("loop-1", by=ADA).status is LoopStatus.COMPLETED


def test_assigning_takes_nobodys_seat_while_there_is_one_for_all(lab: ReviewLab) -> None:
    lab.flow_definition("twice", TaskCount=2)
    lab.start("loop-1", flow="twice")
    lab.service.tasks.claim("loop-1", reviewer=GRACE)
    loop = lab.service.lead.assign(LENA, "loop-1", person=ADA.key)
    assert [claim.person for claim in loop.claims] == [GRACE.key]


def test_a_declined_task_can_be_assigned_all_the_same(lab: ReviewLab) -> None:
    lab.start("loop-1")
    lab.service.tasks.give_back("loop-1", reviewer=ADA, decline=True)
    lab.service.lead.assign(LENA, "loop-1", person=ADA.key)
    assert offered(lab, ADA) == ["loop-1"]


def test_what_is_put_back_is_everybodys(lab: ReviewLab) -> None:
    lab.start("loop-1")
    lab.service.lead.assign(LENA, "loop-1", person=ADA.key)
    lab.service.tasks.claim("loop-1", reviewer=ADA)
    loop = lab.service.lead.assign(LENA, "loop-1", person=None)
    assert (loop.assigned_to, loop.claims) == ("", ())
    assert offered(lab, GRACE) == ["loop-1"]


def test_tasks_are_assigned_to_suitable_people_only(lab: ReviewLab) -> None:
    lab.flow_definition("twice", TaskCount=2)
    lab.start("loop-1", flow="twice")
    lab.answer("loop-1", by=ADA)
    lab.service.people.disable(LENA, GRACE.key)
    with pytest.raises(PersonUnknownError):
        lab.service.lead.assign(LENA, "loop-1", person="nobody")
    with pytest.raises(PersonUnknownError):
        lab.service.lead.assign(LENA, "loop-1", person=STRANGER.key)
    with pytest.raises(PersonUnsuitableError, match="grace is disabled"):
        lab.service.lead.assign(LENA, "loop-1", person=GRACE.key)
    with pytest.raises(PersonUnsuitableError, match="already answered"):
        lab.service.lead.assign(LENA, "loop-1", person=ADA.key)


def test_a_returned_answer_is_kept_and_given_again_by_its_author(lab: ReviewLab) -> None:
    lab.flow_definition("twice", TaskCount=2)
    lab.start("loop-1", flow="twice")
    lab.answer("loop-1", by=ADA, label="approve")
    loop = lab.service.lead.return_answer(LENA, "loop-1", person=ADA.key, comment="Page 2 was missed")
    assert (loop.answers, [answer.person for answer in loop.returned]) == ((), [ADA.key])
    assert (loop.notes[-1].kind, loop.notes[-1].to, loop.assigned_to) == ("return", ADA.key, ADA.key)
    (task,) = lab.service.tasks.offered(ADA)
    assert (task.returned_to_me, task.assigned_to_me) == (True, True)
    lab.answer("loop-1", by=ADA, label="decline")
    loop = lab.answer("loop-1", by=GRACE, label="decline")
    assert loop.status is LoopStatus.COMPLETED
    assert [answer.choices["decision"] for answer in loop.answers] == ["decline", "decline"]
    assert [answer.choices["decision"] for answer in loop.returned] == ["approve"]
    assert all(answer.content_key in lab.documents.kept for answer in (*loop.answers, *loop.returned))


def test_an_answer_is_returned_by_the_alias_under_which_it_is_shown(lab: ReviewLab) -> None:
    lab.flow_definition("twice", TaskCount=2)
    lab.start("loop-1", flow="twice")
    lab.answer("loop-1", by=ADA)
    shown = lab.service.people.shown(ADA.key, loop_name="loop-1")
    assert ADA.key not in shown.person
    loop = lab.service.lead.return_answer(LENA, "loop-1", person=shown.person, comment="Again")
    assert loop.assigned_to == ADA.key


def test_an_answer_is_returned_with_a_comment_and_only_where_there_is_one(lab: ReviewLab) -> None:
    lab.flow_definition("twice", TaskCount=2)
    lab.start("loop-1", flow="twice")
    with pytest.raises(TaskConflictError, match="no answer"):
        lab.service.lead.return_answer(LENA, "loop-1", person=ADA.key, comment="x")
    lab.answer("loop-1", by=ADA)
    with pytest.raises(NoteInvalidError, match="comment"):
        lab.service.lead.return_answer(LENA, "loop-1", person=ADA.key, comment=" ")
    assert len(lab.loop("loop-1").answers) == 1


def test_a_stopped_task_lets_who_has_begun_finish(lab: ReviewLab) -> None:
    lab.start("begun")
    lab.start("waiting")
    lab.service.tasks.claim("begun", reviewer=ADA)
    assert lab.service.lead.stop(LENA, "waiting").status is LoopStatus.STOPPED
    assert lab.service.lead.stop(LENA, "begun").status is LoopStatus.STOPPING
    assert lab.service.tasks.answer("begun", reviewer=ADA, content={}).status is LoopStatus.COMPLETED


def test_a_task_on_hold_is_offered_to_nobody_until_it_is_free_again(lab: ReviewLab) -> None:
    lab.start("begun")
    lab.start("waiting")
    lab.service.tasks.claim("begun", reviewer=ADA)
    for name in ("begun", "waiting"):
        assert lab.service.lead.hold(LENA, name).held
    assert (offered(lab, ADA), offered(lab, GRACE)) == (["begun"], [])
    with pytest.raises(TaskConflictError, match="on hold"):
        lab.service.tasks.claim("waiting", reviewer=GRACE)
    assert lab.service.tasks.answer("begun", reviewer=ADA, content={}).status is LoopStatus.COMPLETED
    lab.service.lead.unhold(LENA, "waiting")
    assert offered(lab, GRACE) == ["waiting"]


def test_a_paused_queue_offers_nothing_but_lets_who_has_begun_finish(lab: ReviewLab) -> None:
    lab.start("begun")
    lab.start("waiting")
    lab.service.tasks.claim("begun", reviewer=ADA)
    paused = lab.service.lead.pause_queue(LENA, "flow")
    assert (paused.paused, paused.paused_by, paused.open) == (True, "lena", 2)
    assert (offered(lab, ADA), offered(lab, GRACE)) == (["begun"], [])
    with pytest.raises(TaskConflictError, match="paused this queue"):
        lab.service.tasks.claim("waiting", reviewer=GRACE)
    assert lab.service.tasks.claim("begun", reviewer=ADA).loop.name == "begun"
    lab.service.tasks.answer("begun", reviewer=ADA, content={})
    assert not lab.service.lead.resume_queue(LENA, "flow").paused
    assert offered(lab, GRACE) == ["waiting"]


def test_what_is_assigned_waits_while_its_queue_is_paused(lab: ReviewLab) -> None:
    lab.start("loop-1")
    lab.service.lead.assign(LENA, "loop-1", person=ADA.key)
    lab.service.lead.pause_queue(LENA, "flow")
    assert offered(lab, ADA) == []


def test_a_queue_stays_paused_by_who_paused_it_first(lab: ReviewLab) -> None:
    lab.service.lead.pause_queue(LENA, "flow")
    other = Reviewer("olga", "o-1", LENA.groups)
    assert lab.service.lead.pause_queue(other, "flow").paused_by == "lena"


def test_a_vendors_lead_steers_the_vendors_queue_only() -> None:
    lab = review_lab(vendor_teams=(VendorTeam("acme-readers", "Acme readers", "Acme", "acme"),))
    arn = lab.service.settings.arn("workteam/vendor-crowd/acme-readers")
    lab.flow_definition("outside", WorkteamArn=arn)
    lab.flow_definition("inside")
    lab.start("ours", flow="inside")
    assert [one.flow_definition for one in lab.service.lead.overview(VERA).queues] == ["outside"]
    with pytest.raises(TaskUnknownError):
        lab.service.lead.stop(VERA, "ours")
    lab.service.people.seen(ADA)
    assert lab.service.people.list(VERA) == ()
