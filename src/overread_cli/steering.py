"""`overread kill-switch` and `overread roster`: what people steer by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from overread.errors import InvalidRosterError
from overread.review.roster import parse_roster
from overread_cli.decision_target import EPILOG, BadInputError, Target, with_target
from overread_client import SteeredState

_use_case = click.option(
    "--use-case", "scope", default="all", show_default=True, help="The switch of one use case only."
)
_reason = click.option("--reason", required=True, help="Why; the audit log keeps it.")
_as_json = click.option("--json", "as_json", is_flag=True, help="The API's own document.")
_SECOND = "proposed; it happens when another person gives the same command"


@click.group(name="kill-switch", epilog=EPILOG)
def kill_switch() -> None:
    """Keep models from deciding: while a kill switch is on, every case goes to people.

    On acts at once. Off may take two persons, as the deployment's `changes.approval` says.

    \b
    Examples:
      overread kill-switch on --use-case loan-approval --reason "features wrong since 09:00" --aws
      overread kill-switch status --aws
    """


@kill_switch.command(epilog=EPILOG)
@with_target
@_use_case
@_reason
@_as_json
def on(*, target: Target, scope: str, reason: str, as_json: bool) -> None:
    """No model decides any more, from now on."""
    _show_switch(target.steering.turn_on(scope, reason=reason), as_json=as_json)


@kill_switch.command(epilog=EPILOG)
@with_target
@_use_case
@_reason
@_as_json
def off(*, target: Target, scope: str, reason: str, as_json: bool) -> None:
    """Models decide again, once as many persons say so as the deployment wants."""
    _show_switch(target.steering.turn_off(scope, reason=reason), as_json=as_json)


@kill_switch.command(epilog=EPILOG)
@with_target
@_use_case
@_as_json
def status(*, target: Target, scope: str, as_json: bool) -> None:
    """Show a kill switch; a use case's own is not the one over all."""
    _show_switch(target.steering.switch(scope), as_json=as_json)


@click.group(epilog=EPILOG)
def roster() -> None:
    """Who may decide: training, authority limits, conflicts of interest.

    \b
    Examples:
      overread roster check roster.json
      overread roster put roster.json --aws
    """


@roster.command(epilog=EPILOG)
@with_target
@_as_json
def show(*, target: Target, as_json: bool) -> None:
    """Show the roster in force and the one that is proposed, each with its people."""
    state = target.steering.roster()
    if as_json:
        _print(state)
        return
    document = state.document
    if document.get("sha256"):
        by = f"{document['proposed_by']}, approved by {document['approved_by']}"
        click.echo(f"in force  {document['sha256']}, since {document['changed_at']}, by {by}")
        _show_people(document["document"])
    else:
        click.echo("no roster is in force")
    if proposal := document.get("proposal"):
        click.echo(f"proposed  {proposal['value']}, {proposal['at']}, by {proposal['by']}")
        _show_people(proposal["document"])


@roster.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(*, file: Path) -> None:
    """Check the roster in FILE; exit with 2 and every fault when it must not be used."""
    checked = _checked(file)
    click.echo(f"{len(checked['people'])} people; the roster is right")


@roster.command(epilog=EPILOG)
@with_target
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_as_json
def put(*, target: Target, file: Path, as_json: bool) -> None:
    """Put the roster in FILE in force, once as many persons put it as the deployment wants."""
    _checked(file)
    state = target.steering.put_roster(file.read_bytes())
    if as_json:
        _print(state)
    elif state.awaits_second:
        click.echo(f"{state.document['proposal']['value']} is {_SECOND}")
    else:
        click.echo(f"{state.document['sha256']} is in force")


def _checked(file: Path) -> dict[str, Any]:
    try:
        parse_roster(file.read_bytes())
    except InvalidRosterError as error:
        faults = "\n".join(f"  {fault}" for fault in error.faults)
        raise BadInputError(f"{file}: the roster must not be used:\n{faults}") from error
    document: dict[str, Any] = json.loads(file.read_bytes())
    return document


def _show_people(document: dict[str, Any]) -> None:
    for person in document["people"]:
        revoked = f"  revoked {person['revoked_at']}" if person.get("revoked_at") else ""
        click.echo(f"  {person['name']}  {person['sub']}{revoked}")
        for use_case, terms in sorted(person.get("use_cases", {}).items()):
            limit = terms.get("authority_limit")
            amount = "" if limit is None else f", up to {limit:g}"
            click.echo(f"    {use_case} until {terms['qualified_until']}{amount}")


def _show_switch(state: SteeredState, *, as_json: bool) -> None:
    if as_json:
        _print(state)
        return
    document = state.document
    whose = "every use case" if document["scope"] == "all" else document["scope"]
    click.echo(f"{whose}: {'on, people decide' if document['is_on'] else 'off, models may decide'}")
    if changed := document.get("changed_at"):
        click.echo(f"  since {changed}, by {document.get('changed_by')}: {document.get('reason')}")
    if proposal := document.get("proposal"):
        by = f"{proposal['by']} at {proposal['at']}: {proposal['reason']}"
        click.echo(f"  {proposal['value']} is {_SECOND}; proposed by {by}")


def _print(state: SteeredState) -> None:
    click.echo(json.dumps(state.document, indent=2, ensure_ascii=False))
