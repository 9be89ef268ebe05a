"""Certificates of read scores, as the commands print them and as a threshold guarantee."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from overread.errors import InvalidDataError
from overread.strict_json import canonical_json
from overread_cli.statistics.frame import faults_of
from overread_cli.statistics.inputs import ReadScores

if TYPE_CHECKING:
    from overread.risk.guarantee import ReferenceErrorRate, ThresholdGuarantee
    from overread.risk.thresholds import Certificate


_REFERENCE_CONFIDENCE = 0.95
UNSEEN_LABEL_THRESHOLD = 1.0
"""From which confidence on a label may be automatic that the certified data does not have."""


@dataclass(frozen=True, slots=True)
class Measured:
    """How often the reference was wrong in so many cases, or its two blind readers disagreed."""

    count: int
    points: int
    is_disagreement: bool


def certificates_of(
    read: ReadScores, *, alpha: float, delta: float, by: str | None = None, missed: str | None = None
) -> Mapping[str, Certificate]:
    """The certificate of each label or group, or the only one under the name "".

    Raises:
        InvalidDataError: the file has no such column, or `missed` is none of its labels.
    """
    from overread.risk import thresholds  # noqa: PLC0415 - numpy

    scores = read.scores
    needed = {"label": scores.label, "group": scores.group}
    if by is not None and needed[by] is None:
        raise InvalidDataError([f"{read.name}: --by {by} needs a column {by}"])
    if missed is not None and (scores.label is None or scores.truth is None):
        raise InvalidDataError([f"{read.name}: --missed needs the columns label and truth"])
    try:
        if by is not None:
            return thresholds.certify_thresholds_by(
                scores, by="label" if by == "label" else "group", alpha=alpha, delta=delta
            )
        if missed is not None:
            return {"": thresholds.certify_missed(scores, positive=missed, alpha=alpha, delta=delta)}
        return {"": thresholds.certify_threshold(scores, alpha=alpha, delta=delta)}
    except InvalidDataError as error:
        raise faults_of(read.name, error.faults) from error


def certificate_document(one: Certificate) -> dict[str, Any]:
    """A certificate as `--json` prints it."""
    return {
        "certified": one.is_certified,
        "threshold": one.threshold,
        "coverage": one.coverage,
        "n": one.n,
        "errors": one.errors,
        "points": one.points,
        "alpha": one.alpha,
        "delta": one.delta,
        "upper_bound": one.upper_bound,
        "method": one.method,
        "needed": one.needed,
        "message": one.message,
    }


def certified_document(found: Mapping[str, Certificate], *, by: str | None) -> dict[str, Any]:
    """What `--json` prints: one certificate, or those of all labels or groups."""
    if by is None:
        (one,) = found.values()
        return certificate_document(one)
    return {
        "certified": all(one.is_certified for one in found.values()),
        "by": by,
        "points": sum(one.points for one in found.values()),
        "coverage": total_coverage(found),
        "certificates": {name: certificate_document(one) for name, one in found.items()},
    }


def total_coverage(found: Mapping[str, Certificate]) -> float:
    """The share of all cases that are automatic."""
    return sum(one.n for one in found.values()) / max(1, sum(one.points for one in found.values()))


def guarantee_of(
    found: Mapping[str, Certificate],
    *,
    read: ReadScores,
    by_label: bool,
    use_case: str,
    model_version: str,
    standard: str,
    measured: Measured | None,
    day: str,
) -> ThresholdGuarantee:
    """The threshold guarantee of certificates that all hold; `measured` is the reference's own error.

    Raises:
        InvalidGuaranteeError: a name in it is none that a guarantee may have.
    """
    from overread.risk.guarantee import (  # noqa: PLC0415 - with its own imports, where it is needed
        Reference,
        ReferenceStandard,
        ThresholdGuarantee,
        parse_guarantee,
    )

    first = next(iter(found.values()))
    thresholds = {name: float(one.threshold or 0.0) for name, one in found.items()}
    n, points = sum(one.n for one in found.values()), sum(one.points for one in found.values())
    made = ThresholdGuarantee(
        use_case=use_case,
        model_version=model_version,
        method=first.method,
        alpha=first.alpha,
        delta=first.delta,
        threshold=UNSEEN_LABEL_THRESHOLD if by_label else thresholds[""],
        label_thresholds=thresholds if by_label else {},
        coverage=n / points,
        n=n,
        errors=sum(one.errors for one in found.values()),
        points=points,
        data_sha256=read.sha256,
        reference=Reference(
            ReferenceStandard(standard),
            None if measured is None else _error_rate(measured, standard=standard),
        ),
        date=date.fromisoformat(day),
    )
    return parse_guarantee(canonical_json(made.document()))


def guarantee_text(guarantee: ThresholdGuarantee) -> str:
    """The file that a configuration refers to."""
    return json.dumps(guarantee.document(), indent=2, ensure_ascii=False) + "\n"


def _error_rate(measured: Measured, *, standard: str) -> ReferenceErrorRate:
    from overread.risk.binomial import clopper_pearson  # noqa: PLC0415 - numpy
    from overread.risk.guarantee import ReferenceErrorRate  # noqa: PLC0415 - as above
    from overread.risk.reference import reference_error  # noqa: PLC0415 - as above

    count, points = measured.count, measured.points
    if measured.is_disagreement:
        kind = "one-reader" if standard == "one-reader" else "two-blind-readers"
        found = reference_error(count, points, standard=kind, confidence=_REFERENCE_CONFIDENCE)  # type: ignore[arg-type]
        return ReferenceErrorRate(estimate=found.estimate, upper=found.upper, points=points)
    upper = clopper_pearson(count, points, confidence=_REFERENCE_CONFIDENCE)[1]
    return ReferenceErrorRate(estimate=count / points, upper=float(upper), points=points)
