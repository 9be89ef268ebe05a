"""Whose audit log: that of the local stack, or of a deployment on AWS, found by its data stack's outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from typing import Any, TypeVar

import boto3
import click
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from click.core import ParameterSource

from overread.errors import OverreadError
from overread_aws.audit_archive import S3AuditArchive
from overread_aws.audit_erasure import AwsHoldings
from overread_aws.audit_log import DynamoDbAuditLog
from overread_aws.dynamodb_records import DynamoDbRecords
from overread_aws.evidence_keys import DynamoDbEvidenceKeys
from overread_cli.local import state_dir_option
from overread_local.errors import LocalStackError
from overread_local.sagemaker.service import INVOCATIONS
from overread_local.stack import LocalStack

Command = TypeVar("Command", bound=Callable[..., Any])
_OUTPUTS = ("TableName", "AuditBucketName", "InputBucketName", "OutputBucketName")


@dataclass(frozen=True)
class Target:
    """One deployment. `state_dir` is the local stack's, `invocations` its endpoints' log; None on AWS.

    `deployment` is what the names of its stacks begin with.
    """

    name: str
    deployment: str
    make_client: Callable[[str], Any]
    outputs: Mapping[str, str]
    state_dir: Path | None
    invocations: Path | None

    @cached_property
    def log(self) -> DynamoDbAuditLog:
        """The audit log in the table of decisions."""
        return DynamoDbAuditLog(self.make_client("dynamodb"), table=self.outputs["TableName"])

    @cached_property
    def archive(self) -> S3AuditArchive:
        """The bucket with Object Lock."""
        return S3AuditArchive(self.s3, bucket=self.outputs["AuditBucketName"])

    @cached_property
    def records(self) -> DynamoDbRecords:
        """The decisions themselves."""
        return DynamoDbRecords(self.make_client("dynamodb"), table=self.outputs["TableName"])

    @cached_property
    def holdings(self) -> AwsHoldings:
        """What is kept of decisions elsewhere."""
        return AwsHoldings(self.make_client("dynamodb"), self.s3, table=self.outputs["TableName"])

    @cached_property
    def keys(self) -> DynamoDbEvidenceKeys:
        """The keys of archived evidence."""
        return DynamoDbEvidenceKeys(self.make_client("dynamodb"), table=self.outputs["TableName"])

    @cached_property
    def s3(self) -> Any:
        """A client of S3."""
        return self.make_client("s3")


def with_target(command: Command) -> Command:
    """Adds the options that say whose log it is, and hands it over as `target`.

    What AWS or the local stack refuse ends the command with one sentence and exit code 1.
    """

    @state_dir_option
    @click.option("--aws", is_flag=True, help="A deployment on AWS, with the credentials that boto3 finds.")
    @click.option(
        "--stack",
        metavar="NAME",
        help="CloudFormation stack of the deployment's data; needed when there are several.",
    )
    @wraps(command)
    def wrapped(*, state_dir: Path, aws: bool, stack: str | None, **options: Any) -> Any:
        source = click.get_current_context().get_parameter_source("state_dir")
        if aws and source is ParameterSource.COMMANDLINE:
            raise click.UsageError("--aws does not go with --state-dir")
        with in_words():
            return command(target=_on_aws(stack) if aws else _on_local_stack(state_dir, stack), **options)

    return wrapped  # type: ignore[return-value]


@contextmanager
def in_words() -> Iterator[None]:
    """Turns what AWS, the store or the local stack refuse into one sentence."""
    try:
        yield
    except ClientError as error:
        told = error.response.get("Error", {})
        message = f"{told.get('Message') or 'refused'} ({told.get('Code', 'unknown error')})"
        raise click.ClickException(message) from error
    except (BotoCoreError, LocalStackError, OverreadError) as error:
        raise click.ClickException(str(error)) from error


def _on_aws(stack: str | None) -> Target:
    session = boto3.Session()

    def make(service: str) -> Any:
        return session.client(service, config=_config())

    deployment, outputs = _outputs(make("cloudformation"), stack=stack, place="this account and region")
    return Target(
        name="AWS", deployment=deployment, make_client=make, outputs=outputs, state_dir=None, invocations=None
    )


def _on_local_stack(state_dir: Path, stack: str | None) -> Target:
    local = LocalStack.attach(state_dir)
    environment = local.environment()
    session = boto3.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
    )

    def make(service: str) -> Any:
        config = _config().merge(Config(s3={"addressing_style": "path"}, proxies={}))
        return session.client(service, endpoint_url=local.endpoint_url, config=config)

    name = f"the local stack in {local.state_dir}"
    deployment, outputs = _outputs(make("cloudformation"), stack=stack, place=name)
    return Target(
        name=name,
        deployment=deployment,
        make_client=make,
        outputs=outputs,
        state_dir=local.state_dir,
        invocations=local.state_dir / INVOCATIONS,
    )


def _outputs(cloudformation: Any, *, stack: str | None, place: str) -> tuple[str, dict[str, str]]:
    """The deployment's name, and the outputs of its data stack, which tell where everything lies."""
    named = {"StackName": stack} if stack else {}
    found = {}
    for page in cloudformation.get_paginator("describe_stacks").paginate(**named):
        for one in page["Stacks"]:
            outputs = {output["OutputKey"]: output["OutputValue"] for output in one.get("Outputs", ())}
            if all(name in outputs for name in _OUTPUTS):
                found[one["StackName"]] = outputs
    if len(found) == 1:
        ((name, outputs),) = found.items()
        return name.removesuffix("-data"), outputs
    if found:
        raise click.ClickException(
            f"{place} has several deployments, name one by --stack: {', '.join(found)}"
        )
    if stack:
        raise click.ClickException(
            f"stack {stack} is not a deployment's data stack: it lacks {', '.join(_OUTPUTS)}"
        )
    raise click.ClickException(
        f"{place} has no deployment of Overread: `overread demo` or `cdk deploy` makes one"
    )


def _config() -> Config:
    return Config(retries={"mode": "standard", "max_attempts": 5}, read_timeout=30)
