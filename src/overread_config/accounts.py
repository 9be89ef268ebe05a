"""Which part of a deployment lies in which AWS account, where it is not all in one."""

from __future__ import annotations

from dataclasses import dataclass, field

from overread_config.adoption import id_of
from overread_config.breaches import refuse, refuse_given
from overread_config.faults import FaultList
from overread_config.kinds import ListOf, Text
from overread_config.sections import Branch, Section, setting

ACCOUNT = Text(pattern=r"[0-9]{12}", form="twelve digits in quotes", shortest=12, longest=12)
_OF_ONE_ACCOUNT = ("assets_bucket", "deploy_role_arn", "assets_role_arn", "cloudformation_role_arn")


@dataclass(frozen=True, slots=True)
class ModelAccountSettings:
    """The models' account; their network is there already."""

    account: str = field(metadata=setting(ACCOUNT, "The account of models and endpoints."))
    vpc_id: str = field(metadata=setting(id_of("vpc"), "The VPC, in that account or shared with it."))
    subnet_ids: tuple[str, ...] = field(
        metadata=setting(
            ListOf(id_of("subnet"), fewest=2, most=6), "Subnets of the VPC, one an availability zone."
        )
    )
    security_group_id: str = field(
        metadata=setting(id_of("sg"), "Security group of the models, which let nobody in.")
    )


@dataclass(frozen=True, slots=True)
class AuditAccountSettings:
    """The account of what proves the audit log."""

    account: str = field(metadata=setting(ACCOUNT, "The account of the audit bucket and its key."))


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """Parts in accounts of their own. Decisions, reviews and router are in `account`."""

    model: ModelAccountSettings | None = field(
        metadata=setting(
            Section(ModelAccountSettings),
            "Models and endpoints; the router assumes a role there that may invoke them and nothing else.",
            default=None,
        )
    )
    audit: AuditAccountSettings | None = field(
        metadata=setting(
            Section(AuditAccountSettings),
            "The audit bucket, which the deployment's roles may add to and read, and nobody there who "
            "decides can delete from.",
            default=None,
        )
    )


def check_accounts(root: Branch, faults: FaultList) -> None:
    """Note accounts that are not apart, and what names things of one account for several."""
    accounts = root.get("accounts")
    if not isinstance(accounts, Branch):
        return
    parts = [part for key in ("model", "audit") if isinstance(part := accounts.get(key), Branch)]
    if not parts:
        return
    if root.get("account") is None and not root.gives("account"):
        refuse(
            root,
            "account",
            faults=faults,
            problem="is required with accounts of parts",
            allowed="the account of decisions and reviews, twelve digits in quotes",
        )
    for part in parts:
        if part.get("account") and part.get("account") == root.get("account"):
            refuse(
                part,
                "account",
                faults=faults,
                problem="is the account of decisions and reviews",
                allowed="another account, or leave the part out",
            )
    _check_organization(root, faults)


def _check_organization(root: Branch, faults: FaultList) -> None:
    organization = root.get("organization")
    if not isinstance(organization, Branch):
        return
    boundary = organization.get("permissions_boundary")
    if boundary and boundary.startswith("arn:"):
        refuse(
            organization,
            "permissions_boundary",
            faults=faults,
            problem="is the ARN of one account, and the deployment is in several",
            allowed="the policy's name, the same in each account",
        )
    bootstrap = organization.get("bootstrap")
    if isinstance(bootstrap, Branch):
        refuse_given(bootstrap, *_OF_ONE_ACCOUNT, faults=faults, where="in several accounts")
        if bootstrap.get("credentials") == "caller":
            refuse(
                bootstrap,
                "credentials",
                faults=faults,
                problem="is of one account, and the deployment is in several",
                allowed="`roles`",
            )
