"""What Overread's own tasks say in their input beside the case: who must not answer, and what they sign."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

_OWN_MEMBER = "overread"
_OF_OVERREADS_TASK = "decision_id"
_LONGEST_SEPARATION = 256


def own_members(task_input: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where the input speaks to the service: its member `overread`, or all of a task of Overread's own.

    What is absent there or malformed says nothing, so that no payload of A2I is ever refused.
    """
    said = task_input.get(_OWN_MEMBER)
    if isinstance(said, Mapping):
        return said
    return task_input if _OF_OVERREADS_TASK in task_input else {}


def separation_of(task_input: Mapping[str, Any]) -> str:
    """The key that all loops share of which one person may answer one only; empty without one."""
    key = own_members(task_input).get("separation")
    return key if isinstance(key, str) and len(key) <= _LONGEST_SEPARATION else ""


def statement_of(task_input: Mapping[str, Any]) -> str:
    """The words that whoever submits an answer signs with it; empty without any."""
    text = own_members(task_input).get("statement")
    return text if isinstance(text, str) else ""


def statement_sha256(task_input: Mapping[str, Any]) -> str:
    """The hash of those words; empty without any."""
    text = statement_of(task_input)
    return hashlib.sha256(text.encode()).hexdigest() if text else ""
