"""The name of a label attribute: the key under which a labeling job writes an object's label."""

import re
from collections.abc import Iterable

from overread.labeling.task_types import Purpose, TaskType

METADATA = "-metadata"
REFERENCE = "-ref"
SOURCES = ("source", "source-ref")
PATTERN = r"[a-zA-Z0-9](-*[a-zA-Z0-9])*"
MAXIMUM = 127


def label_attributes(names: Iterable[str]) -> list[str]:
    """The label attributes among a line's keys: those with `NAME-metadata` beside them, in the line's order.

    `source-ref-metadata` describes the input (3D point clouds), so `source-ref` is none.
    """
    present = set(names)
    return [name for name in names if name not in SOURCES and name + METADATA in present]


def name_faults(name: str, *, task: TaskType, audited: str = "") -> list[str]:
    """What is wrong with `name` for a job of this type; `audited` is the attribute to verify or adjust."""
    faults = []
    if not 1 <= len(name) <= MAXIMUM or not re.fullmatch(PATTERN, name):
        faults.append(
            f"label attribute must be 1 to {MAXIMUM} characters matching {PATTERN}, got {name[:80]!r}"
        )
    if name in SOURCES:
        faults.append(f"label attribute must not be source or source-ref, got {name!r}")
    if name.endswith(METADATA):
        faults.append(f"label attribute must not end in -metadata, got {name!r}")
    if task.is_reference and not name.endswith(REFERENCE):
        faults.append(f"label attribute must end in -ref for {task.name}, got {name!r}")
    if not task.is_reference and name.endswith(REFERENCE) and name not in SOURCES:
        faults.append(f"label attribute must not end in -ref for {task.name}, got {name!r}")
    if task.purpose is not Purpose.LABEL and audited == name:
        faults.append(f"label attribute must differ from the one that is reviewed, got {name!r} for both")
    return faults
