"""A lead's whole day: backlog, tasks, answers side by side, every way to steer, and the people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from overread_testing.review_fakes import ADA, GRACE, KATHERINE, LENA


@pytest.fixture
def office(floor: Callable[..., Any]) -> Any:
    """A queue of loans with two seats, statistics by name; ada asked about the first one."""
    made = floor(statistics="named")
    lab = made.lab
    lab.flow_definition("loans", TaskCount=2, TaskTimeLimitInSeconds=600)
    for person in (ADA, GRACE, KATHERINE):
        lab.service.people.seen(person)
    for name in ("agreed", "split", "asked", "plain"):
        lab.start(name, flow="loans", note=f"<i>{name}</i>")
    for name, second in (("agreed", "approve"), ("split", "decline")):
        lab.answer(name, by=ADA, worked_s=40)
        lab.answer(name, by=GRACE, label=second, worked_s=60)
    lab.service.tasks.claim("asked", reviewer=ADA)
    lab.service.tasks.note("asked", reviewer=ADA, kind="flag", text="Wrong customer?")
    lab.clock.advance(300)
    return made


def figure(page: Page, label: str) -> str:
    return page.locator(".figures > div", has=page.get_by_text(label, exact=True)).inner_text()


def test_the_backlog_in_figures(office: Any) -> None:
    page = office.enter("lena", at="#/lead")
    page.get_by_role("heading", name="Review a loan").wait_for()
    expect(page.get_by_text("2 open, 0 overdue, 1 flagged, 2 completed in 24 hours")).to_be_visible()
    assert "2\n1 in work" in figure(page, "Open")
    assert "6 min" in figure(page, "Oldest") or "8 min" in figure(page, "Oldest")
    assert "2\nin 24 h, 2 in the last hour" in figure(page, "Completed")
    assert "50 %" in figure(page, "Agreement")
    assert "of 2 pairs of answers" in figure(page, "Agreement")
    expect(page.get_by_role("img")).to_have_attribute("aria-label", "2 open: 1 in work, 1 waiting, 0 overdue")


def test_the_backlog_counts_what_is_overdue_and_renews_itself(office: Any) -> None:
    page = office.door()
    page.clock.install()
    page.context.request.post(f"{office.url}/portal/api/session", data={"reviewer": "lena"})
    page.goto(f"{office.url}/portal/#/lead")
    page.reload()
    expect(page.get_by_text("2 open, 0 overdue")).to_be_visible()
    office.lab.start("late", flow="loans", overread={"deadline": "2026-03-01T00:00:00Z"})
    page.clock.run_for(6000)
    expect(page.get_by_text("3 open, 1 overdue")).to_be_visible()


def test_a_whole_day(office: Any) -> None:
    lab = office.lab
    page = office.enter("lena")
    reviewer = office.enter("ada", at="#/tasks/asked")
    reviewer.locator("iframe").wait_for()
    page.get_by_role("link", name="Backlog").click()

    # What is flagged, and a reply to it.
    page.get_by_role("link", name="Flagged").click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("ada")
    page.get_by_role("link", name="asked").click()
    expect(page.locator("pre").first).to_contain_text('"note": "<i>asked</i>"')
    expect(page.get_by_text("Wrong customer?")).to_be_visible()
    page.get_by_role("button", name="Reply").click()
    page.get_by_role("textbox", name="Your words").fill("It is the right one.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("It is the right one.")).to_be_visible()
    reviewer.reload()
    expect(reviewer.get_by_text("It is the right one.")).to_be_visible()
    page.get_by_role("link", name="Review a loan").click()
    page.get_by_role("link", name="Flagged").click()
    expect(page.get_by_text("No flagged tasks.")).to_be_visible()

    # Hold, offer again, assign.
    page.get_by_role("link", name="Open", exact=True).click()
    page.get_by_role("link", name="plain").click()
    page.get_by_role("button", name="Hold").click()
    expect(page.get_by_text("Open, on hold")).to_be_visible()
    assert [task.loop.name for task in lab.service.tasks.offered(GRACE)] == ["asked"]
    page.get_by_role("button", name="Offer again").click()
    expect(page.get_by_role("button", name="Hold")).to_be_visible()
    page.get_by_label("Assign to").select_option("grace")
    expect(page.get_by_text("assigned to grace")).to_be_visible()
    assert lab.loop("plain").assigned_to == GRACE.key

    # An answer comes in and goes back to its author with a comment.
    lab.answer("plain", by=GRACE, label="decline")
    page.reload()
    expect(page.get_by_role("region", name="Answer of grace")).to_contain_text('"label": "decline"')
    page.get_by_role("button", name="Return with comment").click()
    page.get_by_role("textbox", name="Comment").fill("Rule 3.")
    page.get_by_role("dialog").get_by_role("button", name="Return").click()
    expect(page.get_by_text("1 returned")).to_be_visible()
    (returned,) = lab.loop("plain").returned
    assert returned.person == GRACE.key
    (task,) = (one for one in lab.service.tasks.offered(GRACE) if one.loop.name == "plain")
    assert task.returned_to_me

    # Stop it, after being asked.
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Back", exact=True).click()
    assert lab.loop("plain").status == "InProgress"
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Stop the task").click()
    expect(page.locator(".figures").get_by_text("Stopped")).to_be_visible()
    expect(page.get_by_role("button", name="Hold")).to_have_count(0)

    # Ended tasks, with what was answered.
    page.get_by_role("link", name="Review a loan").click()
    page.get_by_role("link", name="Ended").click()
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.get_by_role("row", name="split")).to_contain_text("decision: decline")

    # The whole queue stands still, and goes on.
    page.get_by_role("link", name="Backlog", exact=True).first.click()
    page.get_by_role("button", name="Pause Review a loan").click()
    expect(page.get_by_text("Paused by lena")).to_be_visible()
    assert lab.service.tasks.offered(KATHERINE) == []
    page.get_by_role("button", name="Resume Review a loan").click()
    expect(page.get_by_text("Paused by lena")).to_have_count(0)


def test_answers_stand_side_by_side(office: Any) -> None:
    page = office.enter("lena", at="#/lead/tasks/split")
    first, second = (page.get_by_role("region", name=f"Answer of {name}") for name in ("ada", "grace"))
    expect(first).to_contain_text('"label": "approve"')
    expect(second).to_contain_text('"label": "decline"')
    left, right = first.bounding_box(), second.bounding_box()
    assert left is not None
    assert right is not None
    assert abs(left["x"] - right["x"]) > 100 or abs(left["y"] - right["y"]) > 100
    assert left["x"] + left["width"] <= right["x"] or left["y"] + left["height"] <= right["y"]


def test_what_cannot_be_done_is_said_and_changes_nothing(office: Any) -> None:
    office.lab.answer("asked", by=GRACE)
    page = office.enter("lena", at="#/lead/tasks/asked")
    page.get_by_label("Assign to").select_option("grace")
    expect(page.get_by_role("alert")).to_have_text("This person has already answered this task.")
    expect(page.get_by_label("Assign to")).to_have_value("")
    office.lab.service.lead.stop(LENA, "asked")
    office.lab.service.tasks.give_back("asked", reviewer=ADA, decline=False)
    page.get_by_label("Assign to").select_option("katherine")
    expect(page.locator(".figures").get_by_text("Stopped")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_visible()
    assert office.lab.loop("asked").assigned_to == ""


def test_people_lose_and_get_access(office: Any) -> None:
    lab = office.lab
    page = office.enter("lena", at="#/lead/people")
    grace = page.get_by_role("row", name="grace")
    expect(grace).to_contain_text("2 answers, 60 s each, 50 % agreement")
    lab.service.tasks.claim("plain", reviewer=GRACE)
    page.get_by_role("button", name="End access of grace").click()
    expect(page.get_by_text("grace has no access any more")).to_be_visible()
    expect(grace).to_contain_text("no access")
    assert lab.loop("plain").claims == ()
    page.get_by_role("button", name="Give access to grace").click()
    expect(page.get_by_text("grace may work here again.")).to_be_visible()
    lab.service.tasks.claim("plain", reviewer=GRACE)
    expect(page.get_by_role("row", name="lena")).to_contain_text("you")


@pytest.mark.parametrize("mode", ["off", "pseudonymous"])
def test_figures_about_people_only_as_far_as_allowed(floor: Callable[..., Any], mode: str) -> None:
    made = floor(statistics=mode)
    lab = made.lab
    lab.flow_definition(TaskCount=2)
    for person in (ADA, GRACE):
        lab.service.people.seen(person)
    lab.start("ended")
    lab.answer("ended", by=ADA)
    lab.answer("ended", by=GRACE)
    lab.start("task")
    lab.answer("task", by=ADA)
    page = made.enter("lena", at="#/lead/people")
    page.get_by_role("row", name="ada").wait_for()
    text = page.locator("main").inner_text()
    assert "Last 30 days" not in text
    assert ("under pseudonyms" in text) == (mode == "pseudonymous")
    assert ("1 answer, 10 s each, 100 % agreement" in text) == (mode == "pseudonymous")
    page.goto(f"{made.url}/portal/#/lead/tasks/task")
    page.get_by_role("heading", name="Input").wait_for()
    expect(page.get_by_role("region", name="Answer of ada")).to_have_count(0)
    page.get_by_role("button", name="Return with comment").click()
    page.get_by_role("textbox", name="Comment").fill("Again, please.")
    page.get_by_role("dialog").get_by_role("button", name="Return").click()
    expect(page.get_by_text("1 returned")).to_be_visible()  # an alias is enough to return it
    assert lab.loop("task").returned[0].person == ADA.key


def test_a_reviewer_finds_no_door_to_the_leads_pages(office: Any) -> None:
    page = office.enter("ada", at="#/lead")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("link", name="Backlog")).to_have_count(0)
    expect(page.get_by_role("link", name="People")).to_have_count(0)
    assert page.locator(".queue").count() == 0
