"""The edge of every function: what it fails with leaves it as a kind and a code, never in words.

Lambda writes an error's words to the log and the trace, and puts them beside the event into the dead letter;
words of libraries and services quote what they were given.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from overread.errors import MissingSettingsError, OverreadError
from overread_lambda.logs import FIELDS, MASKED, log, of_error, take_over

P = ParamSpec("P")
R = TypeVar("R")


class FunctionFailedError(OverreadError):
    """In place of an error whose words nobody has checked."""


def entry(*tells: type[Exception]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Makes a function what Lambda calls. `tells`: errors of ours that leave it as they are."""

    def guarded(handler: Callable[P, R]) -> Callable[P, R]:
        @wraps(handler)
        def called(*arguments: P.args, **named: P.kwargs) -> R:
            take_over()
            try:
                return handler(*arguments, **named)
            except Exception as error:
                log.exception("function failed")
                if isinstance(error, (MissingSettingsError, *tells)):
                    raise
                # Without its cause: the cause's words would follow.
                raise FunctionFailedError(_said(error)) from None

        return called

    return guarded


def _said(error: Exception) -> str:
    return " ".join(
        value if FIELDS[name](value) else MASKED for name, value in of_error(error).items() if value
    )
