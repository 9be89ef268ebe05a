"""Which decision API the commands call: that of the local stack, one on AWS, or the one at an address."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError
from click.core import ParameterSource

from overread_cli.local import state_dir_option
from overread_client import ApiError, Decisions, OverreadClientError, Steering
from overread_local.errors import LocalStackError
from overread_local.stack import LocalStack

Command = TypeVar("Command", bound=Callable[..., Any])
TOKEN_VARIABLE = "OVERREAD_API_TOKEN"  # noqa: S105 - a name
EPILOG = """\b
Exit codes: 0 done; 1 the API refused it or could not be reached, or nobody decided in time;
2 the command line or a file is at fault, and nothing was done.
"""


class BadInputError(click.ClickException):
    """The input is at fault; nothing was done."""

    exit_code = 2


@dataclass(frozen=True)
class Target:
    """An API and who calls it."""

    url: str
    session: boto3.Session
    region: str | None
    token: Callable[[], str] | None

    @property
    def decisions(self) -> Decisions:
        """The calls about decisions."""
        return Decisions(self.url, region=self.region, session=self.session, token=self.token)

    @property
    def steering(self) -> Steering:
        """The calls of people who steer; always signed."""
        return Steering(self.url, region=self.region, session=self.session)


def with_target(command: Command) -> Command:
    """Adds the options that say which API is called, and hands it over as `target`.

    What the API, AWS or the local stack refuse ends the command with one sentence and exit code 1.
    """

    @state_dir_option
    @click.option(
        "--url",
        envvar="OVERREAD_API_URL",
        help="Address of a deployed decision API (stack output ApiUrl); with --state-dir, of one that is "
        "deployed on that local stack.",
    )
    @click.option(
        "--aws", is_flag=True, help="The deployment in the account that boto3's credentials are of."
    )
    @click.option(
        "--stack", metavar="NAME", help="CloudFormation stack of the API; needed when there are several."
    )
    @wraps(command)
    def wrapped(*, state_dir: Path, url: str | None, aws: bool, stack: str | None, **options: Any) -> Any:
        given = {name for name in ("state_dir", "url", "aws", "stack") if _is_given(name)}
        if "aws" in given and given & {"url", "state_dir"}:
            raise click.UsageError("--aws goes with neither --url nor --state-dir")
        if {"url", "stack"} <= given:
            raise click.UsageError("--stack does not go with --url")
        with in_words():
            local = None if aws or (url and "state_dir" not in given) else state_dir
            found = target_of(url=None if aws else url, local=local, stack=stack)
            return command(target=found, **options)

    return wrapped  # type: ignore[return-value]


def target_of(*, url: str | None, local: Path | None, stack: str | None = None) -> Target:
    """The API on the local stack in `local`, at `url` (there, when both are given), or on AWS.

    Raises:
        click.ClickException: there is none, or more than one.
    """
    token = _token()
    if local is not None:
        return _on_local_stack(LocalStack.attach(local), url=url, stack=stack, token=token)
    session = boto3.Session()
    if url is None:
        url = _outputs(session.client("cloudformation"), stack=stack, place="this account and region")[
            "ApiUrl"
        ]
    try:
        Decisions(url, session=session, token=token)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    return Target(url=url, session=session, region=None, token=token)


@contextmanager
def in_words() -> Iterator[None]:
    """Turns what the API, AWS or the local stack refuse into one sentence."""
    try:
        yield
    except ApiError as error:
        field = f" ({error.field})" if error.field and error.field not in error.detail else ""
        raise click.ClickException(f"{error}{field}") from error
    except ClientError as error:
        told = error.response.get("Error", {})
        message = f"{told.get('Message') or 'refused'} ({told.get('Code', 'unknown error')})"
        raise click.ClickException(message) from error
    except (BotoCoreError, OverreadClientError, LocalStackError) as error:
        raise click.ClickException(str(error)) from error


def _on_local_stack(
    running: LocalStack, *, url: str | None, stack: str | None, token: Callable[[], str] | None
) -> Target:
    environment = running.environment()
    session = boto3.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
    )
    if url is None:
        client = session.client("cloudformation", endpoint_url=running.endpoint_url)
        url = _outputs(client, stack=stack, place=f"the local stack in {running.state_dir}")["ApiUrl"]
    return Target(
        url=running.local_address(url), session=session, region=environment["AWS_REGION"], token=token
    )


def _outputs(client: Any, *, stack: str | None, place: str) -> Mapping[str, str]:
    """The outputs of the only stack that has an API, or of the named one."""
    named = {"StackName": stack} if stack else {}
    found = {
        one["StackName"]: {output["OutputKey"]: output["OutputValue"] for output in one.get("Outputs", [])}
        for page in client.get_paginator("describe_stacks").paginate(**named)
        for one in page["Stacks"]
    }
    apis = {name: outputs for name, outputs in found.items() if "ApiUrl" in outputs}
    if len(apis) == 1:
        return next(iter(apis.values()))
    if stack:
        raise click.ClickException(f"stack {stack} has no output ApiUrl")
    if not apis:
        raise click.ClickException(f"no decision API is deployed in {place}: no stack has the output ApiUrl")
    raise click.ClickException(f"several decision APIs in {place}; name one with --stack: {', '.join(apis)}")


def _token() -> Callable[[], str] | None:
    text = os.environ.get(TOKEN_VARIABLE, "")
    return (lambda: text) if text else None


def _is_given(name: str) -> bool:
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE
