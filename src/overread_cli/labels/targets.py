"""Where an export goes: one file, or a new folder; whole, or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from overread.labeling.formats.dataset import Piece
from overread_cli.manifest.files import whole_files

Write = Callable[[Piece], str]
"""Writes a piece; the reason why it could not, else ""."""


@contextmanager
def one_file(path: Path, *, read: Path) -> Iterator[Write]:
    """All pieces go to the file at `path`."""
    with whole_files([path], read=[read]) as (stream,):

        def write(piece: Piece) -> str:
            stream.write(piece.text.encode())
            return ""

        yield write


@contextmanager
def new_folder(path: Path, *, read: Path) -> Iterator[Write]:
    """Pieces go to their files in a folder that takes its name at the end.

    Raises:
        click.UsageError: there is something at `path`.
        click.ClickException: it cannot be written.
    """
    del read  # it cannot be in a folder that is new
    if path.exists():
        raise click.UsageError(f"{path} exists; give the name of a new folder")
    part = path.with_name(f".{path.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir()
        with ExitStack() as opened:
            yield _Folder(part, opened).write
        part.replace(path)
    except OSError as error:
        raise click.ClickException(f"{error.filename or path}: {error.strerror}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


class _Folder:
    def __init__(self, path: Path, opened: ExitStack) -> None:
        self._path = path
        self._opened = opened
        self._lists: dict[str, BinaryIO] = {}

    def write(self, piece: Piece) -> str:
        if not piece.is_whole:
            if piece.name not in self._lists:
                self._lists[piece.name] = self._opened.enter_context((self._path / piece.name).open("wb"))
            self._lists[piece.name].write(piece.text.encode())
            return ""
        target = self._path / piece.name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                file.write(piece.text.encode())
        except FileExistsError:
            return f"has the label file {piece.name} of an earlier line"
        return ""
