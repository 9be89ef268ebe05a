"""Majority vote: an item's label is the one that most of its votes, or of their weight, say."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from overread.consensus.result import Consensus
from overread.consensus.votes import Gold, Votes
from overread.errors import InvalidDataError


def majority(votes: Votes, *, gold: Gold | None = None) -> Consensus:
    """Posteriors (N, K) are the shares of an item's votes; ties go to the first class in order.

    An item without votes has each class as probable as any other. Gold items have their true label.
    """
    return _counted(votes, np.ones(len(votes)), method="majority", gold=gold)


def weighted_majority(votes: Votes, *, weights: Mapping[str, float], gold: Gold | None = None) -> Consensus:
    """The same with a weight a worker, such as their accuracy.

    Raises:
        InvalidDataError: a worker without a weight, or a weight that is negative or not finite.
    """
    missing = [worker for worker in votes.workers if worker not in weights]
    wrong = [worker for worker in votes.workers if worker in weights and not 0 <= weights[worker] < np.inf]
    faults = [f"weights must have worker {worker!r}" for worker in missing[:5]]
    faults += [
        f"weight of worker {worker!r} must be at least 0, got {weights[worker]}" for worker in wrong[:5]
    ]
    if faults:
        raise InvalidDataError(faults)
    each = np.array([weights[worker] for worker in votes.workers], dtype=np.float64)
    return _counted(votes, each[votes.worker], method="weighted-majority", gold=gold)


def vote_shares(votes: Votes, *, weight: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """The share of each class (N, K) in an item's votes; equal shares where there is no vote."""
    items, classes = len(votes.items), len(votes.classes)
    place = votes.item.astype(np.int64) * classes + votes.label
    counts = np.bincount(place, weights=weight, minlength=items * classes).reshape(items, classes)
    shares = counts.astype(np.float64)
    sums = shares.sum(axis=1, keepdims=True)
    np.divide(shares, sums, out=shares, where=sums > 0)
    shares[sums[:, 0] == 0] = 1.0 / max(classes, 1)
    return shares


def clamp(posteriors: NDArray[np.float64], gold: Gold | None) -> None:
    """Makes the gold items' posteriors certain, in place."""
    if gold is not None:
        posteriors[gold.item] = 0.0
        posteriors[gold.item, gold.label] = 1.0


def _counted(votes: Votes, weight: NDArray[np.float64], *, method: str, gold: Gold | None) -> Consensus:
    posteriors = vote_shares(votes, weight=weight)
    clamp(posteriors, gold)
    prior = posteriors.mean(axis=0) if len(posteriors) else np.zeros(len(votes.classes))
    for array in (posteriors, prior):
        array.flags.writeable = False
    return Consensus(
        method=method,
        items=votes.items,
        classes=votes.classes,
        workers=votes.workers,
        posteriors=posteriors,
        prior=prior,
    )
