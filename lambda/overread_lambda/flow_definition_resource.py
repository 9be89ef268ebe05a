"""`Custom::OverreadFlowDefinition`: its requests, served by SageMaker's flow definitions."""

import json
from collections.abc import Mapping
from typing import Any

from overread_aws.flow_definitions import FlowDefinitions
from overread_aws.provisioning import ProvisioningRefusedError
from overread_lambda.cloudformation_answer import NOT_CREATED, Result


def name_of(properties: Mapping[str, Any]) -> str:
    """The name of the flow definition that the properties describe.

    Raises:
        KeyError, TypeError, ValueError: they do not.
    """
    return str(json.loads(properties["Definition"])["FlowDefinitionName"])


def provide(
    request: str, physical_id: str, *, properties: Mapping[str, Any], flows: FlowDefinitions
) -> Result:
    """Creates, keeps or deletes; another name is another flow definition."""
    if request == "Delete":
        return _delete(physical_id, properties=properties, flows=flows)
    name = name_of(properties)
    if request == "Update" and name == physical_id:
        arn = flows.arn_of(name)
        if not arn:
            return Result(physical_id=name, reason=f"{name} does not exist any more")
        return _made(name, arn=arn)
    try:
        return _made(name, arn=flows.create(json.loads(properties["Definition"])))
    except ProvisioningRefusedError as error:
        return Result(physical_id=name if error.is_ours else NOT_CREATED + name, reason=error.message)


def _delete(name: str, *, properties: Mapping[str, Any], flows: FlowDefinitions) -> Result:
    try:
        flows.delete(name, drain=properties.get("OnDelete") == "drain")
    except ProvisioningRefusedError as error:
        return Result(physical_id=name, reason=error.message)
    return Result(physical_id=name)


def _made(name: str, *, arn: str) -> Result:
    return Result(physical_id=name, data={"FlowDefinitionArn": arn, "FlowDefinitionName": name})
