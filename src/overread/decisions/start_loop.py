"""The use case "get this decision to people": one human loop a seat, however often it runs."""

import hashlib
import json
from enum import StrEnum

from overread.decisions import settling, transitions
from overread.decisions.commit import commit_change
from overread.decisions.documents import task_document
from overread.decisions.ports import Clock, StartPorts
from overread.decisions.record import Change, Record, Seat, State
from overread.decisions.seats import flow_definition_of, is_of_second_team, loop_of, seats_to_start
from overread.errors import (
    AmbiguousError,
    FlowDefinitionGoneError,
    NameTakenError,
    PermanentError,
    QueueFullError,
    RecordConflictError,
    RetryableError,
    ServiceError,
)
from overread.review.limits import INPUT_CONTENT
from overread.review.wire import content_sha256
from overread.routing.prediction import Reason
from overread.strict_json import canonical_json, parse_json

STEPS = 12
_WITH_EMPTY_SEATS = frozenset({State.PENDING, State.ESCALATED})


class StartResult(StrEnum):
    """What became of the attempt."""

    STARTED = "started"
    POSTPONED = "postponed"
    QUEUE_FULL = "queue_full"
    ESCALATED = "escalated"
    NOTHING_TO_DO = "nothing_to_do"


def start_loop(decision_id: str, *, ports: StartPorts, clock: Clock, jitter: float) -> StartResult:
    """Starts the human loops that a decision waits for, when its time and its turn have come.

    A start that fails leaves the decision where it is, with the service's code and the time of the next
    attempt in the record. `jitter` in [0, 1) spreads the attempts.

    Raises:
        ServiceError: the records cannot be read or written; run it again.
    """
    result = StartResult.NOTHING_TO_DO
    for _ in range(STEPS):
        record = ports.records.get(decision_id)
        if record is None or not _is_ready(record, clock):
            return result
        change = _next_change(record, seats_to_start(record)[0], ports=ports, clock=clock, jitter=jitter)
        try:
            commit_change(change, records=ports.records)
        except QueueFullError:
            _await_place(record, ports=ports, clock=clock)
            return StartResult.QUEUE_FULL
        except RecordConflictError:
            _stop_unwanted(change, ports=ports)
            continue
        result = _result(change, result)
    if result is StartResult.NOTHING_TO_DO:
        raise RetryableError("RecordContended", operation="StartLoop")
    return result


def start_waiting(queue: str, *, ports: StartPorts, clock: Clock, jitter: float) -> int:
    """Starts what waits for a place in the queue, the most urgent first, until it is full; how many."""
    started = 0
    for decision_id in ports.records.waiting(queue):
        try:
            result = start_loop(decision_id, ports=ports, clock=clock, jitter=jitter)
        except PermanentError:  # nobody else waits behind it; the sweep by time tells of it
            continue
        if result is StartResult.QUEUE_FULL:
            break
        started += result is StartResult.STARTED
    return started


def _is_ready(record: Record, clock: Clock) -> bool:
    """Whether a seat is empty, not too early, and nobody of the first team is still at the second's case."""
    if record.state not in _WITH_EMPTY_SEATS or not seats_to_start(record):
        return False
    if (
        record.waiting is not None
        and record.waiting.next_attempt_at > clock()
        and not _is_late(record, clock)
    ):
        return False
    return record.state is State.PENDING or all(
        is_of_second_team(review.seat) for review in record.open_reviews
    )


def _is_late(record: Record, clock: Clock) -> bool:
    return record.state is State.PENDING and record.deadline is not None and record.deadline <= clock()


def _result(change: Change, before: StartResult) -> StartResult:
    event = change.audit[-1].event if change.audit else ""
    if event == "review_started":
        return StartResult.STARTED
    if event == "escalated":
        return StartResult.ESCALATED
    is_first = before is StartResult.NOTHING_TO_DO
    return StartResult.POSTPONED if is_first and change.record.waiting else before


def _next_change(record: Record, seat: Seat, *, ports: StartPorts, clock: Clock, jitter: float) -> Change:
    if _is_late(record, clock):
        return settling.escalate(record, reason=Reason("deadline_passed"), at=clock())
    is_limited = record.state is State.PENDING and record.terms.max_open is not None
    if is_limited and not record.is_admitted:
        return transitions.admit(record, at=clock())
    try:
        forgotten = _forgotten(record, ports=ports, clock=clock)
        return forgotten or _start(record, seat, ports=ports, clock=clock)
    except FlowDefinitionGoneError as error:
        return _replace_terms(record, seat, error, ports=ports, clock=clock, jitter=jitter)
    except AmbiguousError as error:
        return transitions.postpone(record, error=error, is_unknown=True, at=clock(), jitter=jitter)
    except ServiceError as error:
        return transitions.postpone(record, error=error, is_unknown=False, at=clock(), jitter=jitter)


