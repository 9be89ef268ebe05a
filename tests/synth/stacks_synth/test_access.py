"""Least privilege both ways: what was called is allowed, what is allowed was called or has a reason."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from dataclasses import astuple, replace
from fnmatch import fnmatchcase
from typing import TypeVar

import pytest
import yaml
from tests.local.recorded_access import RECORDS, read_record
from tests.synth.stacks_synth.conftest import ACCOUNT, STACKS, Assembly

from overread_testing.access import Call, Grant, Stacks, denied, is_used, shared_names

Named = TypeVar("Named", Grant, Call)
RECORDED = ("demo", "desk")
"""The deployments that the local suite calls."""
COLUMNS = ("role", "effect", "action", "resource", "condition")


def stacks_of(assembly: Assembly, environment: str) -> Stacks:
    return Stacks(
        {name: assembly.templates[f"overread-{environment}-{name}"] for name in STACKS},
        account=ACCOUNT["CDK_DEFAULT_ACCOUNT"],
        region=ACCOUNT["CDK_DEFAULT_REGION"],
    )


def anywhere(one: Named, environment: str) -> Named:
    """The same of any deployment: what one of them uses is of use."""
    prefix = f"overread-{environment}"
    return replace(
        one,
        role=one.role.replace(prefix, "{deployment}"),
        resource=one.resource.replace(prefix, "{deployment}"),
    )


def reasons() -> list[dict[str, str]]:
    return list(yaml.safe_load((RECORDS / "reasons.yaml").read_text()))


def excuses(reason: dict[str, str], grant: Grant) -> bool:
    """Whether a reason is for this grant: shell patterns over role, action and resource."""
    return all(
        any(fnmatchcase(value, pattern) for pattern in re.split(r"\s*\|\s*", reason.get(name, "*")))
        for name, value in (("role", grant.role), ("action", grant.action), ("resource", grant.resource))
    )


@pytest.mark.parametrize("environment", RECORDED)
def test_every_recorded_call_is_allowed_by_the_synthesized_policies(
    environment: str, assembly: Assembly
) -> None:
    calls = sorted(read_record(environment))
    assert len(calls) > 100
    assert denied(calls, stacks_of(assembly, environment)) == []


def test_every_grant_is_used_or_has_a_reason(assembly: Assembly) -> None:
    calls = sorted(
        {anywhere(call, environment) for environment in RECORDED for call in read_record(environment)}
    )
    granted = {
        anywhere(grant, environment)
        for environment in RECORDED
        for grant in stacks_of(assembly, environment).grants()
        if grant.effect == "Allow"
    }
    unused = sorted(grant for grant in granted if not is_used(grant, calls))
    written = reasons()
    without = [grant for grant in unused if not any(excuses(reason, grant) for reason in written)]
    assert without == [], f"{len(without)} grants that no run used have no reason in {RECORDS}/reasons.yaml"
    idle = [reason for reason in written if not any(excuses(reason, grant) for grant in unused)]
    assert idle == [], "reasons for grants that are used, or gone"


@pytest.mark.parametrize("environment", ["demo", "desk", "prod"])
def test_the_access_matrix_is_as_reviewed(environment: str, assembly: Assembly) -> None:
    file = RECORDS / f"matrix-{environment}.csv"
    text = matrix(stacks_of(assembly, environment))
    if os.environ.get("UPDATE_GOLDEN") == "1":
        file.write_text(text, encoding="utf-8", newline="")
    reviewed = file.read_bytes().decode() if file.is_file() else ""
    assert text == reviewed, "read the difference; if it is meant: UPDATE_GOLDEN=1 pytest " + __file__


def matrix(stacks: Stacks) -> str:
    """Role, effect, action, resource, condition: a line each."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(astuple(grant) for grant in sorted(stacks.grants()))
    return text.getvalue()


def test_a_missing_grant_and_an_idle_one_are_found() -> None:
    role = {"Type": "AWS::IAM::Role", "Properties": {}}
    statement = {"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:GetQueueUrl"], "Resource": "*"}
    policy = {
        "Type": "AWS::IAM::Policy",
        "Properties": {"Roles": [{"Ref": "Sender0A1B2C3D"}], "PolicyDocument": {"Statement": [statement]}},
    }
    stacks = Stacks(
        {"data": {"Resources": {"Sender0A1B2C3D": role, "May": policy}}}, account="1" * 12, region="eu-west-1"
    )
    sent = Call("{data.Sender}", "sqs:SendMessage", "arn:aws:sqs:{region}:{account}:q", "{}")
    got = Call("{data.Sender}", "sqs:ReceiveMessage", "arn:aws:sqs:{region}:{account}:q", "{}")
    assert denied([sent, got], stacks) == [got]
    assert [grant.action for grant in sorted(stacks.grants()) if not is_used(grant, [sent])] == [
        "sqs:GetQueueUrl"
    ]


def test_names_of_a_run_become_shared_ones() -> None:
    table = {"Type": "AWS::DynamoDB::Table", "Properties": {}}
    stacks = Stacks({"data": {"Resources": {"Rows0A1B2C3D": table}}}, account="1" * 12, region="eu-west-1")
    physical = {("data", "Rows0A1B2C3D"): "x-data-Rows0A1B2C3D-77FF"}

    def shared(text: str) -> str:
        return shared_names(text, stacks=stacks, physical=physical)

    assert (
        shared("arn:aws:dynamodb:eu-west-1:111111111111:table/x-data-Rows0A1B2C3D-77FF/index/open")
        == "arn:aws:dynamodb:{region}:{account}:table/{data.Rows}/index/open"
    )
    assert shared("human-loop/h-4f7x2k9qab3c5d7e-g12-b") == "human-loop/h-00000000"
    assert shared("flow-definition/digits-1a2b3c4d") == "flow-definition/digits-00000000"


@pytest.mark.parametrize("environment", ["demo", "prod"])
def test_the_organization_can_forbid_everybody_but_the_router_to_predict(
    environment: str, assembly: Assembly
) -> None:
    stacks = stacks_of(assembly, environment)
    outputs = assembly.templates[f"overread-{environment}-inference"]["Outputs"]
    policy = json.loads(stacks.text(outputs["ServiceControlPolicy"]["Value"], stack="inference"))
    (statement,) = policy["Statement"]
    invoking = {grant for grant in stacks.grants() if grant.action.startswith("sagemaker:InvokeEndpoint")}
    assert {grant.resource for grant in invoking} == set(statement["Resource"])
    assert {f"arn:aws:iam::{{account}}:role/{grant.role}" for grant in invoking} == set(
        statement["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
    )
    assert statement["Effect"] == "Deny"
    assert len(json.dumps(policy)) < 5120, "what a service control policy may have"
