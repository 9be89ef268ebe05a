"""Cancel, contest and outcome as API Gateway calls them."""

import json

import pytest

from overread.errors import AmbiguousError
from overread_lambda import change_decision
from overread_testing.api_calls import Api
from overread_testing.decision_builders import policy, proxy_event
from overread_testing.decision_fakes import World, service_error

OTHER = "arn:aws:iam::111122223333:user/other"
CHANGES = ("cancel", "contest", "outcome")


@pytest.fixture
def api() -> Api:
    return Api(World(policy()))


def decide(api: Api, *, confidence: float = 0.99, key: str = "k") -> str:
    api.world.models.reply = json.dumps({"label": "approve", "confidence": confidence}).encode()
    path = "/v1/use-cases/loan-approval/decisions"
    return str(api.call("POST", path, body={"input": {}}, key=key).document["decision_id"])


def test_a_pending_decision_is_cancelled_once_however_often_asked(api: Api) -> None:
    path = f"/v1/decisions/{decide(api, confidence=0.5)}/cancel"
    first = api.call("POST", path, body={"reason_code": "withdrawn"})
    assert (first.status, first.document["state"]) == (200, "CANCELLED")
    assert first.document["cancellation"] == {"code": "cancelled_by_caller", "reason": "withdrawn"}
    assert "cancel" not in first.document["links"]
    again = api.call("POST", path, body={"reason_code": "another"})
    assert again.document == first.document
    assert api.world.events().count("cancelled") == 1


def test_cancelling_needs_no_body(api: Api) -> None:
    assert api.call("POST", f"/v1/decisions/{decide(api, confidence=0.5)}/cancel").status == 200


def test_a_final_decision_is_not_cancelled(api: Api) -> None:
    got = api.call("POST", f"/v1/decisions/{decide(api)}/cancel")
    assert (got.status, got.problem) == (409, "decision-final")


def test_a_contest_is_a_new_decision_for_people_and_the_old_one_stays(api: Api) -> None:
    old = decide(api)
    path = f"/v1/decisions/{old}/contest"
    new = api.call("POST", path, body={"grounds": "the income is higher"}, key="c-1")
    assert (new.status, new.document["state"], new.document["supersedes"]) == (202, "PENDING", old)
    assert new.headers["Location"] == f"/v1/decisions/{new.document['decision_id']}"
    assert new.document["route"]["reasons"] == [{"code": "contested"}]
    kept = api.call("GET", f"/v1/decisions/{old}").document
    assert (kept["state"], kept["contested_by"]) == ("FINAL", new.document["decision_id"])
    assert "contest" not in kept["links"]


def test_a_contest_sent_again_is_the_same_contest(api: Api) -> None:
    path = f"/v1/decisions/{decide(api)}/contest"
    first = api.call("POST", path, body={"grounds": "g"}, key="c-1")
    assert api.call("POST", path, body={"grounds": "g"}, key="c-1").document == first.document
    other_key = api.call("POST", path, body={"grounds": "g"}, key="c-2")
    assert (other_key.status, other_key.problem) == (409, "already-contested")
    other_grounds = api.call("POST", path, body={"grounds": "h"}, key="c-1")
    assert (other_grounds.status, other_grounds.problem) == (422, "idempotency-key-reused")


def test_who_steers_has_anybodys_decision_read_again_once(api: Api) -> None:
    old = decide(api)
    operator = Api(api.world, user_arn=OTHER)
    first = operator.call("PUT", f"/v1/rechecks/{old}", body={"grounds": "reviewer 7 in doubt"})
    assert (first.status, first.document["state"], first.document["supersedes"]) == (202, "PENDING", old)
    again = operator.call("PUT", f"/v1/rechecks/{old}", body={"grounds": "reviewer 7 in doubt"})
    assert again.document == first.document
    assert api.call("GET", f"/v1/decisions/{old}").document["contested_by"] == first.document["decision_id"]
    noted = [entry.detail["by"] for entry in api.world.records.audit if entry.event == "contested"]
    assert noted == ["111122223333:user/other"]


def test_a_contest_needs_an_idempotency_key(api: Api) -> None:
    got = api.call("POST", f"/v1/decisions/{decide(api)}/contest", body={})
    assert (got.status, got.problem, got.document["field"]) == (
        400,
        "idempotency-key-missing",
        "Idempotency-Key",
    )


