"""Whether the people who answered were entitled to: other people than before, and by the roster."""

from datetime import datetime

import jmespath

from overread.decisions.record import Record, SeatAnswer, SignOff
from overread.decisions.seats import accepted
from overread.decisions.settling import SAME_REVIEWER
from overread.errors import PoisonedAnswerError, RetryableError
from overread.instants import parse_instant
from overread.review.roster import Roster
from overread.review.wire import ReviewOutput
from overread.routing.prediction import EVALUATION_ERRORS, Reason

_UNKNOWN = ""
"""A conflict key that the case does not tell: nobody knows then that there is no conflict."""


def objection_to(
    answer: SeatAnswer, *, record: Record, output: ReviewOutput, roster: Roster | None
) -> Reason | None:
    """Why the answer must not count, None when it may. `roster` is not looked at where the terms want none.

    Raises:
        RetryableError: the terms want a roster and there is none.
        PoisonedAnswerError: an answer does not say when it was given.
    """
    people = [sign_off.reviewer.person for sign_off in answer.sign_offs]
    if set(people) & {reviewer.person for reviewer in record.excluded}:
        return Reason("excluded_reviewer")
    if set(people) & _readers_before(record):
        return Reason(SAME_REVIEWER)
    if not record.terms.requires_roster:
        return None
    if roster is None:
        raise RetryableError("RosterMissing", operation="Ingest")
    objections = (
        _objection(sign_off, at=at, record=record, output=output, roster=roster)
        for sign_off in answer.sign_offs
        for at in _times(sign_off)
    )
    return next((objection for objection in objections if objection is not None), None)


def _readers_before(record: Record) -> set[tuple[str, ...]]:
    """Everybody who has given an answer to this decision that counts."""
    return {sign_off.reviewer.person for answer in accepted(record) for sign_off in answer.sign_offs}


def _objection(
    sign_off: SignOff, *, at: datetime, record: Record, output: ReviewOutput, roster: Roster
) -> Reason | None:
    terms, facts = record.terms, {"input": output.input_content.get("input")}
    conflict_key = _search(terms.conflict_path, facts)
    return roster.objection(
        sign_off.reviewer,
        use_case=record.use_case,
        at=at,
        amount=_search(terms.authority_path, facts),
        conflict_key=_UNKNOWN if terms.conflict_path and conflict_key is None else conflict_key,
    )


def _times(sign_off: SignOff) -> tuple[datetime, ...]:
    try:
        return tuple(parse_instant(text) for text in (sign_off.accepted_at, sign_off.submitted_at))
    except (ValueError, OverflowError) as error:
        raise PoisonedAnswerError("answer_without_time", type(error).__name__) from error


def _search(path: str, content: object) -> object:
    if not path:
        return None
    try:
        return jmespath.search(path, content)
    except EVALUATION_ERRORS as error:
        raise PoisonedAnswerError("authority_unreadable", type(error).__name__) from error
