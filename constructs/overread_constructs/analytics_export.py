"""The masked analytics export: a daily function, Glue tables over its files, and a policy to read them."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from overread.analytics import TABLES, Table
from overread_constructs._dead_letters import dead_letter_queue
from overread_constructs._encryption import let_events_use, use_of_keys
from overread_constructs._handler import Handler, Placement
from overread_constructs.acknowledgements import accept_wildcards, acknowledge
from overread_constructs.python_code import analytics_code

TABLES_PREFIX, MARK_PREFIX = "tables/", "export/"
FIRST_DAY = "2026-01-01"
"""Where the partitions of every table begin; nothing was decided before."""
_SILENCE_H = 6
_PATIENCE = 5
"""Five times six hours: a daily run that is late by less is not told."""
_NO_ROTATION = (
    "Pseudonyms are to be equal on every day; with another key all of them change, so it is changed by hand."
)
_ITEMS = (
    "BatchGetItem",
    "BatchWriteItem",
    "ConditionCheckItem",
    "DeleteItem",
    "ExportTableToPointInTime",
    "GetItem",
    "GetRecords",
    "PartiQLDelete",
    "PartiQLInsert",
    "PartiQLSelect",
    "PartiQLUpdate",
    "PutItem",
    "Query",
    "Scan",
    "UpdateItem",
)
"""Whatever gives or takes items of a table, its indexes and its stream."""
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"


class AnalyticsExport(Construct):
    """Once a day: what decisions, reviews and labeling jobs gained, without case content, for analysts.

    Example::

        export = AnalyticsExport(
            self, "Analytics", name_prefix="loans", table=table, bucket=bucket, actions=ToTopic(topic_arn),
            vpc=vpc, subnets=None, security_groups=[group], key=key,
        )
        export.reader.attach_to_role(session_role)
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name_prefix: str,
        table: dynamodb.ITable,
        bucket: s3.IBucket,
        actions: cloudwatch.IAlarmAction,
        reason_codes: Sequence[str] = (),
        label_outputs: Sequence[tuple[s3.IBucket, str]] = (),
        hour: int = 3,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection | None,
        security_groups: Sequence[ec2.ISecurityGroup],
        code: lambda_.Code | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_YEAR,
        key: kms.IKey,
    ) -> None:
        """`bucket`: of the export alone. `label_outputs`: bucket and prefix below which labeling jobs write.

        `reason_codes`: those that go out as they are; others are `other`. `hour`: of the day, UTC. `key`: of
        logs, queues and the secret behind the pseudonyms.
        """
        super().__init__(scope, id)
        self._bucket = bucket
        self._decisions = table
        let_events_use(key, scope=self)
        secret = secretsmanager.Secret(
            self,
            "Key",
            description=f"{name_prefix}: key of the analytics export's pseudonyms",
            encryption_key=key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=64, exclude_punctuation=True
            ),
        )
        acknowledge(secret, rule="SMG4", reason=_NO_ROTATION)
        handler = Handler(
            self,
            "Export",
            function_name=f"{name_prefix}-export-analytics",
            module="export_analytics",
            description="Once a day: exports decisions, reviews and labels without case content as Parquet",
            code=code or analytics_code(),
            environment={
                "OVERREAD_DEPLOYMENT": name_prefix,
                "OVERREAD_TABLE": table.table_name,
                "OVERREAD_ANALYTICS_BUCKET": bucket.bucket_name,
                "OVERREAD_ANALYTICS_KEY": secret.secret_arn,
                "OVERREAD_REASON_CODES": ",".join(reason_codes),
                "OVERREAD_LABEL_OUTPUTS": ",".join(
                    f"s3://{one.bucket_name}/{prefix}" for one, prefix in label_outputs
                ),
            },
            timeout=Duration.minutes(15),
            asynchronous=True,
            placement=Placement(vpc=vpc, subnets=subnets, security_groups=tuple(security_groups)),
            log_retention=log_retention,
            key=key,
            memory_mb=1024,
        )
        self.export_analytics: lambda_.Function = handler.function
        self._let_read(handler, secret=secret, label_outputs=label_outputs)
        self._let_write(handler, prefixes=[prefix for _, prefix in label_outputs])
        self._run_daily(handler, hour=hour, key=key)
        self.alarm: cloudwatch.Alarm = self._alarm(name_prefix, actions=actions)
        self.database_name: str = name_prefix.replace("-", "_")
        self._catalogue()
        self.reader: iam.ManagedPolicy = self._reader(name_prefix)

    def _let_read(
        self,
        handler: Handler,
        *,
        secret: secretsmanager.Secret,
        label_outputs: Sequence[tuple[s3.IBucket, str]],
    ) -> None:
        table = self._decisions
        handler.allow("dynamodb:GetItem", on=[table.table_arn])
        handler.allow("dynamodb:Query", on=[f"{table.table_arn}/index/chain"])
        handler.allow("secretsmanager:GetSecretValue", on=[secret.secret_arn])
        for source, prefix in label_outputs:
            handler.allow("s3:GetObject", on=[source.arn_for_objects(f"{prefix}*")])
            handler.role.add_to_policy(
                iam.PolicyStatement(
                    actions=["s3:ListBucket"],
                    resources=[source.bucket_arn],
                    conditions={"StringLike": {"s3:prefix": f"{prefix}*"}},
                )
            )
        services = {
            "dynamodb": [table.encryption_key],
            "s3": [source.encryption_key for source, _ in label_outputs],
            "secretsmanager": [secret.encryption_key],
        }
        for service, keys in services.items():
            for statement in use_of_keys(keys, scope=self, services=(service,), actions=("kms:Decrypt",)):
                handler.role.add_to_policy(statement)

    def _let_write(self, handler: Handler, *, prefixes: Sequence[str]) -> None:
        bucket = self._bucket
        marks = [bucket.arn_for_objects(f"{MARK_PREFIX}{name}.json") for name in ("progress", "labels")]
        handler.allow("s3:GetObject", on=marks)
        handler.allow("s3:PutObject", on=[*marks, bucket.arn_for_objects(f"{TABLES_PREFIX}*")])
        handler.allow("s3:ListBucket", on=[bucket.bucket_arn])  # or a mark's absence would be a denial
        for statement in use_of_keys([bucket.encryption_key], scope=self, services=("s3",)):
            handler.role.add_to_policy(statement)
        accept_wildcards(
            handler.role,
            reasons={
                "/tables/*": "Files are named after days and batches, in a bucket of the export alone.",
                **{
                    f"/{prefix}*": "Labeling jobs' outputs are named after jobs, below the prefix."
                    for prefix in prefixes
                },
            },
        )

    def _run_daily(self, handler: Handler, *, hour: int, key: kms.IKey) -> None:
        events.Rule(
            self,
            "EachDay",
            description="Decisions, reviews and labels are exported for analysts",
            schedule=events.Schedule.cron(hour=str(hour), minute="0"),
            targets=[
                targets.LambdaFunction(
                    handler.function,
                    dead_letter_queue=dead_letter_queue(self, "Undelivered", key=key),
                    max_event_age=Duration.hours(6),
                    retry_attempts=2,
                )
            ],
        )

    def _alarm(self, name_prefix: str, *, actions: cloudwatch.IAlarmAction) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            "Silent",
            alarm_name=f"{name_prefix}-analytics-export",
            alarm_description="The analytics export did not run for 30 hours. Runbook: docs/analytics.md",
            metric=cloudwatch.Metric(
                namespace="Overread",
                metric_name="AnalyticsExports",
                dimensions_map={"Deployment": name_prefix},
                statistic="Sum",
                period=Duration.hours(_SILENCE_H),
            ),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=_PATIENCE,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )
        alarm.add_alarm_action(actions)
        alarm.add_ok_action(actions)
        return alarm

    def _catalogue(self) -> None:
        account = Stack.of(self).account
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=self.database_name,
                description="Decisions, reviews and labels without case content; docs/analytics.md",
            ),
        )
        for table in TABLES.values():
            made = glue.CfnTable(
                self,
                f"Table{table.name.capitalize()}",
                catalog_id=account,
                database_name=self.database_name,
                table_input=_table_input(table, location=self._bucket.s3_url_for_object(TABLES_PREFIX)),
            )
            made.add_resource_dependency(database)

    def _reader(self, name_prefix: str) -> iam.ManagedPolicy:
        """What an analyst's role gets: the tables, and a denial of what they were made from."""
        bucket, stack = self._bucket, Stack.of(self)
        catalogue = [
            stack.format_arn(service="glue", resource="catalog"),
            stack.format_arn(service="glue", resource="database", resource_name=self.database_name),
            stack.format_arn(service="glue", resource="table", resource_name=f"{self.database_name}/*"),
        ]
        table = self._decisions.table_arn
        policy = iam.ManagedPolicy(
            self,
            "Reader",
            managed_policy_name=f"{name_prefix}-analytics-reader",
            description="Reads the masked analytics tables; never the decisions behind them",
            statements=[
                iam.PolicyStatement(
                    sid="ReadFiles",
                    actions=["s3:GetObject"],
                    resources=[bucket.arn_for_objects(f"{TABLES_PREFIX}*")],
                ),
                iam.PolicyStatement(
                    sid="ListFiles",
                    actions=["s3:ListBucket"],
                    resources=[bucket.bucket_arn],
                    conditions={"StringLike": {"s3:prefix": f"{TABLES_PREFIX}*"}},
                ),
                iam.PolicyStatement(
                    sid="ReadCatalogue",
                    actions=["glue:GetDatabase", "glue:GetPartitions", "glue:GetTable", "glue:GetTables"],
                    resources=catalogue,
                ),
                iam.PolicyStatement(
                    sid="NeverTheDecisions",
                    effect=iam.Effect.DENY,
                    actions=[f"dynamodb:{operation}" for operation in _ITEMS],
                    resources=[table, f"{table}/*"],
                ),
                *use_of_keys([bucket.encryption_key], scope=self, services=("s3",), actions=("kms:Decrypt",)),
            ],
        )
        accept_wildcards(
            policy,
            reasons={
                "/tables/*": "Analysts read every masked file; nothing else is below that prefix.",
                "/*": "The tables of this one database.",
            },
        )
        return policy


