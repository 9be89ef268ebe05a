"""Takes a SageMaker domain apart, one step a call: what is left, and the deletions that can be asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from overread.studio.teardown import Part, next_step

_IGNORED = frozenset({"ResourceNotFound", "ResourceInUse"})
"""Gone already, or still in use by what was asked for before: the next step looks again."""


class StudioDomains:
    """Domains and what they are made of."""

    def __init__(self, *, sagemaker: Any, ec2: Any, efs: Any) -> None:
        self._sagemaker, self._ec2, self._efs = sagemaker, ec2, efs

    def release_profile(self, domain: str, profile: str) -> tuple[str, ...]:
        """Deletes apps and spaces of one user; what is left of them. The profile itself is not touched."""
        spaces = [
            space
            for space in self._spaces(domain)
            if self._owner(domain, dict(space.key)["SpaceName"]) == profile
        ]
        names = {dict(space.key)["SpaceName"] for space in spaces}
        apps = [
            app
            for app in self._apps(domain)
            if dict(app.key).get("UserProfileName") == profile or dict(app.key).get("SpaceName") in names
        ]
        step = next_step(apps=apps, spaces=spaces, profiles=(), domain=None)
        self._delete(step.delete, homes=False)
        return step.left

    def delete_domain(self, domain: str, *, file_system: str, homes: bool) -> tuple[str, ...]:
        """Deletes a domain bottom up, then what would keep its network from being deleted; what is left.

        `homes`: SageMaker deletes the file system, too. Else only its mount targets go, and the homes stay.
        """
        step = next_step(
            apps=list(self._apps(domain)),
            spaces=list(self._spaces(domain)),
            profiles=list(self._profiles(domain)),
            domain=self._domain(domain),
        )
        self._delete(step.delete, homes=homes)
        if step.left:
            return step.left
        if file_system and not homes:
            targets = self._mount_targets(file_system)
            if targets:
                return targets
        interfaces = self._interfaces(domain, file_system=file_system)
        return interfaces or self._groups(domain)

    def _apps(self, domain: str) -> Iterator[Part]:
        names = ("UserProfileName", "SpaceName", "AppType", "AppName")
        for app in self._list("list_apps", "Apps", domain):
            key = (("DomainId", domain), *((name, app[name]) for name in names if app.get(name)))
            yield Part(kind="App", key=key, status=app["Status"])

    def _spaces(self, domain: str) -> Iterator[Part]:
        for space in self._list("list_spaces", "Spaces", domain):
            key = (("DomainId", domain), ("SpaceName", space["SpaceName"]))
            yield Part(kind="Space", key=key, status=space.get("Status", "InService"))

    def _profiles(self, domain: str) -> Iterator[Part]:
        for profile in self._list("list_user_profiles", "UserProfiles", domain):
            key = (("DomainId", domain), ("UserProfileName", profile["UserProfileName"]))
            yield Part(kind="UserProfile", key=key, status=profile["Status"])

    def _domain(self, domain: str) -> Part | None:
        found = _or_none(lambda: self._sagemaker.describe_domain(DomainId=domain))
        if found is None:
            return None
        return Part(kind=f"Domain {domain}", key=(("DomainId", domain),), status=found["Status"])

    def _owner(self, domain: str, space: str) -> str:
        found = _or_none(lambda: self._sagemaker.describe_space(DomainId=domain, SpaceName=space)) or {}
        return str((found.get("OwnershipSettings") or {}).get("OwnerUserProfileName", ""))

    def _list(self, operation: str, items: str, domain: str) -> Iterator[dict[str, Any]]:
        call, token = getattr(self._sagemaker, operation), {"DomainIdEquals": domain}
        while page := _or_none(partial(call, **token)):
            yield from page.get(items, ())
            if not page.get("NextToken"):
                return
            token = {"DomainIdEquals": domain, "NextToken": page["NextToken"]}

    def _delete(self, parts: tuple[Part, ...], *, homes: bool) -> None:
        for part in parts:
            kind = part.kind.split(" ")[0]
            operation = {
                "App": "delete_app",
                "Space": "delete_space",
                "UserProfile": "delete_user_profile",
                "Domain": "delete_domain",
            }[kind]
            more = {}
            if kind == "Domain":
                more = {"RetentionPolicy": {"HomeEfsFileSystem": "Delete" if homes else "Retain"}}
            try:
                getattr(self._sagemaker, operation)(**dict(part.key), **more)
            except ClientError as error:
                if error.response["Error"]["Code"] not in _IGNORED:
                    raise

    def _mount_targets(self, file_system: str) -> tuple[str, ...]:
        found = _or_none(lambda: self._efs.describe_mount_targets(FileSystemId=file_system)) or {}
        targets = found.get("MountTargets", ())
        for target in targets:
            if target.get("LifeCycleState") not in {"deleting", "deleted"}:
                _or_none(partial(self._efs.delete_mount_target, MountTargetId=target["MountTargetId"]))
        return tuple(f"mount target {one['MountTargetId']} of {file_system}" for one in targets)

    def _interfaces(self, domain: str, *, file_system: str) -> tuple[str, ...]:
        """SageMaker and EFS say in the description whose an interface is, and delete them by themselves."""
        described = [f"*{one}*" for one in (domain, file_system) if one]
        found = self._ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": described}])
        return tuple(
            f"network interface {one['NetworkInterfaceId']}" for one in found.get("NetworkInterfaces", ())
        )

    def _groups(self, domain: str) -> tuple[str, ...]:
        """The security groups for NFS that SageMaker makes with a domain, and leaves behind."""
        found = self._ec2.describe_security_groups(
            Filters=[{"Name": "group-name", "Values": [f"security-group-for-*-nfs-{domain}"]}]
        ).get("SecurityGroups", ())
        for group in found:
            # They name each other, and none can go before that ends.
            for direction in ("Ingress", "Egress"):
                rules = group.get("IpPermissions" if direction == "Ingress" else "IpPermissionsEgress")
                if rules:
                    revoke = getattr(self._ec2, f"revoke_security_group_{direction.lower()}")
                    revoke(GroupId=group["GroupId"], IpPermissions=rules)
        for group in found:
            try:
                self._ec2.delete_security_group(GroupId=group["GroupId"])
            except ClientError as error:
                if error.response["Error"]["Code"] not in {"DependencyViolation", "InvalidGroup.NotFound"}:
                    raise
        return tuple(f"security group {one['GroupId']}" for one in found)


def _or_none(call: Callable[[], Any]) -> Any:
    """What a call gives; None where there is no such thing."""
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] in {
            "ResourceNotFound",
            "FileSystemNotFound",
            "MountTargetNotFound",
        }:
            return None
        raise
