"""What every format is written from and read into, and how its problems are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from overread.labeling.label_attributes import METADATA
from overread.labeling.manifest import is_s3_uri

Labeled = TypeVar("Labeled")
"""What a format takes of a line: a picture with its boxes, or a text with its spans."""


class FormatError(ValueError):
    """An object that a format cannot say or hold; `reasons` are all that is wrong with it."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and where: a line counted from 1, or a path in the document."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset(Generic[Labeled]):
    """Objects without a fault. `objects` begins anew with each call and counts lines from 1.

    `classes` are names by class id; `prefix` is what file names leave out of addresses.
    """

    attribute: str
    objects: Callable[[], Iterator[tuple[int, Labeled]]]
    classes: Mapping[int, str]
    prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Text to add to the file `name`; "" is the one file of a format that has one.

    A piece that `is_whole` is a file of its own: where there is one already, the object on `line` has the
    file name of another.
    """

    text: str
    name: str = ""
    is_whole: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What an imported label's metadata says of its origin; `created` as Ground Truth writes it."""

    attribute: str
    job: str
    created: str
    is_human: bool = True

    def metadata(self, kind: str) -> dict[str, Any]:
        """The metadata that all labels have."""
        return {
            "type": f"groundtruth/{kind}",
            "job-name": f"labeling-job/{self.job}",
            "human-annotated": "yes" if self.is_human else "no",
            "creation-date": self.created,
        }


class ClassTable:
    """Names by class id over a whole dataset: an id has one name, and a name one id."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self._ids: dict[str, int] = {}

    def add(self, classes: Mapping[int, str]) -> list[str]:
        """Takes the classes of one object; what contradicts earlier ones."""
        found = []
        for number, name in classes.items():
            if self.names.setdefault(number, name) != name:
                found.append(f"class {number} is {name!r} here and {self.names[number]!r} before")
            elif self._ids.setdefault(name, number) != number:
                found.append(f"{name!r} is class {number} here and {self._ids[name]} before")
        return found


def labeled_part(
    row: Mapping[str, Any], *, attribute: str, kind: str
) -> tuple[Any, Mapping[str, Any]] | None:
    """The label and its metadata; None for an object that is not labeled, or that a job failed with.

    Raises:
        FormatError: the metadata are missing or of another kind of label.
    """
    if attribute not in row:
        return None
    metadata = row.get(attribute + METADATA)
    if not isinstance(metadata, dict):
        raise FormatError(f"{attribute + METADATA} must be an object, got {shown(metadata)}")
    if metadata.get("type") != f"groundtruth/{kind}":
        got = shown(metadata.get("type"))
        raise FormatError(
            f"{attribute + METADATA}.type must be groundtruth/{kind} for this format, got {got}"
        )
    return row[attribute], metadata


def file_name(uri: str, *, prefix: str) -> str:
    """The path below `prefix` that an address stands for.

    Raises:
        FormatError: it is not below it, or is no path that a folder can hold.
    """
    name = uri.removeprefix(prefix)
    if name == uri or not name:
        raise FormatError(f"source-ref must begin with {prefix} (--prefix), got {shown(uri)}")
    if any(part in ("", ".", "..") for part in name.split("/")) or not name.isprintable() or "\\" in name:
        raise FormatError(f"source-ref must end in a plain path of printable characters, got {shown(uri)}")
    return name


def address(name: str, *, prefix: str) -> str:
    """The S3 address of a file name.

    Raises:
        FormatError: together with `prefix` it is none.
    """
    uri = prefix + name
    if not is_s3_uri(uri):
        raise FormatError(f"{shown(name)} needs --prefix s3://BUCKET/FOLDER/, where its file is")
    return uri


def shown(value: object) -> str:
    """A value in a sentence."""
    text = repr(value)
    return text if len(text) <= 80 else text[:80] + "…"
