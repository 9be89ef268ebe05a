"""The arrows out of a review: answers that settle it, loops that came to nothing, the second team."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from overread.decisions import news
from overread.decisions.agreement import Agreement, agree
from overread.decisions.audit_details import answer_detail, object_document, sign_off_document
from overread.decisions.moves import LOOK_AGAIN, at_the_latest, due_after_close, move, replaced
from overread.decisions.record import (
    Change,
    LoopEnd,
    LoopEntry,
    Outcome,
    Record,
    Review,
    Seat,
    SeatAnswer,
    State,
    StoredObject,
    Waiting,
)
from overread.decisions.seats import (
    answers_of,
    group_of,
    is_of_second_team,
    loop_of,
    second_team_seats,
    third_seat,
)
from overread.decisions.transitions import backoff_s
from overread.review.wire import HumanLoop
from overread.routing.prediction import Reason
from overread.routing.route import Decider

SAME_REVIEWER = "same_reviewer"
SAME_REVIEWER_AT_MOST = 2
"""How often a seat is opened again because its answer was a person's who may not give it twice."""
_PATIENT = 24
_LONGEST_PAUSE_S = 6 * 3600.0
"""A second team's loops that keep failing come seldom after so many: each stays in the record, and DynamoDB
takes no item over 400 KB, not even the one that is final at last."""

_WITH_PEOPLE = frozenset({State.PENDING, State.IN_REVIEW})
_UNDECIDED = _WITH_PEOPLE | {State.ESCALATED}
_SINCE_ROUTED = frozenset(State) - {State.RECEIVED}


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
    closed = replace(record, reviews=replaced(record, answered))
    detail = answer_detail(answered, roster_sha256=roster_sha256)
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
        closed = replace(record, reviews=replaced(record, ended))
    detail = {
        "reason": reason.document(),
        "seat": seat.name,
        "human_loop": loop_of(record, seat),
        "output": object_document(output),
    }
    if is_of_second_team(seat.name) and record.state is State.ESCALATED:
        return _repeat_escalation(closed, (seat,), reason=reason, before=record, detail=detail, at=at)
    if record.state not in _WITH_PEOPLE:
        return move(
            closed,
            record.state,
            sources=_SINCE_ROUTED,
            at=at,
            before=record,
            event="review_closed",
            detail=detail,
            due_at=due_after_close(closed, at=at),
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
    closed = replace(record, reviews=replaced(record, late))
    return move(
        closed,
        record.state,
        sources=_SINCE_ROUTED,
        at=at,
        before=record,
        event="late_answer_kept",
        detail={
            "human_loop": loop.name,
            "seat": entry.seat,
            "answered_generation": entry.generation,
            "output": object_document(output),
        },
        due_at=due_after_close(closed, at=at),
    )


def _note_answer(record: Record, *, before: Record, detail: Mapping[str, Any], at: datetime) -> Change:
    return move(
        record,
        record.state,
        sources=_UNDECIDED,
        at=at,
        before=before,
        event="answer_accepted",
        detail=detail,
        due_at=due_after_close(record, at=at),
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
    return move(
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
            "reviewers": [sign_off_document(one) for one in outcome.sign_offs],
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
    return move(
        record,
        State.ESCALATED if is_escalated else State.PENDING,
        sources=_UNDECIDED,
        at=at,
        before=before,
        event="readers_disagree",
        detail=detail,
        seats=(*record.seats, seat),
        waiting=None,
        due_at=at_the_latest(record, at + LOOK_AGAIN),
    )


def _escalate(
    record: Record, *, reason: Reason, before: Record, detail: Mapping[str, Any], at: datetime
) -> Change:
    generation = record.generation + 1
    return move(
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
    wait_s = min(backoff_s(attempts, jitter=1.0) * max(1.0, attempts / _PATIENT), _LONGEST_PAUSE_S)
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
    return move(
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
        due_at=waiting.next_attempt_at if waiting else at_the_latest(record, at + LOOK_AGAIN),
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
