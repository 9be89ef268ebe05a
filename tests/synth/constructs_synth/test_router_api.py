"""The decision API as it is deployed: what its description says, who may call it, what refusals look like."""

import json
import re
from importlib.resources import files
from typing import Any

import pytest

from overread.errors import Problem

STEERED = {
    "/v1/rechecks/{id}",
    "/v1/kill-switches/{scope}",
    "/v1/roster",
    "/v1/guarantees/{use_case}",
    "/v1/error-monitors",
    "/v1/error-monitors/{use_case}",
}


@pytest.fixture(scope="module")
def description() -> Any:
    return json.loads(files("overread_client").joinpath("openapi.json").read_text("utf-8"))


def methods(synthesized: Any, stack: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The properties of every method by method and path."""
    resources = synthesized.resources(stack, "AWS::ApiGateway::Resource")

    def path(reference: dict[str, Any]) -> str:
        properties = resources.get(reference.get("Ref", ""), {}).get("Properties")
        return f"{path(properties['ParentId'])}/{properties['PathPart']}" if properties else ""

    found = [m["Properties"] for m in synthesized.resources(stack, "AWS::ApiGateway::Method").values()]
    return {(one["HttpMethod"], path(one["ResourceId"])): one for one in found}


def gateway_responses(synthesized: Any, stack: str) -> dict[str, dict[str, Any]]:
    """What API Gateway says by itself, by kind."""
    found = synthesized.resources(stack, "AWS::ApiGateway::GatewayResponse").values()
    return {one["Properties"]["ResponseType"]: one["Properties"] for one in found}


def test_the_description_has_the_deployed_paths_and_methods_and_no_others(
    synthesized: Any, description: Any
) -> None:
    described = {(method.upper(), path) for path, calls in description["paths"].items() for method in calls}
    assert described == set(methods(synthesized, "Inference"))


def test_by_default_every_method_needs_an_aws_signature(synthesized: Any) -> None:
    found = methods(synthesized, "Inference").values()
    assert {one["AuthorizationType"] for one in found} == {"AWS_IAM"}
    assert synthesized.resources("Inference", "AWS::ApiGateway::Authorizer") == {}


def test_oidc_clients_get_the_decisions_calls_and_people_keep_the_steering(synthesized: Any) -> None:
    for (method, path), properties in methods(synthesized, "Clients").items():
        expected = "AWS_IAM" if path in STEERED else "CUSTOM"
        assert properties["AuthorizationType"] == expected, (method, path)
        assert ("AuthorizerId" in properties) == (path not in STEERED), (method, path)


def test_clients_tokens_are_checked_by_a_function_that_may_do_nothing_else(synthesized: Any) -> None:
    authorizer = synthesized.one("Clients", "AWS::ApiGateway::Authorizer")
    assert (authorizer["Type"], authorizer["AuthorizerResultTtlInSeconds"]) == ("TOKEN", 300)
    assert authorizer["IdentitySource"] == "method.request.header.Authorization"
    bearer = authorizer["IdentityValidationExpression"]
    assert re.fullmatch(bearer, "Bearer eyJh.eyJp-_.c2ln")
    assert not re.fullmatch(bearer, "AWS4-HMAC-SHA256 Credential=x")
    function = synthesized.functions("Clients")["authorize_client"]
    assert function["Environment"]["Variables"] == {
        "OVERREAD_OIDC_ISSUER": "https://id.example.com",
        "OVERREAD_OIDC_AUDIENCE": "overread",
    }
    allowed = synthesized.actions("Clients", role="AuthorizeClient")
    assert allowed == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }


def test_every_refusal_of_api_gateway_is_a_problem_document(synthesized: Any) -> None:
    found = gateway_responses(synthesized, "Inference")
    assert {"THROTTLED", "ACCESS_DENIED", "UNAUTHORIZED", "DEFAULT_4XX", "DEFAULT_5XX"} <= set(found)
    problems = {problem.type: problem for problem in Problem}
    for kind, response in found.items():
        (template,) = response["ResponseTemplates"].values()
        said = template.replace("$context.error.messageString", '"as API Gateway words it"')
        document = json.loads(said)
        problem = problems[document["type"]]
        assert (document["title"], document["status"]) == (problem.title, problem.status), kind
        assert response["StatusCode"] == str(problem.status), kind
        assert document["detail"], kind
        headers = response["ResponseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'", kind
        waits = "gatewayresponse.header.Retry-After" in headers
        assert waits == (problem.status in (429, 503)), kind


@pytest.mark.parametrize(
    ("kind", "slug"),
    [
        ("THROTTLED", "too-many-requests"),
        ("QUOTA_EXCEEDED", "too-many-requests"),
        ("REQUEST_TOO_LARGE", "request-too-large"),
        ("UNAUTHORIZED", "token-invalid"),
        ("ACCESS_DENIED", "access-denied"),
        ("MISSING_AUTHENTICATION_TOKEN", "access-denied"),
        ("INVALID_SIGNATURE", "access-denied"),
        ("EXPIRED_TOKEN", "access-denied"),
        ("DEFAULT_5XX", "temporarily-unavailable"),
    ],
)
def test_a_refusal_has_its_own_problem(synthesized: Any, kind: str, slug: str) -> None:
    (template,) = gateway_responses(synthesized, "Inference")[kind]["ResponseTemplates"].values()
    assert f'"urn:overread:problem:{slug}"' in template
