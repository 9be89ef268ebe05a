"""Kill switches and the roster as API Gateway calls them."""

import hashlib
import json
from typing import Any

import pytest

from overread_testing.api_calls import Api
from overread_testing.decision_builders import policy
from overread_testing.decision_fakes import World

OTHER = "arn:aws:sts::111122223333:assumed-role/Lead/session"
SWITCH = "/v1/kill-switches/loan-approval"
PERSON: dict[str, Any] = {
    "sub": "s-1",
    "issuer": "https://id.example.com",
    "name": "Ada",
    "use_cases": {"loan-approval": {"qualified_until": "2027-01-01T00:00:00Z", "authority_limit": 50000}},
}
ROSTER = {"schema": 1, "people": [PERSON]}
SHA256 = hashlib.sha256(json.dumps(ROSTER).encode()).hexdigest()


@pytest.fixture
def api() -> Api:
    return Api(World(policy()))


@pytest.fixture
def second(api: Api) -> Api:
    return Api(api.world, user_arn=OTHER)


def test_a_switch_that_was_never_turned_is_off(api: Api) -> None:
    got = api.call("GET", SWITCH)
    assert (got.status, got.document) == (200, {"scope": "loan-approval", "is_on": False, "epoch": 0})


@pytest.mark.parametrize("scope", ["loan-approval", "all"])
def test_a_switch_turned_on_acts_at_once(api: Api, scope: str) -> None:
    got = api.call("PUT", f"/v1/kill-switches/{scope}", body={"is_on": True, "reason": "drift"})
    assert (got.status, got.document["scope"], got.document["is_on"]) == (200, scope, True)
    assert (got.document["changed_by"], got.document["reason"]) == (
        "111122223333:assumed-role/LoanService",
        "drift",
    )
    decided = api.call("POST", "/v1/use-cases/loan-approval/decisions", body={"input": {}}, key="k")
    assert (decided.status, decided.document["route"]["reasons"]) == (202, [{"code": "kill_switch"}])


def test_models_decide_again_when_two_persons_say_so(api: Api, second: Api) -> None:
    api.call("PUT", SWITCH, body={"is_on": True, "reason": "drift"})
    off = {"is_on": False, "reason": "model replaced"}
    proposed = api.call("PUT", SWITCH, body=off)
    assert (proposed.status, proposed.document["is_on"]) == (202, True)
    assert proposed.document["proposal"]["by"] == "111122223333:assumed-role/LoanService"
    assert api.call("PUT", SWITCH, body=off).document["is_on"] is True
    assert api.call("GET", SWITCH).status == 200
    done = second.call("PUT", SWITCH, body=off)
    assert (done.status, done.document["is_on"], done.document.get("proposal")) == (200, False, None)


def test_one_person_is_enough_where_the_deployment_says_so(api: Api) -> None:
    api.changes_need_two = False
    api.call("PUT", SWITCH, body={"is_on": True, "reason": "drift"})
    assert api.call("PUT", SWITCH, body={"is_on": False, "reason": "r"}).document["is_on"] is False


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": "r"}, "is_on"),
        ({"is_on": "yes", "reason": "r"}, "is_on"),
        ({"is_on": True}, "reason"),
        ({"is_on": True, "reason": ""}, "reason"),
        ({"is_on": True, "reason": "r", "force": True}, "force"),
        ([], None),
    ],
)
def test_a_switch_is_turned_with_a_reason_only(api: Api, body: object, field: str | None) -> None:
    got = api.call("PUT", SWITCH, body=body)
    assert (got.status, got.problem, got.document.get("field")) == (400, "invalid-request", field)
    assert api.world.events() == []


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_scope_that_is_none_is_told(api: Api, method: str) -> None:
    got = api.call(method, "/v1/kill-switches/tumor", body={"is_on": True, "reason": "r"})
    assert (got.status, got.problem, got.document["field"]) == (404, "unknown-use-case", "scope")
    assert got.document["detail"] == "scope must be all or one of loan-approval"


def test_before_the_first_roster_there_is_none(api: Api) -> None:
    got = api.call("GET", "/v1/roster")
    assert (got.status, got.document) == (200, {"sha256": None})


def test_a_roster_comes_into_force_when_two_persons_send_it(api: Api, second: Api) -> None:
    proposed = api.call("PUT", "/v1/roster", body=ROSTER)
    assert (proposed.status, proposed.document["sha256"]) == (202, None)
    seen = second.call("GET", "/v1/roster").document["proposal"]
    assert (seen["value"], seen["document"]) == (SHA256, ROSTER)
    done = second.call("PUT", "/v1/roster", body=ROSTER)
    assert (done.status, done.document["sha256"], done.document["document"]) == (200, SHA256, ROSTER)
    assert done.document["proposed_by"] == "111122223333:assumed-role/LoanService"
    assert done.document["approved_by"] == "111122223333:assumed-role/Lead"


def test_another_document_is_another_proposal(api: Api, second: Api) -> None:
    api.call("PUT", "/v1/roster", body=ROSTER)
    got = second.call("PUT", "/v1/roster", body={"schema": 1, "people": []})
    assert (got.status, got.document["sha256"]) == (202, None)
    assert got.document["proposal"]["document"]["people"] == []


def test_all_faults_of_a_roster_are_told_and_nothing_is_proposed(api: Api) -> None:
    faulty = {"schema": 1, "people": [{**PERSON, "name": ""}, {**PERSON, "sub": 7}]}
    got = api.call("PUT", "/v1/roster", body=faulty)
    assert (got.status, got.problem, got.document["field"]) == (400, "invalid-request", "people")
    assert "people[0].name" in got.document["detail"]
    assert "people[1].sub" in got.document["detail"]
    assert api.call("GET", "/v1/roster").document == {"sha256": None}


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("path", [SWITCH, "/v1/roster"])
def test_nobody_unknown_steers(api: Api, method: str, path: str) -> None:
    api.user_arn = None
    got = api.call(method, path, body={"is_on": True, "reason": "r"})
    assert (got.status, got.problem) == (403, "caller-unknown")
