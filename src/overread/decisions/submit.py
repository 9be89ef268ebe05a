"""The use case "decide this": record first, then the model, then the route; safe to repeat at any point."""

from overread.decisions import transitions
from overread.decisions.commit import commit_change
from overread.decisions.ids import decision_id, separation_of
from overread.decisions.moves import LOOK_AGAIN
from overread.decisions.ports import Clock, SubmitPorts
from overread.decisions.predict import Prediction, predict
from overread.decisions.record import Change, Record, State, StoredObject
from overread.decisions.requests import Submission
from overread.errors import (
    KillSwitchOnError,
    Problem,
    RecordConflictError,
    RequestRefusedError,
    RetryableError,
)
from overread.routing.policy import Mode, Source, UseCasePolicy
from overread.routing.prediction import Reason, ReasonCode

WRITE_ATTEMPTS = 8
LEAST_URGENT = "low"


def submit(
    submission: Submission,
    *,
    use_case: str,
    environment: str,
    caller_scope: str,
    idempotency_key: str,
    ports: SubmitPorts,
    clock: Clock,
) -> Record:
    """The decision that this key means to this caller: final, or pending for people.

    A known key gives the decision it gave before. Where an earlier run died halfway, this one finishes it.

    Raises:
        RequestRefusedError: the key was used for another body, a prediction is missing or not wanted, too
            much waits for people, or (in shadow mode) the model gave none or is switched off.
        ServiceError: a service failed; the same request may be sent again.
    """
    known_as = decision_id(
        environment=environment,
        caller_scope=caller_scope,
        use_case=use_case,
        idempotency_key=idempotency_key,
    )
    known = ports.records.get(known_as)
    if known is not None:
        _check_same_request(known, submission, idempotency_key)
        if known.state is not State.RECEIVED:
            return known
    policy = ports.policies.current(use_case)
    ports.spot_check_key()  # nothing is begun that could not be routed
    _check_prediction(submission, policy)
    if known is None:
        _check_backlog(submission, policy=policy, ports=ports)
        record = _create(
            submission,
            decision_id=known_as,
            caller_scope=caller_scope,
            idempotency_key=idempotency_key,
            policy=policy,
            ports=ports,
            clock=clock,
        )
    else:
        record = claim(known, policy=policy, ports=ports, clock=clock)
    if record.state is not State.RECEIVED:
        return record
    predicted = predict(record, input_document=submission.input, policy=policy, ports=ports)
    if predicted.recorded is None and policy.mode is Mode.SHADOW:
        codes = ", ".join(str(reason.code) for reason in predicted.faults)
        raise RequestRefusedError(Problem.PREDICTION_FAILED, f"the model gave no usable prediction: {codes}")
    try:
        return settle(record, policy=policy, predicted=predicted, ports=ports, clock=clock)
    except KillSwitchOnError as error:
        detail = f"use case {use_case} only shadows people's decisions, and its model is switched off"
        raise RequestRefusedError(Problem.KILL_SWITCH_ON, detail) from error


def _create(
    submission: Submission,
    *,
    decision_id: str,
    caller_scope: str,
    idempotency_key: str,
    policy: UseCasePolicy,
    ports: SubmitPorts,
    clock: Clock,
) -> Record:
    """The new record, or what another run of the same request made of it meanwhile."""
    stored = ports.inputs.put(submission.input_body, use_case=policy.use_case, sha256=submission.input_sha256)
    record = _received(
        submission,
        decision_id=decision_id,
        caller_scope=caller_scope,
        policy=policy,
        stored=stored,
        clock=clock,
    )
    try:
        commit_change(transitions.receive(record), records=ports.records)
    except RecordConflictError:
        other = _reread(decision_id, ports=ports)
        _check_same_request(other, submission, idempotency_key)
        return claim(other, policy=policy, ports=ports, clock=clock)
    return record


