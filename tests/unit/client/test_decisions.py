"""`Decisions` against a server that answers what it is told: what is sent, repeated, waited for, refused."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.session import Session

from overread_client import (
    ApiError,
    ApiUnreachableError,
    Decision,
    DecisionCancelledError,
    Decisions,
    Pauses,
    Steering,
    StillUndecidedError,
)

PENDING = {"decision_id": "d-1", "use_case": "loan-approval", "state": "PENDING"}
FINAL = {**PENDING, "state": "FINAL", "outcome": {"label": "decline", "source": "human"}}
CANCELLED = {**PENDING, "state": "CANCELLED"}


@dataclass
class Time:
    """Time that passes only by waiting, and the waits."""

    now: float = 0.0
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Lets it pass."""
        self.waits.append(seconds)
        self.now += seconds

    def pauses(self, **changes: Any) -> Pauses:
        """Pauses by this time, without chance."""
        return Pauses(sleep=self.sleep, jitter=lambda: 1.0, monotonic=lambda: self.now, **changes)


@pytest.fixture
def time() -> Time:
    return Time()


def signed() -> Session:
    """A session with credentials."""
    session = Session()
    session._credentials = Credentials("AKIDEXAMPLE", "secret")
    return session


@pytest.fixture
def decisions(server: Any, time: Time) -> Decisions:
    return Decisions(server.url, region="eu-west-1", session=signed(), pauses=time.pauses())


def problem(slug: str, status: int, **members: Any) -> dict[str, Any]:
    return {"type": f"urn:overread:problem:{slug}", "title": "T", "status": status, "detail": "D", **members}


def test_decide_is_signed_and_sends_only_what_was_given(server: Any, decisions: Decisions) -> None:
    server.will_answer(202, PENDING)
    decision = decisions.decide("loan-approval", {"amount": 9600}, idempotency_key="order-8841")
    ((method, path, headers, body),) = server.requests
    assert (method, path) == ("POST", "/stage/v1/use-cases/loan-approval/decisions")
    assert headers["Idempotency-Key"] == "order-8841"
    assert "/eu-west-1/execute-api/aws4_request" in headers["Authorization"]
    assert json.loads(body) == {"input": {"amount": 9600}}
    assert (decision.decision_id, decision.is_final, decision.label) == ("d-1", False, None)


def test_all_that_a_decision_may_have_is_sent(server: Any, decisions: Decisions) -> None:
    server.will_answer(200, FINAL)
    decisions.decide(
        "loan-approval",
        {},
        idempotency_key="k",
        reference="loan-8841",
        priority="high",
        deadline=datetime(2026, 12, 1, 12, tzinfo=UTC),
        prediction={"label": "approve"},
    )
    assert json.loads(server.requests[0][3]) == {
        "input": {},
        "reference": "loan-8841",
        "priority": "high",
        "deadline": "2026-12-01T12:00:00.000Z",
        "prediction": {"label": "approve"},
    }


def test_a_deadline_without_an_offset_is_refused_before_anything_is_sent(
    server: Any, decisions: Decisions
) -> None:
    with pytest.raises(ValueError, match="needs its offset"):
        decisions.decide("x", {}, deadline=datetime(2026, 12, 1))  # noqa: DTZ001
    assert server.requests == []


def test_without_a_key_each_call_is_a_decision_of_its_own(server: Any, decisions: Decisions) -> None:
    server.will_answer(200, FINAL)
    decisions.decide("x", {})
    decisions.decide("x", {})
    first, second = (headers["Idempotency-Key"] for _, _, headers, _ in server.requests)
    assert first != second


def test_a_token_is_sent_in_place_of_a_signature_and_asked_for_each_time(server: Any, time: Time) -> None:
    server.will_answer(503, problem("temporarily-unavailable", 503))
    server.will_answer(200, FINAL)
    tokens = iter(["first", "second"])
    Decisions(server.url, token=lambda: next(tokens), pauses=time.pauses()).get("d-1")
    assert [r[2]["Authorization"] for r in server.requests] == ["Bearer first", "Bearer second"]
    assert not any(name.lower().startswith("x-amz") for name in server.requests[0][2])


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_end_by_itself_is_sent_again_with_the_same_key(
    server: Any, decisions: Decisions, time: Time, status: int
) -> None:
    server.will_answer(status, b"<html>busy</html>")
    server.will_answer(200, FINAL)
    assert decisions.decide("loan-approval", {"amount": 1}).is_final
    first, second = server.requests
    assert first[2]["Idempotency-Key"] == second[2]["Idempotency-Key"]
    assert first[3] == second[3]
    assert time.waits == [0.5]


