"""The decision's state machine: each arrow is a pure function that tells what to write and under which fence.

RECEIVED ──► FINAL(model)
   └──────► PENDING ──► IN_REVIEW ──► FINAL(human)
               │ └──────────┤ └─ failed, expired, unusable: the seat again, generation + 1, at most
               │            │    `max_generations`
               └────────────┴────► ESCALATED ──► FINAL(human)
RECEIVED, PENDING, IN_REVIEW, ESCALATED ──► CANCELLED
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from overread.decisions import news
from overread.decisions.agreement import Agreement, agree
from overread.decisions.record import (
    TERMINAL,
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
    Seat,
    SeatAnswer,
    SignOff,
    State,
    StoredObject,
    Truth,
    Waiting,
)
from overread.decisions.seats import (
    accepted,
    answers_of,
    first_seats,
    flow_definition_of,
    group_of,
    is_of_second_team,
    loop_of,
    queue_move,
    second_team_seats,
    third_seat,
)
from overread.errors import ServiceError
from overread.instants import format_instant
from overread.review.wire import HumanLoop
from overread.routing.policy import ReviewTerms, UseCasePolicy
from overread.routing.prediction import Reason, ReasonCode
from overread.routing.route import Decider, Route

LOOK_AGAIN = timedelta(minutes=1)
"""How long a step may take before somebody looks whether it died."""
QUEUE_LOOK_AGAIN = timedelta(minutes=15)
REVIEW_LOOK_AGAIN_FIRST = timedelta(minutes=5)
REVIEW_LOOK_AGAIN_LONGEST = timedelta(hours=1)
BACKOFF_FIRST_S = 15.0
BACKOFF_LONGEST_S = 900.0
SAME_REVIEWER = "same_reviewer"
SAME_REVIEWER_AT_MOST = 2
"""How often a seat is opened again because its answer was a person's who may not give it twice."""

_NO_LIMIT = 1_000_000_000

_RECEIVED = frozenset({State.RECEIVED})
_PENDING = frozenset({State.PENDING})
_ESCALATED = frozenset({State.ESCALATED})
_WITH_PEOPLE = frozenset({State.PENDING, State.IN_REVIEW})
_UNDECIDED = _WITH_PEOPLE | _ESCALATED
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
    detail = _routing_detail(routed)
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
    change = _move(
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
        detail={**_routing_detail(fresh), "supersedes": old.decision_id},
    )
    return replace(change, fence=None)


