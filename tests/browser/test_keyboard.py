"""The portal by keyboard alone, in the page and inside the sandboxed frame; never while somebody writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from overread_testing.review_fakes import ADA

WRITING = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-classifier name="decision" categories="['approve', 'decline']" header="Approve?">
    <classification-target>text</classification-target>
    <full-instructions header="How to decide">Read all of it.</full-instructions>
  </crowd-classifier>
  <crowd-text-area name="note" label="Note"></crowd-text-area>
  <label>Plain <input name="plain"></label>
  <label>Pick <select name="pick"><option>none
    </option><option>cat</option><option>dog</option></select></label>
  <div contenteditable aria-label="Free" role="textbox" tabindex="0"></div>
</crowd-form>"""


def focused(page: Page) -> str:
    found: str = page.evaluate("document.activeElement.closest('[data-task]')?.dataset.task ?? ''")
    return found


@pytest.fixture
def room(floor: Callable[..., Any]) -> Any:
    made = floor(template=WRITING)
    made.lab.flow_definition(TaskTimeLimitInSeconds=600)
    for name in ("one", "two", "three"):
        made.lab.start(name)
        made.lab.clock.advance(60)
    return made


def at_task(room: Any, name: str = "one") -> Page:
    page: Page = room.enter("ada", at=f"#/tasks/{name}")
    page.frame_locator("iframe").get_by_role("radio", name="approve").wait_for()
    expect(page.get_by_role("button", name="Instructions")).to_be_enabled()
    expect(page.locator("iframe")).to_be_focused()
    return page


def test_a_day_without_a_mouse(room: Any) -> None:
    page = room.door()
    press = page.keyboard.press
    page.get_by_role("button", name="ada").wait_for()
    press("Tab")
    press("Enter")
    page.locator("[data-task=one]").wait_for()
    for key, task in (("j", "one"), ("j", "two"), ("ArrowDown", "three"), ("j", "three"), ("k", "two")):
        press(key)
        assert focused(page) == task
    press("Enter")
    frame = page.frame_locator("iframe")
    frame.get_by_role("radio", name="approve").wait_for()
    expect(page.locator("iframe")).to_be_focused()
    press("i")
    expect(frame.get_by_role("heading", name="How to decide")).to_be_visible()
    press("Escape")
    press("a")
    page.get_by_role("dialog", name="Ask the lead").wait_for()
    page.keyboard.type("Which rule? p d u n")
    press("Control+Enter")
    expect(page.get_by_text("Which rule? p d u n")).to_be_visible()
    press("2")
    press("Control+Shift+Enter")
    expect(page.get_by_text("Answer saved. This is the next task.")).to_be_visible()
    assert room.lab.loop("two").answers[0].choices["decision"] == "decline"
    frame.get_by_role("radio", name="approve").wait_for()
    expect(page.locator("iframe")).to_be_focused()
    press("c")
    page.keyboard.type("illegible")
    press("Tab")
    press("Enter")
    expect(page.get_by_role("heading", name="Saved: cannot decide")).to_be_visible()
    press("n")
    frame.get_by_role("radio", name="approve").wait_for()
    expect(page.locator("iframe")).to_be_focused()
    press("d")
    page.get_by_role("dialog", name="Decline this task?").wait_for()
    press("Enter")
    expect(page.get_by_role("heading", name="Task declined")).to_be_visible()
    press("h")
    expect(page.locator("tbody tr")).to_have_count(2)
    press("t")
    expect(page.get_by_role("heading", name="All caught up")).to_be_visible()


