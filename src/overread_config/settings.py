"""The settings of one deployment, typed and frozen; the metadata of each field says how YAML becomes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from overread.review import limits
from overread_config.accounts import ACCOUNT, AccountSettings
from overread_config.adoption import DOMAIN_PATTERN, AdoptSettings
from overread_config.analytics import AnalyticsSettings
from overread_config.forms import INTERFACE_ENDPOINTS, SECTION_NAME, limited
from overread_config.kinds import Choice, Flag, Integer, ListOf, MapOf, Number, Text
from overread_config.labeling import LabelingDeploymentSettings
from overread_config.operations import OperationsSettings
from overread_config.organization import OrganizationSettings
from overread_config.people import TeamSettings, WorkforceSettings
from overread_config.sections import Named, Section, setting
from overread_config.studio import StudioSettings
from overread_config.use_cases import UseCaseSettings

LOG_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)


@dataclass(frozen=True, slots=True)
class ChaosSettings:
    """Faults that the review service makes on purpose, so that their handling is seen to work."""

    duplicate: float = field(
        metadata=setting(Number(0, 1), "Share of status events that are sent twice.", default=0.0)
    )
    delay: float = field(
        metadata=setting(
            Number(0, 0.9), "Share of status events that come a minute or more late.", default=0.0
        )
    )


@dataclass(frozen=True, slots=True)
class StartRateSettings:
    """How fast human loops are started, over all use cases."""

    per_second: float = field(
        metadata=setting(Number(0.01, 1000), "Human loops a second in the long run.", default=2.0)
    )
    burst: int = field(metadata=setting(Integer(1, 10_000), "Human loops at once.", default=10))


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """Where human loops run."""

    backend: str = field(
        metadata=setting(
            Choice(("a2i", "overread")),
            "`a2i`: Amazon Augmented AI, for accounts that have it; it is closed to new customers. "
            "`overread`: the review service, deployed into this account. What follows `start_rate` is of "
            "`overread` only.",
            default="a2i",
        )
    )
    start_rate: StartRateSettings = field(
        metadata=setting(
            Section(StartRateSettings),
            "How fast human loops are started; Amazon A2I refuses what is faster than the account's quota.",
            default={},
        )
    )
    access: str = field(
        metadata=setting(
            Choice(("private", "public")),
            "`private`: portal and API have no public address and answer in the network only. `public`: they "
            "answer in the internet, to people who sign in and to signed calls.",
            default="private",
        )
    )
    leads: tuple[str, ...] = field(
        metadata=setting(
            ListOf(limited(limits.COGNITO_USER_GROUP), fewest=1, most=10),
            "Groups of the identity provider whose members lead the teams that they belong to.",
            default=("leads",),
        )
    )
    statistics: str = field(
        metadata=setting(
            Choice(("off", "pseudonymous", "named")),
            "What leads see of single people's work: nothing, figures under pseudonyms, or by name.",
            default="off",
        )
    )
    sandbox: bool = field(
        metadata=setting(
            Flag(),
            "An application's tests may answer loops over the API, in nobody's name. Never where answers "
            "count: anybody who may call that part of the API decides.",
            default=False,
        )
    )
    chaos: ChaosSettings = field(
        metadata=setting(Section(ChaosSettings), "Faults on purpose, for tests.", default={})
    )


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """The network that handlers and models run in; it has no way to the internet."""

    cidr: str = field(
        metadata=setting(
            Text(longest=18), "Its IPv4 addresses, a private network from /16 to /24.", default="10.64.0.0/20"
        )
    )
    availability_zones: int = field(
        metadata=setting(Integer(2, 3), "How many availability zones it spans.", default=2)
    )
    interface_endpoints: tuple[str, ...] = field(
        metadata=setting(
            ListOf(Choice(INTERFACE_ENDPOINTS)),
            "Interface endpoints beside those that the handlers need (`appconfigdata`, `sagemaker.runtime`, "
            "`secretsmanager`; S3 and DynamoDB have gateway endpoints). Each costs by the hour.",
            default=(),
        )
    )
    proxy_url: str | None = field(
        metadata=setting(
            Text(pattern=r"https?://[^\s/@:]+:[0-9]{1,5}/?", form="such as http://proxy.internal:3128"),
            "An egress proxy. With one, what calls A2I's runtime, a public review service, identity "
            "providers or receivers in the internet runs inside the network; without one outside.",
            default=None,
        )
    )


@dataclass(frozen=True, slots=True)
class KeySettings:
    """The KMS keys."""

    rotation_days: int = field(metadata=setting(Integer(90, 2560), "Days between rotations.", default=365))
    pending_window_days: int = field(
        metadata=setting(Integer(7, 30), "Days in which the deletion of a key can be undone.", default=30)
    )


@dataclass(frozen=True, slots=True)
class AuditLockSettings:
    """Object Lock of the audit bucket."""

    mode: str = field(
        metadata=setting(
            Choice(("off", "governance", "compliance")),
            "`governance` can be lifted with a special permission, `compliance` by nobody, the account's "
            "root included.",
            default="off",
        )
    )
    days: int | None = field(
        metadata=setting(
            Integer(1, 36_500),
            "Days for which audit objects cannot be deleted. Required unless `off`.",
            default=None,
        )
    )


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """How long things are kept."""

    log_days: int = field(
        metadata=setting(Integer(options=LOG_DAYS), "Days that logs are kept.", default=365)
    )
    audit_lock: AuditLockSettings = field(
        metadata=setting(Section(AuditLockSettings), "Object Lock of the audit bucket.", default={})
    )
    removal_policy: str = field(
        metadata=setting(
            Choice(("retain", "destroy")),
            "What becomes of buckets, table and keys when a stack is destroyed; only an empty bucket goes.",
            default="retain",
        )
    )
    termination_protection: bool = field(
        metadata=setting(Flag(), "Stacks cannot be deleted before this is false.", default=False)
    )


@dataclass(frozen=True, slots=True)
class ApiClientSettings:
    """Programs that call the API with an identity provider's tokens (OIDC client credentials)."""

    issuer: str = field(
        metadata=setting(
            limited(limits.OIDC_ENDPOINT, form="an https address"),
            "The identity provider, exactly as its tokens say it in `iss`; its discovery document says where "
            "its keys are.",
        )
    )
    audience: str = field(
        metadata=setting(Text(longest=256), "What tokens for this API say in `aud`; nobody else's may.")
    )


