"""The custom resources of workforce and work teams, from CloudFormation's request to its answer."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from overread_aws.provisioning import ProvisioningRefusedError
from overread_lambda.provide_review_resources import Services, respond

Event = Callable[..., dict[str, Any]]
NAMES = {"Workforce": "overread-test", "Workteam": "overread-test-readers"}


class Resources:
    """Workforces or teams in memory: each definition by its name."""

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self.kept: dict[str, dict[str, Any]] = {}
        self.error: Exception | None = None

    def create(self, definition: dict[str, Any]) -> str:
        return self._keep(definition)

    def change(self, definition: dict[str, Any]) -> str:
        assert definition[f"{self.noun}Name"] in self.kept
        return self._keep(definition)

    def delete(self, name: str) -> None:
        if self.error:
            raise self.error
        self.kept.pop(name, None)

    def _keep(self, definition: dict[str, Any]) -> str:
        if self.error:
            raise self.error
        name = definition[f"{self.noun}Name"]
        self.kept[name] = definition
        return f"arn:{name}"


@pytest.fixture(params=["Workforce", "Workteam"])
def resources(request: pytest.FixtureRequest) -> Resources:
    return Resources(request.param)


def request_of(
    event: Event, noun: str, kind: str = "Create", *, name: str = "", **more: Any
) -> dict[str, Any]:
    """CloudFormation's request about a workforce or team."""
    definition = {f"{noun}Name": name or NAMES[noun], **more}
    changes: dict[str, Any] = {
        "RequestType": kind,
        "ResourceType": f"Custom::Overread{noun}",
        "ResourceProperties": {"ServiceToken": "x", "Definition": json.dumps(definition)},
    }
    if kind != "Create":
        changes["PhysicalResourceId"] = NAMES[noun]
    return event("cloudformation-create", **changes)


def answer(resources: Resources, event: dict[str, Any]) -> dict[str, Any]:
    sent: list[dict[str, Any]] = []
    services = Services(flows=None, task_uis=None, workforces=resources, workteams=resources)  # type: ignore[arg-type]
    respond(
        event,
        make=lambda _budget: services,
        send=lambda _url, body: sent.append(json.loads(body)),
        remaining_s=300.0,
        monotonic=lambda: 100.0,
    )
    (given,) = sent
    return given


def test_creation_answers_with_name_and_arn(resources: Resources, event: Event) -> None:
    noun = resources.noun
    given = answer(resources, request_of(event, noun))
    assert (given["Status"], given["PhysicalResourceId"]) == ("SUCCESS", NAMES[noun])
    assert given["Data"] == {f"{noun}Arn": f"arn:{NAMES[noun]}", f"{noun}Name": NAMES[noun]}


def test_an_update_of_the_same_name_changes_in_place(resources: Resources, event: Event) -> None:
    answer(resources, request_of(event, resources.noun))
    given = answer(resources, request_of(event, resources.noun, "Update", Description="other"))
    assert (given["Status"], given["PhysicalResourceId"]) == ("SUCCESS", NAMES[resources.noun])
    assert resources.kept[NAMES[resources.noun]]["Description"] == "other"


def test_an_update_to_another_name_creates_and_leaves_the_old_one_to_cloudformation(
    resources: Resources, event: Event
) -> None:
    answer(resources, request_of(event, resources.noun))
    given = answer(resources, request_of(event, resources.noun, "Update", name="second"))
    assert (given["Status"], given["PhysicalResourceId"]) == ("SUCCESS", "second")
    assert set(resources.kept) == {NAMES[resources.noun], "second"}


def test_a_deletion_needs_no_definition(resources: Resources, event: Event) -> None:
    answer(resources, request_of(event, resources.noun))
    deletion = request_of(event, resources.noun, "Delete")
    del deletion["ResourceProperties"]["Definition"]
    given = answer(resources, deletion)
    assert (given["Status"], given["PhysicalResourceId"]) == ("SUCCESS", NAMES[resources.noun])
    assert resources.kept == {}


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_failed_creation_is_removed_by_the_rollback_only_when_it_is_ours(
    resources: Resources, event: Event, is_ours: bool
) -> None:
    name = NAMES[resources.noun]
    resources.kept[name] = {}
    resources.error = ProvisioningRefusedError("no", operation="Create", is_ours=is_ours)
    given = answer(resources, request_of(event, resources.noun))
    physical_id = name if is_ours else f"not-created:{name}"
    assert (given["Status"], given["Reason"], given["PhysicalResourceId"]) == ("FAILED", "no", physical_id)
    resources.error = None
    rollback = request_of(event, resources.noun, "Delete") | {"PhysicalResourceId": physical_id}
    assert answer(resources, rollback)["Status"] == "SUCCESS"
    assert (name in resources.kept) is not is_ours


@pytest.mark.parametrize("kind", ["Update", "Delete"])
def test_a_refusal_keeps_the_physical_id(resources: Resources, event: Event, kind: str) -> None:
    answer(resources, request_of(event, resources.noun))
    resources.error = ProvisioningRefusedError("in use", operation="x", is_ours=False)
    given = answer(resources, request_of(event, resources.noun, kind))
    assert (given["Status"], given["Reason"]) == ("FAILED", "in use")
    assert given["PhysicalResourceId"] == NAMES[resources.noun]


@pytest.mark.parametrize("definition", [None, "{", "[]", "{}"])
def test_a_definition_that_cannot_be_read_is_an_answer(
    resources: Resources, event: Event, definition: str | None
) -> None:
    request = request_of(event, resources.noun)
    request["ResourceProperties"]["Definition"] = definition
    given = answer(resources, request)
    assert given["Status"] == "FAILED"
    assert given["PhysicalResourceId"].startswith("not-created:")
