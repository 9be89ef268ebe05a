"""Every rule pack over every deployment: nothing is left, and what is acknowledged has its terms."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Acknowledgment, App, RemovalPolicy, Stack, Validations
from aws_cdk import aws_logs as logs
from tests.synth.stacks_synth.conftest import ACCOUNT, ENVIRONMENTS, FILES, REPOSITORY, Assembly

from overread_config import load_settings
from overread_constructs.acknowledgements import Terms, acknowledge, terms_of
from overread_constructs.rules import OverreadRules
from overread_stacks.acknowledgement_terms import AcknowledgementTerms
from overread_stacks.app_factory import FEATURE_FLAGS, build_app
from overread_stacks.checks import add_every_check

PACKS = {"AwsSolutions", "HIPAA.Security", "NIST.800.53.R5", "Overread", "PCI.DSS.321", "Serverless"}
REASON = "What protects instead is written here, in a sentence."


def test_no_finding_of_any_pack_is_left(assembly: Assembly) -> None:
    reports = {report["pluginName"]: report for report in assembly.report["pluginReports"]}
    assert set(reports) >= PACKS
    assert [finding for report in reports.values() for finding in report["violations"]] == []


def test_each_acknowledged_finding_has_reason_owner_and_day(assembly: Assembly) -> None:
    findings = [
        finding
        for report in assembly.report["pluginReports"]
        if report["pluginName"] in PACKS
        for finding in report["suppressedViolations"]
    ]
    assert len(findings) > 100
    assert {finding["ruleName"] for finding in findings if terms_of(finding["reason"]) is None} == set()


def test_findings_are_acknowledged_on_constructs_and_not_for_whole_stacks(assembly: Assembly) -> None:
    at = {
        finding["acknowledgedAt"]
        for report in assembly.report["pluginReports"]
        if report["pluginName"] in PACKS
        for finding in report["suppressedViolations"]
    }
    assert {path for path in at if "/" not in path} == set()


def test_every_other_committed_configuration_passes_them_too(project: Path, tmp_path: Path) -> None:
    in_assembly = {FILES.get(environment, environment) for environment in ENVIRONMENTS}
    for config in sorted((REPOSITORY / "config").glob("*.yaml")):
        if config.stem in in_assembly:
            continue
        folder = tmp_path / config.stem
        app = App(
            outdir=str(folder),
            context={**FEATURE_FLAGS, "aws:cdk:bundling-stacks": []},
            analytics_reporting=False,
        )
        build_app(load_settings(project / "config" / config.name), environ=ACCOUNT, app=app)
        add_every_check(app, today=datetime.now(UTC).date())
        app.synth()  # raises when a finding is left
        reports = json.loads((folder / "validation-report.json").read_text())["pluginReports"]
        assert {report["pluginName"] for report in reports} >= PACKS - {"Overread"}


class Synthesized:
    """One log group, held against the own pack on a day."""

    def __init__(self, folder: Path, *, today: date) -> None:
        self.app = App(outdir=str(folder), analytics_reporting=False)
        self.log = logs.CfnLogGroup(Stack(self.app, "Small"), "Log")
        self.log.apply_removal_policy(RemovalPolicy.DESTROY)
        self._report = folder / "validation-report.json"
        Validations.of(self.app).add_plugins(OverreadRules(), AcknowledgementTerms(today=today))

    def report(self, *, fails: bool) -> dict[str, Any]:
        """Reports by plugin."""
        if fails:
            with pytest.raises(RuntimeError, match="ValidationFailed"):
                self.app.synth()
        else:
            self.app.synth()
        reports = json.loads(self._report.read_text())["pluginReports"]
        return {report["pluginName"]: report for report in reports}


def keep_forever(scope: logs.CfnLogGroup, *, until: date) -> None:
    terms = Terms(owner="claims team", expires=until)
    Validations.of(scope).acknowledge(
        Acknowledgment(
            id="Overread::Overread-LogsExpire",
            reason=f"{REASON} Owner: {terms.owner}. Until: {terms.expires}.",
        )
    )


def test_a_breach_of_an_own_rule_fails_the_synthesis(tmp_path: Path) -> None:
    (finding,) = Synthesized(tmp_path, today=date(2026, 11, 23)).report(fails=True)["Overread"]["violations"]
    assert finding["ruleName"] == "Overread-LogsExpire"
    (at,) = finding["violatingConstructs"]
    assert at["constructPath"] == "Small/Log"
    assert at["cloudFormationResource"]["propertyPaths"] == ["RetentionInDays"]


def test_an_acknowledgement_counts_on_its_last_day(tmp_path: Path) -> None:
    synthesized = Synthesized(tmp_path, today=date(2027, 5, 31))
    keep_forever(synthesized.log, until=date(2027, 5, 31))
    (finding,) = synthesized.report(fails=False)["Overread"]["suppressedViolations"]
    assert finding["acknowledgedAt"] == "Small/Log"


def test_an_acknowledgement_fails_the_synthesis_on_the_day_after(tmp_path: Path) -> None:
    synthesized = Synthesized(tmp_path, today=date(2027, 6, 1))
    keep_forever(synthesized.log, until=date(2027, 5, 31))
    (finding,) = synthesized.report(fails=True)["OverreadTerms"]["violations"]
    assert "until 2027-05-31: claims team must mend it" in finding["description"]
    assert finding["violatingConstructs"][0]["constructPath"] == "Small/Log"


@pytest.mark.parametrize(
    "said",
    [
        REASON,
        f"{REASON} Owner: claims team.",
        f"{REASON} Owner: claims team. Until: 2027-02-30.",
        " Owner: claims team. Until: 2027-05-31.",
    ],
)
def test_an_acknowledgement_without_terms_fails_the_synthesis(said: str, tmp_path: Path) -> None:
    synthesized = Synthesized(tmp_path, today=date(2026, 11, 23))
    Validations.of(synthesized.log).acknowledge(
        Acknowledgment(id="Overread::Overread-LogsExpire", reason=said)
    )
    (finding,) = synthesized.report(fails=True)["OverreadTerms"]["violations"]
    assert "without reason, owner and day" in finding["description"]


def test_one_acknowledgement_counts_in_every_pack_that_has_the_finding(tmp_path: Path) -> None:
    synthesized = Synthesized(tmp_path, today=date(2026, 11, 23))
    acknowledge(synthesized.log, rule="LambdaDLQ", reason=REASON)
    entries = [e.data for e in synthesized.log.node.metadata if e.type == "aws:cdk:acknowledged-rules"]
    assert {rule for entry in entries for rule in entry} == {
        "NIST.800.53.R5::NIST.800.53.R5-LambdaDLQ",
        "HIPAA.Security::HIPAA.Security-LambdaDLQ",
        "Serverless::Serverless-LambdaDLQ",
        "Checkov::Checkov-CKV_AWS_116",
    }
    assert {terms_of(said) for entry in entries for said in entry.values()} == {
        Terms(owner="Overread maintainers", expires=date(2027, 11, 30))
    }


@pytest.mark.parametrize(("days", "is_told"), [(0, True), (60, True), (61, False)])
def test_who_acknowledged_hears_before_it_ends(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], days: int, is_told: bool
) -> None:
    until = date(2027, 5, 31)
    small = Synthesized(tmp_path, today=until - timedelta(days=days))
    keep_forever(small.log, until=until)
    small.report(fails=False)
    told = "1 acknowledgements of claims team end on 2027-05-31; the day after, synthesis fails"
    assert (told in capfd.readouterr().err) is is_told
