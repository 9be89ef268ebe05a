"""What a loop brings about beside its own record, as pure functions; stores write it in one transaction."""

from __future__ import annotations

from dataclasses import dataclass

from overread_review.service.model import Answer, Completion, HistoryEntry, Loop
from overread_review.service.records import sortable

_ON_HOLD = 9
_NO_DEADLINE = "~"


@dataclass(frozen=True, slots=True)
class Separated:
    """That a person answered `loop_name`, and so no other loop with the same `separation`."""

    person: str
    separation: str
    loop_name: str


def queue_key(loop: Loop) -> str:
    """Text that sorts open loops in the order in which they are offered.

    First come priorities, then the sooner of deadline and end of availability where there is a deadline,
    then age. Loops on hold come after all others.
    """
    rank = _ON_HOLD if loop.held else loop.priority.rank
    until = _NO_DEADLINE
    if loop.deadline_at is not None:
        until = sortable(min(loop.deadline_at, loop.expires_at))
    return f"{rank}#{until}#{sortable(loop.created_at)}#{loop.name}"


def concerned(loop: Loop) -> frozenset[str]:
    """The people who find the loop among their own: claimants and the person it is assigned to."""
    people = {claim.person for claim in loop.claims} | {loop.assigned_to}
    return frozenset(people - {""}) if loop.is_open else frozenset()


def newly_concerned(before: Loop | None, after: Loop) -> list[str]:
    """Who is concerned now and was not before."""
    return sorted(concerned(after) - (frozenset() if before is None else concerned(before)))


def new_entries(before: Loop | None, after: Loop) -> list[tuple[str, HistoryEntry]]:
    """Answers that are new, as (person, entry of their history)."""
    known = () if before is None else (*before.answers, *before.returned)
    return [(answer.person, history_entry(after, answer)) for answer in after.answers if answer not in known]


def newly_separated(before: Loop | None, after: Loop) -> list[Separated]:
    """What the loop's new answers keep their authors from. An answer that was given back keeps them, too."""
    if not after.separation:
        return []
    people = [person for person, _ in new_entries(before, after)]
    return [Separated(person, after.separation, after.name) for person in people]


def history_entry(loop: Loop, answer: Answer) -> HistoryEntry:
    """The answer as its author looks back on it."""
    returned = answer in loop.returned
    return HistoryEntry(
        loop_name=loop.name,
        title=loop.terms.title,
        flow_definition=loop.terms.flow_definition_name,
        submitted_at=answer.submitted_at,
        worked_s=answer.worked_s,
        choices=answer.choices,
        cannot_decide=answer.cannot_decide,
        guideline_version=answer.guideline_version,
        status="Returned" if returned else str(loop.status),
    )


def completion(before: Loop | None, after: Loop) -> Completion | None:
    """What is kept of a loop that ends now with answers; None otherwise."""
    if after.is_open or after.ended_at is None or not after.answers or after.gold is not None:
        return None
    if before is not None and not before.is_open:
        return None
    return Completion(
        loop_name=after.name,
        flow_definition_arn=after.terms.flow_definition_arn,
        status=after.status,
        ended_at=after.ended_at,
        answers=after.answers,
    )
