"""An object of a task that is missing or may not be read: the page says which, and an answer still counts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import expect

TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <img src="{{ task.input.image | grant_read_access }}">
  <img src="https://elsewhere.example/foreign.png">
  <video src="{{ task.input.film | grant_read_access }}"></video>
  <crowd-input name="x" label="X"></crowd-input>
</crowd-form>"""


@pytest.fixture
def objects() -> Iterator[str]:
    """A store of objects that has one nowhere and gives the other to nobody."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404 if "missing" in self.path else 403)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


def test_what_could_not_be_loaded_is_named_without_its_signature(
    floor: Callable[..., Any], objects: str
) -> None:
    made = floor(template=TEMPLATE)
    made.lab.documents.objects_url = objects
    made.lab.flow_definition()
    made.lab.start("loop-1", image="s3://inputs/missing.png", film="s3://inputs/forbidden.mp4")
    page = made.enter("ada", at="#/tasks/loop-1")
    notice = page.locator("details.notice")
    for name in ("missing.png", "forbidden.mp4"):
        expect(notice).to_contain_text(f"Not loaded: {objects}/inputs/{name} (it does not exist")
    expect(notice).to_contain_text("Blocked: https://elsewhere.example/foreign.png")
    expect(notice).not_to_contain_text("Not loaded: https://elsewhere.example")
    expect(notice).not_to_contain_text("expires=")
    frame = page.frame_locator("iframe")
    frame.get_by_label("X").fill("still works")
    frame.get_by_role("button", name="Submit").click()
    page.get_by_role("heading", name="Answer saved").wait_for()
    assert len(made.lab.loop("loop-1").answers) == 1
