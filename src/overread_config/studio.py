"""The settings of RStudio Workbench on SageMaker."""

from __future__ import annotations

from dataclasses import dataclass, field

from overread.studio.domain_spec import RImage, StudioUser
from overread.studio.workbench import CURRENT, IMAGE_ACCOUNTS, MOST_USERS, SERVER_INSTANCES, VERSIONS
from overread_config.breaches import refuse, require
from overread_config.faults import FaultList
from overread_config.kinds import Choice, Flag, ListOf, Text
from overread_config.sections import Branch, Section, setting

_NAME = Text(pattern=r"[a-zA-Z0-9](-*[a-zA-Z0-9])*", form="letters, digits and hyphens inside", longest=50)
_HTTPS = Text(pattern=r"https://[^\s]+", form="an https address", longest=1024)
_INSTANCE = Text(pattern=r"ml\.[a-z0-9-]+\.[a-z0-9]+", form="such as ml.m5.large", longest=64)
_VERSION = Choice(tuple(VERSIONS))


@dataclass(frozen=True, slots=True)
class StudioUserSettings:
    """One R user."""

    name: str = field(
        metadata=setting(_NAME, "Name of the user's profile; administrators' profiles end in `-admin`.")
    )
    owner: str = field(
        metadata=setting(
            Text(pattern=r"[\w+=,.@-]+", form="as IAM writes names", longest=64),
            "Who may open it: the value of the principal tag `owner` that the sign-in role is assumed with.",
        )
    )
    admin: bool = field(
        metadata=setting(Flag(), "Sees RStudio's administration page (R_STUDIO_ADMIN).", default=False)
    )


@dataclass(frozen=True, slots=True)
class RImageSettings:
    """A custom image for R sessions, at most 25 GB."""

    name: str = field(metadata=setting(_NAME, "What users choose."))
    image: str = field(
        metadata=setting(
            Text(
                pattern=r"[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[a-z0-9._/-]+(:[\w.-]+|@sha256:[0-9a-f]{64})",
                form="an image in ECR with tag or digest",
                longest=255,
            ),
            "The image, in ECR of this region.",
        )
    )
    workbench_version: str = field(
        metadata=setting(_VERSION, "The version that it was made for (RSW_VERSION); the domain's, exactly.")
    )


@dataclass(frozen=True, slots=True)
class StudioSettings:
    """A SageMaker domain with RStudio in the deployment's network; docs/rstudio.md is its page."""

    auth_mode: str = field(
        metadata=setting(
            Choice(("IAM", "SSO")),
            "`IAM`: people assume the sign-in role. `SSO`: IAM Identity Center. A deployed domain keeps it.",
            default="IAM",
        )
    )
    users: tuple[StudioUserSettings, ...] = field(
        metadata=setting(ListOf(Section(StudioUserSettings), most=MOST_USERS), "Who has RStudio.", default=())
    )
    connect_url: str | None = field(
        metadata=setting(_HTTPS, "Posit Connect that users publish to.", default=None)
    )
    package_manager_url: str | None = field(
        metadata=setting(
            _HTTPS,
            "Posit Package Manager; without one R users install nothing: the network does not reach CRAN.",
            default=None,
        )
    )
    workbench_version: str | None = field(
        metadata=setting(
            _VERSION,
            "Pins the version. A deployed domain changes it by the runbook only; by default SageMaker takes "
            "its newest.",
            default=None,
        )
    )
    server_instance: str | None = field(
        metadata=setting(
            Choice(SERVER_INSTANCES),
            "What the RStudio server runs on, with `workbench_version` only; `system` is free of charge.",
            default=None,
        )
    )
    r_images: tuple[RImageSettings, ...] = field(
        metadata=setting(
            ListOf(Section(RImageSettings), most=20), "Custom images for R sessions.", default=()
        )
    )
    data_prefix: str = field(
        metadata=setting(
            Text(pattern=r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*/", form="a prefix that ends in /", longest=128),
            "What of the studio's bucket all users share.",
            default="r/",
        )
    )
    instance_types: tuple[str, ...] = field(
        metadata=setting(
            ListOf(_INSTANCE, fewest=1, most=50),
            "What users' training jobs and endpoints may run on.",
            default=("ml.m5.large", "ml.m5.xlarge"),
        )
    )
    project: str | None = field(
        metadata=setting(
            Text(pattern=r"[\w.:/=+@-]+", form="a tag's value", longest=128),
            "Value of the tag `project` that jobs, models and endpoints of users must carry; by default the "
            "deployment's prefix.",
            default=None,
        )
    )
    log_group: str = field(
        metadata=setting(
            Choice(("create", "exists")),
            "`/aws/sagemaker/studio` is the account's: `exists` where it is there already.",
            default="create",
        )
    )
    on_destroy: str = field(
        metadata=setting(
            Choice(("retain", "domain", "domain-and-homes")),
            "When the stack is deleted: `retain` keeps domain and homes, `domain` deletes the domain and "
            "keeps the file system with the homes, `domain-and-homes` deletes both.",
            default="retain",
        )
    )

    @property
    def studio_users(self) -> tuple[StudioUser, ...]:
        """The users as the domain knows them."""
        return tuple(StudioUser(name=one.name, owner=one.owner, admin=one.admin) for one in self.users)

    @property
    def images(self) -> tuple[RImage, ...]:
        """The custom images as the domain knows them."""
        return tuple(
            RImage(name=one.name, uri=one.image, workbench_version=one.workbench_version)
            for one in self.r_images
        )


def check_studio(root: Branch, faults: FaultList) -> None:
    """Note what holds between settings of the studio, and with the deployment's region."""
    studio = root.get("studio")
    if not isinstance(studio, Branch):
        return
    if studio.get("server_instance") is not None:
        require(
            studio,
            "workbench_version",
            faults=faults,
            where="with server_instance",
            allowed=", ".join(f"`{name}`" for name in VERSIONS),
        )
    region = root.get("region")
    if studio.get("workbench_version") is not None and region is not None and region not in IMAGE_ACCOUNTS:
        refuse(
            studio,
            "workbench_version",
            faults=faults,
            problem=f"has no image in {region}",
            allowed="leave it out, or a region of " + ", ".join(sorted(IMAGE_ACCOUNTS)),
        )
    version = studio.get("workbench_version") or CURRENT
    for image in studio.get("r_images") or ():
        if isinstance(image, Branch) and image.get("workbench_version") not in (None, version):
            refuse(
                image,
                "workbench_version",
                faults=faults,
                problem="is not the domain's, and R sessions of the image would fail",
                allowed=f"`{version}`",
            )
    _check_names(studio, "users", faults=faults)
    _check_names(studio, "r_images", faults=faults)


def _check_names(studio: Branch, key: str, *, faults: FaultList) -> None:
    seen: set[str] = set()
    for one in studio.get(key) or ():
        if not isinstance(one, Branch) or (name := one.get("name")) is None:
            continue
        if name == "domain-shared":
            refuse(one, "name", faults=faults, problem="is SageMaker's own", allowed="another name")
        if name in seen:
            refuse(one, "name", faults=faults, problem="is there twice", allowed="a name of its own")
        seen.add(name)
