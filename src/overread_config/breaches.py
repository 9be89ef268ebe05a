"""How rules between settings word what breaks them."""

from __future__ import annotations

from overread_config.faults import FaultList
from overread_config.sections import Branch


def refuse(branch: Branch, key: str, *, faults: FaultList, problem: str, allowed: str) -> None:
    """Note that a key may not be what it is, or may not be missing."""
    value = branch.get(key)
    faults.add(
        line=branch.line_of(key),
        field=f"{branch.field}.{key}" if branch.field else key,
        problem=problem,
        value=_worded(value),
        allowed=allowed,
    )


def _worded(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Branch):
        return "a section"
    return repr(value) if isinstance(value, (str, int, float)) else str(value)


def refuse_given(branch: Branch, *keys: str, faults: FaultList, where: str) -> None:
    """Refuse keys that would be ignored here, unless they have a fault already."""
    for key in keys:
        if branch.gives(key) and key in branch.values:
            refuse(branch, key, faults=faults, problem=f"has no meaning {where}", allowed="leave it out")


def require(branch: Branch, *keys: str, faults: FaultList, where: str, allowed: str) -> None:
    """Note keys that are needed here and not in the file."""
    for key in keys:
        if not branch.get(key) and not branch.gives(key):
            refuse(branch, key, faults=faults, problem=f"is required {where}", allowed=allowed)
