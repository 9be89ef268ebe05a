"""Task UIs: adopted when they were kept, refused when not ours, deleted when nobody shows them."""

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import Stubber

from overread.errors import PermanentError
from overread_aws.human_task_uis import HumanTaskUis
from overread_aws.provisioning import Patience, ProvisioningRefusedError
from overread_testing.aws_stubs import stubbed

NAME = "overread-test-loan-5e6f7a8b"
ACCOUNT = "arn:aws:sagemaker:eu-west-1:111122223333"
ARN = f"{ACCOUNT}:human-task-ui/{NAME}"
CONTENT = "<crowd-form>é</crowd-form>"
DIGEST = hashlib.sha256(CONTENT.encode()).digest()
FLOW = "overread-test-loan-1a2b3c4d"
OTHER_FLOW = "overread-test-loan-9f8e7d6c"


class Aws:
    """A script of SageMaker's replies and a clock that only sleeping moves."""

    def __init__(self, sagemaker: Any, script: Stubber) -> None:
        self.script = script
        self.slept_s = 0.0
        self.budget_s = 300.0
        patience = Patience(budget_s=lambda: self.budget_s - self.slept_s, sleep=self._sleep)
        self.task_uis = HumanTaskUis(sagemaker, patience=patience)

    def _sleep(self, seconds: float) -> None:
        self.slept_s += seconds

    def creates(self) -> None:
        request = {"HumanTaskUiName": NAME, "UiTemplate": {"Content": CONTENT}}
        self.script.add_response("create_human_task_ui", {"HumanTaskUiArn": ARN}, request)

    def describes(self, *, sha256: str = DIGEST.hex(), status: str = "Active") -> None:
        """The task UI is there."""
        reply = {
            "HumanTaskUiArn": ARN,
            "HumanTaskUiName": NAME,
            "HumanTaskUiStatus": status,
            "CreationTime": 0,
            "UiTemplate": {"Url": "https://example.com", "ContentSha256": sha256},
        }
        self.script.add_response("describe_human_task_ui", reply, {"HumanTaskUiName": NAME})

    def deletes(self) -> None:
        self.script.add_response("delete_human_task_ui", {}, {"HumanTaskUiName": NAME})

    def lists(self, *names: str, status: str = "Active", token: str = "", next_token: str = "") -> None:
        """One page of flow definitions."""
        summaries = [
            {
                "FlowDefinitionName": name,
                "FlowDefinitionArn": f"{ACCOUNT}:flow-definition/{name}",
                "FlowDefinitionStatus": status,
                "CreationTime": 0,
            }
            for name in names
        ]
        reply = {"FlowDefinitionSummaries": summaries, **({"NextToken": next_token} if next_token else {})}
        wanted = {"MaxResults": 100, **({"NextToken": token} if token else {})}
        self.script.add_response("list_flow_definitions", reply, wanted)

    def shows(self, name: str, arn: str = ARN) -> None:
        """The flow definition shows this task UI."""
        config = {
            "WorkteamArn": f"{ACCOUNT}:workteam/private-crowd/t",
            "HumanTaskUiArn": arn,
            "TaskTitle": "Loan",
            "TaskDescription": "Decide",
            "TaskCount": 1,
        }
        reply = {
            "FlowDefinitionArn": f"{ACCOUNT}:flow-definition/{name}",
            "FlowDefinitionName": name,
            "FlowDefinitionStatus": "Active",
            "CreationTime": 0,
            "HumanLoopConfig": config,
            "OutputConfig": {"S3OutputPath": "s3://outputs/reviews"},
            "RoleArn": "arn:aws:iam::111122223333:role/overread-test-flow",
        }
        self.script.add_response("describe_flow_definition", reply, {"FlowDefinitionName": name})

    def refuses(self, code: str, message: str = "", *, operation: str = "create_human_task_ui") -> None:
        """A call fails."""
        self.script.add_client_error(operation, code, message, http_status_code=400)


@pytest.fixture
def aws() -> Iterator[Aws]:
    with stubbed("sagemaker") as (sagemaker, script):
        yield Aws(sagemaker, script)


def refusal(aws: Aws) -> ProvisioningRefusedError:
    with pytest.raises(ProvisioningRefusedError) as caught:
        aws.task_uis.create(NAME, content=CONTENT)
    return caught.value


def test_a_new_task_ui_is_created(aws: Aws) -> None:
    aws.creates()
    assert aws.task_uis.create(NAME, content=CONTENT) == ARN


@pytest.mark.parametrize("sha256", [DIGEST.hex(), b64encode(DIGEST).decode()])
def test_one_that_was_kept_with_the_same_content_is_adopted(aws: Aws, sha256: str) -> None:
    aws.refuses("ResourceInUse", "exists")
    aws.describes(sha256=sha256)
    assert aws.task_uis.create(NAME, content=CONTENT) == ARN
    assert aws.slept_s == 0


def test_one_with_other_content_is_never_adopted(aws: Aws) -> None:
    aws.refuses("ResourceInUse", "exists")
    aws.describes(sha256="0" * 64)
    error = refusal(aws)
    assert error.message.startswith(f"the name {NAME} is in use by a task UI with another template")
    assert not error.is_ours


