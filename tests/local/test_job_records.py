"""What jobs leave: events, logs, lists, inputs by manifest, outputs, limits, no process."""

import io
import json
import os
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.local.conftest import Clients

from overread_local.sagemaker.jobs import JOBS_AT_ONCE
from overread_local.stack import LocalStack

ROLE = "arn:aws:iam::000000000000:role/model"
HOST = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
BUCKET = "job-records"
ENDED = {"Completed", "Failed", "Stopped"}
SLOW_SERVE = """#!/usr/bin/env python3
import os, time
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def do_POST(self):
        print("asked", flush=True)
        time.sleep(0.3)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"1")

HTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()
"""


def until(done: Callable[[], Any], *, what: str, timeout_s: float = 20.0) -> Any:
    deadline = time.monotonic() + timeout_s
    while not (result := done()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return result


@pytest.fixture(scope="module", autouse=True)
def bucket(aws: Clients) -> None:
    aws("s3").create_bucket(Bucket=BUCKET)


Register = Callable[..., str]


@pytest.fixture
def register(local_stack: LocalStack, tmp_path: Path) -> Register:
    """Makes an image of shell lines for `train`, of Python for `serve`; gives its name."""

    def make(name: str, *, train: str = "", serve: str = "") -> str:
        folder = tmp_path / name
        folder.mkdir()
        for program, text in (("train", f"#!/bin/sh\n{train}\n"), ("serve", serve)):
            (folder / program).write_text(text)
            (folder / program).chmod(0o755)
        local_stack.register_image(f"records/{name}", folder)
        return f"{HOST}/records/{name}:1"

    return make


def train(aws: Clients, name: str, image: str, *, inputs: Any = (), **more: Any) -> None:
    channels = [
        {"ChannelName": channel, "DataSource": {"S3DataSource": source}} for channel, source in inputs
    ]
    aws("sagemaker").create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        RoleArn=ROLE,
        **({"InputDataConfig": channels} if channels else {}),
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/models"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
        **more,
    )


def trained(aws: Clients, name: str) -> dict[str, Any]:
    def ended() -> dict[str, Any] | None:
        job: dict[str, Any] = aws("sagemaker").describe_training_job(TrainingJobName=name)
        return job if job["TrainingJobStatus"] in ENDED else None

    result: dict[str, Any] = until(ended, what=f"{name} ended")
    return result


def transform(aws: Clients, name: str, image: str) -> Callable[[], dict[str, Any]]:
    sagemaker = aws("sagemaker")
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": image})
    aws("s3").put_object(Bucket=BUCKET, Key=f"{name}/lines.jsonl", Body=b"{}\n" * 200)
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/"}
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=name,
        BatchStrategy="SingleRecord",
        TransformInput={"DataSource": {"S3DataSource": source}, "SplitType": "Line"},
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/scored", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    return lambda: dict(sagemaker.describe_transform_job(TransformJobName=name))


