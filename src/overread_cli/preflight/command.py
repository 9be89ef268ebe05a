"""`overread preflight`: what would keep a deployment from succeeding, found before it is tried."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import click
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from overread_cli.preflight.account import Account
from overread_cli.preflight.assembly import Assembly, NoTemplatesError, read_assembly
from overread_cli.preflight.checks import FAULTY_INPUT, Check, Status, as_document, exit_code
from overread_cli.preflight.policies import deployer_policy, execution_policy, place_of
from overread_cli.preflight.region import services_of
from overread_cli.preflight.reviews import Probe
from overread_cli.preflight.running import Asked, run_checks
from overread_config import ConfigError, load_settings

_MARKS = {Status.OK: "ok", Status.FAIL: "FAIL", Status.UNKNOWN: "?", Status.SKIPPED: "-"}
_TOOL_TIMEOUT_S = 60


@click.command()
@click.option(
    "--template-dir",
    type=click.Path(path_type=Path),
    default=Path("cdk.out"),
    show_default=True,
    help="What `cdk synth` wrote.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="Only the deployment of this configuration, where the folder holds several.",
)
@click.option("--region", help="The region to ask; the templates' own, or your profile's, by default.")
@click.option(
    "--probe",
    is_flag=True,
    help="Find out whether A2I serves this account by starting one synthetic human loop and stopping it.",
)
@click.option(
    "--policy",
    type=click.Choice(("deployer", "execution")),
    help="Print the exact policy that whoever deploys, or CloudFormation's role, needs; asks the account "
    "nothing.",
)
@click.option("--account", help="For --policy, where the templates are for several accounts: which one.")
@click.option("--json", "as_json", is_flag=True, help="The checks as one JSON document.")
def preflight(
    *,
    template_dir: Path,
    config: Path | None,
    region: str | None,
    probe: bool,
    policy: str | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Check the account against the synthesized templates; nothing is changed, --probe aside.

    \b
    Exit codes: 0 all well, 1 several classes failed, 2 wrong usage, 3 credentials, 4 nothing failed but
    something is unknown, 10 permissions, 11 quotas, 12 network, 13 bootstrap, 14 region, 15 reviews,
    16 licence, 17 tools.
    """
    assembly = _assembly(template_dir, config)
    session, told = _session()
    where = region or assembly.region or told
    if policy is not None:
        is_whole = policy == "deployer" and account is None  # who deploys does so into all accounts
        part = assembly if is_whole else _in_account(assembly, account)
        _print_policy(policy, part, region=where)
        return
    if where is None:
        raise _usage("no region: give --region, or set AWS_REGION")
    asked = Asked(
        region=where,
        regions_of=_regions_of(session, assembly),
        run_tool=run_tool,
        now=datetime.now(UTC),
        probe=Probe(f"overread-probe-{secrets.token_hex(6)}") if probe else None,
    )
    checks = []
    for check in run_checks(_account(session, where), assembly, asked):
        checks.append(check)
        if not as_json:
            _tell(check)
    if as_json:
        click.echo(json.dumps(as_document(checks), indent=2))
    else:
        click.echo(_summary(checks))
    raise SystemExit(exit_code(checks))


class FaultyInputError(click.ClickException):
    """What was asked for makes no sense, or is not there."""

    exit_code = FAULTY_INPUT


def run_tool(command: Sequence[str]) -> str | None:
    """What a command prints, of the path, of this environment or of the project here; None when it fails."""
    here = [str(Path(sys.executable).parent), str(Path("node_modules/.bin").absolute())]
    path = shutil.which(command[0], path=os.pathsep.join([os.environ.get("PATH", os.defpath), *here]))
    if path is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - cdk and node, found on the path
            [path, *command[1:]],
            capture_output=True,
            text=True,
            timeout=_TOOL_TIMEOUT_S,
            check=False,
            env=os.environ | {"PATH": os.pathsep.join([*here, os.environ.get("PATH", os.defpath)])},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _assembly(folder: Path, config: Path | None) -> Assembly:
    try:
        prefix = None if config is None else load_settings(config).prefix
        return read_assembly(folder, prefix=prefix)
    except ConfigError as error:
        raise _usage("\n".join(str(fault) for fault in error.faults)) from error
    except NoTemplatesError as error:
        raise _usage(str(error)) from error


def _session() -> tuple[boto3.Session, str | None]:
    """Of the caller's environment, and the region that it names."""
    try:
        session = boto3.Session()
        return session, session.region_name
    except BotoCoreError as error:  # a profile that is not there, a file that cannot be read
        raise _usage(f"{error}") from error


def _in_account(assembly: Assembly, account: str | None) -> Assembly:
    accounts = assembly.accounts
    if account is None and len(accounts) < 2:
        return assembly
    if account not in accounts:
        told = f"--account {account}" if account else "--account is missing"
        allowed = ", ".join(accounts) or "none: the templates are for any account"
        raise _usage(f"{told}; the templates are for {allowed}")
    return assembly.only(account)


def _usage(message: str) -> click.ClickException:
    return FaultyInputError(message)


def _account(session: boto3.Session, where: str) -> Account:
    def make(service: str, region: str = where) -> Any:
        config = Config(retries={"mode": "adaptive", "max_attempts": 8}, connect_timeout=5, read_timeout=30)
        return session.client(service, region_name=region, config=config)

    return Account(make)


def _regions_of(session: boto3.Session, assembly: Assembly) -> dict[str, list[str]]:
    try:
        return {service: session.get_available_regions(service) for service in services_of(assembly)}
    except BotoCoreError:
        return {}


def _print_policy(which: str, assembly: Assembly, *, region: str | None) -> None:
    place = place_of(assembly, account=None, region=region)
    made = (deployer_policy if which == "deployer" else execution_policy)(assembly, place=place)
    click.echo(json.dumps(made.documents(), indent=2))
    if made.unlisted:
        click.echo(f"not known: what these types take: {', '.join(made.unlisted)}", err=True)


def _tell(check: Check) -> None:
    verdict = check.verdict
    click.echo(f"{_MARKS[verdict.status]:>4}  {check.id}: {verdict.detail}")
    if verdict.fix:
        click.echo(f"      → {verdict.fix}")


def _summary(checks: Sequence[Check]) -> str:
    counts = [(status, sum(check.verdict.status is status for check in checks)) for status in Status]
    return ", ".join(f"{count} {status.value}" for status, count in counts if count)
