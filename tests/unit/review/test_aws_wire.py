"""Plain boto3 against the façade: every call, its success and each error that AWS models for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from overread_review.service.model import ResourceKind
from overread_testing.review_fakes import ADA, TEMPLATE

ROLE = "arn:aws:iam::111122223333:role/flow"
COGNITO = {"UserPool": "eu-west-1_AbCdEf123", "ClientId": "client"}
MEMBERS = [{"CognitoMemberDefinition": {**COGNITO, "UserGroup": "reviewers"}}]
TEAM_ARN = "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/team"
UI_ARN = "arn:aws:sagemaker:eu-west-1:111122223333:human-task-ui/ui"
FLOW_ARN = "arn:aws:sagemaker:eu-west-1:111122223333:flow-definition/flow"


def config(**changes: Any) -> dict[str, Any]:
    base = {
        "WorkteamArn": TEAM_ARN,
        "HumanTaskUiArn": UI_ARN,
        "TaskTitle": "Review a loan",
        "TaskDescription": "Approve or decline",
        "TaskCount": 1,
    }
    return {key: value for key, value in (base | changes).items() if value is not None}


def create_flow(served_lab: Any, name: str = "flow", **changes: Any) -> str:
    arn: str = served_lab.sagemaker.create_flow_definition(
        FlowDefinitionName=name,
        RoleArn=ROLE,
        OutputConfig={"S3OutputPath": "s3://outputs/reviews/"},
        HumanLoopConfig=config(**changes),
    )["FlowDefinitionArn"]
    served_lab.lab.clock.advance(1)
    return arn


def start(served_lab: Any, name: str = "loop-1", **content: Any) -> str:
    arn: str = served_lab.runtime.start_human_loop(
        HumanLoopName=name,
        FlowDefinitionArn=FLOW_ARN,
        HumanLoopInput={"InputContent": json.dumps(content)},
    )["HumanLoopArn"]
    return arn


def refused(call: Callable[..., Any], **params: Any) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response
    return error["Error"]["Code"], error["Error"]["Message"], error["ResponseMetadata"]["HTTPStatusCode"]


# Task UIs


def test_a_task_ui_lives_from_active_over_deleting_to_gone(served_lab: Any) -> None:
    sagemaker = served_lab.sagemaker
    found = sagemaker.describe_human_task_ui(HumanTaskUiName="ui")
    assert found["HumanTaskUiArn"] == UI_ARN
    assert found["HumanTaskUiStatus"] == "Active"
    assert found["UiTemplate"]["ContentSha256"] == hashlib.sha256(TEMPLATE.encode()).hexdigest()
    assert found["UiTemplate"]["Url"].startswith("https://")
    sagemaker.delete_human_task_ui(HumanTaskUiName="ui")
    assert sagemaker.describe_human_task_ui(HumanTaskUiName="ui")["HumanTaskUiStatus"] == "Deleting"
    served_lab.lab.clock.advance(0.5)
    assert refused(sagemaker.describe_human_task_ui, HumanTaskUiName="ui")[0] == "ResourceNotFound"


def test_errors_of_task_uis(served_lab: Any) -> None:
    sagemaker = served_lab.sagemaker
    content = {"Content": TEMPLATE}
    assert (
        refused(sagemaker.create_human_task_ui, HumanTaskUiName="ui", UiTemplate=content)[0]
        == "ResourceInUse"
    )
    assert refused(sagemaker.describe_human_task_ui, HumanTaskUiName="nope")[0] == "ResourceNotFound"
    assert refused(sagemaker.delete_human_task_ui, HumanTaskUiName="nope")[0] == "ResourceNotFound"
    code, message, status = refused(
        sagemaker.create_human_task_ui,
        HumanTaskUiName="bad",
        UiTemplate={"Content": "<crowd-form>\n{% if %}</crowd-form>"},
    )
    assert (code, status) == ("ValidationException", 400)
    assert "bad:2:" in message
    code, message, _ = refused(
        sagemaker.create_human_task_ui, HumanTaskUiName="Upper_Case", UiTemplate={"Content": "x" * 128_001}
    )
    assert code == "ValidationException"
    assert message.startswith("2 validation errors detected")
    assert "Member must satisfy regular expression pattern: [a-z0-9](-*[a-z0-9])*" in message
    assert "Member must have length less than or equal to 128000" in message


def test_task_uis_are_limited_to_100(served_lab: Any) -> None:
    for number in range(99):
        served_lab.sagemaker.create_human_task_ui(
            HumanTaskUiName=f"ui-{number}", UiTemplate={"Content": TEMPLATE}
        )
    code, _, _ = refused(
        served_lab.sagemaker.create_human_task_ui, HumanTaskUiName="more", UiTemplate={"Content": TEMPLATE}
    )
    assert code == "ResourceLimitExceeded"


def test_task_uis_are_listed_in_pages(served_lab: Any) -> None:
    for number in range(5):
        served_lab.lab.clock.advance(1)
        served_lab.sagemaker.create_human_task_ui(
            HumanTaskUiName=f"ui-{number}", UiTemplate={"Content": TEMPLATE}
        )
    pages = served_lab.sagemaker.get_paginator("list_human_task_uis").paginate(
        SortOrder="Ascending", PaginationConfig={"PageSize": 2}
    )
    names = [[one["HumanTaskUiName"] for one in page["HumanTaskUiSummaries"]] for page in pages]
    assert names == [["ui", "ui-0"], ["ui-1", "ui-2"], ["ui-3", "ui-4"]]
    assert refused(served_lab.sagemaker.list_human_task_uis, NextToken="junk")[0] == "ValidationException"


def test_render_gives_the_page_or_its_errors(served_lab: Any) -> None:
    render = served_lab.sagemaker.render_ui_template
    task = {"Input": json.dumps({"note": "<b> & s3", "u": "s3://inputs/a.png"})}
    inline = {"Content": "<p>{{ task.input.note }} {{ task.input.u | grant_read_access }}</p>"}
    reply = render(UiTemplate=inline, Task=task, RoleArn=ROLE)
    assert reply["RenderedContent"] == (
        "<p>&lt;b&gt; &amp; s3 https://objects.example/inputs/a.png?expires=900</p>"
    )
    assert reply["Errors"] == []
    assert "&lt;b&gt;" in render(HumanTaskUiArn=UI_ARN, Task=task, RoleArn=ROLE)["RenderedContent"]
    broken = render(UiTemplate={"Content": "{{ a | nope }}"}, Task=task, RoleArn=ROLE)
    assert [error["Code"] for error in broken["Errors"]] == ["TemplateError"]
    malformed = render(UiTemplate=inline, Task={"Input": "{x"}, RoleArn=ROLE)
    assert [error["Code"] for error in malformed["Errors"]] == ["InvalidTaskInput"]
    assert refused(render, Task=task, RoleArn=ROLE)[0] == "ValidationException"
    missing = UI_ARN.replace("/ui", "/nope")
    assert refused(render, HumanTaskUiArn=missing, Task=task, RoleArn=ROLE)[0] == "ResourceNotFound"


# Flow definitions


def test_a_flow_definition_is_initializing_before_it_is_active(served_lab: Any) -> None:
    served_lab.sagemaker.create_flow_definition(
        FlowDefinitionName="flow",
        RoleArn=ROLE,
        OutputConfig={"S3OutputPath": "s3://outputs/reviews/", "KmsKeyId": "alias/outputs"},
        HumanLoopConfig=config(TaskKeywords=["loans"], TaskTimeLimitInSeconds=60),
        Tags=[{"Key": "team", "Value": "loans"}],
    )
    describe = served_lab.sagemaker.describe_flow_definition
    assert describe(FlowDefinitionName="flow")["FlowDefinitionStatus"] == "Initializing"
    served_lab.lab.clock.advance(0.5)
    found = describe(FlowDefinitionName="flow")
    assert found["FlowDefinitionStatus"] == "Active"
    assert found["FlowDefinitionArn"] == FLOW_ARN
    assert found["HumanLoopConfig"] == config(TaskKeywords=["loans"], TaskTimeLimitInSeconds=60)
    assert found["OutputConfig"] == {"S3OutputPath": "s3://outputs/reviews/", "KmsKeyId": "alias/outputs"}
    assert served_lab.sagemaker.list_tags(ResourceArn=FLOW_ARN)["Tags"] == [{"Key": "team", "Value": "loans"}]
    (summary,) = served_lab.sagemaker.list_flow_definitions()["FlowDefinitionSummaries"]
    assert (summary["FlowDefinitionName"], summary["FlowDefinitionStatus"]) == ("flow", "Active")
    served_lab.sagemaker.delete_flow_definition(FlowDefinitionName="flow")
    assert describe(FlowDefinitionName="flow")["FlowDefinitionStatus"] == "Deleting"
    served_lab.lab.clock.advance(0.5)
    assert refused(describe, FlowDefinitionName="flow")[0] == "ResourceNotFound"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"HumanTaskUiArn": UI_ARN.replace("/ui", "/nope")}, "does not exist"),
        ({"HumanTaskUiArn": UI_ARN.replace("111122223333", "999999999999")}, "this account and region"),
        ({"WorkteamArn": TEAM_ARN.replace("/team", "/nope")}, "The work team"),
        ({"WorkteamArn": TEAM_ARN.replace("eu-west-1", "us-east-1")}, "this account and region"),
        (
            {"TaskTimeLimitInSeconds": 28_801},
            "TaskTimeLimitInSeconds must be 30 to 28,800 seconds, got 28801",
        ),
        ({"TaskAvailabilityLifetimeInSeconds": 864_001}, "TaskAvailabilityLifetimeInSeconds must be"),
        (
            {"WorkteamArn": "arn:aws:sagemaker:eu-west-1:394669845002:workteam/public-crowd/default"},
            "PublicWorkforceTaskPrice must be given",
        ),
    ],
)
def test_rules_of_flow_definitions_beyond_the_model(
    served_lab: Any, changes: dict[str, Any], message: str
) -> None:
    code, text, status = refused(lambda: create_flow(served_lab, **changes))
    assert (code, status) == ("ValidationException", 400)
    assert message in text
    assert served_lab.sagemaker.list_flow_definitions()["FlowDefinitionSummaries"] == []


def test_prices_of_the_public_workforce_come_from_the_ladder(served_lab: Any) -> None:
    arn = "arn:aws:sagemaker:eu-west-1:394669845002:workteam/public-crowd/default"

    def price(tenths: int) -> dict[str, Any]:
        return {"AmountInUsd": {"Dollars": 0, "Cents": 3, "TenthFractionsOfACent": tenths}}

    code, text, _ = refused(
        lambda: create_flow(served_lab, WorkteamArn=arn, PublicWorkforceTaskPrice=price(5))
    )
    assert (code, "0.035" in text) == ("ValidationException", True)
    create_flow(served_lab, WorkteamArn=arn, PublicWorkforceTaskPrice=price(6))
    start(served_lab)
    found = served_lab.runtime.describe_human_loop(HumanLoopName="loop-1")
    assert (found["HumanLoopStatus"], found["FailureCode"]) == ("Failed", "ValidationError")


def test_request_source_and_activation_go_together(served_lab: Any) -> None:
    create = served_lab.sagemaker.create_flow_definition
    base = {
        "FlowDefinitionName": "flow",
        "RoleArn": ROLE,
        "OutputConfig": {"S3OutputPath": "s3://outputs/"},
        "HumanLoopConfig": config(),
    }
    source = {"AwsManagedHumanLoopRequestSource": "AWS/Textract/AnalyzeDocument/Forms/V1"}
    code, text, _ = refused(create, **base, HumanLoopRequestSource=source)
    assert (code, "given together" in text) == ("ValidationException", True)
    conditions = {"HumanLoopActivationConditionsConfig": {"HumanLoopActivationConditions": "{"}}
    code, text, _ = refused(
        create, **base, HumanLoopRequestSource=source, HumanLoopActivationConfig=conditions
    )
    assert (code, "not JSON" in text) == ("ValidationException", True)


def test_errors_of_flow_definitions(served_lab: Any) -> None:
    create_flow(served_lab)
    assert refused(lambda: create_flow(served_lab))[0] == "ResourceInUse"
    assert (
        refused(served_lab.sagemaker.describe_flow_definition, FlowDefinitionName="x")[0]
        == "ResourceNotFound"
    )
    assert (
        refused(served_lab.sagemaker.delete_flow_definition, FlowDefinitionName="x")[0] == "ResourceNotFound"
    )


# Workforces and work teams


def test_a_workforce_from_initializing_to_gone(served_lab: Any) -> None:
    sagemaker, clock = served_lab.sagemaker, served_lab.lab.clock
    code, message, _ = refused(sagemaker.delete_workforce, WorkforceName="default")
    assert (code, "team" in message) == ("ResourceInUse", True)
    assert sagemaker.delete_workteam(WorkteamName="team")["Success"] is True
    sagemaker.delete_workforce(WorkforceName="default")
    assert sagemaker.describe_workforce(WorkforceName="default")["Workforce"]["Status"] == "Deleting"
    clock.advance(1)
    code, message, _ = refused(sagemaker.describe_workforce, WorkforceName="default")
    assert (code, "No workforce" in message) == ("ValidationException", True)
    oidc = {
        "ClientId": "c",
        "ClientSecret": "very-secret",
        **dict.fromkeys(
            (
                "Issuer",
                "AuthorizationEndpoint",
                "TokenEndpoint",
                "UserInfoEndpoint",
                "LogoutEndpoint",
                "JwksUri",
            ),
            "https://idp.example/x",
        ),
    }
    sagemaker.create_workforce(WorkforceName="Company-1", OidcConfig=oidc)
    found = sagemaker.describe_workforce(WorkforceName="Company-1")["Workforce"]
    assert found["Status"] == "Initializing"
    assert "ClientSecret" not in found["OidcConfig"]
    clock.advance(1)
    updated = sagemaker.update_workforce(WorkforceName="Company-1", SourceIpConfig={"Cidrs": ["10.0.0.0/8"]})[
        "Workforce"
    ]
    assert (updated["Status"], updated["SourceIpConfig"]) == ("Updating", {"Cidrs": ["10.0.0.0/8"]})
    sagemaker.create_workteam(
        WorkteamName="vetted",
        WorkforceName="Company-1",
        Description="Vetted",
        MemberDefinitions=[{"OidcMemberDefinition": {"Groups": ["reviewers"]}}],
    )
    assert refused(sagemaker.update_workforce, WorkforceName="Company-1", OidcConfig=oidc)[0] == (
        "ConflictException"
    )


def test_there_is_one_workforce_to_an_account(served_lab: Any) -> None:
    code, message, _ = refused(
        served_lab.sagemaker.create_workforce, WorkforceName="second", CognitoConfig=COGNITO
    )
    assert code == "ValidationException"
    assert message == (
        "Cannot create more than one workforce for account 111122223333. If you are trying to update "
        "existing workforce, please use UpdateWorkforce API"
    )
    (only,) = served_lab.sagemaker.list_workforces()["Workforces"]
    assert only["WorkforceArn"] == "arn:aws:sagemaker:eu-west-1:111122223333:workforce/default"


def test_a_work_team_is_created_described_updated_listed(served_lab: Any) -> None:
    sagemaker = served_lab.sagemaker
    arn = sagemaker.create_workteam(
        WorkteamName="Second", Description="Two", MemberDefinitions=MEMBERS, Tags=[{"Key": "a", "Value": "b"}]
    )["WorkteamArn"]
    assert arn == "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/Second"
    updated = sagemaker.update_workteam(
        WorkteamName="Second", MemberDefinitions=MEMBERS, Description="Changed"
    )["Workteam"]
    assert updated["Description"] == "Changed"
    found = sagemaker.describe_workteam(WorkteamName="Second")["Workteam"]
    assert found["MemberDefinitions"] == MEMBERS
    assert found["WorkforceArn"].endswith("workforce/default")
    assert [t["WorkteamName"] for t in sagemaker.list_workteams(SortBy="Name")["Workteams"]] == [
        "Second",
        "team",
    ]
    assert [t["WorkteamName"] for t in sagemaker.list_workteams(NameContains="ea")["Workteams"]] == ["team"]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([{"OidcMemberDefinition": {"Groups": ["g"]}}], "uses Cognito"),
        ([*MEMBERS, {"OidcMemberDefinition": {"Groups": ["g"]}}], "cannot be mixed"),
        ([{**MEMBERS[0], "OidcMemberDefinition": {"Groups": ["g"]}}], "exactly one of"),
        (
            [{"CognitoMemberDefinition": {**COGNITO, "ClientId": "other", "UserGroup": "g"}}],
            "must be those of the workforce",
        ),
    ],
)
def test_members_must_fit_the_workforce(served_lab: Any, members: list[Any], message: str) -> None:
    code, text, _ = refused(
        served_lab.sagemaker.create_workteam, WorkteamName="x", Description="x", MemberDefinitions=members
    )
    assert (code, message in text) == ("ValidationException", True)


def test_errors_of_work_teams(served_lab: Any) -> None:
    sagemaker = served_lab.sagemaker
    new = {"Description": "x", "MemberDefinitions": MEMBERS}
    assert refused(sagemaker.create_workteam, WorkteamName="team", **new)[0] == "ResourceInUse"
    code, message, _ = refused(sagemaker.describe_workteam, WorkteamName="nope")
    assert (code, "The work team" in message) == ("ValidationException", True)
    assert refused(sagemaker.delete_workteam, WorkteamName="nope")[0] == "ValidationException"
    code, message, _ = refused(sagemaker.create_workteam, WorkteamName="x", WorkforceName="nope", **new)
    assert (code, "No workforce" in message) == ("ValidationException", True)
    for number in range(24):
        sagemaker.create_workteam(WorkteamName=f"team-{number}", **new)
    assert refused(sagemaker.create_workteam, WorkteamName="more", **new)[0] == "ResourceLimitExceeded"


# Tags


def test_tags_are_added_listed_and_removed(served_lab: Any) -> None:
    sagemaker = served_lab.sagemaker
    for arn in (UI_ARN, TEAM_ARN, create_flow(served_lab)):
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}])
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}])
        assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [
            {"Key": "a", "Value": "2"},
            {"Key": "b", "Value": ""},
        ]
        sagemaker.delete_tags(ResourceArn=arn, TagKeys=["a"])
        assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": ""}]


def test_errors_of_tags(served_lab: Any) -> None:
    sagemaker = served_lab.sagemaker
    workforce = "arn:aws:sagemaker:eu-west-1:111122223333:workforce/default"
    code, message, _ = refused(sagemaker.list_tags, ResourceArn=workforce)
    assert (code, message) == ("ValidationException", "Invalid resource type: workforce")
    assert refused(sagemaker.list_tags, ResourceArn=UI_ARN + "x")[0] == "ValidationException"
    many = [{"Key": str(number), "Value": ""} for number in range(51)]
    assert refused(sagemaker.add_tags, ResourceArn=UI_ARN, Tags=many)[0] == "ValidationException"
    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    assert refused(sagemaker.add_tags, ResourceArn=UI_ARN, Tags=twice)[0] == "ValidationException"


# Human loops


def test_a_loop_from_start_to_output(served_lab: Any) -> None:
    create_flow(served_lab)
    assert start(served_lab, note="n") == "arn:aws:sagemaker:eu-west-1:111122223333:human-loop/loop-1"
    assert start(served_lab, note="n").endswith("/loop-1")
    found = served_lab.runtime.describe_human_loop(HumanLoopName="loop-1")
    assert (found["HumanLoopStatus"], found["FlowDefinitionArn"]) == ("InProgress", FLOW_ARN)
    tasks = served_lab.lab.service.tasks
    tasks.claim("loop-1", reviewer=ADA)
    tasks.answer("loop-1", reviewer=ADA, content={"decision": {"label": "approve"}})
    found = served_lab.runtime.describe_human_loop(HumanLoopName="loop-1")
    assert found["HumanLoopStatus"] == "Completed"
    assert found["HumanLoopOutput"]["OutputS3Uri"] in served_lab.lab.documents.outputs
    served_lab.runtime.delete_human_loop(HumanLoopName="loop-1")
    assert refused(served_lab.runtime.delete_human_loop, HumanLoopName="loop-1")[::2] == (
        "ResourceNotFoundException",
        404,
    )


def test_stopping_a_loop(served_lab: Any) -> None:
    create_flow(served_lab)
    start(served_lab, "untouched")
    start(served_lab, "begun")
    served_lab.lab.service.tasks.claim("begun", reviewer=ADA)
    describe = served_lab.runtime.describe_human_loop
    for name, status in (("untouched", "Stopped"), ("begun", "Stopping")):
        served_lab.runtime.stop_human_loop(HumanLoopName=name)
        assert describe(HumanLoopName=name)["HumanLoopStatus"] == status
    served_lab.lab.service.tasks.answer("begun", reviewer=ADA, content={})
    assert describe(HumanLoopName="begun")["HumanLoopStatus"] == "Completed"
    assert refused(served_lab.runtime.stop_human_loop, HumanLoopName="begun")[::2] == (
        "ValidationException",
        400,
    )


def test_loops_are_listed_by_time_in_pages(served_lab: Any) -> None:
    create_flow(served_lab)
    begin = served_lab.lab.clock.now
    for number in range(5):
        served_lab.lab.clock.advance(1)
        start(served_lab, f"loop-{number}")
    pages = served_lab.runtime.get_paginator("list_human_loops").paginate(
        FlowDefinitionArn=FLOW_ARN, SortOrder="Ascending", PaginationConfig={"PageSize": 2}
    )
    names = [[loop["HumanLoopName"] for loop in page["HumanLoopSummaries"]] for page in pages]
    assert names == [["loop-0", "loop-1"], ["loop-2", "loop-3"], ["loop-4"]]
    middle = served_lab.runtime.list_human_loops(
        FlowDefinitionArn=FLOW_ARN,
        CreationTimeAfter=begin + timedelta(seconds=1),
        CreationTimeBefore=begin + timedelta(seconds=4),
    )
    assert [loop["HumanLoopName"] for loop in middle["HumanLoopSummaries"]] == ["loop-2", "loop-1"]


def test_errors_of_human_loops(served_lab: Any) -> None:
    create_flow(served_lab)
    start(served_lab, a=1)
    runtime = served_lab.runtime
    code, message, status = refused(lambda: start(served_lab, a=2))
    assert (code, status) == ("ConflictException", 409)
    assert "same name as another active human loop but has different input data" in message
    assert refused(runtime.describe_human_loop, HumanLoopName="nope")[::2] == (
        "ResourceNotFoundException",
        404,
    )
    assert refused(runtime.stop_human_loop, HumanLoopName="nope")[::2] == ("ResourceNotFoundException", 404)
    assert refused(runtime.delete_human_loop, HumanLoopName="loop-1")[::2] == ("ValidationException", 400)
    assert refused(runtime.list_human_loops, FlowDefinitionArn=FLOW_ARN + "x")[::2] == (
        "ResourceNotFoundException",
        404,
    )
    for name in ("Upper", "under_score", "-dash", "a" * 64):
        assert refused(lambda name=name: start(served_lab, name))[::2] == ("ValidationException", 400)
    bad = {"InputContent": "[]"}
    assert refused(
        runtime.start_human_loop, HumanLoopName="x", FlowDefinitionArn=FLOW_ARN, HumanLoopInput=bad
    )[::2] == ("ValidationException", 400)
    assert refused(lambda: start(served_lab, "big", text="x" * 3_145_728))[::2] == (
        "ValidationException",
        400,
    )


def test_too_many_open_loops_are_refused_with_402(served_lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from overread.review import limits

    monkeypatch.setattr(limits, "OPEN_LOOPS_PER_FLOW_DEFINITION", 2)
    create_flow(served_lab)
    start(served_lab, "one")
    start(served_lab, "two")
    assert refused(lambda: start(served_lab, "three"))[::2] == ("ServiceQuotaExceededException", 402)
    served_lab.runtime.stop_human_loop(HumanLoopName="one")
    start(served_lab, "three")


# The protocol itself


def test_malformed_calls_get_aws_errors(served_lab: Any) -> None:
    def post(target: str, body: str) -> tuple[int, str]:
        reply = httpx.post(
            served_lab.url, headers={"X-Amz-Target": target}, content=body.encode(), trust_env=False
        )
        return reply.status_code, reply.json()["__type"]

    assert post("SageMaker.CreateHumanTaskUi", "{") == (400, "SerializationException")
    assert post("SageMaker.CreateHumanTaskUi", "[]") == (400, "SerializationException")
    assert post("SageMaker.CreateModel", "{}") == (400, "UnknownOperationException")
    assert post("Other.CreateHumanTaskUi", "{}") == (400, "UnknownOperationException")
    assert post("SageMaker.CreateHumanTaskUi", '{"HumanTaskUiName": 1}') == (400, "ValidationException")
    reply = httpx.post(f"{served_lab.url}/human-loops", content=b"{", trust_env=False)
    assert (reply.status_code, reply.headers["x-amzn-errortype"]) == (400, "ValidationException")


def test_all_faults_of_one_request_are_reported_together(served_lab: Any) -> None:
    body = {"FlowDefinitionName": "x", "RoleArn": "short", "OutputConfig": {}, "Bogus": 1}
    reply = httpx.post(
        served_lab.url,
        headers={"X-Amz-Target": "SageMaker.CreateFlowDefinition"},
        json=body,
        trust_env=False,
    )
    message = reply.json()["message"]
    for part in ("'roleArn'", "'outputConfig.s3OutputPath'", "Unknown member 'Bogus'"):
        assert part in message
    assert list(served_lab.lab.store.list_resources(ResourceKind.FLOW_DEFINITION)) == []
