"""The portal at a tablet's sizes: nothing is cut off or lies over something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from overread_testing.review_fakes import ADA, GRACE

SIZES = pytest.mark.parametrize("size", [(820, 1180), (1180, 820)])
OVERLAPS = """() => {
  const all = [...document.querySelectorAll('button, a, select, input, textarea')]
    .filter(one => one.checkVisibility() && !one.closest('dialog'))
    .map(one => [one.textContent.trim() || one.localName, one.getBoundingClientRect(), one]);
  const found = [];
  for (const [name, box] of all) {
    if (box.width < 24 || box.height < 24) found.push(`small: ${name} ${box.width}x${box.height}`);
    if (box.left < 0 || box.right > innerWidth + 1) found.push(`cut off: ${name}`);
  }
  for (const [a, one, first] of all) for (const [b, two, second] of all) {
    if (first === second || first.contains(second) || second.contains(first)) continue;
    const beside = one.left > two.right - 1 || two.left > one.right - 1;
    const below = one.top > two.bottom - 1 || two.top > one.bottom - 1;
    if (!beside && !below) found.push(`over each other: ${a} / ${b}`);
  }
  return found;
}"""
WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture
def busy(floor: Callable[..., Any]) -> Any:
    made = floor(statistics="named")
    lab = made.lab
    lab.flow_definition(
        "loans",
        TaskCount=2,
        TaskTitle="Decide about an application for a consumer loan",
        TaskDescription="Approve or decline " + "a loan " * 12,
        TaskKeywords=["credit", "loan", "a-rather-long-keyword"],
    )
    lab.flow_definition("claims", TaskTitle="Read a claim")
    for person in (ADA, GRACE):
        lab.service.people.seen(person)
    lab.start("h-abcdefghijklmnopqrstuvwxyz", flow="loans", text="word " * 200, long="x" * 400)
    lab.start("claim", flow="claims", overread={"priority": "urgent", "deadline": "2026-03-02T08:00:00Z"})
    lab.answer("h-abcdefghijklmnopqrstuvwxyz", by=GRACE, note="y" * 300)
    return made


def check(page: Page) -> None:
    page.wait_for_timeout(100)
    assert page.evaluate(WIDE) is False
    assert page.evaluate(OVERLAPS) == []


@SIZES
def test_a_reviewers_pages(busy: Any, size: tuple[int, int]) -> None:
    page = busy.enter("ada", size=size)
    page.locator("[data-task=claim]").wait_for()
    check(page)
    page.goto(f"{busy.url}/portal/#/tasks/h-abcdefghijklmnopqrstuvwxyz")
    page.frame_locator("iframe").get_by_role("radio", name="approve").wait_for()
    check(page)
    box = page.locator("iframe").bounding_box()
    assert box is not None
    assert box["height"] >= size[1] * 0.7  # the task has most of the screen
    page.frame_locator("iframe").get_by_role("radio", name="approve").check()
    page.keyboard.press("Control+Enter")
    page.get_by_role("heading", name="Answer saved").wait_for()
    check(page)
    page.keyboard.press("h")
    page.get_by_role("table").wait_for()
    check(page)


@SIZES
def test_a_leads_pages(busy: Any, size: tuple[int, int]) -> None:
    page = busy.enter("lena", at="#/lead", size=size)
    page.get_by_role("heading", name="Read a claim").wait_for()
    check(page)
    for address, sign in (
        ("#/lead/queues/loans/open", "table"),
        ("#/lead/tasks/h-abcdefghijklmnopqrstuvwxyz", "pre"),
        ("#/lead/people", "table"),
    ):
        page.goto(f"{busy.url}/portal/{address}")
        page.locator(sign).first.wait_for()
        check(page)
