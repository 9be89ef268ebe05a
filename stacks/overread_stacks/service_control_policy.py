"""What an organization can forbid everybody in the account, so that no prediction goes unreviewed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from overread_constructs import ReviewedEndpoint

INVOCATIONS = (
    "sagemaker:InvokeEndpoint",
    "sagemaker:InvokeEndpointAsync",
    "sagemaker:InvokeEndpointWithResponseStream",
)


def only_router_predicts(
    stack: Stack, *, endpoints: Sequence[ReviewedEndpoint], roles: Sequence[iam.IRole]
) -> str:
    """A service control policy as JSON: nobody but these roles invokes the reviewed endpoints.

    The deployment cannot attach it: that takes the organization's management account. Source: "SCP syntax" of
    the AWS Organizations User Guide.
    """
    statement: dict[str, Any] = {
        "Sid": "OnlyTheRouterPredicts",
        "Effect": "Deny",
        "Action": list(INVOCATIONS),
        "Resource": [endpoint.endpoint_arn for endpoint in endpoints],
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": [role.role_arn for role in roles]}},
    }
    return stack.to_json_string({"Version": "2012-10-17", "Statement": [statement]})
