"""`/labeling-jobs/{name}`: pause, resume and settings over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from tests.unit.review.labeling.test_labeling_jobs import Jobs, jobs_of, texts

from overread_review.wire.labeling import LabelingWire
from overread_testing.review_server import served


@pytest.fixture
def jobs() -> Jobs:
    made = jobs_of(texts(3))
    made.create()
    made.drive()
    return made


@pytest.fixture
def http(jobs: Jobs) -> Iterator[httpx.Client]:
    with (
        served(Starlette(routes=LabelingWire(jobs.lab.service).routes)) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        yield client


def test_a_job_is_told_in_numbers(jobs: Jobs, http: httpx.Client) -> None:
    jobs.work(most=1)
    jobs.lab.clock.advance(31)
    jobs.drive()
    found = http.get("/labeling-jobs/ANIMALS").json()
    assert (found["name"], found["status"], found["paused"]) == ("animals", "InProgress", False)
    assert (found["objects"], found["labeled"], found["failed"]) == (3, 1, 0)
    assert found["output"] == "s3://out/jobs/animals"


def test_a_job_is_paused_and_resumed(jobs: Jobs, http: httpx.Client) -> None:
    assert http.post("/labeling-jobs/animals/pause").json()["paused"] is True
    assert jobs.offered() == []
    assert http.post("/labeling-jobs/animals/resume").json()["paused"] is False
    assert len(jobs.offered()) == 3


def test_settings_change(jobs: Jobs, http: httpx.Client) -> None:
    changed = http.post("/labeling-jobs/animals/settings", json={"workers": 2, "time_limit_s": 90}).json()
    assert (changed["workers"], changed["time_limit_s"]) == (2, 90)
    assert {loop.terms.task_count for loop in jobs.offered()} == {2}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "one of workers, time_limit_s must be given"),
        ({"votes": 2}, "votes must be one of"),
        ({"workers": True}, "workers must be a whole number, got True"),
        ({"workers": "2"}, "workers must be a whole number, got '2'"),
        ({"workers": 10}, "must be 1 to 9, got 10"),
    ],
)
def test_other_settings_are_refused(jobs: Jobs, http: httpx.Client, body: Any, told: str) -> None:
    reply = http.post("/labeling-jobs/animals/settings", json=body)
    assert reply.status_code == 409
    assert reply.json()["type"] == "urn:overread:problem:labeling-job-unchanged"
    assert told in reply.json()["detail"]
    assert jobs.describe()["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] == 1


def test_an_ended_job_is_not_changed_and_an_unknown_one_not_found(jobs: Jobs, http: httpx.Client) -> None:
    jobs.through()
    assert http.post("/labeling-jobs/animals/pause").status_code == 409
    assert http.post("/labeling-jobs/cars/pause").status_code == 404