@dataclass(frozen=True, slots=True)
class ApiDomainSettings:
    """A name of the organization's own for the API."""

    name: str = field(
        metadata=setting(
            Text(pattern=DOMAIN_PATTERN, form="a domain name in lower case", longest=253),
            "The name, such as `decisions.acme.example`.",
        )
    )
    certificate_arn: str = field(
        metadata=setting(
            Text(
                pattern=r"arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[\w-]+",
                form="a certificate's ARN in ACM",
                longest=512,
            ),
            "Certificate for it, in the region of the deployment.",
        )
    )


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """The HTTP API."""

    requests_per_second: int = field(
        metadata=setting(Integer(1, 10_000), "Requests a second before callers are throttled.", default=100)
    )
    burst: int = field(
        metadata=setting(Integer(1, 5_000), "Requests at once before callers are throttled.", default=200)
    )
    oidc: ApiClientSettings | None = field(
        metadata=setting(
            Section(ApiClientSettings),
            "Callers with bearer tokens of an identity provider, in place of AWS principals. Kill switches "
            "and the roster take AWS principals all the same.",
            default=None,
        )
    )
    domain: ApiDomainSettings | None = field(
        metadata=setting(
            Section(ApiDomainSettings),
            "A name of one's own; `adopt.hosted_zone` has a record made for it.",
            default=None,
        )
    )


_PERSON = Text(longest=128)


