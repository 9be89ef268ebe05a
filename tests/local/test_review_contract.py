"""One contract, two ways to run it: boto3's calls, the portal and the events, locally and deployed."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.local.conftest import LAMBDA_PYTHON, Deployment, client_of
from tests.local.review_backends import (
    EVENT_TYPE,
    Backend,
    EventLog,
    Portal,
    browser,
    deployed_backend,
    make_chaos,
    sign_in_by_name,
    until,
)

from overread.review import limits
from overread_local.review_options import Chaos
from overread_local.stack import LocalStack

LOOPS = 100
CHAOS = Chaos(duplicate=0.3, delay=0.3)
BACKENDS = ("local process", "deployed Lambda")
REVIEWERS = ("ada", "grace", "katherine")
COGNITO = {"UserPool": "us-east-1_AbCdEfGhI", "ClientId": "client"}
TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <p>{{ task.input.question }}</p>
  <crowd-input name="answer" label="answer"></crowd-input>
</crowd-form>
"""


@pytest.fixture(scope="session")
def local_backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """The local stack's process, some of whose events come twice and some late."""
    stack = LocalStack.start(
        state_dir=tmp_path_factory.mktemp("contract"),
        lambda_python=LAMBDA_PYTHON,
        status_lag_s=0.3,
        chaos=CHAOS,
        tied=True,
    )
    try:
        yield _prepared(stack)
    finally:
        stack.stop()


@pytest.fixture(scope="session")
def lambda_backend(desk: Deployment) -> Backend:
    """config/review-service.yaml as deployed, with the same chaos."""
    make_chaos(desk.stack, duplicate=CHAOS.duplicate, delay=CHAOS.delay)
    return deployed_backend(
        desk.stack,
        review_url=desk.output("review", "ReviewUrl"),
        portal_url=desk.output("review", "PortalUrl"),
        pool_id=desk.output("review", "UserPoolId"),
    )


def _prepared(stack: LocalStack) -> Backend:
    """Workforce, team and bucket as a deployment would have made them."""
    sagemaker = client_of(stack, "sagemaker")
    sagemaker.create_workforce(WorkforceName="contract", CognitoConfig=COGNITO)
    until(lambda: sagemaker.describe_workforce(WorkforceName="contract")["Workforce"]["Status"] == "Active")
    member = {"CognitoMemberDefinition": {**COGNITO, "UserGroup": "reviewers"}}
    team = sagemaker.create_workteam(
        WorkteamName="contract-reviewers", Description="readers", MemberDefinitions=[member]
    )
    client_of(stack, "s3").create_bucket(Bucket="contract-answers")
    return Backend(
        name="local process",
        stack=stack,
        sagemaker=sagemaker,
        a2i=client_of(stack, "sagemaker-a2i-runtime"),
        workforce="contract",
        member=member,
        team_arn=str(team["WorkteamArn"]),
        role_arn="arn:aws:iam::000000000000:role/review",
        output_path="s3://contract-answers/reviews",
        source="aws.sagemaker",
        portal_url=stack.portal_url,
        sign_in=sign_in_by_name(stack.portal_url),
        sign_in_lead=lambda: sign_in_by_name(stack.portal_url)("barbara"),
        settle=lambda: None,
    )


