"""JSON as this system accepts and writes it: no NaN, no infinities, no name twice, and one spelling."""

import json
import math
from typing import Any, NoReturn


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
        if "\\u" in text:
            canonical_json(value)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return value


def canonical_json(value: Any) -> bytes:
    """`value` in the one spelling that is hashed, stored and sent: names sorted, no spaces, UTF-8.

    Raises:
        ValueError: it holds NaN, an infinity or half of a surrogate pair.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


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
