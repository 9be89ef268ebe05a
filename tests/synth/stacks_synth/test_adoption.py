"""What is adopted is not created, and nothing is looked up for it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from aws_cdk import App
from tests.synth.stacks_synth.conftest import ACCOUNT

from overread_config import load_settings
from overread_stacks.app_factory import FEATURE_FLAGS, build_app

VPC = "vpc-0123456789abcdef0"
SUBNETS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
GROUPS = {"handlers": "sg-0123456789abcdef0", "models": "sg-0123456789abcdef1"}
ENTRANCE = {"endpoints": "sg-0123456789abcdef2"}
GATEWAYS = {"dynamodb": "vpce-0123456789abcdef0", "s3": "vpce-0123456789abcdef1"}
SERVICES = ("appconfigdata", "events", "execute-api", "sagemaker.runtime", "secretsmanager", "sts")
INTERFACES = {name: f"vpce-1123456789abcdef{number}" for number, name in enumerate(SERVICES)}
KEYS = {
    name: f"arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-{number:012}"
    for number, name in enumerate(("data", "operations"))
}
LOGS = "acme-access-logs"
IN_VPC = {"vpc_id": VPC, "subnet_ids": SUBNETS, "endpoints": GATEWAYS}
EVERYTHING = {
    **IN_VPC,
    "endpoints": GATEWAYS | INTERFACES,
    "security_groups": GROUPS,
    "keys": KEYS,
    "access_log_bucket": LOGS,
}
Templates = dict[str, dict[str, Any]]


def synthesised(project: Path, outdir: Path, adopt: dict[str, Any]) -> Templates:
    """Templates by stack of the review service's deployment, which adopts; without account or credentials."""
    settings = yaml.safe_load((project / "config" / "review-service.yaml").read_text())
    settings["adopt"] = adopt
    settings["retention"]["audit_lock"]["mode"] = "off"  # which YAML 1.1 takes for a boolean
    if "vpc_id" in adopt:
        settings["network"] = {}
    if len(adopt.get("keys", {})) == 2:
        settings.pop("keys", None)
    file = project / "config" / f"{outdir.name}.yaml"
    file.write_text(yaml.safe_dump(settings))
    app = App(
        outdir=str(outdir),
        context={**FEATURE_FLAGS, "aws:cdk:bundling-stacks": []},
        analytics_reporting=False,
    )
    build_app(load_settings(file), environ=ACCOUNT, app=app)
    app.synth()
    assert "missing" not in json.loads((outdir / "manifest.json").read_text())
    return {
        path.name.removesuffix(".template.json").rpartition("-")[2]: json.loads(path.read_text())
        for path in outdir.glob("*.template.json")
    }


def count(templates: Templates, *stacks: str) -> Counter[str]:
    """How many resources there are of each type."""
    return Counter(
        resource["Type"]
        for stack in stacks or templates
        for resource in templates[stack].get("Resources", {}).values()
    )


def of(templates: Templates, stack: str, kind: str) -> list[dict[str, Any]]:
    """Properties of the resources of a type."""
    resources = templates[stack].get("Resources", {}).values()
    return [resource["Properties"] for resource in resources if resource["Type"] == kind]


