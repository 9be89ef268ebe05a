"""Krippendorff's alpha of a million ratings, against the package krippendorff on the same ratings."""

import statistics
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import get_args

import numpy as np
from benchmarks.measure import Measurement
from numpy.typing import NDArray

from overread.consensus.agreement import Interval, Metric, krippendorff
from overread.consensus.votes import Votes, votes

ITEMS, RATERS, CLASSES = 200_000, 5, 5
_RUNS = 5
_MEGABYTE = 1e6
_VALUE_ONLY = Interval(uncertainty="none")


def run() -> list[Measurement]:
    """Seconds and memory of both for the value alone, which must be equal; then ours with its interval.

    Each starts from what it is made for: ours from votes as codes, the peer from a table of raters by items.
    """
    cast, table = ratings()
    measured = []
    for metric in get_args(Metric):

        def ours(metric: Metric = metric) -> float | None:
            return krippendorff(cast, metric=metric, interval=_VALUE_ONLY).value

        def theirs(metric: Metric = metric) -> float:
            return peer_alpha(table, metric)

        own, peer = ours(), theirs()
        if own is None or abs(own - peer) > 1e-9:
            raise ValueError(f"the {metric} alphas differ: ours {own}, the peer's {peer}")
        measured += [
            Measurement.against(
                f"agreement: {metric} alpha, 1M ratings (baseline: krippendorff)",
                value=_seconds(ours),
                unit="s",
                baseline=_seconds(theirs),
            ),
            Measurement.against(
                f"agreement: {metric} alpha, memory (baseline: krippendorff)",
                value=_megabytes(ours),
                unit="MB",
                baseline=_megabytes(theirs),
            ),
        ]
    for interval in (Interval(uncertainty="jackknife"), Interval(uncertainty="bootstrap")):
        measured.append(
            Measurement(
                f"agreement: nominal alpha with its interval, {interval.uncertainty}",
                _seconds(partial(krippendorff, cast, interval=interval)),
                "s",
            )
        )
    return measured


def ratings() -> tuple[Votes, NDArray[np.float64]]:
    """A million ratings of the classes 1 to 5, four in five of them right; as votes and as a table."""
    rng = np.random.default_rng(5)
    truth = rng.integers(1, CLASSES + 1, size=ITEMS)
    is_right = rng.random((RATERS, ITEMS)) < 0.8
    table = np.where(is_right, truth, rng.integers(1, CLASSES + 1, size=(RATERS, ITEMS)))
    rater, item = np.divmod(np.arange(RATERS * ITEMS), ITEMS)
    return votes(item, rater, table.reshape(-1)), table.astype(np.float64)


def peer_alpha(table: NDArray[np.float64], metric: Metric) -> float:
    """The peer's alpha."""
    import krippendorff as package  # noqa: PLC0415  (a development extra)

    return float(package.alpha(reliability_data=table, level_of_measurement=metric))


def _seconds(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(_RUNS):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def _megabytes(work: Callable[[], object]) -> float:
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / _MEGABYTE
