"""`Custom::OverreadWorkforce` and `Custom::OverreadWorkteam`: their requests, served by the wire's calls."""

import json
from collections.abc import Mapping
from typing import Any

from overread_aws.provisioning import ProvisioningRefusedError
from overread_aws.workteams import Workforces, Workteams
from overread_lambda.cloudformation_answer import NOT_CREATED, Result


def name_of_workforce(properties: Mapping[str, Any]) -> str:
    """The name of the workforce that the properties describe.

    Raises:
        KeyError, TypeError, ValueError: they do not.
    """
    return str(json.loads(properties["Definition"])["WorkforceName"])


def name_of_workteam(properties: Mapping[str, Any]) -> str:
    """The name of the work team that the properties describe.

    Raises:
        KeyError, TypeError, ValueError: they do not.
    """
    return str(json.loads(properties["Definition"])["WorkteamName"])


def provide_workforce(
    request: str, physical_id: str, *, properties: Mapping[str, Any], workforces: Workforces
) -> Result:
    """Creates, adopts, changes or deletes the workforce."""
    return _provide(request, physical_id, properties=properties, resources=workforces, noun="Workforce")


def provide_workteam(
    request: str, physical_id: str, *, properties: Mapping[str, Any], workteams: Workteams
) -> Result:
    """Creates, adopts, changes or deletes a work team; another name is another team."""
    return _provide(request, physical_id, properties=properties, resources=workteams, noun="Workteam")


def _provide(
    request: str,
    physical_id: str,
    *,
    properties: Mapping[str, Any],
    resources: Workforces | Workteams,
    noun: str,
) -> Result:
    name = physical_id
    try:
        if request == "Delete":
            resources.delete(physical_id)
            return Result(physical_id=physical_id)
        definition = json.loads(properties["Definition"])
        name = str(definition[f"{noun}Name"])
        is_change = request == "Update" and name == physical_id
        arn = resources.change(definition) if is_change else resources.create(definition)
    except ProvisioningRefusedError as error:
        is_there = error.is_ours or name == physical_id
        return Result(physical_id=name if is_there else NOT_CREATED + name, reason=error.message)
    return Result(physical_id=name, data={f"{noun}Arn": arn, f"{noun}Name": name})
