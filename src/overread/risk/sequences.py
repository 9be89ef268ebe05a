"""The tests behind a certified threshold: counts, the fixed sequence, the search, Holm across keys.

Grids run from strict to loose, and so do counts.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overread.risk.binomial import binomial_cdf, count_needed, zero_failure_count

SEARCH_SHARE = 0.1  # of delta, kept for the search that is made when the sequence certifies nothing
_REPLANNINGS = 5
_START_FACTOR = 4  # the sequence starts at four times what an error-free first test would need


@dataclass(frozen=True, slots=True)
class Counts:
    """How many points each threshold accepts, how many of them are errors, and how many points there are."""

    grid: NDArray[np.float64]
    accepted: NDArray[np.int64]
    errors: NDArray[np.int64]
    points: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How delta is spent and where the sequence starts: a matter of the number of points, never of errors."""

    sequence_level: float
    search_level: float
    start_count: int


@dataclass(frozen=True, slots=True)
class Tested:
    """The index of the loosest threshold that passed (None: none did), and the level of its test."""

    index: int | None
    level: float
    is_searched: bool = False


NOTHING = Tested(index=None, level=0.0)


def count_by_threshold(
    confidence: NDArray[np.float64], is_error: NDArray[np.bool_], *, grid: NDArray[np.float64]
) -> Counts:
    """Counts for each threshold of a grid that falls from strict to loose."""
    ascending = grid[::-1]

    def at_least(values: NDArray[np.float64]) -> NDArray[np.int64]:
        passed = np.bincount(np.searchsorted(ascending, values, side="right"), minlength=grid.size + 1)
        return np.cumsum(passed[:0:-1])

    return Counts(
        grid=grid,
        accepted=at_least(confidence),
        errors=at_least(confidence[is_error]),
        points=int(confidence.size),
    )


def plan_for(points: int, *, alpha: float, delta: float) -> Plan:
    """0.9 of delta for the sequence and 0.1 for the search; all for the sequence where a search must fail."""
    search_level = SEARCH_SHARE * delta
    if points < zero_failure_count(alpha=alpha, delta=search_level):
        search_level = 0.0
    sequence_level = delta - search_level
    start = math.ceil(_START_FACTOR * math.log(sequence_level) / math.log1p(-alpha))
    if points < start:
        start = zero_failure_count(alpha=alpha, delta=sequence_level)
    return Plan(sequence_level=sequence_level, search_level=search_level, start_count=start)


def run_sequence(counts: Counts, *, plan: Plan, alpha: float) -> Tested:
    """The fixed-sequence test: from the first threshold that accepts enough points to the first failure."""
    start = int(np.searchsorted(counts.accepted, plan.start_count))
    p_values = binomial_cdf(counts.errors[start:], counts.accepted[start:], alpha)
    passed = _first(p_values > plan.sequence_level)
    return Tested(index=start + passed - 1 if passed else None, level=plan.sequence_level)


def run_search(counts: Counts, *, level: float, alpha: float) -> Tested:
    """Bisection for the loosest threshold that passes; the level is split evenly over its steps."""
    steps = counts.grid.size.bit_length()
    best, too_loose = -1, counts.grid.size
    while level > 0 and best + 1 < too_loose:
        middle = (best + too_loose) // 2
        p_value = float(binomial_cdf(counts.errors[middle], counts.accepted[middle], alpha))
        best, too_loose = (middle, too_loose) if p_value <= level / steps else (best, middle)
    return Tested(index=best if best >= 0 else None, level=level / steps, is_searched=True)


def fewest_missing(counts: Counts, *, alpha: float, level: float, start: int = 0) -> tuple[int, int]:
    """How many more accepted points without an error would let a threshold pass, and which (its index).

    The threshold where the fewest are missing; it must accept at least `start` points.
    """
    least = np.maximum(start, count_needed(counts.errors, alpha=alpha, delta=level))
    missing = np.maximum(1, least - counts.accepted)
    best = int(missing.argmin())
    return int(missing[best]), best


def points_needed(counts: Counts, *, alpha: float, delta: float) -> tuple[int, int]:
    """The same for a sequence and a search together, whose plan changes with the points that are added."""
    added, best = 0, 0
    for _ in range(_REPLANNINGS):
        plan = plan_for(counts.points + added, alpha=alpha, delta=delta)
        needed, best = fewest_missing(counts, alpha=alpha, level=plan.sequence_level, start=plan.start_count)
        if needed <= added:
            break
        added = needed
    return added, best


def holm_sequences(counts: Mapping[str, Counts], *, alpha: float, delta: float) -> dict[str, Tested]:
    """A sequence a key, the level shared by those not yet finished; then a search where nothing passed.

    A key is finished when its loosest threshold passed; its share goes to the others. Starts are fixed by the
    first, smallest share, and shares of the search are not handed on, so that nothing that passed at a
    smaller share could fail at a larger one. The family-wise argument is Holm's: before the first false
    certificate only keys without any true null are finished, so each of the T others tests at no more than
    delta/T.
    """
    if not counts:
        return {}
    plans = {
        key: plan_for(each.points, alpha=alpha, delta=delta / len(counts)) for key, each in counts.items()
    }
    sequence_total = min(plan.sequence_level for plan in plans.values()) * len(counts)
    tested: dict[str, Tested] = {}
    open_keys = list(counts)
    while open_keys:
        level = sequence_total / len(open_keys)
        for key in open_keys:
            plan = Plan(level, plans[key].search_level, plans[key].start_count)
            tested[key] = run_sequence(counts[key], plan=plan, alpha=alpha)
        finished = [key for key in open_keys if tested[key].index == counts[key].grid.size - 1]
        if not finished:
            break
        open_keys = [key for key in open_keys if key not in finished]
    return {
        key: each
        if each.index is not None
        else run_search(counts[key], level=plans[key].search_level, alpha=alpha)
        for key, each in tested.items()
    }


def _first(is_true: NDArray[np.bool_]) -> int:
    """The index of the first true element; the length where there is none."""
    return int(is_true.argmax()) if is_true.any() else int(is_true.size)
