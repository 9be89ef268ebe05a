"""`/sandbox`: an application's tests answer its pending reviews, only where the deployment lets them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from overread_review.wire.sandbox import SandboxWire
from overread_testing.review_fakes import ReviewLab, review_lab
from overread_testing.review_server import served

ANSWER = {"decision": {"label": "approve"}}


class Sandbox:
    """A lab's sandbox routes behind HTTP."""

    def __init__(self, lab: ReviewLab, http: httpx.Client) -> None:
        self.lab = lab
        self._http = http

    def post(self, name: str, document: Any) -> httpx.Response:
        return self.send(name, json.dumps(document).encode())

    def send(self, name: str, body: bytes) -> httpx.Response:
        return self._http.post(f"/sandbox/human-loops/{name}/answers", content=body)

    def refused(self, name: str, document: Any) -> tuple[int, str, str]:
        reply = self.post(name, document)
        problem = reply.json()
        assert reply.headers["content-type"] == "application/problem+json"
        assert problem["status"] == reply.status_code
        return reply.status_code, problem["type"].removeprefix("urn:overread:problem:"), problem["detail"]


def sandbox_of(lab: ReviewLab) -> Iterator[Sandbox]:
    with (
        served(Starlette(routes=SandboxWire(lab.service).routes)) as url,
        httpx.Client(base_url=url, trust_env=False) as http,
    ):
        yield Sandbox(lab, http)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    lab = review_lab(sandbox=True)
    lab.flow_definition()
    lab.flow_definition("two-seats", TaskCount=2)
    yield from sandbox_of(lab)


def test_an_answer_completes_the_loop_and_is_marked_as_a_sandboxs(sandbox: Sandbox) -> None:
    sandbox.lab.start("loop-1", note="ok?")
    reply = sandbox.post("loop-1", {"answer": ANSWER})
    assert (reply.status_code, reply.json()) == (200, {"human_loop": "loop-1", "status": "Completed"})
    output = json.loads(next(iter(sandbox.lab.documents.outputs.values())))
    (answer,) = output["humanAnswers"]
    assert answer["answerContent"] == ANSWER
    identity = answer["workerMetadata"]["identityData"]
    assert identity["issuer"] == "urn:overread:sandbox"
    assert identity["sub"] == "sandbox-1"


def test_a_loop_of_two_seats_takes_one_answer_of_each_name(sandbox: Sandbox) -> None:
    sandbox.lab.start("loop-2", flow="two-seats")
    assert sandbox.post("loop-2", {"answer": ANSWER}).json()["status"] == "InProgress"
    repeated = sandbox.post("loop-2", {"answer": ANSWER})
    assert (repeated.status_code, repeated.json()["status"]) == (200, "InProgress")
    assert len(sandbox.lab.loop("loop-2").answers) == 1
    other = {"answer": {"decision": {"label": "decline"}}}
    assert sandbox.refused("loop-2", other)[:2] == (409, "task-conflict")
    second = {"answer": ANSWER, "reviewer": "sandbox-2"}
    assert sandbox.post("loop-2", second).json()["status"] == "Completed"


def test_what_cannot_be_answered_is_said_with_its_status(sandbox: Sandbox) -> None:
    status, slug, detail = sandbox.refused("nope", {"answer": ANSWER})
    assert (status, slug) == (404, "task-unknown")
    assert "'nope'" in detail
    sandbox.lab.start("ended")
    sandbox.post("ended", {"answer": ANSWER})
    late = {"answer": ANSWER, "reviewer": "sandbox-2"}
    assert sandbox.refused("ended", late)[:2] == (410, "task-gone")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, "the member answer is missing"),
        ({"answer": ANSWER, "worker": "x"}, "unknown member 'worker', allowed are answer and reviewer"),
        ({"answer": ANSWER, "reviewer": 7}, "reviewer must be a text, got 7"),
        ({"answer": ANSWER, "reviewer": ""}, "reviewer must be a name"),
        (
            {"answer": ANSWER, "reviewer": ["x" * 100_000]},
            "reviewer must be a text, got ['xxxxxxxxxxxx...xxxx",
        ),
        ({"answer": ANSWER, "x" * 100_000: 1}, "unknown member 'xxxxxxxxxxxx...xxxx"),
        ({"answer": ["approve"]}, "an answer is a JSON object"),
    ],
)
def test_a_request_at_fault_changes_nothing_and_says_what_is_allowed(
    sandbox: Sandbox, document: Any, words: str
) -> None:
    loop = sandbox.lab.start("loop-3")
    status, slug, detail = sandbox.refused("loop-3", document)
    assert (status, slug) == (400, "answer-invalid")
    assert words in detail
    assert len(detail) < 200
    assert sandbox.lab.loop("loop-3") == loop


def test_bodies_are_json_objects_of_a_limited_size(sandbox: Sandbox) -> None:
    sandbox.lab.start("loop-4")
    assert sandbox.refused("loop-4", [ANSWER])[:2] == (400, "malformed-json")
    assert sandbox.send("loop-4", b"{").status_code == 400
    limit = 2 * sandbox.lab.service.settings.max_answer_bytes
    assert sandbox.send("loop-4", b" " * (limit + 70_000)).status_code == 413


def test_without_the_sandbox_switch_nobody_answers_over_http() -> None:
    lab = review_lab()
    lab.flow_definition()
    loop = lab.start("loop-5")
    for sandbox in sandbox_of(lab):
        status, slug, _ = sandbox.refused("loop-5", {"answer": ANSWER})
        assert (status, slug) == (403, "sandbox-off")
    assert lab.loop("loop-5") == loop


def test_one_synthetic_person_answers_one_loop_of_a_separation(sandbox: Sandbox) -> None:
    for name in ("loop-a", "loop-b"):
        sandbox.lab.start(name, decision_id="d-1", separation="s-1")
    assert sandbox.post("loop-a", {"answer": ANSWER}).status_code == 200
    status, slug, detail = sandbox.refused("loop-b", {"answer": ANSWER})
    assert (status, slug) == (409, "task-conflict")
    assert detail == "you have answered another review of this decision: this one is for somebody else"
    assert sandbox.post("loop-b", {"answer": ANSWER, "reviewer": "sandbox-2"}).status_code == 200