def note_contest(record: Record, *, contested_by: str, by: str, at: datetime) -> Change:
    """The final record's word that another decision supersedes it."""
    return _move(
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
    return _move(
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
    return _move(
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
    return _move(record, State.PENDING, sources=_PENDING, at=at, is_admitted=True)


def await_place(record: Record, *, at: datetime) -> Change:
    """No place in the queue: it is found there when one is free, and looked at again seldom."""
    due_at = _at_the_latest(record, at + QUEUE_LOOK_AGAIN)
    return _move(record, State.PENDING, sources=_PENDING, at=at, due_at=due_at)


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
    return _move(
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
    return _move(
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
            "statement_sha256": _sha256(record.terms.statement),
        },
        waiting=None,
        reviews=begun.reviews,
        due_at=_at_the_latest(record, at + REVIEW_LOOK_AGAIN_FIRST),
    )


def note_forgotten(record: Record, *, seat: Seat, input_content_sha256: str, at: datetime) -> Change:
    """A loop of the first team that began unnoted; it holds a place in the queue, full or not."""
    change = begin_review(record, seat=seat, input_content_sha256=input_content_sha256, at=at)
    if change.queue is None:
        return change
    return replace(change, queue=replace(change.queue, limit=_NO_LIMIT))


def look_again(record: Record, *, at: datetime) -> Change:
    """Nothing new about the open loops: the next look, the later the longer they have been open."""
    begun = [review.started_at for review in record.open_reviews] or [at]
    wait = min(max((at - max(begun)) / 2, REVIEW_LOOK_AGAIN_FIRST), REVIEW_LOOK_AGAIN_LONGEST)
    if record.state in TERMINAL or record.escalation is not None:
        wait = min(wait, REVIEW_LOOK_AGAIN_FIRST)  # older loops stand in the way of others
    return _move(record, record.state, sources=_ANY, at=at, due_at=_at_the_latest(record, at + wait))


def note_unreadable(record: Record, *, review: Review, at: datetime) -> Change:
    """The review is done, but what it wrote cannot be read yet."""
    noted = replace(review, unreadable_since=review.unreadable_since or at)
    return _move(
        record,
        record.state,
        sources=_ANY,
        at=at,
        reviews=_replaced(record, noted),
        due_at=at + LOOK_AGAIN,
    )


def accept_answer(
    record: Record,
    *,
    review: Review,
    answer: SeatAnswer,
    output: StoredObject,
    roster_sha256: str,
    at: datetime,
) -> Change:
    """The answer of an open review counts: it settles the decision, or others are awaited."""
    answered = replace(review, end=LoopEnd.ANSWERED, answer=answer, output=output)
    closed = replace(record, reviews=_replaced(record, answered))
    detail = _answer_detail(answered, roster_sha256=roster_sha256)
    group = group_of(closed, review.seat)
    answers = answers_of(closed, group)
    if answers is None:
        return _note_answer(closed, before=record, detail=detail, at=at)
    agreement = agree(answers)
    if agreement.label:
        return _decide_by_people(closed, agreement, answers, before=record, detail=detail, at=at)
    is_superseded = record.state is State.ESCALATED and not is_of_second_team(review.seat)
    if is_superseded:
        return _note_answer(closed, before=record, detail=detail, at=at)
    if agreement.needs_another:
        return _ask_another(closed, review.seat, before=record, detail=detail, at=at)
    reason = Reason(agreement.code)
    if is_of_second_team(review.seat):
        return _repeat_escalation(closed, group, reason=reason, before=record, detail=detail, at=at)
    return _escalate(closed, reason=reason, before=record, detail=detail, at=at)


def review_again(
    record: Record, *, seat: Seat, reason: Reason, output: StoredObject | None, at: datetime
) -> Change:
    """The seat's human loop came to nothing: the next generation, or, after the last, escalation.

    One of a decision that does not wait for it any more is only closed.
    """
    review = record.review_of(seat)
    closed = record
    if review is not None:
        ended = replace(review, end=LoopEnd.UNUSABLE, end_code=reason.code, output=output)
        closed = replace(record, reviews=_replaced(record, ended))
    detail = {
        "reason": reason.document(),
        "seat": seat.name,
        "human_loop": loop_of(record, seat),
        "output": _object_document(output),
    }
    if is_of_second_team(seat.name) and record.state is State.ESCALATED:
        return _repeat_escalation(closed, (seat,), reason=reason, before=record, detail=detail, at=at)
    if record.state not in _WITH_PEOPLE:
        return _move(
            closed,
            record.state,
            sources=_ANY - _RECEIVED,
            at=at,
            before=record,
            event="review_closed",
            detail=detail,
            due_at=_due_after_close(closed, at=at),
        )
    last = _last_straw(record, reason)
    if last is not None:
        return _escalate(closed, reason=last, before=record, detail=detail, at=at)
    return _reopen(
        closed, (seat,), to=State.PENDING, before=record, event="review_repeated", detail=detail, at=at
    )


def escalate(record: Record, *, reason: Reason, at: datetime) -> Change:
    """Out of the hands of this team: the second one must decide. Open loops are yet to be stopped."""
    return _escalate(record, reason=reason, before=record, detail={"reason": reason.document()}, at=at)


def keep_late_answer(
    record: Record, *, loop: HumanLoop, entry: LoopEntry, output: StoredObject, at: datetime
) -> Change:
    """An answer to a review that no longer counts: kept in the audit, never used."""
    known = record.review_named(entry.loop_name)
    late = Review(
        seat=entry.seat,
        generation=entry.generation,
        loop_name=loop.name,
        flow_definition_arn=loop.flow_definition_arn,
        input_content_sha256=known.input_content_sha256 if known else "",
        started_at=known.started_at if known else at,
        end=LoopEnd.LATE,
        end_code=known.end_code if known else "",
        output=output,
    )
    closed = replace(record, reviews=_replaced(record, late))
    return _move(
        closed,
        record.state,
        sources=_ANY - _RECEIVED,
        at=at,
        before=record,
        event="late_answer_kept",
        detail={
            "human_loop": loop.name,
            "seat": entry.seat,
            "answered_generation": entry.generation,
            "output": _object_document(output),
        },
        due_at=_due_after_close(closed, at=at),
    )


def _to_people(
    record: Record, *, sources: frozenset[State], at: datetime, event: str, detail: Mapping[str, Any]
) -> Change:
    readers = 2 if record.terms.two_person or (record.route and record.route.readers == 2) else 1
    return _move(
        record,
        State.PENDING,
        sources=sources,
        at=at,
        event=event,
        detail=detail,
        generation=1,
        seats=first_seats(readers, generation=1),
        waiting=None,
        due_at=_at_the_latest(record, at + LOOK_AGAIN),
    )


def _note_answer(record: Record, *, before: Record, detail: Mapping[str, Any], at: datetime) -> Change:
    return _move(
        record,
        record.state,
        sources=_UNDECIDED,
        at=at,
        before=before,
        event="answer_accepted",
        detail=detail,
        due_at=_due_after_close(record, at=at),
    )


def _decide_by_people(
    record: Record,
    agreement: Agreement,
    answers: list[SeatAnswer],
    *,
    before: Record,
    detail: Mapping[str, Any],
    at: datetime,
) -> Change:
    signed = tuple(
        sign_off
        for answer in answers
        for sign_off in answer.sign_offs
        if answer.label == agreement.label == sign_off.label
    )
    codes = {sign_off.reason_code for sign_off in signed}
    known = [answer.seconds for answer in answers if answer.seconds is not None]
    outcome = Outcome(
        label=agreement.label,
        source=Decider.HUMAN,
        reason_code=codes.pop() if len(codes) == 1 else "",
        decided_at=at,
        seconds=round(sum(known), 3) if known else None,
        sign_offs=signed,
    )
    return _move(
        record,
        State.FINAL,
        sources=_UNDECIDED,
        at=at,
        before=before,
        event="decided_by_people",
        detail={
            **detail,
            "label": outcome.label,
            "reason_code": outcome.reason_code,
            "reviewers": [_sign_off_document(one) for one in outcome.sign_offs],
        },
        tell=news.FINAL,
        outcome=outcome,
        waiting=None,
        is_admitted=False,
        due_at=at if record.open_reviews else None,
    )


def _ask_another(
    record: Record, seat_name: str, *, before: Record, detail: Mapping[str, Any], at: datetime
) -> Change:
    seat = third_seat(seat_name, generation=record.generation)
    is_escalated = record.state is State.ESCALATED
    return _move(
        record,
        State.ESCALATED if is_escalated else State.PENDING,
        sources=_UNDECIDED,
        at=at,
        before=before,
        event="readers_disagree",
        detail=detail,
        seats=(*record.seats, seat),
        waiting=None,
        due_at=_at_the_latest(record, at + LOOK_AGAIN),
    )


def _escalate(
    record: Record, *, reason: Reason, before: Record, detail: Mapping[str, Any], at: datetime
) -> Change:
    generation = record.generation + 1
    return _move(
        record,
        State.ESCALATED,
        sources=_WITH_PEOPLE,
        at=at,
        before=before,
        event="escalated",
        detail={**detail, "reason": reason.document()},
        tell=news.ESCALATED,
        escalation=reason,
        generation=generation,
        seats=(*record.seats, *second_team_seats(record, generation=generation)),
        waiting=_until_starters_are_done(record, at=at),
        is_admitted=False,
        due_at=at,
    )


def _until_starters_are_done(record: Record, *, at: datetime) -> Waiting | None:
    """A starter may be about to begin an empty seat of the first team: it lives a minute at most."""
    if not record.empty_seats:
        return None
    return Waiting(code="escalated", attempts=0, next_attempt_at=at + LOOK_AGAIN, is_unknown=False)


def _repeat_escalation(
    record: Record,
    seats: tuple[Seat, ...],
    *,
    reason: Reason,
    before: Record,
    detail: Mapping[str, Any],
    at: datetime,
) -> Change:
    """The second team's loops again, later each time."""
    attempts = sum(1 for review in record.reviews if is_of_second_team(review.seat))
    wait_s = backoff_s(attempts, jitter=1.0)
    waiting = Waiting(
        code=reason.code,
        attempts=attempts,
        next_attempt_at=at + timedelta(seconds=wait_s),
        is_unknown=False,
    )
    return _reopen(
        record,
        seats,
        to=State.ESCALATED,
        before=before,
        event="escalation_repeated",
        detail={**detail, "reason": reason.document()},
        at=at,
        waiting=waiting,
    )


def _reopen(
    record: Record,
    seats: tuple[Seat, ...],
    *,
    to: State,
    before: Record,
    event: str,
    detail: Mapping[str, Any],
    at: datetime,
    waiting: Waiting | None = None,
) -> Change:
    generation = record.generation + 1
    names = {seat.name for seat in seats}
    renewed = tuple(Seat(seat.name, generation) if seat.name in names else seat for seat in record.seats)
    return _move(
        record,
        to,
        sources=_UNDECIDED,
        at=at,
        before=before,
        event=event,
        detail=detail,
        generation=generation,
        seats=renewed,
        waiting=waiting,
        due_at=waiting.next_attempt_at if waiting else _at_the_latest(record, at + LOOK_AGAIN),
    )


def _last_straw(record: Record, reason: Reason) -> Reason | None:
    """Why the review is given up now, None when it goes on."""
    if reason.code == SAME_REVIEWER:
        before = sum(1 for review in record.reviews if review.end_code == SAME_REVIEWER)
        if before >= SAME_REVIEWER_AT_MOST:
            return reason
    if record.generation >= record.terms.max_generations:
        return Reason("generations_exhausted", {"last": reason.code})
    return None


def _postpone(
    record: Record, *, code: str, attempts: int, wait_s: float, is_unknown: bool, at: datetime
) -> Change:
    next_attempt_at = at + timedelta(seconds=wait_s)
    waiting = Waiting(code=code, attempts=attempts, next_attempt_at=next_attempt_at, is_unknown=is_unknown)
    return _move(
        record,
        record.state,
        sources=_PENDING | _ESCALATED,
        at=at,
        waiting=waiting,
        due_at=_at_the_latest(record, next_attempt_at) if record.state is State.PENDING else next_attempt_at,
    )


def _at_the_latest(record: Record, due_at: datetime) -> datetime:
    """Not after the deadline, which somebody has to notice."""
    if record.deadline is None or record.escalation is not None or record.state in TERMINAL:
        return due_at
    return min(due_at, record.deadline)


def _due_after_close(record: Record, *, at: datetime) -> datetime | None:
    """When to look again after one of the record's loops has ended."""
    if record.state in TERMINAL:
        return at + LOOK_AGAIN if record.open_reviews else None
    if record.state is State.ESCALATED:
        return at
    return record.due_at


def _replaced(record: Record, review: Review) -> tuple[Review, ...]:
    """The reviews with this one in place of the one of its name."""
    others = [one for one in record.reviews if one.loop_name != review.loop_name]
    return tuple(sorted((*others, review), key=lambda one: (one.generation, one.seat)))


def _move(
    record: Record,
    to: State,
    *,
    sources: frozenset[State],
    at: datetime,
    before: Record | None = None,
    event: str = "",
    detail: Mapping[str, Any] | None = None,
    tell: str = "",
    **changes: Any,
) -> Change:
    """The change to state `to`, fenced by where the record stood; audited when `event` names it.

    `before`: the record as stored, where `record` has been changed already. `tell`: the news of it.
    """
    if record.state not in sources:
        raise ValueError(f"no arrow leads from {record.state} to {to}")
    before = before or record
    after = replace(
        record,
        state=to,
        revision=before.revision + 1,
        audit_length=before.audit_length + bool(event),
        updated_at=at,
        **changes,
    )
    entry = AuditEntry(
        decision_id=after.decision_id,
        number=after.audit_length,
        at=at,
        event=event,
        from_state=before.state,
        to_state=to,
        generation=after.generation,
        detail=detail or {},
    )
    return Change(
        record=after,
        fence=Fence(state=before.state, generation=before.generation, revision=before.revision),
        audit=(entry,) if event else (),
        loops=_new_loops(before, after),
        outbox=news.news_of(after, tell, at=at) if tell else (),
        queue=queue_move(before, after),
    )


def _new_loops(before: Record, after: Record) -> tuple[LoopEntry, ...]:
    known = set(before.seats)
    return tuple(
        LoopEntry(
            loop_name=loop_of(after, seat),
            decision_id=after.decision_id,
            generation=seat.generation,
            seat=seat.name,
        )
        for seat in after.seats
        if seat not in known
    )


def _routing_detail(record: Record) -> dict[str, Any]:
    route, terms = record.route, record.terms
    return {
        "use_case": record.use_case,
        "caller_scope": record.caller_scope,
        "input_sha256": record.input.sha256,
        "input_version": record.input.version_id,
        "policy_version": record.policy.version,
        "mode": str(record.policy.mode),
        "flow_definition_arn": terms.flow_definition_arn,
        "task_ui_sha256": terms.task_ui_sha256,
        "blind": terms.blind,
        "attempts": record.attempts,
        "prediction": _prediction_document(record.prediction),
        "route": {"to": str(route.to), "reasons": [reason.document() for reason in route.reasons]}
        if route
        else None,
        "is_spot_check": route.is_spot_check if route else False,
        "spot_check_probability": route.spot_check_probability if route else 0.0,
    }


def _answer_detail(review: Review, *, roster_sha256: str) -> dict[str, Any]:
    answer = review.answer
    return {
        "human_loop": review.loop_name,
        "seat": review.seat,
        "output": _object_document(review.output),
        "answers": [_sign_off_document(one) for one in answer.sign_offs] if answer else [],
        "no_label_code": answer.no_label_code if answer else "",
        "seconds": answer.seconds if answer else None,
        "roster_sha256": roster_sha256,
    }


def _sign_off_document(sign_off: SignOff) -> dict[str, Any]:
    reviewer = sign_off.reviewer
    return {
        "worker_id": reviewer.worker_id,
        "sub": reviewer.sub,
        "issuer": reviewer.issuer,
        "label": sign_off.label,
        "reason_code": sign_off.reason_code,
        "statement_sha256": _sha256(sign_off.statement),
        "accepted_at": sign_off.accepted_at,
        "submitted_at": sign_off.submitted_at,
        "seconds": sign_off.seconds,
    }


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


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
