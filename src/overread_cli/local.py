"""`overread local`: start, look at and stop the local stack."""

import shlex
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import boto3
import click
import httpx

from overread_local.errors import LocalStackError
from overread_local.processes import find
from overread_local.review_options import (
    DEFAULT_LEADS,
    DEFAULT_REVIEWERS,
    DEFAULT_SENIORS,
    STATISTICS,
    Chaos,
)
from overread_local.stack import (
    DEFAULT_STATE_DIR,
    LocalStack,
    end_supervisor,
    restart_dead_parts,
    running,
    supervisor_of,
)
from overread_local.state import StackRecord, StateFolder, read_record
from overread_local.supervisor import PARTS, choose_ports

Command = TypeVar("Command", bound=Callable[..., Any])
_FOLLOW_EVERY_S = 0.3
_WIDTH = max(len(name) for name in ("supervisor", *PARTS))

state_dir_option = click.option(
    "--state-dir",
    type=click.Path(path_type=Path),
    default=DEFAULT_STATE_DIR,
    show_default=True,
    envvar="OVERREAD_STATE_DIR",
    help="Folder of the stack's state and logs.",
)


@click.group()
def local() -> None:
    """Run the local stack: an AWS emulator with SageMaker, A2I and a worker portal.

    Everything listens on loopback only and needs no AWS account.
    """


@local.command()
@state_dir_option
@click.option(
    "--lambda-python",
    type=click.Path(path_type=Path),
    default=Path(".venv-lambda/bin/python"),
    show_default=True,
    help="Bare interpreter that runs Lambdas.",
)
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the emulator; a free one by default.")
@click.option("--fresh", is_flag=True, help="Forget what the state folder holds.")
@click.option(
    "--reviewer",
    "reviewers",
    multiple=True,
    default=DEFAULT_REVIEWERS,
    show_default=True,
    help="Who can sign in to the portal; repeat for more.",
)
@click.option(
    "--senior",
    "seniors",
    multiple=True,
    default=DEFAULT_SENIORS,
    show_default=True,
    help="Who signs in as a senior, in the group `seniors`; repeat for more.",
)
@click.option(
    "--lead",
    "leads",
    multiple=True,
    default=DEFAULT_LEADS,
    show_default=True,
    help="Who signs in as a lead; repeat for more.",
)
@click.option("--sandbox", is_flag=True, help="Let programs answer tasks: `overread review answer`.")
@click.option(
    "--statistics",
    type=click.Choice(STATISTICS),
    default="off",
    show_default=True,
    help="Figures about single people that leads see.",
)
@click.option(
    "--chaos-duplicate",
    type=click.FloatRange(0, 1),
    default=0.0,
    help="Share of completion events that come twice.",
)
@click.option(
    "--chaos-delay", type=click.FloatRange(0, 1, max_open=True), default=0.0, help="Share that comes late."
)
def up(
    *,
    state_dir: Path,
    lambda_python: Path,
    port: int | None,
    fresh: bool,
    reviewers: tuple[str, ...],
    seniors: tuple[str, ...],
    leads: tuple[str, ...],
    sandbox: bool,
    statistics: str,
    chaos_duplicate: float,
    chaos_delay: float,
) -> None:
    """Start the stack, or what has died of it, and wait until it answers."""
    folder = StateFolder(state_dir.resolve())
    started = time.monotonic()
    try:
        if running(folder):
            _bring_back(folder)
            return
        stack = LocalStack.start(
            state_dir=state_dir,
            lambda_python=lambda_python,
            fresh=fresh,
            reviewers=reviewers,
            seniors=seniors,
            leads=leads,
            sandbox=sandbox,
            statistics=statistics,
            chaos=Chaos(duplicate=chaos_duplicate, delay=chaos_delay),
            ports=None if port is None else (port, *choose_ports()[1:]),
            report=click.echo,
        )
    except LocalStackError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"up in {time.monotonic() - started:.1f} s")
    _print_addresses(stack.record)


@local.command()
@state_dir_option
def down(*, state_dir: Path) -> None:
    """Stop the stack; its state stays for the next `up`."""
    folder = StateFolder(state_dir.resolve())
    was_running = running(folder)
    _stop(folder)
    click.echo("stopped; the state is kept" if was_running else f"no local stack runs in {folder.root}")


@local.command()
@state_dir_option
def checkpoint(*, state_dir: Path) -> None:
    """Write the emulator's whole state to disk, so that a killed one comes back as of now.

    Without it a killed emulator comes back as of the last checkpoint: objects in S3 stay, tables, queues and
    what is deployed go back. `down` writes one as well.
    """
    started = time.monotonic()
    try:
        LocalStack.attach(state_dir).checkpoint()
    except LocalStackError as error:
        raise click.ClickException(str(error)) from error
    except httpx.HTTPError as error:
        raise click.ClickException(f"the emulator did not write its state: {error}") from error
    click.echo(f"state written in {time.monotonic() - started:.1f} s")


@local.command()
@state_dir_option
def status(*, state_dir: Path) -> None:
    """Show what runs and where; exit with 1 unless all of it runs."""
    folder = StateFolder(state_dir.resolve())
    record = read_record(folder)
    if record is None:
        word = "is starting" if running(folder) else "is not running"
        click.echo(f"the local stack in {folder.root} {word}")
        raise SystemExit(1)
    dead = []
    for name, process in record.processes.items():
        alive = find(process) is not None
        click.echo(f"{name:<{_WIDTH}}  {'running' if alive else 'dead':<8} pid {process.pid}")
        dead += [] if alive else [name]
    _print_addresses(record)
    if dead:
        click.echo(f"{', '.join(dead)} died; `overread local up` starts it again from the last checkpoint")
        raise SystemExit(1)


