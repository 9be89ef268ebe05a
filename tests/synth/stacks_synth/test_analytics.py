"""The analytics stack: who may read what, tables without a crawler, every rule pack, an alarm for silence."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from aws_cdk import App, Environment
from tests.synth.stacks_synth.conftest import REPOSITORY

from overread.analytics import TABLES
from overread_config import AnalyticsSettings, load_settings
from overread_stacks.analytics_stack import AnalyticsStack
from overread_stacks.app_factory import FEATURE_FLAGS
from overread_stacks.checks import add_every_check
from overread_stacks.data_stack import DataStack
from overread_stacks.network_stack import NetworkStack
from overread_stacks.operations_stack import OperationsStack, watch

ENVIRONMENT = Environment(account="111122223333", region="eu-central-1")
Template = dict[str, Any]


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> tuple[Template, dict[str, Any]]:
    """The analytics stack's template, and what the rule packs found in it."""
    folder = tmp_path_factory.mktemp("analytics")
    # Without bundling: the template is what is looked at.
    app = App(
        outdir=str(folder),
        context={**FEATURE_FLAGS, "aws:cdk:bundling-stacks": []},
        analytics_reporting=False,
    )
    analytics = AnalyticsSettings(reason_codes=("income-unverified",), hour=4)
    settings = replace(load_settings(REPOSITORY / "config/prod.yaml"), analytics=analytics)
    network = NetworkStack(app, "net", settings=settings, env=ENVIRONMENT)
    data = DataStack(app, "data", settings=settings, env=ENVIRONMENT)
    stack = AnalyticsStack(
        app,
        "analytics",
        settings=settings,
        analytics=analytics,
        env=ENVIRONMENT,
        network=network,
        data=data,
    )
    operations = OperationsStack(
        app, "operations", settings=settings, env=ENVIRONMENT, network=network, data=data
    )
    watch(network, data, stack, operations, operations=operations, settings=settings)
    add_every_check(app, today=datetime.now(UTC).date())
    try:
        app.synth()
    except RuntimeError as error:  # the report says more
        if "ValidationFailed" not in str(error):
            raise
    report = json.loads((folder / "validation-report.json").read_text())
    return json.loads((folder / "analytics.template.json").read_text()), report


@pytest.fixture
def template(synthesized: tuple[Template, dict[str, Any]]) -> Template:
    return synthesized[0]


def of(template: Template, kind: str) -> list[dict[str, Any]]:
    return [one["Properties"] for one in template["Resources"].values() if one["Type"] == kind]


def test_no_finding_of_any_pack_is_left(synthesized: tuple[Template, dict[str, Any]]) -> None:
    left = [
        (finding["ruleName"], construct.get("constructPath"))
        for pack in synthesized[1]["pluginReports"]
        for finding in pack["violations"]
        for construct in finding["violatingConstructs"]
        if "analytics" in str(construct.get("constructPath"))
    ]
    assert left == [], "\n".join(map(str, left))


def test_each_table_has_its_columns_and_computed_partitions(template: Template) -> None:
    made = {one["TableInput"]["Name"]: one["TableInput"] for one in of(template, "AWS::Glue::Table")}
    assert set(made) == set(TABLES)
    for name, table in made.items():
        columns = {one["Name"]: one["Type"] for one in table["StorageDescriptor"]["Columns"]}
        assert columns == {column.name: str(column.kind) for column in TABLES[name].columns}
        assert [one["Name"] for one in table["PartitionKeys"]] == ["dt"]
        assert table["Parameters"]["projection.enabled"] == "true"
        place = json.dumps(table["Parameters"]["storage.location.template"])
        assert f"/tables/{name}/dt=${{dt}}/" in place
    assert not of(template, "AWS::Glue::Crawler")


def test_analysts_read_the_masked_tables_and_are_denied_the_decisions(template: Template) -> None:
    (policy,) = of(template, "AWS::IAM::ManagedPolicy")
    statements = policy["PolicyDocument"]["Statement"]
    allowed = {
        action
        for one in statements
        if one["Effect"] == "Allow"
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    }
    assert allowed == {
        "s3:GetObject",
        "s3:ListBucket",
        "kms:Decrypt",
        "glue:GetDatabase",
        "glue:GetPartitions",
        "glue:GetTable",
        "glue:GetTables",
    }
    (denial,) = (one for one in statements if one["Effect"] == "Deny")
    assert {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:BatchGetItem"} <= set(
        denial["Action"]
    )
    assert "Decisions" in json.dumps(denial["Resource"])
    (objects,) = (one for one in statements if one["Action"] == "s3:GetObject")
    assert "/tables/*" in json.dumps(objects["Resource"])


def test_the_export_reads_the_table_and_deletes_nothing(template: Template) -> None:
    actions = {
        action
        for policy in of(template, "AWS::IAM::Policy")
        for one in policy["PolicyDocument"]["Statement"]
        if one["Effect"] == "Allow"
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
        if action.startswith(("dynamodb:", "s3:", "secretsmanager:"))
    }
    assert actions == {
        "dynamodb:GetItem",
        "dynamodb:Query",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
        "secretsmanager:GetSecretValue",
    }


def test_it_runs_daily_and_silence_rings(template: Template) -> None:
    (rule,) = of(template, "AWS::Events::Rule")
    assert rule["ScheduleExpression"] == "cron(0 4 * * ? *)"
    (alarm,) = (
        one for one in of(template, "AWS::CloudWatch::Alarm") if one.get("MetricName") == "AnalyticsExports"
    )
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 30 * 3600
    assert alarm["ComparisonOperator"] == "LessThanThreshold"
    (function,) = (
        one for one in of(template, "AWS::Lambda::Function") if "export_analytics" in one["Handler"]
    )
    environment = function["Environment"]["Variables"]
    assert environment["OVERREAD_REASON_CODES"] == "income-unverified"


def test_tables_are_encrypted_with_the_data_key_and_kept(template: Template) -> None:
    (bucket,) = of(template, "AWS::S3::Bucket")
    rule = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert "DataKey" in json.dumps(rule)
    (kept,) = (one for one in template["Resources"].values() if one["Type"] == "AWS::S3::Bucket")
    assert kept["DeletionPolicy"] == "Retain"
