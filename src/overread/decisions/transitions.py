"""The decision's state machine: each arrow is a pure function that tells what to write and under which fence.

RECEIVED ──► FINAL(model)
   └──────► PENDING(g) ──► IN_REVIEW(g) ──► FINAL(human)
               │  └───────────┤  └─ failed, expired, unusable → PENDING(g+1), at most `max_generations`
               └──────────────┴────► ESCALATED
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from overread.decisions.record import (
    AuditEntry,
    Change,
    Fence,
    LoopEnd,
    LoopEntry,
    Outcome,
    PolicyPin,
    Record,
    RecordedPrediction,
    Review,
    State,
    StoredObject,
    Waiting,
)
from overread.errors import ServiceError
from overread.review.wire import HumanLoop, loop_name
from overread.routing.policy import ReviewTerms, UseCasePolicy
from overread.routing.prediction import Reason
from overread.routing.route import Decider, Route

LOOK_AGAIN = timedelta(minutes=1)
"""How long a step may take before somebody looks whether it died."""
REVIEW_LOOK_AGAIN = timedelta(hours=1)
BACKOFF_FIRST_S = 15.0
BACKOFF_LONGEST_S = 900.0

_RECEIVED = frozenset({State.RECEIVED})
_PENDING = frozenset({State.PENDING})
_IN_REVIEW = frozenset({State.IN_REVIEW})
_WITH_PEOPLE = _PENDING | _IN_REVIEW
_ANY = frozenset(State)


def pin(policy: UseCasePolicy) -> PolicyPin:
    """What a record keeps of the policy it was routed by, beside the terms of its review."""
    return PolicyPin(version=policy.version, mode=policy.mode, source=policy.source)


def receive(record: Record) -> Change:
    """Creation: the record must not exist yet."""
    return Change(record=record, fence=None)


def claim_attempt(record: Record, *, policy: UseCasePolicy, at: datetime) -> Change:
    """Another run of a request whose first run never came to an end, by the policy of now."""
    return _move(
        record,
        State.RECEIVED,
        sources=_RECEIVED,
        at=at,
        attempts=record.attempts + 1,
        policy=pin(policy),
        terms=policy.review,
        due_at=at + LOOK_AGAIN,
    )


def decide(
    record: Record,
    *,
    policy: UseCasePolicy,
    prediction: RecordedPrediction | None,
    route: Route,
    at: datetime,
) -> Change:
    """The way out of RECEIVED: final by the model where it decides or only shadows, else pending for people.

    Raises:
        ValueError: the model shall decide but there is no prediction.
    """
    routed = replace(record, policy=pin(policy), terms=policy.review, prediction=prediction, route=route)
    detail = {
        "caller_scope": record.caller_scope,
        "input_sha256": record.input.sha256,
        "input_version": record.input.version_id,
        "policy_version": policy.version,
        "mode": str(policy.mode),
        "flow_definition_arn": policy.review.flow_definition_arn,
        "task_ui_sha256": policy.review.task_ui_sha256,
        "attempts": record.attempts,
        "prediction": _prediction_document(prediction),
        "route": {"to": str(route.to), "reasons": [reason.document() for reason in route.reasons]},
        "is_spot_check": route.is_spot_check,
        "spot_check_probability": route.spot_check_probability,
    }
    if route.to is Decider.HUMAN and policy.mode != "shadow":
        return _pend(routed, sources=_RECEIVED, generation=1, at=at, event="sent_to_people", detail=detail)
    if prediction is None:
        raise ValueError("the model cannot decide without a prediction")
    outcome = Outcome(
        label=prediction.label,
        source=Decider.MODEL,
        reason_code="",
        decided_at=at,
        seconds=None,
        reviewers=(),
    )
    return _move(
        routed,
        State.FINAL,
        sources=_RECEIVED,
        at=at,
        event="decided_by_model",
        detail={**detail, "label": prediction.label},
        outcome=outcome,
        due_at=None,
    )


def postpone(record: Record, *, error: ServiceError, is_unknown: bool, at: datetime, jitter: float) -> Change:
    """A start of the human loop that failed: try again later. `jitter` in [0, 1) spreads the attempts."""
    attempts = 1 + (record.waiting.attempts if record.waiting else 0)
    next_attempt_at = at + timedelta(seconds=backoff_s(attempts, jitter=jitter))
    waiting = Waiting(
        code=error.code,
        attempts=attempts,
        next_attempt_at=next_attempt_at,
        is_unknown=is_unknown or (record.waiting is not None and record.waiting.is_unknown),
    )
    return _move(record, State.PENDING, sources=_PENDING, at=at, waiting=waiting, due_at=next_attempt_at)


def backoff_s(attempts: int, *, jitter: float) -> float:
    """Seconds until the next attempt: doubling from 15 s to 15 min, the upper half drawn by `jitter`."""
    full = min(BACKOFF_LONGEST_S, BACKOFF_FIRST_S * 2.0 ** min(attempts - 1, 16))
    return full * (0.5 + jitter / 2)


def repin(record: Record, *, terms: ReviewTerms, policy_version: str, at: datetime) -> Change:
    """The review's terms replaced, because the flow definition of the old ones has vanished."""
    return _move(
        record,
        State.PENDING,
        sources=_PENDING,
        at=at,
        event="review_terms_replaced",
        detail={
            "from_flow_definition_arn": record.terms.flow_definition_arn,
            "to_flow_definition_arn": terms.flow_definition_arn,
            "policy_version": policy_version,
        },
        terms=terms,
        waiting=None,
        due_at=at + LOOK_AGAIN,
    )


