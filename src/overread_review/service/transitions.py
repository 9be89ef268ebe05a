"""What a human loop may do next, as pure functions from loop to loop; storing them is the caller's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from overread.review.wire import FailureCode, LoopStatus
from overread_review.service import work_time
from overread_review.service.errors import RequestInvalidError, TaskConflictError, TaskGoneError
from overread_review.service.model import Answer, Claim, Loop

_OWN_TIME = timedelta(seconds=5)
_ANSWERED = "you have already answered this task"
_NOT_CLAIMED = "you have not claimed this task, or your time for it is over"


def active_claims(loop: Loop, *, now: datetime) -> tuple[Claim, ...]:
    """The claims whose deadline has not passed."""
    return tuple(claim for claim in loop.claims if claim.deadline_at > now)


def claim_of(loop: Loop, *, person: str, now: datetime) -> Claim | None:
    """The person's active claim, if any."""
    return next((claim for claim in active_claims(loop, now=now) if claim.person == person), None)


def has_answered(loop: Loop, *, person: str) -> bool:
    """Whether the person's answer is in."""
    return any(answer.person == person for answer in loop.answers)


def is_offered(loop: Loop, *, person: str, now: datetime) -> bool:
    """Whether the person finds the task in their list: a seat for them, or a claim of their own."""
    if has_answered(loop, person=person) or not loop.is_open or is_full(loop):
        return False
    if claim_of(loop, person=person, now=now):
        return True
    return (
        loop.status is LoopStatus.IN_PROGRESS
        and now < loop.expires_at
        and not loop.held
        and person not in loop.declined_by
        and free_seats(loop, person=person, now=now) > 0
    )


def is_openly_assigned(loop: Loop, *, person: str) -> bool:
    """Whether the person is told that the loop is kept for them; a gold question must not stand out."""
    is_mixed_in = loop.gold is not None and loop.gold.purpose == "gold"
    return loop.assigned_to == person and not is_mixed_in


def is_full(loop: Loop) -> bool:
    """Whether every seat has its answer."""
    return len(loop.answers) >= loop.terms.task_count


def free_seats(loop: Loop, *, person: str, now: datetime) -> int:
    """How many seats the person could take: one is kept for whom the loop is assigned to."""
    claims = active_claims(loop, now=now)
    kept = 0
    if loop.assigned_to not in {"", person}:
        seated = {claim.person for claim in claims} | {answer.person for answer in loop.answers}
        kept = int(loop.assigned_to not in seated)
    return loop.terms.task_count - len(loop.answers) - len(claims) - kept


def claim(loop: Loop, *, person: str, now: datetime) -> Loop:
    """The loop with a seat held by the person; unchanged when they hold one already.

    Raises:
        TaskGoneError: the loop has ended, is being stopped, or its availability is over.
        TaskConflictError: the person has answered, every seat is taken, or the loop is on hold.
    """
    if has_answered(loop, person=person):
        raise TaskConflictError(_ANSWERED)
    if claim_of(loop, person=person, now=now) and loop.is_open:
        return loop
    if loop.status is not LoopStatus.IN_PROGRESS or is_full(loop):
        raise TaskGoneError("this task has ended")
    if now >= loop.expires_at:
        raise TaskGoneError("this task has expired")
    if loop.held:
        raise TaskConflictError("a lead has put this task on hold")
    if free_seats(loop, person=person, now=now) <= 0:
        raise TaskConflictError(
            "this task is assigned to another reviewer"
            if loop.assigned_to not in {"", person}
            else "another reviewer is working on this task"
        )
    mine = work_time.begun(person, time_limit_s=loop.terms.time_limit_s, now=now)
    declined_by = tuple(other for other in loop.declined_by if other != person)
    return replace(loop, claims=(*active_claims(loop, now=now), mine), declined_by=declined_by)


def pause(loop: Loop, *, person: str, now: datetime, max_pause_s: float) -> Loop:
    """The loop with the clock of the person's claim stopped. Raises as `held_claim`."""
    held = held_claim(loop, person=person, now=now)
    return _with_claim(loop, work_time.paused(held, now=now, max_pause_s=max_pause_s))


def resume(loop: Loop, *, person: str, now: datetime, max_pause_s: float) -> Loop:
    """The loop with the clock of the person's claim running again. Raises as `held_claim`."""
    held = held_claim(loop, person=person, now=now)
    return _with_claim(loop, work_time.resumed(held, now=now, max_pause_s=max_pause_s))


def _with_claim(loop: Loop, changed: Claim) -> Loop:
    claims = tuple(changed if claim.person == changed.person else claim for claim in loop.claims)
    return replace(loop, claims=claims)


