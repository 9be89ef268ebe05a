"""Where the commands go: the local stack's review service, a deployed one, or Amazon A2I itself."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, wraps
from pathlib import Path
from typing import Any, TypeVar

import boto3
import click
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from click.core import ParameterSource

from overread_cli.local import state_dir_option
from overread_client import ApiError, ReviewOperations, ReviewSandbox, a2i_client, sagemaker_client
from overread_local.errors import LocalStackError
from overread_local.stack import LocalStack

Command = TypeVar("Command", bound=Callable[..., Any])
_CONNECTIONS = 16


class Target(ABC):
    """A review backend, by AWS's own calls; clients are made when they are first needed."""

    def __init__(self, *, name: str, session: boto3.Session) -> None:
        self.name = name
        self._session = session

    @property
    @abstractmethod
    def a2i(self) -> Any:
        """The `sagemaker-a2i-runtime` client."""

    @property
    @abstractmethod
    def sagemaker(self) -> Any:
        """The `sagemaker` client, for flow definitions."""

    @property
    def s3(self) -> Any:
        """The client that reads output documents."""
        return self.client("s3")

    @abstractmethod
    def client(self, service: str) -> Any:
        """A client of another service of the same account."""

    @abstractmethod
    def review_service(self, url: str) -> Target:
        """The review service that a stack of the same account has deployed at its output `ReviewUrl`."""

    @property
    @abstractmethod
    def portal_url(self) -> str:
        """Where reviewers work."""

    @property
    @abstractmethod
    def operations(self) -> ReviewOperations | None:
        """What only Overread's review service offers; None for Amazon A2I."""

    @property
    @abstractmethod
    def sandbox(self) -> ReviewSandbox | None:
        """Answers without people; None for Amazon A2I."""

    def flow_definitions(self) -> list[str]:
        """The ARNs of all flow definitions, the newest first."""
        pages = self.sagemaker.get_paginator("list_flow_definitions").paginate()
        return [item["FlowDefinitionArn"] for page in pages for item in page["FlowDefinitionSummaries"]]

    def flow_definition_arn(self, given: str) -> str:
        """The ARN of a flow definition given by ARN, by name, or by its name without the hash at its end.

        Raises:
            click.ClickException: there is none, or more than one.
        """
        if given.startswith("arn:"):
            return given
        arns = {arn.rsplit("/", 1)[-1]: arn for arn in self.flow_definitions()}
        if given in arns:
            return arns[given]
        versions = [name for name in arns if re.fullmatch(rf"{re.escape(given)}-[0-9a-f]+", name)]
        if len(versions) == 1:
            return arns[versions[0]]
        if versions:
            raise click.ClickException(f"{given!r} stands for several, name one: {', '.join(versions)}")
        there = f"there are {', '.join(arns)}" if arns else "there are none at all"
        raise click.ClickException(f"no flow definition {given!r} on {self.name}; {there}")


