"""Faults of a configuration file, collected so that all of them are reported together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from overread.errors import OverreadError


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where it stands, what it says and what it may say.

    `line` counts from 1; 0 where it is no line's: of a file that cannot be read, or of where synthesis runs.
    """

    file: Path
    line: int
    field: str
    problem: str
    value: str
    allowed: str

    def __str__(self) -> str:
        """The fault on one line, in the form that editors turn into a link."""
        place = f"{self.file}:{self.line}" if self.line else f"{self.file}"
        return f"{place}: {self.field}: {self.problem}; got {self.value}; allowed: {self.allowed}"


class ConfigError(OverreadError):
    """A configuration file with faults. `faults` holds all of them, in the order of the file."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Keep the faults sorted by line."""
        self.faults = tuple(sorted(faults, key=lambda fault: (str(fault.file), fault.line)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


@dataclass(slots=True)
class FaultList:
    """Collects the faults of one file."""

    file: Path
    faults: list[Fault] = field(default_factory=list)

    def add(self, *, line: int, field: str, problem: str, value: str, allowed: str) -> None:
        """Note a fault; reading goes on."""
        self.faults.append(
            Fault(file=self.file, line=line, field=field, problem=problem, value=value, allowed=allowed)
        )

    def raise_any(self) -> None:
        """Raise what was collected.

        Raises:
            ConfigError: when there is at least one fault.
        """
        if self.faults:
            raise ConfigError(self.faults)
