"""`/human-loops/{name}/work`: who holds and who answered, for operators."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette

from overread_review.wire.work import WorkWire
from overread_testing.review_fakes import ADA, GRACE, ReviewLab, review_lab
from overread_testing.review_server import served

ANSWER = {"decision": {"label": "approve"}}


@pytest.fixture
def lab() -> ReviewLab:
    lab = review_lab()
    lab.flow_definition(TaskCount=2)
    return lab


@pytest.fixture
def http(lab: ReviewLab) -> Iterator[httpx.Client]:
    with (
        served(Starlette(routes=WorkWire(lab.service).routes)) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        yield client


def test_claims_and_answers_of_a_loop_are_told(lab: ReviewLab, http: httpx.Client) -> None:
    lab.start("loop-1", note="ok?")
    for reviewer in (ADA, GRACE):
        lab.service.people.seen(reviewer)
        lab.service.tasks.claim("loop-1", reviewer=reviewer)
    lab.clock.advance(30)
    lab.service.tasks.answer("loop-1", reviewer=ADA, content=ANSWER)
    work = http.get("/human-loops/loop-1/work").json()
    assert (work["human_loop"], work["status"], work["seats"]) == ("loop-1", "InProgress", 2)
    assert [(claim["name"], claim["paused"]) for claim in work["claims"]] == [("grace", False)]
    (answer,) = work["answers"]
    assert (answer["choices"], answer["worked_s"]) == ({"decision": "approve"}, 30.0)
    assert answer["name"].startswith("reviewer-"), "statistics are off: answers carry no names"
    assert work["guideline_version"].startswith("sha256:")
    assert "input" not in work


def test_the_input_comes_when_it_is_asked_for(lab: ReviewLab, http: httpx.Client) -> None:
    lab.start("loop-1", note="ok?")
    assert http.get("/human-loops/loop-1/work?input=true").json()["input"] == {"note": "ok?"}


def test_a_gold_question_is_no_loop_to_anybody_else(lab: ReviewLab, http: httpx.Client) -> None:
    item = {"id": "one", "input": {"note": "1"}, "expected": {"decision": "approve"}}
    lab.service.qualifications.put("loans", {"items": [item], "questions": 1, "pass_mark": 1})
    flow = lab.service.settings.arn("flow-definition/flow")
    lab.call(
        lab.service.tags.add, ResourceArn=flow, Tags=[{"Key": "overread:qualification", "Value": "loans"}]
    )
    (question,) = lab.service.tasks.offered(ADA)
    assert http.get(f"/human-loops/{question.loop.name}/work").status_code == 404


def test_an_unknown_loop_is_a_problem(http: httpx.Client) -> None:
    reply = http.get("/human-loops/nope/work")
    assert (reply.status_code, reply.json()["type"]) == (404, "urn:overread:problem:task-unknown")
