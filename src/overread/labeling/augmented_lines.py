"""A line of an output manifest: the input line, the label and its metadata, as Ground Truth writes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from overread.labeling.consolidation.answers import Consolidated
from overread.labeling.task_types import Purpose, TaskType

_JOB = "labeling-job/"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabeledBy:
    """What made a label. `categories` in their order: the place of a label is its class id."""

    task: TaskType
    job: str
    attribute: str
    categories: tuple[str, ...]
    created: datetime
    is_human: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMetadata:
    """What every label's metadata says, whichever spelling; `job` without `labeling-job/`."""

    job: str
    type: str
    is_human: bool
    created: str


def augmented(
    row: Mapping[str, Any], *, label: Consolidated, by: LabeledBy, image: str = "", is_adjusted: bool = False
) -> dict[str, Any]:
    """The output line; `image` is where a mask was stored.

    A label that is none of the categories is refused, since it has no class id.

    Raises:
        ValueError: the label is none of the categories, or the mask has no `image`.
    """
    kind = by.task.output_type
    value, metadata = _value(label, kind=kind, by=by, image=image)
    human = "yes" if by.is_human else "no"
    created = by.created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    if by.task.output_type.endswith("/custom"):
        common = {"type": kind, "job_name": _JOB + by.job, "human-annotated": human, "creation_date": created}
    else:
        common = {"type": kind, "job-name": _JOB + by.job, "human-annotated": human, "creation-date": created}
    if by.task.purpose is Purpose.ADJUST:
        common["adjustment-status"] = "adjusted" if is_adjusted else "unadjusted"
    if label.comments:
        metadata["worker-feedback"] = [{"comment": each} for each in label.comments]
    return {**row, by.attribute: value, f"{by.attribute}-metadata": {**metadata, **common}}


def metadata_of(row: Mapping[str, Any], *, attribute: str) -> LabelMetadata | None:
    """The metadata of a label, with hyphens or underscores in its keys; None for an unlabeled object."""
    found = row.get(f"{attribute}-metadata")
    if attribute not in row or not isinstance(found, dict):
        return None
    return LabelMetadata(
        job=str(found.get("job-name", found.get("job_name", ""))).removeprefix(_JOB),
        type=str(found.get("type", "")),
        is_human=found.get("human-annotated") == "yes",
        created=str(found.get("creation-date", found.get("creation_date", ""))),
    )


def _value(label: Consolidated, *, kind: str, by: LabeledBy, image: str) -> tuple[Any, dict[str, Any]]:
    sure = round(label.confidence, 6)
    agreed = label.label
    match kind.partition("/")[2]:
        case "image-classification" | "text-classification" | "label-verification" as name:
            code = _class_id(agreed, by=by)
            written = str(code) if name == "label-verification" else code
            return written, {"class-name": agreed, "confidence": sure}
        case "image-classification-multilabel" | "text-classification-multilabel":
            ids = {_class_id(name, by=by): name for name in agreed}
            return sorted(ids), {
                "class-map": {str(each): ids[each] for each in sorted(ids)},
                "confidence-map": {str(each): agreed[ids[each]] for each in sorted(ids)},
            }
        case "object-detection":
            drawn = agreed["annotations"]
            ids = {_class_id(each["label"], by=by): each["label"] for each in drawn}
            boxes = [
                {"class_id": _class_id(each["label"], by=by)}
                | {side: each[side] for side in ("left", "top", "width", "height")}
                for each in drawn
            ]
            return {"image_size": agreed["image_size"], "annotations": boxes}, {
                "objects": [{"confidence": each["confidence"]} for each in drawn],
                "class-map": {str(each): ids[each] for each in sorted(ids)},
            }
        case "text-span":
            entities = agreed["entities"]
            spans = [{key: each[key] for key in ("label", "startOffset", "endOffset")} for each in entities]
            labels = [{"label": name} for name in by.categories]
            return {"annotations": {"labels": labels, "entities": spans}}, {
                "entities": [{"confidence": each["confidence"]} for each in entities]
            }
        case "semantic-segmentation" if not image:
            raise ValueError("a mask needs the address of its image")
        case "semantic-segmentation":
            colours = {
                code: {**each, "confidence": sure} for code, each in agreed["internal-color-map"].items()
            }
            return image, {"internal-color-map": colours}
    return label.content, {}


def _class_id(name: str, *, by: LabeledBy) -> int:
    if name not in by.categories:
        raise ValueError(f"a label must be one of {', '.join(by.categories)}, got {name!r}")
    return by.categories.index(name)
