"""Every call of the façade and every error that AWS models for it: driven by boto3, or why there is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from overread.review import limits
from overread_review.app import create_app
from overread_review.service.errors import StoreUnavailableError
from overread_review.service.settings import VendorTeam
from overread_review.wire.a2i_runtime import A2IRuntimeWire
from overread_review.wire.sagemaker import SageMakerWire
from overread_testing.review_fakes import ADA, TEMPLATE, FakeStore, review_lab

ROLE = "arn:aws:iam::111122223333:role/flow"
ARN = "arn:aws:sagemaker:eu-west-1:111122223333:"
COGNITO = {"UserPool": "eu-west-1_AbCdEf123", "ClientId": "client"}
MEMBERS = [{"CognitoMemberDefinition": {**COGNITO, "UserGroup": "reviewers"}}]
TASK = {"Input": json.dumps({"note": "n"})}
INPUT = {"InputContent": json.dumps({"note": "n"})}
VENDORS = tuple(VendorTeam(f"vendor-{number}", f"Vendor {number}", "Seller", "idp") for number in range(5))
SPEAKS = {"sagemaker": "sagemaker", "sagemaker-a2i-runtime": "runtime"}


def model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


@dataclass
class Desk:
    """The façade and what the calls need to be there already."""

    served: Any

    @property
    def clock(self) -> Any:
        return self.served.lab.clock

    def call(self, operation: str, **params: Any) -> Any:
        """One call of whichever client has it."""
        client = self.served.runtime if operation.endswith(("HumanLoop", "HumanLoops")) else None
        return getattr(client or self.served.sagemaker, xform_name(operation))(**params)

    def ui(self, name: str) -> Any:
        return self.call("CreateHumanTaskUi", HumanTaskUiName=name, UiTemplate={"Content": TEMPLATE})

    def flow(self, name: str = "flow", **config: Any) -> Any:
        return self.call(
            "CreateFlowDefinition",
            FlowDefinitionName=name,
            RoleArn=ROLE,
            OutputConfig={"S3OutputPath": "s3://outputs/reviews/"},
            HumanLoopConfig={
                "WorkteamArn": f"{ARN}workteam/private-crowd/team",
                "HumanTaskUiArn": f"{ARN}human-task-ui/ui",
                "TaskTitle": "T",
                "TaskDescription": "D",
                "TaskCount": 1,
                **config,
            },
        )

    def active_flow(self, name: str = "flow", **config: Any) -> str:
        arn: str = self.flow(name, **config)["FlowDefinitionArn"]
        self.clock.advance(1)
        return arn

    def team(self, name: str) -> Any:
        return self.call("CreateWorkteam", WorkteamName=name, Description="D", MemberDefinitions=MEMBERS)

    def start(self, name: str = "loop-1", **content: Any) -> Any:
        return self.call(
            "StartHumanLoop",
            HumanLoopName=name,
            FlowDefinitionArn=f"{ARN}flow-definition/flow",
            HumanLoopInput={"InputContent": json.dumps(content or {"note": "n"})},
        )

    def started(self, name: str = "loop-1") -> None:
        self.active_flow()
        self.start(name)

    def ended(self, name: str = "loop-1") -> None:
        self.started(name)
        self.call("StopHumanLoop", HumanLoopName=name)

    def job(self, name: str = "job") -> Any:
        return self.call(
            "CreateLabelingJob",
            LabelingJobName=name,
            LabelAttributeName="kind",
            InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://data/manifest"}}},
            OutputConfig={"S3OutputPath": "s3://out/jobs/"},
            RoleArn=ROLE,
            HumanTaskConfig={
                "WorkteamArn": f"{ARN}workteam/private-crowd/team",
                "UiConfig": {"UiTemplateS3Uri": "s3://data/template"},
                "TaskTitle": "T",
                "TaskDescription": "D",
                "NumberOfHumanWorkersPerDataObject": 1,
                "TaskTimeLimitInSeconds": 600,
            },
        )

    def without_workforce(self) -> None:
        self.call("DeleteWorkteam", WorkteamName="team")
        self.call("DeleteWorkforce", WorkforceName="default")
        self.clock.advance(1)

    def claimed_by_ada(self) -> None:
        self.started()
        self.served.lab.service.tasks.claim("loop-1", reviewer=ADA)


Drive = Callable[[Desk], Any]


@dataclass(frozen=True)
class Row:
    """One operation: a call that succeeds; for each modelled error a call that raises it, or why none does.

    `storeless`: the operation answers although the store does not.
    """

    works: Drive
    errors: dict[str, Drive | str] = field(default_factory=dict)
    storeless: bool = False


def after(arrange: Drive, operation: str, **params: Any) -> Drive:
    """`arrange`, then the call."""

    def drive(desk: Desk) -> Any:
        arrange(desk)
        return desk.call(operation, **params)

    return drive


def of(operation: str, **params: Any) -> Drive:
    """The call alone."""
    return lambda desk: desk.call(operation, **params)


def full(create: Callable[[Desk, str], Any], count: int) -> Drive:
    """As many as an account may have, and then one more."""

    def drive(desk: Desk) -> Any:
        for number in range(count):
            create(desk, f"one-{number}")
        return create(desk, "more")

    return drive


def refused_by_the_store(drive: Drive) -> Drive:
    """The call while the store answers nobody."""

    def broken(desk: Desk) -> Any:
        desk.served.store_fails()
        return drive(desk)

    return broken


NO_RATE = "never: the service limits no rate; a throttled store is waited for, then InternalServerException"
TEAM_LIMIT = "never: only creating adds a work team, so only creating meets the limit"
FLOW_IN_USE = "never: loops that people work on finish by themselves, the others are stopped (AWS's guide)"
JOBS_UNLIMITED = "never: the service has no limit of labeling jobs at once; a job has one of open objects"
PUBLIC = "arn:aws:sagemaker:eu-west-1:394669845002:workteam/public-crowd/default"


def loop_errors(drive: Drive, invalid: Drive, **more: Drive | str) -> dict[str, Drive | str]:
    """The errors that all calls about human loops share."""
    return {
        "ValidationException": invalid,
        "ThrottlingException": NO_RATE,
        "InternalServerException": refused_by_the_store(drive),
        **more,
    }


def fill_flow(desk: Desk) -> Any:
    desk.active_flow()
    desk.served.open_loop_limit(1)
    desk.start("one")
    return desk.start("two")


def other_input(desk: Desk) -> Any:
    desk.started()
    return desk.start(other=1)


OIDC = {"ClientId": "c", "ClientSecret": "s"} | dict.fromkeys(
    ("Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint", "LogoutEndpoint", "JwksUri"),
    "https://idp.example/x",
)


def change_identity_under_teams(desk: Desk) -> Any:
    desk.without_workforce()
    desk.call("CreateWorkforce", WorkforceName="w", OidcConfig=OIDC)
    groups = [{"OidcMemberDefinition": {"Groups": ["g"]}}]
    desk.call("CreateWorkteam", WorkteamName="t", Description="D", MemberDefinitions=groups)
    return desk.call("UpdateWorkforce", WorkforceName="w", OidcConfig=OIDC)


UI_ARN, TEAM_ARN = f"{ARN}human-task-ui/ui", f"{ARN}workteam/private-crowd/team"
FLOW_ARN = f"{ARN}flow-definition/flow"

ROWS = {
    "CreateHumanTaskUi": Row(
        works=lambda desk: desk.ui("new"),
        errors={
            "ResourceInUse": lambda desk: desk.ui("ui"),
            "ResourceLimitExceeded": full(Desk.ui, limits.HUMAN_TASK_UIS_PER_ACCOUNT - 1),
        },
    ),
    "DescribeHumanTaskUi": Row(
        works=of("DescribeHumanTaskUi", HumanTaskUiName="ui"),
        errors={"ResourceNotFound": of("DescribeHumanTaskUi", HumanTaskUiName="x")},
    ),
    "DeleteHumanTaskUi": Row(
        works=of("DeleteHumanTaskUi", HumanTaskUiName="ui"),
        errors={"ResourceNotFound": of("DeleteHumanTaskUi", HumanTaskUiName="x")},
    ),
    "ListHumanTaskUis": Row(works=of("ListHumanTaskUis")),
    "RenderUiTemplate": Row(
        works=of("RenderUiTemplate", UiTemplate={"Content": TEMPLATE}, Task=TASK, RoleArn=ROLE),
        errors={
            "ResourceNotFound": of("RenderUiTemplate", HumanTaskUiArn=UI_ARN + "x", Task=TASK, RoleArn=ROLE)
        },
        storeless=True,
    ),
    "CreateFlowDefinition": Row(
        works=lambda desk: desk.flow(),
        errors={
            "ResourceInUse": (lambda desk: (desk.flow(), desk.flow())),
            "ResourceLimitExceeded": full(Desk.flow, limits.FLOW_DEFINITIONS_PER_ACCOUNT),
        },
    ),
    "DescribeFlowDefinition": Row(
        works=after(Desk.flow, "DescribeFlowDefinition", FlowDefinitionName="flow"),
        errors={"ResourceNotFound": of("DescribeFlowDefinition", FlowDefinitionName="x")},
    ),
    "DeleteFlowDefinition": Row(
        works=after(Desk.flow, "DeleteFlowDefinition", FlowDefinitionName="flow"),
        errors={
            "ResourceNotFound": of("DeleteFlowDefinition", FlowDefinitionName="x"),
            "ResourceInUse": FLOW_IN_USE,
        },
    ),
    "ListFlowDefinitions": Row(works=after(Desk.flow, "ListFlowDefinitions")),
    "CreateWorkforce": Row(
        works=after(Desk.without_workforce, "CreateWorkforce", WorkforceName="w", CognitoConfig=COGNITO)
    ),
    "DescribeWorkforce": Row(works=of("DescribeWorkforce", WorkforceName="default")),
    "UpdateWorkforce": Row(
        works=of("UpdateWorkforce", WorkforceName="default", SourceIpConfig={"Cidrs": ["10.0.0.0/8"]}),
        errors={"ConflictException": change_identity_under_teams},
    ),
    "DeleteWorkforce": Row(
        works=after(of("DeleteWorkteam", WorkteamName="team"), "DeleteWorkforce", WorkforceName="default")
    ),
    "ListWorkforces": Row(works=of("ListWorkforces")),
    "CreateWorkteam": Row(
        works=lambda desk: desk.team("new"),
        errors={
            "ResourceInUse": lambda desk: desk.team("team"),
            "ResourceLimitExceeded": full(Desk.team, limits.WORKTEAMS_PER_ACCOUNT - 1),
        },
    ),
    "DescribeWorkteam": Row(works=of("DescribeWorkteam", WorkteamName="team")),
    "UpdateWorkteam": Row(
        works=of("UpdateWorkteam", WorkteamName="team", Description="New"),
        errors={"ResourceLimitExceeded": TEAM_LIMIT},
    ),
    "DeleteWorkteam": Row(
        works=of("DeleteWorkteam", WorkteamName="team"), errors={"ResourceLimitExceeded": TEAM_LIMIT}
    ),
    "ListWorkteams": Row(works=of("ListWorkteams")),
    "DescribeSubscribedWorkteam": Row(
        works=of("DescribeSubscribedWorkteam", WorkteamArn=f"{ARN}workteam/vendor-crowd/vendor-1"),
        storeless=True,
    ),
    "ListSubscribedWorkteams": Row(works=of("ListSubscribedWorkteams"), storeless=True),
    "CreateLabelingJob": Row(
        works=Desk.job,
        errors={
            "ResourceInUse": lambda desk: (desk.job("job"), desk.job("JOB")),
            "ResourceLimitExceeded": JOBS_UNLIMITED,
        },
    ),
    "DescribeLabelingJob": Row(
        works=after(Desk.job, "DescribeLabelingJob", LabelingJobName="job"),
        errors={"ResourceNotFound": of("DescribeLabelingJob", LabelingJobName="x")},
    ),
    "ListLabelingJobs": Row(works=after(Desk.job, "ListLabelingJobs")),
    "StopLabelingJob": Row(
        works=after(Desk.job, "StopLabelingJob", LabelingJobName="job"),
        errors={"ResourceNotFound": of("StopLabelingJob", LabelingJobName="x")},
    ),
    "AddTags": Row(works=of("AddTags", ResourceArn=UI_ARN, Tags=[{"Key": "a", "Value": "b"}])),
    "DeleteTags": Row(works=of("DeleteTags", ResourceArn=UI_ARN, TagKeys=["a"])),
    "ListTags": Row(works=of("ListTags", ResourceArn=UI_ARN)),
    "StartHumanLoop": Row(
        works=Desk.started,
        errors=loop_errors(
            of("StartHumanLoop", HumanLoopName="a", FlowDefinitionArn=FLOW_ARN, HumanLoopInput=INPUT),
            of("StartHumanLoop", HumanLoopName="a", FlowDefinitionArn=FLOW_ARN, HumanLoopInput=INPUT),
            ServiceQuotaExceededException=fill_flow,
            ConflictException=other_input,
        ),
    ),
    "DescribeHumanLoop": Row(
        works=after(Desk.started, "DescribeHumanLoop", HumanLoopName="loop-1"),
        errors=loop_errors(
            of("DescribeHumanLoop", HumanLoopName="loop-1"),
            of("DescribeHumanLoop", HumanLoopName="a/b"),
            ResourceNotFoundException=of("DescribeHumanLoop", HumanLoopName="x"),
        ),
    ),
    "ListHumanLoops": Row(
        works=after(Desk.started, "ListHumanLoops", FlowDefinitionArn=FLOW_ARN),
        errors=loop_errors(
            of("ListHumanLoops", FlowDefinitionArn=FLOW_ARN),
            of("ListHumanLoops", FlowDefinitionArn="flow"),
            ResourceNotFoundException=of("ListHumanLoops", FlowDefinitionArn=FLOW_ARN),
        ),
    ),
    "StopHumanLoop": Row(
        works=after(Desk.started, "StopHumanLoop", HumanLoopName="loop-1"),
        errors=loop_errors(
            of("StopHumanLoop", HumanLoopName="loop-1"),
            of("StopHumanLoop", HumanLoopName="Upper"),
            ResourceNotFoundException=of("StopHumanLoop", HumanLoopName="x"),
        ),
    ),
    "DeleteHumanLoop": Row(
        works=after(Desk.ended, "DeleteHumanLoop", HumanLoopName="loop-1"),
        errors=loop_errors(
            of("DeleteHumanLoop", HumanLoopName="loop-1"),
            after(Desk.started, "DeleteHumanLoop", HumanLoopName="loop-1"),
            ResourceNotFoundException=of("DeleteHumanLoop", HumanLoopName="x"),
        ),
    ),
}


@pytest.fixture
def desk(server: Any, served_lab: Any, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A fresh service that also knows teams of vendors."""
    served_lab.lab = review_lab(vendor_teams=VENDORS)
    server.current.app = create_app(served_lab.lab.service)

    def fails(*_: Any, **__: Any) -> Any:
        raise StoreUnavailableError("DynamoDB: ThrottlingException after 10 attempts; try again")

    def store_fails() -> None:
        for name in [name for name in vars(FakeStore) if not name.startswith("_")]:
            monkeypatch.setattr(FakeStore, name, fails)

    served_lab.store_fails = store_fails
    served_lab.open_loop_limit = lambda limit: monkeypatch.setattr(
        limits, "OPEN_LOOPS_PER_FLOW_DEFINITION", limit
    )
    return Desk(served_lab)


