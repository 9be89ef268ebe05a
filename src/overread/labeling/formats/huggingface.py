"""Hugging Face datasets: an image folder's `metadata.jsonl`, one picture a line, beside the pictures.

`objects.bbox` is `[left, top, width, height]` in pixels. `is_labeled` tells a picture without objects from
one that nobody labeled, since a missing struct and an empty one become the same in some readers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from overread.labeling.formats.dataset import (
    Dataset,
    FormatError,
    Piece,
    Problem,
    address,
    file_name,
    shown,
)
from overread.labeling.formats.pictures import Box, Drawn, Picture, checked_box, is_number, size_of
from overread.labeling.formats.sidecar import CLASSES, json_line
from overread.labeling.manifest import LineError, is_s3_uri, parse_line

METADATA = "metadata.jsonl"


def export(dataset: Dataset[Picture]) -> Iterator[Piece | Problem]:
    """The files of the folder; every line has the same keys, as Arrow wants it."""
    yield Piece(name=CLASSES, text=json_line({str(each): dataset.classes[each] for each in dataset.classes}))
    yield Piece(name=METADATA, text="")
    for line, picture in dataset.objects():
        try:
            name = file_name(picture.uri, prefix=dataset.prefix)
        except FormatError as error:
            yield Problem(str(line), str(error))
            continue
        yield Piece(name=METADATA, text=json_line(_line(picture, name=name)))


def pictures(
    lines: Iterable[bytes], *, prefix: str, classes: Mapping[int, str]
) -> Iterator[Picture | Problem]:
    """The pictures of a `metadata.jsonl`; an address is `source-ref`, else `prefix` and `file_name`.

    Without `is_labeled`, a line whose `objects` are null or absent is not labeled.
    """
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        try:
            found = _picture(parse_line(line), prefix=prefix, classes=classes)
            if seen.setdefault(found.uri, number) != number:
                raise FormatError(f"is the picture of line {seen[found.uri]} again")
            yield found
        except LineError as error:
            yield Problem(f"{METADATA}:{number}", str(error))
        except FormatError as error:
            yield from (Problem(f"{METADATA}:{number}", reason) for reason in error.reasons)


def _line(picture: Picture, *, name: str) -> dict[str, Any]:
    line: dict[str, Any] = {"file_name": name, "source-ref": picture.uri, "is_labeled": False}
    drawn = picture.drawn
    if drawn is None:
        return line | {"width": None, "height": None, "depth": None, "objects": None}
    objects = {
        "bbox": [[box.left, box.top, box.width, box.height] for box in drawn.boxes],
        "categories": [box.class_id for box in drawn.boxes],
        "confidence": [box.confidence for box in drawn.boxes],
    }
    size = {"width": drawn.size.width, "height": drawn.size.height, "depth": drawn.size.depth}
    return line | {"is_labeled": True} | size | {"objects": objects}


def _picture(row: Mapping[str, Any], *, prefix: str, classes: Mapping[int, str]) -> Picture:
    uri, objects = row.get("source-ref"), row.get("objects")
    if not isinstance(uri, str) or not is_s3_uri(uri):
        uri = address(str(row.get("file_name") or ""), prefix=prefix)
    is_labeled = row.get("is_labeled", objects is not None)
    if not isinstance(is_labeled, bool):
        raise FormatError(f"is_labeled must be true or false, got {shown(is_labeled)}")
    if not is_labeled:
        return Picture(uri, None)
    sides = {name: row.get(name) for name in ("width", "height")}
    size = size_of([sides | {"depth": row.get("depth", 3)}], path="width, height and depth")
    boxes, reasons = [], []
    for place, box in enumerate(_boxes(objects)):
        try:
            boxes.append(checked_box(box, size=size, classes=classes))
        except FormatError as error:
            reasons += [f"objects {place} {reason}" for reason in error.reasons]
    if reasons:
        raise FormatError(*reasons)
    return Picture(uri, Drawn(size, tuple(boxes), classes))


def _boxes(objects: Any) -> list[Box]:
    given = objects if isinstance(objects, dict) else {}
    bbox, categories = given.get("bbox"), given.get("categories")
    if not isinstance(bbox, list) or not isinstance(categories, list) or len(bbox) != len(categories):
        raise FormatError(f"objects must have bbox and categories, as many of each, got {shown(objects)}")
    sure = given.get("confidence")
    if not isinstance(sure, list) or len(sure) != len(bbox):
        sure = [None] * len(bbox)
    found, reasons = [], []
    for place, (sides, number, confidence) in enumerate(zip(bbox, categories, sure, strict=True)):
        is_whole = isinstance(sides, list) and len(sides) == 4 and all(is_number(side) for side in sides)
        if not is_whole or type(number) is not int:
            reasons.append(
                f"objects {place} must have [left, top, width, height] and a class id, "
                f"got {shown(sides)} and {shown(number)}"
            )
        else:
            left, top, width, height = sides
            found.append(Box(number, left, top, width, height, confidence if is_number(confidence) else None))
    if reasons:
        raise FormatError(*reasons)
    return found
