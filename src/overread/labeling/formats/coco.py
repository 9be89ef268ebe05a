"""COCO's detection format: one JSON document with `images`, `annotations` and `categories`.

An image without annotations is labeled and empty. Images that are not labeled stand apart in `unlabeled`,
which readers of COCO ignore.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, TypeGuard

from overread.labeling.formats.dataset import (
    Dataset,
    FormatError,
    Piece,
    Problem,
    address,
    file_name,
    shown,
)
from overread.labeling.formats.pictures import Box, Drawn, Picture, Size, checked_box, is_number, is_side
from overread.labeling.manifest import is_s3_uri

UNLABELED = "unlabeled"


class Bare(StrEnum):
    """What an image without annotations is, in a document that does not say."""

    REFUSE = "refuse"
    EMPTY = "empty"
    UNLABELED = "unlabeled"


def export(dataset: Dataset[Picture]) -> Iterator[Piece | Problem]:
    """The document, part by part; the objects are gone through three times. Class ids become category ids."""
    about = {"description": dataset.attribute}
    yield Piece(text=f'{{"info":{_text(about)},"licenses":[],\n"images":[')
    lines: list[tuple[str, Iterator[Mapping[str, Any] | Problem]]] = [
        ('],\n"annotations":[', _images(dataset)),
        (f'],\n"{UNLABELED}":[', _annotations(dataset)),
        ('],\n"categories":[', _unlabeled(dataset)),
        ("]}\n", ({"id": each, "name": dataset.classes[each]} for each in sorted(dataset.classes))),
    ]
    for after, entries in lines:
        between = "\n"
        for entry in entries:
            if isinstance(entry, Problem):
                yield entry
            else:
                yield Piece(text=between + _text(entry))
                between = ",\n"
        yield Piece(text=after)


def pictures(document: Any, *, prefix: str, bare: Bare = Bare.REFUSE) -> Iterator[Picture | Problem]:
    """The pictures of a document that `json` has read, or what is wrong with it.

    An image's address is its `coco_url` if that is in S3, else `prefix` and its `file_name`. A document with
    `unlabeled` says which images are not labeled; for others, `bare` does.
    """
    if not isinstance(document, dict):
        yield Problem("", f"must be a JSON object, got {shown(document)}")
        return
    lists = {name: document.get(name) for name in ("images", "annotations", "categories")}
    lists[UNLABELED] = document.get(UNLABELED, [])
    missing = [name for name, value in lists.items() if not isinstance(value, list)]
    if missing:
        yield from (Problem(name, f"must be a list, got {shown(lists[name])}") for name in missing)
        return
    problems: list[Problem] = []
    classes = _categories(lists["categories"] or [], problems)
    images = _sizes(lists["images"] or [], prefix, problems)
    boxes = _boxes(lists["annotations"] or [], images, classes, problems)
    seen: dict[str, str] = {}
    for place, one in enumerate(lists[UNLABELED] or []):
        _place(one, f"{UNLABELED}[{place}]", prefix, seen, problems)
    for where, uri, _ in images.values():
        if seen.setdefault(uri, where) != where:
            problems.append(Problem(where, f"is the picture of {seen[uri]} again"))
    if bare is Bare.REFUSE and UNLABELED not in document:
        problems += [
            Problem(
                where, "has no annotations: say with --without-annotations whether it is empty or unlabeled"
            )
            for number, (where, _, _) in images.items()
            if number not in boxes
        ]
    if problems:
        yield from problems
        return
    for number, (_, uri, size) in images.items():
        is_labeled = number in boxes or UNLABELED in document or bare is Bare.EMPTY
        yield Picture(uri, Drawn(size, tuple(boxes.get(number, ())), classes) if is_labeled else None)
    yield from (Picture(uri, None) for uri, where in seen.items() if where.startswith(UNLABELED))


def _images(dataset: Dataset[Picture]) -> Iterator[Mapping[str, Any] | Problem]:
    for line, picture in dataset.objects():
        if picture.drawn is None:
            continue
        try:
            size = picture.drawn.size
            yield {
                "id": line,
                "file_name": file_name(picture.uri, prefix=dataset.prefix),
                "coco_url": picture.uri,
                "width": size.width,
                "height": size.height,
                "depth": size.depth,
            }
        except FormatError as error:
            yield from (Problem(str(line), reason) for reason in error.reasons)


def _annotations(dataset: Dataset[Picture]) -> Iterator[Mapping[str, Any]]:
    number = 0
    for line, picture in dataset.objects():
        for box in picture.drawn.boxes if picture.drawn else ():
            number += 1
            yield {
                "id": number,
                "image_id": line,
                "category_id": box.class_id,
                "bbox": [box.left, box.top, box.width, box.height],
                "area": box.width * box.height,
                "segmentation": [],
                "iscrowd": 0,
            } | ({} if box.confidence is None else {"score": box.confidence})


def _unlabeled(dataset: Dataset[Picture]) -> Iterator[Mapping[str, Any] | Problem]:
    for line, picture in dataset.objects():
        if picture.drawn is None:
            try:
                name = file_name(picture.uri, prefix=dataset.prefix)
                yield {"file_name": name, "coco_url": picture.uri}
            except FormatError as error:
                yield from (Problem(str(line), reason) for reason in error.reasons)


def _categories(entries: Iterable[Any], problems: list[Problem]) -> dict[int, str]:
    classes: dict[int, str] = {}
    for place, one in enumerate(entries):
        number, name = (one.get("id"), one.get("name")) if isinstance(one, dict) else (None, None)
        if not _is_id(number) or number < 0 or not isinstance(name, str) or not name:
            problems.append(Problem(f"categories[{place}]", f"must have an id and a name, got {shown(one)}"))
        elif number in classes or name in classes.values():
            problems.append(Problem(f"categories[{place}]", f"has the id or name of another: {shown(one)}"))
        else:
            classes[number] = name
    return classes


def _sizes(entries: Iterable[Any], prefix: str, problems: list[Problem]) -> dict[int, tuple[str, str, Size]]:
    """Place, address and size by image id."""
    found: dict[int, tuple[str, str, Size]] = {}
    for place, one in enumerate(entries):
        where = f"images[{place}]"
        number = one.get("id") if isinstance(one, dict) else None
        width, height = (one.get("width"), one.get("height")) if isinstance(one, dict) else (0, 0)
        if not (_is_id(number) and is_side(width) and is_side(height)):
            problems.append(Problem(where, f"must have an id, a width and a height, got {shown(one)}"))
        elif number in found:
            problems.append(Problem(where, f"has the id {number} of {found[number][0]}"))
        elif uri := _place(one, where, prefix, {}, problems):
            depth = one.get("depth", 3)
            found[number] = (where, uri, Size(width, height, depth if is_side(depth) else 3))
    return found


def _place(one: Any, where: str, prefix: str, seen: dict[str, str], problems: list[Problem]) -> str:
    """The address of an entry, noted among the `seen`; "" where there is a problem."""
    url, name = (one.get("coco_url"), one.get("file_name")) if isinstance(one, dict) else (None, None)
    try:
        uri = url if isinstance(url, str) and is_s3_uri(url) else address(str(name or ""), prefix=prefix)
    except FormatError as error:
        problems.append(Problem(where, str(error)))
        return ""
    if uri in seen:
        problems.append(Problem(where, f"is the picture of {seen[uri]} again"))
        return ""
    seen[uri] = where
    return uri


def _boxes(
    entries: Iterable[Any],
    images: Mapping[int, tuple[str, str, Size]],
    classes: Mapping[int, str],
    problems: list[Problem],
) -> dict[int, list[Box]]:
    found: dict[int, list[Box]] = {}
    for place, one in enumerate(entries):
        try:
            image, box = _box(one, images, classes)
        except FormatError as error:
            problems += [Problem(f"annotations[{place}]", reason) for reason in error.reasons]
        else:
            found.setdefault(image, []).append(box)
    return found


def _box(
    one: Any, images: Mapping[int, tuple[str, str, Size]], classes: Mapping[int, str]
) -> tuple[int, Box]:
    if not isinstance(one, dict) or not _is_id(one.get("category_id")):
        raise FormatError(f"must have image_id, category_id and bbox, got {shown(one)}")
    image, bbox = one.get("image_id"), one.get("bbox")
    if not _is_id(image) or image not in images:
        raise FormatError(f"must have the id of an image in image_id, got {shown(image)}")
    if not isinstance(bbox, list) or len(bbox) != 4 or not all(is_number(each) for each in bbox):
        raise FormatError(f"must have bbox as [left, top, width, height], got {shown(bbox)}")
    if one.get("iscrowd"):
        raise FormatError("is a crowd (iscrowd), which a manifest's boxes cannot say")
    score = one.get("score")
    left, top, width, height = bbox
    box = Box(one["category_id"], left, top, width, height, score if is_number(score) else None)
    return image, checked_box(box, size=images[image][2], classes=classes)


def _is_id(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _text(entry: Mapping[str, Any]) -> str:
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