def service_of(operation: str) -> str:
    return next(name for name in SPEAKS if operation in model(name).operation_names)


def modelled(operation: str) -> dict[str, int]:
    """The errors that AWS models for the operation, with their HTTP status."""
    shapes = model(service_of(operation)).operation_model(operation).error_shapes
    return {shape.name: shape.metadata.get("error", {}).get("httpStatusCode", 400) for shape in shapes}


CASES = [
    pytest.param(operation, code, drive, id=f"{operation}-{code}")
    for operation, row in ROWS.items()
    for code, drive in row.errors.items()
    if not isinstance(drive, str)
]


def test_every_operation_and_every_modelled_error_has_a_row() -> None:
    lab = review_lab()
    served = SageMakerWire(lab.service).operations | set(model("sagemaker-a2i-runtime").operation_names)
    assert set(ROWS) == served
    routes = A2IRuntimeWire(lab.service).routes
    assert len(routes) == len(model("sagemaker-a2i-runtime").operation_names)
    for operation, row in ROWS.items():
        assert set(row.errors) == set(modelled(operation)), operation
        reasons = [reason for reason in row.errors.values() if isinstance(reason, str)]
        assert all(reason.startswith("never: ") for reason in reasons), operation


@pytest.mark.parametrize("operation", ROWS)
def test_an_operation_works_and_its_reply_has_what_the_model_requires(desk: Desk, operation: str) -> None:
    service = service_of(operation)
    heard: list[Any] = []
    client = getattr(desk.served, SPEAKS[service])
    client.meta.events.register(
        f"after-call.{service}.{operation}", lambda parsed, **_: heard.append(parsed), unique_id="heard"
    )
    try:
        ROWS[operation].works(desk)
    finally:
        client.meta.events.unregister(f"after-call.{service}.{operation}", unique_id="heard")
    reply = heard[-1]
    assert reply["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert reply["ResponseMetadata"]["RequestId"]
    assert missing(model(service).operation_model(operation).output_shape, reply) == []


def missing(shape: Any, value: Any, path: str = "") -> list[str]:
    """Members that the model requires and the reply lacks."""
    if shape is None or value is None:
        return []
    if shape.type_name == "list":
        return [gap for item in value for gap in missing(shape.member, item, f"{path}[]")]
    if shape.type_name != "structure":
        return []
    gaps = [f"{path}.{name}" for name in shape.required_members if name not in value]
    for name, member in shape.members.items():
        gaps += missing(member, value.get(name), f"{path}.{name}")
    return gaps


@pytest.mark.parametrize(("operation", "code", "drive"), CASES)
def test_a_modelled_error_arrives_as_its_class(desk: Desk, operation: str, code: str, drive: Drive) -> None:
    client = getattr(desk.served, SPEAKS[service_of(operation)])
    with pytest.raises(getattr(client.exceptions, code)) as caught:
        drive(desk)
    assert caught.value.operation_name == operation
    reply = caught.value.response
    assert reply["ResponseMetadata"]["HTTPStatusCode"] == modelled(operation)[code]
    assert len(reply["Error"]["Message"]) > 15
    assert "Traceback" not in reply["Error"]["Message"]


@pytest.mark.parametrize("operation", [name for name in ROWS if service_of(name) == "sagemaker"])
def test_a_store_that_does_not_answer_is_a_503_of_the_control_plane(desk: Desk, operation: str) -> None:
    arranged = ROWS[operation].works
    desk.served.store_fails()
    if ROWS[operation].storeless:
        arranged(desk)
        return
    with pytest.raises(ClientError) as caught:
        arranged(desk)
    reply = caught.value.response
    assert reply["Error"]["Code"] == "ServiceUnavailable"
    assert reply["ResponseMetadata"]["HTTPStatusCode"] == 503


@pytest.mark.parametrize(
    ("drive", "code", "part"),
    [
        (of("DescribeHumanTaskUi", HumanTaskUiName="x"), "ResourceNotFound", "does not exist"),
        (of("DescribeFlowDefinition", FlowDefinitionName="x"), "ResourceNotFound", "does not exist"),
        (of("DescribeWorkteam", WorkteamName="x"), "ValidationException", "The work team"),
        (of("UpdateWorkteam", WorkteamName="x"), "ValidationException", "The work team"),
        (of("DeleteWorkteam", WorkteamName="x"), "ValidationException", "The work team"),
        (of("DescribeWorkforce", WorkforceName="x"), "ValidationException", "No workforce"),
        (of("UpdateWorkforce", WorkforceName="x"), "ValidationException", "No workforce"),
        (of("DeleteWorkforce", WorkforceName="x"), "ValidationException", "No workforce"),
        (
            of("DescribeSubscribedWorkteam", WorkteamArn=f"{ARN}workteam/vendor-crowd/x"),
            "ValidationException",
            "The work team",
        ),
        (of("DescribeHumanLoop", HumanLoopName="x"), "ResourceNotFoundException", "does not exist"),
        (of("StopHumanLoop", HumanLoopName="x"), "ResourceNotFoundException", "does not exist"),
        (of("DeleteHumanLoop", HumanLoopName="x"), "ResourceNotFoundException", "does not exist"),
        (of("ListTags", ResourceArn=UI_ARN + "x"), "ValidationException", "does not exist"),
    ],
)
def test_what_does_not_exist_is_said_as_aws_says_it(desk: Desk, drive: Drive, code: str, part: str) -> None:
    with pytest.raises(ClientError) as caught:
        drive(desk)
    assert caught.value.response["Error"]["Code"] == code
    assert part in caught.value.response["Error"]["Message"]


# What the model does not say: limits of the guides and quotas


@pytest.mark.parametrize(
    ("config", "allowed"),
    [
        ({"TaskTimeLimitInSeconds": 28_800}, True),
        ({"TaskTimeLimitInSeconds": 28_801}, False),
        ({"TaskAvailabilityLifetimeInSeconds": 864_000}, True),
        ({"TaskAvailabilityLifetimeInSeconds": 864_001}, False),
        ({"WorkteamArn": PUBLIC, "TaskAvailabilityLifetimeInSeconds": 43_200}, True),
        ({"WorkteamArn": PUBLIC, "TaskAvailabilityLifetimeInSeconds": 43_201}, False),
        ({"WorkteamArn": f"{ARN}workteam/vendor-crowd/vendor-0"}, True),
        ({"WorkteamArn": f"{ARN}workteam/vendor-crowd/other"}, False),
        ({"WorkteamArn": f"{ARN}workteam/private-crowd/other"}, False),
        ({"HumanTaskUiArn": f"{ARN}human-task-ui/other"}, False),
        ({"HumanTaskUiArn": UI_ARN.replace("eu-west-1", "eu-west-2")}, False),
    ],
)
def test_limits_of_flow_definitions_beyond_the_model(desk: Desk, config: Any, allowed: bool) -> None:
    if config.get("WorkteamArn") == PUBLIC:
        amount = {"Dollars": 0, "Cents": 3, "TenthFractionsOfACent": 6}
        config = config | {"PublicWorkforceTaskPrice": {"AmountInUsd": amount}}
    if allowed:
        assert desk.flow(**config)["FlowDefinitionArn"] == FLOW_ARN
        return
    with pytest.raises(ClientError, match="ValidationException"):
        desk.flow(**config)


@pytest.mark.parametrize(("count", "allowed"), [(10, True), (11, False)])
def test_a_workforce_takes_ten_address_ranges(desk: Desk, count: int, allowed: bool) -> None:
    ranges = {"Cidrs": [f"10.{number}.0.0/16" for number in range(count)]}
    if allowed:
        desk.call("UpdateWorkforce", WorkforceName="default", SourceIpConfig=ranges)
        return
    with pytest.raises(ClientError, match="at most 10"):
        desk.call("UpdateWorkforce", WorkforceName="default", SourceIpConfig=ranges)


def test_a_flow_definition_of_the_public_workforce_has_a_lower_quota(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (limits.OPEN_LOOPS_PER_FLOW_DEFINITION, limits.OPEN_LOOPS_PER_PUBLIC_FLOW_DEFINITION) == (
        5_000,
        1_000,
    )
    monkeypatch.setattr(limits, "OPEN_LOOPS_PER_PUBLIC_FLOW_DEFINITION", 1)
    amount = {"AmountInUsd": {"Dollars": 0, "Cents": 3, "TenthFractionsOfACent": 6}}
    arn = desk.active_flow(WorkteamArn=PUBLIC, PublicWorkforceTaskPrice=amount)
    public = {"ContentClassifiers": ["FreeOfPersonallyIdentifiableInformation"]}
    start = {"FlowDefinitionArn": arn, "HumanLoopInput": INPUT, "DataAttributes": public}
    desk.call("StartHumanLoop", HumanLoopName="one", **start)
    with pytest.raises(desk.served.runtime.exceptions.ServiceQuotaExceededException, match="Only 1 "):
        desk.call("StartHumanLoop", HumanLoopName="two", **start)


def test_an_input_of_exactly_three_mebibytes_is_taken(desk: Desk) -> None:
    desk.active_flow()
    text = "x" * (3_145_728 - len(json.dumps({"note": ""})))
    desk.start(note=text)
    assert desk.call("DescribeHumanLoop", HumanLoopName="loop-1")["HumanLoopStatus"] == "InProgress"
    with pytest.raises(desk.served.runtime.exceptions.ValidationException, match="3145728"):
        desk.start("loop-2", note=text + "x")


@pytest.mark.parametrize("content", ["", "x", "[]", '"x"', "1", "null", '{"a": NaN}', '{"a": "\\ud800"}'])
def test_an_input_that_is_no_json_object_is_refused_and_starts_nothing(desk: Desk, content: str) -> None:
    desk.active_flow()
    with pytest.raises(desk.served.runtime.exceptions.ValidationException):
        desk.call(
            "StartHumanLoop",
            HumanLoopName="loop-1",
            FlowDefinitionArn=FLOW_ARN,
            HumanLoopInput={"InputContent": content},
        )
    assert desk.call("ListHumanLoops", FlowDefinitionArn=FLOW_ARN)["HumanLoopSummaries"] == []


# Tags


@pytest.mark.parametrize("arn", [UI_ARN, TEAM_ARN, FLOW_ARN])
def test_the_fifty_first_tag_is_refused_and_the_fifty_stay(desk: Desk, arn: str) -> None:
    desk.flow()
    fifty = [{"Key": f"key-{number:02}", "Value": ""} for number in range(50)]
    desk.call("AddTags", ResourceArn=arn, Tags=fifty)
    with pytest.raises(ClientError, match="at most 50"):
        desk.call("AddTags", ResourceArn=arn, Tags=[{"Key": "one-more", "Value": ""}])
    pages = desk.served.sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    assert [tag for page in pages for tag in page["Tags"]] == fifty


@pytest.mark.parametrize("operation", ["AddTags", "DeleteTags", "ListTags"])
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("workforce/default", "Invalid resource type: workforce"),
        ("human-loop/loop-1", "Invalid resource type: human-loop"),
        ("workteam/vendor-crowd/vendor-1", "Invalid resource type: workteam"),
    ],
)
def test_what_has_no_tags_says_so(desk: Desk, operation: str, path: str, message: str) -> None:
    more = {"AddTags": {"Tags": [{"Key": "a", "Value": ""}]}, "DeleteTags": {"TagKeys": ["a"]}}
    with pytest.raises(ClientError) as caught:
        desk.call(operation, ResourceArn=ARN + path, **more.get(operation, {}))
    assert caught.value.response["Error"] == {"Code": "ValidationException", "Message": message}


