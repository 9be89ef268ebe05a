"""Faults of workforce and teams."""

from __future__ import annotations

from tests.unit.config.broken import (
    OIDC,
    PRIVATE_ARN,
    VENDOR_ARN,
    Broken,
    oidc,
    public,
    review,
    team,
    workforce,
)
from tests.unit.config.conftest import changed

PEOPLE: dict[str, Broken] = {
    # Workforce
    "workforce": Broken(
        changed("workforce:\n  mode: adopt\n  identity: oidc", "workforce: default"),
        "workforce",
        "workforce",
        "'default'",
        "`mode`",
    ),
    "workforce_mode": Broken(
        workforce("  mode: import\n  identity: oidc"),
        "import",
        "workforce.mode",
        "'import'",
        "`adopt` or `create`",
    ),
    "workforce_name": Broken(
        workforce("  name: my_force\n  identity: oidc"), "my_force", "workforce.name", "'my_force'", "hyphens"
    ),
    "workforce_identity": Broken(
        workforce("  identity: saml"), "saml", "workforce.identity", "'saml'", "`cognito` or `oidc`"
    ),
    "workforce_cognito": Broken(
        workforce("  mode: create\n  cognito: pool"), "pool", "workforce.cognito", "'pool'", "`user_pool_id`"
    ),
    "workforce_cognito_with_oidc": Broken(
        workforce("  identity: oidc\n  cognito: {}"),
        "cognito",
        "workforce.cognito",
        "",
        "leave it out",
        "no meaning",
    ),
    "user_pool_id": Broken(
        workforce("  cognito: {user_pool_id: pool, client_id: abc}"),
        "pool",
        "workforce.cognito.user_pool_id",
        "'pool'",
        "eu-west-1_AbCdEf123",
    ),
    "user_pool_id_missing": Broken(
        workforce("  cognito: {client_id: abc}"),
        "client_id",
        "workforce.cognito.user_pool_id",
        "nothing",
        "those of the existing workforce",
        "required with mode adopt and identity cognito",
    ),
    "client_id": Broken(
        workforce("  cognito: {user_pool_id: eu_1, client_id: 'é'}"),
        "client_id",
        "workforce.cognito.client_id",
        "'é'",
        "1 to 1024",
    ),
    "user_pool_of_a_created_workforce": Broken(
        workforce("  mode: create\n  cognito: {user_pool_id: eu_1}"),
        "eu_1",
        "workforce.cognito.user_pool_id",
        "'eu_1'",
        "leave it out",
    ),
    "domain_prefix": Broken(
        workforce("  mode: create\n  cognito: {domain_prefix: my-aws}"),
        "my-aws",
        "workforce.cognito.domain_prefix",
        "'my-aws'",
        "without aws",
    ),
    "domain_prefix_of_an_adopted_workforce": Broken(
        workforce("  cognito: {user_pool_id: eu_1, client_id: abc, domain_prefix: x}"),
        "domain_prefix",
        "workforce.cognito.domain_prefix",
        "'x'",
        "leave it out",
    ),
    "workforce_oidc": Broken(
        workforce("  mode: create\n  identity: oidc\n  oidc: keycloak"),
        "keycloak",
        "workforce.oidc",
        "'keycloak'",
        "`issuer`",
    ),
    "oidc_missing": Broken(
        workforce("  mode: create\n  identity: oidc"),
        "workforce:",
        "workforce.oidc",
        "nothing",
        "identity provider",
        "is required",
    ),
    "oidc_of_an_adopted_workforce": Broken(
        oidc().replace("mode: create", "mode: adopt"), "  oidc:", "workforce.oidc", "", "leave it out"
    ),
    "oidc_with_cognito": Broken(
        oidc().replace("identity: oidc", "identity: cognito"), "  oidc:", "workforce.oidc", "", "leave it out"
    ),
    "oidc_client_id": Broken(
        oidc(client_id="''"),
        "client_id: ''",
        "workforce.oidc.client_id",
        "the text ''",
        "1 to 1024 characters",
    ),
    "oidc_client_secret_arn": Broken(
        oidc(client_secret_arn="hunter2"),
        "hunter2",
        "workforce.oidc.client_secret_arn",
        "'hunter2'",
        "the whole ARN of a secret",
    ),
    **{
        f"oidc_{name}": Broken(
            oidc(**{name: "http://id.example"}),
            f"{name}: http:",
            f"workforce.oidc.{name}",
            "'http://id.example'",
            "an https address",
        )
        for name in OIDC
        if name not in ("client_id", "client_secret_arn")
    },
    "source_ip_cidrs": Broken(
        workforce("  mode: create\n  source_ip_cidrs: [everywhere]"),
        "everywhere",
        "workforce.source_ip_cidrs",
        "everywhere",
        "203.0.113.0/24",
    ),
    "source_ip_cidrs_of_an_adopted_workforce": Broken(
        workforce("  identity: oidc\n  source_ip_cidrs: [203.0.113.0/24]"),
        "source_ip",
        "workforce.source_ip_cidrs",
        "203.0.113.0/24",
        "leave it out",
    ),
    # Teams
    "teams": Broken(
        changed("teams:\n  readers:\n    groups: [readers]", "teams: [readers]"),
        "teams",
        "teams",
        "a list",
        "at least 1",
    ),
    "team_kind": Broken(
        team("    kind: robots"), "robots", "teams.readers.kind", "'robots'", "`private` or `vendor`"
    ),
    "team_description": Broken(
        team("    groups: [readers]\n    description: ''"),
        "description: ''",
        "teams.readers.description",
        "''",
        "1 to 200",
    ),
    "team_groups": Broken(
        team("    groups: readers"), "groups", "teams.readers.groups", "'readers'", "a list"
    ),
    "team_without_groups": Broken(
        team("    kind: private"),
        "readers:",
        "teams.readers.groups",
        "()",
        "1 to 10 groups",
        "required for a private",
    ),
    "team_group_too_long_for_oidc": Broken(
        team(f"    groups: [{'g' * 64}]"), "ggg", "teams.readers.groups", "ggg", "at most 63 characters"
    ),
    "team_arn": Broken(
        team("    kind: vendor\n    arn: acme"),
        "acme",
        "teams.readers.arn",
        "'acme'",
        "vendor-crowd work team",
    ),
    "team_arn_and_groups": Broken(
        team(f"    groups: [readers]\n    arn: {PRIVATE_ARN}"),
        "arn:",
        "teams.readers.arn",
        "acme",
        "either groups or arn",
    ),
    "team_arn_of_another_kind": Broken(
        team(f"    arn: {VENDOR_ARN}"), "arn:", "teams.readers.arn", "acme", "private-crowd"
    ),
    "vendor_without_arn": Broken(
        team("    kind: vendor"),
        "readers:",
        "teams.readers.arn",
        "nothing",
        "ARN",
        "required for a vendor team",
    ),
    "vendor_with_groups": Broken(
        team(f"    kind: vendor\n    arn: {VENDOR_ARN}\n    groups: [a]"),
        "groups",
        "teams.readers.groups",
        "a",
        "leave it out",
    ),
    "public_with_groups": Broken(
        public(review("price_usd: 0.036\n      availability_s: 600")) + "    groups: [a]\n",
        "groups: [a]",
        "teams.readers.groups",
        "a",
        "leave it out",
    ),
    "public_undeclared": Broken(
        public(review("price_usd: 0.036\n      availability_s: 600")).replace(
            "    data_free_of_personal_information: true\n", ""
        ),
        "  readers:",
        "teams.readers.data_free_of_personal_information",
        "False",
        "`true`",
        "must be declared",
    ),
    "public_unacknowledged": Broken(
        public(review("price_usd: 0.036\n      availability_s: 600")).replace(
            "acknowledge_closure: true", "acknowledge_closure: false"
        ),
        "acknowledge_closure",
        "teams.readers.acknowledge_closure",
        "False",
        "`true`",
        "Mechanical Turk",
    ),
    "declared_for_a_private_team": Broken(
        team("    groups: [readers]\n    acknowledge_closure: true"),
        "acknowledge",
        "teams.readers.acknowledge_closure",
        "True",
        "leave it out",
    ),
    "data_free_of_personal_information": Broken(
        team("    groups: [readers]\n    data_free_of_personal_information: 1"),
        "data_free",
        "teams.readers.data_free_of_personal_information",
        "the integer '1'",
        "`true` or `false`",
    ),
}