@pytest.fixture
def events(aws: Clients) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What the default bus said of jobs so far, by a rule with a queue."""
    queue = aws("sqs").create_queue(QueueName="job-events")["QueueUrl"]
    attributes = aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Training Job State Change", "SageMaker Transform Job State Change"],
    }
    aws("events").put_rule(Name="jobs", EventPattern=json.dumps(pattern))
    aws("events").put_targets(Rule="jobs", Targets=[{"Id": "q", "Arn": attributes["QueueArn"]}])
    seen: list[dict[str, Any]] = []

    def read() -> list[dict[str, Any]]:
        received = aws("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=0)
        for message in received.get("Messages", ()):
            seen.append(json.loads(message["Body"]))
            aws("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return seen

    yield read
    aws("events").remove_targets(Rule="jobs", Ids=["q"])
    aws("events").delete_rule(Name="jobs")
    aws("sqs").delete_queue(QueueUrl=queue)


def test_every_state_of_a_training_job_is_an_event_in_order(
    aws: Clients, register: Register, events: Callable[[], list[dict[str, Any]]]
) -> None:
    image = register("events", train="exit 0")
    train(aws, "told", image)
    trained(aws, "told")

    def told() -> list[dict[str, Any]]:
        return [event for event in events() if event["detail"].get("TrainingJobName") == "told"]

    until(lambda: told() and told()[-1]["detail"]["TrainingJobStatus"] == "Completed", what="the last event")
    first, last = told()[0], told()[-1]
    assert (first["source"], first["detail-type"]) == (
        "aws.sagemaker",
        "SageMaker Training Job State Change",
    )
    assert first["detail"]["TrainingJobStatus"] == "InProgress"
    assert last["resources"] == [last["detail"]["TrainingJobArn"]]
    assert last["detail"]["CreationTime"] > 1_000_000_000_000, "events count milliseconds"
    steps = [step["Status"] for step in last["detail"]["SecondaryStatusTransitions"]]
    assert steps == ["Starting", "Downloading", "Training", "Uploading", "Completed"]


def test_a_transform_job_is_stopped_and_tells_it(
    aws: Clients, register: Register, events: Callable[[], list[dict[str, Any]]]
) -> None:
    describe = transform(aws, "cut-short", register("slow", serve=SLOW_SERVE))
    until(lambda: "TransformStartTime" in describe(), what="it runs")
    began = time.monotonic()
    aws("sagemaker").stop_transform_job(TransformJobName="cut-short")
    assert describe()["TransformJobStatus"] in {"Stopping", "Stopped"}
    job = until(lambda: describe() if describe()["TransformJobStatus"] in ENDED else None, what="it ended")
    assert job["TransformJobStatus"] == "Stopped"
    assert time.monotonic() - began < 8
    with pytest.raises(ClientError) as again:
        aws("sagemaker").stop_transform_job(TransformJobName="cut-short")
    assert again.value.response["Error"]["Code"] == "ValidationException"
    kept = aws("s3").list_objects_v2(Bucket=BUCKET, Prefix="scored/").get("Contents", [])
    assert kept == [], "a stopped job leaves no half of a file"

    def statuses() -> list[str]:
        return [
            event["detail"]["TransformJobStatus"]
            for event in events()
            if event["detail-type"] == "SageMaker Transform Job State Change"
        ]

    until(lambda: "Stopped" in statuses(), what="the event")
    assert list(dict.fromkeys(statuses())) == ["InProgress", "Stopping", "Stopped"]
    summaries = aws("sagemaker").list_transform_jobs(NameContains="cut", StatusEquals="Stopped")
    assert [one["TransformJobName"] for one in summaries["TransformJobSummaries"]] == ["cut-short"]


def test_what_a_program_prints_is_in_the_jobs_log_stream(aws: Clients, register: Register) -> None:
    train(aws, "chatty", register("chatty", train="echo one; echo; echo two >&2; printf three"))
    trained(aws, "chatty")
    group = "/aws/sagemaker/TrainingJobs"
    streams = aws("logs").describe_log_streams(logGroupName=group, logStreamNamePrefix="chatty/")[
        "logStreams"
    ]
    assert [stream["logStreamName"].startswith("chatty/algo-1-") for stream in streams] == [True]
    lines = aws("logs").get_log_events(
        logGroupName=group, logStreamName=streams[0]["logStreamName"], startFromHead=True
    )["events"]
    assert [line["message"] for line in lines] == ["one", "two", "three"]


def test_a_log_is_read_while_the_job_runs(aws: Clients, register: Register) -> None:
    train(aws, "running-log", register("running", train="echo begun; exec sleep 60"))
    logs, group = aws("logs"), "/aws/sagemaker/TrainingJobs"

    def begun() -> bool:
        try:
            found = logs.filter_log_events(logGroupName=group)["events"]
        except ClientError:
            return False
        # The emulator knows no logStreamNamePrefix.
        own = [event for event in found if event["logStreamName"].startswith("running-log/")]
        return [event["message"] for event in own] == ["begun"]

    until(begun, what="the line is there")
    assert aws("sagemaker").describe_training_job(TrainingJobName="running-log")["TrainingJobStatus"] == (
        "InProgress"
    )
    aws("sagemaker").stop_training_job(TrainingJobName="running-log")
    assert trained(aws, "running-log")["TrainingJobStatus"] == "Stopped"


def test_a_manifest_file_names_the_objects_and_both_outputs_are_archives(
    aws: Clients, register: Register
) -> None:
    s3 = aws("s3")
    for name in ("a.csv", "deep/b.csv", "left-out.csv"):
        s3.put_object(Bucket=BUCKET, Key=f"data/{name}", Body=name.encode())
    manifest = [{"prefix": f"s3://{BUCKET}/data/"}, "a.csv", "deep/b.csv"]
    s3.put_object(Bucket=BUCKET, Key="some.manifest", Body=json.dumps(manifest).encode())
    image = register(
        "manifest",
        train='cd "$OVERREAD_ML_ROOT"; (cd "$SM_CHANNEL_TRAIN" && find . -type f | sort) > model/files.txt;'
        ' echo figures > "$SM_OUTPUT_DATA_DIR/report.txt"',
    )
    source = {"S3DataType": "ManifestFile", "S3Uri": f"s3://{BUCKET}/some.manifest"}
    train(aws, "by-manifest", image, inputs=[("train", source)])
    assert trained(aws, "by-manifest")["TrainingJobStatus"] == "Completed"

    def text(archive: str, member: str) -> str:
        body = s3.get_object(Bucket=BUCKET, Key=f"models/by-manifest/output/{archive}")["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as tar:
            found = tar.extractfile(member)
            assert found is not None
            return found.read().decode()

    assert text("model.tar.gz", "files.txt").split() == ["./a.csv", "./deep/b.csv"]
    assert text("output.tar.gz", "report.txt") == "figures\n"
    s3.put_object(Bucket=BUCKET, Key="broken.manifest", Body=b'["no prefix"]')
    source = {"S3DataType": "ManifestFile", "S3Uri": f"s3://{BUCKET}/broken.manifest"}
    train(aws, "broken-manifest", image, inputs=[("train", source)])
    failed = trained(aws, "broken-manifest")
    assert failed["TrainingJobStatus"] == "Failed"
    assert "a manifest file is a list" in failed["FailureReason"]


def test_training_jobs_are_listed_filtered_sorted_and_paged(aws: Clients, register: Register) -> None:
    image = register("listed", train="exit 0")
    for name in ("listed-a", "listed-b", "listed-c"):
        train(aws, name, image)
    train(aws, "listed-d", register("listed-failing", train="exit 1"))
    for name in ("listed-a", "listed-b", "listed-c", "listed-d"):
        trained(aws, name)
    query = {"NameContains": "listed-", "SortBy": "Name", "SortOrder": "Ascending", "MaxResults": 3}
    first = aws("sagemaker").list_training_jobs(**query)
    rest = aws("sagemaker").list_training_jobs(**query, NextToken=first["NextToken"])
    names = [one["TrainingJobName"] for page in (first, rest) for one in page["TrainingJobSummaries"]]
    assert names == ["listed-a", "listed-b", "listed-c", "listed-d"]
    failed = aws("sagemaker").list_training_jobs(NameContains="listed-", StatusEquals="Failed")
    assert [one["TrainingJobName"] for one in failed["TrainingJobSummaries"]] == ["listed-d"]


def test_no_more_jobs_run_at_once_than_the_limit_and_stopping_takes_their_children(
    aws: Clients, register: Register, tmp_path: Path
) -> None:
    children = tmp_path / "children"
    children.mkdir()
    image = register(
        "crowd", train=f"(trap '' TERM; exec sleep 300) & echo $! > {children}/$TRAINING_JOB_NAME; wait"
    )
    sagemaker = aws("sagemaker")
    names = [f"crowd-{number}" for number in range(JOBS_AT_ONCE)]
    for name in names:
        train(aws, name, image)
    with pytest.raises(ClientError) as refused:
        train(aws, "one-too-many", image)
    assert refused.value.response["Error"]["Code"] == "ResourceLimitExceeded"
    pids = until(
        lambda: (
            [int(text) for path in children.iterdir() if (text := path.read_text())]
            if len(list(children.iterdir())) == len(names)
            else None
        ),
        what="all run",
    )
    began = time.monotonic()
    for name in names:
        sagemaker.stop_training_job(TrainingJobName=name)
    assert {trained(aws, name)["TrainingJobStatus"] for name in names} == {"Stopped"}
    assert time.monotonic() - began < 8, "a program that obeys SIGTERM is not waited for"
    until(lambda: not [pid for pid in pids if _alive(pid)], what="the children are gone")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.is_file() and ") Z " in stat.read_text())
