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


@pytest.fixture
def three_accounts(folder: Path) -> Path:
    """The same with models in another account, and audit in a third."""
    manifest = json.loads((folder / "manifest.json").read_text())
    model = {"Type": "AWS::SageMaker::Model", "Properties": {"VpcConfig": {"Subnets": ["subnet-1"]}}}
    for name, account, resource in (
        ("models", "222233334444", model),
        ("audit", "333344445555", {"Type": "AWS::S3::Bucket"}),
    ):
        manifest["artifacts"][f"overread-test-{name}"] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{account}/eu-west-1",
            "properties": {"templateFile": f"{name}.json"},
        }
        (folder / f"{name}.json").write_text(json.dumps({"Resources": {"One": resource}}))
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_what_is_for_other_accounts_is_left_to_their_credentials(
    monkeypatch: pytest.MonkeyPatch, three_accounts: Path
) -> None:
    account = PlantedAccount(CALLER)
    planted(monkeypatch, account)
    done = CliRunner().invoke(main, ["preflight", "--json", "--template-dir", str(three_accounts)])
    checks = {check["id"]: check for check in json.loads(done.output)["checks"]}
    assert checks["credentials"]["status"] == "ok"
    for other, name in (("222233334444", "models"), ("333344445555", "audit")):
        assert checks[f"account-{other}"]["status"] == "skipped"
        assert (
            f"overread-test-{name}: run this with credentials of account {other}"
            in (checks[f"account-{other}"]["detail"])
        )
    assert not [one for one in account.asked if "subnet-1" in str(one)], "another account's network"
    assert checks["subnets"]["detail"] == "nothing of the templates is in a network"


def test_credentials_of_none_of_the_accounts_are_refused(
    monkeypatch: pytest.MonkeyPatch, three_accounts: Path
) -> None:
    planted(monkeypatch, PlantedAccount({("sts", "GetCallerIdentity"): {"Account": "999", "Arn": "arn:x"}}))
    done = CliRunner().invoke(main, ["preflight", "--template-dir", str(three_accounts)])
    assert done.exit_code == 3
    assert "for 111122223333 and 222233334444 and 333344445555" in done.output


def test_a_policy_is_for_one_of_several_accounts(three_accounts: Path) -> None:
    def asked(*more: str) -> Any:
        arguments = ["preflight", "--policy", "execution", "--template-dir", str(three_accounts), *more]
        return CliRunner().invoke(main, arguments)

    assert asked().exit_code == 2
    assert "--account is missing; the templates are for 111122223333, 222233334444" in asked().output
    assert "--account 9; the templates are for" in asked("--account", "9").output
    policy = asked("--account", "222233334444").output
    assert "sagemaker:CreateModel" in policy
    assert "s3:CreateBucket" not in policy


def test_a_profile_that_is_not_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    done = CliRunner().invoke(main, ["preflight", "--template-dir", str(folder)])
    assert done.exit_code == 2
    assert "The config profile (nobody) could not be found" in done.output


def test_who_deploys_takes_the_roles_of_every_account(
    monkeypatch: pytest.MonkeyPatch, three_accounts: Path
) -> None:
    path = three_accounts / "manifest.json"
    manifest = json.loads(path.read_text())
    first = manifest["artifacts"]["overread-test-data"]
    manifest["artifacts"]["overread-test-review"] = first  # most stacks are at home
    for name, artifact in manifest["artifacts"].items():
        own = artifact["environment"].split("/")[2]
        role = f"arn:${{AWS::Partition}}:iam::{own}:role/deploy"
        manifest["artifacts"][name] = artifact | {
            "properties": artifact["properties"] | {"assumeRoleArn": role}
        }
    path.write_text(json.dumps(manifest))
    arguments = ["preflight", "--template-dir", str(three_accounts)]
    roles = [f"arn:aws:iam::{one}:role/deploy" for one in ("111122223333", "222233334444", "333344445555")]
    (document,) = json.loads(CliRunner().invoke(main, [*arguments, "--policy", "deployer"]).output)
    assert document["Statement"][0]["Resource"] == roles

    def deployer(own: str) -> tuple[dict[str, str], list[str]]:
        caller = {"Account": own, "Arn": f"arn:aws:iam::{own}:user/me"}
        allowed = {"EvalActionName": "sts:AssumeRole", "EvalDecision": "allowed"}
        account = PlantedAccount(
            {
                ("sts", "GetCallerIdentity"): caller,
                ("iam", "SimulatePrincipalPolicy"): {"EvaluationResults": [allowed]},
            }
        )
        planted(monkeypatch, account)
        done = CliRunner().invoke(main, [*arguments, "--json"])
        checks = {check["id"]: check for check in json.loads(done.output)["checks"]}
        assumed = [
            one["ResourceArns"] for _, _, one in account.asked if one.get("ActionNames") == ["sts:AssumeRole"]
        ]
        return checks["deployer-permissions"], [arn for arns in assumed for arn in arns]

    at_home, assumed = deployer("111122223333")
    assert (at_home["status"], assumed) == ("ok", roles)
    elsewhere, assumed = deployer("222233334444")
    assert (elsewhere["status"], assumed) == ("skipped", [])
    assert "account 111122223333 deploys into this one" in elsewhere["detail"]


@pytest.mark.parametrize(
    "template", ["{", "[]", '{"Resources": []}', '{"Resources": {"A": 3}}', '{"Resources": {"A": {}}}']
)
def test_a_broken_template_is_one_sentence(folder: Path, template: str) -> None:
    (folder / "data.json").write_text(template)
    done = CliRunner().invoke(main, ["preflight", "--template-dir", str(folder)])
    assert done.exit_code == 2
    assert "has no synthesized templates" in done.output


class Licences:
    """License Manager with a licence a page; the SDK has no paginator for it."""

    def can_paginate(self, name: str) -> bool:
        return False

    def list_received_licenses(self, *, NextToken: str = "0") -> dict[str, Any]:  # noqa: N803 - AWS's name
        number = int(NextToken)
        return {"Licenses": [number]} | ({"NextToken": str(number + 1)} if number < 2 else {})


def test_every_page_is_read_where_the_sdk_has_no_paginator() -> None:
    account = Account(lambda service: Licences())
    assert account.all("license-manager", "ListReceivedLicenses", "Licenses") == [0, 1, 2]
