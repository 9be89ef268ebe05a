"""The roles of RStudio: the server's, R sessions', jobs' and people's who sign in.

Condition keys are those that AWS's service authorization reference lists for each action, as far as it could
be read; docs/rstudio.md says which were not tried on AWS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from overread.studio.domain_spec import RImage
from overread_constructs._encryption import use_of_keys
from overread_constructs.acknowledgements import accept_inline_policy, accept_wildcards

LOG_GROUP = "/aws/sagemaker/studio"
_SAGEMAKER = "sagemaker.amazonaws.com"
_MADE = (
    "endpoint",
    "endpoint-config",
    "model",
    "training-job",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudioRights:
    """What R users may reach: jobs named `{name_prefix}-…` with tag `project`, data below the prefix."""

    name_prefix: str
    project: str
    bucket: s3.IBucket
    data_prefix: str
    data_key: kms.IKey
    instance_types: tuple[str, ...]
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    images: tuple[RImage, ...]


def domain_role(scope: Construct) -> iam.Role:
    """The RStudio server's: takes a licence, writes its log, starts its own app."""
    role = _role(scope, "DomainRole", description="RStudio's server: its licence, log and app")
    _allow(
        role,
        [
            "license-manager:CheckInLicense",
            "license-manager:CheckoutLicense",
            "license-manager:ExtendLicenseConsumption",
            "license-manager:GetLicense",
            "license-manager:ListReceivedLicenses",
        ],
        ["*"],
    )
    _allow(
        role,
        [
            "logs:CreateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
            "logs:GetLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:UpdateLogDelivery",
        ],
        ["*"],
    )
    _allow(role, ["logs:CreateLogStream", "logs:GetLogEvents", "logs:PutLogEvents"], _studio_log(scope))
    # The type is written in either case: in the failures of AWS, and in the names of its log streams.
    apps = [
        _arn(scope, "app", f"*/domain-shared/{kind}/*") for kind in ("RStudioServerPro", "rstudioserverpro")
    ]
    _allow(role, ["sagemaker:AddTags", "sagemaker:CreateApp"], apps)
    accept_wildcards(
        role,
        reasons={
            "*": "License Manager and log delivery take no narrower resource.",
            f"{LOG_GROUP}:*": "The streams of the one log group.",
            "/domain-shared/RStudioServerPro/*": "The domain's id is not known before the domain.",
            "/domain-shared/rstudioserverpro/*": "The domain's id is not known before the domain.",
        },
    )
    return role


def job_role(scope: Construct, *, rights: StudioRights) -> iam.Role:
    """What training jobs and endpoints of R users run as."""
    role = _role(scope, "JobRole", description="Training jobs and endpoints of R users")
    _data(role, scope=scope, rights=rights)
    _pull(role, scope=scope, images=rights.images)
    logs_of_jobs = Stack.of(scope).format_arn(service="logs", resource="log-group:/aws/sagemaker/*")
    _allow(
        role,
        ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        [logs_of_jobs],
    )
    _allow(
        role,
        ["cloudwatch:PutMetricData"],
        ["*"],
        {"StringLike": {"cloudwatch:namespace": ["/aws/sagemaker/*", "aws/sagemaker/*"]}},
    )
    # SageMaker makes the interfaces of a job with the job's role; AWS lists no narrower resource for reading.
    _allow(
        role,
        [
            "ec2:CreateNetworkInterface",
            "ec2:CreateNetworkInterfacePermission",
            "ec2:DeleteNetworkInterface",
            "ec2:DeleteNetworkInterfacePermission",
            "ec2:DescribeDhcpOptions",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcs",
        ],
        ["*"],
    )
    accept_wildcards(
        role,
        reasons={
            f"/{rights.data_prefix}*": "Everything that R users share; nothing else is below the prefix.",
            "/aws/sagemaker/*": "SageMaker names the log groups of jobs and endpoints.",
            "*": "ECR's token, metrics of SageMaker's namespaces and interfaces take no narrower resource.",
        },
    )
    return role


