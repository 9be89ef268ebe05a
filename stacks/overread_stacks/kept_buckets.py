"""Buckets whose content is kept, encrypted, versioned, logged and closed to the public, and their keys."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from overread_config import RetentionSettings, Settings
from overread_constructs.acknowledgements import (
    accept_key_policy,
    accept_one_region,
    accept_plain_bucket,
    acknowledge,
)
from overread_stacks.retention import removal_policy


def kept_key(scope: Construct, id: str, *, settings: Settings, name: str, description: str) -> kms.Key:
    """A key with an alias by `name`."""
    key = kms.Key(
        scope,
        id,
        alias=f"alias/{settings.prefix}-{name}",
        description=f"Overread {settings.environment}: {description}",
        enable_key_rotation=True,
        rotation_period=Duration.days(settings.keys.rotation_days),
        pending_window=Duration.days(settings.keys.pending_window_days),
        removal_policy=removal_policy(settings.retention),
    )
    accept_key_policy(key)
    return key


def kept_bucket(
    scope: Construct,
    id: str,
    *,
    settings: Settings,
    key: kms.IKey,
    access_logs: s3.IBucket,
    access_logs_prefix: str = "",
    name: str | None = None,
    cors: list[s3.CorsRule] | None = None,
    lock: s3.ObjectLockRetention | None = None,
) -> s3.Bucket:
    """A bucket that `key` encrypts. `name`: only where another account must know it beforehand."""
    bucket = s3.Bucket(
        scope,
        id,
        bucket_name=name,
        encryption=s3.BucketEncryption.KMS,
        encryption_key=key,
        bucket_key_enabled=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        versioned=True,
        cors=cors,
        object_lock_enabled=True if lock else None,
        object_lock_default_retention=lock,
        server_access_logs_bucket=access_logs,
        server_access_logs_prefix=f"{access_logs_prefix}{id.lower()}/",
        removal_policy=removal_policy(settings.retention),
        lifecycle_rules=[
            s3.LifecycleRule(id="abort-uploads", abort_incomplete_multipart_upload_after=Duration.days(7))
        ],
    )
    accept_one_region(bucket)
    accept_plain_bucket(bucket)
    return bucket


def access_log_bucket(scope: Construct, *, settings: Settings) -> s3.Bucket:
    """A bucket that takes the access logs of the others."""
    bucket = s3.Bucket(
        scope,
        "AccessLogs",
        encryption=s3.BucketEncryption.S3_MANAGED,  # S3 delivers access logs to no bucket with a KMS key
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        versioned=True,
        removal_policy=removal_policy(settings.retention),
        lifecycle_rules=[
            s3.LifecycleRule(
                id="expire",
                expiration=Duration.days(settings.retention.log_days),
                noncurrent_version_expiration=Duration.days(1),
                abort_incomplete_multipart_upload_after=Duration.days(7),
            )
        ],
    )
    accept_one_region(bucket)
    accept_plain_bucket(bucket)
    acknowledge(
        bucket,
        rule="BucketLogged",
        reason="It takes the access logs itself: logging its own would never end.",
    )
    acknowledge(
        bucket,
        rule="S3DefaultEncryptionKMS",
        reason="S3 delivers access logs to no bucket with a KMS key; it encrypts them with its own.",
    )
    return bucket


def only_these_write(bucket: s3.Bucket, *, sid: str, roles: Sequence[str]) -> None:
    """Keep everybody else from writing: whoever could write answers could decide, and whoever could write
    the archive could forge what it proves.

    `roles`: patterns of the ARNs of this deployment's functions and flow definitions.
    """
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            sid=sid,
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["s3:PutObject"],
            resources=[bucket.arn_for_objects("*")],
            conditions={"ArnNotLike": {"aws:PrincipalArn": roles if len(roles) > 1 else roles[0]}},
        )
    )


def audit_lock(retention: RetentionSettings) -> s3.ObjectLockRetention | None:
    """How long nothing can be deleted from the audit bucket."""
    lock = retention.audit_lock
    if lock.days is None:
        return None
    period = Duration.days(lock.days)
    if lock.mode == "compliance":
        return s3.ObjectLockRetention.compliance(period)
    return s3.ObjectLockRetention.governance(period)
