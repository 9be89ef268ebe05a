"""A served review service, plain boto3 clients and reviewers' HTTP clients."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from starlette.types import ASGIApp, Receive, Scope, Send

from overread_aws.review_store import table_definition
from overread_review.app import create_app
from overread_testing.aws_emulator import free_port, running_emulator
from overread_testing.review_fakes import ReviewLab, review_lab
from overread_testing.review_server import served


@dataclass
class ServedLab:
    """A lab behind HTTP."""

    lab: ReviewLab
    url: str
    sagemaker: Any
    runtime: Any
    opened: list[httpx.Client] = field(default_factory=list)

    def sign_in(self, name: str) -> httpx.Client:
        """A reviewer's client that sends cookie and CSRF token."""
        client = httpx.Client(base_url=self.url, trust_env=False)
        self.opened.append(client)
        reply = client.post("/portal/api/session", json={"reviewer": name})
        assert reply.status_code == 200, reply.text
        client.headers["X-Overread-CSRF"] = reply.json()["csrf_token"]
        return client


@dataclass
class _Current:
    """The application that answers now; every test puts in its own."""

    app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@dataclass(frozen=True)
class _Server:
    current: _Current
    url: str
    sagemaker: Any
    runtime: Any


@pytest.fixture(scope="session")
def server() -> Iterator[_Server]:
    """One server and one pair of boto3 clients for all tests: clients are slow to make."""
    current = _Current()
    session = boto3.Session(
        aws_access_key_id="111122223333", aws_secret_access_key="x", region_name="eu-west-1"
    )
    config = Config(retries={"total_max_attempts": 1}, proxies={})
    with served(current) as url:
        sagemaker = session.client("sagemaker", endpoint_url=url, config=config)
        runtime = session.client("sagemaker-a2i-runtime", endpoint_url=url, config=config)
        yield _Server(current, url, sagemaker, runtime)
        sagemaker.close()
        runtime.close()


@pytest.fixture
def served_lab(server: _Server) -> Iterator[ServedLab]:
    """A fresh service with workforce `default`, team `team` and task UI `ui`."""
    lab = review_lab()
    server.current.app = create_app(lab.service)
    made = ServedLab(lab, server.url, server.sagemaker, server.runtime)
    yield made
    for client in made.opened:
        client.close()


@dataclass(frozen=True)
class Emulator:
    """An AWS emulator of these tests' own, with the table `records` and the bucket `documents`."""

    url: str
    folder: Path
    clients: dict[str, Any]

    def client(self, service: str) -> Any:
        """The boto3 client of `dynamodb` or `s3`."""
        return self.clients[service]


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Started once, for all tests that need it."""
    folder = tmp_path_factory.mktemp("emulator")
    session = boto3.Session(
        aws_access_key_id="111122223333", aws_secret_access_key="x", region_name="us-east-1"
    )
    s3_config = Config(proxies={}, s3={"addressing_style": "path"}, signature_version="s3v4")
    with running_emulator(folder) as running:
        clients = {
            "dynamodb": session.client("dynamodb", endpoint_url=running.url, config=Config(proxies={})),
            "s3": session.client("s3", endpoint_url=running.url, config=s3_config),
        }
        clients["dynamodb"].create_table(**table_definition("records"))
        clients["s3"].create_bucket(Bucket="documents")
        yield Emulator(running.url, folder, clients)
        for client in clients.values():
            client.close()


def wait_for_port(port: int, *, process: subprocess.Popen[bytes]) -> None:
    """Until the process listens."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("the process did not start to listen")


@pytest.fixture
def review_process(emulator: Emulator) -> Iterator[Callable[[], tuple[str, subprocess.Popen[bytes]]]]:
    """Starts the local stack's review process on the emulator, as often as asked."""
    started: list[subprocess.Popen[bytes]] = []
    reviewers = emulator.folder / "reviewers.json"
    reviewers.write_text('[{"name": "ada", "sub": "s-1", "groups": ["reviewers"]}]')
    token = emulator.folder / "token"
    token.write_text("t\n")
    port = free_port()

    def start() -> tuple[str, subprocess.Popen[bytes]]:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "overread_local.review_process", "--port", str(port)),
                *("--emulator-url", emulator.url, "--token-file", str(token), "--account", "111122223333"),
                *("--region", "us-east-1", "--reviewers", str(reviewers), "--status-lag-s", "0"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        wait_for_port(port, process=process)
        return f"http://127.0.0.1:{port}", process

    yield start
    for process in started:
        process.kill()
        process.wait(timeout=10)
