"""`overread dead-letters` over real queues; the functions are a list of what they were handed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from overread_cli.audit import target as targets
from overread_cli.audit.target import Target
from overread_cli.main import main
from overread_testing.aws_emulator import AwsEmulator, running_emulator

INGEST = "arn:aws:lambda:us-east-1:000000000000:function:overread-demo-ingest-review"
REVIEWED = {"detail-type": "SageMaker A2I HumanLoop Status Change", "detail": {"humanLoopName": "h-1"}}
FAILED = {
    "requestContext": {"functionArn": INGEST, "condition": "RetriesExhausted"},
    "requestPayload": REVIEWED,
}
DISCARDED = {
    "requestContext": {"functionArn": INGEST},
    "DDBStreamBatchInfo": {"shardId": "1", "batchSize": 3},
}
SCHEDULED = {"detail-type": "Scheduled Event", "detail": {}}


@dataclass
class Functions:
    """Functions that take what they are handed over."""

    handed: list[tuple[str, Any]] = field(default_factory=list)
    refusal: Exception | None = None

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803
        if self.refusal:
            raise self.refusal
        assert InvocationType == "Event"
        self.handed.append((FunctionName, json.loads(Payload)))


@dataclass(frozen=True)
class Desk:
    """Queues of a deployment called overread-demo and of another, and commands on the former."""

    sqs: Any
    functions: Functions

    def run(self, line: str) -> Result:
        return CliRunner().invoke(main, ["dead-letters", *shlex.split(line)])

    def queue(self, name: str) -> str:
        return str(self.sqs.create_queue(QueueName=name)["QueueUrl"])

    def put(self, queue: str, body: object, *, target: str = "") -> None:
        attributes = {"TARGET_ARN": {"DataType": "String", "StringValue": target}} if target else {}
        text = body if isinstance(body, str) else json.dumps(body)
        self.sqs.send_message(QueueUrl=self.queue(queue), MessageBody=text, MessageAttributes=attributes)

    def waiting(self) -> Mapping[str, int]:
        lines = [json.loads(line) for line in self.run("list --json").stdout.splitlines()]
        return {line["queue"]: line["messages"] for line in lines}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsEmulator]:
    with running_emulator(tmp_path_factory.mktemp("aws")) as running:
        yield running


@pytest.fixture
def desk(emulator: AwsEmulator, monkeypatch: pytest.MonkeyPatch) -> Desk:
    sqs, functions = emulator.client("sqs"), Functions()
    for url in sqs.list_queues().get("QueueUrls", ()):
        sqs.delete_queue(QueueUrl=url)
    found = Target(
        name="AWS",
        deployment="overread-demo",
        make_client=lambda service: {"sqs": sqs, "lambda": functions}[service],
        outputs={},
        state_dir=Path(),
        invocations=None,
    )
    monkeypatch.setattr(targets, "_on_local_stack", lambda state_dir, stack: found)
    return Desk(sqs, functions)


def test_only_the_deployments_queues_are_listed(desk: Desk) -> None:
    desk.put("overread-demo-inference-Failures", FAILED)
    desk.queue("overread-demo-review-Undelivered")
    desk.put("overread-demo2-inference-Failures", FAILED)
    assert desk.waiting() == {"overread-demo-inference-Failures": 1, "overread-demo-review-Undelivered": 0}
    assert desk.run("list").stdout.splitlines()[0] == "     1  overread-demo-inference-Failures"


def test_what_a_function_failed_on_is_handed_over_again_and_removed(desk: Desk) -> None:
    desk.put("overread-demo-Failures", FAILED)
    desk.put("overread-demo-Undelivered", REVIEWED, target=INGEST)
    done = desk.run("redrive --all")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "overread-demo-Failures: 1 handed over again",
        "overread-demo-Undelivered: 1 handed over again",
    ]
    assert desk.functions.handed == [(INGEST, REVIEWED), (INGEST, REVIEWED)]
    assert set(desk.waiting().values()) == {0}


def test_what_sweeps_do_anyway_is_removed_only(desk: Desk) -> None:
    desk.put("overread-demo-Failures", DISCARDED)
    desk.put("overread-demo-Failures", SCHEDULED, target=INGEST)
    desk.put("overread-demo-Failures", {"sweep": "due"}, target=INGEST)
    done = desk.run("redrive overread-demo-Failures")
    assert done.stdout == "overread-demo-Failures: 3 needed nothing: the next sweep does it\n"
    assert (desk.functions.handed, desk.waiting()) == ([], {"overread-demo-Failures": 0})


@pytest.mark.parametrize("body", ["no JSON", "[]", '"text"', "{}", '{"requestPayload": 1}'])
def test_what_nobody_knows_is_left(desk: Desk, body: str) -> None:
    desk.put("overread-demo-Failures", body)
    done = desk.run("redrive --all")
    assert done.exit_code == 1
    assert "1 messages were left" in done.stderr
    assert desk.waiting() == {"overread-demo-Failures": 1}


def test_a_message_stays_when_its_function_does_not_take_it(desk: Desk) -> None:
    desk.put("overread-demo-Failures", FAILED)
    desk.functions.refusal = desk.sqs.exceptions.ClientError(
        {"Error": {"Code": "TooManyRequestsException", "Message": "Rate exceeded"}}, "Invoke"
    )
    done = desk.run("redrive --all")
    assert (done.exit_code, done.stderr) == (1, "Error: Rate exceeded (TooManyRequestsException)\n")
    assert desk.waiting() == {"overread-demo-Failures": 1}


def test_queues_are_named_or_all(desk: Desk) -> None:
    desk.queue("overread-demo-Failures")
    assert "or give --all" in desk.run("redrive").stderr
    assert "no queue of AWS: elsewhere" in desk.run("redrive elsewhere").stderr