# Lists


@dataclass(frozen=True)
class Listed:
    """A list call: how to make one more, where its items and their names stand, what is there already."""

    create: Callable[[Desk, str], Any]
    items: str
    name: str
    present: tuple[str, ...] = ()
    params: dict[str, Any] = field(default_factory=dict)


def forget(_desk: Desk, _name: str) -> None:
    """There is nothing to create: the settings say which teams of vendors there are."""


LISTS = {
    "ListHumanTaskUis": Listed(Desk.ui, "HumanTaskUiSummaries", "HumanTaskUiName", ("ui",)),
    "ListFlowDefinitions": Listed(Desk.flow, "FlowDefinitionSummaries", "FlowDefinitionName"),
    "ListWorkteams": Listed(Desk.team, "Workteams", "WorkteamName", ("team",)),
    "ListHumanLoops": Listed(
        Desk.start, "HumanLoopSummaries", "HumanLoopName", params={"FlowDefinitionArn": FLOW_ARN}
    ),
    "ListSubscribedWorkteams": Listed(
        forget, "SubscribedWorkteams", "ListingId", tuple(team.name for team in VENDORS)
    ),
}


def filled(desk: Desk, operation: str, count: int) -> list[str]:
    """`count` new ones, a second apart; the names of all there are, in the order of creation."""
    listed = LISTS[operation]
    if operation == "ListHumanLoops":
        desk.active_flow()
    names = [f"item-{number:02}" for number in range(count)]
    for name in names:
        desk.clock.advance(1)
        listed.create(desk, name)
    return [*listed.present, *(names if listed.create is not forget else [])]


