"""Personal data that nothing else would contain goes through deployed stacks, also where they fail.

It is found where it belongs, in the documents, and nowhere in logs, metrics, errors or dead letters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from tests.local.conftest import Deployment
from tests.local.organized import PREFIX
from tests.local.review_backends import CognitoPeople, function_of, until
from tests.local.test_runbooks import taken_away

from overread.review.wire import loop_name
from overread_cli.demo.cases import load_cases

ROOT = Path(__file__).parents[2]
CANARY = "zq7canary"
LOAN = "loan-approval"
EVENT = "SageMaker A2I HumanLoop Status Change"


@dataclass
class Desk:
    """Callers, readers and operators of one deployment, and all that it says of them."""

    deployed: Deployment
    people: CognitoPeople

    def call(self, method: str, path: str, body: bytes = b"", *, key: str = "") -> tuple[int, dict[str, Any]]:
        """Status and document of one signed call."""
        url = (
            self.deployed.stack.local_address(self.deployed.output("inference", "ApiUrl")).rstrip("/") + path
        )
        headers = {"Idempotency-Key": key} if key else {}
        request = AWSRequest(method, url, data=body or None, headers=headers)
        record = self.deployed.stack.record
        session = boto3.Session(record.account, "local", region_name=record.region)
        SigV4Auth(session.get_credentials(), "execute-api", record.region).add_auth(request)
        reply = httpx.request(
            method, url, content=body, headers=dict(request.headers), trust_env=False, timeout=60.0
        )
        return reply.status_code, reply.json()

    def decide(self, key: str, **changes: Any) -> tuple[int, dict[str, Any]]:
        """Asks for a decision that people make."""
        case = load_cases(ROOT / "build/models", use_cases=[LOAN], each=1)[0]
        content = {**case.input, "amount": 15_000, "applicant": CANARY}
        body = json.dumps({"input": content, "reference": CANARY, **changes}).encode()
        return self.call("POST", f"/v1/use-cases/{LOAN}/decisions", body, key=key)

    def state(self, decision_id: str) -> str:
        return str(self.call("GET", f"/v1/decisions/{decision_id}")[1]["state"])

    def answer(self, who: str, decision_id: str, answer: Mapping[str, Any], *, generation: int = 1) -> None:
        """Somebody of that name signs in and answers the decision's human loop."""
        self.people.add(who, groups=["reviewers"])
        loop = loop_name(decision_id, generation=generation)
        with closing(self.people.sign_in(who)) as portal:
            task = portal.task_id(loop)
            portal.claim(loop)
            portal.answer(task, answer).raise_for_status()

    def tell(self, loop: str) -> None:
        """An event about the loop, with a reason of its service's."""
        flow = f"arn:aws:sagemaker:{self.deployed.stack.record.region}:{self.deployed.stack.record.account}"
        detail = {
            "humanLoopName": loop,
            "humanLoopStatus": "Failed",
            "flowDefinitionArn": f"{flow}:flow-definition/{PREFIX}-desk-{LOAN}-00000000",
            "failureReason": f"cannot render {CANARY}",
        }
        entry = {"Source": "overread.review", "DetailType": EVENT, "Detail": json.dumps(detail)}
        reply = self.deployed.client("events").put_events(Entries=[entry])
        assert reply["FailedEntryCount"] == 0

    def dead_letters(self, queue: str = "") -> list[dict[str, Any]]:
        """The messages of all queues whose names have that in them; they stay there."""
        sqs, found = self.deployed.client("sqs"), []
        for url in sqs.list_queues().get("QueueUrls", []):
            if queue in url:
                reply = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
                found += [json.loads(message["Body"]) for message in reply.get("Messages", [])]
        return found

    def failures_of(self, module: str) -> str:
        """The name of the queue for what a function failed on."""
        config = self.deployed.client("lambda").get_function_event_invoke_config(
            FunctionName=function_of(self.deployed.stack, module), Qualifier="$LATEST"
        )
        return str(config["DestinationConfig"]["OnFailure"]["Destination"].rpartition(":")[2])

    def subjects(self) -> set[str]:
        """What the identity provider calls the people who read."""
        pool = self.deployed.output("review", "UserPoolId")
        users = self.deployed.client("cognito-idp").list_users(UserPoolId=pool)["Users"]
        return {
            attribute["Value"]
            for user in users
            if CANARY in json.dumps(user, default=str)
            for attribute in user["Attributes"]
            if attribute["Name"] in {"sub", "email", "name"}
        }

    def logged(self) -> list[str]:
        """Every message of every log group."""
        logs = self.deployed.client("logs")
        groups = [
            group["logGroupName"]
            for page in logs.get_paginator("describe_log_groups").paginate()
            for group in page["logGroups"]
        ]
        return [
            event["message"]
            for group in groups
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)
            for event in page["events"]
        ]


