"""The portal's JSON API: sessions, CSRF, claims, answers, and the headers that keep task content apart."""

from __future__ import annotations

import base64
import json
import time
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from overread_review.portal.pages import frame_html, frame_policy
from overread_review.portal.sessions import Sessions
from overread_testing.review_fakes import VERA, FakeClock


@pytest.fixture
def desk(served_lab: Any) -> Any:
    served_lab.lab.flow_definition(TaskKeywords=["loans"])
    served_lab.lab.start("loop-1", note="<b>hello</b>")
    return served_lab


def problem(reply: httpx.Response) -> tuple[int, str]:
    assert reply.headers["content-type"] == "application/problem+json"
    document = reply.json()
    assert document["status"] == reply.status_code
    assert document["title"]
    return reply.status_code, document["type"].removeprefix("urn:overread:problem:")


def test_sign_in_gives_a_strict_cookie_and_the_reviewer(desk: Any) -> None:
    reply = httpx.post(f"{desk.url}/portal/api/session", json={"reviewer": "ada"}, trust_env=False)
    assert reply.json()["reviewer"]["name"] == "ada"
    cookie = reply.headers["set-cookie"]
    for attribute in ("HttpOnly", "SameSite=strict", "Path=/portal"):
        assert attribute in cookie
    ada = desk.sign_in("ada")
    assert ada.get("/portal/api/session").json()["reviewer"]["groups"] == ["reviewers"]
    offered = ada.get("/portal/api/sign-in").json()
    assert offered["mode"] == "names"
    assert {"name": "ada", "lead": False} in offered["reviewers"]
    assert {"name": "lena", "lead": True} in offered["reviewers"]
    assert ada.delete("/portal/api/session").status_code == 200
    assert problem(ada.get("/portal/api/session")) == (401, "session-missing")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"reviewer": "nobody"}, (403, "reviewer-unknown")),
        ({"reviewer": ["ada"]}, (403, "reviewer-unknown")),
        ([], (400, "malformed-json")),
    ],
)
def test_sign_in_refuses(desk: Any, body: Any, expected: tuple[int, str]) -> None:
    reply = httpx.post(f"{desk.url}/portal/api/session", json=body, trust_env=False)
    assert problem(reply) == expected
    assert "set-cookie" not in reply.headers


def test_sign_in_from_another_site_is_refused(desk: Any) -> None:
    reply = httpx.post(
        f"{desk.url}/portal/api/session",
        json={"reviewer": "ada"},
        headers={"Sec-Fetch-Site": "cross-site"},
        trust_env=False,
    )
    assert problem(reply) == (403, "csrf-token-invalid")


def test_forged_and_altered_cookies_are_no_session(desk: Any) -> None:
    ada = desk.sign_in("ada")
    good = ada.cookies["overread_session"]
    payload = base64.urlsafe_b64encode(json.dumps(["grace", "x", 9e9]).encode()).decode().rstrip("=")
    for forged in ("", "x", "x.y", f"{payload}.{good.partition('.')[2]}", good[:-1] + "é"):
        reply = httpx.get(
            f"{desk.url}/portal/api/tasks",
            headers={"Cookie": f"overread_session={forged}".encode()},
            trust_env=False,
        )
        assert reply.status_code == 401


def test_a_session_keeps_who_signed_in_for_eight_hours() -> None:
    clock, sessions = FakeClock(), Sessions("secret")
    cookie = sessions.cookie(sessions.open(VERA, now=clock()))
    clock.advance(8 * 3600 - 1)
    session = sessions.read(cookie, now=clock())
    assert session is not None
    assert session.reviewer == VERA
    assert Sessions("another secret").read(cookie, now=clock()) is None
    clock.advance(1)
    assert sessions.read(cookie, now=clock()) is None


