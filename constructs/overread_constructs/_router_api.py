"""The HTTP API of the router: regional, every method authorized, throttled, traced, logged.

What API Gateway refuses before a function runs is a problem document, as what the functions refuse.
"""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from overread.errors import Problem
from overread_constructs._rest_stage import LOG_POLICY, stage_options
from overread_constructs.acknowledgements import acknowledge

_RETRY_AFTER_S = 5
_OWN_WORDS = "$context.error.messageString"
"""What API Gateway says of it, as a JSON text."""
_PASSING = '"the request could not be served now; send the same request again"'


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refused:
    """How the API words a refusal of API Gateway's own."""

    kind: apigateway.ResponseType
    problem: Problem
    detail: str = _OWN_WORDS


# Everything else that API Gateway may say falls under the two defaults.
_REFUSALS = {
    "Throttled": _Refused(kind=apigateway.ResponseType.THROTTLED, problem=Problem.TOO_MANY_REQUESTS),
    "QuotaExceeded": _Refused(kind=apigateway.ResponseType.QUOTA_EXCEEDED, problem=Problem.TOO_MANY_REQUESTS),
    "RequestTooLarge": _Refused(
        kind=apigateway.ResponseType.REQUEST_TOO_LARGE, problem=Problem.REQUEST_TOO_LARGE
    ),
    "Unauthorized": _Refused(
        kind=apigateway.ResponseType.UNAUTHORIZED,
        problem=Problem.TOKEN_INVALID,
        detail='"a bearer token of this deployment\'s identity provider, made for this API, is needed"',
    ),
    "AccessDenied": _Refused(kind=apigateway.ResponseType.ACCESS_DENIED, problem=Problem.ACCESS_DENIED),
    "ExpiredToken": _Refused(kind=apigateway.ResponseType.EXPIRED_TOKEN, problem=Problem.ACCESS_DENIED),
    "InvalidSignature": _Refused(
        kind=apigateway.ResponseType.INVALID_SIGNATURE, problem=Problem.ACCESS_DENIED
    ),
    "MissingToken": _Refused(
        kind=apigateway.ResponseType.MISSING_AUTHENTICATION_TOKEN,
        problem=Problem.ACCESS_DENIED,
        detail='"the request is not signed for execute-api, or the API has no such path"',
    ),
    "WafFiltered": _Refused(kind=apigateway.ResponseType.WAF_FILTERED, problem=Problem.ACCESS_DENIED),
    "Default4xx": _Refused(kind=apigateway.ResponseType.DEFAULT_4_XX, problem=Problem.INVALID_REQUEST),
    "Default5xx": _Refused(
        kind=apigateway.ResponseType.DEFAULT_5_XX, problem=Problem.TEMPORARILY_UNAVAILABLE, detail=_PASSING
    ),
}


class RouterApi(Construct):
    """Decisions, what callers do with them afterwards, and what people steer."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        route_prediction: lambda_.IFunction,
        read_decision: lambda_.IFunction,
        change_decision: lambda_.IFunction,
        steer: lambda_.IFunction,
        log_retention: logs.RetentionDays,
        key: kms.IKey,
        throttling_rate: int,
        throttling_burst: int,
        clients: apigateway.IAuthorizer | None = None,
    ) -> None:
        """`throttling_rate`: requests a second; `throttling_burst`: requests at once.

        `clients` lets OIDC clients make the decisions' calls, in place of IAM. What people steer takes an
        AWS principal all the same.
        """
        super().__init__(scope, id)
        self.api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=name,
            description="Overread: decisions by a model, and by people where the model is not sure",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=True,
            deploy_options=stage_options(
                self,
                log_retention=log_retention,
                key=key,
                throttling_rate=throttling_rate,
                throttling_burst=throttling_burst,
            ),
        )
        for id_, refused in _REFUSALS.items():
            self._word(id_, refused)
        version = self.api.root.add_resource("v1")
        decisions_of_use_case = (
            version.add_resource("use-cases").add_resource("{name}").add_resource("decisions")
        )
        decisions = version.add_resource("decisions")
        decision = decisions.add_resource("{id}")
        self._answer(decisions_of_use_case, "POST", by=route_prediction, clients=clients)
        self._answer(decisions, "GET", by=read_decision, clients=clients)
        self._answer(decision, "GET", by=read_decision, clients=clients)
        for change in ("cancel", "contest", "outcome"):
            self._answer(decision.add_resource(change), "POST", by=change_decision, clients=clients)
        switch = version.add_resource("kill-switches").add_resource("{scope}")
        roster = version.add_resource("roster")
        guarantee = version.add_resource("guarantees").add_resource("{use_case}")
        error_monitors = version.add_resource("error-monitors")
        error_monitor = error_monitors.add_resource("{use_case}")
        self._answer(error_monitors, "GET", by=steer)
        recheck = version.add_resource("rechecks").add_resource("{id}")
        self._answer(recheck, "PUT", by=change_decision)
        for steered in (switch, roster, guarantee, error_monitor):
            for method in ("GET", "PUT"):
                self._answer(steered, method, by=steer)
        self._acknowledge(callers="OIDC clients" if clients else "AWS principals")

    def _word(self, id: str, refused: _Refused) -> None:
        problem = refused.problem
        headers = {"Content-Type": "'application/problem+json'", "Cache-Control": "'no-store'"}
        if problem.status in (429, 503):
            headers["Retry-After"] = f"'{_RETRY_AFTER_S}'"
        body = (
            f'{{"type":"{problem.type}","title":"{problem.title}","status":{problem.status},'
            f'"detail":{refused.detail}}}'
        )
        self.api.add_gateway_response(
            f"Says{id}",
            type=refused.kind,
            status_code=str(problem.status),
            response_headers=headers,
            templates={"application/json": body},
        )

    def _answer(
        self,
        resource: apigateway.Resource,
        method: str,
        *,
        by: lambda_.IFunction,
        clients: apigateway.IAuthorizer | None = None,
    ) -> None:
        kind = apigateway.AuthorizationType.CUSTOM if clients else apigateway.AuthorizationType.IAM
        integration = apigateway.LambdaIntegration(by, allow_test_invoke=False)
        resource.add_method(method, integration, authorization_type=kind, authorizer=clients)

    def _acknowledge(self, *, callers: str) -> None:
        reasons = {
            "APIG2": (
                "The handler validates: it answers every fault as a problem document and refuses bodies over "
                "1 MiB. A request validator knows neither that shape nor sizes."
            ),
            "APIG3": f"Every method takes allowed {callers} only, and the stage is throttled.",
            "COG4": f"Callers are {callers}, every method authorizes them, and there is no user pool.",
            "APIGWCacheEnabledAndEncrypted": (
                "Every answer is one caller's and of its moment: a cache shows it to others, or too long."
            ),
            "APIGWSSLEnabled": "Lambda answers, inside AWS: there is no server to show a certificate to.",
            LOG_POLICY: "API Gateway's own role for writing logs, with the policy AWS made for it.",
        }
        for rule, reason in reasons.items():
            acknowledge(self, rule=rule, reason=reason)
