"""A studio goes bottom up, however long its apps take; CloudFormation is answered once."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from overread_aws.studio_domains import StudioDomains
from overread_lambda.studio_teardown import LONGEST_S, SPENT, Ports, respond


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "Some")


class Studio:
    """SageMaker, EC2 and EFS in one: what is deleted is gone after `slow` more looks at it."""

    def __init__(self, *, slow: int = 1) -> None:
        self.slow = slow
        self.apps: dict[str, str] = {}
        self.spaces: dict[str, str] = {}
        self.profiles: dict[str, str] = {}
        self.domain = "InService"
        self.leaving: dict[str, int] = {}
        self.calls: list[str] = []
        self.interfaces: list[str] = []
        self.targets = ["fsmt-1"]
        self.groups = ["sg-nfs"]

    def _looked(self, kind: str, known: dict[str, str]) -> None:
        for name in [one for one, state in known.items() if state == "Deleting"]:
            self.leaving[kind + name] = self.leaving.get(kind + name, self.slow) - 1
            if self.leaving[kind + name] < 0:
                del known[name]

    def list_apps(self, **_: Any) -> Any:
        self._looked("app", self.apps)
        rows = [
            {"UserProfileName": name, "AppType": "RSession", "AppName": "default", "Status": state}
            for name, state in self.apps.items()
        ]
        return {"Apps": rows}

    def list_spaces(self, **_: Any) -> Any:
        self._looked("space", self.spaces)
        return {"Spaces": [{"SpaceName": one, "Status": state} for one, state in self.spaces.items()]}

    def list_user_profiles(self, **_: Any) -> Any:
        self._looked("profile", self.profiles)
        return {
            "UserProfiles": [
                {"UserProfileName": one, "Status": state} for one, state in self.profiles.items()
            ]
        }

    def describe_space(self, *, SpaceName: str, **_: Any) -> Any:  # noqa: N803
        return {"OwnershipSettings": {"OwnerUserProfileName": SpaceName.removesuffix("-space")}}

    def describe_domain(self, **_: Any) -> Any:
        if self.domain == "Gone":
            raise refused("ResourceNotFound")
        status = self.domain
        if status == "Deleting":
            self.domain = "Gone"
        return {"Status": status}

    def delete_app(self, *, UserProfileName: str, **_: Any) -> None:  # noqa: N803
        self.calls.append(f"app {UserProfileName}")
        self.apps[UserProfileName] = "Deleting"

    def delete_space(self, *, SpaceName: str, **_: Any) -> None:  # noqa: N803
        self.calls.append(f"space {SpaceName}")
        self.spaces[SpaceName] = "Deleting"

    def delete_user_profile(self, *, UserProfileName: str, **_: Any) -> None:  # noqa: N803
        if UserProfileName in self.apps:
            raise refused("ResourceInUse")
        self.calls.append(f"profile {UserProfileName}")
        self.profiles[UserProfileName] = "Deleting"

    def delete_domain(self, *, RetentionPolicy: dict[str, str], **_: Any) -> None:  # noqa: N803
        if self.apps or self.profiles or self.spaces:
            raise refused("ResourceInUse")
        self.calls.append(f"domain {RetentionPolicy['HomeEfsFileSystem']}")
        self.domain = "Deleting"

    def describe_mount_targets(self, **_: Any) -> Any:
        return {
            "MountTargets": [{"MountTargetId": one, "LifeCycleState": "available"} for one in self.targets]
        }

    def delete_mount_target(self, *, MountTargetId: str) -> None:  # noqa: N803
        self.calls.append(f"target {MountTargetId}")
        self.targets.remove(MountTargetId)

    def describe_network_interfaces(self, **_: Any) -> Any:
        shown, self.interfaces = self.interfaces, self.interfaces[1:]
        return {"NetworkInterfaces": [{"NetworkInterfaceId": one} for one in shown]}

    def describe_security_groups(self, **_: Any) -> Any:
        rules = [{"IpProtocol": "tcp"}]
        return {"SecurityGroups": [{"GroupId": one, "IpPermissions": rules} for one in self.groups]}

    def revoke_security_group_ingress(self, *, GroupId: str, **_: Any) -> None:  # noqa: N803
        self.calls.append(f"revoke {GroupId}")

    def delete_security_group(self, *, GroupId: str) -> None:  # noqa: N803
        self.calls.append(f"group {GroupId}")
        self.groups.remove(GroupId)


class World:
    """A clock that only sleeping moves, and what was sent."""

    def __init__(self, studio: Studio) -> None:
        self.now = 0.0
        self.sent: list[dict[str, Any]] = []
        self.onward: list[dict[str, Any]] = []
        self.ports = Ports(
            domains=StudioDomains(sagemaker=studio, ec2=studio, efs=studio),
            send=lambda _, body: self.sent.append(json.loads(body)),
            again=lambda event: self.onward.append(dict(event)),
            monotonic=lambda: self.now,
            sleep=self.sleep,
        )

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def event(request: str, **properties: str) -> dict[str, Any]:
    return {
        "RequestType": request,
        "ResponseURL": "https://answers.example",
        "StackId": "s",
        "RequestId": "r",
        "LogicalResourceId": "Teardown",
        "ResourceType": "Custom::OverreadStudioTeardown",
        "PhysicalResourceId": "d-1",
        "ResourceProperties": {"DomainId": "d-1", "HomeEfsFileSystemId": "fs-1", **properties},
    }


@pytest.mark.parametrize("state", ["InService", "Failed", "Pending"])
def test_apps_go_first_then_spaces_profiles_and_the_domain(state: str) -> None:
    studio = Studio()
    studio.apps, studio.profiles = {"ada": "InService", "domain-shared": state}, {"ada": "InService"}
    studio.spaces = {"ada-space": "InService"}
    world = World(studio)
    if state == "Pending":  # SageMaker refuses to delete what is not there yet

        def settles(seconds: float) -> None:
            world.now += seconds
            if studio.apps.get("domain-shared") == "Pending":
                studio.apps["domain-shared"] = "InService"

        world.ports = Ports(
            domains=world.ports.domains,
            send=world.ports.send,
            again=world.ports.again,
            monotonic=world.ports.monotonic,
            sleep=settles,
        )
    respond(event("Delete"), ports=world.ports, budget_s=800)
    assert [one["Status"] for one in world.sent] == ["SUCCESS"]
    assert set(studio.calls[:2]) == {"app ada", "app domain-shared"}
    assert studio.calls[2:] == [
        "space ada-space",
        "profile ada",
        "domain Retain",
        "target fsmt-1",
        "revoke sg-nfs",
        "group sg-nfs",
    ]


def test_homes_go_only_when_they_are_said_to() -> None:
    studio = Studio()
    respond(event("Delete", DeleteHomes="true"), ports=(world := World(studio)).ports, budget_s=800)
    assert studio.calls[0] == "domain Delete"
    assert studio.targets == ["fsmt-1"]  # SageMaker's to delete, with the file system
    assert world.sent[0]["Status"] == "SUCCESS"


def test_a_domain_that_is_gone_is_a_success() -> None:
    studio = Studio()
    studio.domain, studio.targets, studio.groups = "Gone", [], []
    world = World(studio)
    respond(event("Delete"), ports=world.ports, budget_s=800)
    assert (studio.calls, world.sent[0]["Status"]) == ([], "SUCCESS")


def test_it_waits_for_the_interfaces_of_domain_and_homes() -> None:
    studio = Studio()
    studio.interfaces = ["eni-1", "eni-2"]
    world = World(studio)
    respond(event("Delete"), ports=world.ports, budget_s=800)
    assert studio.interfaces == []
    assert studio.calls[-1] == "group sg-nfs"


def test_a_slow_app_is_waited_for_over_several_runs() -> None:
    studio = Studio(slow=80)  # 20 minutes
    studio.apps = {"ada": "InService"}
    world = World(studio)
    respond(event("Delete"), ports=world.ports, budget_s=800)
    assert world.sent == []
    (onward,) = world.onward
    assert 700 < onward[SPENT] < 800
    respond(onward, ports=world.ports, budget_s=800)
    assert [one["Status"] for one in world.sent] == ["SUCCESS"]
    assert studio.calls.count("app ada") == 1


def test_it_gives_up_before_cloudformation_does_and_says_what_is_left() -> None:
    studio = Studio(slow=10_000)
    studio.apps = {"ada": "InService"}
    world = World(studio)
    respond(event("Delete") | {SPENT: LONGEST_S - 30}, ports=world.ports, budget_s=800)
    assert world.onward == []
    (answer,) = world.sent
    assert answer["Status"] == "FAILED"
    assert "App ada/RSession/default (Deleting)" in answer["Reason"]
    assert "delete the stack again" in answer["Reason"]


def test_one_users_sessions_end_and_nobody_elses() -> None:
    studio = Studio()
    studio.apps = {"ada": "InService", "ben": "InService"}
    studio.spaces = {"ada-space": "InService", "ben-space": "InService"}
    studio.profiles = {"ada": "InService", "ben": "InService"}
    world = World(studio)
    respond(event("Delete", UserProfileName="ada"), ports=world.ports, budget_s=800)
    assert studio.calls == ["app ada", "space ada-space"]
    assert world.sent[0]["Status"] == "SUCCESS"


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_nothing_is_taken_apart_before_deletion(request_type: str) -> None:
    studio = Studio()
    world = World(studio)
    respond(event(request_type), ports=world.ports, budget_s=800)
    assert studio.calls == []
    assert (world.sent[0]["Status"], world.sent[0]["PhysicalResourceId"]) == ("SUCCESS", "d-1")


def test_a_denial_is_told_at_once() -> None:
    studio = Studio()

    def denied(**_: Any) -> Any:
        raise refused("AccessDeniedException")

    studio.list_apps = denied  # type: ignore[method-assign]
    world = World(studio)
    respond(event("Delete"), ports=world.ports, budget_s=800)
    assert world.sent[0]["Status"] == "FAILED"
    assert "AccessDenied" in world.sent[0]["Reason"]
