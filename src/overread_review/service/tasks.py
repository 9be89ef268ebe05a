"""Tasks as reviewers see them: the list, claiming, the page, answering, declining."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from overread_review.service import transitions
from overread_review.service.errors import AnswerInvalidError, TaskConflictError, TaskUnknownError
from overread_review.service.loops import Loops
from overread_review.service.model import Answer, Claim, Loop, Reviewer
from overread_review.service.ports import Clock, Documents, ReviewStore
from overread_review.service.queues import Queues
from overread_review.service.task_uis import TaskUis
from overread_review.service.teams import Teams
from overread_templates import S3Location

MAX_ANSWER_BYTES = 6 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class OfferedTask:
    """One line of a reviewer's list."""

    loop: Loop
    claimed_by_me: bool
    assigned_to_me: bool = False
    returned_to_me: bool = False


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
    """What a signed-in reviewer may do; everything else about a task does not exist for them."""

    def __init__(
        self,
        *,
        store: ReviewStore,
        documents: Documents,
        clock: Clock,
        loops: Loops,
        teams: Teams,
        task_uis: TaskUis,
        queues: Queues,
    ) -> None:
        self._store = store
        self._documents = documents
        self._clock = clock
        self._loops = loops
        self._teams = teams
        self._task_uis = task_uis
        self._queues = queues

    def offered(self, reviewer: Reviewer) -> list[OfferedTask]:
        """The reviewer's tasks, their own claims first, then the oldest."""
        now = self._clock()
        found = [
            OfferedTask(loop, transitions.claim_of(loop, person=reviewer.key, now=now) is not None)
            for queue in self._queues.of(reviewer)
            for loop in self._queues.open_loops(queue.arn)
            if transitions.is_offered(loop, person=reviewer.key, now=now)
        ]
        return sorted(found, key=lambda task: (not task.claimed_by_me, task.loop.created_at, task.loop.name))

    def claim(self, task_id: str, *, reviewer: Reviewer) -> ClaimedTask:
        """The task, held by the reviewer until the deadline; the same again when they hold it already."""
        loop = self._task(task_id, reviewer=reviewer)
        now = self._clock()
        held = self._loops.change(
            loop, by=lambda newest: transitions.claim(newest, person=reviewer.key, now=now)
        )
        claim = transitions.claim_of(held, person=reviewer.key, now=now)
        if claim is None:
            raise TaskConflictError("another reviewer is working on this task")
        return ClaimedTask(held, claim, json.loads(self._documents.get(held.input_key)))

    def page(self, task_id: str, *, reviewer: Reviewer) -> TaskPage:
        """The rendered template of a task that the reviewer holds. Raises TaskRefusedError otherwise."""
        loop = self._task(task_id, reviewer=reviewer)
        now = self._clock()
        claim = transitions.held_claim(loop, person=reviewer.key, now=now)
        expires_s = max(60, int((claim.deadline_at - now).total_seconds()) + 60)
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
            AnswerInvalidError: it is no JSON object as the output document takes it, or larger than
                MAX_ANSWER_BYTES.
            TaskRefusedError: the reviewer holds no claim, or not any more.
        """
        if not isinstance(content, dict):
            raise AnswerInvalidError("an answer is a JSON object")
        try:
            body = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        except ValueError as error:
            raise AnswerInvalidError(
                "an answer may hold neither NaN nor infinities nor half of a surrogate pair"
            ) from error
        if len(body) > MAX_ANSWER_BYTES:
            raise AnswerInvalidError(
                f"an answer may have at most {MAX_ANSWER_BYTES:,} bytes, got {len(body):,}"
            )
        loop = self._task(task_id, reviewer=reviewer)
        now = self._clock()
        claim = transitions.held_claim(loop, person=reviewer.key, now=now)
        identity = self._teams.identity(reviewer, workteam_arn=loop.terms.workteam_arn)
        answer = Answer(
            person=reviewer.key,
            sub=reviewer.sub,
            worker_id=identity.worker_id,
            identity_provider=identity.identity_provider,
            issuer=identity.issuer,
            accepted_at=claim.accepted_at,
            submitted_at=now,
            content_key=_answer_key(loop, worker_id=identity.worker_id, body=body),
        )
        self._documents.put(answer.content_key, body)
        return self._loops.change(loop, by=lambda newest: transitions.answer(newest, answer, now=now))

    def give_back(self, task_id: str, *, reviewer: Reviewer, decline: bool) -> None:
        """Free the reviewer's seat; with `decline` the task is not offered to them any more."""
        loop = self._task(task_id, reviewer=reviewer)
        now = self._clock()
        self._loops.change(
            loop,
            by=lambda newest: transitions.release(newest, person=reviewer.key, now=now, decline=decline),
        )

    def _task(self, task_id: str, *, reviewer: Reviewer) -> Loop:
        loop = self._store.find_loop(task_id)
        if loop is None or loop.terms.workteam_arn not in self._teams.arns_of(reviewer):
            raise TaskUnknownError("there is no such task, or it is not for you")
        return loop


def _answer_key(loop: Loop, *, worker_id: str, body: bytes) -> str:
    """Its own key for every content, so that a lost race never overwrites the answer that won."""
    return f"answers/{loop.name}/{worker_id}-{hashlib.sha256(body).hexdigest()[:16]}.json"
