"""Consensus on the boxes that workers drew, or adjusted."""

from collections.abc import Mapping, Sequence
from typing import Any

from overread.consensus.boxes import Box, vote_boxes
from overread.labeling.consolidation.answers import (
    AnswerError,
    Consolidated,
    RawObject,
    confidence_of,
    element_of,
    label_of,
    number_of,
    valid_objects,
)

_Drawn = tuple[dict[str, Any], list[tuple[str, tuple[float, float, float, float]]]]


def boxes(objects: Sequence[RawObject], *, categories: Sequence[str] = ()) -> list[Consolidated]:
    """The boxes of each image; an image where workers drew nothing has a label without boxes."""
    valid = [
        each
        for each in valid_objects(objects, read=lambda answer: _read(answer, categories=categories))
        if each.answers
    ]
    rows = [
        (f"{place:09}", worker, label, corners)
        for place, each in enumerate(valid)
        for worker, (_, drawn) in each.answers.items()
        for label, corners in drawn
    ]
    seen = [(f"{place:09}", worker) for place, each in enumerate(valid) for worker in each.answers]
    agreed: dict[str, list[Box]] = {}
    if rows:
        found = vote_boxes(*([row[column] for row in rows] for column in range(4)), seen=seen)
        for box in found.boxes:
            agreed.setdefault(box.item, []).append(box)
    made = []
    for place, each in enumerate(valid):
        workers = len(each.answers)
        kept = agreed.get(f"{place:09}", [])
        sizes = [size for size, _ in each.answers.values() if size]
        drew_none = sum(not drawn for _, drawn in each.answers.values()) / workers
        sure = min((box.confidence for box in kept), default=drew_none)
        made.append(
            Consolidated(
                id=each.id,
                label={
                    "image_size": [{**sizes[0], "depth": 3}] if sizes else [],
                    "annotations": [_written(box, workers=workers) for box in kept],
                },
                confidence=confidence_of(sure, workers=workers),
                workers=workers,
                skipped=tuple(each.skipped),
                comments=tuple(each.comments),
            )
        )
    return made


def _read(answer: Mapping[str, Any], *, categories: Sequence[str]) -> _Drawn:
    element = element_of(answer, key="boundingBoxes")
    listed = element["boundingBoxes"]
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise AnswerError("boundingBoxes is no list of boxes")
    drawn = []
    for each in listed:
        left, top, width, height = (
            number_of(each.get(side), name=side) for side in ("left", "top", "width", "height")
        )
        if not (left + width > left and top + height > top):
            raise AnswerError("a box has no area")
        label = label_of(each.get("label"), categories=categories)
        drawn.append((label, (left, top, left + width, top + height)))
    size = element.get("inputImageProperties")
    known = isinstance(size, dict) and all(isinstance(size.get(side), int) for side in ("width", "height"))
    return ({"width": size["width"], "height": size["height"]} if known and size else {}), drawn


def _written(box: Box, *, workers: int) -> dict[str, Any]:
    return {
        "label": box.label,
        "left": round(box.x1),
        "top": round(box.y1),
        "width": max(1, round(box.x2 - box.x1)),
        "height": max(1, round(box.y2 - box.y1)),
        "confidence": round(confidence_of(box.confidence, workers=workers), 6),
    }
