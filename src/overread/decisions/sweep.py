"""The use cases that finish everything without a single event: open reviews looked at, lost loops stopped."""

import re
from collections.abc import Iterable
from contextlib import suppress
from enum import StrEnum

from overread.decisions import settling, transitions
from overread.decisions.commit import commit_change
from overread.decisions.ingest import IngestResult, ingest
from overread.decisions.ports import Clock, IngestPorts
from overread.decisions.record import TERMINAL, Record, Review, Seat, State
from overread.decisions.seats import is_of_second_team, seats_to_start
from overread.errors import RecordConflictError, RetryableError, ServiceError
from overread.routing.prediction import Reason

SWEPT = (State.IN_REVIEW, State.ESCALATED, State.PENDING, State.CANCELLED, State.FINAL)
"""The states whose due records may have human loops to look at."""
_OURS = re.compile(r"h-[a-z2-7]{26}-g[0-9]+(-[a-g])?")


class SweepResult(StrEnum):
    """What became of a look."""

    MOVED = "moved"
    NOTHING_NEW = "nothing_new"
    NOTHING_TO_DO = "nothing_to_do"


def sweep_review(decision_id: str, *, ports: IngestPorts, clock: Clock) -> SweepResult:
    """Looks at the decision's open loops when that is due: settles, escalates at the deadline, stops.

    Loops of a decision that does not wait for them any more are stopped; one that was completed before
    counts as any other that is late, and one of an escalated decision still decides.

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
    moved = [_ingest(review.loop_name, ports=ports, clock=clock) for review in record.open_reviews]
    after = ports.records.get(decision_id)
    if after is None or after.due_at is None or after.due_at > clock():
        return SweepResult.MOVED if any(moved) else SweepResult.NOTHING_TO_DO
    is_late = after.deadline is not None and after.deadline <= clock()
    try:
        if after.state is State.IN_REVIEW and is_late:
            change = settling.escalate(after, reason=Reason("deadline_passed"), at=clock())
            commit_change(change, records=ports.records)
            return SweepResult.MOVED
        if after.open_reviews:
            commit_change(transitions.look_again(after, at=clock()), records=ports.records)
    except RecordConflictError:
        return SweepResult.MOVED
    return SweepResult.MOVED if any(moved) else SweepResult.NOTHING_NEW


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


def _ingest(name: str, *, ports: IngestPorts, clock: Clock) -> bool:
    """Whether the loop had come to something."""
    try:
        result = ingest(name, ports=ports, clock=clock)
    except RetryableError:
        return False  # not there yet: looked at again
    return result not in {IngestResult.NOTHING_TO_DO, IngestResult.UNKNOWN_LOOP}


def _is_wanted(name: str, *, ports: IngestPorts) -> bool:
    entry = ports.records.find_loop(name)
    record = ports.records.get(entry.decision_id) if entry else None
    if entry is None or record is None:
        return False
    review = record.review_named(name)
    if review is None:
        return Seat(entry.seat, entry.generation) in seats_to_start(record)
    return review in record.open_reviews and not _is_unwanted(record, review)
