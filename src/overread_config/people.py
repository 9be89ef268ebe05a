"""The settings of who reviews: the workforce and the teams."""

from __future__ import annotations

from dataclasses import dataclass, field

from overread.review import limits
from overread_config.forms import NAME, NAME_FORM, limited
from overread_config.kinds import Choice, Flag, Integer, ListOf, Text
from overread_config.sections import Section, setting

_HTTPS = limited(limits.OIDC_ENDPOINT, form="an https address")


@dataclass(frozen=True, slots=True)
class CognitoSettings:
    """The Cognito pool that reviewers sign in with."""

    user_pool_id: str | None = field(
        metadata=setting(
            limited(limits.COGNITO_USER_POOL, form="such as eu-west-1_AbCdEf123"),
            "The adopted workforce's pool. `adopt` only, required there.",
            default=None,
        )
    )
    client_id: str | None = field(
        metadata=setting(
            limited(limits.COGNITO_CLIENT_ID),
            "The adopted workforce's app client. `adopt` only, required there.",
            default=None,
        )
    )
    domain_prefix: str | None = field(
        metadata=setting(
            Text(
                pattern=rf"(?!.*(?:aws|amazon|cognito)){NAME}",
                form=f"{NAME_FORM}, without aws, amazon or cognito",
                longest=63,
            ),
            "Prefix of the sign-in page's domain, unique in its region. `create` only; by default "
            "`overread-{environment}-{account}`.",
            default=None,
        )
    )


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """The identity provider of a workforce that is created with OIDC."""

    client_id: str = field(
        metadata=setting(limited(limits.OIDC_CLIENT_ID), "Client id at the identity provider.")
    )
    client_secret_arn: str = field(
        metadata=setting(
            Text(
                pattern=r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:\S+-[A-Za-z0-9]{6}",
                form="the whole ARN of a secret in Secrets Manager, with the six characters at its end",
                longest=512,
            ),
            "Where Secrets Manager holds the client secret; it is never written in a template. The review "
            "service reads one that is encrypted with Secrets Manager's own key.",
        )
    )
    issuer: str = field(metadata=setting(_HTTPS, "Issuer."))
    authorization_endpoint: str = field(metadata=setting(_HTTPS, "Authorization endpoint."))
    token_endpoint: str = field(metadata=setting(_HTTPS, "Token endpoint."))
    user_info_endpoint: str = field(metadata=setting(_HTTPS, "User info endpoint."))
    logout_endpoint: str = field(metadata=setting(_HTTPS, "Logout endpoint."))
    jwks_uri: str = field(metadata=setting(_HTTPS, "Where the provider's signing keys are."))


@dataclass(frozen=True, slots=True)
class WorkforceSettings:
    """The one private workforce that an account has in a region."""

    mode: str = field(
        metadata=setting(
            Choice(("adopt", "create")),
            "`adopt` uses the workforce that is there and never changes it. `create` makes it: once in an "
            "account and region, and it outlives the stack. With backend `overread` it is always `create`.",
            default="adopt",
        )
    )
    name: str = field(
        metadata=setting(
            limited(limits.WORKFORCE_NAME, form="letters, digits and hyphens"),
            "Name of the workforce.",
            default="default",
        )
    )
    identity: str = field(
        metadata=setting(Choice(("cognito", "oidc")), "What its reviewers sign in with.", default="cognito")
    )
    cognito: CognitoSettings = field(
        metadata=setting(
            Section(CognitoSettings), "The Cognito pool. With `identity: cognito` only.", default={}
        )
    )
    oidc: OidcSettings | None = field(
        metadata=setting(
            Section(OidcSettings),
            "The identity provider. With `identity: oidc` and `mode: create` only, required there.",
            default=None,
        )
    )
    source_ip_cidrs: tuple[str, ...] = field(
        metadata=setting(
            ListOf(Text(longest=64), most=limits.SOURCE_IP_CIDRS.maximum),
            "Networks from which the reviewers' portal answers. `create` only. Empty means all; of a private "
            "review service it means the deployment's own network only, to which others need a route.",
            default=(),
        )
    )


@dataclass(frozen=True, slots=True)
class CapacitySettings:
    """How much a team is given at a time."""

    reviewers: int = field(metadata=setting(Integer(1, 100_000), "How many people review at a time."))
    open_per_reviewer: int = field(
        metadata=setting(
            Integer(1, 1000),
            "Human loops that are open at most for each of them; other cases wait, the most urgent first.",
            default=3,
        )
    )
    max_waiting: int | None = field(
        metadata=setting(
            Integer(1, 1_000_000),
            "Cases that may wait before others of priority `low` are refused with 429; by default any "
            "number.",
            default=None,
        )
    )


@dataclass(frozen=True, slots=True)
class TeamSettings:
    """Who reviews."""

    name: str
    kind: str = field(
        metadata=setting(
            Choice(("private", "vendor", "public")),
            "`private`: groups of the workforce. `vendor`: a Marketplace vendor; with backend `overread` a "
            "company with an identity provider of its own. `public`: Mechanical Turk.",
            default="private",
        )
    )
    description: str = field(
        metadata=setting(limited(limits.WORKTEAM_DESCRIPTION), "Who they are.", default="Reviewers")
    )
    groups: tuple[str, ...] = field(
        metadata=setting(
            ListOf(limited(limits.COGNITO_USER_GROUP), most=limits.MEMBER_DEFINITIONS.maximum),
            "Groups of the identity provider whose members are the team. `private` only.",
            default=(),
        )
    )
    capacity: CapacitySettings | None = field(
        metadata=setting(
            Section(CapacitySettings),
            "How much the team is given at a time; by default all at once.",
            default=None,
        )
    )
    arn: str | None = field(
        metadata=setting(
            Text(
                pattern=r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:[0-9]{12}:workteam/(private|vendor)-crowd/[A-Za-z0-9_-]+",
                form="the ARN of a private-crowd or vendor-crowd work team",
            ),
            "A work team that exists: required for `vendor`; for `private` instead of `groups`. "
            "Backend `a2i` only.",
            default=None,
        )
    )
    title: str | None = field(
        metadata=setting(
            Text(longest=100),
            "The company's name on the sign-in page. `vendor` with backend `overread` only, required there.",
            default=None,
        )
    )
    oidc: OidcSettings | None = field(
        metadata=setting(
            Section(OidcSettings),
            "The company's own identity provider: whoever it signs in sees this team's tasks and no others. "
            "`vendor` with backend `overread` only, required there.",
            default=None,
        )
    )
    data_free_of_personal_information: bool = field(
        metadata=setting(
            Flag(),
            "Declares that its tasks hold no personal information. `public` only, must be true there.",
            default=False,
        )
    )
    acknowledge_closure: bool = field(
        metadata=setting(
            Flag(),
            "Acknowledges that Mechanical Turk is closed to new customers and can stop at any time. "
            "`public` only, must be true there.",
            default=False,
        )
    )
