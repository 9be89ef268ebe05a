"""What decides: the models' endpoints, and the router with its HTTP API and functions."""

from __future__ import annotations

from aws_cdk import CfnOutput, Environment, Stack
from constructs import Construct

from overread_config import ApiSettings, Settings
from overread_constructs import (
    ConfidenceRouter,
    NewsDelivery,
    OidcClients,
    Webhook,
)
from overread_stacks.api_domain import name_api
from overread_stacks.data_stack import DataStack
from overread_stacks.endpoints import reviewed_endpoints
from overread_stacks.network_stack import ISOLATED, NetworkStack
from overread_stacks.organization import fit, synthesizer
from overread_stacks.other_accounts import prediction_role_arn
from overread_stacks.retention import log_retention
from overread_stacks.review_stack import OUTPUT_PREFIX, ReviewStack
from overread_stacks.service_control_policy import only_router_predicts


class InferenceStack(Stack):
    """Models and router of one deployment."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        env: Environment,
        network: NetworkStack,
        data: DataStack,
        review: ReviewStack,
    ) -> None:
        """The other three stacks give what this one joins; each of their values is stable over updates."""
        super().__init__(
            scope,
            id,
            stack_name=id,
            env=env,
            tags=dict(settings.tags),
            synthesizer=synthesizer(settings.organization),
            termination_protection=settings.retention.termination_protection,
            description=f"Overread {settings.environment}: models, router and API",
        )
        fit(self, settings=settings)
        retention = log_retention(settings.retention.log_days)
        endpoints = (
            reviewed_endpoints(
                self,
                settings=settings,
                key=data.operations_key,
                capture_bucket=data.captures,
                vpc=network.vpc,
                group=network.models,
            )
            if settings.accounts.model is None
            else []
        )
        router = ConfidenceRouter(
            self,
            "Router",
            name_prefix=settings.prefix,
            table=data.table,
            input_bucket=data.inputs,
            output_bucket=data.outputs,
            output_prefix=OUTPUT_PREFIX,
            policies=review.policies,
            use_cases=[use_case.name for use_case in settings.use_cases],
            endpoints=endpoints,
            prediction_role_arn=prediction_role_arn(self, settings=settings),
            vpc=network.vpc,
            subnets=ISOLATED,
            security_groups=[network.handlers],
            backend="overread" if review.service else "a2i",
            reviews=review.service,
            proxy_url=settings.network.proxy_url,
            log_retention=retention,
            key=data.operations_key,
            queues=[team.name for team in settings.teams if team.capacity is not None],
            starts_per_second=settings.review.start_rate.per_second,
            start_burst=settings.review.start_rate.burst,
            changes_need_two=settings.changes.approval == "two-person",
            throttling_rate=settings.api.requests_per_second,
            throttling_burst=settings.api.burst,
            clients=clients_of(settings.api),
        )
        delivery = NewsDelivery(
            self,
            "News",
            name_prefix=settings.prefix,
            table=data.table,
            feedback_bucket=data.inputs,
            webhooks=_webhooks(settings),
            vpc=network.vpc,
            subnets=ISOLATED,
            security_groups=[network.handlers],
            is_inside=_delivers_inside(settings),
            proxy_url=settings.network.proxy_url,
            log_retention=retention,
            key=data.operations_key,
        )
        if settings.api.domain is not None:
            name_api(self, router.api, domain=settings.api.domain, zone=settings.adopt.hosted_zone)
        CfnOutput(self, "ApiUrl", value=router.api.url)
        CfnOutput(self, "ApiId", value=router.api.rest_api_id)
        CfnOutput(self, "ApiStage", value=router.api.deployment_stage.stage_name)
        if endpoints:
            policy = only_router_predicts(self, endpoints=endpoints, roles=router.predicting)
            CfnOutput(self, "ServiceControlPolicy", value=policy)
        if delivery.secret is not None:
            CfnOutput(self, "WebhookSecretArn", value=delivery.secret.secret_arn)


def _webhooks(settings: Settings) -> dict[str, Webhook]:
    stated = {use_case.name: use_case.delivery.webhook for use_case in settings.use_cases}
    return {
        use_case: Webhook(url=webhook.url, allowed_networks=webhook.allowed_networks)
        for use_case, webhook in stated.items()
        if webhook is not None
    }


def _delivers_inside(settings: Settings) -> bool:
    """Whether the network has a way to EventBridge and to every receiver."""
    if settings.network.proxy_url:
        return True
    has_events = settings.review.backend == "overread" or "events" in settings.network.interface_endpoints
    return has_events and all(webhook.allowed_networks for webhook in _webhooks(settings).values())


def clients_of(api: ApiSettings) -> OidcClients | None:
    """Whose tokens the API takes; None where callers are AWS principals."""
    return OidcClients(issuer=api.oidc.issuer, audience=api.oidc.audience) if api.oidc else None
