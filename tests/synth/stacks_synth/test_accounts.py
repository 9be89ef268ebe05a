"""Models and audit in accounts of their own: who may reach them from where decisions are made."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from tests.synth.stacks_synth.conftest import ACCOUNT

from overread_config import load_settings
from overread_stacks.app_factory import FEATURE_FLAGS, build_app
from overread_stacks.checks import add_every_check

DECIDING, MODEL, AUDIT = "111122223333", "222233334444", "333344445555"
ACCOUNTS = f"""
account: "{DECIDING}"
accounts:
  model:
    account: "{MODEL}"
    vpc_id: vpc-0123456789abcdef0
    subnet_ids: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]
    security_group_id: sg-0123456789abcdef0
  audit:
    account: "{AUDIT}"
"""
ROLE = f":iam::{MODEL}:role/acme/ml/acme-ml-uat-predict"
AUDIT_BUCKET = f"acme-ml-uat-audit-{AUDIT}-eu-central-1"
CAPTURES = f"acme-ml-uat-captures-{MODEL}-eu-central-1"
PREDICTING = ("route-prediction", "resume-decisions")
Templates = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def outdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("accounts")


@pytest.fixture(scope="module")
def templates(project: Path, outdir: Path) -> Templates:
    """The regulated deployment in three accounts, held against every rule pack, by the end of the name."""
    file = project / "config" / "three-accounts.yaml"
    file.write_text((project / "config" / "regulated.yaml").read_text() + ACCOUNTS)
    app = App(
        outdir=str(outdir),
        context={**FEATURE_FLAGS, "aws:cdk:bundling-stacks": []},
        analytics_reporting=False,
    )
    build_app(load_settings(file), environ=ACCOUNT, app=app)
    add_every_check(app, today=datetime.now(UTC).date())
    app.synth()  # raises on any finding
    return {
        path.name.removeprefix("acme-ml-uat-").removesuffix(".template.json"): json.loads(path.read_text())
        for path in outdir.glob("*.template.json")
    }


def of_type(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Properties of every resource of a type."""
    return [one["Properties"] for one in template["Resources"].values() if one["Type"] == kind]


