"""What `overread plan` reckons with is what the templates make."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from tests.synth.stacks_synth.conftest import ACCOUNT, FILES, Assembly
from tests.synth.stacks_synth.test_accounts import ACCOUNTS
from tests.synth.stacks_synth.test_adoption import IN_VPC, KEYS, synthesised

from overread.planning.prices import PriceList
from overread.planning.review_plan import HOURS_A_MONTH, reading_of
from overread_cli.plan.deployment_plan import Assumptions, bill, demand_of
from overread_config import load_settings
from overread_stacks.app_factory import FEATURE_FLAGS, build_app

ASSUMED = Assumptions(100.0, HOURS_A_MONTH, 60.0, 0.8, 0.05)


def planned(file: Path) -> Mapping[str, float]:
    """Quantities of the bill by line."""
    settings = load_settings(file)
    readings = [reading_of(demand_of(use_case, ASSUMED)[0]) for use_case in settings.use_cases]
    lines = bill(settings, readings, [], PriceList("", "", {}), hourly_wage_usd=None)
    return {line.what: line.quantity for line in lines}


def made(resources: list[dict[str, Any]]) -> Counter[str]:
    """How many resources there are of a type; of interface endpoints one for each zone."""
    counts = Counter(one["Type"] for one in resources)
    for one in resources:
        if one["Type"] == "AWS::EC2::VPCEndpoint":
            counts["endpoints"] += len(one["Properties"].get("SubnetIds", ()))
    return counts


@pytest.mark.parametrize("environment", ["demo", "prod", "desk"])
def test_keys_endpoints_and_alarms_are_those_that_are_made(
    assembly: Assembly, project: Path, environment: str
) -> None:
    plan = planned(project / "config" / f"{FILES.get(environment, environment)}.yaml")
    found = made([resource for _, _, resource in assembly.every(of=f"{environment}-")])
    assert plan["keys"] == found["AWS::KMS::Key"]
    assert plan["interface endpoints"] == found["endpoints"] * HOURS_A_MONTH
    assert found["AWS::CloudWatch::Alarm"] <= plan["alarms"] <= found["AWS::CloudWatch::Alarm"] + 15


def test_what_is_adopted_costs_nothing(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    adopt = IN_VPC | {"keys": {"operations": KEYS["operations"]}}
    folder = tmp_path_factory.mktemp("planned")
    templates = synthesised(project, folder, adopt)
    found = made([one for stack in templates.values() for one in stack.get("Resources", {}).values()])
    plan = planned(project / "config" / f"{folder.name}.yaml")
    assert plan["keys"] == found["AWS::KMS::Key"] == 1
    assert plan["interface endpoints"] == found["endpoints"] * HOURS_A_MONTH


@pytest.mark.parametrize("base", ["regulated", "demo"])
def test_accounts_apart_have_keys_of_their_own(
    project: Path, tmp_path_factory: pytest.TempPathFactory, base: str
) -> None:
    file = project / "config" / f"{base}-planned.yaml"
    file.write_text((project / "config" / f"{base}.yaml").read_text() + ACCOUNTS)
    folder = tmp_path_factory.mktemp("planned-accounts")
    context = {**FEATURE_FLAGS, "aws:cdk:bundling-stacks": []}
    app = App(outdir=str(folder), context=context, analytics_reporting=False)
    build_app(load_settings(file), environ=ACCOUNT, app=app)
    app.synth()
    templates = [json.loads(path.read_text()) for path in folder.glob("*.template.json")]
    found = made([one for template in templates for one in template["Resources"].values()])
    plan = planned(file)
    assert plan["keys"] == found["AWS::KMS::Key"]
    assert plan["interface endpoints"] == found["endpoints"] * HOURS_A_MONTH