def release(loop: Loop, *, person: str, now: datetime, decline: bool) -> Loop:
    """The loop with the person's seat free again; with `decline` it is not offered to them any more.

    Who declines what is assigned to them hands it back to everybody.

    Raises:
        TaskGoneError: the loop has ended.
        TaskConflictError: the person holds no seat (a task can be declined without holding one).
    """
    if has_answered(loop, person=person):
        raise TaskConflictError(_ANSWERED)
    if not loop.is_open:
        raise TaskGoneError("this task has ended")
    if not decline and claim_of(loop, person=person, now=now) is None:
        raise TaskConflictError(_NOT_CLAIMED)
    claims = tuple(other for other in active_claims(loop, now=now) if other.person != person)
    if not decline:
        return replace(loop, claims=claims)
    declined_by = (*(other for other in loop.declined_by if other != person), person)
    assigned_to = "" if _is_given(loop, person) else loop.assigned_to
    return replace(loop, claims=claims, declined_by=declined_by, assigned_to=assigned_to)


def _is_given(loop: Loop, person: str) -> bool:
    """Whether the person may give the loop back: a gold question stays with whom it was made for."""
    return loop.assigned_to == person and loop.gold is None


def held_claim(loop: Loop, *, person: str, now: datetime) -> Claim:
    """The claim under which the person may answer now.

    Raises:
        TaskConflictError: they have answered already, or never claimed.
        TaskGoneError: the loop has ended, or their time is over.
    """
    if has_answered(loop, person=person):
        raise TaskConflictError(_ANSWERED)
    if not loop.is_open:
        raise TaskGoneError("this task has ended")
    held = claim_of(loop, person=person, now=now)
    if held is not None:
        return held
    if any(claim.person == person for claim in loop.claims):
        raise TaskGoneError("the time for this task is over")
    raise TaskConflictError(_NOT_CLAIMED)


def answer(loop: Loop, answer: Answer, *, now: datetime) -> Loop:
    """The loop with one more answer in place of the person's claim. Raises as `held_claim`.

    The very same answer again changes nothing: its first writing may have succeeded without a word.
    """
    if answer in loop.answers:
        return loop
    held_claim(loop, person=answer.person, now=now)
    return _with_answer(loop, answer, now=now)


def seat(loop: Loop, answer: Answer, *, now: datetime) -> Loop:
    """The loop with one more answer, without a claim.

    Raises:
        TaskConflictError: the person has answered already.
        TaskGoneError: the loop has ended or all its answers are in.
    """
    if answer in loop.answers:
        return loop
    if has_answered(loop, person=answer.person):
        raise TaskConflictError(_ANSWERED)
    if not loop.is_open or is_full(loop):
        raise TaskGoneError("this task has ended")
    return _with_answer(loop, answer, now=now)


def _with_answer(loop: Loop, answer: Answer, *, now: datetime) -> Loop:
    claims = tuple(other for other in active_claims(loop, now=now) if other.person != answer.person)
    assigned_to = "" if _is_given(loop, answer.person) else loop.assigned_to
    return replace(loop, claims=claims, answers=(*loop.answers, answer), assigned_to=assigned_to)


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
    if loop.gold is not None and loop.answers:
        return LoopStatus.COMPLETED if now >= _gold_end(loop) else None
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


def _gold_end(loop: Loop) -> datetime:
    """When an answered gold question ends: its other seats are nobody's."""
    lag_s = 0.0 if loop.gold is None else loop.gold.lag_s
    return loop.answers[-1].submitted_at + timedelta(seconds=lag_s)


def conclude_quietly(loop: Loop, *, status: LoopStatus, now: datetime) -> Loop:
    """The loop of a gold question or labeling job ended with `status`: nobody outside hears of it."""
    return replace(loop, status=status, claims=(), ended_at=now)


def due_at(loop: Loop) -> datetime | None:
    """When the service has to look at the loop again by itself; None for never.

    What the request that caused it does at once (output document, event) is left to it for a few seconds.
    """
    if not loop.is_open:
        return (loop.ended_at or loop.created_at) + _OWN_TIME if loop.event_due else None
    if loop.gold is not None and loop.answers:
        return _gold_end(loop) + _OWN_TIME
    if is_full(loop):
        return loop.answers[-1].submitted_at + _OWN_TIME
    deadlines = [held.deadline_at for held in loop.claims]
    if loop.status is LoopStatus.STOPPING:
        return max(deadlines, default=loop.created_at)
    return max([loop.expires_at, *deadlines])