@pytest.fixture(scope="module")
def place(desk: Deployment) -> Desk:
    url = desk.stack.local_address(desk.output("review", "ReviewUrl"))
    pool = desk.output("review", "UserPoolId")
    return Desk(desk, CognitoPeople(desk.stack, pool_id=pool, portal_url=url))


@pytest.fixture(scope="module")
def reviewed(place: Desk) -> str:
    """A decision that took a poisoned answer and a good one, and was contested and cancelled then."""
    status, document = place.decide("canary-1")
    assert status == 202, document
    decision_id = str(document["decision_id"])
    until(lambda: place.state(decision_id) == "IN_REVIEW", what="a review")
    poison = {"decision": {"label": CANARY}, "reason_code": "capacity", "note": CANARY}
    place.answer(f"ann-{CANARY}", decision_id, poison)
    good = {"decision": {"label": "decline"}, "reason_code": "capacity", "note": CANARY}
    place.answer(f"bob-{CANARY}", decision_id, good, generation=2)
    until(lambda: place.state(decision_id) == "FINAL", what="the people's decision")
    path = f"/v1/decisions/{decision_id}"
    assert place.call("POST", f"{path}/outcome", json.dumps({"label": CANARY}).encode())[0] == 400
    assert place.call("POST", f"{path}/outcome", b'{"label": "approve"}')[0] == 200
    grounds = json.dumps({"grounds": f"{CANARY} is not me"}).encode()
    status, contest = place.call("POST", f"{path}/contest", grounds, key="canary-contest")
    assert status == 202, contest
    reason = json.dumps({"reason_code": CANARY}).encode()
    assert place.call("POST", f"/v1/decisions/{contest['decision_id']}/cancel", reason)[0] == 200
    return decision_id


@pytest.fixture(scope="module")
def refused(place: Desk) -> None:
    """Requests that are refused, each naming somebody in another place."""
    decisions = f"/v1/use-cases/{LOAN}/decisions"
    member = json.dumps({"input": {}, CANARY: 1}).encode()
    person = json.dumps({"schema": 1, "people": [{"name": CANARY}]}).encode()
    for method, path, body, key, expected in (
        ("POST", decisions, b'{"input": {"name": "%s"' % CANARY.encode(), "canary-2", 400),
        ("POST", decisions, member, "canary-3", 400),
        ("POST", decisions, b"{}", CANARY * 40, 400),
        ("POST", f"/v1/use-cases/{CANARY}/decisions", b"{}", "canary-4", 404),
        ("GET", f"/v1/decisions/{CANARY}", b"", "", 404),
        ("GET", f"/v1/decisions?{CANARY}=1", b"", "", 400),
        ("GET", f"/v1/decisions?cursor={CANARY}", b"", "", 400),
        ("PUT", f"/v1/kill-switches/{CANARY}", b'{"is_on": true, "reason": "x"}', "", 404),
        ("PUT", "/v1/roster", person, "", 400),
    ):
        status, document = place.call(method, path, body, key=key)
        assert status == expected, (path, document)
    assert place.decide("canary-5", priority=CANARY)[0] == 400