def begin_review(record: Record, *, input_content_sha256: str, at: datetime) -> Change:
    """The human loop of this generation exists; `input_content_sha256` is what it must be about."""
    name = loop_name(record.decision_id, generation=record.generation)
    review = Review(
        generation=record.generation,
        loop_name=name,
        flow_definition_arn=record.terms.flow_definition_arn,
        input_content_sha256=input_content_sha256,
        started_at=at,
        end=LoopEnd.OPEN,
        end_code="",
        output=None,
    )
    return _move(
        record,
        State.IN_REVIEW,
        sources=_PENDING,
        at=at,
        event="review_started",
        detail={
            "human_loop": name,
            "flow_definition_arn": review.flow_definition_arn,
            "input_content_sha256": input_content_sha256,
        },
        waiting=None,
        reviews=(*record.reviews, review),
        due_at=at + REVIEW_LOOK_AGAIN,
    )


def decide_by_people(record: Record, *, outcome: Outcome, output: StoredObject, at: datetime) -> Change:
    """The review's answer becomes the outcome."""
    return _move(
        _close(record, end=LoopEnd.ANSWERED, code="", output=output),
        State.FINAL,
        sources=_IN_REVIEW,
        at=at,
        event="decided_by_people",
        detail={
            "label": outcome.label,
            "reason_code": outcome.reason_code,
            "reviewers": [
                {"worker_id": one.worker_id, "sub": one.sub, "issuer": one.issuer}
                for one in outcome.reviewers
            ],
            "output": _object_document(output),
        },
        outcome=outcome,
        due_at=None,
    )


def review_again(record: Record, *, reason: Reason, output: StoredObject | None, at: datetime) -> Change:
    """This generation came to nothing: the next one, or, after the last, escalation."""
    closed = _close(record, end=LoopEnd.UNUSABLE, code=reason.code, output=output)
    if record.generation >= record.terms.max_generations:
        last = Reason("generations_exhausted", {"last": reason.code})
        return escalate(closed, reason=last, output=output, at=at)
    detail = {"reason": reason.document(), "output": _object_document(output)}
    return _pend(
        closed,
        sources=_WITH_PEOPLE,
        generation=record.generation + 1,
        at=at,
        event="review_repeated",
        detail=detail,
    )


