"""What a consensus method gives: for each item how probable each class is, and how it came to that."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Consensus:
    """The consensus on N items of K classes by W workers; arrays are read-only.

    `posteriors` (N, K) sum to one in each row; `prior` (K,) is how frequent the classes are; `confusion`
    (W, K, K) says how probably a worker gives label l (last axis) when k is true, None for methods without
    it. `log_likelihood` has one value an iteration, empty for methods that do not iterate. `notes` are
    warnings in plain English.
    """

    method: str
    items: tuple[str, ...]
    classes: tuple[str, ...]
    workers: tuple[str, ...]
    posteriors: NDArray[np.float64]
    prior: NDArray[np.float64]
    confusion: NDArray[np.float64] | None = None
    log_likelihood: tuple[float, ...] = ()
    iterations: int = 0
    is_converged: bool = True
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The most probable class of each item; of equally probable ones the first in `classes`."""
        return tuple(self.classes[code] for code in self.posteriors.argmax(axis=1).tolist())

    @property
    def confidence(self) -> NDArray[np.float64]:
        """How probable the label of each item is (N,), as the method believes; see `confidence.py`."""
        return np.asarray(self.posteriors.max(axis=1))
