"""Studio apps and spaces: records with AWS's checks and states; nothing runs behind an app.

An app whose image is one of the account's own fails, because the local stack has no SageMaker images. A
deleted app stays listed as `Deleted`, as on AWS, where it goes after a day.
"""

from collections.abc import Mapping
from typing import Any

from overread_local.sagemaker.errors import ResourceInUse, ResourceNotFound, ValidationException
from overread_local.sagemaker.models import Operation
from overread_local.sagemaker.records import Caller, Listing, Record, tags_of, without
from overread_local.sagemaker.studio_life import Lifecycle, check_idle, check_unused

APP, SPACE, DOMAIN, USER_PROFILE = "app", "space", "domain", "user-profile"
SHARED_PROFILE, SHARED_APP = "domain-shared", "RStudioServerPro"
_DEFAULT_INSTANCE = {SHARED_APP: "system"}
_APPS = Listing(
    member="Apps",
    summary=lambda record: {
        name: record.document[name]
        for name in (
            "DomainId",
            "UserProfileName",
            "SpaceName",
            "AppType",
            "AppName",
            "Status",
            "CreationTime",
            "ResourceSpec",
        )
        if name in record.document
    },
    sort_keys={"CreationTime": "CreationTime"},
)
_SPACES = Listing(
    member="Spaces",
    summary=lambda record: {
        name: record.document[name]
        for name in (
            "DomainId",
            "SpaceName",
            "Status",
            "CreationTime",
            "LastModifiedTime",
            "SpaceDisplayName",
        )
        if name in record.document
    },
    sort_keys={"CreationTime": "CreationTime", "LastModifiedTime": "LastModifiedTime"},
)


