"""One Lambda handler with its own log group and a role that holds only what is added to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from overread_constructs._dead_letters import dead_letter_queue, sendable
from overread_constructs._encryption import let_logs_use, use_of_keys
from overread_constructs.acknowledgements import (
    BY_ACCOUNT,
    accept_inline_policy,
    accept_log_retention,
    acknowledge,
)

RUNTIME = lambda_.Runtime.PYTHON_3_14
_STAR_REASON = (
    "X-Ray's write actions, SageMaker's list actions, and in a network Lambda's interface actions, take no "
    "narrower resource; an explicit Deny keeps the interface actions from the function's own code."
)
_ANSWERED_REASON = "Its callers wait for its answer: no event is ever queued for it."
_DESTINATION_REASON = "Its failed events go to a queue, by a destination that the rule does not see."
_ENVIRONMENT_REASON = (
    "It holds names and ARNs, never a secret (rule Overread-NoSecretInEnvironment); Lambda encrypts it with "
    "its own key."
)
_CONCURRENCY_REASON = (
    "The stage's throttle, its schedule or the stream's shards bound how often it runs at once. A "
    "reservation is taken from the account's other functions, and a new account has none to give."
)
_INTERFACE_ACTIONS = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where in a network a function runs."""

    vpc: ec2.IVpc
    subnets: ec2.SubnetSelection | None
    security_groups: tuple[ec2.ISecurityGroup, ...]


def proxy_environment(proxy_url: str, *, scope: Construct, inside: Sequence[str]) -> dict[str, str]:
    """For a function behind a proxy that reaches the services `inside` by the endpoints of the network."""
    stack = Stack.of(scope)
    domain = f"{stack.region}.{stack.url_suffix}"
    names = [f"{prefix}{service}.{domain}" for service in inside for prefix in ("", ".")]
    return {"HTTPS_PROXY": proxy_url, "NO_PROXY": ",".join(names)}


class Handler(Construct):
    """`overread_lambda.<module>.handler` as a function with role, log group and a queue for failed events."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        function_name: str | None,
        module: str,
        description: str,
        code: lambda_.Code,
        environment: Mapping[str, str],
        timeout: Duration,
        asynchronous: bool,
        placement: Placement | None,
        log_retention: logs.RetentionDays,
        key: kms.IKey | None,
        memory_mb: int = 512,
    ) -> None:
        """`asynchronous`: events reach it without a caller who waits, so failed ones go to `failures`.

        A function in a network needs a name: its role names it before it exists.
        """
        super().__init__(scope, id)
        self.log_group = logs.LogGroup(self, "Log", retention=log_retention, encryption_key=key)
        if key is not None:
            let_logs_use(key, scope=self)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"What the handler {module} may do",
        )
        self.failures: sqs.Queue | None = (
            dead_letter_queue(self, "Failures", key=key) if asynchronous else None
        )
        self._allow_running(key=key)
        if placement is not None:
            self._allow_interfaces(function_name)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=function_name,
            description=description,
            runtime=RUNTIME,
            architecture=lambda_.Architecture.ARM_64,
            code=code,
            handler=f"overread_lambda.{module}.handler",
            environment=dict(environment),
            memory_size=memory_mb,
            timeout=timeout,
            tracing=lambda_.Tracing.ACTIVE,
            log_group=self.log_group,
            role=self.role,
            on_failure=destinations.SqsDestination(sendable(self.failures)) if self.failures else None,
            retry_attempts=2 if asynchronous else None,
            max_event_age=Duration.hours(6) if asynchronous else None,
            vpc=placement.vpc if placement else None,
            vpc_subnets=placement.subnets if placement else None,
            security_groups=list(placement.security_groups) if placement else None,
        )
        self._acknowledge()

    def _acknowledge(self) -> None:
        reason = _DESTINATION_REASON if self.failures else _ANSWERED_REASON
        accept_inline_policy(self.role)
        accept_log_retention(self.log_group)
        acknowledge(self.function, rule="LambdaEnvironmentKey", reason=_ENVIRONMENT_REASON)
        acknowledge(self.function, rule="LambdaDLQ", reason=reason)
        acknowledge(self.function, rule="LambdaConcurrency", reason=_CONCURRENCY_REASON, terms=BY_ACCOUNT)

    def allow(self, *actions: str, on: Sequence[str]) -> None:
        """Add one statement: `actions` on the resources `on`."""
        self.role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=list(on)))

    def _allow_running(self, *, key: kms.IKey | None) -> None:
        self.allow("logs:CreateLogStream", "logs:PutLogEvents", on=[self.log_group.log_group_arn])
        acknowledge(self.role, rule="IAM5[Resource::*]", reason=_STAR_REASON)
        for statement in use_of_keys([key] if self.failures else [], scope=self, services=["sqs"]):
            self.role.add_to_policy(statement)

    def _allow_interfaces(self, function_name: str | None) -> None:
        self.allow(*_INTERFACE_ACTIONS, on=["*"])
        # Lambda, the service, attaches the network interfaces; the function's own code never may.
        arn = Stack.of(self).format_arn(
            service="lambda",
            resource="function",
            resource_name=function_name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        self.role.add_to_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                actions=list(_INTERFACE_ACTIONS),
                resources=["*"],
                conditions={"ArnEquals": {"lambda:SourceFunctionArn": arn}},
            )
        )
