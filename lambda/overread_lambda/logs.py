"""One JSON line an event on standard output: a constant message, and fields that are listed here.

A field that is not listed is left out, and a value without the form that its field must have shows as
`(masked)`, whoever passes it: what callers send, what people answer and who they are has no form here.
"""

import json
import logging
import os
import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import PurePath
from traceback import extract_tb
from types import TracebackType
from typing import Any, Final

from overread.decisions.ids import is_decision_id
from overread.errors import ServiceError

Form = Callable[[Any], bool]
MASKED: Final = "(masked)"
LIBRARY_MESSAGE: Final = "a library's message"
"""In place of the words of other people's loggers, which may quote anything."""
_OURS = ("overread", "overread_aws", "overread_lambda", "overread_review")
_PLACES = 8
"""So many places of a failure's way are told, the last ones."""


def _text(pattern: str) -> Form:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _each(form: Form) -> Form:
    return lambda value: isinstance(value, list | tuple) and all(form(one) for one in value)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not _is_flag(value)


def _are_counts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(_is_word(name) and _is_count(n) for name, n in value.items())


_is_word = _text(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
"""Of an enumeration of ours, or an error code of AWS's."""
_is_name = _text(r"(?=.{1,63}$)[a-z0-9]+(-+[a-z0-9]+)*")
"""What the deployment's own configuration calls something."""

FIELDS: Final[Mapping[str, Form]] = {
    "anchor": _text(r"anchors/[0-9TZ:.-]{20,32}\.json"),
    "attempt": _is_count,
    "change": _is_word,
    "code": _is_word,
    "copies": _is_count,
    "decision_id": lambda value: isinstance(value, str) and is_decision_id(value),
    "epoch": _is_count,
    "error": _is_word,
    "faults": _is_count,
    # The name of a faulty member is the caller's own word where it is none of these.
    "field": _text(
        r"cursor|deadline|grounds|id|input|is_on|Idempotency-Key|label|learnt_at|limit|name|path|people|"
        r"prediction(\.(label|confidence|model|version))?|priority|reason|reason_code|reference|restart|"
        r"scope|state|use_case|"
    ),
    "flow_definitions": _each(_is_name),
    "has_last_good": _is_flag,
    "human_loop": _text(r"h-[a-z2-7]{26}-g[0-9]{1,6}(-[a-g])?"),
    "is_on": _is_flag,
    "is_proposal": _is_flag,
    "labeling_job": _text(r"(?=.{1,63}$)[a-zA-Z0-9]+(-+[a-zA-Z0-9]+)*"),
    "links": _is_count,
    "loops": _is_count,
    "operation": _is_word,
    "places": _each(_text(r"[a-z_]+\.py:[0-9]+")),
    "problem": _is_name,
    "queue": _is_name,
    "qualification": _is_name,
    "reasons": _each(_is_word),
    "request": _is_word,
    "resource": _text(r"Custom::[A-Za-z]{1,60}"),
    "result": _is_word,
    "results": _are_counts,
    "run": _is_count,
    "scope": _text(r"\*|all|[a-z0-9]+(-+[a-z0-9]+)*"),
    "seq": _is_count,
    "settings": _each(_text(r"[A-Z][A-Z0-9_]{0,63}")),
    "sha256": _text(r"[0-9a-f]{64}|"),
    "shard": _is_name,
    "state": _is_word,
    "status": _is_word,
    "steps": _is_count,
    "target": _is_name,
    "task_ui": _is_name,
    "use_case": _is_name,
    "version": _text(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}"),
    "why": _text(r"[a-z ]{1,40}|[A-Za-z]{1,60}Error"),
}
"""Every field that is ever written, and the form of its value."""


class JsonLines(logging.Handler):
    """Writes each record as one line of JSON; what `extra` carries become fields."""

    def emit(self, record: logging.LogRecord) -> None:
        """Never words that a value was put into: the message is the one in the source."""
        is_ours = record.name.partition(".")[0] in _OURS
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": str(record.msg) if is_ours else LIBRARY_MESSAGE,
        }
        if not is_ours:
            line["logger"] = record.name
        fields = _of_failure(record.exc_info[1]) if record.exc_info else {}
        for name, value in (vars(record) | fields).items():
            if name in FIELDS:
                line[name] = value if FIELDS[name](value) else MASKED
        sys.stdout.write(json.dumps(line) + "\n")


def of_error(error: BaseException) -> dict[str, Any]:
    """What a line tells of an error: its kind and, where a service gave one, its code; never its words."""
    fields: dict[str, Any] = {"error": type(error).__name__}
    if isinstance(error, ServiceError):
        fields |= {"code": error.code, "operation": error.operation}
    return fields


def _of_failure(error: BaseException | None) -> dict[str, Any]:
    """The same for one that was not foreseen, with the way that it came."""
    return {} if error is None else of_error(error) | {"places": _places(error.__traceback__)}


def _places(traceback: TracebackType | None) -> list[str]:
    return [f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in extract_tb(traceback)][-_PLACES:]


def make_logger() -> logging.Logger:
    """The one logger of the functions; the adapters' loggers are its children."""
    logger = logging.getLogger("overread")
    if not logger.handlers:
        logger.addHandler(JsonLines())
        logger.setLevel(logging.INFO)
        logger.propagate = False
    return logger


def take_over() -> None:
    """In a Lambda function every other logger writes such lines too, instead of words of its own."""
    root = logging.getLogger()
    if os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
        root.handlers = [one for one in root.handlers if isinstance(one, JsonLines)] or [JsonLines()]


log = make_logger()
