"""Faults of what the organization asks for."""

from __future__ import annotations

from tests.unit.config.broken import Broken, top

ROLE = "arn:aws:iam::111122223333:role/deployer"


def organization(*lines: str) -> str:
    """VALID in an organization."""
    return top("\n  ".join(("organization:", *lines)))


def bootstrap(line: str) -> str:
    """VALID, deployed in a way of its own."""
    return organization(f"bootstrap: {{{line}}}")


ORGANIZATION: dict[str, Broken] = {
    "organization": Broken(
        top("organization: acme"),
        "organization: acme",
        "organization",
        "'acme'",
        "`name_prefix`",
        "must be a mapping",
    ),
    "organization_prefix": Broken(
        organization("name_prefix: Acme"), "Acme", "organization.name_prefix", "'Acme'", "lower-case letters"
    ),
    "organization_long_prefix": Broken(
        organization("name_prefix: acme-machines-all"),
        "acme-machines-all",
        "organization.name_prefix",
        "acme-machines-all",
        "characters here",
        "too long beside the environment",
    ),
    "organization_boundary": Broken(
        organization("permissions_boundary: a b"),
        "a b",
        "organization.permissions_boundary",
        "'a b'",
        "a policy's ARN",
    ),
    "organization_path": Broken(
        organization("role_path: acme"), "role_path", "organization.role_path", "'acme'", "with a slash"
    ),
    "organization_roles": Broken(
        organization("roles: deployer"),
        "deployer",
        "organization.roles",
        "'deployer'",
        "a mapping",
    ),
    "organization_role": Broken(
        organization("roles: {data/Key/Role: deployer}"),
        "deployer",
        "organization.roles.data/Key/Role",
        "'deployer'",
        "a role's ARN",
    ),
    "organization_tags": Broken(
        organization("required_tags: [1]"), "required_tags", "organization.required_tags[0]", "1", "a text"
    ),
    "organization_bootstrap": Broken(
        organization("bootstrap: own"),
        "bootstrap: own",
        "organization.bootstrap",
        "'own'",
        "`qualifier`",
        "must be a mapping",
    ),
    "organization_qualifier": Broken(
        bootstrap("qualifier: ACME"),
        "ACME",
        "organization.bootstrap.qualifier",
        "'ACME'",
        "lower-case letters",
    ),
    "organization_credentials": Broken(
        bootstrap("credentials: mine"),
        "mine",
        "organization.bootstrap.credentials",
        "'mine'",
        "`roles` or `caller`",
    ),
    "organization_assets": Broken(
        bootstrap("assets_bucket: Acme_Assets"),
        "Acme_Assets",
        "organization.bootstrap.assets_bucket",
        "'Acme_Assets'",
        "a bucket's name",
    ),
    **{
        f"organization_{name}": Broken(
            bootstrap(f"{name}: deployer"),
            "deployer",
            f"organization.bootstrap.{name}",
            "'deployer'",
            "a role's ARN",
        )
        for name in ("deploy_role_arn", "assets_role_arn", "cloudformation_role_arn")
    },
    "organization_roles_of_callers": Broken(
        bootstrap(f"credentials: caller, deploy_role_arn: {ROLE}"),
        "deploy_role_arn",
        "organization.bootstrap.deploy_role_arn",
        ROLE,
        "leave it out",
    ),
    "organization_missing_tag": Broken(
        organization("required_tags: [data-owner]"),
        "required_tags",
        "organization.required_tags",
        "data-owner",
        "keys of `tags`",
        "asks for tags that are not given",
    ),
}
