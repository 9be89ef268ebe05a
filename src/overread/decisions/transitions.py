"""The decision's state machine: each arrow is a pure function that tells what to write and under which fence.

RECEIVED ──► FINAL(model)
   └──────► PENDING ──► IN_REVIEW ──► FINAL(human)
               │ └──────────┤ └─ failed, expired, unusable: the seat again, generation + 1, at most
               │            │    `max_generations`
               └────────────┴────► ESCALATED ──► FINAL(human)
RECEIVED, PENDING, IN_REVIEW, ESCALATED ──► CANCELLED
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from overread.decisions import news
from overread.decisions.audit_details import routing_detail, text_sha256
from overread.decisions.moves import LOOK_AGAIN, at_the_latest, move, replaced
from overread.decisions.record import (
    TERMINAL,
    Change,
    LoopEnd,
    Outcome,
    PolicyPin,
    Record,
    RecordedPrediction,
    Review,
    Seat,
    State,
    Truth,
    Waiting,
)
from overread.decisions.seats import (
    accepted,
    first_seats,
    flow_definition_of,
    loop_of,
)
from overread.errors import ServiceError
from overread.instants import format_instant
from overread.routing.policy import ReviewTerms, UseCasePolicy
from overread.routing.prediction import Reason, ReasonCode
from overread.routing.route import Decider, Route

QUEUE_LOOK_AGAIN = timedelta(minutes=15)
REVIEW_LOOK_AGAIN_FIRST = timedelta(minutes=5)
REVIEW_LOOK_AGAIN_LONGEST = timedelta(hours=1)
BACKOFF_FIRST_S = 15.0
BACKOFF_LONGEST_S = 900.0

_NO_LIMIT = 1_000_000_000

_RECEIVED = frozenset({State.RECEIVED})
_PENDING = frozenset({State.PENDING})
_ESCALATED = frozenset({State.ESCALATED})
_WITH_PEOPLE = frozenset({State.PENDING, State.IN_REVIEW})
_UNDECIDED = _WITH_PEOPLE | _ESCALATED
_ANY = frozenset(State)


def pin(policy: UseCasePolicy) -> PolicyPin:
    """What a record keeps of the policy it was routed by, beside the terms of its review."""
    return PolicyPin(
        version=policy.version,
        mode=policy.mode,
        source=policy.source,
        guarantee=policy.guarantee.id if policy.guarantee else "",
    )


def receive(record: Record) -> Change:
    """Creation: the record must not exist yet."""
    return Change(record=record, fence=None)


def claim_attempt(record: Record, *, policy: UseCasePolicy, at: datetime) -> Change:
    """Another run of a request whose first run never came to an end, by the policy of now."""
    return move(
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
    detail = routing_detail(routed)
    if route.to is Decider.HUMAN and policy.mode != "shadow":
        return _to_people(routed, sources=_RECEIVED, at=at, event="sent_to_people", detail=detail)
    if prediction is None:
        raise ValueError("the model cannot decide without a prediction")
    outcome = Outcome(
        label=prediction.label,
        source=Decider.MODEL,
        reason_code="",
        decided_at=at,
        seconds=None,
        sign_offs=(),
    )
    change = move(
        routed,
        State.FINAL,
        sources=_RECEIVED,
        at=at,
        event="decided_by_model",
        detail={**detail, "label": prediction.label},
        tell=news.FINAL,
        outcome=outcome,
        due_at=None,
    )
    return replace(change, is_automatic=True)


def contest(
    old: Record,
    *,
    decision_id: str,
    request_sha256: str,
    grounds: str,
    policy: UseCasePolicy,
    at: datetime,
) -> Change:
    """Creation of the decision that supersedes a final one: by people, others than before."""
    route = Route(
        to=Decider.HUMAN,
        reasons=(Reason(ReasonCode.CONTESTED, {"supersedes": old.decision_id}),),
        is_spot_check=False,
        spot_check_probability=0.0,
    )
    before = tuple(sign_off.reviewer for answer in accepted(old) for sign_off in answer.sign_offs)
    fresh = Record(
        decision_id=decision_id,
        use_case=old.use_case,
        caller_scope=old.caller_scope,
        request_sha256=request_sha256,
        reference=old.reference,
        priority=old.priority,
        deadline=None,
        input=old.input,
        state=State.RECEIVED,
        generation=0,
        revision=0,
        audit_length=0,
        attempts=0,
        received_at=at,
        updated_at=at,
        due_at=at,
        policy=pin(policy),
        terms=policy.review,
        stated=old.stated,
        prediction=old.prediction,
        route=route,
        separation=old.separation,
        supersedes=old.decision_id,
        grounds=grounds,
        excluded=tuple(dict.fromkeys((*old.excluded, *before))),
    )
    change = _to_people(
        fresh,
        sources=_RECEIVED,
        at=at,
        event="contest_received",
        detail={**routing_detail(fresh), "supersedes": old.decision_id},
    )
    return replace(change, fence=None)


def note_contest(record: Record, *, contested_by: str, by: str, at: datetime) -> Change:
    """The final record's word that another decision supersedes it."""
    return move(
        record,
        State.FINAL,
        sources=frozenset({State.FINAL}),
        at=at,
        event="contested",
        detail={"contested_by": contested_by, "by": by},
        contested_by=contested_by,
    )


