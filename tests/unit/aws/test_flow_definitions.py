"""Flow definitions: created until active, deleted with care, patience only where it helps."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import Stubber

from overread.errors import PermanentError
from overread_aws.flow_definitions import FlowDefinitions
from overread_aws.provisioning import Patience, ProvisioningRefusedError
from overread_testing.aws_stubs import stubbed

NAME = "overread-test-loan-1a2b3c4d"
ARN = f"arn:aws:sagemaker:eu-west-1:111122223333:flow-definition/{NAME}"
DEFINITION = {
    "FlowDefinitionName": NAME,
    "RoleArn": "arn:aws:iam::111122223333:role/overread-test-flow",
    "HumanLoopConfig": {
        "WorkteamArn": "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/t",
        "HumanTaskUiArn": "arn:aws:sagemaker:eu-west-1:111122223333:human-task-ui/u",
        "TaskTitle": "Loan",
        "TaskDescription": "Decide a loan",
        "TaskCount": 1,
    },
    "OutputConfig": {"S3OutputPath": "s3://outputs/reviews/"},
    "Tags": [{"Key": "a", "Value": "b"}],
}


class Aws:
    """Both scripts and a clock that only sleeping moves."""

    def __init__(self, sagemaker: Any, a2i: Any, script: Stubber, loops: Stubber) -> None:
        self.script = script
        self.loops = loops
        self.slept_s = 0.0
        self.budget_s = 120.0
        patience = Patience(budget_s=lambda: self.budget_s - self.slept_s, sleep=self._sleep)
        self.flows = FlowDefinitions(sagemaker, a2i, patience=patience)

    def _sleep(self, seconds: float) -> None:
        self.slept_s += seconds

    def describes(self, status: str, *, times: int = 1, **changes: Any) -> None:
        """The flow definition is there."""
        wanted = {key: value for key, value in DEFINITION.items() if key != "Tags"}
        defaults = {"TaskAvailabilityLifetimeInSeconds": 864000}
        reply = {
            **wanted,
            "HumanLoopConfig": {**DEFINITION["HumanLoopConfig"], **defaults},  # type: ignore[dict-item]
            "FlowDefinitionArn": ARN,
            "FlowDefinitionStatus": status,
            "CreationTime": 0,
            **changes,
        }
        for _ in range(times):
            self.script.add_response("describe_flow_definition", reply, {"FlowDefinitionName": NAME})

    def is_missing(self) -> None:
        """There is no such flow definition."""
        self.script.add_client_error("describe_flow_definition", "ResourceNotFound", http_status_code=400)

    def accepts(self) -> None:
        """CreateFlowDefinition succeeds."""
        self.script.add_response("create_flow_definition", {"FlowDefinitionArn": ARN}, DEFINITION)

    def refuses(self, code: str, message: str = "", *, operation: str = "create_flow_definition") -> None:
        """A call fails."""
        self.script.add_client_error(operation, code, message, http_status_code=400)


@pytest.fixture
def aws() -> Iterator[Aws]:
    with stubbed("sagemaker") as (sagemaker, script), stubbed("sagemaker-a2i-runtime") as (a2i, loops):
        yield Aws(sagemaker, a2i, script, loops)


def refusal(aws: Aws) -> ProvisioningRefusedError:
    with pytest.raises(ProvisioningRefusedError) as caught:
        aws.flows.create(DEFINITION)
    return caught.value


def test_creation_waits_until_the_flow_definition_is_active(aws: Aws) -> None:
    aws.is_missing()
    aws.accepts()
    aws.describes("Initializing", times=3)
    aws.describes("Active")
    assert aws.flows.create(DEFINITION) == ARN
    assert aws.slept_s == 0.5 + 1 + 2


def test_a_new_one_that_cannot_be_seen_yet_is_waited_for(aws: Aws) -> None:
    aws.is_missing()
    aws.accepts()
    aws.is_missing()
    aws.refuses("ThrottlingException", operation="describe_flow_definition")
    aws.describes("Active")
    assert aws.flows.create(DEFINITION) == ARN


def test_a_failed_one_passes_awss_reason_on_and_is_ours_to_remove(aws: Aws) -> None:
    aws.is_missing()
    aws.accepts()
    aws.describes("Failed", FailureReason="the role cannot write to the bucket")
    error = refusal(aws)
    assert error.message == f"{NAME} failed: the role cannot write to the bucket"
    assert error.is_ours


def test_throttling_is_waited_out(aws: Aws) -> None:
    aws.is_missing()
    aws.refuses("ThrottlingException")
    aws.refuses("ThrottlingException")
    aws.accepts()
    aws.describes("Active")
    assert aws.flows.create(DEFINITION) == ARN


def test_a_policy_that_is_not_known_everywhere_yet_is_waited_for(aws: Aws) -> None:
    aws.refuses("AccessDeniedException", operation="describe_flow_definition")
    aws.is_missing()
    aws.accepts()
    aws.describes("Active")
    assert aws.flows.create(DEFINITION) == ARN


def test_a_missing_permission_is_told_after_a_minute_and_a_half(aws: Aws) -> None:
    for _ in range(26):
        aws.refuses("AccessDeniedException", operation="describe_flow_definition")
    with pytest.raises(PermanentError, match="AccessDeniedException"):
        aws.flows.create(DEFINITION)
    assert 90 <= aws.slept_s < 100


@pytest.mark.parametrize(
    "message",
    [
        "SageMaker could not assume the role",
        "The provided Role arn:aws:iam::1:role/x is not valid",
        "not authorized to perform s3:PutObject",
    ],
)
def test_a_role_that_is_not_known_everywhere_yet_is_waited_for(aws: Aws, message: str) -> None:
    aws.is_missing()
    aws.refuses("ValidationException", message)
    aws.accepts()
    aws.describes("Active")
    assert aws.flows.create(DEFINITION) == ARN


def test_a_role_that_never_works_is_refused_with_awss_words_after_a_minute_and_a_half(aws: Aws) -> None:
    aws.is_missing()
    for _ in range(26):
        aws.refuses("ValidationException", "SageMaker could not assume the role")
    error = refusal(aws)
    assert "ValidationException: SageMaker could not assume the role" in error.message
    assert aws.slept_s == 0.5 + 1 + 2 + 22 * 4
    assert not error.is_ours


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ValidationException", "TaskKeywords is invalid"),
        ("ResourceLimitExceeded", "the account-level limit of 100 flow definitions"),
        ("AccessDeniedException", "User is not authorized to perform: sagemaker:CreateFlowDefinition"),
    ],
)
def test_any_other_refusal_is_passed_on_at_once(aws: Aws, code: str, message: str) -> None:
    aws.is_missing()
    aws.refuses(code, message)
    error = refusal(aws)
    assert error.message == f"{NAME}: {code}: {message}"
    assert (aws.slept_s, error.is_ours) == (0, False)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ValidationException", "Amazon A2I is no longer available to new customers"),
        ("AccessDeniedException", "Your account is not an existing customer of this service"),
    ],
)
def test_a_refused_account_is_told_clearly_what_to_do(aws: Aws, code: str, message: str) -> None:
    aws.is_missing()
    aws.refuses(code, message)
    error = refusal(aws)
    assert error.message.startswith(
        "Amazon A2I refuses this account: the service is closed to new customers."
    )
    assert "review.backend overread" in error.message
    assert error.message.endswith(message)


def test_the_same_one_made_by_an_earlier_try_will_do(aws: Aws) -> None:
    aws.describes("Initializing")
    aws.refuses("ResourceInUse", "exists")
    aws.describes("Initializing", times=2)
    aws.describes("Active")
    assert aws.flows.create(DEFINITION) == ARN


def test_another_one_under_the_same_name_is_never_adopted(aws: Aws) -> None:
    aws.describes("Active")
    aws.refuses("ResourceInUse", "exists")
    aws.describes("Active", RoleArn="arn:aws:iam::111122223333:role/stranger")
    error = refusal(aws)
    assert error.message == f"the name {NAME} is in use by another flow definition"
    assert not error.is_ours


def test_a_name_whose_deletion_goes_on_is_waited_for(aws: Aws) -> None:
    aws.describes("Deleting", times=2)
    aws.is_missing()
    aws.accepts()
    aws.describes("Active")
    assert aws.flows.create(DEFINITION) == ARN


def test_one_that_never_becomes_active_is_given_up_in_time(aws: Aws) -> None:
    aws.budget_s = 10
    aws.is_missing()
    aws.accepts()
    aws.describes("Initializing", times=5)
    error = refusal(aws)
    assert error.message == f"out of time: {NAME} is Initializing"
    assert error.is_ours
    assert aws.slept_s < 10


def list_page(aws: Aws, statuses: list[str], token: str = "", next_token: str = "") -> None:
    summaries = [
        {"HumanLoopName": f"h-{i}", "HumanLoopStatus": status, "CreationTime": 0, "FlowDefinitionArn": ARN}
        for i, status in enumerate(statuses)
    ]
    wanted = {"FlowDefinitionArn": ARN, "MaxResults": 100, **({"NextToken": token} if token else {})}
    reply: dict[str, Any] = {"HumanLoopSummaries": summaries}
    aws.loops.add_response(
        "list_human_loops", {**reply, **({"NextToken": next_token} if next_token else {})}, wanted
    )


def test_one_without_open_loops_is_deleted(aws: Aws) -> None:
    aws.describes("Active")
    list_page(aws, ["Completed", "Failed"], next_token="n")
    list_page(aws, ["Stopped"], token="n")
    aws.script.add_response("delete_flow_definition", {}, {"FlowDefinitionName": NAME})
    aws.flows.delete(NAME, drain=False)


def test_one_with_open_loops_is_refused_with_their_number_and_advice(aws: Aws) -> None:
    aws.describes("Active")
    list_page(aws, ["Completed", "InProgress"], next_token="n")
    list_page(aws, ["Stopping"], token="n")
    with pytest.raises(ProvisioningRefusedError) as caught:
        aws.flows.delete(NAME, drain=False)
    assert caught.value.message.startswith(f"{NAME} has 2 open human loops: let reviewers finish")
    assert "OnDelete to drain" in caught.value.message


def test_draining_does_not_ask(aws: Aws) -> None:
    aws.describes("Active")
    aws.script.add_response("delete_flow_definition", {}, {"FlowDefinitionName": NAME})
    aws.flows.delete(NAME, drain=True)


def test_one_that_is_gone_or_going_needs_no_deletion(aws: Aws) -> None:
    aws.is_missing()
    aws.flows.delete(NAME, drain=False)
    aws.describes("Deleting")
    aws.flows.delete(NAME, drain=False)
    aws.describes("Active")
    aws.refuses("ResourceNotFound", operation="delete_flow_definition")
    aws.flows.delete(NAME, drain=True)


def test_a_throttled_deletion_is_repeated_and_a_refused_one_told(aws: Aws) -> None:
    aws.describes("Active")
    aws.refuses("ThrottlingException", operation="delete_flow_definition")
    aws.script.add_response("delete_flow_definition", {}, {"FlowDefinitionName": NAME})
    aws.flows.delete(NAME, drain=True)
    aws.describes("Active")
    aws.refuses("ResourceInUse", "in use", operation="delete_flow_definition")
    with pytest.raises(PermanentError, match="ResourceInUse: in use"):
        aws.flows.delete(NAME, drain=True)


def test_the_arn_of_one_that_is_missing_is_empty(aws: Aws) -> None:
    aws.is_missing()
    assert aws.flows.arn_of(NAME) == ""
    aws.describes("Active")
    assert aws.flows.arn_of(NAME) == ARN
