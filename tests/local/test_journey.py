"""The main job on the deployed stacks: request, route, review, decide; with IAM enforced.

Every test runs twice: where Amazon A2I serves human review, and where Overread's own service does.
"""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.local.conftest import Deployment
from tests.local.review_backends import CognitoPeople, Portal, Sweeper, function_of

from overread_cli.demo.cases import Case, load_cases
from overread_cli.demo.portal_client import PortalClient

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30.0


class Reviewer(Protocol):
    """Somebody at the portal."""

    def tasks(self) -> Sequence[Mapping[str, Any]]: ...
    def claim(self, task_id: str) -> Mapping[str, Any] | None: ...
    def page(self, claimed: Mapping[str, Any]) -> str: ...
    def answer(self, task_id: str, answer: Mapping[str, Any]) -> bool: ...


@dataclass(frozen=True)
class Site:
    """Deployed stacks, their reviewers, and what makes a deployed review service do now what is due."""

    deployment: Deployment
    reviewer: Callable[[], Iterator[Reviewer]]
    settle: Callable[[], None]


class PoolReviewer:
    """A reviewer of the deployed review service, signed in through Cognito's pages."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def tasks(self) -> Sequence[Mapping[str, Any]]:
        return self._portal.tasks()

    def claim(self, task_id: str) -> Mapping[str, Any] | None:
        reply = self._portal.post(f"tasks/{task_id}/claim")
        if reply.status_code in {404, 409, 410}:
            return None
        claimed: Mapping[str, Any] = reply.raise_for_status().json()
        return claimed

    def page(self, claimed: Mapping[str, Any]) -> str:
        return self._portal.page(claimed["frame_url"]).raise_for_status().text

    def answer(self, task_id: str, answer: Mapping[str, Any]) -> bool:
        return self._portal.answer(task_id, answer).is_success


@pytest.fixture(scope="module", params=["A2I", "review service"])
def site(request: pytest.FixtureRequest) -> Site:
    if request.param == "A2I":
        deployed: Deployment = request.getfixturevalue("deployed")

        def by_name() -> Iterator[Reviewer]:
            with PortalClient(deployed.stack.portal_url, reviewer="ada") as portal:
                yield portal

        return Site(deployed, reviewer=by_name, settle=lambda: None)
    desk: Deployment = request.getfixturevalue("desk")
    stack = desk.stack
    people = CognitoPeople(
        stack,
        pool_id=desk.output("review", "UserPoolId"),
        portal_url=stack.local_address(desk.output("review", "ReviewUrl")),
    )
    people.add("journey", groups=people.groups())

    def by_pool() -> Iterator[Reviewer]:
        with closing(people.sign_in("journey")) as portal:
            yield PoolReviewer(portal)

    return Site(desk, reviewer=by_pool, settle=Sweeper(stack, function=function_of(stack, "sweep_reviews")))


class Caller:
    """An IAM user who may invoke the API, and raw HTTP as that user."""

    def __init__(self, site: Site, *, name: str, may_invoke: bool = True) -> None:
        deployed = site.deployment
        self._settle = site.settle
        iam = deployed.client("iam")
        iam.create_user(UserName=name)
        if may_invoke:
            statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
            iam.put_user_policy(
                UserName=name,
                PolicyName="invoke",
                PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
            )
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self._credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
        self._region = deployed.stack.record.region
        self._url = deployed.stack.invoke_url(
            deployed.output("inference", "ApiId"), deployed.output("inference", "ApiStage")
        )

    def send(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        sign: bool = True,
    ) -> httpx.Response:
        request = AWSRequest(method, self._url + path, data=body or None, headers=dict(headers or {}))
        if sign:
            SigV4Auth(self._credentials, "execute-api", self._region).add_auth(request)
        return httpx.request(method, request.url, content=body, headers=dict(request.headers), timeout=60)

    def post(self, use_case: str, document: Any, *, key: str | None = "") -> httpx.Response:
        """POST of a decision; `key` None leaves the header out, "" makes a new one."""
        headers = {} if key is None else {"Idempotency-Key": key or uuid.uuid4().hex}
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return self.send("POST", f"/v1/use-cases/{use_case}/decisions", body=body, headers=headers)

    def get(self, decision_id: str) -> httpx.Response:
        return self.send("GET", f"/v1/decisions/{decision_id}")

    def until(self, decision_id: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The decision document as soon as it `holds`."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            document: dict[str, Any] = self.get(decision_id).json()
            if holds(document):
                return document
            self._settle()
            assert time.monotonic() < deadline, document
            time.sleep(0.1)


@pytest.fixture(scope="module")
def caller(site: Site) -> Caller:
    return Caller(site, name="journey")


@pytest.fixture
def ada(site: Site) -> Iterator[Reviewer]:
    yield from site.reviewer()


def cases(use_case: str, *, each: int = 40) -> tuple[Case, ...]:
    return load_cases(ROOT / "build/models", use_cases=[use_case], each=each)


def high_loan() -> dict[str, Any]:
    """A loan above the amount from which people decide, whatever the model says."""
    case = next(case for case in cases("loan-approval") if case.input["amount"] <= 10_000)
    return {**case.input, "amount": 15_000}


def claim(portal: Reviewer, decision_id: str) -> Mapping[str, Any]:
    """The decision's task in the reviewer's hands, as soon as there is one."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for task in portal.tasks():
            claimed = portal.claim(task["task_id"])
            if claimed is not None and claimed["input"].get("decision_id") == decision_id:
                return claimed
        time.sleep(0.1)
    raise AssertionError(f"no task for {decision_id}")


