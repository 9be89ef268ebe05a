"""The custom resource of flow definitions: CloudFormation gets exactly one answer, whatever happens."""

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Protocol

from overread_aws.clients import make_client
from overread_aws.flow_definitions import FlowDefinitionRefusedError, FlowDefinitions
from overread_lambda.logs import log

NOT_CREATED = "not-created:"
"""Begins the physical id of what never came to be, so that its deletion deletes nothing."""
SPARE_S = 30.0
ANSWER_S = 10.0
REASON_LENGTH = 1000


class Context(Protocol):
    """What the handler asks of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the function."""


@dataclass(frozen=True, slots=True)
class Result:
    """What to tell CloudFormation; `reason` is empty on success."""

    physical_id: str
    arn: str
    reason: str = ""


class Answer:
    """CloudFormation's answer slot: the first answer is sent, later ones are dropped."""

    def __init__(self, event: Mapping[str, Any], *, send: Callable[[str, bytes], None]) -> None:
        self._event = event
        self._send = send
        self._lock = threading.Lock()
        self._is_given = False

    def give(self, result: Result) -> None:
        """Sends the answer, unless one was sent before."""
        with self._lock:
            if self._is_given:
                return
            self._is_given = True
        body = {
            "Status": "FAILED" if result.reason else "SUCCESS",
            "Reason": result.reason[:REASON_LENGTH] or "done",
            "PhysicalResourceId": result.physical_id,
            "StackId": self._event["StackId"],
            "RequestId": self._event["RequestId"],
            "LogicalResourceId": self._event["LogicalResourceId"],
            "Data": {"FlowDefinitionArn": result.arn, "FlowDefinitionName": result.physical_id},
        }
        log.info(
            "flow definition answered",
            extra={"request": self._event["RequestType"], "status": body["Status"], "reason": result.reason},
        )
        self._send(self._event["ResponseURL"], json.dumps(body).encode())


def handler(event: Mapping[str, Any], context: Context) -> None:
    """What CloudFormation calls."""
    remaining_s = context.get_remaining_time_in_millis() / 1000
    respond(event, make=_flow_definitions, send=put_answer, remaining_s=remaining_s, monotonic=time.monotonic)


def respond(
    event: Mapping[str, Any],
    *,
    make: Callable[[Callable[[], float]], FlowDefinitions],
    send: Callable[[str, bytes], None],
    remaining_s: float,
    monotonic: Callable[[], float],
) -> None:
    """Does what the event asks and answers. `make` gives the flow definitions for a budget of seconds.

    A watchdog answers FAILED shortly before Lambda would end the function without any answer.
    """
    answer = Answer(event, send=send)
    late = Result(
        physical_id=_physical_id_on_failure(event),
        arn="",
        reason="the function ran out of time",
    )
    watchdog = threading.Timer(max(0.0, remaining_s - ANSWER_S), partial(answer.give, late))
    watchdog.daemon = True
    watchdog.start()
    end = monotonic() + _budget_s(event, remaining_s)
    try:
        result = _provide(event, make(lambda: end - monotonic()))
    except Exception as error:  # noqa: BLE001 - CloudFormation would wait for an hour
        reason = f"{type(error).__name__}: {error}"
        result = Result(physical_id=late.physical_id, arn="", reason=reason)
    finally:
        watchdog.cancel()
    answer.give(result)


def put_answer(url: str, body: bytes) -> None:
    """Puts the answer to CloudFormation's presigned address; three attempts."""
    if not url.startswith(("https://", "http://")):
        raise ValueError("ResponseURL must be an http(s) address")
    for attempt in range(3):
        request = urllib.request.Request(url, data=body, method="PUT", headers={"Content-Type": ""})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=5):  # noqa: S310
                return
        except OSError as error:
            log.warning("answer not delivered", extra={"attempt": attempt + 1, "error": type(error).__name__})
            if attempt == 2:
                raise
            time.sleep(attempt + 0.5)


def _provide(event: Mapping[str, Any], flows: FlowDefinitions) -> Result:
    properties = event["ResourceProperties"]
    physical_id = str(event.get("PhysicalResourceId") or "")
    if event["RequestType"] == "Delete":
        return _delete(physical_id, properties, flows)
    definition = json.loads(properties["Definition"])
    name = str(definition["FlowDefinitionName"])
    if event["RequestType"] == "Update" and name == physical_id:
        arn = flows.arn_of(name)
        return Result(name, arn) if arn else Result(name, "", f"{name} does not exist any more")
    try:
        return Result(name, flows.create(definition))
    except FlowDefinitionRefusedError as error:
        return Result(name if error.is_ours else NOT_CREATED + name, "", error.message)


def _delete(physical_id: str, properties: Mapping[str, Any], flows: FlowDefinitions) -> Result:
    if physical_id.startswith(NOT_CREATED):
        return Result(physical_id, "")
    try:
        flows.delete(physical_id, drain=properties.get("OnDelete") == "drain")
    except FlowDefinitionRefusedError as error:
        return Result(physical_id, "", error.message)
    return Result(physical_id, "")


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
        return str(json.loads(event["ResourceProperties"]["Definition"])["FlowDefinitionName"])
    except (KeyError, TypeError, ValueError):
        return f"{NOT_CREATED}{event['RequestId']}"


def _flow_definitions(budget_s: Callable[[], float]) -> FlowDefinitions:
    sagemaker, a2i = _clients()
    return FlowDefinitions(sagemaker, a2i, budget_s=budget_s, sleep=time.sleep)


@cache
def _clients() -> tuple[Any, Any]:
    return make_client("sagemaker", read_timeout_s=10.0), make_client("sagemaker-a2i-runtime")
