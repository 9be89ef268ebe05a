"""Endpoints whose image is a registered folder: its `serve` runs as a process of its own."""

import io
import json
import os
import signal
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.local.conftest import Clients, put_archive

from overread_local.stack import LocalStack

ROLE = "arn:aws:iam::000000000000:role/model"
HOST = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
SERVE = """#!/usr/bin/env python3
import json, os, pathlib, subprocess
from http.server import BaseHTTPRequestHandler, HTTPServer

root = pathlib.Path(os.environ["OVERREAD_ML_ROOT"])
model = json.loads((root / "model/model.json").read_text())
child = subprocess.Popen(["sleep", "300"])
print("serving", os.environ["SM_MODEL_DIR"] == str(root / "model"), flush=True)

class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def reply(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self): self.reply(200 if model["healthy"] else 503, {})
    def do_POST(self):
        text = self.rfile.read(int(self.headers["content-length"])).decode()
        if text == "die": os._exit(3)
        if text == "wrong": return self.reply(400, "wrong input")
        self.reply(200, {"pid": os.getpid(), "child": child.pid, "sum": model["b"] + len(text),
            "greeting": os.environ.get("GREETING"), "type": self.headers["content-type"]})

HTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()
"""


def packed(**model: Any) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        info = tarfile.TarInfo("model.json")
        text = json.dumps({"b": 40, "healthy": True} | model).encode()
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))
    return buffer.getvalue()


def image(stack: LocalStack, folder: Path, *, program: str = SERVE) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "serve").write_text(program)
    (folder / "serve").chmod(0o755)
    stack.register_image("tests/adding", folder)
    return f"{HOST}/tests/adding:1"


def make(aws: Clients, name: str, *, image: str, archive: bytes) -> None:
    sagemaker = aws("sagemaker")
    container = {
        "Image": image,
        "ModelDataUrl": put_archive(aws, f"{name}.tar.gz", archive),
        "Environment": {"GREETING": "hello"},
    }
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)


