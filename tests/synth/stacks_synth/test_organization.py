"""config/regulated.yaml: roles, names, tags and deployment are as the organization lays down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from aws_cdk import App
from tests.synth.stacks_synth.conftest import ACCOUNT, STACKS
from tests.synth.stacks_synth.test_golden_templates import hold

from overread_config import ConfigError, load_settings
from overread_stacks.app_factory import FEATURE_FLAGS, build_app

BOUNDARY = "policy/acme/workload-boundary"
Templates = dict[str, dict[str, Any]]


def synthesised(file: Path, outdir: Path) -> Templates:
    """Templates by the name of their stack."""
    app = App(
        outdir=str(outdir),
        context={**FEATURE_FLAGS, "aws:cdk:bundling-stacks": []},
        analytics_reporting=False,
    )
    build_app(load_settings(file), environ=ACCOUNT, app=app)
    app.synth()
    return {
        path.name.removesuffix(".template.json"): json.loads(path.read_text())
        for path in outdir.glob("*.template.json")
    }


@pytest.fixture(scope="module")
def outdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("regulated")


@pytest.fixture(scope="module")
def regulated(project: Path, outdir: Path) -> Templates:
    return synthesised(project / "config" / "regulated.yaml", outdir)


def roles(templates: Templates) -> list[dict[str, Any]]:
    """Properties of every role."""
    return [
        resource["Properties"]
        for template in templates.values()
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::IAM::Role"
    ]


@pytest.mark.parametrize("stack", STACKS)
def test_template_is_as_reviewed(stack: str, regulated: Templates) -> None:
    (name,) = (name for name in regulated if name.endswith(f"-{stack}"))
    hold(name, regulated[name])


def test_every_role_has_the_boundary_and_the_path(regulated: Templates) -> None:
    found = roles(regulated)
    assert len(found) > 20
    assert {role.get("Path") for role in found} == {"/acme/ml/"}
    assert all(BOUNDARY in json.dumps(role.get("PermissionsBoundary", "")) for role in found)


def test_every_stack_begins_with_the_organizations_prefix_and_has_its_tags(
    regulated: Templates, outdir: Path
) -> None:
    assert sorted(regulated) == [f"acme-ml-uat-{name}" for name in sorted(STACKS)]
    artifacts = json.loads((outdir / "manifest.json").read_text())["artifacts"]
    tags = [one["properties"]["tags"] for one in artifacts.values() if "tags" in one.get("properties", {})]
    assert len(tags) == len(regulated)
    assert all({"application", "cost-center", "data-owner"} <= one.keys() for one in tags)


def test_assets_and_roles_are_the_own_bootstraps(regulated: Templates, outdir: Path) -> None:
    assert regulated
    manifest = (outdir / "manifest.json").read_text()
    assert "cdk-acmeml01-deploy-role" in manifest
    assert "hnb659fds" not in manifest + "".join(map(json.dumps, regulated.values()))


def test_no_function_is_of_the_cdks_own_making(regulated: Templates) -> None:
    functions = [
        resource["Properties"]
        for template in regulated.values()
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
    ]
    assert functions
    assert {function["Handler"].partition(".")[0] for function in functions} == {"overread_lambda"}


def test_a_role_that_leads_nowhere_is_refused(project: Path, tmp_path: Path) -> None:
    settings = yaml.safe_load((project / "config" / "regulated.yaml").read_text())
    settings["organization"]["roles"] = {"data/Nothing/Role": "arn:aws:iam::111122223333:role/acme/ml/x"}
    settings["retention"]["audit_lock"]["mode"] = str(settings["retention"]["audit_lock"]["mode"])
    file = project / "config" / "nowhere.yaml"
    file.write_text(yaml.safe_dump(settings))
    with pytest.raises(ConfigError, match="is no role of this deployment"):
        synthesised(file, tmp_path)
