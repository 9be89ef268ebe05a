"""`overread preflight`: its JSON, its words, its exit codes, and that it changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from click.testing import CliRunner
from tests.unit.cli.preflight.conftest import Make, PlantedAccount

from overread_cli.main import main
from overread_cli.preflight import command
from overread_cli.preflight.account import Account
from overread_cli.preflight.checks import Family, Status, UnreadError
from overread_cli.preflight.running import Asked, run_checks

READING = ("Get", "List", "Describe", "Simulate")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    manifest = {
        "minimumCliVersion": "2.1148.0",
        "artifacts": {
            "overread-test-data": {
                "type": "aws:cloudformation:stack",
                "environment": "aws://111122223333/eu-west-1",
                "properties": {"templateFile": "data.json"},
            }
        },
    }
    (tmp_path / "data.json").write_text(json.dumps(template))
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def planted(monkeypatch: pytest.MonkeyPatch, account: Account) -> None:
    monkeypatch.setattr(command, "_account", lambda session, where: account)
    monkeypatch.setattr(command, "run_tool", lambda words: "v24.1.0" if words[0] == "node" else "2.1148.1")


CALLER = {
    ("sts", "GetCallerIdentity"): {"Account": "111122223333", "Arn": "arn:aws:iam::111122223333:user/me"}
}


def test_the_json_form(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    account = PlantedAccount(CALLER)
    planted(monkeypatch, account)
    done = CliRunner().invoke(main, ["preflight", "--json", "--template-dir", str(folder)])
    assert done.exit_code == 4, done.output
    checks = json.loads(done.output)["checks"]
    assert all(set(check) == {"id", "status", "detail", "fix"} for check in checks)
    found = {check["id"]: check["status"] for check in checks}
    assert found["credentials"] == "ok"
    assert found["deployer-permissions"] == found["ground-truth"] == "unknown"
    assert found["a2i"] == found["rstudio-licence"] == found["workforce"] == "skipped"
    assert {operation for _, operation, _ in account.asked if not operation.startswith(READING)} == set()


def test_the_words_and_the_class_of_a_failure(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    account = PlantedAccount({("sts", "GetCallerIdentity"): {"Account": "999", "Arn": "arn:x"}})
    planted(monkeypatch, account)
    done = CliRunner().invoke(main, ["preflight", "--template-dir", str(folder)])
    assert done.exit_code == 3
    assert "FAIL  credentials: these are credentials of account 999;" in done.output
    assert "      → sign in to that account" in done.output
    assert len(account.asked) == 1  # nothing more is asked of the wrong account


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--template-dir", "nowhere"], "nowhere has no synthesized templates"),
        (["--config", "nowhere.yaml"], "nowhere.yaml"),
        (["--policy", "other"], "'other' is not one of"),
    ],
)
def test_wrong_usage_is_one_sentence(arguments: list[str], words: str) -> None:
    done = CliRunner().invoke(main, ["preflight", *arguments])
    assert done.exit_code == 2
    assert words in done.output
    assert "Traceback" not in done.output


def test_the_policies_are_printed_without_an_account(folder: Path) -> None:
    done = CliRunner().invoke(main, ["preflight", "--policy", "execution", "--template-dir", str(folder)])
    assert done.exit_code == 0
    (document,) = json.loads(done.output)
    assert any("sqs:CreateQueue" in statement["Action"] for statement in document["Statement"])


def asked() -> Asked:
    return Asked(
        region="eu-west-1",
        regions_of={},
        run_tool=lambda _: None,
        now=datetime(2026, 11, 23, tzinfo=UTC),
        probe=None,
    )


def test_a_check_that_cannot_read_does_not_keep_others_from_it(assembly: Make) -> None:
    function = ("AWS::Lambda::Function", {"VpcConfig": {"SubnetIds": ["subnet-1"]}})
    checks = list(run_checks(PlantedAccount(CALLER), assembly(function), asked()))
    assert {check.family for check in checks} == set(Family)
    assert all(check.verdict.fix for check in checks if check.verdict.status in {Status.FAIL, Status.UNKNOWN})


class Raising:
    """A client of which every call fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def get_caller_identity(self) -> None:
        raise self.error


def raising(error: Exception) -> Callable[..., Any]:
    return lambda service: Raising(error)


@pytest.mark.parametrize(
    ("error", "is_refused", "words"),
    [
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "x"), True, "no (AccessDenied)"),
        (ClientError({"Error": {"Code": "Throttling", "Message": "slow"}}, "x"), False, "slow (Throttling)"),
        (NoCredentialsError(), False, "no AWS credentials were found"),
    ],
)
def test_failed_calls_are_told_by_their_actions(error: Exception, is_refused: bool, words: str) -> None:
    with pytest.raises(UnreadError, match="sts:GetCallerIdentity") as raised:
        Account(raising(error)).ask("sts", "GetCallerIdentity")
    assert raised.value.is_refused is is_refused
    assert raised.value.reason == words