def until(done: Callable[[], Any], *, what: str, timeout_s: float = 20.0) -> Any:
    deadline = time.monotonic() + timeout_s
    while not (result := done()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return result


def settled(aws: Clients, name: str) -> dict[str, Any]:
    def described() -> dict[str, Any] | None:
        found: dict[str, Any] = aws("sagemaker").describe_endpoint(EndpointName=name)
        return None if found["EndpointStatus"] in {"Creating", "Updating"} else found

    result: dict[str, Any] = until(described, what=f"{name} settled")
    return result


def ask(aws: Clients, name: str, body: bytes = b"ab") -> dict[str, Any]:
    reply = aws("sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=body, ContentType="text/csv")
    answer: dict[str, Any] = json.loads(reply["Body"].read())
    return answer


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path(f"/proc/{pid}/stat").is_file() or " Z " not in Path(f"/proc/{pid}/stat").read_text()


def training(aws: Clients, stack: LocalStack, folder: Path) -> int:
    """The process of a training job that would run for minutes."""
    folder.mkdir()
    (folder / "train").write_text(f"#!/bin/sh\necho $$ > {folder}/pid\nexec sleep 300\n")
    (folder / "train").chmod(0o755)
    stack.register_image("tests/sleeping", folder)
    aws("sagemaker").create_training_job(
        TrainingJobName="interrupted",
        AlgorithmSpecification={"TrainingImage": f"{HOST}/tests/sleeping:1", "TrainingInputMode": "File"},
        RoleArn=ROLE,
        OutputDataConfig={"S3OutputPath": "s3://model-archives/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    pid = folder / "pid"
    return int(until(lambda: pid.is_file() and pid.read_text().strip(), what="the job runs"))


@pytest.fixture(scope="module")
def served(aws: Clients, local_stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An endpoint in service; the name of its models' image."""
    named = image(local_stack, tmp_path_factory.mktemp("image"))
    make(aws, "contract", image=named, archive=packed())
    assert settled(aws, "contract")["EndpointStatus"] == "InService"
    yield named
    aws("sagemaker").delete_endpoint(EndpointName="contract")


def test_the_images_own_program_answers_with_model_and_environment(aws: Clients, served: str) -> None:
    answer = ask(aws, "contract")
    assert (answer["sum"], answer["greeting"], answer["type"]) == (42, "hello", "text/csv")
    assert ask(aws, "contract")["pid"] == answer["pid"]


def test_its_error_is_a_model_error_with_its_own_words(aws: Clients, served: str) -> None:
    with pytest.raises(ClientError) as refused:
        ask(aws, "contract", b"wrong")
    assert refused.value.response["Error"]["Code"] == "ModelError"
    assert refused.value.response["OriginalStatusCode"] == 400
    assert "wrong input" in refused.value.response["OriginalMessage"]


def test_a_program_that_died_is_started_again_by_the_next_invocation(aws: Clients, served: str) -> None:
    before = ask(aws, "contract")
    with pytest.raises(ClientError) as refused:
        ask(aws, "contract", b"die")
    assert refused.value.response["Error"]["Code"] == "ServiceUnavailable"
    after = ask(aws, "contract")
    assert after["pid"] != before["pid"]
    until(lambda: not alive(before["child"]), what="the child of the program that died is gone")


def test_what_it_prints_is_in_the_endpoints_log_group(aws: Clients, served: str) -> None:
    logs = aws("logs")

    def lines() -> list[str]:
        try:
            events = logs.filter_log_events(logGroupName="/aws/sagemaker/Endpoints/contract")["events"]
        except ClientError:
            return []
        return [event["message"] for event in events]

    until(lambda: "serving True" in lines(), what="the program's line is in its log")
    streams = logs.describe_log_streams(logGroupName="/aws/sagemaker/Endpoints/contract")["logStreams"]
    assert all(stream["logStreamName"].startswith("AllTraffic/i-") for stream in streams)


def test_a_program_without_health_fails_the_endpoint_and_leaves_no_process(
    aws: Clients, local_stack: LocalStack, tmp_path: Path
) -> None:
    named = image(local_stack, tmp_path / "image", program="#!/bin/sh\necho no weights; exit 2\n")
    make(aws, "unwell", image=named, archive=packed())
    described = settled(aws, "unwell")
    assert described["EndpointStatus"] == "Failed"
    assert "did not pass the ping health check" in described["FailureReason"]
    assert "no weights" in described["FailureReason"]


def test_a_deleted_endpoint_ends_its_program_and_what_that_started(
    aws: Clients, local_stack: LocalStack, tmp_path: Path
) -> None:
    make(aws, "leaving", image=image(local_stack, tmp_path / "image"), archive=packed())
    settled(aws, "leaving")
    answer = ask(aws, "leaving")
    assert alive(answer["pid"])
    assert alive(answer["child"])
    aws("sagemaker").delete_endpoint(EndpointName="leaving")
    until(lambda: not alive(answer["pid"]) and not alive(answer["child"]), what="both are gone")


def test_programs_end_with_the_stack_endpoints_serve_after_its_restart_and_jobs_have_failed(
    tmp_path: Path,
) -> None:
    from tests.local.conftest import LAMBDA_PYTHON, client_of

    state = tmp_path / "state"
    stack = LocalStack.start(state_dir=state, lambda_python=LAMBDA_PYTHON, status_lag_s=0.1, tied=True)
    try:
        clients: Clients = lambda service, **options: client_of(stack, service, **options)  # noqa: E731
        make(clients, "lasting", image=image(stack, tmp_path / "image"), archive=packed())
        settled(clients, "lasting")
        before = ask(clients, "lasting")
        trainer = training(clients, stack, tmp_path / "trainer")
        stack.stop()
        assert not alive(before["pid"])
        assert not alive(before["child"])
        assert not alive(trainer)
        stack = LocalStack.start(state_dir=state, lambda_python=LAMBDA_PYTHON, status_lag_s=0.1, tied=True)
        after = ask(clients, "lasting")
        assert after["sum"] == 42
        job = clients("sagemaker").describe_training_job(TrainingJobName="interrupted")
        assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
        assert "the local stack ended while the job ran" in job["FailureReason"]
        os.kill(stack.record.processes["emulator"].pid, signal.SIGKILL)
        stack.stop()
        assert not alive(after["pid"])
    finally:
        stack.stop()
