"""What roles of a deployment were checked for while it was tested, kept beside the synthesis tests."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from overread_local.state import ACCOUNT, REGION
from overread_testing.access import Call, Stacks, shared_names

if TYPE_CHECKING:
    from tests.local.conftest import Deployment

STACKS = ("network", "data", "review", "inference", "operations")
RECORDS = Path(__file__).parents[1] / "synth/stacks_synth/access"
PLANTED = "PlantedByTest"
"""The Sid of statements by which tests take something away."""
GIVEN_BY_TESTS = "secret:webhook-key"
_CONDITIONS = ("events:", "iam:", "sagemaker:")
"""Condition keys that our policies look at; those of DynamoDB and S3 here are of no policy."""


def hold_against_record(deployment: Deployment) -> None:
    """Fails on a denied call of a deployed function.

    `UPDATE_ACCESS=1 make test TESTS=tests/local` adds to the record what is new.
    """
    stacks, physical = _templates(deployment), _physical_ids(deployment)
    name, checks = deployment.environment, deployment.stack.access_checks()
    found = [
        (_call(check, stacks=stacks, physical=physical), check["allowed"])
        for check in checks
        if check["denied_by"] != PLANTED
    ]
    ours = {role for role, _ in stacks.statements()}
    functions = stacks.roles_of_functions()
    denied = sorted(call for call, is_allowed in found if call.role in functions and not is_allowed)
    if denied:
        pytest.fail(f"roles of the deployment were denied: {denied}")
    seen = {
        call
        for call, is_allowed in found
        if call.role in ours and is_allowed and GIVEN_BY_TESTS not in call.resource
    }
    if os.environ.get("UPDATE_ACCESS") == "1":
        calls = sorted(read_record(name) | seen)
        lines = [json.dumps([call.role, call.action, call.resource, call.context]) for call in calls]
        (RECORDS / f"{name}.jsonl").write_text("\n".join(lines) + "\n")


def _templates(deployment: Deployment) -> Stacks:
    assembly = deployment.work_dir / "cdk.out"
    found = {
        name: json.loads((assembly / f"{deployment.prefix}-{name}.template.json").read_text())
        for name in STACKS
    }
    return Stacks(found, account=ACCOUNT, region=REGION)


def _physical_ids(deployment: Deployment) -> dict[tuple[str, str], str]:
    pages = deployment.client("cloudformation").get_paginator("list_stack_resources")
    return {
        (name, one["LogicalResourceId"]): one["PhysicalResourceId"]
        for name in STACKS
        for page in pages.paginate(StackName=f"{deployment.prefix}-{name}")
        for one in page["StackResourceSummaries"]
    }


def read_record(name: str) -> set[Call]:
    """The calls that were recorded of a deployment."""
    file = RECORDS / f"{name}.jsonl"
    return {Call(*json.loads(line)) for line in file.read_text().splitlines()} if file.is_file() else set()


def _call(check: Mapping[str, Any], *, stacks: Stacks, physical: Mapping[tuple[str, str], str]) -> Call:
    def shared(text: str) -> str:
        return shared_names(text, stacks=stacks, physical=physical)

    context = {name: value for name, value in check["context"].items() if name.startswith(_CONDITIONS)}
    return Call(
        role=shared(check["role"].rpartition("/")[2]),
        action=check["action"],
        resource=shared(check["resource"]),
        context=shared(json.dumps(context, sort_keys=True)),
    )
