"""Studio domains and user profiles: control-plane records with AWS's checks and states."""

import uuid
from collections.abc import Mapping
from typing import Any

from overread_local.sagemaker.apps import DOMAIN, SHARED_PROFILE, USER_PROFILE, Apps, failure_of
from overread_local.sagemaker.errors import (
    ResourceInUse,
    ResourceLimitExceeded,
    ResourceNotFound,
    ValidationException,
)
from overread_local.sagemaker.models import Operation
from overread_local.sagemaker.records import Caller, Listing, Record, tags_of, without
from overread_local.sagemaker.studio_life import Lifecycle, check_idle, check_unused

DOMAINS_PER_REGION = 1  # AWS's default quota
_RSTUDIO = "RStudioServerProDomainSettings"

_DOMAINS = Listing(
    member="Domains",
    summary=lambda record: {
        name: record.document[name]
        for name in (
            "DomainArn",
            "DomainId",
            "DomainName",
            "Status",
            "CreationTime",
            "LastModifiedTime",
            "Url",
        )
    },
    sort_keys={"CreationTime": "CreationTime"},
)
_PROFILES = Listing(
    member="UserProfiles",
    summary=lambda record: {
        name: record.document[name]
        for name in ("DomainId", "UserProfileName", "Status", "CreationTime", "LastModifiedTime")
    },
    sort_keys={"CreationTime": "CreationTime", "LastModifiedTime": "LastModifiedTime"},
)


