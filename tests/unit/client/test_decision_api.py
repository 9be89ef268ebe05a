"""The decision client against an HTTP server that records what arrives."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.credentials import Credentials

from overread_client import ApiError, DecisionApi


@dataclass
class Server:
    """An HTTP server with one canned reply and a record of every request."""

    url: str = ""
    status: int = 200
    body: bytes = b"{}"
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            state.requests.append((self.command, self.path, dict(self.headers), body))
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(state.body)))
            self.end_headers()
            self.wfile.write(state.body)

        do_GET = do_POST = handle_any  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Keep the test's output quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{http.server_port}/stage"
    yield state
    http.shutdown()
    http.server_close()
    thread.join()


def api(server: Server) -> DecisionApi:
    return DecisionApi(server.url, region="eu-west-1", credentials=Credentials("AKIDEXAMPLE", "secret"))


def reply(**changes: Any) -> bytes:
    return json.dumps(
        {"decision_id": "d-1", "use_case": "loan-approval", "state": "PENDING", **changes}
    ).encode()


def test_submit_signs_for_execute_api_and_sends_only_what_was_given(server: Server) -> None:
    server.status, server.body = 202, reply()
    decision = api(server).submit("loan-approval", input={"amount": 9600}, idempotency_key="order-8841")
    ((method, path, headers, body),) = server.requests
    assert (method, path) == ("POST", "/stage/v1/use-cases/loan-approval/decisions")
    assert headers["Idempotency-Key"] == "order-8841"
    assert "/eu-west-1/execute-api/aws4_request" in headers["Authorization"]
    assert json.loads(body) == {"input": {"amount": 9600}}
    assert (decision.decision_id, decision.is_final, decision.label) == ("d-1", False, None)


def test_a_final_decision_carries_its_label(server: Server) -> None:
    server.body = reply(state="FINAL", outcome={"label": "decline", "source": "human"})
    decision = api(server).get("d-1")
    assert server.requests[0][:2] == ("GET", "/stage/v1/decisions/d-1")
    assert (decision.is_final, decision.label) == (True, "decline")


def test_names_are_escaped_in_the_path(server: Server) -> None:
    server.body = reply()
    api(server).get("d/../../x")
    assert server.requests[0][1] == "/stage/v1/decisions/d%2F..%2F..%2Fx"


def test_a_problem_document_becomes_an_error_that_names_the_field(server: Server) -> None:
    server.status = 422
    server.body = json.dumps(
        {
            "type": "urn:overread:problem:idempotency-key-reused",
            "title": "Reused",
            "detail": "key 'k'",
            "field": "Idempotency-Key",
        }
    ).encode()
    with pytest.raises(ApiError, match="422 Reused: key 'k'") as caught:
        api(server).submit("loan-approval", input={}, idempotency_key="k")
    assert (caught.value.status, caught.value.field) == (422, "Idempotency-Key")


def test_a_reply_that_is_no_document_is_an_error_and_not_a_decision(server: Server) -> None:
    server.status, server.body = 200, b"<html>gateway</html>"
    with pytest.raises(ApiError, match="Unexpected reply"):
        api(server).get("d-1")
