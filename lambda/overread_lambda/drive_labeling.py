"""Once a minute: brings labeling jobs on as far as they go without people."""

from collections.abc import Callable
from typing import Any, Protocol

from overread_lambda import review_program
from overread_lambda.entry import entry
from overread_lambda.logs import log

TIME_TO_LEAVE_MS = 120_000
"""A step opens or labels a batch, and calls functions of the job that may take their time."""


class Context(Protocol):
    """What the handler asks of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the function."""


@entry()
def handler(event: dict[str, Any], context: Context) -> dict[str, int]:
    """What the schedule calls."""
    drive = review_program.service().labeling.drive
    return drive_all(drive, remaining_ms=context.get_remaining_time_in_millis)


def drive_all(drive: Callable[[], int], *, remaining_ms: Callable[[], int]) -> dict[str, int]:
    """How many steps were done: rounds of all jobs while there is something to do, and time."""
    steps = done = drive()
    while done and remaining_ms() > TIME_TO_LEAVE_MS:
        done = drive()
        steps += done
    if steps:
        log.info("labeling jobs brought on", extra={"steps": steps})
    return {"steps": steps}
