"""Pictures with boxes: read from lines of an augmented manifest and written as such."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from overread.labeling.formats.dataset import FormatError, Stamp, labeled_part, shown
from overread.labeling.label_attributes import METADATA

KIND = "object-detection"
DECIMALS = 6
"""Where a format's own numbers are reckoned back into pixels, they are rounded to so many."""

CLASS_DIGITS = 9
"""What a class id may have at most."""

_SLACK = 0.01
_MOST = 10**7


@dataclass(frozen=True, slots=True)
class Size:
    """Of a picture, in pixels; `depth` in channels."""

    width: int
    height: int
    depth: int = 3


@dataclass(frozen=True, slots=True)
class Box:
    """In pixels from the picture's upper left corner."""

    class_id: int
    left: float
    top: float
    width: float
    height: float
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """What people drew in a picture; no boxes: there is nothing of the kind in it."""

    size: Size
    boxes: tuple[Box, ...] = ()
    classes: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Picture:
    """`drawn` is None where nobody has labeled it, which is not the same as no boxes."""

    uri: str
    drawn: Drawn | None


def picture_of(row: Mapping[str, Any], *, attribute: str) -> Picture:
    """The picture on a line.

    Raises:
        FormatError: the line has no address or its label is no valid set of boxes.
    """
    uri = row.get("source-ref")
    if not isinstance(uri, str):
        raise FormatError("must have source-ref, the address of a picture")
    found = labeled_part(row, attribute=attribute, kind=KIND)
    if found is None:
        return Picture(uri, None)
    label, metadata = found
    if not isinstance(label, dict) or not isinstance(label.get("annotations"), list):
        raise FormatError(f"{attribute}.annotations must be a list of boxes")
    size = size_of(label.get("image_size"), path=f"{attribute}.image_size")
    classes = _classes(metadata.get("class-map", {}), path=f"{attribute}{METADATA}.class-map")
    sure = _confidences(metadata.get("objects"), count=len(label["annotations"]))
    boxes, reasons = [], []
    for place, (one, confidence) in enumerate(zip(label["annotations"], sure, strict=True)):
        try:
            boxes.append(_box(one, confidence=confidence, size=size, classes=classes))
        except FormatError as error:
            reasons += [f"{attribute}.annotations[{place}] {reason}" for reason in error.reasons]
    if reasons:
        raise FormatError(*reasons)
    return Picture(uri, Drawn(size, tuple(boxes), classes))


def row_of(picture: Picture, *, stamp: Stamp) -> dict[str, Any]:
    """The line of an augmented manifest; only the address of a picture that is not labeled.

    A box without a confidence gets 0, as from Ground Truth where one worker labeled.
    """
    drawn = picture.drawn
    if drawn is None:
        return {"source-ref": picture.uri}
    size, used = drawn.size, sorted({box.class_id for box in drawn.boxes})
    boxes = [
        {"class_id": box.class_id, "left": box.left, "top": box.top, "width": box.width, "height": box.height}
        for box in drawn.boxes
    ]
    return {
        "source-ref": picture.uri,
        stamp.attribute: {
            "image_size": [{"width": size.width, "height": size.height, "depth": size.depth}],
            "annotations": boxes,
        },
        stamp.attribute + METADATA: {
            "objects": [{"confidence": box.confidence or 0} for box in drawn.boxes],
            "class-map": {str(number): drawn.classes[number] for number in used},
            **stamp.metadata(KIND),
        },
    }


def size_of(value: Any, *, path: str) -> Size:
    """A size as manifests say it: a list of one object.

    Raises:
        FormatError: it is none.
    """
    one = value[0] if isinstance(value, list) and len(value) == 1 else None
    if isinstance(one, dict):
        sides = [one.get("width"), one.get("height"), one.get("depth", 3)]
        whole = [side for side in sides if is_side(side)]
        if len(whole) == len(sides):
            return Size(*whole)
    raise FormatError(f"{path} must be a list of one width, height and depth, got {shown(value)}")


def checked_box(box: Box, *, size: Size, classes: Mapping[int, str]) -> Box:
    """The box, if it lies in the picture and its class has a name.

    Raises:
        FormatError: it does not.
    """
    reasons = []
    if box.class_id not in classes:
        reasons.append(f"is of class {box.class_id}, which has no name")
    if not (
        box.width > 0
        and box.height > 0
        and box.left >= -_SLACK
        and box.top >= -_SLACK
        and box.left + box.width <= size.width + _SLACK
        and box.top + box.height <= size.height + _SLACK
    ):
        reasons.append(
            f"must have an area within {size.width} x {size.height}, got "
            f"left {box.left}, top {box.top}, width {box.width}, height {box.height}"
        )
    if reasons:
        raise FormatError(*reasons)
    return box


def pixels(value: float) -> float:
    """A reckoned number of pixels; an int where it is whole."""
    rounded = round(value, DECIMALS)
    return int(rounded) if rounded == int(rounded) else rounded


def is_number(value: object) -> TypeGuard[float]:
    """Whether a JSON value is a number that pixels can be reckoned with."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MOST


def is_side(value: object) -> TypeGuard[int]:
    """Whether a JSON value is a number of pixels or channels that a picture can have."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST


def _box(one: Any, *, confidence: float | None, size: Size, classes: Mapping[int, str]) -> Box:
    if not isinstance(one, dict):
        raise FormatError(f"must be an object, got {shown(one)}")
    number = one.get("class_id", one.get("class-id"))
    sides = [one.get(side) for side in ("left", "top", "width", "height")]
    numbers = [side for side in sides if is_number(side)]
    if len(numbers) != len(sides) or not _is_class_id(number):
        raise FormatError(f"must have class_id, left, top, width and height as numbers, got {shown(one)}")
    left, top, width, height = numbers
    box = Box(int(number), left, top, width, height, confidence)
    return checked_box(box, size=size, classes=classes)


def _is_class_id(value: object) -> TypeGuard[int | str]:
    if isinstance(value, str):  # Ground Truth writes 0 and "0"
        return value.isascii() and value.isdecimal() and len(value) <= CLASS_DIGITS
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**CLASS_DIGITS


def _classes(value: Any, *, path: str) -> dict[int, str]:
    if not isinstance(value, dict) or not all(
        _is_class_id(key) and isinstance(name, str) and name for key, name in value.items()
    ):
        raise FormatError(f"{path} must be names by class id, got {shown(value)}")
    return {int(key): name for key, name in value.items()}


def _confidences(value: Any, *, count: int) -> list[float | None]:
    given = value if isinstance(value, list) else []
    found = [one.get("confidence") if isinstance(one, dict) else None for one in given[:count]]
    sure = [each if is_number(each) else None for each in found]
    return sure + [None] * (count - len(sure))
