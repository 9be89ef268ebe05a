"""Unfinished answers survive a reload, for their person and task alone, and nothing survives a sign-out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from overread_testing.review_fakes import ADA

FIELDS = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-image-classifier name="picture" src="data:," categories="['cat', 'dog']" header="What is it?">
    <full-instructions>Look.</full-instructions><worker-comment>Comment</worker-comment>
  </crowd-image-classifier>
  <crowd-radio-group>
    <crowd-radio-button name="risk" value="low">Low</crowd-radio-button>
    <crowd-radio-button name="risk" value="high">High</crowd-radio-button>
  </crowd-radio-group>
  <crowd-checkbox name="seen" value="blurry">Blurry</crowd-checkbox>
  <crowd-input name="email" label="Email"></crowd-input>
  <crowd-text-area name="notes" label="Notes"></crowd-text-area>
  <label>Plain <input name="plain"></label>
  <label><input type="checkbox" name="box" value="on">Box</label>
  <label>Pick <select name="pick"><option value="a">A</option><option value="b">B</option></select></label>
  <label>Secret <input type="password" name="secret"></label>
</crowd-form>"""
KEPT = "Object.keys(sessionStorage).filter(key => key.startsWith('overread draft'))"


@pytest.fixture
def room(floor: Callable[..., Any]) -> Any:
    made = floor(template=FIELDS)
    made.lab.flow_definition(TaskTimeLimitInSeconds=600)
    made.lab.start("one")
    made.lab.start("two")
    return made


def frame(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


def fill(page: Page) -> None:
    inside = frame(page)
    inside.get_by_role("radio", name="dog").check()
    inside.get_by_label("Comment").fill("a dog, I think")
    inside.get_by_role("radio", name="High").check()
    inside.get_by_role("checkbox", name="Blurry").check()
    inside.get_by_label("Email").fill("a@b.example")
    inside.get_by_label("Notes").fill("line 1\nline 2")
    inside.get_by_label("Plain").fill("plain")
    inside.get_by_label("Box").check()
    inside.get_by_label("Pick").select_option("b")
    inside.get_by_label("Secret").fill("s3cret")
    is_kept = f"{KEPT}.length === 1 && sessionStorage[{KEPT}[0]].includes('[false,true]')"
    for _ in range(100):  # the page's policy forbids what wait_for_function does
        if page.evaluate(is_kept):
            return
        page.wait_for_timeout(50)
    raise AssertionError("the draft was not kept")


def test_everything_filled_in_survives_a_reload(room: Any) -> None:
    page = room.enter("ada", at="#/tasks/one")
    fill(page)
    kept = page.evaluate(f"sessionStorage[{KEPT}[0]]")
    assert "s3cret" not in kept
    page.reload()
    inside = frame(page)
    expect(inside.get_by_role("radio", name="dog")).to_be_checked()
    expect(inside.get_by_label("Comment")).to_have_value("a dog, I think")
    expect(inside.get_by_role("radio", name="High")).to_be_checked()
    expect(inside.get_by_role("checkbox", name="Blurry")).to_be_checked()
    expect(inside.get_by_label("Email")).to_have_value("a@b.example")
    expect(inside.get_by_label("Notes")).to_have_value("line 1\nline 2")
    expect(inside.get_by_label("Plain")).to_have_value("plain")
    expect(inside.get_by_label("Box")).to_be_checked()
    expect(inside.get_by_label("Pick")).to_have_value("b")
    expect(inside.get_by_label("Secret")).to_have_value("")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Answer saved")).to_be_visible()
    assert page.evaluate(KEPT) == []
    (answer,) = room.lab.loop("one").answers
    assert answer.choices["risk"] == "high"


def test_a_draft_belongs_to_one_task(room: Any) -> None:
    page = room.enter("ada", at="#/tasks/one")
    fill(page)
    page.goto(f"{room.url}/portal/#/tasks/two")
    expect(frame(page).get_by_label("Plain")).to_have_value("")
    page.go_back()
    expect(frame(page).get_by_label("Plain")).to_have_value("plain")


def test_a_draft_belongs_to_one_person_and_goes_with_the_sign_out(room: Any) -> None:
    page = room.enter("ada", at="#/tasks/one")
    fill(page)
    # Another person in the same tab, without a sign-out between.
    room.lab.service.tasks.give_back("one", reviewer=ADA, decline=False)
    page.context.request.post(f"{room.url}/portal/api/session", data={"reviewer": "grace"})
    page.reload()
    expect(frame(page).get_by_label("Plain")).to_have_value("")
    expect(frame(page).get_by_role("radio", name="dog")).not_to_be_checked()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Who is reviewing?")).to_be_visible()
    assert page.evaluate(KEPT) == []


def test_a_draft_outlives_a_session_that_ran_out(room: Any) -> None:
    page = room.enter("ada", at="#/tasks/one")
    fill(page)
    page.context.clear_cookies()
    page.reload()
    page.get_by_role("button", name="ada").click()
    expect(frame(page).get_by_label("Plain")).to_have_value("plain")


def test_a_broken_draft_is_no_draft(room: Any) -> None:
    page = room.enter("ada", at="#/tasks/one")
    fill(page)
    for broken in ("{", "[1]", '{"0 crowd-image-classifier picture": 7, "x": null}', "null"):
        page.evaluate(f"text => {{ sessionStorage[{KEPT}[0]] = text }}", broken)
        page.reload()
        expect(frame(page).get_by_label("Plain")).to_have_value("")
        expect(frame(page).get_by_role("radio", name="dog")).not_to_be_checked()
        page.wait_for_timeout(50)
        assert page.locator(".notice").count() == 0