class Domains:
    """Operations on domains and user profiles."""

    def __init__(self, life: Lifecycle, *, apps: Apps) -> None:
        self._life = life
        self._records = life.records
        self._clock = life.clock
        self._apps = apps

    @property
    def operations(self) -> dict[str, Operation]:
        return {
            "CreateDomain": self.create_domain,
            "DescribeDomain": self.describe_domain,
            "ListDomains": self.list_domains,
            "UpdateDomain": self.update_domain,
            "DeleteDomain": self.delete_domain,
            "CreateUserProfile": self.create_profile,
            "DescribeUserProfile": self.describe_profile,
            "ListUserProfiles": self.list_profiles,
            "UpdateUserProfile": self.update_profile,
            "DeleteUserProfile": self.delete_profile,
            "CreatePresignedDomainUrl": self.sign_in,
        }

    def resume(self) -> None:
        """Goes on with what a stopped emulator left half done."""
        self._life.resume(DOMAIN, outcome=_failure_of_domain)
        self._life.resume(USER_PROFILE)

    async def create_domain(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        _check_network(params)
        if sum(1 for _ in self._records.of_kind(DOMAIN, caller=caller)) >= DOMAINS_PER_REGION:
            raise ResourceLimitExceeded(
                f"The account-level service limit 'Total domains' is {DOMAINS_PER_REGION} Domains, with"
                f" current utilization of {DOMAINS_PER_REGION} Domains and a request delta of 1 Domains."
            )
        identifier = f"d-{uuid.uuid4().hex[:12]}"
        arn, now = caller.arn(DOMAIN, identifier), self._clock()
        url = f"https://{identifier}.studio.{caller.region}.sagemaker.aws"
        document = {
            "AppNetworkAccessType": "PublicInternetOnly",
            **without(params, "Tags"),
            "DomainArn": arn,
            "DomainId": identifier,
            "HomeEfsFileSystemId": f"fs-{uuid.uuid4().hex[:17]}",
            "SecurityGroupIdForDomainBoundary": f"sg-{uuid.uuid4().hex[:17]}",
            "Status": "Pending",
            "Url": url,
            "CreationTime": now,
            "LastModifiedTime": now,
        }
        record = Record(arn, DOMAIN, identifier, document, tags=tags_of(params))
        self._records.put(record)
        if (server := _rstudio(record)) is not None:
            self._apps.start_shared(caller, identifier, spec=server.get("DefaultResourceSpec") or {})
        self._life.settle(record, outcome=_failure_of_domain)
        return {"DomainArn": arn, "DomainId": identifier, "Url": url}

    async def describe_domain(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        return self._find_domain(caller, params["DomainId"]).document

    async def list_domains(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        return _DOMAINS.page(self._records.of_kind(DOMAIN, caller=caller), params)

    async def update_domain(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        record = self._find_domain(caller, params["DomainId"])
        check_idle(record)
        changed = without(params, "DomainId", "DomainSettingsForUpdate")
        record.document.update(changed)
        if (settings := params.get("DomainSettingsForUpdate")) is not None:
            rename = {f"{_RSTUDIO}ForUpdate": _RSTUDIO}
            known = record.document.setdefault("DomainSettings", {})
            known.update({rename.get(name, name): value for name, value in settings.items()})
        self._life.change(record, "Updating")
        self._life.settle(record)
        return {"DomainArn": record.arn}

    async def delete_domain(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        record = self._find_domain(caller, params["DomainId"])
        check_idle(record)
        profiles = [
            profile.document["UserProfileName"]
            for profile in self._records.of_kind(USER_PROFILE, caller=caller)
            if profile.document["DomainId"] == record.name
        ]
        check_unused(record, profiles, noun="UserProfile")
        check_unused(record, self._apps.spaces(caller, record.name), noun="Space")
        check_unused(record, self._apps.alive(caller, record.name), noun="App")
        self._life.vanish(record)
        return {}

    async def create_profile(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        domain = self._find_domain(caller, params["DomainId"])
        name = params["UserProfileName"]
        if name == SHARED_PROFILE:
            raise ValidationException(f"The name {SHARED_PROFILE} is reserved.")
        if domain.document["Status"] != "InService":
            raise ValidationException(f"Domain [{domain.name}] is not InService.")
        arn, now = caller.arn(USER_PROFILE, f"{domain.name}/{name}"), self._clock()
        if self._records.get(arn) is not None:
            raise ResourceInUse(f"User profile {name} already exists in domain {domain.name}.")
        document = {
            **without(params, "Tags"),
            "UserProfileArn": arn,
            "HomeEfsFileSystemUid": str(200_005 + len(list(self._records.of_kind(USER_PROFILE)))),
            "Status": "Pending",
            "CreationTime": now,
            "LastModifiedTime": now,
        }
        record = Record(arn, USER_PROFILE, f"{domain.name}/{name}", document, tags=tags_of(params))
        self._records.put(record)
        self._life.settle(record)
        return {"UserProfileArn": arn}

    async def describe_profile(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        return self._find_profile(caller, params).document

    async def list_profiles(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        domain, part = params.get("DomainIdEquals"), params.get("UserProfileNameContains", "")
        chosen = (
            record
            for record in self._records.of_kind(USER_PROFILE, caller=caller)
            if domain in {None, record.document["DomainId"]} and part in record.document["UserProfileName"]
        )
        return _PROFILES.page(chosen, params)

    async def update_profile(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        record = self._find_profile(caller, params)
        check_idle(record)
        record.document.setdefault("UserSettings", {}).update(params.get("UserSettings") or {})
        self._life.change(record, "Updating")
        self._life.settle(record)
        return {"UserProfileArn": record.arn}

    async def delete_profile(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        record = self._find_profile(caller, params)
        check_idle(record)
        domain, name = params["DomainId"], params["UserProfileName"]
        check_unused(record, self._apps.alive(caller, domain, UserProfileName=name), noun="App")
        self._life.vanish(record)
        return {}

    async def sign_in(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        """An address that leads nowhere here: no Studio runs behind it."""
        self._find_profile(caller, params)
        domain = self._find_domain(caller, params["DomainId"])
        return {"AuthorizedUrl": f"{domain.document['Url']}/auth?token={uuid.uuid4().hex}"}

    def _find_domain(self, caller: Caller, identifier: str) -> Record:
        if (record := self._records.get(caller.arn(DOMAIN, identifier))) is None:
            raise ResourceNotFound(f"Domain [{identifier}] does not exist.")
        return record

    def _find_profile(self, caller: Caller, params: Mapping[str, Any]) -> Record:
        domain, name = params["DomainId"], params["UserProfileName"]
        if (record := self._records.get(caller.arn(USER_PROFILE, f"{domain}/{name}"))) is None:
            raise ResourceNotFound(f"UserProfile [{name}] does not exist in domain [{domain}].")
        return record


def _rstudio(record: Record) -> dict[str, Any] | None:
    settings: dict[str, Any] | None = (record.document.get("DomainSettings") or {}).get(_RSTUDIO)
    return settings


def _failure_of_domain(record: Record) -> str:
    """A domain fails with the RStudio server that is made with it."""
    spec = (_rstudio(record) or {}).get("DefaultResourceSpec")
    shared = f"{record.arn.replace(':domain/', ':app/')}/{SHARED_PROFILE}/rstudioserverpro/default"
    probe = Record(shared, "app", "default", {"ResourceSpec": spec or {}})
    reason = failure_of(probe)
    return f"ConfigurationError: Domain-level App [{shared}] failed to start: [{reason}]" if reason else ""


def _check_network(params: Mapping[str, Any]) -> None:
    closed = params.get("AppNetworkAccessType") == "VpcOnly"
    rstudio = _RSTUDIO in (params.get("DomainSettings") or {})
    if closed and rstudio and params.get("AppSecurityGroupManagement") is None:
        raise ValidationException(
            "AppSecurityGroupManagement is required when AppNetworkAccessType is VpcOnly and"
            f" {_RSTUDIO} are given."
        )
