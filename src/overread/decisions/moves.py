"""The one form of every step: the record as it shall be, fenced by how it stood, and what goes with it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from overread.decisions import news
from overread.decisions.record import TERMINAL, AuditEntry, Change, Fence, LoopEntry, Record, Review, State
from overread.decisions.seats import loop_of, queue_move

LOOK_AGAIN = timedelta(minutes=1)
"""How long a step may take before somebody looks whether it died."""


def at_the_latest(record: Record, due_at: datetime) -> datetime:
    """Not after the deadline, which somebody has to notice."""
    if record.deadline is None or record.escalation is not None or record.state in TERMINAL:
        return due_at
    return min(due_at, record.deadline)


def due_after_close(record: Record, *, at: datetime) -> datetime | None:
    """When to look again after one of the record's loops has ended."""
    if record.state in TERMINAL:
        return at + LOOK_AGAIN if record.open_reviews else None
    if record.state is State.ESCALATED:
        return at
    return record.due_at


def replaced(record: Record, review: Review) -> tuple[Review, ...]:
    """The reviews with this one in place of the one of its name."""
    others = [one for one in record.reviews if one.loop_name != review.loop_name]
    return tuple(sorted((*others, review), key=lambda one: (one.generation, one.seat)))


def move(
    record: Record,
    to: State,
    *,
    sources: frozenset[State],
    at: datetime,
    before: Record | None = None,
    event: str = "",
    detail: Mapping[str, Any] | None = None,
    tell: str = "",
    **changes: Any,
) -> Change:
    """The change to state `to`, fenced by where the record stood; audited when `event` names it.

    `before`: the record as stored, where `record` has been changed already. `tell`: the news of it.
    """
    if record.state not in sources:
        raise ValueError(f"no arrow leads from {record.state} to {to}")
    before = before or record
    after = replace(
        record,
        state=to,
        revision=before.revision + 1,
        audit_length=before.audit_length + bool(event),
        updated_at=at,
        **changes,
    )
    entry = AuditEntry(
        decision_id=after.decision_id,
        number=after.audit_length,
        at=at,
        event=event,
        from_state=before.state,
        to_state=to,
        generation=after.generation,
        detail=detail or {},
    )
    return Change(
        record=after,
        fence=Fence(state=before.state, generation=before.generation, revision=before.revision),
        audit=(entry,) if event else (),
        loops=_new_loops(before, after),
        outbox=news.news_of(after, tell, at=at) if tell else (),
        queue=queue_move(before, after),
    )


def _new_loops(before: Record, after: Record) -> tuple[LoopEntry, ...]:
    known = set(before.seats)
    return tuple(
        LoopEntry(
            loop_name=loop_of(after, seat),
            decision_id=after.decision_id,
            generation=seat.generation,
            seat=seat.name,
        )
        for seat in after.seats
        if seat not in known
    )