@dataclass(frozen=True, slots=True)
class ChangeSettings:
    """Who answers for this state of the deployment; the audit log keeps it with every change."""

    approval: str = field(
        metadata=setting(
            Choice(("two-person", "one-person")),
            "`two-person`: what one person changes counts when another one approves: `proposed_by` and "
            "`approved_by` are given and differ, models are switched on again and rosters put in force by "
            "two.",
            default="one-person",
        )
    )
    proposed_by: str | None = field(
        metadata=setting(_PERSON, "Who proposes what this file says.", default=None)
    )
    approved_by: str | None = field(
        metadata=setting(_PERSON, "Who approves what this file says; somebody else.", default=None)
    )
    ticket: str | None = field(
        metadata=setting(Text(longest=256), "Where the change is described.", default=None)
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """A deployment. `file` is where it was read from."""

    file: Path
    environment: str = field(
        metadata=setting(
            Text(pattern=r"[a-z][a-z0-9]*", form="lower-case letters and digits, a letter first", longest=12),
            "Name of the deployment; everything it creates begins with `overread-{environment}`, or another "
            "`organization.name_prefix`.",
        )
    )
    account: str | None = field(
        metadata=setting(
            ACCOUNT,
            "The AWS account; by default that of the credentials.",
            default=None,
        )
    )
    region: str | None = field(
        metadata=setting(
            Text(pattern=r"[a-z]{2,3}(-[a-z]+)+-[0-9]", form="such as eu-central-1", longest=32),
            "The AWS region; by default that of the credentials.",
            default=None,
        )
    )
    accounts: AccountSettings = field(
        metadata=setting(Section(AccountSettings), "Parts in accounts of their own.", default={})
    )
    tags: Mapping[str, str] = field(
        metadata=setting(
            MapOf(
                Text(pattern=r"(?!aws:)[\w .:/=+@-]+", form="without the prefix `aws:`", longest=128),
                Text(pattern=r"[\w .:/=+@-]*", form="letters, digits, spaces and _.:/=+-@", shortest=0),
                most=40,
            ),
            "Tags of every resource.",
            default={},
        )
    )
    use_cases: tuple[UseCaseSettings, ...] = field(
        metadata=setting(
            Named(SECTION_NAME, UseCaseSettings, fewest=1),
            "The kinds of decision, by name.",
        )
    )
    review: ReviewSettings = field(
        metadata=setting(Section(ReviewSettings), "Where human loops run.", default={})
    )
    labeling: LabelingDeploymentSettings | None = field(
        metadata=setting(Section(LabelingDeploymentSettings), "Labeling jobs; by default none.", default=None)
    )
    workforce: WorkforceSettings = field(
        metadata=setting(Section(WorkforceSettings), "The account's private workforce.", default={})
    )
    teams: tuple[TeamSettings, ...] = field(
        metadata=setting(
            Named(SECTION_NAME, TeamSettings, fewest=1),
            "Who reviews, by name.",
        )
    )
    policy_rollout: str = field(
        metadata=setting(
            Choice(("all-at-once", "linear")),
            "How a changed routing policy reaches the router: `linear` takes ten minutes, half of the "
            "router's instances each step.",
            default="all-at-once",
        )
    )
    changes: ChangeSettings = field(
        metadata=setting(Section(ChangeSettings), "Who answers for changes.", default={})
    )
    network: NetworkSettings = field(metadata=setting(Section(NetworkSettings), "The network.", default={}))
    keys: KeySettings = field(metadata=setting(Section(KeySettings), "The KMS keys.", default={}))
    retention: RetentionSettings = field(
        metadata=setting(Section(RetentionSettings), "How long things are kept.", default={})
    )
    api: ApiSettings = field(metadata=setting(Section(ApiSettings), "The HTTP API.", default={}))
    operations: OperationsSettings = field(
        metadata=setting(
            Section(OperationsSettings), "When people are told that something is wrong.", default={}
        )
    )
    analytics: AnalyticsSettings | None = field(
        metadata=setting(
            Section(AnalyticsSettings),
            "A daily export for analysts, without case content; by default there is none. `{}` is enough.",
            default=None,
        )
    )
    studio: StudioSettings | None = field(
        metadata=setting(
            Section(StudioSettings), "RStudio Workbench for data scientists; by default none.", default=None
        )
    )
    organization: OrganizationSettings = field(
        metadata=setting(
            Section(OrganizationSettings), "What the organization asks of what is deployed.", default={}
        )
    )
    adopt: AdoptSettings = field(
        metadata=setting(
            Section(AdoptSettings), "What is there already and taken in place of being created.", default={}
        )
    )

    @property
    def prefix(self) -> str:
        """What every name of the deployment begins with."""
        return f"{self.organization.name_prefix}-{self.environment}"
