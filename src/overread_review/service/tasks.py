"""Tasks as reviewers see them: the list, claiming, the page, answering, asking, looking back."""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from overread_review.service import notes, steering, transitions
from overread_review.service.admission import Admission
from overread_review.service.answers import Submission, answer_of, parse_submission
from overread_review.service.errors import (
    AnswerInvalidError,
    ResourceMissingError,
    ReviewError,
    SandboxOffError,
    TaskConflictError,
    TaskGoneError,
    TaskUnknownError,
)
from overread_review.service.figures import SANDBOX_PROVIDER
from overread_review.service.loop_changes import SEPARATED, LoopChanges
from overread_review.service.model import Answer, Claim, HistoryEntry, HistoryPage, Loop, Reviewer
from overread_review.service.offers import OfferedTask, Offers
from overread_review.service.ports import Clock, Documents, ReviewStore
from overread_review.service.queues import Queues
from overread_review.service.settings import ServiceSettings
from overread_review.service.task_uis import TaskUis
from overread_review.service.teams import Identity, Teams
from overread_review.service.work_time import begun
from overread_templates import S3Location, TemplateError

__all__ = ["ClaimedTask", "OfferedTask", "TaskPage", "Tasks"]

_LOG = logging.getLogger(__name__)
SANDBOX_ISSUER = "urn:overread:sandbox"
_LONGEST_NAME = 64
_LISTINGS = 4
_FAULTS_AFTERWARDS = (ReviewError, TemplateError, ArithmeticError, LookupError, TypeError, ValueError)
"""What the data of a gold question, or of the loop that it is made like, may raise."""


@dataclass(frozen=True, slots=True)
class ClaimedTask:
    """A task in the reviewer's hands."""

    loop: Loop
    claim: Claim
    task_input: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TaskPage:
    """A rendered template and the addresses of objects that it was given read access to."""

    html: str
    signed_urls: tuple[str, ...]


