"""The network has no way out, and says so on the template."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment
from aws_cdk.assertions import Match, Template
from tests.synth.stacks_synth.conftest import ENVIRONMENTS, Assembly, as_list

from overread_config import load_settings
from overread_stacks.app_factory import FEATURE_FLAGS
from overread_stacks.network_stack import NetworkStack

WAYS_OUT = {
    "AWS::EC2::EgressOnlyInternetGateway",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::Route",
    "AWS::EC2::TransitGatewayAttachment",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::EC2::VPCPeeringConnection",
}
NEEDED = {"appconfigdata", "dynamodb", "s3", "sagemaker.runtime", "secretsmanager"}
ANSWERS = "cloudformation-custom-resource-response-"


def service(endpoint: Mapping[str, Any]) -> str:
    """The name of the service behind an endpoint, without the region."""
    name = endpoint["Properties"]["ServiceName"]
    parts = [name] if isinstance(name, str) else [p for p in name["Fn::Join"][1] if isinstance(p, str)]
    return "".join(parts).removeprefix("com.amazonaws.").removeprefix("eu-central-1").strip(".")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_nothing_leads_out_of_the_network(environment: str, assembly: Assembly) -> None:
    types = {resource["Type"] for _, _, resource in assembly.every(of=environment)}
    assert types & WAYS_OUT == set()


@pytest.mark.parametrize(("environment", "zones"), [("demo", 2), ("prod", 2), ("mixed", 3)])
def test_isolated_subnets_span_the_zones_without_public_addresses(
    environment: str, zones: int, assembly: Assembly
) -> None:
    subnets = assembly.resources(f"{environment}-network", "AWS::EC2::Subnet").values()
    chosen = [subnet["Properties"]["AvailabilityZone"] for subnet in subnets]
    assert chosen == [{"Fn::Select": [index, {"Fn::GetAZs": ""}]} for index in range(zones)]
    assert {subnet["Properties"]["MapPublicIpOnLaunch"] for subnet in subnets} == {False}


@pytest.mark.parametrize(
    ("environment", "more"),
    [
        ("demo", set()),
        ("prod", {"events", "kms", "logs", "sts", "xray"}),
        ("mixed", set()),
        ("desk", {"events", "execute-api", "sts"}),
        ("open", {"events", "sts"}),  # private names of execute-api would hide the public API
    ],
)
def test_endpoints_are_those_that_the_router_needs_and_the_settings_add(
    environment: str, more: set[str], assembly: Assembly
) -> None:
    endpoints = assembly.resources(f"{environment}-network", "AWS::EC2::VPCEndpoint").values()
    assert {service(endpoint) for endpoint in endpoints} == NEEDED | more


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_endpoints_serve_this_account_only(environment: str, assembly: Assembly) -> None:
    for endpoint in assembly.resources(f"{environment}-network", "AWS::EC2::VPCEndpoint").values():
        if service(endpoint) == "execute-api":
            continue
        properties = endpoint["Properties"]
        statement, *more = properties["PolicyDocument"]["Statement"]
        assert len(more) == (service(endpoint) == "s3")
        conditions = statement["Condition"]["StringEquals"]
        assert conditions["aws:PrincipalAccount"] == {"Ref": "AWS::AccountId"}
        gateway = properties["VpcEndpointType"] == "Gateway"
        assert ("aws:ResourceAccount" in conditions) is gateway
        assert properties.get("PrivateDnsEnabled", False) is not gateway


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_custom_resource_inside_may_answer_cloudformation_and_nobody_else_of_aws(
    environment: str, assembly: Assembly
) -> None:
    endpoints = assembly.resources(f"{environment}-network", "AWS::EC2::VPCEndpoint").values()
    (gateway,) = (endpoint for endpoint in endpoints if service(endpoint) == "s3")
    _, answering = gateway["Properties"]["PolicyDocument"]["Statement"]
    assert answering["Action"] == "s3:PutObject"
    *start, region, end = answering["Resource"]["Fn::Join"][1]
    assert start[-1] == f":s3:::{ANSWERS}"
    assert region == {"Fn::Join": ["", {"Fn::Split": ["-", {"Ref": "AWS::Region"}]}]}
    assert end == "/*"


def test_people_reach_this_accounts_apis_through_the_endpoint_and_nothing_else(assembly: Assembly) -> None:
    endpoints = assembly.resources("desk-network", "AWS::EC2::VPCEndpoint").values()
    (people,) = (endpoint for endpoint in endpoints if service(endpoint) == "execute-api")
    (statement,) = people["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "execute-api:Invoke")
    arn = "".join(part if isinstance(part, str) else "x" for part in statement["Resource"]["Fn::Join"][1])
    assert arn == "arn:x:execute-api:x:x:*"
    assert {"Ref": "AWS::AccountId"} in statement["Resource"]["Fn::Join"][1]


def test_networks_of_reviewers_reach_the_private_service_and_no_other_endpoint(project: Path) -> None:
    text = (project / "config" / "review-service.yaml").read_text()
    file = project / "config" / "routed.yaml"
    networks = "  source_ip_cidrs: [10.20.0.0/16, 'fd00::/8']\n"
    file.write_text(text.replace("  identity: cognito\n", f"  identity: cognito\n{networks}"))
    stack = NetworkStack(
        App(context=FEATURE_FLAGS), "Network", settings=load_settings(file), env=Environment()
    )
    template = Template.from_stack(stack)
    groups = template.find_resources(
        "AWS::EC2::SecurityGroup",
        {"Properties": {"GroupDescription": Match.string_like_regexp("networks of reviewers")}},
    )
    ((name, group),) = groups.items()
    rules = group["Properties"]["SecurityGroupIngress"]
    assert [rule.get("CidrIp") or rule["CidrIpv6"] for rule in rules] == ["10.20.0.0/16", "fd00::/8"]
    assert {(rule["FromPort"], rule["ToPort"], rule["IpProtocol"]) for rule in rules} == {(443, 443, "tcp")}
    endpoints = template.find_resources("AWS::EC2::VPCEndpoint").values()
    assert [service(endpoint) for endpoint in endpoints if name in json.dumps(endpoint)] == ["execute-api"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_only_https_comes_in_and_only_from_inside(environment: str, assembly: Assembly) -> None:
    cidr = assembly.properties(f"{environment}-network", "AWS::EC2::VPC")["CidrBlock"]
    groups = assembly.resources(f"{environment}-network", "AWS::EC2::SecurityGroup")
    incoming = {
        name: rules
        for name, group in groups.items()
        if (rules := group["Properties"].get("SecurityGroupIngress"))
    }
    ((name, (rule,)),) = incoming.items()
    assert name.startswith("Endpoints")
    assert (rule["CidrIp"], rule["FromPort"], rule["ToPort"], rule["IpProtocol"]) == (cidr, 443, 443, "tcp")


@pytest.mark.parametrize(
    ("environment", "ports"),
    [("demo", {443}), ("prod", {443}), ("mixed", {443, 3128}), ("desk", {443}), ("open", {443, 3128})],
)
def test_functions_reach_https_and_the_proxy_only(
    environment: str, ports: set[int], assembly: Assembly
) -> None:
    group = assembly.properties(f"{environment}-network", "AWS::EC2::SecurityGroup", like="Handlers")
    assert {rule["ToPort"] for rule in group["SecurityGroupEgress"]} == ports
    models = assembly.properties(f"{environment}-network", "AWS::EC2::SecurityGroup", like="Models")
    assert {rule["ToPort"] for rule in models["SecurityGroupEgress"]} == {443}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_all_traffic_is_logged_encrypted(environment: str, assembly: Assembly) -> None:
    flow_log = assembly.properties(f"{environment}-network", "AWS::EC2::FlowLog")
    assert (flow_log["TrafficType"], flow_log["ResourceType"]) == ("ALL", "VPC")
    assert "KmsKeyId" in assembly.properties(f"{environment}-network", "AWS::Logs::LogGroup")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_no_stack_has_security_group_rules_of_their_own(environment: str, assembly: Assembly) -> None:
    types = {resource["Type"] for _, _, resource in assembly.every(of=environment)}
    assert not {kind for kind in types if kind.startswith("AWS::EC2::SecurityGroup") and kind[-1] == "s"}
    assert "AWS::EC2::SecurityGroupIngress" not in types


@pytest.mark.parametrize(
    ("environment", "outside"),
    [
        ("demo", {"start_loop", "ingest_review", "deliver_outbox"}),
        ("prod", {"start_loop", "ingest_review"}),
        ("mixed", set()),
        ("desk", set()),
        ("open", set()),
    ],
)
def test_functions_run_inside_but_those_that_call_what_is_only_outside(
    environment: str, outside: set[str], assembly: Assembly
) -> None:
    functions = assembly.resources(f"{environment}-inference", "AWS::Lambda::Function").values()
    by_handler = {f["Properties"]["Handler"].split(".")[1]: f["Properties"] for f in functions}
    assert set(by_handler) == {
        "route_prediction",
        "read_decision",
        "change_decision",
        "steer",
        "start_loop",
        "ingest_review",
        "resume_decisions",
        "deliver_outbox",
        "watch_errors",
    }
    assert {name for name, function in by_handler.items() if "VpcConfig" not in function} == outside
    for function in by_handler.values():
        if "VpcConfig" in function:
            assert len(as_list(function["VpcConfig"]["SubnetIds"])) == (3 if environment == "mixed" else 2)
    proxied = {name for name, f in by_handler.items() if "HTTPS_PROXY" in f["Environment"]["Variables"]}
    assert proxied == (
        {"start_loop", "ingest_review", "deliver_outbox"} if environment in ("mixed", "open") else set()
    )
