"""Requests checked and parsed against botocore's own service models, with messages in AWS's form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import regex

from overread_review.service.errors import RequestInvalidError

_JAVA = {
    r"\uD800\uDC00-\uDBFF\uDFFF": r"\U00010000-\U0010ffff",
    r"\z": r"\Z",
    "${1,": "{1,",
}
"""What Java's patterns say otherwise than `regex`, which knows the rest, such as `\\p{L}`."""

_TYPE_NAMES = {
    "structure": "an object",
    "list": "a list",
    "map": "an object",
    "string": "a string",
    "integer": "an integer",
    "long": "an integer",
    "boolean": "a boolean",
    "float": "a number",
    "double": "a number",
    "timestamp": "a timestamp",
}
_PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
}


def parse_request(shape: Any, raw: Mapping[str, Any]) -> dict[str, Any]:
    """The members of `raw` with timestamps as datetimes; `shape` is botocore's input shape.

    Raises:
        RequestInvalidError: all faults together, each with the value got and what is allowed.
    """
    faults = list(_faults(shape, raw, path=""))
    if faults:
        plural = "" if len(faults) == 1 else "s"
        raise RequestInvalidError(f"{len(faults)} validation error{plural} detected: {'; '.join(faults)}")
    parsed: dict[str, Any] = _parsed(shape, raw)
    return parsed


def _faults(shape: Any, value: Any, *, path: str) -> Iterator[str]:
    kind = shape.type_name
    if not _has_type(kind, value):
        yield f"Value {_shown(value)} at '{path}' must be {_TYPE_NAMES[kind]}"
        return
    if kind == "structure":
        yield from _structure_faults(shape, value, path=path)
    elif kind == "list":
        yield from _size_faults(shape, len(value), shown=value, path=path, what="length")
        for index, item in enumerate(value):
            yield from _faults(shape.member, item, path=f"{path}.{index + 1}.member")
    elif kind == "map":
        yield from _size_faults(shape, len(value), shown=value, path=path, what="length")
        for key, item in value.items():
            yield from _faults(shape.key, key, path=f"{path}.key")
            yield from _faults(shape.value, item, path=f"{path}.{key}")
    elif kind == "string":
        yield from _size_faults(shape, len(value), shown=value, path=path, what="length")
        yield from _text_faults(shape, value, path=path)
    elif kind in {"integer", "long", "float", "double"}:
        yield from _size_faults(shape, value, shown=value, path=path, what="value")


def _structure_faults(shape: Any, value: Mapping[str, Any], *, path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            place = _join(path, name)
            yield f"Value null at '{place}' failed to satisfy constraint: Member must not be null"
    for name, item in value.items():
        if name not in shape.members:
            allowed = ", ".join(shape.members)
            yield f"Unknown member '{name}' at '{path or 'request'}', must be one of: {allowed}"
        elif item is not None:
            yield from _faults(shape.members[name], item, path=_join(path, name))


def _text_faults(shape: Any, value: str, *, path: str) -> Iterator[str]:
    if shape.enum and value not in shape.enum:
        yield (
            f"Value {_shown(value)} at '{path}' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
        )
    if not _is_writable(value):
        yield f"Value at '{path}' holds half of a surrogate pair, which has no UTF-8"
    pattern = shape.metadata.get("pattern")
    if pattern and not _compiled(pattern).fullmatch(value):
        yield (
            f"Value {_shown(value)} at '{path}' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {pattern}"
        )


def _is_writable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _size_faults(shape: Any, size: float, *, shown: object, path: str, what: str) -> Iterator[str]:
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    subject = "Member must have length" if what == "length" else "Member must have value"
    if minimum is not None and size < minimum:
        yield (
            f"Value {_shown(shown)} at '{path}' failed to satisfy constraint: "
            f"{subject} greater than or equal to {minimum}"
        )
    if maximum is not None and size > maximum:
        yield (
            f"Value {_shown(shown)} at '{path}' failed to satisfy constraint: "
            f"{subject} less than or equal to {maximum}"
        )


def _has_type(kind: str, value: Any) -> bool:
    if kind == "timestamp":
        return _moment(value) is not None
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _PYTHON_TYPES.get(kind, str))


def _parsed(shape: Any, value: Any) -> Any:
    if shape.type_name == "structure":
        given = {name: item for name, item in value.items() if item is not None}
        return {name: _parsed(shape.members[name], item) for name, item in given.items()}
    if shape.type_name == "list":
        return [_parsed(shape.member, item) for item in value]
    if shape.type_name == "timestamp":
        return _moment(value)
    return value


def _moment(value: Any) -> datetime | None:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, tz=UTC)
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        return None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> regex.Pattern[str]:
    """The model's pattern, which is written for Java."""
    for java, python in _JAVA.items():
        pattern = pattern.replace(java, python)
    return regex.compile(pattern)


def _join(path: str, name: str) -> str:
    member = name[0].lower() + name[1:]
    return f"{path}.{member}" if path else member


def _shown(value: object) -> str:
    try:
        text = str(value)
    except RecursionError:
        text = "nested too deeply"
    return f"'{text if len(text) <= 120 else text[:117] + '...'}'"
