"""RStudio Workbench of one deployment: its domain, shared bucket, roles and what its users need to know."""

from __future__ import annotations

from datetime import date

from aws_cdk import CfnOutput, Environment, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from overread_config import ConfigError, Settings, StudioSettings
from overread_config.studio_lock import lock_faults
from overread_constructs import ToTopic, alarm_topic_arn
from overread_constructs.rstudio_domain import RStudioDomain
from overread_stacks.data_stack import DataStack
from overread_stacks.kept_buckets import kept_bucket
from overread_stacks.network_stack import ISOLATED, NetworkStack
from overread_stacks.organization import fit, synthesizer
from overread_stacks.retention import log_retention


class StudioStack(Stack):
    """The RStudio domain of one deployment; it is always protected from deletion."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        studio: StudioSettings,
        env: Environment,
        network: NetworkStack,
        data: DataStack,
        today: date,
        analytics_reader: iam.IManagedPolicy | None = None,
    ) -> None:
        """`analytics_reader`: with one, R sessions read the masked export, and never the decisions.

        Raises:
            ConfigError: a create-only property is not what studio.lock.json says is deployed.
            PropsError: SageMaker would refuse the domain.
        """
        super().__init__(
            scope,
            id,
            stack_name=id,
            env=env,
            tags=dict(settings.tags),
            synthesizer=synthesizer(settings.organization),
            termination_protection=studio.on_destroy == "retain" or settings.retention.termination_protection,
            description=f"Overread {settings.environment}: RStudio Workbench",
        )
        fit(self, settings=settings)
        replaced = lock_faults(settings)
        if replaced:
            raise ConfigError(replaced)
        if network.studio is None:  # the network stack makes it for the same settings
            raise ValueError("the network was made without a studio")
        bucket = kept_bucket(
            self,
            "Shared",
            settings=settings,
            key=data.data_key,
            access_logs=data.access_logs,
            access_logs_prefix=data.access_logs_prefix,
        )
        topic_arn = alarm_topic_arn(self, deployment=settings.prefix, adopted=settings.adopt.alarm_topic_arn)
        self.studio = RStudioDomain(
            self,
            "Studio",
            name_prefix=settings.prefix,
            vpc=network.vpc,
            subnets=ISOLATED,
            security_groups=[network.studio],
            job_security_groups=[network.models],
            users=studio.studio_users,
            data_bucket=bucket,
            key=data.data_key,
            operations_key=data.operations_key,
            alarm_actions=[ToTopic(topic_arn)],
            today=today,
            auth_mode=studio.auth_mode,
            data_prefix=studio.data_prefix,
            connect_url=studio.connect_url,
            package_manager_url=studio.package_manager_url,
            workbench_version=studio.workbench_version,
            server_instance=studio.server_instance,
            r_images=studio.images,
            instance_types=studio.instance_types,
            project=studio.project,
            on_destroy=studio.on_destroy,
            creates_log_group=studio.log_group == "create",
            log_retention=log_retention(settings.retention.log_days),
        )
        if analytics_reader is not None:
            self.studio.session_role.add_managed_policy(analytics_reader)
        CfnOutput(self, "StudioDomainId", value=self.studio.domain.attr_domain_id)
        CfnOutput(self, "StudioSignInRoleArn", value=self.studio.sign_in_role.role_arn)
        CfnOutput(self, "StudioJobRoleArn", value=self.studio.job_role.role_arn)
        CfnOutput(self, "StudioData", value=bucket.s3_url_for_object(studio.data_prefix))