def test_one_whose_deletion_is_under_way_is_waited_for_and_made_anew(aws: Aws) -> None:
    aws.refuses("ResourceInUse", "exists")
    aws.describes(status="Deleting")
    aws.refuses("ResourceInUse", "exists")
    aws.refuses("ThrottlingException", operation="describe_human_task_ui")
    aws.creates()
    assert aws.task_uis.create(NAME, content=CONTENT) == ARN
    assert aws.slept_s == 0.5 + 1


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException"])
def test_throttling_and_a_policy_that_iam_does_not_know_yet_are_waited_out(aws: Aws, code: str) -> None:
    aws.refuses(code)
    aws.refuses(code)
    aws.creates()
    assert aws.task_uis.create(NAME, content=CONTENT) == ARN
    assert aws.slept_s == 0.5 + 1


def test_a_policy_that_never_allows_it_is_told_after_a_minute_and_a_half(aws: Aws) -> None:
    for _ in range(26):
        aws.refuses("AccessDeniedException", "User is not authorized")
    assert refusal(aws).message == f"{NAME}: AccessDeniedException: User is not authorized"
    assert aws.slept_s == 0.5 + 1 + 2 + 22 * 4


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [
        ("ValidationException", "bad Liquid", f"{NAME}: ValidationException: bad Liquid"),
        ("ResourceLimitExceeded", "100 task UIs", f"{NAME}: ResourceLimitExceeded: 100 task UIs"),
        ("AccessDeniedException", "closed to new customers", "Amazon A2I refuses this account"),
    ],
)
def test_any_other_refusal_is_passed_on_at_once(aws: Aws, code: str, message: str, reason: str) -> None:
    aws.refuses(code, message)
    assert refusal(aws).message.startswith(reason)
    assert aws.slept_s == 0


def test_endless_throttling_is_given_up_in_time(aws: Aws) -> None:
    aws.budget_s = 10
    for _ in range(5):
        aws.refuses("ThrottlingException", "slow down")
    assert refusal(aws).message == f"out of time: {NAME}: slow down"
    assert aws.slept_s < 10


def test_one_that_nobody_shows_is_deleted(aws: Aws) -> None:
    aws.describes()
    aws.lists(FLOW, "overread-test-loan-fast-1a2b3c4d", "somebody-elses", next_token="n")
    aws.shows(FLOW, f"{ACCOUNT}:human-task-ui/overread-test-loan-00000000")
    aws.lists(OTHER_FLOW, token="n")
    aws.refuses("ResourceNotFound", operation="describe_flow_definition")
    aws.deletes()
    assert aws.task_uis.delete(NAME, content=CONTENT) == ()
    aws.script.assert_no_pending_responses()


def test_one_that_a_flow_definition_shows_is_kept(aws: Aws) -> None:
    aws.describes()
    aws.lists(FLOW)
    aws.shows(FLOW)
    assert aws.task_uis.delete(NAME, content=CONTENT) == (FLOW,)
    assert aws.slept_s == 0


def test_flow_definitions_that_are_being_deleted_are_waited_for(aws: Aws) -> None:
    aws.describes()
    aws.lists(FLOW, status="Deleting")
    aws.shows(FLOW)
    aws.refuses("ThrottlingException", operation="list_flow_definitions")
    aws.lists()
    aws.deletes()
    assert aws.task_uis.delete(NAME, content=CONTENT) == ()
    assert aws.slept_s == 0.5 + 1
    aws.script.assert_no_pending_responses()


def test_one_whose_flow_definition_drains_for_longer_than_two_minutes_is_kept(aws: Aws) -> None:
    aws.describes()
    for _ in range(34):
        aws.lists(FLOW, status="Deleting")
        aws.shows(FLOW)
    assert aws.task_uis.delete(NAME, content=CONTENT) == (FLOW,)
    assert aws.slept_s == 0.5 + 1 + 2 + 30 * 4
    aws.script.assert_no_pending_responses()


def test_when_nobody_can_tell_who_shows_it_the_deletion_fails(aws: Aws) -> None:
    aws.budget_s = 5
    aws.describes()
    for _ in range(4):
        aws.refuses("ThrottlingException", operation="list_flow_definitions")
    with pytest.raises(ProvisioningRefusedError, match="out of time: flow definitions cannot be listed"):
        aws.task_uis.delete(NAME, content=CONTENT)


def test_one_that_is_gone_going_or_not_ours_is_left_alone(aws: Aws) -> None:
    aws.refuses("ResourceNotFound", operation="describe_human_task_ui")
    assert aws.task_uis.delete(NAME, content=CONTENT) == ()
    aws.describes(status="Deleting")
    assert aws.task_uis.delete(NAME, content=CONTENT) == ()
    aws.describes(sha256="0" * 64)
    assert aws.task_uis.delete(NAME, content=CONTENT) == ()


def test_a_throttled_deletion_is_repeated_and_a_refused_one_told(aws: Aws) -> None:
    aws.describes()
    aws.lists()
    aws.refuses("ThrottlingException", operation="delete_human_task_ui")
    aws.deletes()
    assert aws.task_uis.delete(NAME, content=CONTENT) == ()
    aws.describes()
    aws.lists()
    aws.refuses("ValidationException", "no", operation="delete_human_task_ui")
    with pytest.raises(PermanentError, match="ValidationException: no"):
        aws.task_uis.delete(NAME, content=CONTENT)
