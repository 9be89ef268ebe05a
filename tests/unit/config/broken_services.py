"""Faults of a deployment whose reviews are by the review service, or that takes it for one."""

from __future__ import annotations

from tests.unit.config.broken import (
    LOANS,
    OIDC,
    PRIVATE_ARN,
    VENDOR_ARN,
    Broken,
    own,
    public,
    review,
    service,
    team,
    top,
    vendor,
)
from tests.unit.config.conftest import VALID, changed

_OIDC_FIELD = "teams.readers.oidc"

SERVICES: dict[str, Broken] = {
    # The service
    "access": Broken(
        service("access: internet"),
        "internet",
        "review.access",
        "the text 'internet'",
        "`private` or `public`",
        "is not one of the words",
    ),
    "leads": Broken(service("leads: heads"), "leads", "review.leads", "'heads'", "a list of 1 to 10"),
    "leads_empty": Broken(service("leads: []"), "leads", "review.leads", "a list", "a list of 1 to 10"),
    "lead_group": Broken(
        service(f"leads: [{'g' * 129}]"),
        "ggg",
        "review.leads[0]",
        "ggg",
        "1 to 128 characters",
    ),
    "statistics": Broken(
        service("statistics: public"),
        "statistics",
        "review.statistics",
        "the text 'public'",
        "`off` or `pseudonymous` or `named`",
    ),
    "sandbox": Broken(
        service("sandbox: 1"), "sandbox", "review.sandbox", "the integer '1'", "`true` or `false`"
    ),
    "chaos": Broken(service("chaos: 0.1"), "chaos", "review.chaos", "the number '0.1'", "`duplicate`"),
    "chaos_duplicate": Broken(
        service("chaos: {duplicate: 1.1}"),
        "chaos",
        "review.chaos.duplicate",
        "the number '1.1'",
        "a number in [0, 1]",
    ),
    "chaos_duplicate_nan": Broken(
        service("chaos: {duplicate: .nan}"),
        "chaos",
        "review.chaos.duplicate",
        "'.nan'",
        "a number in [0, 1]",
    ),
    # With a delay of all events none would ever come.
    "chaos_delay": Broken(
        service("chaos: {delay: 1}"), "chaos", "review.chaos.delay", "the integer '1'", "a number in [0, 0.9]"
    ),
    # Use cases
    "guideline_version": Broken(
        own(review(f"guideline_version: {'v' * 65}")),
        "guideline",
        f"{LOANS}.review.guideline_version",
        "vvv",
        "1 to 64 characters",
    ),
    "guideline_version_is_a_number": Broken(
        own(review("guideline_version: 2026.1")),
        "guideline",
        f"{LOANS}.review.guideline_version",
        "the number '2026.1'",
        "a text",
        "quotes",
    ),
    "guideline_version_is_no_tag": Broken(
        own(review("guideline_version: 'draft #2'")),
        "guideline",
        f"{LOANS}.review.guideline_version",
        "'draft #2'",
        "letters, digits, spaces and _.:/=+-@",
        "another form",
    ),
    "qualification": Broken(
        own(review("qualification: Loans")),
        "qualification",
        f"{LOANS}.review.qualification",
        "'Loans'",
        "lower-case letters, digits and hyphens",
    ),
    # Workforce
    "workforce_is_adopted": Broken(
        own(VALID).replace("mode: create", "mode: adopt"),
        "mode: adopt",
        "workforce.mode",
        "'adopt'",
        "`create`",
        "the review service has one of its own",
    ),
    "workforce_is_adopted_by_default": Broken(
        own(VALID).replace("workforce:\n  mode: create\n", ""),
        "environment: test",
        "workforce.mode",
        "'adopt'",
        "`create`",
    ),
    "workforce_name": Broken(
        own(VALID).replace("mode: create", "mode: create\n  name: readers"),
        "name: readers",
        "workforce.name",
        "'readers'",
        "leave it out",
        "has no meaning with backend overread",
    ),
    # Teams
    "team_has_an_arn": Broken(
        own(team(f"    groups: [readers]\n    arn: {PRIVATE_ARN}")),
        "arn:",
        "teams.readers.arn",
        "private-crowd",
        "leave it out",
        "has no meaning with backend overread",
    ),
    "team_without_groups": Broken(
        own(team("    kind: private")),
        "readers:",
        "teams.readers.groups",
        "()",
        "1 to 10 groups of the identity provider",
        "required for a private team",
    ),
    "team_is_public": Broken(
        own(public(review("availability_s: 600\n      price_usd: 0.036"))),
        "kind: public",
        "teams.readers.kind",
        "'public'",
        "`private` or `vendor`",
        "Mechanical Turk",
    ),
    "title_of_a_private_team": Broken(
        own(team("    groups: [readers]\n    title: Us")),
        "title: Us",
        "teams.readers.title",
        "'Us'",
        "leave it out",
        "for a private team",
    ),
    "oidc_of_a_private_team": Broken(
        vendor().replace("kind: vendor\n    title: Acme", "groups: [readers]"),
        "    oidc:",
        "teams.readers.oidc",
        "",
        "leave it out",
        "for a private team",
    ),
    "vendor_without_a_title": Broken(
        vendor(leave="title"),
        "readers:",
        "teams.readers.title",
        "nothing",
        "the company's name",
        "is required for a vendor team with backend overread",
    ),
    "vendor_title": Broken(
        vendor().replace("title: Acme", f"title: {'A' * 101}"),
        "title: AAA",
        "teams.readers.title",
        "AAA",
        "1 to 100 characters",
    ),
    "vendor_without_oidc": Broken(
        own(team("    kind: vendor\n    title: Acme")),
        "readers:",
        "teams.readers.oidc",
        "nothing",
        "identity provider",
        "is required for a vendor team with backend overread",
    ),
    "vendor_oidc": Broken(
        own(team("    kind: vendor\n    title: Acme\n    oidc: okta")),
        "okta",
        "teams.readers.oidc",
        "'okta'",
        "`issuer`",
    ),
    "vendor_with_an_arn": Broken(
        vendor(more=f"    arn: {VENDOR_ARN}"),
        "    arn:",
        "teams.readers.arn",
        VENDOR_ARN,
        "leave it out",
        "for a vendor team with backend overread",
    ),
    "vendor_with_groups": Broken(
        vendor(more="    groups: [readers]"),
        "    groups:",
        "teams.readers.groups",
        "readers",
        "leave it out",
    ),
    "vendor_with_a_declaration": Broken(
        vendor(more="    acknowledge_closure: true"),
        "acknowledge",
        "teams.readers.acknowledge_closure",
        "True",
        "leave it out",
    ),
    **{
        f"vendor_named_{name}": Broken(
            vendor().replace("readers", name),
            f"  {name}:",
            f"teams.{name}",
            f"'{name}'",
            "any other name",
            "means something else",
        )
        for name in ("workforce", "invited", "sandbox")
    },
    "vendor_oidc_client_id": Broken(
        vendor(client_id="''"),
        "client_id: ''",
        f"{_OIDC_FIELD}.client_id",
        "the text ''",
        "1 to 1024 characters",
    ),
    "vendor_oidc_client_secret_arn": Broken(
        vendor(client_secret_arn="hunter2"),
        "hunter2",
        f"{_OIDC_FIELD}.client_secret_arn",
        "'hunter2'",
        "the whole ARN of a secret",
    ),
    # IAM knows a secret by its whole ARN only: the sign-in function could not read it.
    "vendor_oidc_client_secret_arn_in_part": Broken(
        vendor(client_secret_arn=OIDC["client_secret_arn"].removesuffix("-AbCdEf")),
        "client_secret_arn",
        f"{_OIDC_FIELD}.client_secret_arn",
        ":secret:oidc'",
        "with the six characters at its end",
        "has another form",
    ),
    **{
        f"vendor_oidc_{name}": Broken(
            vendor(**{name: "http://id.example"}),
            f"{name}: http:",
            f"{_OIDC_FIELD}.{name}",
            "'http://id.example'",
            "an https address",
        )
        for name in OIDC
        if name not in ("client_id", "client_secret_arn")
    },
    # What A2I has not
    **{
        f"{name}_of_a2i": Broken(
            top(f"review: {{{name}: {value}}}"),
            f"{name}:",
            f"review.{name}",
            shown,
            "leave it out",
            "has no meaning with backend a2i",
        )
        for name, value, shown in (
            ("access", "public", "'public'"),
            ("leads", "[heads]", "heads"),
            ("statistics", "named", "'named'"),
            ("sandbox", "true", "True"),
            ("chaos", "{delay: 0.1}", ""),
        )
    },
    "guideline_version_of_a2i": Broken(
        review("guideline_version: v1"),
        "guideline",
        f"{LOANS}.review.guideline_version",
        "'v1'",
        "leave it out",
        "has no meaning with backend a2i",
    ),
    "qualification_of_a2i": Broken(
        review("qualification: loans"),
        "qualification",
        f"{LOANS}.review.qualification",
        "'loans'",
        "leave it out",
        "has no meaning with backend a2i",
    ),
    "title_of_a_team_of_a2i": Broken(
        team("    groups: [readers]\n    title: Us"),
        "title: Us",
        "teams.readers.title",
        "'Us'",
        "leave it out",
        "has no meaning with backend a2i",
    ),
    "oidc_of_a_team_of_a2i": Broken(
        changed("    groups: [readers]", "    groups: [readers]\n" + vendor().partition("Acme\n")[2]).replace(
            "  backend: overread", "  backend: a2i"
        ),
        "    oidc:",
        "teams.readers.oidc",
        "",
        "leave it out",
        "has no meaning with backend a2i",
    ),
}
