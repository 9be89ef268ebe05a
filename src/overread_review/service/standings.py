"""What somebody's answers to questions with known answers make of their standing, as pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from overread_review.service.model import Answer, GoldItem, Qualification, Standing

REPEAT_AFTER = timedelta(hours=24)
_SCORED = 100
_ROUNDING = 1e-9


class StandingState(StrEnum):
    """Where a person is with a qualification."""

    NONE = "none"
    IN_TEST = "in-test"
    PASSED = "passed"
    FAILED = "failed"
    EXPIRED = "expired"


def state_of(standing: Standing | None, *, now: datetime) -> StandingState:
    """The state now; a test that may be repeated counts as failed or expired until its first answer."""
    if standing is None:
        return StandingState.NONE
    if is_valid(standing, now=now):
        return StandingState.PASSED
    if standing.test_ended_at is None:
        return StandingState.IN_TEST if standing.test_answers else StandingState.NONE
    return StandingState.FAILED if _failed_last(standing) else StandingState.EXPIRED


def score(standing: Standing) -> float | None:
    """The share of right answers in the last test that ended; None while one goes on."""
    if standing.test_ended_at is None or not standing.test_total:
        return None
    return standing.test_correct / standing.test_total


def is_valid(standing: Standing, *, now: datetime) -> bool:
    """Whether the person passed, not too long ago."""
    return standing.valid_until is not None and now < standing.valid_until


def open_round(standing: Standing, *, now: datetime) -> int | None:
    """The number of the test whose questions the person may answer now; None when there is none for them.

    A failed test may be repeated after REPEAT_AFTER, and one that was passed when it is not valid any more.
    """
    if is_valid(standing, now=now):
        return None
    if standing.test_ended_at is None:
        return standing.test_round
    if _failed_last(standing) and now < standing.test_ended_at + REPEAT_AFTER:
        return None
    return standing.test_round + 1


def repeat_at(standing: Standing, *, now: datetime) -> datetime | None:
    """When the person may try again after a failed test; None when nothing keeps them from it."""
    if standing.test_ended_at is None or open_round(standing, now=now) is not None:
        return None
    return standing.test_ended_at + REPEAT_AFTER if _failed_last(standing) else None


def answers_of_round(standing: Standing, number: int) -> Mapping[str, bool]:
    """What is answered of that test, by item."""
    return standing.test_answers if number == standing.test_round else {}


def is_right(answer: Answer, *, item: GoldItem) -> bool:
    """Whether the answer's choices hold all that are expected; several labels in one are in no order."""
    return all(
        name in answer.choices and _labels(answer.choices[name]) == _labels(expected)
        for name, expected in item.expected.items()
    )


def _labels(choice: str) -> list[str]:
    return sorted(choice.split("|"))


def with_test_answer(
    standing: Standing, *, number: int, item: str, right: bool, qualification: Qualification, at: datetime
) -> Standing:
    """The standing after an answer in the test of that number; unchanged when it cannot count any more."""
    if open_round(standing, now=at) != number or item in answers_of_round(standing, number):
        return standing
    answers = {**answers_of_round(standing, number), item: right}
    begun = replace(
        standing,
        test_round=number,
        test_answers=answers,
        test_correct=sum(answers.values()),
        test_total=len(answers),
        test_ended_at=None,
        asked=_asked(standing, item),
    )
    return ended_test(begun, qualification=qualification, at=at)


def ended_test(standing: Standing, *, qualification: Qualification, at: datetime) -> Standing:
    """The standing with its test passed or failed, when all of its questions are answered."""
    if standing.test_ended_at is not None or standing.test_total < qualification.questions:
        return standing
    ended = replace(standing, test_ended_at=at)
    if standing.test_correct / standing.test_total < qualification.pass_mark - _ROUNDING:
        return replace(ended, failed_at=at)
    return replace(ended, passed_at=at, valid_until=at + timedelta(days=qualification.valid_days))


def with_gold_answer(standing: Standing, *, loop_name: str, item: str, right: bool) -> Standing:
    """The standing after an answer to a question that was mixed in; each loop counts once."""
    if loop_name in standing.scored:
        return standing
    return replace(
        standing,
        gold_correct=standing.gold_correct + right,
        gold_total=standing.gold_total + 1,
        asked=_asked(standing, item),
        scored=(*standing.scored, loop_name)[-_SCORED:],
    )


def asked_last(standing: Standing, item: str) -> int:
    """Sorts items by when the person was asked them last: never, then the longest ago first."""
    return standing.asked.index(item) if item in standing.asked else -1


def _asked(standing: Standing, item: str) -> tuple[str, ...]:
    return (*(other for other in standing.asked if other != item), item)


def _failed_last(standing: Standing) -> bool:
    return standing.failed_at is not None and standing.failed_at == standing.test_ended_at
