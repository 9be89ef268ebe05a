"""Synthesized templates as rules read them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource of a template; `file` is where that template is."""

    file: Path
    logical_id: str
    body: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """The CloudFormation type."""
        return str(self.body["Type"])

    def get(self, *path: str) -> Any:
        """The property at `path`, None when it or anything above it is missing."""
        found: Any = self.body.get("Properties", {})
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    def refers_to(self, logical_id: str) -> bool:
        """Whether a property refers to a resource of the same template."""
        text = json.dumps(self.body.get("Properties", {}))
        return f'{{"Ref": "{logical_id}"}}' in text or f'"Fn::GetAtt": ["{logical_id}"' in text


@dataclass(frozen=True, slots=True)
class Templates:
    """All resources of an application."""

    resources: tuple[Resource, ...]

    def of(self, *kinds: str) -> Iterator[Resource]:
        """Those of these CloudFormation types."""
        return (resource for resource in self.resources if resource.kind in kinds)

    def beside(self, resource: Resource, *kinds: str) -> Iterator[Resource]:
        """Those of these types in the template that `resource` is in."""
        return (other for other in self.of(*kinds) if other.file == resource.file)


def read_templates(files: Iterable[Path]) -> Templates:
    """The resources of these templates, which the CDK wrote."""
    return Templates(
        tuple(
            Resource(file=file, logical_id=logical_id, body=body)
            for file in files
            for logical_id, body in json.loads(file.read_text(encoding="utf-8")).get("Resources", {}).items()
        )
    )


def as_list(value: Any) -> list[Any]:
    """The value, or the list that it is; nothing for None."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def allows(document: Any) -> Iterator[Mapping[str, Any]]:
    """The Allow statements of a policy document."""
    return (item for item in _statements(document) if item.get("Effect") == "Allow")


def denies(document: Any) -> Iterator[Mapping[str, Any]]:
    """The Deny statements of a policy document."""
    return (item for item in _statements(document) if item.get("Effect") == "Deny")


def _statements(document: Any) -> list[Mapping[str, Any]]:
    return as_list(document.get("Statement")) if isinstance(document, Mapping) else []


def condition_keys(statement: Mapping[str, Any]) -> set[str]:
    """Names of the condition keys that a statement asks for."""
    return {key for asked in statement.get("Condition", {}).values() for key in asked}
