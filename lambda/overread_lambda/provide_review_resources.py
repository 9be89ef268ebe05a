"""The custom resources of human review: CloudFormation gets exactly one answer, whatever happens."""

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Protocol

from overread_aws.flow_definitions import FlowDefinitions
from overread_aws.human_task_uis import HumanTaskUis
from overread_aws.provisioning import Patience
from overread_aws.workteams import Workforces, Workteams
from overread_lambda import flow_definition_resource, human_task_ui_resource, workforce_resource
from overread_lambda.backend_clients import make_a2i_client, make_sagemaker_client
from overread_lambda.cloudformation_answer import NOT_CREATED, Answer, Result, put_answer
from overread_lambda.entry import entry

FLOW_DEFINITION = "Custom::OverreadFlowDefinition"
HUMAN_TASK_UI = "Custom::OverreadHumanTaskUi"
WORKFORCE = "Custom::OverreadWorkforce"
WORKTEAM = "Custom::OverreadWorkteam"
SPARE_S = 30.0
ANSWER_S = 10.0
_NAME_OF: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    FLOW_DEFINITION: flow_definition_resource.name_of,
    HUMAN_TASK_UI: human_task_ui_resource.name_of,
    WORKFORCE: workforce_resource.name_of_workforce,
    WORKTEAM: workforce_resource.name_of_workteam,
}


class Context(Protocol):
    """What the handler asks of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the resources are made with."""

    flows: FlowDefinitions
    task_uis: HumanTaskUis
    workforces: Workforces
    workteams: Workteams


@entry()
def handler(event: Mapping[str, Any], context: Context) -> None:
    """What CloudFormation calls."""
    remaining_s = context.get_remaining_time_in_millis() / 1000
    respond(event, make=_services, send=put_answer, remaining_s=remaining_s, monotonic=time.monotonic)


def respond(
    event: Mapping[str, Any],
    *,
    make: Callable[[Callable[[], float]], Services],
    send: Callable[[str, bytes], None],
    remaining_s: float,
    monotonic: Callable[[], float],
) -> None:
    """Does what the event asks and answers. `make` gives the services for a budget of seconds.

    A watchdog answers FAILED shortly before Lambda would end the function without any answer.
    """
    answer = Answer(event, send=send)
    late = Result(physical_id=_physical_id_on_failure(event), reason="the function ran out of time")
    watchdog = threading.Timer(max(0.0, remaining_s - ANSWER_S), partial(answer.give, late))
    watchdog.daemon = True
    watchdog.start()
    end = monotonic() + _budget_s(event, remaining_s)
    try:
        result = _provide(event, make(lambda: end - monotonic()))
    except Exception as error:  # noqa: BLE001 - CloudFormation would wait for an hour
        result = Result(physical_id=late.physical_id, reason=f"{type(error).__name__}: {error}")
    finally:
        watchdog.cancel()
    answer.give(result)


def _provide(event: Mapping[str, Any], services: Services) -> Result:
    request, properties = event["RequestType"], event["ResourceProperties"]
    physical_id = str(event.get("PhysicalResourceId") or "")
    if request == "Delete" and physical_id.startswith(NOT_CREATED):
        return Result(physical_id=physical_id)
    provide = {
        FLOW_DEFINITION: partial(flow_definition_resource.provide, flows=services.flows),
        HUMAN_TASK_UI: partial(human_task_ui_resource.provide, task_uis=services.task_uis),
        WORKFORCE: partial(workforce_resource.provide_workforce, workforces=services.workforces),
        WORKTEAM: partial(workforce_resource.provide_workteam, workteams=services.workteams),
    }.get(event["ResourceType"])
    if provide is None:
        raise ValueError(f"ResourceType must be one of {', '.join(_NAME_OF)}, got {event['ResourceType']}")
    return provide(request, physical_id, properties=properties)


def _budget_s(event: Mapping[str, Any], remaining_s: float) -> float:
    """Seconds for the work: within CloudFormation's patience and Lambda's, less what answering takes."""
    stated = str(event.get("ResourceProperties", {}).get("ServiceTimeout") or "")
    patience_s = float(stated) - SPARE_S if stated.isdigit() else remaining_s
    return max(0.0, min(patience_s, remaining_s - 2 * ANSWER_S))


def _physical_id_on_failure(event: Mapping[str, Any]) -> str:
    """The old id where there is one; else the name that may have come to be: a rollback removes it."""
    if event.get("PhysicalResourceId"):
        return str(event["PhysicalResourceId"])
    try:
        return _NAME_OF[event["ResourceType"]](event["ResourceProperties"])
    except (KeyError, TypeError, ValueError):
        return f"{NOT_CREATED}{event['RequestId']}"


def _services(budget_s: Callable[[], float]) -> Services:
    sagemaker, a2i = _clients()
    patience = Patience(budget_s=budget_s, sleep=time.sleep)
    return Services(
        flows=FlowDefinitions(sagemaker, a2i, patience=patience),
        task_uis=HumanTaskUis(sagemaker, patience=patience),
        workforces=Workforces(sagemaker, patience=patience),
        workteams=Workteams(sagemaker, patience=patience),
    )


@cache
def _clients() -> tuple[Any, Any]:
    return make_sagemaker_client(os.environ, read_timeout_s=10.0), make_a2i_client(os.environ)
