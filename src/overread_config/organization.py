"""What an organization asks of everything that is deployed into its accounts, and the rules between it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from overread_config.breaches import refuse, refuse_given
from overread_config.faults import FaultList
from overread_config.kinds import Choice, ListOf, MapOf, Text
from overread_config.sections import Branch, Section, setting

DEFAULT_NAME_PREFIX = "overread"
LONGEST_PREFIX = 20
"""Of name prefix and environment: IAM keeps 24 characters of a stack's name in the names of its roles."""

_ACCOUNT = r"arn:aws[a-z-]*:iam::[0-9]{12}"
_NAME = r"[\w+=,.@-]+"
_ROLE_ARN = Text(pattern=rf"{_ACCOUNT}:role/({_NAME}/)*{_NAME}", form="a role's ARN", longest=1024)
_ROLES_OF_BOOTSTRAP = ("deploy_role_arn", "assets_role_arn", "cloudformation_role_arn")


@dataclass(frozen=True, slots=True)
class BootstrapSettings:
    """Through which bucket and roles the CDK's command line deploys."""

    qualifier: str | None = field(
        metadata=setting(
            Text(pattern=r"[a-z0-9]{1,10}", form="lower-case letters and digits", longest=10),
            "Qualifier of the account's bootstrap stack; by default the CDK's.",
            default=None,
        )
    )
    credentials: str = field(
        metadata=setting(
            Choice(("roles", "caller")),
            "`roles`: the command line assumes roles, the bootstrap stack's or those below; `caller`: it "
            "deploys with the credentials that it was started with.",
            default="roles",
        )
    )
    assets_bucket: str | None = field(
        metadata=setting(
            Text(pattern=r"[a-z0-9][a-z0-9.-]*[a-z0-9]", form="a bucket's name", shortest=3, longest=63),
            "Bucket for templates and code in place of the bootstrap stack's; its version is then not "
            "looked at.",
            default=None,
        )
    )
    deploy_role_arn: str | None = field(
        metadata=setting(_ROLE_ARN, "Role that starts deployments.", default=None)
    )
    assets_role_arn: str | None = field(
        metadata=setting(_ROLE_ARN, "Role that uploads templates and code.", default=None)
    )
    cloudformation_role_arn: str | None = field(
        metadata=setting(_ROLE_ARN, "Role that CloudFormation works with.", default=None)
    )


@dataclass(frozen=True, slots=True)
class OrganizationSettings:
    """What roles, names and tags must be like where this is deployed."""

    name_prefix: str = field(
        metadata=setting(
            Text(
                pattern=r"[a-z](-?[a-z0-9])*", form="lower-case letters, digits, single hyphens", longest=18
            ),
            "What every name begins with, before `-{environment}`; stacks and roles too.",
            default=DEFAULT_NAME_PREFIX,
        )
    )
    permissions_boundary: str | None = field(
        metadata=setting(
            Text(
                pattern=rf"({_ACCOUNT}:policy/)?({_NAME}/)*{_NAME}",
                form="a policy's ARN, or its name in the account",
                longest=1024,
            ),
            "Permissions boundary of every role that is created.",
            default=None,
        )
    )
    role_path: str = field(
        metadata=setting(
            Text(pattern=rf"/({_NAME}/)*", form="beginning and ending with a slash", longest=512),
            "IAM path of every role that is created.",
            default="/",
        )
    )
    roles: Mapping[str, str] = field(
        metadata=setting(
            MapOf(Text(pattern=r"[a-z]+(/[\w-]+)+", form="a stack and a path in it"), _ROLE_ARN),
            "Roles that exist already, by the construct that would create them, such as "
            "`network/FlowsRole`: all of a stack, or none. `iam-policy-report.txt` beside the templates says "
            "what each must allow.",
            default={},
        )
    )
    required_tags: tuple[str, ...] = field(
        metadata=setting(ListOf(Text(longest=128), most=40), "Keys that `tags` must have.", default=())
    )
    bootstrap: BootstrapSettings = field(
        metadata=setting(Section(BootstrapSettings), "How it is deployed.", default={})
    )


def check_organization(root: Branch, faults: FaultList) -> None:
    """Note what the organization asks for and the file does not do."""
    organization = root.get("organization")
    if not isinstance(organization, Branch):
        return
    prefix, environment = organization.get("name_prefix"), root.get("environment")
    if prefix and environment and len(f"{prefix}-{environment}") > LONGEST_PREFIX + 1:
        refuse(
            organization,
            "name_prefix",
            faults=faults,
            problem=f"is too long beside the environment `{environment}`",
            allowed=f"at most {LONGEST_PREFIX - len(environment)} characters here",
        )
    tags = root.get("tags")
    missing = [key for key in organization.get("required_tags") or () if tags is not None and key not in tags]
    if missing:
        refuse(
            organization,
            "required_tags",
            faults=faults,
            problem="asks for tags that are not given: " + ", ".join(f"`{key}`" for key in missing),
            allowed="keys of `tags`",
        )
    bootstrap = organization.get("bootstrap")
    if isinstance(bootstrap, Branch) and bootstrap.get("credentials") == "caller":
        refuse_given(bootstrap, *_ROLES_OF_BOOTSTRAP, faults=faults, where="with the caller's credentials")
