"""Fits a stack into an organization: how it is deployed, and what its roles are like."""

from __future__ import annotations

from collections.abc import Mapping

import jsii
from aws_cdk import (
    Aspects,
    CfnResource,
    CliCredentialsStackSynthesizer,
    DefaultStackSynthesizer,
    IAspect,
    IStackSynthesizer,
    Stack,
    Stage,
)
from aws_cdk import aws_iam as iam
from constructs import IConstruct

from overread_config import ConfigError, Fault, OrganizationSettings, Settings

ROLE = "AWS::IAM::Role"


def synthesizer(organization: OrganizationSettings) -> IStackSynthesizer:
    """How the CDK's command line deploys a stack: one for each, for a synthesizer belongs to its stack."""
    bootstrap = organization.bootstrap
    if bootstrap.credentials == "caller":
        return CliCredentialsStackSynthesizer(
            qualifier=bootstrap.qualifier, file_assets_bucket_name=bootstrap.assets_bucket
        )
    return DefaultStackSynthesizer(
        qualifier=bootstrap.qualifier,
        file_assets_bucket_name=bootstrap.assets_bucket,
        deploy_role_arn=bootstrap.deploy_role_arn,
        file_asset_publishing_role_arn=bootstrap.assets_role_arn,
        cloud_formation_execution_role=bootstrap.cloudformation_role_arn,
        # A bucket of the organization's own has no bootstrap stack beside it whose version could be read.
        generate_bootstrap_version_rule=False if bootstrap.assets_bucket else None,
    )


def fit(stack: Stack, *, settings: Settings) -> None:
    """Have every role of a stack be as the organization wants it. Call it before the stack has content."""
    organization = settings.organization
    names = {
        f"{stack.stack_name}/{path.partition('/')[2]}": _role_name(arn)
        for path, arn in organization.roles.items()
        if stack.stack_name == f"{settings.prefix}-{path.partition('/')[0]}"
    }
    if names:
        iam.Role.customize_roles(stack, use_precreated_roles=names)
    properties = _role_properties(stack, organization)
    if properties:
        Aspects.of(stack).add(_EveryRole(properties))


def check_roles(app: Stage, *, settings: Settings) -> None:
    """Make sure that roles that exist already take the place of all roles of a stack.

    Raises:
        ConfigError: with every path that leads to no role, and every role that is left out.
    """
    given = settings.organization.roles
    stacks = {path.partition("/")[0] for path in given}
    present = {path for stack in sorted(stacks) for path in _roles(app, stack, prefix=settings.prefix)}
    faults = [
        _fault(settings, path, problem="is no role of this deployment")
        for path in given
        if path not in present
    ] + [
        _fault(settings, path, problem="is left out; of a stack's roles all exist already, or none")
        for path in sorted(present - set(given))
    ]
    if faults:
        raise ConfigError(faults)


def role_patterns(stack: Stack, *, settings: Settings, account: str) -> list[str]:
    """ARN patterns that match the roles of this deployment in an account, and no others of it."""
    organization = settings.organization
    name = f"{organization.role_path.lstrip('/')}{settings.prefix}-*"
    own = stack.format_arn(service="iam", region="", account=account, resource="role", resource_name=name)
    return [own, *organization.roles.values()]


@jsii.implements(IAspect)
class _EveryRole:
    """Sets properties of every role, those included that the CDK makes for functions of its own."""

    def __init__(self, properties: Mapping[str, str]) -> None:
        self._properties = properties

    def visit(self, node: IConstruct) -> None:
        """Of every construct of a stack."""
        if isinstance(node, CfnResource) and node.cfn_resource_type == ROLE:
            for name, value in self._properties.items():
                node.add_property_override(name, value)


def _role_properties(stack: Stack, organization: OrganizationSettings) -> dict[str, str]:
    properties: dict[str, str] = {}
    if organization.role_path != "/":
        properties["Path"] = organization.role_path
    boundary = organization.permissions_boundary
    if boundary is not None:
        properties["PermissionsBoundary"] = (
            boundary
            if boundary.startswith("arn:")
            else stack.format_arn(service="iam", region="", resource="policy", resource_name=boundary)
        )
    return properties


def _role_name(arn: str) -> str:
    """Name with path, as the CDK wants it."""
    return arn.partition(":role/")[2]


def _roles(app: Stage, stack: str, *, prefix: str) -> list[str]:
    """Paths of the roles in a stack, the stack without the deployment's prefix; none without the stack."""
    found = app.node.try_find_child(f"{prefix}-{stack}")
    inside = found.node.find_all() if found is not None else []
    return [node.node.path.removeprefix(f"{prefix}-") for node in inside if isinstance(node, iam.Role)]


def _fault(settings: Settings, path: str, *, problem: str) -> Fault:
    return Fault(
        file=settings.file,
        line=0,
        field=f"organization.roles.{path}",
        problem=problem,
        value=repr(settings.organization.roles.get(path, "nothing")),
        allowed="the role that exists already, for each role in a stack",
    )
