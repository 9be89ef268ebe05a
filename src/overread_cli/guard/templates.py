"""Templates by stack: from one file, or from a folder that `cdk synth` wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overread.errors import OverreadError

Template = Mapping[str, Any]
_NESTED = ".nested.template.json"


class NoTemplateError(OverreadError):
    """A path that leads to no CloudFormation template."""


def read_templates(path: Path) -> dict[str, Template]:
    """The templates behind a path, by the names of their stacks; a single file's is its own name, first.

    Nested stacks are among them, as `STACK/LOGICAL_ID`.

    Raises:
        NoTemplateError: there is none, or one cannot be read.
    """
    if path.is_dir():
        manifest = path / "manifest.json"
        if manifest.is_file():
            return _of_assembly(path, _json(manifest))
        files = sorted(path.glob("*.template.json")) or sorted(path.glob("*.json"))
        found: dict[str, Template] = {
            _stack_of(file): _json(file) for file in files if not file.name.endswith(_NESTED)
        }
        found = {name: template for name, template in found.items() if "Resources" in template}
        if not found:
            raise NoTemplateError(f"{path}: no synthesized templates: run `cdk synth`")
        return _with_nested(path, found)
    template = _json(path)
    if not isinstance(template.get("Resources"), dict):
        raise NoTemplateError(f"{path}: no CloudFormation template: it has no Resources")
    return _with_nested(path.parent, {_stack_of(path): template})


def paired(
    old: Mapping[str, Template], new: Mapping[str, Template], *, are_files: bool
) -> dict[str, tuple[Template, Template]]:
    """Old and new template of each old stack; a stack that is gone has an empty new one.

    Two files (`are_files`) are templates of one stack, whatever they are called.
    """
    if are_files:
        name, other = next(iter(old)), next(iter(new))
        new = {name + key.removeprefix(other): template for key, template in new.items()}
    return {name: (before, new.get(name, {"Resources": {}})) for name, before in old.items()}


def _of_assembly(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Template]:
    try:
        stacks = {
            name: artifact["properties"]
            for name, artifact in manifest["artifacts"].items()
            if artifact["type"] == "aws:cloudformation:stack"
        }
        if not stacks:
            raise NoTemplateError(
                f"{folder}: no stack in it; of a pipeline, name its assembly-… folders one by one"
            )
        found = {
            properties.get("stackName", name): _json(folder / properties["templateFile"])
            for name, properties in stacks.items()
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise NoTemplateError(f"{folder}: manifest.json is no cloud assembly's") from error
    return _with_nested(folder, found)


def _with_nested(folder: Path, found: Mapping[str, Template]) -> dict[str, Template]:
    """Nested stacks, too, as `STACK/LOGICAL_ID`; the CDK writes beside each where its template is."""
    every = dict(found)
    for name, template in found.items():
        for logical_id, resource in template.get("Resources", {}).items():
            if resource.get("Type") != "AWS::CloudFormation::Stack":
                continue
            nested = f"{name}/{logical_id}"
            file = resource.get("Metadata", {}).get("aws:asset:path")
            if file is None:
                raise NoTemplateError(
                    f"{folder}: nobody knows what the nested stack {nested} holds: it names no aws:asset:path"
                )
            every |= _with_nested((folder / file).parent, {nested: _json(folder / file)})
    return every


def _stack_of(path: Path) -> str:
    return path.name.removesuffix(".json").removesuffix(".template")


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NoTemplateError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise NoTemplateError(f"{path}: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise NoTemplateError(f"{path}: not a JSON object")
    resources = value.get("Resources", {})
    if not isinstance(resources, dict):
        raise NoTemplateError(f"{path}: its Resources are no JSON object")
    for name, resource in resources.items():
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            raise NoTemplateError(f"{path}: the resource {name} has no Type")
    return value
