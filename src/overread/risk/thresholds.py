"""Thresholds with a guarantee: "at most alpha of the automatic decisions are wrong", sure by 1 - delta.

A case is automatic iff its confidence is at least the threshold: equal confidences go the same way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from overread.errors import InvalidDataError
from overread.risk.binomial import upper_bound, zero_failure_count
from overread.risk.scores import Scores
from overread.risk.sequences import (
    NOTHING,
    Counts,
    Plan,
    Tested,
    count_by_threshold,
    fewest_missing,
    holm_sequences,
    plan_for,
    points_needed,
    run_search,
    run_sequence,
)

FIXED_SEQUENCE = "fixed-sequence-binomial"
SGR = "sgr"


def _fixed_grid() -> NDArray[np.float64]:
    dense = np.round(1 - np.logspace(-1, -5, 101), 7)  # short, so that a threshold is what it reads as
    grid = np.unique(np.concatenate([np.arange(91) / 100, dense]))
    grid.flags.writeable = False
    return grid


GRID = _fixed_grid()
"""The thresholds that are tried: hundredths up to 0.9, then ever denser towards 1. Fixed before any data."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was certified, or why nothing was.

    `n` and `errors` count the accepted points and the wrong ones among them; coverage = n / points.
    `upper_bound` is the exact upper bound of the bounded rate at the level that was tested, never above
    alpha. `needed`, when nothing was certified: about how many more accepted points without an error would
    do.
    """

    is_certified: bool
    method: str
    alpha: float
    delta: float
    threshold: float | None
    coverage: float
    n: int
    errors: int
    points: int
    upper_bound: float | None
    needed: int | None
    message: str


def certify_threshold(scores: Scores, *, alpha: float, delta: float, grid: ArrayLike = GRID) -> Certificate:
    """The lowest threshold at which at most alpha of the automatic decisions are wrong, sure by 1 - delta.

    Given how many points n_t a threshold t accepts, its errors are Binomial(n_t, R(t)), R(t) the true rate
    among the accepted; p_t = P(X <= errors), X ~ Binomial(n_t, alpha), is a p-value against R(t) > alpha.
    Thresholds of a grid fixed beforehand are tested one after the other from strict to loose, each at the
    whole level, until the first p_t above it: no correction for their number is due (fixed-sequence test; A.
    N. Angelopoulos et al., Learn then Test, 2021, doi:10.48550/arXiv.2110.01052). The first test is made
    where n_t reaches four times the error-free number log(delta)/log(1 - alpha), or that number itself where
    all points together are fewer than four times as many. The start depends on the confidences alone, never
    on an error.

    If the first test fails or none can be made, thresholds are searched by bisection with the level split
    over its steps (SGR; Y. Geifman and R. El-Yaniv 2017, doi:10.48550/arXiv.1705.08500; here on the fixed
    grid). The two spend one delta between them: 0.9 for the sequence and 0.1 for the search, or all of it for
    the sequence where the points are so few that the search could not succeed.

    The promise holds for cases drawn like the points; it is no promise about a changed world. Where the error
    rate first falls and then rises as the threshold is lowered, the choice of the start is exact up to the
    coarseness of the grid only; docs/statistics.md has the argument and figures.

    Raises:
        InvalidDataError: no points; alpha or delta not within (0, 1); a grid with a value outside [0, 1].
    """
    thresholds = _checked(grid, alpha=alpha, delta=delta)
    counts = count_by_threshold(scores.confidence, ~scores.is_correct, grid=thresholds)
    plan = plan_for(counts.points, alpha=alpha, delta=delta)
    return _certificate(
        counts,
        _tested(counts, plan=plan, alpha=alpha),
        terms=_Terms(alpha=alpha, delta=delta, budget=delta),
    )


def certify_thresholds_by(
    scores: Scores,
    *,
    by: Literal["label", "group"],
    alpha: float,
    delta: float,
    grid: ArrayLike = GRID,
) -> Mapping[str, Certificate]:
    """A threshold for each predicted label or each group; all promises hold together, sure by 1 - delta.

    Each key has its own sequence on its own points; keys are never pooled. They share delta by Holm's rule
    (S. Holm, Scandinavian Journal of Statistics 6, 1979): K keys test at delta/K each, and a key whose
    sequence went through to the loosest threshold hands its share to the others. A key with fewer points than
    an error-free test would need takes no share and is refused by name.

    Raises:
        InvalidDataError: as `certify_threshold`, and where the scores have no such column.
    """
    thresholds = _checked(grid, alpha=alpha, delta=delta)
    keys = scores.label if by == "label" else scores.group
    if keys is None:
        raise InvalidDataError([f"{by} is missing: thresholds by {by} need that column"])
    counts = {
        key: count_by_threshold(scores.confidence[rows], ~scores.is_correct[rows], grid=thresholds)
        for key, rows in _rows_by(keys).items()
    }
    least = zero_failure_count(alpha=alpha, delta=delta)
    testable = {key: each for key, each in counts.items() if each.points >= least}
    tested = holm_sequences(testable, alpha=alpha, delta=delta)
    budget = delta / max(1, len(testable))
    return {
        key: _certificate(
            each,
            tested.get(key, NOTHING),
            terms=_Terms(alpha=alpha, delta=delta, budget=budget, prefix=f"{by} {key}: "),
        )
        for key, each in counts.items()
    }


def certify_missed(
    scores: Scores, *, positive: str, alpha: float, delta: float, grid: ArrayLike = GRID
) -> Certificate:
    """The lowest threshold for which at most alpha of the automatic negatives are positive in truth.

    Bounds P(truth is `positive` | predicted otherwise, confidence >= threshold): of the cases that nobody
    will look at because the model said negative, the share that it missed. `points` are the cases predicted
    negative (every label but `positive`); a negative taken for another negative is no error here.

    Raises:
        InvalidDataError: as `certify_threshold`; no label or truth; a `positive` that stands in neither.
    """
    thresholds = _checked(grid, alpha=alpha, delta=delta)
    is_negative, is_positive = _negatives(scores, positive=positive)
    counts = count_by_threshold(scores.confidence[is_negative], is_positive[is_negative], grid=thresholds)
    plan = plan_for(counts.points, alpha=alpha, delta=delta)
    return _certificate(
        counts,
        _tested(counts, plan=plan, alpha=alpha),
        terms=_Terms(
            alpha=alpha,
            delta=delta,
            budget=delta,
            subject=f"automatic negatives are {positive} in truth",
        ),
    )


def certify_miss_rate(
    scores: Scores, *, positive: str, alpha: float, delta: float, grid: ArrayLike = GRID
) -> Certificate:
    """The lowest threshold for which at most alpha of the truly positive cases become automatic negatives.

    Bounds P(predicted otherwise, confidence >= threshold | truth is `positive`), the other reading of "missed
    positives": the denominator is every positive there is. Among the truly positive points the missed ones
    are Binomial(positives, rate), and the rate only grows as the threshold falls, so that the sequence needs
    no choice of a start. `n` counts the automatic negatives, `errors` the positives among them, `needed`
    positives.

    Raises:
        InvalidDataError: as `certify_missed`.
    """
    thresholds = _checked(grid, alpha=alpha, delta=delta)
    is_negative, is_positive = _negatives(scores, positive=positive)
    accepted = count_by_threshold(scores.confidence[is_negative], is_positive[is_negative], grid=thresholds)
    positives = int(is_positive.sum())
    trials = replace(accepted, accepted=np.full_like(accepted.accepted, positives), points=positives)
    plan = Plan(sequence_level=delta, search_level=0.0, start_count=0)
    tested = run_sequence(trials, plan=plan, alpha=alpha)
    terms = _Terms(
        alpha=alpha,
        delta=delta,
        budget=delta,
        has_search=False,
        subject=f"cases that are {positive} in truth become automatic negatives",
    )
    found = _certificate(trials, tested, terms=terms)
    if tested.index is None:
        return found
    n = int(accepted.accepted[tested.index])
    message = (
        f"at most {_percent(alpha)} of the {terms.subject} ({_percent(1 - delta)} sure) at a threshold of "
        f"{found.threshold:.7g}: {found.errors:,} of {positives:,}, among {n:,} automatic negatives"
    )
    return replace(found, n=n, points=len(scores), coverage=n / len(scores), message=message)


@dataclass(frozen=True, slots=True)
class _Terms:
    """What is promised, which part of delta it may spend, and how a sentence about it reads."""

    alpha: float
    delta: float
    budget: float
    has_search: bool = True
    subject: str = "automatic decisions are wrong"
    prefix: str = ""


def _tested(counts: Counts, *, plan: Plan, alpha: float) -> Tested:
    tested = run_sequence(counts, plan=plan, alpha=alpha)
    return tested if tested.index is not None else run_search(counts, level=plan.search_level, alpha=alpha)


def _certificate(counts: Counts, tested: Tested, *, terms: _Terms) -> Certificate:
    if tested.index is None:
        return _refusal(counts, terms=terms)
    n, errors = int(counts.accepted[tested.index]), int(counts.errors[tested.index])
    threshold = float(counts.grid[tested.index])
    coverage = n / counts.points
    message = (
        f"{terms.prefix}at most {_percent(terms.alpha)} of the {terms.subject} "
        f"({_percent(1 - terms.delta)} sure) "
        f"at a threshold of {threshold:.7g}: {_percent(coverage, digits=3)} of {counts.points:,} points, "
        f"{errors:,} error{'' if errors == 1 else 's'} in {n:,}"
    )
    return Certificate(
        is_certified=True,
        method=SGR if tested.is_searched else FIXED_SEQUENCE,
        alpha=terms.alpha,
        delta=terms.delta,
        threshold=threshold,
        coverage=coverage,
        n=n,
        errors=errors,
        points=counts.points,
        upper_bound=upper_bound(errors, n, confidence=1 - tested.level),
        needed=None,
        message=message,
    )


def _refusal(counts: Counts, *, terms: _Terms) -> Certificate:
    """Nothing certified: says how many more points would do at the threshold where the fewest are missing."""
    if terms.has_search:
        needed, best = points_needed(counts, alpha=terms.alpha, delta=terms.budget)
    else:
        needed, best = fewest_missing(counts, alpha=terms.alpha, level=terms.budget)
    accepted, errors = int(counts.accepted[best]), int(counts.errors[best])
    message = (
        f"{terms.prefix}cannot guarantee {_percent(terms.alpha)} from {counts.points:,} points; "
        f"about {needed:,} more error-free {'one is' if needed == 1 else 'ones are'} needed"
    )
    if errors > terms.alpha * accepted:
        message += (
            f" (the {accepted:,} most confident err at {_percent(errors / accepted, digits=2)}: "
            "more data alone will hardly do)"
        )
    return Certificate(
        is_certified=False,
        method=FIXED_SEQUENCE,
        alpha=terms.alpha,
        delta=terms.delta,
        threshold=None,
        coverage=0.0,
        n=0,
        errors=0,
        points=counts.points,
        upper_bound=None,
        needed=needed,
        message=message,
    )


def _checked(grid: ArrayLike, *, alpha: float, delta: float) -> NDArray[np.float64]:
    """The grid from strict to loose."""
    faults = [
        f"{name} must be a probability in (0, 1), got {value:g}"
        for name, value in (("alpha", alpha), ("delta", delta))
        if not 0 < value < 1
    ]
    thresholds = np.unique(np.asarray(grid, dtype=np.float64))[::-1]
    if thresholds.size == 0 or not ((thresholds >= 0) & (thresholds <= 1)).all():
        faults.append("grid must hold thresholds in [0, 1], at least one")
    if faults:
        raise InvalidDataError(faults)
    return thresholds


def _rows_by(keys: tuple[str, ...]) -> dict[str, NDArray[np.intp]]:
    if not keys:
        return {}
    names, codes = np.unique(np.array(keys, dtype=object).astype(str), return_inverse=True)
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes))
    return dict(zip(names.tolist(), np.split(order, ends[:-1]), strict=True))


def _negatives(scores: Scores, *, positive: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which cases are predicted negative, and which are positive in truth."""
    if scores.label is None or scores.truth is None:
        raise InvalidDataError(["label and truth are needed to tell missed positives"])
    is_negative = np.array([each != positive for each in scores.label], dtype=np.bool_)
    is_positive = np.array([each == positive for each in scores.truth], dtype=np.bool_)
    faults = []
    if is_negative.all() and not is_positive.any():
        faults.append(f"positive must be a label of the data, got {positive!r}, which no row has")
    elif not is_negative.any():
        faults.append(f"label must be another than {positive!r} in some row: nothing is predicted negative")
    elif not is_positive.any():
        faults.append(f"truth must be {positive!r} in some row, else nothing shows how positives are missed")
    if faults:
        raise InvalidDataError(faults)
    return is_negative, is_positive


def _percent(share: float, *, digits: int = 4) -> str:
    return f"{100 * share:.{digits}g} %"
