"""How deep JSON may be nested: whatever is taken must be readable again wherever it is part of something."""

from __future__ import annotations

from typing import Any

MAX_LEVELS = 100
"""Objects and lists in each other; reading and writing JSON gives up at some 900 of them in Python 3.11."""


def is_too_deep(value: Any) -> bool:
    """Whether more than MAX_LEVELS objects and lists lie in each other."""
    inside = [value]
    for _ in range(MAX_LEVELS + 1):
        inside = [child for one in inside for child in _children(one)]
        if not inside:
            return False
    return True


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
