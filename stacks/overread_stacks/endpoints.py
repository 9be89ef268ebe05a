"""The endpoints of a deployment's use cases."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from overread_config import Settings, output_name
from overread_constructs import ReviewedEndpoint, sklearn_image
from overread_stacks.network_stack import ISOLATED
from overread_stacks.policy_document import endpoint_name
from overread_stacks.retention import log_retention


def reviewed_endpoints(
    stack: Stack,
    *,
    settings: Settings,
    key: kms.IKey,
    capture_bucket: s3.IBucket,
    vpc: ec2.IVpc,
    group: ec2.ISecurityGroup,
) -> list[ReviewedEndpoint]:
    """One for each use case whose predictions come from an endpoint."""
    return [
        ReviewedEndpoint(
            stack,
            f"{output_name(use_case.name)}Endpoint",
            endpoint_name=endpoint_name(settings, use_case),
            model_archive=use_case.prediction.model,
            image=sklearn_image(stack.region),
            instance_type=use_case.prediction.instance_type,
            instance_count=use_case.prediction.instance_count,
            max_instance_count=use_case.prediction.max_instance_count,
            key=key,
            capture_bucket=capture_bucket,
            vpc=vpc,
            subnets=ISOLATED,
            security_groups=[group],
            log_retention=log_retention(settings.retention.log_days),
        )
        for use_case in settings.use_cases
        if use_case.prediction.model is not None
    ]
