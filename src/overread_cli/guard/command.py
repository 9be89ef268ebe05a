"""`overread guard --old DIR|TEMPLATE --new DIR|TEMPLATE`: whether a change keeps what is kept."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from overread_cli.guard.create_only import create_only
from overread_cli.guard.dangers import Danger, dangers
from overread_cli.guard.templates import NoTemplateError, paired, read_templates

REFUSED = 1
_PLACE = click.Path(path_type=Path)


@click.command()
@click.option(
    "--old", type=_PLACE, required=True, help="What is deployed: a folder of `cdk synth`, or a template."
)
@click.option("--new", type=_PLACE, required=True, help="What is to be deployed.")
@click.option(
    "--accept",
    multiple=True,
    metavar="STACK/LOGICAL_ID",
    help="A resource that may be destroyed; may be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="The dangers as one JSON document.")
def guard(*, old: Path, new: Path, accept: tuple[str, ...], as_json: bool) -> None:
    """Refuse (exit code 1) a change that would delete or replace what a stack keeps.

    Exit code 2: the templates could not be compared, so nobody knows.

    Tables, buckets, keys, user pools, domains and whatever is retained: gone or renamed, changed where
    CloudFormation can only replace, or without the deletion policy that kept them.

    \b
    Example:
      overread guard --old cdk.out.deployed --new cdk.out
    """
    try:
        before, after = read_templates(old), read_templates(new)
    except NoTemplateError as error:
        raise click.UsageError(str(error)) from error
    found = [
        danger
        for stack, templates in paired(before, after, are_files=old.is_file() and new.is_file()).items()
        for danger in dangers(stack, *templates, create_only=create_only)
    ]
    refused = [danger for danger in found if _place(danger) not in accept]
    for needless in sorted(set(accept) - {_place(danger) for danger in found}):
        click.echo(f"--accept {needless}: no danger to it was found", err=True)
    if as_json:
        listed = [asdict(danger) | {"accepted": danger not in refused} for danger in found]
        click.echo(json.dumps({"refused": bool(refused), "dangers": listed}, indent=2))
    else:
        for danger in found:
            click.echo(_told(danger, is_accepted=danger not in refused))
        click.echo(_verdict(found, refused))
    if refused:
        raise SystemExit(REFUSED)


def _place(danger: Danger) -> str:
    return f"{danger.stack}/{danger.logical_id}"


def _told(danger: Danger, *, is_accepted: bool) -> str:
    mark = "accepted" if is_accepted else "REFUSED"
    return f"{mark}  {_place(danger)} ({danger.type}) {danger.what}\n         instead: {danger.instead}"


def _verdict(found: list[Danger], refused: list[Danger]) -> str:
    if not found:
        return "nothing that is kept would be destroyed"
    return f"{len(found)} found, {len(refused)} refused"