def learn_truth(record: Record, *, truth: Truth) -> Change:
    """What turned out to be right, noted on a final decision."""
    return move(
        record,
        State.FINAL,
        sources=frozenset({State.FINAL}),
        at=truth.recorded_at,
        event="truth_recorded",
        detail={
            "label": truth.label,
            "learnt_at": format_instant(truth.learnt_at),
            "recorded_by": truth.recorded_by,
        },
        tell=news.TRUTH,
        truth=truth,
    )


def cancel(record: Record, *, reason: Reason, by: str, at: datetime) -> Change:
    """The end without a decision; loops that are open will be stopped, late answers kept."""
    return move(
        record,
        State.CANCELLED,
        sources=_ANY - TERMINAL,
        at=at,
        event="cancelled",
        detail={"reason": {"code": str(reason.code)}, "by": by},  # what else the caller wrote can be erased
        tell=news.CANCELLED,
        cancellation=reason,
        waiting=None,
        is_admitted=False,
        due_at=at if record.open_reviews else None,
    )


def admit(record: Record, *, at: datetime) -> Change:
    """Places in the team's queue for the human loops to be started."""
    return move(record, State.PENDING, sources=_PENDING, at=at, is_admitted=True)


def await_place(record: Record, *, at: datetime) -> Change:
    """No place in the queue: it is found there when one is free, and looked at again seldom."""
    due_at = at_the_latest(record, at + QUEUE_LOOK_AGAIN)
    return move(record, State.PENDING, sources=_PENDING, at=at, due_at=due_at)


def postpone(record: Record, *, error: ServiceError, is_unknown: bool, at: datetime, jitter: float) -> Change:
    """A start of the human loop that failed: try again later. `jitter` in [0, 1) spreads the attempts."""
    attempts = 1 + (record.waiting.attempts if record.waiting else 0)
    return _postpone(
        record,
        code=error.code,
        attempts=attempts,
        wait_s=backoff_s(attempts, jitter=jitter),
        is_unknown=is_unknown or (record.waiting is not None and record.waiting.is_unknown),
        at=at,
    )


def await_turn(record: Record, *, wait_s: float, at: datetime) -> Change:
    """No start now, because human loops are started at a limited rate."""
    return _postpone(
        record,
        code="StartRateLimited",
        attempts=record.waiting.attempts if record.waiting else 0,
        wait_s=wait_s,
        is_unknown=record.waiting is not None and record.waiting.is_unknown,
        at=at,
    )


def backoff_s(attempts: int, *, jitter: float) -> float:
    """Seconds until the next attempt: doubling from 15 s to 15 min, the upper half drawn by `jitter`."""
    full = min(BACKOFF_LONGEST_S, BACKOFF_FIRST_S * 2.0 ** min(attempts - 1, 16))
    return full * (0.5 + jitter / 2)


def repin(record: Record, *, terms: ReviewTerms, policy_version: str, at: datetime) -> Change:
    """The review's terms replaced, because a flow definition of the old ones is not there.

    The place in the queue stays the one that is held.
    """
    return move(
        record,
        record.state,
        sources=_PENDING | _ESCALATED,
        at=at,
        event="review_terms_replaced",
        detail={
            "from_flow_definition_arn": record.terms.flow_definition_arn,
            "to_flow_definition_arn": terms.flow_definition_arn,
            "policy_version": policy_version,
        },
        terms=replace(terms, queue=record.terms.queue, max_open=record.terms.max_open),
        waiting=None,
        due_at=at + LOOK_AGAIN,
    )


