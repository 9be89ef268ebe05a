"""Signing in with an identity provider, back to where one wanted to go; inviting; signing out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect
from tests.browser.axe import findings
from tests.browser.provider import signing_in

from overread_testing.review_fakes import ADA, LENA, ReviewLab, review_lab


@pytest.fixture
def lab() -> ReviewLab:
    lab = review_lab()
    lab.flow_definition()
    lab.start("loop-1", note="first")
    return lab


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    context.set_default_timeout(10_000)
    yield context
    context.close()


def test_a_link_to_a_task_survives_the_sign_in(lab: Any, context: BrowserContext) -> None:
    with signing_in(lab, person=ADA) as (url, provider):
        page = context.new_page()
        page.goto(f"{url}/portal/#/tasks/loop-1")
        page.get_by_role("link", name="Our people").click()
        page.frame_locator("iframe").get_by_role("radio", name="approve").wait_for()
        assert page.url == f"{url}/portal/#/tasks/loop-1"
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Signed out everywhere")).to_be_visible()
        assert provider.signed_out == 1
        page.goto(f"{url}/portal/")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_lead_invites_somebody(lab: Any, context: BrowserContext, scheme: Any) -> None:
    with signing_in(lab, person=LENA) as (url, provider):
        page = context.new_page()
        page.emulate_media(color_scheme=scheme)
        page.goto(f"{url}/portal/#/lead/people")
        page.get_by_role("link", name="Our people").click()
        page.get_by_role("heading", name="Invite somebody").wait_for()
        assert findings(page) == []
        page.get_by_label("E-mail").fill("new@example.com")
        page.get_by_label("Name").fill("Noor")
        page.get_by_label("Group").select_option("reviewers")
        page.get_by_role("button", name="Invite").click()
        expect(page.get_by_text("new@example.com is invited.")).to_be_visible()
        assert provider.invited == [("new@example.com", "Noor", "reviewers")]
        expect(page.get_by_role("row", name="Noor")).to_contain_text("invited")
        expect(page.get_by_label("E-mail")).to_have_value("")
