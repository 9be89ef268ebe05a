"""What of a new template would destroy what the old one keeps; which changes replace is an argument."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from overread_cli.guard.references import referred

STATEFUL = frozenset(
    {
        "AWS::Cognito::UserPool",
        "AWS::DynamoDB::GlobalTable",
        "AWS::DynamoDB::Table",
        "AWS::EC2::VPC",
        "AWS::ECR::Repository",
        "AWS::EFS::FileSystem",
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBInstance",
        "AWS::S3::Bucket",
        "AWS::SageMaker::Domain",
        "AWS::SageMaker::UserProfile",
        "AWS::SecretsManager::Secret",
        "AWS::SQS::Queue",
        "Custom::OverreadWorkforce",
    }
)
"""Types that hold what nobody can make again; any resource that is retained counts too."""

CreateOnly = Callable[[str], tuple[tuple[str, ...], tuple[str, ...]]]
"""Of a type: the JSON pointers of properties whose change replaces a resource, and of those whose may."""

_KEPT = frozenset({"Retain", "RetainExceptOnCreate", "Snapshot"})
_POLICIES = ("DeletionPolicy", "UpdateReplacePolicy")


@dataclass(frozen=True, slots=True)
class Danger:
    """One resource that a change would destroy, or leave without protection; what to do instead."""

    stack: str
    logical_id: str
    type: str
    what: str
    instead: str


def dangers(
    stack: str, old: Mapping[str, Any], new: Mapping[str, Any], *, create_only: CreateOnly
) -> Iterator[Danger]:
    """Every danger to a stateful resource of the old template."""
    before, after = old.get("Resources", {}), new.get("Resources", {})
    for name, resource in before.items():
        if not _is_stateful(resource):
            continue
        kind = resource["Type"]
        found = after.get(name)
        if found is None:
            what, instead = _gone(name, resource, before, after)
            yield Danger(stack, name, kind, what, instead)
        elif found.get("Type") != kind:
            what = f"becomes another type, {found.get('Type')}: {_fate(resource)}"
            yield Danger(
                stack, name, kind, what, "give the new resource a logical id of its own, and move the data"
            )
        else:
            for what, instead in (
                *_changed(resource, found, create_only(kind)),
                *_moved(name, before, after, create_only=create_only),
            ):
                yield Danger(stack, name, kind, what, instead)


def _is_stateful(resource: Mapping[str, Any]) -> bool:
    return resource.get("Type") in STATEFUL or resource.get("DeletionPolicy") in _KEPT


def _gone(
    name: str, resource: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[str, str]:
    same = [
        other
        for other, found in after.items()
        if other not in before
        and found.get("Type") == resource["Type"]
        and found.get("Properties") == resource.get("Properties")
    ]
    if same:
        return (
            f"is called {same[0]} now: {_fate(resource)}, and a new one is made",
            f"keep the logical id: overrideLogicalId({name!r}), or rename it with `cdk refactor`",
        )
    return (
        f"is not in the new template: {_fate(resource)}",
        "keep it, or take it out of the stack first with DeletionPolicy Retain deployed",
    )


def _changed(
    old: Mapping[str, Any], new: Mapping[str, Any], properties: tuple[tuple[str, ...], tuple[str, ...]]
) -> Iterator[tuple[str, str]]:
    before, after = old.get("Properties") or {}, new.get("Properties") or {}
    for pointers, certainty in zip(properties, ("is replaced", "may be replaced"), strict=True):
        for pointer in pointers:
            path = pointer.removeprefix("/properties/").split("/")
            if _at(before, path) != _at(after, path):
                where = ".".join(path)
                fate = _fate(old, "UpdateReplacePolicy")
                yield (
                    f"{certainty} by an empty one, because {where} changes: {fate}",
                    f"leave {where} as it is; or make a second one, move the data, then take this one away",
                )
    for policy in _POLICIES:
        if old.get(policy) in _KEPT and new.get(policy) not in _KEPT:
            yield (
                f"loses its {policy} {old[policy]}: the next change that removes it deletes what it holds",
                f"keep {policy}: {old[policy]}",
            )


def _moved(
    name: str, before: Mapping[str, Any], after: Mapping[str, Any], *, create_only: CreateOnly
) -> Iterator[tuple[str, str]]:
    """Properties that read as before, but refer to a resource that another one takes the place of."""
    old, new = (one[name].get("Properties") or {} for one in (before, after))
    for path in _paths(before[name]["Type"], create_only):
        if (value := _at(new, path)) != _at(old, path):
            continue  # told as a change of the property
        for other in sorted(set(referred(value))):
            if _is_replaced(other, before, after, create_only=create_only, asked=frozenset({name})):
                where = ".".join(path)
                fate = _fate(before[name], "UpdateReplacePolicy")
                yield (
                    f"may be replaced by an empty one, because {where} refers to {other}, "
                    f"which is replaced: {fate}",
                    f"leave {other} as it is; or make a second one, move the data, then take this one away",
                )


def _is_replaced(
    name: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    create_only: CreateOnly,
    asked: frozenset[str],
) -> bool:
    """By a change of its own, or because of what it refers to. `asked`: those on the way here."""
    old, new = before.get(name), after.get(name)
    if old is None or new is None or name in asked:
        return False
    if old.get("Type") != new.get("Type"):
        return True
    for path in _paths(old["Type"], create_only):
        value = _at(new.get("Properties") or {}, path)
        if value != _at(old.get("Properties") or {}, path):
            return True
        if any(
            _is_replaced(other, before, after, create_only=create_only, asked=asked | {name})
            for other in referred(value)
        ):
            return True
    return False


def _paths(kind: str, create_only: CreateOnly) -> list[list[str]]:
    return [pointer.removeprefix("/properties/").split("/") for one in create_only(kind) for pointer in one]


def _fate(resource: Mapping[str, Any], policy: str = "DeletionPolicy") -> str:
    if resource.get(policy) == "Snapshot":
        return "the old one is deleted after a snapshot"
    if resource.get(policy) in _KEPT:
        return "the old one stays, in no stack"
    return "the old one is deleted with all that it holds"


def _at(value: Any, path: list[str]) -> Any:
    """What stands at a path; under `*` whatever stands in each item of a list."""
    for index, step in enumerate(path):
        if step == "*":
            rest = path[index + 1 :]
            return [_at(item, rest) for item in value] if isinstance(value, list) else value
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)
    return value
