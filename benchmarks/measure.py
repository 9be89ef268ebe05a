"""How a benchmark measures and what it reports: a figure beside its baseline, both taken in one run."""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measurement:
    """A figure, the baseline it is held against (None where there is none), and value divided by baseline."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None

    @classmethod
    def against(cls, name: str, *, value: float, unit: str, baseline: float) -> "Measurement":
        """A measurement with its ratio."""
        return cls(name=name, value=value, unit=unit, baseline=baseline, ratio=value / baseline)


def cpu_ms_each(work: Callable[[], object], *, runs: int, warm_up: int = 50) -> list[float]:
    """CPU milliseconds of this process for each of `runs` calls, after `warm_up` uncounted ones."""
    for _ in range(warm_up):
        work()
    taken = []
    for _ in range(runs):
        before = time.process_time_ns()
        work()
        taken.append((time.process_time_ns() - before) / 1e6)
    return taken


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return statistics.median(values)


def write(measurements: Sequence[Measurement], *, path: Path) -> None:
    """All measurements as one JSON list."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(m) for m in measurements], indent=1) + "\n")
