"""What the API's description says is what the handlers do: problems, requests, and every kind of reply."""

import json
from dataclasses import replace
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from overread.decisions.ingest import ingest
from overread.decisions.start_loop import start_loop
from overread.errors import (
    PermanentError,
    PolicyUnavailableError,
    Problem,
    RetryableError,
)
from overread.review.wire import loop_name
from overread.routing.policy import MonitorTerms
from overread_testing.api_calls import Api
from overread_testing.audits import GUARANTEE, tell_errors
from overread_testing.decision_builders import output_document, policy
from overread_testing.decision_fakes import World, service_error

DESCRIPTION: Any = json.loads(files("overread_client").joinpath("openapi.json").read_text("utf-8"))
COMPONENTS = DESCRIPTION["components"]
LEAD = "arn:aws:sts::111122223333:assumed-role/Lead/session"
PERSON = {
    "sub": "s-1",
    "issuer": "https://id.example.com",
    "name": "Ada",
    "use_cases": {"loan-approval": {"qualified_until": "2027-01-01T00:00:00Z", "authority_limit": 50000}},
    "conflicts": ["customer-17"],
    "revoked_at": None,
}
MADE_ELSEWHERE = {Problem.TOKEN_INVALID, Problem.ACCESS_DENIED}
"""Problems that API Gateway words; the deployed template is tested for them."""


def check(schema: Any, document: object) -> None:
    """Raises ValidationError where the document is none of the schema's."""
    # The references in it lead from the document that holds the components.
    Draft202012Validator({**schema, "components": COMPONENTS}).validate(document)


def response_of(method: str, resource: str, status: int) -> Any:
    """The description of a call's reply."""
    responses = DESCRIPTION["paths"][resource][method.lower()]["responses"]
    assert str(status) in responses, f"{method} {resource} is not said to answer {status}"
    response = responses[str(status)]
    name = response.get("$ref", "").rpartition("/")[2]
    return COMPONENTS["responses"][name] if name else response


def check_seen(api: Api) -> None:
    """Every reply that the API gave is as described."""
    for method, resource, got in api.seen:
        described = response_of(method, resource, got.status)
        kind = got.headers["Content-Type"]
        check(described["content"][kind]["schema"], got.document)
        for name in described.get("headers", {}):
            assert name in got.headers, (method, resource, got.status)


@pytest.fixture
def api() -> Api:
    return Api(World(policy()))


def decide(api: Api, *, confidence: float = 0.99, key: str = "k", **members: object) -> str:
    api.world.models.reply = json.dumps({"label": "approve", "confidence": confidence}).encode()
    got = api.call(
        "POST",
        "/v1/use-cases/loan-approval/decisions",
        body={"input": {"amount": 1}, **members},
        key=key,
    )
    return str(got.document["decision_id"])


def test_the_description_is_itself_well_formed() -> None:
    assert DESCRIPTION["openapi"] == "3.1.0"
    for name, schema in COMPONENTS["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert schema.get("additionalProperties", False) is not True, f"{name} lets anything through"
    called = json.dumps(DESCRIPTION)
    for kind in ("schemas", "responses", "parameters"):
        for name in COMPONENTS[kind]:
            assert f'"#/components/{kind}/{name}"' in called, f"nothing uses {kind}/{name}"
    operations = [call["operationId"] for calls in DESCRIPTION["paths"].values() for call in calls.values()]
    assert len(set(operations)) == len(operations)


def test_every_reference_leads_somewhere() -> None:
    def references(node: Any) -> list[str]:
        if isinstance(node, list):
            return [found for one in node for found in references(one)]
        if not isinstance(node, dict):
            return []
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for one in node.values() for found in references(one)]

    for reference in references(DESCRIPTION):
        place = DESCRIPTION
        for part in reference.removeprefix("#/").split("/"):
            assert part in place, reference
            place = place[part]


def test_every_problem_is_described_with_its_status_and_no_other_is() -> None:
    schema = COMPONENTS["schemas"]["Problem"]
    assert schema["properties"]["type"]["enum"] == [problem.type for problem in Problem]
    described = {}
    for response in COMPONENTS["responses"].values():
        (content,) = response["content"].values()
        narrowed = content["schema"]["allOf"][1]["properties"]
        for slug in narrowed["type"]["enum"]:
            described[slug] = narrowed["status"]["const"]
    assert described == {problem.type: problem.status for problem in Problem}


@pytest.mark.parametrize("problem", sorted(Problem, key=lambda one: one.slug))
def test_every_problem_is_said_of_some_call(problem: Problem) -> None:
    calls = [call for calls in DESCRIPTION["paths"].values() for call in calls.values()]
    assert any(str(problem.status) in call["responses"] for call in calls)


