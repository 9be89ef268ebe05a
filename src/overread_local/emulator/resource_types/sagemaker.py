"""AWS::SageMaker::Model, EndpointConfig, Endpoint, Domain and UserProfile."""

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

_DOMAIN_ATTRIBUTES = (
    "DomainArn",
    "DomainId",
    "HomeEfsFileSystemId",
    "SecurityGroupIdForDomainBoundary",
    "Url",
)


def resource_types(clients: Clients) -> list[ResourceType]:
    """The types of this module."""
    return [Model(clients), EndpointConfig(clients), Endpoint(clients), Domain(clients), UserProfile(clients)]


def could_not_find(error: ClientError) -> bool:
    """SageMaker's way to say that a model, configuration or endpoint does not exist."""
    return message_of(error).startswith("Could not find")


def not_found(error: ClientError) -> bool:
    """The way of domains and user profiles to say it."""
    return code_of(error) == "ResourceNotFound"


class Model(ResourceType):
    """Ref is the ARN; every change but tags makes a new model."""

    name = "AWS::SageMaker::Model"

    def changes_in_place(self, changed: frozenset[str]) -> bool:
        return changed <= {"Tags"}

    def change(self, physical_id: str, props: Properties) -> Resource:
        _replace_tags(self._clients("sagemaker"), physical_id, props)
        return physical_id, {"ModelName": _last(physical_id)}

    def create(self, props: Properties, *, default_name: str) -> Resource:
        request = {"ModelName": default_name, **props}
        arn = self._clients("sagemaker").create_model(**request)["ModelArn"]
        return arn, {"ModelName": request["ModelName"], "Id": arn}

    def delete(self, physical_id: str, props: Properties) -> None:
        sagemaker = self._clients("sagemaker")
        ignoring_absence(lambda: sagemaker.delete_model(ModelName=_last(physical_id)), absent=could_not_find)


class EndpointConfig(ResourceType):
    """Ref is the ARN; every change but tags makes a new configuration."""

    name = "AWS::SageMaker::EndpointConfig"

    def changes_in_place(self, changed: frozenset[str]) -> bool:
        return changed <= {"Tags"}

    def change(self, physical_id: str, props: Properties) -> Resource:
        _replace_tags(self._clients("sagemaker"), physical_id, props)
        return physical_id, {"EndpointConfigName": _last(physical_id)}

    def create(self, props: Properties, *, default_name: str) -> Resource:
        request = {"EndpointConfigName": default_name, **props}
        # CloudFormation gives the model by Ref or GetAtt; Ref is an ARN, the API wants the name.
        request["ProductionVariants"] = [
            {**variant, "ModelName": _last(variant["ModelName"])} for variant in props["ProductionVariants"]
        ]
        arn = self._clients("sagemaker").create_endpoint_config(**request)["EndpointConfigArn"]
        return arn, {"EndpointConfigName": request["EndpointConfigName"], "Id": arn}

    def delete(self, physical_id: str, props: Properties) -> None:
        sagemaker = self._clients("sagemaker")
        ignoring_absence(
            lambda: sagemaker.delete_endpoint_config(EndpointConfigName=_last(physical_id)),
            absent=could_not_find,
        )


class Endpoint(ResourceType):
    """Ref is the ARN; a new configuration updates in place; done when InService, else AWS's reason."""

    name = "AWS::SageMaker::Endpoint"
    replaced_by: ClassVar[frozenset[str]] = frozenset({"EndpointName"})

    def create(self, props: Properties, *, default_name: str) -> Resource:
        sagemaker = self._clients("sagemaker")
        name = props.get("EndpointName", default_name)
        request = _only(props, "DeploymentConfig", "Tags")
        config = _last(props["EndpointConfigName"])
        arn = sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config, **request)[
            "EndpointArn"
        ]
        described = self._settled(name)
        if described["EndpointStatus"] != "InService":
            # CloudFormation's rollback does not know the name yet; it must not stay behind.
            self.delete(arn, props)
            raise RuntimeError(described.get("FailureReason") or f"{name} is {described['EndpointStatus']}")
        return arn, {"EndpointName": name, "Id": arn}

    def change(self, physical_id: str, props: Properties) -> Resource:
        sagemaker = self._clients("sagemaker")
        name, config = _last(physical_id), _last(props["EndpointConfigName"])
        if sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"] != config:
            sagemaker.update_endpoint(
                EndpointName=name, EndpointConfigName=config, **_only(props, "RetainAllVariantProperties")
            )
            described = self._settled(name)
            if described["EndpointConfigName"] != config:
                raise RuntimeError(described.get("FailureReason") or f"{name} kept its configuration")
        _replace_tags(sagemaker, physical_id, props)
        return physical_id, {"EndpointName": name, "Id": physical_id}

    def delete(self, physical_id: str, props: Properties) -> None:
        sagemaker = self._clients("sagemaker")
        name = props.get("EndpointName", _last(physical_id))
        self._settled(name)
        ignoring_absence(lambda: sagemaker.delete_endpoint(EndpointName=name), absent=could_not_find)
        wait_until_gone(
            lambda: sagemaker.describe_endpoint(EndpointName=name),
            absent=could_not_find,
            what=f"endpoint {name}",
        )

    def _describe(self, name: str) -> dict[str, Any] | None:
        try:
            described: dict[str, Any] = self._clients("sagemaker").describe_endpoint(EndpointName=name)
        except ClientError as error:
            if could_not_find(error):
                return None
            raise
        return described

    def _settled(self, name: str) -> dict[str, Any]:
        latest: dict[str, Any] = {}

        def settled() -> bool:
            latest.clear()
            latest.update(self._describe(name) or {"EndpointStatus": "Deleted"})
            return latest["EndpointStatus"] in {"InService", "Failed", "Deleted"}

        wait_until(settled, what=f"endpoint {name}")
        return latest


