"""The review service's REST API: A2I's calls for signed callers, the portal for people who sign in."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from overread_constructs._rest_stage import LOG_POLICY, STAGE, stage_options
from overread_constructs.acknowledgements import acknowledge

CALLS = (
    ("POST", "/sagemaker/{operation}"),
    ("GET", "/human-loops"),
    ("POST", "/human-loops"),
    ("POST", "/human-loops/stop"),
    ("GET", "/human-loops/{name}"),
    ("DELETE", "/human-loops/{name}"),
    ("GET", "/human-loops/{name}/work"),
    ("GET", "/qualifications"),
    ("PUT", "/qualifications/{name}"),
    ("GET", "/qualifications/{name}/roster"),
    ("GET", "/labeling-jobs/{name}"),
    ("POST", "/labeling-jobs/{name}/{change}"),
)
"""What signed callers may be allowed, each as a path of its own so that IAM can tell them apart."""

SANDBOX_CALL = ("POST", "/sandbox/human-loops/{name}/answers")
PAGES = (("GET", "/portal"), ("ANY", "/portal/{proxy+}"))
SIGN_IN_PAGES = (
    ("GET", "/portal/sign-in/{provider}"),
    ("GET", "/portal/signed-in/{provider}"),
    ("GET", "/portal/sign-out/{provider}"),
    ("POST", "/portal/invitations"),
)
_EVERYTHING = ["execute-api:/*"]
_PORTAL = [f"execute-api:/{STAGE}/*/portal", f"execute-api:/{STAGE}/*/portal/*"]


class ReviewApi(Construct):
    """The API with its address; `connect` adds what it answers, once the functions know the address."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        endpoint: ec2.IInterfaceVpcEndpoint | None,
        source_ip_cidrs: Sequence[str],
        log_retention: logs.RetentionDays,
        key: kms.IKey,
        throttling_rate: int,
        throttling_burst: int,
    ) -> None:
        """`endpoint`: the only way to a private API; without one the API is public."""
        super().__init__(scope, id)
        kinds = [apigateway.EndpointType.PRIVATE if endpoint else apigateway.EndpointType.REGIONAL]
        self.api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=name,
            description="Overread: the review service",
            endpoint_configuration=apigateway.EndpointConfiguration(
                types=kinds, vpc_endpoints=[endpoint] if endpoint else None
            ),
            policy=_policy(endpoint, source_ip_cidrs=source_ip_cidrs),
            binary_media_types=["*/*"],
            cloud_watch_role=True,
            deploy_options=stage_options(
                self,
                log_retention=log_retention,
                key=key,
                throttling_rate=throttling_rate,
                throttling_burst=throttling_burst,
            ),
        )
        stack = Stack.of(self)
        host = f"{self.api.rest_api_id}-{endpoint.vpc_endpoint_id}" if endpoint else self.api.rest_api_id
        self.url = f"https://{host}.execute-api.{stack.region}.{stack.url_suffix}/{STAGE}"
        """The stage's address, without the slash behind it; a private one resolves to the endpoint."""
        self._acknowledge(is_private=endpoint is not None)

    def connect(self, *, service: lambda_.IFunction, sign_in: lambda_.IFunction, sandbox: bool) -> None:
        """Add every method, each with the function that answers it."""
        to_service, to_sign_in = _integration(service), _integration(sign_in)
        for method, path in (*CALLS, *([SANDBOX_CALL] if sandbox else [])):
            self._at(path).add_method(method, to_service, authorization_type=apigateway.AuthorizationType.IAM)
        for pages, integration in ((PAGES, to_service), (SIGN_IN_PAGES, to_sign_in)):
            for method, path in pages:
                added = self._at(path).add_method(
                    method, integration, authorization_type=apigateway.AuthorizationType.NONE
                )
                _acknowledge_page(added)

    def call_arn(self, method: str, path: str) -> str:
        """The ARN of one call, for a role's policy; `path` may end in a pattern."""
        return self.api.arn_for_execute_api(method, path, STAGE)

    def _at(self, path: str) -> apigateway.Resource:
        return self.api.root.resource_for_path(path)

    def _acknowledge(self, *, is_private: bool) -> None:
        protected = "the network's endpoint lets in" if is_private else "the service's own sessions let in"
        reasons = {
            "APIG2": (
                "The program validates: every call against AWS's own model, every body by size and shape, "
                "each fault with one sentence. A request validator knows none of that."
            ),
            "APIG3": f"Signed callers and people whom {protected}; the stage is throttled.",
            "APIGWCacheEnabledAndEncrypted": (
                "Every answer is one caller's and of its moment: a cache shows it to others, or too long."
            ),
            "APIGWSSLEnabled": "Lambda answers, inside AWS: there is no server to show a certificate to.",
            LOG_POLICY: "API Gateway's own role for writing logs, with the policy AWS made for it.",
        }
        for rule, reason in reasons.items():
            acknowledge(self, rule=rule, reason=reason)
        acknowledge(
            self,
            rule="COG4",
            reason=(
                "IAM authorizes A2I's calls. The portal's sessions are its own, because reviewers come from "
                "any identity provider, and several."
            ),
        )


def _policy(
    endpoint: ec2.IInterfaceVpcEndpoint | None, *, source_ip_cidrs: Sequence[str]
) -> iam.PolicyDocument | None:
    conditions: dict[str, dict[str, object]]
    if endpoint is not None:
        refused, conditions = _EVERYTHING, {"StringNotEquals": {"aws:SourceVpce": endpoint.vpc_endpoint_id}}
    elif source_ip_cidrs:
        # Functions that call it from outside of the network have any of AWS's addresses: the portal only.
        refused, conditions = _PORTAL, {"NotIpAddress": {"aws:SourceIp": list(source_ip_cidrs)}}
    else:
        return None
    everybody, invoke = [iam.AnyPrincipal()], ["execute-api:Invoke"]
    return iam.PolicyDocument(
        statements=[
            # The portal only: what is allowed to everybody here needs no permission of the caller's own in
            # this account, and then every principal of it could make A2I's calls.
            iam.PolicyStatement(principals=everybody, actions=invoke, resources=_PORTAL),
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                principals=everybody,
                actions=invoke,
                resources=refused,
                conditions=conditions,
            ),
        ]
    )


def _integration(function: lambda_.IFunction) -> apigateway.LambdaIntegration:
    return apigateway.LambdaIntegration(function, allow_test_invoke=False)


def _acknowledge_page(method: apigateway.Method) -> None:
    acknowledge(
        method,
        rule="APIG4",
        reason=(
            "A page for people: the program answers nothing but its sign-in without a session that an "
            "identity provider of this deployment vouched for."
        ),
    )
