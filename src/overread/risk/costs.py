"""Thresholds by cost: what a wrong automatic decision costs against what a review costs."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overread.errors import InvalidDataError
from overread.risk.curves import coverage_risk
from overread.risk.scores import Scores


@dataclass(frozen=True, slots=True)
class Costs:
    """What a wrong decision costs, what a review costs (same currency), and how often reviewers err."""

    error: float
    review: float
    reviewer_error: float = 0.0

    def __post_init__(self) -> None:
        faults = [
            f"cost of {name} must be {allowed}, got {value:g}"
            for name, value, allowed, is_fine in (
                ("an error", self.error, "above 0", self.error > 0),
                ("a review", self.review, "0 or more", self.review >= 0),
            )
            if not (is_fine and math.isfinite(value))
        ]
        if not 0 <= self.reviewer_error < 1:
            faults.append(f"reviewer_error must be a probability in [0, 1), got {self.reviewer_error:g}")
        if faults:
            raise InvalidDataError(faults)


@dataclass(frozen=True, slots=True)
class CostCurve:
    """The mean cost a case for each threshold, strict to loose; the first, infinite one is "all human"."""

    threshold: NDArray[np.float64]
    coverage: NDArray[np.float64]
    cost: NDArray[np.float64]

    @property
    def best(self) -> int:
        """The index of the cheapest threshold; of equally cheap ones the strictest."""
        return int(self.cost.argmin())


def cost_optimal_threshold(costs: Costs) -> float | None:
    """The least confidence that should be automatic, for calibrated confidences; None where none is enough.

    Automatic iff (1 - confidence - reviewer_error) x cost of an error < cost of a review: deciding alone must
    cost less in additional errors than looking. C. K. Chow, On optimum recognition error and reject tradeoff,
    1970, doi:10.1109/TIT.1970.1054406. It promises nothing about the error rate; where that is certified too,
    use the stricter of the two thresholds.
    """
    indifferent = 1 - costs.reviewer_error - costs.review / costs.error
    if indifferent < 0:
        return 0.0
    threshold = math.nextafter(indifferent, math.inf)
    return threshold if threshold <= 1 else None


def cost_curve(scores: Scores, *, costs: Costs) -> CostCurve:
    """What each threshold would have cost on these points; needs no calibration, but truths.

    Raises:
        InvalidDataError: no points.
    """
    curve = coverage_risk(scores)
    coverage = np.concatenate([[0.0], curve.coverage])
    wrong = np.concatenate([[0.0], curve.errors / len(scores)])
    reviewed = costs.review + costs.reviewer_error * costs.error
    return CostCurve(
        threshold=np.concatenate([[np.inf], curve.threshold]),
        coverage=coverage,
        cost=wrong * costs.error + (1 - coverage) * reviewed,
    )
