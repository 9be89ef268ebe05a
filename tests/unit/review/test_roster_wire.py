"""`/qualifications`: tests and gold questions are put and listed, and the roster tells who passed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from overread_review.wire.roster import RosterWire
from overread_testing.review_fakes import ADA, ReviewLab, review_lab
from overread_testing.review_server import served

LOANS: dict[str, Any] = {
    "items": [
        {"id": f"gold-{number}", "input": {"note": str(number)}, "expected": {"decision": "approve"}}
        for number in range(3)
    ],
    "questions": 2,
    "pass_mark": 0.5,
}


@pytest.fixture
def lab() -> ReviewLab:
    return review_lab()


@pytest.fixture
def http(lab: ReviewLab) -> Iterator[httpx.Client]:
    with (
        served(Starlette(routes=RosterWire(lab.service).routes)) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        yield client


def problem(reply: httpx.Response) -> tuple[int, str]:
    assert reply.headers["content-type"] == "application/problem+json"
    return reply.status_code, reply.json()["type"].removeprefix("urn:overread:problem:")


def test_a_qualification_is_stored_with_its_defaults_and_listed(http: httpx.Client) -> None:
    stored = http.put("/qualifications/loans", json=LOANS)
    assert stored.status_code == 200, stored.text
    assert stored.json() == {"name": "loans", **LOANS, "gold_share": 0.05, "valid_days": 180}
    assert http.get("/qualifications").json() == {"qualifications": [stored.json()]}
    again = {name: value for name, value in stored.json().items() if name != "name"}
    assert http.put("/qualifications/loans", json=again).json() == stored.json()


def test_all_faults_are_told_at_once_and_nothing_is_stored(http: httpx.Client) -> None:
    refused = http.put("/qualifications/loans", json={**LOANS, "questions": 0, "pass_mark": 2, "extra": 1})
    assert problem(refused) == (400, "qualification-invalid")
    for word in ("questions", "pass_mark", "extra"):
        assert word in refused.json()["detail"]
    assert http.get("/qualifications").json() == {"qualifications": []}


def test_bodies_are_objects_of_a_limited_size(http: httpx.Client) -> None:
    assert problem(http.put("/qualifications/loans", content=b"[]")) == (400, "malformed-json")
    too_large = http.put("/qualifications/loans", content=b" " * 1_300_000)
    assert problem(too_large) == (413, "request-too-large")


def test_the_roster_tells_how_everybody_did(lab: ReviewLab, http: httpx.Client) -> None:
    http.put("/qualifications/loans", json=LOANS)
    flow = lab.flow_definition()
    lab.call(
        lab.service.tags.add, ResourceArn=flow, Tags=[{"Key": "overread:qualification", "Value": "loans"}]
    )
    assert http.get("/qualifications/loans/roster").json() == {"name": "loans", "roster": []}
    lab.service.people.seen(ADA)
    for label in ("approve", "decline"):
        (task, *_) = lab.service.tasks.offered(ADA)
        lab.service.tasks.claim(task.loop.name, reviewer=ADA)
        content = {"decision": {"label": label}}
        lab.service.tasks.answer(task.loop.name, reviewer=ADA, content=content)
    (entry,) = http.get("/qualifications/loans/roster").json()["roster"]
    assert (entry["name"], entry["state"], entry["score"]) == ("ada", "passed", 0.5)
    assert (entry["test_correct"], entry["test_total"]) == (1, 2)
    assert entry["valid_until"].endswith("Z")
    assert entry["gold_total"] is None, "statistics are off: no figures about gold questions"


def test_an_unknown_qualification_has_no_roster(http: httpx.Client) -> None:
    assert problem(http.get("/qualifications/nope/roster")) == (404, "qualification-unknown")
