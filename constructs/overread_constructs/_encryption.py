"""What AWS services and function roles must be allowed to do with the keys behind queues, logs and data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct


def let_logs_use(key: kms.IKey, *, scope: Construct) -> None:
    """Let CloudWatch Logs use `key` for this account's log groups; an imported key must allow it itself."""
    stack = Stack.of(scope)
    log_groups = stack.format_arn(service="logs", resource="log-group:*")
    key.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
            principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
            resources=["*"],  # in a key's own policy: this key
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_groups}},
        )
    )


def let_events_use(key: kms.IKey, *, scope: Construct) -> None:
    """Let EventBridge put undelivered events into this account's queues that `key` encrypts."""
    key.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            resources=["*"],  # in a key's own policy: this key
            conditions={"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}},
        )
    )


def let_alarms_use(key: kms.IKey, *, scope: Construct, services: Sequence[str]) -> None:
    """Let the services of AWS that raise alarms put them into this account's topics that `key` encrypts."""
    key.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            principals=[iam.ServicePrincipal(service) for service in services],
            resources=["*"],  # in a key's own policy: this key
            conditions={"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}},
        )
    )


def use_of_keys(
    keys: Iterable[kms.IKey | None],
    *,
    scope: Construct,
    services: Iterable[str],
    actions: Iterable[str] = ("kms:Decrypt", "kms:GenerateDataKey"),
) -> list[iam.PolicyStatement]:
    """Statements that let a role read and write what `services` encrypt with `keys`, and nothing else."""
    stack = Stack.of(scope)
    arns = list(dict.fromkeys(key.key_arn for key in keys if key is not None))
    if not arns:
        return []
    via = sorted(f"{service}.{stack.region}.{stack.url_suffix}" for service in services)
    return [
        iam.PolicyStatement(
            actions=list(actions),
            resources=arns,
            conditions={"StringEquals": {"kms:ViaService": via}},
        )
    ]
