"""Task UIs as a custom resource: made or adopted, kept while they are shown, gone with their stack."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from overread_aws.provisioning import ProvisioningRefusedError
from overread_lambda.provide_review_resources import Services, respond

Event = Callable[..., dict[str, Any]]
NAME = "overread-test-loan-5e6f7a8b"
ARN = f"arn:aws:sagemaker:eu-west-1:111122223333:human-task-ui/{NAME}"


class TaskUis:
    """Task UIs in memory, with users that keep them and an error to raise at the next call."""

    def __init__(self) -> None:
        self.contents: dict[str, str] = {}
        self.users: tuple[str, ...] = ()
        self.error: Exception | None = None

    def create(self, name: str, *, content: str) -> str:
        self._fail()
        self.contents[name] = content
        return ARN.replace(NAME, name)

    def delete(self, name: str, *, content: str) -> tuple[str, ...]:
        self._fail()
        if not self.users:
            assert self.contents.pop(name) == content
        return self.users

    def _fail(self) -> None:
        if self.error:
            raise self.error


@pytest.fixture
def task_uis() -> TaskUis:
    return TaskUis()


def answer(task_uis: TaskUis, event: dict[str, Any]) -> dict[str, Any]:
    """The one answer that CloudFormation got; flow definitions are out of reach."""
    sent: list[dict[str, Any]] = []
    respond(
        event,
        make=lambda _: Services(flows=None, task_uis=task_uis, workforces=None, workteams=None),  # type: ignore[arg-type]
        send=lambda _, body: sent.append(json.loads(body)),
        remaining_s=300.0,
        monotonic=lambda: 100.0,
    )
    (one,) = sent
    return one


def deletion(event: dict[str, Any], *, name: str = NAME) -> dict[str, Any]:
    return {**event, "RequestType": "Delete", "PhysicalResourceId": name}


def test_creation_answers_with_name_and_arn(task_uis: TaskUis, event: Event) -> None:
    got = answer(task_uis, event("cloudformation-create-task-ui"))
    assert (got["Status"], got["PhysicalResourceId"]) == ("SUCCESS", NAME)
    assert got["Data"] == {"HumanTaskUiArn": ARN, "HumanTaskUiName": NAME}
    assert task_uis.contents == {NAME: "<crowd-form>é</crowd-form>"}


def test_another_template_is_another_task_ui_beside_the_old_one(task_uis: TaskUis, event: Event) -> None:
    task_uis.contents["overread-test-loan-00000000"] = "old"
    created = event("cloudformation-create-task-ui")
    got = answer(
        task_uis,
        {**created, "RequestType": "Update", "PhysicalResourceId": "overread-test-loan-00000000"},
    )
    assert (got["Status"], got["PhysicalResourceId"]) == ("SUCCESS", NAME)
    assert set(task_uis.contents) == {NAME, "overread-test-loan-00000000"}


def test_a_template_that_was_changed_on_its_way_is_not_deployed(task_uis: TaskUis, event: Event) -> None:
    created = event("cloudformation-create-task-ui")
    created["ResourceProperties"]["Content"] = "<crowd-form>?</crowd-form>"
    got = answer(task_uis, created)
    assert (got["Status"], got["PhysicalResourceId"]) == ("FAILED", f"not-created:{NAME}")
    assert "did not arrive as it was synthesised" in got["Reason"]
    assert task_uis.contents == {}


def test_a_refused_creation_says_why_and_its_rollback_deletes_nothing(
    task_uis: TaskUis, event: Event
) -> None:
    created = event("cloudformation-create-task-ui")
    task_uis.error = ProvisioningRefusedError("taken", operation="CreateHumanTaskUi", is_ours=False)
    got = answer(task_uis, created)
    assert (got["Status"], got["Reason"]) == ("FAILED", "taken")
    assert got["PhysicalResourceId"] == f"not-created:{NAME}"
    assert answer(task_uis, deletion(created, name=got["PhysicalResourceId"]))["Status"] == "SUCCESS"


def test_a_call_that_breaks_leaves_the_name_for_the_rollback(task_uis: TaskUis, event: Event) -> None:
    task_uis.error = RuntimeError("bug")
    got = answer(task_uis, event("cloudformation-create-task-ui"))
    assert (got["Status"], got["PhysicalResourceId"]) == ("FAILED", NAME)


def test_a_deletion_deletes(task_uis: TaskUis, event: Event) -> None:
    created = event("cloudformation-create-task-ui")
    answer(task_uis, created)
    assert answer(task_uis, deletion(created))["Status"] == "SUCCESS"
    assert task_uis.contents == {}


def test_a_task_ui_that_is_still_shown_is_kept_and_the_log_names_who_shows_it(
    task_uis: TaskUis, event: Event, capsys: pytest.CaptureFixture[str]
) -> None:
    created = event("cloudformation-create-task-ui")
    answer(task_uis, created)
    task_uis.users = ("overread-test-loan-1a2b3c4d",)
    got = answer(task_uis, deletion(created))
    assert (got["Status"], got["PhysicalResourceId"]) == ("SUCCESS", NAME)
    assert NAME in task_uis.contents
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (kept,) = [line for line in lines if line["message"] == "task UI kept for its flow definitions"]
    assert (kept["task_ui"], kept["flow_definitions"]) == (NAME, list(task_uis.users))


def test_a_deletion_that_cannot_be_done_fails_with_the_reason(task_uis: TaskUis, event: Event) -> None:
    created = event("cloudformation-create-task-ui")
    task_uis.error = ProvisioningRefusedError("slow", operation="DeleteHumanTaskUi", is_ours=True)
    got = answer(task_uis, deletion(created))
    assert (got["Status"], got["Reason"], got["PhysicalResourceId"]) == ("FAILED", "slow", NAME)


def test_a_resource_type_of_somebody_else_is_refused(task_uis: TaskUis, event: Event) -> None:
    got = answer(task_uis, event("cloudformation-create-task-ui", ResourceType="Custom::Other"))
    assert got["Status"] == "FAILED"
    assert "Custom::OverreadWorkteam, got Custom::Other" in got["Reason"]
    assert got["PhysicalResourceId"].startswith("not-created:")