@pytest.mark.parametrize("inside", [True, False])
def test_each_key_does_its_work_in_the_frame_and_in_the_page(room: Any, inside: bool) -> None:
    page = at_task(room)
    press = page.keyboard.press

    def place_focus() -> None:
        if inside:
            page.locator("iframe").focus()
        else:
            page.evaluate("document.activeElement.blur()")

    for key, title in (
        ("f", "Flag this task"),
        ("a", "Ask the lead"),
        ("c", "You cannot decide?"),
        ("?", "Keys"),
    ):
        place_focus()
        press(key)
        expect(page.get_by_role("dialog", name=title)).to_be_visible()
        press("Escape")
        expect(page.get_by_role("dialog", name=title)).to_be_hidden()
    place_focus()
    press("i")
    expect(page.frame_locator("iframe").get_by_role("heading", name="How to decide")).to_be_visible()
    press("Escape")
    place_focus()
    press("p")
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    expect(page.locator(".curtain button")).to_be_focused()
    press("p")
    expect(page.locator("iframe")).to_be_focused()
    place_focus()
    press("Control+Enter")
    expect(page.frame_locator("iframe").get_by_text("Choose one of the answers.")).to_be_visible()
    place_focus()
    press("u")
    page.locator("[data-task=one]").wait_for()
    assert room.lab.loop("one").claims == ()


@pytest.mark.parametrize("field", ["Note", "Plain", "Free"])
def test_keys_are_letters_while_somebody_writes(room: Any, field: str) -> None:
    page = at_task(room)
    field_in_frame = page.frame_locator("iframe").get_by_role("textbox", name=field)
    field_in_frame.focus()
    page.keyboard.type("nprudcfai? 12")
    page.wait_for_timeout(200)
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("iframe")).to_be_visible()
    (claim,) = room.lab.loop("one").claims
    assert claim.running_since is not None
    written = field_in_frame.evaluate("field => field.value ?? field.textContent")
    assert written == "nprudcfai? 12"
    expect(page.frame_locator("iframe").get_by_role("radio", name="approve")).not_to_be_checked()


def test_keys_pick_an_option_while_a_list_of_options_has_the_focus(room: Any) -> None:
    page = at_task(room)
    pick = page.frame_locator("iframe").get_by_label("Pick")
    pick.focus()
    page.keyboard.press("d")
    expect(pick).to_have_value("dog")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_modifiers_belong_to_the_browser(room: Any) -> None:
    page = at_task(room)
    for key in ("Control+d", "Alt+p", "Meta+f", "Control+u"):
        page.keyboard.press(key)
    page.wait_for_timeout(200)
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert room.lab.loop("one").claims[0].running_since is not None


def test_the_frame_presses_no_other_key_of_the_page(room: Any) -> None:
    page = at_task(room)
    frame = page.frames[1]
    for key in ("t", "h", "Ctrl+Shift+Enter"):
        frame.evaluate(
            "key => parent.postMessage({type: 'key', key, overread: location.hash.slice(1)}, '*')", key
        )
    page.wait_for_timeout(200)
    assert page.url.endswith("#/tasks/one")
    assert room.lab.loop("one").answers == ()


def test_the_keys_are_listed_for_what_is_shown(room: Any) -> None:
    page = room.enter("lena")
    page.locator("[data-task=one]").wait_for()
    page.keyboard.press("?")
    listed = page.get_by_role("dialog", name="Keys")
    for text in ("Backlog", "People", "Next line", "Start the next task"):
        expect(listed).to_contain_text(text)
    expect(listed).not_to_contain_text("Decline the task")
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    expect(page.get_by_role("heading", name="Backlog")).to_be_visible()
    page.get_by_role("link", name="Open tasks").wait_for()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="one").wait_for()
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="two")).to_be_visible()
    page.keyboard.press("e")
    expect(page.get_by_role("heading", name="People")).to_be_visible()


def test_everything_that_takes_the_focus_shows_it(room: Any) -> None:
    room.lab.service.tasks.claim("two", reviewer=ADA)
    for address in ("#/", "#/tasks/two", "#/history"):
        page = room.enter("ada", at=address)
        page.locator("main").wait_for()
        page.wait_for_timeout(200)
        for _ in range(12):
            page.keyboard.press("Tab")
            outline = page.evaluate(
                "[document.activeElement.localName, getComputedStyle(document.activeElement).outlineStyle]"
            )
            assert outline[0] in {"body", "iframe"} or outline[1] != "none", outline
        page.context.close()
        room.contexts.remove(page.context)
