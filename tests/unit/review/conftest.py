"""A served review service, plain boto3 clients and reviewers' HTTP clients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from starlette.types import ASGIApp, Receive, Scope, Send

from overread_review.app import create_app
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
