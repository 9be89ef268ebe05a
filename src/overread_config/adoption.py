"""What is there already and taken as it is: adopting creates nothing and looks nothing up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from overread_config.breaches import refuse, refuse_given, require
from overread_config.faults import FaultList
from overread_config.forms import INTERFACE_ENDPOINTS
from overread_config.kinds import ListOf, MapOf, Text
from overread_config.sections import Branch, Section, setting

GATEWAY_ENDPOINTS = ("dynamodb", "s3")
"""Endpoints that are routes: they belong to whoever owns the route tables."""

_ROUTER_CALLS = ("appconfigdata", "sagemaker.runtime", "secretsmanager")
_REVIEW_SERVICE_CALLS = ("events", "sts")
_STUDIO_CALLS = (
    "ecr.api",
    "ecr.dkr",
    "kms",
    "license-manager",
    "logs",
    "monitoring",
    "sagemaker.api",
    "sagemaker.runtime",
    "sts",
)
EXECUTE_API = "execute-api"
"""The way to a private review service. Where it is, its private names hide every public API."""

_SERVICES = sorted({*GATEWAY_ENDPOINTS, *_ROUTER_CALLS, *INTERFACE_ENDPOINTS})
_SERVICE = Text(
    pattern="|".join(name.replace(".", r"\.") for name in _SERVICES), form="one of " + ", ".join(_SERVICES)
)


def needed_endpoints(
    *, backend: str, access: str, models_apart: bool = False, studio: bool = False
) -> tuple[str, ...]:
    """Interface endpoints that a deployment cannot do without, by `review.backend` and `review.access`.

    `models_apart`: the router assumes a role in the models' account. `studio`: RStudio runs in the network.
    """
    needed = set(_ROUTER_CALLS)
    if models_apart:
        needed.add("sts")
    if studio:
        needed |= {*_STUDIO_CALLS}
    if backend == "overread":
        needed |= {*_REVIEW_SERVICE_CALLS, *([EXECUTE_API] if access == "private" else [])}
    return tuple(sorted(needed))


def id_of(start: str) -> Text:
    """Ids as EC2 gives them."""
    return Text(pattern=rf"{start}-([0-9a-f]{{8}}|[0-9a-f]{{17}})", form=f"such as {start}-0123456789abcdef0")


def _arn(service: str, *, resource: str, form: str) -> Text:
    return Text(
        pattern=rf"arn:aws[a-z-]*:{service}:[a-z0-9-]+:[0-9]{{12}}:{resource}", form=form, longest=512
    )


DOMAIN_PATTERN = r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]"
_KEY = _arn("kms", resource=r"key/[\w-]+", form="a key's ARN, not an alias")


@dataclass(frozen=True, slots=True)
class AdoptedGroups:
    """Security groups of the adopted VPC; a group that is not given is created."""

    handlers: str | None = field(metadata=setting(id_of("sg"), "Of Overread's functions.", default=None))
    models: str | None = field(metadata=setting(id_of("sg"), "Of the models.", default=None))
    endpoints: str | None = field(
        metadata=setting(id_of("sg"), "Of the interface endpoints that are created.", default=None)
    )


@dataclass(frozen=True, slots=True)
class AdoptedKeys:
    """KMS keys; a key that is not given is created."""

    data: str | None = field(
        metadata=setting(_KEY, "Encrypts inputs, answers, decisions and audit.", default=None)
    )
    operations: str | None = field(
        metadata=setting(_KEY, "Encrypts logs, queues, secrets and model storage.", default=None)
    )


@dataclass(frozen=True, slots=True)
class HostedZoneSettings:
    """A hosted zone of Route 53."""

    id: str = field(
        metadata=setting(Text(pattern=r"Z[0-9A-Z]{1,31}", form="such as Z0123456789ABC"), "Its id.")
    )
    name: str = field(
        metadata=setting(Text(pattern=DOMAIN_PATTERN, form="a domain name in lower case"), "Its domain.")
    )


@dataclass(frozen=True, slots=True)
class AdoptSettings:
    """Each thing alone; what it must be like is in docs/landing-zone.md."""

    vpc_id: str | None = field(
        metadata=setting(
            id_of("vpc"),
            "The VPC. Its subnets and its gateway endpoints of S3 and DynamoDB are then adopted too.",
            default=None,
        )
    )
    subnet_ids: tuple[str, ...] = field(
        metadata=setting(
            ListOf(id_of("subnet"), fewest=2, most=6),
            "Subnets of the VPC, one an availability zone.",
            default=(),
        )
    )
    security_groups: AdoptedGroups = field(
        metadata=setting(Section(AdoptedGroups), "Security groups of the VPC.", default={})
    )
    endpoints: Mapping[str, str] = field(
        metadata=setting(
            MapOf(_SERVICE, id_of("vpce")),
            "Endpoints by service, such as `execute-api`; one that is needed and not given is created.",
            default={},
        )
    )
    keys: AdoptedKeys = field(metadata=setting(Section(AdoptedKeys), "KMS keys.", default={}))
    access_log_bucket: str | None = field(
        metadata=setting(
            Text(pattern=r"[a-z0-9][a-z0-9.-]*[a-z0-9]", form="a bucket's name", shortest=3, longest=63),
            "Bucket that takes the access logs of the other buckets, below the deployment's name.",
            default=None,
        )
    )
    alarm_topic_arn: str | None = field(
        metadata=setting(
            _arn("sns", resource=r"[\w-]+", form="a topic's ARN, not FIFO"),
            "SNS topic that alarms notify.",
            default=None,
        )
    )
    hosted_zone: HostedZoneSettings | None = field(
        metadata=setting(
            Section(HostedZoneSettings), "Zone in which `api.domain` gets a record.", default=None
        )
    )


def check_adoption(root: Branch, faults: FaultList) -> None:
    """Note what cannot be adopted alone, and settings of what is not created then."""
    adopt = root.get("adopt")
    if not isinstance(adopt, Branch):
        return
    if adopt.gives("vpc_id"):
        _check_vpc(root, adopt=adopt, faults=faults)
    else:
        refuse_given(
            adopt,
            "subnet_ids",
            "security_groups",
            "endpoints",
            faults=faults,
            where="without adopt.vpc_id, whose they are",
        )
    keys = adopt.get("keys")
    if isinstance(keys, Branch):
        if keys.get("data") and keys.get("operations"):
            refuse_given(root, "keys", faults=faults, where="when both keys are adopted")
        _check_region(root, keys, "data", "operations", faults=faults)
    _check_region(root, adopt, "alarm_topic_arn", faults=faults)
    _check_domain(root, adopt=adopt, faults=faults)


def _check_vpc(root: Branch, *, adopt: Branch, faults: FaultList) -> None:
    where = "with an adopted VPC"
    require(adopt, "subnet_ids", faults=faults, where=where, allowed="two to six subnets of it")
    endpoints = adopt.get("endpoints")
    missing = [name for name in GATEWAY_ENDPOINTS if endpoints is not None and name not in endpoints]
    if missing:
        refuse(
            adopt,
            "endpoints",
            faults=faults,
            problem="leaves out gateway endpoints, which change route tables of the VPC: "
            + ", ".join(f"`{name}`" for name in missing),
            allowed="the ids of both, of `dynamodb` and `s3`",
        )
    network, review = root.get("network"), root.get("review")
    if isinstance(network, Branch) and isinstance(review, Branch):
        accounts = root.get("accounts")
        models_apart = isinstance(accounts, Branch) and accounts.get("model") is not None
        _check_use(
            adopt,
            network=network,
            review=review,
            models_apart=models_apart,
            studio=root.get("studio") is not None,
            faults=faults,
        )
        refuse_given(network, "cidr", "availability_zones", faults=faults, where=where)


def _check_use(
    adopt: Branch,
    *,
    network: Branch,
    review: Branch,
    models_apart: bool,
    studio: bool,
    faults: FaultList,
) -> None:
    backend, access, more = review.get("backend"), review.get("access"), network.get("interface_endpoints")
    if backend is None or access is None or more is None:
        return
    needed = needed_endpoints(backend=backend, access=access, models_apart=models_apart, studio=studio)
    used = {*GATEWAY_ENDPOINTS, *needed, *more}
    for name in adopt.get("endpoints") or ():
        if name not in used:
            faults.add(
                line=adopt.line_of("endpoints"),
                field=f"{adopt.field}.endpoints.{name}",
                problem="is an endpoint that nothing here uses",
                value=repr(name),
                allowed="leave it out, or name it in network.interface_endpoints; used are "
                + ", ".join(f"`{one}`" for one in sorted(used)),
            )


def _check_domain(root: Branch, *, adopt: Branch, faults: FaultList) -> None:
    api, zone = root.get("api"), adopt.get("hosted_zone")
    domain = api.get("domain") if isinstance(api, Branch) else None
    if isinstance(domain, Branch):
        _check_region(root, domain, "certificate_arn", faults=faults)
    if not isinstance(zone, Branch):
        return
    if not isinstance(domain, Branch):
        refuse_given(adopt, "hosted_zone", faults=faults, where="without api.domain, which it would name")
        return
    name, zone_name = domain.get("name"), zone.get("name")
    if name and zone_name and not f".{name}".endswith(f".{zone_name}"):
        refuse(
            zone,
            "name",
            faults=faults,
            problem=f"is not the zone of `{name}`",
            allowed="the domain that api.domain.name ends with",
        )


def _check_region(root: Branch, branch: Branch, *keys: str, faults: FaultList) -> None:
    region = root.get("region")
    for key in keys:
        arn = branch.get(key)
        if region and arn and arn.split(":")[3] != region:
            refuse(
                branch,
                key,
                faults=faults,
                problem="is of another region",
                allowed=f"an ARN of {region}, where this is deployed",
            )
