"""Findings of rule packs that stand: what protects instead, who answers for it, until when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import jsii
from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import IConstruct, IValidation

NIST, HIPAA, PCI, SERVERLESS = "NIST.800.53.R5", "HIPAA.Security", "PCI.DSS.321", "Serverless"
_SAME: Mapping[str, tuple[tuple[str, str], ...]] = {
    "APIG3": (("AwsSolutions", "APIG3"), (NIST, "APIGWAssociatedWithWAF"), (PCI, "APIGWAssociatedWithWAF")),
    "SMG4": (
        ("AwsSolutions", "SMG4"),
        (NIST, "SecretsManagerRotationEnabled"),
        (HIPAA, "SecretsManagerRotationEnabled"),
    ),
    "SQS3": (("AwsSolutions", "SQS3"), (SERVERLESS, "SQSRedrivePolicy")),
    **{
        rule: tuple((pack, rule) for pack in packs)
        for rule, packs in {
            "APIGWCacheEnabledAndEncrypted": (NIST, HIPAA, PCI),
            "APIGWSSLEnabled": (NIST, HIPAA, PCI),
            "CloudWatchAlarmAction": (NIST, HIPAA),
            "CloudWatchLogGroupEncrypted": (NIST, HIPAA, PCI),
            "DynamoDBInBackupPlan": (NIST, HIPAA),
            "IAMNoInlinePolicy": (NIST, HIPAA, PCI),
            "LambdaConcurrency": (NIST, HIPAA),
            "LambdaDLQ": (NIST, HIPAA, SERVERLESS),
            "LambdaInsideVPC": (NIST, HIPAA, PCI),
            "S3BucketReplicationEnabled": (NIST, HIPAA, PCI),
            "S3DefaultEncryptionKMS": (NIST, HIPAA, PCI),
            "VPCDefaultSecurityGroupClosed": (NIST, HIPAA, PCI),
        }.items()
    },
}
"""What one finding is called in each pack that has it; any other is of AwsSolutions alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Who answers for an acknowledgement, and the last day on which it counts."""

    owner: str
    expires: date


BY_DESIGN = Terms(owner="Overread maintainers", expires=date(2027, 11, 30))
"""For what follows from how Overread is built: looked at once a year."""
BY_ACCOUNT = Terms(owner="platform team of the account", expires=date(2027, 5, 31))
"""For what an account can have around Overread, and Overread does not make: looked at twice a year."""

_INLINE_REASON = (
    "It belongs to its one role, and comes and goes with what it is for. A managed policy could be attached "
    "to other roles, and a role takes ten."
)


def acknowledge(construct: IConstruct, *, rule: str, reason: str, terms: Terms = BY_DESIGN) -> None:
    """Acknowledge a finding on `construct` in each pack that has it.

    `rule`: "SQS3", or "IAM5[Resource::*]" for one finding of a rule.
    """
    names = _SAME.get(rule, (("AwsSolutions", rule),))
    said = f"{reason} Owner: {terms.owner}. Until: {terms.expires.isoformat()}."
    Validations.of(construct).acknowledge(
        *(Acknowledgment(id=f"{pack}::{pack}-{name}", reason=said) for pack, name in names)
    )


def accept_one_region(bucket: IConstruct) -> None:
    """Acknowledge that objects are copied to no other bucket."""
    acknowledge(
        bucket,
        rule="S3BucketReplicationEnabled",
        reason=(
            "Reviews happen in one region, and a copy elsewhere is a decision about where personal data may "
            "be. S3 keeps versions in several zones; a second region is the account's choice."
        ),
        terms=BY_ACCOUNT,
    )


def accept_backup_elsewhere(table: IConstruct) -> None:
    """Acknowledge that no backup plan is made beside the table's point-in-time recovery."""
    acknowledge(
        table,
        rule="DynamoDBInBackupPlan",
        reason=(
            "Point-in-time recovery reaches back 35 days. Longer backups are of the organization's backup "
            "policy, which picks resources by their tags; a plan made here would be a second one."
        ),
        terms=BY_ACCOUNT,
    )


def accept_inline_policy(construct: IConstruct) -> None:
    """Acknowledge that a role has a policy of its own; `construct` is the role, or the policy."""
    acknowledge(construct, rule="IAMNoInlinePolicy", reason=_INLINE_REASON)


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
