"""Which action, resource and condition keys a SageMaker request is checked for."""

import json
from typing import Any

import pytest

from overread_local.emulator.permissions import control_permissions, loop_permission
from overread_local.sagemaker.records import Caller

CALLER = Caller(account="111122223333", region="eu-west-1")
ARN = "arn:aws:sagemaker:eu-west-1:111122223333"
ROLE = "arn:aws:iam::111122223333:role/r"


@pytest.mark.parametrize(
    ("operation", "params", "resource"),
    [
        ("DescribeEndpoint", {"EndpointName": "Loans"}, "endpoint/loans"),
        ("DeleteModel", {"ModelName": "m"}, "model/m"),
        ("DescribeWorkteam", {"WorkteamName": "Team"}, "workteam/private-crowd/Team"),
        ("DescribeUserProfile", {"DomainId": "d-1", "UserProfileName": "ada"}, "user-profile/d-1/ada"),
        ("DeleteFlowDefinition", {"FlowDefinitionName": "f"}, "flow-definition/f"),
    ],
)
def test_an_operation_is_checked_on_the_resource_it_names(
    operation: str, params: dict[str, Any], resource: str
) -> None:
    (asked,) = control_permissions(CALLER, operation, params)
    assert (asked.action, asked.resource) == (f"sagemaker:{operation}", f"{ARN}:{resource}")


@pytest.mark.parametrize("operation", ["ListEndpoints", "RenderUiTemplate", "ListWorkforces"])
def test_an_operation_on_no_resource_is_checked_on_all(operation: str) -> None:
    (asked,) = control_permissions(CALLER, operation, {})
    assert asked.resource == "*"


def test_tags_are_checked_as_the_resource_that_carries_them() -> None:
    (asked,) = control_permissions(CALLER, "ListTags", {"ResourceArn": f"{ARN}:endpoint/e"})
    assert asked.resource == f"{ARN}:endpoint/e"


def test_creating_with_tags_and_a_role_asks_for_both() -> None:
    params = {"ModelName": "m", "ExecutionRoleArn": ROLE, "Tags": [{"Key": "team", "Value": "risk"}]}
    create, tag, role = control_permissions(CALLER, "CreateModel", params)
    assert create.context["aws:RequestTag/team"] == "risk"
    assert tag.action == "sagemaker:AddTags"
    assert (role.action, role.resource) == ("iam:PassRole", ROLE)
    assert role.context == {"iam:PassedToService": "sagemaker.amazonaws.com"}


def test_an_endpoint_is_made_of_a_configuration_that_must_be_granted_too() -> None:
    params = {"EndpointName": "e", "EndpointConfigName": "c"}
    asked = control_permissions(CALLER, "CreateEndpoint", params)
    assert [one.resource for one in asked] == [f"{ARN}:endpoint/e", f"{ARN}:endpoint-config/c"]


@pytest.mark.parametrize(
    ("team", "kind"),
    [
        (f"{ARN}:workteam/private-crowd/readers", "private-crowd"),
        ("arn:aws:sagemaker:eu-west-1:394669845002:workteam/public-crowd/default", "public-crowd"),
        ("arn:aws:sagemaker:eu-west-1:999999999999:workteam/vendor-crowd/acme", "vendor-crowd"),
    ],
)
def test_a_flow_definition_is_checked_for_its_team(team: str, kind: str) -> None:
    params = {"FlowDefinitionName": "f", "HumanLoopConfig": {"WorkteamArn": team}}
    (asked,) = control_permissions(CALLER, "CreateFlowDefinition", params)
    assert asked.context == {"sagemaker:WorkteamArn": team, "sagemaker:WorkteamType": kind}


@pytest.mark.parametrize(
    ("method", "path", "body", "action", "resource"),
    [
        ("POST", "/human-loops", {"FlowDefinitionArn": f"{ARN}:flow-definition/f"}, "StartHumanLoop", None),
        ("POST", "/human-loops/stop", {"HumanLoopName": "h"}, "StopHumanLoop", f"{ARN}:human-loop/h"),
        ("GET", "/human-loops/h", {}, "DescribeHumanLoop", f"{ARN}:human-loop/h"),
        ("DELETE", "/human-loops/h", {}, "DeleteHumanLoop", f"{ARN}:human-loop/h"),
        ("GET", "/human-loops", {}, "ListHumanLoops", "*"),
    ],
)
def test_a_loop_is_checked_by_operation(
    method: str, path: str, body: dict[str, str], action: str, resource: str | None
) -> None:
    asked = loop_permission(CALLER, method, path, body=json.dumps(body).encode())
    assert asked.action == f"sagemaker:{action}"
    assert asked.resource == (resource or f"{ARN}:flow-definition/f")


def test_a_body_that_is_not_json_is_checked_on_all_resources() -> None:
    assert loop_permission(CALLER, "POST", "/human-loops", body=b"nonsense").resource == "*"
