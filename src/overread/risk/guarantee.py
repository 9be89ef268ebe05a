"""The threshold guarantee: what was promised of which model, on which data, held against which reference.

Only the standard library: it is read where policies are checked and where they are deployed.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from overread.document_faults import Faults, Section
from overread.errors import InvalidGuaranteeError
from overread.routing.policy import USE_CASE_NAME, PolicyGuarantee
from overread.strict_json import canonical_json, parse_json

SCHEMA = 1
_LABEL_LENGTH = 128


class ReferenceStandard(StrEnum):
    """Whose word counted as the truth when a threshold was certified."""

    ONE_READER = "one-reader"
    TWO_BLIND_READERS = "two-blind-readers"
    LATER_OUTCOME = "later-outcome"


@dataclass(frozen=True, slots=True)
class ReferenceErrorRate:
    """How often the reference itself is wrong: estimated on `points` cases, and at most `upper`."""

    estimate: float
    upper: float
    points: int


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference standard and its own error; None where nobody has measured it."""

    standard: ReferenceStandard
    error: ReferenceErrorRate | None


@dataclass(frozen=True, slots=True)
class ThresholdGuarantee:
    """With probability 1 − `delta` over the calibration data, at most the share `alpha` of what the model
    decides alone differs from the reference, as long as cases are like those of the data.

    A prediction is automatic from `threshold` on; `label_thresholds` are for single labels instead. `n` of
    the `points` calibration points were accepted, `errors` of them wrong; `coverage` is n / points.
    `data_sha256` is the hash of the file of calibration points.
    """

    use_case: str
    model_version: str
    method: str
    alpha: float
    delta: float
    threshold: float
    label_thresholds: dict[str, float]
    coverage: float
    n: int
    errors: int
    points: int
    data_sha256: str
    reference: Reference
    date: date

    @property
    def id(self) -> str:
        """The name that its every word is in."""
        digest = base64.b32encode(hashlib.sha256(canonical_json(self.document())).digest())
        return f"g-{digest.decode().lower()[:26]}"

    def in_policy(self) -> PolicyGuarantee:
        """What a policy says that stands on it."""
        return PolicyGuarantee(
            id=self.id,
            alpha=self.alpha,
            delta=self.delta,
            threshold=self.threshold,
            label_thresholds=self.label_thresholds,
            coverage=self.coverage,
            model_version=self.model_version,
            reference=str(self.reference.standard),
        )

    def threshold_for(self, label: str) -> float:
        """The lowest confidence at which the label may be automatic."""
        return self.label_thresholds.get(label, self.threshold)

    def document(self) -> dict[str, Any]:
        """The guarantee as JSON has it."""
        error = self.reference.error
        return {
            "schema": SCHEMA,
            "use_case": self.use_case,
            "model_version": self.model_version,
            "method": self.method,
            "alpha": self.alpha,
            "delta": self.delta,
            "threshold": self.threshold,
            "label_thresholds": dict(self.label_thresholds),
            "coverage": self.coverage,
            "n": self.n,
            "errors": self.errors,
            "points": self.points,
            "data_sha256": self.data_sha256,
            "reference": {
                "standard": str(self.reference.standard),
                "error": error and {"estimate": error.estimate, "upper": error.upper, "points": error.points},
            },
            "date": self.date.isoformat(),
        }


def parse_guarantee(text: str | bytes) -> ThresholdGuarantee:
    """The guarantee in a JSON document.

    Raises:
        InvalidGuaranteeError: the document has faults; all are listed.
    """
    try:
        document = parse_json(text)
    except ValueError as error:
        raise InvalidGuaranteeError([f"not JSON: {error}"]) from error
    if not isinstance(document, dict):
        raise InvalidGuaranteeError(["the document must be an object"])
    faults = Faults()
    guarantee = _read(document, faults)
    if not faults.found:
        _check_figures(guarantee, faults)
    if faults.found:
        raise InvalidGuaranteeError(faults.found)
    return guarantee


def _read(document: dict[str, Any], faults: Faults) -> ThresholdGuarantee:
    top = faults.section(
        document,
        "",
        required=(
            "schema",
            "use_case",
            "model_version",
            "method",
            "alpha",
            "delta",
            "threshold",
            "coverage",
            "n",
            "errors",
            "points",
            "data_sha256",
            "reference",
            "date",
        ),
        optional=("label_thresholds",),
    )
    top.choice("schema", (SCHEMA,))
    return ThresholdGuarantee(
        use_case=top.text("use_case", pattern=USE_CASE_NAME, length=30),
        model_version=top.text("model_version", length=256),
        method=top.text("method", pattern="[a-z0-9-]+", length=64),
        alpha=top.open_fraction("alpha"),
        delta=top.open_fraction("delta"),
        threshold=top.fraction("threshold"),
        label_thresholds=_label_thresholds(top, faults),
        coverage=top.fraction("coverage"),
        n=top.whole("n"),
        errors=top.whole("errors"),
        points=top.whole("points", minimum=1),
        data_sha256=top.text("data_sha256", pattern="[0-9a-f]{64}", length=64),
        reference=_reference(top.get("reference"), faults),
        date=_date(top, faults),
    )


def _label_thresholds(top: Section, faults: Faults) -> dict[str, float]:
    stated = top.get("label_thresholds", {})
    if not isinstance(stated, dict):
        faults.add("label_thresholds", "an object", stated)
        return {}
    for label in stated:
        if not 1 <= len(label) <= _LABEL_LENGTH:
            faults.add("label_thresholds", f"by labels of 1 to {_LABEL_LENGTH} characters", label)
    return top.fractions("label_thresholds", allowed=tuple(stated))


def _reference(stated: Any, faults: Faults) -> Reference:
    section = faults.section(stated, "reference", required=("standard",), optional=("error",))
    standard = ReferenceStandard(section.choice("standard", tuple(ReferenceStandard)))
    if section.get("error") is None:
        return Reference(standard, None)
    error = faults.section(section.get("error"), "reference.error", required=("estimate", "upper", "points"))
    found = ReferenceErrorRate(
        estimate=error.fraction("estimate"),
        upper=error.fraction("upper"),
        points=error.whole("points", minimum=1),
    )
    if found.upper < found.estimate:
        faults.add("reference.error.upper", "at least the estimate", found.upper)
    return Reference(standard, found)


def _date(top: Section, faults: Faults) -> date:
    text = top.text("date", pattern=r"[0-9]{4}-[0-9]{2}-[0-9]{2}", length=10)
    try:
        return date.fromisoformat(text)
    except ValueError:
        if text:
            faults.add("date", "a day such as 2026-11-23", text)
        return date.min


def _check_figures(guarantee: ThresholdGuarantee, faults: Faults) -> None:
    """What cannot be true of any data."""
    if guarantee.n > guarantee.points:
        faults.add("n", f"at most the {guarantee.points} points", guarantee.n)
    if guarantee.errors > guarantee.n:
        faults.add("errors", f"at most the {guarantee.n} accepted points", guarantee.errors)
    elif guarantee.errors >= guarantee.alpha * max(guarantee.n, 1):
        faults.add(
            "errors", f"less than the share {guarantee.alpha:g} of {guarantee.n} points", guarantee.errors
        )
    if abs(guarantee.coverage - guarantee.n / guarantee.points) > 1e-6:
        faults.add("coverage", "n / points", guarantee.coverage)
