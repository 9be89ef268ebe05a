"""How manifests are read and written: with progress on a terminal, and each file whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

import click

from overread.labeling.manifest_lines import lines_of
from overread_cli.statistics.frame import Progress

_EVERY = 20_000

manifest_argument = click.argument("file", type=click.File("rb"))


def name_of(stream: BinaryIO) -> str:
    """The file's name as it was given; `<stdin>` for standard input."""
    return str(getattr(stream, "name", "<stdin>"))


def watched_lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines of a stream; a person at a terminal sees how many were read."""
    with _progress() as say:
        for number, line in enumerate(lines_of(stream), 1):
            if number % _EVERY == 0:
                say(f"{number:,} lines")
            yield line


@contextmanager
def whole_files(paths: Iterable[Path], *, read: Iterable[Path] = ()) -> Iterator[list[BinaryIO]]:
    """Files to write; they take their names at the end, and none does where an error leaves the block.

    Raises:
        click.ClickException: one of them cannot be written.
        click.UsageError: one of them is a file that is read.
    """
    targets = list(paths)
    for target in targets:
        if target.is_file() and any(source.is_file() and target.samefile(source) for source in read):
            raise click.UsageError(f"{target} is a file that is read; it would be replaced")
    parts = [target.with_name(f".{target.name}.part") for target in targets]
    try:
        with ExitStack() as opened:
            yield [opened.enter_context(part.open("wb")) for part in parts]
        for part, target in zip(parts, targets, strict=True):
            part.replace(target)
    except OSError as error:
        raise click.ClickException(f"{error.filename or targets[0]}: {error.strerror}") from error
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def _progress() -> AbstractContextManager[Callable[[str], None]]:
    return Progress() if sys.stderr.isatty() else nullcontext(lambda _: None)