@pytest.fixture(scope="module")
def letter(place: Desk) -> Iterator[dict[str, Any]]:
    """The dead letter of an event that a function failed on, over words that name somebody."""
    loop = loop_name(f"d-{'q' * 26}", generation=1)
    key = {"pk": {"S": f"LOOP#{loop}"}, "sk": {"S": "LOOP"}}
    entry = {"loop_name": {"S": loop}, "decision_id": {"S": CANARY}, "generation": {"S": CANARY}}
    table, dynamodb = place.deployed.output("data", "TableName"), place.deployed.client("dynamodb")
    queue = place.failures_of("ingest_review")
    dynamodb.put_item(TableName=table, Item=key | entry)
    try:
        place.tell(loop)
        (found,) = until(lambda: place.dead_letters(queue), what="a dead letter")
    finally:
        dynamodb.delete_item(TableName=table, Key=key)
    yield found
    sqs = place.deployed.client("sqs")
    sqs.purge_queue(QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"])


@pytest.fixture(scope="module")
def denied(place: Desk) -> None:
    """A request that the router has to give up, because it may not store the input."""
    with taken_away(place.deployed, "route_prediction", "s3:PutObject"):
        status, document = place.decide("canary-6")
    assert (status, document["type"]) == (500, "urn:overread:problem:internal-error")


@pytest.fixture(scope="module")
def archived(place: Desk, reviewed: str) -> None:
    """What runs once an hour, over the decision."""
    for module in ("archive_evidence", "anchor_audit"):
        name = function_of(place.deployed.stack, module)
        reply = place.deployed.client("lambda").invoke(FunctionName=name, Payload=b"{}")
        assert "FunctionError" not in reply, reply["Payload"].read()


def test_what_is_personal_is_kept_where_it_belongs(place: Desk, reviewed: str) -> None:
    """Else the other tests would find nothing anywhere."""
    status, document = place.call("GET", f"/v1/decisions/{reviewed}")
    assert (status, document["reference"]) == (200, CANARY)
    bucket, s3 = place.deployed.output("data", "InputBucketName"), place.deployed.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"inputs/{LOAN}/")
    bodies = [
        s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
        for page in pages
        for one in page["Contents"]
    ]
    assert any(CANARY.encode() in body for body in bodies)


def test_a_dead_letter_holds_ids_only(letter: dict[str, Any]) -> None:
    loop = loop_name(f"d-{'q' * 26}", generation=1)
    assert letter["requestPayload"] == {"detail-type": EVENT, "detail": {"humanLoopName": loop}}
    assert letter["responsePayload"]["errorMessage"] == "ValueError"
    assert CANARY not in json.dumps(letter)


@pytest.mark.usefixtures("refused", "denied", "archived")
def test_nothing_personal_is_in_logs_metrics_and_dead_letters(
    place: Desk, reviewed: str, letter: dict[str, Any]
) -> None:
    letters = place.dead_letters()
    assert letter in letters
    lines = place.logged()
    told = [json.loads(line) for line in lines if line.startswith("{")]
    # The lines are those of what happened above, also of what failed.
    assert any(one.get("decision_id") == reviewed for one in told)
    messages = {str(one.get("message")) for one in told}
    assert messages >= {
        "audit anchored",
        "decision changed",
        "evidence archived",
        "function failed",
        "request refused",
        "review event",
        "service refused",
    }
    metrics = {name for one in told if "_aws" in one for name in one}
    assert metrics >= {"DecisionsHuman", "DecisionsFinal", "PoisonOutputs", "OverrideRate", "ReviewSeconds"}
    personal = {CANARY, *place.subjects()}
    everything = [*lines, *map(json.dumps, letters)]
    assert [line for line in everything if any(word in line for word in personal)] == []
    assert [line for line in lines if re.search(r'"(approve|decline|capacity)"', line)] == []