class ReviewServiceTarget(Target):
    """Overread's review service at `url`; `aws_endpoint` is set where the rest is elsewhere than on AWS, and
    `address` gives the real address of a service that a stack there has deployed.

    Raises ValueError when `url` is no address, or no region is known.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        session: boto3.Session,
        region: str | None = None,
        aws_endpoint: str | None = None,
        address: Callable[[str], str] = str,
    ) -> None:
        super().__init__(name=name, session=session)
        self._url = url.rstrip("/")
        self._region = region
        self._aws_endpoint = aws_endpoint
        self._address = address
        self._operations = ReviewOperations(url, region=region, session=session)

    @cached_property
    def a2i(self) -> Any:
        return a2i_client(self._url, region=self._region, session=self._session, config=_config())

    @cached_property
    def sagemaker(self) -> Any:
        return sagemaker_client(self._url, region=self._region, session=self._session, config=_config())

    @cached_property
    def s3(self) -> Any:
        return self.client("s3")

    def client(self, service: str) -> Any:
        path_style = {"s3": {"addressing_style": "path"}} if self._aws_endpoint and service == "s3" else {}
        config = _config().merge(Config(**path_style))
        return self._session.client(service, endpoint_url=self._aws_endpoint, config=config)

    def review_service(self, url: str) -> Target:
        return ReviewServiceTarget(
            self._address(url),
            name=url,
            session=self._session,
            region=self._region,
            aws_endpoint=self._aws_endpoint,
            address=self._address,
        )

    @property
    def portal_url(self) -> str:
        return f"{self._url}/portal/"

    @property
    def operations(self) -> ReviewOperations:
        return self._operations

    @property
    def sandbox(self) -> ReviewSandbox:
        return ReviewSandbox(self._url, region=self._region, session=self._session)


class A2ITarget(Target):
    """Amazon A2I with the credentials that boto3 finds; `name` where another service of it is meant."""

    operations = None
    sandbox = None

    def __init__(self, session: boto3.Session, *, name: str = "Amazon A2I") -> None:
        super().__init__(name=name, session=session)

    @cached_property
    def a2i(self) -> Any:
        return self._session.client("sagemaker-a2i-runtime", config=_config())

    @cached_property
    def sagemaker(self) -> Any:
        return self._session.client("sagemaker", config=_config())

    @cached_property
    def s3(self) -> Any:
        return self.client("s3")

    def client(self, service: str) -> Any:
        return self._session.client(service, config=_config())

    def review_service(self, url: str) -> Target:
        return ReviewServiceTarget(url, name=url, session=self._session)

    @property
    def portal_url(self) -> str:
        workforces = self.sagemaker.list_workforces()["Workforces"]
        if not workforces:
            raise click.ClickException("this account has no private workforce in this region: no portal")
        return f"https://{workforces[0]['SubDomain']}"


def with_target(command: Command) -> Command:
    """Adds the options that say where a command goes, and hands it over as `target`.

    What AWS, the service or the local stack refuse ends the command with one sentence and exit code 1; an
    address that is none with exit code 2.
    """

    @state_dir_option
    @click.option(
        "--url",
        envvar="OVERREAD_REVIEW_URL",
        help="Address of a deployed review service (stack output ReviewUrl); with --state-dir, of one that "
        "is deployed on that local stack.",
    )
    @click.option("--aws", is_flag=True, help="Amazon A2I itself, with the credentials that boto3 finds.")
    @wraps(command)
    def wrapped(*, state_dir: Path, url: str | None, aws: bool, **options: Any) -> Any:
        given = {name for name in ("state_dir", "url", "aws") if _is_given(name)}
        if "aws" in given and len(given) > 1:
            raise click.UsageError("--aws goes with neither --url nor --state-dir")
        with in_words():
            local = None if aws or (url and "state_dir" not in given) else state_dir
            target = target_of(url=None if aws else url, local=local)
            return command(target=target, **options)

    return wrapped  # type: ignore[return-value]


def target_of(*, url: str | None, local: Path | None) -> Target:
    """The backend: of the local stack in `local`, at `url` (there, when both are given), or Amazon A2I."""
    if local is not None:
        return _on_local_stack(LocalStack.attach(local), url=url)
    if url is None:
        return A2ITarget(boto3.Session())
    try:
        return ReviewServiceTarget(url, name=url, session=boto3.Session())
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _on_local_stack(stack: LocalStack, *, url: str | None) -> Target:
    environment = stack.environment()
    region = environment["AWS_REGION"]
    session = boto3.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=region,
    )
    return ReviewServiceTarget(
        stack.portal_url if url is None else stack.local_address(url),
        name=f"the local stack in {stack.state_dir}",
        session=session,
        region=region,
        aws_endpoint=stack.endpoint_url,
        address=stack.local_address,
    )


def _is_given(name: str) -> bool:
    source = click.get_current_context().get_parameter_source(name)
    return source is ParameterSource.COMMANDLINE


def _config() -> Config:
    return Config(retries={"mode": "standard", "max_attempts": 3}, max_pool_connections=_CONNECTIONS)


@contextmanager
def in_words() -> Iterator[None]:
    """Turns what AWS, the service or the local stack refuse into one sentence."""
    try:
        yield
    except (ClientError, BotoCoreError, ApiError, LocalStackError) as error:
        raise click.ClickException(sentence_of(error)) from error


def sentence_of(error: Exception) -> str:
    """What went wrong, in the service's own words."""
    if isinstance(error, ClientError):
        told = error.response.get("Error", {})
        return f"{told.get('Message') or 'refused'} ({told.get('Code', 'unknown error')})"
    return str(error)
