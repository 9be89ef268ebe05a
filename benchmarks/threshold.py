"""A certified threshold from a million points, against MAPIE on the same points and thresholds."""

import statistics
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
from benchmarks.measure import Measurement
from numpy.typing import NDArray

from overread.risk.scores import Scores
from overread.risk.thresholds import certify_threshold

POINTS = 1_000_000
ALPHA, DELTA = 0.05, 0.1
GRID = np.linspace(0, 0.99, 100)  # the peer's own default
_RUNS = 5
_MEGABYTE = 1e6


def run() -> list[Measurement]:
    """Seconds and memory of both; the thresholds must agree, the peer's bound being the wider one."""
    rng = np.random.default_rng(5)
    confidence = 0.5 + 0.5 * rng.beta(4, 1, POINTS)
    is_correct = rng.random(POINTS) < confidence
    scores = Scores(confidence, is_correct)

    def ours() -> float | None:
        return certify_threshold(scores, alpha=ALPHA, delta=DELTA, grid=GRID).threshold

    def theirs() -> float | None:
        return peer_threshold(confidence, is_correct)

    own, peer = ours(), theirs()
    if own is None or peer is None or not peer - 0.02 <= own <= peer:
        raise ValueError(f"the thresholds differ: ours {own}, the peer's {peer}")
    return [
        Measurement.against(
            "threshold: certified from 1M points (baseline: MAPIE)",
            value=_seconds(ours, runs=_RUNS),
            unit="s",
            baseline=_seconds(theirs, runs=2),
        ),
        Measurement.against(
            "threshold: memory for 1M points (baseline: MAPIE)",
            value=_megabytes(ours),
            unit="MB",
            baseline=_megabytes(theirs),
        ),
        Measurement(
            "threshold: certified from 1M points",
            value=own,
            unit="threshold",
            baseline=peer,
            ratio=own / peer,
        ),
    ]


def peer_threshold(confidence: NDArray[np.float64], is_correct: NDArray[np.bool_]) -> float | None:
    """MAPIE's fixed sequence for precision, which is one minus the error rate among the accepted."""
    from mapie.risk_control import BinaryClassificationController  # noqa: PLC0415  (1.2 s)

    both = np.column_stack([1 - confidence, confidence])
    controller = BinaryClassificationController(
        predict_function=lambda probabilities: probabilities,
        risk="precision",
        target_level=1 - ALPHA,
        confidence_level=1 - DELTA,
        best_predict_param_choice="recall",
        list_predict_params=GRID[::-1],
        fwer_method="fixed_sequence",
    )
    controller.calibrate(both, is_correct.astype(int))
    best = controller.best_predict_param
    return None if best is None else float(best)


def _seconds(work: Callable[[], object], *, runs: int) -> float:
    taken = []
    for _ in range(runs):
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
