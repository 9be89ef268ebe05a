"""`objects.jsonl`: what a folder of labels does not say itself, one object a line.

Of a picture its address, label file and size; of a text the text. An object without a label file, or with
`is_labeled` false, is not labeled.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from overread.labeling.formats.dataset import FormatError, Piece, Problem, shown
from overread.labeling.formats.pictures import CLASS_DIGITS, Picture, Size, size_of
from overread.labeling.manifest import LineError, is_s3_uri, parse_line

OBJECTS = "objects.jsonl"
CLASSES = "classes.json"


@dataclass(frozen=True, slots=True)
class Listed:
    """A picture of the list; `file` and `size` are None where it is not labeled."""

    where: str
    uri: str
    file: str | None
    size: Size | None


def listed_piece(picture: Picture, *, file: str) -> Piece:
    """The line for a picture whose labels are in `file`."""
    line: dict[str, Any] = {"source-ref": picture.uri, "file": None}
    if picture.drawn is not None:
        size = picture.drawn.size
        line["file"] = file
        line["image_size"] = [{"width": size.width, "height": size.height, "depth": size.depth}]
    return Piece(name=OBJECTS, text=json_line(line))


def listed(lines: Iterable[bytes]) -> Iterator[Listed | Problem]:
    """The pictures of the list, each once."""
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        where = f"{OBJECTS}:{number}"
        try:
            row = parse_line(line)
            uri, file = row.get("source-ref"), row.get("file")
            if not isinstance(uri, str) or not is_s3_uri(uri):
                raise FormatError(f"source-ref must be s3://BUCKET/KEY, got {shown(uri)}")
            if seen.setdefault(uri, number) != number:
                raise FormatError(f"is the object of line {seen[uri]} again")
            if file is not None and not isinstance(file, str):
                raise FormatError(f"file must be a path or null, got {shown(file)}")
            size = None if file is None else size_of(row.get("image_size"), path="image_size")
        except (FormatError, LineError) as error:
            yield Problem(where, str(error))
        else:
            yield Listed(where, uri, file, size)


def json_line(value: Any) -> str:
    """A line of JSON with its line feed."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def classes_of(document: Any) -> dict[int, str]:
    """Names by class id, out of a list of names or an object of names by id.

    Raises:
        FormatError: it is neither, or a name stands twice.
    """
    pairs: list[tuple[int, Any]] = []
    if isinstance(document, list | tuple):
        pairs = list(enumerate(document))
    elif isinstance(document, dict):
        keys = [str(key) for key in document]
        if all(key.isdecimal() and len(key) <= CLASS_DIGITS for key in keys):
            pairs = [(int(key), name) for key, name in document.items()]
    names = {name for _, name in pairs if isinstance(name, str) and name}
    if len(names) != len(pairs) or (document and not pairs) or document is None:
        raise FormatError(f"classes must be different names by id, got {shown(document)}")
    return dict(pairs)
