"""What was synthesised: templates and manifest of cdk.out, and what they need of the account."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from overread.errors import OverreadError

_ANY_ACCOUNT = "unknown-account"
_STACK, _ASSETS = "aws:cloudformation:stack", "cdk:asset-manifest"


class NoTemplatesError(OverreadError):
    """The folder holds no synthesised deployment."""


@dataclass(frozen=True)
class Stack:
    """One stack: `properties` are the manifest's."""

    name: str
    environment: str
    properties: Mapping[str, Any]
    template: Mapping[str, Any]

    @property
    def account(self) -> str:
        """The account that it is for."""
        return self.environment.removeprefix("aws://").split("/")[0]


@dataclass(frozen=True)
class Resource:
    """One resource of a template."""

    stack: str
    logical_id: str
    kind: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class Assembly:
    """A cloud assembly. `destinations`: where its assets go; `minimum_cli`: None where it does not say."""

    stacks: tuple[Stack, ...]
    destinations: tuple[Mapping[str, Any], ...]
    minimum_cli: str | None

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """All resources of all stacks."""
        return tuple(
            Resource(
                stack=stack.name,
                logical_id=name,
                kind=resource["Type"],
                properties=resource.get("Properties") or {},
            )
            for stack in self.stacks
            for name, resource in stack.template.get("Resources", {}).items()
        )

    def of(self, *kinds: str) -> list[Resource]:
        """Resources of these types."""
        return [resource for resource in self.resources if resource.kind in kinds]

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts that its stacks are for; empty when for any."""
        return tuple(sorted({stack.account for stack in self.stacks} - {_ANY_ACCOUNT}))

    @property
    def home(self) -> str | None:
        """The account of most stacks, from which the others are deployed, too; None when for any."""
        found = Counter(stack.account for stack in self.stacks if stack.account != _ANY_ACCOUNT)
        return min(found, key=lambda account: (-found[account], account), default=None)

    def only(self, account: str) -> Assembly:
        """What of it goes into this account."""
        stacks = tuple(stack for stack in self.stacks if stack.account in (account, _ANY_ACCOUNT))
        others = {f":{other}:" for other in self.accounts if other != account}
        destinations = tuple(
            one
            for one in self.destinations
            if not any(other in one.get("assumeRoleArn", "") for other in others)
        )
        return Assembly(stacks, destinations, self.minimum_cli)

    @property
    def account(self) -> str | None:
        """The account that it was synthesised for; None when for any."""
        return self._environment(0, without=_ANY_ACCOUNT)

    @property
    def region(self) -> str | None:
        """The region that it was synthesised for; None when for any."""
        return self._environment(1, without="unknown-region")

    @property
    def prefix(self) -> str:
        """What the names of its stacks begin with."""
        names = sorted(stack.name for stack in self.stacks)
        return names[0].rpartition("-")[0]

    @cached_property
    def is_on_a2i(self) -> bool:
        """Whether human loops run on Amazon A2I: the stacks' functions may start them there."""
        return any("sagemaker:StartHumanLoop" in json.dumps(stack.template) for stack in self.stacks)

    @cached_property
    def subnet_ids(self) -> tuple[str, ...]:
        """Subnets that exist already, which the deployment uses."""
        return tuple(sorted({text for text in self._texts() if text.startswith("subnet-")}))

    def _texts(self) -> Iterator[str]:
        for resource in self.resources:
            yield from texts(resource.properties)

    def _environment(self, index: int, *, without: str) -> str | None:
        found = {stack.environment.removeprefix("aws://").split("/")[index] for stack in self.stacks} - {
            without
        }
        return found.pop() if len(found) == 1 else None


def texts(value: Any) -> Iterator[str]:
    """Every text in a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def read_assembly(folder: Path, *, prefix: str | None) -> Assembly:
    """The deployment in `folder`; with `prefix` that one only.

    Raises:
        NoTemplatesError: when the folder has no such deployment, or is no cloud assembly.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        artifacts = manifest["artifacts"]
        stacks = tuple(
            Stack(
                name=name,
                environment=artifact.get("environment", "aws://unknown-account/unknown-region"),
                properties=artifact["properties"],
                template=_template(folder / artifact["properties"]["templateFile"]),
            )
            for name, artifact in sorted(artifacts.items())
            if artifact["type"] == _STACK and (prefix is None or name.startswith(f"{prefix}-"))
        )
        destinations = tuple(
            destination
            for artifact in artifacts.values()
            if artifact["type"] == _ASSETS
            for asset in _json(folder / artifact["properties"]["file"]).get("files", {}).values()
            for destination in asset["destinations"].values()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoTemplatesError(
            f"{folder} has no synthesized templates: run `cdk synth -c config=FILE --output {folder}`"
        ) from error
    if not stacks:
        named = f" of {prefix}" if prefix else ""
        raise NoTemplatesError(
            f"{folder} has no stack{named}: run `cdk synth -c config=FILE --output {folder}`"
        )
    return Assembly(stacks=stacks, destinations=destinations, minimum_cli=manifest.get("minimumCliVersion"))


def _template(path: Path) -> dict[str, Any]:
    """Raises: TypeError: it is no CloudFormation template."""
    template = _json(path)
    if not all(isinstance(one["Type"], str) for one in template.get("Resources", {}).values()):
        raise TypeError(f"{path}: a resource's type is no text")
    return template


def _json(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document
