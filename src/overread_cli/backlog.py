"""`overread backlog`: what waits for people, whoever asked for it; for those who operate a deployment."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

import click

from overread.decisions.record import Record
from overread.instants import format_instant
from overread_aws.backlog import DynamoDbBacklog, OpenCase
from overread_aws.decision_items import WITH_PEOPLE
from overread_cli.audit.target import Target, with_target

_EPILOG = """\b
Exit codes: 0 done; 1 there is no such decision, or AWS could not be reached; 2 the command line is at fault.
"""
_STATES = [str(state) for state in WITH_PEOPLE]


@click.group(epilog=_EPILOG)
def backlog() -> None:
    """Decisions that wait for people, whoever asked for them.

    `overread decisions` shows callers their own. Nothing here tells of a case or its answers.

    \b
    Examples:
      overread backlog list --state PENDING --aws
      overread backlog show d-modiahu6ljcw3rsdvfaznkaifn --aws
    """


@backlog.command(name="list", epilog=_EPILOG)
@with_target
@click.option("--state", type=click.Choice(_STATES, case_sensitive=False), help="Only those in this state.")
@click.option("--use-case", metavar="NAME", help="Only those of this use case.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_waiting(
    *, target: Target, state: str | None, use_case: str | None, limit: int, as_json: bool
) -> None:
    """List what waits, of each state the oldest first, with how often its human loop could not be started."""
    cases = DynamoDbBacklog(target.make_client("dynamodb"), table=target.outputs["TableName"]).with_people()
    wanted = (one for one in cases if state in (None, str(one.state)) and use_case in (None, one.use_case))
    found = list(islice(wanted, limit))
    for one in found:
        click.echo(json.dumps(_case(one)) if as_json else _line(one))
    if not found and not as_json:
        click.echo("nothing waits")


@backlog.command(epilog=_EPILOG)
@with_target
@click.argument("decision_id", metavar="DECISION")
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
def show(*, target: Target, decision_id: str, as_json: bool) -> None:
    """Show where a decision stands: its state, why people decide it, its human loops, the next look."""
    record = target.records.get(decision_id)
    if record is None:
        raise click.ClickException(f"{target.name} has no decision {decision_id}")
    document = _standing(record)
    click.echo(json.dumps(document, indent=2) if as_json else "\n".join(_lines(document)))


def _case(one: OpenCase) -> dict[str, Any]:
    return {
        "decision_id": one.decision_id,
        "state": str(one.state),
        "use_case": one.use_case,
        "received_at": format_instant(one.received_at),
        "failed_starts": one.failed_starts,
    }


def _line(one: OpenCase) -> str:
    failed = f"  {one.failed_starts} starts failed" if one.failed_starts else ""
    return f"{one.decision_id}  {one.state}  {one.use_case}  since {format_instant(one.received_at)}{failed}"


def _standing(record: Record) -> dict[str, Any]:
    waiting = record.waiting
    return {
        "decision_id": record.decision_id,
        "state": str(record.state),
        "use_case": record.use_case,
        "received_at": format_instant(record.received_at),
        "due_at": record.due_at and format_instant(record.due_at),
        "reasons": [str(reason.code) for reason in record.route.reasons] if record.route else [],
        "waiting": waiting
        and {
            "code": waiting.code,
            "attempts": waiting.attempts,
            "next_attempt_at": format_instant(waiting.next_attempt_at),
        },
        "human_loops": [
            {
                "name": review.loop_name,
                "flow_definition": review.flow_definition_arn.rpartition("/")[2],
                "end": str(review.end),
            }
            for review in record.reviews
        ],
    }


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [
        f"{found['decision_id']}  {found['state']}  {found['use_case']}  since {found['received_at']}",
        f"looked at next: {found['due_at'] or 'never, nothing is left to do'}",
        *([f"with people because: {', '.join(found['reasons'])}"] if found["reasons"] else []),
    ]
    if waiting := found["waiting"]:
        lines.append(
            f"review not started yet: {waiting['code']}, {waiting['attempts']} attempts, "
            f"again at {waiting['next_attempt_at']}"
        )
    return [
        *lines,
        *(
            f"human loop {one['name']}  {one['end']}  {one['flow_definition']}"
            for one in found["human_loops"]
        ),
    ]
