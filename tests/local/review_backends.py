"""The review service twice: as the local stack's process, and deployed as Lambda behind its REST API."""

import html
import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import boto3
import httpx
from botocore.config import Config
from tests.local.conftest import client_of

from overread_client import a2i_client, sagemaker_client
from overread_local.stack import LocalStack

EVENT_TYPE = "SageMaker A2I HumanLoop Status Change"
PATIENCE_S = 40.0
PASSWORD = "Correct-horse-7-battery"
ONCE = Config(retries={"total_max_attempts": 1}, proxies={})


def until(done: Callable[[], Any], *, timeout_s: float = PATIENCE_S, what: str = "") -> Any:
    """What `done` gives as soon as it gives something."""
    deadline = time.monotonic() + timeout_s
    while not (found := done()):
        assert time.monotonic() < deadline, f"not within {timeout_s:.0f} s: {what}"
        time.sleep(0.05)
    return found


def browser(*, follows: bool = False) -> httpx.Client:
    """A browser without cookies; a page's own scripts do not follow redirects to other sites."""
    return httpx.Client(timeout=30.0, trust_env=False, follow_redirects=follows)


class Portal:
    """A reviewer's browser, as far as the portal's own scripts use it: cookies, CSRF token, JSON."""

    def __init__(self, http: httpx.Client, *, url: str) -> None:
        self._http = http
        self.url = url.rstrip("/") + "/"
        self.session: Mapping[str, Any] = {}

    def open(self) -> "Portal":
        """The session as the page reads it when it opens."""
        self.session = self.get("session").raise_for_status().json()
        return self

    def close(self) -> None:
        self._http.close()

    def cookies(self) -> list[Any]:
        return list(self._http.cookies.jar)

    def sign_out(self) -> httpx.Response:
        headers = {"X-Overread-CSRF": self.session["csrf_token"]}
        return self._http.delete(urljoin(self.url, "portal/api/session"), headers=headers)

    def get(self, path: str) -> httpx.Response:
        return self._http.get(urljoin(self.url, f"portal/api/{path}"))

    def post(self, path: str, document: Mapping[str, Any] | None = None, **options: Any) -> httpx.Response:
        headers = {"X-Overread-CSRF": self.session.get("csrf_token", "")} | options.pop("headers", {})
        return self._http.post(
            urljoin(self.url, f"portal/api/{path}"), json=dict(document or {}), headers=headers, **options
        )

    def page(self, path: str) -> httpx.Response:
        """Anything below the portal's address, or a full path as the API gives it."""
        return self._http.get(urljoin(self.url, path))

    def tasks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("tasks").raise_for_status().json()["tasks"]
        return found

    def claim(self, loop: str) -> dict[str, Any]:
        claimed: dict[str, Any] = self.post(f"tasks/{self.task_id(loop)}/claim").raise_for_status().json()
        return claimed

    def task_id(self, loop: str) -> str:
        """The id of the loop's task, as soon as it is offered."""
        return str(
            until(
                lambda: next((t["task_id"] for t in self.tasks() if t["human_loop"] == loop), None),
                what=f"{loop} is offered",
            )
        )

    def answer(self, task_id: str, answer: Mapping[str, Any]) -> httpx.Response:
        return self.post(f"tasks/{task_id}/answer", {"answer": dict(answer)})


