"""The audit of deployed stacks: real handlers wrote the log, hourly functions anchored and archived it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result
from tests.local.conftest import Deployment
from tests.local.review_backends import function_of
from tests.local.test_journey import Caller, Site

from overread.audit.anchors import read_anchors, verify_log
from overread.audit.chain import SHARDS
from overread_cli.audit.sources import replayed
from overread_cli.audit.target import Target
from overread_cli.demo.cases import load_cases
from overread_cli.main import main
from overread_client import ReviewSandbox

ROOT = Path(__file__).parents[2]
USE_CASE = "loan-approval"
CASES = 8
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Audited:
    """A deployment with some decisions of the model and of people, anchored and archived."""

    deployment: Deployment
    decisions: tuple[Mapping[str, Any], ...]

    def run(self, command: str, *arguments: str) -> Result:
        state_dir = str(self.deployment.stack.state_dir)
        return CliRunner().invoke(main, ["audit", command, "--state-dir", state_dir, *arguments])

    def hourly(self, module: str) -> Any:
        """What the schedule does."""
        reply = self.deployment.client("lambda").invoke(
            FunctionName=function_of(self.deployment.stack, module), Payload=b"{}"
        )
        assert "FunctionError" not in reply, reply["Payload"].read()
        return json.loads(reply["Payload"].read())

    def of(self, source: str) -> Mapping[str, Any]:
        return next(one for one in self.decisions if one["outcome"]["source"] == source)


@pytest.fixture(scope="module")
def audited(deployed: Deployment) -> Audited:
    caller = Caller(Site(deployed, reviewer=lambda: iter(()), settle=lambda: None), name="audited")
    cases = load_cases(ROOT / "build/models", use_cases=[USE_CASE], each=CASES)
    replies = []
    for case in cases:
        reply = caller.post(USE_CASE, {"input": case.input, "reference": case.reference})
        assert reply.status_code in {200, 202}, reply.text
        replies.append(reply.json())
    made = Audited(deployed, tuple(_final(deployed, caller, one) for one in replies))
    made.hourly("anchor_audit")
    made.hourly("archive_evidence")
    return made


def _final(deployed: Deployment, caller: Caller, decision: Mapping[str, Any]) -> Mapping[str, Any]:
    """The decision once people have answered whatever is asked about it."""
    record = deployed.stack.record
    session = boto3.Session(record.account, "local", region_name=record.region)
    sandbox = ReviewSandbox(deployed.stack.portal_url, session=session)
    end = time.monotonic() + PATIENCE_S
    answered = False
    while decision["state"] != "FINAL":
        assert time.monotonic() < end, decision
        if decision["state"] == "IN_REVIEW" and not answered:
            sandbox.answer_decision(decision["decision_id"], {"decision": {"label": "decline"}})
            answered = True
        time.sleep(0.2)
        decision = caller.get(decision["decision_id"]).json()
    return decision


def test_the_log_of_the_deployment_is_intact_and_anchored(audited: Audited) -> None:
    done = audited.run("verify", "--json")
    found = json.loads(done.output)
    assert (done.exit_code, found["faults"]) == (0, [])
    assert found["links"] >= CASES
    assert found["anchors"] >= 1


def test_the_deployment_itself_is_in_the_log(audited: Audited, tmp_path: Path) -> None:
    json_file = tmp_path / "report.json"
    options = ("--from", "2020-01-01", "--html", str(tmp_path / "report.html"), "--json", str(json_file))
    done = audited.run("report", *options)
    assert done.exit_code == 0, done.output
    report = json.loads(json_file.read_text())
    changed = {change["subject"] for change in report["changes"]}
    assert {f"policy/{USE_CASE}", f"template/{USE_CASE}"} <= changed
    assert report["use_cases"][USE_CASE]["decisions"]["final"] >= CASES


@pytest.mark.parametrize("source", ["model", "human"])
def test_every_decision_is_confirmed_by_its_replay(audited: Audited, source: str) -> None:
    decision = audited.of(source)
    done = audited.run("replay", decision["decision_id"], "--json")
    found = json.loads(done.output)
    assert done.exit_code == 0, found["checks"]
    assert (found["label"], found["source"]) == (decision["outcome"]["label"], source)
    untold = {check["name"] for check in found["checks"] if check["is_right"] is None}
    assert untold == ({"answers"} if source == "model" else set())
    assert all(page["page_sha256"] for page in found["pages"])


def test_invocations_and_decisions_belong_together_until_one_is_made_by_hand(audited: Audited) -> None:
    period = ("--from", "2020-01-01", "--json")
    found = json.loads(audited.run("reconcile", *period).output)
    mine = {one["decision_id"] for one in audited.decisions}
    assert not mine & set(found["decisions_without_audit"])
    assert not mine & {one.split("/")[0] for one in found["decisions_without_invocation"]}
    before = len(found["invocations_without_decision"])
    endpoints = audited.deployment.client("sagemaker").list_endpoints()["Endpoints"]
    name = next(one["EndpointName"] for one in endpoints if USE_CASE in one["EndpointName"])
    runtime = audited.deployment.client("sagemaker-runtime")
    case = load_cases(ROOT / "build/models", use_cases=[USE_CASE], each=1)[0]
    body = json.dumps(case.input).encode()
    runtime.invoke_endpoint(EndpointName=name, ContentType="application/json", Body=body, InferenceId="me")
    done = audited.run("reconcile", *period)
    strays = json.loads(done.output)["invocations_without_decision"]
    assert done.exit_code == 1
    assert len(strays) == before + 1
    assert strays[-1]["inference_id"] == "me"


def test_the_export_is_checked_without_overread(audited: Audited, tmp_path: Path) -> None:
    file = tmp_path / "audit.zip"
    assert audited.run("export", str(file)).exit_code == 0
    with zipfile.ZipFile(file) as archive:
        archive.extract("verify.py", tmp_path)
    command = [sys.executable, "-I", "-S", "verify.py", str(file)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert f"in {len(SHARDS)} chains" in done.stdout


def test_the_auditor_may_read_everything_and_change_nothing(audited: Audited) -> None:
    deployed = audited.deployment
    role = deployed.output("review", "AuditorRoleArn")
    given = deployed.client("sts").assume_role(RoleArn=role, RoleSessionName="auditor")["Credentials"]
    key = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    def client(service: str) -> Any:
        return deployed.client(service, key=key)

    outputs = deployed.outputs[f"{deployed.prefix}-data"]
    auditor = Target(
        name="auditor",
        deployment=deployed.prefix,
        make_client=client,
        outputs=outputs,
        state_dir=None,
        invocations=None,
    )
    read = read_anchors(auditor.archive)
    reports = list(verify_log(log=auditor.log, read=read, pause=time.sleep))
    assert [fault for report in reports for fault in report.faults] == []
    decision_id = audited.of("model")["decision_id"]
    assert replayed(auditor, decision_id).is_confirmed
    assert decision_id in set(auditor.log.decision_ids())
    table = outputs["TableName"]
    key_of_record = {"pk": {"S": decision_id}, "sk": {"S": "DECISION"}}
    attempts = (
        lambda: client("dynamodb").delete_item(TableName=table, Key=key_of_record),
        lambda: client("dynamodb").put_item(TableName=table, Item=key_of_record),
        lambda: client("s3").put_object(Bucket=outputs["AuditBucketName"], Key="anchors/x", Body=b"{}"),
        lambda: client("s3").delete_object(Bucket=outputs["InputBucketName"], Key="x"),
    )
    for attempt in attempts:
        with pytest.raises(ClientError, match="AccessDenied"):
            attempt()


def test_erased_decision_leaves_an_intact_log_and_nothing_to_read(audited: Audited) -> None:
    decision_id = audited.of("human")["decision_id"]
    end = time.monotonic() + PATIENCE_S
    while "news to deliver first" in (done := audited.run("erase", decision_id, "--yes")).output:
        assert time.monotonic() < end, done.output
        time.sleep(1)
    assert done.exit_code == 0, done.output
    assert "1 keys of archived evidence" in done.output
    found = json.loads(audited.run("replay", decision_id, "--json").output)
    assert {"input", "route"} <= {check["name"] for check in found["checks"] if check["is_right"] is None}
    assert found["is_confirmed"] is True
    audited.hourly("anchor_audit")
    audited.hourly("archive_evidence")
    assert audited.run("verify").exit_code == 0
    assert found["entries"][-1]["event"] == "erased"


def test_tampering_with_the_table_is_found(audited: Audited) -> None:
    """Last, and undone, because the deployment is others' too."""
    table = audited.deployment.output("data", "TableName")
    dynamodb = audited.deployment.client("dynamodb")
    key = {"pk": {"S": audited.of("model")["decision_id"]}, "sk": {"S": "AUDIT#00000001"}}
    entry = dynamodb.get_item(TableName=table, Key=key)["Item"]
    try:
        detail = {"M": {**entry["detail"]["M"], "label": {"S": "another"}}}
        dynamodb.put_item(TableName=table, Item={**entry, "detail": detail})
        done = audited.run("verify")
        assert (done.exit_code, "changed: hash" in done.output) == (1, True)
    finally:
        dynamodb.put_item(TableName=table, Item=entry)
    assert audited.run("verify").exit_code == 0
