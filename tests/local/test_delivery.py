"""News of decisions as the deployed functions deliver them: events, signed webhooks, a data set."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from tests.local.conftest import Deployment
from tests.local.review_backends import function_of, until
from tests.local.test_decision_api import session_of

from overread.decisions.record import OutboxEntry
from overread_aws.audited_writes import news
from overread_aws.decision_items import outbox_key
from overread_aws.decision_table import DecisionTable
from overread_aws.outbox_store import DynamoDbOutbox
from overread_cli.demo.cases import load_cases
from overread_cli.main import main
from overread_client import Decision, Decisions, ReviewSandbox, verify_webhook

ROOT = Path(__file__).parents[2]
SECRET = "s" * 40
LESSON = {
    "event": "Decision Final",
    "use_case": "loan-approval",
    "label": "decline",
    "labels": ["approve", "decline"],
    "source": "human",
    "at": "2026-11-22T21:07:44.120Z",
}


class Bus:
    """Every event of Overread that a rule on the default bus sent to a queue."""

    def __init__(self, deployed: Deployment) -> None:
        self._sqs, events = deployed.client("sqs"), deployed.client("events")
        self._url = self._sqs.create_queue(QueueName="news")["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        events.put_rule(Name="news", EventPattern=json.dumps({"source": ["overread"]}))
        target = {"Id": "queue", "Arn": attributes["Attributes"]["QueueArn"]}
        events.put_targets(Rule="news", Targets=[target])
        self._heard: list[Mapping[str, Any]] = []

    def of(self, decision_id: str) -> list[Mapping[str, Any]]:
        """What was told of the decision so far, in the order of its arrival."""
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                self._heard.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return [one for one in self._heard if one["detail"].get("decision_id") == decision_id]


@dataclass(frozen=True)
class Office:
    """The deployment's outbox, and what hears of it."""

    deployed: Deployment
    bus: Bus

    @property
    def table(self) -> DecisionTable:
        return DecisionTable(self.deployed.client("dynamodb"), name=self.deployed.output("data", "TableName"))

    @property
    def outbox(self) -> DynamoDbOutbox:
        return DynamoDbOutbox(
            self.deployed.client("dynamodb"), table=self.deployed.output("data", "TableName")
        )

    def write(self, entry: OutboxEntry) -> None:
        """The news as a decision's transaction writes them; the stream tells of them."""
        self.table.write(news([entry], table=self.table))

    def item(self, decision_id: str, *, number: int, target: str) -> Mapping[str, Any]:
        item = self.table.get(outbox_key(decision_id, number, target))
        assert item is not None
        return item

    def is_delivered(self, decision_id: str, *, number: int, target: str) -> bool:
        return "delivered_at" in self.item(decision_id, number=number, target=target)

    def run(self, *arguments: str) -> Result:
        """A command on this deployment."""
        return CliRunner().invoke(main, [*arguments, "--state-dir", str(self.deployed.stack.state_dir)])

    def sweep(self) -> None:
        """What the schedule does each minute."""
        name = function_of(self.deployed.stack, "deliver_outbox")
        reply = self.deployed.client("lambda").invoke(FunctionName=name, Payload=b"{}")
        assert "FunctionError" not in reply, reply["Payload"].read()


@pytest.fixture(scope="module")
def office(deployed: Deployment) -> Office:
    return Office(deployed, Bus(deployed))


