"""How urgent a task is, as its input says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from overread.instants import parse_instant
from overread_review.service.model import Priority
from overread_review.service.own_members import own_members


def urgency_of(task_input: Mapping[str, Any]) -> tuple[Priority, datetime | None]:
    """Priority and deadline of a task, from its input's member `overread`; Overread's own tasks need none.

    What is absent or malformed is normal and without a deadline, so that no payload of A2I is ever refused.
    """
    said = own_members(task_input)
    return _priority(said.get("priority")), _deadline(said.get("deadline"))


def _priority(text: object) -> Priority:
    try:
        return Priority(str(text))
    except ValueError:
        return Priority.NORMAL


def _deadline(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        return parse_instant(text)
    except (ValueError, OverflowError):
        return None
