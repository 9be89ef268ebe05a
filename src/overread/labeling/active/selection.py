"""Which objects people label next: those that the model is least sure of, and some at random."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float64]
"""Class probabilities, (N, K); each row sums to 1."""


class Strategy(StrEnum):
    """How objects are ranked, the most informative first."""

    MARGIN = "margin"
    ENTROPY = "entropy"
    LEAST_CONFIDENCE = "least-confidence"
    K_CENTRE = "k-centre"


def sureness(probabilities: Probabilities, *, strategy: Strategy) -> NDArray[np.float64]:
    """How sure the model is of each object, (N,): low is asked first (Settles 2009).

    Margin: the best probability less the second best. Entropy: its negative, in nats. Least confidence: the
    best probability; k-centre has no such number and takes this one for ties.
    """
    if strategy is Strategy.ENTROPY:
        logs = np.log(np.where(probabilities > 0, probabilities, 1.0))
        return np.asarray((probabilities * logs).sum(axis=1))
    ordered = np.sort(probabilities, axis=1)
    if strategy is Strategy.MARGIN and probabilities.shape[1] > 1:
        return np.asarray(ordered[:, -1] - ordered[:, -2])
    return np.asarray(ordered[:, -1])


def least_sure(sure: NDArray[np.float64], *, size: int) -> NDArray[np.intp]:
    """The places of the `size` lowest values, the lowest first; equal ones by place."""
    return np.argsort(sure, kind="stable")[:size]


def k_centres(features: NDArray[np.float64], *, covered: NDArray[np.float64], size: int) -> NDArray[np.intp]:
    """The places of `size` objects so that every object is near one of them or of those `covered`.

    Greedy: the object farthest from all centres becomes the next (Sener & Savarese 2018,
    doi:10.48550/arXiv.1708.00489); at most twice as far as the best choice. `features` is (N, D), `covered`
    (M, D) are the objects labeled before; without any the first centre is the object farthest from the mean.
    """
    if not len(features):
        return np.empty(0, dtype=np.intp)
    centres = covered if len(covered) else features.mean(axis=0, keepdims=True)
    distance = _squared(features, centres).min(axis=1)
    chosen: list[int] = []
    for _ in range(min(size, len(features))):
        place = int(np.argmax(distance))
        chosen.append(place)
        distance = np.minimum(distance, ((features - features[place]) ** 2).sum(axis=1))
        distance[place] = -1.0
    return np.array(chosen, dtype=np.intp)


def _squared(features: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distances, (N, M), without a third dimension in memory."""
    inner = features @ centres.T
    return np.asarray((features**2).sum(axis=1)[:, None] - 2 * inner + (centres**2).sum(axis=1)[None, :])
