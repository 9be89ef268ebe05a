"""What a lead sees and steers: the queues and tasks of their teams."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from overread_review.service import notes, steering, transitions
from overread_review.service.admission import Admission
from overread_review.service.errors import PersonUnsuitableError, TaskGoneError, TaskUnknownError
from overread_review.service.figures import Figures, Queue
from overread_review.service.loop_changes import LoopChanges
from overread_review.service.model import Loop, LoopPage, NoteKind, Resource, Reviewer
from overread_review.service.people import People
from overread_review.service.ports import Clock, Documents, LoopQuery, ReviewStore
from overread_review.service.queues import Queues
from overread_review.service.teams import Teams

__all__ = ["Lead", "LeadTask", "Overview", "Queue", "TaskState"]

TaskState = Literal["open", "flagged", "ended"]
_PAGES = 20


@dataclass(frozen=True, slots=True)
class Overview:
    """All queues of a lead, by name."""

    queues: tuple[Queue, ...]


@dataclass(frozen=True, slots=True)
class LeadTask:
    """A task with its input and the contents of its answers, in the order of `loop.answers`."""

    loop: Loop
    task_input: Mapping[str, Any]
    contents: tuple[Mapping[str, Any], ...]


class Lead:
    """Every method raises NotLeadError for others, and knows only tasks and queues of the lead's teams.

    Ended loops are never changed (TaskGoneError), and no answer is ever deleted.
    """

    def __init__(
        self,
        *,
        store: ReviewStore,
        documents: Documents,
        clock: Clock,
        loops: LoopChanges,
        teams: Teams,
        queues: Queues,
        people: People,
        admission: Admission,
        figures: Figures,
    ) -> None:
        self._store = store
        self._documents = documents
        self._clock = clock
        self._loops = loops
        self._teams = teams
        self._queues = queues
        self._people = people
        self._admission = admission
        self._figures = figures

    # Queues

    def overview(self, lead: Reviewer) -> Overview:
        """All queues of the lead's teams."""
        self._people.check_lead(lead)
        return Overview(tuple(self._queue(queue) for queue in self._queues.of(lead)))

    def pause_queue(self, lead: Reviewer, flow_definition: str) -> Queue:
        """Offer nothing of the queue; who has begun may finish. Raises QueueUnknownError."""
        queue = self._named(lead, flow_definition)
        self._queues.pause(queue.arn, by=lead.name)
        return self._queue(queue)

    def resume_queue(self, lead: Reviewer, flow_definition: str) -> Queue:
        """Offer the queue again. Raises QueueUnknownError."""
        queue = self._named(lead, flow_definition)
        self._queues.resume(queue.arn)
        return self._queue(queue)

    def tasks(
        self,
        lead: Reviewer,
        *,
        flow_definition: str,
        state: TaskState = "open",
        cursor: str = "",
        limit: int = 50,
    ) -> LoopPage:
        """Some of a queue's tasks: open and flagged ones in its order, ended ones the newest first.

        A page may hold fewer than `limit` although another follows.
        """
        arn = self._named(lead, flow_definition).arn
        for _ in range(_PAGES):
            page = self._page(arn, state=state, cursor=cursor, limit=limit)
            if page.loops or not page.next_cursor:
                return page
            cursor = page.next_cursor
        return LoopPage((), cursor)

    def _page(self, arn: str, *, state: TaskState, cursor: str, limit: int) -> LoopPage:
        if state == "ended":
            found = self._store.list_loops(
                LoopQuery(arn, None, None, ascending=False, limit=limit, cursor=cursor)
            )
            return LoopPage(tuple(loop for loop in found.loops if not loop.is_open), found.next_cursor)
        found = self._store.open_loops(arn, limit=limit, cursor=cursor)
        if state == "open":
            return found
        return LoopPage(tuple(filter(notes.is_flagged, found.loops)), found.next_cursor)

    def _named(self, lead: Reviewer, name: str) -> Resource:
        self._people.check_lead(lead)
        return self._queues.named(name, reviewer=lead)

    def _queue(self, queue: Resource) -> Queue:
        return self._figures.of_queue(queue, state=self._queues.state(queue.arn), now=self._clock())

    # One task

    def task(self, lead: Reviewer, task_id: str) -> LeadTask:
        """All of one task."""
        loop = self._task(lead, task_id)
        contents = [json.loads(self._documents.get(answer.content_key)) for answer in loop.answers]
        return LeadTask(loop, json.loads(self._documents.get(loop.input_key)), tuple(contents))

    def assign(self, lead: Reviewer, task_id: str, *, person: str | None) -> Loop:
        """Keep a seat of the task for one person; for None it goes back to everybody, and claims end.

        Raises:
            PersonUnknownError: no such person among the lead's.
            PersonUnsuitableError: they are not of the task's team, not qualified, or have answered.
        """
        loop, now = self._task(lead, task_id), self._clock()
        if person is None:
            return self._loops.change(loop, by=lambda newest: steering.put_back(newest, now=now))
        self._check_suitable(lead, loop, person=person)
        return self._loops.change(loop, by=lambda newest: steering.assign(newest, person=person, now=now))

    def return_answer(self, lead: Reviewer, task_id: str, *, person: str, comment: str) -> Loop:
        """Give an answer back to its author with a comment; `person` is a key, or the alias shown for it.

        Raises:
            TaskGoneError: the task has ended, or all its answers are in.
            TaskConflictError: that person has no answer there.
        """
        loop, now = self._task(lead, task_id), self._clock()
        text = notes.clean_text(comment, name="comment")
        author = self._author(loop, shown=person)

        def returned(newest: Loop) -> Loop:
            if any(note.at == now and note.kind is NoteKind.RETURN for note in newest.notes):
                return newest
            changed = steering.return_answer(newest, person=author, now=now)
            kind = NoteKind.RETURN
            return notes.noted(changed, by=lead, is_lead=True, kind=kind, text=text, now=now, to=author)

        return self._loops.change(loop, by=returned)

    def stop(self, lead: Reviewer, task_id: str) -> Loop:
        """Stop the task as StopHumanLoop does: who has begun may still submit."""

        def stopped(newest: Loop) -> Loop:
            if not newest.is_open:
                raise TaskGoneError("this task has ended")
            return transitions.stop(newest)

        return self._loops.change(self._task(lead, task_id), by=stopped)

    def hold(self, lead: Reviewer, task_id: str) -> Loop:
        """Offer the task to nobody; who has begun may finish."""
        return self._steer(lead, task_id, by=steering.hold)

    def unhold(self, lead: Reviewer, task_id: str) -> Loop:
        """Offer the task again."""
        return self._steer(lead, task_id, by=steering.unhold)

    def reply(self, lead: Reviewer, task_id: str, *, text: str) -> Loop:
        """Answer what was asked or flagged; only who asked last reads it, or everybody when nobody did."""
        now, cleaned = self._clock(), notes.clean_text(text, name="text")
        return self._steer(
            lead,
            task_id,
            by=lambda newest: notes.noted(
                newest,
                by=lead,
                is_lead=True,
                kind=NoteKind.REPLY,
                text=cleaned,
                now=now,
                to=notes.last_asker(newest),
            ),
        )

    def _steer(self, lead: Reviewer, task_id: str, *, by: Callable[[Loop], Loop]) -> Loop:
        return self._loops.change(self._task(lead, task_id), by=by)

    def _task(self, lead: Reviewer, task_id: str) -> Loop:
        self._people.check_lead(lead)
        loop = self._store.find_loop(task_id)
        if loop is None or loop.gold is not None or loop.terms.workteam_arn not in self._teams.arns_of(lead):
            raise TaskUnknownError("there is no such task, or it is not of your teams")
        return loop

    def _author(self, loop: Loop, *, shown: str) -> str:
        for answer in loop.answers:
            if shown == self._people.shown(answer.person, loop_name=loop.name).person:
                return answer.person
        return shown

    def _check_suitable(self, lead: Reviewer, loop: Loop, *, person: str) -> None:
        reviewer = self._people.active(lead, person)
        if loop.terms.workteam_arn not in self._teams.arns_of(reviewer):
            raise PersonUnsuitableError(f"{reviewer.name} is not in the team of this task")
        if self._store.separated(reviewer.key, loops=[loop]):
            raise PersonUnsuitableError(f"{reviewer.name} has answered another review of this decision")
        name = loop.terms.qualification
        if name and not self._admission.admits(reviewer, qualification=name):
            raise PersonUnsuitableError(f"{reviewer.name} has not passed the test {name!r}")
