"""`overread guarantee` and `overread monitor`: what was promised of a model, and whether it still holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from overread.errors import InvalidGuaranteeError
from overread.risk.guarantee import ThresholdGuarantee, parse_guarantee
from overread_cli.decision_target import EPILOG, BadInputError, Target, with_target
from overread_client import SteeredState

_use_case = click.option("--use-case", required=True, metavar="NAME", help="The use case.")
_as_json = click.option("--json", "as_json", is_flag=True, help="The API's own document.")
_SECOND = "proposed; it happens when another person gives the same command"


@click.group(epilog=EPILOG)
def guarantee() -> None:
    """Threshold guarantees: which one is approved for a use case, and who approved it.

    A routing policy that stands on a guarantee goes out only when the guarantee is approved.

    \b
    Examples:
      overread threshold certify --scores scores.csv --alpha 0.02 --delta 0.05 --guarantee loans.json …
      overread guarantee propose loans.json --aws
    """


@guarantee.command(epilog=EPILOG)
@with_target
@_use_case
@_as_json
def show(*, target: Target, use_case: str, as_json: bool) -> None:
    """Show the guarantee that is approved and the one that is proposed."""
    _show_guarantee(target.steering.guarantee(use_case), as_json=as_json)


@guarantee.command(epilog=EPILOG)
@with_target
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_as_json
def propose(*, target: Target, file: Path, as_json: bool) -> None:
    """Propose the guarantee in FILE for its use case; another person's same command approves it."""
    body = file.read_bytes()
    state = target.steering.put_guarantee(_checked(file, body).use_case, body)
    _show_guarantee(state, as_json=as_json)


@click.group(epilog=EPILOG)
def monitor() -> None:
    """The error monitor: how often the model is wrong, by spot checks, and whether that is too often.

    \b
    Examples:
      overread monitor status --aws
      overread monitor restart --use-case loan-approval --reason "model 8 replaced model 7" --aws
    """


@monitor.command(epilog=EPILOG)
@with_target
@click.option("--use-case", metavar="NAME", help="Only of this use case.")
@_as_json
def status(*, target: Target, use_case: str | None, as_json: bool) -> None:
    """Show what was audited, how many were wrong, and how near the alarm is."""
    steering = target.steering
    state = steering.error_monitors() if use_case is None else steering.error_monitor(use_case)
    if as_json:
        _print(state)
        return
    for document in state.document["error_monitors"] if use_case is None else [state.document]:
        _show_monitor(document)


@monitor.command(epilog=EPILOG)
@with_target
@_use_case
@click.option("--reason", required=True, help="Why; the audit log keeps it.")
@_as_json
def restart(*, target: Target, use_case: str, reason: str, as_json: bool) -> None:
    """Let a monitor begin anew, once as many persons say so as the deployment wants.

    The kill switch stays as it is: `overread kill-switch off` lets the model decide again.
    """
    state = target.steering.restart_error_monitor(use_case, reason=reason)
    if as_json:
        _print(state)
        return
    _show_monitor(state.document)


def _checked(file: Path, body: bytes) -> ThresholdGuarantee:
    try:
        return parse_guarantee(body)
    except InvalidGuaranteeError as error:
        faults = "\n".join(f"  {fault}" for fault in error.faults)
        raise BadInputError(f"{file}: the guarantee must not be used:\n{faults}") from error


def _show_guarantee(state: SteeredState, *, as_json: bool) -> None:
    if as_json:
        _print(state)
        return
    document = state.document
    if document.get("id"):
        by = f"{document['proposed_by']}, approved by {document['approved_by']}"
        click.echo(f"approved  {document['id']}, since {document['changed_at']}, by {by}")
        click.echo(f"  {_promise(document['document'])}")
    else:
        click.echo(f"{document['use_case']}: no guarantee is approved")
    if proposal := document.get("proposal"):
        click.echo(f"proposed  {proposal['id']}, {proposal['at']}, by {proposal['by']}: {_SECOND}")
        click.echo(f"  {_promise(proposal['document'])}")


def _promise(document: dict[str, Any]) -> str:
    least = 1 - document["delta"]
    return (
        f"at most {document['alpha']:.3g} of automatic decisions wrong, {least:.3g} sure, from confidence "
        f"{document['threshold']:.4g} on ({document['coverage']:.1%} of cases), model "
        f"{document['model_version']}, against {document['reference']['standard']}"
    )


def _show_monitor(document: Mapping[str, Any]) -> None:
    name = document["use_case"]
    if not document["is_watched"]:
        click.echo(f"{name}: the routing policy wants no error monitor")
        return
    word = f"ALARM since {document['alarmed_at']}, people decide" if document["is_alarm"] else "calm"
    low, high = document["interval"]
    click.echo(f"{name}: {word}")
    click.echo(
        f"  {document['errors']} of {document['audited']} audited decisions wrong, since {document['since']}"
    )
    click.echo(f"  error rate between {low:.2%} and {high:.2%}; allowed {document['alpha']:.2%}")
    recent = document["recent"]
    if recent["audited"] and recent["audited"] < document["audited"]:
        click.echo(f"  of the last {recent['audited']}: {recent['errors']} wrong")
    evidence, needed = document["evidence_log10"], document["alarm_evidence_log10"]
    click.echo(f"  evidence 10^{evidence:.2f}; the alarm is raised at 10^{needed:.2f}")
    if document["passed_over"]:
        click.echo(f"  {document['passed_over']} audits of another guarantee or model are not counted")
    if proposal := document.get("proposal"):
        by = f"{proposal['by']} at {proposal['at']}: {proposal['reason']}"
        click.echo(f"  to begin anew is {_SECOND}; proposed by {by}")


def _print(state: SteeredState) -> None:
    click.echo(json.dumps(state.document, indent=2, ensure_ascii=False))