def pages(desk: Desk, operation: str, *, size: int, **params: Any) -> list[list[str]]:
    """The names on each page that boto3's own paginator gives."""
    listed = LISTS[operation]
    client = desk.served.runtime if operation == "ListHumanLoops" else desk.served.sagemaker
    found = client.get_paginator(xform_name(operation)).paginate(
        **listed.params, **params, PaginationConfig={"PageSize": size}
    )
    return [[item[listed.name] for item in page[listed.items]] for page in found]


@pytest.mark.parametrize("operation", LISTS)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_paginator_gives_everything_once_in_pages_of_the_size(
    desk: Desk, operation: str, size: int
) -> None:
    there = filled(desk, operation, 7)
    found = pages(desk, operation, size=size)
    assert sorted(name for page in found for name in page) == sorted(there)
    assert all(len(page) == size for page in found[:-1])
    assert 0 < len(found[-1]) <= size


@pytest.mark.parametrize("operation", [name for name in LISTS if name != "ListSubscribedWorkteams"])
def test_a_page_goes_on_where_the_last_ended_although_there_are_new_ones(desk: Desk, operation: str) -> None:
    there = filled(desk, operation, 5)
    listed = LISTS[operation]
    params = {**listed.params, "SortOrder": "Ascending"}
    first = desk.call(operation, **params, MaxResults=2)
    desk.clock.advance(1)
    listed.create(desk, "zz-late")
    rest = desk.call(operation, **params, MaxResults=100, NextToken=first["NextToken"])
    names = [item[listed.name] for page in (first, rest) for item in page[listed.items]]
    assert sorted(names) == sorted([*there, "zz-late"])


