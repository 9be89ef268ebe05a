"""Debian's Chromium; a desk: one reviewer before one task; a floor: many people before many queues."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, sync_playwright

from overread_review.app import create_app
from overread_review.portal.pages import STATIC
from overread_review.portal.sign_in import SignIn
from overread_templates import S3Location
from overread_testing.review_fakes import ReviewLab, review_lab
from overread_testing.review_server import served

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here; without Chromium skip with the reason, but not on CI, where that is a failure."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM.exists() and os.environ.get("CI") != "true":
                item.add_marker(pytest.mark.skip(reason=f"needs Chromium: {CHROMIUM} does not exist"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for all tests."""
    assert CHROMIUM.exists(), f"{CHROMIUM} does not exist; install Chromium or set CHROMIUM"
    assert (STATIC / "portal.js").is_file(), "the portal is not built; run `make setup`"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@dataclass
class Desk:
    """A reviewer before their browser; `lab` is what happens behind it."""

    lab: ReviewLab
    url: str
    page: Page
    context: BrowserContext

    @property
    def frame(self) -> FrameLocator:
        """The task in its sandbox."""
        return self.page.frame_locator("iframe")

    def sign_in(self, name: str = "ada") -> None:
        """Choose one's name at the door."""
        self.page.goto(f"{self.url}/portal/")
        self.page.get_by_role("button", name=name).click()
        self.page.get_by_role("heading", name="Your tasks").wait_for()

    def open_task(self, name: str = "loop-1") -> None:
        """Claim the task by its line in the list."""
        self.page.locator(f"[data-task='{name}']").click()
        self.page.locator("iframe").wait_for()

    def submit(self) -> dict[str, Any]:
        """Press Submit and give back what was stored."""
        import json

        self.frame.get_by_role("button", name="Submit").click()
        self.page.get_by_role("heading", name="Answer saved").wait_for()
        (answer,) = self.lab.loop("loop-1").answers
        content: dict[str, Any] = json.loads(self.lab.documents.get(answer.content_key))
        return content


@pytest.fixture
def desk(browser: Browser) -> Iterator[Callable[..., Desk]]:
    """Makes a desk whose task `loop-1` has this template and input; the reviewer is at it, or at the list."""
    opened: list[Any] = []

    def make(
        template: str,
        /,
        *,
        at_task: bool = True,
        scheme: Any = "light",
        sign_url: Callable[[S3Location], str] | None = None,
        **task_input: object,
    ) -> Desk:
        lab = review_lab(template=template)
        lab.documents.address_of = sign_url
        lab.flow_definition(TaskTimeLimitInSeconds=600)
        lab.start("loop-1", **task_input)
        serving = served(create_app(lab.service))
        url = serving.__enter__()
        context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 860})
        context.set_default_timeout(10_000)
        opened.append((serving, context))
        made = Desk(lab, url, context.new_page(), context)
        if at_task:
            context.request.post(f"{url}/portal/api/session", data={"reviewer": "ada"})
            made.page.goto(f"{url}/portal/#/tasks/loop-1")
            made.page.locator("iframe").wait_for()
        else:
            made.sign_in()
        return made

    yield make
    for serving, context in opened:
        context.close()
        serving.__exit__(None, None, None)


@dataclass
class Floor:
    """A review service and the browsers of its people, one context each."""

    lab: ReviewLab
    url: str
    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list)

    def door(self, *, scheme: Any = "light", size: tuple[int, int] = (1280, 860)) -> Page:
        """A fresh browser at the sign-in page."""
        width, height = size
        context = self.browser.new_context(
            color_scheme=scheme, viewport={"width": width, "height": height}, reduced_motion="reduce"
        )
        context.set_default_timeout(10_000)
        self.contexts.append(context)
        page = context.new_page()
        page.goto(f"{self.url}/portal/")
        page.locator("h1").wait_for()
        return page

    def enter(self, name: str, *, at: str = "#/", **options: Any) -> Page:
        """The browser of somebody who is signed in, at the address behind the hash."""
        page = self.door(**options)
        page.context.request.post(f"{self.url}/portal/api/session", data={"reviewer": name})
        page.goto(f"{self.url}/portal/{at}")
        page.reload()
        page.locator("header.top").wait_for()
        return page


@pytest.fixture
def floor(browser: Browser) -> Iterator[Callable[..., Floor]]:
    """Makes a floor over a lab with those settings; without `sign_in` people sign in by their names."""
    opened: list[tuple[Any, Floor]] = []

    def make(*, sign_in: SignIn | None = None, **settings: Any) -> Floor:
        lab = review_lab(**settings)
        serving = served(create_app(lab.service, sign_in=sign_in))
        made = Floor(lab, serving.__enter__(), browser)
        opened.append((serving, made))
        return made

    yield make
    for serving, made in opened:
        for context in made.contexts:
            context.close()
        serving.__exit__(None, None, None)
