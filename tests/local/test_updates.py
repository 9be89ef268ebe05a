"""A deployment that changes: a new template, a new threshold, and its end; open loops are never cut off."""

import json
import re
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from overread_cli.demo.cases import Case, load_cases
from overread_cli.demo.command import decision_api
from overread_cli.demo.deployment import client_settings, deploy, destroy
from overread_cli.demo.portal_client import PortalClient
from overread_client import Decision, Decisions
from overread_local.stack import LocalStack

ROOT = Path(__file__).parents[2]
PATIENCE_S = 90.0
MARK = "This page is the second edition."


@dataclass(frozen=True)
class Site:
    """A copy of the demo's configuration and templates, free to edit, and the stack it is deployed to."""

    folder: Path
    stack: LocalStack

    @property
    def config(self) -> Path:
        return self.folder / "config/demo.yaml"

    def deploy(self) -> Mapping[str, Mapping[str, str]]:
        self.stack.enforce_iam(False)
        outputs = deploy(
            root=ROOT,
            config=self.config,
            work_dir=self.folder / "work",
            environment=self.stack.environment(),
            report=lambda _line: None,
        )
        self.stack.enforce_iam(True)
        return outputs

    def destroy(self) -> None:
        self.stack.enforce_iam(False)
        destroy(root=ROOT, work_dir=self.folder / "work", environment=self.stack.environment())

    def client(self, service: str) -> Any:
        return boto3.client(service, **client_settings(self.stack.environment()))

    def flow_definitions(self, use_case: str) -> list[str]:
        found = self.client("sagemaker").list_flow_definitions()["FlowDefinitionSummaries"]
        names = [summary["FlowDefinitionName"] for summary in found]
        return [name for name in names if re.fullmatch(rf"overread-demo-{use_case}-[0-9a-f]{{8}}", name)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "config", folder / "config")
    shutil.copytree(ROOT / "templates", folder / "templates")
    (folder / "build").symlink_to(ROOT / "build")
    stack = LocalStack.start(
        state_dir=folder / "state", lambda_python=ROOT / ".venv-lambda/bin/python", status_lag_s=0.2
    )
    yield Site(folder=folder, stack=stack)
    stack.stop()


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path.name}"
    path.write_text(text.replace(old, new))


def loan() -> Case:
    case = load_cases(ROOT / "build/models", use_cases=["loan-approval"], each=1)[0]
    return Case(
        use_case=case.use_case, reference="", input={**case.input, "amount": 15_000}, truth=case.truth
    )


def ask(api: Decisions, case: Case) -> Decision:
    return api.decide(case.use_case, case.input, idempotency_key=uuid.uuid4().hex)


def claim(portal: PortalClient, decision: Decision) -> Mapping[str, Any]:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for task in portal.tasks():
            claimed = portal.claim(task["task_id"])
            if claimed is not None and claimed["input"]["decision_id"] == decision.decision_id:
                return claimed
        time.sleep(0.1)
    raise AssertionError(f"no task for {decision.decision_id}")


def await_final(api: Decisions, decision: Decision) -> Decision:
    deadline = time.monotonic() + PATIENCE_S
    while not decision.is_final:
        assert time.monotonic() < deadline, decision.document
        time.sleep(0.1)
        decision = api.get(decision.decision_id)
    return decision


def test_a_deployment_changes_and_ends_without_cutting_off_a_review(site: Site) -> None:
    api = decision_api(site.stack, outputs=site.deploy()["overread-demo-inference"])
    approve = json.loads((ROOT / "templates/loan-approval/expected-answer.json").read_text())
    with PortalClient(site.stack.portal_url, reviewer="ada") as ada:
        on_old = ask(api, loan())
        old_task = claim(ada, on_old)
        (old,) = site.flow_definitions("loan-approval")

        # A new edition of the page, and a threshold that no digit reaches.
        template = site.folder / "templates/loan-approval/template.liquid.html"
        replaced(template, "<crowd-form>", f"<crowd-form><p>{MARK}</p>")
        text = site.config.read_text()
        head, _, tail = text.partition("threshold: 0.95")
        site.config.write_text(f"{head}threshold: 1.0{tail.lstrip('0123456789')}")
        site.deploy()

        # The open loop finishes on the page it was opened with; its flow definition is still there.
        assert old in site.flow_definitions("loan-approval")
        assert MARK not in ada.page(old_task)
        assert ada.answer(old_task["task_id"], approve)
        assert await_final(api, on_old).document["outcome"]["source"] == "human"

        # A router keeps a policy for under a minute, during which cases still go to the old flow definition.
        # A change of its configuration makes AWS start new ones, which read the policy at once.
        site.client("lambda").update_function_configuration(
            FunctionName="overread-demo-route-prediction", MemorySize=1025
        )
        deadline = time.monotonic() + PATIENCE_S
        while policy_of(on_new := ask(api, loan())) == policy_of(on_old):
            assert time.monotonic() < deadline, "the routers never read the new policy"
            assert ada.answer(claim(ada, on_new)["task_id"], approve)
            time.sleep(3)
        new_task = claim(ada, on_new)
        assert MARK in ada.page(new_task)
        assert ask(api, sure_digit()).document["route"]["to"] == "human"

        # The end, once nobody has a task in hand.
        assert ada.answer(new_task["task_id"], approve)
        assert await_final(api, on_new).is_final
        for task in ada.tasks():
            claimed = ada.claim(task["task_id"])
            assert claimed is not None
            assert ada.answer(task["task_id"], {"decision": {"label": "0"}, "reason_code": "clear"})
    in_use = set(site.flow_definitions("loan-approval")) - {old}
    assert len(in_use) == 1
    site.destroy()
    left = site.client("cloudformation").list_stacks(
        StackStatusFilter=["CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_FAILED"]
    )
    names = {summary["StackName"] for summary in left["StackSummaries"]}
    assert not {name for name in names if name.startswith("overread-demo-")}
    assert not in_use & set(site.flow_definitions("loan-approval"))


def policy_of(decision: Decision) -> str:
    return str(decision.document["route"]["routing_policy"])


def sure_digit() -> Case:
    """A digit that the model is sure of; only a threshold that nothing reaches sends it to people."""
    return load_cases(ROOT / "build/models", use_cases=["digit-reading"], each=1)[0]
