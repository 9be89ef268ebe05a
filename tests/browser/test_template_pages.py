"""The workbench in a browser: a page without a server, and the preview that follows the file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, Page, expect
from tests.browser.drawing import PICTURE, SCRIPT

from overread_cli.main import main
from overread_cli.template.preview import Previewed, create_app
from overread_testing.review_server import served

TEMPLATE = f"""{SCRIPT}<crowd-form>
  <crowd-keypoint name="pose" src="{PICTURE}" header="Where?" labels="{{{{ task.input.labels | to_json }}}}">
    <full-instructions header="How">f</full-instructions><short-instructions>s</short-instructions>
  </crowd-keypoint>
  <crowd-entity-annotation name="names" text="Ada met Grace" labels="['person']">
    <full-instructions header="How">f</full-instructions><short-instructions>s</short-instructions>
  </crowd-entity-annotation>
  <crowd-input name="note" label="Note"></crowd-input>
</crowd-form>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "template.liquid.html").write_text(TEMPLATE)
    (tmp_path / "sample-input.json").write_text('{"labels": ["nose", "ear"]}')
    return tmp_path


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=False)
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def answer_in(page: Page, selector: str) -> Any:
    place = page.locator(selector)
    expect(place).to_contain_text("{")
    return json.loads(place.inner_text().split("\n\n")[0])


def test_a_rendered_page_works_from_a_file_without_any_network(folder: Path, page: Page) -> None:
    done = CliRunner().invoke(
        main,
        ["template", "render", str(folder / "template.liquid.html"), "--output", str(folder / "page.html")],
    )
    assert done.exit_code == 0, done.output
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.context.set_offline(True)
    page.goto((folder / "page.html").as_uri())
    expect(page.locator(".loading")).to_have_count(0)
    page.locator(".viewport").click(position={"x": 300, "y": 200})
    page.get_by_label("Note").fill("seen")
    page.get_by_role("button", name="Submit").click()
    answer = answer_in(page, "#overread-answer")
    assert [point["label"] for point in answer["pose"]["keypoints"]] == ["nose"]
    assert answer["names"] == {"entities": []}
    assert answer["note"] == "seen"
    expect(page.get_by_role("button", name="Submitted")).to_be_visible()
    assert faults == []


def test_the_preview_follows_the_file_and_shows_what_would_be_stored(folder: Path, page: Page) -> None:
    previewed = Previewed(folder / "template.liquid.html", folder / "sample-input.json", None)
    with served(create_app(previewed)) as url:
        page.goto(url)
        frame = page.frame_locator("iframe")
        expect(frame.get_by_role("radio", name="ear")).to_be_visible()
        expect(page.get_by_text("nothing found")).to_be_visible()
        page.get_by_label("Sample input").fill('{"labels": ["hand"]}')
        expect(frame.get_by_role("radio", name="hand")).to_be_visible()
        page.get_by_label("Sample input").fill('{"labels": ')
        expect(page.get_by_role("status").first).to_contain_text("not JSON")
        (folder / "template.liquid.html").write_text(TEMPLATE.replace('label="Note"', 'label="Remark"'))
        expect(frame.get_by_label("Remark")).to_be_visible()
        frame.get_by_label("Remark").fill("x")
        frame.get_by_role("button", name="Submit").click()
        assert answer_in(page, "#answer")["note"] == "x"
        page.get_by_role("button", name="Start over").click()
        expect(frame.get_by_label("Remark")).to_have_value("")
        (folder / "template.liquid.html").write_text(TEMPLATE + "{% if %}")
        expect(page.get_by_role("status").first).to_contain_text("template.liquid.html:9:")