@pytest.fixture(scope="module")
def everything(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """All that can be adopted is."""
    return synthesised(project, tmp_path_factory.mktemp("everything"), EVERYTHING)


@pytest.fixture(scope="module")
def in_vpc(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """A VPC with its gateway endpoints is adopted, the operations key and nothing else."""
    adopt = IN_VPC | {"keys": {"operations": KEYS["operations"]}}
    return synthesised(project, tmp_path_factory.mktemp("in-vpc"), adopt)


def test_nothing_of_the_network_no_key_and_no_log_bucket_is_created(everything: Templates) -> None:
    assert not [kind for kind in count(everything) if kind.startswith(("AWS::EC2", "AWS::KMS"))]
    assert count(everything, "network") == {"AWS::CloudFormation::WaitConditionHandle": 1}
    assert count(everything, "data")["AWS::S3::Bucket"] == 3


def test_functions_and_models_run_in_the_adopted_subnets_and_groups(everything: Templates) -> None:
    for stack in ("inference", "review"):
        configs = [f["VpcConfig"] for f in of(everything, stack, "AWS::Lambda::Function") if "VpcConfig" in f]
        assert configs
        for config in configs:
            assert (config["SubnetIds"], config["SecurityGroupIds"]) == (SUBNETS, [GROUPS["handlers"]])
    for model in of(everything, "inference", "AWS::SageMaker::Model"):
        assert model["VpcConfig"] == {"Subnets": SUBNETS, "SecurityGroupIds": [GROUPS["models"]]}


def test_the_adopted_endpoint_is_the_only_way_to_the_private_service(everything: Templates) -> None:
    (api,) = of(everything, "review", "AWS::ApiGateway::RestApi")
    endpoint = INTERFACES["execute-api"]
    assert api["EndpointConfiguration"] == {"Types": ["PRIVATE"], "VpcEndpointIds": [endpoint]}
    denial = api["Policy"]["Statement"][1]
    assert denial["Condition"] == {"StringNotEquals": {"aws:SourceVpce": endpoint}}


def test_adopted_keys_encrypt_and_the_adopted_bucket_takes_logs_below_the_deployments_name(
    everything: Templates,
) -> None:
    (table,) = of(everything, "data", "AWS::DynamoDB::Table")
    assert table["SSESpecification"]["KMSMasterKeyId"] == KEYS["data"]
    buckets = [b for stack in ("data", "review") for b in of(everything, stack, "AWS::S3::Bucket")]
    logging = [bucket["LoggingConfiguration"] for bucket in buckets]
    assert {one["DestinationBucketName"] for one in logging} == {LOGS}
    assert sorted(one["LogFilePrefix"] for one in logging) == [
        f"overread-desk/{name}/" for name in ("audit", "inputs", "outputs", "review-documents")
    ]
    for group in of(everything, "inference", "AWS::Logs::LogGroup"):
        assert group["KmsKeyId"] == KEYS["operations"]


def test_what_an_adopted_vpc_lacks_is_created_in_it_and_lets_in_overread_only(in_vpc: Templates) -> None:
    counts = count(in_vpc, "network")
    assert not {kind for kind in counts if kind.startswith("AWS::EC2")} - {
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::VPCEndpoint",
    }
    endpoints = of(in_vpc, "network", "AWS::EC2::VPCEndpoint")
    assert len(endpoints) == len(SERVICES)
    assert {(one["VpcId"], *one["SubnetIds"], one["VpcEndpointType"]) for one in endpoints} == {
        (VPC, *SUBNETS, "Interface")
    }
    rules = of(in_vpc, "network", "AWS::EC2::SecurityGroupIngress")
    assert {(rule["FromPort"], rule["ToPort"], rule["IpProtocol"]) for rule in rules} == {(443, 443, "tcp")}
    sources = sorted(rule["SourceSecurityGroupId"]["Fn::GetAtt"][0] for rule in rules)
    assert [source[:6] for source in sources] == ["Handle", "Models"]
    assert not [g for g in of(in_vpc, "network", "AWS::EC2::SecurityGroup") if "SecurityGroupIngress" in g]
    assert counts["AWS::KMS::Key"] == 0


def test_one_adopted_key_leaves_the_other_to_be_created(in_vpc: Templates) -> None:
    assert count(in_vpc)["AWS::KMS::Key"] == 1
    (table,) = of(in_vpc, "data", "AWS::DynamoDB::Table")
    assert table["SSESpecification"]["KMSMasterKeyId"] != KEYS["operations"]


def test_an_adopted_entrance_gets_no_rules_and_nobody_a_second_one(project: Path, tmp_path: Path) -> None:
    templates = synthesised(project, tmp_path / "entrance", IN_VPC | {"security_groups": GROUPS | ENTRANCE})
    kinds = {kind for kind in count(templates, "network") if kind.startswith("AWS::EC2")}
    assert kinds == {"AWS::EC2::VPCEndpoint"}
    for endpoint in of(templates, "network", "AWS::EC2::VPCEndpoint"):
        assert endpoint["SecurityGroupIds"] == [ENTRANCE["endpoints"]]
