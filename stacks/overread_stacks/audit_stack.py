"""What proves the audit log, in an account of its own: whoever decides can add to it, and delete nothing."""

from __future__ import annotations

from aws_cdk import CfnOutput, Environment, Stack
from constructs import Construct

from overread_config import Settings
from overread_stacks.kept_buckets import (
    access_log_bucket,
    audit_lock,
    kept_bucket,
    kept_key,
    only_these_write,
)
from overread_stacks.organization import fit, role_patterns, synthesizer
from overread_stacks.other_accounts import audit_bucket_name, let_roles_use

_ADD_AND_READ = (
    "s3:GetObject",
    "s3:GetObjectRetention",
    "s3:GetObjectVersion",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:PutObject",
)


class AuditStack(Stack):
    """The audit bucket of one deployment, and its key."""

    def __init__(
        self, scope: Construct, id: str, *, settings: Settings, env: Environment, deciding: str
    ) -> None:
        """`env`: the audit account; `deciding`: the account of the deployment, whose roles write here."""
        super().__init__(
            scope,
            id,
            stack_name=id,
            env=env,
            tags=dict(settings.tags),
            synthesizer=synthesizer(settings.organization),
            termination_protection=settings.retention.termination_protection,
            description=f"Overread {settings.environment}: what proves the audit log",
        )
        fit(self, settings=settings)
        bucket = kept_bucket(
            self,
            "Audit",
            settings=settings,
            key=kept_key(self, "Key", settings=settings, name="audit", description="Encrypts the audit log"),
            access_logs=access_log_bucket(self, settings=settings),
            name=audit_bucket_name(self, settings=settings, account=self.account),
            lock=audit_lock(settings.retention),
        )
        roles = role_patterns(self, settings=settings, account=deciding)
        only_these_write(bucket, sid="OnlyThisDeployment", roles=roles)
        let_roles_use(bucket, sid="AddAndRead", account=deciding, roles=roles, actions=_ADD_AND_READ)
        CfnOutput(self, "AuditBucketName", value=bucket.bucket_name)
