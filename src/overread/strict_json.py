"""JSON as this system accepts and writes it: no NaN, no infinities, no name twice, and one spelling."""

import json
import math
from typing import Any, NoReturn

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

MAX_DEPTH = 64
"""How deep arrays and objects may nest: far below what would break any reader further down."""


def parse_json(text: str | bytes) -> Any:
    """The value that `text` holds.

    Raises:
        ValueError: it is not JSON, is nested too deeply, or holds NaN, an infinity, a number too large for a
            float, a name twice in one object or half of a surrogate pair.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode()
        value = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_finite_float,
            object_pairs_hook=_object_without_duplicates,
        )
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    if "\\u" in text:
        canonical_json(value)
    return value


def canonical_json(value: Any) -> bytes:
    """`value` in the one spelling that is hashed, stored and sent: names sorted, no spaces, UTF-8.

    Raises:
        ValueError: it holds NaN, an infinity or half of a surrogate pair.
    """
    return _CANONICAL.encode(value).encode()


def _is_deeper(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return bool(level)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite_float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits[:40]} is too large")
    return number


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice[:40]!r} stands twice in one object")
    return document
