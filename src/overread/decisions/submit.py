"""The use case "decide this": record first, then the model, then the route; safe to repeat at any point."""

from typing import Any

from overread.decisions import transitions
from overread.decisions.ids import decision_id
from overread.decisions.ports import Clock, SubmitPorts
from overread.decisions.record import Change, PolicyPin, Record, RecordedPrediction, State, StoredObject
from overread.decisions.requests import Submission
from overread.errors import Problem, RecordConflictError, RequestRefusedError, RetryableError, ServiceError
from overread.routing.policy import Mode, Source, UseCasePolicy
from overread.routing.prediction import Reading, endpoint_failed, read_reply, read_values
from overread.routing.route import Route, route, visible_part
from overread.strict_json import canonical_json

WRITE_ATTEMPTS = 8


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
        RequestRefusedError: the key was used for another body, a prediction is missing or not wanted, or the
            model gave none (in shadow mode).
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
    spot_check_key = ports.spot_check_key()
    _check_prediction(submission, policy)
    if known is None:
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
        record = _claim(known, policy=policy, ports=ports, clock=clock)
    if record.state is not State.RECEIVED:
        return record
    visible = visible_part(submission.input, withheld=policy.review.withheld)
    reading, variant = _predict(record, submission, visible=visible, policy=policy, ports=ports)
    chosen = route(
        policy,
        decision_id=record.decision_id,
        visible_input=visible,
        reading=reading,
        spot_check_key=spot_check_key,
    )
    prediction = _recorded(reading, submission, policy=policy, variant=variant, attempt=record.attempts)
    if prediction is None and policy.mode is Mode.SHADOW:
        codes = ", ".join(str(reason.code) for reason in reading.faults)
        raise RequestRefusedError(Problem.PREDICTION_FAILED, f"the model gave no usable prediction: {codes}")
    return _settle(record, policy=policy, prediction=prediction, chosen=chosen, ports=ports, clock=clock)


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
        ports.records.write(transitions.receive(record))
    except RecordConflictError:
        other = _reread(decision_id, ports=ports)
        _check_same_request(other, submission, idempotency_key)
        return _claim(other, policy=policy, ports=ports, clock=clock)
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
        due_at=at + transitions.LOOK_AGAIN,
        policy=PolicyPin(version=policy.version, mode=policy.mode, source=policy.source),
        terms=policy.review,
    )


def _claim(record: Record, *, policy: UseCasePolicy, ports: SubmitPorts, clock: Clock) -> Record:
    """A further attempt at a record that is still RECEIVED; any other record as it stands."""
    for _ in range(WRITE_ATTEMPTS):
        if record.state is not State.RECEIVED:
            return record
        change = transitions.claim_attempt(record, policy=policy, at=clock())
        try:
            ports.records.write(change)
        except RecordConflictError:
            record = _reread(record.decision_id, ports=ports)
        else:
            return change.record
    raise _contended()


def _settle(
    record: Record,
    *,
    policy: UseCasePolicy,
    prediction: RecordedPrediction | None,
    chosen: Route,
    ports: SubmitPorts,
    clock: Clock,
) -> Record:
    """The record out of RECEIVED, by this run or by another one that was faster."""
    for _ in range(WRITE_ATTEMPTS):
        if record.state is not State.RECEIVED:
            return record
        change: Change = transitions.decide(
            record, policy=policy, prediction=prediction, route=chosen, at=clock()
        )
        try:
            ports.records.write(change)
        except RecordConflictError:
            record = _reread(record.decision_id, ports=ports)
        else:
            return change.record
    raise _contended()


def _predict(
    record: Record,
    submission: Submission,
    *,
    visible: dict[str, Any],
    policy: UseCasePolicy,
    ports: SubmitPorts,
) -> tuple[Reading, str]:
    """What the prediction comes to, and the endpoint's variant that made it."""
    labels = policy.review.labels
    if submission.prediction is not None:
        stated = submission.prediction
        return read_values(label=stated.label, confidence=stated.confidence, labels=labels), ""
    try:
        reply = ports.models.predict(
            policy.endpoint_name,
            body=canonical_json(visible),
            inference_id=f"{record.decision_id}/{record.attempts}",
        )
    except ServiceError as error:
        return endpoint_failed(error.code), ""
    reading = read_reply(reply.body, label=policy.label, confidence=policy.confidence, labels=labels)
    return reading, reply.variant


def _recorded(
    reading: Reading, submission: Submission, *, policy: UseCasePolicy, variant: str, attempt: int
) -> RecordedPrediction | None:
    if reading.prediction is None:
        return None
    stated = submission.prediction
    return RecordedPrediction(
        label=reading.prediction.label,
        confidence=reading.prediction.confidence,
        model=stated.model if stated else policy.model_name,
        version=stated.version if stated else policy.model_version,
        variant=variant,
        attempt=0 if stated else attempt,
    )


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
