"""`overread audit` on a deployment in memory: what it prints, writes and exits with."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import click
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from overread.audit.anchors import anchor
from overread.audit.changes import Approval, Text, log_changes
from overread.audit.evidence import subject_hash
from overread.decisions.record import Record
from overread_cli.audit import target as targets
from overread_cli.main import main
from overread_testing.audit_case import AuditCase
from overread_testing.audit_fakes import MemoryArchive, MemoryChangeLog, MemoryLog

AT = datetime(2026, 11, 22, 21, 30, tzinfo=UTC)
PERIOD = ("--from", "2026-11-22", "--to", "2026-11-23")


class Log(MemoryLog):
    """The log of one case's world, with its records."""

    def __init__(self, case: AuditCase) -> None:
        super().__init__()
        self._case = case
        self.is_forgotten = False
        for link in case.world.records.links:
            self.append(link.entry)

    def record(self, decision_id: str) -> Record | None:
        return None if self.is_forgotten else self._case.world.records.get(decision_id)

    def decision_ids(self) -> Iterator[str]:
        return iter([] if self.is_forgotten else [self._case.decision_id])


@dataclass
class S3:
    """Inputs, or their absence."""

    case: AuditCase
    is_erased: bool = False

    def get_object(self, **_: Any) -> dict[str, Any]:
        if self.is_erased:
            raise ClientError({"Error": {"Code": "NoSuchVersion", "Message": ""}}, "GetObject")
        return {"Body": io.BytesIO(self.case.world.inputs.read(self.case.record.input))}


@dataclass
class Deployment:
    """What the command line finds."""

    name: str
    case: AuditCase
    log: Log
    archive: MemoryArchive
    s3: S3
    invocations: Path | None
    holdings: Any = None
    keys: Any = None
    state_dir: Path | None = None
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def records(self) -> Any:
        return self.case.world.records

    def make_client(self, service: str) -> Any:
        assert service == "sts"
        return self

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": "arn:aws:iam::111122223333:user/ada"}

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, ["audit", *arguments])

    def anchor(self) -> None:
        anchor(log=self.log, archive=self.archive, clock=lambda: AT, pause=lambda _: None)

    def invoked(self, *inference_ids: str) -> None:
        assert self.invocations is not None
        folder = self.invocations / "loans/AllTraffic/2026/11/22/21"
        folder.mkdir(parents=True, exist_ok=True)
        lines = [
            json.dumps({"eventMetadata": {"inferenceId": one, "inferenceTime": "2026-11-22T21:00:00Z"}})
            for one in inference_ids
        ]
        (folder / "capture.jsonl").write_text("\n".join(lines) + "\n")


@dataclass
class Keys:
    """Keys of evidence."""

    made: dict[str, bytes] = field(default_factory=dict)
    subjects: dict[str, list[str]] = field(default_factory=dict)

    def key_of(self, decision_id: str) -> bytes | None:
        return self.made.get(decision_id)

    def decisions_of(self, subject: str) -> list[str]:
        return next((ids for name, ids in self.subjects.items() if subject_hash(name) == subject), [])


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    case = AuditCase(routing__always_review=True)
    case.read("decline")
    log, archive = Log(case), MemoryArchive()
    policy, template = case.texts[case.policies[0]], case.texts[case.record.terms.task_ui_sha256]
    log_changes(
        [Text("policy/loan-approval", policy), Text("template/loan-approval", template)],
        approval=Approval("ada", "grace", "CHG-7", needs_two=True),
        log=MemoryChangeLog(log),
        archive=archive,
        clock=lambda: AT,
    )
    made = Deployment("memory", case, log, archive, S3(case), tmp_path / "invocations")
    made.keys = Keys()
    monkeypatch.setattr(targets, "_on_local_stack", lambda state_dir, stack: made)
    monkeypatch.setattr("overread_cli.audit.command.time.sleep", lambda _: None)
    monkeypatch.chdir(tmp_path)
    return made


def test_verify_says_that_the_log_is_intact(deployment: Deployment) -> None:
    deployment.anchor()
    done = deployment.run("verify")
    assert done.exit_code == 0, done.output
    links = len(deployment.case.links) + 2
    assert done.output.splitlines()[-1] == (
        f"intact: {links} links in 17 chains, 1 anchors, the last of 2026-11-22T21:30:00.000Z"
    )


def test_verify_of_the_archive_needs_no_table(deployment: Deployment) -> None:
    deployment.anchor()
    deployment.log.chains.clear()
    assert deployment.run("verify").exit_code == 1
    done = deployment.run("verify", "--archive")
    assert done.exit_code == 0, done.output