def statements(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Statements of every policy of a type."""
    named = "KeyPolicy" if kind == "AWS::KMS::Key" else "PolicyDocument"
    return [one for found in of_type(template, kind) for one in found[named]["Statement"]]


def test_each_part_is_in_its_account(templates: Templates, outdir: Path) -> None:
    artifacts = json.loads((outdir / "manifest.json").read_text())["artifacts"]
    places = {
        name.removeprefix("acme-ml-uat-"): one["environment"].split("/")[2]
        for name, one in artifacts.items()
        if one["type"] == "aws:cloudformation:stack"
    }
    assert places.pop("models") == MODEL
    assert places.pop("audit") == AUDIT
    assert set(places.values()) == {DECIDING}
    assert not of_type(templates["inference"], "AWS::SageMaker::Endpoint")
    assert len(of_type(templates["models"], "AWS::SageMaker::Endpoint")) == 3
    assert not any(one.get("ObjectLockEnabled") for one in of_type(templates["data"], "AWS::S3::Bucket"))


def test_nothing_is_exported_from_one_account_to_another(templates: Templates) -> None:
    for name in ("models", "audit"):
        assert "Fn::ImportValue" not in json.dumps(templates[name])
        assert not any("Export" in one for one in templates[name].get("Outputs", {}).values())
    exported = {
        one["Export"]["Name"]
        for template in templates.values()
        for one in template.get("Outputs", {}).values()
        if "Export" in one
    }
    assert not [name for name in exported if ":models" in name or ":audit" in name]


def test_every_role_in_every_account_has_the_boundary_and_the_path(templates: Templates) -> None:
    for template in templates.values():
        for role in of_type(template, "AWS::IAM::Role"):
            assert role["Path"] == "/acme/ml/"
            assert "policy/acme/workload-boundary" in json.dumps(role["PermissionsBoundary"])


def test_only_what_predicts_may_assume_the_role_in_the_models_account(templates: Templates) -> None:
    assuming = [
        name
        for name, one in templates["inference"]["Resources"].items()
        if one["Type"] == "AWS::IAM::Policy" and ROLE in json.dumps(one)
    ]
    assert sorted(name.partition("Role")[0] for name in assuming) == [
        "RouterResumeDecisions",
        "RouterRoutePrediction",
    ]
    told = [
        function["FunctionName"].removeprefix("acme-ml-uat-")
        for function in of_type(templates["inference"], "AWS::Lambda::Function")
        if ROLE in json.dumps(function["Environment"]["Variables"].get("OVERREAD_PREDICTION_ROLE"))
    ]
    assert sorted(told) == sorted(PREDICTING)
    assert "sagemaker:InvokeEndpoint" not in json.dumps(templates["inference"])


def test_the_role_in_the_models_account_trusts_the_deployments_roles_and_invokes_its_endpoints(
    templates: Templates,
) -> None:
    (role,) = (one for one in of_type(templates["models"], "AWS::IAM::Role") if "RoleName" in one)
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert role["RoleName"] == "acme-ml-uat-predict"
    assert DECIDING in json.dumps(trust["Principal"])
    assert f":iam::{DECIDING}:role/acme/ml/acme-ml-uat-*" in json.dumps(trust["Condition"]["ArnLike"])
    allowed = [
        statement
        for name, one in templates["models"]["Resources"].items()
        if one["Type"] == "AWS::IAM::Policy" and name.startswith("Predict")
        for statement in one["Properties"]["PolicyDocument"]["Statement"]
    ]
    assert {statement["Action"] for statement in allowed} == {"sagemaker:InvokeEndpoint"}
    assert json.dumps(allowed).count(":endpoint/acme-ml-uat-") == 3


def test_the_policy_for_the_organization_spares_that_role_only(templates: Templates) -> None:
    text = json.dumps(templates["models"]["Outputs"]["ServiceControlPolicy"]["Value"])
    assert "Predict" in text
    assert "ServiceControlPolicy" not in templates["inference"]["Outputs"]


def test_the_audit_account_lets_the_deployments_roles_add_and_read_and_nobody_delete(
    templates: Templates,
) -> None:
    (allowed,) = (
        one
        for one in statements(templates["audit"], "AWS::S3::BucketPolicy")
        if one.get("Sid") == "AddAndRead"
    )
    assert DECIDING in json.dumps(allowed["Principal"])
    assert "acme-ml-uat-*" in json.dumps(allowed["Condition"]["ArnLike"]["aws:PrincipalArn"])
    assert "s3:PutObject" in allowed["Action"]
    assert not [action for action in allowed["Action"] if "Delete" in action or "Bypass" in action]
    (locked,) = (one for one in of_type(templates["audit"], "AWS::S3::Bucket") if "BucketName" in one)
    assert locked["BucketName"] == AUDIT_BUCKET
    assert locked["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]["Days"] == 365


@pytest.mark.parametrize(("stack", "writes"), [("audit", True), ("models", False)])
def test_a_key_of_another_account_serves_the_deployments_roles_through_s3_only(
    stack: str, writes: bool, templates: Templates
) -> None:
    (admitting,) = (
        one
        for one in statements(templates[stack], "AWS::KMS::Key")
        if DECIDING in json.dumps(one["Principal"])
    )
    actions = {"kms:Decrypt", "kms:GenerateDataKey"} if writes else {"kms:Decrypt"}
    assert {*([admitting["Action"]] if not writes else admitting["Action"])} == actions
    assert "s3.eu-central-1." in json.dumps(admitting["Condition"]["StringEquals"]["kms:ViaService"])
    assert "acme-ml-uat-*" in json.dumps(admitting["Condition"]["ArnLike"])


def test_who_decides_may_reach_both_accounts_by_their_names(templates: Templates) -> None:
    data = templates["data"]["Outputs"]
    assert data["AuditBucketName"]["Value"] == AUDIT_BUCKET
    assert data["CapturesBucketName"]["Value"] == CAPTURES
    review = json.dumps(templates["review"])
    assert f":s3:::{AUDIT_BUCKET}/*" in review
    assert f":kms:eu-central-1:{AUDIT}:key/*" in review
    auditor = [
        one
        for name, one in templates["review"]["Resources"].items()
        if one["Type"] == "AWS::IAM::Policy" and name.startswith("AuditAuditor")
    ]
    assert CAPTURES in json.dumps(auditor)


def test_the_networks_ways_admit_the_other_accounts_where_they_are_needed(templates: Templates) -> None:
    def admitted(service: str, key: str) -> str:
        (policy,) = (
            one["PolicyDocument"]
            for one in of_type(templates["network"], "AWS::EC2::VPCEndpoint")
            if json.dumps(one["ServiceName"]).rstrip('"]} ').endswith(f".{service}")
        )
        return json.dumps(policy["Statement"][0]["Condition"]["StringEquals"][key])

    assert MODEL in admitted("sagemaker.runtime", "aws:PrincipalAccount")
    assert MODEL not in admitted("secretsmanager", "aws:PrincipalAccount")
    assert AUDIT in admitted("s3", "aws:ResourceAccount")
    assert AUDIT not in admitted("dynamodb", "aws:ResourceAccount")
    assert AUDIT not in admitted("s3", "aws:PrincipalAccount")


def test_audit_and_models_are_there_before_anything_is_logged(outdir: Path, templates: Templates) -> None:
    artifacts = json.loads((outdir / "manifest.json").read_text())["artifacts"]
    assert templates
    assert {"acme-ml-uat-audit", "acme-ml-uat-models"} <= set(artifacts["acme-ml-uat-review"]["dependencies"])