@dataclass(frozen=True)
class Backend:
    """One way of running the review service, and what its tests need of it.

    `settle` makes the service do now what is due: the deployed one looks once a minute only.
    """

    name: str
    stack: LocalStack
    sagemaker: Any
    a2i: Any
    workforce: str
    member: Mapping[str, Any]
    team_arn: str
    role_arn: str
    output_path: str
    source: str
    portal_url: str
    sign_in: Callable[[str], Portal]
    sign_in_lead: Callable[[], Portal]
    settle: Callable[[], None]
    prefix: str = field(default_factory=lambda: f"contract-{uuid.uuid4().hex[:6]}")

    def client(self, service: str) -> Any:
        return client_of(self.stack, service)

    def named(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def define(self, name: str, *, page: str, **config: Any) -> str:
        """The ARN of a new flow definition once it is active; `config` are members of HumanLoopConfig."""
        arn = self.sagemaker.create_flow_definition(
            FlowDefinitionName=self.named(name),
            RoleArn=self.role_arn,
            OutputConfig={"S3OutputPath": self.output_path},
            HumanLoopConfig={
                "WorkteamArn": self.team_arn,
                "HumanTaskUiArn": page,
                "TaskTitle": f"Read {name} again",
                "TaskDescription": "Answer the question",
                "TaskCount": 1,
                **config,
            },
        )["FlowDefinitionArn"]
        until(lambda: self.flow_status(name) == "Active", what=f"{name} is active")
        return str(arn)

    def flow_status(self, name: str) -> str:
        described = self.sagemaker.describe_flow_definition(FlowDefinitionName=self.named(name))
        return str(described["FlowDefinitionStatus"])

    def start(self, loop: str, *, flow: str, **content: Any) -> str:
        return str(
            self.a2i.start_human_loop(
                HumanLoopName=loop,
                FlowDefinitionArn=flow,
                HumanLoopInput={"InputContent": json.dumps(content or {"question": "is it?"})},
            )["HumanLoopArn"]
        )

    def status(self, loop: str) -> str:
        return str(self.a2i.describe_human_loop(HumanLoopName=loop)["HumanLoopStatus"])

    def until_status(self, loop: str, status: str) -> dict[str, Any]:
        """The loop as soon as it has the status."""

        def described() -> dict[str, Any] | None:
            self.settle()
            found: dict[str, Any] = self.a2i.describe_human_loop(HumanLoopName=loop)
            return found if found["HumanLoopStatus"] == status else None

        found: dict[str, Any] = until(described, what=f"{loop} is {status}")
        return found

    def output(self, described: Mapping[str, Any]) -> dict[str, Any]:
        """The output document of an ended loop."""
        bucket, _, key = described["HumanLoopOutput"]["OutputS3Uri"].removeprefix("s3://").partition("/")
        body = self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        document: dict[str, Any] = json.loads(body)
        return document


class EventLog:
    """Every status event that reached a rule on the default bus since the log was opened."""

    def __init__(self, backend: Backend) -> None:
        self._sqs, events = backend.client("sqs"), backend.client("events")
        name = backend.named(f"events-{uuid.uuid4().hex[:4]}")
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        pattern = {"source": [backend.source], "detail-type": [EVENT_TYPE]}
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        target = {"Id": "queue", "Arn": attributes["Attributes"]["QueueArn"]}
        events.put_targets(Rule=name, Targets=[target])
        self._events: list[dict[str, Any]] = []

    def events(self) -> list[dict[str, Any]]:
        """All so far."""
        while True:
            reply = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
            messages = reply.get("Messages", [])
            if not messages:
                return list(self._events)
            for message in messages:
                self._events.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])

    def of(self, loop: str) -> list[dict[str, Any]]:
        """The details of one loop's events."""
        return [one["detail"] for one in self.events() if one["detail"]["humanLoopName"] == loop]


