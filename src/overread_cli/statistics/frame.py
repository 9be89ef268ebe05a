"""What the statistics' commands have in common: how they fail, write, tell the day and show progress."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import wraps
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click

from overread.errors import InvalidDataError, InvalidGuaranteeError

Command = TypeVar("Command", bound=Callable[..., Any])
EPILOG = """\b
Exit codes: 0 done; 1 a result could not be had or a file not be written;
2 the command line or a file is at fault, and nothing was written.
"""
_OPTIONAL = frozenset({"matplotlib", "numpy", "pyarrow", "rich", "scipy"})
_SPACING_S = 5.0
_WRITTEN = ("output", "guarantee")


class BadInputError(click.ClickException):
    """The input is at fault; nothing was written."""

    exit_code = 2


def with_clear_errors(command: Command) -> Command:
    """What data, guarantees and missing packages have against the command becomes a sentence each."""

    @wraps(command)
    def wrapped(*args: Any, **options: Any) -> Any:
        _refuse_to_replace_input(options)
        try:
            return command(*args, **options)
        except (InvalidDataError, InvalidGuaranteeError) as error:
            raise BadInputError("\n".join(error.faults)) from error
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package not in _OPTIONAL:
                raise
            raise click.ClickException(
                f"this needs {package}, which is not installed: pip install overread[statistics]"
            ) from error

    return wrapped  # type: ignore[return-value]


def _refuse_to_replace_input(options: dict[str, Any]) -> None:
    read = [value for name, value in options.items() if name not in _WRITTEN and isinstance(value, Path)]
    for name in _WRITTEN:
        target = options.get(name)
        if target is None or not target.is_file():
            continue
        if any(source.is_file() and target.samefile(source) for source in read):
            raise click.UsageError(f"--{name} {target} is a file that is read; it would be replaced")


def faults_of(name: str, faults: tuple[str, ...]) -> InvalidDataError:
    """The faults, each with the file that has it."""
    return InvalidDataError([f"{name}: {fault}" for fault in faults])


def rows_text(rows: list[int]) -> str:
    """`row 3`, or `rows 3, 5, 8, 9, 11 and 4 more`; rows count from 1, without a header."""
    shown = ", ".join(f"{row:,}" for row in rows[:5])
    more = f" and {len(rows) - 5:,} more" if len(rows) > 5 else ""
    return f"row{'' if len(rows) == 1 else 's'} {shown}{more}"


def write_whole(output: Path, content: str | bytes) -> None:
    """The file is there whole, or as it was before."""
    write_all({output: content})


def write_all(contents: dict[Path, str | bytes]) -> None:
    """Every file is there whole, or each is as it was before; all are written before the first is renamed.

    A device or pipe (`/dev/stdout`) is written to as it is.

    Raises:
        click.ClickException: one of them cannot be written.
    """
    parts: dict[Path, Path] = {}
    output = Path()
    try:
        for output, content in contents.items():
            data = content.encode() if isinstance(content, str) else content
            if output.exists() and not output.is_file():
                output.write_bytes(data)
                continue
            number, name = tempfile.mkstemp(prefix=f".{output.name[:80]}.", suffix=".part", dir=output.parent)
            parts[output] = Path(name)
            with os.fdopen(number, "wb") as file:
                file.write(data)
            parts[output].chmod(_mode(output))
        for output, part in parts.items():
            part.replace(output)
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from error
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def _mode(output: Path) -> int:
    """The mode that the file has, or that a new file of this process gets."""
    if output.exists():
        return output.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _day(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    if value is None:
        return datetime.now(UTC).date().isoformat()
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError as error:
        raise click.BadParameter(f"{value!r} must be a day, as 2026-11-22", ctx=ctx, param=param) from error


day_option = click.option(
    "--date",
    "day",
    metavar="DAY",
    callback=_day,
    help="The day that stands in what is written; today (UTC) by default.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


def share_option(*names: str, **attributes: Any) -> Callable[[Command], Command]:
    """An option whose value lies between 0 and 1, both excluded; its default may be 0."""

    def check(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
        if value is not None and not 0 < value < 1 and value != param.get_default(ctx):
            raise click.BadParameter(f"{value} must be greater than 0 and less than 1", ctx=ctx, param=param)
        return value

    return click.option(*names, type=float, callback=check, **attributes)


def amount_option(*names: str, **attributes: Any) -> Callable[[Command], Command]:
    """An option whose value is a number from 0 on."""

    def check(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
        if value is not None and not 0 <= value < float("inf"):
            raise click.BadParameter(f"{value} must be a number from 0 on", ctx=ctx, param=param)
        return value

    return click.option(*names, type=float, callback=check, metavar="NUMBER", **attributes)


@dataclass
class Progress:
    """Shows on standard error that a long run goes on: a line that renews itself on a terminal, else a new
    line every few seconds."""

    stream: TextIO = field(default_factory=lambda: sys.stderr)
    clock: Callable[[], float] = time.monotonic
    _last: float = field(init=False)
    _status: Any = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._last = self.clock()

    def __enter__(self) -> Progress:
        if self.stream.isatty():
            from rich.console import Console  # noqa: PLC0415 - only for a person who watches

            self._status = Console(file=self.stream).status("", spinner="line")
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def __call__(self, text: str) -> None:
        """Says what is being done; cheap enough to be called every few thousand rows."""
        if self._status is not None:
            from rich.markup import escape  # noqa: PLC0415 - here already

            self._status.update(escape(text))
        elif self.clock() - self._last >= _SPACING_S:
            self._last = self.clock()
            click.echo(text, file=self.stream)
