"""Task UIs, flow definitions, workforce, work teams and human loops through plain boto3."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.local.conftest import Clients

ROLE = "arn:aws:iam::000000000000:role/review"
TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <p>{{ task.input.question }}</p>
  <crowd-input name="answer" label="answer"></crowd-input>
</crowd-form>
"""


def refusal(call: Callable[..., Any], /, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**request)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def until(done: Callable[[], bool], *, timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def team(aws: Clients) -> str:
    """The ARN of a work team of the account's one workforce."""
    sagemaker = aws("sagemaker")
    cognito = {"UserPool": "us-east-1_AbCdEfGhI", "ClientId": "client"}
    sagemaker.create_workforce(WorkforceName="default", CognitoConfig=cognito)
    until(lambda: sagemaker.describe_workforce(WorkforceName="default")["Workforce"]["Status"] == "Active")
    member = {"CognitoMemberDefinition": {**cognito, "UserGroup": "reviewers"}}
    return str(
        sagemaker.create_workteam(
            WorkteamName="readers",
            WorkforceName="default",
            Description="second readers",
            MemberDefinitions=[member],
        )["WorkteamArn"]
    )


@pytest.fixture(scope="module")
def page(aws: Clients) -> str:
    """The ARN of a task UI."""
    return str(
        aws("sagemaker").create_human_task_ui(HumanTaskUiName="question", UiTemplate={"Content": TEMPLATE})[
            "HumanTaskUiArn"
        ]
    )


def definition(name: str, *, team: str, page: str, bucket: str = "answers", **config: Any) -> dict[str, Any]:
    return {
        "FlowDefinitionName": name,
        "RoleArn": ROLE,
        "OutputConfig": {"S3OutputPath": f"s3://{bucket}/reviews"},
        "HumanLoopConfig": {
            "WorkteamArn": team,
            "HumanTaskUiArn": page,
            "TaskTitle": "Read again",
            "TaskDescription": "Answer the question",
            "TaskCount": 1,
            **config,
        },
    }


@pytest.fixture(scope="module")
def flow(aws: Clients, team: str, page: str) -> str:
    """The ARN of an active flow definition."""
    aws("s3").create_bucket(Bucket="answers")
    sagemaker = aws("sagemaker")
    arn = sagemaker.create_flow_definition(**definition("reading", team=team, page=page))["FlowDefinitionArn"]
    until(lambda: status_of(aws, "reading") == "Active")
    return str(arn)


def status_of(aws: Clients, flow: str) -> str:
    return str(aws("sagemaker").describe_flow_definition(FlowDefinitionName=flow)["FlowDefinitionStatus"])


def test_there_is_one_workforce_in_an_account(aws: Clients, team: str) -> None:
    cognito = {"UserPool": "us-east-1_AbCdEfGhI", "ClientId": "client"}
    code, message = refusal(aws("sagemaker").create_workforce, WorkforceName="second", CognitoConfig=cognito)
    assert code == "ValidationException"
    assert message.startswith("Cannot create more than one workforce for account 000000000000.")
    assert [one["WorkforceName"] for one in aws("sagemaker").list_workforces()["Workforces"]] == ["default"]


def test_a_workforce_with_teams_cannot_be_deleted(aws: Clients, team: str) -> None:
    assert refusal(aws("sagemaker").delete_workforce, WorkforceName="default")[0] == "ResourceInUse"


def test_missing_teams_and_workforces_have_awss_odd_codes(aws: Clients) -> None:
    sagemaker = aws("sagemaker")
    code, message = refusal(sagemaker.describe_workteam, WorkteamName="nobody")
    assert (code, "The work team" in message) == ("ValidationException", True)
    code, message = refusal(sagemaker.describe_workforce, WorkforceName="nobody")
    assert (code, "No workforce" in message) == ("ValidationException", True)


def test_a_work_team_is_updated_in_place(aws: Clients, team: str) -> None:
    sagemaker = aws("sagemaker")
    sagemaker.update_workteam(WorkteamName="readers", Description="third readers")
    assert sagemaker.describe_workteam(WorkteamName="readers")["Workteam"]["Description"] == "third readers"


def test_a_task_ui_is_described_by_its_hash_and_never_by_its_text(aws: Clients, page: str) -> None:
    described = aws("sagemaker").describe_human_task_ui(HumanTaskUiName="question")
    assert set(described["UiTemplate"]) == {"Url", "ContentSha256"}
    assert described["HumanTaskUiStatus"] == "Active"


def test_taken_and_missing_task_uis(aws: Clients, page: str) -> None:
    sagemaker = aws("sagemaker")
    create = sagemaker.create_human_task_ui
    assert refusal(create, HumanTaskUiName="question", UiTemplate={"Content": "x"})[0] == "ResourceInUse"
    assert refusal(sagemaker.describe_human_task_ui, HumanTaskUiName="none")[0] == "ResourceNotFound"
    assert refusal(sagemaker.delete_human_task_ui, HumanTaskUiName="none")[0] == "ResourceNotFound"


def test_a_template_is_rendered_with_its_errors(aws: Clients) -> None:
    task = {"Input": json.dumps({"question": "is it?"})}
    sagemaker = aws("sagemaker")
    rendered = sagemaker.render_ui_template(UiTemplate={"Content": TEMPLATE}, Task=task, RoleArn=ROLE)
    assert "is it?" in rendered["RenderedContent"]
    assert rendered["Errors"] == []
    broken = sagemaker.render_ui_template(
        UiTemplate={"Content": "{% if %}<crowd-form></crowd-form>"}, Task=task, RoleArn=ROLE
    )
    assert broken["Errors"]


def test_a_flow_definition_becomes_active_after_a_moment(aws: Clients, team: str, page: str) -> None:
    aws("sagemaker").create_flow_definition(**definition("lagging", team=team, page=page))
    assert status_of(aws, "lagging") == "Initializing"
    until(lambda: status_of(aws, "lagging") == "Active")


def test_taken_missing_and_impossible_flow_definitions(aws: Clients, flow: str, team: str, page: str) -> None:
    sagemaker = aws("sagemaker")
    create = sagemaker.create_flow_definition
    assert refusal(create, **definition("reading", team=team, page=page, TaskCount=2))[0] == "ResourceInUse"
    assert (
        refusal(create, **definition("four", team=team, page=page, TaskCount=4))[0] == "ValidationException"
    )
    assert refusal(sagemaker.describe_flow_definition, FlowDefinitionName="none")[0] == "ResourceNotFound"
    assert refusal(sagemaker.delete_flow_definition, FlowDefinitionName="none")[0] == "ResourceNotFound"


def test_a_deleted_flow_definition_is_gone_after_a_moment(aws: Clients, team: str, page: str) -> None:
    sagemaker = aws("sagemaker")
    sagemaker.create_flow_definition(**definition("passing", team=team, page=page))
    until(lambda: status_of(aws, "passing") == "Active")
    sagemaker.delete_flow_definition(FlowDefinitionName="passing")
    listed = sagemaker.list_flow_definitions
    until(
        lambda: (
            "passing"
            not in {one["FlowDefinitionName"] for one in listed(MaxResults=100)["FlowDefinitionSummaries"]}
        )
    )


def start(aws: Clients, name: str, *, flow: str, question: str = "is it?") -> str:
    return str(
        aws("sagemaker-a2i-runtime").start_human_loop(
            HumanLoopName=name,
            FlowDefinitionArn=flow,
            HumanLoopInput={"InputContent": json.dumps({"question": question})},
        )["HumanLoopArn"]
    )


def test_starting_a_loop_twice_gives_one_loop_and_other_input_a_conflict(aws: Clients, flow: str) -> None:
    arn = start(aws, "twice", flow=flow)
    assert arn == "arn:aws:sagemaker:us-east-1:000000000000:human-loop/twice"
    assert start(aws, "twice", flow=flow) == arn
    with pytest.raises(ClientError) as conflict:
        start(aws, "twice", flow=flow, question="another?")
    assert conflict.value.response["Error"]["Code"] == "ConflictException"
    assert conflict.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409


def test_a_stopped_loop_can_be_deleted_once(aws: Clients, flow: str) -> None:
    a2i = aws("sagemaker-a2i-runtime")
    start(aws, "stopped", flow=flow)
    assert refusal(a2i.delete_human_loop, HumanLoopName="stopped")[0] == "ValidationException"
    a2i.stop_human_loop(HumanLoopName="stopped")
    until(lambda: a2i.describe_human_loop(HumanLoopName="stopped")["HumanLoopStatus"] == "Stopped")
    a2i.delete_human_loop(HumanLoopName="stopped")
    assert refusal(a2i.delete_human_loop, HumanLoopName="stopped")[0] == "ResourceNotFoundException"


def test_missing_loops_are_not_found_with_the_runtimes_own_code(aws: Clients) -> None:
    a2i = aws("sagemaker-a2i-runtime")
    assert refusal(a2i.describe_human_loop, HumanLoopName="none")[0] == "ResourceNotFoundException"
    assert refusal(a2i.stop_human_loop, HumanLoopName="none")[0] == "ResourceNotFoundException"


def test_loops_are_listed_by_flow_definition(aws: Clients, flow: str) -> None:
    start(aws, "listed", flow=flow)
    page = aws("sagemaker-a2i-runtime").list_human_loops(FlowDefinitionArn=flow, MaxResults=100)
    assert "listed" in {one["HumanLoopName"] for one in page["HumanLoopSummaries"]}


def test_input_that_is_no_object_is_refused(aws: Clients, flow: str) -> None:
    code, _ = refusal(
        aws("sagemaker-a2i-runtime").start_human_loop,
        HumanLoopName="no-object",
        FlowDefinitionArn=flow,
        HumanLoopInput={"InputContent": "[]"},
    )
    assert code == "ValidationException"