def test_a_dropped_connection_is_sent_again_and_told_when_it_does_not_end(
    server: Any, decisions: Decisions, time: Time
) -> None:
    server.will_drop()
    with pytest.raises(ApiUnreachableError, match="does not answer"):
        decisions.get("d-1")
    assert len(server.requests) == 4
    assert time.waits == [0.5, 1.0, 2.0]


def test_an_address_where_nothing_listens_is_tried_and_told(time: Time) -> None:
    decisions = Decisions(
        "http://127.0.0.1:1/live", region="eu-west-1", session=signed(), pauses=time.pauses()
    )
    with pytest.raises(ApiUnreachableError, match=r"127\.0\.0\.1:1/live does not answer"):
        decisions.get("d-1")
    assert len(time.waits) == 3


def test_the_api_says_how_long_to_wait(server: Any, decisions: Decisions, time: Time) -> None:
    server.will_answer(429, problem("too-many-requests", 429), Retry_After="7")
    server.will_answer(429, problem("too-many-requests", 429), Retry_After="900")
    server.will_answer(200, FINAL)
    decisions.decide("loan-approval", {})
    assert time.waits == [7.0, 30.0]


@pytest.mark.parametrize(
    ("status", "slug"),
    [
        (400, "invalid-request"),
        (403, "caller-unknown"),
        (404, "unknown-decision"),
        (409, "decision-final"),
        (422, "idempotency-key-reused"),
        (500, "internal-error"),
        (502, "prediction-failed"),
        (503, "kill-switch-on"),
    ],
)
def test_what_does_not_end_by_itself_is_told_at_once(
    server: Any, decisions: Decisions, status: int, slug: str
) -> None:
    server.will_answer(status, problem(slug, status, field="input"), Retry_After="5")
    with pytest.raises(ApiError, match=f"{status} T: D") as caught:
        decisions.decide("loan-approval", {})
    assert (caught.value.slug, caught.value.field, caught.value.retry_after_s) == (slug, "input", 5.0)
    assert len(server.requests) == 1


def test_without_credentials_nothing_is_sent(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session()
    monkeypatch.setattr(session, "get_credentials", lambda: None)
    with pytest.raises(ApiUnreachableError, match="no AWS credentials"):
        Decisions(server.url, region="eu-west-1", session=session).get("d-1")
    assert server.requests == []


def test_a_reply_that_is_no_document_is_an_error_and_not_a_decision(
    server: Any, decisions: Decisions
) -> None:
    server.will_answer(200, b"<html>gateway</html>")
    with pytest.raises(ApiError, match="Unexpected reply"):
        decisions.get("d-1")


def test_names_are_escaped_in_the_path(server: Any, decisions: Decisions) -> None:
    server.will_answer(200, PENDING)
    decisions.get("d/../../x")
    assert server.requests[0][1] == "/stage/v1/decisions/d%2F..%2F..%2Fx"


def test_a_final_decision_is_not_waited_for(server: Any, decisions: Decisions) -> None:
    server.will_answer(200, FINAL)
    decision = decisions.decide("loan-approval", {})
    assert decision.wait(timeout_s=0) is decision
    assert (decision.label, len(server.requests)) == ("decline", 1)


def test_waiting_looks_again_ever_more_rarely_until_it_is_final(
    server: Any, decisions: Decisions, time: Time
) -> None:
    server.will_answer(202, PENDING)
    for _ in range(14):
        server.will_answer(200, PENDING)
    server.will_answer(200, FINAL)
    decision = decisions.decide("loan-approval", {}).wait(timeout_s=3600)
    assert (decision.label, time.waits[:3]) == ("decline", [0.5, 0.75, 1.125])
    assert len(time.waits) == 14
    assert (time.waits[-1], sorted(time.waits)) == (30.0, time.waits)


def test_waiting_ends_in_time_and_says_so(server: Any, decisions: Decisions, time: Time) -> None:
    server.will_answer(200, PENDING)
    with pytest.raises(StillUndecidedError, match="d-1 was not final after 10 s"):
        decisions.wait("d-1", timeout_s=10)
    assert time.now == 10.0


def test_a_cancelled_decision_is_not_waited_for_any_longer(server: Any, decisions: Decisions) -> None:
    server.will_answer(200, PENDING)
    server.will_answer(200, CANCELLED)
    with pytest.raises(DecisionCancelledError, match="d-1 was cancelled"):
        decisions.wait("d-1", timeout_s=10)


def test_a_decision_made_by_hand_cannot_be_waited_for() -> None:
    decision = Decision(decision_id="d-1", use_case="x", state="PENDING", document={})
    with pytest.raises(ValueError, match="did not come from Decisions"):
        decision.wait(timeout_s=1)


def test_watching_shows_each_change_once(server: Any, decisions: Decisions) -> None:
    for state in ("PENDING", "PENDING", "IN_REVIEW", "IN_REVIEW", "FINAL"):
        server.will_answer(200, {**PENDING, "state": state})
    seen = [decision.state for decision in decisions.watch("d-1", timeout_s=60)]
    assert seen == ["PENDING", "IN_REVIEW", "FINAL"]


def test_a_listing_follows_its_cursor_and_keeps_its_filters(server: Any, decisions: Decisions) -> None:
    one = {**PENDING, "received_at": "2026-11-22T21:00:00.000Z", "links": {}}
    server.will_answer(200, {"decisions": [one], "cursor": "a b"})
    server.will_answer(200, {"decisions": [], "cursor": "c"})
    server.will_answer(200, {"decisions": [{**one, "decision_id": "d-2", "reference": "r"}]})
    listed = list(decisions.list(state="PENDING", reference="r/1", use_case="u", page_size=1))
    assert [(each.decision_id, each.reference) for each in listed] == [("d-1", ""), ("d-2", "r")]
    assert [request[1] for request in server.requests] == [
        "/stage/v1/decisions?limit=1&state=PENDING&reference=r%2F1&use_case=u",
        "/stage/v1/decisions?limit=1&state=PENDING&reference=r%2F1&use_case=u&cursor=a+b",
        "/stage/v1/decisions?limit=1&state=PENDING&reference=r%2F1&use_case=u&cursor=c",
    ]


def test_a_listing_asks_for_a_page_only_when_it_is_needed(server: Any, decisions: Decisions) -> None:
    one = {**PENDING, "received_at": "2026-11-22T21:00:00.000Z"}
    server.will_answer(200, {"decisions": [one], "cursor": "more"})
    next(iter(decisions.list()))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("call", "path", "body"),
    [
        (lambda api: api.cancel("d-1"), "cancel", {}),
        (lambda api: api.cancel("d-1", reason_code="withdrawn"), "cancel", {"reason_code": "withdrawn"}),
        (lambda api: api.contest("d-1", grounds="new papers"), "contest", {"grounds": "new papers"}),
        (
            lambda api: api.outcome("d-1", "repaid", learnt_at="2026-11-22T21:00:00Z"),
            "outcome",
            {"label": "repaid", "learnt_at": "2026-11-22T21:00:00Z"},
        ),
    ],
)
def test_later_words_about_a_decision(
    server: Any, decisions: Decisions, call: Callable[[Decisions], Decision], path: str, body: Any
) -> None:
    server.will_answer(200, FINAL)
    assert call(decisions).decision_id == "d-1"
    method, sent_to, _, sent = server.requests[0]
    assert (method, sent_to, json.loads(sent)) == ("POST", f"/stage/v1/decisions/d-1/{path}", body)


