"""Reading a model's reply: a label and a confidence, or the reasons why a person must look instead."""

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from jmespath.exceptions import JMESPathError

EVALUATION_ERRORS = (
    JMESPathError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""Everything that evaluating a compiled JMESPath expression over foreign data may raise."""


class ReasonCode(StrEnum):
    """Why a person decides."""

    ALWAYS_REVIEW = "always_review"
    CONFIDENCE_BELOW_THRESHOLD = "confidence_below_threshold"
    CONFIDENCE_MISSING = "confidence_missing"
    CONFIDENCE_NOT_A_NUMBER = "confidence_not_a_number"
    CONFIDENCE_NOT_FINITE = "confidence_not_finite"
    CONTESTED = "contested"
    CONFIDENCE_OUT_OF_RANGE = "confidence_out_of_range"
    ENDPOINT_ERROR = "endpoint_error"
    INTERRUPTED = "interrupted"
    KILL_SWITCH = "kill_switch"
    LABEL_MISSING = "label_missing"
    LABEL_NOT_TEXT = "label_not_text"
    LABEL_UNKNOWN = "label_unknown"
    REPLY_MALFORMED = "reply_malformed"
    RULE = "rule"
    RULE_ERROR = "rule_error"
    RULE_NOT_BOOLEAN = "rule_not_boolean"
    SPOT_CHECK = "spot_check"


@dataclass(frozen=True, slots=True)
class Reason:
    """One machine-readable reason: its code, and the figures or names that belong to it."""

    code: str
    detail: Mapping[str, str | float] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The reason as documents carry it."""
        return {"code": str(self.code), **self.detail}


@dataclass(frozen=True, slots=True)
class Prediction:
    """A usable prediction: a known label and a confidence in [0, 1]."""

    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reply came to: a prediction, or (then it is None) the faults that forbid to use it."""

    prediction: Prediction | None
    faults: tuple[Reason, ...] = ()


def read_reply(reply: bytes, *, label: Any, confidence: Any, labels: Collection[str]) -> Reading:
    """The prediction in an endpoint's JSON reply; `label` and `confidence` are compiled JMESPath."""
    try:
        document = json.loads(reply)
        found = label.search(document), confidence.search(document)
    except EVALUATION_ERRORS:
        return Reading(None, (Reason(ReasonCode.REPLY_MALFORMED),))
    return read_values(label=found[0], confidence=found[1], labels=labels)


def read_values(*, label: object, confidence: object, labels: Collection[str]) -> Reading:
    """The prediction made of two values of any kind. Strict: `"0.9"` is no confidence, 7 is no label."""
    faults = [fault for fault in (_label_fault(label, labels), _confidence_fault(confidence)) if fault]
    if faults:
        return Reading(None, tuple(faults))
    return Reading(Prediction(label=str(label), confidence=float(confidence)))  # type: ignore[arg-type]


def endpoint_failed(code: str) -> Reading:
    """The reading when the endpoint gave no reply at all."""
    return Reading(None, (Reason(ReasonCode.ENDPOINT_ERROR, {"error": code}),))


def _label_fault(label: object, labels: Collection[str]) -> Reason | None:
    if label is None:
        return Reason(ReasonCode.LABEL_MISSING)
    if not isinstance(label, str):
        return Reason(ReasonCode.LABEL_NOT_TEXT, {"got": _shown(label)})
    if label not in labels:
        return Reason(ReasonCode.LABEL_UNKNOWN, {"got": _shown(label)})
    return None


def _confidence_fault(confidence: object) -> Reason | None:
    if confidence is None:
        return Reason(ReasonCode.CONFIDENCE_MISSING)
    if isinstance(confidence, bool) or not isinstance(confidence, int | float):
        return Reason(ReasonCode.CONFIDENCE_NOT_A_NUMBER, {"got": _shown(confidence)})
    if isinstance(confidence, float) and not math.isfinite(confidence):
        return Reason(ReasonCode.CONFIDENCE_NOT_FINITE, {"got": _shown(confidence)})
    if not 0 <= confidence <= 1:
        return Reason(ReasonCode.CONFIDENCE_OUT_OF_RANGE, {"got": _shown(confidence)})
    return None


def _shown(value: object) -> str:
    """A short text of a foreign value, fit for a record; containers by their kind only."""
    if isinstance(value, int) and not -(10**30) < value < 10**30:
        return "a very large number"
    if not isinstance(value, str | int | float):
        return "a list" if isinstance(value, list) else "an object"
    return str(value).encode(errors="replace").decode()[:64]
