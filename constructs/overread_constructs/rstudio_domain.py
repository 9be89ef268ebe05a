"""A SageMaker domain with RStudio Workbench, closed to the internet, and everything that it runs as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from aws_cdk import CfnResource, CfnTag, CustomResource, Duration, RemovalPolicy, Stack, Token
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from overread.studio.domain_spec import DomainSpec, RImage, StudioUser, faults
from overread.studio.workbench import VERSIONS, image_arn
from overread_constructs._encryption import let_logs_use
from overread_constructs._handler import Handler
from overread_constructs._rules import PropsError
from overread_constructs._studio_roles import (
    LOG_GROUP,
    StudioRights,
    domain_role,
    interface_ids,
    job_role,
    session_role,
    sign_in_role,
)
from overread_constructs.acknowledgements import accept_log_retention, accept_wildcards, acknowledge
from overread_constructs.python_code import handler_code

_Access = sagemaker.CfnUserProfile.RStudioServerProAppSettingsProperty
_Server = sagemaker.CfnDomain.RStudioServerProDomainSettingsProperty
TEARDOWN = "Custom::OverreadStudioTeardown"
_FAILURES = '?ERROR ?FATAL ?"failed to start" ?"No available licenses"'
_TEARDOWN_WAIT = Duration.minutes(60)


class RStudioDomain(Construct):
    """RStudio in private subnets: roles, users, images, sign-in, logs, and a teardown that works.

    Example::

        studio = RStudioDomain(
            self, "Studio", name_prefix="loans", vpc=vpc, subnets=isolated, security_groups=[group],
            users=[StudioUser(name="ada", owner="ada@acme.example")], data_bucket=bucket, key=key,
            operations_key=key, alarm_actions=[to_topic], today=date(2026, 11, 24),
        )
        reader.attach_to_role(studio.session_role)
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name_prefix: str,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        security_groups: Sequence[ec2.ISecurityGroup],
        users: Sequence[StudioUser],
        data_bucket: s3.IBucket,
        key: kms.IKey,
        operations_key: kms.IKey,
        alarm_actions: Sequence[cloudwatch.IAlarmAction],
        today: date,
        auth_mode: str = "IAM",
        data_prefix: str = "r/",
        connect_url: str | None = None,
        package_manager_url: str | None = None,
        workbench_version: str | None = None,
        server_instance: str | None = None,
        r_images: Sequence[RImage] = (),
        instance_types: Sequence[str] = ("ml.m5.large", "ml.m5.xlarge"),
        job_security_groups: Sequence[ec2.ISecurityGroup] = (),
        project: str | None = None,
        on_destroy: str = "retain",
        creates_log_group: bool = True,
        code: lambda_.Code | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_YEAR,
    ) -> None:
        """`today`: a version past its deprecation is refused. `job_security_groups`: by default the domain's.

        `key` encrypts homes and shared data, and never changes again; `operations_key` logs.

        Raises:
            PropsError: with every combination that SageMaker would refuse.
        """
        super().__init__(scope, id)
        region = Stack.of(self).region
        selected = vpc.select_subnets(
            subnet_type=subnets.subnet_type,
            subnets=subnets.subnets,
            subnet_group_name=subnets.subnet_group_name,
        )
        self.spec: DomainSpec = DomainSpec(
            auth_mode=auth_mode,
            users=tuple(users),
            region="" if Token.is_unresolved(region) else region,
            security_groups=len(security_groups),
            has_public_subnets=selected.has_public,
            subnets=len(selected.subnet_ids),
            connect_url=connect_url or "",
            package_manager_url=package_manager_url or "",
            workbench_version=workbench_version or "",
            server_instance=server_instance or "",
            r_images=tuple(r_images),
            data_prefix=data_prefix,
            on_destroy=on_destroy,
        )
        broken = faults(self.spec, today=today)
        if broken:
            raise PropsError(construct=f"RStudioDomain at {self.node.path}", faults=broken)
        rights = StudioRights(
            name_prefix=name_prefix,
            project=project or name_prefix,
            bucket=data_bucket,
            data_prefix=data_prefix,
            data_key=key,
            instance_types=tuple(instance_types),
            subnets=tuple(selected.subnet_ids),
            security_groups=interface_ids(job_security_groups or security_groups),
            images=self.spec.r_images,
        )
        self.domain_role: iam.Role = domain_role(self)
        self.job_role: iam.Role = job_role(self, rights=rights)
        self.session_role: iam.Role = session_role(self, rights=rights, job=self.job_role)
        images = [self._image(one) for one in self.spec.r_images]
        self.domain: sagemaker.CfnDomain = self._domain(
            name_prefix,
            vpc=vpc,
            subnet_ids=selected.subnet_ids,
            groups=security_groups,
            key=key,
            images=[image for image, _ in images],
        )
        for _, made in images:
            self.domain.add_resource_dependency(made)
        for role in (self.domain_role, self.session_role, self.job_role):
            self.domain.node.add_dependency(role)
        self._teardown = self._teardown_handler(
            name_prefix, code=code, log_retention=log_retention, key=operations_key
        )
        self._whole = self._taken_apart(
            "Teardown",
            {
                "HomeEfsFileSystemId": self.domain.attr_home_efs_file_system_id,
                "DeleteHomes": str(on_destroy == "domain-and-homes").lower(),
            },
            when=on_destroy != "retain",
        )
        self.profiles: Mapping[str, sagemaker.CfnUserProfile] = {
            one.name: self._profile(one) for one in users
        }
        self.sign_in_role: iam.Role = sign_in_role(self, domain_id=self.domain.attr_domain_id)
        if creates_log_group:
            self._log_group(key=operations_key, log_retention=log_retention)
        self.alarms: list[cloudwatch.Alarm] = [self._alarm(name_prefix, actions=alarm_actions)]

    def _domain(
        self,
        name_prefix: str,
        *,
        vpc: ec2.IVpc,
        subnet_ids: Sequence[str],
        groups: Sequence[ec2.ISecurityGroup],
        key: kms.IKey,
        images: Sequence[sagemaker.CfnDomain.CustomImageProperty],
    ) -> sagemaker.CfnDomain:
        spec = self.spec
        domain = sagemaker.CfnDomain(
            self,
            "Domain",
            domain_name=name_prefix,
            auth_mode=spec.auth_mode,
            app_network_access_type="VpcOnly",
            app_security_group_management="Service",
            vpc_id=vpc.vpc_id,
            subnet_ids=list(subnet_ids),
            kms_key_id=key.key_arn,
            tag_propagation="ENABLED",
            default_user_settings=sagemaker.CfnDomain.UserSettingsProperty(
                execution_role=self.session_role.role_arn,
                security_groups=None,  # a user's and the domain's are two together
                r_session_app_settings=sagemaker.CfnDomain.RSessionAppSettingsProperty(
                    custom_images=list(images)
                )
                if images
                else None,
            ),
            domain_settings=sagemaker.CfnDomain.DomainSettingsProperty(
                security_group_ids=[group.security_group_id for group in groups],
                r_studio_server_pro_domain_settings=_Server(
                    domain_execution_role_arn=self.domain_role.role_arn,
                    r_studio_connect_url=spec.connect_url or None,
                    r_studio_package_manager_url=spec.package_manager_url or None,
                    default_resource_spec=self._server() if spec.workbench_version else None,
                ),
            ),
        )
        # Homes hang on it, so CloudFormation never deletes it; the teardown does, when it is asked to.
        domain.apply_removal_policy(RemovalPolicy.RETAIN)
        return domain

    def _server(self) -> sagemaker.CfnDomain.ResourceSpecProperty:
        spec = self.spec
        return sagemaker.CfnDomain.ResourceSpecProperty(
            instance_type=spec.server_instance or None,
            sage_maker_image_arn=image_arn(spec.workbench_version, region=spec.region),
        )

    def _image(
        self, image: RImage
    ) -> tuple[sagemaker.CfnDomain.CustomImageProperty, sagemaker.CfnImageVersion]:
        name = _logical(image.name)
        role = iam.Role(
            self,
            f"Image{name}Role",
            assumed_by=iam.ServicePrincipal(
                "sagemaker.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            ),
            description=f"Registers the image {image.name}",
        )
        made = sagemaker.CfnImage(
            self,
            f"Image{name}",
            image_name=image.name,
            image_role_arn=role.role_arn,
            image_description=f"R sessions, Workbench {VERSIONS[image.workbench_version].name}",
        )
        version = sagemaker.CfnImageVersion(
            self, f"Image{name}Version", image_name=image.name, base_image=image.uri
        )
        version.add_resource_dependency(made)
        config = sagemaker.CfnAppImageConfig(self, f"Image{name}Config", app_image_config_name=image.name)
        config.add_resource_dependency(made)
        return (
            sagemaker.CfnDomain.CustomImageProperty(
                app_image_config_name=config.ref,
                image_name=image.name,
                image_version_number=Token.as_number(version.get_att("Version")),
            ),
            version,
        )

    def _profile(self, user: StudioUser) -> sagemaker.CfnUserProfile:
        """With the group in its ids: a user who becomes administrator gets another profile, in the open."""
        suffix = "-admin" if user.admin else ""
        name = f"{user.name}{suffix}"
        # AccessStatus DISABLED takes no group.
        access = (
            {"access_status": "ENABLED", "user_group": "R_STUDIO_ADMIN" if user.admin else "R_STUDIO_USER"}
            if user.enabled
            else {"access_status": "DISABLED"}
        )
        profile = sagemaker.CfnUserProfile(
            self,
            f"User{_logical(name)}",
            domain_id=self.domain.attr_domain_id,
            user_profile_name=name,
            tags=[CfnTag(key="owner", value=user.owner)],
            user_settings=sagemaker.CfnUserProfile.UserSettingsProperty(
                execution_role=self.session_role.role_arn,
                r_studio_server_pro_app_settings=_Access(**access),
            ),
        )
        if self._whole is not None:
            profile.add_resource_dependency(self._whole)  # deletion goes the other way: first profiles
        # CloudFormation deletes no profile in use; this ends what runs, and goes before its profile.
        # Not by Ref, which gives the profile's name and the domain's id in one.
        apps = self._taken_apart(f"Apps{_logical(name)}", {"UserProfileName": name}, when=True)
        if apps is not None:
            apps.add_resource_dependency(profile)
        return profile

    def _taken_apart(self, id: str, properties: Mapping[str, Any], *, when: bool) -> CfnResource | None:
        if not when:
            return None
        resource = CustomResource(
            self,
            id,
            service_token=self._teardown.function.function_arn,
            resource_type=TEARDOWN,
            properties={"DomainId": self.domain.attr_domain_id, **properties},
            service_timeout=_TEARDOWN_WAIT,
        )
        resource.node.add_dependency(self._teardown.role)
        found = resource.node.default_child
        return found if isinstance(found, CfnResource) else None

    def _teardown_handler(
        self, name_prefix: str, *, code: lambda_.Code | None, log_retention: logs.RetentionDays, key: kms.IKey
    ) -> Handler:
        stack = Stack.of(self)
        name = f"{name_prefix}-studio-teardown"
        handler = Handler(
            self,
            "TeardownHandler",
            function_name=name,
            module="studio_teardown",
            description="Takes apart what of RStudio is in use when users or the stack go",
            code=code or handler_code(),
            environment={},
            timeout=Duration.minutes(15),
            asynchronous=True,
            placement=None,  # it calls control planes only, and most of them have no endpoint in the network
            log_retention=log_retention,
            key=key,
            memory_mb=256,
        )

        acknowledge(
            handler.function,
            rule="LambdaInsideVPC",
            reason=(
                "It calls control planes only and reads no data; outside the network it outlives it, and "
                "waits for its interfaces to go."
            ),
        )

        def of(kind: str) -> str:
            return stack.format_arn(
                service="sagemaker", resource=kind, resource_name=f"{self.domain.attr_domain_id}/*"
            )

        itself = stack.format_arn(service="lambda", resource=f"function:{name}")
        handler.allow("lambda:InvokeFunction", on=[itself])
        handler.allow("sagemaker:ListApps", "sagemaker:ListSpaces", "sagemaker:ListUserProfiles", on=["*"])
        handler.allow("sagemaker:DeleteApp", on=[of("app")])
        handler.allow("sagemaker:DeleteSpace", "sagemaker:DescribeSpace", on=[of("space")])
        reasons = {
            "/*": "Apps, spaces and profiles of this one domain.",
            "*": "SageMaker's lists and EC2's descriptions take no narrower resource.",
        }
        if self.spec.on_destroy != "retain":
            handler.allow("sagemaker:DeleteUserProfile", on=[of("user-profile")])
            handler.allow(
                "sagemaker:DeleteDomain", "sagemaker:DescribeDomain", on=[self.domain.attr_domain_arn]
            )
            handler.allow("ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", on=["*"])
            groups = stack.format_arn(service="ec2", resource="security-group", resource_name="*")
            # SageMaker tags what it makes for a domain with the domain's ARN.
            handler.role.add_to_policy(
                iam.PolicyStatement(
                    actions=[
                        "ec2:DeleteSecurityGroup",
                        "ec2:RevokeSecurityGroupEgress",
                        "ec2:RevokeSecurityGroupIngress",
                    ],
                    resources=[groups],
                    conditions={
                        "StringEquals": {
                            "aws:ResourceTag/ManagedByAmazonSageMakerResource": self.domain.attr_domain_arn
                        }
                    },
                )
            )
            reasons |= {":security-group/*": "Only groups that carry the tag of this domain."}
        if self.spec.on_destroy == "domain":
            file_system = stack.format_arn(
                service="elasticfilesystem",
                resource="file-system",
                resource_name=self.domain.attr_home_efs_file_system_id,
            )
            handler.allow(
                "elasticfilesystem:DeleteMountTarget",
                "elasticfilesystem:DescribeMountTargets",
                on=[file_system],
            )
        accept_wildcards(handler.role, reasons=reasons)
        return handler

    def _log_group(self, *, key: kms.IKey, log_retention: logs.RetentionDays) -> None:
        let_logs_use(key, scope=self)
        group = logs.LogGroup(
            self,
            "Log",
            log_group_name=LOG_GROUP,
            retention=log_retention,
            encryption_key=key,
            removal_policy=RemovalPolicy.RETAIN,
        )
        accept_log_retention(group)
        self.domain.node.add_dependency(group)

    def _alarm(self, name_prefix: str, *, actions: Sequence[cloudwatch.IAlarmAction]) -> cloudwatch.Alarm:
        metric_filter = logs.CfnMetricFilter(
            self,
            "Failures",
            log_group_name=LOG_GROUP,
            filter_pattern=_FAILURES,
            metric_transformations=[
                logs.CfnMetricFilter.MetricTransformationProperty(
                    metric_name="RStudioFailures",
                    metric_namespace="Overread",
                    metric_value="1",
                    default_value=0,
                )
            ],
        )
        log = self.node.try_find_child("Log")
        if log is not None:
            metric_filter.node.add_dependency(log)
        alarm = cloudwatch.Alarm(
            self,
            "FailuresAlarm",
            alarm_name=f"{name_prefix}-rstudio-failures",
            alarm_description="RStudio writes errors: a licence, an image or the network (docs/rstudio.md)",
            metric=cloudwatch.Metric(
                namespace="Overread",
                metric_name="RStudioFailures",
                period=Duration.minutes(5),
                statistic="Sum",
            ),
            threshold=5,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(*actions)
        return alarm


def _logical(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))
