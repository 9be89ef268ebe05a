"""Finished lines of the output manifest: what a consolidation function made of an object's answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from overread.labeling.augmented_lines import LabeledBy, augmented
from overread.labeling.consolidation.answers import Consolidated
from overread.labeling.task_types import TaskType
from overread_review.service.labeling.files import Answered

_OWN_MEMBERS = frozenset({"label", "confidence", "workers", "skipped"})
_LONGEST_REASON = 300
NO_ANSWER = "Nobody answered before the task expired"


class ConsolidationError(ValueError):
    """What a consolidation function returned is not what Ground Truth takes; says why."""


def consolidated(made: object) -> dict[str, Mapping[str, Any]]:
    """The content of each object's label by datasetObjectId.

    Raises:
        ConsolidationError: the answer is no list of consolidated annotations.
    """
    if not isinstance(made, list):
        raise ConsolidationError(f"must return a list, returned {type(made).__name__}")
    found: dict[str, Mapping[str, Any]] = {}
    for place, each in enumerate(made):
        annotation = each.get("consolidatedAnnotation") if isinstance(each, dict) else None
        content = annotation.get("content") if isinstance(annotation, dict) else None
        if not isinstance(content, dict) or "datasetObjectId" not in each:
            raise ConsolidationError(
                f"[{place}] must have datasetObjectId and consolidatedAnnotation.content, an object"
            )
        found[str(each["datasetObjectId"])] = content
    return found


def labeled_row(
    answered: Answered,
    content: Mapping[str, Any],
    *,
    task: TaskType,
    attribute: str,
    job: str,
    categories: Sequence[str],
    created: datetime,
) -> dict[str, Any]:
    """The line with its label: of the built-in type where the content is Overread's own, custom otherwise.

    Raises:
        ConsolidationError: no label under the attribute, or one that is none of the categories.
    """
    if attribute not in content:
        raise ConsolidationError(f"content must have {attribute}, has {', '.join(content) or 'nothing'}")
    try:
        row = _with_label(
            answered, content, task=task, attribute=attribute, job=job, categories=categories, created=created
        )
        # What is no JSON or no UTF-8 must not get into the manifest, where it would cost all other labels.
        json.dumps(row, allow_nan=False, ensure_ascii=False).encode()
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise ConsolidationError(f"{type(error).__name__}: {error}"[:_LONGEST_REASON]) from error
    return row


def _with_label(
    answered: Answered,
    content: Mapping[str, Any],
    *,
    task: TaskType,
    attribute: str,
    job: str,
    categories: Sequence[str],
    created: datetime,
) -> dict[str, Any]:
    by = LabeledBy(task=task, job=job, attribute=attribute, categories=tuple(categories), created=created)
    label = content[attribute]
    if not task.is_custom and isinstance(label, dict) and label.keys() >= _OWN_MEMBERS:
        comments = tuple(str(each.get("comment", "")) for each in label.get("worker-feedback", ()))
        own = Consolidated(
            id=answered.id,
            label=label["label"],
            confidence=float(label["confidence"]),
            workers=int(label["workers"]),
            comments=comments,
        )
        return augmented(answered.row, label=own, by=by, image=str(label.get("ref", "")))
    given = content.get(f"{attribute}-metadata", {})
    metadata = {**given, **custom_metadata(task=task, job=job, created=created)}
    return {**answered.row, **content, f"{attribute}-metadata": metadata}


def unconsolidated_row(
    answered: Answered, *, response_uri: str, task: TaskType, attribute: str, job: str, created: datetime
) -> dict[str, Any]:
    """The line of a job without a consolidation function: where the answers are."""
    metadata = custom_metadata(task=task, job=job, created=created) | {"worker-response-ref": response_uri}
    return {**answered.row, attribute: {}, f"{attribute}-metadata": metadata}


def failed_row(
    row: Mapping[str, Any], *, reason: str, attribute: str, job: str, created: datetime
) -> dict[str, Any]:
    """The line of an object without a label: its metadata says why, and a chained job does it again."""
    return {
        **row,
        f"{attribute}-metadata": {
            "failure-reason": reason,
            "job-name": f"labeling-job/{job}",
            "human-annotated": "yes",
            "creation-date": created.strftime("%Y-%m-%dT%H:%M:%S.%f"),
        },
    }


def custom_metadata(*, task: TaskType, job: str, created: datetime) -> dict[str, Any]:
    """What the service itself says of a custom label, underscores and all."""
    return {
        "type": task.output_type if task.is_custom else "groundTruth/custom",
        "job_name": f"labeling-job/{job}",
        "human-annotated": "yes",
        "creation_date": created.strftime("%Y-%m-%dT%H:%M:%S.%f"),
    }