def final_by_people(document: Mapping[str, Any]) -> bool:
    return document["state"] == "FINAL" and document["outcome"]["source"] == "human"


def test_a_confident_prediction_is_final_at_once(caller: Caller) -> None:
    replies = [
        caller.post("tumor-screening", {"input": case.input}) for case in cases("tumor-screening", each=8)
    ]
    final = [reply.json() for reply in replies if reply.status_code == 200]
    assert final, [reply.text for reply in replies]
    for document in final:
        assert document["outcome"]["source"] == "model"
        assert document["prediction"]["confidence"] >= 0.9
        assert document["route"] | {"to": "model", "reasons": []} == document["route"]
        assert caller.get(document["decision_id"]).json() == document


def test_a_rule_sends_a_sure_case_to_people_and_their_answer_is_final(caller: Caller, ada: Reviewer) -> None:
    reply = caller.post("loan-approval", {"input": high_loan(), "reference": "loan-journey"})
    assert reply.status_code == 202
    pending = reply.json()
    assert {"code": "rule"} in pending["route"]["reasons"]
    assert "prediction" not in pending
    assert "outcome" not in pending

    claimed = claim(ada, pending["decision_id"])
    answer = {"decision": {"label": "decline"}, "reason_code": "repayment-capacity", "note": "too much"}
    assert ada.answer(claimed["task_id"], answer)
    document = caller.until(pending["decision_id"], final_by_people)
    assert document["outcome"]["label"] == "decline"
    assert document["outcome"]["reason_code"] == "repayment-capacity"
    assert document["review"]["reviews"] == 1
    assert document["reference"] == "loan-journey"


def test_withheld_columns_reach_neither_page_nor_task(caller: Caller, ada: Reviewer) -> None:
    marks = {"sex": "withheld-sex-4711", "age": "withheld-age-4712", "foreign_worker": "withheld-fw-4713"}
    decision = caller.post("loan-approval", {"input": high_loan() | marks}).json()
    claimed = claim(ada, decision["decision_id"])
    page = ada.page(claimed)
    assert "15,000" in page
    for mark in ("withheld-", *marks):
        assert mark not in json.dumps(claimed["input"])
    assert "withheld-" not in page
    assert ada.answer(claimed["task_id"], {"decision": {"label": "approve"}, "reason_code": "sound"})


