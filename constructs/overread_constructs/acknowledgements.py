"""Findings of rule packs that stand: what protects instead, who answers for it, until when."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import jsii
from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import IConstruct, IValidation

NIST, HIPAA, PCI, SERVERLESS = "NIST.800.53.R5", "HIPAA.Security", "PCI.DSS.321", "Serverless"
CHECKOV, CONTROL_TOWER = "Checkov", "ControlTower"
"""Not run by the CDK, but by `make audit`, which reads the same acknowledgements."""
_AWS = "AwsSolutions"
_LAWS = (NIST, HIPAA, PCI)
PACKS = frozenset({_AWS, *_LAWS, SERVERLESS, "Overread", CHECKOV, CONTROL_TOWER})
"""Whose findings are acknowledged on terms."""


def _in_packs(rule: str, *packs: str) -> tuple[tuple[str, str], ...]:
    return tuple((pack, rule) for pack in packs)


_SAME: Mapping[str, tuple[tuple[str, str], ...]] = {
    "APIG3": ((_AWS, "APIG3"), *_in_packs("APIGWAssociatedWithWAF", NIST, PCI)),
    "APIG4": ((_AWS, "APIG4"), (CHECKOV, "CKV_AWS_59")),
    "APIGWCacheEnabledAndEncrypted": (
        *_in_packs("APIGWCacheEnabledAndEncrypted", *_LAWS),
        (CHECKOV, "CKV_AWS_120"),
    ),
    "APIGWSSLEnabled": _in_packs("APIGWSSLEnabled", *_LAWS),
    "BucketLogged": ((CHECKOV, "CKV_AWS_18"), (CONTROL_TOWER, "CT.S3.PR.2")),
    "BucketLocked": ((CONTROL_TOWER, "CT.S3.PR.9"),),
    "BucketNotifies": ((CONTROL_TOWER, "CT.S3.PR.4"),),
    "CloudWatchAlarmAction": (
        *_in_packs("CloudWatchAlarmAction", NIST, HIPAA),
        (CONTROL_TOWER, "CT.CLOUDWATCH.PR.1"),
    ),
    "CloudWatchLogGroupEncrypted": (
        *_in_packs("CloudWatchLogGroupEncrypted", *_LAWS),
        (CHECKOV, "CKV_AWS_158"),
        (CONTROL_TOWER, "CT.CLOUDWATCH.PR.3"),
    ),
    "DynamoDBInBackupPlan": _in_packs("DynamoDBInBackupPlan", NIST, HIPAA),
    "IAM5[Resource::*]": ((_AWS, "IAM5[Resource::*]"), (CHECKOV, "CKV_AWS_111")),
    "IAMNoInlinePolicy": _in_packs("IAMNoInlinePolicy", *_LAWS),
    "KeyGrantsForServices": ((CONTROL_TOWER, "CT.KMS.PR.3"),),
    "LambdaConcurrency": (*_in_packs("LambdaConcurrency", NIST, HIPAA), (CHECKOV, "CKV_AWS_115")),
    "LambdaDLQ": (*_in_packs("LambdaDLQ", NIST, HIPAA, SERVERLESS), (CHECKOV, "CKV_AWS_116")),
    "LambdaEnvironmentKey": ((CHECKOV, "CKV_AWS_173"),),
    "LambdaInsideVPC": (
        *_in_packs("LambdaInsideVPC", *_LAWS),
        (CHECKOV, "CKV_AWS_117"),
        (CONTROL_TOWER, "CT.LAMBDA.PR.3"),
    ),
    "LogsKeptAYear": ((CONTROL_TOWER, "CT.CLOUDWATCH.PR.2"),),
    "PublicTeamDenied": (("Overread", "PublicTeamDenied"),),
    "QueueKey": ((CHECKOV, "CKV_AWS_27"),),
    "S3BucketReplicationEnabled": _in_packs("S3BucketReplicationEnabled", *_LAWS),
    "S3DefaultEncryptionKMS": (
        *_in_packs("S3DefaultEncryptionKMS", *_LAWS),
        (CONTROL_TOWER, "CT.S3.PR.10"),
    ),
    "SMG4": ((_AWS, "SMG4"), *_in_packs("SecretsManagerRotationEnabled", NIST, HIPAA)),
    "SQS3": ((_AWS, "SQS3"), (SERVERLESS, "SQSRedrivePolicy"), (CONTROL_TOWER, "CT.SQS.PR.1")),
    "VPCDefaultSecurityGroupClosed": _in_packs("VPCDefaultSecurityGroupClosed", *_LAWS),
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

_TERMS = re.compile(r".+ Owner: (?P<owner>[^:]+)\. Until: (?P<expires>\d{4}-\d{2}-\d{2})\.", re.DOTALL)

_INLINE_REASON = (
    "It belongs to its one role, and comes and goes with what it is for. A managed policy could be attached "
    "to other roles, and a role takes ten."
)


def finding_id(pack: str, rule: str) -> str:
    """What acknowledgements call the rule of a pack."""
    return f"{pack}::{pack}-{rule}"


def acknowledge(construct: IConstruct, *, rule: str, reason: str, terms: Terms = BY_DESIGN) -> None:
    """Acknowledge a finding on `construct` in each pack that has it.

    `rule`: "SQS3", or "IAM5[Resource::*]" for one finding of a rule.
    """
    names = _SAME.get(rule, ((_AWS, rule),))
    said = f"{reason} Owner: {terms.owner}. Until: {terms.expires.isoformat()}."
    Validations.of(construct).acknowledge(
        *(Acknowledgment(id=finding_id(pack, name), reason=said) for pack, name in names)
    )


def terms_of(said: str) -> Terms | None:
    """The terms at the end of an acknowledgement's text; None when it does not give reason, owner and day."""
    found = _TERMS.fullmatch(said)
    if found is None:
        return None
    try:
        return Terms(owner=found["owner"], expires=date.fromisoformat(found["expires"]))
    except ValueError:
        return None


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


