"""The portal's edges: paths above it, unknown calls, faults, hostile requests, people not welcome."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from overread_review.app import create_app
from overread_review.portal.sessions import COOKIE, CSRF_HEADER, Sessions
from overread_review.portal.sign_in import OidcSignIn, SignInMethod
from overread_review.service.errors import StoreUnavailableError
from overread_review.service.model import GoldRef, Loop, Reviewer
from overread_testing.review_fakes import ADA, GRACE, LENA, VERA, ReviewLab, review_lab

ROOTS = ("", "/live", "/_aws/execute-api/a1b2c3d4e5/live")
WORKFORCE = SignInMethod("workforce", "Our people", signs_out=True, invites=True)
ACME = SignInMethod("acme", "Acme", signs_out=False, invites=False)


class Person:
    """Somebody's browser: speaks to the application under a path, with cookies and the session's token."""

    def __init__(self, lab: ReviewLab, reviewer: Reviewer | None = None, *, root: str = "") -> None:
        transport = httpx.ASGITransport(
            create_app(lab.service, sign_in=OidcSignIn([WORKFORCE, ACME]) if reviewer else None),
            root_path=root,
        )
        self._client = httpx.AsyncClient(transport=transport, base_url=f"https://portal.example{root}")
        self.cookies = self._client.cookies
        self.root = root
        if reviewer is not None:
            sessions = Sessions(lab.service.session_secret)
            session = sessions.open(reviewer, now=lab.clock())
            self._client.cookies.set(COOKIE, sessions.cookie(session), domain="portal.example")
            self._client.headers[CSRF_HEADER] = sessions.csrf_token(session)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._client.request(method, f"https://portal.example{path}", **options))

    def api(self, path: str, body: object = None, *, method: str = "") -> httpx.Response:
        chosen = method or ("GET" if body is None else "POST")
        content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask(chosen, f"{self.root}/portal/api/{path}", content=content)


def lab_with_task(**settings: Any) -> ReviewLab:
    lab = review_lab(**settings)
    lab.flow_definition(TaskCount=2)
    lab.start("loop-1", note="hello")
    return lab


@pytest.fixture
def lab() -> ReviewLab:
    return lab_with_task()


def problem(reply: httpx.Response) -> tuple[int, str]:
    assert reply.headers["content-type"] == "application/problem+json", reply.text
    document = reply.json()
    assert document["status"] == reply.status_code
    assert "Traceback" not in reply.text
    return reply.status_code, document["type"].removeprefix("urn:overread:problem:")


# Under any path


@pytest.mark.parametrize("root", ROOTS)
def test_every_address_and_the_cookie_stay_under_the_path_that_the_portal_has(
    root: str, lab: ReviewLab
) -> None:
    browser = Person(lab, root=root)
    assert browser.ask("GET", f"{root}/").headers["location"] == f"{root}/portal/"
    for path in (f"{root}/portal", f"{root}/portal/"):  # some gateways drop the last slash
        page = browser.ask("GET", path)
        assert f'<base href="{root}/portal/">' in page.text
        assert page.text.count('href="/') == 1
        assert 'src="/' not in page.text
    reply = browser.api("session", {"reviewer": "ada"})
    assert f"Path={root}/portal;" in reply.headers["set-cookie"]
    assert "Secure" in reply.headers["set-cookie"]
    confirmed = {CSRF_HEADER: reply.json()["csrf_token"]}
    claimed = browser.ask("POST", f"{root}/portal/api/tasks/loop-1/claim", headers=confirmed).json()
    assert claimed["frame_url"] == f"{root}/portal/tasks/loop-1/frame"
    assert "hello" in browser.ask("GET", claimed["frame_url"]).text
    signed_out = browser.ask("DELETE", f"{root}/portal/api/session", headers=confirmed)
    assert f"Path={root}/portal;" in signed_out.headers["set-cookie"]
    assert problem(browser.api("session")) == (401, "session-missing")


# What does not exist, and what goes wrong


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("GET", "nothing"), ("GET", "reviewers"), ("GET", "tasks/loop-1/claim"), ("PUT", "tasks")],
)
def test_unknown_calls_are_answered_as_problems(method: str, path: str, lab: ReviewLab) -> None:
    assert problem(Person(lab, ADA).api(path, method=method)) == (404, "path-unknown")


@pytest.mark.parametrize("task_id", ["%00", "LOOP-1", "x" * 64, "%2e%2e%2fa", "a b", "é", "a%23b"])
def test_names_that_no_task_has_reach_no_store(
    task_id: str, lab: ReviewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(lab.store, "find_loop", asked.append)
    lena = Person(lab, LENA)
    for path in (f"tasks/{task_id}/claim", f"lead/tasks/{task_id}/hold"):
        assert problem(lena.api(path, {}))[0] == 404
    assert lena.ask("GET", f"/portal/tasks/{task_id}/frame").status_code == 404
    assert asked == []


@pytest.mark.parametrize("cursor", ["~", "zzz", "é", "0" * 300, "1 2", "\x00"])
def test_a_cursor_that_no_page_gave_is_refused(cursor: str, lab: ReviewLab) -> None:
    lena = Person(lab, LENA)
    for path in ("history", "lead/tasks"):
        params = {"cursor": cursor, "flow_definition": "flow"}
        reply = lena.ask("GET", f"/portal/api/{path}", params=params)
        assert problem(reply) == (400, "member-invalid")


def test_every_page_gives_a_cursor_that_is_taken(lab: ReviewLab) -> None:
    lena = Person(lab, LENA)
    for number in range(2, 80):
        lab.start(f"loop-{number}", note="n")
    listed: list[str] = []
    for state in ("open", "ended"):
        cursor = ""
        while True:
            params = {"flow_definition": "flow", "state": state, "cursor": cursor}
            page = lena.ask("GET", "/portal/api/lead/tasks", params=params).json()
            listed += [task["task_id"] for task in page["tasks"]]
            cursor = page["next_cursor"]
            if not cursor:
                break
        for name in [loop for loop in listed if state == "open"]:
            lena.api(f"lead/tasks/{name}/stop", {})
    assert sorted(listed) == sorted([f"loop-{number}" for number in range(1, 80)] * 2)
    ada = Person(lab, ADA)
    for number in range(30):
        lab.start(f"again-{number}", note="n")
        ada.api(f"tasks/again-{number}/claim", {})
        lab.clock.advance(1)
        ada.api(f"tasks/again-{number}/answer", {"answer": {}})
    page = ada.api("history").json()
    rest = ada.ask("GET", "/portal/api/history", params={"cursor": page["next_cursor"]}).json()
    assert len(page["answers"] + rest["answers"]) == 30


def test_a_fault_of_the_program_is_a_problem_without_its_inside(
    lab: ReviewLab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_key: str) -> bytes:
        raise KeyError("secret-inside")

    monkeypatch.setattr(lab.documents, "get", fails)
    with caplog.at_level(logging.ERROR):
        reply = Person(lab, ADA).api("tasks/loop-1/claim", {})
    assert problem(reply) == (500, "internal-error")
    assert "secret-inside" not in reply.text
    assert "secret-inside" in caplog.text


def test_a_busy_store_is_said_to_be_busy(lab: ReviewLab, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(_name: str) -> None:
        raise StoreUnavailableError("DynamoDB: ThrottlingException after 10 attempts; try again")

    monkeypatch.setattr(lab.store, "find_loop", busy)
    assert problem(Person(lab, ADA).api("tasks/loop-1/claim", {})) == (503, "temporarily-unavailable")


# Bodies


def test_a_body_in_chunks_is_read_no_further_than_its_limit(lab: ReviewLab) -> None:
    ada = Person(lab, ADA)
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 1_000:
            sent += 1
            yield b"x" * 4_096

    reply = ada.ask("POST", "/portal/api/tasks/loop-1/notes", content=endless())
    assert problem(reply) == (413, "request-too-large")
    assert sent <= 8


def test_nobody_reads_a_body_before_it_is_known_who_sends_it(lab: ReviewLab) -> None:
    async def unread() -> Any:
        raise AssertionError("the body was read")
        yield b""

    stranger = Person(lab)
    for path in ("tasks/loop-1/answer", "lead/tasks/loop-1/reply", "lead/people/invite"):
        reply = stranger.ask("POST", f"/portal/api/{path}", content=unread())
        assert problem(reply) == (401, "session-missing")


@pytest.mark.parametrize(
    ("path", "member"),
    [("notes", "text"), ("cannot-decide", "reason"), ("notes", "kind")],
)
def test_texts_that_cannot_be_written_are_refused(path: str, member: str, lab: ReviewLab) -> None:
    ada = Person(lab, ADA)
    ada.api("tasks/loop-1/claim", {})
    body = {"kind": "flag", "text": "x", "reason": "x"} | {member: "\ud800"}
    assert problem(ada.api(f"tasks/loop-1/{path}", body)) == (400, "member-invalid")


CALLS = (
    "session",
    *(f"tasks/loop-1/{action}" for action in ("answer", "cannot-decide", "notes", "claim", "pause")),
    *(f"lead/tasks/loop-1/{action}" for action in ("assign", "return", "reply")),
    "lead/people/invite",
    f"lead/people/{GRACE.key}/enable",
    "lead/queues/flow/resume",
)


def test_random_bodies_get_replies_in_form_from_every_call(lab: ReviewLab) -> None:
    rng = random.Random(3)
    lena = Person(lab, LENA)
    for _ in range(400):
        reply = lena.api(rng.choice(CALLS), _noise(rng))
        if reply.status_code != 200:
            assert problem(reply)[0] in {400, 403, 404, 409, 410, 413}, reply.text


def _noise(rng: random.Random) -> bytes:
    if rng.random() < 0.1:
        return rng.randbytes(rng.randrange(60))
    if rng.random() < 0.1:
        opening = rng.choice([b"[", b'{"answer":', b'{"text":['])
        return opening * rng.choice([3, 300, 3_000])
    names = ("answer", "reviewer", "reason", "kind", "text", "person", "comment", "email", "name", "group")
    return json.dumps({name: _value(rng) for name in rng.sample(names, rng.randrange(8))}).encode()


def _value(rng: random.Random, depth: int = 0) -> object:
    plain: tuple[object, ...] = (None, True, 0, -1, 10**40, 1e300, float("nan"), "", "x", "\u0000", "\ud800")
    texts: tuple[object, ...] = ("flag", "question", "x" * 1001, "a@b.c", "a\ud800@b.c", "reviewers", ADA.key)
    kind = rng.randrange(4) if depth < 3 else 0
    if kind == 1:
        return [_value(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind == 2:
        return {rng.choice(("a", "label", "", "overread")): _value(rng, depth + 1) for _ in range(2)}
    return rng.choice(plain + texts)


# Who comes in


def test_a_person_is_known_from_their_first_call_whichever_it_is(lab: ReviewLab) -> None:
    assert Person(lab, GRACE).api("tasks").status_code == 200
    people = Person(lab, LENA).api("lead/people").json()["people"]
    assert {person["name"]: person["state"] for person in people} == {"grace": "active", "lena": "active"}


def test_when_a_person_was_last_here_is_kept_by_the_hour(lab: ReviewLab) -> None:
    grace, lena = Person(lab, GRACE), Person(lab, LENA)

    def last_seen() -> str:
        people = lena.api("lead/people").json()["people"]
        return next(str(person["last_seen_at"]) for person in people if person["name"] == "grace")

    grace.api("tasks")
    first = last_seen()
    lab.clock.advance(3_599)
    grace.api("tasks")
    assert last_seen() == first
    lab.clock.advance(1)
    grace.api("tasks")
    assert last_seen() > first


def test_who_was_invited_and_withdrawn_gets_nothing_by_any_call(lab: ReviewLab) -> None:
    lena = Person(lab, LENA)
    body = {"email": "new@example.com", "name": "New", "group": "reviewers"}
    assert lena.api("lead/people/invite", body).status_code == 200
    (invited,) = [one for one in lena.api("lead/people").json()["people"] if one["state"] == "invited"]
    assert lena.api(f"lead/people/{invited['person']}/disable", {}).status_code == 200
    came = Reviewer("New", "sub-9", frozenset({"reviewers"}), email="new@example.com")
    for ask in calls_of(Person(lab, came)):
        assert problem(ask()) == (403, "person-disabled")
    assert lab.loop("loop-1").claims == ()


def calls_of(person: Person) -> tuple[Callable[[], httpx.Response], ...]:
    return (
        lambda: person.api("tasks"),
        lambda: person.api("tasks/loop-1/claim", {}),
        lambda: person.api("session"),
    )


def test_who_was_disabled_may_still_sign_out(lab: ReviewLab) -> None:
    grace, lena = Person(lab, GRACE), Person(lab, LENA)
    grace.api("tasks")
    lena.api(f"lead/people/{GRACE.key}/disable", {})
    assert problem(grace.api("tasks")) == (403, "person-disabled")
    reply = grace.api("session", method="DELETE")
    assert (reply.status_code, reply.json()) == (200, {"sign_out_url": "sign-out/workforce"})


def test_signing_out_needs_the_csrf_token(lab: ReviewLab) -> None:
    reply = Person(lab, ADA).ask("DELETE", "/portal/api/session", headers={CSRF_HEADER: "x"})
    assert problem(reply) == (403, "csrf-token-invalid")


def test_people_whose_key_has_slashes_can_be_disabled(lab: ReviewLab) -> None:
    odd = Reviewer("odd", "https://id.example/u/7", frozenset({"reviewers"}))
    Person(lab, odd).api("tasks")
    lena = Person(lab, LENA)
    assert lena.api(f"lead/people/{quote(odd.key, safe='')}/disable", {}).status_code == 200
    assert problem(Person(lab, odd).api("tasks")) == (403, "person-disabled")


def test_a_vendors_lead_invites_nobody(lab: ReviewLab) -> None:
    vera = Person(lab, VERA)
    assert vera.api("lead/people").json()["invitable"] is False
    body = {"email": "new@example.com", "name": "New", "group": "reviewers"}
    assert problem(vera.api("lead/people/invite", body)) == (400, "invitation-invalid")


def test_who_is_no_lead_learns_nothing_about_invitations(lab: ReviewLab) -> None:
    assert problem(Person(lab, ADA).api("lead/people/invite", {})) == (403, "not-a-lead")


def test_a_cookie_of_an_earlier_release_is_no_session(lab: ReviewLab) -> None:
    key = hashlib.sha256(b"overread portal session" + lab.service.session_secret.encode()).digest()
    packed = base64.urlsafe_b64encode(b'["ada", "id", 9e9]').decode().rstrip("=")
    old = f"{packed}.{hmac.new(key, f'cookie:{packed}'.encode(), hashlib.sha256).hexdigest()}"
    browser = Person(lab)
    browser.cookies.set(COOKIE, old, domain="portal.example")
    assert problem(browser.api("tasks")) == (401, "session-missing")


def test_a_question_whose_answer_is_known_does_not_stand_out_when_it_is_claimed(lab: ReviewLab) -> None:
    ordinary = lab.loop("loop-1")
    gold = replace(ordinary, name="h-gold", gold=GoldRef("q", "1", "gold"), assigned_to=ADA.key, version=0)
    lab.store.create_loop(gold, open_limit=10)
    ada = Person(lab, ADA)
    shown = {name: ada.api(f"tasks/{name}/claim", {}).json() for name in ("loop-1", "h-gold")}
    differing = {key for key in shown["loop-1"] if shown["loop-1"][key] != shown["h-gold"][key]}
    assert shown["loop-1"].keys() == shown["h-gold"].keys()
    assert differing == {"task_id", "human_loop", "frame_url"}


def deleting_first(lab: ReviewLab, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Right before the task is next written, its flow definition goes, and the task with it."""
    real = lab.store.replace_loop

    def replaced(loop: Loop, *, before: Loop | None = None) -> Loop:
        if loop.name != name:
            return real(loop, before=before)
        monkeypatch.undo()
        lab.call(lab.service.loops.delete_flow_definition, FlowDefinitionName=loop.terms.flow_definition_name)
        return real(loop, before=before)

    monkeypatch.setattr(lab.store, "replace_loop", replaced)


def test_a_task_that_is_deleted_while_it_is_claimed_is_gone(
    lab: ReviewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleting_first(lab, "loop-1", monkeypatch)
    reply = Person(lab, ADA).api("tasks/loop-1/claim", {})
    assert problem(reply) == (410, "task-gone")


def test_the_next_task_passes_over_one_that_is_deleted_meanwhile(
    lab: ReviewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.flow_definition("other")
    lab.start("loop-2", flow="other")
    deleting_first(lab, "loop-1", monkeypatch)
    assert Person(lab, ADA).api("tasks/next", {}).json()["task_id"] == "loop-2"


def test_disabling_somebody_frees_all_their_tasks_although_one_is_deleted_meanwhile(
    lab: ReviewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.flow_definition("other")
    lab.start("loop-2", flow="other")
    lena = Person(lab, LENA)
    for name in ("loop-1", "loop-2"):
        lab.service.people.seen(ADA)
        assert lena.api(f"lead/tasks/{name}/assign", {"person": ADA.key}).status_code == 200
    deleting_first(lab, "loop-1", monkeypatch)
    assert lena.api(f"lead/people/{ADA.key}/disable", {}).status_code == 200
    assert lab.store.find_loop("loop-1") is None
    assert lab.loop("loop-2").assigned_to == ""