@pytest.mark.parametrize("confidence", [0.99, 0.5])
@pytest.mark.parametrize("mode", ["live", "shadow"])
@pytest.mark.parametrize("shown", [True, False])
def test_decisions_of_every_route_are_as_described(confidence: float, mode: str, shown: bool) -> None:
    api = Api(World(policy(mode=mode, review__show_prediction_to_caller=shown)))
    decision_id = decide(api, confidence=confidence, reference="loan-8841")
    api.call("GET", f"/v1/decisions/{decision_id}")
    check_seen(api)


def test_what_people_decided_is_as_described(api: Api) -> None:
    world = api.world
    decision_id = decide(api, confidence=0.5)
    start_loop(decision_id, ports=world.start_ports, clock=world.clock, jitter=1.0)
    assert api.call("GET", f"/v1/decisions/{decision_id}").document["state"] == "IN_REVIEW"
    name = loop_name(decision_id, generation=1)
    content = json.loads(world.loops.contents[name])
    document = output_document(loop_name=name, decision_id=decision_id, inputContent=content)
    world.answer(name, document)
    ingest(name, ports=world.ingest_ports, clock=world.clock)
    final = api.call("GET", f"/v1/decisions/{decision_id}").document
    assert (final["state"], final["outcome"]["source"]) == ("FINAL", "human")
    check_seen(api)


def test_a_review_that_waits_is_as_described(api: Api) -> None:
    world = api.world
    decision_id = decide(api, confidence=0.5)
    world.faults.before["start"] = [service_error(RetryableError, "ThrottlingException")]
    start_loop(decision_id, ports=world.start_ports, clock=world.clock, jitter=1.0)
    assert "waiting" in api.call("GET", f"/v1/decisions/{decision_id}").document["review"]
    check_seen(api)


def test_what_callers_do_afterwards_is_as_described(api: Api) -> None:
    pending, final = decide(api, confidence=0.5, key="a"), decide(api, key="b", reference="r")
    for path, body in (
        (f"{pending}/cancel", {"reason_code": "withdrawn"}),
        (f"{pending}/cancel", None),
        (f"{final}/cancel", None),
        (f"{pending}/contest", {}),
        (f"{final}/outcome", {"label": "decline", "learnt_at": "2026-11-22T21:00:00Z"}),
        (f"{final}/outcome", {"label": "repaid"}),
        (f"{final}/contest", {"grounds": "g"}),
        (f"{final}/contest", {"grounds": "h"}),
        (f"{'d-' + 'a' * 26}/cancel", None),
    ):
        api.call("POST", f"/v1/decisions/{path}", body=body, key="c")
    api.call("POST", f"/v1/decisions/{final}/contest", body={}, key="d")
    api.call("POST", f"/v1/decisions/{final}/contest", body={})
    api.call("GET", f"/v1/decisions/{final}")
    for path, body in ((final, {"grounds": "g"}), (pending, {}), ("d-" + "a" * 26, {})):
        api.call("PUT", f"/v1/rechecks/{path}", body=body)
    api.call("PUT", f"/v1/rechecks/{decide(api, key='e')}", body={"grounds": "g"})
    assert [got.status for _, _, got in api.seen] == [
        *(202, 200, 200, 200, 409, 409, 200, 400, 202, 422, 404, 409, 400, 200, 409, 409, 404, 200, 202)
    ]
    check_seen(api)


def test_listings_are_as_described(api: Api) -> None:
    for key in "abc":
        decide(api, key=key, reference="r" if key == "a" else None)
    api.call("GET", "/v1/decisions", query={"limit": "2"})
    api.call("GET", "/v1/decisions", query={"state": "PENDING"})
    api.call("GET", "/v1/decisions", query={"limit": "0"})
    check_seen(api)


def test_a_listing_takes_the_parameters_that_are_described_and_no_others(api: Api) -> None:
    described = [one["name"] for one in DESCRIPTION["paths"]["/v1/decisions"]["get"]["parameters"]]
    got = api.call("GET", "/v1/decisions", query={"else": "1"})
    assert got.document["detail"] == f"else is unknown, allowed are {', '.join(described)}"


def test_steering_is_as_described(api: Api) -> None:
    lead = Api(api.world, user_arn=LEAD, seen=api.seen)
    off, roster = {"is_on": False, "reason": "r"}, {"schema": 1, "people": [PERSON]}
    for scope in ("all", "loan-approval", "unknown"):
        path = f"/v1/kill-switches/{scope}"
        api.call("GET", path)
        api.call("PUT", path, body={"is_on": True, "reason": "r"})
        api.call("PUT", path, body=off)
        api.call("GET", path)
        lead.call("PUT", path, body=off)
    api.call("PUT", "/v1/kill-switches/all", body={})
    api.call("GET", "/v1/roster")
    api.call("PUT", "/v1/roster", body=roster)
    api.call("GET", "/v1/roster")
    lead.call("PUT", "/v1/roster", body=roster)
    api.call("GET", "/v1/roster")
    api.call("PUT", "/v1/roster", body={**roster, "people": []})
    api.call("GET", "/v1/roster")
    api.call("PUT", "/v1/roster", body={"schema": 2})
    check_seen(api)


