"""A model whose scores drift, as deployed: spot checks show it, and the use case goes to people by itself.

And the other way round: a guarantee is approved by two, and what AppConfig would be told of policies then.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from tests.local.conftest import Deployment
from tests.local.organized import PREFIX
from tests.local.review_backends import function_of, until
from tests.local.test_decision_api import session_of

from overread.instants import parse_instant
from overread.risk.guarantee import ThresholdGuarantee, parse_guarantee
from overread_cli.demo.cases import load_cases
from overread_cli.main import main
from overread_client import ApiError, Decision, Decisions, ReviewSandbox, Steering

ROOT = Path(__file__).parents[2]
USE_CASE = "drifting-loans"
ALPHA, DELTA = 0.1, 0.05
RIGHT, WRONG = 4, 6
"""Spot checks before the drift and after it. Five wrong ones of nine are enough for the alarm."""
GUARANTEE: Mapping[str, Any] = {
    "schema": 1,
    "use_case": USE_CASE,
    "model_version": "scorecard-7",
    "method": "fixed-sequence-binomial",
    "alpha": ALPHA,
    "delta": DELTA,
    "threshold": 0.8,
    "coverage": 0.75,
    "n": 300,
    "errors": 18,
    "points": 400,
    "data_sha256": "0f" * 32,
    "reference": {"standard": "one-reader", "error": None},
    "date": "2026-11-23",
}
ENVELOPE = {
    "lowest_threshold": 0.7,
    "highest_alpha": ALPHA,
    "highest_delta": DELTA,
    "cases_per_hour": 60,
    "review_seconds": 90,
    "reviewers": 1,
}


@dataclass(frozen=True)
class Office:
    """A use case of its own on deployed stacks: callers bring the predictions, most are spot-checked."""

    deployed: Deployment
    policy: Mapping[str, Any]

    @property
    def url(self) -> str:
        return self.deployed.stack.local_address(self.deployed.output("inference", "ApiUrl")).rstrip("/")

    def steering(self, person: str) -> Steering:
        return Steering(self.url, session=session_of(self.deployed, person))

    def run(self, module: str, event: Mapping[str, Any]) -> tuple[str, Any]:
        """What the schedule, or AppConfig, does: the error that the function ended with, and what it said."""
        reply = self.deployed.client("lambda").invoke(
            FunctionName=function_of(self.deployed.stack, module), Payload=json.dumps(event).encode()
        )
        return reply.get("FunctionError", ""), json.loads(reply["Payload"].read())

    def watch(self) -> Mapping[str, int]:
        error, counts = self.run("watch_errors", {})
        assert not error, counts
        found: Mapping[str, int] = counts
        return found

    def refusal(self, **routing: Any) -> str:
        """What the validator has against the policy with this routing; empty when nothing."""
        document = {**self.policy, "routing": {**self.policy["routing"], **routing}}
        content = base64.b64encode(json.dumps(document).encode()).decode()
        error, said = self.run("validate_policy", {"content": content})
        return str(said["errorMessage"]) if error else ""


@pytest.fixture(scope="module")
def office(deployed: Deployment) -> Iterator[Office]:
    policy = policy_in_force(deployed, "loan-approval")
    policy |= {"use_case": USE_CASE, "version": "drift", "prediction": {"source": "caller"}}
    policy["routing"] = {"threshold": 0.8, "spot_check_probability": 0.7}
    policy["monitor"] = {"alpha": ALPHA, "delta": DELTA}
    _roll_out(deployed, policy)
    use_cases = f"digit-reading,loan-approval,tumor-screening,{USE_CASE}"
    changes = {
        "route_prediction": {"OVERREAD_USE_CASES": use_cases},
        "watch_errors": {"OVERREAD_USE_CASES": use_cases},
        "steer": {"OVERREAD_USE_CASES": use_cases, "OVERREAD_CHANGES_NEED_TWO": "true"},
        "validate_policy": {"OVERREAD_ENVELOPES": json.dumps({USE_CASE: ENVELOPE})},
    }
    functions = deployed.client("lambda")
    before = {}
    for module, variables in changes.items():
        name = function_of(deployed.stack, module)
        before[name] = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        _set_variables(functions, name, before[name] | variables)
    yield Office(deployed, policy)
    for name, variables in before.items():
        _set_variables(functions, name, variables)


def _set_variables(functions: Any, name: str, variables: Mapping[str, str]) -> None:
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": dict(variables)})


def policy_in_force(deployed: Deployment, use_case: str) -> dict[str, Any]:
    client = deployed.client("appconfigdata")
    token = client.start_configuration_session(
        ApplicationIdentifier=deployed.output("review", "AppConfigApplicationId"),
        EnvironmentIdentifier=deployed.output("review", "AppConfigEnvironmentId"),
        ConfigurationProfileIdentifier=use_case,
    )["InitialConfigurationToken"]
    read = client.get_latest_configuration(ConfigurationToken=token)["Configuration"].read()
    policy: dict[str, Any] = json.loads(read)
    return policy


def _roll_out(deployed: Deployment, policy: Mapping[str, Any]) -> None:
    appconfig = deployed.client("appconfig")
    application = deployed.output("review", "AppConfigApplicationId")
    profile = appconfig.create_configuration_profile(
        ApplicationId=application, Name=policy["use_case"], LocationUri="hosted", Type="AWS.Freeform"
    )["Id"]
    version = appconfig.create_hosted_configuration_version(
        ApplicationId=application,
        ConfigurationProfileId=profile,
        Content=json.dumps(policy).encode(),
        ContentType="application/json",
    )["VersionNumber"]
    strategies = appconfig.list_deployment_strategies()["Items"]
    (at_once,) = (one["Id"] for one in strategies if one["Name"] == f"{PREFIX}-demo-all-at-once")
    appconfig.start_deployment(
        ApplicationId=application,
        EnvironmentId=deployed.output("review", "AppConfigEnvironmentId"),
        DeploymentStrategyId=at_once,
        ConfigurationProfileId=profile,
        ConfigurationVersion=str(version),
    )


@dataclass(frozen=True)
class Drift:
    """What was seen of the model: before it drifted, and after."""

    calm: Mapping[str, Any]
    alarm: Mapping[str, Any]
    switch: Mapping[str, Any]
    by_model: tuple[Decision, ...]
    unchecked: Decision
    """One after the alarm that no spot check was drawn for."""


@pytest.fixture(scope="module")
def drift(office: Office) -> Drift:
    decisions = Decisions(office.url, session=session_of(office.deployed, "drift-caller"))
    steering = office.steering("drift-lead")
    (case,) = load_cases(ROOT / "build/models", use_cases=["loan-approval"], each=1)

    def ask(confidence: float) -> Decision:
        prediction = {"label": "approve", "confidence": confidence, "model": "card", "version": "7"}
        return decisions.decide(USE_CASE, case.input, prediction=prediction)

    by_model: list[Decision] = []

    def read(count: int, *, label: str) -> None:
        """Scripted reviewers answer so many spot checks; what none is drawn for, the model decides."""
        asked: list[Decision] = []
        while len(asked) < count:
            one = ask(0.9 + len(asked) / 100)
            (by_model if one.is_final else asked).append(one)
        record = office.deployed.stack.record
        session = boto3.Session(record.account, "local", region_name=record.region)
        sandbox = ReviewSandbox(office.deployed.stack.portal_url, session=session)
        for one in asked:
            until(lambda d=one: decisions.get(d.decision_id).state == "IN_REVIEW", what="a review")
            sandbox.answer_decision(one.decision_id, {"decision": {"label": label}, "reason_code": "x"})
        for one in asked:
            assert decisions.wait(one.decision_id, timeout_s=30.0).label == label

    def counted(audits: int) -> Mapping[str, Any]:
        """How the monitor stands once so many spot checks were counted."""

        def look() -> Mapping[str, Any] | None:
            office.watch()
            standing = steering.error_monitor(USE_CASE).document
            return standing if standing["audited"] >= audits else None

        standing: Mapping[str, Any] = until(look, what=f"{audits} audits")
        return standing

    def unchecked() -> Decision:
        """A sure case that no spot check is drawn for; each key is another draw."""
        while "spot_check" in _codes(one := ask(0.99)):
            decisions.cancel(one.decision_id)
        return one

    read(RIGHT, label="approve")
    calm = counted(RIGHT)
    assert steering.switch(USE_CASE).document["is_on"] is False
    # The scores are as sure as before, and what they say is wrong.
    read(WRONG, label="decline")
    alarm = counted(RIGHT + WRONG)
    switch = steering.switch(USE_CASE).document
    return Drift(calm, alarm, switch, tuple(by_model), unchecked())


def _codes(decision: Decision) -> list[str]:
    return [reason["code"] for reason in decision.document["route"]["reasons"]]


def test_the_monitor_is_calm_while_people_agree_with_the_model(drift: Drift) -> None:
    assert (drift.calm["audited"], drift.calm["errors"], drift.calm["is_alarm"]) == (RIGHT, 0, False)


def test_after_the_drift_the_monitor_alarms_with_its_figures(drift: Drift) -> None:
    alarm = drift.alarm
    assert (alarm["audited"], alarm["errors"], alarm["is_alarm"]) == (RIGHT + WRONG, WRONG, True)
    assert (alarm["alpha"], alarm["delta"]) == (ALPHA, DELTA)
    low, high = alarm["interval"]
    assert ALPHA < low < WRONG / (RIGHT + WRONG) < high
    assert alarm["evidence_log10"] >= alarm["alarm_evidence_log10"]


def test_the_kill_switch_turned_on_by_itself_and_says_why(drift: Drift) -> None:
    switch = drift.switch
    assert (switch["is_on"], switch["changed_by"]) == (True, "error-monitor")
    said = re.match(r"(\d+) of (\d+) audited decisions were wrong .*; allowed: 10 %", switch["reason"])
    assert said, switch["reason"]
    errors, audited = map(int, said.groups())
    assert 0 < errors <= WRONG
    assert audited - errors == RIGHT
    alarmed_at = parse_instant(drift.alarm["alarmed_at"])
    assert abs((parse_instant(switch["changed_at"]) - alarmed_at).total_seconds()) < 30


def test_people_decide_from_then_on(drift: Drift) -> None:
    assert {one.document["outcome"]["source"] for one in drift.by_model} <= {"model"}
    assert not drift.unchecked.is_final
    assert drift.unchecked.document["route"]["to"] == "human"
    assert _codes(drift.unchecked) == ["kill_switch"]


def test_the_audit_log_tells_when_and_why(office: Office, drift: Drift, tmp_path: Path) -> None:
    json_file = tmp_path / "report.json"
    state_dir = str(office.deployed.stack.state_dir)
    options = ("--from", "2020-01-01", "--html", str(tmp_path / "report.html"), "--json", str(json_file))
    done = CliRunner().invoke(main, ["audit", "report", "--state-dir", state_dir, *options])
    assert done.exit_code == 0, done.output
    report = json.loads(json_file.read_text())
    (turned,) = (one for one in report["kill_switch"] if one["scope"] == USE_CASE)
    assert (turned["reason"], turned["on_by"]) == (drift.switch["reason"], "error-monitor")
    assert drift.switch["reason"].partition(";")[0] in (tmp_path / "report.html").read_text()


# Guarantees


@pytest.fixture(scope="module")
def guarantee() -> ThresholdGuarantee:
    return parse_guarantee(json.dumps(GUARANTEE))


@pytest.fixture(scope="module")
def stated(guarantee: ThresholdGuarantee) -> Mapping[str, Any]:
    """What a policy says of the guarantee."""
    members = ("alpha", "delta", "threshold", "coverage", "model_version")
    said = {name: GUARANTEE[name] for name in members}
    return said | {"id": guarantee.id, "reference": "one-reader"}


def test_a_policy_goes_out_once_a_second_person_approved_its_guarantee(
    office: Office, guarantee: ThresholdGuarantee, stated: Mapping[str, Any]
) -> None:
    body = json.dumps(GUARANTEE).encode()
    ada, bob = office.steering("guarantee-ada"), office.steering("guarantee-bob")
    routing = {"guarantee": stated, "spot_check_probability": 0.05}
    assert "must be approved" in office.refusal(**routing)
    assert ada.put_guarantee(USE_CASE, body).awaits_second
    assert ada.put_guarantee(USE_CASE, body).awaits_second
    assert "must be approved" in office.refusal(**routing)
    approved = bob.put_guarantee(USE_CASE, body)
    assert not approved.awaits_second
    assert approved.document["id"] == guarantee.id
    assert "guarantee-ada" in approved.document["proposed_by"]
    assert "guarantee-bob" in approved.document["approved_by"]
    assert office.refusal(**routing) == ""
    # Approved as it is, and still not everything goes out.
    assert "must be approved" in office.refusal(**{**routing, "guarantee": {**stated, "id": f"g-{'a' * 26}"}})
    assert "at least the guarantee's 0.8" in office.refusal(**{**routing, "threshold": 0.79})
    low = {**stated, "threshold": 0.6}
    assert "at least 0.7" in office.refusal(**{**routing, "guarantee": low, "threshold": 0.6})
    lax = {**stated, "alpha": 0.2}
    assert "at most 0.1" in office.refusal(**{**routing, "guarantee": lax})
    everything = office.refusal(**{**routing, "always_review": True})
    assert "60 reviews an hour of 90 s fill 1.5 reviewers all the time; the team has 1" in everything


def test_a_faulty_guarantee_is_refused_with_all_its_faults(office: Office) -> None:
    faulty = json.dumps({**GUARANTEE, "alpha": 0, "n": 500}).encode()
    with pytest.raises(ApiError, match="alpha"):
        office.steering("guarantee-eve").put_guarantee(USE_CASE, faulty)
