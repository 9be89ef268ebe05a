"""AWS::SageMaker::HumanTaskUi, Workforce and Workteam: made in the review service through the emulator."""

from typing import Any, ClassVar

from botocore.exceptions import ClientError

from overread_local.emulator.resource_types.handler import (
    Clients,
    Properties,
    Resource,
    ResourceType,
    code_of,
    ignoring_absence,
    message_of,
    wait_until,
    wait_until_gone,
)

# CloudFormation names these members otherwise than the API does.
_COGNITO_MEMBERS = {
    "CognitoUserPool": "UserPool",
    "CognitoUserGroup": "UserGroup",
    "CognitoClientId": "ClientId",
}


def resource_types(clients: Clients) -> list[ResourceType]:
    """The types of this module."""
    return [HumanTaskUi(clients), Workforce(clients), Workteam(clients)]


class HumanTaskUi(ResourceType):
    """Ref is the name; any change makes a new one."""

    name = "AWS::SageMaker::HumanTaskUi"

    def changes_in_place(self, changed: frozenset[str]) -> bool:
        return changed <= {"Tags"}

    def change(self, physical_id: str, props: Properties) -> Resource:
        return physical_id, self._attributes(physical_id)

    def create(self, props: Properties, *, default_name: str) -> Resource:
        request = {"HumanTaskUiName": default_name.lower(), **props}
        self._clients("sagemaker").create_human_task_ui(**request)
        return request["HumanTaskUiName"], self._attributes(request["HumanTaskUiName"])

    def delete(self, physical_id: str, props: Properties) -> None:
        sagemaker = self._clients("sagemaker")
        ignoring_absence(
            lambda: sagemaker.delete_human_task_ui(HumanTaskUiName=physical_id), absent=_no_such_page
        )
        wait_until_gone(
            lambda: sagemaker.describe_human_task_ui(HumanTaskUiName=physical_id),
            absent=_no_such_page,
            what=f"task UI {physical_id}",
        )

    def _attributes(self, name: str) -> dict[str, Any]:
        described = self._clients("sagemaker").describe_human_task_ui(HumanTaskUiName=name)
        return {"HumanTaskUiArn": described["HumanTaskUiArn"], "CreationTime": str(described["CreationTime"])}


class Workforce(ResourceType):
    """Ref is the name; name and Cognito settings make a new one, the rest changes in place."""

    name = "AWS::SageMaker::Workforce"
    replaced_by: ClassVar[frozenset[str]] = frozenset({"WorkforceName", "CognitoConfig"})

    def create(self, props: Properties, *, default_name: str) -> Resource:
        self._clients("sagemaker").create_workforce(**props)
        return props["WorkforceName"], self._settled(props["WorkforceName"])

    def change(self, physical_id: str, props: Properties) -> Resource:
        request = {
            name: props[name]
            for name in ("SourceIpConfig", "OidcConfig", "WorkforceVpcConfig")
            if name in props
        }
        self._clients("sagemaker").update_workforce(WorkforceName=physical_id, **request)
        return physical_id, self._settled(physical_id)

    def delete(self, physical_id: str, props: Properties) -> None:
        sagemaker = self._clients("sagemaker")
        ignoring_absence(
            lambda: sagemaker.delete_workforce(WorkforceName=physical_id), absent=_no_such_workforce
        )
        wait_until_gone(
            lambda: sagemaker.describe_workforce(WorkforceName=physical_id),
            absent=_no_such_workforce,
            what=f"workforce {physical_id}",
        )

    def _settled(self, name: str) -> dict[str, Any]:
        latest: dict[str, Any] = {}

        def settled() -> bool:
            latest.clear()
            latest.update(self._clients("sagemaker").describe_workforce(WorkforceName=name)["Workforce"])
            return latest.get("Status", "Active") in {"Active", "Failed"}

        wait_until(settled, what=f"workforce {name}")
        if latest.get("Status") == "Failed":
            raise RuntimeError(latest.get("FailureReason") or f"workforce {name} failed")
        return {"WorkforceArn": latest["WorkforceArn"], "SubDomain": latest.get("SubDomain", "")}


class Workteam(ResourceType):
    """Ref is the ARN; name and workforce make a new one, the rest changes in place."""

    name = "AWS::SageMaker::Workteam"
    replaced_by: ClassVar[frozenset[str]] = frozenset({"WorkteamName", "WorkforceName"})

    def create(self, props: Properties, *, default_name: str) -> Resource:
        request = {"WorkteamName": default_name, **props, "MemberDefinitions": _members(props)}
        arn = self._clients("sagemaker").create_workteam(**request)["WorkteamArn"]
        return arn, {"WorkteamName": request["WorkteamName"], "WorkteamArn": arn}

    def change(self, physical_id: str, props: Properties) -> Resource:
        name = physical_id.rsplit("/", 1)[-1]
        request = {
            key: props[key] for key in ("Description", "NotificationConfiguration") if key in props
        } | {"MemberDefinitions": _members(props)}
        self._clients("sagemaker").update_workteam(WorkteamName=name, **request)
        return physical_id, {"WorkteamName": name, "WorkteamArn": physical_id}

    def delete(self, physical_id: str, props: Properties) -> None:
        sagemaker, name = self._clients("sagemaker"), physical_id.rsplit("/", 1)[-1]
        ignoring_absence(lambda: sagemaker.delete_workteam(WorkteamName=name), absent=_no_such_team)


def _no_such_page(error: ClientError) -> bool:
    return code_of(error) == "ResourceNotFound"


def _no_such_workforce(error: ClientError) -> bool:
    return "No workforce" in message_of(error)


def _no_such_team(error: ClientError) -> bool:
    return "The work team" in message_of(error)


def _members(props: Properties) -> list[dict[str, Any]]:
    members: list[dict[str, Any]] = []
    for definition in props["MemberDefinitions"]:
        if cognito := definition.get("CognitoMemberDefinition"):
            renamed = {_COGNITO_MEMBERS[name]: value for name, value in cognito.items()}
            members.append({"CognitoMemberDefinition": renamed})
        if oidc := definition.get("OidcMemberDefinition"):
            members.append({"OidcMemberDefinition": {"Groups": oidc["OidcGroups"]}})
    return members