def session_role(scope: Construct, *, rights: StudioRights, job: iam.IRole) -> iam.Role:
    """What R sessions run as: the shared data, jobs and endpoints of the project, and the one job role."""
    role = _role(
        scope, "SessionRole", description="R sessions: shared data, jobs and endpoints of the project"
    )
    _data(role, scope=scope, rights=rights)
    tagged = {"StringEquals": {"aws:RequestTag/project": rights.project}}
    types: dict[str, dict[str, Any]] = {
        **tagged,
        "ForAllValues:StringEquals": {"sagemaker:InstanceTypes": list(rights.instance_types)},
        "Null": {"sagemaker:InstanceTypes": "false"},
    }
    network = {
        "sagemaker:VpcSecurityGroupIds": list(rights.security_groups),
        "sagemaker:VpcSubnets": list(rights.subnets),
    }
    _allow(
        role,
        ["sagemaker:CreateTrainingJob"],
        [_own(scope, "training-job", rights)],
        {
            **types,
            "ForAllValues:StringEquals": {**types["ForAllValues:StringEquals"], **network},
            "Null": {"sagemaker:InstanceTypes": "false", **dict.fromkeys(network, "false")},
        },
    )
    _allow(
        role,
        ["sagemaker:CreateModel"],
        [_own(scope, "model", rights)],
        {**tagged, "ForAllValues:StringEquals": network, "Null": dict.fromkeys(network, "false")},
    )
    _allow(role, ["sagemaker:CreateEndpointConfig"], [_own(scope, "endpoint-config", rights)], types)
    # An endpoint is made from its configuration, and both are asked for.
    _allow(role, ["sagemaker:CreateEndpoint"], [_own(scope, "endpoint", rights)], tagged)
    _allow(role, ["sagemaker:CreateEndpoint"], [_own(scope, "endpoint-config", rights)])
    _allow(
        role,
        ["sagemaker:AddTags"],
        [_own(scope, kind, rights) for kind in _MADE],
        {
            "StringEquals": {
                "aws:RequestTag/project": rights.project,
                "sagemaker:TaggingAction": [
                    "CreateEndpoint",
                    "CreateEndpointConfig",
                    "CreateModel",
                    "CreateTrainingJob",
                ],
            }
        },
    )
    own = {"StringEquals": {"aws:ResourceTag/project": rights.project}}
    for kind, actions in {
        "training-job": ("DescribeTrainingJob", "StopTrainingJob"),
        "model": ("DescribeModel", "DeleteModel"),
        "endpoint-config": ("DescribeEndpointConfig", "DeleteEndpointConfig"),
        "endpoint": ("DescribeEndpoint", "DeleteEndpoint", "InvokeEndpoint"),
    }.items():
        _allow(role, [f"sagemaker:{one}" for one in actions], [_own(scope, kind, rights)], own)
    role.add_to_policy(
        iam.PolicyStatement(
            sid="TheOneJobRole",
            actions=["iam:PassRole"],
            resources=[job.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": _SAGEMAKER}},
        )
    )
    _pull(role, scope=scope, images=rights.images)
    read = Stack.of(scope).format_arn(service="logs", resource="log-group:/aws/sagemaker/TrainingJobs*")
    _allow(role, ["logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents"], [read])
    _allow(role, ["logs:CreateLogStream", "logs:PutLogEvents"], _studio_log(scope))
    accept_wildcards(
        role,
        reasons={
            f"/{rights.data_prefix}*": "Everything that R users share; nothing else is below the prefix.",
            f"/{rights.name_prefix}-*": "Jobs, models and endpoints of the project, by name and by tag.",
            "/aws/sagemaker/TrainingJobs*": "SageMaker names the streams of training jobs.",
            f"{LOG_GROUP}:*": "The streams of the one log group.",
            "*": "ECR's token takes no narrower resource.",
        },
    )
    return role


def sign_in_role(scope: Construct, *, domain_id: str) -> iam.Role:
    """What people assume to open RStudio, with the principal tag `owner`: their own profile and no other."""
    stack = Stack.of(scope)
    role = iam.Role(
        scope,
        "SignInRole",
        assumed_by=iam.AccountPrincipal(stack.account).with_session_tags(),
        description="Opens RStudio: the profile whose tag owner is the caller's",
    )
    # Without the tag there is no owner to compare with: nobody gets in by leaving it out.
    _allow(
        role,
        ["sagemaker:CreatePresignedDomainUrl"],
        [_arn(scope, "user-profile", f"{domain_id}/*")],
        {
            "StringEquals": {"sagemaker:ResourceTag/owner": "${aws:PrincipalTag/owner}"},
            "Null": {"aws:PrincipalTag/owner": "false"},
        },
    )
    accept_inline_policy(role)
    accept_wildcards(role, reasons={"/*": "The profiles of this domain; the tag says which of them."})
    return role


def _role(scope: Construct, id: str, *, description: str) -> iam.Role:
    role = iam.Role(
        scope,
        id,
        assumed_by=iam.ServicePrincipal(
            _SAGEMAKER, conditions={"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}}
        ),
        description=description,
    )
    accept_inline_policy(role)
    return role


def _allow(
    role: iam.Role,
    actions: Sequence[str],
    resources: Sequence[str],
    conditions: Mapping[str, Any] | None = None,
) -> None:
    role.add_to_policy(
        iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=conditions)
    )


def _data(role: iam.Role, *, scope: Construct, rights: StudioRights) -> None:
    bucket = rights.bucket
    objects = bucket.arn_for_objects(f"{rights.data_prefix}*")
    _allow(role, ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"], [objects])
    _allow(
        role,
        ["s3:ListBucket"],
        [bucket.bucket_arn],
        {"StringLike": {"s3:prefix": f"{rights.data_prefix}*"}},
    )
    for statement in use_of_keys([rights.data_key], scope=scope, services=("s3",)):
        role.add_to_policy(statement)


def _pull(role: iam.Role, *, scope: Construct, images: Sequence[RImage]) -> None:
    if not images:
        return
    stack = Stack.of(scope)
    _allow(role, ["ecr:GetAuthorizationToken"], ["*"])
    repositories = {
        (one.uri.split(".")[0], one.uri.partition("/")[2].split(":")[0].split("@")[0]) for one in images
    }
    _allow(
        role,
        ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        [
            stack.format_arn(service="ecr", account=account, resource="repository", resource_name=name)
            for account, name in sorted(repositories)
        ],
    )


def _studio_log(scope: Construct) -> list[str]:
    return [Stack.of(scope).format_arn(service="logs", resource=f"log-group:{LOG_GROUP}:*")]


def _arn(scope: Construct, kind: str, name: str) -> str:
    return Stack.of(scope).format_arn(service="sagemaker", resource=kind, resource_name=name)


def _own(scope: Construct, kind: str, rights: StudioRights) -> str:
    return _arn(scope, kind, f"{rights.name_prefix}-*")


def interface_ids(groups: Sequence[ec2.ISecurityGroup]) -> tuple[str, ...]:
    """The ids of security groups."""
    return tuple(group.security_group_id for group in groups)
