"""Which items another vote is worth its price on, and which are sure enough."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from overread.consensus.result import Consensus
from overread.consensus.votes import Votes
from overread.errors import InvalidDataError
from overread.risk.columns import describe_rows

Array = NDArray[np.float64]
_SUM_SLACK = 1e-6


@dataclass(frozen=True, slots=True)
class Redundancy:
    """When an item has votes enough: `least`, and then a class with 1 − `eps`, or `most`."""

    eps: float = 0.05
    least: int = 2
    most: int = 7


@dataclass(frozen=True, slots=True)
class Purchases:
    """Items (M,), as codes, that need another vote, the one worth most first.

    `gain` (M,) is how much less the expected loss is for one unit of price. `is_enough` (N,) tells of every
    item whether no more votes are to be bought for it.
    """

    item: NDArray[np.int64]
    gain: Array
    is_enough: NDArray[np.bool_]


STANDARD = Redundancy()


def next_purchases(
    posteriors: ArrayLike,
    *,
    bought: ArrayLike,
    next_vote: ArrayLike,
    price: ArrayLike = 1.0,
    redundancy: Redundancy = STANDARD,
) -> Purchases:
    """The items to buy a vote for, by expected loss reduction per price, looking one vote ahead.

    With `posteriors` P (N, K) and θ = `next_vote` (K, K), how probably the next vote is l when k is true, the
    vote is l with p(l) = Σ_k P_k θ_kl, and the expected loss 1 − max P falls by
    Σ_l max_k P_k θ_kl − max_k P_k (never negative). Items below `least` votes come first of all. One vote may
    be unable to turn an item and yet two may: of items with equal gain that with the larger loss per price
    comes first, then the one named first. `bought` (N,) are the votes each item has, `price` is one for all
    or (N,). Value of information: R. A. Howard 1966, doi:10.1109/TSSC.1966.300074; for repeated labels
    V. S. Sheng, F. Provost and P. G. Ipeirotis 2008, doi:10.1145/1401890.1401965.

    Raises:
        InvalidDataError: posteriors or rows of `next_vote` that are no probabilities, unequal shapes, prices
            that are not positive, a rule that cannot be; all faults together.
    """
    shares, votes, theta, prices = _checked(posteriors, bought, next_vote, price, redundancy=redundancy)
    surest = shares.max(axis=1)
    is_enough = (votes >= redundancy.most) | (
        (votes >= redundancy.least) & (surest >= 1 - redundancy.eps - 1e-12)
    )
    gain = expected_reduction(shares, theta) / prices
    wanted = np.flatnonzero(~is_enough)
    loss = (1 - surest) / prices
    order = np.lexsort((-loss[wanted], -np.round(gain[wanted], 12), votes[wanted] >= redundancy.least))
    return Purchases(item=wanted[order], gain=gain[wanted[order]], is_enough=is_enough)


def expected_reduction(posteriors: Array, next_vote: Array) -> Array:
    """How much one more vote lowers the expected loss of each item (N,)."""
    after = np.zeros(len(posteriors))
    for label in range(next_vote.shape[1]):
        after += (posteriors * next_vote[:, label]).max(axis=1)
    return np.asarray(np.maximum(after - posteriors.max(axis=1), 0.0))


def crowd_confusion(consensus: Consensus, votes: Votes) -> Array:
    """How the next vote, of a worker nobody knows yet, confuses classes (K, K): the mean over the votes.

    Raises:
        InvalidDataError: the consensus has learnt no confusion, or is on other workers.
    """
    if consensus.confusion is None:
        raise InvalidDataError(
            [f"consensus by {consensus.method} has no confusion matrices: use dawid-skene"]
        )
    if consensus.workers != votes.workers:
        raise InvalidDataError(["consensus must be on the same workers as the votes"])
    weight = np.bincount(votes.worker, minlength=len(votes.workers)).astype(np.float64)
    whole = np.tensordot(weight / max(weight.sum(), 1.0), consensus.confusion, axes=1)
    return np.asarray(whole / whole.sum(axis=1, keepdims=True))


def _checked(
    posteriors: ArrayLike,
    bought: ArrayLike,
    next_vote: ArrayLike,
    price: ArrayLike,
    *,
    redundancy: Redundancy,
) -> tuple[Array, NDArray[np.int64], Array, Array]:
    faults = _rule_faults(redundancy)
    shares, theta = np.asarray(posteriors, dtype=np.float64), np.asarray(next_vote, dtype=np.float64)
    for name, table in (("posteriors", shares), ("next_vote", theta)):
        if table.ndim != 2 or not table.shape[-1]:
            raise InvalidDataError([*faults, f"{name} must be a table, got shape {table.shape}"])
        faults += _probability_faults(name, table)
    if theta.shape != (shares.shape[1], shares.shape[1]):
        faults.append(f"next_vote must have the shape {(shares.shape[1],) * 2}, got {theta.shape}")
    votes = np.asarray(bought)
    if votes.shape != (len(shares),):
        faults.append(f"bought must be one number an item, {len(shares):,}, got shape {votes.shape}")
    elif (is_wrong := ~(votes >= 0)).any():
        faults.append(f"bought must be at least 0 ({describe_rows(np.flatnonzero(is_wrong))})")
    prices = np.asarray(price, dtype=np.float64)
    if prices.shape not in ((), (len(shares),)):
        faults.append(f"price must be one for all or one an item, {len(shares):,}, got shape {prices.shape}")
    elif (is_wrong := ~((prices > 0) & np.isfinite(prices))).any():
        faults.append(f"price must be above 0 ({describe_rows(np.flatnonzero(is_wrong))})")
    if faults:
        raise InvalidDataError(faults)
    return shares, votes.astype(np.int64), theta, np.broadcast_to(prices, (len(shares),))


def _probability_faults(name: str, table: Array) -> list[str]:
    is_wrong = ~((table >= 0) & (table <= 1)).all(axis=1) | ~(np.abs(table.sum(axis=1) - 1) <= _SUM_SLACK)
    if not is_wrong.any():
        return []
    return [f"{name} must be probabilities that sum to one ({describe_rows(np.flatnonzero(is_wrong))})"]


def _rule_faults(redundancy: Redundancy) -> list[str]:
    faults = []
    if not 0 < redundancy.eps < 1:
        faults.append(f"eps must be above 0 and below 1, got {redundancy.eps}")
    if not 1 <= redundancy.least <= redundancy.most:
        faults.append(f"least must be from 1 to most, got {redundancy.least} and {redundancy.most}")
    return faults
