"""Guarantees and error monitors as API Gateway calls them, and the functions that watch and validate."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from overread.errors import InvalidPolicyError, PermanentError
from overread.risk.guarantee import parse_guarantee
from overread.routing.envelope import Approved, Envelope
from overread.routing.policy import MonitorTerms, PolicyGuarantee
from overread_lambda.validate_policy import validate
from overread_lambda.watch_errors import watch_all
from overread_testing.api_calls import Api
from overread_testing.audits import GUARANTEE, USE_CASE, tell_errors
from overread_testing.decision_builders import policy, policy_document
from overread_testing.decision_fakes import World, service_error

OTHER = "arn:aws:sts::111122223333:assumed-role/Lead/session"
GUARANTEES, MONITOR = f"/v1/guarantees/{USE_CASE}", f"/v1/error-monitors/{USE_CASE}"
ID = parse_guarantee(json.dumps(GUARANTEE)).id
WIDE = Envelope(
    lowest_threshold=0.0,
    highest_alpha=1.0,
    highest_delta=1.0,
    cases_per_hour=None,
    review_seconds=None,
    reviewers=None,
)


@pytest.fixture
def api() -> Api:
    return Api(World(replace(policy(), monitor=MonitorTerms(alpha=0.1, delta=0.05, outcomes=False))))


@pytest.fixture
def second(api: Api) -> Api:
    return Api(api.world, user_arn=OTHER)


def test_a_guarantee_is_approved_when_two_persons_send_it(api: Api, second: Api) -> None:
    assert api.call("GET", GUARANTEES).document == {"use_case": USE_CASE, "id": None}
    proposed = api.call("PUT", GUARANTEES, body=GUARANTEE)
    assert (proposed.status, proposed.document["id"]) == (202, None)
    assert proposed.document["proposal"]["document"] == GUARANTEE
    assert api.call("PUT", GUARANTEES, body=GUARANTEE).status == 202
    approved = second.call("PUT", GUARANTEES, body=GUARANTEE)
    assert (approved.status, approved.document["id"], approved.document["document"]) == (200, ID, GUARANTEE)
    pin = api.world.steering.guarantee(USE_CASE)
    assert pin.terms_sha256 == parse_guarantee(json.dumps(GUARANTEE)).in_policy().sha256
    assert approved.document["approved_by"] == "111122223333:assumed-role/Lead"
    events = [link.entry["event"] for link in api.world.records.links]
    assert events == ["guarantee_proposed", "guarantee_approved"]


def test_another_guarantee_is_another_proposal_and_the_approved_one_stays(api: Api, second: Api) -> None:
    api.changes_need_two = second.changes_need_two = False
    api.call("PUT", GUARANTEES, body=GUARANTEE)
    api.changes_need_two = second.changes_need_two = True
    other = {**GUARANTEE, "threshold": 0.95}
    got = second.call("PUT", GUARANTEES, body=other)
    assert (got.status, got.document["id"]) == (202, ID)
    assert got.document["proposal"]["document"] == other


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "not JSON"),
        ({**GUARANTEE, "alpha": 0}, "alpha must be a number between 0 and 1, got 0"),
        ({**GUARANTEE, "use_case": "other"}, "use_case must be loan-approval, got other"),
    ],
)
def test_a_faulty_guarantee_is_refused_and_nothing_is_proposed(api: Api, body: Any, said: str) -> None:
    got = api.call("PUT", GUARANTEES, body=body)
    assert (got.status, got.problem) == (400, "invalid-request")
    assert said in got.document["detail"]
    assert api.call("GET", GUARANTEES).document["id"] is None


def test_a_monitor_tells_how_it_stands(api: Api) -> None:
    assert api.call("GET", MONITOR).document["audited"] == 0
    tell_errors(api.world, 8)
    got = api.call("GET", MONITOR).document
    assert (got["audited"], got["errors"], got["estimate"], got["is_alarm"]) == (8, 8, 1.0, True)
    assert got["evidence_log10"] > got["alarm_evidence_log10"] == 1.301
    assert got["alarmed_at"] == "2026-11-22T21:00:00.000Z"
    assert api.call("GET", "/v1/error-monitors").document == {"error_monitors": [got]}


def test_a_use_case_without_a_monitor_says_so() -> None:
    api = Api(World(policy()))
    assert api.call("GET", MONITOR).document == {"use_case": USE_CASE, "is_watched": False}
    got = api.call("PUT", MONITOR, body={"restart": True, "reason": "r"})
    assert (got.status, got.document["field"]) == (400, "use_case")


def test_two_persons_let_a_monitor_begin_anew(api: Api, second: Api) -> None:
    tell_errors(api.world, 8)
    ask = {"restart": True, "reason": "model replaced"}
    first = api.call("PUT", MONITOR, body=ask)
    assert (first.status, first.document["audited"]) == (202, 8)
    done = second.call("PUT", MONITOR, body=ask)
    assert (done.status, done.document["audited"], done.document["run"]) == (200, 0, 2)
    assert api.call("GET", f"/v1/kill-switches/{USE_CASE}").document["is_on"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": "r"}, "restart"),
        ({"restart": True}, "reason"),
        ({"restart": False, "reason": "r"}, "restart"),
    ],
)
def test_a_monitor_begins_anew_for_a_reason_only(api: Api, body: Any, field: str) -> None:
    got = api.call("PUT", MONITOR, body=body)
    assert (got.status, got.document["field"]) == (400, field)


def test_decisions_go_to_people_once_the_alarm_was_raised(api: Api) -> None:
    tell_errors(api.world, 8)
    path = f"/v1/use-cases/{USE_CASE}/decisions"
    decided = api.call("POST", path, body={"input": {}}, key="k")
    assert (decided.status, decided.document["route"]["reasons"]) == (202, [{"code": "kill_switch"}])
    switch = api.call("GET", f"/v1/kill-switches/{USE_CASE}").document
    assert switch["changed_by"] == "error-monitor"
    assert "8 of 8 audited decisions were wrong" in switch["reason"]


def _watch(world: World, *use_cases: str) -> dict[str, int]:
    return watch_all(
        use_cases,
        ports=world.watch_ports,
        clock=world.clock,
        remaining_ms=lambda: 60_000,
    )


def test_the_watch_tells_its_figures_as_metrics(
    api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVERREAD_DEPLOYMENT", "overread-test")
    tell_errors(api.world, 8)
    assert _watch(api.world, USE_CASE) == {"alarm": 1}
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (line["AuditedCases"], line["AuditedErrors"], line["ErrorMonitorAlarm"]) == (8, 8, 1)
    assert (line["Deployment"], line["UseCase"], line["ErrorMonitorAlarmRaised"]) == (
        "overread-test",
        USE_CASE,
        1,
    )
    for metric in line["_aws"]["CloudWatchMetrics"]:
        assert metric["Namespace"] == "Overread"
        assert all(one["Name"] in line for one in metric["Metrics"])
        assert all(name in line for [*names] in metric["Dimensions"] for name in names)
    api.world.clock.pass_seconds(601)
    _watch(api.world, USE_CASE)
    later = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (later["ErrorMonitorAlarm"], later["ErrorMonitorAlarmRaised"]) == (1, 0)


def test_a_use_case_that_fails_does_not_keep_the_others(api: Api) -> None:
    api.world.faults.before["monitor state"] = [service_error(PermanentError, "Code")]
    assert _watch(api.world, USE_CASE, USE_CASE) == {"failed": 1, "calm": 1}


def _event(**changes: Any) -> dict[str, str]:
    document = policy_document(**changes)
    return {"content": base64.b64encode(json.dumps(document).encode()).decode()}


def _of_guarantee(**changes: Any) -> dict[str, Any]:
    members = ("alpha", "delta", "threshold", "label_thresholds", "coverage")
    stated = {member: GUARANTEE[member] for member in members}
    version = policy().model_version
    return {"id": ID, **stated, "model_version": version, "reference": "one-reader", **changes}


TERMS = PolicyGuarantee(**_of_guarantee()).sha256


@pytest.mark.parametrize(
    ("guarantee", "envelope", "approved", "said"),
    [
        ({}, {}, "", f"must be approved for {USE_CASE}: none is, got {ID}"),
        ({}, {}, "g-other", "g-other is, got"),
        ({}, {"highest_alpha": 0.005}, ID, "routing.guarantee.alpha must be at most 0.005"),
        ({}, {"highest_delta": 0.01}, ID, "routing.guarantee.delta must be at most 0.01"),
        ({}, {"lowest_threshold": 0.99}, ID, "routing.threshold must be at least 0.99"),
        (
            {},
            {"cases_per_hour": 3600.0, "review_seconds": 60.0, "reviewers": 10},
            ID,
            "reviewers all the time; the team has 10, who may be busy 85% of it",
        ),
        ({"coverage": 0.99}, {}, ID, f"routing.guarantee must say what {ID} says"),
        ({"threshold": 0.5}, {}, ID, f"routing.guarantee must say what {ID} says"),
        ({"threshold": 0.97}, {}, ID, "routing.threshold must be at least the guarantee's 0.97"),
        ({"model_version": "other"}, {}, ID, "prediction.model_version must be the guarantee's other"),
    ],
)
def test_a_policy_that_must_not_go_out_is_refused(
    guarantee: dict[str, Any], envelope: dict[str, Any], approved: str, said: str
) -> None:
    event = _event(routing__threshold=0.93, routing__guarantee=_of_guarantee(**guarantee))
    with pytest.raises(InvalidPolicyError, match=said.replace("(", r"\(")):
        validate(
            event,
            envelopes={USE_CASE: replace(WIDE, **envelope)},
            approved=lambda _: Approved(approved, TERMS if approved == ID else ""),
        )


def test_a_policy_inside_its_envelope_that_was_approved_goes_out() -> None:
    event = _event(routing__threshold=0.93, routing__guarantee=_of_guarantee())
    roomy = replace(WIDE, lowest_threshold=0.9, highest_alpha=0.01, highest_delta=0.05)
    enough = replace(roomy, cases_per_hour=3600.0, review_seconds=60.0, reviewers=40)
    validate(event, envelopes={USE_CASE: enough}, approved=lambda _: Approved(ID, TERMS))
    validate(_event(), envelopes={USE_CASE: WIDE}, approved=lambda _: Approved())


@pytest.mark.parametrize("content", ["", "%", base64.b64encode(b"{").decode()])
def test_what_is_no_policy_is_refused(content: str) -> None:
    with pytest.raises(InvalidPolicyError):
        validate({"content": content}, envelopes={USE_CASE: WIDE}, approved=lambda _: Approved())


def test_a_policy_of_another_deployment_is_refused() -> None:
    with pytest.raises(InvalidPolicyError, match="use_case must be one of other, got loan-approval"):
        validate(_event(), envelopes={"other": WIDE}, approved=lambda _: Approved())
