"""What a model's confidences are worth, drawn: reliability (are 90 % right at 0.9?) and risk by coverage."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overread.errors import InvalidDataError
from overread.risk.binomial import wilson
from overread.risk.scores import Scores


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Points of similar confidence: their least, largest and mean confidence, and the share that is right.

    `low` and `high` are the 95 % Wilson interval of that share.
    """

    least: float
    largest: float
    n: int
    confidence: float
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class CoverageRisk:
    """For each distinct confidence as threshold, strict to loose: how many are automatic, how many wrong."""

    threshold: NDArray[np.float64]
    accepted: NDArray[np.int64]
    errors: NDArray[np.int64]

    @property
    def coverage(self) -> NDArray[np.float64]:
        """The share of the points that is automatic."""
        return np.asarray(self.accepted / self.accepted[-1])

    @property
    def risk(self) -> NDArray[np.float64]:
        """The share of the automatic ones that is wrong."""
        return np.asarray(self.errors / self.accepted)

    @property
    def aurc(self) -> float:
        """The mean risk over all coverages: what a ranking is worth, less is better.

        Y. Geifman, G. Uziel and R. El-Yaniv 2019, doi:10.48550/arXiv.1805.08206. Points of equal confidence
        all count with the risk after them, so that their order does not matter.
        """
        new = np.diff(self.accepted, prepend=0)
        return float((new * self.risk).sum() / self.accepted[-1])


def reliability(scores: Scores, *, bins: int = 10) -> tuple[ReliabilityBin, ...]:
    """The points in at most `bins` bins of equally many, by rising confidence; equal confidences share a bin.

    Raises:
        InvalidDataError: no points, or no bin.
    """
    _require_points(scores)
    if bins < 1:
        raise InvalidDataError([f"bins must be at least 1, got {bins}"])
    values, back, counts = np.unique(scores.confidence, return_inverse=True, return_counts=True)
    middle_ranks = np.cumsum(counts) - counts / 2
    bin_of_value = np.minimum((middle_ranks * bins / len(scores)).astype(np.int64), bins - 1)
    bin_of_point = bin_of_value[back]
    n = np.bincount(bin_of_point, minlength=bins)
    right = np.bincount(bin_of_point, weights=scores.is_correct, minlength=bins)
    total = np.bincount(bin_of_point, weights=scores.confidence, minlength=bins)
    found = []
    for number in np.flatnonzero(n).tolist():
        own = values[bin_of_value == number]
        low, high = wilson(int(right[number]), int(n[number]), confidence=0.95)
        found.append(
            ReliabilityBin(
                least=float(own[0]),
                largest=float(own[-1]),
                n=int(n[number]),
                confidence=float(total[number] / n[number]),
                accuracy=float(right[number] / n[number]),
                low=low,
                high=high,
            )
        )
    return tuple(found)


def coverage_risk(scores: Scores) -> CoverageRisk:
    """The curve of all thresholds that differ.

    Raises:
        InvalidDataError: no points.
    """
    _require_points(scores)
    order = np.argsort(-scores.confidence, kind="stable")
    confidence = scores.confidence[order]
    is_last = np.append(confidence[1:] != confidence[:-1], True)
    ends = np.flatnonzero(is_last)
    errors = np.cumsum(~scores.is_correct[order], dtype=np.int64)
    return CoverageRisk(threshold=confidence[ends], accepted=ends + 1, errors=errors[ends])


def _require_points(scores: Scores) -> None:
    if len(scores) == 0:
        raise InvalidDataError(["scores must have at least one row, got none"])
