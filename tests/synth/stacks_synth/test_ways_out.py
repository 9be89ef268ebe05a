"""What leaves the network does so by the proxy, and the API has a name of the organization's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from tests.synth.stacks_synth.conftest import ACCOUNT

from overread_config import load_settings
from overread_stacks.app_factory import FEATURE_FLAGS, build_app

PROXY = "http://proxy.internal:3128"
NAME = "decisions.acme.example"
CERTIFICATE = "arn:aws:acm:eu-central-1:111122223333:certificate/1234abcd"
DATA = "    data:\n      class: free-of-personal-data\n"
WEBHOOK = "    delivery: {webhook: {url: 'https://core.example/decisions'}}\n"
API = f"""
api:
  oidc: {{issuer: 'https://id.acme.example/realm', audience: overread}}
  domain: {{name: {NAME}, certificate_arn: '{CERTIFICATE}'}}
"""
ZONE = "adopt:\n  hosted_zone: {id: Z0123456789ABC, name: acme.example}\n"
Templates = dict[str, dict[str, Any]]


def synthesised(project: Path, outdir: Path, *, access: str, more: str) -> Templates:
    """The review service's deployment behind a proxy, with a receiver in the internet; by stack."""
    text = (project / "config" / "regulated.yaml").read_text()
    text = text.replace("  cidr: 10.67.0.0/20\n", f"  cidr: 10.67.0.0/20\n  proxy_url: {PROXY}\n")
    text = text.replace(DATA, WEBHOOK + DATA)
    text = text.replace("  access: private", f"  access: {access}")
    file = project / "config" / f"{outdir.name}.yaml"
    file.write_text(text + more)
    app = App(
        outdir=str(outdir),
        context={**FEATURE_FLAGS, "aws:cdk:bundling-stacks": []},
        analytics_reporting=False,
    )
    build_app(load_settings(file), environ=ACCOUNT, app=app)
    app.synth()
    return {
        path.name.removeprefix("acme-ml-uat-").removesuffix(".template.json"): json.loads(path.read_text())
        for path in outdir.glob("*.template.json")
    }


@pytest.fixture(scope="module")
def private(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return synthesised(project, tmp_path_factory.mktemp("proxied"), access="private", more=API + ZONE)


@pytest.fixture(scope="module")
def public(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return synthesised(project, tmp_path_factory.mktemp("proxiedpublic"), access="public", more=API)


def functions(templates: Templates) -> dict[str, dict[str, Any]]:
    """Properties of each function of each stack, by its handler's module or, of the CDK's own, its id."""
    found = {}
    for template in templates.values():
        for name, one in template["Resources"].items():
            if one["Type"] == "AWS::Lambda::Function":
                module = (
                    one["Properties"]["Handler"].removeprefix("overread_lambda.").removesuffix(".handler")
                )
                found[module if module != "index" else name] = one["Properties"]
    return found


def of_type(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Properties of every resource of a type."""
    return [one["Properties"] for one in template["Resources"].values() if one["Type"] == kind]


def outside(templates: Templates) -> set[str]:
    """Functions that are in no network."""
    return {name for name, one in functions(templates).items() if "VpcConfig" not in one}


def test_behind_a_proxy_every_function_is_inside(private: Templates) -> None:
    assert len(functions(private)) > 15
    assert outside(private) == set()


def test_with_a_public_service_only_what_cloudformation_makes_its_resources_with_is_outside(
    public: Templates,
) -> None:
    assert outside(public) == {"provide_review_resources"}


def test_whatever_leaves_is_told_of_the_proxy_and_nothing_else_is(
    private: Templates, public: Templates
) -> None:
    def proxied(templates: Templates) -> set[str]:
        return {
            name
            for name, one in functions(templates).items()
            if one.get("Environment", {}).get("Variables", {}).get("HTTPS_PROXY") == PROXY
        }

    beyond = {"authorize_client", "deliver_outbox", "review_sign_in"}
    assert proxied(private) == beyond
    assert proxied(public) == beyond | {"start_loop", "ingest_review"}


def test_the_networks_own_endpoints_are_not_asked_for_through_the_proxy(private: Templates) -> None:
    spared = json.dumps(functions(private)["deliver_outbox"]["Environment"]["Variables"]["NO_PROXY"])
    for service in ("dynamodb", "s3", "secretsmanager"):
        assert f"{service}.eu-central-1." in spared


def test_the_api_has_its_name_in_the_adopted_zone(private: Templates) -> None:
    template = private["inference"]
    (domain,) = of_type(template, "AWS::ApiGateway::DomainName")
    assert domain["DomainName"] == NAME
    assert domain["RegionalCertificateArn"] == CERTIFICATE
    assert domain["SecurityPolicy"] == "TLS_1_2"
    (mapping,) = of_type(template, "AWS::ApiGateway::BasePathMapping")
    assert {"RestApiId", "Stage"} <= mapping.keys()
    (record,) = of_type(template, "AWS::Route53::RecordSet")
    assert (record["HostedZoneId"], record["Name"]) == ("Z0123456789ABC", f"{NAME}.")
    assert not of_type(template, "AWS::Route53::HostedZone")
    assert not of_type(template, "AWS::CertificateManager::Certificate")


def test_without_an_adopted_zone_an_output_says_where_to_point(public: Templates) -> None:
    template = public["inference"]
    assert not of_type(template, "AWS::Route53::RecordSet")
    assert "RegionalDomainName" in json.dumps(template["Outputs"]["ApiDomainTarget"])
