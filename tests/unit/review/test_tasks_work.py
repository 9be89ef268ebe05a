"""Working on a task: the clock and its pauses, the page, cannot decide, notes, history, sandbox answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from overread.review.wire import LoopStatus
from overread_review.service.errors import (
    AnswerInvalidError,
    NoteInvalidError,
    RecordChangedError,
    SandboxOffError,
    TaskConflictError,
    TaskGoneError,
    TaskUnknownError,
)
from overread_review.service.notes import notes_for
from overread_review.service.records import loop_text
from overread_testing.review_fakes import ADA, GRACE, KATHERINE, LENA, STRANGER, ReviewLab, review_lab


@pytest.fixture
def lab() -> ReviewLab:
    lab = review_lab(max_pause_s=600)
    lab.flow_definition(TaskTimeLimitInSeconds=300)
    lab.start("loop-1")
    return lab


def test_time_spent_is_the_time_worked_without_the_pauses(lab: ReviewLab) -> None:
    tasks = lab.service.tasks
    tasks.claim("loop-1", reviewer=ADA)
    lab.clock.advance(20.5)
    paused = tasks.pause("loop-1", reviewer=ADA)
    assert (paused.claim.running_since, paused.claim.worked_s) == (None, 20.5)
    lab.clock.advance(100)
    tasks.resume("loop-1", reviewer=ADA)
    lab.clock.advance(9.5)
    tasks.answer("loop-1", reviewer=ADA, content={})
    (body,) = lab.documents.outputs.values()
    (answer,) = json.loads(body)["humanAnswers"]
    assert answer["timeSpentInSeconds"] == 30
    assert lab.loop("loop-1").answers[0].worked_s == 30


def test_an_answer_out_of_a_pause_counts_the_work_before_it(lab: ReviewLab) -> None:
    tasks = lab.service.tasks
    tasks.claim("loop-1", reviewer=ADA)
    lab.clock.advance(5)
    tasks.pause("loop-1", reviewer=ADA)
    lab.clock.advance(50)
    assert tasks.answer("loop-1", reviewer=ADA, content={}).answers[0].worked_s == 5


def test_a_claim_outlives_the_process_with_its_pause(lab: ReviewLab) -> None:
    lab.service.tasks.claim("loop-1", reviewer=ADA)
    lab.clock.advance(5)
    paused = lab.service.tasks.pause("loop-1", reviewer=ADA)
    assert lab.service.tasks.claim("loop-1", reviewer=ADA).claim == paused.claim


def test_a_page_signs_for_a_short_time_and_never_longer_than_the_claim() -> None:
    lab = review_lab(template='<img src="{{ task.input.s | grant_read_access }}">', read_url_s=120)
    lab.flow_definition(TaskTimeLimitInSeconds=300)
    lab.start("loop-1", s="s3://bucket/image.png")
    lab.service.tasks.claim("loop-1", reviewer=ADA)
    (first,) = lab.service.tasks.page("loop-1", reviewer=ADA).signed_urls
    lab.clock.advance(260)
    (later,) = lab.service.tasks.page("loop-1", reviewer=ADA).signed_urls
    assert (first.rpartition("=")[2], later.rpartition("=")[2]) == ("120", "40")


def test_who_cannot_decide_says_why(lab: ReviewLab) -> None:
    lab.service.tasks.claim("loop-1", reviewer=ADA)
    loop = lab.service.tasks.cannot_decide("loop-1", reviewer=ADA, reason="  too blurred ")
    assert loop.status is LoopStatus.COMPLETED
    assert (loop.answers[0].cannot_decide, loop.answers[0].choices) == (True, {})
    (body,) = lab.documents.outputs.values()
    content = json.loads(body)["humanAnswers"][0]["answerContent"]
    assert content == {"overread": {"cannot_decide": True, "reason": "too blurred"}}


def test_an_answer_that_cannot_decide_chooses_nothing(lab: ReviewLab) -> None:
    own = {"cannot_decide": True}
    (answer,) = lab.answer("loop-1", by=ADA, label="approve", overread=own).answers
    assert (answer.cannot_decide, answer.choices) == (True, {})


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001, "\ud800", None])
def test_a_reason_is_a_text_that_can_be_kept(lab: ReviewLab, reason: str) -> None:
    lab.service.tasks.claim("loop-1", reviewer=ADA)
    with pytest.raises(NoteInvalidError, match="reason"):
        lab.service.tasks.cannot_decide("loop-1", reviewer=ADA, reason=reason)
    assert lab.loop("loop-1").answers == ()


def test_an_answer_keeps_choices_and_guideline_version(lab: ReviewLab) -> None:
    (answer,) = lab.answer("loop-1", by=ADA, label="decline", comment="a\nb").answers
    assert answer.choices == {"decision": "decline"}
    assert answer.guideline_version.startswith("sha256:")
    assert len(answer.guideline_version) == len("sha256:") + 12


def test_the_guideline_version_is_the_task_uis_tag_and_goes_with_the_output_object() -> None:
    lab = review_lab()
    lab.call(
        lab.service.tags.add,
        ResourceArn=lab.service.settings.arn("human-task-ui/ui"),
        Tags=[{"Key": "overread:guideline-version", "Value": "Leitfaden 3ü"}],
    )
    lab.flow_definition()
    lab.start("loop-1")
    (answer,) = lab.answer("loop-1", by=ADA).answers
    assert answer.guideline_version == "Leitfaden 3ü"
    assert list(lab.documents.metadata.values()) == [{"guideline-version": "Leitfaden 3%C3%BC"}]


def test_too_large_an_answer_is_refused_and_nothing_is_lost() -> None:
    lab = review_lab(max_answer_bytes=20)
    lab.flow_definition()
    lab.start("loop-1")
    lab.service.tasks.claim("loop-1", reviewer=ADA)
    with pytest.raises(AnswerInvalidError, match="at most 20 bytes, got 27"):
        lab.service.tasks.answer("loop-1", reviewer=ADA, content={"a": "x" * 19})
    lab.service.tasks.answer("loop-1", reviewer=ADA, content={"a": "x"})


def test_the_largest_answers_leave_a_record_that_dynamodb_takes() -> None:
    lab = review_lab()
    lab.flow_definition(TaskCount=3)
    lab.start("loop-1", note="x")
    labels = ["\U0001f600" * 50 + str(number) for number in range(10_000)]
    chosen: dict[str, Any] = {f"\U0001f600{number}": {"labels": labels[number:][:18]} for number in range(60)}
    for reviewer in (ADA, GRACE, KATHERINE):
        lab.answer("loop-1", by=reviewer, all={"labels": labels}, **chosen)
    assert len(lab.loop("loop-1").answers) == 3
    assert len(loop_text(lab.loop("loop-1")).encode()) < 100_000


def test_an_answer_whose_first_writing_was_not_confirmed_is_stored_once(
    lab: ReviewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.service.tasks.claim("loop-1", reviewer=ADA)
    replace_loop = type(lab.store).replace_loop
    lost: list[object] = []

    def unconfirmed(store: object, loop: object, **before: object) -> object:
        stored = replace_loop(store, loop, **before)  # type: ignore[arg-type]
        if not lost:
            lost.append(stored)
            raise RecordChangedError("loop-1")
        return stored

    monkeypatch.setattr(type(lab.store), "replace_loop", unconfirmed)
    loop = lab.service.tasks.answer("loop-1", reviewer=ADA, content={})
    assert (len(loop.answers), loop.status) == (1, LoopStatus.COMPLETED)


def test_questions_are_read_by_leads_and_replies_by_who_asked(lab: ReviewLab) -> None:
    tasks = lab.service.tasks
    tasks.note("loop-1", reviewer=ADA, kind="question", text=" Is this in scope? ")
    tasks.note("loop-1", reviewer=GRACE, kind="flag", text="Wrong image")
    loop = lab.service.lead.reply(LENA, "loop-1", text="Use the second one")
    assert [note.note_id for note in loop.notes] == ["1", "2", "3"]
    assert [note.text for note in notes_for(loop, person=ADA.key)] == ["Is this in scope?"]
    assert [note.text for note in notes_for(loop, person=GRACE.key)] == ["Wrong image", "Use the second one"]
    assert [note.role for note in loop.notes] == ["reviewer", "reviewer", "lead"]


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("reply", "x", "kind must be question or flag"),
        (["flag"], "x", "kind must be"),
        ("flag", "", "text must have 1 to 1,000 characters, got 0"),
        ("flag", 7, "text must have"),
    ],
)
def test_a_note_is_a_question_or_a_flag_with_a_text(
    lab: ReviewLab, kind: str, text: str, message: str
) -> None:
    with pytest.raises(NoteInvalidError, match=message):
        lab.service.tasks.note("loop-1", reviewer=ADA, kind=kind, text=text)


def test_a_task_has_room_for_fifty_notes(lab: ReviewLab) -> None:
    for number in range(50):
        lab.service.tasks.note("loop-1", reviewer=ADA, kind="flag", text=f"{number}")
    with pytest.raises(NoteInvalidError, match="50 notes"):
        lab.service.tasks.note("loop-1", reviewer=ADA, kind="flag", text="one more")


def test_notes_are_for_those_who_see_the_task_while_it_is_open(lab: ReviewLab) -> None:
    with pytest.raises(TaskUnknownError):
        lab.service.tasks.note("loop-1", reviewer=STRANGER, kind="flag", text="x")
    lab.answer("loop-1", by=ADA)
    with pytest.raises(TaskGoneError):
        lab.service.tasks.note("loop-1", reviewer=ADA, kind="flag", text="x")


def test_one_looks_back_on_ones_own_answers_with_what_became_of_the_tasks(lab: ReviewLab) -> None:
    lab.answer("loop-1", by=ADA, label="decline", worked_s=7)
    lab.flow_definition("twice", TaskCount=2, TaskTitle="Twice")
    for name in ("open", "returned", "gone"):
        lab.start(name, flow="twice")
        lab.answer(name, by=ADA)
    lab.service.lead.return_answer(LENA, "returned", person=ADA.key, comment="Look again")
    lab.answer("gone", by=GRACE)
    lab.call(lab.service.loops.delete, HumanLoopName="gone")
    first = lab.service.tasks.history(ADA, limit=3)
    assert [(entry.loop_name, entry.status) for entry in first.entries] == [
        ("gone", "Deleted"),
        ("returned", "Returned"),
        ("open", "InProgress"),
    ]
    (last,) = lab.service.tasks.history(ADA, cursor=first.next_cursor, limit=3).entries
    assert (last.loop_name, last.title, last.flow_definition) == ("loop-1", "Review a loan", "flow")
    assert (last.worked_s, last.choices, last.status) == (7, {"decision": "decline"}, "Completed")
    assert lab.service.tasks.history(STRANGER).entries == ()


def test_programs_answer_in_a_sandbox_as_different_people() -> None:
    lab = review_lab(sandbox=True)
    lab.flow_definition(TaskCount=2, tags={"overread:qualification": "loans"})
    lab.start("loop-1")
    lab.service.tasks.sandbox_answer("loop-1", reviewer_name="one", content={"a": {"label": "x"}})
    with pytest.raises(TaskConflictError, match="already answered"):
        lab.service.tasks.sandbox_answer("loop-1", reviewer_name="one", content={})
    loop = lab.service.tasks.sandbox_answer("loop-1", reviewer_name="two", content={})
    assert loop.status is LoopStatus.COMPLETED
    assert {answer.issuer for answer in loop.answers} == {"urn:overread:sandbox"}
    assert len({answer.worker_id for answer in loop.answers}) == 2
    with pytest.raises(TaskGoneError):
        lab.service.tasks.sandbox_answer("loop-1", reviewer_name="three", content={})
    with pytest.raises(TaskUnknownError):
        lab.service.tasks.sandbox_answer("nothing", reviewer_name="one", content={})
    with pytest.raises(AnswerInvalidError, match="reviewer must be"):
        lab.service.tasks.sandbox_answer("loop-1", reviewer_name="", content={})


def test_programs_answer_nowhere_else(lab: ReviewLab) -> None:
    with pytest.raises(SandboxOffError):
        lab.service.tasks.sandbox_answer("loop-1", reviewer_name="one", content={})
    assert lab.loop("loop-1").answers == ()
