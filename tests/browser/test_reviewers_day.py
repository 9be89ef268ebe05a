"""A reviewer signs in, claims, answers, declines, and meets every state of a task."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from overread.review.wire import LoopStatus
from overread_testing.review_fakes import ADA, GRACE, TEMPLATE

EXAMPLES = Path(__file__).parents[2] / "templates"


@pytest.mark.parametrize("use_case", ["digit-reading", "loan-approval", "tumor-screening"])
def test_a_reviewer_answers_each_example(desk: Callable[..., Any], use_case: str) -> None:
    folder = EXAMPLES / use_case
    expected = json.loads((folder / "expected-answer.json").read_text())
    at_desk = desk(
        (folder / "template.liquid.html").read_text(),
        at_task=False,
        **json.loads((folder / "sample-input.json").read_text()),
    )
    at_desk.open_task()
    at_desk.frame.get_by_role("radio", name=expected["decision"]["label"], exact=True).check()
    at_desk.frame.locator("select[name=reason_code]").select_option(expected["reason_code"])
    if "note" in expected:
        at_desk.frame.get_by_role("textbox").fill(expected["note"])
    assert at_desk.page.locator(".notice").count() == 0
    assert at_desk.submit() == expected
    assert at_desk.lab.loop("loop-1").status is LoopStatus.COMPLETED
    at_desk.page.get_by_role("button", name="Next task").click()
    expect(at_desk.page.get_by_role("heading", name="All caught up")).to_be_visible()


def test_the_list_says_what_waits_and_for_how_long(desk: Callable[..., Any]) -> None:
    at_desk = desk(TEMPLATE, at_task=False)
    at_desk.lab.clock.advance(180)
    at_desk.page.reload()
    line = at_desk.page.locator("[data-task='loop-1']")
    for text in ("Review a loan", "Approve or decline", "Asked 3 minutes ago", "Expires in 9 days", "10 min"):
        expect(line).to_contain_text(text)


def test_declining_asks_first_and_hands_the_task_on(desk: Callable[..., Any]) -> None:
    at_desk = desk(TEMPLATE)
    at_desk.page.get_by_role("button", name="Decline", exact=True).click()
    at_desk.page.get_by_role("button", name="Back", exact=True).click()
    assert at_desk.lab.loop("loop-1").declined_by == ()
    at_desk.page.get_by_role("button", name="Decline", exact=True).click()
    at_desk.page.get_by_role("button", name="Yes, decline").click()
    expect(at_desk.page.get_by_role("heading", name="Task declined")).to_be_visible()
    at_desk.page.get_by_role("link", name="All tasks").click()
    expect(at_desk.page.get_by_role("heading", name="All caught up")).to_be_visible()
    assert [task.loop.name for task in at_desk.lab.service.tasks.offered(GRACE)] == ["loop-1"]


def test_putting_a_task_back_leaves_it_in_the_list(desk: Callable[..., Any]) -> None:
    at_desk = desk(TEMPLATE)
    at_desk.page.get_by_role("button", name="Put back").click()
    expect(at_desk.page.locator("[data-task='loop-1']")).to_be_visible()
    assert at_desk.lab.loop("loop-1").claims == ()


def test_a_reload_keeps_the_task_and_its_deadline(desk: Callable[..., Any]) -> None:
    at_desk = desk(TEMPLATE)
    deadline = at_desk.lab.loop("loop-1").claims[0].deadline_at
    at_desk.page.reload()
    at_desk.frame.get_by_role("radio", name="approve").wait_for()
    assert at_desk.lab.loop("loop-1").claims[0].deadline_at == deadline
    expect(at_desk.page.get_by_role("timer")).to_have_text(re.compile(r"10:00|9:5\d"))


def test_a_task_that_somebody_else_took(desk: Callable[..., Any]) -> None:
    at_desk = desk(TEMPLATE, at_task=False)
    at_desk.page.route("**/portal/api/tasks", lambda route: route.abort())  # the list stays as it was
    at_desk.lab.service.tasks.claim("loop-1", reviewer=GRACE)
    at_desk.page.locator("[data-task='loop-1']").click()
    expect(at_desk.page.get_by_role("heading", name="This task is not free")).to_be_visible()
    expect(at_desk.page.get_by_text("Another reviewer is working on this task.")).to_be_visible()


def test_an_answer_after_the_deadline_is_not_taken(desk: Callable[..., Any]) -> None:
    at_desk = desk(TEMPLATE)
    at_desk.frame.get_by_role("radio", name="approve").check()
    at_desk.lab.clock.advance(600)
    at_desk.frame.get_by_role("button", name="Submit").click()
    expect(at_desk.page.get_by_role("heading", name="This task is over")).to_be_visible()
    assert at_desk.lab.loop("loop-1").answers == ()


def test_the_countdown_ends_the_task_by_itself(desk: Callable[..., Any]) -> None:
    at_desk = desk(TEMPLATE, at_task=False)
    at_desk.lab.service.tasks.claim("loop-1", reviewer=ADA)
    at_desk.lab.clock.advance(598.5)
    at_desk.open_task()
    expect(at_desk.page.get_by_role("timer")).to_have_class("timer hurry")
    expect(at_desk.page.get_by_role("heading", name="Your time for this task is over")).to_be_visible()


def test_an_answer_that_could_not_be_sent_stays_on_the_page(desk: Callable[..., Any]) -> None:
    at_desk = desk(TEMPLATE)
    at_desk.frame.get_by_role("radio", name="decline").check()
    at_desk.page.route("**/answer", lambda route: route.abort())
    at_desk.frame.get_by_role("button", name="Submit").click()
    expect(at_desk.page.get_by_text("Your answer is still here")).to_be_visible()
    at_desk.page.unroute("**/answer")
    assert at_desk.submit() == {"decision": {"label": "decline"}}


def test_the_whole_task_by_keyboard(desk: Callable[..., Any]) -> None:
    at_desk = desk(TEMPLATE, at_task=False)
    press = at_desk.page.keyboard.press
    press("n")
    at_desk.frame.get_by_role("radio", name="approve").wait_for()
    expect(at_desk.page.locator("iframe")).to_be_focused()
    press("2")
    expect(at_desk.frame.get_by_role("radio", name="decline")).to_be_checked()
    press("Tab")
    expect(at_desk.frame.get_by_role("button", name="Full instructions")).to_be_focused()
    press("Enter")
    expect(at_desk.frame.get_by_role("heading", name="How to decide")).to_be_visible()
    press("Escape")
    press("Tab")
    press("Enter")
    expect(at_desk.page.get_by_role("heading", name="Answer saved")).to_be_visible()
    expect(at_desk.page.get_by_role("button", name="Next task")).to_be_focused()


def test_signing_out_ends_the_session(desk: Callable[..., Any]) -> None:
    at_desk = desk(TEMPLATE, at_task=False)
    at_desk.page.get_by_role("button", name="Sign out").click()
    expect(at_desk.page.get_by_role("heading", name="Who is reviewing?")).to_be_visible()
    assert at_desk.context.cookies() == []


@pytest.mark.parametrize("width", [360, 820, 1600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_window(desk: Callable[..., Any], width: int, scheme: str) -> None:
    at_desk = desk(TEMPLATE, at_task=False, scheme=scheme)
    at_desk.page.set_viewport_size({"width": width, "height": 800})
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert at_desk.page.evaluate(wide) is False
    at_desk.open_task()
    at_desk.frame.get_by_role("radio", name="approve").wait_for()
    assert at_desk.page.evaluate(wide) is False
    assert at_desk.frame.locator("html").evaluate(f"() => {wide}") is False