class Apps:
    """Operations on apps and spaces."""

    def __init__(self, life: Lifecycle) -> None:
        self._life = life
        self._records = life.records

    @property
    def operations(self) -> dict[str, Operation]:
        return {
            "CreateApp": self.create,
            "DescribeApp": self.describe,
            "ListApps": self.list_all,
            "DeleteApp": self.delete,
            "CreateSpace": self.create_space,
            "DescribeSpace": self.describe_space,
            "ListSpaces": self.list_spaces,
            "DeleteSpace": self.delete_space,
        }

    def resume(self) -> None:
        """Goes on with what a stopped emulator left half done."""
        self._life.resume(APP, outcome=failure_of, deleted="Deleted")
        self._life.resume(SPACE)

    def start_shared(self, caller: Caller, domain: str, *, spec: Mapping[str, Any]) -> None:
        """The RStudio server that SageMaker makes itself with a domain: app `default` of `domain-shared`."""
        owner = {"UserProfileName": SHARED_PROFILE, "AppType": SHARED_APP, "AppName": "default"}
        self._add(caller, {"DomainId": domain, **owner, "ResourceSpec": dict(spec)})

    def alive(self, caller: Caller, domain: str, **owner: str) -> list[str]:
        """The names of the apps of a domain, a profile or a space that are not deleted."""
        return [
            f"{record.document['AppType']}/{record.document['AppName']}"
            for record in self._records.of_kind(APP, caller=caller)
            if record.document["DomainId"] == domain
            and all(record.document.get(member) == name for member, name in owner.items())
            and record.document["Status"] != "Deleted"
        ]

    def spaces(self, caller: Caller, domain: str) -> list[str]:
        """The names of a domain's spaces."""
        return [
            record.document["SpaceName"]
            for record in self._records.of_kind(SPACE, caller=caller)
            if record.document["DomainId"] == domain
        ]

    async def create(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        _check_owner(params)
        domain = params["DomainId"]
        _in_service(self._records.get(caller.arn(DOMAIN, domain)), f"Domain [{domain}]")
        if (profile := params.get("UserProfileName")) == SHARED_PROFILE:
            if params["AppType"] != SHARED_APP:
                raise ValidationException(f"Only {SHARED_APP} apps belong to {SHARED_PROFILE}.")
        elif profile is not None:
            record = self._records.get(caller.arn(USER_PROFILE, f"{domain}/{profile}"))
            _in_service(record, f"UserProfile [{profile}]")
        else:
            record = self._records.get(caller.arn(SPACE, f"{domain}/{params['SpaceName']}"))
            _in_service(record, f"Space [{params['SpaceName']}]")
        return {"AppArn": self._add(caller, params).arn}

    async def describe(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        return self._find(caller, params).document

    async def list_all(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        wanted = {
            member: params[f"{member}Equals"]
            for member in ("UserProfileName", "SpaceName")
            if params.get(f"{member}Equals")
        } | ({"DomainId": params["DomainIdEquals"]} if params.get("DomainIdEquals") else {})
        chosen = (
            record
            for record in self._records.of_kind(APP, caller=caller)
            if all(record.document.get(member) == name for member, name in wanted.items())
        )
        return _APPS.page(chosen, {"SortOrder": "Ascending", **params})

    async def delete(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        record = self._find(caller, params)
        if record.document["Status"] == "Deleted":
            raise ResourceNotFound(f"App [{params['AppName']}] was deleted already.")
        check_idle(record)
        self._life.vanish(record, status="Deleted")
        return {}

    async def create_space(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        domain, name = params["DomainId"], params["SpaceName"]
        _in_service(self._records.get(caller.arn(DOMAIN, domain)), f"Domain [{domain}]")
        arn, now = caller.arn(SPACE, f"{domain}/{name}"), self._life.clock()
        if self._records.get(arn) is not None:
            raise ResourceInUse(f"Space {name} already exists in domain {domain}.")
        document = {
            **without(params, "Tags"),
            "SpaceArn": arn,
            "Status": "Pending",
            "CreationTime": now,
            "LastModifiedTime": now,
        }
        record = Record(arn, SPACE, f"{domain}/{name}", document, tags=tags_of(params))
        self._records.put(record)
        self._life.settle(record)
        return {"SpaceArn": arn}

    async def describe_space(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        return self._find_space(caller, params).document

    async def list_spaces(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        domain, part = params.get("DomainIdEquals"), params.get("SpaceNameContains") or ""
        chosen = (
            record
            for record in self._records.of_kind(SPACE, caller=caller)
            if domain in {None, record.document["DomainId"]} and part in record.document["SpaceName"]
        )
        return _SPACES.page(chosen, params)

    async def delete_space(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        record = self._find_space(caller, params)
        check_idle(record)
        check_unused(
            record, self.alive(caller, params["DomainId"], SpaceName=params["SpaceName"]), noun="App"
        )
        self._life.vanish(record)
        return {}

    def _add(self, caller: Caller, params: Mapping[str, Any]) -> Record:
        arn = _arn(caller, params)
        known = self._records.get(arn)
        if known is not None and known.document["Status"] != "Deleted":
            raise ResourceInUse(f"App {params['AppName']} already exists ({arn}).")
        spec = {
            "InstanceType": _DEFAULT_INSTANCE.get(params["AppType"], "ml.t3.medium"),
            **without(params.get("ResourceSpec") or {}),
        }
        document = {
            **without(params, "Tags"),
            "ResourceSpec": spec,
            "AppArn": arn,
            "Status": "Pending",
            "CreationTime": self._life.clock(),
        }
        record = Record(arn, APP, params["AppName"], document, tags=tags_of(params))
        self._records.put(record)
        self._life.settle(record, outcome=failure_of)
        return record

    def _find(self, caller: Caller, params: Mapping[str, Any]) -> Record:
        _check_owner(params)
        if (record := self._records.get(_arn(caller, params))) is None:
            raise ResourceNotFound(f"App [{params['AppName']}] does not exist.")
        return record

    def _find_space(self, caller: Caller, params: Mapping[str, Any]) -> Record:
        domain, name = params["DomainId"], params["SpaceName"]
        if (record := self._records.get(caller.arn(SPACE, f"{domain}/{name}"))) is None:
            raise ResourceNotFound(f"Space [{name}] does not exist in domain [{domain}].")
        return record


def failure_of(record: Record) -> str:
    """Why an app cannot start here: it asks for an image of the account, and there is none."""
    account = record.arn.split(":")[4]
    spec = record.document.get("ResourceSpec") or {}
    for member in ("SageMakerImageVersionArn", "SageMakerImageArn"):
        if (image := spec.get(member)) and image.split(":")[4] == account:
            return f"ConfigurationError: SageMaker image [{image}] does not exist"
    return ""


def _arn(caller: Caller, params: Mapping[str, Any]) -> str:
    owner = params.get("UserProfileName") or params["SpaceName"]
    return caller.arn(APP, f"{params['DomainId']}/{owner}/{params['AppType'].lower()}/{params['AppName']}")


def _check_owner(params: Mapping[str, Any]) -> None:
    if bool(params.get("UserProfileName")) == bool(params.get("SpaceName")):
        raise ValidationException("Exactly one of UserProfileName and SpaceName must be given.")


def _in_service(record: Record | None, what: str) -> None:
    if record is None:
        raise ResourceNotFound(f"{what} does not exist.")
    if (status := record.document["Status"]) not in {"InService", "Updating"}:
        raise ValidationException(f"{what} is {status}, not InService.")