@pytest.mark.parametrize("operation", LISTS)
@pytest.mark.parametrize("token", ["junk", "e30=", "WzEsMl0=", "\u00e4"])
def test_a_token_of_nobodys_is_refused(desk: Desk, operation: str, token: str) -> None:
    filled(desk, operation, 1)
    with pytest.raises(ClientError, match="NextToken"):
        desk.call(operation, **LISTS[operation].params, NextToken=token)


TIMED = ["ListHumanTaskUis", "ListFlowDefinitions", "ListHumanLoops"]


@pytest.mark.parametrize("operation", TIMED)
@pytest.mark.parametrize("order", ["Ascending", "Descending"])
def test_a_list_is_filtered_and_sorted_by_time(desk: Desk, operation: str, order: str) -> None:
    begin = desk.clock.now + timedelta(seconds=1 if operation == "ListHumanLoops" else 0)
    filled(desk, operation, 6)
    bounds = {
        "CreationTimeAfter": begin + timedelta(seconds=1.5),
        "CreationTimeBefore": begin + timedelta(seconds=4.5),
    }
    chosen = ["item-01", "item-02", "item-03"]
    expected = chosen if order == "Ascending" else chosen[::-1]
    found = pages(desk, operation, size=2, SortOrder=order, **bounds)
    assert [name for page in found for name in page] == expected