@local.command()
@state_dir_option
def env(*, state_dir: Path) -> None:
    """Print what programs need to reach the stack, for a shell: eval "$(overread local env)".

    Credentials and region, and the addresses of what is deployed: OVERREAD_API_URL of the decision API,
    OVERREAD_REVIEW_URL of the review service (the deployed one, or else the stack's own).
    """
    try:
        stack = LocalStack.attach(state_dir)
    except LocalStackError as error:
        raise click.ClickException(str(error)) from error
    environment = stack.environment()
    for name in sorted(environment):
        if name.startswith(("AWS_", "CDK_DEFAULT_")):
            click.echo(f"export {name}={shlex.quote(environment[name])}")
    for name, url in _deployed_addresses(stack).items():
        click.echo(f"export {name}={shlex.quote(url)}")


@local.command()
@state_dir_option
@click.option("--follow", "-f", is_flag=True, help="Go on printing until ctrl-C.")
@click.option(
    "--lines", "-n", type=click.IntRange(0), default=20, show_default=True, help="Last lines of each."
)
@click.argument("part", type=click.Choice(["supervisor", *PARTS]), required=False)
def logs(*, state_dir: Path, follow: bool, lines: int, part: str | None) -> None:
    """Print the end of the parts' logs, or of one PART's."""
    folder = StateFolder(state_dir.resolve())
    names = [part] if part else ["supervisor", *PARTS]
    files = {name: folder.logs / f"{name}.log" for name in names}
    if not any(file.is_file() for file in files.values()):
        raise click.ClickException(f"there are no logs in {folder.logs}")
    positions = {name: _print_end(name, file, lines=lines) for name, file in files.items()}
    while follow:
        time.sleep(_FOLLOW_EVERY_S)
        for name, file in files.items():
            positions[name] = _print_from(name, file, position=positions[name])


@local.command()
@state_dir_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(*, state_dir: Path, yes: bool) -> None:
    """Stop the stack and remove its state folder: every deployed stack, object and decision in it."""
    folder = StateFolder(state_dir.resolve())
    if not folder.root.exists():
        click.echo(f"there is nothing in {folder.root}")
        return
    if not folder.launch.is_file():
        raise click.ClickException(
            f"{folder.root} is not a state folder of the local stack; nothing is removed"
        )
    if not yes:
        click.confirm(f"remove {folder.root} and all that is deployed in it?", abort=True)
    _stop(folder)
    shutil.rmtree(folder.root)
    click.echo(f"removed {folder.root}")


def _deployed_addresses(stack: LocalStack) -> dict[str, str]:
    """The addresses in the outputs of the stacks that are deployed, as they are reached here."""
    environment = stack.environment()
    cloudformation = boto3.client(
        "cloudformation",
        endpoint_url=stack.endpoint_url,
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    outputs = {
        output["OutputKey"]: output["OutputValue"]
        for page in cloudformation.get_paginator("describe_stacks").paginate()
        for deployed in page["Stacks"]
        for output in deployed.get("Outputs", ())
    }
    addresses = {"OVERREAD_REVIEW_URL": stack.local_address(outputs.get("ReviewUrl", stack.portal_url))}
    if "ApiUrl" in outputs:
        addresses["OVERREAD_API_URL"] = stack.local_address(outputs["ApiUrl"])
    return addresses


def _bring_back(folder: StateFolder) -> None:
    record = read_record(folder)
    dead = [name for name, process in record.processes.items() if find(process) is None] if record else []
    if record is None:
        raise click.ClickException("the local stack is starting; see `overread local status`")
    if not dead:
        click.echo("the local stack is already up")
        _print_addresses(record)
        return
    click.echo(f"{', '.join(dead)} died; starting again from the last checkpoint")
    _print_addresses(restart_dead_parts(folder))


def _stop(folder: StateFolder) -> None:
    supervisor = supervisor_of(folder)
    if supervisor is not None and find(supervisor) is None:
        click.echo(f"supervisor.pid is stale (pid {supervisor.pid} has ended); cleaning up what it left")
    try:
        end_supervisor(folder)
    except LocalStackError as error:
        raise click.ClickException(str(error)) from error


def _print_addresses(record: StackRecord) -> None:
    click.echo(f"AWS endpoint   {record.endpoint_url}")
    click.echo(f"worker portal  {record.portal_url}/portal/")


def _print_end(name: str, file: Path, *, lines: int) -> int:
    """Prints the last lines; gives the position to go on from."""
    if not file.is_file():
        return 0
    content = file.read_bytes()
    for line in content.decode(errors="replace").splitlines()[-lines:] if lines else ():
        _print_line(name, line)
    return len(content)


def _print_from(name: str, file: Path, *, position: int) -> int:
    """Prints what came after `position`; gives the new one."""
    if not file.is_file():
        return position
    with file.open("rb") as opened:
        opened.seek(position)
        content = opened.read()
    for line in content.decode(errors="replace").splitlines():
        _print_line(name, line)
    return position + len(content)


def _print_line(name: str, line: str) -> None:
    click.echo(f"{name:<{_WIDTH}} | {line}")
