"""Work on many decisions within the time that a function has; one that fails does not keep the others."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Protocol

from overread.decisions.record import State
from overread.errors import OverreadError, ServiceError
from overread_lambda.logs import log, of_error

TIME_TO_LEAVE_MS = 15_000


class Context(Protocol):
    """What the handlers ask of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the function."""


class DueRecords(Protocol):
    """The sweep over what is open."""

    def due(self, state: State, *, until: datetime) -> Iterable[str]:
        """The ids of records in `state` that were to be looked at by `until`."""


def in_time(ids: Iterable[str], *, remaining_ms: Callable[[], int]) -> Iterator[str]:
    """The ids while there is time for another one."""
    for one in ids:
        if remaining_ms() < TIME_TO_LEAVE_MS:
            log.warning("sweep cut short")
            return
        yield one


def counted(
    subjects: Iterable[str],
    work: Callable[[str], object],
    *,
    counts: dict[str, int],
    field: str = "decision_id",
) -> None:
    """Adds up what the work came to; what failed is logged and comes again at the next sweep."""
    for subject in subjects:
        try:
            result = str(work(subject))
        except ServiceError as error:
            log_failure(subject, error, field=field)
            result = "failed"
        counts[result] = counts.get(result, 0) + 1


def log_failure(subject: str, error: OverreadError, *, field: str = "decision_id") -> None:
    """One line about work that comes again; `field` says what the subject is."""
    log.warning("work failed", extra={field: subject, **of_error(error)})
