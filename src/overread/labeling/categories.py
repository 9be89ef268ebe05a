"""The label category configuration: the document that tells a labeling job its labels and instructions.

Images and text have the document of 2018-11-28. Video frames and 3D point clouds have that of 2020-03-01,
which is not built here.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from overread.document_faults import Faults, Section
from overread.labeling.task_types import TaskType

VERSION = "2018-11-28"
SEQUENCE_VERSION = "2020-03-01"
LABEL_LENGTH = 256


@dataclass(frozen=True, slots=True)
class Instructions:
    """What workers read: `short` always in view, `full` on demand (HTML)."""

    short: str
    full: str = ""


@dataclass(frozen=True, slots=True)
class Category:
    """A label; `short_name` is shown by Amazon's UI for named entities only."""

    label: str
    short_name: str = ""


def build(
    categories: Sequence[Category], *, task: TaskType, instructions: Instructions | None = None
) -> dict[str, Any]:
    """The document. Members are in the order of AWS's own samples.

    Raises:
        ValueError: the document would have faults; all of them are named.
    """
    document: dict[str, Any] = {
        "document-version": VERSION,
        "labels": [
            {"label": one.label} | ({"shortDisplayName": one.short_name} if one.short_name else {})
            for one in categories
        ],
    }
    if instructions is not None:
        document["instructions"] = {
            "shortInstruction": instructions.short,
            "fullInstruction": instructions.full,
        }
    faults = check(document, task=task)
    if faults:
        raise ValueError("; ".join(faults))
    return document


def check(document: Any, *, task: TaskType, is_automated: bool = False) -> list[str]:
    """Every fault of a document for a job of this type; `is_automated` with automated data labeling."""
    if task.is_sequence:
        return [f"{task.name} needs the category document of {SEQUENCE_VERSION}, which is not supported"]
    faults = Faults()
    whole = faults.section(
        document,
        "",
        required=("document-version", "labels"),
        optional=("instructions", "auditLabelAttributeName"),
    )
    if isinstance(document, dict):
        if "document-version" in document:
            whole.choice("document-version", (VERSION,))
        _check_labels(document.get("labels"), faults=faults, task=task, is_automated=is_automated)
        _check_instructions(document, faults=faults, task=task)
    return faults.found


def _check_labels(labels: Any, *, faults: Faults, task: TaskType, is_automated: bool) -> None:
    if labels is None:
        return
    if not isinstance(labels, list):
        faults.add("labels", "a list", labels)
        return
    named = [_label(one, path=f"labels[{number}]", faults=faults) for number, one in enumerate(labels)]
    twice = sorted(name for name, count in Counter(named).items() if name and count > 1)
    for name in twice:
        faults.add("labels", "different labels", name)
    most = task.maximum_labels
    if is_automated and task.automated_maximum_labels is not None:
        most = task.automated_maximum_labels
    if len(labels) < task.minimum_labels:
        faults.add("labels", f"at least {task.minimum_labels} for {task.name}", len(labels))
    if most is not None and len(labels) > most:
        faults.add("labels", f"at most {most} for {task.name}", len(labels))


def _label(one: Any, *, path: str, faults: Faults) -> str:
    section: Section = faults.section(one, path, required=("label",), optional=("shortDisplayName",))
    if isinstance(one, dict) and one.get("shortDisplayName") is not None:
        section.text("shortDisplayName", length=LABEL_LENGTH)
    return section.text("label", length=LABEL_LENGTH)


def _check_instructions(document: dict[str, Any], *, faults: Faults, task: TaskType) -> None:
    given = document.get("instructions")
    if given is None:
        if task.ui:
            faults.found.append(f"instructions is missing: Amazon's UI for {task.name} shows them")
        return
    section = faults.section(given, "instructions", optional=("shortInstruction", "fullInstruction"))
    for name in ("shortInstruction", "fullInstruction"):
        if not isinstance(section.get(name, ""), str):
            faults.add(f"instructions.{name}", "a text", section.get(name))
