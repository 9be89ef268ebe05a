"""docs/delivery.md: its receiver runs as it stands, and every event, header and command is named."""

import http.client
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

from overread.decisions import news
from overread.delivery import signature
from overread.delivery.signature import signed_headers
from overread_cli.main import COMMANDS

PAGE = (Path(__file__).parents[3] / "docs/delivery.md").read_text(encoding="utf-8")
SECRET = "a secret of the receiver's, shared"
BODY = json.dumps({"event": "Decision Final", "dedupe_key": "d-1/3", "state": "FINAL"}).encode()


@contextmanager
def documented_receiver(applied: list[tuple[str, Any]]) -> Iterator[int]:
    """The port of the page's receiver, which keeps what it applies."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {"SECRET": SECRET, "apply_once": lambda *told: applied.append(told)}
    exec(compile(code, "docs/delivery.md", "exec"), names)
    hooks: type[BaseHTTPRequestHandler] = type("Quiet", (names["Hooks"],), {"log_message": lambda *_: None})
    with ThreadingHTTPServer(("127.0.0.1", 0), hooks) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def status_of(port: int, body: bytes, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", "/", body=body, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_the_receiver_takes_what_is_genuine_and_nothing_else() -> None:
    applied: list[tuple[str, Any]] = []
    headers = signed_headers(BODY, secret=SECRET.encode(), timestamp=int(time.time()), dedupe_key="d-1/3")
    with documented_receiver(applied) as port:
        assert status_of(port, BODY.replace(b"FINAL", b"FALSE"), headers) == 401
        assert status_of(port, BODY, {**headers, "Overread-Timestamp": "1"}) == 401
        assert applied == []
        assert status_of(port, BODY, headers) == 204
    assert applied == [("d-1/3", json.loads(BODY))]


@pytest.mark.parametrize(
    "name", [news.FINAL, news.ESCALATED, news.CANCELLED, news.TRUTH, news.KILL_SWITCH, news.ROSTER]
)
def test_every_event_is_in_the_table(name: str) -> None:
    assert any(line.startswith("| `") and f"`{name}`" in line for line in PAGE.splitlines())


@pytest.mark.parametrize("name", [signature.TIMESTAMP, signature.SIGNATURE, signature.DEDUPE_KEY])
def test_every_header_is_in_the_table(name: str) -> None:
    assert f"| `{name}` |" in PAGE


@pytest.mark.parametrize("name", ["outbox", "feedback"])
def test_every_command_is_shown(name: str) -> None:
    module, attribute, _ = COMMANDS[name]
    group = getattr(import_module(module), attribute)
    assert isinstance(group, click.Group)
    for command in group.commands:
        assert f"overread {name} {command}" in PAGE
