"""`overread review`: list, show, start, answer, stop and export human loops."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click

from overread.review.wire import LoopStatus
from overread.strict_json import parse_json
from overread_cli.review.exporting import Export, ExportRefusedError, export, output_of
from overread_cli.review.loops import described, instant, loops_of, table
from overread_cli.review.starting import InputFaultsError, LoopToStart, loops_to_start
from overread_cli.review.targets import Target, in_words, with_target
from overread_client import ReviewOperations

_SHOWN_FAILURES = 5
_EPILOG = """\b
Exit codes: 0 done; 1 the service refused it or could not be reached, or part of it failed;
2 the command line or the input file is at fault, and nothing was done.
"""


class BadInputError(click.ClickException):
    """The input is at fault; nothing was done."""

    exit_code = 2


@click.group(epilog=_EPILOG)
def review() -> None:
    """Work with human loops: on the local stack, a deployed review service, or Amazon A2I.

    \b
    Without options the commands go to the local stack (`overread local up`).
      --url URL           a deployed review service: the output ReviewUrl of the review stack
      --state-dir D --url URL   the one that is deployed on the local stack in D
      --aws               Amazon A2I, for accounts that have it

    Flow definitions are given by ARN, by name, or by name without the hash that a deployment adds.
    """


@review.command(name="list", epilog=_EPILOG)
@with_target
@click.option(
    "--flow-definition", metavar="NAME|ARN", help="Only its loops; all flow definitions by default."
)
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice([str(status) for status in LoopStatus], case_sensitive=False),
    help="Only loops that stand so; repeat for more.",
)
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_loops(
    *, target: Target, flow_definition: str | None, statuses: tuple[str, ...], limit: int, as_json: bool
) -> None:
    """List human loops, the newest of each flow definition first.

    \b
    Examples:
      overread review list
      overread review list --flow-definition loans --status InProgress
      overread review list --json | jq -r 'select(.age_s > 3600) | .name'
    """
    now = datetime.now(UTC)
    arns = [target.flow_definition_arn(flow_definition)] if flow_definition else target.flow_definitions()
    wanted = (
        loop
        for arn in arns
        for loop in loops_of(target, arn, now=now)
        if not statuses or loop.status in statuses
    )
    found = list(islice(wanted, limit + 1))
    shown = found[:limit]
    if as_json:
        for loop in shown:
            click.echo(json.dumps(loop.document()))
    elif shown:
        click.echo("\n".join(table(shown)))
    else:
        click.echo(f"no human loops {'stand so ' if statuses else ''}on {target.name}")
    if len(found) > limit:
        click.echo(f"… and more; --limit {limit * 10} shows them", err=True)


@review.command(epilog=_EPILOG)
@with_target
@click.argument("name")
@click.option("--input", "with_input", is_flag=True, help="Print the loop's input too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(*, target: Target, name: str, with_input: bool, as_json: bool) -> None:
    """Show the human loop NAME: where it stands, who holds it, who answered what, and its guideline version.

    Names of people appear as the deployment's setting `statistics` lets leads see them. Amazon A2I tells of
    its answers only in the output document, so there the answers come once the loop has ended.

    \b
    Examples:
      overread review show h-7yh2k4xkq3m5r6s7t8u9v0w1x2-g1
      overread review show my-loop --input --json
    """
    loop = target.a2i.describe_human_loop(HumanLoopName=name)
    work, given = _work(target, loop, with_input=with_input)
    if as_json:
        document = _describe_document(loop) | {"work": work}
        click.echo(json.dumps(document | ({"input": given} if with_input else {}), indent=2))
        return
    click.echo("\n".join(described(loop, work, now=datetime.now(UTC))))
    if with_input:
        click.echo("input            " + ("known once the loop has ended" if given is None else ""))
        click.echo("" if given is None else json.dumps(given, indent=2, ensure_ascii=False))


@review.command(epilog=_EPILOG)
@with_target
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option("--flow-definition", metavar="NAME|ARN", required=True, help="How they are to be reviewed.")
@click.option("--name", help="The loop's name, for one object; a hash of its input by default.")
def start(*, target: Target, file: Any, flow_definition: str, name: str | None) -> None:
    """Start human loops from FILE (- is standard input): one JSON object, or JSON Lines, one object a line.

    Each object is the input of one loop, as the worker template reads it under `task.input`. All of it is
    checked before the first loop starts. The same input under the same flow definition has the same name, so
    a command that was interrupted is simply given again. Prints the names.

    \b
    Examples:
      overread review start case.json --flow-definition loans --name case-17
      overread review start cases.jsonl --flow-definition loans > names.txt
      echo '{"note": "too much?", "overread": {"priority": "high"}}' |
          overread review start - --flow-definition loans
    """
    text = _read_text(file)
    arn = _active(target, flow_definition)
    try:
        loops = loops_to_start(text, source=file.name, flow_definition_arn=arn, name=name)
    except InputFaultsError as error:
        raise BadInputError(f"{error}\nnothing was started") from error
    for number, loop in enumerate(loops):
        _start_one(target, loop, arn=arn, before=number, of=len(loops))
        click.echo(loop.name)


@review.command(epilog=_EPILOG)
@with_target
@click.argument("name")
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option(
    "--reviewer", default="sandbox-1", show_default=True, help="Synthetic reviewer; one for each seat."
)
def answer(*, target: Target, name: str, file: Any, reviewer: str) -> None:
    """Answer the human loop NAME with the form's answer in FILE (- is standard input), for tests.

    Works where the deployment is a sandbox: `overread local up --sandbox`, or `review.sandbox: true`.

    \b
    Example:
      echo '{"decision": {"label": "approve"}}' | overread review answer h-…-g1 -
    """
    content = _json_object(_read_text(file), source=file.name)
    sandbox = target.sandbox
    if sandbox is None:
        raise click.ClickException(f"{target.name} takes answers from its portal only")
    click.echo(f"{name}: {sandbox.answer(name, content, reviewer=reviewer)}")


@review.command(epilog=_EPILOG)
@with_target
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def stop(*, target: Target, names: Sequence[str]) -> None:
    """Stop human loops. Who has begun one may still submit; until then it stands at Stopping.

    \b
    Example:
      overread review list --status InProgress --json | jq -r .name | xargs overread review stop
    """
    failed = 0
    for name in names:
        try:
            with in_words():
                target.a2i.stop_human_loop(HumanLoopName=name)
                status = target.a2i.describe_human_loop(HumanLoopName=name)["HumanLoopStatus"]
            click.echo(f"{name}: {status}")
        except click.ClickException as error:
            failed += 1
            click.echo(f"{name}: {error.message}", err=True)
    if failed:
        raise click.ClickException(f"{failed} of {len(names)} could not be stopped")


@review.command(name="export", epilog=_EPILOG)
@with_target
@click.option("--flow-definition", metavar="NAME|ARN", required=True, help="Whose loops.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="JSON Lines, one output document a line.",
)
def export_loops(*, target: Target, flow_definition: str, output: Path) -> None:
    """Export the output documents of a flow definition's finished loops.

    An interrupted export leaves OUTPUT.part, and the same command goes on with it. A later export adds what
    has finished since. OUTPUT always holds whole lines and changes in one step.

    \b
    Example:
      overread review export --flow-definition loans --output loans.jsonl
    """
    progress = _Progress()
    if not output.parent.is_dir():
        raise BadInputError(f"{output.parent} is no folder")
    arn = target.flow_definition_arn(flow_definition)
    try:
        result = export(target, arn, output=output, now=datetime.now(UTC), progress=progress)
    except ExportRefusedError as error:
        raise BadInputError(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from error
    except KeyboardInterrupt:
        progress.end()
        raise click.ClickException(f"interrupted; the same command goes on with {output}.part") from None
    progress.end()
    click.echo(f"{output}: {result}")
    for failure in result.failures[:_SHOWN_FAILURES]:
        click.echo(failure, err=True)
    if result.failures:
        raise click.ClickException("not all output documents could be read; the same command tries again")


@review.command(name="open", epilog=_EPILOG)
@with_target
def open_portal(*, target: Target) -> None:
    """Print the address of the reviewers' portal."""
    click.echo(target.portal_url)