def _start(record: Record, seat: Seat, *, ports: StartPorts, clock: Clock) -> Change:
    flow_definition_arn = flow_definition_of(record.terms, seat.name)
    if not flow_definition_arn:
        raise FlowDefinitionGoneError("NoSecondTeam", operation="StartHumanLoop")
    content = _input_content(record, seat, ports=ports)
    if record.waiting is not None and record.waiting.is_unknown:
        found = _adopt(record, seat, content=content, ports=ports, clock=clock)
        if found is not None:
            return found
    wait_s = ports.rate.take(clock())
    if wait_s > 0:
        return transitions.await_turn(record, wait_s=wait_s, at=clock())
    try:
        ports.loops.start(
            loop_of(record, seat),
            flow_definition_arn=flow_definition_arn,
            input_content=content,
            free_of_personal_data=record.terms.free_of_personal_data,
        )
    except NameTakenError:
        found = _adopt(record, seat, content=content, ports=ports, clock=clock)
        if found is None:
            raise
        return found
    return _begin(record, seat, content=content, clock=clock)


def _forgotten(record: Record, *, ports: StartPorts, clock: Clock) -> Change | None:
    """A loop of the first team that began unnoted (its starter died, or never heard of it) before escalation.

    It is noted, so that it is stopped, or its answer heard, before the second team begins.
    """
    if record.state is not State.ESCALATED:
        return None
    for seat in record.empty_seats:
        if is_of_second_team(seat.name):
            continue
        loop = ports.loops.describe(loop_of(record, seat))
        if loop is not None and loop.flow_definition_arn == flow_definition_of(record.terms, seat.name):
            content = _input_content(record, seat, ports=ports)
            sha256 = content_sha256(json.loads(content))
            return transitions.note_forgotten(record, seat=seat, input_content_sha256=sha256, at=clock())
    return None


def _begin(record: Record, seat: Seat, *, content: bytes, clock: Clock) -> Change:
    sha256 = content_sha256(json.loads(content))
    return transitions.begin_review(record, seat=seat, input_content_sha256=sha256, at=clock())


def _adopt(record: Record, seat: Seat, *, content: bytes, ports: StartPorts, clock: Clock) -> Change | None:
    """The loop of that name taken as this decision's; one of another flow definition costs a generation.

    What it shows to people is not known here: its output tells, and must fit `content` to be used.
    """
    loop = ports.loops.describe(loop_of(record, seat))
    if loop is None:
        return None
    if loop.flow_definition_arn != flow_definition_of(record.terms, seat.name):
        reason = Reason("loop_name_taken", {"flow_definition_arn": loop.flow_definition_arn})
        return settling.review_again(record, seat=seat, reason=reason, output=None, at=clock())
    return _begin(record, seat, content=content, clock=clock)


def _stop_unwanted(change: Change, *, ports: StartPorts) -> None:
    """Ends a loop that was started while somebody else closed its seat."""
    begun = [review for review in change.record.open_reviews if review.started_at == change.record.updated_at]
    record = ports.records.get(change.record.decision_id)
    if not begun or record is None:
        return
    name = begun[-1].loop_name
    wanted = {loop_of(record, seat) for seat in seats_to_start(record)}
    if name not in wanted and record.review_named(name) is None:
        ports.loops.stop(name)


def _await_place(record: Record, *, ports: StartPorts, clock: Clock) -> None:
    """The next look without a place in the queue: those that have been waiting are found there first.

    Nothing is written before that look is due: each write wakes the starter, which would find the queue as
    full as before, write again, and so on.
    """
    if record.due_at is not None and record.due_at > clock():
        return
    try:
        commit_change(transitions.await_place(record, at=clock()), records=ports.records)
    except RecordConflictError:
        return


def _input_content(record: Record, seat: Seat, *, ports: StartPorts) -> bytes:
    """The task's content, the same bytes at every attempt."""
    body = ports.inputs.read(record.input)
    if hashlib.sha256(body).hexdigest() != record.input.sha256:
        raise PermanentError("InputAltered", operation="ReadInput")
    content = canonical_json(task_document(record, seat=seat, input_document=parse_json(body)))
    if len(content) > INPUT_CONTENT.maximum:
        raise PermanentError("InputContentTooLarge", operation="StartHumanLoop")
    return content


def _replace_terms(
    record: Record,
    seat: Seat,
    error: FlowDefinitionGoneError,
    *,
    ports: StartPorts,
    clock: Clock,
    jitter: float,
) -> Change:
    """The terms of the policy in force, where they name another flow definition than the one not there.

    Loops that were started before are this decision's all the same, and are noted under the terms of then.
    """
    try:
        found = _begun_before(record, ports=ports, clock=clock)
        if found is not None:
            return found
        policy = ports.policies.current(record.use_case)
    except ServiceError as unavailable:
        return transitions.postpone(record, error=unavailable, is_unknown=False, at=clock(), jitter=jitter)
    other = flow_definition_of(policy.review, seat.name)
    if other in ("", flow_definition_of(record.terms, seat.name)):
        return transitions.postpone(record, error=error, is_unknown=False, at=clock(), jitter=jitter)
    return transitions.repin(record, terms=policy.review, policy_version=policy.version, at=clock())


def _begun_before(record: Record, *, ports: StartPorts, clock: Clock) -> Change | None:
    """A loop that was started for one of the seats and not noted: its starter died, or heard nothing."""
    for seat in seats_to_start(record):
        if flow_definition_of(record.terms, seat.name):
            content = _input_content(record, seat, ports=ports)
            found = _adopt(record, seat, content=content, ports=ports, clock=clock)
            if found is not None:
                return found
    return None
