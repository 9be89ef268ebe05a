"""Loops that ask a gold question: like any other for their person, nothing for anybody else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from overread.review.wire import LoopStatus
from overread_review.service.errors import ResourceMissingError, TaskUnknownError
from overread_review.service.model import GoldRef, Loop
from overread_testing.review_fakes import ADA, GRACE, LENA, ReviewLab, review_lab


@pytest.fixture
def lab() -> ReviewLab:
    lab = review_lab()
    lab.flow_definition()
    return lab


def ask(lab: ReviewLab, name: str = "gold") -> Loop:
    """A gold question for ada, as old as the newest task."""
    task = lab.start("task")
    asked = replace(task, name=name, gold=GoldRef("q", "i", "gold"), assigned_to=ADA.key, version=0)
    return lab.store.create_loop(asked, open_limit=0)


def offered(lab: ReviewLab, reviewer: object) -> list[str]:
    return [task.loop.name for task in lab.service.tasks.offered(reviewer)]  # type: ignore[arg-type]


def test_a_gold_question_does_not_stand_out_in_its_persons_list(lab: ReviewLab) -> None:
    lab.start("before")
    lab.clock.advance(1)
    ask(lab)
    lab.clock.advance(1)
    lab.start("after")
    tasks = lab.service.tasks.offered(ADA)
    assert [task.loop.name for task in tasks] == ["before", "gold", "task", "after"]
    assert not any(task.assigned_to_me or task.returned_to_me for task in tasks)


def test_nobody_else_can_find_a_gold_question(lab: ReviewLab) -> None:
    ask(lab)
    assert "gold" not in offered(lab, GRACE)
    with pytest.raises(TaskUnknownError):
        lab.service.tasks.claim("gold", reviewer=GRACE)
    with pytest.raises(TaskUnknownError):
        lab.service.lead.task(LENA, "gold")
    assert lab.service.lead.overview(LENA).queues[0].open == 1
    for call in (lab.service.loops.describe, lab.service.loops.stop, lab.service.loops.delete):
        with pytest.raises(ResourceMissingError):
            lab.call(call, HumanLoopName="gold")


def test_an_answered_gold_question_ends_without_output_and_event(lab: ReviewLab) -> None:
    ask(lab)
    loop = lab.answer("gold", by=ADA)
    assert (loop.status, loop.event_due, loop.output_uri) == (LoopStatus.COMPLETED, False, "")
    assert (lab.documents.outputs, lab.events.delivered) == ({}, [])
    (entry,) = lab.service.tasks.history(ADA).entries
    assert (entry.loop_name, entry.title, entry.status) == ("gold", "Review a loan", "Completed")
    assert lab.service.lead.overview(LENA).queues[0].completed_24h == 0


def test_a_gold_question_that_nobody_answers_ends_as_quietly(lab: ReviewLab) -> None:
    ask(lab)
    lab.answer("task", by=ADA)
    lab.documents.outputs.clear()
    lab.events.delivered.clear()
    lab.clock.advance(864_001)
    lab.service.loops.sweep()
    assert not lab.loop("gold").is_open
    assert (lab.documents.outputs, lab.events.delivered) == ({}, [])


def test_a_declined_gold_question_goes_to_nobody_else(lab: ReviewLab) -> None:
    ask(lab)
    lab.service.tasks.give_back("gold", reviewer=ADA, decline=True)
    assert "gold" not in offered(lab, ADA)
    assert lab.loop("gold").assigned_to == ADA.key
    with pytest.raises(TaskUnknownError):
        lab.service.tasks.claim("gold", reviewer=GRACE)


def test_disabling_somebody_leaves_their_gold_questions_to_nobody_else(lab: ReviewLab) -> None:
    for person in (ADA, LENA):
        lab.service.people.seen(person)
    ask(lab)
    lab.service.tasks.claim("gold", reviewer=ADA)
    lab.service.people.disable(LENA, ADA.key)
    assert (lab.loop("gold").claims, lab.loop("gold").assigned_to) == ((), ADA.key)