@pytest.mark.parametrize(("change", "body"), [("contest", {}), ("outcome", {"label": "decline"})])
def test_what_is_not_final_cannot_be_right_or_wrong(api: Api, change: str, body: dict[str, str]) -> None:
    got = api.call("POST", f"/v1/decisions/{decide(api, confidence=0.5)}/{change}", body=body, key="c")
    assert (got.status, got.problem) == (409, "decision-not-final")


def test_the_truth_is_kept_with_when_it_was_learnt_and_told(api: Api) -> None:
    path = f"/v1/decisions/{decide(api)}/outcome"
    api.world.clock.pass_seconds(60)
    body = {"label": "decline", "learnt_at": "2026-11-22T22:00:00+01:00"}
    got = api.call("POST", path, body=body)
    assert (got.status, got.document["outcome"]["label"]) == (200, "approve")
    assert got.document["truth"] == {
        "label": "decline",
        "learnt_at": "2026-11-22T21:00:00.000Z",
        "recorded_at": "2026-11-22T21:01:00.000Z",
    }
    api.world.clock.pass_seconds(60)
    assert api.call("POST", path, body=body).document == got.document


def test_a_truth_without_a_time_was_learnt_now(api: Api) -> None:
    got = api.call("POST", f"/v1/decisions/{decide(api)}/outcome", body={"label": "decline"})
    assert got.document["truth"]["learnt_at"] == "2026-11-22T21:00:00.000Z"


@pytest.mark.parametrize("change", CHANGES)
def test_another_callers_decision_is_unknown_and_stays_as_it_is(api: Api, change: str) -> None:
    decision_id = decide(api)
    before = dict(api.world.records.items)
    stranger = Api(api.world, user_arn=OTHER)
    got = stranger.call("POST", f"/v1/decisions/{decision_id}/{change}", body={"label": "decline"}, key="c")
    assert (got.status, got.problem) == (404, "unknown-decision")
    assert api.world.records.items == before


@pytest.mark.parametrize(
    ("change", "body", "field", "told"),
    [
        ("cancel", {"reason": "x"}, "reason", "reason is unknown, allowed are reason_code"),
        ("cancel", {"reason_code": "No Way"}, "reason_code", "reason_code must match"),
        ("cancel", [], None, "the body must be an object"),
        ("contest", {"grounds": "x" * 2001}, "grounds", "at most 2000 characters"),
        ("contest", {"grounds": 7}, "grounds", "grounds must be a text"),
        ("outcome", {}, "label", "label must be one of"),
        ("outcome", {"label": "repaid"}, "label", "label must be one of approve, decline"),
        ("outcome", {"label": "decline", "learnt_at": "yesterday"}, "learnt_at", "learnt_at must be a time"),
    ],
)
def test_faults_of_the_body_are_told(
    api: Api, change: str, body: object, field: str | None, told: str
) -> None:
    path = f"/v1/decisions/{decide(api)}/{change}"
    got = api.call("POST", path, body=body, key="c")
    assert (got.status, got.problem, got.document.get("field")) == (400, "invalid-request", field)
    assert told in got.document["detail"]


@pytest.mark.parametrize("change", CHANGES)
def test_a_body_that_is_not_json_is_told(api: Api, change: str) -> None:
    got = api.call("POST", f"/v1/decisions/{decide(api)}/{change}", body=b"{", key="c")
    assert (got.status, got.problem) == (400, "malformed-json")


@pytest.mark.parametrize("change", CHANGES)
def test_a_store_that_does_not_answer_is_a_problem_that_passes(api: Api, change: str) -> None:
    decision_id = decide(api, confidence=0.5 if change == "cancel" else 0.99)
    api.world.faults.after["write"] = [service_error(AmbiguousError, "ReadTimeout")]
    path, body = f"/v1/decisions/{decision_id}/{change}", {"label": "decline"} if change == "outcome" else {}
    got = api.call("POST", path, body=body, key="c")
    assert (got.status, got.problem, got.headers["Retry-After"]) == (503, "temporarily-unavailable", "5")
    assert api.call("POST", path, body=body, key="c").status in (200, 202)


def test_a_path_that_the_function_does_not_know_changes_nothing(api: Api) -> None:
    event = {**proxy_event(path={"id": decide(api)}), "resource": "/v1/decisions/{id}/destroy"}
    with pytest.raises(change_decision.RequestRefusedError, match="there is no such call"):
        change_decision.respond(event, ports=api.world.change_ports, clock=api.world.clock)
