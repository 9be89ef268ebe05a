"""What Amazon A2I and the review service say on the wire: loop names, status events, output documents."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, NoReturn

from overread.errors import PoisonedAnswerError

EVENT_DETAIL_TYPE = "SageMaker A2I HumanLoop Status Change"
EVENT_SOURCES = ("aws.sagemaker", "overread.review")
"""Amazon A2I's source, and the review service's: only AWS may send events as `aws.…`."""


class LoopStatus(StrEnum):
    """Where a human loop stands."""

    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    COMPLETED = "Completed"
    STOPPED = "Stopped"
    FAILED = "Failed"


class FailureCode(StrEnum):
    """Why a human loop failed."""

    VALIDATION_ERROR = "ValidationError"
    EXPIRED = "Expired"
    INTERNAL_ERROR = "InternalError"


@dataclass(frozen=True, slots=True)
class HumanLoop:
    """A human loop as DescribeHumanLoop tells it; texts are empty where the service gives none."""

    name: str
    arn: str
    flow_definition_arn: str
    status: str
    output_uri: str = ""
    failure_code: str = ""
    failure_reason: str = ""


@dataclass(frozen=True, slots=True)
class HumanAnswer:
    """One worker's answer in an output document.

    `seconds` is the time of active work (None in old outputs), `sub` and `issuer` are empty for workers
    outside a private workforce.
    """

    content: Mapping[str, Any]
    submission_time: str
    acceptance_time: str
    seconds: float | None
    worker_id: str
    sub: str
    issuer: str


@dataclass(frozen=True, slots=True)
class ReviewOutput:
    """An output document: what was asked and every answer, in the order of submission."""

    human_loop_name: str
    flow_definition_arn: str
    input_content: Mapping[str, Any]
    answers: tuple[HumanAnswer, ...]


def loop_name(decision_id: str, *, generation: int, suffix: str = "") -> str:
    """The one name of a decision's human loop of that generation.

    `suffix` tells the loops of several reviewers of one generation apart.
    """
    return f"h-{_digest(decision_id)}-g{generation}" + (f"-{suffix}" if suffix else "")


@lru_cache(maxsize=1024)
def _digest(decision_id: str) -> str:
    """What a decision's human loops have in common."""
    return base64.b32encode(hashlib.sha256(decision_id.encode()).digest()).decode().lower()[:26]


def content_sha256(content: Mapping[str, Any]) -> str:
    """The hash of an input content by its values: 1, 1.0 and 1e0 are one number, the order of names is free.

    Numbers count as 64-bit floats, because A2I writes them anew.

    Raises:
        PoisonedAnswerError: it is nested too deeply.
    """
    try:
        by_value = json.loads(json.dumps(content), parse_int=_number, parse_float=_number)
        text = json.dumps(by_value, sort_keys=True)
    except RecursionError as error:
        raise PoisonedAnswerError("output_of_other_content", "nested too deeply") from error
    return hashlib.sha256(text.encode()).hexdigest()


def parse_output(body: bytes) -> ReviewOutput:
    """The output document in `body`.

    Raises:
        PoisonedAnswerError: it is not JSON, or not shaped as A2I writes it.
    """
    try:
        document = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise PoisonedAnswerError("output_not_json", str(error)) from error
    _need(isinstance(document, dict), "the document is not an object")
    name, arn = document.get("humanLoopName"), document.get("flowDefinitionArn")
    content, answers = document.get("inputContent"), document.get("humanAnswers")
    _need(isinstance(name, str), "humanLoopName is not a text")
    _need(isinstance(arn, str), "flowDefinitionArn is not a text")
    _need(isinstance(content, dict), "inputContent is not an object")
    _need(isinstance(answers, list), "humanAnswers is not a list")
    return ReviewOutput(
        human_loop_name=name,
        flow_definition_arn=arn,
        input_content=content,
        answers=tuple(sorted(map(_parse_answer, answers), key=lambda a: (a.submission_time, a.worker_id))),
    )


def _parse_answer(answer: Any) -> HumanAnswer:
    _need(isinstance(answer, dict), "an answer is not an object")
    content = answer.get("answerContent")
    _need(isinstance(content, dict), "answerContent is not an object")
    seconds = answer.get("timeSpentInSeconds")
    _need(seconds is None or _is_duration(seconds), "timeSpentInSeconds is no duration")
    metadata = answer.get("workerMetadata", {})
    identity = metadata.get("identityData", {}) if isinstance(metadata, dict) else {}
    _need(isinstance(identity, dict), "identityData is not an object")
    texts = {name: answer.get(name, "") for name in ("submissionTime", "acceptanceTime", "workerId")}
    texts |= {name: identity.get(name, "") for name in ("sub", "issuer")}
    for field, value in texts.items():
        _need(
            isinstance(value, str) and value.isprintable() and len(value) <= 512,
            f"{field} is not a short text",
        )
    return HumanAnswer(
        content=content,
        submission_time=texts["submissionTime"],
        acceptance_time=texts["acceptanceTime"],
        seconds=None if seconds is None else float(seconds),
        worker_id=texts["workerId"],
        sub=texts["sub"],
        issuer=texts["issuer"],
    )


def _is_duration(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1e9


def _number(digits: str) -> float:
    return float(digits) + 0.0  # -0.0 becomes 0.0


def _need(condition: bool, fault: str) -> None:
    if not condition:
        raise PoisonedAnswerError("output_malformed", fault)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
