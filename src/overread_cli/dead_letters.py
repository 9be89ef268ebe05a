"""`overread dead-letters`: events that no function could handle, and handing them over again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import click

from overread_aws.dead_letters import DeadLetterQueue, Remedy, SqsDeadLetters
from overread_cli.audit.target import Target, with_target

_EPILOG = """\b
Exit codes: 0 done; 1 messages were left, or AWS could not be reached; 2 the command line is at fault.
"""


@click.group(name="dead-letters", epilog=_EPILOG)
def dead_letters() -> None:
    """Events that no function could handle.

    They are kept for 14 days. Nothing waits for them: sweeps finish every decision without any event. Handing
    them over again, once the cause is mended, only makes it sooner.

    \b
    Examples:
      overread dead-letters list --aws
      overread dead-letters redrive --all --aws
    """


@dead_letters.command(name="list", epilog=_EPILOG)
@with_target
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_queues(*, target: Target, as_json: bool) -> None:
    """List the queues and how many messages each holds."""
    for queue in _letters(target).queues():
        row = {"queue": queue.name, "messages": queue.messages}
        click.echo(json.dumps(row) if as_json else f"{queue.messages:>6,}  {queue.name}")


@dead_letters.command(epilog=_EPILOG)
@with_target
@click.argument("queues", nargs=-1, metavar="[QUEUE]...")
@click.option("--all", "is_all", is_flag=True, help="All queues of the deployment.")
def redrive(*, target: Target, queues: Sequence[str], is_all: bool) -> None:
    """Hand the messages of QUEUEs over again, or of --all, and remove them.

    Those whose work the next sweep does anyway are removed, and so are requests of CloudFormation, which
    waits for them no longer. Those of no known kind, or whose function is gone, are left.
    """
    if is_all == bool(queues):
        raise click.UsageError("name the queues as `list` shows them, or give --all")
    letters = _letters(target)
    known = {queue.name: queue for queue in letters.queues()}
    if unknown := sorted(set(queues) - known.keys()):
        raise click.UsageError(f"no queue of {target.name}: {', '.join(unknown)}")
    wanted = sorted(queues) or [queue.name for queue in known.values() if queue.messages]
    left = sum(_redrive(known[name], letters=letters) for name in wanted)
    if left:
        raise click.ClickException(f"{left:,} messages were left: read them in the queue's console")


def _redrive(queue: DeadLetterQueue, *, letters: SqsDeadLetters) -> int:
    """How many were left."""
    found = Counter(letters.redrive(queue))
    for remedy, count in sorted(found.items()):
        click.echo(f"{queue.name}: {count:,} {remedy}")
    return found[Remedy.UNKNOWN]


def _letters(target: Target) -> SqsDeadLetters:
    return SqsDeadLetters(
        target.make_client("sqs"), target.make_client("lambda"), prefix=f"{target.deployment}-"
    )
