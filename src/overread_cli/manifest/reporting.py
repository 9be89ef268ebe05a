"""How faults of manifests are printed: for people the first hundred, as JSON every one as it is found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

FAULTY = 1
_SHOWN = 100


class Report:
    """Prints faults as they come; `found` counts them all."""

    def __init__(self, *, as_json: bool, is_error: bool = False) -> None:
        self.found = 0
        self._as_json = as_json
        self._is_error = is_error

    def add(self, *, file: str, line: int, code: str, reason: str) -> None:
        """Prints a fault, unless a person has seen a hundred."""
        self.found += 1
        if self._as_json:
            fault = json.dumps({"line": line, "code": code, "reason": reason}, ensure_ascii=False)
            click.echo(("\n  " if self.found == 1 else ",\n  ") + fault, nl=False)
        elif self.found <= _SHOWN:
            click.echo(f"{file}:{line}: {code}: {reason}", err=self._is_error)
        elif self.found == _SHOWN + 1:
            click.echo(
                "… and more, which --json lists" if not self._is_error else "… and more", err=self._is_error
            )


@contextmanager
def json_frame(totals: dict[str, Any]) -> Iterator[None]:
    """One JSON object around the faults that are printed meanwhile; then come the totals, filled by then."""
    click.echo('{"faults": [', nl=False)
    yield
    told = [f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in totals.items()]
    click.echo("],\n" + ",\n".join(told) + "}")


def count(number: int, what: str) -> str:
    """`1 line`, `2,000 lines`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
