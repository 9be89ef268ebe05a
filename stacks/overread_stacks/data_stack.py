"""What is kept: keys, the buckets of inputs, answers and audit, and the table of decisions."""

from __future__ import annotations

from aws_cdk import CfnOutput, Environment, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from overread_config import Settings
from overread_constructs.acknowledgements import (
    accept_backup_elsewhere,
)
from overread_stacks.kept_buckets import (
    access_log_bucket,
    audit_lock,
    kept_bucket,
    kept_key,
    only_these_write,
)
from overread_stacks.organization import fit, role_patterns, synthesizer
from overread_stacks.other_accounts import audit_bucket_name, bucket_elsewhere, captures_bucket_name
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
        self.data_key = self._key(
            "data", arn=adopted.keys.data, description="Encrypts inputs, answers, decisions and audit"
        )
        self.operations_key = self._key(
            "operations",
            arn=adopted.keys.operations,
            description="Encrypts logs, dead-letter queues, secrets and model storage",
        )
        self.access_logs: s3.IBucket = (
            s3.Bucket.from_bucket_name(self, "AccessLogs", adopted.access_log_bucket)
            if adopted.access_log_bucket
            else access_log_bucket(self, settings=settings)
        )
        self.access_logs_prefix = f"{settings.prefix}/" if adopted.access_log_bucket else ""
        """Where in `access_logs` this deployment's begin: an adopted bucket takes those of others, too."""
        self.inputs = self._bucket("Inputs", cors=[_WORKER_PAGES])
        self.outputs = self._bucket("Outputs")
        only_these_write(self.outputs, sid="OnlyReviewsOfThisDeployment", roles=self._own_roles)
        self.audit = self._audit_bucket()
        self.captures = self._captures_bucket()
        """Where the endpoints note what they answered."""
        self.table = self._decisions()
        CfnOutput(self, "TableName", value=self.table.table_name)
        CfnOutput(self, "InputBucketName", value=self.inputs.bucket_name)
        CfnOutput(self, "OutputBucketName", value=self.outputs.bucket_name)
        CfnOutput(self, "AuditBucketName", value=self.audit.bucket_name)
        if self.captures is not self.inputs:
            CfnOutput(self, "CapturesBucketName", value=self.captures.bucket_name)

    def _key(self, name: str, *, arn: str | None, description: str) -> kms.IKey:
        key_id = f"{name.capitalize()}Key"
        if arn:
            return kms.Key.from_key_arn(self, key_id, arn)
        return kept_key(self, key_id, settings=self._settings, name=name, description=description)

    def _bucket(
        self, id: str, *, cors: list[s3.CorsRule] | None = None, lock: s3.ObjectLockRetention | None = None
    ) -> s3.Bucket:
        return kept_bucket(
            self,
            id,
            settings=self._settings,
            key=self.data_key,
            access_logs=self.access_logs,
            access_logs_prefix=self.access_logs_prefix,
            cors=cors,
            lock=lock,
        )

    def _audit_bucket(self) -> s3.IBucket:
        settings, elsewhere = self._settings, self._settings.accounts.audit
        if elsewhere is not None:
            name = audit_bucket_name(self, settings=settings, account=elsewhere.account)
            return bucket_elsewhere(self, "Audit", name=name, account=elsewhere.account)
        bucket = self._bucket("Audit", lock=audit_lock(settings.retention))
        only_these_write(bucket, sid="OnlyThisDeployment", roles=self._own_roles)
        return bucket

    def _captures_bucket(self) -> s3.IBucket:
        settings, elsewhere = self._settings, self._settings.accounts.model
        if elsewhere is None:
            return self.inputs
        name = captures_bucket_name(self, settings=settings, account=elsewhere.account)
        return bucket_elsewhere(self, "Captures", name=name, account=elsewhere.account)

    @property
    def _own_roles(self) -> list[str]:
        return role_patterns(self, settings=self._settings, account=self.account)

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