@pytest.mark.parametrize("action", ["claim", "answer", "decline", "release"])
def test_acting_needs_the_csrf_token_of_this_session(desk: Any, action: str) -> None:
    ada, grace = desk.sign_in("ada"), desk.sign_in("grace")
    for token in ("", "wrong", grace.headers["X-Overread-CSRF"]):
        reply = ada.post(
            f"/portal/api/tasks/loop-1/{action}", json={"answer": {}}, headers={"X-Overread-CSRF": token}
        )
        assert problem(reply) == (403, "csrf-token-invalid")
    assert desk.lab.loop("loop-1").claims == ()


def test_the_task_list(desk: Any) -> None:
    listed = desk.sign_in("ada").get("/portal/api/tasks").json()["tasks"]
    assert listed == [
        {
            "task_id": "loop-1",
            "title": "Review a loan",
            "description": "Approve or decline",
            "keywords": ["loans"],
            "flow_definition": "flow",
            "human_loop": "loop-1",
            "created_at": "2026-03-02T09:14:56.600Z",
            "expires_at": "2026-03-12T09:14:56.600Z",
            "time_limit_s": 3600,
            "priority": "normal",
            "deadline_at": None,
            "claimed_by_me": False,
            "assigned_to_me": False,
            "returned": False,
            "notes": 0,
        }
    ]
    assert desk.sign_in("stranger").get("/portal/api/tasks").json()["tasks"] == []


def test_claim_page_answer(desk: Any) -> None:
    ada = desk.sign_in("ada")
    claimed = ada.post("/portal/api/tasks/loop-1/claim").json()
    assert claimed["claim_deadline_at"] == "2026-03-02T10:14:56.600Z"
    assert claimed["guideline_version"].startswith("sha256:")
    assert (claimed["running"], claimed["worked_s"], claimed["notes"]) == (True, 0.0, [])
    assert claimed["input"] == {"note": "<b>hello</b>"}
    frame = ada.get(claimed["frame_url"])
    assert "&lt;b&gt;hello&lt;/b&gt;" in frame.text
    assert "assets.crowd.aws" not in frame.text
    policy = frame.headers["content-security-policy"]
    for part in ("sandbox allow-scripts allow-forms;", "default-src 'none'", "connect-src 'none'"):
        assert part in policy
    assert "allow-same-origin" not in policy
    reply = ada.post("/portal/api/tasks/loop-1/answer", json={"answer": {"decision": {"label": "approve"}}})
    assert reply.json() == {"task_id": "loop-1", "human_loop": "loop-1", "status": "Completed"}
    again = ada.post("/portal/api/tasks/loop-1/answer", json={"answer": {}})
    assert problem(again) == (409, "task-conflict")
    assert ada.get("/portal/api/tasks").json()["tasks"] == []


def test_conflict_expiry_and_unknown_tasks(desk: Any) -> None:
    ada, grace = desk.sign_in("ada"), desk.sign_in("grace")
    ada.post("/portal/api/tasks/loop-1/claim")
    assert problem(grace.post("/portal/api/tasks/loop-1/claim")) == (409, "task-conflict")
    assert problem(grace.post("/portal/api/tasks/loop-1/answer", json={"answer": {}})) == (
        409,
        "task-conflict",
    )
    assert problem(grace.post("/portal/api/tasks/nope/claim")) == (404, "task-unknown")
    assert problem(desk.sign_in("stranger").post("/portal/api/tasks/loop-1/claim")) == (404, "task-unknown")
    desk.lab.clock.advance(3600)
    assert problem(ada.post("/portal/api/tasks/loop-1/answer", json={"answer": {}})) == (410, "task-gone")
    desk.lab.clock.advance(864_000)
    assert desk.sign_in("ada").post("/portal/api/tasks/loop-1/claim").status_code == 410


