"""YOLO's detection format: a text file of labels for each picture, and `data.yaml` with the classes.

A line is `class x y width height`: centre and size as shares of the picture. An empty file is a picture
without objects. Trainers take a missing file for the same, so `images.txt`, which data.yaml names, has only
what was labeled; sizes and what is not labeled are in `objects.jsonl`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from overread.labeling.formats.dataset import Dataset, FormatError, Piece, Problem, file_name, shown
from overread.labeling.formats.pictures import (
    CLASS_DIGITS,
    Box,
    Drawn,
    Picture,
    Size,
    checked_box,
    is_number,
    pixels,
)
from overread.labeling.formats.sidecar import OBJECTS, listed_piece

DATA = "data.yaml"


def export(dataset: Dataset[Picture]) -> Iterator[Piece | Problem]:
    """The files of the folder; pictures belong into `images/` under their names."""
    yield Piece(name=DATA, text=_data(dataset.classes))
    yield Piece(name="images.txt", text="")
    yield Piece(name=OBJECTS, text="")
    for line, picture in dataset.objects():
        try:
            name = file_name(picture.uri, prefix=dataset.prefix)
        except FormatError as error:
            yield Problem(str(line), str(error))
            continue
        file = str(PurePosixPath("labels", name).with_suffix(".txt"))
        yield listed_piece(picture, file=file)
        if picture.drawn is not None:
            yield Piece(name="images.txt", text=f"./images/{name}\n")
            yield Piece(name=file, text=_labels(picture.drawn), is_whole=True, line=line)


def drawn(text: str, *, size: Size, classes: Mapping[int, str]) -> Drawn:
    """What a label file says of a picture of this size.

    Raises:
        FormatError: lines are at fault; each reason begins with the line's number.
    """
    boxes, reasons = [], []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            if line.strip():
                boxes.append(checked_box(_box(line.split(), size), size=size, classes=classes))
        except FormatError as error:
            reasons += [f"line {number} {reason}" for reason in error.reasons]
    if reasons:
        raise FormatError(*reasons)
    return Drawn(size, tuple(boxes), classes)


def _data(classes: Mapping[int, str]) -> str:
    """YAML; JSON's strings are YAML's, too."""
    names = "".join(f"  {number}: {json.dumps(classes[number])}\n" for number in sorted(classes))
    return "path: .\ntrain: images.txt\nval: images.txt\nnames:" + (f"\n{names}" if names else " {}\n")


def _labels(drawn: Drawn) -> str:
    size, lines = drawn.size, []
    for box in drawn.boxes:
        x = (box.left + box.width / 2) / size.width
        y = (box.top + box.height / 2) / size.height
        lines.append(f"{box.class_id} {x} {y} {box.width / size.width} {box.height / size.height}\n")
    return "".join(lines)


def _box(fields: list[str], size: Size) -> Box:
    if len(fields) not in (5, 6) or not fields[0].isdecimal() or len(fields[0]) > CLASS_DIGITS:
        raise FormatError(
            f"must be a class, x, y, width, height and perhaps a confidence, got {shown(' '.join(fields))}"
        )
    try:
        numbers = [float(field) for field in fields[1:]]
    except ValueError as error:
        raise FormatError(f"must hold numbers, got {shown(' '.join(fields))}") from error
    if not all(is_number(number) for number in numbers):
        raise FormatError(f"must hold shares of the picture, got {shown(' '.join(fields))}")
    x, y, width, height = numbers[:4]
    return Box(
        int(fields[0]),
        pixels((x - width / 2) * size.width),
        pixels((y - height / 2) * size.height),
        pixels(width * size.width),
        pixels(height * size.height),
        numbers[4] if len(numbers) == 5 else None,
    )