@pytest.fixture(scope="module")
def ended(deployed: Deployment, office: Office) -> list[Decision]:
    """Decisions that ended in three ways: by the model, by people, by their caller."""
    url = deployed.stack.local_address(deployed.output("inference", "ApiUrl")).rstrip("/")
    decisions = Decisions(url, session=session_of(deployed, "delivery-caller"))
    (sure,) = load_cases(ROOT / "build/models", use_cases=["tumor-screening"], each=1)
    (loan,) = load_cases(ROOT / "build/models", use_cases=["loan-approval"], each=1)
    unsure = {**loan.input, "amount": 15_000}
    by_model = decisions.decide("tumor-screening", sure.input)
    while not by_model.is_final:  # a spot check was drawn: another key is another draw
        decisions.cancel(by_model.decision_id)
        by_model = decisions.decide("tumor-screening", sure.input)
    cancelled = decisions.decide("loan-approval", unsure, reference="news-cancelled")
    cancelled = decisions.cancel(cancelled.decision_id)
    asked = decisions.decide("loan-approval", unsure, reference="news-people")
    until(lambda: decisions.get(asked.decision_id).state == "IN_REVIEW", what="a review")
    record = deployed.stack.record
    session = boto3.Session(record.account, "local", region_name=record.region)
    sandbox = ReviewSandbox(deployed.stack.portal_url, session=session)
    sandbox.answer_decision(asked.decision_id, {"decision": {"label": "decline"}})
    by_people = decisions.wait(asked.decision_id, timeout_s=30.0)
    return [by_model, by_people, cancelled]


# Events


def test_the_end_of_each_decision_is_told_in_the_words_of_its_outbox(
    office: Office, ended: list[Decision]
) -> None:
    for decision in ended:
        told = until(
            lambda d=decision: [
                one
                for one in office.bus.of(d.decision_id)
                if one["detail"]["state"] in {"FINAL", "CANCELLED"}
            ],
            what=f"news of {decision.decision_id}",
        )
        assert {one["source"] for one in told} == {"overread"}
        event = "Decision Cancelled" if decision.state == "CANCELLED" else "Decision Final"
        assert {one["detail-type"] for one in told} == {event}
        keys = {one["detail"]["dedupe_key"] for one in told}
        assert len(keys) == 1, "one end, one key"
        number = int(keys.pop().rpartition("/")[2])
        stored = json.loads(office.item(decision.decision_id, number=number, target="events")["payload"])
        assert all(one["detail"] == stored for one in told)
        assert told[0]["detail"].get("outcome") == decision.document.get("outcome")


def test_news_whose_delivery_was_not_noted_are_told_again_in_the_same_words(
    office: Office, ended: list[Decision]
) -> None:
    decision_id = ended[0].decision_id
    (first, *_) = until(lambda: office.bus.of(decision_id), what="the first telling")
    number = int(first["detail"]["dedupe_key"].rpartition("/")[2])
    until(lambda: office.is_delivered(decision_id, number=number, target="events"), what="the note")
    # As after a crash between telling and noting.
    heard = len(office.bus.of(decision_id))
    stored = office.item(decision_id, number=number, target="events")
    office.deployed.client("dynamodb").update_item(
        TableName=office.deployed.output("data", "TableName"),
        Key={"pk": {"S": decision_id}, "sk": {"S": f"OUTBOX#{number:08d}#events"}},
        UpdateExpression="SET outbox_state = :due, outbox_due_at = due_at REMOVE delivered_at",
        ExpressionAttributeValues={":due": {"S": "due"}},
    )
    office.sweep()
    again = until(lambda: office.bus.of(decision_id)[heard:], what="the second telling")
    assert all(one["detail"] == json.loads(stored["payload"]) for one in again)
    assert office.is_delivered(decision_id, number=number, target="events")


# Webhooks


@dataclass
class Receiver:
    """A receiver on loopback: what it was posted, and what it answers next."""

    posted: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def serving(self) -> Iterator[Receiver]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posted.append((body, dict(self.headers)))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            self.url = f"http://127.0.0.1:{server.server_address[1]}/hooks"
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()