@pytest.mark.parametrize("operation", ["ListWorkteams", "ListSubscribedWorkteams"])
def test_a_list_is_filtered_by_part_of_the_name(desk: Desk, operation: str) -> None:
    there = filled(desk, operation, 3)
    found = [name for page in pages(desk, operation, size=1, NameContains="0") for name in page]
    assert sorted(found) == sorted(name for name in there if "0" in name)
    assert found
    assert pages(desk, operation, size=1, NameContains="nowhere") == [[]]


@pytest.mark.parametrize(("by", "order"), [("Name", "Descending"), ("CreateDate", "Ascending")])
def test_work_teams_are_sorted_by_name_or_date(desk: Desk, by: str, order: str) -> None:
    there = filled(desk, "ListWorkteams", 3)
    expected = sorted(there, reverse=True) if by == "Name" else there
    found = pages(desk, "ListWorkteams", size=2, SortBy=by, SortOrder=order)
    assert [name for page in found for name in page] == expected


@pytest.mark.parametrize(("contains", "found"), [("def", ["default"]), ("other", [])])
def test_the_workforce_is_listed_by_part_of_its_name(desk: Desk, contains: str, found: list[str]) -> None:
    pages = desk.served.sagemaker.get_paginator("list_workforces").paginate(NameContains=contains)
    assert [force["WorkforceName"] for page in pages for force in page["Workforces"]] == found


