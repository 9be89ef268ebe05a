"""Synthesises, bootstraps and deploys the real stacks onto the local stack with the CDK command line."""

import json
import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

Report = Callable[[str], None]


class CdkError(click.ClickException):
    """A CDK command failed; the message ends with what it printed last."""


def deploy(
    *, root: Path, config: Path, work_dir: Path, environment: Mapping[str, str], report: Report
) -> Mapping[str, Mapping[str, str]]:
    """Deploys every stack of `config` and gives the stacks' outputs by stack name.

    Bootstrapping and synthesis run side by side: they do not need each other.

    Raises:
        CdkError: with the end of the failing command's output; the whole is in `work_dir/*.log`.
    """
    work_dir.mkdir(parents=True, exist_ok=True)
    assembly = work_dir / "cdk.out"
    outputs = work_dir / "outputs.json"
    env = {
        **environment,
        "OVERREAD_CONFIG": str(config),
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
    }
    target = f"aws://{env['CDK_DEFAULT_ACCOUNT']}/{env['CDK_DEFAULT_REGION']}"

    def cdk(name: str, *arguments: str, cwd: Path = root, lines: Report | None = None) -> None:
        run_logged(
            ["cdk", *arguments, "--no-color", "--no-notices"],
            cwd=cwd,
            env=env,
            log=work_dir / f"{name}.log",
            lines=lines,
        )

    with ThreadPoolExecutor(2) as both:
        report("bootstrapping the account and synthesising the stacks")
        # Away from cdk.json: bootstrapping needs no app, and would synthesise it a second time.
        bootstrap = both.submit(cdk, "bootstrap", "bootstrap", target, cwd=work_dir)
        synth = both.submit(cdk, "synth", "synth", "--quiet", "--output", str(assembly))
        bootstrap.result()
        synth.result()

    def progress(line: str) -> None:
        if line.rstrip().endswith((": deploying...", "✅")) or "✅" in line:
            report(line.strip())

    cdk(
        "deploy",
        "deploy",
        "--all",
        "--app",
        str(assembly),
        "--require-approval",
        "never",
        "--no-version-reporting",
        "--progress",
        "events",
        "--outputs-file",
        str(outputs),
        lines=progress,
    )
    loaded: dict[str, dict[str, str]] = json.loads(outputs.read_text())
    return loaded


def destroy(*, root: Path, work_dir: Path, environment: Mapping[str, str]) -> None:
    """Destroys every stack that `deploy` made from the same folder.

    Raises:
        CdkError: with the reason, such as human loops that are still open.
    """
    command = [
        "cdk",
        "destroy",
        "--all",
        "--force",
        "--app",
        str(work_dir / "cdk.out"),
        "--no-color",
        "--no-notices",
    ]
    run_logged(command, cwd=root, env=environment, log=work_dir / "destroy.log")


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
        raise CdkError(
            f"{' '.join(command[:2])} failed with exit code {process.returncode}, see {log}\n{tail}"
        )