@review.group()
def qualification() -> None:
    """What reviewers have to show before they get tasks: tests, gold questions, and who passed."""


@qualification.command(name="put", epilog=_EPILOG)
@with_target
@click.argument("name")
@click.argument("file", type=click.File(encoding="utf-8"))
def put_qualification(*, target: Target, name: str, file: Any) -> None:
    """Create or replace the qualification NAME from FILE, a JSON object.

    \b
    Its members:
      items       the gold questions: [{"id": …, "input": {…}, "expected": {"decision": "approve"}}]
      questions   how many of them a test asks
      pass_mark   the share that has to be right, such as 0.8
      gold_share  the share of gold questions mixed in afterwards; 0.05 by default
      valid_days  after so many days the test is taken again; 180 by default
    Flow definitions name it by their tag overread:qualification (`use_cases.*.review.qualification`).
    """
    document = _json_object(_read_text(file), source=file.name)
    stored = _operations(target).put_qualification(name, document)
    click.echo(f"{stored['name']}: {len(stored['items'])} items, {stored['questions']} questions a test")


@qualification.command(name="list", epilog=_EPILOG)
@with_target
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, items included.")
def list_qualifications(*, target: Target, as_json: bool) -> None:
    """List the qualifications."""
    found = _operations(target).qualifications()
    for one in found:
        if as_json:
            click.echo(json.dumps(one))
        else:
            click.echo(
                f"{one['name']}: {len(one['items'])} items, {one['questions']} questions a test, "
                f"pass mark {one['pass_mark']:.0%}, gold share {one['gold_share']:.0%}, "
                f"valid for {one['valid_days']} days"
            )
    if not found and not as_json:
        click.echo(f"no qualifications on {target.name}")


