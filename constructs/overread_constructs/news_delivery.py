"""What tells the world of decisions: events, signed webhooks, and a data set for training."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from overread_constructs._dead_letters import dead_letter_queue, sendable
from overread_constructs._encryption import use_of_keys
from overread_constructs._handler import Handler, Placement, proxy_environment
from overread_constructs._item_fences import STEERED, keep_off
from overread_constructs._rules import Rule, check
from overread_constructs.acknowledgements import accept_wildcards, acknowledge
from overread_constructs.python_code import handler_code

EVENT_SOURCE = "overread"
_FEEDBACK_PREFIX = "feedback/"
_INSIDE = ("dynamodb", "s3", "secretsmanager")
"""What it reaches through the network's own endpoints when there is a proxy."""
_OUTSIDE_REASON = (
    "It calls receivers in the internet, each at an address that was checked. It takes no inbound traffic. "
    "Where receivers are in private networks, or behind a proxy, it runs inside."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A receiver, and the private networks in which it may be."""

    url: str
    allowed_networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsDeliveryProps:
    """What a delivery is made of."""

    webhooks: Mapping[str, Webhook]
    table: str | None
    proxy_url: str | None


RULES: tuple[Rule[NewsDeliveryProps], ...] = (
    Rule(
        prop="webhooks",
        must="be https addresses, or http ones with allowed_networks",
        holds=lambda p: all(
            one.url.startswith("https://") or (one.url.startswith("http://") and one.allowed_networks)
            for one in p.webhooks.values()
        ),
    ),
    Rule(
        prop="webhooks",
        must="have allowed_networks that are networks, such as 10.1.0.0/16",
        holds=lambda p: all(
            _is_network(cidr) for one in p.webhooks.values() for cidr in one.allowed_networks
        ),
    ),
    Rule(
        prop="proxy_url",
        must="be an http address: a tunnel to receivers is asked for in plain HTTP, and is TLS inside",
        holds=lambda p: p.proxy_url is None or p.proxy_url.startswith("http://") or not p.webhooks,
    ),
    Rule(prop="table", must="have a stream of new images", holds=lambda p: p.table is not None),
)


class NewsDelivery(Construct):
    """Delivers the outbox of decisions at least once, with equal words each time.

    Events go to the account's default bus as source `overread`. Webhooks are signed with `secret`.

    Example::

        NewsDelivery(
            self, "News", name_prefix="loans", table=table, feedback_bucket=inputs,
            webhooks={"loan-approval": Webhook(url="https://core.example/decisions")},
            vpc=vpc, subnets=None, security_groups=[group], key=key,
        )
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name_prefix: str,
        table: dynamodb.ITable,
        feedback_bucket: s3.IBucket,
        webhooks: Mapping[str, Webhook] | None = None,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection | None,
        security_groups: Sequence[ec2.ISecurityGroup],
        is_inside: bool = False,
        proxy_url: str | None = None,
        code: lambda_.Code | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_YEAR,
        key: kms.IKey,
    ) -> None:
        """`webhooks` by use case. `table`: with index `outbox` and a stream of new images.

        `is_inside`: run in the network, which then must have a way to EventBridge and to all receivers.
        `proxy_url`: the way from inside to EventBridge and to receivers in the internet.

        Raises:
            PropsError: with every broken rule.
        """
        super().__init__(scope, id)
        receivers = dict(webhooks or {})
        props = NewsDeliveryProps(
            webhooks=receivers, table=table.table_stream_arn, proxy_url=proxy_url if is_inside else None
        )
        check(self, construct="NewsDelivery", props=props, rules=RULES)
        self._key = key
        self.secret: secretsmanager.Secret | None = self._webhook_secret() if receivers else None
        placement = Placement(vpc=vpc, subnets=subnets, security_groups=tuple(security_groups))
        handler = Handler(
            self,
            "Deliver",
            function_name=f"{name_prefix}-deliver-outbox",
            module="deliver_outbox",
            description="Tells the world of decisions: events, webhooks, feedback",
            code=code or handler_code(),
            environment={
                "OVERREAD_DEPLOYMENT": name_prefix,
                "OVERREAD_TABLE": table.table_name,
                "OVERREAD_EVENT_BUS": "default",
                "OVERREAD_INPUT_BUCKET": feedback_bucket.bucket_name,
                **_webhook_environment(receivers, secret=self.secret),
                **(
                    proxy_environment(proxy_url, scope=self, inside=_INSIDE)
                    if proxy_url and is_inside
                    else {}
                ),
            },
            timeout=Duration.seconds(55),
            asynchronous=True,
            placement=placement if is_inside else None,
            log_retention=log_retention,
            key=key,
        )
        self.deliver_outbox: lambda_.Function = handler.function
        self._allow(handler, table=table, bucket=feedback_bucket)
        if not is_inside:
            acknowledge(handler.function, rule="LambdaInsideVPC", reason=_OUTSIDE_REASON)
        self._wake_from_stream(handler, table=table)
        self._wake_each_minute(handler)

    def _webhook_secret(self) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            "WebhookKey",
            description="Signs webhooks; receivers check with it",
            encryption_key=self._key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=64, exclude_punctuation=True
            ),
        )
        acknowledge(
            secret,
            rule="SMG4",
            reason="Receivers hold the same secret: it is rotated with them, while they accept both.",
        )
        return secret

    def _allow(self, handler: Handler, *, table: dynamodb.ITable, bucket: s3.IBucket) -> None:
        # PutItem is for the audits that error monitors count.
        handler.allow("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", on=[table.table_arn])
        keep_off(handler, *STEERED, table=table)
        handler.allow("dynamodb:Query", on=[f"{table.table_arn}/index/outbox"])
        handler.allow("s3:PutObject", on=[bucket.arn_for_objects(f"{_FEEDBACK_PREFIX}*")])
        bus = Stack.of(self).format_arn(service="events", resource="event-bus", resource_name="default")
        handler.role.add_to_policy(
            iam.PolicyStatement(
                actions=["events:PutEvents"],
                resources=[bus],
                conditions={"StringEquals": {"events:source": EVENT_SOURCE}},
            )
        )
        if self.secret is not None:
            handler.allow("secretsmanager:GetSecretValue", on=[self.secret.secret_arn])
        keys = (table.encryption_key, bucket.encryption_key, self._key if self.secret else None)
        for statement in use_of_keys(keys, scope=self, services=("dynamodb", "s3", "secretsmanager")):
            handler.role.add_to_policy(statement)
        accept_wildcards(
            handler.role,
            reasons={
                f"/{_FEEDBACK_PREFIX}*": "Named by use case and day; this prefix holds nothing else.",
                "/stream/*": "A stream is named by its time; listing streams reads no record.",
            },
        )

    def _wake_from_stream(self, handler: Handler, *, table: dynamodb.ITable) -> None:
        handler.allow(
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            on=[str(table.table_stream_arn)],
        )
        handler.allow("dynamodb:ListStreams", on=[f"{table.table_arn}/stream/*"])
        queue = dead_letter_queue(handler, "StreamFailures", key=self._key)
        news = {
            "eventName": lambda_.FilterRule.is_equal("INSERT"),
            "dynamodb": {"Keys": {"sk": {"S": lambda_.FilterRule.begins_with("OUTBOX#")}}},
        }
        lambda_.EventSourceMapping(
            handler,
            "Stream",
            target=handler.function,
            event_source_arn=table.table_stream_arn,
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            filters=[lambda_.FilterCriteria.filter(news)],
            batch_size=10,
            bisect_batch_on_error=True,
            report_batch_item_failures=True,
            retry_attempts=5,
            max_record_age=Duration.hours(6),
            parallelization_factor=2,
            on_failure=event_sources.SqsDlq(sendable(queue)),
        ).node.add_dependency(handler.role)

    def _wake_each_minute(self, handler: Handler) -> None:
        events.Rule(
            handler,
            "EachMinute",
            description="News that could not be delivered are tried again",
            schedule=events.Schedule.rate(Duration.minutes(1)),
            targets=[
                targets.LambdaFunction(
                    handler.function,
                    dead_letter_queue=dead_letter_queue(handler, "Undelivered", key=self._key),
                    max_event_age=Duration.minutes(5),
                    retry_attempts=2,
                )
            ],
        )


def _webhook_environment(
    webhooks: Mapping[str, Webhook], *, secret: secretsmanager.Secret | None
) -> dict[str, str]:
    if secret is None:
        return {}
    stated = {
        use_case: {"url": webhook.url, "allowed_networks": list(webhook.allowed_networks)}
        for use_case, webhook in sorted(webhooks.items())
    }
    return {"OVERREAD_WEBHOOKS": json.dumps(stated), "OVERREAD_WEBHOOK_SECRET": secret.secret_arn}


def _is_network(cidr: str) -> bool:
    try:
        ipaddress.ip_network(cidr)
    except ValueError:
        return False
    return True
