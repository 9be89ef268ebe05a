"""A lead's labeling jobs in the portal: watched, paused, changed, instructed, repeated and made anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.browser.axe import findings
from tests.unit.review.labeling.test_labeling_jobs import Jobs, jobs_of, texts

from overread_testing.review_fakes import ADA, GRACE


@pytest.fixture
def office(floor: Callable[..., Any]) -> Any:
    """A job of four texts, of which one is labeled."""
    made = floor()
    prepared = jobs_of(texts(4)).lab
    made.lab.objects.bodies.update(prepared.objects.bodies)
    made.lab.functions.functions.update(prepared.functions.functions)
    prepared.objects.bodies = made.lab.objects.bodies  # the consolidation function reads them there
    jobs = Jobs(made.lab, texts(4))
    jobs.create()
    jobs.drive()
    jobs.work(ADA, most=1)
    jobs.drive()
    return made, jobs


def opened(floor: Any, *, name: str = "animals") -> Page:
    page: Page = floor.enter("lena", at=f"#/lead/labeling/{name}")
    page.get_by_role("heading", name="Name the animal").wait_for()
    return page


def test_a_lead_finds_the_jobs_and_how_far_they_are(office: Any) -> None:
    floor, _ = office
    page = floor.enter("lena")
    page.get_by_role("link", name="Labeling").click()
    expect(page.get_by_text("1 running, 1 in all")).to_be_visible()
    expect(page.get_by_role("img")).to_have_attribute("aria-label", "1 of 4 labeled")
    page.get_by_role("button", name="Pause animals").click()
    expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    page.get_by_role("link", name="Name the animal").click()
    expect(page.get_by_role("heading", name="Instructions")).to_be_visible()
    assert findings(page) == []


def test_a_labeler_has_no_such_page(office: Any) -> None:
    floor, _ = office
    page = floor.enter("ada", at="#/lead/labeling")
    expect(page.get_by_role("alert")).to_contain_text("for leads only")
    expect(page.get_by_role("link", name="Labeling")).to_have_count(0)


def test_a_running_job_is_paused_changed_instructed_and_stopped(office: Any) -> None:
    floor, jobs = office
    page = opened(floor)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Nobody is offered its tasks now.")).to_be_visible()
    assert jobs.offered(GRACE) == []
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Its tasks are offered again.")).to_be_visible()

    page.get_by_label("People an object").first.fill("2")
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_text("From now on 2 label each object")).to_be_visible()

    page.get_by_label("Always in view").fill("Look <em>twice</em>.")
    page.get_by_role("button", name="Put in force").click()
    expect(page.get_by_text("reads the new instructions")).to_be_visible()
    labeler = floor.enter("grace")
    labeler.get_by_role("button", name="Start").or_(
        labeler.get_by_role("link", name="Name the animal")
    ).first.click()
    expect(labeler.frame_locator("iframe").get_by_text("Look twice.")).to_be_visible()

    page.get_by_label("Always in view").fill("<script>alert(1)</script>")
    page.get_by_role("button", name="Put in force").click()
    expect(page.get_by_role("alert")).to_contain_text("without scripts")

    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Stop the job").click()
    expect(page.get_by_text("Stops", exact=True)).to_be_visible()
    assert jobs.status() == "Stopping"


def test_objects_of_a_finished_job_are_labeled_again(office: Any) -> None:
    floor, jobs = office
    jobs.work(ADA)
    jobs.drive()
    assert jobs.status() == "Completed"
    page = opened(floor)
    page.get_by_label("labeled cat").check()
    page.get_by_role("button", name="How many are these?").click()
    expect(page.get_by_text("2 objects")).to_be_visible()
    page.get_by_role("button", name="Label them again").click()
    expect(page.get_by_text("animals-again labels them again.")).to_be_visible()
    expect(page).to_have_url(f"{floor.url}/portal/#/lead/labeling/animals-again")
    jobs.through([ADA])
    assert [line["kind"] for line in jobs.output("animals-again")] == [0, 0]


def test_a_new_job_is_made_like_another(office: Any) -> None:
    floor, jobs = office
    floor.lab.objects.put("s3://data/more.manifest", '{"source": "miaow"}\n')
    page = opened(floor)
    form = page.get_by_role("form", name="New job like this one")
    form.get_by_label("Name", exact=True).fill("animals")
    form.get_by_label("Manifest").fill("s3://data/more.manifest")
    form.get_by_role("button", name="Start it").click()
    expect(page.get_by_role("alert")).to_contain_text("is taken")
    form.get_by_label("Name", exact=True).fill("more")
    form.get_by_role("button", name="Start it").click()
    expect(page.get_by_text("more has begun.")).to_be_visible()
    jobs.through([ADA])
    assert len(jobs.output("more")) == 1
