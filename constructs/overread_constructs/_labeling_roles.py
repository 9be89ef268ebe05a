"""What a labeling job, and the model that it trains, may do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from overread_constructs._encryption import use_of_keys
from overread_constructs._labeling_functions import FOLDER
from overread_constructs.acknowledgements import accept_inline_policy, accept_wildcards

if TYPE_CHECKING:
    from overread_constructs.review_service import ReviewService

_INTERFACES = (
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)
_IMAGE = re.compile(r"(?P<account>[0-9]{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[^/]+/(?P<name>[^:@]+)")
_S3_ADDRESS = re.compile(r"s3://([^/]+)/(.*)")


def job_role(
    scope: Construct,
    *,
    input_bucket: s3.IBucket,
    output_bucket: s3.IBucket,
    key: kms.IKey | None,
    functions: Sequence[str],
    addresses: Sequence[str],
    topics: tuple[str, str],
    is_automated: bool,
    service: ReviewService | None,
) -> iam.Role:
    """The role of a job. `addresses`: s3:// folders (ending in /) and objects besides that it reads.

    `functions` are ARNs; `topics` are the ARNs of a streaming job's input and output, "" where there is none.
    """
    stack = Stack.of(scope)
    role = iam.Role(
        scope,
        "Role",
        description="What a labeling job may do: show its objects, call its functions, write its labels",
        assumed_by=(
            iam.CompositePrincipal(*(iam.ArnPrincipal(one.role_arn) for one in service.labeling_roles))
            if service
            else _sagemaker(stack)
        ),
    )
    _use_buckets(role, input_bucket=input_bucket, output_bucket=output_bucket, key=key)
    for resource in _arns(addresses, partition=stack.partition):
        role.add_to_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=[resource]))
    if functions:
        role.add_to_policy(
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=list(dict.fromkeys(functions)))
        )
    if service is None:
        _let_log(role, group="/aws/sagemaker/LabelingJobs")
    if topics[0]:
        _let_stream(role, topics=topics)
    if is_automated:
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            )
        )
        _let_run_in_network(role)
        for statement in _grants_of_volumes(key or output_bucket.encryption_key):
            role.add_to_policy(statement)
    _accept(role, addresses=addresses)
    return role


def model_role(
    scope: Construct,
    *,
    input_bucket: s3.IBucket,
    output_bucket: s3.IBucket,
    key: kms.IKey | None,
    image: str,
    addresses: Sequence[str],
) -> iam.Role:
    """The role of a labeling model's training and batch transform jobs."""
    stack = Stack.of(scope)
    role = iam.Role(
        scope,
        "ModelRole",
        description="What a labeling model may do: read objects and labels, write models and scores",
        assumed_by=_sagemaker(stack),
    )
    _use_buckets(role, input_bucket=input_bucket, output_bucket=output_bucket, key=key)
    for resource in _arns(addresses, partition=stack.partition):
        role.add_to_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=[resource]))
    if found := _IMAGE.match(image):
        repository = stack.format_arn(
            service="ecr",
            region=found["region"],
            account=found["account"],
            resource="repository",
            resource_name=found["name"],
        )
        pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        role.add_to_policy(iam.PolicyStatement(actions=pull, resources=[repository]))
        role.add_to_policy(iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]))
    _let_log(role, group="/aws/sagemaker/TrainingJobs")
    _let_log(role, group="/aws/sagemaker/TransformJobs")
    _let_run_in_network(role)
    for statement in _grants_of_volumes(key or output_bucket.encryption_key):
        role.add_to_policy(statement)
    _accept(role, addresses=addresses)
    return role


def _sagemaker(stack: Stack) -> iam.ServicePrincipal:
    return iam.ServicePrincipal(
        "sagemaker.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": stack.account}}
    )


def _use_buckets(
    role: iam.Role, *, input_bucket: s3.IBucket, output_bucket: s3.IBucket, key: kms.IKey | None
) -> None:
    inputs, outputs = (bucket.arn_for_objects(f"{FOLDER}/*") for bucket in (input_bucket, output_bucket))
    role.add_to_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=[inputs, outputs]))
    role.add_to_policy(
        iam.PolicyStatement(actions=["s3:AbortMultipartUpload", "s3:PutObject"], resources=[outputs])
    )
    buckets = [input_bucket.bucket_arn, output_bucket.bucket_arn]
    role.add_to_policy(iam.PolicyStatement(actions=["s3:GetBucketLocation"], resources=buckets))
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=buckets,
            conditions={"StringLike": {"s3:prefix": f"{FOLDER}/*"}},
        )
    )
    keys = [key, input_bucket.encryption_key, output_bucket.encryption_key]
    for statement in use_of_keys(keys, scope=role, services=["s3"]):
        role.add_to_policy(statement)


def _arns(addresses: Sequence[str], *, partition: str) -> list[str]:
    found = [_S3_ADDRESS.fullmatch(address) for address in addresses]
    return [
        f"arn:{partition}:s3:::{one[1]}/{one[2]}{'*' if one[2].endswith('/') else ''}" for one in found if one
    ]


def _let_log(role: iam.Role, *, group: str) -> None:
    arn = Stack.of(role).format_arn(
        service="logs",
        resource="log-group",
        resource_name=f"{group}:*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    role.add_to_policy(
        iam.PolicyStatement(
            actions=[
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
            ],
            resources=[arn],
        )
    )


def _let_stream(role: iam.Role, *, topics: tuple[str, str]) -> None:
    given, told = topics
    role.add_to_policy(iam.PolicyStatement(actions=["sns:Subscribe", "sns:Unsubscribe"], resources=[given]))
    if told:
        role.add_to_policy(iam.PolicyStatement(actions=["sns:Publish"], resources=[told]))
    queues = Stack.of(role).format_arn(service="sqs", resource="GroundTruth-*")
    role.add_to_policy(
        iam.PolicyStatement(
            actions=[
                "sqs:CreateQueue",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:GetQueueUrl",
                "sqs:ReceiveMessage",
                "sqs:SendMessage",
                "sqs:SetQueueAttributes",
            ],
            resources=[queues],
        )
    )


def _let_run_in_network(role: iam.Role) -> None:
    role.add_to_policy(iam.PolicyStatement(actions=list(_INTERFACES), resources=["*"]))


def _grants_of_volumes(key: kms.IKey | None) -> list[iam.PolicyStatement]:
    if key is None:
        return []
    return [
        iam.PolicyStatement(
            actions=["kms:CreateGrant"],
            resources=[key.key_arn],
            conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        )
    ]


def _accept(role: iam.Role, *, addresses: Sequence[str]) -> None:
    accept_inline_policy(role)
    folders = {
        f"{address.removeprefix('s3://')}*": "The job was given this folder of objects, to read."
        for address in addresses
        if address.endswith("/")
    }
    accept_wildcards(
        role,
        reasons={
            f"/{FOLDER}/*": "Objects, answers and labels have their own keys; nothing but labeling is here.",
            "/aws/sagemaker/LabelingJobs:*": "SageMaker chooses the streams of its own log group.",
            "/aws/sagemaker/TrainingJobs:*": "SageMaker chooses the streams of its own log group.",
            "/aws/sagemaker/TransformJobs:*": "SageMaker chooses the streams of its own log group.",
            ":GroundTruth-*": "Ground Truth names the queue of a streaming job by the job.",
            "*": "Interfaces in a network and the token of a registry have no narrower resource.",
            **folders,
        },
    )
