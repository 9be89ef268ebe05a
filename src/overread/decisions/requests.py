"""A request for a decision: read from its body, checked as a whole, hashed."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from overread.errors import Problem, RequestRefusedError
from overread.instants import parse_instant
from overread.strict_json import canonical_json, parse_json

BODY_BYTES = 1_048_576
PRIORITIES = ("low", "normal", "high")
_TEXT_LENGTH = 256
_FIELDS = ("input", "reference", "priority", "deadline", "prediction")
_CHANGES = {
    "cancel": ("reason_code",),
    "contest": ("grounds",),
    "outcome": ("label", "learnt_at"),
}
_GROUNDS_LENGTH = 2_000
_REASON_CODE = re.compile(r"[a-z0-9](-*[a-z0-9_]){0,62}")
_PREDICTION_FIELDS = ("label", "confidence", "model", "version")


@dataclass(frozen=True, slots=True)
class CallerPrediction:
    """A prediction that the caller brings. Label and confidence may be anything: the router judges them."""

    label: object
    confidence: object
    model: str
    version: str


@dataclass(frozen=True, slots=True)
class Submission:
    """What a caller wants decided. `input_body` is the input in its one spelling."""

    input: Mapping[str, Any]
    input_body: bytes
    reference: str
    priority: str
    deadline: datetime | None
    prediction: CallerPrediction | None
    request_sha256: str

    @property
    def input_sha256(self) -> str:
        """The input's hash, under which it is stored."""
        return hashlib.sha256(self.input_body).hexdigest()


def parse_submission(body: bytes) -> Submission:
    """The request in `body`.

    Raises:
        RequestRefusedError: it is too large, not JSON, or has faults; `field` names the first one at fault.
    """
    if len(body) > BODY_BYTES:
        detail = f"the body has {len(body):,} bytes, allowed are {BODY_BYTES:,}"
        raise RequestRefusedError(Problem.REQUEST_TOO_LARGE, detail)
    try:
        document = parse_json(body)
    except ValueError as error:
        raise RequestRefusedError(Problem.MALFORMED_JSON, f"the body is not JSON: {error}") from error
    faults = _faults(document)
    if faults:
        detail = "; ".join(fault for _, fault in faults)
        raise RequestRefusedError(Problem.INVALID_REQUEST, detail, field=faults[0][0])
    stated, deadline = document.get("prediction"), document.get("deadline")
    return Submission(
        input=document["input"],
        input_body=canonical_json(document["input"]),
        reference=document.get("reference") or "",
        priority=document.get("priority") or "normal",
        deadline=parse_instant(deadline) if deadline else None,
        prediction=_prediction(stated) if stated is not None else None,
        request_sha256=hashlib.sha256(canonical_json(document)).hexdigest(),
    )


def parse_change(body: bytes, *, kind: str) -> dict[str, Any]:
    """The members of a call that cancels, contests or tells the outcome; an empty body is an empty object.

    Raises:
        RequestRefusedError: the body has faults; all of them in one detail.
    """
    document = _parsed(body) if body else {}
    if not isinstance(document, dict):
        raise RequestRefusedError(Problem.INVALID_REQUEST, "the body must be an object")
    allowed, faults = _CHANGES[kind], []
    faults = [_unknown(name, allowed) for name in document if name not in allowed]
    label, grounds = document.get("label"), document.get("grounds")
    code, learnt_at = document.get("reason_code"), document.get("learnt_at")
    if kind == "outcome" and not (isinstance(label, str) and label):
        faults.append(("label", "label must be one of the use case's labels"))
    if not (grounds is None or (isinstance(grounds, str) and len(grounds) <= _GROUNDS_LENGTH)):
        faults.append(("grounds", f"grounds must be a text of at most {_GROUNDS_LENGTH} characters"))
    if not (code is None or (isinstance(code, str) and _REASON_CODE.fullmatch(code))):
        faults.append(("reason_code", f"reason_code must match {_REASON_CODE.pattern}"))
    if not _is_instant(learnt_at):
        faults.append(("learnt_at", "learnt_at must be a time such as 2026-12-01T12:00:00Z"))
    _refuse(faults)
    return {**document, "learnt_at": parse_instant(learnt_at) if learnt_at else None}


@dataclass(frozen=True, slots=True)
class WantedSwitch:
    """What a kill switch shall be, and why."""

    is_on: bool
    reason: str


def parse_switch(body: bytes) -> WantedSwitch:
    """What somebody wants of a kill switch.

    Raises:
        RequestRefusedError: the body has faults; all of them in one detail.
    """
    document = _parsed(body)
    if not isinstance(document, dict):
        raise RequestRefusedError(Problem.INVALID_REQUEST, "the body must be an object")
    faults = [_unknown(name, ("is_on", "reason")) for name in document if name not in ("is_on", "reason")]
    is_on, reason = document.get("is_on"), document.get("reason")
    if not isinstance(is_on, bool):
        faults.append(("is_on", "is_on must be true or false"))
    if not reason or not _is_text(reason):
        faults.append(("reason", f"reason must be a text of 1 to {_TEXT_LENGTH} printable characters"))
    _refuse(faults)
    return WantedSwitch(is_on=is_on is True, reason=str(reason))


