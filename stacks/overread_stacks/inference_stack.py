"""What decides: the models' endpoints, and the router with its HTTP API and functions."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import CfnOutput, Environment, Stack
from constructs import Construct

from overread_config import ApiSettings, Settings, UseCaseSettings, output_name
from overread_constructs import (
    ConfidenceRouter,
    NewsDelivery,
    OidcClients,
    ReviewedEndpoint,
    Webhook,
    sklearn_image,
)
from overread_stacks.data_stack import DataStack
from overread_stacks.network_stack import ISOLATED, NetworkStack
from overread_stacks.organization import fit, synthesizer
from overread_stacks.policy_document import endpoint_name
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
        self._settings = settings
        self._network = network
        self._data = data
        retention = log_retention(settings.retention.log_days)
        endpoints = [
            self._endpoint(use_case, model=use_case.prediction.model)
            for use_case in settings.use_cases
            if use_case.prediction.model is not None
        ]
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
            vpc=network.vpc,
            subnets=ISOLATED,
            security_groups=[network.handlers],
            backend="overread" if review.service else "a2i",
            reviews=review.service,
            proxy_url=None if review.service else settings.network.proxy_url,
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
            log_retention=retention,
            key=data.operations_key,
        )
        CfnOutput(self, "ApiUrl", value=router.api.url)
        CfnOutput(self, "ApiId", value=router.api.rest_api_id)
        CfnOutput(self, "ApiStage", value=router.api.deployment_stage.stage_name)
        if endpoints:
            policy = only_router_predicts(self, endpoints=endpoints, roles=router.predicting)
            CfnOutput(self, "ServiceControlPolicy", value=policy)
        if delivery.secret is not None:
            CfnOutput(self, "WebhookSecretArn", value=delivery.secret.secret_arn)

    def _endpoint(self, use_case: UseCaseSettings, *, model: Path) -> ReviewedEndpoint:
        prediction = use_case.prediction
        return ReviewedEndpoint(
            self,
            f"{output_name(use_case.name)}Endpoint",
            endpoint_name=endpoint_name(self._settings, use_case),
            model_archive=model,
            image=sklearn_image(self.region),
            instance_type=prediction.instance_type,
            instance_count=prediction.instance_count,
            max_instance_count=prediction.max_instance_count,
            key=self._data.operations_key,
            capture_bucket=self._data.inputs,
            vpc=self._network.vpc,
            subnets=ISOLATED,
            security_groups=[self._network.models],
            log_retention=log_retention(self._settings.retention.log_days),
        )


def _webhooks(settings: Settings) -> dict[str, Webhook]:
    stated = {use_case.name: use_case.delivery.webhook for use_case in settings.use_cases}
    return {
        use_case: Webhook(url=webhook.url, allowed_networks=webhook.allowed_networks)
        for use_case, webhook in stated.items()
        if webhook is not None
    }


def _delivers_inside(settings: Settings) -> bool:
    """Whether EventBridge has an endpoint in the network, and no receiver is in the internet."""
    has_events = settings.review.backend == "overread" or "events" in settings.network.interface_endpoints
    return has_events and all(webhook.allowed_networks for webhook in _webhooks(settings).values())


def clients_of(api: ApiSettings) -> OidcClients | None:
    """Whose tokens the API takes; None where callers are AWS principals."""
    return OidcClients(issuer=api.oidc.issuer, audience=api.oidc.audience) if api.oidc else None
