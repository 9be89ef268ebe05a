"""The decision API as deployed on the local stack: by the client, the command line, and with bad requests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from click.testing import CliRunner, Result
from tests.local.conftest import Deployment

from overread_cli.demo.cases import load_cases
from overread_cli.main import main
from overread_client import ApiError, Decisions, Steering

ROOT = Path(__file__).parents[2]


def session_of(deployed: Deployment, name: str, *, may: str | None = "*") -> boto3.Session:
    """The credentials of a new IAM user who may invoke what `may` says, or nothing."""
    iam = deployed.client("iam")
    iam.create_user(UserName=name)
    if may is not None:
        statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": may}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="invoke", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.Session(
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        region_name=deployed.stack.record.region,
    )


@pytest.fixture(scope="module")
def url(deployed: Deployment) -> str:
    return deployed.stack.local_address(deployed.output("inference", "ApiUrl")).rstrip("/")


@pytest.fixture(scope="module")
def decisions(deployed: Deployment, url: str) -> Decisions:
    return Decisions(url, session=session_of(deployed, "decision-caller"))


@pytest.fixture(scope="module")
def sure() -> Mapping[str, Any]:
    """A case that the model is sure of and no rule sends to people."""
    case = load_cases(ROOT / "build/models", use_cases=["tumor-screening"], each=1)[0]
    return case.input


@pytest.fixture(scope="module")
def unsure() -> Mapping[str, Any]:
    """A loan above the amount from which people decide."""
    case = load_cases(ROOT / "build/models", use_cases=["loan-approval"], each=1)[0]
    return {**case.input, "amount": 15_000}


def run(deployed: Deployment, *arguments: str, given: str = "") -> Result:
    """One command that finds the API by the local stack's own outputs."""
    options = ["--state-dir", str(deployed.stack.state_dir)]
    return CliRunner().invoke(main, [*arguments, *options], input=given)


def test_a_pending_decision_is_listed_cancelled_and_stays_so(
    decisions: Decisions, unsure: Mapping[str, Any]
) -> None:
    decision = decisions.decide("loan-approval", unsure, reference="api-cancel")
    assert not decision.is_over
    listed = {one.decision_id: one for one in decisions.list(reference="api-cancel")}
    assert listed[decision.decision_id].use_case == "loan-approval"
    assert decisions.cancel(decision.decision_id, reason_code="withdrawn").state == "CANCELLED"
    assert decisions.cancel(decision.decision_id).state == "CANCELLED"
    assert decisions.get(decision.decision_id).document["cancellation"]["reason"] == "withdrawn"
    with pytest.raises(ApiError, match="409"):
        decisions.outcome(decision.decision_id, "approve")


def test_pages_of_a_listing_have_each_decision_once(decisions: Decisions, unsure: Mapping[str, Any]) -> None:
    made = {decisions.decide("loan-approval", unsure, reference="api-pages").decision_id for _ in range(3)}
    found = [one.decision_id for one in decisions.list(reference="api-pages", page_size=1)]
    assert sorted(found) == sorted(made)
    for decision_id in made:
        decisions.cancel(decision_id)


def test_a_final_decision_is_contested_once_and_its_truth_kept(
    decisions: Decisions, sure: Mapping[str, Any]
) -> None:
    final = decisions.decide("tumor-screening", sure)
    while not final.is_final:  # a spot check was drawn: another key is another draw
        decisions.cancel(final.decision_id)
        final = decisions.decide("tumor-screening", sure)
    told = decisions.outcome(final.decision_id, str(final.label), learnt_at="2026-11-22T21:00:00Z")
    assert told.document["truth"]["learnt_at"] == "2026-11-22T21:00:00.000Z"
    new = decisions.contest(final.decision_id, grounds="the sample was mixed up")
    assert new.document["supersedes"] == final.decision_id
    assert decisions.contest(final.decision_id, grounds="the sample was mixed up") == new
    assert decisions.get(final.decision_id).document["contested_by"] == new.decision_id
    decisions.cancel(new.decision_id)


def test_another_caller_sees_nothing_of_it(
    deployed: Deployment, url: str, decisions: Decisions, unsure: Mapping[str, Any]
) -> None:
    decision = decisions.decide("loan-approval", unsure, reference="api-secret")
    stranger = Decisions(url, session=session_of(deployed, "decision-stranger"))
    assert list(stranger.list(reference="api-secret")) == []
    for call in (stranger.get, stranger.cancel):
        with pytest.raises(ApiError, match="404"):
            call(decision.decision_id)
    decisions.cancel(decision.decision_id)


def test_a_kill_switch_sends_sure_cases_to_people(
    deployed: Deployment, decisions: Decisions, sure: Mapping[str, Any]
) -> None:
    on = run(deployed, "kill-switch", "on", "--use-case", "tumor-screening", "--reason", "drill")
    assert on.exit_code == 0, on.output
    try:
        reasons = ["spot_check"]
        while reasons == ["spot_check"]:  # people read it anyhow: another key is another draw
            decision = decisions.decide("tumor-screening", sure)
            reasons = [reason["code"] for reason in decision.document["route"]["reasons"]]
            assert not decision.is_final
            decisions.cancel(decision.decision_id)
        assert reasons == ["kill_switch"]
    finally:
        off = run(deployed, "kill-switch", "off", "--use-case", "tumor-screening", "--reason", "over")
    assert "tumor-screening: off" in off.stdout


def test_the_command_line_finds_the_deployment_of_the_local_stack(
    deployed: Deployment, unsure: Mapping[str, Any]
) -> None:
    given = json.dumps(unsure)
    done = run(deployed, "decide", "loan-approval", "--input", "-", "--reference", "cli", given=given)
    assert done.exit_code == 0, done.output
    listed = run(deployed, "decisions", "list", "--reference", "cli", "--json")
    decision_id = json.loads(listed.stdout)["decision_id"]
    assert decision_id in done.stdout
    assert "CANCELLED" in run(deployed, "decisions", "cancel", decision_id).stdout
    watched = run(deployed, "decisions", "watch", decision_id)
    assert watched.stdout == f"{decision_id}  CANCELLED\n"


def test_a_roster_is_put_in_force(deployed: Deployment, tmp_path: Path) -> None:
    file = tmp_path / "roster.json"
    file.write_text('{"schema": 1, "people": []}')
    put = run(deployed, "roster", "put", str(file))
    assert put.exit_code == 0, put.output
    assert "in force" in run(deployed, "roster", "show").stdout


def test_what_iam_does_not_allow_is_refused(deployed: Deployment, url: str) -> None:
    denied = Decisions(url, session=session_of(deployed, "decision-denied", may=None))
    with pytest.raises(ApiError, match="403"):
        denied.get(f"d-{'a' * 26}")
    only = "arn:aws:execute-api:*:*:*/*/*/v1/decisions*"
    steering = Steering(url, session=session_of(deployed, "decision-program", may=only))
    with pytest.raises(ApiError, match="403"):
        steering.turn_on(reason="no")
    assert steering_free(deployed, url)


def steering_free(deployed: Deployment, url: str) -> bool:
    """Whether no kill switch is on, as somebody sees who may."""
    seer = Steering(url, session=session_of(deployed, "decision-seer"))
    return seer.switch().document["is_on"] is False


@pytest.mark.parametrize("path", ["/v1/decisions", "/v1/nothing"])
def test_an_unsigned_request_is_a_problem_document(url: str, path: str) -> None:
    reply = httpx.get(url + path)
    assert reply.status_code == 403
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.json()["type"] == "urn:overread:problem:access-denied"
