"""The Python examples against a stub: signed requests, waiting, retries, refusals, and the warning."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples/python"
WAITING = {"decision_id": "d-1", "state": "IN_REVIEW", "links": {"self": "/v1/decisions/d-1"}}
FINAL = {**WAITING, "state": "FINAL", "outcome": {"label": "decline", "source": "human"}}


@dataclass
class Stub:
    """Answers requests with `replies` in turn (the last one again and again) and keeps what it got."""

    replies: list[tuple[int, Any]]
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def stub() -> Iterator[Stub]:
    state = Stub(replies=[(200, FINAL)])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            state.requests.append((self.command, self.path, headers, body))
            status, document = state.replies.pop(0) if len(state.replies) > 1 else state.replies[0]
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


def run(
    script: str,
    *arguments: str,
    stub: Stub,
    case: str = '{"amount": 9600}',
    python_path: Path | None = None,
) -> Any:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": stub.url,
        "OVERREAD_API_URL": f"{stub.url}/demo/",
        "PYTHONPATH": "" if python_path is None else str(python_path),
    }
    return subprocess.run(
        [sys.executable, str(EXAMPLES / script), *arguments],
        input=case,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_decision_is_asked_for_with_a_signed_request(stub: Stub) -> None:
    done = run(
        "decide.py", "loan-approval", "-", "--key", "order-8841", "--reference", "loan-8841", stub=stub
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == FINAL
    assert "d-1: decline, decided by human" in done.stderr
    ((method, path, headers, body),) = stub.requests
    assert (method, path) == ("POST", "/demo/v1/use-cases/loan-approval/decisions")
    assert headers["idempotency-key"] == "order-8841"
    assert "/eu-west-1/execute-api/aws4_request" in headers["authorization"]
    assert json.loads(body) == {"input": {"amount": 9600}, "reference": "loan-8841"}


def test_waiting_reads_the_decision_until_it_is_final(stub: Stub) -> None:
    stub.replies = [(202, WAITING), (200, FINAL)]
    done = run("decide.py", "loan-approval", "-", "--wait", "20", stub=stub)
    assert done.returncode == 0, done.stderr
    assert [(method, path) for method, path, _, _ in stub.requests] == [
        ("POST", "/demo/v1/use-cases/loan-approval/decisions"),
        ("GET", "/demo/v1/decisions/d-1"),
    ]
    assert len(stub.requests[0][2]["idempotency-key"]) == 36


def test_a_decision_that_people_have_not_made_is_told_by_the_exit_code(stub: Stub) -> None:
    stub.replies = [(202, WAITING)]
    done = run("decide.py", "loan-approval", "-", stub=stub)
    assert done.returncode == 3
    assert "d-1: IN_REVIEW, read it at /v1/decisions/d-1" in done.stderr
    assert len(stub.requests) == 1


def test_a_busy_api_is_asked_again_with_the_same_key(stub: Stub) -> None:
    stub.replies = [(503, {"message": "Service Unavailable"}), (429, {}), (200, FINAL)]
    done = run("decide.py", "loan-approval", "-", stub=stub)
    assert done.returncode == 0, done.stderr
    assert len({headers["idempotency-key"] for _, _, headers, _ in stub.requests}) == 1
    assert len(stub.requests) == 3


def test_a_refusal_is_put_into_words_and_not_repeated(stub: Stub) -> None:
    problem = {"title": "Idempotency key reused", "detail": "key 'a' was used", "field": "Idempotency-Key"}
    stub.replies = [(422, problem)]
    done = run("decide.py", "loan-approval", "-", stub=stub)
    assert done.returncode == 1
    assert "HTTP 422 Idempotency key reused [Idempotency-Key]: key 'a' was used" in done.stderr
    assert len(stub.requests) == 1


def test_a_raw_prediction_comes_with_a_warning(stub: Stub, tmp_path: Path) -> None:
    case = tmp_path / "case.json"
    case.write_text('{"amount": 9600}')
    stub.replies = [(200, {"label": "approve", "confidence": 0.71})]
    done = run("invoke_endpoint_boto3.py", "overread-demo-loan-approval", str(case), stub=stub)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"label": "approve", "confidence": 0.71}
    assert "UNREVIEWED" in done.stderr
    ((_, path, _, body),) = stub.requests
    assert path == "/endpoints/overread-demo-loan-approval/invocations"
    assert body == b'{"amount": 9600}'


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("nowhere.json", "nowhere.json: No such file or directory"),
        ("-", "-: not JSON: "),
    ],
)
def test_a_case_that_cannot_be_read_is_one_sentence(stub: Stub, case: str, words: str) -> None:
    done = run("decide.py", "loan-approval", case, stub=stub, case="{amount}")
    assert done.returncode == 1
    assert done.stderr.startswith(words)
    assert len(done.stderr.splitlines()) == 1
    assert stub.requests == []


def test_without_the_sagemaker_sdk_the_way_to_it_is_one_sentence(stub: Stub, tmp_path: Path) -> None:
    (tmp_path / "sagemaker").mkdir()  # stands in front of an SDK that may be installed
    (tmp_path / "sagemaker/__init__.py").touch()
    case = tmp_path / "case.json"
    case.write_text("{}")
    done = run("invoke_endpoint_sagemaker_sdk.py", "endpoint", str(case), stub=stub, python_path=tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "pip install sagemaker-core" in done.stderr
