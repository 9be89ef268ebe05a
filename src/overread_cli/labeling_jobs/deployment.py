"""What a deployment leaves for whoever starts a labeling job: `job.json`, found by its stack's outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from overread.errors import InvalidDataError
from overread.labeling.job_documents import read_spec
from overread.labeling.jobs import Backend, LabelingJobSpec
from overread.strict_json import parse_json
from overread_cli.labeling_jobs.files import opened
from overread_cli.review.targets import Target
from overread_config import output_name

_OUTPUT = "LabelingJob"


@dataclass(frozen=True, slots=True)
class DeployedJob:
    """A job of a deployed stack: how it is made, all outputs of its stack, and the settings of its file."""

    name: str
    uri: str
    stack: str
    outputs: Mapping[str, str]
    spec: LabelingJobSpec
    places: Mapping[str, str]
    settings: Mapping[str, Any]

    @property
    def service_url(self) -> str:
        """The review service that labels; "" where Ground Truth does."""
        return self.places.get("service_url", "")

    def target(self, target: Target) -> Target:
        """Where its jobs run, in the account that `target` is of."""
        return target.review_service(self.service_url) if self.service_url else target

    def sagemaker(self, target: Target) -> Any:
        """The client that makes its jobs."""
        if self.spec.backend is Backend.OVERREAD and self.service_url:
            return target.review_service(self.service_url).sagemaker
        return target.client("sagemaker")


def deployed_job(target: Target, name: str, *, stack: str | None = None) -> DeployedJob:
    """The job of that name; `stack` says of which stack where several have one.

    Raises:
        click.ClickException: there is none, there are several, or its document cannot be used.
    """
    stacks = _stacks(target, stack)
    key = _OUTPUT + output_name(name)
    found = {stack: outputs for stack, outputs in stacks.items() if key in outputs}
    if not found:
        raise click.ClickException(_missing(name, stacks=stacks, target=target))
    if len(found) > 1:
        raise click.ClickException(
            f"several stacks have a labeling job {name}, name one with --stack: {_all(found)}"
        )
    ((stack_name, outputs),) = found.items()
    return _read(target, name, uri=outputs[key], stack=stack_name, outputs=outputs)


def _read(target: Target, name: str, *, uri: str, stack: str, outputs: Mapping[str, str]) -> DeployedJob:
    with opened(target, uri) as stream:
        text = stream.read()
    try:
        document = parse_json(text)
        return DeployedJob(
            name=name,
            uri=uri,
            stack=stack,
            outputs=outputs,
            spec=read_spec(document["spec"]),
            places=document["places"],
            settings=document["settings"],
        )
    except InvalidDataError as error:
        raise click.ClickException(f"{uri}: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise click.ClickException(
            f"{uri} is not what this version deploys ({error}): deploy again, or use that version"
        ) from error


def _stacks(target: Target, stack: str | None) -> dict[str, dict[str, str]]:
    """The outputs of all stacks, or of the named one."""
    named = {"StackName": stack} if stack else {}
    pages = target.client("cloudformation").get_paginator("describe_stacks").paginate(**named)
    return {
        one["StackName"]: {output["OutputKey"]: output["OutputValue"] for output in one.get("Outputs", [])}
        for page in pages
        for one in page["Stacks"]
    }


def _missing(name: str, *, stacks: Mapping[str, Mapping[str, str]], target: Target) -> str:
    there = [
        value.rsplit("/", 2)[-2]
        for outputs in stacks.values()
        for key, value in outputs.items()
        if key.startswith(_OUTPUT) and value.startswith("s3://") and value.endswith("/job.json")
    ]
    told = f"there are {', '.join(sorted(there))}" if there else "no stack there has any"
    return f"no labeling job {name!r} is deployed on {target.name}; {told}"


def _all(names: Mapping[str, object]) -> str:
    return ", ".join(sorted(names))
