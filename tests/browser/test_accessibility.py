"""No page of the portal has a serious or critical finding of axe-core, in light and in dark."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.browser.axe import findings

from overread_review.portal.sign_in import OidcSignIn, SignInMethod
from overread_testing.review_fakes import ADA, GRACE, LENA
from overread_testing.review_gold import TAGS, qualification_of

LIGHT_AND_DARK = pytest.mark.parametrize("scheme", ["light", "dark"])


@pytest.fixture
def busy(floor: Callable[..., Any]) -> Any:
    """Two queues with work in every state, a test to take, notes, a paused queue, an answer of two."""
    made = floor(statistics="named")
    lab = made.lab
    urgent = {"overread": {"priority": "urgent", "deadline": "2026-03-02T09:00:00Z"}}
    lab.flow_definition("loans", TaskCount=2, TaskKeywords=["credit"], TaskTimeLimitInSeconds=600)
    lab.flow_definition("claims", TaskTitle="Read a claim")
    lab.flow_definition("letters", TaskTitle="Read a letter")
    lab.service.qualifications.put("loans", qualification_of())
    lab.flow_definition("contracts", TaskTitle="Read a contract", tags=TAGS)
    lab.service.people.seen(ADA)
    lab.service.people.seen(GRACE)
    lab.start("loop-1", flow="loans", note="first", **urgent)
    lab.start("loop-2", flow="loans", note="second")
    lab.start("loop-3", flow="claims", overread={"priority": "low"})
    lab.answer("loop-2", by=GRACE)
    lab.service.tasks.claim("loop-2", reviewer=ADA)
    lab.service.tasks.note("loop-2", reviewer=ADA, kind="flag", text="The sum is missing.")
    lab.service.lead.reply(LENA, "loop-2", text="Take the one of page 2.")
    lab.answer("loop-1", by=ADA)
    lab.service.lead.pause_queue(LENA, "letters")
    lab.clock.advance(300)
    return made


def check(page: Page) -> None:
    assert findings(page) == []


@LIGHT_AND_DARK
def test_the_sign_in_page_by_names_and_with_providers(floor: Callable[..., Any], scheme: str) -> None:
    page = floor().door(scheme=scheme)
    page.get_by_role("button", name="lena").wait_for()
    check(page)
    providers = [SignInMethod("workforce", "Our people", signs_out=True, invites=True)]
    page = floor(sign_in=OidcSignIn(providers)).door(scheme=scheme)
    page.get_by_role("link", name="Our people").wait_for()
    check(page)


@LIGHT_AND_DARK
def test_the_reviewers_pages(busy: Any, scheme: str) -> None:
    page = busy.enter("ada", scheme=scheme)
    page.locator("[data-task=loop-2]").wait_for()
    expect(page.get_by_text("Read a letter")).to_be_visible()
    check(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    check(page)
    page.keyboard.press("Escape")
    page.keyboard.press("h")
    page.get_by_role("heading", name="Your history").wait_for()
    page.get_by_role("table").wait_for()
    check(page)


@LIGHT_AND_DARK
def test_the_task_in_all_its_states(busy: Any, scheme: str) -> None:
    page = busy.enter("ada", at="#/tasks/loop-2", scheme=scheme)
    page.frame_locator("iframe").get_by_role("radio", name="approve").wait_for()
    expect(page.get_by_role("button", name="Instructions")).to_be_enabled()
    check(page)
    assert findings(page.frames[1]) == []
    page.keyboard.press("i")
    page.frame_locator("iframe").get_by_role("dialog").wait_for()
    assert findings(page.frames[1]) == []
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    page.get_by_role("dialog", name="Flag this task").wait_for()
    check(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("heading", name="Paused").wait_for()
    check(page)
    page.keyboard.press("p")
    page.get_by_role("button", name="Decline", exact=True).click()
    page.get_by_role("button", name="Yes, decline").click()
    page.get_by_role("heading", name="Task declined").wait_for()
    check(page)


@LIGHT_AND_DARK
def test_the_leads_pages(busy: Any, scheme: str) -> None:
    page = busy.enter("lena", at="#/lead", scheme=scheme)
    page.get_by_role("heading", name="Read a claim").wait_for()
    check(page)
    page.goto(f"{busy.url}/portal/#/lead/queues/loans/open")
    page.get_by_role("table").wait_for()
    check(page)
    page.goto(f"{busy.url}/portal/#/lead/tasks/loop-2")
    page.get_by_role("heading", name="Input").wait_for()
    check(page)
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("dialog", name="Stop this task?").wait_for()
    check(page)
    page.keyboard.press("Escape")
    page.goto(f"{busy.url}/portal/#/lead/people")
    page.get_by_role("row", name="grace").wait_for()
    check(page)
