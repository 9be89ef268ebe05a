"""How wrong the reference standard itself is, from how often two blind readers disagree.

A guarantee bounds disagreement with the reference; the model's distance from the truth is at most that plus
the reference's own error.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from overread.errors import InvalidDataError
from overread.risk.binomial import clopper_pearson

Standard = Literal["one-reader", "two-blind-readers"]

_CHANCE = 0.5  # two readers who guess between two labels disagree half the time


@dataclass(frozen=True, slots=True)
class ReferenceQuality:
    """The estimated error of a reference standard and its upper bound, from `points` cases read twice.

    `disagreement` is the share of them that the two readers read differently, with its exact interval.
    """

    standard: Standard
    estimate: float
    upper: float
    points: int
    disagreement: float
    disagreement_low: float
    disagreement_high: float


def reference_error(
    disagreements: int, points: int, *, standard: Standard, confidence: float = 0.95
) -> ReferenceQuality:
    """The reference's error, where two readers blind to each other disagreed in `disagreements` of `points`.

    For two labels and readers who err independently at the same rate e, they disagree at 2e(1 - e), so that
    e = (1 - sqrt(1 - 2d))/2. A reference of one reader errs at e; one of two readers with a third who settles
    their disagreements errs at e²(3 - 2e). With more labels readers who both err may still disagree, and e is
    smaller. What two blind readings cannot show is an error both make for the same reason (an unclear form, a
    missing page): the figures rest on independence. Whatever the readers share, disagreement is at most twice
    their mean error: d/2 is a lower bound that needs no assumption. The upper figure is that of the exact
    upper confidence limit of d; from d = 0.5 up readers are no better than chance and it is 0.5.

    Raises:
        InvalidDataError: another standard (a later outcome has no readers), no points, disagreements not
        within [0, points], a confidence not within (0, 1).
    """
    faults = []
    if standard not in get_args(Standard):
        faults.append(f"standard must be one of {', '.join(get_args(Standard))}, got {standard!r}")
    if points < 1:
        faults.append(f"points must be at least 1, got {points}")
    if not 0 <= disagreements <= max(points, 0):
        faults.append(f"disagreements must be 0 to {max(points, 0)}, got {disagreements}")
    if not 0 < confidence < 1:
        faults.append(f"confidence must be a probability in (0, 1), got {confidence:g}")
    if faults:
        raise InvalidDataError(faults)
    low, high = clopper_pearson(disagreements, points, confidence=confidence)
    share = disagreements / points
    return ReferenceQuality(
        standard=standard,
        estimate=_error_of(share, standard=standard),
        upper=_error_of(high, standard=standard),
        points=points,
        disagreement=share,
        disagreement_low=low,
        disagreement_high=high,
    )


def true_error_bound(alpha: float, *, reference: ReferenceQuality, coverage: float = 1.0) -> float:
    """At most this share of the automatic decisions is wrong in truth: alpha and the reference's upper error.

    `coverage` is the share of cases that is automatic, where the reference's error was estimated on all
    cases: at worst all its errors are among the automatic ones. 1 where it was estimated on automatic cases
    only.
    """
    return min(1.0, alpha + reference.upper / coverage)


def _error_of(disagreement: float, *, standard: Standard) -> float:
    error = (1 - math.sqrt(max(0.0, 1 - disagreement / _CHANCE))) / 2
    return error * error * (3 - 2 * error) if standard == "two-blind-readers" else error