@qualification.command(epilog=_EPILOG)
@with_target
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def roster(*, target: Target, name: str, as_json: bool) -> None:
    """Show how everybody did in the qualification NAME."""
    found = _operations(target).roster(name)
    for one in found:
        click.echo(json.dumps(one) if as_json else _roster_line(one))
    if not found and not as_json:
        click.echo(f"nobody has taken {name} yet")


class _Progress:
    """How far an export is, on standard error: one line that is written anew, on a terminal only."""

    def __init__(self) -> None:
        self._shown = False

    def __call__(self, state: Export) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{state} …", nl=False, err=True)
            self._shown = True
        else:
            click.echo(str(state), err=True)

    def end(self) -> None:
        """Leaves the line."""
        if self._shown:
            click.echo("", err=True)
            self._shown = False


def _roster_line(entry: Any) -> str:
    parts = [f"{entry['name']}: {entry['state']}"]
    if entry["valid_until"]:
        parts.append(f"until {entry['valid_until']}")
    if entry["test_total"]:
        parts.append(f"test {entry['test_correct']} of {entry['test_total']} right")
    if entry["gold_total"] is not None:
        parts.append(f"gold {entry['gold_correct']} of {entry['gold_total']} right")
    return ", ".join(parts)


def _work(target: Target, loop: Any, *, with_input: bool) -> tuple[dict[str, Any], Any]:
    """What is known of the work on a loop, and its input: from the service, or A2I's output document."""
    if target.operations is not None:
        work = dict(target.operations.work(loop["HumanLoopName"], with_input=with_input))
        return work, work.pop("input", None)
    output = output_of(target, loop) or {}
    return {"human_answers": output.get("humanAnswers", [])}, output.get("inputContent")


def _operations(target: Target) -> ReviewOperations:
    if target.operations is None:
        raise click.ClickException(f"{target.name} has no qualifications; use --url or the local stack")
    return target.operations


def _active(target: Target, flow_definition: str) -> str:
    """The ARN, once it is sure that loops can start. Raises click.ClickException."""
    name = target.flow_definition_arn(flow_definition).rsplit("/", 1)[-1]
    found = target.sagemaker.describe_flow_definition(FlowDefinitionName=name)
    if found["FlowDefinitionStatus"] != "Active":
        raise click.ClickException(
            f"flow definition {name} is {found['FlowDefinitionStatus']}; only active ones start loops"
        )
    return str(found["FlowDefinitionArn"])


def _start_one(target: Target, loop: LoopToStart, *, arn: str, before: int, of: int) -> None:
    try:
        with in_words():
            target.a2i.start_human_loop(
                HumanLoopName=loop.name, FlowDefinitionArn=arn, HumanLoopInput={"InputContent": loop.content}
            )
    except click.ClickException as error:
        if of == 1:
            raise
        raise click.ClickException(
            f"{error.message}\n{before} of {of} were started; the same command goes on where it stopped"
        ) from error


def _describe_document(loop: Any) -> dict[str, Any]:
    return {
        "name": loop["HumanLoopName"],
        "status": loop["HumanLoopStatus"],
        "flow_definition": loop["FlowDefinitionArn"],
        "created_at": instant(loop["CreationTime"]),
        "failure_code": loop.get("FailureCode"),
        "failure_reason": loop.get("FailureReason"),
        "output_uri": loop.get("HumanLoopOutput", {}).get("OutputS3Uri"),
    }


def _read_text(file: Any) -> str:
    try:
        text: str = file.read()
    except UnicodeDecodeError as error:
        raise BadInputError(f"{file.name}: not UTF-8: {error.reason}") from error
    return text


def _json_object(text: str, *, source: str) -> dict[str, Any]:
    try:
        value = parse_json(text)
    except ValueError as error:
        raise BadInputError(f"{source}: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadInputError(f"{source}: must be a JSON object, got {text.strip()[:60]}")
    return value
