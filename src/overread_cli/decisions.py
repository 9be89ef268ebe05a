"""`overread decide` and `overread decisions`: ask for decisions, and say what became of them."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import click

from overread.strict_json import parse_json
from overread_cli.decision_target import EPILOG, BadInputError, Target, with_target
from overread_client import ApiError, ApiUnreachableError, Decision, ListedDecision

STATES = ("RECEIVED", "PENDING", "IN_REVIEW", "ESCALATED", "FINAL", "CANCELLED")
_as_json = click.option("--json", "as_json", is_flag=True, help="The API's own document.")
_wait = click.option(
    "--wait", "wait_s", type=click.FloatRange(0), metavar="S", help="Wait so many seconds for people."
)


@click.command(epilog=EPILOG)
@with_target
@click.argument("use_case")
@click.option(
    "--input",
    "file",
    type=click.File(encoding="utf-8"),
    required=True,
    help="JSON object to decide on; - is standard input.",
)
@click.option("--key", help="Idempotency key: the same key is the same decision. A new one by default.")
@_wait
@click.option("--reference", help="Your own name for the case.")
@click.option("--priority", type=click.Choice(["low", "normal", "high"]))
@click.option("--deadline", metavar="TIME", help="Such as 2026-12-01T12:00:00Z.")
@click.option(
    "--prediction",
    type=click.File(encoding="utf-8"),
    help="Your own model's prediction, for use cases that take the caller's.",
)
@_as_json
def decide(
    *,
    target: Target,
    use_case: str,
    file: Any,
    key: str | None,
    wait_s: float | None,
    reference: str | None,
    priority: str | None,
    deadline: str | None,
    prediction: Any,
    as_json: bool,
) -> None:
    """Ask for a decision of USE_CASE: by the model where it is sure, else by people.

    \b
    Examples:
      overread decide loan-approval --input case.json --key order-8841 --wait 600
      echo '{"amount": 9600}' | overread decide loan-approval --input - --aws
    """
    given, sent_key = _object(file), key or str(uuid.uuid4())
    stated = None if prediction is None else _object(prediction)
    try:
        decision = target.decisions.decide(
            use_case,
            given,
            idempotency_key=sent_key,
            reference=reference,
            priority=priority,
            deadline=deadline,
            prediction=stated,
        )
    except (ApiError, ApiUnreachableError) as error:
        if isinstance(error, ApiUnreachableError) or error.status >= 500:
            click.echo(f"it may have been decided all the same: ask again with --key {sent_key}", err=True)
        raise
    _show_once_final(decision, wait_s=wait_s, as_json=as_json)


@click.group(epilog=EPILOG)
def decisions() -> None:
    """Read, watch, contest and cancel decisions, and tell what turned out to be right.

    \b
    Without options the commands go to what is deployed on the local stack (`overread local up`).
      --aws                     the deployment on AWS, found by its stack's output ApiUrl
      --url URL                 a deployed API; OVERREAD_API_URL says it once for all
      --state-dir D --url URL   one that is deployed on the local stack in D

    Calls are signed with the credentials that boto3 finds. Where a deployment takes OIDC clients, the
    variable OVERREAD_API_TOKEN holds the bearer token. You see the decisions that the same role asked for.
    """


@decisions.command(epilog=EPILOG)
@with_target
@click.argument("decision_id")
@_wait
@_as_json
def get(*, target: Target, decision_id: str, wait_s: float | None, as_json: bool) -> None:
    """Show the decision DECISION_ID as it stands."""
    _show_once_final(target.decisions.get(decision_id), wait_s=wait_s, as_json=as_json)


@decisions.command(name="list", epilog=EPILOG)
@with_target
@click.option("--state", type=click.Choice(STATES, case_sensitive=False), help="Only those that stand so.")
@click.option("--reference", help="Only those of this case.")
@click.option("--use-case", help="Only those of this use case.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_decisions(
    *,
    target: Target,
    state: str | None,
    reference: str | None,
    use_case: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List your own decisions, the newest first.

    \b
    Examples:
      overread decisions list --state ESCALATED
      overread decisions list --reference loan-8841 --json | jq -r .decision_id
    """
    page = min(limit + 1, 100)
    found = list(
        islice(
            target.decisions.list(state=state, reference=reference, use_case=use_case, page_size=page),
            limit + 1,
        )
    )
    for one in found[:limit]:
        click.echo(json.dumps(_listed_document(one)) if as_json else _row(one))
    if not found and not as_json:
        click.echo("no decisions stand so" if state or reference or use_case else "no decisions")
    if len(found) > limit:
        click.echo(f"… and more; --limit {limit * 10} shows them", err=True)