def test_verify_warns_when_nothing_was_anchored(deployment: Deployment) -> None:
    assert "none yet: a rewritten log would not be noticed" in deployment.run("verify").output


def test_verify_names_every_fault_and_fails(deployment: Deployment) -> None:
    deployment.anchor()
    deployment.log.chains["changes"].pop()
    done = deployment.run("verify")
    assert done.exit_code == 1
    assert "truncated: ends at 1, was anchored at 2" in done.output
    document = json.loads(deployment.run("verify", "--json").output)
    assert [(fault["shard"], fault["code"]) for fault in document["faults"]] == [("changes", "truncated")]


def test_replay_confirms_the_decision_and_writes_the_page(deployment: Deployment, tmp_path: Path) -> None:
    case = deployment.case
    done = deployment.run("replay", case.decision_id, "--pages", str(tmp_path / "pages"))
    assert done.exit_code == 0, done.output
    assert f"{case.decision_id}  FINAL  decline (by human)" in done.output
    assert "WRONG" not in done.output
    (page,) = (tmp_path / "pages").iterdir()
    assert page.read_text() == "<p>9600</p>"


def test_replay_as_json_has_the_hash_of_the_page(deployment: Deployment) -> None:
    document = json.loads(deployment.run("replay", deployment.case.decision_id, "--json").output)
    assert document["is_confirmed"] is True
    assert document["pages"][0]["page_sha256"] == sha256(b"<p>9600</p>").hexdigest()


def test_replay_finds_a_record_that_was_changed(deployment: Deployment) -> None:
    case = deployment.case
    case.world.records.items[case.decision_id]["outcome"]["label"] = "approve"
    done = deployment.run("replay", case.decision_id)
    assert done.exit_code == 1
    assert "WRONG  record: label is 'approve', the entries tell 'decline'" in done.output


def test_replay_of_an_erased_input_says_what_it_cannot_tell(deployment: Deployment) -> None:
    deployment.s3.is_erased = True
    done = deployment.run("replay", deployment.case.decision_id)
    assert done.exit_code == 0, done.output
    assert "?      input: the input is not there any more" in done.output
    assert "cannot be shown again" in done.output


def test_replay_of_an_unknown_decision_is_one_sentence(deployment: Deployment) -> None:
    done = deployment.run("replay", "d-unknown")
    assert (done.exit_code, done.output) == (1, "Error: no decision d-unknown on memory\n")


def test_reconcile_is_clean_when_everything_belongs_together(deployment: Deployment) -> None:
    deployment.invoked(f"{deployment.case.decision_id}/1")
    done = deployment.run("reconcile", *PERIOD)
    assert (done.exit_code, done.output) == (0, "1 invocations, 1 decisions\n")


def test_reconcile_lists_what_does_not(deployment: Deployment) -> None:
    deployment.invoked("by-hand")
    done = deployment.run("reconcile", *PERIOD)
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "1 invocations, 1 decisions",
        "invocations without decision: 1",
        "  2026-11-22T21:00:00.000Z loans by-hand",
        "decisions without invocation: 1",
        f"  {deployment.case.decision_id}/1",
    ]


def test_reconcile_finds_audit_entries_whose_record_is_gone(deployment: Deployment) -> None:
    deployment.invoked(f"{deployment.case.decision_id}/1")
    deployment.log.is_forgotten = True
    document = json.loads(deployment.run("reconcile", *PERIOD, "--json").output)
    assert document["audit_without_decision"] == [deployment.case.decision_id]


class Captured:
    """A bucket with what the endpoints noted of one invocation by hand."""

    KEY = "captured/loans/AllTraffic/2026/11/22/21/capture.jsonl"

    def list_objects_v2(self, *, Bucket: str, Prefix: str) -> dict[str, Any]:  # noqa: N803 - boto3's
        assert (Bucket, Prefix) == ("inputs", "captured/")
        return {"Contents": [{"Key": self.KEY}]}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        assert (Bucket, Key) == ("inputs", self.KEY)
        noted = {"eventMetadata": {"inferenceId": "by-hand", "inferenceTime": "2026-11-22T21:00:00Z"}}
        return {"Body": io.BytesIO(json.dumps(noted).encode())}


def test_reconcile_on_aws_reads_what_the_deployed_endpoints_noted(deployment: Deployment) -> None:
    deployment.invocations = None
    deployment.outputs = {"InputBucketName": "inputs"}
    deployment.s3 = Captured()  # type: ignore[assignment]
    done = deployment.run("reconcile", *PERIOD)
    assert "  2026-11-22T21:00:00.000Z loans by-hand" in done.output.splitlines()


