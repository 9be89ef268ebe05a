"""A worker's task out of a manifest line, for each template of the library.

Most templates read one object as `taskObject`, with labels beside it. Templates of routed decisions and of
Amazon's AI services read the fields of the line themselves, so the line is passed as it is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

_WITH_LABELS = {
    "bounding-box": "labels",
    "image-classification": "labels",
    "image-classification-multi-select": "labels",
    "keypoint": "labels",
    "medical-image-reading": "findings",
    "named-entities": "labels",
    "polygon": "labels",
    "semantic-segmentation": "labels",
    "text-classification": "labels",
    "text-classification-multi-select": "labels",
    "transcription": "",
}
_AS_IT_IS = (
    "digit-reading",
    "document-key-values",
    "fraud-review",
    "image-moderation",
    "loan-approval",
    "pairwise-ranking",
    "tumor-screening",
)
TEMPLATES = (*_WITH_LABELS, *_AS_IT_IS)
"""The templates that a task can be made for."""


class TaskError(ValueError):
    """A line that cannot become a task of the template; its words quote nothing of the line."""


def task_input(
    row: Mapping[str, Any], *, template: str, labels: Sequence[Any] = (), reviewed: str = ""
) -> dict[str, Any]:
    """What `template` reads as `task.input`; a line that has `labels` of its own keeps them.

    `reviewed` is the attribute of an earlier job whose boxes are to be adjusted or verified.

    Raises:
        TaskError: no such template, no source in the line, or no boxes under `reviewed`.
    """
    if template not in TEMPLATES:
        raise TaskError(f"template must be one of {', '.join(sorted(TEMPLATES))}, got {template!r}")
    if template in _AS_IT_IS:
        return dict(row)
    source = row.get("source-ref", row.get("source"))
    if not isinstance(source, str) or not source:
        raise TaskError("the data object must have source-ref or source, a text")
    made = {**row, "taskObject": source}
    if key := _WITH_LABELS[template]:
        made.setdefault(key, list(labels))
    if reviewed:
        made["boxes"] = _boxes(row, reviewed=reviewed)
    return made


def _boxes(row: Mapping[str, Any], *, reviewed: str) -> list[dict[str, Any]]:
    try:
        names = row[f"{reviewed}-metadata"]["class-map"]
        return [
            {
                "label": names[str(each["class_id"])],
                **{side: each[side] for side in ("left", "top", "width", "height")},
            }
            for each in row[reviewed]["annotations"]
        ]
    except (KeyError, TypeError) as error:
        raise TaskError(f"{reviewed} must hold the boxes of an earlier job, with its class-map") from error
