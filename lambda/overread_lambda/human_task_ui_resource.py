"""`Custom::OverreadHumanTaskUi`: its requests, served by SageMaker's task UIs."""

import hashlib
from collections.abc import Mapping
from typing import Any

from overread_aws.human_task_uis import HumanTaskUis
from overread_aws.provisioning import ProvisioningRefusedError
from overread_lambda.cloudformation_answer import NOT_CREATED, Result
from overread_lambda.logs import log


def name_of(properties: Mapping[str, Any]) -> str:
    """The name of the task UI that the properties describe.

    Raises:
        KeyError: they do not.
    """
    return str(properties["HumanTaskUiName"])


def provide(
    request: str, physical_id: str, *, properties: Mapping[str, Any], task_uis: HumanTaskUis
) -> Result:
    """Creates, adopts, keeps or deletes; another name is another task UI."""
    content = str(properties["Content"])
    if request == "Delete":
        return _delete(physical_id, content=content, task_uis=task_uis)
    name = name_of(properties)
    if hashlib.sha256(content.encode()).hexdigest() != properties["ContentSha256"]:
        return Result(
            physical_id=NOT_CREATED + name,
            reason=f"the template of {name} did not arrive as it was synthesised: "
            "write characters beyond ASCII as HTML entities",
        )
    try:
        arn = task_uis.create(name, content=content)
    except ProvisioningRefusedError as error:
        return Result(physical_id=NOT_CREATED + name, reason=error.message)
    return Result(physical_id=name, data={"HumanTaskUiArn": arn, "HumanTaskUiName": name})


def _delete(name: str, *, content: str, task_uis: HumanTaskUis) -> Result:
    try:
        users = task_uis.delete(name, content=content)
    except ProvisioningRefusedError as error:
        return Result(physical_id=name, reason=error.message)
    if users:
        log.info("task UI kept for its flow definitions", extra={"task_ui": name, "flow_definitions": users})
    return Result(physical_id=name)