def accept_plain_bucket(bucket: IConstruct) -> None:
    """Acknowledge that a bucket tells nobody of new objects, and can have objects deleted."""
    acknowledge(
        bucket,
        rule="BucketNotifies",
        reason="Who writes here records it in the table of decisions; nobody waits for objects.",
    )
    acknowledge(
        bucket,
        rule="BucketLocked",
        reason=(
            "What is proof is locked in the audit bucket, by settings; personal data elsewhere must stay "
            "erasable."
        ),
    )


def accept_log_retention(log_group: IConstruct) -> None:
    """Acknowledge that logs may be kept for less than a year."""
    acknowledge(
        log_group,
        rule="LogsKeptAYear",
        reason="Settings say how long (retention.log_days); what is proof is in the audit bucket.",
    )


def accept_key_policy(key: IConstruct) -> None:
    """Acknowledge that a key's own policy names no services that may be granted it."""
    acknowledge(
        key,
        rule="KeyGrantsForServices",
        reason="It leaves the key to the account's IAM policies: endpoint roles may grant it, to AWS only.",
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


def accept_wildcards(role: iam.Role | iam.ManagedPolicy, *, reasons: Mapping[str, str]) -> None:
    """Acknowledge the wildcard resources of a role's own or a managed policy, by their ends.

    Any other stays a finding.

    `reasons`: by the end of the resource ("/inputs/*"); "*" stands for itself only. cdk-nag names a finding
    by the resource as CloudFormation will read it: for another stack's bucket, known in synthesis only.
    """
    role.node.add_validation(_Wildcards(role, reasons=reasons))


@jsii.implements(IValidation)
class _Wildcards:
    def __init__(self, role: iam.Role | iam.ManagedPolicy, *, reasons: Mapping[str, str]) -> None:
        self._role = role
        self._reasons = reasons

    def validate(self) -> list[str]:
        for resource in sorted(set(_wildcard_resources(self._role))):
            for end, reason in self._reasons.items():
                if resource == end or (end != "*" and resource.endswith(end)):
                    acknowledge(self._role, rule=f"IAM5[Resource::{resource}]", reason=reason)
        return []


def _wildcard_resources(role: iam.Role | iam.ManagedPolicy) -> Iterator[str]:
    policy = role if isinstance(role, iam.ManagedPolicy) else role.node.try_find_child("DefaultPolicy")
    if not isinstance(policy, iam.Policy | iam.ManagedPolicy):
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
