"""Templates and JSON documents from files, each fault in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from overread_templates import Template, TemplateError, parse_template

TEMPLATE = "template.liquid.html"
"""The template's name in a folder of its own."""


def template_at(path: Path) -> Path:
    """The file itself, or the template in a folder."""
    return path / TEMPLATE if path.is_dir() and (path / TEMPLATE).is_file() else path


def templates_under(path: Path) -> list[Path]:
    """The file itself, or every template in or under a folder.

    Raises:
        click.ClickException: there is none in it.
    """
    if not path.is_dir():
        return [path]
    found = sorted(path.rglob(TEMPLATE))
    if not found:
        raise click.ClickException(f"{path}: no {TEMPLATE} in it")
    return found


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        click.ClickException: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{path}: not UTF-8 (byte {error.start})") from error


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        click.ClickException: it cannot be read, is not JSON, or no object.
    """
    try:
        value = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise click.ClickException(f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from error
    if not isinstance(value, dict):
        raise click.ClickException(f"{path}: must be a JSON object, like the InputContent of a human loop")
    return value


def read_template(path: Path) -> Template:
    """The parsed template in a file.

    Raises:
        click.ClickException: it cannot be read or parsed.
    """
    try:
        return parse_template(read_text(path), name=str(path))
    except TemplateError as error:
        raise click.ClickException(str(error)) from error


def write_text(path: Path, text: str) -> None:
    """Writes a file.

    Raises:
        click.ClickException: it cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error
