"""The operations stack: what each alarm looks at is written by a handler, and each names its runbook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aws_cdk import App
from tests.synth.stacks_synth.conftest import ACCOUNT, REPOSITORY, Assembly

from overread_config import load_settings
from overread_lambda import anchor_audit, counted, deliver_outbox, measure_operations, watch_errors
from overread_lambda.metrics import Metric
from overread_stacks.app_factory import FEATURE_FLAGS, build_app

ALARM = "AWS::CloudWatch::Alarm"
ADOPTED = "arn:aws:sns:eu-central-1:111122223333:alarms"
WRITTEN = {
    metric.name
    for module in (anchor_audit, counted, deliver_outbox, measure_operations, watch_errors)
    for metric in module.METRICS
    if isinstance(metric, Metric)
}
NEEDED = (
    "oldest-pending-loan-approval",
    "oldest-waiting",
    "unreconciled",
    "start-throttles",
    "start-refusals",
    "outbox-age",
    "chain-failures",
    "override-rate-loan-approval",
)


def alarms(assembly: Assembly, environment: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Properties of every alarm of a deployment, by its stack."""
    for stack, _, resource in assembly.every(of=f"{environment}-"):
        if resource["Type"] == ALARM:
            yield stack, resource["Properties"]


def own(assembly: Assembly, environment: str) -> dict[str, dict[str, Any]]:
    """Alarms of the operations stack over Overread's metrics, by name without the deployment."""
    return {
        alarm["AlarmName"].removeprefix(f"overread-{environment}-"): alarm
        for stack, alarm in alarms(assembly, environment)
        if stack.endswith("-operations") and alarm["Namespace"] == "Overread"
    }


@pytest.mark.parametrize("environment", ["demo", "prod", "desk", "dev"])
def test_there_is_an_alarm_for_whatever_goes_wrong_in_silence(assembly: Assembly, environment: str) -> None:
    assert set(NEEDED) <= set(own(assembly, environment))


@pytest.mark.parametrize("environment", ["demo", "prod", "desk"])
def test_each_alarm_of_ours_looks_at_what_a_handler_writes(assembly: Assembly, environment: str) -> None:
    for alarm in own(assembly, environment).values():
        assert alarm["MetricName"] in WRITTEN
        dimensions = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
        assert dimensions.pop("Deployment") == f"overread-{environment}"
        assert set(dimensions) <= {"UseCase"}


@pytest.mark.parametrize("environment", ["demo", "prod", "desk"])
def test_each_alarm_says_what_silence_means_and_names_a_runbook_that_is_there(
    assembly: Assembly, environment: str
) -> None:
    found = [alarm for _, alarm in alarms(assembly, environment) if "AlarmActions" in alarm]
    assert found
    for alarm in found:
        assert alarm["TreatMissingData"] in ("ignore", "notBreaching", "breaching")
        (page,) = re.findall(r"docs/runbooks/([a-z-]+)\.md", alarm["AlarmDescription"])
        assert (REPOSITORY / "docs/runbooks" / f"{page}.md").is_file()


def test_an_alarm_rings_when_nothing_is_measured_any_more(assembly: Assembly) -> None:
    silent = [
        name for name, alarm in own(assembly, "demo").items() if alarm["TreatMissingData"] == "breaching"
    ]
    assert sorted(silent) == ["chain-failures", "unreconciled"]


def test_an_hourly_figure_stands_until_the_next_one(assembly: Assembly) -> None:
    """Five minutes after a fault was found there is no figure, and nothing is mended."""
    alarm = own(assembly, "demo")["chain-failures"]
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["Statistic"]) == (3600, 1, "Maximum")


@pytest.mark.parametrize("environment", ["demo", "prod", "desk"])
@pytest.mark.parametrize(
    ("kind", "namespace", "metric", "dimension"),
    [
        ("AWS::Lambda::Function", "AWS/Lambda", "Throttles", "FunctionName"),
        ("AWS::SQS::Queue", "AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName"),
        ("AWS::ApiGateway::Stage", "AWS/ApiGateway", "5XXError", "Stage"),
    ],
)
def test_every_queue_function_and_api_has_an_alarm_in_its_own_stack(
    assembly: Assembly, environment: str, kind: str, namespace: str, metric: str, dimension: str
) -> None:
    made = {
        (stack, name)
        for stack, name, resource in assembly.every(of=f"{environment}-")
        if resource["Type"] == kind
    }
    watched = {
        (stack, _resource_of(one["Value"]))
        for stack, alarm in alarms(assembly, environment)
        if (alarm["Namespace"], alarm["MetricName"]) == (namespace, metric)
        for one in alarm["Dimensions"]
        if one["Name"] == dimension
    }
    assert made
    assert watched == made


