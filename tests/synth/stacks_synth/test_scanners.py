"""What scanners find is acknowledged on constructs, as for packs; the scanners run in `make audit`."""

from __future__ import annotations

import json
import platform
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from overread_stacks.scanners import Finding, ScannerError, left_over, run_checkov, run_guard

TODAY = date(2026, 11, 23)
REASON = "Its callers wait for its answer. Owner: claims team. Until: {until}."


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A stack of one function, whose construct acknowledges that it has no dead letters."""
    role = {"Fn::ImportValue": "data:RoleArn"}
    source = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":x:", {"Ref": "Other"}]]}
    own = {"Fn::Join": ["", [{"Fn::GetAtt": ["Fn1", "Arn"]}, "/*"]]}
    resources = {
        "Fn1": {"Type": "AWS::Lambda::Function", "Properties": {"Role": role, "A": source, "B": own}}
    }
    file = tmp_path / "small.template.json"
    file.write_text(json.dumps({"Resources": resources}))
    acknowledge(tmp_path, until="2027-05-31")
    return file


def acknowledge(folder: Path, *, until: str) -> None:
    rules = {"Checkov::Checkov-CKV_AWS_116": REASON.format(until=until)}
    metadata = {
        "/small/Router": [{"type": "aws:cdk:acknowledged-rules", "data": rules}],
        "/small/Router/Function/Resource": [{"type": "aws:cdk:logicalId", "data": "Fn1"}],
        "/small/RouterTwo/Resource": [{"type": "aws:cdk:logicalId", "data": "Fn2"}],
    }
    (folder / "small.metadata.json").write_text(json.dumps(metadata))


def program(at: Path, *, says: Any, exits: int, keeps: Path | None = None) -> Path:
    """A stand-in that copies the folder it is given to `keeps`, prints and exits."""
    at.parent.mkdir(parents=True)
    answer = at.parent / "answer"
    answer.write_text(says if isinstance(says, str) else json.dumps(says))
    copy = f'for word; do [ -d "$word" ] && cp "$word"/*.json {keeps} 2>/dev/null; done\n' if keeps else ""
    at.write_text(f"#!/bin/sh\n{copy}cat {answer}\nexit {exits}\n")
    at.chmod(0o755)
    return at


def guard(environment: Path) -> Path:
    system = "macos" if platform.system() == "Darwin" else "ubuntu"
    machine = "aarch64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    return environment / "cfn-guard/package/bin" / system / machine / "cfn-guard"


def finding(rule: str, *, template: Path, logical_id: str = "Fn1") -> Finding:
    return Finding(pack="Checkov", rule=rule, template=template, logical_id=logical_id, says="…")


def test_checkov_s_findings_name_rule_template_and_resource(template: Path, tmp_path: Path) -> None:
    check = {
        "check_id": "CKV_AWS_116",
        "check_name": "No dead letters",
        "file_path": "/small.template.json",
        "resource": "AWS::Lambda::Function.Fn1",
    }
    program(tmp_path / "env/bin/checkov", says={"results": {"failed_checks": [check]}}, exits=1)
    (found,) = run_checkov([template], environment=tmp_path / "env")
    assert str(found) == "Checkov CKV_AWS_116: small Fn1: No dead letters"


def test_guard_s_findings_name_control_tower_s_rule_and_each_resource(template: Path, tmp_path: Path) -> None:
    failed = {
        "Rule": {"name": "check", "message": "\n  [CT.LAMBDA.PR.3]: Require a VPC\n  [FIX]: …"},
        "checks": [{"path": "/Resources/Fn1/Properties"}, {"path": "/Resources/Fn2"}],
    }
    nowhere = {"Rule": {"name": "another_check"}}
    report = [{"name": "/tmp/x/small.template.json", "not_compliant": [failed, nowhere]}]
    program(guard(tmp_path / "env"), says=report, exits=19)
    found = run_guard([template], environment=tmp_path / "env")
    assert [(f.rule, f.logical_id, f.says) for f in found] == [
        ("CT.LAMBDA.PR.3", "Fn1", "Require a VPC"),
        ("CT.LAMBDA.PR.3", "Fn2", "Require a VPC"),
        ("another_check", "", ""),
    ]


def test_scanners_read_what_cloudformation_will_fill_in_as_text(template: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    seen.mkdir()
    program(guard(tmp_path / "env"), says=[], exits=0, keeps=seen)
    assert run_guard([template], environment=tmp_path / "env") == []
    properties = json.loads((seen / template.name).read_text())["Resources"]["Fn1"]["Properties"]
    assert properties == {
        "Role": "arn:aws:imported:::data:RoleArn",
        "A": "arn:aws:x:filled-in",
        "B": {"Fn::Join": ["", [{"Fn::GetAtt": ["Fn1", "Arn"]}, "/*"]]},
    }


@pytest.mark.parametrize(("says", "exits"), [("", 2), ({"passed": 0}, 0)])
def test_a_scanner_that_did_not_scan_is_no_clean_audit(
    says: Any, exits: int, template: Path, tmp_path: Path
) -> None:
    program(tmp_path / "env/bin/checkov", says=says, exits=exits)
    with pytest.raises(ScannerError, match="checkov"):
        run_checkov([template], environment=tmp_path / "env")


def test_a_missing_scanner_says_how_to_get_it(template: Path, tmp_path: Path) -> None:
    with pytest.raises(ScannerError, match="make audit"):
        run_checkov([template], environment=tmp_path / "env")
    with pytest.raises(ScannerError, match="make audit"):
        run_guard([template], environment=tmp_path / "env")


def test_a_construct_s_acknowledgement_counts_for_what_is_below_it_only(template: Path) -> None:
    below = finding("CKV_AWS_116", template=template)
    beside = finding("CKV_AWS_116", template=template, logical_id="Fn2")
    another = finding("CKV_AWS_117", template=template)
    unknown = finding("CKV_AWS_116", template=template, logical_id="")
    assert list(left_over([below, beside, another, unknown], today=TODAY)) == [beside, another, unknown]


def test_an_acknowledgement_that_is_over_counts_no_more(template: Path) -> None:
    acknowledge(template.parent, until="2026-11-22")
    below = finding("CKV_AWS_116", template=template)
    assert list(left_over([below], today=TODAY)) == [below]
