"""Five hundred hostile texts on one page: the DOM gains nothing, nothing runs, nobody elsewhere is asked.

Every check is also run against a page that has lost its escaping, where it has to fail.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext
from tests.browser.anatomy import ANATOMY, TRACES
from tests.browser.elsewhere import Elsewhere, elsewhere
from tests.browser.xss_payloads import COUNT, as_parsed, payloads

from overread_review.app import create_app
from overread_templates import escaping
from overread_testing.review_fakes import ADA, review_lab
from overread_testing.review_server import served

HARMLESS = [f"harmless {number}" for number in range(COUNT)]

TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-classifier name="decision" categories="{{ task.input.labels | to_json | escape }}"
      header="{{ task.input.texts[0] }}">
    <classification-target><p id="whole">{{ task.input.texts }}</p></classification-target>
    <full-instructions header="{{ task.input.texts[1] }}">{{ task.input.texts[2] }}</full-instructions>
    <short-instructions>{{ task.input.texts[3] }}</short-instructions>
  </crowd-classifier>
  {% for text in task.input.texts %}
  <div class="one" title="{{ text }}" data-json='{{ text | to_json }}' style="--x: {{ text }}">
    <span class="text">{{ text }}</span><b title='{{ text | escape }}'>{{ text | escape_once }}</b>
    <a href="#{{ text }}" name="{{ text }}">{{ text | truncate: 40 }}</a>
    <textarea>
{{ text }}</textarea>
    <style>.never::after { content: "{{ text }}"; }</style>
    <select><option value="{{ text }}">{{ text | upcase }}</option></select>
    {% capture kept %}<i>{{ text }}</i>{% endcapture %}{{ kept }}
    {% assign joined = text | append: "-" | prepend: text %}<u>{{ joined }}</u>
    <noscript>{{ text }}</noscript><template>{{ text }}</template><!-- {{ text }} -->
    <crowd-card heading="{{ text }}">{{ text }}</crowd-card>
    {% cycle text, "b" %}
  </div>
  {% endfor %}
  <crowd-input name="x" label="{{ task.input.texts[4] }}" placeholder="{{ task.input.texts[5] }}"
      value="{{ task.input.texts[6] }}"></crowd-input>
  <script type="application/json" id="data">{{ task.input | to_json | skip_autoescape }}</script>
  <script>window.data = {{ task.input | to_json | skip_autoescape }};</script>
</crowd-form>"""

HOST = """<!doctype html><title>host</title><iframe name="task" sandbox="allow-scripts allow-forms"
  src="/portal/tasks/loop-1/frame#nonce" width="1200" height="800"></iframe>"""
"""A page of the portal's origin that has nothing but the task in it, as the portal frames it."""


@dataclass
class Seen:
    """What a page with these texts was like."""

    anatomy: list[str] = field(default_factory=list)
    traces: dict[str, Any] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    data: object = None
    dialogs: list[str] = field(default_factory=list)
    addresses: set[str] = field(default_factory=set)


Show = Callable[[list[str]], Seen]


@pytest.fixture
def show(browser: Browser) -> Iterator[Show]:
    """Renders the template with these texts as task input, in the task frame, and looks at it."""
    with ExitStack() as closing:

        def rendered(texts: list[str]) -> Seen:
            lab = review_lab(template=TEMPLATE)
            lab.flow_definition()
            lab.start("loop-1", **task_input(texts))
            lab.service.tasks.claim("loop-1", reviewer=ADA)
            url = closing.enter_context(served(create_app(lab.service)))
            context = closing.enter_context(closed(browser.new_context()))
            return looked_at(context, url=url)

        yield rendered


@contextmanager
def closed(context: BrowserContext) -> Iterator[BrowserContext]:
    """The context, closed afterwards."""
    context.set_default_timeout(20_000)
    yield context
    context.close()


def task_input(texts: list[str]) -> dict[str, list[str]]:
    return {"texts": texts, "labels": ["a", *texts[:20]]}


def looked_at(context: BrowserContext, *, url: str) -> Seen:
    """The frame of ada's task `loop-1`: what is in it and what it did."""
    context.request.post(f"{url}/portal/api/session", data={"reviewer": "ada"})
    page, seen = context.new_page(), Seen()
    page.route("**/portal/host", lambda route: route.fulfill(body=HOST, content_type="text/html"))
    page.on("requestfinished", lambda request: seen.addresses.add(urlsplit(request.url).path))
    page.on("dialog", lambda dialog: (seen.dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(f"{url}/portal/host")
    frame = page.frame("task")
    assert frame is not None
    frame.wait_for_load_state("load")
    page.wait_for_timeout(300)
    seen.anatomy, seen.traces = frame.evaluate(ANATOMY), frame.evaluate(TRACES)
    seen.texts = frame.evaluate(
        "() => [...document.querySelectorAll('.one > .text')].map(e => e.textContent)"
    )
    seen.data = frame.evaluate("() => [window.data, document.querySelector('#data')?.textContent]")
    assert page.evaluate("() => [window.hits ?? null, frames.length]") == [None, 1]
    assert page.url == f"{url}/portal/host"
    return seen


@pytest.fixture(scope="module")
def outside() -> Iterator[Elsewhere]:
    """Where the payloads would like to go."""
    with elsewhere() as server:
        yield server


@pytest.fixture(scope="module")
def texts(outside: Elsewhere) -> list[str]:
    """The five hundred."""
    return payloads(out=outside.url)


def test_the_grammar_makes_five_hundred_different_texts(texts: list[str]) -> None:
    assert len(set(texts)) == COUNT == 500
    for part in (
        "srcdoc",
        "javascript:",
        "\u2028",
        "</script>",
        "{{7*7}}",
        "<math>",
        "onerror",
        "name=document",
    ):
        assert any(part in text for text in texts), part


def test_task_input_becomes_text_at_every_place_of_a_template(
    show: Show, texts: list[str], outside: Elsewhere
) -> None:
    harmless, hostile = show(HARMLESS), show(texts)
    assert hostile.texts == [as_parsed(text) for text in texts]
    data, text = hostile.data
    assert data == json.loads(text) == task_input(texts)
    assert hostile.anatomy == harmless.anatomy
    assert hostile.traces == harmless.traces
    assert (hostile.dialogs, outside.heard) == ([], [])
    assert hostile.addresses == harmless.addresses


@pytest.mark.parametrize("forgotten", ["&", "'", '"', "&<>\"'"])
def test_the_check_notices_what_escaping_forgets(
    show: Show, texts: list[str], forgotten: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without those that take the whole page away: the others have to be seen as well.
    calm = [text for text in texts if "location" not in text and "innerHTML" not in text][::2]
    safe = show(HARMLESS[: len(calm)])
    kept = {char: escape for char, escape in escaping._ESCAPES.items() if chr(char) not in forgotten}
    monkeypatch.setattr(escaping, "_ESCAPES", kept)
    spoiled = show(calm)
    assert spoiled.anatomy != safe.anatomy or spoiled.texts != [as_parsed(text) for text in calm]
