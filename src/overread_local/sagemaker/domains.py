"""Studio domains and user profiles: control-plane records with AWS's checks and states."""

import asyncio
import uuid
from collections.abc import Mapping
from typing import Any

from overread_local.sagemaker.errors import (
    ResourceInUse,
    ResourceLimitExceeded,
    ResourceNotFound,
    ValidationException,
)
from overread_local.sagemaker.models import Operation
from overread_local.sagemaker.records import Caller, Clock, Listing, Record, Records, tags_of, without

DOMAIN = "domain"
USER_PROFILE = "user-profile"
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

    def __init__(self, records: Records, *, clock: Clock, status_lag_s: float) -> None:
        self._records = records
        self._clock = clock
        self._status_lag_s = status_lag_s
        self._tasks: set[asyncio.Task[None]] = set()

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
        }

    def resume(self) -> None:
        """Goes on with what a stopped emulator left half done."""
        for kind in (DOMAIN, USER_PROFILE):
            for record in self._records.of_kind(kind):
                if record.document["Status"] in {"Pending", "Updating"}:
                    self._spawn(self._settle(record))
                elif record.document["Status"] == "Deleting":
                    self._spawn(self._vanish(record))

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
        self._spawn(self._settle(record))
        return {"DomainArn": arn, "DomainId": identifier, "Url": url}

    async def describe_domain(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        return self._find_domain(caller, params["DomainId"]).document

    async def list_domains(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        return _DOMAINS.page(self._records.of_kind(DOMAIN, caller=caller), params)

    async def update_domain(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        record = self._find_domain(caller, params["DomainId"])
        _check_settled(record)
        changed = without(params, "DomainId", "DomainSettingsForUpdate")
        record.document.update(changed)
        if (settings := params.get("DomainSettingsForUpdate")) is not None:
            rename = {f"{_RSTUDIO}ForUpdate": _RSTUDIO}
            known = record.document.setdefault("DomainSettings", {})
            known.update({rename.get(name, name): value for name, value in settings.items()})
        self._change(record, "Updating")
        self._spawn(self._settle(record))
        return {"DomainArn": record.arn}

    async def delete_domain(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        record = self._find_domain(caller, params["DomainId"])
        _check_settled(record)
        profiles = [
            profile.document["UserProfileName"]
            for profile in self._records.of_kind(USER_PROFILE, caller=caller)
            if profile.document["DomainId"] == record.name
        ]
        if profiles:
            raise ResourceInUse(
                f"Unable to delete Domain {record.name} because UserProfile(s) [{', '.join(profiles)}] are"
                " associated with it."
            )
        self._change(record, "Deleting")
        self._spawn(self._vanish(record))
        return {}

    async def create_profile(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        domain = self._find_domain(caller, params["DomainId"])
        name = params["UserProfileName"]
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
        self._spawn(self._settle(record))
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
        _check_settled(record)
        record.document.setdefault("UserSettings", {}).update(params.get("UserSettings") or {})
        self._change(record, "Updating")
        self._spawn(self._settle(record))
        return {"UserProfileArn": record.arn}

    async def delete_profile(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        record = self._find_profile(caller, params)
        _check_settled(record)
        self._change(record, "Deleting")
        self._spawn(self._vanish(record))
        return {}

    def _find_domain(self, caller: Caller, identifier: str) -> Record:
        if (record := self._records.get(caller.arn(DOMAIN, identifier))) is None:
            raise ResourceNotFound(f"Domain [{identifier}] does not exist.")
        return record

    def _find_profile(self, caller: Caller, params: Mapping[str, Any]) -> Record:
        domain, name = params["DomainId"], params["UserProfileName"]
        if (record := self._records.get(caller.arn(USER_PROFILE, f"{domain}/{name}"))) is None:
            raise ResourceNotFound(f"UserProfile [{name}] does not exist in domain [{domain}].")
        return record

    async def _settle(self, record: Record) -> None:
        await asyncio.sleep(self._status_lag_s)
        self._change(record, "InService")

    async def _vanish(self, record: Record) -> None:
        await asyncio.sleep(self._status_lag_s)
        self._records.remove(record.arn)

    def _change(self, record: Record, status: str) -> None:
        record.document["Status"] = status
        record.document["LastModifiedTime"] = self._clock()
        self._records.put(record)

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _check_network(params: Mapping[str, Any]) -> None:
    closed = params.get("AppNetworkAccessType") == "VpcOnly"
    rstudio = _RSTUDIO in (params.get("DomainSettings") or {})
    if closed and rstudio and params.get("AppSecurityGroupManagement") is None:
        raise ValidationException(
            "AppSecurityGroupManagement is required when AppNetworkAccessType is VpcOnly and"
            f" {_RSTUDIO} are given."
        )


def _check_settled(record: Record) -> None:
    if (status := record.document["Status"]) not in {"InService", "Failed"}:
        raise ResourceInUse(f"{record.arn} is {status}; wait until it is InService.")
