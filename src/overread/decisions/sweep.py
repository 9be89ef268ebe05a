"""The use cases that finish everything without a single event: open reviews looked at, lost loops stopped."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum

from overread.decisions import settling, transitions
from overread.decisions.commit import commit_change
from overread.decisions.ingest import IngestResult, ingest
from overread.decisions.ports import Clock, IngestPorts
from overread.decisions.record import TERMINAL, Change, Record, Review, Seat, State
from overread.decisions.seats import is_of_second_team, seats_to_start
from overread.errors import RecordConflictError, RetryableError, ServiceError
from overread.routing.prediction import Reason

SWEPT = (State.IN_REVIEW, State.ESCALATED, State.PENDING, State.CANCELLED, State.FINAL)
"""The states whose due records may have human loops to look at."""
LOOP_PATIENCE = timedelta(hours=4)
"""How long a human loop that was started may be unknown to its service before its review is repeated."""
_AS_IT_WAS = frozenset({IngestResult.NOTHING_TO_DO, IngestResult.UNKNOWN_LOOP})
_OURS = re.compile(r"h-[a-z2-7]{26}-g[0-9]+(-[a-g])?")


class SweepResult(StrEnum):
    """What became of a look."""

    MOVED = "moved"
    NOTHING_NEW = "nothing_new"
    NOTHING_TO_DO = "nothing_to_do"


def sweep_review(decision_id: str, *, ports: IngestPorts, clock: Clock) -> SweepResult:
    """Looks at the decision's open loops when that is due: settles, escalates at the deadline, stops.

    Loops of a decision that does not wait for them any more are stopped; one that was completed before
    counts as any other that is late, and one of an escalated decision still decides. One that its service
    does not know for hours, as if somebody had deleted it, is repeated.

    Raises:
        ServiceError: a service failed; run it again.
    """
    record = ports.records.get(decision_id)
    if record is None or record.due_at is None or record.due_at > clock():
        return SweepResult.NOTHING_TO_DO
    if not record.open_reviews and record.state is not State.IN_REVIEW:
        return SweepResult.NOTHING_TO_DO
    for review in record.open_reviews:
        _stop_unwanted(record, review, ports=ports)
    looks = {one.loop_name: _look(one.loop_name, ports=ports, clock=clock) for one in record.open_reviews}
    has_moved = any(isinstance(look, IngestResult) and look not in _AS_IT_WAS for look in looks.values())
    after = ports.records.get(decision_id)
    if after is not None and after.due_at is not None and after.due_at <= clock():
        has_moved |= _move_on(after, looks, ports=ports, clock=clock)
    for look in looks.values():
        if isinstance(look, ServiceError) and not isinstance(look, RetryableError):
            raise look  # only now: it keeps neither the other loops nor the deadline waiting
    return SweepResult.MOVED if has_moved else SweepResult.NOTHING_NEW


def reverse_sweep(flow_definition_arns: Iterable[str], *, ports: IngestPorts) -> list[str]:
    """Stops the human loops that no decision waits for; their names.

    Raises:
        ServiceError: a service failed; run it again.
    """
    stopped = []
    for flow_definition_arn in flow_definition_arns:
        for name in ports.loops.names(flow_definition_arn):
            if _OURS.fullmatch(name) and not _is_wanted(name, ports=ports):
                ports.loops.stop(name)
                stopped.append(name)
    return stopped


def _stop_unwanted(record: Record, review: Review, *, ports: IngestPorts) -> None:
    """Asks an unwanted loop to end; what it came to all the same is looked up afterwards."""
    if _is_unwanted(record, review):
        with suppress(ServiceError):  # it may have ended: its description tells
            ports.loops.stop(review.loop_name)


def _is_unwanted(record: Record, review: Review) -> bool:
    if record.state in TERMINAL:
        return True
    return record.state is State.ESCALATED and not is_of_second_team(review.seat)


def _look(name: str, *, ports: IngestPorts, clock: Clock) -> IngestResult | ServiceError:
    """What the loop has come to, or why nobody knows now: then it is looked at again."""
    try:
        return ingest(name, ports=ports, clock=clock)
    except ServiceError as error:
        return error


def _move_on(
    record: Record,
    looks: Mapping[str, IngestResult | ServiceError],
    *,
    ports: IngestPorts,
    clock: Clock,
) -> bool:
    """Whether more came of it than the time of the next look."""
    change = _next_change(record, looks, at=clock())
    if change is None:
        return False
    try:
        commit_change(change, records=ports.records)
    except RecordConflictError:
        return True
    return bool(change.audit)


def _next_change(
    record: Record, looks: Mapping[str, IngestResult | ServiceError], *, at: datetime
) -> Change | None:
    if record.state is State.IN_REVIEW and record.deadline is not None and record.deadline <= at:
        return settling.escalate(record, reason=Reason("deadline_passed"), at=at)
    for review in record.open_reviews:
        if looks.get(review.loop_name) is not IngestResult.UNKNOWN_LOOP:
            continue
        if review.unreadable_since is None:
            return transitions.note_unreadable(record, review=review, at=at)
        if at - review.unreadable_since >= LOOP_PATIENCE:
            seat = Seat(review.seat, review.generation)
            return settling.review_again(record, seat=seat, reason=Reason("loop_gone"), output=None, at=at)
    if not record.open_reviews:
        return None
    found = [name for name, look in looks.items() if look is IngestResult.NOTHING_TO_DO]
    return transitions.look_again(record, under_way=found, at=at)


def _is_wanted(name: str, *, ports: IngestPorts) -> bool:
    entry = ports.records.find_loop(name)
    record = ports.records.get(entry.decision_id) if entry else None
    if entry is None or record is None:
        return False
    review = record.review_named(name)
    if review is None:
        return Seat(entry.seat, entry.generation) in seats_to_start(record)
    return review in record.open_reviews and not _is_unwanted(record, review)
