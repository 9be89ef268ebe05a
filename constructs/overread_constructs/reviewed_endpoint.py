"""A SageMaker endpoint whose predictions only the router gets: model, configuration, endpoint, scaling."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import RemovalPolicy, Stack, Token
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from overread.review.limits import RangeLimit, TextLimit
from overread_constructs._encryption import let_logs_use, use_of_keys
from overread_constructs._rules import PropsError, Rule, check
from overread_constructs.acknowledgements import accept_inline_policy, accept_log_retention, accept_wildcards

CAPTURE_PREFIX = "captured/"
VARIANT = "AllTraffic"
_ENDPOINT_NAME = TextLimit(1, 63, r"[a-z0-9](-*[a-z0-9]){0,62}")
_INSTANCE_TYPE = TextLimit(1, 64, r"ml\.[a-z0-9-]+\.[a-z0-9]+")
_IMAGE = TextLimit(
    1,
    255,
    r"[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.[a-z0-9.-]+/[a-z0-9._/-]+(:[A-Za-z0-9._-]+|@sha256:[0-9a-f]{64})",
)
_INSTANCES = RangeLimit(1, 100)
_SECURITY_GROUPS = RangeLimit(1, 5)
_ENVIRONMENT_KEY = TextLimit(1, 1024, r"[a-zA-Z_][a-zA-Z0-9_]*")
_ENVIRONMENT_ENTRIES = 16
_OWN_ENVIRONMENT = {
    # The archive carries its script: an isolated container cannot fetch one.
    "SAGEMAKER_PROGRAM": "inference.py",
    "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
}
_INVOCATIONS_PER_INSTANCE_AND_MINUTE = 600
_LOCAL_DISK = re.compile(r"ml\.([a-z]+[0-9]+[a-z]*d[a-z]*|g4dn|g5|g6|g6e|p4d|p4de|p5|inf2|trn1)\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedEndpointProps:
    """What an endpoint is made of."""

    endpoint_name: str
    model_archive: Path
    image: str
    instance_type: str
    instance_count: int
    max_instance_count: int
    security_groups: tuple[ec2.ISecurityGroup, ...]
    inference_environment: Mapping[str, str]


RULES: tuple[Rule[ReviewedEndpointProps], ...] = (
    Rule(
        prop="endpoint_name",
        must=f"be {_ENDPOINT_NAME} (lower case, as in its ARN)",
        holds=lambda p: _ENDPOINT_NAME.allows(p.endpoint_name),
    ),
    Rule(
        prop="model_archive",
        must="be an existing .tar.gz file",
        holds=lambda p: p.model_archive.name.endswith(".tar.gz") and p.model_archive.is_file(),
    ),
    Rule(
        prop="image",
        must="be an image in ECR, ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG",
        holds=lambda p: _IMAGE.allows(p.image),
    ),
    Rule(
        prop="instance_type",
        must="be a SageMaker instance type such as ml.m5.large",
        holds=lambda p: _INSTANCE_TYPE.allows(p.instance_type),
    ),
    Rule(
        prop="instance_type",
        must="have no local disk: SageMaker encrypts such disks itself and refuses the key",
        holds=lambda p: _LOCAL_DISK.match(p.instance_type) is None,
    ),
    Rule(
        prop="instance_count",
        must=f"be {_INSTANCES}",
        holds=lambda p: _INSTANCES.allows(p.instance_count),
    ),
    Rule(
        prop="max_instance_count",
        must=f"be {_INSTANCES} and not below instance_count",
        holds=lambda p: p.instance_count <= p.max_instance_count and _INSTANCES.allows(p.max_instance_count),
    ),
    Rule(
        prop="security_groups",
        must=f"be {_SECURITY_GROUPS}",
        holds=lambda p: _SECURITY_GROUPS.allows(len(p.security_groups)),
    ),
    Rule(
        prop="inference_environment",
        must=f"have at most {_ENVIRONMENT_ENTRIES - len(_OWN_ENVIRONMENT)} entries",
        holds=lambda p: len(p.inference_environment) <= _ENVIRONMENT_ENTRIES - len(_OWN_ENVIRONMENT),
    ),
    Rule(
        prop="inference_environment",
        must=f"have keys of {_ENVIRONMENT_KEY}, none of {', '.join(_OWN_ENVIRONMENT)}",
        holds=lambda p: all(
            _ENVIRONMENT_KEY.allows(key) and key not in _OWN_ENVIRONMENT for key in p.inference_environment
        ),
    ),
)


class ReviewedEndpoint(Construct):
    """A model behind an endpoint that scales, isolated from networks, callable by one role: the router's.

    Example::

        endpoint = ReviewedEndpoint(
            self, "Loans", endpoint_name="loans", model_archive=Path("build/loans.tar.gz"),
            image=sklearn_image("eu-central-1"), instance_type="ml.m5.large",
            instance_count=2, max_instance_count=4, key=key, vpc=vpc, security_groups=[group],
        )
        ConfidenceRouter(self, "Router", endpoints=[endpoint], …)
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint_name: str,
        model_archive: Path,
        image: str,
        instance_type: str,
        instance_count: int,
        max_instance_count: int,
        key: kms.IKey,
        vpc: ec2.IVpc,
        security_groups: Sequence[ec2.ISecurityGroup],
        subnets: ec2.SubnetSelection | None = None,
        role: iam.IRole | None = None,
        capture_bucket: s3.IBucket | None = None,
        inference_environment: Mapping[str, str] | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_YEAR,
    ) -> None:
        """`model_archive`: with `code/inference.py`. `role`: what SageMaker acts as; made when missing.

        `capture_bucket`: where SageMaker notes each answer of the model below `captured/`, without what was
        asked; `overread audit reconcile` compares them with the decisions.

        Raises:
            PropsError: with every broken rule.
        """
        super().__init__(scope, id)
        environment = dict(inference_environment or {})
        props = ReviewedEndpointProps(
            endpoint_name=endpoint_name,
            model_archive=model_archive,
            image=image,
            instance_type=instance_type,
            instance_count=instance_count,
            max_instance_count=max_instance_count,
            security_groups=tuple(security_groups),
            inference_environment=environment,
        )
        faults = []
        if Token.is_unresolved(image) and role is None:
            faults.append(
                "image must be plain text unless a role is given: the role may read its repository only"
            )
        check(self, construct="ReviewedEndpoint", props=props, rules=RULES, more=faults)
        stack = Stack.of(self)
        self.endpoint_name: str = endpoint_name
        self.endpoint_arn: str = stack.format_arn(
            service="sagemaker", resource="endpoint", resource_name=endpoint_name
        )
        self._callers: list[iam.IPrincipal] = []
        archive = assets.Asset(self, "Archive", path=str(model_archive))
        subnet_ids = _subnet_ids(vpc, subnets=subnets)
        log_group = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/aws/sagemaker/Endpoints/{endpoint_name}",
            retention=log_retention,
            encryption_key=key,
            removal_policy=RemovalPolicy.DESTROY,  # SageMaker gives the name: a kept one blocks a deploy
        )
        accept_log_retention(log_group)
        let_logs_use(key, scope=self)
        if role is None:
            role = _execution_role(
                self,
                archive=archive,
                image=image,
                log_group=log_group,
                key=key,
                interfaces=_interface_arns(
                    self, vpc=vpc, subnet_ids=subnet_ids, security_groups=security_groups
                ),
                capture_bucket=capture_bucket,
            )
        model = sagemaker.CfnModel(
            self,
            "Model",
            execution_role_arn=role.role_arn,
            enable_network_isolation=True,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                image=image,
                model_data_url=archive.s3_object_url,
                environment=_OWN_ENVIRONMENT | environment,
            ),
            vpc_config=sagemaker.CfnModel.VpcConfigProperty(
                subnets=subnet_ids,
                security_group_ids=[group.security_group_id for group in security_groups],
            ),
        )
        model.node.add_dependency(role)
        configuration = sagemaker.CfnEndpointConfig(
            self,
            "Config",
            kms_key_id=key.key_arn,
            production_variants=[
                sagemaker.CfnEndpointConfig.ProductionVariantProperty(
                    variant_name=VARIANT,
                    model_name=model.attr_model_name,
                    instance_type=instance_type,
                    initial_instance_count=instance_count,
                    initial_variant_weight=1,
                )
            ],
            data_capture_config=_capture(capture_bucket) if capture_bucket else None,
        )
        endpoint = sagemaker.CfnEndpoint(
            self,
            "Resource",
            endpoint_name=endpoint_name,
            endpoint_config_name=configuration.attr_endpoint_config_name,
            retain_all_variant_properties=True,  # an update keeps the instances that scaling has added
        )
        endpoint.node.add_dependency(log_group)
        self._scale(endpoint, least=instance_count, most=max_instance_count)

    def grant_invoke(self, *grantees: iam.IGrantable) -> None:
        """Let the router's functions, all at once, invoke the endpoint.

        Raises:
            PropsError: when others have this right already: predictions of another would go unreviewed.
        """
        callers = [grantee.grant_principal for grantee in grantees]
        if self._callers and any(all(one is not known for known in self._callers) for one in callers):
            fault = (
                "grant_invoke must have one grantee, the router: predictions of another would go unreviewed"
            )
            raise PropsError(construct=f"ReviewedEndpoint at {self.node.path}", faults=[fault])
        self._callers = self._callers or callers
        for grantee in grantees:
            iam.Grant.add_to_principal(
                grantee=grantee, actions=["sagemaker:InvokeEndpoint"], resource_arns=[self.endpoint_arn]
            )

    def _scale(self, endpoint: sagemaker.CfnEndpoint, *, least: int, most: int) -> None:
        target = autoscaling.CfnScalableTarget(
            self,
            "Scaling",
            service_namespace="sagemaker",
            resource_id=f"endpoint/{self.endpoint_name}/variant/{VARIANT}",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            min_capacity=least,
            max_capacity=most,
        )
        target.node.add_dependency(endpoint)
        tracking = autoscaling.CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty(
            target_value=_INVOCATIONS_PER_INSTANCE_AND_MINUTE,
            predefined_metric_specification=(
                autoscaling.CfnScalingPolicy.PredefinedMetricSpecificationProperty(
                    predefined_metric_type="SageMakerVariantInvocationsPerInstance"
                )
            ),
            scale_in_cooldown=300,
            scale_out_cooldown=60,
        )
        autoscaling.CfnScalingPolicy(
            self,
            "ScalingPolicy",
            policy_name=f"{self.endpoint_name}-invocations",
            policy_type="TargetTrackingScaling",
            scaling_target_id=target.ref,
            target_tracking_scaling_policy_configuration=tracking,
        )


