"""The network has no way out, and says so on the template."""

from __future__ import annotations

import pytest
from tests.synth.stacks_synth.conftest import ENVIRONMENTS, Assembly, as_list

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
    ("environment", "more"), [("demo", set()), ("prod", {"kms", "logs", "sts", "xray"}), ("mixed", set())]
)
def test_endpoints_are_those_that_the_router_needs_and_the_settings_add(
    environment: str, more: set[str], assembly: Assembly
) -> None:
    endpoints = assembly.resources(f"{environment}-network", "AWS::EC2::VPCEndpoint").values()
    names = set()
    for endpoint in endpoints:
        name = endpoint["Properties"]["ServiceName"]
        text = (
            name
            if isinstance(name, str)
            else "".join(part for part in name["Fn::Join"][1] if isinstance(part, str))
        )
        names.add(text.removeprefix("com.amazonaws.").removeprefix("eu-central-1").strip("."))
    assert names == NEEDED | more


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_endpoints_serve_this_account_only(environment: str, assembly: Assembly) -> None:
    for endpoint in assembly.resources(f"{environment}-network", "AWS::EC2::VPCEndpoint").values():
        properties = endpoint["Properties"]
        (statement,) = properties["PolicyDocument"]["Statement"]
        conditions = statement["Condition"]["StringEquals"]
        assert conditions["aws:PrincipalAccount"] == {"Ref": "AWS::AccountId"}
        gateway = properties["VpcEndpointType"] == "Gateway"
        assert ("aws:ResourceAccount" in conditions) is gateway
        assert properties.get("PrivateDnsEnabled", False) is not gateway


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


@pytest.mark.parametrize(("environment", "ports"), [("demo", {443}), ("prod", {443}), ("mixed", {443, 3128})])
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
        ("demo", {"start_loop", "ingest_review"}),
        ("prod", {"start_loop", "ingest_review"}),
        ("mixed", set()),
    ],
)
def test_functions_run_inside_but_those_that_call_a2i_without_a_proxy(
    environment: str, outside: set[str], assembly: Assembly
) -> None:
    functions = assembly.resources(f"{environment}-inference", "AWS::Lambda::Function").values()
    by_handler = {f["Properties"]["Handler"].split(".")[1]: f["Properties"] for f in functions}
    assert set(by_handler) == {"route_prediction", "read_decision", "start_loop", "ingest_review"}
    assert {name for name, function in by_handler.items() if "VpcConfig" not in function} == outside
    for function in by_handler.values():
        if "VpcConfig" in function:
            assert len(as_list(function["VpcConfig"]["SubnetIds"])) == (3 if environment == "mixed" else 2)
    proxied = {name for name, f in by_handler.items() if "HTTPS_PROXY" in f["Environment"]["Variables"]}
    assert proxied == ({"start_loop", "ingest_review"} if environment == "mixed" else set())