def test_report_writes_page_and_figures(deployment: Deployment, tmp_path: Path) -> None:
    deployment.anchor()
    done = deployment.run("report", *PERIOD)
    assert done.exit_code == 0, done.output
    assert "loan-approval: 1 received, 0 decided by the model, 1 by people" in done.output
    figures = json.loads((tmp_path / "audit-report.json").read_text())
    assert figures["verification"]["faults"] == []
    assert [change["approved_by"] for change in figures["changes"]] == ["grace", "grace"]
    assert "loan-approval" in (tmp_path / "audit-report.html").read_text()


def test_report_of_a_tampered_log_says_so_and_fails(deployment: Deployment, tmp_path: Path) -> None:
    deployment.anchor()
    deployment.log.chains["changes"].pop()
    assert deployment.run("report", *PERIOD).exit_code == 1
    assert "The audit log has 1 faults." in (tmp_path / "audit-report.html").read_text()


def test_decisions_of_a_reviewer_in_doubt_are_listed(deployment: Deployment) -> None:
    (signed,) = (
        one
        for one in deployment.log.entries(deployment.case.decision_id)
        if "reviewers" in one.entry["detail"]
    )
    (reviewer,) = (one["sub"] for one in signed.entry["detail"]["reviewers"])
    found = deployment.run("decided-by", reviewer, *PERIOD)
    assert (found.exit_code, found.stdout) == (0, f"{deployment.case.decision_id}\n")
    assert found.stderr == f"1 decisions signed by {reviewer}\n"
    before = ("--from", "2026-11-20", "--to", "2026-11-21")
    assert deployment.run("decided-by", reviewer, *before).stdout == ""
    assert deployment.run("decided-by", "somebody-else", *PERIOD).stdout == ""


def test_export_is_checked_by_the_program_in_it(deployment: Deployment, tmp_path: Path) -> None:
    deployment.anchor()
    done = deployment.run("export", "audit.zip")
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(tmp_path / "audit.zip") as archive:
        archive.extract("verify.py", tmp_path)
        assert len([name for name in archive.namelist() if name.startswith("documents/")]) == 2
    command = [sys.executable, "-I", "-S", "verify.py", "audit.zip"]
    checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout.startswith("intact: ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("report", "--from", "yesterday"),
            "'yesterday' must be a day (2026-11-22) or a time with its offset",
        ),
        (("report", "--from", "2026-11-22T21:00:00"), "must be a day"),
        (("report",), "Missing option '--from'"),
        (("reconcile", "--from", "2026-11-22", "--to", "2026-11-21"), "--to must be after --from"),
        (("verify", "--aws", "--state-dir", "x"), "--aws does not go with --state-dir"),
    ],
)
def test_faults_of_the_command_line_are_named(
    deployment: Deployment, arguments: tuple[str, ...], told: str
) -> None:
    done = deployment.run(*arguments)
    assert done.exit_code == 2
    assert told in done.output


class CloudFormation:
    """Stacks with their outputs."""

    def __init__(self, **stacks: tuple[str, ...]) -> None:
        self._stacks = stacks

    def get_paginator(self, _: str) -> "CloudFormation":
        return self

    def paginate(self, StackName: str | None = None) -> list[dict[str, Any]]:  # noqa: N803
        return [
            {"Stacks": [{"StackName": name, "Outputs": [outputs_of(name, one) for one in keys]}]}
            for name, keys in self._stacks.items()
            if StackName in (None, name)
        ]


def outputs_of(stack: str, key: str) -> dict[str, str]:
    return {"OutputKey": key, "OutputValue": f"{key} of {stack}"}


DATA = ("TableName", "AuditBucketName", "InputBucketName", "OutputBucketName")


def test_the_data_stack_is_found_by_its_outputs() -> None:
    stacks = CloudFormation(**{"bank-dev-data": DATA, "bank-dev-review": ("ReviewUrl",)})
    name, outputs = targets._outputs(stacks, stack=None, place="here")
    assert (name, outputs["TableName"]) == ("bank-dev", "TableName of bank-dev-data")


@pytest.mark.parametrize(
    ("stacks", "named", "told"),
    [
        ({}, None, "here has no deployment of Overread"),
        ({"one": DATA, "two": DATA}, None, "here has several deployments, name one by --stack: one, two"),
        ({"one": DATA, "other": ()}, "other", "stack other is not a deployment's data stack"),
    ],
)
def test_deployment_that_is_not_clear_is_one_sentence(
    stacks: dict[str, tuple[str, ...]], named: str | None, told: str
) -> None:
    with pytest.raises(click.ClickException, match=told):
        targets._outputs(CloudFormation(**stacks), stack=named, place="here")
