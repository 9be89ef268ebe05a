"""An HTTP server that answers what it is told to, and records what arrives."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass
class Server:
    """`answers` are given one after the other, the last one again and again; None drops the connection."""

    url: str = ""
    answers: list[tuple[int, dict[str, Any] | bytes, dict[str, str]] | None] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def will_answer(self, status: int, document: dict[str, Any] | bytes, **headers: str) -> None:
        """One more answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, document, named))

    def will_drop(self) -> None:
        """One more connection that ends without an answer."""
        self.answers.append(None)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            state.requests.append((self.command, self.path, dict(self.headers), body))
            answer = state.answers.pop(0) if len(state.answers) > 1 else state.answers[0]
            if answer is None:
                self.close_connection = True
                return
            status, document, headers = answer
            content = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = handle_any  # noqa: N815

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
