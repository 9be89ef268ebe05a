"""Where the review service keeps its records and documents."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from overread_constructs.acknowledgements import (
    accept_backup_elsewhere,
    accept_one_region,
    accept_plain_bucket,
)

INDEXES = {
    "flow": ("flow_arn", "created_key"),
    "open": ("open_flow", "queue_key"),
    "due": ("due_group", "due_key"),
}
"""Name → partition and sort key: by flow definition, the open ones as a queue, and what time will end."""


class ReviewStorage(Construct):
    """One table and one bucket, encrypted with one key; nothing in them expires by itself."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        key: kms.IKey,
        access_logs: s3.IBucket,
        access_logs_prefix: str,
        removal_policy: RemovalPolicy,
        deletion_protection: bool,
    ) -> None:
        """`access_logs`: takes the bucket's access log, under its prefix and `review-documents/`."""
        super().__init__(scope, id)
        self.table = dynamodb.Table(
            self,
            "Records",
            partition_key=_text("pk"),
            sort_key=_text("sk"),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            deletion_protection=deletion_protection,
            removal_policy=removal_policy,
        )
        accept_backup_elsewhere(self.table)
        for name, (partition, sort) in INDEXES.items():
            self.table.add_global_secondary_index(
                index_name=name,
                partition_key=_text(partition),
                sort_key=_text(sort),
                projection_type=dynamodb.ProjectionType.ALL,
            )
        self.bucket = s3.Bucket(
            self,
            "Documents",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            server_access_logs_bucket=access_logs,
            server_access_logs_prefix=f"{access_logs_prefix}review-documents/",
            removal_policy=removal_policy,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="forget",
                    # What the service deletes, such as a deleted loop's input, is gone a month later.
                    noncurrent_version_expiration=Duration.days(30),
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                )
            ],
        )
        accept_one_region(self.bucket)
        accept_plain_bucket(self.bucket)


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
