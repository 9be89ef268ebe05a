"""The review service of a deployment whose backend is `overread`."""

from __future__ import annotations

from typing import cast

from aws_cdk import CfnOutput, Stack

from overread_config import OidcSettings, Settings
from overread_constructs import CognitoWorkforce, OidcSignIn, ReviewService, VendorSignIn
from overread_constructs.review_service import Statistics
from overread_stacks.data_stack import DataStack
from overread_stacks.network_stack import ISOLATED, NetworkStack
from overread_stacks.retention import log_retention, removal_policy


def review_service(
    stack: Stack, *, settings: Settings, network: NetworkStack, data: DataStack
) -> ReviewService:
    """The service in `stack`, with its addresses as outputs."""
    review = settings.review
    service = ReviewService(
        stack,
        "Reviews",
        name_prefix=settings.prefix,
        workforce=_workforce(settings, account=stack.account),
        vendors=[
            VendorSignIn(name=team.name, title=team.title or team.name, oidc=_oidc(team.oidc))
            for team in settings.teams
            if team.kind == "vendor" and team.oidc is not None
        ],
        lead_groups=review.leads,
        statistics=cast(Statistics, review.statistics),
        sandbox=review.sandbox,
        chaos_duplicate=review.chaos.duplicate,
        chaos_delay=review.chaos.delay,
        vpc=network.vpc,
        subnets=ISOLATED,
        security_groups=[network.handlers],
        endpoint=network.execute_api if review.access == "private" else None,
        # Of a private one the endpoint's security group lets them in.
        source_ip_cidrs=() if review.access == "private" else settings.workforce.source_ip_cidrs,
        proxy_url=settings.network.proxy_url,
        key=data.data_key,
        operations_key=data.operations_key,
        access_logs=data.access_logs,
        access_logs_prefix=data.access_logs_prefix,
        log_retention=log_retention(settings.retention.log_days),
        removal_policy=removal_policy(settings.retention),
        deletion_protection=settings.retention.termination_protection,
        throttling_rate=settings.api.requests_per_second,
        throttling_burst=settings.api.burst,
    )
    CfnOutput(stack, "ReviewUrl", value=service.url)
    CfnOutput(stack, "PortalUrl", value=f"{service.url}/portal/")
    if service.user_pool is not None:
        CfnOutput(stack, "UserPoolId", value=service.user_pool.user_pool_id)
        CfnOutput(stack, "UserPoolClientId", value=service.client_id)
    return service


def _workforce(settings: Settings, *, account: str) -> CognitoWorkforce | OidcSignIn:
    workforce = settings.workforce
    if workforce.oidc is not None:
        return _oidc(workforce.oidc)
    return CognitoWorkforce(domain_prefix=workforce.cognito.domain_prefix or f"{settings.prefix}-{account}")


def _oidc(oidc: OidcSettings) -> OidcSignIn:
    return OidcSignIn(
        client_id=oidc.client_id,
        client_secret_arn=oidc.client_secret_arn,
        issuer=oidc.issuer,
        authorization_endpoint=oidc.authorization_endpoint,
        token_endpoint=oidc.token_endpoint,
        user_info_endpoint=oidc.user_info_endpoint,
        logout_endpoint=oidc.logout_endpoint,
        jwks_uri=oidc.jwks_uri,
    )
