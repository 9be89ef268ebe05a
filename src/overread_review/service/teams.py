"""Workforces and work teams: who may review, by the groups of an identity provider."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from overread.review import limits
from overread_review.service.errors import (
    ConflictError,
    RequestInvalidError,
    ResourceLimitError,
    ResourceTakenError,
)
from overread_review.service.model import WORKFORCE, Resource, ResourceKind, Reviewer
from overread_review.service.resources import Resources, page
from overread_review.service.settings import ServiceSettings
from overread_review.service.vendor_teams import VendorTeams

_TEAM_MEMBERS = ("MemberDefinitions", "Description", "NotificationConfiguration", "WorkerAccessConfiguration")
_FORCE_MEMBERS = ("SourceIpConfig", "OidcConfig", "WorkforceVpcConfig", "IpAddressType")


@dataclass(frozen=True, slots=True)
class Identity:
    """How a reviewer appears in output documents."""

    worker_id: str
    identity_provider: str
    issuer: str


class Teams:
    """The API calls about workforces and work teams, and the question which teams a reviewer belongs to."""

    def __init__(self, *, resources: Resources, settings: ServiceSettings) -> None:
        self._resources = resources
        self._settings = settings
        self.vendors = VendorTeams(settings)

    # Workforces

    def create_workforce(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """CreateWorkforce. There is one private workforce to an account and region."""
        if ("CognitoConfig" in params) == ("OidcConfig" in params):
            raise RequestInvalidError("Exactly one of CognitoConfig and OidcConfig must be given")
        _check_network(params)
        if self._resources.live(ResourceKind.WORKFORCE):
            raise RequestInvalidError(
                f"Cannot create more than one workforce for account {self._settings.account}. If you are "
                "trying to update existing workforce, please use UpdateWorkforce API"
            )
        name = params["WorkforceName"]
        path = f"workforce/{name}"
        created = self._resources.create(ResourceKind.WORKFORCE, name=name, path=path, request=params)
        return {"WorkforceArn": created.arn}

    def describe_workforce(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeWorkforce."""
        return {"Workforce": self._workforce_document(self._workforce(params["WorkforceName"]))}

    def update_workforce(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """UpdateWorkforce. The identity provider can change only while there are no work teams."""
        found = self._workforce(params["WorkforceName"])
        if "OidcConfig" in params and "OidcConfig" not in found.request:
            raise RequestInvalidError(
                "The workforce was created with Cognito; its identity provider cannot change"
            )
        if "OidcConfig" in params and self._teams_of(found):
            raise ConflictError(
                "OidcConfig can be updated only when no work teams are attached to the workforce"
            )
        changes = {member: params[member] for member in _FORCE_MEMBERS if member in params}
        merged = {**found.request, **changes}
        if changes.get("WorkforceVpcConfig") == {}:
            merged.pop("WorkforceVpcConfig")
        _check_network(merged)
        now = self._resources.now()
        updated = self._resources.change(
            found, by=lambda newest: replace(newest, request=merged, updated_at=now)
        )
        return {"Workforce": self._workforce_document(updated)}

    def delete_workforce(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteWorkforce. Refused while it has work teams."""
        found = self._workforce(params["WorkforceName"])
        if teams := self._teams_of(found):
            names = ", ".join(team.name for team in teams)
            raise ResourceTakenError(
                f"The workforce {found.name} has work teams ({names}); delete them first"
            )
        self._resources.delete(found)
        return {}

    def list_workforces(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """ListWorkforces."""
        live = self._resources.live(ResourceKind.WORKFORCE)
        chosen, token = page(live, params, by_name=params.get("SortBy", "Name") == "Name")
        documents = [self._workforce_document(one) for one in chosen]
        return {"Workforces": documents} | ({"NextToken": token} if token else {})

    def _workforce(self, name: str) -> Resource:
        found = self._resources.find(ResourceKind.WORKFORCE, name=name)
        if found is None:
            raise RequestInvalidError(f"No workforce found with name {name}")
        return found

    def _teams_of(self, workforce: Resource) -> list[Resource]:
        live = self._resources.live(ResourceKind.WORKTEAM)
        return [team for team in live if team.request["WorkforceName"] == workforce.name]

    def _workforce_document(self, workforce: Resource) -> dict[str, Any]:
        now, lag = self._resources.now(), self._resources.lag
        status = "Active"
        if workforce.deleted_at:
            status = "Deleting"
        elif now < workforce.created_at + lag:
            status = "Initializing"
        elif now < workforce.updated_at + lag:
            status = "Updating"
        document: dict[str, Any] = {
            "WorkforceName": workforce.name,
            "WorkforceArn": workforce.arn,
            "CreateDate": workforce.created_at,
            "LastUpdatedDate": workforce.updated_at,
            "SubDomain": self._settings.portal_host,
            "Status": status,
        }
        document |= {
            member: workforce.request[member]
            for member in ("CognitoConfig", "SourceIpConfig", "WorkforceVpcConfig", "IpAddressType")
            if member in workforce.request
        }
        if oidc := workforce.request.get("OidcConfig"):
            document["OidcConfig"] = {key: value for key, value in oidc.items() if key != "ClientSecret"}
        return document

    # Work teams

    def create_workteam(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """CreateWorkteam, of the workforce named or else the account's only one."""
        live = self._resources.live(ResourceKind.WORKTEAM)
        if len(live) >= limits.WORKTEAMS_PER_ACCOUNT:
            raise ResourceLimitError(
                f"The account-level service limit 'Work teams' is {limits.WORKTEAMS_PER_ACCOUNT}"
            )
        forces = self._resources.live(ResourceKind.WORKFORCE)
        if "WorkforceName" in params:
            workforce = self._workforce(params["WorkforceName"])
        elif forces:
            workforce = forces[0]
        else:
            raise RequestInvalidError("No workforce found in this account and region; create one first")
        if workforce.deleted_at:
            raise RequestInvalidError(f"No workforce found with name {workforce.name}: it is being deleted")
        _check_members(params["MemberDefinitions"], workforce=workforce)
        name = params["WorkteamName"]
        request = {**params, "WorkforceName": workforce.name}
        path = f"workteam/private-crowd/{name}"
        created = self._resources.create(ResourceKind.WORKTEAM, name=name, path=path, request=request)
        return {"WorkteamArn": created.arn}

    def describe_workteam(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeWorkteam."""
        return {"Workteam": self._workteam_document(self.workteam(params["WorkteamName"]))}

    def update_workteam(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """UpdateWorkteam."""
        found = self.workteam(params["WorkteamName"])
        if "MemberDefinitions" in params:
            _check_members(
                params["MemberDefinitions"], workforce=self._workforce(found.request["WorkforceName"])
            )
        changes = {member: params[member] for member in _TEAM_MEMBERS if member in params}
        now = self._resources.now()
        updated = self._resources.change(
            found,
            by=lambda newest: replace(newest, request={**newest.request, **changes}, updated_at=now),
        )
        return {"Workteam": self._workteam_document(updated)}

    def delete_workteam(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteWorkteam."""
        self._resources.remove(self.workteam(params["WorkteamName"]))
        return {"Success": True}

    def list_workteams(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """ListWorkteams."""
        live = self._resources.live(ResourceKind.WORKTEAM)
        chosen, token = page(live, params, by_name=params.get("SortBy", "Name") == "Name")
        documents = [self._workteam_document(one) for one in chosen]
        return {"Workteams": documents} | ({"NextToken": token} if token else {})

    def workteam(self, name: str) -> Resource:
        """The work team of that name. Raises RequestInvalidError, as AWS does when there is none."""
        found = self._resources.find(ResourceKind.WORKTEAM, name=name)
        if found is None:
            arn = self._settings.arn(f"workteam/private-crowd/{name}")
            raise RequestInvalidError(f"The work team {arn} does not exist")
        return found

    def _workteam_document(self, team: Resource) -> dict[str, Any]:
        document: dict[str, Any] = {
            "WorkteamName": team.name,
            "WorkteamArn": team.arn,
            "WorkforceArn": self._settings.arn(f"workforce/{team.request['WorkforceName']}"),
            "SubDomain": self._settings.portal_host,
            "CreateDate": team.created_at,
            "LastUpdatedDate": team.updated_at,
        }
        return document | {member: team.request[member] for member in _TEAM_MEMBERS if member in team.request}

    # Reviewers

    def arns_of(self, reviewer: Reviewer) -> list[str]:
        """The reviewer's work teams: by their groups, or all that their vendor provides.

        What a vendor's identity provider says about groups never opens a private team.
        """
        if reviewer.provider != WORKFORCE:
            return list(self.vendors.arns_of(reviewer.provider))
        return [
            team.arn
            for team in self._resources.live(ResourceKind.WORKTEAM)
            if reviewer.groups & _groups(team.request["MemberDefinitions"])
        ]

    def groups_by_team(self, reviewer: Reviewer) -> dict[str, frozenset[str]]:
        """The groups of each of the reviewer's teams, by the team's ARN; none for those of vendors."""
        groups: dict[str, frozenset[str]] = dict.fromkeys(self.arns_of(reviewer), frozenset())
        for team in self._resources.live(ResourceKind.WORKTEAM):
            if team.arn in groups:
                groups[team.arn] = _groups(team.request["MemberDefinitions"])
        return groups

    def worker_id(self, reviewer: Reviewer) -> str:
        """The reviewer's worker id, which tells nothing about them."""
        return hashlib.sha256(f"{self._settings.account}/{reviewer.key}".encode()).hexdigest()[:16]

    def identity(self, reviewer: Reviewer, *, workteam_arn: str) -> Identity:
        """How the reviewer's answers for that team are signed."""
        worker_id = self.worker_id(reviewer)
        if reviewer.provider != WORKFORCE:
            return Identity(worker_id, "Oidc", reviewer.issuer)
        team = self._resources.find(ResourceKind.WORKTEAM, name=workteam_arn.rsplit("/", 1)[-1])
        force = None
        if team is not None:
            force = self._resources.find(ResourceKind.WORKFORCE, name=team.request["WorkforceName"])
        request = {} if force is None else force.request
        if "OidcConfig" in request:
            return Identity(worker_id, "Oidc", request["OidcConfig"]["Issuer"])
        pool = request.get("CognitoConfig", {}).get("UserPool", "")
        issuer = f"https://cognito-idp.{self._settings.region}.amazonaws.com/{pool}"
        return Identity(worker_id, "Cognito", issuer)


def _groups(members: list[Mapping[str, Any]]) -> frozenset[str]:
    groups: set[str] = set()
    for member in members:
        if cognito := member.get("CognitoMemberDefinition"):
            groups.add(cognito["UserGroup"])
        groups.update(member.get("OidcMemberDefinition", {}).get("Groups", ()))
    return frozenset(groups)


def _check_network(request: Mapping[str, Any]) -> None:
    if "SourceIpConfig" in request and "WorkforceVpcConfig" in request:
        raise RequestInvalidError("SourceIpConfig and WorkforceVpcConfig cannot be used together")
    cidrs = request.get("SourceIpConfig", {}).get("Cidrs", ())
    if len(cidrs) > limits.SOURCE_IP_CIDRS.maximum:
        raise RequestInvalidError(
            f"SourceIpConfig.Cidrs can have at most {limits.SOURCE_IP_CIDRS.maximum} entries"
        )


def _check_members(members: list[Mapping[str, Any]], *, workforce: Resource) -> None:
    if any(len(member) != 1 for member in members):
        raise RequestInvalidError(
            "Each member definition has exactly one of CognitoMemberDefinition and OidcMemberDefinition"
        )
    cognito = [m["CognitoMemberDefinition"] for m in members if "CognitoMemberDefinition" in m]
    if cognito and len(cognito) != len(members):
        raise RequestInvalidError("Member definitions of Cognito and OIDC cannot be mixed in one work team")
    config = workforce.request.get("CognitoConfig")
    if (config is None) != (not cognito):
        kind = "Cognito" if config else "OIDC"
        raise RequestInvalidError(
            f"The workforce {workforce.name} uses {kind}; member definitions must use it too"
        )
    for member in cognito:
        if config and (member["UserPool"], member["ClientId"]) != (config["UserPool"], config["ClientId"]):
            raise RequestInvalidError(
                f"UserPool and ClientId of every member must be those of the workforce {workforce.name}"
            )
