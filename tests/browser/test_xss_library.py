"""Five hundred hostile texts through every template of the library: none becomes an element or a script."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from tests.browser.xss_payloads import COUNT, payloads

from overread_templates import S3Location, Template, escaping, parse_template

TEMPLATES = Path(__file__).parents[2] / "templates"
NAMES = sorted(path.parent.name for path in TEMPLATES.glob("*/template.liquid.html"))
BATCH = 100

PARTS = """pages => pages.map(text => {
  const page = new DOMParser().parseFromString(text, "text/html");
  const named = one => one.localName + " " + one.getAttributeNames().sort().join(" ");
  const parts = [...page.querySelectorAll("*")].map(named);
  return parts.join("\\n") + "\\n" + [...page.scripts].map(one => one.textContent).join("\\n");
})"""
"""Every element with the names of its attributes, and the text of every script; nothing in the page runs."""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=True)
    yield context.new_page()
    context.close()


def filled(value: Any, text: str) -> Any:
    """The sample with this text in place of every text that people or machines wrote."""
    if isinstance(value, dict):
        return {key: filled(item, text) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, text) for item in value]
    return text if isinstance(value, str) else value


def rendered(template: Template, sample: Any, text: str) -> str:
    def address(location: S3Location) -> str:
        return f"https://objects.example/{location.bucket}"

    return template.render(filled(sample, text), sign_url=address)


def parts(page: Page, template: Template, sample: Any, texts: list[str]) -> list[str]:
    """What each page consists of, many pages at a time."""
    found: list[str] = []
    for first in range(0, len(texts), BATCH):
        pages = [rendered(template, sample, text) for text in texts[first : first + BATCH]]
        found += page.evaluate(PARTS, pages)
    return found


def load(name: str) -> tuple[Template, Any]:
    folder = TEMPLATES / name
    template = parse_template((folder / "template.liquid.html").read_text(), name=name)
    return template, json.loads((folder / "sample-input.json").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_no_text_becomes_markup(page: Page, name: str) -> None:
    template, sample = load(name)
    texts = payloads(out="https://elsewhere.example")
    assert len(texts) == COUNT
    (harmless,) = parts(page, template, sample, ["harmless"])
    assert set(parts(page, template, sample, texts)) == {harmless}


def test_the_check_notices_a_template_that_does_not_escape(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    template, sample = load("text-classification")
    (harmless,) = parts(page, template, sample, ["harmless"])
    monkeypatch.setattr(escaping, "_ESCAPES", {})
    assert set(parts(page, template, sample, payloads(out="https://elsewhere.example")[:50])) != {harmless}
