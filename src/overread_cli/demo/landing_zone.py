"""What an organization's account has before anything is deployed, laid down on the local stack."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from overread_config import OrganizationSettings

_NOBODY_RAISES_RIGHTS = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {
            "Sid": "NoRightsOfOnesOwn",
            "Effect": "Deny",
            "Action": ["iam:Add*", "iam:Attach*", "iam:Create*", "iam:Delete*", "iam:Put*", "iam:Update*"],
            "Resource": "*",
        },
    ],
}


def lay_down_boundary(organization: OrganizationSettings, *, iam: Any, account: str) -> None:
    """Create the permissions boundary that the settings name, where they name one.

    A stand-in for the organization's: nobody within it raises rights. `iam`: boto3's client of the local
    stack; `account`: its account, in which alone the boundary can be.
    """
    boundary = organization.permissions_boundary
    if boundary is None or (boundary.startswith("arn:") and boundary.split(":")[4] != account):
        return
    path, _, name = boundary.rpartition(":policy/")[2].rpartition("/")
    with suppress(iam.exceptions.EntityAlreadyExistsException):  # of an earlier deployment
        iam.create_policy(
            PolicyName=name,
            Path=f"/{path}/" if path else "/",
            PolicyDocument=json.dumps(_NOBODY_RAISES_RIGHTS),
        )


def bootstrap_options(organization: OrganizationSettings) -> list[str]:
    """Options of `cdk bootstrap` that make the bootstrap stack which the settings deploy through."""
    qualifier = organization.bootstrap.qualifier
    return ["--qualifier", qualifier] if qualifier else []
