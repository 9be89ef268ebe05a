"""The use case "get this pending decision to people": one human loop, however often it runs."""

import hashlib
import json
from enum import StrEnum

from overread.decisions import transitions
from overread.decisions.documents import task_document
from overread.decisions.ports import Clock, StartPorts
from overread.decisions.record import Change, Record, State
from overread.errors import (
    AmbiguousError,
    FlowDefinitionGoneError,
    NameTakenError,
    PermanentError,
    RecordConflictError,
    RetryableError,
    ServiceError,
)
from overread.review.limits import INPUT_CONTENT
from overread.review.wire import content_sha256, loop_name
from overread.routing.prediction import Reason
from overread.strict_json import canonical_json, parse_json

STEPS = 8


class StartResult(StrEnum):
    """What became of the attempt."""

    STARTED = "started"
    POSTPONED = "postponed"
    ESCALATED = "escalated"
    NOTHING_TO_DO = "nothing_to_do"


def start_loop(decision_id: str, *, ports: StartPorts, clock: Clock, jitter: float) -> StartResult:
    """Starts the human loop of a pending decision whose time has come.

    A start that fails leaves the decision pending, with the service's code and the time of the next attempt
    in the record. `jitter` in [0, 1) spreads the attempts.

    Raises:
        ServiceError: the records cannot be read or written; run it again.
    """
    for _ in range(STEPS):
        record = ports.records.get(decision_id)
        if record is None or record.state is not State.PENDING or _is_too_early(record, clock):
            return StartResult.NOTHING_TO_DO
        change = _next_change(record, ports=ports, clock=clock, jitter=jitter)
        try:
            ports.records.write(change)
        except RecordConflictError:
            continue
        result = _result(change)
        if result is not None:
            return result
    raise RetryableError("RecordContended", operation="StartLoop")


def _is_too_early(record: Record, clock: Clock) -> bool:
    return record.waiting is not None and record.waiting.next_attempt_at > clock()


def _result(change: Change) -> StartResult | None:
    """None while the decision is ready for another step: terms replaced, or the next generation."""
    record = change.record
    if record.state is State.IN_REVIEW:
        return StartResult.STARTED
    if record.state is State.ESCALATED:
        return StartResult.ESCALATED
    return StartResult.POSTPONED if record.waiting else None


def _next_change(record: Record, *, ports: StartPorts, clock: Clock, jitter: float) -> Change:
    if record.deadline is not None and record.deadline <= clock():
        return transitions.escalate(record, reason=Reason("deadline_passed"), output=None, at=clock())
    try:
        return _start(record, ports=ports, clock=clock)
    except FlowDefinitionGoneError as error:
        return _replace_terms(record, error, ports=ports, clock=clock, jitter=jitter)
    except AmbiguousError as error:
        return transitions.postpone(record, error=error, is_unknown=True, at=clock(), jitter=jitter)
    except ServiceError as error:
        return transitions.postpone(record, error=error, is_unknown=False, at=clock(), jitter=jitter)


def _start(record: Record, *, ports: StartPorts, clock: Clock) -> Change:
    name = loop_name(record.decision_id, generation=record.generation)
    content = _input_content(record, ports=ports)
    if record.waiting is not None and record.waiting.is_unknown:
        found = _adopt(record, name, content=content, ports=ports, clock=clock)
        if found is not None:
            return found
    try:
        ports.loops.start(
            name,
            flow_definition_arn=record.terms.flow_definition_arn,
            input_content=content,
            free_of_personal_data=record.terms.free_of_personal_data,
        )
    except NameTakenError:
        found = _adopt(record, name, content=content, ports=ports, clock=clock)
        if found is None:
            raise
        return found
    return _begin(record, content=content, clock=clock)


def _begin(record: Record, *, content: bytes, clock: Clock) -> Change:
    return transitions.begin_review(
        record, input_content_sha256=content_sha256(json.loads(content)), at=clock()
    )


def _adopt(record: Record, name: str, *, content: bytes, ports: StartPorts, clock: Clock) -> Change | None:
    """The loop of that name taken as this decision's; one of another flow definition costs a generation.

    What it shows to people is not known here: its output tells, and must fit `content` to be used.
    """
    loop = ports.loops.describe(name)
    if loop is None:
        return None
    if loop.flow_definition_arn != record.terms.flow_definition_arn:
        reason = Reason("loop_name_taken", {"flow_definition_arn": loop.flow_definition_arn})
        return transitions.review_again(record, reason=reason, output=None, at=clock())
    return _begin(record, content=content, clock=clock)


def _input_content(record: Record, *, ports: StartPorts) -> bytes:
    """The task's content, the same bytes at every attempt."""
    body = ports.inputs.read(record.input)
    if hashlib.sha256(body).hexdigest() != record.input.sha256:
        raise PermanentError("InputAltered", operation="ReadInput")
    content = canonical_json(task_document(record, input_document=parse_json(body)))
    if len(content) > INPUT_CONTENT.maximum:
        raise PermanentError("InputContentTooLarge", operation="StartHumanLoop")
    return content


def _replace_terms(
    record: Record, error: FlowDefinitionGoneError, *, ports: StartPorts, clock: Clock, jitter: float
) -> Change:
    """The terms of the policy in force, where they name another flow definition than the vanished one."""
    try:
        policy = ports.policies.current(record.use_case)
    except ServiceError as unavailable:
        return transitions.postpone(record, error=unavailable, is_unknown=False, at=clock(), jitter=jitter)
    if policy.review.flow_definition_arn == record.terms.flow_definition_arn:
        return transitions.postpone(record, error=error, is_unknown=False, at=clock(), jitter=jitter)
    return transitions.repin(record, terms=policy.review, policy_version=policy.version, at=clock())