def test_contesting_again_is_the_same_contest(server: Any, decisions: Decisions) -> None:
    server.will_answer(202, {**PENDING, "decision_id": "d-2"})
    decisions.contest("d-1")
    decisions.contest("d-1")
    decisions.contest("d-1", idempotency_key="mine")
    keys = [headers["Idempotency-Key"] for _, _, headers, _ in server.requests]
    assert keys == ["contest-d-1", "contest-d-1", "mine"]


def test_a_truth_without_a_time_was_learnt_now_once(server: Any, decisions: Decisions) -> None:
    server.will_answer(503, problem("temporarily-unavailable", 503))
    server.will_answer(200, FINAL)
    decisions.outcome("d-1", "repaid")
    first, second = (json.loads(request[3]) for request in server.requests)
    assert first == second
    assert first["learnt_at"].endswith("Z")


def test_kill_switches_and_the_roster_are_steered(server: Any, time: Time) -> None:
    steering = Steering(server.url, region="eu-west-1", session=signed(), pauses=time.pauses())
    server.will_answer(200, {"scope": "all", "is_on": True})
    server.will_answer(202, {"scope": "loan-approval", "is_on": True, "proposal": {}})
    server.will_answer(200, {"sha256": None})
    server.will_answer(202, {"sha256": None, "proposal": {}})
    assert steering.turn_on(reason="r").awaits_second is False
    assert steering.turn_off("loan-approval", reason="r").awaits_second is True
    assert steering.roster().document == {"sha256": None}
    assert steering.put_roster(b'{"schema": 1}\n').awaits_second is True
    sent = [(method, path.removeprefix("/stage/v1"), body) for method, path, _, body in server.requests]
    assert sent == [
        ("PUT", "/kill-switches/all", b'{"is_on": true, "reason": "r"}'),
        ("PUT", "/kill-switches/loan-approval", b'{"is_on": false, "reason": "r"}'),
        ("GET", "/roster", b""),
        ("PUT", "/roster", b'{"schema": 1}\n'),
    ]


@pytest.mark.parametrize("url", ["loans.example.com", "ftp://x/", ""])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"http\(s\) address of a decision API"):
        Decisions(url, region="eu-west-1")
