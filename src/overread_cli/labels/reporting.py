"""How the problems of an export or import are told: a sentence each with its place, the first hundred."""

from __future__ import annotations

import click

from overread.labeling.formats.dataset import Problem
from overread_cli.manifest.reporting import count
from overread_cli.statistics.frame import BadInputError

_SHOWN = 100


class Problems:
    """Tells problems of `file` as they come."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._found = 0

    def add(self, problem: Problem) -> None:
        """Prints a problem, unless a person has seen a hundred."""
        self._found += 1
        if self._found <= _SHOWN:
            place = f"{self._file}:{problem.where}" if problem.where else self._file
            click.echo(f"{place}: {problem.reason}", err=True)
        elif self._found == _SHOWN + 1:
            click.echo("… and more", err=True)

    def refuse(self) -> None:
        """Ends the command where there were problems.

        Raises:
            BadInputError: there were.
        """
        if self._found:
            raise BadInputError(f"{count(self._found, 'fault')}; nothing was written")
