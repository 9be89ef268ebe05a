"""One local stack for the session, and the demo stacks deployed on another, each started on first use."""

import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from tests.local.organized import PREFIX, config_file
from tests.local.recorded_access import hold_against_record

from overread_cli.demo.deployment import deploy
from overread_local.stack import LocalStack

ROOT = Path(__file__).parents[2]
LAMBDA_PYTHON = ROOT / ".venv-lambda/bin/python"

Clients = Callable[..., Any]

ADDING_MODEL = """
import json, os

def model_fn(model_dir):
    with open(os.path.join(model_dir, "model.json")) as file:
        return json.load(file)

def input_fn(body, content_type):
    if content_type != "application/json":
        raise ValueError("unsupported content type " + content_type)
    return json.loads(body)

def predict_fn(data, model):
    return {"sum": data["a"] + model["b"], "greeting": os.environ.get("GREETING")}

def output_fn(prediction, accept):
    return json.dumps(prediction), "application/json"
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs a running stack."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.local)


def client_of(stack: LocalStack, service: str, *, key: tuple[str, str, str | None] | None = None) -> Any:
    """A plain boto3 client with an endpoint URL; `key` is another caller's id, secret and token."""
    return _client(service, stack.endpoint_url, key or (stack.record.account, "local", None))


@cache
def _client(service: str, endpoint_url: str, key: tuple[str, str, str | None]) -> Any:
    # Kept, because botocore takes a second to make a client of SageMaker.
    key_id, secret, token = key
    return boto3.client(
        service,
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture(scope="session")
def local_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack without deployed stacks, IAM not enforced."""
    stack = LocalStack.start(
        state_dir=tmp_path_factory.mktemp("stack"), lambda_python=LAMBDA_PYTHON, status_lag_s=0.4, tied=True
    )
    yield stack
    stack.stop()


@pytest.fixture(scope="session")
def aws(local_stack: LocalStack) -> Clients:
    """Clients of `local_stack` by service name."""
    return lambda service, **options: client_of(local_stack, service, **options)


@dataclass(frozen=True)
class Deployment:
    """An environment's stacks as deployed: the stack they run on and their outputs by stack name."""

    stack: LocalStack
    outputs: Mapping[str, Mapping[str, str]]
    work_dir: Path
    environment: str = "demo"

    @property
    def prefix(self) -> str:
        """What the names of its stacks begin with."""
        return f"{PREFIX}-{self.environment}"

    def output(self, stack: str, name: str) -> str:
        return self.outputs[f"{self.prefix}-{stack}"][name]

    def client(self, service: str, **options: Any) -> Any:
        return client_of(self.stack, service, **options)


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """config/demo.yaml, bootstrapped and deployed by the CDK's command line, IAM enforced."""
    yield from _deployed("demo", folder=tmp_path_factory.mktemp("deployed"), config="demo.yaml")


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """config/review-service.yaml likewise: the review service itself is deployed, A2I is not used."""
    yield from _deployed("desk", folder=tmp_path_factory.mktemp("desk"), config="review-service.yaml")


def _deployed(environment: str, *, folder: Path, config: str) -> Iterator[Deployment]:
    stack = LocalStack.start(
        state_dir=folder / "state", lambda_python=LAMBDA_PYTHON, status_lag_s=0.2, sandbox=True, tied=True
    )
    stack.enforce_iam(True)
    try:
        outputs = deploy(
            root=ROOT,
            config=config_file(config, folder=folder),
            work_dir=folder / "work",
            environment=stack.environment(),
            report=lambda _line: None,
        )
        deployment = Deployment(
            stack=stack, outputs=outputs, work_dir=folder / "work", environment=environment
        )
        yield deployment
        hold_against_record(deployment)
    finally:
        stack.stop()


def archive(code: str, *, model: Mapping[str, Any] | None = None) -> bytes:
    """A model.tar.gz in SageMaker's layout."""
    files = {"code/inference.py": code, "model.json": json.dumps(model or {"b": 40})}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


def put_archive(aws: Clients, key: str, content: bytes) -> str:
    """Stores an archive; gives its s3:// address."""
    s3 = aws("s3")
    s3.create_bucket(Bucket="model-archives")
    s3.put_object(Bucket="model-archives", Key=key, Body=content)
    return f"s3://model-archives/{key}"
