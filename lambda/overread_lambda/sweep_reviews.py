"""Once a minute: ends what time has ended, and hands over events that could not be handed over before."""

from collections.abc import Callable
from typing import Any, Protocol

from overread_lambda import review_program
from overread_lambda.entry import entry
from overread_lambda.logs import log

TIME_TO_LEAVE_MS = 20_000


class Context(Protocol):
    """What the handler asks of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the function."""


@entry()
def handler(event: dict[str, Any], context: Context) -> dict[str, int]:
    """What the schedule calls."""
    sweep = review_program.service().loops.sweep
    return sweep_all(sweep, remaining_ms=context.get_remaining_time_in_millis)


def sweep_all(sweep: Callable[[], int], *, remaining_ms: Callable[[], int]) -> dict[str, int]:
    """How many loops were looked at: one batch after another while they are full and time is left.

    A batch that is smaller than the one before was the last, or holds only what cannot be ended now.
    """
    looked_at = batch = sweep()
    while batch and remaining_ms() > TIME_TO_LEAVE_MS:
        following = sweep()
        looked_at += following
        if following < batch:
            break
        batch = following
    if looked_at:
        log.info("human loops swept", extra={"loops": looked_at})
    return {"loops": looked_at}