class Domain(ResourceType):
    """Ref is the domain's id."""

    name = "AWS::SageMaker::Domain"
    replaced_by: ClassVar[frozenset[str]] = frozenset({"AuthMode", "DomainName", "KmsKeyId", "VpcId"})

    def create(self, props: Properties, *, default_name: str) -> Resource:
        identifier = self._clients("sagemaker").create_domain(**props)["DomainId"]
        return identifier, self._settled(identifier)

    def change(self, physical_id: str, props: Properties) -> Resource:
        request = _only(
            props,
            "DefaultUserSettings",
            "AppSecurityGroupManagement",
            "DefaultSpaceSettings",
            "SubnetIds",
            "AppNetworkAccessType",
            "TagPropagation",
        )
        settings = dict(props.get("DomainSettings") or {})
        if "RStudioServerProDomainSettings" in settings:
            settings["RStudioServerProDomainSettingsForUpdate"] = settings.pop(
                "RStudioServerProDomainSettings"
            )
        if settings:
            request["DomainSettingsForUpdate"] = settings
        self._clients("sagemaker").update_domain(DomainId=physical_id, **request)
        return physical_id, self._settled(physical_id)

    def delete(self, physical_id: str, props: Properties) -> None:
        sagemaker = self._clients("sagemaker")
        # SageMaker made this app itself; CloudFormation's handler takes it away again, and no other one.
        server = {
            "DomainId": physical_id,
            "UserProfileName": "domain-shared",
            "AppType": "RStudioServerPro",
            "AppName": "default",
        }
        ignoring_absence(lambda: sagemaker.delete_app(**server), absent=not_found)
        wait_until(
            lambda: all(app["Status"] == "Deleted" for app in _servers(sagemaker, physical_id)),
            what=f"the RStudio server of {physical_id}",
        )
        ignoring_absence(lambda: sagemaker.delete_domain(DomainId=physical_id), absent=not_found)
        wait_until_gone(
            lambda: sagemaker.describe_domain(DomainId=physical_id),
            absent=not_found,
            what=f"domain {physical_id}",
        )

    def _settled(self, identifier: str) -> dict[str, Any]:
        sagemaker = self._clients("sagemaker")
        wait_until(
            lambda: sagemaker.describe_domain(DomainId=identifier)["Status"] in {"InService", "Failed"},
            what=f"domain {identifier}",
        )
        described = sagemaker.describe_domain(DomainId=identifier)
        if described["Status"] == "Failed":
            # CloudFormation's rollback does not know its id yet; it must not stay behind.
            self.delete(identifier, {})
            raise RuntimeError(described["FailureReason"])
        return {name: described[name] for name in _DOMAIN_ATTRIBUTES}


class UserProfile(ResourceType):
    """Ref is `domain id|user profile name`."""

    name = "AWS::SageMaker::UserProfile"
    replaced_by: ClassVar[frozenset[str]] = frozenset(
        {"DomainId", "UserProfileName", "SingleSignOnUserIdentifier", "SingleSignOnUserValue"}
    )

    def create(self, props: Properties, *, default_name: str) -> Resource:
        arn = self._clients("sagemaker").create_user_profile(**props)["UserProfileArn"]
        self._wait(props)
        return f"{props['UserProfileName']}|{props['DomainId']}", {"UserProfileArn": arn}

    def change(self, physical_id: str, props: Properties) -> Resource:
        key = _only(props, "DomainId", "UserProfileName")
        arn = self._clients("sagemaker").update_user_profile(**key, **_only(props, "UserSettings"))[
            "UserProfileArn"
        ]
        self._wait(props)
        return physical_id, {"UserProfileArn": arn}

    def delete(self, physical_id: str, props: Properties) -> None:
        sagemaker = self._clients("sagemaker")
        name, domain = physical_id.split("|")
        ignoring_absence(
            lambda: sagemaker.delete_user_profile(DomainId=domain, UserProfileName=name), absent=not_found
        )
        wait_until_gone(
            lambda: sagemaker.describe_user_profile(DomainId=domain, UserProfileName=name),
            absent=not_found,
            what=f"user profile {name}",
        )

    def _wait(self, props: Properties) -> None:
        sagemaker = self._clients("sagemaker")
        key = _only(props, "DomainId", "UserProfileName")
        wait_until(
            lambda: sagemaker.describe_user_profile(**key)["Status"] == "InService",
            what=f"user profile {props['UserProfileName']}",
        )


def _servers(sagemaker: Any, domain: str) -> list[dict[str, Any]]:
    apps: list[dict[str, Any]] = sagemaker.list_apps(
        DomainIdEquals=domain, UserProfileNameEquals="domain-shared"
    )["Apps"]
    return apps


def _last(arn_or_name: str) -> str:
    return arn_or_name.rsplit("/", 1)[-1]


def _only(props: Properties, *names: str) -> dict[str, Any]:
    return {name: props[name] for name in names if name in props}


def _replace_tags(sagemaker: Any, arn: str, props: Properties) -> None:
    wanted = list(props.get("Tags") or ())
    known = [tag["Key"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]]
    if dropped := [key for key in known if key not in {tag["Key"] for tag in wanted}]:
        sagemaker.delete_tags(ResourceArn=arn, TagKeys=dropped)
    if wanted:
        sagemaker.add_tags(ResourceArn=arn, Tags=wanted)
