"""What roles and policies must hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from overread_constructs.rules.rule import TemplateRule
from overread_constructs.rules.template import Resource, Templates, allows, as_list, condition_keys

_DEPUTIES = {
    f"{name}.amazonaws.com" for name in ("appconfig", "sagemaker", "scheduler", "states", "vpc-flow-logs")
}
_SOURCES = {"aws:SourceAccount", "aws:SourceArn"}
_POLICIES = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role")
_SECRET_NAME = re.compile(r"SECRET|PASSWORD|TOKEN|PRIVATE_KEY|API_KEY")


def _documents(resource: Resource) -> Iterator[tuple[str, Any]]:
    if resource.kind == "AWS::IAM::Role":
        for index, policy in enumerate(as_list(resource.get("Policies"))):
            yield f"Policies/{index}/PolicyDocument", policy["PolicyDocument"]
    else:
        yield "PolicyDocument", resource.get("PolicyDocument")


def _trust(resource: Resource, _: Templates) -> Iterator[str]:
    for statement in allows(resource.get("AssumeRolePolicyDocument")):
        principal = statement.get("Principal")
        services = as_list(principal.get("Service")) if isinstance(principal, Mapping) else []
        if any(service in _DEPUTIES for service in services if isinstance(service, str)) and not (
            _SOURCES & condition_keys(statement)
        ):
            yield "AssumeRolePolicyDocument"


def _permission(resource: Resource, _: Templates) -> Iterator[str]:
    principal = resource.get("Principal")
    if principal == "*":
        yield "Principal"
    elif str(principal).endswith(".amazonaws.com") and not (
        resource.get("SourceArn") or resource.get("SourceAccount")
    ):
        yield "SourceArn"


def _pass_role(resource: Resource, _: Templates) -> Iterator[str]:
    for path, document in _documents(resource):
        for statement in allows(document):
            if "iam:PassRole" in as_list(statement.get("Action")) and (
                "*" in as_list(statement.get("Resource"))
                or "iam:PassedToService" not in condition_keys(statement)
            ):
                yield path


def _whole_service(resource: Resource, _: Templates) -> Iterator[str]:
    for path, document in _documents(resource):
        for statement in allows(document):
            actions = as_list(statement.get("Action"))
            if "NotAction" in statement or any(a == "*" or a.endswith(":*") for a in actions):
                yield path


def _environment(resource: Resource, _: Templates) -> Iterator[str]:
    for name, value in (resource.get("Environment", "Variables") or {}).items():
        is_plain = isinstance(value, str) and not value.startswith("arn:")
        if "{{resolve:" in str(value) or (is_plain and _SECRET_NAME.search(name)):
            yield f"Environment/Variables/{name}"


def _open_to_all(resource: Resource, _: Templates) -> Iterator[str]:
    name = "KeyPolicy" if resource.kind == "AWS::KMS::Key" else "PolicyDocument"
    for statement in allows(resource.get(name)):
        principal = statement.get("Principal")
        named = principal.get("AWS") if isinstance(principal, Mapping) else principal
        if "*" in as_list(named) and not statement.get("Condition"):
            yield name


ACCESS_RULES = (
    TemplateRule(
        name="TrustNamesSource",
        kinds=("AWS::IAM::Role",),
        must="A role that a service takes on names the account or resource it is taken on for.",
        why="Otherwise another account's resource can have the service act with it (confused deputy).",
        faults=_trust,
    ),
    TemplateRule(
        name="PermissionNamesSource",
        kinds=("AWS::Lambda::Permission",),
        must="A service that may invoke a function is held to a source ARN or account.",
        why="Otherwise any account's rule or API can send forged events to the function.",
        faults=_permission,
    ),
    TemplateRule(
        name="PassRoleNarrow",
        kinds=_POLICIES,
        must="iam:PassRole names roles, and the service that they are passed to.",
        why="Passing any role to any service is every right in the account.",
        faults=_pass_role,
    ),
    TemplateRule(
        name="NoWholeService",
        kinds=_POLICIES,
        must="No statement allows all of a service's actions, or all but some.",
        why="What AWS adds to the service later would be allowed too, unread.",
        faults=_whole_service,
    ),
    TemplateRule(
        name="NoSecretInEnvironment",
        kinds=("AWS::Lambda::Function",),
        must="A function's environment holds names of secrets, no secret and no resolved reference.",
        why="Environments are shown in the console and in templates; rotation would not reach them.",
        faults=_environment,
    ),
    TemplateRule(
        name="NotOpenToAll",
        kinds=("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::KMS::Key"),
        must="A resource policy allows nothing to everybody without a condition.",
        why="Block Public Access covers buckets only; a queue, topic or key has no such guard.",
        faults=_open_to_all,
    ),
)