def parse_restart(body: bytes) -> str:
    """Why somebody wants an error monitor to begin anew, from `{"restart": true, "reason": …}`.

    Raises:
        RequestRefusedError: the body has faults; all of them in one detail.
    """
    document = _parsed(body)
    if not isinstance(document, dict):
        raise RequestRefusedError(Problem.INVALID_REQUEST, "the body must be an object")
    allowed = ("restart", "reason")
    faults = [_unknown(name, allowed) for name in document if name not in allowed]
    if document.get("restart") is not True:
        faults.append(("restart", "restart must be true"))
    reason = document.get("reason")
    if not reason or not _is_text(reason):
        faults.append(("reason", f"reason must be a text of 1 to {_TEXT_LENGTH} printable characters"))
    _refuse(faults)
    return str(reason)


def _parsed(body: bytes) -> Any:
    if len(body) > BODY_BYTES:
        detail = f"the body has {len(body)} bytes, at most {BODY_BYTES} are allowed"
        raise RequestRefusedError(Problem.REQUEST_TOO_LARGE, detail)
    try:
        return parse_json(body)
    except ValueError as error:
        raise RequestRefusedError(Problem.MALFORMED_JSON, str(error)) from error


def _refuse(faults: list[tuple[str, str]]) -> None:
    if faults:
        detail = "; ".join(fault for _, fault in faults)
        raise RequestRefusedError(Problem.INVALID_REQUEST, detail, field=faults[0][0])


def checked_idempotency_key(values: list[str]) -> str:
    """The idempotency key out of all values of its header.

    Raises:
        RequestRefusedError: there is none, or not exactly one of 1 to 255 printable ASCII characters.
    """
    field = "Idempotency-Key"
    if not any(values):
        raise RequestRefusedError(Problem.IDEMPOTENCY_KEY_MISSING, f"header {field} is required", field=field)
    key = values[0]
    if len(set(values)) > 1 or len(key) > 255 or not (key.isascii() and key.isprintable()):
        detail = f"header {field} must be given once, with 1 to 255 printable ASCII characters"
        raise RequestRefusedError(Problem.IDEMPOTENCY_KEY_INVALID, detail, field=field)
    return key


def _prediction(stated: Mapping[str, Any]) -> CallerPrediction:
    return CallerPrediction(
        label=stated.get("label"),
        confidence=stated.get("confidence"),
        model=stated["model"],
        version=stated["version"],
    )


def _faults(document: object) -> list[tuple[str, str]]:
    """Field and fault, for every fault of the document."""
    if not isinstance(document, dict):
        return [("", "the body must be an object")]
    faults = [_unknown(name, _FIELDS) for name in document if name not in _FIELDS]
    if not isinstance(document.get("input"), dict):
        got = "nothing" if "input" not in document else _kind(document["input"])
        faults.append(("input", f"input must be an object, got {got}"))
    if not _is_text(document.get("reference")):
        faults.append(
            ("reference", f"reference must be a text of at most {_TEXT_LENGTH} printable characters")
        )
    if document.get("priority") not in (None, *PRIORITIES):
        faults.append(("priority", f"priority must be one of {', '.join(PRIORITIES)}"))
    if not _is_instant(document.get("deadline")):
        faults.append(("deadline", "deadline must be a time such as 2026-12-01T12:00:00Z"))
    if document.get("prediction") is not None:
        faults += _prediction_faults(document["prediction"])
    return faults


def _prediction_faults(stated: object) -> list[tuple[str, str]]:
    if not isinstance(stated, dict):
        return [("prediction", f"prediction must be an object, got {_kind(stated)}")]
    faults = [
        _unknown(f"prediction.{name}", _PREDICTION_FIELDS)
        for name in stated
        if name not in _PREDICTION_FIELDS
    ]
    for name in ("model", "version"):
        if not stated.get(name) or not _is_text(stated[name]):
            allowed = f"a text of 1 to {_TEXT_LENGTH} printable characters"
            faults.append((f"prediction.{name}", f"prediction.{name} must be {allowed}"))
    return faults


def _unknown(name: str, allowed: tuple[str, ...]) -> tuple[str, str]:
    shown = name[:80]
    return shown, f"{shown} is unknown, allowed are {', '.join(allowed)}"


def _is_text(value: object) -> bool:
    return value is None or (isinstance(value, str) and len(value) <= _TEXT_LENGTH and value.isprintable())


def _is_instant(value: object) -> bool:
    if value is None:
        return True
    if not isinstance(value, str):
        return False
    try:
        parse_instant(value)
    except (ValueError, OverflowError):
        return False
    return True


def _kind(value: object) -> str:
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list"}
    return kinds.get(type(value), "null" if value is None else "an object")
