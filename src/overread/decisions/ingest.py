"""The use case "a human loop moved": look what it came to, whatever the event said; settle its decision."""

from datetime import datetime, timedelta
from enum import StrEnum

from overread.decisions import settling, transitions
from overread.decisions.answers import read_answer
from overread.decisions.commit import commit_change
from overread.decisions.entitlement import objection_to
from overread.decisions.ports import Clock, IngestPorts, ReadObject
from overread.decisions.record import (
    TERMINAL,
    Change,
    LoopEnd,
    LoopEntry,
    Record,
    Review,
    Seat,
    StoredObject,
)
from overread.errors import PoisonedAnswerError, RecordConflictError, RetryableError
from overread.review.wire import HumanLoop, LoopStatus, content_sha256, loop_name, parse_output
from overread.routing.prediction import Reason

STEPS = 8
OUTPUT_PATIENCE = timedelta(hours=4)
"""How long an output may be missing or unreadable before its review is repeated."""


class IngestResult(StrEnum):
    """What became of the news."""

    DECIDED = "decided"
    ANSWER_ACCEPTED = "answer_accepted"
    REVIEW_REPEATED = "review_repeated"
    REVIEW_CLOSED = "review_closed"
    ESCALATED = "escalated"
    LATE_ANSWER_KEPT = "late_answer_kept"
    NOTHING_TO_DO = "nothing_to_do"
    UNKNOWN_LOOP = "unknown_loop"


_RESULTS = {
    "decided_by_people": IngestResult.DECIDED,
    "answer_accepted": IngestResult.ANSWER_ACCEPTED,
    "readers_disagree": IngestResult.ANSWER_ACCEPTED,
    "review_repeated": IngestResult.REVIEW_REPEATED,
    "escalation_repeated": IngestResult.REVIEW_REPEATED,
    "review_closed": IngestResult.REVIEW_CLOSED,
    "escalated": IngestResult.ESCALATED,
    "late_answer_kept": IngestResult.LATE_ANSWER_KEPT,
}


def ingest(name: str, *, ports: IngestPorts, clock: Clock) -> IngestResult:
    """Settles the decision whose human loop `name` has ended; any number of times, in any order.

    The loop's own state and output count, never what an event claims.

    Raises:
        ServiceError: a service failed, or the output is not there yet; run it again.
    """
    entry = ports.records.find_loop(name)
    if entry is None or name != loop_name(entry.decision_id, generation=entry.generation, suffix=entry.seat):
        return IngestResult.UNKNOWN_LOOP
    loop = ports.loops.describe(name)
    if loop is None:
        return IngestResult.UNKNOWN_LOOP
    if loop.status in {LoopStatus.IN_PROGRESS, LoopStatus.STOPPING}:
        return IngestResult.NOTHING_TO_DO
    for _ in range(STEPS):
        record = ports.records.get(entry.decision_id)
        if record is None:
            return IngestResult.UNKNOWN_LOOP
        change = _next_change(record, loop, entry=entry, ports=ports, clock=clock)
        if change is None:
            return IngestResult.NOTHING_TO_DO
        try:
            commit_change(change, records=ports.records)
        except RecordConflictError:
            continue
        if not change.audit:
            raise RetryableError("OutputUnreadable", operation="Ingest")
        return _RESULTS[change.audit[-1].event]
    raise RetryableError("RecordContended", operation="Ingest")


def _next_change(
    record: Record, loop: HumanLoop, *, entry: LoopEntry, ports: IngestPorts, clock: Clock
) -> Change | None:
    review = record.review_named(entry.loop_name)
    if review is None and _may_be_noted(record, Seat(entry.seat, entry.generation)):
        # The starter died, or is about to write its note, or the loop is somebody else's under our name. What
        # people should have seen is in that note: no answer counts, and none is given up, before it is there.
        raise RetryableError("StartNotNoted", operation="Ingest")
    if review is None or review.end is not LoopEnd.OPEN:
        return _keep_if_late(record, review, loop, entry=entry, ports=ports, clock=clock)
    if loop.status != LoopStatus.COMPLETED:
        code = f"loop_{loop.status.lower()}"
        detail = {"failure_code": loop.failure_code} if loop.failure_code else {}
        return _again(record, review, Reason(code, detail), output=None, at=clock())
    return _settle(record, review, loop, entry=entry, ports=ports, clock=clock)