@decisions.command(epilog=EPILOG)
@with_target
@click.argument("decision_id")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(0),
    default=86_400.0,
    metavar="S",
    help="A day by default.",
)
@_as_json
def watch(*, target: Target, decision_id: str, timeout_s: float, as_json: bool) -> None:
    """Print the decision DECISION_ID each time it changes, until it is over."""
    last: Decision | None = None
    for last in target.decisions.watch(decision_id, timeout_s=timeout_s):
        click.echo(json.dumps(last.document) if as_json else _line(last))
    if last is not None and not last.is_over:
        raise click.ClickException(f"decision {decision_id} was not final after {timeout_s:g} s")


@decisions.command(epilog=EPILOG)
@with_target
@click.argument("decision_id")
@click.option("--reason-code", help="Kept with the decision, such as withdrawn.")
@_as_json
def cancel(*, target: Target, decision_id: str, reason_code: str | None, as_json: bool) -> None:
    """End the decision DECISION_ID without an outcome; its open reviews are stopped."""
    _show(target.decisions.cancel(decision_id, reason_code=reason_code), as_json=as_json)


@decisions.command(epilog=EPILOG)
@with_target
@click.argument("decision_id")
@click.option("--grounds", help="Why; the new reviewers read it.")
@click.option("--key", help="Idempotency key; made from the decision's id by default.")
@_wait
@_as_json
def contest(
    *,
    target: Target,
    decision_id: str,
    grounds: str | None,
    key: str | None,
    wait_s: float | None,
    as_json: bool,
) -> None:
    """Have other people decide the final decision DECISION_ID again; shows the new decision."""
    new = target.decisions.contest(decision_id, grounds=grounds, idempotency_key=key)
    _show_once_final(new, wait_s=wait_s, as_json=as_json)


@decisions.command(epilog=EPILOG)
@with_target
@click.argument("decision_id")
@click.argument("label")
@click.option("--learnt-at", metavar="TIME", help="Such as 2026-12-01T12:00:00Z; now by default.")
@_as_json
def outcome(*, target: Target, decision_id: str, label: str, learnt_at: str | None, as_json: bool) -> None:
    """Tell that LABEL turned out to be right for the final decision DECISION_ID."""
    _show(target.decisions.outcome(decision_id, label, learnt_at=learnt_at), as_json=as_json)


@decisions.command(epilog=EPILOG)
@with_target
@click.argument("decision_ids", nargs=-1, required=True, metavar="DECISION_ID...")
@click.option("--grounds", required=True, help="Why; the new reviewers read it.")
def recheck(*, target: Target, decision_ids: Sequence[str], grounds: str) -> None:
    """Have other people read final decisions of any caller again; - takes their ids from standard input.

    For those who steer. Running it again changes nothing. Decisions that somebody contests already are
    told, and left to that.
    """
    wanted = list(dict.fromkeys(_ids(decision_ids)))
    refused = [one for one in wanted if not _recheck(one, grounds=grounds, target=target)]
    click.echo(f"{len(wanted) - len(refused):,} of {len(wanted):,} are read again")
    if refused:
        raise click.ClickException(f"not read again: {', '.join(refused)}")


