"""The demo's deployment as the organization of config/regulated.yaml lays down, its boundary in force."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from tests.local.conftest import LAMBDA_PYTHON, ROOT
from tests.local.organized import organized

from overread_cli.demo.cases import load_cases
from overread_cli.demo.command import decision_api
from overread_cli.demo.deployment import client_settings, deploy
from overread_cli.demo.portal_client import PortalClient
from overread_client import Decision, Decisions
from overread_local.stack import LocalStack

PREFIX = "acme-ml-demo"
BOUNDARY = "arn:aws:iam::{account}:policy/acme/workload-boundary"
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Site:
    """What is deployed, and its API."""

    stack: LocalStack
    api: Decisions

    def client(self, service: str) -> Any:
        return boto3.client(service, **client_settings(self.stack.environment()))

    @property
    def boundary(self) -> str:
        return BOUNDARY.format(account=self.stack.record.account)

    def roles(self) -> list[dict[str, Any]]:
        """Every role of the deployment."""
        pages = self.client("iam").get_paginator("list_roles").paginate()
        return [role for page in pages for role in page["Roles"] if role["RoleName"].startswith(PREFIX)]

    def denied(self) -> list[dict[str, Any]]:
        """What was refused to the deployment's roles."""
        return [
            dict(check)
            for check in self.stack.access_checks()
            if not check["allowed"] and check["role"].rpartition("/")[2].startswith(PREFIX)
        ]

    def decide(self, *, reference: str) -> Decision:
        """A loan above the amount from which people decide, whatever the model says."""
        (case,) = load_cases(ROOT / "build/models", use_cases=["loan-approval"], each=1)
        document = {**case.input, "amount": 15_000}
        return self.api.decide("loan-approval", document, idempotency_key=reference, reference=reference)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("landing-zone")
    stack = LocalStack.start(
        state_dir=folder / "state", lambda_python=LAMBDA_PYTHON, status_lag_s=0.2, tied=True
    )
    stack.enforce_iam(True)
    try:
        outputs = deploy(
            root=ROOT,
            config=organized(
                ROOT / "config/demo.yaml", organization=ROOT / "config/regulated.yaml", folder=folder
            ),
            work_dir=folder / "work",
            environment=stack.environment(),
            report=lambda _line: None,
        )
        yield Site(stack, api=decision_api(stack, outputs=outputs[f"{PREFIX}-inference"]))
    finally:
        stack.stop()


def test_every_role_is_below_the_path_and_bounded(site: Site) -> None:
    roles = site.roles()
    assert len(roles) > 20
    assert {role["Path"] for role in roles} == {"/acme/ml/"}
    iam = site.client("iam")
    bounds = {
        iam.get_role(RoleName=role["RoleName"])["Role"]
        .get("PermissionsBoundary", {})
        .get("PermissionsBoundaryArn")
        for role in roles
    }
    assert bounds == {site.boundary}


def test_stacks_have_the_prefix_and_came_through_the_own_bootstrap(site: Site) -> None:
    stacks = {one["StackName"] for one in site.client("cloudformation").describe_stacks()["Stacks"]}
    assert {name for name in stacks if name != "CDKToolkit"} == {
        f"{PREFIX}-{name}" for name in ("network", "data", "review", "inference", "operations")
    }
    buckets = [one["Name"] for one in site.client("s3").list_buckets()["Buckets"]]
    assert [name.split("-")[1] for name in buckets if name.startswith("cdk-")] == ["acmeml01"]


def test_people_decide_within_the_boundary(site: Site) -> None:
    decision = site.decide(reference="within")
    assert not decision.is_final
    form = json.loads((ROOT / "templates/loan-approval/expected-answer.json").read_text())
    deadline = time.monotonic() + PATIENCE_S
    with PortalClient(site.stack.portal_url, reviewer="ada") as portal:
        while not decision.is_final:
            assert time.monotonic() < deadline, decision.document
            for task in portal.tasks():
                if portal.claim(task["task_id"]) is not None:
                    assert portal.answer(task["task_id"], form)
            decision = site.api.get(decision.decision_id)
            time.sleep(0.1)
    assert decision.document["outcome"]["source"] == "human"
    assert site.denied() == []


def test_what_the_boundary_takes_away_no_role_has(site: Site) -> None:
    statements = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "sagemaker:InvokeEndpoint", "Resource": "*"},
    ]
    site.client("iam").create_policy_version(
        PolicyArn=site.boundary,
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
        SetAsDefault=True,
    )
    site.decide(reference="without")  # by people: there is no prediction
    assert [check["action"] for check in site.denied()][:1] == ["sagemaker:InvokeEndpoint"]