def test_the_records_tell_the_way_in_order_and_pin_the_answer(
    site: Site, caller: Caller, ada: Reviewer
) -> None:
    decision_id = caller.post("loan-approval", {"input": high_loan()}).json()["decision_id"]
    claimed = claim(ada, decision_id)
    assert ada.answer(claimed["task_id"], {"decision": {"label": "approve"}, "reason_code": "sound"})
    caller.until(decision_id, final_by_people)
    deployed = site.deployment
    items = deployed.client("dynamodb").query(
        TableName=deployed.output("data", "TableName"),
        KeyConditionExpression="pk = :id",
        ExpressionAttributeValues={":id": {"S": decision_id}},
    )["Items"]
    entries = [item["sk"]["S"] for item in items if item["sk"]["S"].startswith("AUDIT#")]
    assert entries == [f"AUDIT#{number:08d}" for number in range(1, len(entries) + 1)]
    assert len(entries) >= 3
    objects = deployed.client("s3").list_objects_v2(Bucket=deployed.output("data", "OutputBucketName"))
    (output,) = [item["Key"] for item in objects["Contents"] if claimed_loop(claimed) in item["Key"]]
    assert output.startswith(f"reviews/{deployed.prefix}-loan-approval-")
    assert output.endswith("/output.json")


def claimed_loop(claimed: Mapping[str, Any]) -> str:
    return str(claimed["task_id"]).split("/")[0]


def test_the_same_key_gives_the_same_decision_and_another_body_is_refused(caller: Caller) -> None:
    case = cases("tumor-screening", each=1)[0]
    first = caller.post("tumor-screening", {"input": case.input}, key="twice")
    again = caller.post("tumor-screening", {"input": case.input}, key="twice")
    assert settled(again.json()) == settled(first.json())
    other = caller.post("tumor-screening", {"input": case.input, "reference": "other"}, key="twice")
    assert (other.status_code, other.json()["type"]) == (422, "urn:overread:problem:idempotency-key-reused")
    assert settled(caller.get(first.json()["decision_id"]).json()) == settled(first.json())


def settled(document: dict[str, Any]) -> dict[str, Any]:
    """What a decision's document says for good: its review may begin between two looks."""
    return {name: value for name, value in document.items() if name not in {"state", "review"}}


@pytest.mark.parametrize(
    ("use_case", "document", "key", "status", "slug"),
    [
        ("loan-approval", {"input": {}}, None, 400, "idempotency-key-missing"),
        ("loan-approval", b"{not json", "", 400, "malformed-json"),
        ("loan-approval", {"reference": "x"}, "", 400, "invalid-request"),
        ("mortgage", {"input": {}}, "", 404, "unknown-use-case"),
        ("loan-approval", {"input": {"text": "x" * 1_048_600}}, "", 413, "request-too-large"),
    ],
)
def test_a_faulty_request_is_refused_with_its_problem(
    caller: Caller, use_case: str, document: Any, key: str | None, status: int, slug: str
) -> None:
    reply = caller.post(use_case, document, key=key)
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["type"] == f"urn:overread:problem:{slug}"
    assert reply.json()["status"] == status


def test_only_a_signed_caller_with_the_right_may_ask(site: Site, caller: Caller) -> None:
    unsigned = caller.send("GET", "/v1/decisions/d-x", sign=False)
    assert unsigned.status_code == 403
    stranger = Caller(site, name="stranger", may_invoke=False)
    assert stranger.get("d-x").status_code == 403


def test_another_caller_does_not_see_a_decision(site: Site, caller: Caller) -> None:
    case = cases("tumor-screening", each=1)[0]
    decision_id = caller.post("tumor-screening", {"input": case.input}).json()["decision_id"]
    other = Caller(site, name="other")
    assert other.get(decision_id).status_code == 404
    assert caller.get(decision_id).status_code == 200


def test_a_failing_model_leaves_the_case_to_people(caller: Caller, ada: Reviewer) -> None:
    reply = caller.post("digit-reading", {"input": {"image": "no image at all"}})
    assert reply.status_code == 202
    assert "endpoint_error" in [reason["code"] for reason in reply.json()["route"]["reasons"]]
    claimed = claim(ada, reply.json()["decision_id"])
    assert "prediction" not in claimed["input"]
    assert ada.answer(
        claimed["task_id"], {"decision": {"label": "cannot-decide"}, "reason_code": "unreadable"}
    )
    document = caller.until(reply.json()["decision_id"], lambda d: d["state"] == "ESCALATED")
    assert "outcome" not in document


def test_deployed_code_may_not_speak_for_aws(site: Site) -> None:
    entry = {
        "Source": "aws.sagemaker",
        "DetailType": "SageMaker A2I HumanLoop Status Change",
        "Detail": "{}",
    }
    result = site.deployment.client("events").put_events(Entries=[entry])
    assert result["FailedEntryCount"] == 1
    assert result["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"