def escalate(record: Record, *, reason: Reason, output: StoredObject | None, at: datetime) -> Change:
    """Out of the hands of this review: somebody else must decide."""
    return _move(
        _close(record, end=LoopEnd.UNUSABLE, code=reason.code, output=output),
        State.ESCALATED,
        sources=_WITH_PEOPLE,
        at=at,
        event="escalated",
        detail={"reason": reason.document(), "output": _object_document(output)},
        escalation=reason,
        waiting=None,
        due_at=at,
    )


def keep_late_answer(
    record: Record, *, loop: HumanLoop, generation: int, output: StoredObject, at: datetime
) -> Change:
    """An answer to a review that no longer counts: kept in the audit, never used."""
    known = record.review_of(generation)
    review = Review(
        generation=generation,
        loop_name=loop.name,
        flow_definition_arn=loop.flow_definition_arn,
        input_content_sha256=known.input_content_sha256 if known else "",
        started_at=known.started_at if known else at,
        end=LoopEnd.LATE,
        end_code=known.end_code if known else "",
        output=output,
    )
    others = tuple(one for one in record.reviews if one.generation != generation)
    return _move(
        record,
        record.state,
        sources=_ANY - _RECEIVED,
        at=at,
        event="late_answer_kept",
        detail={
            "human_loop": loop.name,
            "answered_generation": generation,
            "output": _object_document(output),
        },
        reviews=tuple(sorted((*others, review), key=lambda one: one.generation)),
    )


def _pend(
    record: Record,
    *,
    sources: frozenset[State],
    generation: int,
    at: datetime,
    event: str,
    detail: Mapping[str, Any],
) -> Change:
    return _move(
        record,
        State.PENDING,
        sources=sources,
        at=at,
        event=event,
        detail=detail,
        generation=generation,
        waiting=None,
        due_at=at + LOOK_AGAIN,
    )


def _close(record: Record, *, end: LoopEnd, code: str, output: StoredObject | None) -> Record:
    """The record with the review of the current generation ended, unless it was before."""
    reviews = tuple(
        replace(one, end=end, end_code=code, output=output)
        if one.generation == record.generation and one.end is LoopEnd.OPEN
        else one
        for one in record.reviews
    )
    return replace(record, reviews=reviews)


def _move(
    record: Record,
    to: State,
    *,
    sources: frozenset[State],
    at: datetime,
    event: str = "",
    detail: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Change:
    """The change to state `to`, fenced by where the record stood; audited when `event` names it."""
    if record.state not in sources:
        raise ValueError(f"no arrow leads from {record.state} to {to}")
    after = replace(
        record,
        state=to,
        revision=record.revision + 1,
        audit_length=record.audit_length + bool(event),
        updated_at=at,
        **changes,
    )
    entry = AuditEntry(
        decision_id=record.decision_id,
        number=after.audit_length,
        at=at,
        event=event,
        from_state=record.state,
        to_state=to,
        generation=after.generation,
        detail=detail or {},
    )
    loop = LoopEntry(
        loop_name=loop_name(record.decision_id, generation=after.generation),
        decision_id=record.decision_id,
        generation=after.generation,
    )
    return Change(
        record=after,
        fence=Fence(state=record.state, generation=record.generation, revision=record.revision),
        audit=(entry,) if event else (),
        loops=(loop,) if after.generation != record.generation else (),
    )


def _prediction_document(prediction: RecordedPrediction | None) -> dict[str, Any] | None:
    if prediction is None:
        return None
    return {
        "label": prediction.label,
        "confidence": prediction.confidence,
        "model": prediction.model,
        "version": prediction.version,
        "variant": prediction.variant,
        "attempt": prediction.attempt,
    }


def _object_document(stored: StoredObject | None) -> dict[str, str] | None:
    if stored is None:
        return None
    return {
        "bucket": stored.bucket,
        "key": stored.key,
        "version_id": stored.version_id,
        "sha256": stored.sha256,
    }
