"""What is kept: keys, the buckets of inputs, answers and audit, and the table of decisions."""

from __future__ import annotations

from aws_cdk import CfnOutput, Duration, Environment, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from overread_config import Settings
from overread_constructs.acknowledgements import (
    accept_backup_elsewhere,
    accept_key_policy,
    accept_one_region,
    accept_plain_bucket,
    acknowledge,
)
from overread_stacks.organization import fit, role_patterns, synthesizer
from overread_stacks.retention import removal_policy

_WORKER_PAGES = s3.CorsRule(
    allowed_methods=[s3.HttpMethods.GET],
    # The portal's address is A2I's and not known beforehand. Reading an object takes a signed address anyway.
    allowed_origins=["*"],
)
_LISTED = ("decision_id", "state", "reference", "use_case")
_TEXT, _NUMBER = dynamodb.AttributeType.STRING, dynamodb.AttributeType.NUMBER
_INDEXES: tuple[tuple[str, str, str, dynamodb.AttributeType, tuple[str, ...] | None], ...] = (
    # Only what awaits something carries the keys of these three and of `people`: they are as small as the
    # backlog.
    ("open", "open_state", "due_at", _TEXT, ("decision_id",)),
    ("queue", "queue", "queue_key", _TEXT, ("decision_id",)),
    ("outbox", "outbox_state", "outbox_due_at", _TEXT, ()),
    ("caller", "caller_scope", "listed_at", _TEXT, _LISTED),
    ("reference", "caller_reference", "listed_at", _TEXT, _LISTED),
    ("chain", "chain_shard", "chain_seq", _NUMBER, None),
    ("people", "people_state", "received_at", _TEXT, ("use_case", "waiting")),
)


class DataStack(Stack):
    """Keys, buckets and the decisions table of one deployment."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, env: Environment) -> None:
        """Everything but the keys' aliases is named by CloudFormation."""
        super().__init__(
            scope,
            id,
            stack_name=id,
            env=env,
            tags=dict(settings.tags),
            synthesizer=synthesizer(settings.organization),
            termination_protection=settings.retention.termination_protection,
            description=f"Overread {settings.environment}: keys, buckets and decisions",
        )
        fit(self, settings=settings)
        self._settings = settings
        self._removal = removal_policy(settings.retention)
        adopted = settings.adopt
        self.data_key = self._adopted_key("data", arn=adopted.keys.data) or self._key(
            "data", description="Encrypts inputs, answers, decisions and audit"
        )
        self.operations_key = self._adopted_key("operations", arn=adopted.keys.operations) or self._key(
            "operations", description="Encrypts logs, dead-letter queues, secrets and model storage"
        )
        self.access_logs: s3.IBucket = (
            s3.Bucket.from_bucket_name(self, "AccessLogs", adopted.access_log_bucket)
            if adopted.access_log_bucket
            else self._access_log_bucket()
        )
        self.access_logs_prefix = f"{settings.prefix}/" if adopted.access_log_bucket else ""
        """Where in `access_logs` this deployment's begin: an adopted bucket takes those of others, too."""
        self.inputs = self._bucket("Inputs", cors=[_WORKER_PAGES])
        self.outputs = self._bucket("Outputs")
        self.audit = self._bucket("Audit", lock=self._audit_lock())
        for bucket, sid in (
            (self.outputs, "OnlyReviewsOfThisDeployment"),
            (self.audit, "OnlyThisDeployment"),
        ):
            self._let_only_this_deployment_write(bucket, sid=sid)
        self.table = self._decisions()
        CfnOutput(self, "TableName", value=self.table.table_name)
        CfnOutput(self, "InputBucketName", value=self.inputs.bucket_name)
        CfnOutput(self, "OutputBucketName", value=self.outputs.bucket_name)
        CfnOutput(self, "AuditBucketName", value=self.audit.bucket_name)

    def _adopted_key(self, name: str, *, arn: str | None) -> kms.IKey | None:
        return kms.Key.from_key_arn(self, f"{name.capitalize()}Key", arn) if arn else None

    def _key(self, name: str, *, description: str) -> kms.Key:
        keys = self._settings.keys
        key = kms.Key(
            self,
            f"{name.capitalize()}Key",
            alias=f"alias/{self._settings.prefix}-{name}",
            description=f"Overread {self._settings.environment}: {description}",
            enable_key_rotation=True,
            rotation_period=Duration.days(keys.rotation_days),
            pending_window=Duration.days(keys.pending_window_days),
            removal_policy=self._removal,
        )
        accept_key_policy(key)
        return key

    def _access_log_bucket(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "AccessLogs",
            encryption=s3.BucketEncryption.S3_MANAGED,  # S3 delivers access logs to no bucket with a KMS key
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            removal_policy=self._removal,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="expire",
                    expiration=Duration.days(self._settings.retention.log_days),
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

    def _bucket(
        self, id: str, *, cors: list[s3.CorsRule] | None = None, lock: s3.ObjectLockRetention | None = None
    ) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            id,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.data_key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            cors=cors,
            object_lock_enabled=True if lock else None,
            object_lock_default_retention=lock,
            server_access_logs_bucket=self.access_logs,
            server_access_logs_prefix=f"{self.access_logs_prefix}{id.lower()}/",
            removal_policy=self._removal,
            lifecycle_rules=[
                s3.LifecycleRule(id="abort-uploads", abort_incomplete_multipart_upload_after=Duration.days(7))
            ],
        )
        accept_one_region(bucket)
        accept_plain_bucket(bucket)
        return bucket

    def _let_only_this_deployment_write(self, bucket: s3.Bucket, *, sid: str) -> None:
        # Whoever could write answers could decide, and whoever could write the archive could forge what it
        # proves. Only roles of this deployment's functions and flow definitions are granted writing.
        patterns = role_patterns(self, settings=self._settings)
        roles = patterns if len(patterns) > 1 else patterns[0]
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid=sid,
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["s3:PutObject"],
                resources=[bucket.arn_for_objects("*")],
                conditions={"ArnNotLike": {"aws:PrincipalArn": roles}},
            )
        )

    def _audit_lock(self) -> s3.ObjectLockRetention | None:
        lock = self._settings.retention.audit_lock
        if lock.days is None:
            return None
        period = Duration.days(lock.days)
        if lock.mode == "compliance":
            return s3.ObjectLockRetention.compliance(period)
        return s3.ObjectLockRetention.governance(period)

    def _decisions(self) -> dynamodb.Table:
        text = dynamodb.AttributeType.STRING
        table = dynamodb.Table(
            self,
            "Decisions",
            partition_key=dynamodb.Attribute(name="pk", type=text),
            sort_key=dynamodb.Attribute(name="sk", type=text),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            stream=dynamodb.StreamViewType.NEW_IMAGE,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self.data_key,
            deletion_protection=self._settings.retention.termination_protection,
            removal_policy=self._removal,
        )
        accept_backup_elsewhere(table)
        for name, partition, order, order_type, attributes in _INDEXES:
            table.add_global_secondary_index(
                index_name=name,
                partition_key=dynamodb.Attribute(name=partition, type=text),
                sort_key=dynamodb.Attribute(name=order, type=order_type),
                projection_type=_projection(attributes),
                non_key_attributes=list(attributes) if attributes else None,
            )
        return table


def _projection(attributes: tuple[str, ...] | None) -> dynamodb.ProjectionType:
    if attributes is None:
        return dynamodb.ProjectionType.ALL
    return dynamodb.ProjectionType.INCLUDE if attributes else dynamodb.ProjectionType.KEYS_ONLY
