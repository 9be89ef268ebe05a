"""`overread outbox`: news that nobody took, and making them due again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import click

from overread.instants import format_instant
from overread_aws.outbox_store import DynamoDbOutbox, HeldNews, OutboxKey
from overread_cli.audit.target import Target, with_target

_EPILOG = """\b
Exit codes: 0 done; 1 refused, or not to be reached; 2 the command line is at fault.
"""
_EVER = timedelta(days=3650)
_TARGETS = ("events", "webhook", "feedback")
_use_case = click.option("--use-case", metavar="NAME", help="Only news of this use case.")


@click.group(epilog=_EPILOG)
def outbox() -> None:
    """News of decisions that nobody took.

    News that could not be delivered for three days are set aside; `redrive` makes them due again.

    \b
    Examples:
      overread outbox list --aws
      overread outbox redrive --all --use-case loan-approval --aws
    """


@outbox.command(name="list", epilog=_EPILOG)
@with_target
@click.option("--due", "is_due", is_flag=True, help="Those that are still being tried, instead.")
@_use_case
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_news(*, target: Target, is_due: bool, use_case: str | None, as_json: bool) -> None:
    """What was set aside, or with --due is still being tried: its key, what it tells, how often and why."""
    store = _store(target)
    keys = store.due(until=datetime.now(UTC) + _EVER) if is_due else store.dead()
    held = _of(store, list(keys), use_case=use_case)
    for one in held:
        click.echo(json.dumps(_document(one)) if as_json else _row(one))
    if not held and not as_json:
        click.echo("none are due" if is_due else "none were set aside")


@outbox.command(epilog=_EPILOG)
@with_target
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option("--all", "is_all", is_flag=True, help="All that were set aside.")
@_use_case
def redrive(*, target: Target, keys: Sequence[str], is_all: bool, use_case: str | None) -> None:
    """Make news due again as if they had never been tried: those with these KEYs, as `list` shows, or --all.

    They are delivered within a minute.
    """
    if is_all == bool(keys):
        raise click.UsageError("name the news by their keys, or give --all")
    if use_case and not is_all:
        raise click.UsageError("--use-case goes with --all")
    store = _store(target)
    named = [key_of(text) for text in keys] or [
        _key(one) for one in _of(store, list(store.dead()), use_case=use_case)
    ]
    missed = [one for one in named if not _redriven(store, one)]
    click.echo(f"{len(named) - len(missed):,} due again")
    if missed and not is_all:
        raise click.ClickException(f"not set aside: {', '.join(map(_text, missed))}")


def key_of(text: str) -> OutboxKey:
    """The key that `list` shows as `decision/number/target`.

    Raises:
        click.BadParameter: it is none.
    """
    decision_id, number, target = (["", "", *text.rsplit("/", 2)])[-3:]
    if not (decision_id and number.isascii() and number.isdecimal() and target in _TARGETS):
        raise click.BadParameter(f"{text!r} must be decision/number/target, as `overread outbox list` shows")
    return decision_id, int(number), target


def _store(target: Target) -> DynamoDbOutbox:
    return DynamoDbOutbox(target.make_client("dynamodb"), table=target.outputs["TableName"])


def _of(store: DynamoDbOutbox, keys: Sequence[OutboxKey], *, use_case: str | None) -> list[HeldNews]:
    """What is held under the keys; what was delivered since they were listed is left out."""
    found = [store.held(decision_id, number=number, target=target) for decision_id, number, target in keys]
    return [one for one in found if one and use_case in (None, one.entry.use_case)]


def _redriven(store: DynamoDbOutbox, key: OutboxKey) -> bool:
    decision_id, number, target = key
    return store.redrive(decision_id, number=number, target=target, at=datetime.now(UTC))


def _key(held: HeldNews) -> OutboxKey:
    return held.entry.decision_id, held.entry.number, held.entry.target


def _text(key: OutboxKey) -> str:
    return "/".join(map(str, key))


def _row(held: HeldNews) -> str:
    entry = held.entry
    tried = f"{entry.attempts} attempts since {format_instant(entry.created_at)}"
    end = held.gave_up_code or f"again at {format_instant(entry.due_at)}"
    return f"{_text(_key(held))}  {entry.event}  {entry.use_case or '-'}  {tried}  {end}"


def _document(held: HeldNews) -> dict[str, object]:
    entry = held.entry
    return {
        "key": _text(_key(held)),
        "event": entry.event,
        "use_case": entry.use_case,
        "attempts": entry.attempts,
        "created_at": format_instant(entry.created_at),
        "due_at": None if held.gave_up_code else format_instant(entry.due_at),
        "gave_up_code": held.gave_up_code or None,
    }
