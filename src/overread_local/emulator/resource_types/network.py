"""AWS::EC2::FlowLog, SecurityGroupIngress and SecurityGroupEgress."""

from typing import Any, ClassVar

from botocore.exceptions import ClientError

from overread_local.emulator.resource_types.handler import (
    Clients,
    Properties,
    Resource,
    ResourceType,
    code_of,
    ignoring_absence,
)


def resource_types(clients: Clients) -> list[ResourceType]:
    """The types of this module."""
    return [FlowLog(clients), SecurityGroupIngress(clients), SecurityGroupEgress(clients)]


class FlowLog(ResourceType):
    """Ref is the flow log's id; any change but tags makes a new one."""

    name = "AWS::EC2::FlowLog"

    def changes_in_place(self, changed: frozenset[str]) -> bool:
        return changed <= {"Tags"}

    def change(self, physical_id: str, props: Properties) -> Resource:
        if props.get("Tags"):
            self._clients("ec2").create_tags(Resources=[physical_id], Tags=props["Tags"])
        return physical_id, {"Id": physical_id}

    def create(self, props: Properties, *, default_name: str) -> Resource:
        names = (
            "ResourceType",
            "TrafficType",
            "LogDestinationType",
            "LogDestination",
            "LogGroupName",
            "LogFormat",
            "MaxAggregationInterval",
            "DeliverLogsPermissionArn",
        )
        request: dict[str, Any] = {name: props[name] for name in names if name in props}
        if props.get("Tags"):
            request["TagSpecifications"] = [{"ResourceType": "vpc-flow-log", "Tags": props["Tags"]}]
        reply = self._clients("ec2").create_flow_logs(ResourceIds=[props["ResourceId"]], **request)
        identifier = reply["FlowLogIds"][0]
        return identifier, {"Id": identifier}

    def delete(self, physical_id: str, props: Properties) -> None:
        self._clients("ec2").delete_flow_logs(FlowLogIds=[physical_id])


class SecurityGroupRule(ResourceType):
    """A rule of a security group; a changed description stays in place, all else makes a new rule."""

    peer_group: ClassVar[str]
    peer_prefix_list: ClassVar[str]
    authorize: ClassVar[str]
    revoke: ClassVar[str]

    def changes_in_place(self, changed: frozenset[str]) -> bool:
        return changed <= {"Description"}

    def change(self, physical_id: str, props: Properties) -> Resource:
        return physical_id, {"Id": physical_id}

    def create(self, props: Properties, *, default_name: str) -> Resource:
        ec2 = self._clients("ec2")
        reply = getattr(ec2, self.authorize)(
            GroupId=props["GroupId"], IpPermissions=[self._permission(props)]
        )
        rules = reply.get("SecurityGroupRules") or []
        identifier = rules[0]["SecurityGroupRuleId"] if rules else default_name
        return identifier, {"Id": identifier}

    def delete(self, physical_id: str, props: Properties) -> None:
        revoke = getattr(self._clients("ec2"), self.revoke)
        ignoring_absence(
            lambda: revoke(GroupId=props["GroupId"], IpPermissions=[self._permission(props)]), absent=_gone
        )

    def _permission(self, props: Properties) -> dict[str, Any]:
        permission: dict[str, Any] = {"IpProtocol": str(props["IpProtocol"])}
        for name in ("FromPort", "ToPort"):
            if name in props:
                permission[name] = int(props[name])
        described = {"Description": props["Description"]} if props.get("Description") else {}
        for name, member, key in (
            ("CidrIp", "IpRanges", "CidrIp"),
            ("CidrIpv6", "Ipv6Ranges", "CidrIpv6"),
            (self.peer_group, "UserIdGroupPairs", "GroupId"),
            (self.peer_prefix_list, "PrefixListIds", "PrefixListId"),
        ):
            if name in props:
                permission[member] = [{key: props[name], **described}]
        return permission


class SecurityGroupIngress(SecurityGroupRule):
    """A rule for traffic that comes in."""

    name = "AWS::EC2::SecurityGroupIngress"
    peer_group = "SourceSecurityGroupId"
    peer_prefix_list = "SourcePrefixListId"
    authorize = "authorize_security_group_ingress"
    revoke = "revoke_security_group_ingress"


class SecurityGroupEgress(SecurityGroupRule):
    """A rule for traffic that goes out."""

    name = "AWS::EC2::SecurityGroupEgress"
    peer_group = "DestinationSecurityGroupId"
    peer_prefix_list = "DestinationPrefixListId"
    authorize = "authorize_security_group_egress"
    revoke = "revoke_security_group_egress"


def _gone(error: ClientError) -> bool:
    return code_of(error) in {"InvalidPermission.NotFound", "InvalidGroup.NotFound"}
