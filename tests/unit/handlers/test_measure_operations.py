"""What the measuring function writes, over a backlog that is stated."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from overread.decisions.record import State
from overread.errors import MissingSettingsError
from overread_aws.backlog import OpenCase
from overread_lambda.measure_operations import MeasureSettings, measure, measure_settings

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def case(use_case: str, state: State, *, minutes: int, failed_starts: int = 0) -> OpenCase:
    return OpenCase("d-1", use_case, state, AT - minutes * MINUTE, failed_starts)


@dataclass
class Stated:
    """A backlog as told; `asked` keeps until when what is due counts."""

    cases: tuple[OpenCase, ...] = ()
    news: datetime | None = None
    off: frozenset[str] = frozenset()
    asked: datetime | None = None

    def with_people(self) -> Iterator[OpenCase]:
        return iter(self.cases)

    def overdue(self, *, since: datetime) -> int:
        self.asked = since
        return 3

    def oldest_news(self) -> datetime | None:
        return self.news

    def switched_off(self, use_cases: Iterable[str]) -> frozenset[str]:
        return self.off & set(use_cases)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Measures a backlog and gives the lines that were written."""
    monkeypatch.setenv("OVERREAD_DEPLOYMENT", "overread-test")

    def measured(backlog: Stated) -> list[dict[str, Any]]:
        measure(backlog, use_cases=("loans", "digits"), clock=lambda: AT)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return measured


def of(lines: list[dict[str, Any]], name: str, **dimensions: str) -> list[float]:
    return [
        line[name]
        for line in lines
        if name in line and all(line.get(key) == value for key, value in dimensions.items())
    ]


def test_the_oldest_case_of_each_use_case_is_told(lines: Any) -> None:
    written = lines(
        Stated(
            (
                case("loans", State.PENDING, minutes=5),
                case("loans", State.PENDING, minutes=9),
                case("loans", State.IN_REVIEW, minutes=90),
                case("loans", State.ESCALATED, minutes=7, failed_starts=1),
                case("gone", State.PENDING, minutes=2, failed_starts=4),
            )
        )
    )
    assert of(written, "OldestPendingAge", UseCase="loans") == [540.0]
    assert of(written, "OldestWaitingAge", UseCase="loans") == [420.0]
    assert of(written, "OldestPendingAge", UseCase="digits") == [0.0]
    assert of(written, "OldestWaitingAge", UseCase="gone") == [120.0]


def test_open_decisions_are_counted_by_state(lines: Any) -> None:
    written = lines(
        Stated((case("loans", State.PENDING, minutes=1), case("digits", State.PENDING, minutes=1)))
    )
    counts = {
        state: of(written, "OpenDecisions", State=state) for state in ("PENDING", "IN_REVIEW", "ESCALATED")
    }
    assert counts == {"PENDING": [2], "IN_REVIEW": [0], "ESCALATED": [0]}


def test_overdue_is_what_the_sweeps_had_ten_minutes_for(lines: Any) -> None:
    backlog = Stated()
    assert of(lines(backlog), "Unreconciled") == [3]
    assert backlog.asked == AT - 10 * MINUTE


def test_switches_and_news_are_told_where_there_are_none_too(lines: Any) -> None:
    written = lines(Stated(news=AT - MINUTE, off=frozenset({"digits"})))
    assert of(written, "KillSwitchState", UseCase="digits") == [1]
    assert of(written, "KillSwitchState", UseCase="loans") == [0]
    assert of(written, "OutboxAge") == [60.0]
    assert of(lines(Stated()), "OutboxAge") == [0.0]


def test_a_clock_that_is_behind_makes_no_negative_age(lines: Any) -> None:
    assert of(lines(Stated(news=AT + MINUTE)), "OutboxAge") == [0.0]


def test_all_that_is_missing_is_named() -> None:
    with pytest.raises(MissingSettingsError, match=r"OVERREAD_TABLE.*OVERREAD_USE_CASES"):
        measure_settings({})
    told = measure_settings({"OVERREAD_TABLE": "t", "OVERREAD_USE_CASES": "a,b"})
    assert told == MeasureSettings(table="t", use_cases=("a", "b"))
