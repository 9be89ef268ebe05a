"""A labeling job's specification as JSON, for whoever starts it later: `job.json` beside its files."""

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from overread.errors import InvalidDataError
from overread.labeling.jobs import (
    AutomatedLabeling,
    Backend,
    LabelingJobSpec,
    create_request,
    job_name,
)
from overread.labeling.task_types import TASK_TYPES

SCHEMA = 1
NAMES = 10
"""So often the same job can be made again: the name of one that was stopped is never free."""
_TUPLES = ("keywords", "content_classifiers")


def spec_document(spec: LabelingJobSpec) -> dict[str, Any]:
    """The specification as JSON: every field by its name."""
    document = {field.name: getattr(spec, field.name) for field in dataclasses.fields(spec)}
    return document | {
        "backend": spec.backend.value,
        "task": spec.task.name,
        **{name: list(document[name]) for name in _TUPLES},
        "price_usd": None if spec.price_usd is None else str(spec.price_usd),
        "automated": None if spec.automated is None else _automated_document(spec.automated),
        "tags": dict(spec.tags),
    }


def read_spec(document: Mapping[str, Any]) -> LabelingJobSpec:
    """The specification of a document.

    Raises:
        InvalidDataError: fields are unknown, missing, or of values that they cannot have.
    """
    fields = {field.name: field for field in dataclasses.fields(LabelingJobSpec)}
    faults = [f"spec has no field {name!r}" for name in document if name not in fields]
    faults += [
        f"spec.{name} is missing"
        for name, field in fields.items()
        if name not in document
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if document.get("task", "custom") not in TASK_TYPES:
        faults.append(f"spec.task must be a task type, got {document['task']!r}")
    if document.get("backend", "overread") not in tuple(Backend):
        faults.append(f"spec.backend must be one of {', '.join(Backend)}, got {document['backend']!r}")
    if faults:
        raise InvalidDataError(faults)
    automated, price = document.get("automated"), document.get("price_usd")
    return LabelingJobSpec(
        **{
            **document,
            "backend": Backend(document["backend"]),
            "task": TASK_TYPES[document["task"]],
            **{name: tuple(document.get(name) or ()) for name in _TUPLES},
            "price_usd": None if price is None else Decimal(str(price)),
            "automated": None if automated is None else _automated(automated),
            "tags": dict(document.get("tags") or {}),
        }
    )


def requests(spec: LabelingJobSpec) -> Iterator[dict[str, Any]]:
    """The request of CreateLabelingJob under each name that this very job may have, the first one first.

    Raises:
        InvalidDataError: the specification has faults.
    """
    request = create_request(spec)
    for number in range(NAMES):
        yield request | {"LabelingJobName": _name(job_name(spec), stem=spec.stem, number=number)}


def _name(first: str, *, stem: str, number: int) -> str:
    if number == 0:
        return first
    digest = hashlib.sha256(f"{first}/{number}".encode()).hexdigest()
    return f"{stem}-{digest[: len(first) - len(stem) - 1]}"


def _automated_document(automated: AutomatedLabeling) -> dict[str, Any]:
    return {
        "initial_model_arn": automated.initial_model_arn,
        "volume_kms_key": automated.volume_kms_key,
        "security_groups": list(automated.security_groups),
        "subnets": list(automated.subnets),
    }


def _automated(document: Mapping[str, Any]) -> AutomatedLabeling:
    return AutomatedLabeling(
        initial_model_arn=str(document.get("initial_model_arn", "")),
        volume_kms_key=str(document.get("volume_kms_key", "")),
        security_groups=tuple(document.get("security_groups", ())),
        subnets=tuple(document.get("subnets", ())),
    )