class Tasks:
    """What a signed-in reviewer may do; everything else about a task does not exist for them.

    Every method raises TaskRefusedError for what cannot happen, with words for the reviewer.
    """

    def __init__(
        self,
        *,
        store: ReviewStore,
        documents: Documents,
        clock: Clock,
        loops: LoopChanges,
        teams: Teams,
        task_uis: TaskUis,
        queues: Queues,
        admission: Admission,
        settings: ServiceSettings,
    ) -> None:
        self._store = store
        self._documents = documents
        self._clock = clock
        self._loops = loops
        self._teams = teams
        self._task_uis = task_uis
        self._queues = queues
        self._admission = admission
        self._settings = settings
        self._offers = Offers(store=store, queues=queues, admission=admission, clock=clock)

    # The list

    def offered(self, reviewer: Reviewer) -> list[OfferedTask]:
        """The reviewer's own tasks first, then those that are open to them in the order of the queue."""
        return self._offers.of(reviewer)

    def next(self, reviewer: Reviewer) -> ClaimedTask | None:
        """The first task of the list that can be claimed, claimed; None when there is none.

        A list whose tasks others have all taken before they could be claimed is made anew a few times.
        """
        for _ in range(_LISTINGS):
            listed = self._offers.in_turn(reviewer)
            first = next(listed, None)
            if first is None:
                return None
            if claimed := self._first_free(chain((first,), listed), reviewer=reviewer):
                return claimed
        return None

    def _first_free(self, listed: Iterable[OfferedTask], *, reviewer: Reviewer) -> ClaimedTask | None:
        """The first that nobody took before.

        After each one that others took, the reviewer passes over some more, twice as many at most as the time
        before, and a different number than others do: else all who ask at once race on and on for the same
        task. What was passed over is tried in the end.
        """
        passed: list[str] = []
        lost = passing = 0
        for task in listed:
            if passing:
                passing -= 1
                passed.append(task.loop.name)
            elif claimed := self._claimed_if_free(task.loop.name, reviewer=reviewer):
                return claimed
            else:
                lost += 1
                passing = _spread(f"{reviewer.key}/{task.loop.name}", below=2**lost)
        found = (self._claimed_if_free(name, reviewer=reviewer) for name in passed)
        return next((claimed for claimed in found if claimed is not None), None)

    def _claimed_if_free(self, task_id: str, *, reviewer: Reviewer) -> ClaimedTask | None:
        try:
            return self.claim(task_id, reviewer=reviewer)
        except (ResourceMissingError, TaskConflictError, TaskGoneError, TaskUnknownError):
            return None

    def history(self, reviewer: Reviewer, *, cursor: str = "", limit: int = 20) -> HistoryPage:
        """What the reviewer answered, the newest first, each with what has become of the task."""
        page = self._store.history(reviewer.key, limit=limit, cursor=cursor)
        return replace(page, entries=tuple(map(self._as_of_now, page.entries)))

    def _as_of_now(self, entry: HistoryEntry) -> HistoryEntry:
        loop = self._store.find_loop(entry.loop_name)
        if loop is None:
            return replace(entry, status="Deleted")
        if any(answer.submitted_at == entry.submitted_at for answer in loop.returned):
            return replace(entry, status="Returned")
        return replace(entry, status=str(loop.status))

    # One task

    def claim(self, task_id: str, *, reviewer: Reviewer) -> ClaimedTask:
        """The task, held by the reviewer until the deadline; the same again when they hold it already."""
        loop = self._task(task_id, reviewer=reviewer)
        now = self._clock()
        self._check_separation(loop, person=reviewer.key)
        if transitions.claim_of(loop, person=reviewer.key, now=now) is None:
            self._check_open_to(reviewer, loop)
        return self._claimed(
            self._loops.change(
                loop, by=lambda newest: transitions.claim(newest, person=reviewer.key, now=now)
            ),
            reviewer=reviewer,
        )

    def pause(self, task_id: str, *, reviewer: Reviewer) -> ClaimedTask:
        """The claimed task with its clock stopped."""
        loop, now = self._task(task_id, reviewer=reviewer), self._clock()
        longest = self._settings.max_pause_s
        changed = self._loops.change(
            loop,
            by=lambda newest: transitions.pause(newest, person=reviewer.key, now=now, max_pause_s=longest),
        )
        return self._claimed(changed, reviewer=reviewer)

    def resume(self, task_id: str, *, reviewer: Reviewer) -> ClaimedTask:
        """The claimed task with its clock running again."""
        loop, now = self._task(task_id, reviewer=reviewer), self._clock()
        longest = self._settings.max_pause_s
        changed = self._loops.change(
            loop,
            by=lambda newest: transitions.resume(newest, person=reviewer.key, now=now, max_pause_s=longest),
        )
        return self._claimed(changed, reviewer=reviewer)

    def page(self, task_id: str, *, reviewer: Reviewer) -> TaskPage:
        """The rendered template of a task that the reviewer holds.

        Addresses of objects in it are good for a short time, and never longer than the claim.
        """
        loop = self._task(task_id, reviewer=reviewer)
        now = self._clock()
        claim = transitions.held_claim(loop, person=reviewer.key, now=now)
        left_s = int((claim.deadline_at - now).total_seconds())
        expires_s = max(1, min(self._settings.read_url_s, left_s))
        signed: list[str] = []

        def sign(location: S3Location) -> str:
            url = self._documents.sign_url(location, role_arn=loop.terms.role_arn, expires_s=expires_s)
            signed.append(url)
            return url

        template = self._task_uis.template(loop.terms.template_sha256)
        html = template.render(json.loads(self._documents.get(loop.input_key)), sign_url=sign)
        return TaskPage(html, tuple(signed))

    def answer(self, task_id: str, *, reviewer: Reviewer, content: object) -> Loop:
        """Submit `content`; the loop as it is afterwards.

        Raises:
            AnswerInvalidError: it is no JSON object as the output document takes it, or too large.
            TaskRefusedError: the reviewer holds no claim, or not any more.
        """
        submission = parse_submission(content, max_bytes=self._settings.max_answer_bytes)
        return self._submit(self._task(task_id, reviewer=reviewer), submission, reviewer=reviewer)

    def cannot_decide(self, task_id: str, *, reviewer: Reviewer, reason: str) -> Loop:
        """Submit that the reviewer cannot decide, and why; the loop as it is afterwards."""
        content = {"overread": {"cannot_decide": True, "reason": notes.clean_text(reason, name="reason")}}
        return self.answer(task_id, reviewer=reviewer, content=content)

    def give_back(self, task_id: str, *, reviewer: Reviewer, decline: bool) -> None:
        """Free the reviewer's seat; with `decline` the task is not offered to them any more."""
        loop = self._task(task_id, reviewer=reviewer)
        now = self._clock()
        self._loops.change(
            loop,
            by=lambda newest: transitions.release(newest, person=reviewer.key, now=now, decline=decline),
        )

    def note(self, task_id: str, *, reviewer: Reviewer, kind: str, text: str) -> Loop:
        """Ask the lead something about the task, or flag it; the loop as it is afterwards."""
        loop, now = self._task(task_id, reviewer=reviewer), self._clock()
        asked, cleaned = notes.asking_kind(kind), notes.clean_text(text, name="text")
        return self._loops.change(
            loop,
            by=lambda newest: notes.noted(
                newest, by=reviewer, is_lead=False, kind=asked, text=cleaned, now=now
            ),
        )

    def sandbox_answer(self, loop_name: str, *, reviewer_name: str, content: object) -> Loop:
        """Answer as a synthetic person of that name, without team, claim or qualification.

        Raises:
            SandboxOffError: the deployment is no sandbox.
            TaskUnknownError, TaskGoneError, TaskConflictError: no such loop, it ended, or that synthetic
                person has answered it.
        """
        if not self._settings.sandbox:
            raise SandboxOffError("this deployment takes answers from people only; set review.sandbox")
        if not (1 <= len(reviewer_name) <= _LONGEST_NAME and reviewer_name.isprintable()):
            raise AnswerInvalidError(f"reviewer must be a name of 1 to {_LONGEST_NAME} printable characters")
        submission = parse_submission(content, max_bytes=self._settings.max_answer_bytes)
        loop = self._store.find_loop(loop_name)
        if loop is None or loop.gold is not None:
            raise TaskUnknownError(f"there is no human loop {loop_name!r}")
        synthetic = Reviewer(reviewer_name, reviewer_name, frozenset(), provider=SANDBOX_PROVIDER)
        now = self._clock()
        answer = answer_of(
            submission,
            loop=loop,
            claim=begun(synthetic.key, time_limit_s=loop.terms.time_limit_s, now=now),
            reviewer=synthetic,
            identity=Identity(self._teams.worker_id(synthetic), "Oidc", SANDBOX_ISSUER),
            now=now,
        )
        self._documents.put(answer.content_key, submission.body)
        return self._loops.change(loop, by=lambda newest: transitions.seat(newest, answer, now=now))

    def _submit(self, loop: Loop, submission: Submission, *, reviewer: Reviewer) -> Loop:
        now = self._clock()
        self._check_separation(loop, person=reviewer.key)
        answer = answer_of(
            submission,
            loop=loop,
            claim=transitions.held_claim(loop, person=reviewer.key, now=now),
            reviewer=reviewer,
            identity=self._teams.identity(reviewer, workteam_arn=loop.terms.workteam_arn),
            now=now,
        )
        self._documents.put(answer.content_key, submission.body)
        stored = self._loops.change(loop, by=lambda newest: _answered(newest, answer))
        try:
            self._free_separated(stored, person=reviewer.key)
            self._admission.answered(stored, reviewer=reviewer, answer=answer)
        except _FAULTS_AFTERWARDS as error:
            # The answer is in: whoever gave it must not hear that it is not.
            _LOG.warning("what follows an answer was not done", extra={"error": type(error).__name__})
        return stored

    def _check_separation(self, loop: Loop, *, person: str) -> None:
        """Raises TaskConflictError when the person answered another loop with the same separation."""
        if self._store.separated(person, loops=[loop]):
            raise TaskConflictError(SEPARATED)

    def _free_separated(self, answered: Loop, *, person: str) -> None:
        """What the person began and may not finish any more goes back to the others at once."""
        if not answered.separation:
            return
        for loop in self._store.open_loops_of_person(person):
            if loop.separation == answered.separation and loop.name != answered.name:
                self._loops.change(loop, by=lambda newest: steering.without(newest, person=person))

    def _claimed(self, loop: Loop, *, reviewer: Reviewer) -> ClaimedTask:
        claim = transitions.claim_of(loop, person=reviewer.key, now=self._clock())
        if claim is None:
            raise TaskConflictError("another reviewer is working on this task")
        return ClaimedTask(loop, claim, json.loads(self._documents.get(loop.input_key)))

    def _check_open_to(self, reviewer: Reviewer, loop: Loop) -> None:
        """Raises TaskConflictError when the queue is paused or the reviewer is not qualified for it."""
        if self._queues.state(loop.terms.flow_definition_arn).paused:
            raise TaskConflictError("a lead has paused this queue")
        name = "" if loop.gold is not None else loop.terms.qualification
        if name and not self._admission.admits(reviewer, qualification=name):
            raise TaskConflictError(f"this task is for reviewers who passed the test {name!r}")

    def _task(self, task_id: str, *, reviewer: Reviewer) -> Loop:
        loop = self._store.find_loop(task_id)
        is_for_them = (
            loop is not None
            and loop.terms.workteam_arn in self._teams.arns_of(reviewer)
            and (loop.gold is None or loop.assigned_to == reviewer.key)
        )
        if loop is None or not is_for_them:
            raise TaskUnknownError("there is no such task, or it is not for you")
        return loop


def _spread(text: str, *, below: int) -> int:
    """A number from 0 that says nothing about the text, always the same one."""
    return zlib.crc32(text.encode()) % below


def _answered(loop: Loop, answer: Answer) -> Loop:
    return transitions.answer(loop, answer, now=answer.submitted_at)