def begin_review(record: Record, *, seat: Seat, input_content_sha256: str, at: datetime) -> Change:
    """The seat's human loop exists; `input_content_sha256` is what it must be about."""
    name = loop_of(record, seat)
    review = Review(
        seat=seat.name,
        generation=seat.generation,
        loop_name=name,
        flow_definition_arn=flow_definition_of(record.terms, seat.name),
        input_content_sha256=input_content_sha256,
        started_at=at,
        end=LoopEnd.OPEN,
        end_code="",
        output=None,
    )
    begun = replace(record, reviews=(*record.reviews, review))
    is_whole = record.state is State.PENDING and not begun.empty_seats
    return move(
        record,
        State.IN_REVIEW if is_whole else record.state,
        sources=_PENDING | _ESCALATED,
        at=at,
        event="review_started",
        detail={
            "human_loop": name,
            "seat": seat.name,
            "flow_definition_arn": review.flow_definition_arn,
            "input_content_sha256": input_content_sha256,
            "statement_sha256": text_sha256(record.terms.statement),
        },
        waiting=None,
        reviews=begun.reviews,
        due_at=at_the_latest(record, at + REVIEW_LOOK_AGAIN_FIRST),
    )


def note_forgotten(record: Record, *, seat: Seat, input_content_sha256: str, at: datetime) -> Change:
    """A loop of the first team that began unnoted; it holds a place in the queue, full or not."""
    change = begin_review(record, seat=seat, input_content_sha256=input_content_sha256, at=at)
    if change.queue is None:
        return change
    return replace(change, queue=replace(change.queue, limit=_NO_LIMIT))


def look_again(record: Record, *, under_way: Collection[str], at: datetime) -> Change:
    """Nothing new about the open loops: the next look, the later the longer they have been open.

    Of loops that are `under_way`, nothing is unreadable (any more).
    """
    begun = [review.started_at for review in record.open_reviews] or [at]
    wait = min(max((at - max(begun)) / 2, REVIEW_LOOK_AGAIN_FIRST), REVIEW_LOOK_AGAIN_LONGEST)
    if record.state in TERMINAL or record.escalation is not None:
        wait = min(wait, REVIEW_LOOK_AGAIN_FIRST)  # older loops stand in the way of others
    reviews = tuple(
        replace(one, unreadable_since=None) if one.loop_name in under_way else one for one in record.reviews
    )
    due_at = at_the_latest(record, at + wait)
    return move(record, record.state, sources=_ANY, at=at, reviews=reviews, due_at=due_at)


def note_unreadable(record: Record, *, review: Review, at: datetime) -> Change:
    """The review is done but what it wrote cannot be read yet, or its loop cannot be found."""
    noted = replace(review, unreadable_since=review.unreadable_since or at)
    return move(
        record,
        record.state,
        sources=_ANY,
        at=at,
        reviews=replaced(record, noted),
        due_at=at + LOOK_AGAIN,
    )


def _to_people(
    record: Record, *, sources: frozenset[State], at: datetime, event: str, detail: Mapping[str, Any]
) -> Change:
    readers = 2 if record.terms.two_person or (record.route and record.route.readers == 2) else 1
    return move(
        record,
        State.PENDING,
        sources=sources,
        at=at,
        event=event,
        detail=detail,
        generation=1,
        seats=first_seats(readers, generation=1),
        waiting=None,
        due_at=at_the_latest(record, at + LOOK_AGAIN),
    )


def _postpone(
    record: Record, *, code: str, attempts: int, wait_s: float, is_unknown: bool, at: datetime
) -> Change:
    next_attempt_at = at + timedelta(seconds=wait_s)
    waiting = Waiting(code=code, attempts=attempts, next_attempt_at=next_attempt_at, is_unknown=is_unknown)
    return move(
        record,
        record.state,
        sources=_PENDING | _ESCALATED,
        at=at,
        waiting=waiting,
        due_at=at_the_latest(record, next_attempt_at) if record.state is State.PENDING else next_attempt_at,
    )