def _subnet_ids(vpc: ec2.IVpc, *, subnets: ec2.SubnetSelection | None) -> list[str]:
    chosen = subnets or ec2.SubnetSelection()
    return vpc.select_subnets(
        availability_zones=chosen.availability_zones,
        one_per_az=chosen.one_per_az,
        subnet_filters=chosen.subnet_filters,
        subnet_group_name=chosen.subnet_group_name,
        subnets=chosen.subnets,
        subnet_type=chosen.subnet_type,
    ).subnet_ids


def _interface_arns(
    scope: Construct,
    *,
    vpc: ec2.IVpc,
    subnet_ids: Sequence[str],
    security_groups: Sequence[ec2.ISecurityGroup],
) -> list[str]:
    """What a network interface of the model touches: itself, its subnets, its security groups."""
    stack = Stack.of(scope)
    names = [
        *(("subnet", subnet_id) for subnet_id in subnet_ids),
        *(("security-group", group.security_group_id) for group in security_groups),
    ]
    arns = [stack.format_arn(service="ec2", resource=kind, resource_name=name) for kind, name in names]
    return [stack.format_arn(service="ec2", resource="network-interface", resource_name="*"), *arns]


def _execution_role(
    scope: Construct,
    *,
    archive: assets.Asset,
    image: str,
    log_group: logs.ILogGroup,
    key: kms.IKey,
    interfaces: Sequence[str],
    capture_bucket: s3.IBucket | None,
) -> iam.Role:
    stack = Stack.of(scope)
    role = iam.Role(
        scope,
        "Role",
        description="What SageMaker may do to serve the model: read one archive and one image, write one log",
        assumed_by=iam.ServicePrincipal(
            "sagemaker.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": stack.account}}
        ),
    )
    registry, _, path = image.partition("/")
    account, _, _, region = registry.split(".")[:4]
    repository = stack.format_arn(
        service="ecr",
        account=account,
        region=region,
        resource="repository",
        resource_name=re.split("[:@]", path)[0],
    )
    statements = [
        iam.PolicyStatement(
            actions=["s3:GetObject"], resources=[f"{archive.bucket.bucket_arn}/{archive.s3_object_key}"]
        ),
        iam.PolicyStatement(
            actions=["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            resources=[repository],
        ),
        iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            resources=[log_group.log_group_arn],
        ),
        iam.PolicyStatement(
            actions=["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"], resources=list(interfaces)
        ),
        iam.PolicyStatement(
            actions=["ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterfacePermission"],
            resources=[interfaces[0]],
        ),
        iam.PolicyStatement(
            actions=[
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
                "ecr:GetAuthorizationToken",
            ],
            resources=["*"],
        ),
        iam.PolicyStatement(
            actions=["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"], resources=[key.key_arn]
        ),
        iam.PolicyStatement(
            actions=["kms:CreateGrant"],
            resources=[key.key_arn],
            conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
    ]
    if capture_bucket is not None:
        captured = capture_bucket.arn_for_objects(f"{CAPTURE_PREFIX}*")
        statements.append(iam.PolicyStatement(actions=["s3:PutObject"], resources=[captured]))
        statements += use_of_keys([capture_bucket.encryption_key], scope=scope, services=("s3",))
    for statement in statements:
        role.add_to_policy(statement)
    accept_inline_policy(role)
    accept_wildcards(
        role,
        reasons={
            f"/{CAPTURE_PREFIX}*": "SageMaker names what it captures by the hour; nothing else is there.",
            "*": "EC2's Describe calls and ECR's GetAuthorizationToken take no resource, and reveal no data.",
            ":network-interface/*": (
                "It has no name before it exists, and can be in this endpoint's subnets and groups only."
            ),
        },
    )
    return role


def _capture(bucket: s3.IBucket) -> sagemaker.CfnEndpointConfig.DataCaptureConfigProperty:
    """Every answer, and nothing of what was asked: what was asked is kept with the decision."""
    return sagemaker.CfnEndpointConfig.DataCaptureConfigProperty(
        enable_capture=True,
        initial_sampling_percentage=100,
        destination_s3_uri=f"s3://{bucket.bucket_name}/{CAPTURE_PREFIX.rstrip('/')}",
        capture_options=[sagemaker.CfnEndpointConfig.CaptureOptionProperty(capture_mode="Output")],
        capture_content_type_header=sagemaker.CfnEndpointConfig.CaptureContentTypeHeaderProperty(
            json_content_types=["application/json"]
        ),
    )
