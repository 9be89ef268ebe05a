"""A whole manifest held to the rules line by line; what is kept of a line is 24 to 48 bytes."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from overread.labeling.first_lines import FirstLines
from overread.labeling.manifest import (
    Code,
    Fault,
    LineError,
    Row,
    identity,
    is_blank,
    parse_line,
    row_faults,
    without_bom,
)


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """A line with what is wrong with it; `row` is None where it could not be read."""

    number: int
    row: Row | None
    faults: tuple[Fault, ...]


@dataclass(slots=True)
class ManifestCheck:
    """Checks lines in their order and counts them.

    `objects` are the lines without a fault; `sources` the lines by how they give their object.
    """

    lines: int = 0
    objects: int = 0
    sources: Counter[str] = field(default_factory=Counter)
    faults: Counter[Code] = field(default_factory=Counter)
    _first: FirstLines = field(default_factory=FirstLines)

    def __call__(self, lines: Iterable[bytes]) -> Iterator[CheckedLine]:
        """Every line, as it was found."""
        uris = texts = 0
        for line in lines:
            self.lines = number = self.lines + 1
            found: list[tuple[Code, str]] = []
            row = _read(line, number, found)
            if row is not None:
                found += row_faults(row, characters=len(line))
                if "source-ref" in row:
                    uris += 1
                elif "source" in row:
                    texts += 1
                same = identity(row)
                first = self._first.add(hash(same), number) if same else None
                if first is not None:
                    found.append((Code.DUPLICATE_OBJECT, f"is the object of line {first:,} again"))
            if found:
                self.faults.update(code for code, _ in found)
                faults = tuple(Fault(number, code, reason) for code, reason in found)
            else:
                self.objects += 1
                faults = ()
            yield CheckedLine(number, row, faults)
        self.sources.update({"source-ref": uris, "source": texts})

    def add(self, line: CheckedLine, code: Code, reason: str) -> CheckedLine:
        """A line with one more fault, which only another look could find."""
        if not line.faults:
            self.objects -= 1
        self.faults[code] += 1
        return CheckedLine(line.number, line.row, (*line.faults, Fault(line.number, code, reason)))

    def counts(self) -> dict[str, int]:
        """The lines by how they give their object, and the faults by code."""
        return {
            "source-ref": self.sources["source-ref"],
            "source": self.sources["source"],
            **{code.value: count for code, count in sorted(self.faults.items())},
        }


def _read(line: bytes, number: int, found: list[tuple[Code, str]]) -> Row | None:
    """The line's object; what keeps it from being one, or from being well written, goes to `found`."""
    if number == 1 and line[:1] == b"\xef":
        bare = without_bom(line)
        if bare is not line and len(bare) < len(line):
            found.append((Code.BYTE_ORDER_MARK, "the file must not begin with a byte order mark"))
            line = bare
    if line[-1:] == b"\r":
        found.append((Code.CARRIAGE_RETURN, "must end in a line feed alone, has a carriage return before it"))
    if is_blank(line):
        found.append((Code.EMPTY_LINE, "must hold an object, is empty"))
        return None
    try:
        return parse_line(line)
    except LineError as error:
        found.append((error.code, str(error)))
        return None