@pytest.fixture
def receiver(deployed: Deployment) -> Iterator[Receiver]:
    """A receiver that the deployed function knows, while the test runs."""
    functions, iam = deployed.client("lambda"), deployed.client("iam")
    name = function_of(deployed.stack, "deliver_outbox")
    before = functions.get_function_configuration(FunctionName=name)
    role = before["Role"].rpartition("/")[2]
    secrets = deployed.client("secretsmanager")
    arn = secrets.create_secret(Name="webhook-key", SecretString=SECRET)["ARN"]
    statement = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="webhook-key", PolicyDocument=document)
    with Receiver().serving() as made:
        webhooks = {"loan-approval": {"url": made.url, "allowed_networks": ["127.0.0.0/8"]}}
        variables = {
            **before["Environment"]["Variables"],
            "OVERREAD_WEBHOOKS": json.dumps(webhooks),
            "OVERREAD_WEBHOOK_SECRET": arn,
        }
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
        try:
            yield made
        finally:
            functions.update_function_configuration(FunctionName=name, Environment=before["Environment"])
            iam.delete_role_policy(RoleName=role, PolicyName="webhook-key")
            secrets.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


def entry(decision_id: str, *, target: str, payload: Mapping[str, Any]) -> OutboxEntry:
    now = datetime.now(UTC)
    return OutboxEntry(
        decision_id=decision_id,
        number=3,
        target=target,
        event="Decision Final",
        use_case="loan-approval",
        dedupe_key=f"{decision_id}/3",
        payload=json.dumps({**payload, "dedupe_key": f"{decision_id}/3", "event": "Decision Final"}),
        created_at=now,
        attempts=0,
        due_at=now,
    )


def test_a_receiver_that_fails_after_taking_the_news_gets_the_same_again(
    office: Office, receiver: Receiver
) -> None:
    receiver.answers = [500]
    made = entry("d-webhook", target="webhook", payload={"decision_id": "d-webhook", "state": "FINAL"})
    office.write(made)
    until(lambda: receiver.posted, what="the first post")
    until(
        lambda: office.item("d-webhook", number=3, target="webhook")["attempts"] == 1, what="a postponement"
    )
    held = office.outbox.get("d-webhook", number=3, target="webhook")
    assert held is not None
    assert held == replace(made, attempts=1, due_at=held.due_at, created_at=held.created_at)
    assert 5.0 < (held.due_at - made.due_at).total_seconds() < 30.0
    assert office.outbox.give_up(held, code="HTTP 500")
    assert (
        "d-webhook/3/webhook  Decision Final  loan-approval  2 attempts"
        in office.run("outbox", "list").output
    )
    assert office.run("outbox", "redrive", "d-webhook/3/webhook").exit_code == 0
    office.sweep()
    until(lambda: office.is_delivered("d-webhook", number=3, target="webhook"), what="the delivery")
    assert len(receiver.posted) >= 2
    assert {body.decode() for body, _ in receiver.posted} == {made.payload}
    for body, headers in receiver.posted:
        genuine = verify_webhook(body, headers, secrets=[SECRET])
        assert (genuine.event, genuine.dedupe_key) == ("Decision Final", "d-webhook/3")


# Feedback


def test_a_lesson_becomes_a_line_of_an_augmented_manifest(office: Office, tmp_path: Path) -> None:
    bucket = office.deployed.output("data", "InputBucketName")
    s3 = office.deployed.client("s3")
    version = s3.put_object(Bucket=bucket, Key="inputs/d-lesson.json", Body=b"{}")["VersionId"]
    place = {"bucket": bucket, "key": "inputs/d-lesson.json", "version_id": version}
    payload = {**LESSON, "decision_id": "d-lesson", "input": place}
    office.write(entry("d-lesson", target="feedback", payload=payload))
    until(lambda: office.is_delivered("d-lesson", number=3, target="feedback"), what="the delivery")
    manifest = tmp_path / "manifest.jsonl"
    done = office.run("feedback", "export", "--use-case", "loan-approval", "--output", str(manifest))
    assert done.exit_code == 0, done.output
    line = json.loads(manifest.read_text())
    assert (line["source-ref"], line["loan-approval"]) == (f"s3://{bucket}/inputs/d-lesson.json", 1)
    assert line["loan-approval-metadata"]["class-name"] == "decline"