@pytest.fixture(scope="session", params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    fixture = {"local process": "local_backend", "deployed Lambda": "lambda_backend"}[request.param]
    found: Backend = request.getfixturevalue(fixture)
    return found


@pytest.fixture(scope="session")
def reviewers(backend: Backend) -> Iterator[tuple[Portal, ...]]:
    """Three people of the team, signed in."""
    with ExitStack() as opened:
        yield tuple(opened.enter_context(closing(backend.sign_in(name))) for name in REVIEWERS)


@pytest.fixture(scope="session")
def lead(backend: Backend) -> Iterator[Portal]:
    """Somebody who leads the team."""
    with closing(backend.sign_in_lead()) as portal:
        yield portal


@pytest.fixture(scope="session")
def page(backend: Backend) -> str:
    """The ARN of a task UI."""
    return create_page(backend, "question")


@pytest.fixture(scope="session")
def flow(backend: Backend, page: str) -> str:
    """The ARN of an active flow definition of one worker."""
    return backend.define("reading", page=page)


@pytest.fixture(scope="session")
def events(backend: Backend) -> EventLog:
    """What a deployed rule hears, from before the first loop."""
    return EventLog(backend)


def create_page(backend: Backend, name: str, *, content: str = TEMPLATE, **more: Any) -> str:
    return str(
        backend.sagemaker.create_human_task_ui(
            HumanTaskUiName=backend.named(name), UiTemplate={"Content": content}, **more
        )["HumanTaskUiArn"]
    )


def refused(call: Callable[..., Any], /, **request: Any) -> tuple[str, str, int]:
    """Code, message and HTTP status that a call ends with."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response
    return error["Error"]["Code"], error["Error"]["Message"], error["ResponseMetadata"]["HTTPStatusCode"]


def pages_of(call: Callable[..., Any], member: str, **request: Any) -> list[list[dict[str, Any]]]:
    """Every page of a listing."""
    pages, token = [], None
    while True:
        reply = call(**request, **({} if token is None else {"NextToken": token}))
        pages.append(reply[member])
        if (token := reply.get("NextToken")) is None:
            return pages


# A hundred loops


def test_a_hundred_loops_are_started_listed_answered_written_and_told(
    backend: Backend, page: str, reviewers: tuple[Portal, ...], events: EventLog
) -> None:
    flow = backend.define("hundred", page=page)
    names = [backend.named(f"loop-{number}") for number in range(LOOPS)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: backend.start(name, flow=flow, question=f"is it {name}?"), names))

    pages = pages_of(
        backend.a2i.list_human_loops, "HumanLoopSummaries", FlowDefinitionArn=flow, MaxResults=30
    )
    assert [len(one) for one in pages] == [30, 30, 30, 10]
    assert {loop["HumanLoopName"] for one in pages for loop in one} == set(names)
    assert {loop["HumanLoopStatus"] for one in pages for loop in one} == {"InProgress"}

    with ThreadPoolExecutor(len(reviewers)) as threads:
        answered = list(threads.map(lambda portal: work_off(portal, set(names)), reviewers))
    assert sorted(name for one in answered for name in one) == sorted(names)

    described = {name: backend.until_status(name, "Completed") for name in names}
    with ThreadPoolExecutor(8) as threads:
        outputs = dict(zip(names, threads.map(backend.output, described.values()), strict=True))
    for name, document in outputs.items():
        assert document["humanLoopName"] == name
        assert document["inputContent"] == {"question": f"is it {name}?"}
        (answer,) = document["humanAnswers"]
        assert answer["answerContent"] == {"answer": f"seen {name}"}
        assert answer["timeSpentInSeconds"] >= 0
    workers = {document["humanAnswers"][0]["workerId"] for document in outputs.values()}
    assert 1 <= len(workers) <= len(reviewers)

    def told() -> Counter[str]:
        backend.settle()
        heard = Counter(one["detail"]["humanLoopName"] for one in events.events())
        return heard if set(names) <= set(heard) else Counter()

    heard: Counter[str] = until(told, timeout_s=90, what="every loop is told of")
    assert max(heard[name] for name in names) > 1, "chaos was to repeat some events"
    for name in names:
        first, *again = events.of(name)
        assert all(one == first for one in again)
        assert (first["humanLoopStatus"], first["flowDefinitionArn"]) == ("Completed", flow)


def work_off(portal: Portal, names: set[str]) -> list[str]:
    """Claims and answers what is offered until nothing of `names` is left; the loops answered."""
    done: list[str] = []
    while True:
        offered = [task for task in portal.tasks() if task["human_loop"] in names]
        if not offered:
            return done
        for task in offered:
            claimed = portal.post(f"tasks/{task['task_id']}/claim")
            if claimed.status_code in {409, 410}:  # somebody else was faster
                continue
            loop = task["human_loop"]
            assert claimed.raise_for_status().json()["input"] == {"question": f"is it {loop}?"}
            portal.answer(task["task_id"], {"answer": f"seen {loop}"}).raise_for_status()
            done.append(loop)


def test_the_event_is_a2is_and_names_the_output(
    backend: Backend, flow: str, reviewers: tuple[Portal, ...], events: EventLog
) -> None:
    loop = backend.named("told")
    arn = backend.start(loop, flow=flow)
    ada = reviewers[0]
    ada.answer(ada.claim(loop)["task_id"], {"answer": "yes"}).raise_for_status()
    described = backend.until_status(loop, "Completed")

    def heard() -> list[dict[str, Any]]:
        backend.settle()
        return [one for one in events.events() if one["detail"]["humanLoopName"] == loop]

    event = until(heard, what="the event")[0]
    assert (event["source"], event["detail-type"]) == (backend.source, EVENT_TYPE)
    assert event["resources"] == [arn]
    detail = event["detail"]
    assert detail["humanLoopArn"] == arn
    assert detail["humanLoopOutput"]["outputS3Uri"] == described["HumanLoopOutput"]["OutputS3Uri"]
    assert detail["humanLoopOutput"]["outputS3Uri"].startswith(backend.output_path.rstrip("/"))


# Human loops


def test_a_start_repeated_is_one_loop_and_other_input_a_conflict(backend: Backend, flow: str) -> None:
    loop = backend.named("twice")
    arn = backend.start(loop, flow=flow, question="same")
    assert arn.endswith(f":human-loop/{loop}")
    assert backend.start(loop, flow=flow, question="same") == arn
    with pytest.raises(ClientError) as conflict:
        backend.start(loop, flow=flow, question="other")
    assert conflict.value.response["Error"]["Code"] == "ConflictException"
    assert conflict.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [("no-json", "{", "JSON"), ("no-object", "[]", "JSON object"), ("UPPER", "{}", "humanLoopName")],
)
def test_a_start_that_cannot_be_is_refused(
    backend: Backend, flow: str, name: str, content: str, text: str
) -> None:
    code, message, status = refused(
        backend.a2i.start_human_loop,
        HumanLoopName=name,
        FlowDefinitionArn=flow,
        HumanLoopInput={"InputContent": content},
    )
    assert (code, status) == ("ValidationException", 400)
    assert text.lower() in message.lower()


def test_three_mebibytes_are_taken_and_more_is_refused(backend: Backend, flow: str) -> None:
    frame = len(json.dumps({"question": ""}))
    most = limits.INPUT_CONTENT.maximum - frame
    backend.start(backend.named("large"), flow=flow, question="x" * most)
    with pytest.raises(ClientError) as caught:
        backend.start(backend.named("too-large"), flow=flow, question="x" * (most + 1))
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    backend.a2i.stop_human_loop(HumanLoopName=backend.named("large"))


def test_a_loop_of_no_flow_definition_is_refused(backend: Backend, flow: str) -> None:
    missing = flow.rsplit("/", 1)[0] + "/missing"
    with pytest.raises(ClientError) as caught:
        backend.start(backend.named("orphan"), flow=missing)
    assert caught.value.response["Error"]["Code"] in {"ResourceNotFoundException", "ValidationException"}


def test_missing_loops_are_not_found(backend: Backend) -> None:
    a2i, name = backend.a2i, backend.named("missing")
    for call in (a2i.describe_human_loop, a2i.stop_human_loop, a2i.delete_human_loop):
        code, _, status = refused(call, HumanLoopName=name)
        assert (code, status) == ("ResourceNotFoundException", 404)


def test_a_stopped_loop_is_told_written_nowhere_and_deleted_once(
    backend: Backend, flow: str, events: EventLog
) -> None:
    a2i, loop = backend.a2i, backend.named("stopped")
    backend.start(loop, flow=flow)
    assert refused(a2i.delete_human_loop, HumanLoopName=loop)[0] == "ValidationException"
    a2i.stop_human_loop(HumanLoopName=loop)
    described = backend.until_status(loop, "Stopped")
    assert "OutputS3Uri" not in described.get("HumanLoopOutput", {})

    def told() -> list[dict[str, Any]]:
        backend.settle()
        return events.of(loop)

    assert until(told, what="the event")[0]["humanLoopStatus"] == "Stopped"
    a2i.delete_human_loop(HumanLoopName=loop)
    assert refused(a2i.delete_human_loop, HumanLoopName=loop)[0] == "ResourceNotFoundException"


def test_a_loop_that_nobody_answers_in_time_fails_as_expired(
    backend: Backend, page: str, events: EventLog
) -> None:
    flow = backend.define("brief", page=page, TaskAvailabilityLifetimeInSeconds=1)
    loop = backend.named("late")
    backend.start(loop, flow=flow)
    described = backend.until_status(loop, "Failed")
    assert described["FailureCode"] == "Expired"
    assert described["FailureReason"]


def test_loops_are_listed_by_time_order_and_page(backend: Backend, page: str) -> None:
    flow = backend.define("listing", page=page)
    before = datetime.now(UTC)
    names = [backend.named(f"listed-{number}") for number in range(5)]
    for name in names:
        backend.start(name, flow=flow)
    call = backend.a2i.list_human_loops

    def listed(**request: Any) -> list[str]:
        pages = pages_of(call, "HumanLoopSummaries", FlowDefinitionArn=flow, **request)
        return [loop["HumanLoopName"] for one in pages for loop in one]

    assert listed(SortOrder="Ascending") == names
    assert listed(SortOrder="Ascending", MaxResults=2) == names
    assert listed(SortOrder="Descending", MaxResults=2) == names[::-1]
    created = [backend.a2i.describe_human_loop(HumanLoopName=name)["CreationTime"] for name in names]
    assert all(before - timedelta(seconds=1) <= moment for moment in created)
    # Described times are cut to milliseconds, as AWS does.
    after = created[1] + timedelta(milliseconds=1)
    assert listed(CreationTimeAfter=after, SortOrder="Ascending") == names[2:]
    assert listed(CreationTimeBefore=created[3], SortOrder="Ascending") == names[:3]
    assert listed(CreationTimeAfter=created[-1] + timedelta(hours=1)) == []
    assert refused(call, FlowDefinitionArn=flow, NextToken="nonsense")[0] == "ValidationException"
    for name in names:
        backend.a2i.stop_human_loop(HumanLoopName=name)


# Several workers


def test_each_of_several_workers_answers_once(
    backend: Backend, page: str, reviewers: tuple[Portal, ...]
) -> None:
    flow = backend.define("three", page=page, TaskCount=3)
    loop = backend.named("seats")
    backend.start(loop, flow=flow)
    ada, grace, katherine = reviewers
    task = ada.claim(loop)["task_id"]
    grace.claim(loop)
    ada.answer(task, {"answer": "one"}).raise_for_status()
    assert ada.post(f"tasks/{task}/claim").status_code == 409
    assert ada.answer(task, {"answer": "again"}).status_code == 409
    assert backend.status(loop) == "InProgress"
    grace.answer(task, {"answer": "two"}).raise_for_status()
    katherine.claim(loop)
    katherine.answer(task, {"answer": "three"}).raise_for_status()
    document = backend.output(backend.until_status(loop, "Completed"))
    answers = document["humanAnswers"]
    assert [one["answerContent"]["answer"] for one in answers] == ["one", "two", "three"]
    assert len({one["workerId"] for one in answers}) == 3


def test_a_declined_task_goes_to_others_and_a_released_one_comes_back(
    backend: Backend, flow: str, reviewers: tuple[Portal, ...]
) -> None:
    ada, grace, _ = reviewers
    loop = backend.named("given-back")
    backend.start(loop, flow=flow)
    task = ada.claim(loop)["task_id"]
    assert grace.post(f"tasks/{task}/claim").status_code == 409
    ada.post(f"tasks/{task}/release").raise_for_status()
    ada.claim(loop)
    ada.post(f"tasks/{task}/decline").raise_for_status()
    assert loop not in [one["human_loop"] for one in ada.tasks()]
    grace.claim(loop)
    grace.answer(task, {"answer": "mine"}).raise_for_status()
    assert backend.until_status(loop, "Completed")


def test_a_stopped_loop_can_be_answered_by_nobody_any_more(
    backend: Backend, flow: str, reviewers: tuple[Portal, ...]
) -> None:
    loop = backend.named("stopped-open")
    backend.start(loop, flow=flow)
    task = reviewers[0].task_id(loop)
    backend.a2i.stop_human_loop(HumanLoopName=loop)
    backend.until_status(loop, "Stopped")
    assert reviewers[0].post(f"tasks/{task}/claim").status_code in {404, 410}


# Task UIs


def test_a_task_ui_is_described_by_its_hash_and_never_by_its_text(backend: Backend, page: str) -> None:
    described = backend.sagemaker.describe_human_task_ui(HumanTaskUiName=backend.named("question"))
    assert described["HumanTaskUiArn"] == page
    assert described["HumanTaskUiStatus"] == "Active"
    assert set(described["UiTemplate"]) == {"Url", "ContentSha256"}
    assert described["UiTemplate"]["ContentSha256"] == hashlib.sha256(TEMPLATE.encode()).hexdigest()


def test_task_uis_are_taken_deleted_and_missing(backend: Backend) -> None:
    sagemaker, name = backend.sagemaker, backend.named("passing-page")
    create_page(backend, "passing-page")
    create, describe = sagemaker.create_human_task_ui, sagemaker.describe_human_task_ui
    assert refused(create, HumanTaskUiName=name, UiTemplate={"Content": "x"})[0] == "ResourceInUse"
    sagemaker.delete_human_task_ui(HumanTaskUiName=name)

    def is_gone() -> bool:
        try:
            return str(describe(HumanTaskUiName=name)["HumanTaskUiStatus"]) != "Deleting"
        except ClientError as error:
            return bool(error.response["Error"]["Code"] == "ResourceNotFound")

    until(is_gone, what="the task UI is gone")
    assert refused(describe, HumanTaskUiName=name)[0] == "ResourceNotFound"
    assert refused(sagemaker.delete_human_task_ui, HumanTaskUiName=name)[0] == "ResourceNotFound"


def test_task_uis_are_listed_in_pages(backend: Backend, page: str) -> None:
    create_page(backend, "listed-page")
    pages = pages_of(backend.sagemaker.list_human_task_uis, "HumanTaskUiSummaries", MaxResults=1)
    assert all(len(one) <= 1 for one in pages)
    names = [ui["HumanTaskUiName"] for one in pages for ui in one]
    assert {backend.named("question"), backend.named("listed-page")} <= set(names)
    assert len(names) == len(set(names))
    future = datetime.now(UTC) + timedelta(days=1)
    assert backend.sagemaker.list_human_task_uis(CreationTimeAfter=future)["HumanTaskUiSummaries"] == []


def test_a_template_is_rendered_with_its_errors(backend: Backend) -> None:
    task = {"Input": json.dumps({"question": "is <it>?"})}
    render = backend.sagemaker.render_ui_template
    rendered = render(UiTemplate={"Content": TEMPLATE}, Task=task, RoleArn=backend.role_arn)
    assert "is &lt;it&gt;?" in rendered["RenderedContent"]
    assert rendered["Errors"] == []
    broken = "{% if %}<crowd-form></crowd-form>"
    assert render(UiTemplate={"Content": broken}, Task=task, RoleArn=backend.role_arn)["Errors"]


# Flow definitions


def test_a_flow_definition_becomes_active_and_vanishes_after_a_moment(backend: Backend, page: str) -> None:
    sagemaker, name = backend.sagemaker, backend.named("passing")
    backend.define("passing", page=page)
    described = sagemaker.describe_flow_definition(FlowDefinitionName=name)
    assert described["RoleArn"] == backend.role_arn
    sagemaker.delete_flow_definition(FlowDefinitionName=name)

    def is_gone() -> bool:
        try:
            status = sagemaker.describe_flow_definition(FlowDefinitionName=name)["FlowDefinitionStatus"]
            assert status == "Deleting"
        except ClientError as error:
            return bool(error.response["Error"]["Code"] == "ResourceNotFound")
        return False

    until(is_gone, what="the flow definition is gone")
    assert refused(sagemaker.delete_flow_definition, FlowDefinitionName=name)[0] == "ResourceNotFound"


def test_a_flow_definition_that_cannot_be_is_refused(backend: Backend, flow: str, page: str) -> None:
    with pytest.raises(ClientError) as taken:
        backend.define("reading", page=page, TaskCount=2)
    assert taken.value.response["Error"]["Code"] == "ResourceInUse"
    for config in (
        {"TaskCount": 4},
        {"WorkteamArn": backend.team_arn + "-missing"},
        {"HumanTaskUiArn": page + "-missing"},
    ):
        with pytest.raises(ClientError) as caught:
            backend.define("impossible", page=page, **config)
        assert caught.value.response["Error"]["Code"] in {"ValidationException", "ResourceNotFound"}, config


def test_flow_definitions_are_listed_in_pages_and_by_time(backend: Backend, flow: str) -> None:
    call = backend.sagemaker.list_flow_definitions
    pages = pages_of(call, "FlowDefinitionSummaries", MaxResults=2, SortOrder="Ascending")
    assert all(len(one) <= 2 for one in pages)
    found = [one for each in pages for one in each]
    assert backend.named("reading") in [one["FlowDefinitionName"] for one in found]
    times = [one["CreationTime"] for one in found]
    assert times == sorted(times)
    past = datetime.now(UTC) - timedelta(days=1)
    assert call(CreationTimeBefore=past)["FlowDefinitionSummaries"] == []
    assert refused(call, NextToken="nonsense")[0] == "ValidationException"


# Work teams and workforce


def test_a_work_team_lives_from_creation_over_update_to_deletion(backend: Backend) -> None:
    sagemaker, name = backend.sagemaker, backend.named("team")
    sagemaker.create_workteam(
        WorkteamName=name,
        WorkforceName=backend.workforce,
        Description="a",
        MemberDefinitions=[backend.member],
    )
    sagemaker.update_workteam(WorkteamName=name, Description="b")
    described = sagemaker.describe_workteam(WorkteamName=name)["Workteam"]
    assert (described["Description"], described["MemberDefinitions"]) == ("b", [backend.member])
    listed = sagemaker.list_workteams(NameContains=name)["Workteams"]
    assert [team["WorkteamName"] for team in listed] == [name]
    assert sagemaker.delete_workteam(WorkteamName=name)["Success"]
    code, message, _ = refused(sagemaker.describe_workteam, WorkteamName=name)
    assert (code, "does not exist" in message) == ("ValidationException", True)


def test_as_many_work_teams_as_an_account_may_have(backend: Backend) -> None:
    sagemaker, made = backend.sagemaker, []

    def make(number: int) -> None:
        name = backend.named(f"many-{number}")
        sagemaker.create_workteam(
            WorkteamName=name, Description="one of many", MemberDefinitions=[backend.member]
        )
        made.append(name)

    try:
        there = sum(len(one) for one in pages_of(sagemaker.list_workteams, "Workteams", MaxResults=100))
        for number in range(limits.WORKTEAMS_PER_ACCOUNT - there):
            make(number)
        with pytest.raises(ClientError) as caught:
            make(limits.WORKTEAMS_PER_ACCOUNT)
        assert caught.value.response["Error"]["Code"] == "ResourceLimitExceeded"
    finally:
        for name in made:
            sagemaker.delete_workteam(WorkteamName=name)


def test_there_is_one_workforce_and_it_keeps_its_teams(backend: Backend) -> None:
    sagemaker = backend.sagemaker
    code, message, _ = refused(sagemaker.create_workforce, WorkforceName="second", CognitoConfig=COGNITO)
    assert (code, "more than one workforce" in message) == ("ValidationException", True)
    assert refused(sagemaker.delete_workforce, WorkforceName=backend.workforce)[0] == "ResourceInUse"
    (only,) = sagemaker.list_workforces()["Workforces"]
    described = sagemaker.describe_workforce(WorkforceName=backend.workforce)["Workforce"]
    assert only["WorkforceArn"] == described["WorkforceArn"]
    assert refused(sagemaker.describe_workforce, WorkforceName="nobody")[0] == "ValidationException"


# Tags


def test_tags_of_every_kind_of_resource(backend: Backend, flow: str, page: str) -> None:
    sagemaker = backend.sagemaker
    for arn in (flow, page, backend.team_arn):
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "owner", "Value": "a"}, {"Key": "x", "Value": ""}])
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "owner", "Value": "b"}])
        tags = {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}
        assert (tags["owner"], tags["x"]) == ("b", "")
        sagemaker.delete_tags(ResourceArn=arn, TagKeys=["owner", "x", "never-there"])
        left = {tag["Key"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}
        assert not left & {"owner", "x"}


def test_tags_come_with_the_creation(backend: Backend) -> None:
    arn = create_page(backend, "tagged", Tags=[{"Key": "cost", "Value": "7"}])
    assert backend.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "cost", "Value": "7"}]


def test_tags_of_nothing_are_not_found(backend: Backend, flow: str) -> None:
    missing = flow.rsplit("/", 1)[0] + "/missing"
    code, _, _ = refused(backend.sagemaker.list_tags, ResourceArn=missing)
    assert code in {"ResourceNotFound", "ValidationException"}


# The portal


def test_the_task_is_shown_in_its_frame_to_who_claimed_it(
    backend: Backend, flow: str, reviewers: tuple[Portal, ...]
) -> None:
    ada, grace, _ = reviewers
    loop = backend.named("shown")
    backend.start(loop, flow=flow, question="is <b>this</b> it?")
    claimed = ada.claim(loop)
    frame = ada.page(claimed["frame_url"])
    assert frame.status_code == 200
    assert "is &lt;b&gt;this&lt;/b&gt; it?" in frame.text
    assert "sandbox" in frame.headers["content-security-policy"]
    assert grace.page(claimed["frame_url"]).status_code in {403, 404, 409}
    ada.post(f"tasks/{claimed['task_id']}/release").raise_for_status()


def test_the_next_task_is_the_most_urgent_one(
    backend: Backend, page: str, reviewers: tuple[Portal, ...]
) -> None:
    flow = backend.define("urgent", page=page)
    calm, urgent = backend.named("calm"), backend.named("now")
    backend.start(calm, flow=flow, question="a")
    backend.start(urgent, flow=flow, question="b", overread={"priority": "urgent"})
    ada = reviewers[0]
    ada.task_id(urgent)
    claimed = ada.post("tasks/next").raise_for_status().json()
    assert (claimed["human_loop"], claimed["priority"]) == (urgent, "urgent")
    for loop in (calm, urgent):
        backend.a2i.stop_human_loop(HumanLoopName=loop)


def test_work_pauses_goes_on_and_is_looked_back_on(
    backend: Backend, flow: str, reviewers: tuple[Portal, ...]
) -> None:
    loop = backend.named("paused")
    backend.start(loop, flow=flow)
    ada = reviewers[0]
    task = ada.claim(loop)["task_id"]
    assert ada.post(f"tasks/{task}/pause").raise_for_status().json()["running"] is False
    assert ada.post(f"tasks/{task}/resume").raise_for_status().json()["running"] is True
    ada.answer(task, {"answer": "looked back on"}).raise_for_status()
    backend.until_status(loop, "Completed")
    entries = ada.get("history").raise_for_status().json()["answers"]
    entry = next(one for one in entries if one["task_id"] == task)
    assert (entry["choices"], entry["status"]) == ({"answer": "looked back on"}, "Completed")
    assert entry["guideline_version"].startswith("sha256:")


def test_who_cannot_decide_says_so_and_the_output_tells(
    backend: Backend, flow: str, reviewers: tuple[Portal, ...]
) -> None:
    loop = backend.named("undecided")
    backend.start(loop, flow=flow)
    task = reviewers[0].claim(loop)["task_id"]
    reviewers[0].post(f"tasks/{task}/cannot-decide", {"reason": "the scan is black"}).raise_for_status()
    (answer,) = backend.output(backend.until_status(loop, "Completed"))["humanAnswers"]
    assert answer["answerContent"]["overread"] == {"cannot_decide": True, "reason": "the scan is black"}


def test_a_lead_sees_the_queue_answers_a_question_and_stops_a_task(
    backend: Backend, page: str, reviewers: tuple[Portal, ...], lead: Portal
) -> None:
    flow = backend.define("led", page=page)
    loop = backend.named("asked")
    backend.start(loop, flow=flow)
    ada = reviewers[0]
    task = ada.claim(loop)["task_id"]
    ada.post(f"tasks/{task}/notes", {"kind": "question", "text": "which line?"}).raise_for_status()
    queues = lead.get("lead/overview").raise_for_status().json()["queues"]
    queue = next(one for one in queues if one["flow_definition"] == backend.named("led"))
    assert (queue["open"], queue["claimed"]) == (1, 1)
    replied = lead.post(f"lead/tasks/{task}/reply", {"text": "the last"}).raise_for_status().json()
    assert [(note["kind"], note["text"]) for note in replied["notes"]] == [
        ("question", "which line?"),
        ("reply", "the last"),
    ]
    assert ada.post(f"lead/tasks/{task}/stop").status_code == 403
    lead.post(f"lead/tasks/{task}/stop").raise_for_status()
    assert backend.status(loop) == "Stopping", "who has begun may finish"
    ada.answer(task, {"answer": "the last"}).raise_for_status()
    assert backend.until_status(loop, "Completed")["HumanLoopOutput"]


def test_the_portals_page_and_scripts_are_served_where_links_lead(
    backend: Backend, reviewers: tuple[Portal, ...]
) -> None:
    shown = reviewers[0].page("portal/")
    assert shown.status_code == 200
    assert "text/html" in shown.headers["content-type"]
    script = reviewers[0].page("portal/static/portal.js")
    assert script.status_code == 200
    assert "javascript" in script.headers["content-type"]
    assert len(script.content) > 1000
    icon = reviewers[0].page("portal/static/icon.svg")
    assert (icon.status_code, icon.content[:1]) == (200, b"<")


def test_nobody_changes_anything_without_session_and_token(
    backend: Backend, flow: str, reviewers: tuple[Portal, ...]
) -> None:
    loop = backend.named("guarded")
    backend.start(loop, flow=flow)
    ada = reviewers[0]
    task = ada.task_id(loop)
    assert ada.post(f"tasks/{task}/claim", headers={"X-Overread-CSRF": "forged"}).status_code == 403
    with closing(Portal(browser(), url=backend.portal_url)) as stranger:
        assert stranger.get("tasks").status_code == 401
        assert stranger.post(f"tasks/{task}/claim").status_code in {401, 403}
    assert backend.status(loop) == "InProgress"
    backend.a2i.stop_human_loop(HumanLoopName=loop)
