"""The HTTP API of the router: regional, IAM on every method, throttled, traced, logged."""

from __future__ import annotations

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from overread_constructs._acknowledgements import acknowledge
from overread_constructs._rest_stage import LOG_POLICY, stage_options


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
    ) -> None:
        """`throttling_rate`: requests a second; `throttling_burst`: requests at once."""
        super().__init__(scope, id)
        self.api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=name,
            description="Overread: decisions by a model, and by people where the model is not sure",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=True,
            default_method_options=apigateway.MethodOptions(
                authorization_type=apigateway.AuthorizationType.IAM
            ),
            deploy_options=stage_options(
                self,
                log_retention=log_retention,
                key=key,
                throttling_rate=throttling_rate,
                throttling_burst=throttling_burst,
            ),
        )
        version = self.api.root.add_resource("v1")
        decisions_of_use_case = (
            version.add_resource("use-cases").add_resource("{name}").add_resource("decisions")
        )
        decisions_of_use_case.add_method("POST", _integration(route_prediction))
        decisions = version.add_resource("decisions")
        decisions.add_method("GET", _integration(read_decision))
        decision = decisions.add_resource("{id}")
        decision.add_method("GET", _integration(read_decision))
        for change in ("cancel", "contest", "outcome"):
            decision.add_resource(change).add_method("POST", _integration(change_decision))
        switch = version.add_resource("kill-switches").add_resource("{scope}")
        roster = version.add_resource("roster")
        for steered in (switch, roster):
            for method in ("GET", "PUT"):
                steered.add_method(method, _integration(steer))
        self._acknowledge()

    def _acknowledge(self) -> None:
        reasons = {
            "APIG2": (
                "The handler validates: it answers every fault as a problem document and refuses bodies over "
                "1 MiB. A request validator knows neither that shape nor sizes."
            ),
            "APIG3": "Every method needs the signature of an allowed principal, and the stage is throttled.",
            "COG4": "Callers are AWS principals: IAM authorizes every method, and there is no user pool.",
            LOG_POLICY: "API Gateway's own role for writing logs, with the policy AWS made for it.",
        }
        for rule, reason in reasons.items():
            acknowledge(self, rule=rule, reason=reason)


def _integration(function: lambda_.IFunction) -> apigateway.LambdaIntegration:
    return apigateway.LambdaIntegration(function, allow_test_invoke=False)
