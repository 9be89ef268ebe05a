"""POST /v1/use-cases/{name}/decisions as API Gateway calls it."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from overread.decisions.callers import cancel
from overread.errors import (
    AmbiguousError,
    PermanentError,
    PolicyUnavailableError,
    RetryableError,
    ServiceError,
)
from overread_lambda import route_prediction
from overread_lambda.rest_proxy import answer
from overread_lambda.route_prediction import respond
from overread_lambda.settings import PolicySource, RouteSettings
from overread_testing.decision_builders import CALLER_SCOPE, policy
from overread_testing.decision_fakes import World, service_error

Event = Callable[..., dict[str, Any]]
SETTINGS = RouteSettings(
    environment="test",
    table="t",
    input_bucket="in",
    use_cases=frozenset({"loan-approval"}),
    policies=PolicySource(application="a", environment="e"),
    spot_check_secret="s",
)


@pytest.fixture
def world() -> World:
    return World(policy())


def post(world: World, event: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
    reply = answer(lambda: respond(event, settings=SETTINGS, ports=world.submit_ports, clock=world.clock))
    assert reply["isBase64Encoded"] is False
    return reply["statusCode"], json.loads(reply["body"]), reply["headers"]


def refused(
    world: World, event: dict[str, Any], status: int, slug: str, field: str | None = None
) -> dict[str, Any]:
    """The problem document of a refusal that changed nothing."""
    got, document, headers = post(world, event)
    assert (got, document["status"], document["type"]) == (status, status, f"urn:overread:problem:{slug}")
    assert headers["Content-Type"] == "application/problem+json"
    assert document.get("field") == field
    assert document["title"]
    assert world.records.items == {}
    assert world.inputs.objects == {}
    assert world.models.asked == []
    return document


def test_a_confident_case_is_answered_at_once(world: World, event: Event) -> None:
    status, document, headers = post(world, event("rest-proxy-post"))
    assert (status, document["state"], document["outcome"]["source"]) == (200, "FINAL", "model")
    assert headers["Content-Type"] == "application/json"
    assert headers["Location"] == f"/v1/decisions/{document['decision_id']}"
    assert headers["Cache-Control"] == "no-store"
    assert world.records.only().caller_scope == CALLER_SCOPE


def test_an_unsure_case_is_accepted_with_a_link(world: World, event: Event) -> None:
    world.models.reply = b'{"label": "approve", "confidence": 0.5}'
    status, document, _ = post(world, event("rest-proxy-post"))
    assert (status, document["state"]) == (202, "PENDING")
    assert document["links"]["self"].endswith(document["decision_id"])
    assert "prediction" not in document


def test_the_same_request_again_has_the_same_answer(world: World, event: Event) -> None:
    assert post(world, event("rest-proxy-post")) == post(world, event("rest-proxy-post"))
    assert len(world.models.asked) == 1


def test_another_caller_with_the_same_key_has_a_decision_of_their_own(world: World, event: Event) -> None:
    first = event("rest-proxy-post")
    second = event("rest-proxy-post")
    second["requestContext"]["identity"]["userArn"] = "arn:aws:iam::111122223333:user/other"
    assert post(world, first)[1]["decision_id"] != post(world, second)[1]["decision_id"]


def test_a_body_in_base64_is_the_same_body(world: World, event: Event) -> None:
    plain = event("rest-proxy-post")
    encoded = base64.b64encode(plain["body"].encode()).decode()
    first = post(world, plain)
    assert post(world, event("rest-proxy-post", body=encoded, isBase64Encoded=True)) == first


def test_a_missing_idempotency_key_is_refused(world: World, event: Event) -> None:
    refused(
        world,
        event("rest-proxy-post", headers={}, multiValueHeaders={}),
        400,
        "idempotency-key-missing",
        "Idempotency-Key",
    )
    refused(
        world,
        event("rest-proxy-post", headers=None, multiValueHeaders=None),
        400,
        "idempotency-key-missing",
        "Idempotency-Key",
    )


def test_two_idempotency_keys_are_refused(world: World, event: Event) -> None:
    headers = {"Idempotency-Key": ["a", "b"]}
    refused(
        world,
        event("rest-proxy-post", multiValueHeaders=headers),
        400,
        "idempotency-key-invalid",
        "Idempotency-Key",
    )


def test_a_gateway_that_sends_single_headers_only_is_understood(world: World, event: Event) -> None:
    assert post(world, event("rest-proxy-post", multiValueHeaders=None))[0] == 200


def test_a_reused_idempotency_key_is_refused_and_the_decision_stands(world: World, event: Event) -> None:
    post(world, event("rest-proxy-post"))
    stored, objects = world.records.only(), dict(world.inputs.objects)
    status, document, _ = post(world, event("rest-proxy-post", body='{"input": {}}'))
    assert (status, document["type"]) == (422, "urn:overread:problem:idempotency-key-reused")
    assert document["field"] == "Idempotency-Key"
    assert (world.records.only(), world.inputs.objects) == (stored, objects)


@pytest.mark.parametrize("path", [{"name": "tumor-screening"}, {"name": ""}, {}, None])
def test_an_unknown_use_case_is_refused(world: World, event: Event, path: Any) -> None:
    refused(world, event("rest-proxy-post", pathParameters=path), 404, "unknown-use-case", "name")


def test_a_body_over_one_mebibyte_is_refused(world: World, event: Event) -> None:
    body = '{"input": {"a": "' + "x" * 1_048_576 + '"}}'
    refused(world, event("rest-proxy-post", body=body), 413, "request-too-large")
    many_bytes = '{"input": {"a": "' + "ä" * 524_288 + '"}}'
    refused(world, event("rest-proxy-post", body=many_bytes), 413, "request-too-large")


@pytest.mark.parametrize("body", [None, "", "{", '{"input": NaN}', "\ud800"])
def test_malformed_json_is_refused(world: World, event: Event, body: str | None) -> None:
    refused(world, event("rest-proxy-post", body=body), 400, "malformed-json")


def test_malformed_base64_is_refused(world: World, event: Event) -> None:
    refused(world, event("rest-proxy-post", body="%", isBase64Encoded=True), 400, "malformed-json")


def test_faults_of_the_request_are_told_with_the_first_field(world: World, event: Event) -> None:
    document = refused(
        world, event("rest-proxy-post", body='{"input": 1, "priority": "x"}'), 400, "invalid-request", "input"
    )
    assert "priority must be one of" in document["detail"]


def test_an_unsigned_request_is_refused(world: World, event: Event) -> None:
    unsigned = event("rest-proxy-post")
    unsigned["requestContext"]["identity"] = {"sourceIp": "192.0.2.7"}
    refused(world, unsigned, 403, "caller-unknown")


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (b"oops", "reply_malformed"),
        (b'{"label": "approve", "confidence": NaN}', "confidence_not_finite"),
        (b'{"label": "approve", "confidence": 1.2}', "confidence_out_of_range"),
    ],
)
def test_a_prediction_that_cannot_be_used_goes_to_people_and_how_is_kept_from_them(
    world: World, event: Event, reply: bytes, code: str
) -> None:
    world.models.reply = reply
    status, document, _ = post(world, event("rest-proxy-post"))
    assert (status, document["state"], document["route"]["to"]) == (202, "PENDING", "human")
    assert document["route"]["reasons"] == [{"code": "prediction_unusable"}]
    kept = world.records.only().route
    assert kept is not None
    assert kept.reasons[0].code == code


def test_an_endpoint_error_goes_to_people_and_is_kept(world: World, event: Event) -> None:
    world.faults.before["predict"] = [service_error(PermanentError, "ModelError")]
    status, document, _ = post(world, event("rest-proxy-post"))
    assert status == 202
    assert document["route"]["reasons"] == [{"code": "endpoint_error"}]
    kept = world.records.only().route
    assert kept is not None
    assert [reason.document() for reason in kept.reasons] == [
        {"code": "endpoint_error", "error": "ModelError"}
    ]


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (RetryableError, 503, "temporarily-unavailable"),
        (AmbiguousError, 503, "temporarily-unavailable"),
        (PolicyUnavailableError, 503, "routing-policy-unavailable"),
        (PermanentError, 500, "internal-error"),
    ],
)
def test_a_failing_service_is_a_problem_that_tells_no_internals(
    world: World, event: Event, error: type[ServiceError], status: int, slug: str
) -> None:
    world.faults.before["current_policy"] = [error("SomeCode", operation="SomeCall", message="secret")]
    got, document, headers = post(world, event("rest-proxy-post"))
    assert (got, document["type"]) == (status, f"urn:overread:problem:{slug}")
    assert headers.get("Retry-After") == ("5" if status == 503 else None)
    assert not any(word in json.dumps(document) for word in ("SomeCode", "SomeCall", "secret"))


LIMITED = {"review__queue": {"name": "loans", "max_open": 2, "max_waiting": 5}}


def low(event: Event, priority: str = "low") -> dict[str, Any]:
    return event("rest-proxy-post", body=json.dumps({"input": {}, "priority": priority}))


def test_a_case_of_low_priority_is_put_off_while_too_many_wait(event: Event) -> None:
    world = World(policy(**LIMITED))
    world.gauges.queues["loans"] = 5
    document = refused(world, low(event), 429, "too-many-requests", "priority")
    assert post(world, low(event))[2]["Retry-After"] == "5"
    assert document["detail"] == "5 cases wait for people; cases of priority low are taken below 5"
    world.gauges.queues["loans"] = 4
    assert post(world, low(event))[0] == 200


@pytest.mark.parametrize("priority", ["normal", "high"])
def test_a_case_that_matters_is_never_put_off(event: Event, priority: str) -> None:
    world = World(policy(**LIMITED))
    world.gauges.queues["loans"] = 1_000
    assert post(world, low(event, priority))[0] == 200


def test_a_request_whose_decision_was_cancelled_is_answered_as_over(world: World, event: Event) -> None:
    world.models.reply = b'{"label": "approve", "confidence": 0.5}'
    decision_id = post(world, event("rest-proxy-post"))[1]["decision_id"]
    cancel(decision_id, reason="", by=CALLER_SCOPE, ports=world.change_ports, clock=world.clock)
    status, document, _ = post(world, event("rest-proxy-post"))
    assert (status, document["state"]) == (200, "CANCELLED")


def test_a_shadowing_model_without_a_prediction_is_a_problem(event: Event) -> None:
    world = World(policy(mode="shadow"))
    world.models.reply = b"{}"
    status, document, _ = post(world, event("rest-proxy-post"))
    assert (status, document["type"]) == (502, "urn:overread:problem:prediction-failed")


def test_the_log_has_codes_and_no_payload_label_or_key(
    world: World, event: Event, capsys: pytest.CaptureFixture[str]
) -> None:
    world.models.reply = b'{"label": "approve", "confidence": 0.5}'
    post(world, event("rest-proxy-post"))
    (line,) = capsys.readouterr().out.splitlines()
    fields = json.loads(line)
    assert (fields["message"], fields["level"]) == ("decision routed", "INFO")
    assert fields["reasons"] == ["confidence_below_threshold"]
    for payload in ("9600", "approve", "order-8841", "loan-8841", "LoanService"):
        assert payload not in line


def test_missing_settings_are_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, event: Event, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in list(route_prediction.os.environ):
        if name.startswith("OVERREAD_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OVERREAD_TABLE", "t")
    reply = route_prediction.handler(event("rest-proxy-post"), None)
    assert reply["statusCode"] == 500
    logged = json.loads(capsys.readouterr().out)
    assert logged["message"] == "function misconfigured"
    assert logged["error"] == "MissingSettingsError"
    assert logged["settings"] == [
        "OVERREAD_ENVIRONMENT",
        "OVERREAD_INPUT_BUCKET",
        "OVERREAD_USE_CASES",
        "OVERREAD_APPCONFIG_APPLICATION",
        "OVERREAD_APPCONFIG_ENVIRONMENT",
        "OVERREAD_SPOT_CHECK_SECRET",
    ]
