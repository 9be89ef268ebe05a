"""What the model may label in one round: all above a threshold that fresh labels of people vouch for."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from overread.risk.scores import Scores
from overread.risk.thresholds import GRID, certify_threshold

START = 0.6
"""The first threshold that is tested accepts at least this share of the validation objects.

A stricter one has so few that a single mistake of people among them, not of the model, ends the search. It
depends on confidences alone, as a fixed sequence of tests must.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundGuarantee:
    """A round's threshold, or why there is none.

    Of what is labeled at or above it at most `alpha` is wrong, sure by 1 - `delta`: the round's share.
    """

    round: int
    alpha: float
    delta: float
    threshold: float | None
    validated: int
    accepted: int
    errors: int
    message: str


def delta_of_round(number: int, *, delta: float) -> float:
    """The share of `delta` that a round from 1 on may use: 6 delta / (pi² r²), so that all rounds together,
    however many there will be, use no more than `delta`."""
    return 6 * delta / (math.pi**2 * number**2)


def guarantee_of_round(
    number: int, *, confidence: ArrayLike, is_right: ArrayLike, alpha: float, delta: float
) -> RoundGuarantee:
    """The guarantee from the round's validation objects: the model's confidence, and whether it is right.

    It holds if they were drawn at random from all that the model might label in this round, whatever its
    scores, and labeled by people after it was trained. Labels of earlier rounds do not qualify: those rounds
    took the sure objects away, by thresholds that these very labels chose (Vishwakarma et al. 2023,
    doi:10.48550/arXiv.2211.12620, draws anew each round, too).
    """
    share = delta_of_round(number, delta=delta)
    scores = Scores(np.asarray(confidence, dtype=np.float64), np.asarray(is_right, dtype=np.bool_))
    if not len(scores):
        return RoundGuarantee(
            round=number,
            alpha=alpha,
            delta=share,
            threshold=None,
            validated=0,
            accepted=0,
            errors=0,
            message="no object was validated",
        )
    loosest_start = np.quantile(scores.confidence, 1 - START, method="lower")
    found = certify_threshold(scores, alpha=alpha, delta=share, grid=GRID[loosest_start >= GRID])
    return RoundGuarantee(
        round=number,
        alpha=alpha,
        delta=share,
        threshold=found.threshold if found.is_certified else None,
        validated=found.points,
        accepted=found.n,
        errors=found.errors,
        message=found.message,
    )
