"""Synthesises, bootstraps and deploys the real stacks onto the local stack with the CDK command line."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import click

from overread_cli.demo.landing_zone import bootstrap_options, lay_down_boundary
from overread_config import load_settings

Report = Callable[[str], None]


class CdkError(click.ClickException):
    """A CDK command failed; the message ends with what it printed last."""


@dataclass(frozen=True)
class Cdk:
    """The CDK command line of the repository `root`, in an environment, with a log for each command."""

    root: Path
    work_dir: Path
    environment: Mapping[str, str]

    def run(
        self, command: str, *arguments: str, cwd: Path | None = None, lines: Report | None = None
    ) -> None:
        """Runs one command.

        Raises:
            CdkError: it failed; its output is in `work_dir`.
        """
        # The environment that runs this brings Node.js too, whatever the machine has.
        own = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{self.environment.get('PATH', os.defpath)}"}
        run_logged(
            [str(self.root / "node_modules/.bin/cdk"), command, *arguments, "--no-color", "--no-notices"],
            cwd=cwd or self.root,
            env={**self.environment, **own},
            log=self.work_dir / f"{command}.log",
            lines=lines,
        )


def deploy(
    *, root: Path, config: Path, work_dir: Path, environment: Mapping[str, str], report: Report
) -> Mapping[str, Mapping[str, str]]:
    """Deploys every stack of `config` and gives the stacks' outputs by stack name.

    What the organization of `config` has there before is laid down first. Bootstrapping and synthesis run
    side by side: they do not need each other.

    Raises:
        ConfigError: with every fault of `config`.
        CdkError: with the end of the failing command's output; the whole is in `work_dir/*.log`.
    """
    work_dir.mkdir(parents=True, exist_ok=True)
    assembly = work_dir / "cdk.out"
    outputs = work_dir / "outputs.json"
    cdk = Cdk(root=root, work_dir=work_dir, environment={**environment, "OVERREAD_CONFIG": str(config)})
    account = environment["CDK_DEFAULT_ACCOUNT"]
    target = f"aws://{account}/{environment['CDK_DEFAULT_REGION']}"
    organization = load_settings(config).organization
    iam = boto3.client("iam", **client_settings(environment))
    lay_down_boundary(organization, iam=iam, account=account)
    with ThreadPoolExecutor(2) as both:
        report("bootstrapping the account and synthesising the stacks")
        # Away from cdk.json: bootstrapping needs no app, and would synthesise it a second time.
        own = bootstrap_options(organization)
        bootstrap = both.submit(cdk.run, "bootstrap", target, *own, cwd=work_dir)
        synth = both.submit(cdk.run, "synth", "--quiet", "--output", str(assembly))
        bootstrap.result()
        report("  bootstrapped")
        synth.result()
        report("  synthesised")

    def progress(line: str) -> None:
        before, done, name = line.partition("✅")
        if done and not before.strip():
            report(f"  deployed {name.split()[0]}")

    options = ["--require-approval", "never", "--no-version-reporting", "--progress", "events"]
    cdk.run(
        "deploy",
        "--all",
        "--app",
        str(assembly),
        *options,
        "--outputs-file",
        str(outputs),
        lines=progress,
    )
    loaded: dict[str, dict[str, str]] = json.loads(outputs.read_text())
    return loaded


def client_settings(environment: Mapping[str, str]) -> dict[str, Any]:
    """boto3 client arguments that reach the local stack."""
    return {
        "endpoint_url": environment["AWS_ENDPOINT_URL"],
        "region_name": environment["AWS_REGION"],
        "aws_access_key_id": environment["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": environment["AWS_SECRET_ACCESS_KEY"],
    }


def destroy(*, root: Path, work_dir: Path, environment: Mapping[str, str]) -> None:
    """Destroys every stack that `deploy` made from the same folder.

    Raises:
        CdkError: with the reason, such as human loops that are still open.
    """
    cdk = Cdk(root=root, work_dir=work_dir, environment=environment)
    cdk.run("destroy", "--all", "--force", "--app", str(work_dir / "cdk.out"))


def run_logged(
    command: list[str], *, cwd: Path, env: Mapping[str, str], log: Path, lines: Report | None = None
) -> None:
    """Runs `command`, keeps its output in `log`, and hands each line to `lines` as it comes.

    Raises:
        CdkError: when the command does not exit with 0.
    """
    with (
        log.open("w") as sink,
        subprocess.Popen(  # noqa: S603 - our own command line
            command,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None  # noqa: S101 - PIPE was asked for
        try:
            for line in process.stdout:
                sink.write(line)
                if lines is not None:
                    lines(line)
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        tail = "\n".join(log.read_text().splitlines()[-25:])
        name = f"{Path(command[0]).name} {command[1]}"
        raise CdkError(f"{name} failed with exit code {process.returncode}, see {log}\n{tail}")
