"""The use case "a human loop moved": look what it came to, whatever the event said; settle its decision."""

from enum import StrEnum

from overread.decisions import transitions
from overread.decisions.answers import merge_answers
from overread.decisions.ports import Clock, IngestPorts, ReadObject
from overread.decisions.record import Change, LoopEnd, LoopEntry, Outcome, Record, State, StoredObject
from overread.errors import PoisonedAnswerError, RecordConflictError, RetryableError
from overread.review.wire import HumanLoop, LoopStatus, content_sha256, loop_name, parse_output
from overread.routing.prediction import Reason
from overread.routing.route import Decider

STEPS = 8


class IngestResult(StrEnum):
    """What became of the news."""

    DECIDED = "decided"
    REVIEW_REPEATED = "review_repeated"
    ESCALATED = "escalated"
    LATE_ANSWER_KEPT = "late_answer_kept"
    NOTHING_TO_DO = "nothing_to_do"
    UNKNOWN_LOOP = "unknown_loop"


def ingest(name: str, *, ports: IngestPorts, clock: Clock) -> IngestResult:
    """Settles the decision whose human loop `name` has ended; any number of times, in any order.

    The loop's own state and output count, never what an event claims.

    Raises:
        ServiceError: a service failed, or the output is not there yet; run it again.
    """
    entry = ports.records.find_loop(name)
    if entry is None or name != loop_name(entry.decision_id, generation=entry.generation):
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
            ports.records.write(change)
        except RecordConflictError:
            continue
        result = _result(change)
        if result is not None:
            return result
    raise RetryableError("RecordContended", operation="Ingest")


def _result(change: Change) -> IngestResult | None:
    """None when the change was only the step before the one that counts."""
    events = {
        "decided_by_people": IngestResult.DECIDED,
        "review_repeated": IngestResult.REVIEW_REPEATED,
        "escalated": IngestResult.ESCALATED,
        "late_answer_kept": IngestResult.LATE_ANSWER_KEPT,
    }
    return events.get(change.audit[-1].event)


def _next_change(
    record: Record, loop: HumanLoop, *, entry: LoopEntry, ports: IngestPorts, clock: Clock
) -> Change | None:
    is_current = entry.generation == record.generation
    if is_current and record.state is State.PENDING:
        # The starter died, or is about to write its note, or the loop is somebody else's under our name. What
        # people should have seen is in that note: no answer counts, and none is given up, before it is there.
        raise RetryableError("StartNotNoted", operation="Ingest")
    if is_current and record.state is State.IN_REVIEW:
        return _settle(record, loop, ports=ports, clock=clock)
    return _keep_if_late(record, loop, entry=entry, ports=ports, clock=clock)


def _settle(record: Record, loop: HumanLoop, *, ports: IngestPorts, clock: Clock) -> Change:
    if loop.status != LoopStatus.COMPLETED:
        code = f"loop_{loop.status.lower()}"
        detail = {"failure_code": loop.failure_code} if loop.failure_code else {}
        return transitions.review_again(record, reason=Reason(code, detail), output=None, at=clock())
    output: StoredObject | None = None
    try:
        if loop.flow_definition_arn != record.terms.flow_definition_arn:
            raise PoisonedAnswerError("loop_of_another_flow_definition", loop.flow_definition_arn)
        read = ports.outputs.read(loop.output_uri)
        output = read.stored
        return _judge(record, loop, read, clock=clock)
    except PoisonedAnswerError as error:
        return transitions.review_again(record, reason=Reason(error.code), output=output, at=clock())


def _judge(record: Record, loop: HumanLoop, read: ReadObject, *, clock: Clock) -> Change:
    parsed = parse_output(read.body)
    if (parsed.human_loop_name, parsed.flow_definition_arn) != (loop.name, loop.flow_definition_arn):
        raise PoisonedAnswerError("output_of_another_loop", parsed.human_loop_name[:80])
    review = record.review_of(record.generation)
    pinned = review.input_content_sha256 if review else ""
    if pinned and content_sha256(parsed.input_content) != pinned:
        raise PoisonedAnswerError("output_of_other_content", "people saw something else than the decision's")
    verdict = merge_answers(
        parsed, terms=record.terms, decision_id=record.decision_id, generation=record.generation
    )
    if verdict.no_label_code:
        return transitions.escalate(
            record, reason=Reason(verdict.no_label_code), output=read.stored, at=clock()
        )
    at = clock()
    outcome = Outcome(
        label=verdict.label,
        source=Decider.HUMAN,
        reason_code=verdict.reason_code,
        decided_at=at,
        seconds=verdict.seconds,
        reviewers=verdict.reviewers,
    )
    return transitions.decide_by_people(record, outcome=outcome, output=read.stored, at=at)


def _keep_if_late(
    record: Record, loop: HumanLoop, *, entry: LoopEntry, ports: IngestPorts, clock: Clock
) -> Change | None:
    """The answer to a review that no longer counts, once; None for news that were heard before."""
    known = record.review_of(entry.generation)
    is_heard = known is not None and (known.output is not None or known.end is LoopEnd.LATE)
    if loop.status != LoopStatus.COMPLETED or is_heard:
        return None
    try:
        output = ports.outputs.read(loop.output_uri).stored
    except PoisonedAnswerError:
        return None
    return transitions.keep_late_answer(
        record, loop=loop, generation=entry.generation, output=output, at=clock()
    )
