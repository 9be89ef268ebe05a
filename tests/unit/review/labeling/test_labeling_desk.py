"""What leads do with labeling jobs in the portal: the service behind it, and its API."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.unit.review.labeling.test_labeling_jobs import Jobs, jobs_of, texts

from overread_review.service.errors import NotLeadError, QueueUnknownError, RequestInvalidError
from overread_review.service.labeling.desk import Subset
from overread_review.service.labeling.instructions import Instructions, instructions_of, with_instructions
from overread_testing.review_fakes import ADA, GRACE, KATHERINE, LENA


@pytest.fixture
def jobs() -> Jobs:
    """A job of six texts that has begun."""
    made = jobs_of(texts(6))
    made.create()
    made.drive()
    return made


def desk(jobs: Jobs) -> Any:
    return jobs.lab.service.labeling_desk


def test_only_leads_see_jobs_and_only_those_of_their_teams(jobs: Jobs) -> None:
    assert [job.name for job in desk(jobs).list(LENA)] == ["animals"]
    with pytest.raises(NotLeadError):
        desk(jobs).list(ADA)
    with pytest.raises(QueueUnknownError):
        desk(jobs).pause(LENA, "others")


def test_a_lead_pauses_resumes_changes_and_stops(jobs: Jobs) -> None:
    assert desk(jobs).is_paused(desk(jobs).pause(LENA, "animals"))
    assert jobs.offered() == []
    assert not desk(jobs).is_paused(desk(jobs).resume(LENA, "animals"))
    assert desk(jobs).update(LENA, "animals", workers=2).state.workers == 2
    assert desk(jobs).stop(LENA, "animals").state.status == "Stopping"


# instructions


def test_new_instructions_are_for_tasks_that_nobody_has_begun(jobs: Jobs) -> None:
    first, second, third = (loop.name for loop in jobs.offered()[:3])
    jobs.answer(first, by=ADA, label="dog")
    jobs.lab.service.tasks.claim(second, reviewer=ADA)
    before = jobs.lab.loop(second).terms.template_sha256
    changed = desk(jobs).instruct(LENA, "animals", Instructions("Look <b>twice</b>.", None))
    assert desk(jobs).instructions(LENA, "animals") == Instructions("Look <b>twice</b>.", "Look.")
    assert jobs.lab.loop(second).terms.template_sha256 == before, "begun under the old ones"
    terms = jobs.lab.loop(third).terms
    assert terms.template_sha256 == changed.state.template_sha256 != before
    jobs.answer(third, by=GRACE, label="dog")
    assert jobs.lab.loop(third).answers[0].guideline_version == f"sha256:{terms.template_sha256[:12]}"
    page = jobs.lab.service.task_uis.template(terms.template_sha256).render(
        {"source": "x"}, sign_url=lambda place: ""
    )
    assert "Look <b>twice</b>." in str(page)


def test_new_instructions_are_also_for_tasks_that_are_made_later() -> None:
    jobs = jobs_of(texts(250))
    jobs.create(MaxConcurrentTaskCount=100)
    jobs.drive()
    changed = desk(jobs).instruct(LENA, "animals", Instructions(None, "Mind the tail."))
    jobs.work()
    jobs.drive()
    later = jobs.offered()
    assert later
    assert {loop.terms.template_sha256 for loop in later} == {changed.state.template_sha256}


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Instructions("<script>x</script>", None), "without scripts"),
        (Instructions("a</short-instructions>b", None), "short-instructions must be"),
        (Instructions(None, "{{ broken"), "without scripts, comments and Liquid"),
        (Instructions("x" * 50_001, None), "at most 50,000"),
    ],
)
def test_instructions_that_would_break_the_page_change_nothing(
    jobs: Jobs, wanted: Instructions, told: str
) -> None:
    before = desk(jobs).job(LENA, "animals").state.template_sha256
    with pytest.raises(RequestInvalidError, match=told):
        desk(jobs).instruct(LENA, "animals", wanted)
    assert desk(jobs).job(LENA, "animals").state.template_sha256 == before


def test_a_template_without_such_a_region_says_so() -> None:
    assert instructions_of("<p>nothing</p>") == Instructions(None, None)
    with pytest.raises(RequestInvalidError, match="has no full-instructions"):
        with_instructions("<p>nothing</p>", Instructions(None, "x"))


def test_text_that_looks_like_a_back_reference_is_kept() -> None:
    text = with_instructions("<short-instructions>a</short-instructions>", Instructions(r"\1 \g<1>", None))
    assert text == r"<short-instructions>\1 \g<1></short-instructions>"


# new jobs


def test_a_job_like_another_is_made_over_other_objects(jobs: Jobs) -> None:
    jobs.lab.objects.put("s3://data/more.manifest", '{"source": "miaow"}\n')
    made = desk(jobs).create_like(
        LENA,
        "animals",
        new_name="more-animals",
        manifest="s3://data/more.manifest",
        NumberOfHumanWorkersPerDataObject=2,
        TaskTitle="More animals",
    )
    assert (made.state.workers, made.task["TaskTitle"]) == (2, "More animals")
    jobs.through([ADA, GRACE])
    (line,) = jobs.output("more-animals")
    assert line["kind-metadata"]["type"] == "groundtruth/text-classification", "its tags come along"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"new_name": "bad name"}, "name must be"),
        ({"new_name": "ANIMALS"}, "is taken"),
        ({"new_name": "new", "NumberOfHumanWorkersPerDataObject": 12}, "must be 1 to 9"),
        ({"new_name": "new", "manifest": "nowhere"}, "manifest must be an S3 address"),
    ],
)
def test_a_new_job_that_cannot_be_is_refused(jobs: Jobs, given: dict[str, Any], told: str) -> None:
    with pytest.raises(RequestInvalidError, match=told):
        desk(jobs).create_like(LENA, "animals", **given)
    assert len(desk(jobs).list(LENA)) == 1


def test_objects_that_are_less_sure_are_labeled_again_without_their_label() -> None:
    jobs = jobs_of(["miaow 1", "woof 2", "woof 3"])
    jobs.create(NumberOfHumanWorkersPerDataObject=3)
    jobs.drive()
    for person, wrong in ((ADA, ()), (GRACE, ("woof 2",)), (KATHERINE, ())):
        jobs.work(person, wrong=wrong)
    jobs.drive()
    subset = Subset(below=0.9)
    assert desk(jobs).count(LENA, "animals", subset=subset) == 1
    made = desk(jobs).label_again(LENA, "animals", new_name="again", subset=subset)
    (row,) = jobs.lab.objects.lines("s3://out/jobs/again/manifests/input/again.manifest")
    assert row == {"source": "woof 2", "n": 1}
    assert made.state.workers == 3
    jobs.through([ADA, GRACE, KATHERINE])
    assert [line["source"] for line in jobs.output("again")] == ["woof 2"]


def test_failed_objects_and_single_classes_are_labeled_again() -> None:
    jobs = jobs_of(["miaow 1", "woof 2"])
    jobs.create()
    jobs.drive()
    jobs.work(most=1)
    jobs.lab.clock.advance(30 * 86_400)
    jobs.lab.service.loops.sweep()
    jobs.drive()
    assert jobs.status() == "Completed"
    assert desk(jobs).count(LENA, "animals", subset=Subset(failed=True)) == 1
    assert desk(jobs).count(LENA, "animals", subset=Subset(classes=frozenset({"cat"}))) == 1
    assert desk(jobs).count(LENA, "animals", subset=Subset(classes=frozenset({"dog"}))) == 0
    with pytest.raises(RequestInvalidError, match="no object"):
        desk(jobs).label_again(LENA, "animals", new_name="again", subset=Subset(below=0.1))
    assert not jobs.lab.objects.under("s3://out/jobs/again/"), "nothing was written"


def test_only_a_finished_job_has_objects_to_label_again(jobs: Jobs) -> None:
    with pytest.raises(RequestInvalidError, match="only objects of a finished one"):
        desk(jobs).label_again(LENA, "animals", new_name="again", subset=Subset(failed=True))


# the API


@pytest.fixture
def office(served_lab: Any) -> Any:
    """A served review service with a job that has begun."""
    prepared = jobs_of(texts(4)).lab
    served_lab.lab.objects.bodies.update(prepared.objects.bodies)
    served_lab.lab.functions.functions.update(prepared.functions.functions)
    jobs = Jobs(served_lab.lab, texts(4))
    jobs.create()
    jobs.drive()
    return served_lab


def call(http: httpx.Client, path: str, body: Any) -> httpx.Response:
    return http.post(f"/portal/api/lead/labeling/{path}", json=body)


def test_a_lead_reads_and_changes_a_job(office: Any) -> None:
    lena = office.sign_in("lena")
    (listed,) = lena.get("/portal/api/lead/labeling").json()["jobs"]
    assert (listed["name"], listed["objects"], listed["paused"]) == ("animals", 4, False)
    shown = lena.get("/portal/api/lead/labeling/animals").json()
    assert shown["instructions"] == {"short": "Look.", "full": "Look."}
    assert shown["categories"] == ["cat", "dog"]
    assert call(lena, "animals/pause", {}).json()["paused"] is True
    assert call(lena, "animals/resume", {}).json()["paused"] is False
    assert call(lena, "animals/settings", {"workers": 2}).json()["workers"] == 2
    changed = call(lena, "animals/instructions", {"short": "Twice."}).json()
    assert changed["instructions"] == {"short": "Twice.", "full": "Look."}
    made = call(lena, "animals/like", {"name": "second", "workers": 3, "title": "Again"}).json()
    assert (made["name"], made["workers"], made["title"]) == ("second", 3, "Again")
    assert call(lena, "second/stop", {}).json()["status"] == "Stopping"
    assert call(lena, "animals/again/count", {"failed": True}).json() == {"objects": 0}


@pytest.mark.parametrize(
    ("path", "body", "status", "told"),
    [
        ("animals/settings", {"workers": 12}, 409, "must be 1 to 9"),
        ("animals/instructions", {}, 400, "short, full or both"),
        ("animals/instructions", {"short": "<script>"}, 409, "without scripts"),
        ("animals/like", {"name": "animals"}, 409, "is taken"),
        ("animals/like", {"name": "new", "workers": "two"}, 409, "whole number"),
        ("animals/again", {"name": "new"}, 400, "one of failed, below and classes"),
        ("animals/again", {"name": "new", "below": 7, "classes": "cat"}, 400, "classes must be a list"),
        ("animals/again", {"name": "new", "failed": True}, 409, "only objects of a finished one"),
        ("nothing/pause", {}, 404, "not for you"),
    ],
)
def test_what_a_lead_cannot_do_is_said(office: Any, path: str, body: Any, status: int, told: str) -> None:
    reply = call(office.sign_in("lena"), path, body)
    assert reply.status_code == status, reply.text
    assert told in reply.json()["detail"]


def test_a_labeler_sees_no_jobs(office: Any) -> None:
    ada = office.sign_in("ada")
    assert ada.get("/portal/api/lead/labeling").status_code == 403
    assert call(ada, "animals/pause", {}).status_code == 403
