"""The portal's JSON API for leads: queues, tasks, people; and that nobody else gets anything from it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from overread_review.app import create_app
from overread_review.identity.invitations import invitation_of
from overread_review.portal.sessions import COOKIE, Sessions
from overread_review.portal.sign_in import OidcSignIn, SignInMethod
from overread_review.service.model import Reviewer
from overread_testing.review_fakes import ADA, GRACE, LENA, STRANGER, review_lab
from overread_testing.review_server import served

READING = ("overview", "tasks?flow_definition=flow", "tasks/loop-1", "people")
CHANGING: tuple[tuple[str, dict[str, Any]], ...] = (
    ("tasks/loop-1/assign", {"person": None}),
    ("tasks/loop-1/return", {"person": ADA.key, "comment": "again"}),
    ("tasks/loop-1/stop", {}),
    ("tasks/loop-1/hold", {}),
    ("tasks/loop-1/unhold", {}),
    ("tasks/loop-1/reply", {"text": "hello"}),
    ("queues/flow/pause", {}),
    ("queues/flow/resume", {}),
    (f"people/{GRACE.key}/disable", {}),
    (f"people/{GRACE.key}/enable", {}),
)


@pytest.fixture
def desk(served_lab: Any) -> Any:
    served_lab.lab.flow_definition(TaskCount=2)
    served_lab.lab.start("loop-1", note="<b>hello</b>")
    return served_lab


def problem(reply: httpx.Response) -> tuple[int, str]:
    assert reply.headers["content-type"] == "application/problem+json", reply.text
    return reply.status_code, reply.json()["type"].removeprefix("urn:overread:problem:")


def lead(client: httpx.Client, path: str, body: object = None) -> Any:
    address = f"/portal/api/lead/{path}"
    reply = client.get(address) if body is None else client.post(address, json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()


@pytest.mark.parametrize("path", READING)
def test_reading_is_for_leads(path: str, desk: Any) -> None:
    assert problem(desk.sign_in("ada").get(f"/portal/api/lead/{path}")) == (403, "not-a-lead")
    reply = httpx.get(f"{desk.url}/portal/api/lead/{path}", trust_env=False)
    assert problem(reply) == (401, "session-missing")


@pytest.mark.parametrize(("path", "body"), CHANGING)
def test_steering_is_for_leads_and_needs_the_csrf_token(path: str, body: Any, desk: Any) -> None:
    before = desk.lab.loop("loop-1")
    ada, lena = desk.sign_in("ada"), desk.sign_in("lena")
    assert problem(ada.post(f"/portal/api/lead/{path}", json=body)) == (403, "not-a-lead")
    unconfirmed = lena.post(f"/portal/api/lead/{path}", json=body, headers={"X-Overread-CSRF": ""})
    assert problem(unconfirmed) == (403, "csrf-token-invalid")
    assert desk.lab.loop("loop-1") == before


def test_the_overview_counts_the_backlog(desk: Any) -> None:
    desk.lab.start("loop-2")
    desk.sign_in("ada").post("/portal/api/tasks/loop-2/claim")
    desk.lab.clock.advance(120)
    (queue,) = lead(desk.sign_in("lena"), "overview")["queues"]
    assert (queue["flow_definition"], queue["title"], queue["open"]) == ("flow", "Review a loan", 2)
    assert (queue["claimed"], queue["waiting"], queue["paused"]) == (1, 1, False)
    assert queue["oldest_age_s"] >= 120
    assert queue["agreement"] == {"pairs": 0, "agreed": 0, "share": None}


def test_a_lead_reads_input_answers_and_notes(desk: Any) -> None:
    ada, lena = desk.sign_in("ada"), desk.sign_in("lena")
    ada.post("/portal/api/tasks/loop-1/claim")
    ada.post("/portal/api/tasks/loop-1/notes", json={"kind": "flag", "text": "odd"})
    ada.post("/portal/api/tasks/loop-1/answer", json={"answer": {"decision": {"label": "approve"}}})
    (listed,) = lead(lena, "tasks?flow_definition=flow&state=flagged")["tasks"]
    assert (listed["task_id"], listed["seats"], len(listed["answers"])) == ("loop-1", 2, 1)
    shown = lead(lena, "tasks/loop-1")
    assert shown["input"] == {"note": "<b>hello</b>"}
    assert shown["contents"] == [{"decision": {"label": "approve"}}]
    assert [note["text"] for note in shown["notes"]] == ["odd"]
    replied = lead(lena, "tasks/loop-1/reply", {"text": "known"})
    assert [note["kind"] for note in replied["notes"]] == ["flag", "reply"]


def test_who_answered_is_an_alias_unless_figures_go_by_name(desk: Any) -> None:
    ada, lena = desk.sign_in("ada"), desk.sign_in("lena")
    ada.post("/portal/api/tasks/loop-1/claim")
    assert lead(lena, "tasks/loop-1")["claims"][0]["name"] == "ada"
    ada.post("/portal/api/tasks/loop-1/answer", json={"answer": {"decision": {"label": "approve"}}})
    (answer,) = lead(lena, "tasks/loop-1")["answers"]
    assert "ada" not in (answer["name"], answer["person"])
    assert ADA.key not in json.dumps(answer)


def test_a_lead_assigns_holds_returns_and_stops(desk: Any) -> None:
    ada, grace, lena = desk.sign_in("ada"), desk.sign_in("grace"), desk.sign_in("lena")
    ada.post("/portal/api/tasks/loop-1/claim")
    assigned = lead(lena, "tasks/loop-1/assign", {"person": GRACE.key})
    assert assigned["assigned_to"] == {"person": GRACE.key, "name": "grace"}
    assert [claim["name"] for claim in assigned["claims"]] == ["ada"]  # the other seat is still free
    assert lead(lena, "tasks/loop-1/hold", {})["held"] is True
    assert grace.post("/portal/api/tasks/loop-1/claim").status_code in {409, 410}
    assert lead(lena, "tasks/loop-1/unhold", {})["held"] is False
    grace.post("/portal/api/tasks/loop-1/claim")
    grace.post("/portal/api/tasks/loop-1/answer", json={"answer": {"decision": {"label": "approve"}}})
    author = lead(lena, "tasks/loop-1")["answers"][0]["person"]
    back = lead(lena, "tasks/loop-1/return", {"person": author, "comment": "see rule 3"})
    assert (back["answers"], back["returned_answers"]) == ([], 1)
    (again,) = grace.get("/portal/api/tasks").json()["tasks"]
    assert again["returned"] is True
    assert lead(lena, "tasks/loop-1/stop", {})["status"] == "Stopping"  # ada may still finish
    ada.post("/portal/api/tasks/loop-1/release")
    assert lead(lena, "tasks/loop-1")["status"] == "Stopped"
    assert problem(lena.post("/portal/api/lead/tasks/loop-1/hold", json={})) == (410, "task-gone")


def test_a_paused_queue_offers_nothing_and_says_so(desk: Any) -> None:
    ada, lena = desk.sign_in("ada"), desk.sign_in("lena")
    assert lead(lena, "queues/flow/pause", {})["paused_by"] == "lena"
    listed = ada.get("/portal/api/tasks").json()
    assert listed["tasks"] == []
    assert listed["paused_queues"] == [{"flow_definition": "flow", "title": "Review a loan"}]
    lead(lena, "queues/flow/resume", {})
    assert len(ada.get("/portal/api/tasks").json()["tasks"]) == 1
    assert problem(lena.post("/portal/api/lead/queues/other/pause", json={})) == (404, "queue-unknown")


def test_a_disabled_person_is_out_at_once_whatever_their_session_says(desk: Any) -> None:
    ada, lena = desk.sign_in("ada"), desk.sign_in("lena")
    ada.post("/portal/api/tasks/loop-1/claim")
    lead(lena, f"people/{ADA.key}/disable", {})
    for reply in (
        ada.get("/portal/api/tasks"),
        ada.get("/portal/api/session"),
        ada.post("/portal/api/tasks/loop-1/answer", json={"answer": {}}),
        ada.post("/portal/api/session", json={"reviewer": "ada"}),
    ):
        assert problem(reply) == (403, "person-disabled")
    assert ada.get("/portal/tasks/loop-1/frame").status_code == 403
    assert desk.lab.loop("loop-1").claims == ()
    shown = {one["name"]: one["state"] for one in lead(lena, "people")["people"]}
    assert (shown["ada"], shown["lena"]) == ("disabled", "active")
    lead(lena, f"people/{ADA.key}/enable", {})
    assert ada.get("/portal/api/tasks").status_code == 200
    assert problem(lena.post(f"/portal/api/lead/people/{LENA.key}/disable", json={})) == (
        409,
        "person-unsuitable",
    )


def test_people_of_other_teams_do_not_exist_for_a_lead(desk: Any) -> None:
    desk.sign_in("stranger")
    lena = desk.sign_in("lena")
    assert STRANGER.name not in {one["name"] for one in lead(lena, "people")["people"]}
    reply = lena.post(f"/portal/api/lead/people/{STRANGER.key}/disable", json={})
    assert problem(reply) == (404, "person-unknown")


def test_nobody_is_invited_where_names_alone_sign_in(desk: Any) -> None:
    lena = desk.sign_in("lena")
    assert lead(lena, "people")["invitable"] is False
    body = {"email": "x@example.com", "name": "X", "group": "reviewers"}
    reply = lena.post("/portal/api/lead/people/invite", json=body)
    assert problem(reply) == (409, "invitation-impossible")


@contextmanager
def signed_in(url: str, reviewer: Reviewer, sessions: Sessions, *, now: Any) -> Iterator[httpx.Client]:
    session = sessions.open(reviewer, now=now)
    with httpx.Client(
        base_url=url,
        trust_env=False,
        cookies={COOKIE: sessions.cookie(session)},
        headers={"X-Overread-CSRF": sessions.csrf_token(session)},
    ) as client:
        yield client


def test_with_an_identity_provider_nobody_signs_in_by_name_and_a_lead_invites() -> None:
    lab = review_lab()
    lab.flow_definition()
    sign_in = OidcSignIn([SignInMethod("workforce", "Our people", signs_out=True, invites=True)])
    sessions = Sessions(lab.service.session_secret)
    with served(create_app(lab.service, sign_in=sign_in)) as url:
        offered = httpx.get(f"{url}/portal/api/sign-in", trust_env=False).json()
        link = {"id": "workforce", "title": "Our people", "url": "sign-in/workforce"}
        assert offered == {"mode": "oidc", "providers": [link]}
        by_name = httpx.post(f"{url}/portal/api/session", json={"reviewer": "ada"}, trust_env=False)
        assert problem(by_name) == (403, "reviewer-unknown")
        with signed_in(url, LENA, sessions, now=lab.clock()) as lena:
            body = {"email": "new@example.com", "name": "New", "group": "reviewers"}
            permission = lead(lena, "people/invite", body)["ticket"]
            invitation = invitation_of(permission, sessions=sessions, now=lab.clock())
            assert invitation is not None
            assert (invitation.email, invitation.group) == ("new@example.com", "reviewers")
            bad = lena.post("/portal/api/lead/people/invite", json=body | {"group": "admins"})
            assert problem(bad) == (400, "invitation-invalid")
            assert lena.delete("/portal/api/session").json() == {"sign_out_url": "sign-out/workforce"}
        gone = Reviewer("x", "x", frozenset({"reviewers"}), provider="a-vendor-of-old")
        with signed_in(url, gone, sessions, now=lab.clock()) as client:
            assert problem(client.get("/portal/api/tasks")) == (401, "session-missing")


def test_random_bodies_get_problems_and_change_nothing(desk: Any) -> None:
    rng = random.Random(20261123)
    lena = desk.sign_in("lena")
    before = desk.lab.loop("loop-1")
    for _ in range(300):
        path, _body = rng.choice(CHANGING[:2] + CHANGING[5:6])
        reply = lena.post(f"/portal/api/lead/{path}", content=_noise(rng))
        if reply.status_code != 200:
            assert problem(reply)[0] in {400, 404, 409, 410}, reply.text
            assert "Traceback" not in reply.text
    after = desk.lab.loop("loop-1")
    assert (after.answers, after.claims, after.status) == (before.answers, before.claims, before.status)


def _noise(rng: random.Random) -> bytes:
    values: tuple[object, ...] = (
        None,
        True,
        7,
        -1.5,
        "",
        "x",
        "\u0000",
        [],
        {},
        ["a"],
        {"a": 1},
        "é" * 600,
        "x" * 1001,
    )
    if rng.random() < 0.2:
        return rng.randbytes(rng.randrange(40))
    members = rng.sample(["person", "comment", "text", "reason", "kind"], rng.randrange(5))
    return json.dumps({member: rng.choice(values) for member in members}).encode()