def test_guarantees_and_error_monitors_are_as_described() -> None:
    monitored = replace(policy(), monitor=MonitorTerms(alpha=0.1, delta=0.05, outcomes=False))
    api = Api(World(monitored))
    lead = Api(api.world, user_arn=LEAD, seen=api.seen)
    guarantee, monitor = "/v1/guarantees/loan-approval", "/v1/error-monitors/loan-approval"
    api.call("GET", guarantee)
    for who in (api, lead):
        who.call("PUT", guarantee, body=GUARANTEE)
        api.call("GET", guarantee)
    api.call("PUT", guarantee, body={"schema": 2})
    api.call("PUT", guarantee, body={**GUARANTEE, "use_case": "other"})
    tell_errors(api.world, 3)
    for path in (monitor, "/v1/error-monitors", "/v1/error-monitors/unknown", "/v1/guarantees/unknown"):
        api.call("GET", path)
    for who in (api, lead):
        who.call("PUT", monitor, body={"restart": True, "reason": "model replaced"})
    api.call("PUT", monitor, body={})
    Api(World(policy()), seen=api.seen).call("GET", monitor)
    Api(World(policy()), seen=api.seen).call("PUT", monitor, body={"restart": True, "reason": "r"})
    check_seen(api)
    assert {got.status for _, _, got in api.seen} == {200, 202, 400, 404}


def test_every_problem_that_the_handlers_make_is_as_described() -> None:
    """Each problem once, through the call that makes it."""
    path = "/v1/use-cases/loan-approval/decisions"
    live, shadow = World(policy()), World(policy(mode="shadow"))
    busy = World(policy(review__queue={"name": "loans", "max_open": 1, "max_waiting": 1}))
    busy.gauges.queues["loans"] = 1
    api = Api(live)
    on, body = {"is_on": True, "reason": "r"}, {"input": {}}
    Api(shadow, seen=api.seen).call("PUT", "/v1/kill-switches/all", body=on)
    final, pending = decide(api, key="final"), decide(api, confidence=0.5, key="pending")
    api.call("POST", f"/v1/decisions/{pending}/contest", body={}, key="c")
    api.call("POST", f"/v1/decisions/{final}/cancel")
    api.call("POST", f"/v1/decisions/{final}/contest", body={}, key="c-1")
    api.call("POST", f"/v1/decisions/{final}/contest", body={}, key="c-2")
    api.call("POST", path, body=b"{", key="k1")
    api.call("POST", path, body=[], key="k1")
    api.call("POST", path, body=body)
    api.call("POST", path, body=body, key="ü")
    api.call("POST", path, body={"input": {"a": "x" * 1_048_576}}, key="k1")
    api.call("POST", path, body={"input": {"a": 2}}, key="final")
    api.call("POST", "/v1/use-cases/unknown/decisions", body=body, key="k1")
    api.call("GET", f"/v1/decisions/d-{'a' * 26}")
    Api(live, user_arn=None, seen=api.seen).call("GET", "/v1/decisions")
    Api(busy, seen=api.seen).call("POST", path, body={**body, "priority": "low"}, key="k")
    Api(shadow, seen=api.seen).call("POST", path, body=body, key="k1")
    shadow.models.reply = b"oops"
    Api(shadow, seen=api.seen).call("POST", path, body=body, key="k2")
    for number, error in enumerate((RetryableError, PermanentError, PolicyUnavailableError)):
        live.faults.before["current_policy"] = [service_error(error, "Code")]
        api.call("POST", path, body=body, key=f"fault-{number}")
    seen = [got.problem for _, _, got in api.seen if got.problem]
    assert set(seen) == {problem.slug for problem in set(Problem) - MADE_ELSEWHERE}
    check_seen(api)


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("DecisionRequest", {"input": {"amount": 1}, "reference": "r", "priority": "high"}),
        ("DecisionRequest", {"input": {}, "prediction": {"label": 7, "model": "m", "version": "1"}}),
        ("CancelRequest", {"reason_code": "withdrawn-2"}),
        ("ContestRequest", {"grounds": "g"}),
        ("OutcomeRequest", {"label": "decline", "learnt_at": "2026-11-22T21:00:00Z"}),
        ("SwitchRequest", {"is_on": True, "reason": "r"}),
        ("Roster", {"schema": 1, "people": [PERSON]}),
        ("Guarantee", GUARANTEE),
        ("RestartRequest", {"restart": True, "reason": "r"}),
    ],
)
def test_requests_that_the_handlers_take_are_as_described(name: str, document: Any) -> None:
    check(COMPONENTS["schemas"][name], document)
    with pytest.raises(ValidationError):
        check(COMPONENTS["schemas"][name], {**document, "else": 1})
