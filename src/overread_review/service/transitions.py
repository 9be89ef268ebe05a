"""What a human loop may do next, as pure functions from loop to loop; storing them is the caller's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from overread.review.wire import FailureCode, LoopStatus
from overread_review.service.errors import RequestInvalidError, TaskConflictError, TaskGoneError
from overread_review.service.model import Answer, Claim, Loop

_OWN_TIME = timedelta(seconds=5)


def active_claims(loop: Loop, *, now: datetime) -> tuple[Claim, ...]:
    """The claims whose deadline has not passed."""
    return tuple(claim for claim in loop.claims if claim.deadline_at > now)


def claim_of(loop: Loop, *, sub: str, now: datetime) -> Claim | None:
    """The reviewer's active claim, if any."""
    return next((claim for claim in active_claims(loop, now=now) if claim.sub == sub), None)


def has_answered(loop: Loop, *, sub: str) -> bool:
    """Whether the reviewer's answer is in."""
    return any(answer.sub == sub for answer in loop.answers)


def is_offered(loop: Loop, *, sub: str, now: datetime) -> bool:
    """Whether the reviewer finds the task in their list: a free seat, or a claim of their own."""
    if has_answered(loop, sub=sub) or not loop.is_open or is_full(loop):
        return False
    if claim_of(loop, sub=sub, now=now):
        return True
    return (
        loop.status is LoopStatus.IN_PROGRESS
        and now < loop.expires_at
        and sub not in loop.declined_by
        and _free_seats(loop, now=now) > 0
    )


def is_full(loop: Loop) -> bool:
    """Whether every seat has its answer."""
    return len(loop.answers) >= loop.terms.task_count


def _free_seats(loop: Loop, *, now: datetime) -> int:
    return loop.terms.task_count - len(loop.answers) - len(active_claims(loop, now=now))


def claim(loop: Loop, *, sub: str, now: datetime) -> Loop:
    """The loop with a seat held by the reviewer; unchanged when they hold one already.

    Raises:
        TaskGoneError: the loop has ended, is being stopped, or its availability is over.
        TaskConflictError: the reviewer has answered, or every seat is taken.
    """
    if has_answered(loop, sub=sub):
        raise TaskConflictError("you have already answered this task")
    if claim_of(loop, sub=sub, now=now) and loop.is_open:
        return loop
    if loop.status is not LoopStatus.IN_PROGRESS or is_full(loop):
        raise TaskGoneError("this task has ended")
    if now >= loop.expires_at:
        raise TaskGoneError("this task has expired")
    if _free_seats(loop, now=now) <= 0:
        raise TaskConflictError("another reviewer is working on this task")
    deadline_at = now + timedelta(seconds=loop.terms.time_limit_s)
    mine = Claim(sub=sub, accepted_at=now, deadline_at=deadline_at)
    declined_by = tuple(other for other in loop.declined_by if other != sub)
    return replace(loop, claims=(*active_claims(loop, now=now), mine), declined_by=declined_by)


def release(loop: Loop, *, sub: str, now: datetime, decline: bool) -> Loop:
    """The loop with the reviewer's seat free again; with `decline` it is not offered to them any more.

    Raises:
        TaskGoneError: the loop has ended.
        TaskConflictError: the reviewer holds no seat (a task can be declined without holding one).
    """
    if has_answered(loop, sub=sub):
        raise TaskConflictError("you have already answered this task")
    if not loop.is_open:
        raise TaskGoneError("this task has ended")
    if not decline and claim_of(loop, sub=sub, now=now) is None:
        raise TaskConflictError("you have not claimed this task, or your time for it is over")
    claims = tuple(other for other in active_claims(loop, now=now) if other.sub != sub)
    declined_by = (
        (*(other for other in loop.declined_by if other != sub), sub) if decline else loop.declined_by
    )
    return replace(loop, claims=claims, declined_by=declined_by)


def held_claim(loop: Loop, *, sub: str, now: datetime) -> Claim:
    """The claim under which the reviewer may answer now.

    Raises:
        TaskConflictError: they have answered already, or never claimed.
        TaskGoneError: the loop has ended, or their time is over.
    """
    if has_answered(loop, sub=sub):
        raise TaskConflictError("you have already answered this task")
    if not loop.is_open:
        raise TaskGoneError("this task has ended")
    held = claim_of(loop, sub=sub, now=now)
    if held is not None:
        return held
    if any(claim.sub == sub for claim in loop.claims):
        raise TaskGoneError("the time for this task is over")
    raise TaskConflictError("you have not claimed this task, or your time for it is over")


def answer(loop: Loop, answer: Answer, *, now: datetime) -> Loop:
    """The loop with one more answer in place of the reviewer's claim. Raises as `held_claim`."""
    held_claim(loop, sub=answer.sub, now=now)
    claims = tuple(other for other in active_claims(loop, now=now) if other.sub != answer.sub)
    return replace(loop, claims=claims, answers=(*loop.answers, answer))


def stop(loop: Loop) -> Loop:
    """The loop on its way to Stopped; people who have begun may still submit.

    Raises:
        RequestInvalidError: the loop has completed or failed.
    """
    if loop.status in {LoopStatus.COMPLETED, LoopStatus.FAILED}:
        raise RequestInvalidError(f"Human loop {loop.name} has already ended with status {loop.status}")
    return loop if loop.status is not LoopStatus.IN_PROGRESS else replace(loop, status=LoopStatus.STOPPING)


def fail(loop: Loop, *, code: FailureCode, reason: str, now: datetime) -> Loop:
    """The loop as Failed, its event due."""
    return replace(
        loop,
        status=LoopStatus.FAILED,
        failure_code=code,
        failure_reason=reason[:1024],
        claims=(),
        ended_at=now,
        event_due=True,
    )


def conclusion(loop: Loop, *, now: datetime) -> LoopStatus | None:
    """The status in which the loop has to end now, or None when it goes on (or has ended)."""
    if not loop.is_open:
        return None
    if is_full(loop):
        return LoopStatus.COMPLETED
    if active_claims(loop, now=now):
        return None
    if loop.status is LoopStatus.STOPPING:
        return LoopStatus.STOPPED
    return LoopStatus.FAILED if now >= loop.expires_at else None


def conclude(loop: Loop, *, status: LoopStatus, output_uri: str, now: datetime) -> Loop:
    """The loop ended with `status`, its event due."""
    if status is LoopStatus.FAILED:
        reason = "The human loop expired before all workers had answered"
        return fail(loop, code=FailureCode.EXPIRED, reason=reason, now=now)
    return replace(loop, status=status, output_uri=output_uri, claims=(), ended_at=now, event_due=True)


def due_at(loop: Loop) -> datetime | None:
    """When the service has to look at the loop again by itself; None for never.

    What the request that caused it does at once (output document, event) is left to it for a few seconds.
    """
    if not loop.is_open:
        return (loop.ended_at or loop.created_at) + _OWN_TIME if loop.event_due else None
    if is_full(loop):
        return loop.answers[-1].submitted_at + _OWN_TIME
    deadlines = [held.deadline_at for held in loop.claims]
    if loop.status is LoopStatus.STOPPING:
        return max(deadlines, default=loop.created_at)
    return max([loop.expires_at, *deadlines])
