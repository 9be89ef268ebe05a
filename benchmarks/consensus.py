"""Dawid–Skene on a million labels against crowd-kit at equal iterations, and on ten million alone."""

import time
import tracemalloc
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from benchmarks.measure import Measurement
from numpy.typing import NDArray

from overread.consensus.dawid_skene import dawid_skene
from overread.consensus.votes import Votes

ITERATIONS = 10
_MEGABYTE = 1e6
_CLOSE = 1e-8


def run() -> list[Measurement]:
    """Seconds and memory; the posteriors of both must agree."""
    measured = []
    for classes, runs in ((5, 3), (20, 2)):
        measured += _against_peer(_votes(items=200_000, workers=5_000, classes=classes), runs=runs)
    many = _votes(items=2_000_000, workers=20_000, classes=5)
    seconds, _ = _timed(lambda: dawid_skene(many, max_iterations=ITERATIONS, tolerance=-1.0), runs=1)
    megabytes = _megabytes(lambda: dawid_skene(many, max_iterations=2, tolerance=-1.0))
    return [
        *measured,
        Measurement("consensus: Dawid-Skene, 10M labels, K = 5, 10 iterations", seconds, "s"),
        Measurement("consensus: its memory above the input", megabytes, "MB"),
    ]


def _against_peer(votes: Votes, *, runs: int) -> list[Measurement]:
    import pandas as pd  # noqa: PLC0415  seconds, and only for the peer
    from crowdkit.aggregation import DawidSkene  # noqa: PLC0415

    frame = pd.DataFrame({"task": votes.item, "worker": votes.worker, "label": votes.label})

    def ours() -> NDArray[np.float64]:
        found = dawid_skene(
            votes,
            confusion_strength=0.0,
            class_strength=0.0,
            max_iterations=ITERATIONS,
            tolerance=-1.0,
        )
        return found.posteriors

    def theirs() -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return DawidSkene(n_iter=ITERATIONS, tol=-1e9).fit(frame).probas_

    own_s, posteriors = _timed(ours, runs=runs)
    peer_s, peer = _timed(theirs, runs=1)
    expected = peer.loc[range(len(votes.items)), range(len(votes.classes))].to_numpy()
    difference = float(np.abs(posteriors - expected).max())
    if difference > _CLOSE:
        raise ValueError(f"the posteriors differ by {difference:g}")
    name = f"consensus: Dawid-Skene, 1M labels, K = {len(votes.classes)}"
    return [
        Measurement.against(f"{name} (baseline: crowd-kit)", value=own_s, unit="s", baseline=peer_s),
        Measurement.against(
            f"{name}, memory (baseline: crowd-kit)",
            value=_megabytes(ours),
            unit="MB",
            baseline=_megabytes(theirs),
        ),
    ]


def _votes(*, items: int, workers: int, classes: int) -> Votes:
    """Five votes an item, by workers who are right in 50 to 95 % of the cases."""
    random = np.random.default_rng(20261123)
    truth = random.integers(0, classes, items, dtype=np.int32)
    skill = random.uniform(0.5, 0.95, workers)
    item = np.repeat(np.arange(items, dtype=np.int32), 5)
    worker = random.integers(0, workers, item.size, dtype=np.int32)
    is_right = random.random(item.size) < skill[worker]
    label = np.where(is_right, truth[item], random.integers(0, classes, item.size, dtype=np.int32))
    return Votes(
        items=tuple(map(str, range(items))),
        workers=tuple(map(str, range(workers))),
        classes=tuple(map(str, range(classes))),
        item=item,
        worker=worker,
        label=label.astype(np.int32),
    )


def _timed(work: Callable[[], Any], *, runs: int) -> tuple[float, Any]:
    """The best of so many runs, in seconds, and what the last one gave."""
    taken, result = [], None
    for _ in range(runs):
        began = time.perf_counter()
        result = work()
        taken.append(time.perf_counter() - began)
    return min(taken), result


def _megabytes(work: Callable[[], object]) -> float:
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / _MEGABYTE