class ApiUser:
    """An IAM user who may call one REST API, or nothing at all."""

    def __init__(self, stack: LocalStack, *, name: str, api_id: str | None) -> None:
        iam = client_of(stack, "iam")
        iam.create_user(UserName=name)
        if api_id is not None:
            statement = {
                "Effect": "Allow",
                "Action": "execute-api:Invoke",
                "Resource": f"arn:aws:execute-api:*:*:{api_id}/*",
            }
            document = {"Version": "2012-10-17", "Statement": [statement]}
            iam.put_user_policy(UserName=name, PolicyName="invoke", PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self.session = boto3.Session(
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            region_name=stack.record.region,
        )


class Sweeper:
    """Has the deployed sweep run now, at most once in a while: its schedule is a minute."""

    EVERY_S = 1.0

    def __init__(self, stack: LocalStack, *, function: str) -> None:
        self._lambda = client_of(stack, "lambda")
        self._function = function
        self._lock = threading.Lock()
        self._next = 0.0

    def __call__(self) -> None:
        with self._lock:
            if time.monotonic() < self._next:
                return
            reply = self._lambda.invoke(FunctionName=self._function, Payload=b"{}")
            assert "FunctionError" not in reply, reply["Payload"].read()
            self._next = time.monotonic() + self.EVERY_S


def function_of(stack: LocalStack, module: str) -> str:
    """The name of the deployed function whose handler lies in that module."""
    pages = client_of(stack, "lambda").get_paginator("list_functions").paginate()
    (name,) = [
        one["FunctionName"]
        for page in pages
        for one in page["Functions"]
        if one["Handler"] == f"overread_lambda.{module}.handler"
    ]
    return str(name)


def make_chaos(stack: LocalStack, *, duplicate: float, delay: float) -> None:
    """Turns on the deployed service's chaos mode, as the setting `review.chaos` would."""
    functions = client_of(stack, "lambda")
    for module in ("review_service", "sweep_reviews"):
        name = function_of(stack, module)
        variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        behaviour = json.loads(variables["OVERREAD_REVIEW_SETTINGS"])
        behaviour["chaos"] = {"duplicate": duplicate, "delay": delay}
        functions.update_function_configuration(
            FunctionName=name,
            Environment={"Variables": variables | {"OVERREAD_REVIEW_SETTINGS": json.dumps(behaviour)}},
        )


def deployed_backend(stack: LocalStack, *, review_url: str, portal_url: str, pool_id: str) -> Backend:
    """The deployed service with what its stacks have made: workforce, teams, roles, output bucket."""
    url = stack.local_address(review_url)
    address = stack.local_address(portal_url).rstrip("/").removesuffix("/portal")
    user = ApiUser(stack, name=f"contract-{uuid.uuid4().hex[:6]}", api_id=url.split("/")[-2])
    sagemaker = sagemaker_client(url, session=user.session, config=ONCE)
    (workforce,) = sagemaker.list_workforces()["Workforces"]
    flow = sagemaker.list_flow_definitions()["FlowDefinitionSummaries"][0]["FlowDefinitionName"]
    terms = sagemaker.describe_flow_definition(FlowDefinitionName=flow)
    team_arn = terms["HumanLoopConfig"]["WorkteamArn"]
    team = sagemaker.describe_workteam(WorkteamName=team_arn.rsplit("/", 1)[-1])["Workteam"]
    member = team["MemberDefinitions"][0]
    people = CognitoPeople(stack, pool_id=pool_id, portal_url=address)

    def sign_in(name: str) -> Portal:
        people.add(name, groups=[member["CognitoMemberDefinition"]["UserGroup"]])
        return people.sign_in(name)

    def sign_in_lead() -> Portal:
        people.add("barbara", groups=[member["CognitoMemberDefinition"]["UserGroup"], "leads"])
        return people.sign_in("barbara")

    return Backend(
        name="deployed Lambda",
        stack=stack,
        sagemaker=sagemaker,
        a2i=a2i_client(url, session=user.session, config=ONCE),
        workforce=workforce["WorkforceName"],
        member=member,
        team_arn=team_arn,
        role_arn=terms["RoleArn"],
        output_path=terms["OutputConfig"]["S3OutputPath"],
        source="overread.review",
        portal_url=address,
        sign_in=sign_in,
        sign_in_lead=sign_in_lead,
        settle=Sweeper(stack, function=function_of(stack, "sweep_reviews")),
    )


def sign_in_by_name(portal_url: str) -> Callable[[str], Portal]:
    """The local process's way: the name is enough."""

    def sign_in(name: str) -> Portal:
        http = browser()
        portal = Portal(http, url=portal_url)
        http.post(urljoin(portal.url, "portal/api/session"), json={"reviewer": name}).raise_for_status()
        return portal.open()

    return sign_in


class CognitoPeople:
    """People in a user pool, and browsers that sign in through its pages."""

    def __init__(self, stack: LocalStack, *, pool_id: str, portal_url: str) -> None:
        self._cognito = client_of(stack, "cognito-idp")
        self._pool_id = pool_id
        self._portal_url = portal_url
        self._made: set[str] = set()
        self._lock = threading.Lock()

    def add(self, name: str, *, groups: Sequence[str]) -> None:
        """A confirmed user with a password."""
        with self._lock:
            if name in self._made:
                return
            self._made.add(name)
        email = f"{name}@example.com"
        self._cognito.admin_create_user(
            UserPoolId=self._pool_id,
            Username=email,
            UserAttributes=[
                {"Name": "email", "Value": email},
                {"Name": "email_verified", "Value": "true"},
                {"Name": "name", "Value": name},
            ],
            MessageAction="SUPPRESS",
        )
        self._cognito.admin_set_user_password(
            UserPoolId=self._pool_id, Username=email, Password=PASSWORD, Permanent=True
        )
        for group in groups:
            self._cognito.admin_add_user_to_group(UserPoolId=self._pool_id, Username=email, GroupName=group)

    def groups(self) -> list[str]:
        """Every group of the pool."""
        found = self._cognito.list_groups(UserPoolId=self._pool_id)["Groups"]
        return [str(one["GroupName"]) for one in found]

    def browser(self, name: str, *, password: str = PASSWORD) -> tuple[httpx.Client, httpx.Response]:
        """A browser after the whole way through the sign-in pages, and the page that it ends on."""
        http = browser(follows=True)
        base = self._portal_url.rstrip("/") + "/"
        providers = http.get(urljoin(base, "portal/api/sign-in")).raise_for_status().json()
        assert providers["mode"] == "oidc", providers
        form = http.get(urljoin(urljoin(base, "portal/"), providers["providers"][0]["url"]))
        return http, _submitted(http, form, username=f"{name}@example.com", password=password)

    def sign_in(self, name: str) -> Portal:
        """A signed-in reviewer of that name."""
        http, page = self.browser(name)
        assert page.status_code == 200, page.text
        return Portal(http, url=self._portal_url).open()


def _submitted(http: httpx.Client, page: httpx.Response, **typed: str) -> httpx.Response:
    """What comes after the page's form, filled in as a person would."""
    page.raise_for_status()
    form = re.search(r"<form[^>]*>.*?</form>", page.text, re.DOTALL)
    assert form is not None, page.text[:2000]
    action = re.search(r'action="([^"]*)"', form[0])
    inputs = re.findall(r"<input[^>]*>", form[0])
    fields = {
        name[1]: (value[1] if (value := re.search(r'value="([^"]*)"', one)) else "")
        for one in inputs
        if (name := re.search(r'name="([^"]*)"', one))
    }
    target = urljoin(str(page.url), html.unescape(action[1]) if action and action[1] else "")
    unescaped = {name: html.unescape(value) for name, value in fields.items()}
    return http.post(target, data=unescaped | typed)