def _may_be_noted(record: Record, seat: Seat) -> bool:
    """Whether the starter is yet to look for the seat's loop, as before an escalation's."""
    return record.state not in TERMINAL and seat in record.empty_seats


def _settle(
    record: Record,
    review: Review,
    loop: HumanLoop,
    *,
    entry: LoopEntry,
    ports: IngestPorts,
    clock: Clock,
) -> Change:
    output: StoredObject | None = None
    try:
        if loop.flow_definition_arn != review.flow_definition_arn:
            raise PoisonedAnswerError("loop_of_another_flow_definition", loop.flow_definition_arn)
        read = ports.outputs.read(loop.output_uri)
        output = read.stored
        if record.state in TERMINAL:
            return settling.keep_late_answer(record, loop=loop, entry=entry, output=output, at=clock())
        return _judge(record, review, loop, read, ports=ports, clock=clock)
    except PoisonedAnswerError as error:
        return _again(record, review, Reason(error.code), output=output, at=clock())
    except RetryableError as error:
        if output is not None:
            raise
        return _unreadable(record, review, error, at=clock())


def _unreadable(record: Record, review: Review, error: RetryableError, *, at: datetime) -> Change:
    """Waiting for the output, up to a limit; noted once, so that the limit is counted from then.

    Raises:
        RetryableError: it has been noted, and there is time left.
    """
    if review.unreadable_since is None:
        return transitions.note_unreadable(record, review=review, at=at)
    if at - review.unreadable_since < OUTPUT_PATIENCE:
        raise error
    return _again(
        record, review, Reason("output_unreadable", {"service_code": error.code}), output=None, at=at
    )


def _again(
    record: Record, review: Review, reason: Reason, *, output: StoredObject | None, at: datetime
) -> Change:
    seat = Seat(review.seat, review.generation)
    return settling.review_again(record, seat=seat, reason=reason, output=output, at=at)


def _judge(
    record: Record, review: Review, loop: HumanLoop, read: ReadObject, *, ports: IngestPorts, clock: Clock
) -> Change:
    parsed = parse_output(read.body)
    if (parsed.human_loop_name, parsed.flow_definition_arn) != (loop.name, loop.flow_definition_arn):
        raise PoisonedAnswerError("output_of_another_loop", parsed.human_loop_name[:80])
    pinned = review.input_content_sha256
    if pinned and content_sha256(parsed.input_content) != pinned:
        raise PoisonedAnswerError("output_of_other_content", "people saw something else than the decision's")
    answer = read_answer(
        parsed, terms=record.terms, decision_id=record.decision_id, generation=review.generation
    )
    roster = ports.rosters.current() if record.terms.requires_roster else None
    objection = objection_to(answer, record=record, output=parsed, roster=roster)
    if objection is not None:
        return _again(record, review, objection, output=read.stored, at=clock())
    return settling.accept_answer(
        record,
        review=review,
        answer=answer,
        output=read.stored,
        roster_sha256=roster.sha256 if roster else "",
        at=clock(),
    )


def _keep_if_late(
    record: Record,
    review: Review | None,
    loop: HumanLoop,
    *,
    entry: LoopEntry,
    ports: IngestPorts,
    clock: Clock,
) -> Change | None:
    """The answer to a review that no longer counts, once; None for news that were heard before."""
    is_heard = review is not None and (review.output is not None or review.end is LoopEnd.LATE)
    if loop.status != LoopStatus.COMPLETED or is_heard:
        return None
    try:
        output = ports.outputs.read(loop.output_uri).stored
    except PoisonedAnswerError:
        return None
    return settling.keep_late_answer(record, loop=loop, entry=entry, output=output, at=clock())
