"""The review service: human review with A2I's own contract, in this account and for accounts without A2I."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from aws_cdk import CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from overread.review import limits
from overread_constructs._dead_letters import dead_letter_queue
from overread_constructs._encryption import let_events_use, use_of_keys
from overread_constructs._handler import Handler, Placement
from overread_constructs._review_api import ReviewApi
from overread_constructs._review_identity import (
    SIGN_IN_RULES,
    OidcSignIn,
    ReviewIdentity,
    VendorSignIn,
)
from overread_constructs._review_resources_provider import SERVICE_TIMEOUT, ReviewResourcesProvider
from overread_constructs._review_storage import ReviewStorage
from overread_constructs._rules import Rule, broken, check
from overread_constructs.acknowledgements import accept_wildcards, acknowledge
from overread_constructs.python_code import review_code
from overread_constructs.workforce import COGNITO_RULES, CognitoWorkforce, is_cidr

Statistics = Literal["off", "pseudonymous", "named"]
EVENT_SOURCE = "overread.review"
_NAME_PREFIX = limits.TextLimit(1, 40, r"[a-z0-9](-*[a-z0-9])*")
_VENDOR_NAME = re.compile(r"[a-z0-9](-*[a-z0-9]){0,62}")
_RESERVED = frozenset({"workforce", "invited", "sandbox"})
_SWEEPS = "Human loops whose time is over are ended; late status events are sent"
_LABELS = "Labeling jobs are brought on: objects become tasks, answers become labels"
_SIGN_IN_REASON = (
    "Cognito's sign-in pages and most identity providers have no private endpoint. This function answers "
    "sign-in and invitations only; it reads no task, no answer and no table. With proxy_url it runs inside."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewServiceProps:
    """What a review service is made of."""

    name_prefix: str
    vendors: tuple[str, ...]
    lead_groups: tuple[str, ...]
    statistics: str
    chaos: tuple[float, float]
    source_ip_cidrs: tuple[str, ...]
    is_private: bool


RULES: tuple[Rule[ReviewServiceProps], ...] = (
    Rule(prop="name_prefix", must=f"be {_NAME_PREFIX}", holds=lambda p: _NAME_PREFIX.allows(p.name_prefix)),
    Rule(
        prop="vendors",
        must="have different names of lower-case letters, digits and hyphens, none of them "
        + ", ".join(sorted(_RESERVED)),
        holds=lambda p: (
            len(set(p.vendors)) == len(p.vendors)
            and all(_VENDOR_NAME.fullmatch(name) and name not in _RESERVED for name in p.vendors)
        ),
    ),
    Rule(prop="lead_groups", must="name at least one group", holds=lambda p: len(p.lead_groups) > 0),
    Rule(
        prop="statistics",
        must=f"be one of {', '.join(get_args(Statistics))}",
        holds=lambda p: p.statistics in get_args(Statistics),
    ),
    Rule(
        prop="chaos",
        must="be shares from 0 to 1, of delays to 0.9",
        holds=lambda p: 0 <= p.chaos[0] <= 1 and 0 <= p.chaos[1] <= 0.9,
    ),
    Rule(
        prop="source_ip_cidrs",
        must="be IPv4 or IPv6 networks such as 203.0.113.0/24",
        holds=lambda p: all(is_cidr(cidr) for cidr in p.source_ip_cidrs),
    ),
    Rule(
        prop="source_ip_cidrs",
        must="be left out of a private service: the network's endpoint decides who reaches it",
        holds=lambda p: not (p.is_private and p.source_ip_cidrs),
    ),
)


class ReviewService(Construct):
    """A2I's calls and a portal for reviewers, on Lambda, DynamoDB and S3, billed by use.

    With `endpoint` the API is private: it has no public address and answers through that endpoint only.
    Flow definitions, task UIs and work teams are made in it by giving them `service`.

    Example::

        reviews = ReviewService(
            self, "Reviews", name_prefix="loans", workforce=CognitoWorkforce(domain_prefix="loans-reviewers"),
            vpc=vpc, security_groups=[group], endpoint=execute_api_endpoint,
            key=data_key, operations_key=operations_key, access_logs=access_logs,
        )
        team = Workteam.of_service(self, "Team", name="loans", description="Second readers", service=reviews,
                                   groups=["reviewers"])
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name_prefix: str,
        workforce: CognitoWorkforce | OidcSignIn,
        vendors: Sequence[VendorSignIn] = (),
        lead_groups: Sequence[str] = ("leads",),
        statistics: Statistics = "off",
        sandbox: bool = False,
        chaos_duplicate: float = 0.0,
        chaos_delay: float = 0.0,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup],
        endpoint: ec2.IInterfaceVpcEndpoint | None = None,
        source_ip_cidrs: Sequence[str] = (),
        proxy_url: str | None = None,
        key: kms.IKey,
        operations_key: kms.IKey,
        access_logs: s3.IBucket,
        access_logs_prefix: str = "",
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_YEAR,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
        deletion_protection: bool = True,
        throttling_rate: int = 100,
        throttling_burst: int = 200,
        code: lambda_.Code | None = None,
    ) -> None:
        """`endpoint`: of execute-api, in `vpc`; without it the API is public.

        `proxy_url`: a way out of the network to the identity providers; without it the sign-in function runs
        outside. `key`: of records and documents; `operations_key`: of logs, queues and secrets. `sandbox` and
        `chaos_*` are for tests.

        Raises:
            PropsError: with every broken rule.
        """
        super().__init__(scope, id)
        props = ReviewServiceProps(
            name_prefix=name_prefix,
            vendors=tuple(vendor.name for vendor in vendors),
            lead_groups=tuple(lead_groups),
            statistics=statistics,
            chaos=(chaos_duplicate, chaos_delay),
            source_ip_cidrs=tuple(source_ip_cidrs),
            is_private=endpoint is not None,
        )
        faults = _sign_in_faults(workforce, vendors=vendors)
        check(self, construct="ReviewService", props=props, rules=RULES, more=faults)
        self.name_prefix = name_prefix
        self.is_private = props.is_private
        self._placement = Placement(vpc=vpc, subnets=subnets, security_groups=tuple(security_groups))
        self.log_retention = log_retention
        self.operations_key = operations_key
        self._key = key
        self._code = code or review_code()
        self._vendors = props.vendors
        self._settings = {
            "lead_groups": list(lead_groups),
            "statistics": statistics,
            "sandbox": sandbox,
            "chaos": {"duplicate": chaos_duplicate, "delay": chaos_delay},
            "vendor_teams": [
                {"name": one.name, "title": one.title, "seller": one.title, "provider": one.name}
                for one in vendors
            ],
        }
        let_events_use(operations_key, scope=self)
        self._api = ReviewApi(
            self,
            "Http",
            name=f"{name_prefix}-review",
            endpoint=endpoint,
            source_ip_cidrs=source_ip_cidrs,
            log_retention=log_retention,
            key=operations_key,
            throttling_rate=throttling_rate,
            throttling_burst=throttling_burst,
        )
        self.api = self._api.api
        self.url: str = self._api.url
        """Where A2I's calls go, signed for execute-api; the portal is below it, at /portal/."""
        self._storage = ReviewStorage(
            self,
            "Storage",
            key=key,
            access_logs=access_logs,
            access_logs_prefix=access_logs_prefix,
            removal_policy=removal_policy,
            deletion_protection=deletion_protection,
        )
        self.table = self._storage.table
        self.bucket = self._storage.bucket
        self._identity = ReviewIdentity(
            self, "Identity", workforce=workforce, vendors=vendors, portal_url=self.url
        )
        self.user_pool = self._identity.user_pool
        self.client_id = self._identity.client_id
        for group in lead_groups:
            self._identity.group(group)
        self._secret = self._session_secret()
        self.service = self._program(
            "Service",
            module="review_service",
            description="The review service: A2I's calls and the reviewers' portal",
            timeout=Duration.seconds(29),
            memory_mb=1024,
        )
        self.sweeper = self._program(
            "Sweep",
            module="sweep_reviews",
            description="Each minute: ends human loops whose time is over, sends late status events",
            timeout=Duration.seconds(55),
            memory_mb=512,
            asynchronous=True,
        )
        self._each_minute("EachMinute", self.sweeper, dead_letters="Undelivered", does=_SWEEPS)
        self.labeling = self._program(
            "Labeling",
            module="drive_labeling",
            description="Each minute: brings labeling jobs on, from manifest lines to labels",
            timeout=Duration.minutes(5),
            memory_mb=1024,
            asynchronous=True,
            deletes=False,
        )
        self._each_minute(
            "LabelingEachMinute", self.labeling, dead_letters="LabelingUndelivered", does=_LABELS
        )
        self.sign_in = self._create_sign_in(proxy_url)
        self._api.connect(service=self.service.function, sign_in=self.sign_in.function, sandbox=sandbox)
        self._workforce = self._create_workforce()

    @property
    def callers(self) -> Placement | None:
        """Where functions run that call the service: a public API has no address in an isolated network."""
        return self._placement if self.is_private else None

    @property
    def roles(self) -> list[iam.Role]:
        """The roles that act in the name of flow definitions' roles."""
        return [self.service.role, self.sweeper.role]

    @property
    def labeling_roles(self) -> list[iam.Role]:
        """The roles that act in the name of labeling jobs' roles."""
        return [self.service.role, self.labeling.role]

    def grant_call(self, handler: Handler, *calls: tuple[str, str]) -> None:
        """Allow a function of this app some calls, each a method and a path that may end in a pattern."""
        handler.allow("execute-api:Invoke", on=[self._api.call_arn(method, path) for method, path in calls])

    def team_members(self, groups: Sequence[str]) -> list[dict[str, Any]]:
        """Member definitions of a work team of these groups, which exist from now on."""
        for group in groups:
            self._identity.group(group)
        return [self._identity.member(group) for group in groups]

    def vendor_team_arn(self, name: str) -> str:
        """The ARN of a vendor's team. Raises ValueError when `vendors` has none of that name."""
        if name not in self._vendors:
            raise ValueError(f"vendors must have one named {name!r}, they are {list(self._vendors)}")
        return Stack.of(self).format_arn(
            service="sagemaker", resource="workteam", resource_name=f"vendor-crowd/{name}"
        )

    @property
    def ready(self) -> list[Construct]:
        """What must stand before anything is created in the service."""
        return [self._api, self.service, self._workforce]

    def _session_secret(self) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            "SessionKey",
            description="Key of the portal's session cookies",
            encryption_key=self.operations_key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=64, exclude_punctuation=True
            ),
        )
        acknowledge(
            secret,
            rule="SMG4",
            reason=(
                "Rotation would end every session at once, and the service reads the key at its start only. "
                "To end all sessions, put another value and restart the functions."
            ),
        )
        return secret

    def _program(
        self,
        id: str,
        *,
        module: str,
        description: str,
        timeout: Duration,
        memory_mb: int,
        asynchronous: bool = False,
        deletes: bool = True,
    ) -> Handler:
        handler = Handler(
            self,
            id,
            function_name=f"{self.name_prefix}-{module.replace('_', '-')}",
            module=module,
            description=description,
            code=self._code,
            environment=self._identity_environment()
            | {
                "OVERREAD_REVIEW_TABLE": self.table.table_name,
                "OVERREAD_REVIEW_BUCKET": self.bucket.bucket_name,
                "OVERREAD_REVIEW_BUS": "default",
                "OVERREAD_REVIEW_SETTINGS": Stack.of(self).to_json_string(self._settings),
            },
            timeout=timeout,
            asynchronous=asynchronous,
            placement=self._placement,
            log_retention=self.log_retention,
            key=self.operations_key,
            memory_mb=memory_mb,
        )
        self._allow_program(handler, deletes=deletes)
        return handler

    def _allow_program(self, handler: Handler, *, deletes: bool) -> None:
        table, bucket = self.table, self.bucket
        stack = Stack.of(self)
        items = ["GetItem", "PutItem", "UpdateItem", *(["BatchGetItem", "DeleteItem"] if deletes else [])]
        objects = ["GetObject", "PutObject", *(["DeleteObject"] if deletes else [])]
        handler.allow(*(f"dynamodb:{item}" for item in sorted(items)), on=[table.table_arn])
        handler.allow("dynamodb:Query", on=[table.table_arn, f"{table.table_arn}/index/*"])
        handler.allow(*(f"s3:{one}" for one in sorted(objects)), on=[bucket.arn_for_objects("*")])
        handler.allow("secretsmanager:GetSecretValue", on=[self._secret.secret_arn])
        bus = stack.format_arn(service="events", resource="event-bus", resource_name="default")
        handler.role.add_to_policy(
            iam.PolicyStatement(
                actions=["events:PutEvents"],
                resources=[bus],
                conditions={"StringEquals": {"events:source": EVENT_SOURCE}},
            )
        )
        for statement in use_of_keys([self._key], scope=self, services=["dynamodb", "s3"]):
            handler.role.add_to_policy(statement)
        for statement in use_of_keys([self.operations_key], scope=self, services=["secretsmanager"]):
            handler.role.add_to_policy(statement)
        accept_wildcards(
            handler.role,
            reasons={
                "/index/*": "The indexes of the service's own table.",
                "/*": "The bucket is the service's own and holds nothing else.",
            },
        )

    def _identity_environment(self) -> dict[str, str]:
        return {
            "OVERREAD_PORTAL_URL": self.url,
            "OVERREAD_SESSION_SECRET": self._secret.secret_arn,
            "OVERREAD_IDENTITY": self._identity.environment,
        }

    def _create_sign_in(self, proxy_url: str | None) -> Handler:
        stack = Stack.of(self)
        secrets_host = f"secretsmanager.{stack.region}.{stack.url_suffix}"
        proxy = {"HTTPS_PROXY": proxy_url, "NO_PROXY": secrets_host} if proxy_url else {}
        handler = Handler(
            self,
            "SignIn",
            function_name=f"{self.name_prefix}-review-sign-in",
            module="review_sign_in",
            description="Signing in with identity providers, and invitations; knows no task",
            code=self._code,
            environment=self._identity_environment() | proxy,
            timeout=Duration.seconds(25),
            asynchronous=False,
            placement=self._placement if proxy_url else None,
            log_retention=self.log_retention,
            key=self.operations_key,
            memory_mb=512,
        )
        secrets = [self._secret.secret_arn, *self._identity.secret_arns]
        handler.allow("secretsmanager:GetSecretValue", on=secrets)
        for statement in use_of_keys([self.operations_key], scope=self, services=["secretsmanager"]):
            handler.role.add_to_policy(statement)
        if self.user_pool is not None:
            handler.allow(
                "cognito-idp:AdminAddUserToGroup",
                "cognito-idp:AdminCreateUser",
                on=[self.user_pool.user_pool_arn],
            )
        if proxy_url is None:
            acknowledge(handler.function, rule="LambdaInsideVPC", reason=_SIGN_IN_REASON)
        return handler

    def _each_minute(self, id: str, handler: Handler, *, dead_letters: str, does: str) -> None:
        events.Rule(
            self,
            id,
            description=does,
            schedule=events.Schedule.rate(Duration.minutes(1)),
            targets=[
                targets.LambdaFunction(
                    handler.function,
                    dead_letter_queue=dead_letter_queue(self, dead_letters, key=self.operations_key),
                    max_event_age=Duration.minutes(5),  # the next one comes in a minute
                    retry_attempts=2,
                )
            ],
        )

    def _create_workforce(self) -> CustomResource:
        provider = ReviewResourcesProvider.of(self, code=None, service=self)
        resource = CustomResource(
            self,
            "Workforce",
            resource_type="Custom::OverreadWorkforce",
            service_token=provider.handler.function.function_arn,
            service_timeout=SERVICE_TIMEOUT,
            properties={
                "Definition": Stack.of(self).to_json_string(
                    {"WorkforceName": self.name_prefix, **self._identity.workforce_config}
                )
            },
        )
        resource.node.add_dependency(self._api, self.service, provider)
        return resource


def _sign_in_faults(
    workforce: CognitoWorkforce | OidcSignIn, *, vendors: Sequence[VendorSignIn]
) -> list[str]:
    if isinstance(workforce, CognitoWorkforce):
        faults = broken(workforce, rules=COGNITO_RULES)
    else:
        faults = broken(workforce, rules=SIGN_IN_RULES)
    found = [f"workforce: {fault}" for fault in faults]
    for vendor in vendors:
        found += [f"vendor {vendor.name}: {fault}" for fault in broken(vendor.oidc, rules=SIGN_IN_RULES)]
    return found
