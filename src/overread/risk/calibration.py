"""Making confidences mean what they say: temperature, isotonic regression, and how far off they are.

Calibrate on other points than those that certify a threshold: `split` parts them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from overread.errors import InvalidDataError
from overread.risk import binomial
from overread.risk.columns import ColumnFaults, codes_of, note_lengths
from overread.risk.curves import reliability
from overread.risk.scores import Scores, probability_matrix

_LEAST_PROBABILITY = 1e-12  # an impossible class that is true after all must not cost an infinite loss
_STEEPEST = 1e3
_STEPS = 60
_CLOSE = 1e-10


@dataclass(frozen=True, slots=True)
class Temperature:
    """What the logits are divided by: above 1 the model was too sure, below 1 not sure enough."""

    value: float

    def apply(self, probabilities: ArrayLike) -> NDArray[np.float64]:
        """The probabilities (n, K) at this temperature; which class is the most probable does not change."""
        return _softmax(_logs(np.asarray(probabilities, dtype=np.float64)) / self.value)


@dataclass(frozen=True, slots=True)
class Isotonic:
    """A rising map from confidence to the share that is right: linear between knots, flat outside."""

    knots: NDArray[np.float64]
    shares: NDArray[np.float64]

    def apply(self, confidence: ArrayLike) -> NDArray[np.float64]:
        """The calibrated confidences."""
        return np.interp(np.asarray(confidence, dtype=np.float64), self.knots, self.shares)

    def applied_to(self, scores: Scores) -> Scores:
        """The scores with calibrated confidences."""
        return replace(scores, confidence=self.apply(scores.confidence))


def split(n: int, *, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Two disjoint halves of n rows at random, ascending: one to calibrate with, one to certify with."""
    order = np.random.default_rng(seed).permutation(n)
    return np.sort(order[: n // 2]), np.sort(order[n // 2 :])


def fit_temperature(probabilities: ArrayLike, truth: Any, *, classes: Sequence[str]) -> Temperature:
    """The temperature under which the true labels are the most likely (least log loss).

    Of softmax(log p / T); log p serves for the logits, which it equals but for a constant a row. The loss is
    convex in 1/T and is minimised by Newton steps kept in a bracket, 1/T within [0.001, 1000]: where every
    label is right, and no temperature is too low, the value is 0.001. C. Guo et al., On calibration of modern
    neural networks, 2017, doi:10.48550/arXiv.1706.04599.

    Raises:
        InvalidDataError: as `overread.risk.scores.scores_of_probabilities`.
    """
    faults = ColumnFaults()
    matrix = probability_matrix(probabilities, classes=len(classes), faults=faults)
    codes = codes_of(truth, name="truth", classes=classes, faults=faults)
    note_lengths([("probabilities", len(matrix)), ("truth", len(codes))], faults=faults)
    if faults.found:
        raise InvalidDataError(faults.found)
    logs = _logs(matrix)
    true_logs = logs[np.arange(len(codes)), codes]
    low, high, slope = 1 / _STEEPEST, _STEEPEST, 1.0
    for _ in range(_STEPS):
        weights = _softmax(slope * logs)
        means = (weights * logs).sum(axis=1)
        gradient = float((means - true_logs).mean())
        curvature = float(((weights * logs**2).sum(axis=1) - means**2).mean())
        low, high = (low, slope) if gradient > 0 else (slope, high)
        step = slope - gradient / curvature if curvature > 0 else low
        following = step if low < step < high else (low * high) ** 0.5
        if abs(following - slope) <= _CLOSE * slope:
            break
        slope = following
    return Temperature(value=1 / slope)


def fit_isotonic(scores: Scores) -> Isotonic:
    """The rising map with the least squared error from confidence to the share that is right.

    Pool adjacent violators; equal confidences are pooled first. From about 1,000 points: with fewer it
    follows their noise. R. E. Barlow et al. 1972; for classifiers B. Zadrozny and C. Elkan 2002,
    doi:10.1145/775047.775151.

    Raises:
        InvalidDataError: no points.
    """
    if len(scores) == 0:
        raise InvalidDataError(["scores must have at least one row, got none"])
    knots, back = np.unique(scores.confidence, return_inverse=True)
    weights = np.bincount(back).astype(np.float64)
    shares = np.bincount(back, weights=scores.is_correct) / weights
    fitted = _rising(shares, weights=weights)
    # Ends of each flat stretch are enough to draw the map.
    is_end = np.ones(knots.size, dtype=np.bool_)
    is_end[1:-1] = (fitted[1:-1] != fitted[:-2]) | (fitted[1:-1] != fitted[2:])
    return Isotonic(knots=knots[is_end], shares=fitted[is_end])


def expected_calibration_error(scores: Scores, *, bins: int = 15) -> float:
    """The mean distance of confidence from the share that is right, over bins of equally many points.

    Equal confidences share a bin, so that the order of the rows does not matter. A. Nguyen and B. O'Connor
    2015, doi:10.18653/v1/D15-1182, have the adaptive bins; equal-width ones hide a crowd of confidences near
    1.
    """
    parts = reliability(scores, bins=bins)
    return sum(part.n * abs(part.confidence - part.accuracy) for part in parts) / len(scores)


def _rising(values: NDArray[np.float64], *, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    if binomial.HAS_SCIPY:
        from scipy.optimize import isotonic_regression  # noqa: PLC0415  (half a second, and only where used)

        return np.asarray(isotonic_regression(values, weights=weights).x, dtype=np.float64)
    return pool_adjacent_violators(values, weights=weights)


def pool_adjacent_violators(
    values: NDArray[np.float64], *, weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The non-decreasing sequence with the least weighted squared distance from `values`."""
    blocks: list[tuple[float, float, int]] = []  # mean, weight, length
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        mean, total, length = value, weight, 1
        while blocks and blocks[-1][0] >= mean:
            before, before_total, before_length = blocks.pop()
            mean = (before * before_total + mean * total) / (before_total + total)
            total, length = total + before_total, length + before_length
        blocks.append((mean, total, length))
    return np.repeat([mean for mean, _, _ in blocks], [length for _, _, length in blocks])


def _logs(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    logs: NDArray[np.float64] = np.log(np.maximum(probabilities, _LEAST_PROBABILITY))
    return logs


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return shares