def test_decline_and_release(desk: Any) -> None:
    ada = desk.sign_in("ada")
    ada.post("/portal/api/tasks/loop-1/claim")
    assert ada.post("/portal/api/tasks/loop-1/release").status_code == 200
    assert len(ada.get("/portal/api/tasks").json()["tasks"]) == 1
    assert ada.post("/portal/api/tasks/loop-1/decline").status_code == 200
    assert ada.get("/portal/api/tasks").json()["tasks"] == []
    assert len(desk.sign_in("grace").get("/portal/api/tasks").json()["tasks"]) == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", (400, "malformed-json")),
        (b"[" * 100_000, (400, "malformed-json")),
        (b"{}", (400, "answer-invalid")),
        (b'{"answer": [1]}', (400, "answer-invalid")),
        (b'{"answer": {"x": NaN}}', (400, "answer-invalid")),
        (rb'{"answer": {"x": "\ud800"}}', (400, "answer-invalid")),
        (b'{"answer": {"x": "' + b"x" * 6_291_456 + b'"}}', (400, "answer-invalid")),
        (b" " * (3 * 6_291_456 + 1025), (413, "request-too-large")),
    ],
)
def test_bad_answers_change_nothing(desk: Any, body: bytes, expected: tuple[int, str]) -> None:
    ada = desk.sign_in("ada")
    ada.post("/portal/api/tasks/loop-1/claim")
    assert problem(ada.post("/portal/api/tasks/loop-1/answer", content=body)) == expected
    assert desk.lab.loop("loop-1").answers == ()


def test_next_claims_the_most_urgent_task(desk: Any) -> None:
    desk.lab.start("loop-2", overread={"priority": "urgent"})
    ada = desk.sign_in("ada")
    claimed = ada.post("/portal/api/tasks/next").json()
    assert (claimed["task_id"], claimed["priority"]) == ("loop-2", "urgent")
    assert desk.sign_in("stranger").post("/portal/api/tasks/next").json() == {"task_id": None}


def test_a_pause_stops_the_clock_of_the_work(desk: Any) -> None:
    ada = desk.sign_in("ada")
    ada.post("/portal/api/tasks/loop-1/claim")
    desk.lab.clock.advance(60)
    paused = ada.post("/portal/api/tasks/loop-1/pause").json()
    assert (paused["running"], paused["worked_s"]) == (False, 60.0)
    desk.lab.clock.advance(600)
    resumed = ada.post("/portal/api/tasks/loop-1/resume").json()
    assert (resumed["running"], resumed["worked_s"]) == (True, 60.0)
    assert resumed["claim_deadline_at"] == "2026-03-02T10:24:56.600Z"


def test_cannot_decide_is_an_answer_with_its_reason(desk: Any) -> None:
    ada = desk.sign_in("ada")
    ada.post("/portal/api/tasks/loop-1/claim")
    for bad in ({}, {"reason": 7}, {"reason": "  "}, {"reason": "x" * 1001}):
        assert ada.post("/portal/api/tasks/loop-1/cannot-decide", json=bad).status_code == 400
    reply = ada.post("/portal/api/tasks/loop-1/cannot-decide", json={"reason": "the scan is cut off"})
    assert reply.json()["status"] == "Completed"
    (answer,) = desk.lab.loop("loop-1").answers
    assert answer.cannot_decide
    assert b"the scan is cut off" in desk.lab.documents.get(answer.content_key)


def test_a_question_to_the_lead_is_read_by_its_author_and_the_lead_only(desk: Any) -> None:
    ada, grace = desk.sign_in("ada"), desk.sign_in("grace")
    ada.post("/portal/api/tasks/loop-1/claim")
    reply = ada.post("/portal/api/tasks/loop-1/notes", json={"kind": "question", "text": "Which rule?"})
    (note,) = reply.json()["notes"]
    assert (note["kind"], note["text"], note["mine"], note["role"]) == (
        "question",
        "Which rule?",
        True,
        "reviewer",
    )
    bad = ada.post("/portal/api/tasks/loop-1/notes", json={"kind": "return", "text": "x"})
    assert problem(bad) == (400, "note-invalid")
    ada.post("/portal/api/tasks/loop-1/release")
    assert grace.post("/portal/api/tasks/loop-1/claim").json()["notes"] == []


