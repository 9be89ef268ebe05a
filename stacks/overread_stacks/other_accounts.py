"""What parts of a deployment in other accounts are called: nothing can be looked up there at synthesis."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from overread_config import Settings


def audit_bucket_name(stack: Stack, *, settings: Settings, account: str) -> str:
    """The bucket that proves the audit log."""
    return f"{settings.prefix}-audit-{account}-{stack.region}"


def captures_bucket_name(stack: Stack, *, settings: Settings, account: str) -> str:
    """The bucket where endpoints note what they answered."""
    return f"{settings.prefix}-captures-{account}-{stack.region}"


def prediction_role_name(settings: Settings) -> str:
    """The role that may invoke the endpoints."""
    return f"{settings.prefix}-predict"


def prediction_role_arn(stack: Stack, *, settings: Settings) -> str | None:
    """None where the models are in the deployment's own account."""
    model = settings.accounts.model
    if model is None:
        return None
    path = settings.organization.role_path.lstrip("/")
    return stack.format_arn(
        service="iam",
        region="",
        account=model.account,
        resource="role",
        resource_name=f"{path}{prediction_role_name(settings)}",
    )


def bucket_elsewhere(scope: Construct, id: str, *, name: str, account: str) -> s3.IBucket:
    """A bucket of another account, and its key: which, only that account's key policies can say."""
    keys = Stack.of(scope).format_arn(service="kms", account=account, resource="key", resource_name="*")
    return s3.Bucket.from_bucket_attributes(
        scope,
        id,
        bucket_name=name,
        account=account,
        encryption_key=kms.Key.from_key_arn(scope, f"{id}Keys", keys),
    )


def let_roles_use(
    bucket: s3.Bucket, *, sid: str, account: str, roles: Sequence[str], actions: Sequence[str]
) -> None:
    """Let roles of another account use a bucket and its key; only these, and only through S3.

    `roles`: patterns of their ARNs.
    """
    stack = Stack.of(bucket)
    who = {"ArnLike": {"aws:PrincipalArn": list(roles)}}
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            sid=sid,
            principals=[iam.AccountPrincipal(account)],
            actions=list(actions),
            resources=[bucket.bucket_arn, bucket.arn_for_objects("*")],
            conditions=who,
        )
    )
    key = bucket.encryption_key
    if key is not None:
        writes = any(action == "s3:PutObject" for action in actions)
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid=sid,
                principals=[iam.AccountPrincipal(account)],
                actions=["kms:Decrypt", *(["kms:GenerateDataKey"] if writes else [])],
                resources=["*"],  # in a key's own policy: this key
                conditions={
                    **who,
                    "StringEquals": {"kms:ViaService": f"s3.{stack.region}.{stack.url_suffix}"},
                },
            )
        )
