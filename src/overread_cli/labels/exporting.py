"""The export of one format: the manifest is checked whole, then read again as often as the format needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

from overread.labeling.formats.dataset import ClassTable, Dataset, FormatError, Labeled, Piece, Problem
from overread.labeling.manifest import parse_line
from overread.labeling.manifest_check import ManifestCheck
from overread.labeling.manifest_lines import lines_of
from overread_cli.labels.reporting import Problems
from overread_cli.labels.targets import Write
from overread_cli.manifest.files import watched_lines


@dataclass(frozen=True, slots=True)
class Exporter(Generic[Labeled]):
    """How a format is written: what it takes of a line, the classes of that, its pieces, their target."""

    parse: Callable[[Mapping[str, Any], str], Labeled]
    classes: Callable[[Labeled, ClassTable], Mapping[int, str]]
    pieces: Callable[[Dataset[Labeled]], Iterator[Piece | Problem]]
    target: Callable[..., AbstractContextManager[Write]]


def export(
    path: Path, output: Path, *, exporter: Exporter[Labeled], attribute: str, prefix: str
) -> tuple[int, int]:
    """Writes `output`; how many objects there are, and how many of them are labeled.

    Raises:
        BadInputError: there are faults, which were told; nothing was written.
    """
    problems, table = Problems(str(path)), ClassTable()
    check, first, labeled = ManifestCheck(), "", 0
    with path.open("rb") as stream:
        for line in check(watched_lines(stream)):
            for fault in line.faults:
                problems.add(Problem(str(fault.line), fault.reason))
            if line.row is None or line.faults:
                continue
            labeled += attribute in line.row
            first = first or str(line.row.get("source-ref", ""))
            try:
                found = exporter.parse(line.row, attribute)
                reasons = table.add(exporter.classes(found, table))
            except FormatError as error:
                reasons = list(error.reasons)
            for reason in reasons:
                problems.add(Problem(str(line.number), reason))
    problems.refuse()

    def objects() -> Iterator[tuple[int, Labeled]]:
        with path.open("rb") as stream:
            for number, line in enumerate(lines_of(stream), 1):
                yield number, exporter.parse(parse_line(line), attribute)

    dataset = Dataset(
        attribute=attribute, objects=objects, classes=table.names, prefix=prefix or _bucket_of(first)
    )
    with exporter.target(output, read=path) as write:
        for piece in exporter.pieces(dataset):
            if isinstance(piece, Problem):
                problems.add(piece)
            elif reason := write(piece):
                problems.add(Problem(str(piece.line), reason))
        problems.refuse()
    return check.objects, labeled


def _bucket_of(uri: str) -> str:
    """`s3://BUCKET/`: file names are keys, unless --prefix says otherwise."""
    return "/".join(uri.split("/")[:3]) + "/" if uri else ""
