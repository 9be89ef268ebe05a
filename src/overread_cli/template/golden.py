"""Whether a template still takes its sample input and can give its expected answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click
from jsonschema import Draft202012Validator

from overread_cli.template.answer_schema import answer_schema
from overread_cli.template.files import TEMPLATE, read_object, read_text
from overread_cli.template.standalone import object_address
from overread_templates import TemplateError, lint_template, parse_template

SAMPLE = "sample-input.json"
EXPECTED = "expected-answer.json"
OBJECTS = "objects"


@dataclass(frozen=True, slots=True)
class Golden:
    """A template's folder and what is wrong with it; nothing when all is well."""

    folder: Path
    faults: tuple[str, ...]


def check_folder(folder: Path) -> Golden:
    """Lints, renders the sample, and holds the expected answer against what the page can submit.

    Raises:
        click.ClickException: one of the three files cannot be read.
    """
    path = folder / TEMPLATE
    text = read_text(path)
    sample, expected = read_object(folder / SAMPLE), read_object(folder / EXPECTED)
    errors = [found for found in lint_template(text, name=str(path)) if found.severity == "error"]
    if errors:
        places = (f"{path}:{found.line}:{found.column}: {found.message}" for found in errors)
        return Golden(folder, tuple(places))
    objects = folder / OBJECTS if (folder / OBJECTS).is_dir() else None
    try:
        page = parse_template(text, name=str(path)).render(
            sample, sign_url=lambda location: object_address(location, objects=objects)
        )
    except TemplateError as error:
        return Golden(folder, (str(error),))
    return Golden(folder, tuple(answer_faults(page, expected, name=f"{folder / EXPECTED}")))


def answer_faults(page: str, answer: object, *, name: str) -> list[str]:
    """Why a rendered page cannot have submitted an answer, each with its place in it."""
    schema = answer_schema(page, title=name)
    found = sorted(Draft202012Validator(schema).iter_errors(answer), key=lambda fault: fault.json_path)
    return [f"{name}: {fault.json_path}: {fault.message}" for fault in found]


def folders_under(paths: tuple[Path, ...]) -> list[Path]:
    """Every folder with a template in or under these.

    Raises:
        click.ClickException: there is none under one of them.
    """
    found: list[Path] = []
    for path in paths:
        here = sorted({file.parent for file in path.rglob(TEMPLATE)}) if path.is_dir() else []
        if not here:
            raise click.ClickException(f"{path}: no folder with a {TEMPLATE} in it")
        found += here
    return found
