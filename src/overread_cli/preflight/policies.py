"""The IAM policies that a deployment takes, computed from what was synthesised."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from overread_cli.preflight.assembly import Assembly, texts
from overread_cli.preflight.resource_actions import grants_of

LONGEST_POLICY = 6144
"""Characters of a managed policy, white space not counted (IAM's quota, which cannot be raised)."""
_DEPLOY = (
    *("cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet", "cloudformation:DescribeChangeSet"),
    *("cloudformation:DescribeEvents", "cloudformation:ExecuteChangeSet", "cloudformation:DescribeStacks"),
    *("cloudformation:DescribeStackEvents", "cloudformation:GetTemplate", "cloudformation:DeleteStack"),
    *("cloudformation:UpdateTerminationProtection", "cloudformation:RollbackStack"),
    "cloudformation:ContinueUpdateRollback",
)
_PUBLISH = ("s3:GetObject", "s3:PutObject")
_LOOK_AT_BUCKET = ("s3:ListBucket", "s3:GetBucketLocation", "s3:GetEncryptionConfiguration")


@dataclass(frozen=True, slots=True)
class Statement:
    """Actions that are allowed on resources; `passed_to` are the services that roles are given to."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    passed_to: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """As IAM writes it."""
        document: dict[str, Any] = {
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": list(self.resources),
        }
        if self.passed_to:
            document["Condition"] = {"StringEquals": {"iam:PassedToService": list(self.passed_to)}}
        return document


@dataclass(frozen=True, slots=True)
class Policy:
    """What one role takes; `unlisted` are resource types whose calls are not known here."""

    statements: tuple[Statement, ...]
    unlisted: tuple[str, ...] = ()

    def documents(self) -> list[dict[str, Any]]:
        """As IAM writes it, in as many documents as IAM's limit on a policy's length takes."""
        documents: list[dict[str, Any]] = []
        for statement in self.statements:
            one = statement.document()
            if not documents or _length(documents[-1]) + _length(one) + 1 > LONGEST_POLICY:
                documents.append({"Version": "2012-10-17", "Statement": []})
            documents[-1]["Statement"].append(one)
        return documents


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is deployed."""

    partition: str
    account: str
    region: str

    def fill(self, text: str) -> str:
        """A text of the manifest with its pseudo parameters replaced."""
        return (
            text.replace("${AWS::Partition}", self.partition)
            .replace("${AWS::AccountId}", self.account)
            .replace("${AWS::Region}", self.region)
        )


def place_of(assembly: Assembly, *, account: str | None, region: str | None) -> Place:
    """The assembly's own account and region before those given; `*` where nothing says them."""
    in_region = assembly.region or region or "*"
    partition = "aws-cn" if in_region.startswith("cn-") else "aws"
    partition = "aws-us-gov" if in_region.startswith("us-gov-") else partition
    return Place(partition, assembly.account or account or "*", in_region)


def deployer_policy(assembly: Assembly, *, place: Place) -> Policy:
    """What whoever runs `cdk deploy` takes: the bootstrap roles, or, without them, their permissions."""
    roles = _roles(assembly, "assumeRoleArn", place=place)
    publishing = {
        place.fill(destination["assumeRoleArn"])
        for destination in assembly.destinations
        if "assumeRoleArn" in destination
    }
    statements = []
    if assumed := sorted(roles | publishing):
        statements.append(Statement(("sts:AssumeRole",), tuple(assumed)))
    if not roles:
        names = sorted({stack.name for stack in assembly.stacks})
        stacks = tuple(_cloudformation(place, name) for name in names)
        statements.append(Statement(tuple(sorted(_DEPLOY)), stacks))
        if execution := sorted(execution_roles(assembly, place=place)):
            statements.append(
                Statement(("iam:PassRole",), tuple(execution), ("cloudformation.amazonaws.com",))
            )
        if parameters := _bootstrap_parameters(assembly, place=place):
            statements.append(Statement(("ssm:GetParameter", "ssm:GetParameters"), parameters))
    own = sorted(
        {
            place.fill(destination["bucketName"])
            for destination in assembly.destinations
            if "assumeRoleArn" not in destination
        }
    )
    if own:
        arns = tuple(f"arn:{place.partition}:s3:::{bucket}" for bucket in own)
        statements.append(Statement(tuple(sorted(_LOOK_AT_BUCKET)), arns))
        statements.append(Statement(_PUBLISH, tuple(f"{arn}/*" for arn in arns)))
    return Policy(tuple(statements))


def execution_policy(assembly: Assembly, *, place: Place) -> Policy:
    """What CloudFormation's role takes to create, change and delete every resource of the templates."""
    by_actions: dict[str, set[str]] = defaultdict(set)
    unlisted = set()
    fields = {
        "partition": place.partition,
        "account": place.account,
        "region": place.region,
        "name": f"{assembly.prefix}-*",
        "role_path": role_path(assembly),
    }
    for resource in assembly.resources:
        grants = grants_of(resource.kind)
        if grants is None:
            unlisted.add(resource.kind)
            continue
        for grant in grants:
            for action in grant.named():
                by_actions[action].add(grant.resource.format(**fields))
    statements = [
        *_grouped(by_actions),
        Statement(("s3:GetObject",), _assets(assembly, place=place)),
    ]
    if parameters := _bootstrap_parameters(assembly, place=place):
        statements.append(Statement(("ssm:GetParameters",), parameters))
    if passed := _passed(assembly, place=place):
        statements.append(passed)
    return Policy(tuple(one for one in statements if one.resources), tuple(sorted(unlisted)))


def execution_roles(assembly: Assembly, *, place: Place) -> set[str]:
    """ARNs of the roles that CloudFormation works with; none when it works with the caller's."""
    return _roles(assembly, "cloudFormationExecutionRoleArn", place=place)


def role_path(assembly: Assembly) -> str:
    """The path that all roles of the templates share, `/` as a rule."""
    found = {str(role.properties.get("Path", "/")) for role in assembly.of("AWS::IAM::Role")}
    return found.pop() if len(found) == 1 else "/*"


def _length(document: Mapping[str, Any]) -> int:
    return len(json.dumps(document, separators=(",", ":")))


def _grouped(by_action: Mapping[str, set[str]]) -> list[Statement]:
    """Actions on the same resources in one statement; `*` covers the narrower ones."""
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for action, resources in by_action.items():
        key = ("*",) if "*" in resources else tuple(sorted(resources))
        groups[key].append(action)
    return [Statement(tuple(sorted(actions)), key) for key, actions in sorted(groups.items())]


def _passed(assembly: Assembly, *, place: Place) -> Statement | None:
    """Roles that resources are given, and the services that they trust."""
    roles = assembly.of("AWS::IAM::Role")
    services = {
        text
        for role in roles
        for text in texts(role.properties.get("AssumeRolePolicyDocument"))
        if text.endswith(".amazonaws.com")
    }
    existing = {
        text
        for resource in assembly.resources
        for text in texts([resource.properties.get(key) for key in ("Role", "RoleArn", "ExecutionRoleArn")])
        if re.fullmatch(r"arn:[\w-]+:iam::[0-9]{12}:role/.+", text)
    }
    own = {f"arn:{place.partition}:iam::{place.account}:role{role_path(assembly)}{assembly.prefix}-*"}
    arns = (own if roles else set()) | existing
    if not arns:
        return None
    return Statement(("iam:PassRole",), tuple(sorted(arns)), tuple(sorted(services)))


def _assets(assembly: Assembly, *, place: Place) -> tuple[str, ...]:
    buckets = {place.fill(destination["bucketName"]) for destination in assembly.destinations}
    return tuple(sorted(f"arn:{place.partition}:s3:::{bucket}/*" for bucket in buckets))


def _bootstrap_parameters(assembly: Assembly, *, place: Place) -> tuple[str, ...]:
    names = {
        parameter
        for stack in assembly.stacks
        if (parameter := stack.properties.get("bootstrapStackVersionSsmParameter"))
    }
    return tuple(
        f"arn:{place.partition}:ssm:{place.region}:{place.account}:parameter{name}" for name in sorted(names)
    )


def _roles(assembly: Assembly, key: str, *, place: Place) -> set[str]:
    arns: Iterable[str] = (stack.properties.get(key, "") for stack in assembly.stacks)
    return {place.fill(arn) for arn in arns if arn}


def _cloudformation(place: Place, name: str) -> str:
    return f"arn:{place.partition}:cloudformation:{place.region}:{place.account}:stack/{name}/*"
