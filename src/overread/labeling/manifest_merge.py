"""The labels of several jobs over one input, merged into one manifest in the input's order.

Precedence: the input first, then the outputs in the order given. An output adds what the lines before it do
not have. A label and its metadata go together. Where two files give the same object other labels under one
name, that is a fault, or the later one counts. A label counts before metadata alone, which says that a job
failed with the object.

Of each line 24 to 48 bytes are kept: a hash of its object and where the line stands.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, BinaryIO

from overread.labeling.first_lines import FirstLines
from overread.labeling.label_attributes import METADATA, SOURCES
from overread.labeling.manifest import LineError, Row, identity, line_text, parse_line
from overread.labeling.manifest_lines import lines_of


class Conflict(StrEnum):
    """What happens where two files label an object otherwise."""

    REFUSE = "refuse"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class MergeFault:
    """What is wrong with a line, counted from 1, of the named file."""

    file: str
    line: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class MergedLine:
    """A line of the merged manifest without its line feed; empty where there are faults."""

    text: bytes
    faults: tuple[MergeFault, ...] = ()


class JobOutput:
    """A job's output manifest, indexed by object; the stream must be seekable and is read again."""

    def __init__(self, stream: BinaryIO, *, name: str) -> None:
        self.name = name
        self.faults: list[MergeFault] = []
        self.used = 0
        self._stream = stream
        self._offsets = FirstLines()
        self._next = 0
        self._index()

    def __len__(self) -> int:
        return len(self._offsets)

    def row_of(self, same: str, key: int) -> Row | None:
        """The row of the object with this identity, whose hash is `key`."""
        offset = self._offsets.get(key)
        if offset is None:
            return None
        if offset != self._next:
            self._stream.seek(offset)
        line = self._stream.readline()
        self._next = offset + len(line)
        row = parse_line(line.rstrip(b"\n"))
        if identity(row) != same:
            return None
        self.used += 1
        return row

    def strangers(self, known: FirstLines) -> Iterator[MergeFault]:
        """A fault for each object that is not among the known ones."""
        self._stream.seek(0)
        for number, line in enumerate(lines_of(self._stream), 1):
            same = identity(parse_line(line))
            if known.get(hash(same)) is None:
                yield MergeFault(self.name, number, "not_in_input", "is of an object that the input has not")

    def _index(self) -> None:
        offset = 0
        for number, line in enumerate(lines_of(self._stream), 1):
            read = _read(line, number=number, file=self.name)
            if isinstance(read, MergeFault):
                self.faults.append(read)
            elif self._offsets.add(hash(identity(read)), offset) is not None:
                self.faults.append(_duplicate(self.name, number))
            offset += len(line) + 1
        self._stream.seek(0)


def merge(
    lines: Iterable[bytes],
    outputs: Sequence[JobOutput],
    *,
    conflict: Conflict = Conflict.REFUSE,
    name: str = "input",
) -> Iterator[MergedLine]:
    """A merged line for each line of the input; last come the faults of objects that the input has not.

    Outputs with faults of their own give those alone. `name` is the input's in faults.
    """
    broken = tuple(fault for output in outputs for fault in output.faults)
    if broken:
        yield MergedLine(b"", broken)
        return
    known = FirstLines()
    for number, line in enumerate(lines, 1):
        row = _read(line, number=number, file=name)
        if isinstance(row, MergeFault):
            yield MergedLine(b"", (row,))
            continue
        same = identity(row)
        key = hash(same)
        if known.add(key, number) is not None:
            yield MergedLine(b"", (_duplicate(name, number),))
            continue
        merged = _Merged(row, conflict=conflict)
        for output in outputs:
            found = output.row_of(same, key)
            if found is not None:
                merged.add(found, file=output.name)
        yield merged.line(unchanged=line, file=name, number=number)
    for output in outputs:
        if output.used < len(output):
            yield from (MergedLine(b"", (fault,)) for fault in output.strangers(known))


class _Merged:
    """One object's keys as they come together."""

    __slots__ = ("_conflict", "_is_changed", "_reasons", "_row")

    def __init__(self, row: Row, *, conflict: Conflict) -> None:
        self._row: dict[str, Any] = dict(row)
        self._conflict = conflict
        self._reasons: list[str] = []
        self._is_changed = False

    def add(self, row: Row, *, file: str) -> None:
        """Takes what `row` has more than the lines before it."""
        mine = self._row
        for key, value in row.items():
            if key in SOURCES or (key in mine and mine[key] == value):
                continue
            if key.endswith(METADATA):
                name = key.removesuffix(METADATA)
                if name in row and name not in SOURCES:
                    if name in mine and mine[name] == row[name]:
                        self._take(name, row, file=file)
                    continue
                if name in mine:
                    continue
                self._take(key, row, file=file)
            else:
                self._take(key, row, file=file)

    def line(self, *, unchanged: bytes, file: str, number: int) -> MergedLine:
        """The line, as it stood where nothing was added; faults are of the input's line."""
        if self._reasons:
            faults = (MergeFault(file, number, "labeled_twice", reason) for reason in self._reasons)
            return MergedLine(b"", tuple(faults))
        return MergedLine(line_text(self._row).encode() if self._is_changed else unchanged)

    def _take(self, key: str, row: Row, *, file: str) -> None:
        """Sets `key` and its metadata as `row` has them, unless they were set otherwise before."""
        mine, described = self._row, key + METADATA
        if key in mine and self._conflict is Conflict.REFUSE and not self._is_failure(key):
            reason = f"{file} has another {key[:80]!r} of this object than a file before it"
            self._reasons.append(reason)
            return
        self._is_changed = True
        mine[key] = row[key]
        if described in row:
            mine[described] = row[described]
        else:
            mine.pop(described, None)

    def _is_failure(self, key: str) -> bool:
        return key.endswith(METADATA) and key.removesuffix(METADATA) not in self._row


def _read(line: bytes, *, number: int, file: str) -> Row | MergeFault:
    try:
        row = parse_line(line)
    except LineError as error:
        return MergeFault(file, number, error.code, str(error))
    if not identity(row):
        return MergeFault(file, number, "no_source", "must have source or source-ref as a text")
    return row


def _duplicate(file: str, number: int) -> MergeFault:
    return MergeFault(file, number, "duplicate_object", "is of an object that an earlier line has")
