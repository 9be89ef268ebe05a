"""The masked analytics export: its bucket, function, Glue tables and the policy of those who read them."""

from __future__ import annotations

from aws_cdk import CfnOutput, Environment, Stack
from constructs import Construct

from overread_config import AnalyticsSettings, Settings
from overread_constructs import ToTopic, alarm_topic_arn
from overread_constructs.analytics_export import TABLES_PREFIX, AnalyticsExport
from overread_stacks.data_stack import DataStack
from overread_stacks.kept_buckets import kept_bucket
from overread_stacks.network_stack import ISOLATED, NetworkStack
from overread_stacks.organization import fit, synthesizer
from overread_stacks.retention import log_retention


class AnalyticsStack(Stack):
    """What analysts read of one deployment."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        analytics: AnalyticsSettings,
        env: Environment,
        network: NetworkStack,
        data: DataStack,
    ) -> None:
        """It needs network and data only. Labeling jobs' outputs lie below `labeling/` of the outputs."""
        super().__init__(
            scope,
            id,
            stack_name=id,
            env=env,
            tags=dict(settings.tags),
            synthesizer=synthesizer(settings.organization),
            termination_protection=settings.retention.termination_protection,
            description=f"Overread {settings.environment}: masked analytics export",
        )
        fit(self, settings=settings)
        bucket = kept_bucket(
            self,
            "Tables",
            settings=settings,
            key=data.data_key,
            access_logs=data.access_logs,
            access_logs_prefix=data.access_logs_prefix,
        )
        topic_arn = alarm_topic_arn(self, deployment=settings.prefix, adopted=settings.adopt.alarm_topic_arn)
        self.export = AnalyticsExport(
            self,
            "Analytics",
            name_prefix=settings.prefix,
            table=data.table,
            bucket=bucket,
            actions=ToTopic(topic_arn),
            reason_codes=analytics.reason_codes,
            label_outputs=[(data.outputs, "labeling/")],
            hour=analytics.hour,
            vpc=network.vpc,
            subnets=ISOLATED,
            security_groups=[network.handlers],
            log_retention=log_retention(settings.retention.log_days),
            key=data.operations_key,
        )
        CfnOutput(self, "AnalyticsLocation", value=bucket.s3_url_for_object(TABLES_PREFIX))
        CfnOutput(self, "AnalyticsDatabase", value=self.export.database_name)
        CfnOutput(self, "AnalyticsReaderPolicyArn", value=self.export.reader.managed_policy_arn)
