"""What a report shows of scores: curve, reliability, costs, load and confusion, as plain figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from overread_cli.statistics.certifying import total_coverage
from overread_cli.statistics.inputs import ReadScores
from overread_cli.statistics.threshold_page import (
    Bin,
    Confusion,
    CostFigures,
    Load,
    LoadFigures,
    ThresholdReport,
)

if TYPE_CHECKING:
    from overread.risk.costs import Costs
    from overread.risk.scores import Scores
    from overread.risk.thresholds import Certificate

_SHOWN_CLASSES = 20
_DRAWN = 600


def curve_of(scores: Scores) -> tuple[list[float], list[float]]:
    """Coverage and the share of wrong ones among the automatic, from strict to loose, thinned for drawing."""
    from overread.risk.curves import coverage_risk  # noqa: PLC0415 - numpy

    curve = coverage_risk(scores)
    every = -(-len(curve.threshold) // _DRAWN)
    chosen = slice(
        (len(curve.threshold) - 1) % every, None, every
    )  # the last, all automatic, is always there
    return curve.coverage[chosen].tolist(), curve.risk[chosen].tolist()


def bins_of(scores: Scores) -> list[Bin]:
    """Ten bins of equally many cases, by rising confidence."""
    from overread.risk.curves import reliability  # noqa: PLC0415 - numpy

    return [
        Bin(confidence=one.confidence, right=one.accuracy, low=one.low, high=one.high, count=one.n)
        for one in reliability(scores, bins=10)
    ]


def calibration_error(scores: Scores) -> float:
    """The expected calibration error."""
    from overread.risk.calibration import expected_calibration_error  # noqa: PLC0415 - numpy

    return expected_calibration_error(scores)


def cost_figures(scores: Scores, costs: Costs, *, certificate: Certificate | None = None) -> CostFigures:
    """What each threshold would have cost on these cases; the certified one, too, where there is one."""
    from overread.risk.costs import cost_curve  # noqa: PLC0415 - numpy

    curve = cost_curve(scores, costs=costs)
    best, every = curve.best, -(-len(curve.threshold) // _DRAWN)
    drawn = slice(len(curve.threshold) % every, None, every)
    certified = None
    if certificate is not None and certificate.threshold is not None:
        certified = float(curve.cost[int((curve.threshold >= certificate.threshold).sum()) - 1])
    return CostFigures(
        asked=costs,
        coverage=curve.coverage[drawn].tolist(),
        costs=curve.cost[drawn].tolist(),
        best=float(curve.threshold[best]) if best else None,
        best_cost=float(curve.cost[best]),
        best_coverage=float(curve.coverage[best]),
        human_cost=float(curve.cost[0]),
        certified_cost=certified,
    )


def load_figures(load: Load, *, coverage: float) -> LoadFigures:
    """What people have to do when this share of cases is automatic.

    Raises:
        InvalidDataError: a figure is outside its range.
    """
    from overread.risk.staffing import review_load, reviewers_needed  # noqa: PLC0415 - for this report only

    work = review_load(
        cases_per_hour=load.cases_per_hour,
        review_seconds=load.review_seconds,
        coverage=coverage,
        spot_check_probability=load.spot_checks,
    )
    needed = reviewers_needed(
        reviews_per_hour=work.reviews_per_hour,
        review_seconds=load.review_seconds,
        target_s=load.wait_s,
        service_level=load.service_level,
    )
    return LoadFigures(load=load, work=work, needed=needed)


def report_of(
    read: ReadScores,
    *,
    certificates: Mapping[str, Certificate],
    title: str,
    day: str,
    alpha: float,
    delta: float,
    by: str | None,
    missed: str | None,
    costs: Costs | None,
    load: Load | None,
) -> ThresholdReport:
    """Everything that the page on a threshold tells."""
    scores = read.scores
    coverage, risk = curve_of(scores)
    one = next(iter(certificates.values())) if by is None else None
    return ThresholdReport(
        title=title,
        day=day,
        name=read.name,
        sha256=read.sha256,
        alpha=alpha,
        delta=delta,
        certificates=dict(certificates),
        by=by,
        missed=missed,
        coverage=coverage,
        risk=risk,
        bins=bins_of(scores),
        calibration_error=calibration_error(scores),
        right=int(scores.is_correct.sum()),
        points=len(scores),
        costs=None if costs is None else cost_figures(scores, costs, certificate=one),
        load=None if load is None else load_figures(load, coverage=total_coverage(certificates)),
        confusion=confusion_of(scores, certificates=certificates, by=by),
    )


def confusion_of(
    scores: Scores, *, certificates: Mapping[str, Certificate], by: str | None
) -> Confusion | None:
    """What automatic cases are taken for; None where labels are not known or nothing is automatic."""
    if scores.label is None or scores.truth is None:
        return None
    key = {"label": scores.label, "group": scores.group}.get(by or "")
    names = sorted({*scores.label, *scores.truth})
    place = {name: number for number, name in enumerate(names)}
    counts = [[0] * len(names) for _ in names]
    for row, confidence in enumerate(scores.confidence.tolist()):
        threshold = certificates["" if key is None else key[row]].threshold
        if threshold is not None and confidence >= threshold:
            counts[place[scores.truth[row]]][place[scores.label[row]]] += 1
    if len(names) > _SHOWN_CLASSES or not any(map(any, counts)):
        return None
    return Confusion(names, counts)