def _received(
    submission: Submission,
    *,
    decision_id: str,
    caller_scope: str,
    policy: UseCasePolicy,
    stored: StoredObject,
    clock: Clock,
) -> Record:
    at = clock()
    return Record(
        decision_id=decision_id,
        use_case=policy.use_case,
        caller_scope=caller_scope,
        request_sha256=submission.request_sha256,
        reference=submission.reference,
        priority=submission.priority,
        deadline=submission.deadline,
        input=stored,
        state=State.RECEIVED,
        generation=0,
        revision=1,
        audit_length=0,
        attempts=1,
        received_at=at,
        updated_at=at,
        due_at=at + LOOK_AGAIN,
        policy=transitions.pin(policy),
        terms=policy.review,
        stated=submission.prediction,
        separation=separation_of(decision_id),
    )


def claim(record: Record, *, policy: UseCasePolicy, ports: SubmitPorts, clock: Clock) -> Record:
    """A further attempt at a record that is still RECEIVED; any other record as it stands."""
    for _ in range(WRITE_ATTEMPTS):
        if record.state is not State.RECEIVED:
            return record
        change = transitions.claim_attempt(record, policy=policy, at=clock())
        try:
            commit_change(change, records=ports.records)
        except RecordConflictError:
            record = _reread(record.decision_id, ports=ports)
        else:
            return change.record
    raise _contended()


def settle(
    record: Record, *, policy: UseCasePolicy, predicted: Prediction, ports: SubmitPorts, clock: Clock
) -> Record:
    """The record out of RECEIVED, by this run or by another one that was faster.

    Raises:
        KillSwitchOnError: the use case only shadows, and its model may not decide now.
    """
    for _ in range(WRITE_ATTEMPTS):
        if record.state is not State.RECEIVED:
            return record
        change: Change = transitions.decide(
            record, policy=policy, prediction=predicted.recorded, route=predicted.route, at=clock()
        )
        try:
            commit_change(change, records=ports.records)
        except RecordConflictError:
            record = _reread(record.decision_id, ports=ports)
        except KillSwitchOnError:
            if policy.mode is Mode.SHADOW:
                raise
            predicted = predicted.by_people(Reason(ReasonCode.KILL_SWITCH))
        else:
            return change.record
    raise _contended()


def _check_backlog(submission: Submission, *, policy: UseCasePolicy, ports: SubmitPorts) -> None:
    """Cases that are not urgent are refused while more wait for people than shall."""
    if policy.max_waiting is None or submission.priority != LEAST_URGENT:
        return
    waiting = ports.gauges.waiting(policy.review.queue)
    if waiting >= policy.max_waiting:
        detail = (
            f"{waiting} cases wait for people; cases of priority low are taken below {policy.max_waiting}"
        )
        raise RequestRefusedError(Problem.TOO_MANY_REQUESTS, detail, field="priority")


def _check_prediction(submission: Submission, policy: UseCasePolicy) -> None:
    has_prediction = submission.prediction is not None
    if policy.source is Source.CALLER and not has_prediction:
        detail = f"use case {policy.use_case} takes the caller's prediction: prediction is missing"
        raise RequestRefusedError(Problem.INVALID_REQUEST, detail, field="prediction")
    if policy.source is Source.ENDPOINT and has_prediction:
        detail = f"use case {policy.use_case} has a model of its own: prediction must be left out"
        raise RequestRefusedError(Problem.INVALID_REQUEST, detail, field="prediction")


def _check_same_request(record: Record, submission: Submission, idempotency_key: str) -> None:
    if record.request_sha256 != submission.request_sha256:
        detail = f"key {idempotency_key!r} was used for a request with another body"
        raise RequestRefusedError(Problem.IDEMPOTENCY_KEY_REUSED, detail, field="Idempotency-Key")


def _reread(decision_id: str, *, ports: SubmitPorts) -> Record:
    record = ports.records.get(decision_id)
    if record is None:
        raise _contended()
    return record


def _contended() -> RetryableError:
    return RetryableError("RecordContended", operation="WriteRecord")
