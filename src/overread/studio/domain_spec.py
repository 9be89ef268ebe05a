"""What a domain with RStudio is asked to be, and every combination that SageMaker would refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from overread.studio.workbench import CURRENT, IMAGE_ACCOUNTS, MOST_USERS, SERVER_INSTANCES, VERSIONS

MOST_GROUPS = 2
"""Security groups of a domain with RStudio, those of a user's profile among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudioUser:
    """One R user. `owner`: the IAM user name, role session name or e-mail who may open the profile."""

    name: str
    owner: str
    admin: bool = False
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RImage:
    """A custom image for R sessions: `uri` in ECR, made for one version of Workbench."""

    name: str
    uri: str
    workbench_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainSpec:
    """A domain before it is made; `region` is empty while only CloudFormation knows it."""

    auth_mode: str
    users: tuple[StudioUser, ...]
    region: str
    security_groups: int
    has_public_subnets: bool
    subnets: int
    connect_url: str = ""
    package_manager_url: str = ""
    workbench_version: str = ""
    server_instance: str = ""
    r_images: tuple[RImage, ...] = ()
    data_prefix: str = "r/"
    on_destroy: str = "retain"

    @property
    def version(self) -> str:
        """The version that runs: the named one, or what SageMaker takes by itself."""
        return self.workbench_version or CURRENT


@dataclass(frozen=True, slots=True)
class _Rule:
    message: Callable[[DomainSpec], str]
    breaks: Callable[[DomainSpec, date], bool]


def _past(spec: DomainSpec, today: date) -> bool:
    known = VERSIONS.get(spec.workbench_version)
    return known is not None and today >= known.deprecated


def _names(spec: DomainSpec) -> list[str]:
    return [user.name for user in spec.users]


def _twice(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def _mismatched(spec: DomainSpec) -> list[str]:
    return [
        f"{one.name} ({one.workbench_version})"
        for one in spec.r_images
        if one.workbench_version != spec.version
    ]


_URLS = ("connect_url", "package_manager_url")

_RULES: tuple[_Rule, ...] = (
    _Rule(
        lambda s: f"auth_mode must be IAM or SSO, got {s.auth_mode!r}",
        lambda s, _: s.auth_mode not in ("IAM", "SSO"),
    ),
    _Rule(
        lambda s: f"security_groups must be 1 to {MOST_GROUPS}, got {s.security_groups}",
        lambda s, _: not 1 <= s.security_groups <= MOST_GROUPS,
    ),
    _Rule(
        lambda _: "subnets must be private: public ones reach the internet, and the domain is VpcOnly",
        lambda s, _: s.has_public_subnets,
    ),
    _Rule(lambda s: f"subnets must be 1 to 16, got {s.subnets}", lambda s, _: not 1 <= s.subnets <= 16),
    _Rule(
        lambda s: f"users must be at most {MOST_USERS}, got {len(s.users)}",
        lambda s, _: len(s.users) > MOST_USERS,
    ),
    _Rule(
        lambda s: f"users must have names of their own, got twice: {', '.join(_twice(_names(s)))}",
        lambda s, _: bool(_twice(_names(s))),
    ),
    _Rule(
        lambda s: "users must not be called domain-shared: the name is SageMaker's",
        lambda s, _: "domain-shared" in _names(s),
    ),
    _Rule(
        lambda s: (
            "users must not be administrators without access (AccessStatus DISABLED takes no UserGroup), got "
            + ", ".join(user.name for user in s.users if user.admin and not user.enabled)
        ),
        lambda s, _: any(user.admin and not user.enabled for user in s.users),
    ),
    _Rule(
        lambda s: f"workbench_version must be one of {', '.join(VERSIONS)}, got {s.workbench_version!r}",
        lambda s, _: bool(s.workbench_version) and s.workbench_version not in VERSIONS,
    ),
    _Rule(
        lambda s: (
            f"workbench_version {s.workbench_version} was dropped by AWS on "
            f"{VERSIONS[s.workbench_version].deprecated.isoformat()}: take {CURRENT}"
        ),
        _past,
    ),
    _Rule(
        lambda s: (
            f"region must have an image of Workbench when workbench_version is given: "
            f"{', '.join(sorted(IMAGE_ACCOUNTS))}; got {s.region or 'no region yet'}"
        ),
        lambda s, _: bool(s.workbench_version) and s.region not in IMAGE_ACCOUNTS,
    ),
    _Rule(
        lambda s: f"server_instance must be one of {', '.join(SERVER_INSTANCES)}, got {s.server_instance!r}",
        lambda s, _: bool(s.server_instance) and s.server_instance not in SERVER_INSTANCES,
    ),
    _Rule(
        lambda _: "server_instance must come with workbench_version: both are of one create-only property",
        lambda s, _: bool(s.server_instance) and not s.workbench_version,
    ),
    _Rule(
        lambda s: (
            f"r_images must be made for Workbench {s.version} exactly, or sessions fail; "
            f"got {', '.join(_mismatched(s))}"
        ),
        lambda s, _: bool(_mismatched(s)),
    ),
    _Rule(
        lambda s: (
            "r_images must have names of their own, got twice: "
            + ", ".join(_twice([one.name for one in s.r_images]))
        ),
        lambda s, _: bool(_twice([one.name for one in s.r_images])),
    ),
    *(
        _Rule(
            lambda s, name=name: f"{name} must begin with https://, got {getattr(s, name)!r}",  # type: ignore[misc]
            lambda s, _, name=name: bool(getattr(s, name)) and not getattr(s, name).startswith("https://"),  # type: ignore[misc]
        )
        for name in _URLS
    ),
    _Rule(
        lambda s: f"data_prefix must end in / and not begin with it, got {s.data_prefix!r}",
        lambda s, _: not s.data_prefix.endswith("/") or s.data_prefix.startswith("/"),
    ),
    _Rule(
        lambda s: f"on_destroy must be retain, domain or domain-and-homes, got {s.on_destroy!r}",
        lambda s, _: s.on_destroy not in ("retain", "domain", "domain-and-homes"),
    ),
)


def faults(spec: DomainSpec, *, today: date) -> list[str]:
    """What each broken rule says, all of them."""
    return [rule.message(spec) for rule in _RULES if rule.breaks(spec, today)]
