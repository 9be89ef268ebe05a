"""How good each worker is: on gold with intervals, and as the consensus has learnt it."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from overread.consensus.result import Consensus
from overread.consensus.votes import Gold, Votes
from overread.errors import InvalidDataError
from overread.risk import binomial

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class WorkerQuality:
    """A worker's votes, how many of those on gold items are right, and what follows.

    `accuracy` is the mean of Beta(1 + right, 1 + wrong), 0.5 without gold: the posterior of the share under
    an even prior. `wilson` is the 95 % interval to show, `clopper_pearson` the one to decide by; (0, 1)
    without gold. `shrunken` is the mean diagonal of the learnt confusion matrix, weighted by the classes'
    frequencies and drawn towards the crowd's by its prior; None where the method learns none.
    """

    worker: str
    votes: int
    gold_right: int
    gold_total: int
    accuracy: float
    wilson: tuple[float, float]
    clopper_pearson: tuple[float, float]
    shrunken: float | None

    def is_below(self, bar: float) -> bool:
        """Whether the worker may be blocked: even the exact upper bound of their accuracy is below the bar.

        Wrong for at most 2.5 % of the workers who are at the bar, however few gold items they had.
        """
        return self.clopper_pearson[1] < bar


def worker_quality(
    votes: Votes, *, gold: Gold | None = None, consensus: Consensus | None = None
) -> tuple[WorkerQuality, ...]:
    """The quality of each worker, in the order of `votes.workers`.

    Every vote on a gold item counts, repeated ones too. Wilson: E. B. Wilson 1927,
    doi:10.1080/01621459.1927.10502953; exact: C. J. Clopper and E. S. Pearson 1934,
    doi:10.1093/biomet/26.4.404.

    Raises:
        InvalidDataError: consensus or gold are on other workers, items or classes than the votes.
    """
    _check(votes, gold=gold, consensus=consensus)
    workers = len(votes.workers)
    given = np.bincount(votes.worker, minlength=workers)
    right, total = _on_gold(votes, gold)
    learnt = _diagonal(consensus)
    return tuple(
        WorkerQuality(
            worker=name,
            votes=int(given[code]),
            gold_right=int(right[code]),
            gold_total=int(total[code]),
            accuracy=(int(right[code]) + 1) / (int(total[code]) + 2),
            wilson=_wilson(int(right[code]), int(total[code])),
            clopper_pearson=_clopper_pearson(int(right[code]), int(total[code])),
            shrunken=None if learnt is None else float(learnt[code]),
        )
        for code, name in enumerate(votes.workers)
    )


def _check(votes: Votes, *, gold: Gold | None, consensus: Consensus | None) -> None:
    faults = []
    if consensus is not None and (consensus.workers, consensus.classes) != (votes.workers, votes.classes):
        faults.append("consensus must be on the same workers and classes as the votes")
    if gold is not None and (
        gold.item.max(initial=-1) >= len(votes.items) or gold.label.max(initial=-1) >= len(votes.classes)
    ):
        faults.append("gold must be on the items and classes of the votes")
    if faults:
        raise InvalidDataError(faults)


def _on_gold(votes: Votes, gold: Gold | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each worker's votes on gold items: how many are right, how many there are."""
    workers = len(votes.workers)
    truth = np.full(len(votes.items), -1, dtype=np.int64)
    if gold is not None:
        truth[gold.item] = gold.label
    expected = truth[votes.item]
    total = np.bincount(votes.worker[expected >= 0], minlength=workers)
    right = np.bincount(votes.worker[expected == votes.label], minlength=workers)
    return right, total


def _diagonal(consensus: Consensus | None) -> NDArray[np.float64] | None:
    if consensus is None or consensus.confusion is None:
        return None
    right = np.diagonal(consensus.confusion, axis1=1, axis2=2)
    return np.asarray(right @ consensus.prior / max(float(consensus.prior.sum()), 1e-300))


@cache
def _wilson(right: int, total: int) -> tuple[float, float]:
    return binomial.wilson(right, total, confidence=CONFIDENCE)


@cache
def _clopper_pearson(right: int, total: int) -> tuple[float, float]:
    return binomial.clopper_pearson(right, total, confidence=CONFIDENCE)
