"""One-coin model: a worker is right with a probability of their own, and errs evenly over other classes."""

import numpy as np
from numpy.typing import NDArray

from overread.consensus.dawid_skene import (
    CLASS_STRENGTH,
    CONFUSION_STRENGTH,
    MAX_ITERATIONS,
    TOLERANCE,
    Progress,
    grow,
)
from overread.consensus.majority import clamp, vote_shares
from overread.consensus.notes import notes_of
from overread.consensus.result import Consensus
from overread.consensus.votes import Gold, Votes

Array = NDArray[np.float64]
_SMALLEST = 1e-10


def one_coin(
    votes: Votes,
    *,
    gold: Gold | None = None,
    accuracy_strength: float = CONFUSION_STRENGTH,
    class_strength: float = CLASS_STRENGTH,
    max_iterations: int = MAX_ITERATIONS,
    tolerance: float = TOLERANCE,
    progress: Progress | None = None,
) -> Consensus:
    """Dawid–Skene with one parameter a worker, for workers of fewer than about ten votes.

    P_ik is proportional to π_k Π (p_w where l = k, (1 − p_w)/(K − 1) elsewhere) over the item's votes (w, l).
    `accuracy_strength` votes are added to each worker, right as often as the crowd's at the start; with 0 and
    a `class_strength` of 0 it is maximum likelihood. Start, gold and stopping are those of `dawid_skene`.

    Zhang et al. 2016, JMLR 17(102), section 2; the model is the "homogenous" one of Dawid & Skene 1979.

    Raises:
        ArithmeticError: the likelihood fell, which only a defect can explain.
    """
    classes = len(votes.classes)
    posteriors = vote_shares(votes)
    clamp(posteriors, gold)
    weight = np.bincount(votes.worker, minlength=len(votes.workers)).astype(np.float64)
    right = _right_votes(votes, posteriors)
    added = accuracy_strength * np.array([right.sum(), weight.sum() - right.sum()]) / max(weight.sum(), 1.0)
    history: list[float] = []
    is_converged = False
    for iteration in range(1, max_iterations + 1):
        accuracy = _accuracy(right, weight, added=added)
        prior = _prior(posteriors, class_strength=class_strength)
        posteriors, likelihood = _expect(votes, accuracy, prior, gold=gold)
        penalty = class_strength * float(np.log(prior).sum())
        penalty += float((added[0] * np.log(accuracy) + added[1] * np.log1p(-accuracy)).sum())
        is_converged = grow(history, (likelihood + penalty) / max(len(votes), 1), tolerance=tolerance)
        if progress is not None:
            progress(iteration, history[-1])
        right = _right_votes(votes, posteriors)
        if is_converged:
            break
    accuracy = _accuracy(right, weight, added=added)
    confusion = np.empty((len(votes.workers), classes, classes))
    confusion[:] = ((1.0 - accuracy) / max(classes - 1, 1))[:, None, None]
    confusion[:, np.arange(classes), np.arange(classes)] = accuracy[:, None]
    prior = _prior(posteriors, class_strength=class_strength)
    for array in (posteriors, confusion, prior):
        array.flags.writeable = False
    return Consensus(
        method="one-coin",
        items=votes.items,
        classes=votes.classes,
        workers=votes.workers,
        posteriors=posteriors,
        prior=prior,
        confusion=confusion,
        log_likelihood=tuple(history),
        iterations=len(history),
        is_converged=is_converged,
        notes=notes_of(votes, confusion=confusion, is_converged=is_converged),
    )


def _right_votes(votes: Votes, posteriors: Array) -> Array:
    """How many votes of each worker are expected to be right, (W,)."""
    each = posteriors[votes.item, votes.label]
    return np.asarray(np.bincount(votes.worker, weights=each, minlength=len(votes.workers)), dtype=np.float64)


def _accuracy(right: Array, weight: Array, *, added: Array) -> Array:
    total = weight + added.sum()
    accuracy = (right + added[0]) / np.maximum(total, _SMALLEST)
    return np.asarray(np.clip(accuracy, _SMALLEST, 1.0 - _SMALLEST))


def _prior(posteriors: Array, *, class_strength: float) -> Array:
    prior = posteriors.sum(axis=0) + class_strength
    return np.asarray(np.maximum(prior / max(float(prior.sum()), _SMALLEST), _SMALLEST))


def _expect(votes: Votes, accuracy: Array, prior: Array, *, gold: Gold | None) -> tuple[Array, float]:
    """The posteriors, and the marginal log-likelihood of all votes."""
    items, classes = len(votes.items), len(votes.classes)
    wrong = np.log1p(-accuracy) - np.log(max(classes - 1, 1))
    if classes == 1:
        wrong = np.zeros_like(accuracy)  # there is nothing to be wrong with
    gain = np.log(accuracy) - wrong if classes > 1 else np.zeros_like(accuracy)
    place = votes.item.astype(np.int64) * classes + votes.label
    joint = np.bincount(place, weights=gain[votes.worker], minlength=items * classes).reshape(items, classes)
    joint = joint + np.log(prior)
    base = np.bincount(votes.item, weights=wrong[votes.worker], minlength=items)
    known = None if gold is None else joint[gold.item, gold.label] + base[gold.item]
    peak = joint.max(axis=1, keepdims=True)
    joint = np.exp(joint - peak)
    sums = joint.sum(axis=1, keepdims=True)
    joint /= sums
    marginal = np.log(sums[:, 0]) + peak[:, 0] + base
    if gold is not None and known is not None:
        marginal[gold.item] = known
    clamp(joint, gold)
    return joint, float(marginal.sum())