# Statuses lag behind the calls


@dataclass(frozen=True)
class Lagging:
    """A resource whose status takes a while."""

    create: Drive
    describe: Callable[[Desk], str]
    delete: Drive
    gone: str
    first: str
    then: str


def status_of(operation: str, *path: str, **params: Any) -> Callable[[Desk], str]:
    def read(desk: Desk) -> str:
        found = desk.call(operation, **params)
        for name in path:
            found = found[name]
        return str(found)

    return read


LAGGING = {
    "flow definition": Lagging(
        create=Desk.flow,
        describe=status_of("DescribeFlowDefinition", "FlowDefinitionStatus", FlowDefinitionName="flow"),
        delete=of("DeleteFlowDefinition", FlowDefinitionName="flow"),
        gone="ResourceNotFound",
        first="Initializing",
        then="Active",
    ),
    "task UI": Lagging(
        create=lambda desk: desk.ui("new"),
        describe=status_of("DescribeHumanTaskUi", "HumanTaskUiStatus", HumanTaskUiName="new"),
        delete=of("DeleteHumanTaskUi", HumanTaskUiName="new"),
        gone="ResourceNotFound",
        first="Active",
        then="Active",
    ),
    "workforce": Lagging(
        create=after(Desk.without_workforce, "CreateWorkforce", WorkforceName="w", CognitoConfig=COGNITO),
        describe=status_of("DescribeWorkforce", "Workforce", "Status", WorkforceName="w"),
        delete=of("DeleteWorkforce", WorkforceName="w"),
        gone="ValidationException",
        first="Initializing",
        then="Active",
    ),
}