def test_the_history_shows_a_persons_own_answers_the_newest_first(desk: Any) -> None:
    ada, grace = desk.sign_in("ada"), desk.sign_in("grace")
    desk.lab.start("loop-2")
    for number in (1, 2):
        ada.post(f"/portal/api/tasks/loop-{number}/claim")
        desk.lab.clock.advance(30)
        answer = {"answer": {"decision": {"label": "approve"}}}
        ada.post(f"/portal/api/tasks/loop-{number}/answer", json=answer)
    listed = ada.get("/portal/api/history").json()["answers"]
    assert [one["task_id"] for one in listed] == ["loop-2", "loop-1"]
    assert listed[0]["choices"] == {"decision": "approve"}
    assert (listed[0]["worked_s"], listed[0]["status"]) == (30.0, "Completed")
    assert grace.get("/portal/api/history").json() == {"answers": [], "next_cursor": ""}


def test_the_frame_needs_session_and_claim(desk: Any) -> None:
    assert httpx.get(f"{desk.url}/portal/tasks/loop-1/frame", trust_env=False).status_code == 401
    grace = desk.sign_in("grace")
    assert grace.get("/portal/tasks/loop-1/frame").status_code == 409
    assert "hello" not in grace.get("/portal/tasks/loop-1/frame").text


def test_replies_are_not_cached_sniffed_or_framed(desk: Any) -> None:
    ada = desk.sign_in("ada")
    for path in ("/portal/api/tasks", "/portal/api/session"):
        headers = ada.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize(
    "script",
    [
        '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>',
        "<SCRIPT async src='//assets.crowd.aws/crowd-html-elements.js'></SCRIPT>",
        "<script src=https://assets.crowd.aws/crowd-html-elements-v2.js></script>",
    ],
)
def test_the_element_scripts_address_is_answered_with_our_own(script: str) -> None:
    page = frame_html(script)
    assert "assets.crowd.aws" not in page
    assert page.count("../../static/crowd-html-elements.js") == 2


def test_the_elements_style_sheet_is_not_asked_for() -> None:
    link = '<LINK rel="stylesheet" href="https://assets.crowd.aws/css/crowd-html-elements-v2.css" />'
    assert frame_html(f"{link}<p>x</p>").endswith("\n<p>x</p>")
    assert "cdn.example" in frame_html(link.replace("assets.crowd.aws", "cdn.example"))


def test_text_that_mentions_the_address_stays_as_it_is() -> None:
    text = "<p>https://assets.crowd.aws/crowd-html-elements.js</p>"
    assert text in frame_html(text)


def test_only_signed_objects_may_be_loaded_as_images() -> None:
    policy = frame_policy(["https://s3.example/bucket/a;b.png?X-Amz-Signature=1"])
    assert "img-src data: blob: https://s3.example/bucket/a%3Bb.png;" in policy
    many = frame_policy([f"https://s3.example/bucket/{number}.png" for number in range(99)])
    assert "img-src data: blob: https://s3.example/bucket/;" in many
    hosts = frame_policy(
        [f"https://bucket.s3.example/{place}{n}.png" for n in range(99) for place in ("", "in/case/")]
    )
    assert "img-src data: blob: https://bucket.s3.example/ https://bucket.s3.example/in/;" in hosts


def test_a_policy_fits_into_a_header_however_long_the_objects_names_are() -> None:
    urls = [f"https://bucket.s3.example/in/{quote('ж' * 150)}{number}.png" for number in range(16)]
    assert len(frame_policy(urls)) < 6_000


def test_a_hostile_template_does_not_keep_the_server_busy() -> None:
    """Every `<script` was followed to the end of the page in search of its address: minutes for 128 KiB."""
    begun = time.process_time()
    frame_html("<script " * 16_000)
    assert time.process_time() - begun < 2


def test_what_is_not_ascii_is_no_longer_in_a_reply_than_in_the_input(desk: Any) -> None:
    """A function's reply has at most 6 MB, of which escapes would take twelve bytes for four."""
    note = "ж😀" * 100_000
    desk.lab.start("foreign", note=note)
    reply = desk.sign_in("ada").post("/portal/api/tasks/foreign/claim")
    assert reply.json()["input"] == {"note": note}
    assert len(reply.content) < len(note.encode()) + 2_000
