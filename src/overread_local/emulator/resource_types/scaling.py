"""AWS::ApplicationAutoScaling::ScalableTarget and ScalingPolicy."""

from typing import Any, ClassVar

from overread_local.emulator.resource_types.handler import (
    Clients,
    Properties,
    Resource,
    ResourceType,
    code_of,
    ignoring_absence,
)

_SERVICE = "application-autoscaling"
_KEY = ("ServiceNamespace", "ResourceId", "ScalableDimension")


def resource_types(clients: Clients) -> list[ResourceType]:
    """The types of this module."""
    return [ScalableTarget(clients), ScalingPolicy(clients)]


class ScalableTarget(ResourceType):
    """Ref is `resource id|dimension|namespace`."""

    name = "AWS::ApplicationAutoScaling::ScalableTarget"
    replaced_by: ClassVar[frozenset[str]] = frozenset(_KEY)

    def create(self, props: Properties, *, default_name: str) -> Resource:
        self._register(props)
        identifier = "|".join((props["ResourceId"], props["ScalableDimension"], props["ServiceNamespace"]))
        return identifier, {"Id": identifier}

    def change(self, physical_id: str, props: Properties) -> Resource:
        self._register(props)
        return physical_id, {"Id": physical_id}

    def delete(self, physical_id: str, props: Properties) -> None:
        resource, dimension, namespace = physical_id.split("|")
        scaling = self._clients(_SERVICE)
        ignoring_absence(
            lambda: scaling.deregister_scalable_target(
                ServiceNamespace=namespace, ResourceId=resource, ScalableDimension=dimension
            ),
            absent=lambda error: code_of(error) == "ObjectNotFoundException",
        )

    def _register(self, props: Properties) -> None:
        names = (*_KEY, "MinCapacity", "MaxCapacity", "RoleARN", "SuspendedState")
        request = {name: props[name] for name in names if name in props}
        for name in ("MinCapacity", "MaxCapacity"):
            request[name] = int(request[name])
        self._clients(_SERVICE).register_scalable_target(**request)


class ScalingPolicy(ResourceType):
    """Ref is the policy's ARN."""

    name = "AWS::ApplicationAutoScaling::ScalingPolicy"
    replaced_by: ClassVar[frozenset[str]] = frozenset({"PolicyName", "ScalingTargetId", *_KEY})

    def create(self, props: Properties, *, default_name: str) -> Resource:
        arn = self._put(props)
        return arn, {"Arn": arn}

    def change(self, physical_id: str, props: Properties) -> Resource:
        arn = self._put(props)
        return arn, {"Arn": arn}

    def delete(self, physical_id: str, props: Properties) -> None:
        scaling = self._clients(_SERVICE)
        ignoring_absence(
            lambda: scaling.delete_scaling_policy(PolicyName=props["PolicyName"], **self._target(props)),
            absent=lambda error: code_of(error) == "ObjectNotFoundException",
        )

    def _put(self, props: Properties) -> str:
        request: dict[str, Any] = {"PolicyName": props["PolicyName"], "PolicyType": props["PolicyType"]}
        for name in ("TargetTrackingScalingPolicyConfiguration", "StepScalingPolicyConfiguration"):
            if name in props:
                request[name] = props[name]
        arn: str = self._clients(_SERVICE).put_scaling_policy(**request, **self._target(props))["PolicyARN"]
        return arn

    def _target(self, props: Properties) -> dict[str, str]:
        if "ScalingTargetId" in props:
            resource, dimension, namespace = str(props["ScalingTargetId"]).split("|")
            return {
                "ServiceNamespace": namespace,
                "ResourceId": resource,
                "ScalableDimension": dimension,
            }
        return {name: str(props[name]) for name in _KEY}
