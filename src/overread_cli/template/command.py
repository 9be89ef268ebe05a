"""`overread template`: everything about one worker template, without AWS."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from overread_cli.template import golden
from overread_cli.template.answer_schema import answer_schema
from overread_cli.template.files import (
    read_object,
    read_template,
    read_text,
    template_at,
    templates_under,
    write_text,
)
from overread_cli.template.schema_changes import schema_changes
from overread_cli.template.standalone import render as render_page
from overread_cli.template.standalone import standalone_page
from overread_templates import lint_template

FAULTY = 1
_FILE = click.argument("file", type=click.Path(path_type=Path))
_OBJECTS = click.option(
    "--objects",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder with BUCKET/KEY files for the sample's s3:// objects; `objects` beside the template by "
    "default.",
)
_INPUT_HELP = "The task's input, a JSON object; `sample-input.json` beside the template by default."


@click.group()
def template() -> None:
    """Lint, render, preview, compare and test worker templates (Liquid and Crowd HTML Elements)."""


@template.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="The findings as one JSON document.")
def lint(*, files: tuple[Path, ...], as_json: bool) -> None:
    """List the faults of FILES with line and column; exit code 1 when one of them is an error.

    A folder stands for every template.liquid.html in and under it.
    """
    paths = [path for file in files for path in templates_under(file)]
    found = [(path, finding) for path in paths for finding in lint_template(read_text(path), name=str(path))]
    errors = sum(finding.severity == "error" for _, finding in found)
    warnings = len(found) - errors
    if as_json:
        findings = [{"file": str(path)} | asdict(finding) for path, finding in found]
        click.echo(json.dumps({"findings": findings, "errors": errors, "warnings": warnings}, indent=2))
    else:
        for path, finding in found:
            place = f"{path}:{finding.line}:{finding.column}"
            click.echo(f"{place}: {finding.severity}: {finding.message} ({finding.code})")
        click.echo(
            f"{_count(len(paths), 'template')}: {_count(errors, 'error')}, {_count(warnings, 'warning')}"
        )
    if errors:
        raise SystemExit(FAULTY)


@template.command()
@_FILE
@click.option("--input", "task_input", type=click.Path(path_type=Path), help=_INPUT_HELP)
@click.option("--output", type=click.Path(path_type=Path), required=True, help="The page to write.")
@_OBJECTS
def render(*, file: Path, task_input: Path | None, output: Path, objects: Path | None) -> None:
    """Write FILE, rendered for one task, as one page that any browser opens without a server.

    What is submitted in it is shown below the form, as it would be stored.
    """
    file = template_at(file)
    parsed = read_template(file)
    page = render_page(parsed, read_object(_sample(file, task_input)), objects=_objects(file, objects))
    write_text(output, standalone_page(page))
    click.echo(f"{output}: open it in a browser")


@template.command()
@_FILE
@click.option("--input", "task_input", type=click.Path(path_type=Path), help=_INPUT_HELP)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="A free one by default.")
@_OBJECTS
def preview(*, file: Path, task_input: Path | None, port: int, objects: Path | None) -> None:
    """Show FILE in the browser, and again whenever it or its sample is saved; ends with Ctrl+C."""
    file = template_at(file)
    read_text(file)
    web = import_module("overread_cli.template.preview")  # a web server, which no other command needs
    web.serve(file, sample=_sample(file, task_input), objects=_objects(file, objects), port=port)


@template.command()
@_FILE
def schema(*, file: Path) -> None:
    """Print the JSON Schema of the answers that FILE can give."""
    file = template_at(file)
    parsed = read_template(file)
    click.echo(json.dumps(answer_schema(parsed.text, title=file.name), indent=2, ensure_ascii=False))


@template.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="The differences as one JSON document.")
def diff(*, old: Path, new: Path, as_json: bool) -> None:
    """Tell whether code that reads the answers of OLD can read those of NEW; exit code 1 when not."""
    before, after = (answer_schema(read_template(template_at(path)).text, title="") for path in (old, new))
    changes = schema_changes(before, after)
    breaks = sum(change.kind == "breaking" for change in changes)
    if as_json:
        found: dict[str, Any] = {"breaking": breaks > 0, "changes": [asdict(change) for change in changes]}
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        for change in changes:
            click.echo(f"{change.kind}: {change.path} {change.message}")
        click.echo(_verdict(len(changes), breaks))
    if breaks:
        raise SystemExit(FAULTY)


@template.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
def test(*, folders: tuple[Path, ...]) -> None:
    """Check every template under FOLDERS against its sample-input.json and its expected-answer.json.

    The sample must render, and the page must be able to submit the answer.
    """
    results = [golden.check_folder(folder) for folder in golden.folders_under(folders)]
    for result in results:
        click.echo(f"{'ok' if not result.faults else 'FAILED'}  {result.folder}")
        for fault in result.faults:
            click.echo(f"        {fault}")
    failed = sum(bool(result.faults) for result in results)
    click.echo(f"{_count(len(results), 'template')}, {failed} failed")
    if failed:
        raise SystemExit(FAULTY)


def _sample(file: Path, given: Path | None) -> Path:
    return file.parent / golden.SAMPLE if given is None else given


def _objects(file: Path, given: Path | None) -> Path | None:
    beside = file.parent / golden.OBJECTS
    return given if given is not None else beside if beside.is_dir() else None


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _verdict(changes: int, breaks: int) -> str:
    if changes == 0:
        return "the answers are alike"
    if breaks == 0:
        return f"{_count(changes, 'difference')}: code for the old answers reads the new ones"
    return f"{_count(changes, 'difference')}, {breaks} of which may break code for the old answers"
