"""What a lead does to a human loop, as pure functions from loop to loop."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from overread.review.wire import LoopStatus
from overread_review.service import transitions
from overread_review.service.errors import PersonUnsuitableError, TaskConflictError, TaskGoneError
from overread_review.service.model import Loop


def assign(loop: Loop, *, person: str, now: datetime) -> Loop:
    """The loop with a seat kept for the person, whether or not they declined it before.

    Others who are working on it go on while there is a seat for all, else they lose theirs.

    Raises:
        TaskGoneError: the loop takes nobody any more.
        PersonUnsuitableError: the person has answered it.
    """
    _check_takes_people(loop, now=now)
    if transitions.has_answered(loop, person=person):
        raise PersonUnsuitableError("this person has already answered this task")
    claims = transitions.active_claims(loop, now=now)
    others = [claim for claim in claims if claim.person != person]
    if len(loop.answers) + len(others) >= loop.terms.task_count:
        claims = tuple(claim for claim in claims if claim.person == person)
    declined_by = tuple(other for other in loop.declined_by if other != person)
    return replace(loop, assigned_to=person, claims=claims, declined_by=declined_by)


def put_back(loop: Loop, *, now: datetime) -> Loop:
    """The loop for everybody again: assigned to nobody, and nobody works on it."""
    _check_takes_people(loop, now=now)
    return replace(loop, assigned_to="", claims=())


def return_answer(loop: Loop, *, person: str, now: datetime) -> Loop:
    """The loop without the person's answer, which is kept aside, and assigned to them again.

    Raises:
        TaskGoneError: the loop takes nobody any more, or all its answers are in.
        TaskConflictError: the person has not answered.
    """
    _check_takes_people(loop, now=now)
    given = next((answer for answer in loop.answers if answer.person == person), None)
    if given is None:
        raise TaskConflictError("this person has no answer to this task")
    return replace(
        loop,
        answers=tuple(answer for answer in loop.answers if answer != given),
        returned=(*loop.returned, given),
        assigned_to=person,
    )


def hold(loop: Loop) -> Loop:
    """The loop offered to nobody; who has begun may finish."""
    _check_open(loop)
    return replace(loop, held=True)


def unhold(loop: Loop) -> Loop:
    """The loop offered again."""
    _check_open(loop)
    return replace(loop, held=False)


def without(loop: Loop, *, person: str) -> Loop:
    """The open loop without the person's claim and assignment; a gold question stays assigned."""
    if not loop.is_open:
        return loop
    claims = tuple(claim for claim in loop.claims if claim.person != person)
    is_theirs = loop.assigned_to == person and loop.gold is None
    return replace(loop, claims=claims, assigned_to="" if is_theirs else loop.assigned_to)


def _check_open(loop: Loop) -> None:
    if not loop.is_open:
        raise TaskGoneError("this task has ended")


def _check_takes_people(loop: Loop, *, now: datetime) -> None:
    if loop.status is not LoopStatus.IN_PROGRESS or transitions.is_full(loop):
        raise TaskGoneError("this task has ended")
    if now >= loop.expires_at:
        raise TaskGoneError("this task has expired")
