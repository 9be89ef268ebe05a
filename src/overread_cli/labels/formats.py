"""The formats by name: how each is written, and how its files are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from overread.labeling.formats import coco, conll, huggingface, texts, voc, yolo
from overread.labeling.formats.dataset import ClassTable, FormatError, Problem, Stamp
from overread.labeling.formats.pictures import Picture, picture_of, row_of
from overread.labeling.formats.sidecar import CLASSES, OBJECTS, Listed, classes_of, listed
from overread.labeling.manifest_lines import lines_of
from overread.strict_json import parse_json
from overread_cli.labels.exporting import Exporter
from overread_cli.labels.targets import new_folder, one_file

Rows = Iterator[Mapping[str, Any] | Problem]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an import was asked for; `classes` in the order of their ids, where the source has none."""

    stamp: Stamp
    prefix: str
    classes: tuple[str, ...]
    bare: coco.Bare


def _parse_picture(row: Mapping[str, Any], attribute: str) -> Picture:
    return picture_of(row, attribute=attribute)


def _classes_of_picture(picture: Picture, _: ClassTable) -> Mapping[int, str]:
    return picture.drawn.classes if picture.drawn else {}


def _parse_passage(row: Mapping[str, Any], attribute: str) -> texts.Passage:
    return texts.passage_of(row, attribute=attribute)


def _classes_of_passage(passage: texts.Passage, table: ClassTable) -> Mapping[int, str]:
    """Entities have labels without numbers: they are counted as they come."""
    known = list(table.names.values())
    new = [name for name in (passage.marked.labels if passage.marked else ()) if name not in known]
    return dict(enumerate(new, len(known)))


def _rows(found: Iterable[Picture | Problem], asked: Asked) -> Rows:
    for one in found:
        yield one if isinstance(one, Problem) else row_of(one, stamp=asked.stamp)


def _coco(source: Path, asked: Asked) -> Rows:
    try:
        document = parse_json(source.read_bytes())
    except (OSError, ValueError) as error:
        yield Problem("", f"cannot be read as JSON: {error}")
        return
    yield from _rows(coco.pictures(document, prefix=asked.prefix, bare=asked.bare), asked)


def _yolo(source: Path, asked: Asked) -> Rows:
    try:
        data = yaml.safe_load((source / yolo.DATA).read_text("utf-8"))
        classes = classes_of(data.get("names") if isinstance(data, dict) else None)
    except (OSError, ValueError, yaml.YAMLError) as error:
        yield Problem(yolo.DATA, f"cannot be read: {error}")
        return
    if not (source / OBJECTS).is_file():
        yield Problem(OBJECTS, "is missing: YOLO has no sizes of pictures, a manifest must")
        return

    def labeled(one: Listed) -> Picture:
        if one.file is None or one.size is None:
            return Picture(one.uri, None)
        return Picture(one.uri, yolo.drawn(_text(source, one.file), size=one.size, classes=classes))

    yield from _rows(_of_list(source, labeled), asked)


def _voc(source: Path, asked: Asked) -> Rows:
    classes = _classes(source, asked)
    if isinstance(classes, Problem):
        yield classes
        return

    def labeled(one: Listed) -> Picture:
        if one.file is None:
            return Picture(one.uri, None)
        found = voc.picture(_text(source, one.file), prefix=asked.prefix, classes=classes)
        return Picture(one.uri, found.drawn)

    if (source / OBJECTS).is_file():
        yield from _rows(_of_list(source, labeled), asked)
    else:
        yield from _rows(_foreign_voc(source, prefix=asked.prefix, classes=classes), asked)


def _foreign_voc(source: Path, *, prefix: str, classes: Mapping[int, str]) -> Iterator[Picture | Problem]:
    """Every file of the folder, each of a labeled picture of its own."""
    seen: dict[str, str] = {}
    for path in sorted(source.rglob("*.xml")):
        name = path.relative_to(source).as_posix()
        try:
            found = voc.picture(_text(source, name), prefix=prefix, classes=classes)
            if seen.setdefault(found.uri, name) != name:
                raise FormatError(f"is of the picture of {seen[found.uri]} again")
            yield found
        except FormatError as error:
            yield from (Problem(name, reason) for reason in error.reasons)
    if not seen:
        yield Problem("", "has no file *.xml that could be read")


def _of_list(source: Path, labeled: Callable[[Listed], Picture]) -> Iterator[Picture | Problem]:
    with (source / OBJECTS).open("rb") as stream:
        for one in listed(lines_of(stream)):
            if isinstance(one, Problem):
                yield one
                continue
            try:
                yield labeled(one)
            except FormatError as error:
                yield from (Problem(str(one.file), reason) for reason in error.reasons)


def _text(source: Path, name: str) -> str:
    """The text of a file in the source's folder.

    Raises:
        FormatError: it is not in the folder, or cannot be read.
    """
    path = source / name
    if not path.resolve().is_relative_to(source.resolve()):
        raise FormatError("must be in the folder of the source")
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"cannot be read: {error}") from error


def _huggingface(source: Path, asked: Asked) -> Rows:
    classes = _classes(source, asked)
    if isinstance(classes, Problem):
        yield classes
        return
    try:
        with (source / huggingface.METADATA).open("rb") as stream:
            found = huggingface.pictures(lines_of(stream), prefix=asked.prefix, classes=classes)
            yield from _rows(found, asked)
    except OSError as error:
        yield Problem(huggingface.METADATA, f"cannot be read: {error}")


def _classes(source: Path, asked: Asked) -> dict[int, str] | Problem:
    """Of the folder's `classes.json`, else those that were given."""
    named = source / CLASSES
    try:
        return classes_of(parse_json(named.read_bytes()) if named.is_file() else asked.classes)
    except (OSError, ValueError) as error:
        return Problem(CLASSES, f"cannot be read: {error}")


def _conll(source: Path, asked: Asked) -> Rows:
    folder = source if source.is_dir() else None
    labels = source / conll.LABELS if folder else source
    listing = folder / OBJECTS if folder and (folder / OBJECTS).is_file() else None
    classes = _classes(source, asked)
    if isinstance(classes, Problem):
        yield classes
        return
    try:
        with ExitStack() as opened:
            lines = opened.enter_context(labels.open(encoding="utf-8", newline="\n"))
            objects = lines_of(opened.enter_context(listing.open("rb"))) if listing else None
            place = f"{conll.LABELS}:" if folder else ""
            names = tuple(classes[number] for number in sorted(classes))
            for one in conll.passages(lines, objects, names=names, place=place):
                yield one if isinstance(one, Problem) else texts.row_of(one, stamp=asked.stamp)
    except (OSError, ValueError) as error:
        yield Problem("", f"cannot be read: {error}")


EXPORTERS: Mapping[str, Exporter[Any]] = MappingProxyType(
    {
        "coco": Exporter(_parse_picture, _classes_of_picture, coco.export, one_file),
        "yolo": Exporter(_parse_picture, _classes_of_picture, yolo.export, new_folder),
        "voc": Exporter(_parse_picture, _classes_of_picture, voc.export, new_folder),
        "conll": Exporter(_parse_passage, _classes_of_passage, conll.export, new_folder),
        "huggingface": Exporter(_parse_picture, _classes_of_picture, huggingface.export, new_folder),
    }
)
IMPORTERS: Mapping[str, Callable[[Path, Asked], Rows]] = MappingProxyType(
    {"coco": _coco, "yolo": _yolo, "voc": _voc, "conll": _conll, "huggingface": _huggingface}
)