def _table_input(table: Table, *, location: str) -> glue.CfnTable.TableInputProperty:
    """Partitions are computed from the day (partition projection), so that nothing has to crawl them."""
    place = f"{location}{table.name}/"
    return glue.CfnTable.TableInputProperty(
        name=table.name,
        description=f"{table.tells} dt: {table.day} (UTC).",
        table_type="EXTERNAL_TABLE",
        partition_keys=[glue.CfnTable.ColumnProperty(name="dt", type="string", comment=f"{table.day} (UTC)")],
        parameters={
            "classification": "parquet",
            "projection.enabled": "true",
            "projection.dt.type": "date",
            "projection.dt.format": "yyyy-MM-dd",
            "projection.dt.range": f"{FIRST_DAY},NOW",
            "storage.location.template": f"{place}dt=${{dt}}/",
        },
        storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
            location=place,
            columns=[
                # Glue takes comments of at most 255 characters.
                glue.CfnTable.ColumnProperty(name=one.name, type=str(one.kind), comment=one.tells[:255])
                for one in table.columns
            ],
            input_format=f"{_PARQUET}.MapredParquetInputFormat",
            output_format=f"{_PARQUET}.MapredParquetOutputFormat",
            serde_info=glue.CfnTable.SerdeInfoProperty(
                serialization_library=f"{_PARQUET}.serde.ParquetHiveSerDe",
                parameters={"serialization.format": "1"},
            ),
        ),
    )
