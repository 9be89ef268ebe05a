"""The clock of a task: pausing it, going on, and the pause when nobody looks for over a minute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

HIDE = """hidden => {
  Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
  document.dispatchEvent(new Event('visibilitychange'));
}"""


@pytest.fixture
def room(floor: Callable[..., Any]) -> Any:
    made = floor(max_pause_s=1200)
    made.lab.flow_definition(TaskTimeLimitInSeconds=600)
    made.lab.start("one")
    return made


@pytest.fixture
def page(room: Any) -> Page:
    """At the task, with a clock of the browser that only tests move."""
    page: Page = room.door()
    page.clock.install(time=0)
    page.clock.pause_at(1000)
    page.context.request.post(f"{room.url}/portal/api/session", data={"reviewer": "ada"})
    page.goto(f"{room.url}/portal/#/tasks/one")
    page.reload()
    page.frame_locator("iframe").get_by_role("radio", name="approve").wait_for()
    return page


def pass_time(room: Any, page: Page, seconds: int) -> None:
    room.lab.clock.advance(seconds)
    page.clock.fast_forward(seconds * 1000)


def test_a_pause_stops_the_clock_and_the_work(room: Any, page: Page) -> None:
    pass_time(room, page, 100)
    expect(page.get_by_role("timer")).to_have_text("8:20")
    expect(page.get_by_text("100 s of work")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    expect(page.locator("iframe")).to_be_hidden()
    expect(page.get_by_text("goes back to the others in 28 min")).to_be_visible()
    pass_time(room, page, 700)
    expect(page.get_by_role("timer")).to_have_text("8:20")
    page.locator(".curtain").get_by_role("button", name="Go on").click()
    expect(page.locator("iframe")).to_be_visible()
    expect(page.get_by_role("timer")).to_have_text("8:20")
    pass_time(room, page, 20)
    page.frame_locator("iframe").get_by_role("radio", name="approve").check()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Answer saved")).to_be_visible()
    assert room.lab.loop("one").answers[0].worked_s == pytest.approx(120, abs=1)


def test_a_hidden_tab_pauses_after_a_minute_and_says_so(room: Any, page: Page) -> None:
    page.evaluate(HIDE, True)
    page.clock.run_for(59_000)
    assert room.lab.loop("one").claims[0].running_since is not None
    page.clock.run_for(2_000)
    expect(page.get_by_text("You were away for over a minute.")).to_be_visible()
    assert room.lab.loop("one").claims[0].running_since is None
    page.evaluate(HIDE, False)
    page.keyboard.press("p")
    expect(page.locator("iframe")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    expect(page.get_by_text("You were away")).to_have_count(0)  # this time it was the reviewer's own doing


def test_a_short_look_elsewhere_pauses_nothing(room: Any, page: Page) -> None:
    for _ in range(3):
        page.evaluate(HIDE, True)
        page.clock.run_for(40_000)
        page.evaluate(HIDE, False)
        page.clock.run_for(5_000)
    assert room.lab.loop("one").claims[0].running_since is not None
    expect(page.get_by_role("heading", name="Paused")).to_have_count(0)


def test_a_pause_outlives_a_reload(room: Any, page: Page) -> None:
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    expect(page.get_by_role("timer")).to_have_text("10:00")


def test_a_pause_that_lasts_too_long_gives_the_task_back(room: Any, page: Page) -> None:
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    pass_time(room, page, 1801)
    expect(page.get_by_role("heading", name="Your time for this task is over")).to_be_visible()


def test_a_pause_that_cannot_be_sent_is_said_and_the_work_goes_on(room: Any, page: Page) -> None:
    page.route("**/pause", lambda route: route.abort())
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("alert")).to_contain_text("The clock was not changed")
    expect(page.locator("iframe")).to_be_visible()