def _resource_of(value: dict[str, Any]) -> str:
    return str(value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0])


def test_names_of_alarms_tell_them_apart(assembly: Assembly) -> None:
    for environment in ("demo", "prod", "desk"):
        names = [alarm["AlarmName"] for _, alarm in alarms(assembly, environment)]
        assert len(names) == len(set(names))
        assert f"overread-{environment}-throttles-inference-Router-RoutePrediction" in names


def test_a_use_case_may_wait_as_long_as_its_reviewers_have_for_a_task(assembly: Assembly) -> None:
    thresholds = {
        name.removeprefix("oldest-pending-"): alarm["Threshold"]
        for name, alarm in own(assembly, "demo").items()
        if name.startswith("oldest-pending-")
    }
    assert thresholds == {"digit-reading": 900, "loan-approval": 1800, "tumor-screening": 1800}


def test_only_alarms_and_budgets_of_the_account_publish_to_the_topic(assembly: Assembly) -> None:
    policy = assembly.properties("prod-operations", "AWS::SNS::TopicPolicy")["PolicyDocument"]
    deny, allow = policy["Statement"]
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert allow["Principal"]["Service"] == ["budgets.amazonaws.com", "cloudwatch.amazonaws.com"]
    assert allow["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT["CDK_DEFAULT_ACCOUNT"]}}
    topic = assembly.properties("prod-operations", "AWS::SNS::Topic")
    assert topic["KmsMasterKeyId"]
    key = json.dumps(assembly.properties("prod-data", "AWS::KMS::Key", like="Operations")["KeyPolicy"])
    assert "cloudwatch.amazonaws.com" in key


def test_alarms_of_every_stack_go_to_the_topic(assembly: Assembly) -> None:
    told = {
        json.dumps(action)
        for _, alarm in alarms(assembly, "prod")
        for action in [*alarm.get("AlarmActions", []), *alarm.get("OKActions", [])]
    }
    (arn,) = told
    assert ":overread-prod-alarms" in arn


def test_the_dashboard_shows_what_is_written_and_nothing_else(assembly: Assembly) -> None:
    dashboard = assembly.properties("prod-operations", "AWS::CloudWatch::Dashboard")
    body = json.dumps(dashboard["DashboardBody"])
    shown = set(re.findall(r'\[\\"Overread\\",\\"([A-Za-z]+)\\"', body.replace('\\\\\\"', '\\"')))
    assert shown
    assert shown <= WRITTEN
    elsewhere = [
        alarm["AlarmName"] for _, alarm in alarms(assembly, "prod") if alarm["Namespace"] != "Overread"
    ]
    assert len(elsewhere) > 30
    assert [name for name in elsewhere if f":alarm:{name}\\" not in body] == []


@pytest.mark.parametrize("environment", ["demo", "prod", "desk"])
def test_everything_that_can_trace_does(assembly: Assembly, environment: str) -> None:
    resources = [resource for _, _, resource in assembly.every(of=f"{environment}-")]
    functions = [one["Properties"] for one in resources if one["Type"] == "AWS::Lambda::Function"]
    stages = [one["Properties"] for one in resources if one["Type"] == "AWS::ApiGateway::Stage"]
    assert functions
    assert stages
    assert all(function["TracingConfig"] == {"Mode": "Active"} for function in functions)
    assert all(stage["TracingEnabled"] is True for stage in stages)


@pytest.fixture(scope="module")
def told_elsewhere(project: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Templates by stack of the demo with an adopted topic, thresholds of its own and a budget."""
    settings = yaml.safe_load((project / "config" / "demo.yaml").read_text())
    settings["retention"]["audit_lock"]["mode"] = "off"  # which YAML 1.1 takes for a boolean
    settings["adopt"] = {"alarm_topic_arn": ADOPTED}
    settings["operations"] = {
        "pending_age_s": 7200,
        "outbox_age_s": 600,
        "override_rate": 0.25,
        "budget": {"monthly_usd": 500, "tag": "application"},
    }
    file = project / "config" / "told-elsewhere.yaml"
    file.write_text(yaml.safe_dump(settings))
    outdir = tmp_path_factory.mktemp("told-elsewhere")
    app = App(
        outdir=str(outdir),
        context={**FEATURE_FLAGS, "aws:cdk:bundling-stacks": []},
        analytics_reporting=False,
    )
    build_app(load_settings(file), environ=ACCOUNT, app=app)
    app.synth()
    return {
        path.name.removesuffix(".template.json").rpartition("-")[2]: json.loads(path.read_text())["Resources"]
        for path in outdir.glob("*.template.json")
    }


def test_an_adopted_topic_is_told_and_none_is_made(told_elsewhere: dict[str, dict[str, Any]]) -> None:
    resources = [one for stack in told_elsewhere.values() for one in stack.values()]
    assert not [one for one in resources if one["Type"].startswith("AWS::SNS")]
    found = [one["Properties"] for one in resources if one["Type"] == ALARM]
    actions = [alarm["AlarmActions"] for alarm in found if "AlarmActions" in alarm]
    assert len(actions) > 20
    assert all(action == [ADOPTED] for action in actions)


def test_thresholds_are_the_settings(told_elsewhere: dict[str, dict[str, Any]]) -> None:
    found = {
        one["Properties"]["AlarmName"].removeprefix("overread-demo-"): one["Properties"]["Threshold"]
        for one in told_elsewhere["operations"].values()
        if one["Type"] == ALARM
    }
    assert found["oldest-pending-digit-reading"] == 7200
    assert found["outbox-age"] == 600


def test_a_share_of_overrides_is_judged_once_a_day_has_cases_enough(
    told_elsewhere: dict[str, dict[str, Any]],
) -> None:
    """A quarter of ones: the value at three quarters of the way is a one, no longer a zero."""
    (alarm,) = (
        one["Properties"]
        for one in told_elsewhere["operations"].values()
        if "override-rate-digit-reading" in str(one["Properties"].get("AlarmName"))
    )
    assert (alarm["ExtendedStatistic"], alarm["Threshold"], alarm["Period"]) == ("p75", 0.5, 86_400)
    assert alarm["EvaluateLowSampleCountPercentile"] == "ignore"


def test_a_budget_is_of_the_deployments_own_costs_and_tells_the_topic(
    told_elsewhere: dict[str, dict[str, Any]], assembly: Assembly
) -> None:
    (budget,) = (
        one["Properties"]
        for one in told_elsewhere["operations"].values()
        if one["Type"] == "AWS::Budgets::Budget"
    )
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 500, "Unit": "USD"}
    # Notifications are replaced with their budget, which must not stand in the way of the next one.
    assert "BudgetName" not in budget["Budget"]
    assert budget["Budget"]["CostFilters"] == {"TagKeyValue": ["user:application$overread"]}
    notified = budget["NotificationsWithSubscribers"]
    assert [
        (one["Notification"]["NotificationType"], one["Notification"]["Threshold"]) for one in notified
    ] == [
        ("ACTUAL", 80),
        ("FORECASTED", 100),
    ]
    assert all(one["Subscribers"] == [{"Address": ADOPTED, "SubscriptionType": "SNS"}] for one in notified)
    assert not assembly.resources("prod-operations", "AWS::Budgets::Budget")


def test_the_page_has_every_alarm_with_its_runbook_and_what_silence_means(assembly: Assembly) -> None:
    page = (REPOSITORY / "docs/operations.md").read_text()
    rows = re.findall(
        r"^\| `([a-z-]+)(?:-\{[a-z ]+\})?` \|.*\| ([a-z ]+) \| \[([a-z-]+)\]", page, re.MULTILINE
    )
    silence = {"stays as it is": "ignore", "is over": "notBreaching", "rings": "breaching"}
    told = {(name, silence[missing], runbook) for name, missing, runbook in rows}
    use_cases = "|".join(sorted(("digit-reading", "loan-approval", "tumor-screening")))
    made = set()
    for _, alarm in alarms(assembly, "demo"):
        if "AlarmActions" not in alarm:
            continue
        name = alarm["AlarmName"].removeprefix("overread-demo-")
        name = re.sub(
            rf"-({use_cases})$|(?<=^dead-letters)-.*|(?<=^throttles)-.*|(?<=^server-errors)-.*", "", name
        )
        (runbook,) = re.findall(r"docs/runbooks/([a-z-]+)\.md", alarm["AlarmDescription"])
        made.add((name, alarm["TreatMissingData"], runbook))
    assert told == made
