"""The events of a labeling job's two functions, version 2018-10-16, in every spelling that AWS has."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

VERSION = "2018-10-16"
_REQUIRED_SPELLINGS = ("isHumanAnnotationRequired", "humanAnnotationRequired")


class EventError(ValueError):
    """An event or payload that is not Ground Truth's; names every fault."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))


@dataclass(frozen=True, slots=True, kw_only=True)
class PreAnnotationRequest:
    """One manifest line that becomes a task."""

    job_arn: str
    data_object: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreAnnotationAnswer:
    """What a worker's template gets as `task.input`; an object that needs nobody is skipped."""

    task_input: Mapping[str, Any]
    is_needed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsolidationRequest:
    """Where the answers of a batch are, and the consensus' name; without categories any label may be."""

    job_arn: str
    label_attribute: str
    payload: str
    categories: tuple[str, ...] = ()
    role_arn: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerAnswer:
    """What one worker sent: the JSON text itself, or the S3 address where it lies."""

    worker: str
    content: str = ""
    s3_uri: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredObject:
    """One object of a payload; `skipped` are the answers that cannot be told apart or read, in words."""

    id: str
    answers: tuple[WorkerAnswer, ...]
    skipped: tuple[str, ...] = ()


def pre_annotation_event(request: PreAnnotationRequest) -> dict[str, Any]:
    """The event that a pre-annotation function is called with."""
    return {
        "version": VERSION,
        "labelingJobArn": request.job_arn,
        "dataObject": dict(request.data_object),
    }


def parse_pre_annotation_event(event: object) -> PreAnnotationRequest:
    """What the event asks.

    Raises:
        EventError: it is none of this version.
    """
    document, faults = _event(event)
    data = document.get("dataObject")
    if not isinstance(data, dict):
        faults.append(f"dataObject must be an object, got {_shown(data)}")
    _refuse(faults)
    return PreAnnotationRequest(job_arn=document["labelingJobArn"], data_object=document["dataObject"])


def parse_pre_annotation_answer(answer: object) -> PreAnnotationAnswer:
    """What a pre-annotation function returned: `isHumanAnnotationRequired` as a boolean, or the older
    `humanAnnotationRequired` as a text; without either a person is needed.

    Raises:
        EventError: it is no such answer.
    """
    if not isinstance(answer, dict):
        raise EventError([f"the answer must be an object, got {_shown(answer)}"])
    faults = []
    if not isinstance(answer.get("taskInput"), dict):
        faults.append(f"taskInput must be an object, got {_shown(answer.get('taskInput'))}")
    needed = True
    name = next((each for each in _REQUIRED_SPELLINGS if each in answer), "")
    if name:
        written = str(answer[name]).lower()
        if written not in ("true", "false"):
            faults.append(f"{name} must be true or false, got {_shown(answer[name])}")
        needed = written == "true"
    _refuse(faults)
    return PreAnnotationAnswer(task_input=answer["taskInput"], is_needed=needed)


def consolidation_event(request: ConsolidationRequest) -> dict[str, Any]:
    """The event that a consolidation function is called with."""
    return {
        "version": VERSION,
        "labelingJobArn": request.job_arn,
        "labelCategories": list(request.categories) or None,
        "labelAttributeName": request.label_attribute,
        "roleArn": request.role_arn,
        "payload": {"s3Uri": request.payload},
    }


def parse_consolidation_event(event: object) -> ConsolidationRequest:
    """What the event asks; `labelCategories` and `roleArn` may be missing or null.

    Raises:
        EventError: it is none of this version.
    """
    document, faults = _event(event)
    name = document.get("labelAttributeName")
    if not isinstance(name, str) or not name:
        faults.append(f"labelAttributeName must be a text, got {_shown(name)}")
    payload = _address(document.get("payload"))
    if not payload.startswith("s3://"):
        faults.append(f"payload.s3Uri must be an S3 address, got {_shown(document.get('payload'))}")
    categories = document.get("labelCategories") or []
    if not isinstance(categories, list) or not all(isinstance(each, str) for each in categories):
        faults.append(f"labelCategories must be a list of texts or null, got {_shown(categories)}")
    _refuse(faults)
    return ConsolidationRequest(
        job_arn=document["labelingJobArn"],
        label_attribute=document["labelAttributeName"],
        payload=payload,
        categories=tuple(categories),
        role_arn=document.get("roleArn") or "",
    )


def parse_payload(content: bytes | str) -> list[AnsweredObject]:
    """The objects of a payload file; an answer that is no answer is left out of its object and listed there.

    Raises:
        EventError: the file is no list of objects with ids.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise EventError([f"the payload is not JSON: {error}"]) from error
    if not isinstance(document, list):
        raise EventError([f"the payload must be a list, got {_shown(document)}"])
    faults = [
        f"payload[{place}].datasetObjectId must be a text, got {_shown(each)}"
        for place, each in enumerate(document)
        if not isinstance(each, dict) or not isinstance(each.get("datasetObjectId"), str | int)
    ]
    _refuse(faults)
    return [_answered(each) for each in document]


def _answered(document: Mapping[str, Any]) -> AnsweredObject:
    listed = document.get("annotations")
    answers: list[WorkerAnswer] = []
    skipped: list[str] = []
    for place, each in enumerate(listed if isinstance(listed, list) else []):
        data = each.get("annotationData") if isinstance(each, dict) else None
        worker = each.get("workerId") if isinstance(each, dict) else None
        content = data.get("content") if isinstance(data, dict) else None
        address = _address(data)
        if not isinstance(worker, str) or not worker:
            skipped.append(f"annotations[{place}] names no worker")
        elif isinstance(content, str) and content:
            answers.append(WorkerAnswer(worker=worker, content=content))
        elif address:
            answers.append(WorkerAnswer(worker=worker, s3_uri=address))
        else:
            skipped.append(f"{worker}: no answer")
    return AnsweredObject(id=str(document["datasetObjectId"]), answers=tuple(answers), skipped=tuple(skipped))


def _event(event: object) -> tuple[dict[str, Any], list[str]]:
    if not isinstance(event, dict):
        raise EventError([f"the event must be an object, got {_shown(event)}"])
    faults = []
    if event.get("version") != VERSION:
        faults.append(f"version must be {VERSION}, got {_shown(event.get('version'))}")
    if not isinstance(event.get("labelingJobArn"), str):
        faults.append(f"labelingJobArn must be a text, got {_shown(event.get('labelingJobArn'))}")
    return event, faults


def _address(data: object) -> str:
    if not isinstance(data, dict):
        return ""
    found = data.get("s3Uri") or data.get("s3uri")
    return found if isinstance(found, str) else ""


def _refuse(faults: Sequence[str]) -> None:
    if faults:
        raise EventError(faults)


def _shown(value: object) -> str:
    """What kind of value it is: the words of a fault go to logs, which must not hold what is labeled."""
    return "nothing" if value is None else type(value).__name__
