"""Tables out of files: CSV, Parquet, JSON Lines and Ground Truth's formats, told by ending or `--format`.

A table keeps only the columns that are asked for. Rows count from 1, without a header. A file is read once,
from its begin to its end, and hashed as it is read.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from overread.errors import InvalidDataError
from overread.strict_json import parse_json
from overread_cli.statistics.frame import faults_of, rows_text

FORMATS = ("csv", "parquet", "jsonl", "manifest", "answers")
_BY_ENDING = {
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".manifest": "manifest",
    ".json": "answers",
}
_MARKS = (("utf-8-sig", b"\xef\xbb\xbf"), ("utf-16", b"\xff\xfe"), ("utf-16", b"\xfe\xff"))
_DELIMITERS = ",;\t"
_EVERY = 1 << 16
Say = Callable[[str], None]
_Any = TypeVar("_Any")


def _silent(_text: str) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or standard input, and how it is to be read; `renamed` maps our columns to the file's."""

    path: Path
    format: str | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_stdin(self) -> bool:
        """Whether `-` was given."""
        return str(self.path) == "-"

    @property
    def name(self) -> str:
        """What messages call it."""
        return "standard input" if self.is_stdin else str(self.path)

    @property
    def short_name(self) -> str:
        """What pages call it: without the folders of the machine that it is read on."""
        return self.name if self.is_stdin else self.path.name

    @property
    def form(self) -> str:
        """One of FORMATS.

        Raises:
            InvalidDataError: nothing tells which.
        """
        form = self.format or _BY_ENDING.get(self.path.suffix.lower()) or ("csv" if self.is_stdin else None)
        if form is None:
            raise InvalidDataError(
                [
                    f"{self.name}: the ending {self.path.suffix or '(none)'} tells no format; "
                    f"give one of {', '.join(FORMATS)} with --format"
                ]
            )
        if form == "parquet" and self.is_stdin:
            raise InvalidDataError(["standard input: Parquet is read from files only"])
        return form

    def open(self) -> BinaryIO:
        """Its bytes.

        Raises:
            InvalidDataError: it cannot be opened.
        """
        if self.is_stdin:
            return sys.stdin.buffer
        try:
            return self.path.open("rb")
        except OSError as error:
            raise InvalidDataError([f"{self.name}: cannot be read: {error.strerror}"]) from error


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of one length; `found` names every column of the file, `sha256` is the hash of its bytes.

    A value is missing where it is None or "".
    """

    name: str
    columns: Mapping[str, Sequence[Any]]
    rows: int
    found: tuple[str, ...]
    sha256: str

    def require(self, *names: str) -> None:
        """Refuses the table when a column is missing, and names those it has.

        Raises:
            InvalidDataError: one is missing, or there are no rows.
        """
        missing = [name for name in names if name not in self.columns]
        if missing:
            found = ", ".join(self.found[:20]) or "none"
            plural = "s" if len(missing) > 1 else ""
            raise InvalidDataError(
                [
                    f"{self.name}: the column{plural} {_listed(missing)} "
                    f"{'are' if plural else 'is'} missing; found: {found} "
                    f"(--column {missing[0]}=NAME names another)"
                ]
            )
        if not self.rows:
            raise InvalidDataError([f"{self.name}: there are no rows"])


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects of a JSON file, one a row."""

    rows: Sequence[Mapping[str, Any]]
    sha256: str


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _never(_row: Mapping[str, Any]) -> bool:
    return False


def read_table(
    source: Source,
    *,
    columns: Sequence[str],
    is_whole: Callable[[Mapping[str, Any]], bool] = _never,
    say: Say = _silent,
) -> Table | Objects:
    """The columns of a file, so far as they are there; or its objects as they are.

    Objects it gives of Ground Truth's formats, and of JSON Lines whose first object `is_whole`.

    Raises:
        InvalidDataError: it is empty, not of its format, not in Unicode, or ragged.
    """
    wanted = {source.renamed.get(name, name): name for name in columns}
    if source.form == "parquet":
        return _parquet(source, wanted=wanted)
    hashed = _Hashed(source.open())
    try:
        if source.form == "csv":
            found, kept, rows = _csv(hashed, source, wanted, say)
        else:
            objects = _objects(hashed, source, say)
            first = next(objects, {})
            if source.form != "jsonl" or is_whole(first):
                whole = [first, *objects]
                return Objects(whole, hashed.sha256.hexdigest())
            found, kept, rows = _json_columns(_chained(first, objects), wanted)
    except (OSError, UnicodeError) as error:
        raise InvalidDataError([f"{source.name}: {_unreadable(error)}"]) from error
    finally:
        if not source.is_stdin:
            hashed.close()
    return Table(source.name, kept, rows, found, hashed.sha256.hexdigest())


