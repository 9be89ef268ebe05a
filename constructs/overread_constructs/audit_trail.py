"""The audit log out of everybody's reach: anchored each hour, changes of terms in it, and who may read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import CustomResource, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from overread_constructs import python_code
from overread_constructs._dead_letters import dead_letter_queue
from overread_constructs._encryption import let_events_use, use_of_keys
from overread_constructs._handler import Handler, Placement
from overread_constructs.acknowledgements import accept_inline_policy, accept_wildcards

_WRITE = ("GetItem", "BatchGetItem", "PutItem", "ConditionCheckItem")
_OTHER_KEYS = "A key of another account, whose own policy says who may use it; its id is not known here."


class AuditTrail(Construct):
    """Anchors the decisions' audit log in a locked bucket, logs changes of terms, and lets an auditor read.

    Example::

        trail = AuditTrail(
            self, "Audit", name_prefix="loans", table=table, bucket=locked, inputs=inputs, outputs=answers,
            vpc=vpc, subnets=None, security_groups=[group], key=key,
        )
        trail.log_changes("Terms", texts={"policy/loan-approval": text}, proposed_by="ada", approved_by="bob")
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name_prefix: str,
        table: dynamodb.ITable,
        bucket: s3.IBucket,
        inputs: s3.IBucket,
        outputs: s3.IBucket,
        captures: s3.IBucket | None = None,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection | None,
        security_groups: list[ec2.ISecurityGroup],
        code: lambda_.Code | None = None,
        evidence_code: lambda_.Code | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_YEAR,
        key: kms.IKey,
    ) -> None:
        """`bucket`: has Object Lock; what goes there stays. `captures`: where endpoints note their answers,
        in `inputs` unless said. `key`: of logs and queues.

        `auditor`, a role of this account, may read audit, decisions and what they were made of, and change
        nothing; who may assume it is for the account's own IAM to say.
        """
        super().__init__(scope, id)
        self._name_prefix = name_prefix
        self._table = table
        self._bucket = bucket
        self._code = code or python_code.handler_code()
        self._log_retention = log_retention
        self._key = key
        let_events_use(key, scope=self)
        self._placement = Placement(vpc=vpc, subnets=subnets, security_groups=tuple(security_groups))
        self._undelivered = dead_letter_queue(self, "Undelivered", key=key)
        self.anchor_audit: lambda_.Function = self._anchor()
        self.archive_evidence: lambda_.Function = self._evidence(
            code=evidence_code or python_code.evidence_code(), sources=(inputs, outputs)
        )
        self.auditor = self._auditor(sources=(inputs, outputs, captures or inputs))
        self._changes: Handler | None = None

    def log_changes(
        self,
        id: str,
        *,
        texts: Mapping[str, str],
        proposed_by: str = "",
        approved_by: str = "",
        ticket: str = "",
        needs_two: bool = False,
    ) -> CustomResource:
        """Log each text that is new or other than before; what puts them in force must depend on it.

        `texts`: by subject, such as `policy/loan-approval`. `needs_two`: a deployment that changes one and
        is not approved by a second person fails.
        """
        if self._changes is None:
            self._changes = self._change_log()
        return CustomResource(
            self,
            id,
            resource_type="Custom::OverreadChangeLog",
            service_token=self._changes.function.function_arn,
            properties={
                "Texts": [{"Subject": subject, "Content": texts[subject]} for subject in sorted(texts)],
                "ProposedBy": proposed_by,
                "ApprovedBy": approved_by,
                "Ticket": ticket,
                "NeedsTwo": "true" if needs_two else "false",
            },
        )

    def _anchor(self) -> lambda_.Function:
        handler = self._handler(
            "Anchor",
            module="anchor_audit",
            description="Each hour: anchors the audit log in the locked bucket",
            timeout=Duration.minutes(15),
        )
        handler.allow("dynamodb:GetItem", "dynamodb:BatchGetItem", on=[self._table.table_arn])
        self._let_use_bucket(handler)
        self._run_hourly("EachHour", handler, description="The ends of the audit chains are anchored")
        return handler.function

    def _evidence(self, *, code: lambda_.Code, sources: Sequence[s3.IBucket]) -> lambda_.Function:
        handler = self._handler(
            "Evidence",
            module="archive_evidence",
            description="Each hour: copies inputs and answers into the locked bucket, encrypted",
            timeout=Duration.minutes(15),
            code=code,
        )
        handler.allow("dynamodb:GetItem", "dynamodb:PutItem", on=[self._table.table_arn])
        self._let_use_bucket(handler)
        for source in sources:
            handler.allow("s3:GetObjectVersion", on=[source.arn_for_objects("*")])
            # Without it S3 says "denied" of what was erased, and archiving would stop there for ever.
            handler.allow("s3:ListBucket", on=[source.bucket_arn])
        keys = [source.encryption_key for source in sources]
        for statement in use_of_keys(keys, scope=self, services=("s3",), actions=("kms:Decrypt",)):
            handler.role.add_to_policy(statement)
        self._run_hourly("EachHourEvidence", handler, description="New inputs and answers are archived")
        return handler.function

    def _run_hourly(self, id: str, handler: Handler, *, description: str) -> None:
        events.Rule(
            self,
            id,
            description=description,
            schedule=events.Schedule.rate(Duration.hours(1)),
            targets=[
                targets.LambdaFunction(
                    handler.function,
                    dead_letter_queue=self._undelivered,
                    max_event_age=Duration.hours(1),
                    retry_attempts=2,
                )
            ],
        )

    def _change_log(self) -> Handler:
        handler = self._handler(
            "Changes",
            module="log_changes",
            description="Custom resource: puts new policies and templates in the audit log before they count",
            timeout=Duration.minutes(2),
        )
        operations = [f"dynamodb:{operation}" for operation in _WRITE]
        handler.allow(*operations, on=[self._table.table_arn])
        self._let_use_bucket(handler)
        return handler

    def _let_use_bucket(self, handler: Handler) -> None:
        handler.allow("dynamodb:Query", on=[self._table.table_arn, f"{self._table.table_arn}/index/chain"])
        handler.allow("s3:GetObjectVersion", "s3:PutObject", on=[self._bucket.arn_for_objects("*")])
        handler.allow("s3:ListBucketVersions", on=[self._bucket.bucket_arn])
        keys = (self._table.encryption_key, self._bucket.encryption_key)
        for statement in use_of_keys(keys, scope=self, services=("dynamodb", "s3")):
            handler.role.add_to_policy(statement)
        accept_wildcards(
            handler.role,
            reasons={
                ":key/*": _OTHER_KEYS,
                "/*": "The audit bucket holds audit only, and nothing may be deleted.",
            },
        )

    def _handler(
        self,
        id: str,
        *,
        module: str,
        description: str,
        timeout: Duration,
        code: lambda_.Code | None = None,
    ) -> Handler:
        return Handler(
            self,
            id,
            function_name=f"{self._name_prefix}-{module.replace('_', '-')}",
            module=module,
            description=description,
            code=code or self._code,
            environment={
                "OVERREAD_DEPLOYMENT": self._name_prefix,
                "OVERREAD_TABLE": self._table.table_name,
                "OVERREAD_AUDIT_BUCKET": self._bucket.bucket_name,
            },
            timeout=timeout,
            asynchronous=True,
            placement=self._placement,
            log_retention=self._log_retention,
            key=self._key,
        )

    def _auditor(self, *, sources: Sequence[s3.IBucket]) -> iam.Role:
        buckets = list(dict.fromkeys((self._bucket, *sources)))
        role = iam.Role(
            self,
            "Auditor",
            role_name=f"{self._name_prefix}-auditor",
            assumed_by=iam.AccountPrincipal(Stack.of(self).account),
            description="Reads audit, decisions and what they were made of; changes nothing",
        )
        table = self._table.table_arn
        statements = (
            (
                ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"),
                [table, f"{table}/index/*"],
            ),
            (
                ("s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention"),
                [bucket.arn_for_objects("*") for bucket in buckets],
            ),
            (
                ("s3:ListBucket", "s3:ListBucketVersions"),
                [bucket.bucket_arn for bucket in buckets],
            ),
        )
        for actions, resources in statements:
            role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=resources))
        keys = [self._table.encryption_key, *(bucket.encryption_key for bucket in buckets)]
        for statement in use_of_keys(keys, scope=self, services=("dynamodb", "s3"), actions=("kms:Decrypt",)):
            role.add_to_policy(statement)
        accept_inline_policy(role)
        accept_wildcards(
            role,
            reasons={
                ":key/*": _OTHER_KEYS,
                "/*": "An auditor reads every case; the statement allows reading only.",
                "/index/*": "An auditor reads every case; the statement allows reading only.",
            },
        )
        return role
