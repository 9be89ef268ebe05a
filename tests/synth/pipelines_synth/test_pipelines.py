"""The example pipelines: what they run exists and runs, and production waits for an approval."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
PIPELINES = ROOT / "examples/pipelines"
WORKFLOW = PIPELINES / "github_actions/deploy.yml"
STACKS = ("data", "inference", "network", "operations", "review")


def environment(**more: str) -> dict[str, str]:
    tools = f"{Path(sys.executable).parent}:{ROOT / 'node_modules/.bin'}"
    region = {"CDK_DEFAULT_ACCOUNT": "111122223333", "CDK_DEFAULT_REGION": "eu-central-1"}
    return os.environ | region | {"PATH": f"{tools}:{os.environ['PATH']}"} | more


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CDK Pipelines application, synthesised."""
    folder = tmp_path_factory.mktemp("delivery")
    done = subprocess.run(
        [sys.executable, PIPELINES / "cdk_pipelines/app.py"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        env=environment(CDK_OUTDIR=str(folder)),
    )
    assert done.returncode == 0, done.stderr
    return folder


def stages(delivery: Path) -> list[dict[str, Any]]:
    template = json.loads((delivery / "overread-delivery.template.json").read_text())
    (pipeline,) = (
        one["Properties"]
        for one in template["Resources"].values()
        if one["Type"] == "AWS::CodePipeline::Pipeline"
    )
    return list(pipeline["Stages"])


def test_production_follows_dev_and_an_approval(delivery: Path) -> None:
    found = stages(delivery)
    assert [stage["Name"] for stage in found] == [
        "Source",
        "Build",
        "UpdatePipeline",
        "Assets",
        "Dev",
        "Prod",
    ]
    production = sorted(found[-1]["Actions"], key=lambda action: action["RunOrder"])
    assert production[0]["ActionTypeId"]["Category"] == "Approval"
    assert all(action["RunOrder"] > 1 for action in production[1:])
    assert all(action["ActionTypeId"]["Category"] != "Approval" for action in found[-2]["Actions"])


@pytest.mark.parametrize(("stage", "name"), [("Dev", "dev"), ("Prod", "prod")])
def test_each_stage_deploys_the_stacks_under_their_own_names(delivery: Path, stage: str, name: str) -> None:
    manifest = json.loads((delivery / f"assembly-overread-delivery-{stage}/manifest.json").read_text())
    found = {
        artifact["properties"]["stackName"]
        for artifact in manifest["artifacts"].values()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    assert found == {f"overread-{name}-{stack}" for stack in STACKS}


def test_the_checks_run_before_anything_is_deployed(delivery: Path) -> None:
    template = (delivery / "overread-delivery.template.json").read_text()
    for command in (
        "make lint",
        "test_golden_templates.py",
        "check.sh config/dev.yaml",
        "check.sh config/prod.yaml",
    ):
        assert command in template


def test_the_check_may_read_what_is_deployed(delivery: Path) -> None:
    template = json.loads((delivery / "overread-delivery.template.json").read_text())
    (policy,) = (
        one["Properties"]["PolicyDocument"]["Statement"]
        for name, one in template["Resources"].items()
        if one["Type"] == "AWS::IAM::Policy" and name.startswith("PipelineBuildCheck")
    )
    (found,) = (one for one in policy if "cloudformation:GetTemplate" in one["Action"])
    assert "cloudformation:DescribeStacks" in found["Action"]
    assert found["Resource"] != "*"


def test_the_workflows_check_has_its_region_and_a_role_for_each_environment() -> None:
    """A job that names no environment sees the variables of the repository only."""
    check = workflow()["jobs"]["check"]
    assert "environment" not in check
    roles = {one["environment"]: one["role"] for one in check["strategy"]["matrix"]["include"]}
    assert set(roles) == {"dev", "prod"}
    assert len(set(roles.values())) == 2
    head = WORKFLOW.read_text().partition("name: deploy")[0].partition("In the repository")[2]
    assert all(name in head for name in ("AWS_REGION", *roles.values()))


def test_the_check_script_really_checks(delivery: Path, tmp_path: Path) -> None:
    script = [str(PIPELINES / "check.sh"), "config/dev.yaml"]
    deployed = delivery / "assembly-overread-delivery-Dev"
    done = run([*script, str(deployed)], CDK_OUT=str(tmp_path / "out"), CI="true")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing that is kept would be destroyed" in done.stdout
    assert "LEFT OUT" not in done.stdout
    assert done.stdout.splitlines()[-1] == "check: config/dev.yaml can be deployed"
    data = next((tmp_path / "out").glob("*-data.template.json"))
    changed = json.loads(data.read_text())
    table = next(name for name, one in changed["Resources"].items() if one["Type"] == "AWS::DynamoDB::Table")
    changed["Resources"][f"{table}Renamed"] = changed["Resources"].pop(table)
    data.write_text(json.dumps(changed))
    guard = run(["overread", "guard", "--old", str(deployed), "--new", str(tmp_path / "out")])
    assert guard.returncode == 1
    assert "REFUSED" in guard.stdout


def run(command: list[str], **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        env=environment(**more),
    )


def workflow() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text())
    return document


def test_the_workflow_checks_first_and_asks_before_production() -> None:
    jobs = workflow()["jobs"]
    assert jobs["deploy-dev"]["needs"] == "check"
    assert jobs["deploy-prod"]["needs"] == "deploy-dev"
    assert jobs["deploy-prod"]["environment"] == "prod"  # its required reviewers are the approval
    assert workflow()["permissions"] == {"contents": "read", "id-token": "write"}
    steps = " ".join(step.get("run", "") for step in jobs["check"]["steps"])
    assert "cdk deploy" not in steps
    for command in ("make lint", "test_golden_templates.py", "check.sh config/"):
        assert command in steps


def test_every_command_of_the_workflow_exists() -> None:
    runs = [step["run"] for job in workflow()["jobs"].values() for step in job["steps"] if "run" in step]
    text = "\n".join(runs)
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"\bmake ([a-z]+)", text))
    assert targets
    assert all(f"\n{target}:" in makefile for target in targets)
    for path in re.findall(r"(?:examples|tests)/[\w/.]+", text):
        assert (ROOT / path).exists(), path
    assert os.access(PIPELINES / "check.sh", os.X_OK)
    for command in set(re.findall(r"\boverread ([a-z]+) ", text)):
        done = subprocess.run(
            ["overread", command, "--help"], check=False, capture_output=True, env=environment(), timeout=60
        )
        assert done.returncode == 0, command
