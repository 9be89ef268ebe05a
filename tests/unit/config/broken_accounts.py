"""Faults of parts in accounts of their own."""

from __future__ import annotations

from tests.unit.config.broken import Broken, top

OWN = "111122223333"
NETWORK = "subnet_ids: [subnet-01234567, subnet-89abcdef], security_group_id: sg-01234567"
AUDIT = '  audit: {account: "333344445555"}'


def parts(*lines: str, own: str = f'account: "{OWN}"') -> str:
    """VALID in an account, with parts in others."""
    return top("\n".join((own, "accounts:", *lines)))


def model(account: str = "222233334444", vpc: str = "vpc-01234567", network: str = NETWORK) -> str:
    """Models apart."""
    return parts(f'  model: {{account: "{account}", vpc_id: {vpc}, {network}}}')


def organized(line: str) -> str:
    """An audit account in an organization."""
    return parts(AUDIT, "organization:", f"  {line}")


ACCOUNTS: dict[str, Broken] = {
    "accounts": Broken(
        top("accounts: many"), "accounts: many", "accounts", "'many'", "`model`", "must be a mapping"
    ),
    "accounts_model": Broken(
        parts("  model: 2"), "model: 2", "accounts.model", "2", "`account`", "must be a mapping"
    ),
    "accounts_model_account": Broken(
        model(account="22"), "  model: {", "accounts.model.account", "'22'", "twelve digits in quotes"
    ),
    "accounts_model_vpc": Broken(
        model(vpc="here"), "  model: {", "accounts.model.vpc_id", "'here'", "such as vpc-"
    ),
    "accounts_model_subnet": Broken(
        model().replace("subnet-89abcdef", "subnet-x"),
        "  model: {",
        "accounts.model.subnet_ids[1]",
        "'subnet-x'",
        "such as subnet-",
    ),
    "accounts_model_group": Broken(
        model().replace("sg-01234567", "all"),
        "  model: {",
        "accounts.model.security_group_id",
        "'all'",
        "such as sg-",
    ),
    "accounts_audit": Broken(
        parts("  audit: x"), "audit: x", "accounts.audit", "'x'", "`account`", "must be a mapping"
    ),
    "accounts_audit_account": Broken(
        parts('  audit: {account: "3"}'), "audit:", "accounts.audit.account", "'3'", "twelve digits in quotes"
    ),
    "accounts_without_own": Broken(
        parts(AUDIT, own=""), "", "account", "nothing", "twelve digits", "is required with accounts of parts"
    ),
    "accounts_audit_is_own": Broken(
        parts(f'  audit: {{account: "{OWN}"}}'),
        "audit:",
        "accounts.audit.account",
        OWN,
        "another account",
        "is the account of decisions and reviews",
    ),
    "accounts_boundary_of_one": Broken(
        organized(f"permissions_boundary: arn:aws:iam::{OWN}:policy/edge"),
        "permissions_boundary",
        "organization.permissions_boundary",
        f"arn:aws:iam::{OWN}:policy/edge",
        "the policy's name",
        "is the ARN of one account",
    ),
    "accounts_bucket_of_one": Broken(
        organized("bootstrap: {assets_bucket: acme-assets}"),
        "bootstrap:",
        "organization.bootstrap.assets_bucket",
        "'acme-assets'",
        "leave it out",
        "in several accounts",
    ),
    "accounts_caller": Broken(
        organized("bootstrap: {credentials: caller}"),
        "bootstrap:",
        "organization.bootstrap.credentials",
        "'caller'",
        "`roles`",
        "in several",
    ),
}