class _Hashed(io.RawIOBase):
    """A file that hashes what is read of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self.sha256.update(data)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _text(hashed: _Hashed, *, newline: str | None) -> io.TextIOWrapper:
    """Its text: UTF-8, or what its byte order mark says."""
    buffered = io.BufferedReader(hashed, buffer_size=1 << 20)
    head = buffered.peek(4)
    encoding = next((name for name, mark in _MARKS if head.startswith(mark)), "utf-8")
    return io.TextIOWrapper(buffered, encoding=encoding, newline=newline)


def _unreadable(error: OSError | UnicodeError) -> str:
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror}"
    return "is not text in UTF-8 (or UTF-16 with its mark); save it as UTF-8"


_Read = tuple[tuple[str, ...], dict[str, list[Any]], int]


def _csv(hashed: _Hashed, source: Source, wanted: Mapping[str, str], say: Say) -> _Read:
    text = _text(hashed, newline="")
    first = text.readline()
    if not first.strip():
        raise faults_of(source.name, ("is empty",))
    delimiter = max(_DELIMITERS, key=first.count)
    # A header may hold line breaks in quotes: the reader gets its first line back.
    reader = csv.reader(_chained(first, text), delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        return _csv_rows(reader, source, wanted, say)
    except csv.Error as error:
        raise faults_of(source.name, (f"is not CSV: line {reader.line_num}: {error}",)) from error


def _csv_rows(reader: Any, source: Source, wanted: Mapping[str, str], say: Say) -> _Read:
    header = [name.strip() for name in next(reader)]
    _refuse_repeated(header, source)
    places = [(header.index(theirs), ours) for theirs, ours in wanted.items() if theirs in header]
    kept: dict[str, list[Any]] = {ours: [] for _, ours in places}
    keepers = [(place, kept[ours].append) for place, ours in places]
    same: dict[str, str] = {}
    width, rows, ragged = len(header), 0, list[int]()
    for fields in reader:
        if not fields:
            continue
        rows += 1
        if len(fields) != width:
            ragged.append(rows)
            continue
        for place, keep in keepers:
            value = fields[place]
            # Ids and labels come again and again; numbers do not, and are left alone once there are many.
            keep(same.setdefault(value, value) if len(same) < _EVERY else same.get(value, value))
        if not rows % _EVERY:
            say(f"{source.name}: {rows:,} rows read")
    if ragged:
        raise faults_of(source.name, (f"{rows_text(ragged)}: not {width} fields as the header has",))
    return tuple(header), kept, rows


def _chained(first: _Any, rest: Iterable[_Any]) -> Iterator[_Any]:
    yield first
    yield from rest


def _refuse_repeated(header: list[str], source: Source) -> None:
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise faults_of(source.name, (f"the header names {', '.join(map(repr, repeated))} more than once",))


def _json_columns(rows: Iterable[dict[str, Any]], wanted: Mapping[str, str]) -> _Read:
    kept: dict[str, list[Any]] = {theirs: [] for theirs in wanted}
    found: dict[str, None] = {}
    count = 0
    for row in rows:
        count += 1
        found.update(dict.fromkeys(row))
        for theirs, values in kept.items():
            values.append(row.get(theirs))
    return tuple(found), {wanted[name]: values for name, values in kept.items() if name in found}, count


def _objects(hashed: _Hashed, source: Source, say: Say) -> Iterator[dict[str, Any]]:
    """One object a line, or one array of objects over all lines."""
    faults: list[tuple[int, str]] = []
    row = 0
    for row, value in enumerate(_values(_text(hashed, newline=None)), 1):
        if isinstance(value, dict):
            yield value
        else:
            faults.append((row, value.fault if isinstance(value, _NotJson) else "is not an object"))
        if not row % _EVERY:
            say(f"{source.name}: {row:,} rows read")
    if faults:
        told = [f"row {row:,} {what}" for row, what in faults[:5]]
        more = [f"{len(faults) - 5:,} more rows are at fault"] if len(faults) > 5 else []
        raise faults_of(source.name, tuple(told + more))
    if not row:
        raise faults_of(source.name, ("is empty",))


@dataclass(frozen=True, slots=True)
class _NotJson:
    """What a line is instead of a value."""

    fault: str


def _values(text: io.TextIOWrapper) -> Iterator[Any]:
    first = text.readline()
    if first.lstrip().startswith("["):
        whole = _value(first + text.read())
        yield from whole if isinstance(whole, list) else [whole]
        return
    for line in _chained(first, text):
        if line.strip():
            yield _value(line)


def _value(text: str) -> Any:
    try:
        return parse_json(text)
    except ValueError as error:
        return _NotJson(f"is not JSON: {str(error)[:120]}")


def _parquet(source: Source, *, wanted: Mapping[str, str]) -> Table:
    import pyarrow  # noqa: PLC0415 - only for those who have Parquet
    import pyarrow.parquet  # noqa: PLC0415 - as above

    with source.open() as file:
        data = file.read()
    if not data:
        raise faults_of(source.name, ("is empty",))
    try:
        parquet = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(data))
        header = list(parquet.schema_arrow.names)
        _refuse_repeated(header, source)
        table = parquet.read(columns=[name for name in wanted if name in header])
    except (pyarrow.ArrowException, OSError) as error:
        raise faults_of(source.name, (f"is not Parquet: {str(error).splitlines()[0][:120]}",)) from error
    nested = [field.name for field in table.schema if pyarrow.types.is_nested(field.type)]
    if nested:
        raise faults_of(source.name, (f"the column {nested[0]} is nested; plain values are read",))
    kept = {wanted[name]: _plain(table.column(name)) for name in table.column_names}
    return Table(source.name, kept, parquet.metadata.num_rows, tuple(header), sha256(data).hexdigest())


def _plain(column: Any) -> list[Any]:
    import pyarrow  # noqa: PLC0415 - here already

    if pyarrow.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    values: list[Any] = column.to_pylist()
    return values
