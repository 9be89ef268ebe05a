"""Where labeling jobs are: with a review service, local or deployed, or with Ground Truth itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any, TypeVar

import boto3
import click
from click.core import ParameterSource

from overread_cli.local import state_dir_option
from overread_cli.review.targets import A2ITarget, Target, in_words, target_of
from overread_client import ReviewOperations

Command = TypeVar("Command", bound=Callable[..., Any])
GROUND_TRUTH = "Ground Truth"
EPILOG = """\b
Exit codes: 0 done; 1 the service refused it or could not be reached; 2 the command line or a file is at
fault, and nothing was done.
"""


def with_place(command: Command) -> Command:
    """Adds the options that say where the jobs are, and hands over `place`, which finds the target on use.

    What AWS, the service or the local stack refuse ends the command with one sentence and exit code 1.
    """

    @state_dir_option
    @click.option(
        "--url",
        envvar="OVERREAD_REVIEW_URL",
        help="Address of a deployed review service (stack output ReviewUrl); with --state-dir, of one that "
        "is deployed on that local stack.",
    )
    @click.option(
        "--aws", is_flag=True, help="The account that boto3's credentials are of, and its Ground Truth."
    )
    @wraps(command)
    def wrapped(*, state_dir: Path, url: str | None, aws: bool, **options: Any) -> Any:
        given = {name for name in ("state_dir", "url", "aws") if _is_given(name)}
        if "aws" in given and len(given) > 1:
            raise click.UsageError("--aws goes with neither --url nor --state-dir")

        @cache
        def place() -> Target:
            if aws:
                return A2ITarget(boto3.Session(), name=GROUND_TRUTH)
            return target_of(url=url, local=state_dir if not url or "state_dir" in given else None)

        with in_words():
            return command(place=place, **options)

    return wrapped  # type: ignore[return-value]


def with_target(command: Command) -> Command:
    """As `with_place`, for commands that always need it: hands the target over."""

    @wraps(command)
    def wrapped(*, place: Callable[[], Target], **options: Any) -> Any:
        return command(target=place(), **options)

    return with_place(wrapped)  # type: ignore[return-value]


def options_again(*, service_url: str) -> str:
    """The options with which another command finds jobs of the review service at `service_url`; "" for none.

    As this command was called: a stack's address alone would be looked for on AWS.
    """
    params = click.get_current_context().params
    if params["aws"]:
        return f" --url {service_url}" if service_url else " --aws"
    is_local = not params["url"] or _is_given("state_dir")
    told = (
        f" --state-dir {params['state_dir']}" if is_local and (service_url or _is_given("state_dir")) else ""
    )
    url = service_url or ("" if is_local else params["url"])
    return f"{told} --url {url}" if url else told


def operations_of(target: Target) -> ReviewOperations:
    """What only the backend overread can do with a job.

    Raises:
        click.ClickException: the jobs are Ground Truth's.
    """
    if target.operations is None:
        raise click.ClickException(
            "Ground Truth cannot pause, resume or change a job that runs; it can only be stopped. "
            "Jobs on the backend overread can (--url, or the local stack)"
        )
    return target.operations


def _is_given(name: str) -> bool:
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE
