"""What the network's users must hold."""

from __future__ import annotations

from collections.abc import Iterator

from overread_constructs.rules.rule import TemplateRule
from overread_constructs.rules.template import Resource, Templates

_CDK_HELPERS = (
    "Custom::AWS",
    "Custom::AWSCDKOpenIdConnectProvider",
    "Custom::CDKBucketDeployment",
    "Custom::CrossRegionExportReader",
    "Custom::CrossRegionExportWriter",
    "Custom::LogRetention",
    "Custom::S3AutoDeleteObjects",
    "Custom::S3BucketNotifications",
    "Custom::VpcRestrictDefaultSG",
)


def _groups(resource: Resource, _: Templates) -> Iterator[str]:
    if resource.get("VpcConfig") and not resource.get("VpcConfig", "SecurityGroupIds"):
        yield "VpcConfig/SecurityGroupIds"


def _endpoint_policy(resource: Resource, _: Templates) -> Iterator[str]:
    if not resource.get("PolicyDocument"):
        yield "PolicyDocument"


def _helper(_: Resource, __: Templates) -> Iterator[str]:
    yield "ServiceToken"


NETWORK_RULES = (
    TemplateRule(
        name="OwnGroups",
        kinds=("AWS::Lambda::Function", "AWS::SageMaker::Model"),
        must="What runs in the network names its security groups.",
        why="Otherwise it gets the network's default group, whose members may all talk to each other.",
        faults=_groups,
    ),
    TemplateRule(
        name="EndpointHasPolicy",
        kinds=("AWS::EC2::VPCEndpoint",),
        must="A VPC endpoint has a policy.",
        why="The default policy lets credentials of any account through: data leaves by AWS's own network.",
        faults=_endpoint_policy,
    ),
    TemplateRule(
        name="NoHelperFunctions",
        kinds=_CDK_HELPERS,
        must="No resource uses one of the CDK's own helper functions.",
        why="They run outside the network with wide roles, which regulated accounts refuse.",
        faults=_helper,
    ),
)
