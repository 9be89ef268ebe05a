"""OIDC clients at the decision API: the function that checks their tokens, as API Gateway's authorizer."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from overread_constructs._handler import Handler, Placement
from overread_constructs.acknowledgements import acknowledge
from overread_constructs.python_code import authorizer_code

_KEPT = Duration.minutes(5)
"""How long API Gateway lets the same token in without asking again."""
_BEARER = r"^[Bb]earer [-A-Za-z0-9._~+/]+=*$"
_OUTSIDE_REASON = (
    "It reads the identity provider's public keys from the internet. It takes no inbound traffic and no "
    "data but tokens, and its role allows nothing but its own log. With proxy_url it runs inside."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcClients:
    """Programs that call with tokens of an identity provider, by the client credentials grant.

    `issuer` is the provider's, as its tokens spell it; `audience` is what tokens for this API say in `aud`.
    """

    issuer: str
    audience: str


class ClientAuthorizer(Construct):
    """`authorizer` lets in whom `OidcClients` describes."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name_prefix: str,
        clients: OidcClients,
        network: Placement,
        proxy_url: str | None,
        code: lambda_.Code | None,
        log_retention: logs.RetentionDays,
        key: kms.IKey,
    ) -> None:
        """`proxy_url`: a way out of `network`; without one the function runs outside of it."""
        super().__init__(scope, id)
        handler = Handler(
            self,
            "AuthorizeClient",
            function_name=f"{name_prefix}-authorize-client",
            module="authorize_client",
            description="Checks bearer tokens of OIDC clients before a decision's call runs",
            code=code or authorizer_code(),
            environment={
                "OVERREAD_OIDC_ISSUER": clients.issuer,
                "OVERREAD_OIDC_AUDIENCE": clients.audience,
                **({"HTTPS_PROXY": proxy_url} if proxy_url else {}),
            },
            timeout=Duration.seconds(10),
            asynchronous=False,
            placement=network if proxy_url else None,
            log_retention=log_retention,
            key=key,
        )
        if proxy_url is None:
            acknowledge(handler.function, rule="LambdaInsideVPC", reason=_OUTSIDE_REASON)
        self.function: lambda_.Function = handler.function
        self.authorizer = apigateway.TokenAuthorizer(
            self,
            "Tokens",
            handler=handler.function,
            results_cache_ttl=_KEPT,
            validation_regex=_BEARER,
        )
