"""What a reviewer signs stands beside the buttons that submit, outside the template's frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from overread_testing.review_fakes import TEMPLATE

STATEMENT = "I have read the whole file <b>and</b> decide in my own name."


def test_the_statement_stands_beside_submit_and_the_answer_keeps_that(desk: Callable[..., Any]) -> None:
    made = desk(TEMPLATE, decision_id="d-1", note="ok?", statement=STATEMENT)
    signed = made.page.locator(".task-bar").get_by_role("note")
    expect(signed).to_contain_text(f"By submitting you sign: {STATEMENT}")
    expect(made.frame.get_by_text(STATEMENT)).to_have_count(0)
    made.frame.get_by_role("radio", name="approve").check()
    made.submit()
    assert made.lab.loop("loop-1").answers[0].statement_sha256 != ""


def test_without_a_statement_there_is_none(desk: Callable[..., Any]) -> None:
    made = desk(TEMPLATE, decision_id="d-1", note="ok?")
    made.frame.get_by_role("radio", name="approve").wait_for()
    expect(made.page.locator(".statement")).to_have_count(0)
