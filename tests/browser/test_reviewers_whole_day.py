"""A reviewer's whole day: the queue in its order, every way that a task ends, looking back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from overread_testing.review_fakes import ADA, GRACE, LENA
from overread_testing.review_gold import TAGS, gold_tasks, known_label, qualification_of


def frame(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


def order(page: Page) -> list[str]:
    return page.locator("[data-task]").evaluate_all("all => all.map(one => one.dataset.task)")


@pytest.fixture
def day(floor: Callable[..., Any]) -> Any:
    """Two queues: a claim that is urgent, loans of every priority and deadline, made a minute apart."""
    made = floor()
    lab = made.lab
    lab.flow_definition("loans", tags={"overread:guideline-version": "2026-11"}, TaskTimeLimitInSeconds=600)
    lab.flow_definition("claims", TaskTitle="Read a claim")
    soon, late = ((lab.clock() + timedelta(hours=hours)).isoformat() for hours in (2, -1))
    for name, flow, said in (
        ("old", "loans", {}),
        ("urgent", "claims", {"priority": "urgent"}),
        ("low", "loans", {"priority": "low"}),
        ("due-soon", "loans", {"deadline": soon}),
        ("overdue", "loans", {"deadline": late}),
        ("high", "loans", {"priority": "high"}),
    ):
        lab.start(name, flow=flow, note=f"this is {name}", overread=said)
        lab.clock.advance(60)
    return made


def test_the_queue_comes_in_its_order_with_the_reasons(day: Any) -> None:
    page = day.enter("ada")
    page.locator("[data-task=old]").wait_for()
    assert order(page) == ["urgent", "high", "overdue", "due-soon", "old", "low"]
    expect(page.get_by_role("status").first).to_contain_text("yours first, then by urgency, deadline and age")
    for name, reason in (
        ("urgent", "Urgent"),
        ("high", "High priority"),
        ("low", "Low priority"),
        ("due-soon", "Due in 1 hour"),
        ("overdue", "Due 1 hour ago"),
        ("old", "Asked 6 minutes ago"),
    ):
        expect(page.locator(f"[data-task={name}]")).to_contain_text(reason)
    page.get_by_role("button", name="Read a claim").click()
    assert order(page) == ["urgent"]
    page.get_by_role("button", name="Review a loan").click()
    assert order(page) == ["high", "overdue", "due-soon", "old", "low"]
    page.get_by_role("button", name="Start the next one").click()
    expect(frame(page).get_by_text("this is high")).to_be_visible()
    page.go_back()
    page.locator("[data-task=high]").wait_for()
    assert order(page)[0] == "high"  # claimed now: first of all, before what is urgent
    expect(page.locator("[data-task=high]")).to_contain_text("In your hands")


def test_a_whole_day(day: Any) -> None:
    lab = day.lab
    page = day.door()
    page.get_by_role("button", name="ada").click()
    page.get_by_role("button", name="Start the next one").click()

    # The first one: read the instructions, ask, answer, and go straight on.
    expect(frame(page).get_by_text("this is urgent")).to_be_visible()
    page.get_by_role("button", name="Instructions").click()
    expect(frame(page).get_by_role("heading", name="How to decide")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Ask").click()
    page.get_by_role("textbox", name="Question").fill("Is a photo enough?")
    page.get_by_role("dialog").get_by_role("button", name="Ask").click()
    expect(page.get_by_text("Is a photo enough?")).to_be_visible()
    lab.service.lead.reply(LENA, "urgent", text="Yes, <b>if</b> it is dated.")
    page.reload()
    expect(page.get_by_text("Yes, <b>if</b> it is dated.")).to_be_visible()
    frame(page).get_by_role("radio", name="approve").check()
    page.get_by_role("button", name="Submit and next").click()

    # The second: cannot decide, with a reason.
    expect(frame(page).get_by_text("this is high")).to_be_visible()
    expect(page.get_by_text("Answer saved. This is the next task.")).to_be_visible()
    lab.clock.advance(30)
    expect(page.locator(".task-bar .guideline")).to_have_text("Guideline 2026-11")
    assert lab.loop("urgent").answers[0].choices == {"decision": "approve"}
    page.locator(".task-bar").get_by_role("button", name="Cannot decide").click()
    page.get_by_role("textbox", name="Reason").fill("The second page is missing.")
    page.get_by_role("button", name="Submit “cannot decide”").click()
    expect(page.get_by_role("heading", name="Saved: cannot decide")).to_be_visible()
    (answer,) = lab.loop("high").answers
    assert answer.cannot_decide
    content = json.loads(lab.documents.get(answer.content_key))
    assert content == {"overread": {"cannot_decide": True, "reason": "The second page is missing."}}

    # The third: flag it, then decline. The fourth: put it back.
    page.get_by_role("button", name="Next task").click()
    expect(frame(page).get_by_text("this is overdue")).to_be_visible()
    page.get_by_role("button", name="Flag").click()
    page.get_by_role("textbox", name="What is wrong").fill("Wrong customer")
    page.get_by_role("dialog").get_by_role("button", name="Flag").click()
    expect(page.get_by_text("1 note")).to_be_visible()
    page.get_by_role("button", name="Decline", exact=True).click()
    page.get_by_role("button", name="Yes, decline").click()
    page.get_by_role("button", name="Next task").click()
    expect(frame(page).get_by_text("this is due-soon")).to_be_visible()
    page.get_by_role("button", name="Put back").click()
    page.locator("[data-task=due-soon]").wait_for()
    assert order(page) == ["due-soon", "old", "low"]
    assert [note.text for note in lab.loop("overdue").notes] == ["Wrong customer"]

    # Looking back, then home.
    page.get_by_role("link", name="History").click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("Cannot decide")
    expect(rows.nth(0)).to_contain_text("2026-11")
    expect(rows.nth(1)).to_contain_text("decision: approve")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Who is reviewing?")).to_be_visible()


def test_submit_and_next_leads_to_the_list_after_the_last_one(floor: Callable[..., Any]) -> None:
    made = floor()
    made.lab.flow_definition()
    made.lab.start("only")
    page = made.enter("ada", at="#/tasks/only")
    frame(page).get_by_role("radio", name="decline").check()
    page.keyboard.press("Control+Shift+Enter")
    expect(page.get_by_role("heading", name="All caught up")).to_be_visible()
    assert made.lab.loop("only").answers[0].choices == {"decision": "decline"}


def test_submit_and_next_stays_where_something_is_missing(floor: Callable[..., Any]) -> None:
    made = floor()
    made.lab.flow_definition()
    made.lab.start("first")
    made.lab.start("second")
    page = made.enter("ada", at="#/tasks/first")
    frame(page).get_by_role("radio", name="decline").wait_for()
    page.get_by_role("button", name="Submit and next").click()
    expect(frame(page).get_by_text("Choose one of the answers.")).to_be_visible()
    assert page.url.endswith("#/tasks/first")
    frame(page).get_by_role("radio", name="decline").check()
    frame(page).get_by_role("button", name="Submit").click()
    expect(
        page.get_by_role("heading", name="Answer saved")
    ).to_be_visible()  # the plain button does not go on


def test_a_returned_task_has_the_leads_comment_on_top(floor: Callable[..., Any]) -> None:
    made = floor()
    lab = made.lab
    lab.flow_definition(TaskCount=2)
    lab.start("task")
    lab.start("other", overread={"priority": "urgent"})
    lab.answer("task", by=ADA)
    author = lab.service.lead.task(LENA, "task").loop.answers[0].person
    lab.service.lead.return_answer(LENA, "task", person=author, comment="Read rule 3 again.")
    page = made.enter("ada")
    page.locator("[data-task=task]").wait_for()
    assert order(page) == ["task", "other"]
    expect(page.locator("[data-task=task]")).to_contain_text("Returned to you")
    page.locator("[data-task=task]").click()
    notice = page.locator(".notice", has_text="Returned by the lead")
    expect(notice).to_contain_text("Read rule 3 again.")
    above, below = notice.bounding_box(), page.locator("iframe").bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] + above["height"] <= below["y"]


def test_the_leads_reply_appears_while_one_works(floor: Callable[..., Any]) -> None:
    made = floor()
    made.lab.flow_definition()
    made.lab.start("task")
    made.lab.service.tasks.claim("task", reviewer=ADA)
    made.lab.service.tasks.note("task", reviewer=ADA, kind="question", text="Which page?")
    page = made.door()
    page.clock.install()
    page.context.request.post(f"{made.url}/portal/api/session", data={"reviewer": "ada"})
    page.goto(f"{made.url}/portal/#/tasks/task")
    page.reload()
    frame(page).get_by_role("radio", name="approve").check()
    made.lab.service.lead.reply(LENA, "task", text="The second.")
    page.clock.run_for(11_000)
    expect(page.get_by_text("The second.")).to_be_visible()
    expect(frame(page).get_by_role("radio", name="approve")).to_be_checked()


def test_a_test_before_the_first_task_and_its_result(floor: Callable[..., Any]) -> None:
    made = floor()
    lab = made.lab
    lab.service.qualifications.put("loans", qualification_of())
    lab.flow_definition(tags=TAGS)
    lab.start("real")
    page = made.enter("ada")
    expect(page.get_by_text("begins with a short test of 3 tasks")).to_be_visible()
    assert "real" not in order(page)
    for done in range(1, 4):
        label = known_label(lab, gold_tasks(lab, ADA)[0].loop)
        page.get_by_role("button", name="Start the next one").click()
        frame(page).get_by_role("radio", name=label).check()
        frame(page).get_by_role("button", name="Submit").click()
        page.get_by_role("link", name="All tasks").click()
        if done < 3:
            expect(page.get_by_text(f"{done} of 3 tasks done")).to_be_visible()
    expect(page.get_by_text("You are qualified for “Review a loan”")).to_contain_text("100 % right")
    page.locator("[data-task=real]").wait_for()


def test_a_failed_test_says_when_to_try_again(floor: Callable[..., Any]) -> None:
    made = floor()
    lab = made.lab
    lab.service.qualifications.put("loans", qualification_of())
    lab.flow_definition(tags=TAGS)
    for _ in range(3):
        loop = gold_tasks(lab, ADA)[0].loop
        lab.answer(loop.name, by=ADA, label=known_label(lab, loop, right=False))
    page = made.enter("ada")
    expect(page.get_by_text("is not passed. You had 0 % right. You can try again from Mar 3")).to_be_visible()


def test_a_paused_queue_and_an_ended_access_are_said(floor: Callable[..., Any]) -> None:
    made = floor()
    lab = made.lab
    lab.flow_definition()
    lab.start("task")
    page = made.enter("grace")
    page.locator("[data-task=task]").wait_for()
    lab.service.lead.pause_queue(LENA, "flow")
    page.reload()
    expect(page.get_by_text("“Review a loan” is paused by a lead")).to_be_visible()
    assert order(page) == []
    lab.service.people.seen(GRACE)
    lab.service.people.disable(LENA, GRACE.key)
    page.reload()
    expect(page.locator(".sign-in .notice")).to_be_visible()
    expect(page.get_by_role("heading", name="Who is reviewing?")).to_be_visible()
