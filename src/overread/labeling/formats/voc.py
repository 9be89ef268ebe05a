"""Pascal VOC: an XML file for each labeled picture; pixels count from 1 and the last one belongs to the box.

A file without an object is a picture that was labeled and is empty; a picture without a file is not labeled
and stands in `objects.jsonl` only. Class ids are in `classes.json`, since VOC knows names alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from xml.etree import ElementTree

from overread.labeling.formats.dataset import (
    Dataset,
    FormatError,
    Piece,
    Problem,
    address,
    file_name,
    shown,
)
from overread.labeling.formats.pictures import Box, Drawn, Picture, Size, checked_box, is_side, pixels
from overread.labeling.formats.sidecar import CLASSES, OBJECTS, json_line, listed_piece
from overread.labeling.manifest import is_s3_uri

ANNOTATIONS = "Annotations"
_SIDE_DIGITS = 8


def export(dataset: Dataset[Picture]) -> Iterator[Piece | Problem]:
    """The files of the folder."""
    yield Piece(name=CLASSES, text=json_line({str(each): dataset.classes[each] for each in dataset.classes}))
    yield Piece(name=OBJECTS, text="")
    for number, label in sorted(dataset.classes.items()):
        if not label.isprintable():
            yield Problem("", f"class {number} has a name that XML cannot hold: {shown(label)}")
    for line, picture in dataset.objects():
        try:
            name = file_name(picture.uri, prefix=dataset.prefix)
        except FormatError as error:
            yield Problem(str(line), str(error))
            continue
        file = str(PurePosixPath(ANNOTATIONS, name).with_suffix(".xml"))
        yield listed_piece(picture, file=file)
        if picture.drawn is not None:
            text = _xml(picture.uri, name=name, drawn=picture.drawn, classes=dataset.classes)
            yield Piece(name=file, text=text, is_whole=True, line=line)


def picture(text: str, *, prefix: str, classes: Mapping[int, str]) -> Picture:
    """The picture that a file is of; its address is `path` if that is in S3, else `prefix` and `filename`.

    Raises:
        FormatError: the file is at fault, or names a class that is none of `classes`.
    """
    root = _root(text)
    if root.tag != "annotation":
        raise FormatError(f"must hold an annotation, holds {shown(root.tag)}")
    path = root.findtext("path", "")
    uri = path if is_s3_uri(path) else address(root.findtext("filename", ""), prefix=prefix)
    sides = [root.findtext(f"size/{name}", "") for name in ("width", "height")]
    if not all(_is_side(side) for side in sides):
        raise FormatError(f"size must have a width and a height, got {shown(sides)}")
    depth = root.findtext("size/depth", "")
    size = Size(int(sides[0]), int(sides[1]), int(depth) if _is_side(depth) else 3)
    ids = {name: number for number, name in classes.items()}
    boxes, reasons = [], []
    for place, one in enumerate(root.findall("object"), 1):
        try:
            boxes.append(checked_box(_box(one, ids), size=size, classes=classes))
        except FormatError as error:
            reasons += [f"object {place} {reason}" for reason in error.reasons]
    if reasons:
        raise FormatError(*reasons)
    return Picture(uri, Drawn(size, tuple(boxes), classes))


def _is_side(text: str) -> bool:
    return text.isdecimal() and len(text) <= _SIDE_DIGITS and is_side(int(text))


def _root(text: str) -> ElementTree.Element:
    if "<!DOCTYPE" in text:
        raise FormatError("must have no DOCTYPE")
    try:
        return ElementTree.fromstring(text)  # noqa: S314 - without a DOCTYPE there are no entities to expand
    except ElementTree.ParseError as error:
        raise FormatError(f"must be XML: {error}") from error


def _xml(uri: str, *, name: str, drawn: Drawn, classes: Mapping[int, str]) -> str:
    root = ElementTree.Element("annotation")
    _add(root, filename=name, path=uri)
    size = ElementTree.SubElement(root, "size")
    _add(size, width=drawn.size.width, height=drawn.size.height, depth=drawn.size.depth)
    _add(root, segmented=0)
    for box in drawn.boxes:
        one = ElementTree.SubElement(root, "object")
        _add(one, name=classes[box.class_id], pose="Unspecified", truncated=0, difficult=0)
        right, bottom = pixels(box.left + box.width), pixels(box.top + box.height)
        corners = ElementTree.SubElement(one, "bndbox")
        _add(corners, xmin=pixels(box.left + 1), ymin=pixels(box.top + 1), xmax=right, ymax=bottom)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _add(parent: ElementTree.Element, **texts: object) -> None:
    for tag, value in texts.items():
        ElementTree.SubElement(parent, tag).text = str(value)


def _box(one: ElementTree.Element, ids: Mapping[str, int]) -> Box:
    name = one.findtext("name", "")
    if name not in ids:
        raise FormatError(f"is of the class {shown(name)}, which has no id")
    corners = [one.findtext(f"bndbox/{tag}", "") for tag in ("xmin", "ymin", "xmax", "ymax")]
    try:
        left, top, right, bottom = [float(corner) for corner in corners]
        sides = [pixels(each) for each in (left - 1, top - 1, right - left + 1, bottom - top + 1)]
    except (ValueError, OverflowError) as error:
        raise FormatError(f"must have xmin, ymin, xmax and ymax in bndbox, got {shown(corners)}") from error
    return Box(ids[name], *sides)
