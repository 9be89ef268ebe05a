"""Findings of cdk-nag that stand, each acknowledged on the construct with what protects instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jsii
from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import IConstruct, IValidation


def acknowledge(construct: IConstruct, *, rule: str, reason: str, pack: str = "AwsSolutions") -> None:
    """Acknowledge `rule` ("SQS3", or "IAM5[Resource::*]" for one finding of a rule) on `construct`."""
    Validations.of(construct).acknowledge(Acknowledgment(id=f"{pack}::{pack}-{rule}", reason=reason))


def accept_wildcards(role: iam.Role, *, reasons: Mapping[str, str]) -> None:
    """Acknowledge the wildcard resources of the role's own policy, by their ends; any other stays a finding.

    `reasons`: by the end of the resource ("/inputs/*"); "*" stands for itself only. cdk-nag names a finding
    by the resource as CloudFormation will read it: for another stack's bucket, known in synthesis only.
    """
    role.node.add_validation(_Wildcards(role, reasons=reasons))


@jsii.implements(IValidation)
class _Wildcards:
    def __init__(self, role: iam.Role, *, reasons: Mapping[str, str]) -> None:
        self._role = role
        self._reasons = reasons

    def validate(self) -> list[str]:
        for resource in sorted(set(_wildcard_resources(self._role))):
            for end, reason in self._reasons.items():
                if resource == end or (end != "*" and resource.endswith(end)):
                    acknowledge(self._role, rule=f"IAM5[Resource::{resource}]", reason=reason)
        return []


def _wildcard_resources(role: iam.Role) -> Iterator[str]:
    policy = role.node.try_find_child("DefaultPolicy")
    if not isinstance(policy, iam.Policy):
        return
    document = Stack.of(role).resolve(policy.document)
    for statement in document["Statement"]:
        resources = statement["Resource"]
        for resource in resources if isinstance(resources, list) else [resources]:
            name = _flat(resource)
            if statement["Effect"] == "Allow" and "*" in name:
                yield name


def _flat(node: Any) -> str:
    """The resource as cdk-nag prints it."""
    if isinstance(node, str):
        return node
    ((function, value),) = node.items()
    match function:
        case "Fn::Join":
            delimiter, items = value
            return str(delimiter).join(_flat(item) for item in items)
        case "Fn::GetAtt":
            return f"<{value[0]}.{value[1]}>"
        case "Ref":
            return f"<{value}>"
        case "Fn::ImportValue":
            return _flat(value)
        case _:
            return ""
