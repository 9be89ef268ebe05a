"""Every five minutes: measures what no event tells, such as how long the oldest case waits for people.

Environment: OVERREAD_TABLE (decisions), OVERREAD_USE_CASES, OVERREAD_DEPLOYMENT. It reads the table's indexes
`people`, `open` and `outbox`, kill switches and news, and writes nothing but lines of metrics.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Protocol

from overread.errors import MissingSettingsError
from overread_aws.backlog import DynamoDbBacklog, OpenCase
from overread_aws.clients import make_client
from overread_aws.decision_items import WITH_PEOPLE
from overread_lambda.entry import entry
from overread_lambda.metrics import COUNT, NO_UNIT, SECONDS, USE_CASE, Metric, emit

STATE = "State"
SWEEPS_REACH = timedelta(minutes=10)
"""What is due is looked at each minute; what is overdue for longer, nobody is bringing on."""

PENDING_AGE = Metric(
    "OldestPendingAge",
    SECONDS,
    "age of the oldest decision that no human loop was started for yet; 0 for none",
)
WAITING_AGE = Metric(
    "OldestWaitingAge",
    SECONDS,
    "age of the oldest decision whose human loop could not be started; 0 for none",
)
SWITCH = Metric("KillSwitchState", NO_UNIT, "1 while a kill switch keeps the model from deciding, else 0")
OPEN = Metric("OpenDecisions", COUNT, "decisions that wait for people, by state")
UNRECONCILED = Metric(
    "Unreconciled",
    COUNT,
    "decisions with something left to do, overdue for ten minutes: nothing brings them on",
)
OUTBOX_AGE = Metric("OutboxAge", SECONDS, "age of the oldest news that are not delivered; 0 for none")
METRICS = (PENDING_AGE, WAITING_AGE, SWITCH, OPEN, UNRECONCILED, OUTBOX_AGE)


class Backlog(Protocol):
    """What waits, and since when."""

    def with_people(self) -> Iterator[OpenCase]:
        """Every decision that waits for people."""

    def overdue(self, *, since: datetime) -> int:
        """How many decisions were to be looked at by then and were not."""

    def oldest_news(self) -> datetime | None:
        """When the oldest of the news that are not delivered were written."""

    def switched_off(self, use_cases: Iterable[str]) -> frozenset[str]:
        """Those of the use cases whose model must not decide."""


@dataclass(frozen=True, slots=True)
class MeasureSettings:
    """Settings of `measure_operations`."""

    table: str
    use_cases: tuple[str, ...]


def measure_settings(environ: Mapping[str, str]) -> MeasureSettings:
    """The settings of `measure_operations`.

    Raises:
        MissingSettingsError: a variable is missing or empty.
    """
    names = ("OVERREAD_TABLE", "OVERREAD_USE_CASES")
    if missing := [name for name in names if not environ.get(name)]:
        raise MissingSettingsError(missing)
    table, use_cases = (environ[name] for name in names)
    return MeasureSettings(table=table, use_cases=tuple(use_cases.split(",")))


@entry()
def handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """What the schedule calls."""
    return measure(_backlog(), use_cases=_settings().use_cases, clock=_now)


def measure(backlog: Backlog, *, use_cases: Iterable[str], clock: Callable[[], datetime]) -> dict[str, int]:
    """How many decisions wait for people, by state; every figure is written as a metric."""
    at = clock()
    cases = list(backlog.with_people())
    # A use case that the configuration no longer has may still have cases with people.
    named = sorted({*use_cases, *(case.use_case for case in cases)})
    off = backlog.switched_off(named)
    for use_case in named:
        own = [case for case in cases if case.use_case == use_case]
        figures: dict[Metric, float] = {
            PENDING_AGE: _age(_since(own, only=_is_pending), at=at),
            WAITING_AGE: _age(_since(own, only=_cannot_start), at=at),
            SWITCH: int(use_case in off),
        }
        emit(figures, at=at, dimensions={USE_CASE: use_case})
    counts = Counter(str(case.state) for case in cases)
    for state in WITH_PEOPLE:
        emit({OPEN: counts[str(state)]}, at=at, dimensions={STATE: str(state)})
    overdue = backlog.overdue(since=at - SWEEPS_REACH)
    emit({UNRECONCILED: overdue, OUTBOX_AGE: _age(backlog.oldest_news(), at=at)}, at=at)
    return {str(state): counts[str(state)] for state in WITH_PEOPLE}


def _is_pending(case: OpenCase) -> bool:
    return case.state == "PENDING"


def _cannot_start(case: OpenCase) -> bool:
    return case.failed_starts > 0


def _since(cases: Iterable[OpenCase], *, only: Callable[[OpenCase], bool]) -> datetime | None:
    return min((case.received_at for case in cases if only(case)), default=None)


def _age(since: datetime | None, *, at: datetime) -> float:
    """Seconds; another machine's clock may be a little ahead."""
    return 0.0 if since is None else max((at - since).total_seconds(), 0.0)


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _settings() -> MeasureSettings:
    return measure_settings(os.environ)


@cache
def _backlog() -> DynamoDbBacklog:
    return DynamoDbBacklog(make_client("dynamodb", read_timeout_s=10.0), table=_settings().table)