def _ids(given: Sequence[str]) -> Iterator[str]:
    for one in given:
        if one == "-":
            yield from sys.stdin.read().split()
        else:
            yield one


def _recheck(decision_id: str, *, grounds: str, target: Target) -> bool:
    try:
        new = target.steering.recheck(decision_id, grounds=grounds)
    except ApiError as error:
        if error.status not in (404, 409, 422):
            raise
        click.echo(f"{decision_id}: {error.detail}")
        return False
    click.echo(f"{decision_id}: read again as {new.document['decision_id']}")
    return True


def _object(file: Any) -> dict[str, Any]:
    try:
        document = parse_json(file.read().encode())
    except ValueError as error:  # what is not UTF-8 is one, too
        raise BadInputError(f"{file.name} is not JSON: {error}\nnothing was sent") from error
    if not isinstance(document, dict):
        raise BadInputError(f"{file.name} must hold a JSON object\nnothing was sent")
    return document


def _show_once_final(decision: Decision, *, wait_s: float | None, as_json: bool) -> None:
    if wait_s is not None and not decision.is_over:
        click.echo(f"{decision.decision_id} is {decision.state}; waiting", err=True)
        decision = decision.wait(wait_s)
    _show(decision, as_json=as_json)


def _show(decision: Decision, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(decision.document, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(described(decision)))


def described(decision: Decision) -> Iterator[str]:
    """A decision in lines for people: what is there of it, a name and a value each."""
    document = decision.document
    yield f"decision      {decision.decision_id}"
    yield f"use case      {decision.use_case}"
    yield f"state         {decision.state}{_waiting(document)}"
    for name in ("reference", "supersedes", "contested_by"):
        if name in document:
            yield f"{name.replace('_', ' '):<14}{document[name]}"
    if told := document.get("outcome"):
        code = f", {told['reason_code']}" if told.get("reason_code") else ""
        yield f"outcome       {told['label']}, by {_who(told['source'])}{code}, {told['decided_at']}"
    if truth := document.get("truth"):
        yield f"truth         {truth['label']}, learnt {truth['learnt_at']}"
    if predicted := document.get("prediction"):
        model = f"{predicted['model']} {predicted['version']}"
        yield f"prediction    {predicted['label']} at {predicted['confidence']:g}, by {model}"
    if route := document.get("route"):
        reasons = "; ".join(map(_reason, route["reasons"]))
        would = "would go" if document.get("shadow") else "goes"
        yield f"route         {would} to {_who(route['to'])}{': ' if reasons else ''}{reasons}"
    if cancellation := document.get("cancellation"):
        yield f"cancelled     {_reason(cancellation)}"
    if escalation := document.get("review", {}).get("escalation"):
        yield f"escalated     {_reason(escalation)}"


def _line(decision: Decision) -> str:
    label = f"  {decision.label}" if decision.label else ""
    return f"{decision.decision_id}  {decision.state}{_waiting(decision.document)}{label}"


def _row(one: ListedDecision) -> str:
    return f"{one.received_at}  {one.decision_id}  {one.state:<9}  {one.use_case}  {one.reference}".rstrip()


def _listed_document(one: ListedDecision) -> dict[str, str]:
    return {
        "decision_id": one.decision_id,
        "use_case": one.use_case,
        "state": one.state,
        "reference": one.reference,
        "received_at": one.received_at,
    }


def _waiting(document: Mapping[str, Any]) -> str:
    waiting = document.get("review", {}).get("waiting")
    return f" (review not started yet: {waiting['code']})" if waiting else ""


def _who(source: str) -> str:
    return "people" if source == "human" else f"the {source}"


def _reason(reason: Mapping[str, Any]) -> str:
    details = ", ".join(f"{name} {value}" for name, value in reason.items() if name != "code")
    return f"{reason['code']} ({details})" if details else str(reason["code"])
