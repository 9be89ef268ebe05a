"""Which IAM action, resource and condition keys a SageMaker request needs.

Source: the Service Authorization Reference of Amazon SageMaker.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from overread_local.sagemaker.records import Caller

_VERBS = re.compile(r"^(Create|Describe|Update|Delete|Stop)(?P<noun>[A-Za-z]+)$")
# noun of the operation: resource type in the ARN, request member that names it
_RESOURCES = {
    "Model": ("model", "ModelName"),
    "EndpointConfig": ("endpoint-config", "EndpointConfigName"),
    "Endpoint": ("endpoint", "EndpointName"),
    "EndpointWeightsAndCapacities": ("endpoint", "EndpointName"),
    "Domain": ("domain", "DomainId"),
    "UserProfile": ("user-profile", "UserProfileName"),
    "PresignedDomainUrl": ("user-profile", "UserProfileName"),
    "Space": ("space", "SpaceName"),
    "App": ("app", "AppName"),
    "HumanTaskUi": ("human-task-ui", "HumanTaskUiName"),
    "FlowDefinition": ("flow-definition", "FlowDefinitionName"),
    "Workteam": ("workteam/private-crowd", "WorkteamName"),
    "Workforce": ("workforce", "WorkforceName"),
    "LabelingJob": ("labeling-job", "LabelingJobName"),
    "TrainingJob": ("training-job", "TrainingJobName"),
    "TransformJob": ("transform-job", "TransformJobName"),
}
_TAGGING = {"AddTags", "ListTags", "DeleteTags"}
_ROLE_MEMBERS = ("RoleArn", "ExecutionRoleArn")


@dataclass(frozen=True)
class Permission:
    """One check: an action (of `sagemaker` unless it names a service) on a resource, with condition keys."""

    operation: str
    resource: str
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def action(self) -> str:
        return self.operation if ":" in self.operation else f"sagemaker:{self.operation}"


def control_permissions(caller: Caller, operation: str, params: Mapping[str, Any]) -> list[Permission]:
    """Every check that a control-plane request must pass, PassRole included."""
    checks = [
        Permission(
            operation, _resource(caller, operation, params), _condition_keys(caller, operation, params)
        )
    ]
    if operation in {"CreateEndpoint", "UpdateEndpoint"}:
        config = caller.arn("endpoint-config", str(params.get("EndpointConfigName", "")))
        checks.append(Permission(operation, config))
    if operation.startswith("Create") and params.get("Tags"):
        checks.append(Permission("AddTags", checks[0].resource, checks[0].context))
    checks += [
        Permission("iam:PassRole", str(params[member]), {"iam:PassedToService": "sagemaker.amazonaws.com"})
        for member in _ROLE_MEMBERS
        if operation.startswith(("Create", "Update")) and params.get(member)
    ]
    return checks


def loop_permission(caller: Caller, method: str, path: str, *, body: bytes) -> Permission:
    """The check that an A2I runtime request must pass."""
    tail = unquote(path.removeprefix("/human-loops").strip("/"))
    if method == "POST" and not tail:
        return Permission("StartHumanLoop", str(_member(body, "FlowDefinitionArn") or "*"))
    if method == "POST" and tail == "stop":
        return Permission("StopHumanLoop", caller.arn("human-loop", str(_member(body, "HumanLoopName"))))
    if not tail:
        return Permission("ListHumanLoops", "*")
    operation = "DeleteHumanLoop" if method == "DELETE" else "DescribeHumanLoop"
    return Permission(operation, caller.arn("human-loop", tail))


def _resource(caller: Caller, operation: str, params: Mapping[str, Any]) -> str:
    if operation in _TAGGING:
        return str(params.get("ResourceArn", "*"))
    if operation == "DescribeSubscribedWorkteam":
        return str(params.get("WorkteamArn", "*"))
    match = _VERBS.match(operation)
    if match is None or match["noun"] not in _RESOURCES:
        return "*"
    kind, member = _RESOURCES[match["noun"]]
    name = str(params.get(member, "*"))
    if kind == "app":
        owner = params.get("UserProfileName") or params.get("SpaceName") or "*"
        name = f"{owner}/{str(params.get('AppType', '*')).lower()}/{name}"
    if kind in {"user-profile", "space", "app"}:
        name = f"{params.get('DomainId', '*')}/{name}"
    return caller.arn(kind, name)


def _condition_keys(caller: Caller, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    for tag in params.get("Tags") or ():
        keys[f"aws:RequestTag/{tag.get('Key')}"] = tag.get("Value")
    if params.get("Tags"):
        keys["aws:TagKeys"] = [tag.get("Key") for tag in params["Tags"]]
    if operation == "CreateFlowDefinition":
        team = str((params.get("HumanLoopConfig") or {}).get("WorkteamArn", ""))
        keys |= {"sagemaker:WorkteamArn": team, "sagemaker:WorkteamType": _team_kind(team)}
    if operation == "CreateEndpointConfig":
        variants = params.get("ProductionVariants") or ()
        keys["sagemaker:InstanceTypes"] = [
            one.get("InstanceType") for one in variants if one.get("InstanceType")
        ]
        keys["sagemaker:ModelArn"] = [caller.arn("model", str(one.get("ModelName", ""))) for one in variants]
        if params.get("KmsKeyId"):
            keys["sagemaker:VolumeKmsKey"] = params["KmsKeyId"]
    if operation in {"CreateModel", "CreateDomain"}:
        network = params.get("VpcConfig") or {}
        subnets = network.get("Subnets") or params.get("SubnetIds")
        if subnets:
            keys["sagemaker:VpcSubnets"] = list(subnets)
        if network.get("SecurityGroupIds"):
            keys["sagemaker:VpcSecurityGroupIds"] = list(network["SecurityGroupIds"])
        if operation == "CreateModel":
            keys["sagemaker:NetworkIsolation"] = str(bool(params.get("EnableNetworkIsolation"))).lower()
    return keys


def _team_kind(arn: str) -> str:
    for kind in ("public-crowd", "private-crowd", "vendor-crowd"):
        if f":workteam/{kind}/" in arn:
            return kind
    return ""


def _member(body: bytes, name: str) -> Any:
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:
        return None
    return parsed.get(name) if isinstance(parsed, dict) else None