@pytest.mark.parametrize("kind", LAGGING)
def test_a_status_lags_behind_the_call_and_the_name_is_free_when_it_is_gone(desk: Desk, kind: str) -> None:
    resource, lag = LAGGING[kind], desk.served.lab.service.settings.status_lag_s
    resource.create(desk)
    assert resource.describe(desk) == resource.first
    desk.clock.advance(lag - 0.01)
    assert resource.describe(desk) == resource.first
    desk.clock.advance(0.01)
    assert resource.describe(desk) == resource.then
    resource.delete(desk)
    assert resource.describe(desk) == "Deleting"
    desk.clock.advance(lag)
    with pytest.raises(ClientError) as caught:
        resource.describe(desk)
    assert caught.value.response["Error"]["Code"] == resource.gone


def test_no_loop_starts_before_its_flow_definition_is_active_or_after_it_is_deleted(desk: Desk) -> None:
    invalid = desk.served.runtime.exceptions.ValidationException
    desk.flow()
    with pytest.raises(invalid, match="Initializing"):
        desk.start()
    desk.clock.advance(1)
    desk.start()
    desk.call("DeleteFlowDefinition", FlowDefinitionName="flow")
    with pytest.raises(invalid, match="not Active but Deleting"):
        desk.start("loop-2")


def test_a_deleted_flow_definition_stays_until_its_last_reviewer_is_done(desk: Desk) -> None:
    desk.claimed_by_ada()
    desk.start("untouched")
    desk.call("DeleteFlowDefinition", FlowDefinitionName="flow")
    desk.clock.advance(60)
    describe = status_of("DescribeFlowDefinition", "FlowDefinitionStatus", FlowDefinitionName="flow")
    assert describe(desk) == "Deleting"
    with pytest.raises(desk.served.runtime.exceptions.ResourceNotFoundException):
        desk.call("DescribeHumanLoop", HumanLoopName="untouched")
    desk.served.lab.service.tasks.answer("loop-1", reviewer=ADA, content={"x": 1})
    found = desk.call("DescribeHumanLoop", HumanLoopName="loop-1")
    assert found["HumanLoopOutput"]["OutputS3Uri"] in desk.served.lab.documents.outputs
    with pytest.raises(desk.served.sagemaker.exceptions.ResourceNotFound):
        describe(desk)
    desk.flow()
