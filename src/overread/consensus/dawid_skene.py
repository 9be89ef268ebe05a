"""Dawid–Skene: who errs how is learnt together with what is true, by expectation maximisation."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overread.consensus.majority import clamp, vote_shares
from overread.consensus.notes import notes_of
from overread.consensus.result import Consensus
from overread.consensus.vote_matrix import VoteMatrix
from overread.consensus.votes import Gold, Votes

Array = NDArray[np.float64]
Progress = Callable[[int, float], None]
"""Told after each iteration: its number, and the log-likelihood of a vote."""

CONFUSION_STRENGTH = 0.5
CLASS_STRENGTH = 0.1
MAX_ITERATIONS = 200
TOLERANCE = 1e-6
LARGEST_FALL = 1e-9
"""More than rounding can explain: the penalised likelihood of a vote never falls."""
SMALLEST = 1e-10
"""What takes the place of a probability or a count of zero, as a logarithm is needed."""


@dataclass(frozen=True, slots=True)
class Model:
    """What an E-step needs: `confusion` (W·K, K) holds θ_w[k, l] in row w·K + l and column k."""

    confusion: Array
    prior: Array


def dawid_skene(
    votes: Votes,
    *,
    gold: Gold | None = None,
    confusion_strength: float = CONFUSION_STRENGTH,
    class_strength: float = CLASS_STRENGTH,
    max_iterations: int = MAX_ITERATIONS,
    tolerance: float = TOLERANCE,
    progress: Progress | None = None,
) -> Consensus:
    """The posterior of each item's classes, each worker's confusion matrix, and the classes' frequencies.

    P_ik is proportional to π_k Π θ_w[k, l] over the item's votes (w, l); θ_w[k, l] to the votes l of w,
    weighted by P_ik, plus a_kl; π_k to Σ P_ik + b. Starts from the shares of votes. a_kl is
    `confusion_strength` times the crowd's own confusion row there, so that who voted seldom is taken for
    like the others; b is `class_strength`. With both 0 it is maximum likelihood, a worker's row normalised
    over the labels that they ever gave. Gold items stay certain. Stops when the penalised marginal
    log-likelihood of a vote grows by less than `tolerance`, or after `max_iterations`.

    Dawid & Skene 1979, doi:10.2307/2346806; the prior after Paun et al. 2018, doi:10.1162/tacl_a_00040.

    Raises:
        ArithmeticError: the likelihood fell, which only a defect can explain.
    """
    classes, workers = len(votes.classes), len(votes.workers)
    matrix = VoteMatrix.of(votes)
    posteriors = vote_shares(votes)
    clamp(posteriors, gold)
    pseudo = crowd_rows(count_votes(matrix, posteriors)) * confusion_strength
    history: list[float] = []
    is_converged = False
    model = _maximise(matrix, posteriors, pseudo=pseudo, class_strength=class_strength)
    for iteration in range(1, max_iterations + 1):
        posteriors, likelihood = expect(matrix, model, gold=gold)
        penalised = likelihood + _penalty(model, pseudo=pseudo, class_strength=class_strength)
        is_converged = grow(history, penalised / max(len(votes), 1), tolerance=tolerance)
        if progress is not None:
            progress(iteration, history[-1])
        model = _maximise(matrix, posteriors, pseudo=pseudo, class_strength=class_strength)
        if is_converged:
            break
    confusion = model.confusion.reshape(workers, classes, classes).transpose(0, 2, 1).copy()
    return _result(
        votes,
        posteriors,
        confusion,
        prior=model.prior,
        history=tuple(history),
        is_converged=is_converged,
    )


def count_votes(matrix: VoteMatrix, posteriors: Array) -> Array:
    """How often each worker gave label l (second axis) where k (last axis) is true, expected: (W, K, K)."""
    classes = posteriors.shape[1]
    return matrix.sum_by_column(posteriors).reshape(-1, classes, classes)


def crowd_rows(counts: Array) -> Array:
    """How the crowd as a whole confuses classes: (K, K), label by true class, each column summing to one."""
    whole = counts.sum(axis=0) + 1.0 / max(counts.shape[1], 1)
    return np.asarray(whole / whole.sum(axis=0))


def normalised(counts: Array, *, pseudo: Array) -> Array:
    """The probabilities (W·K, K) that counts (W, K, K) and pseudo-counts (K, K) come to; in place."""
    if not pseudo.any():
        np.maximum(counts, SMALLEST, out=counts, where=counts.any(axis=2, keepdims=True))
    counts += pseudo
    sums = counts.sum(axis=1, keepdims=True)
    if not sums.all():  # a worker without a vote, and no prior
        np.copyto(counts, 1.0, where=sums == 0.0)
        sums = counts.sum(axis=1, keepdims=True)
    counts /= sums
    return counts.reshape(-1, counts.shape[2])


def _maximise(matrix: VoteMatrix, posteriors: Array, *, pseudo: Array, class_strength: float) -> Model:
    confusion = normalised(count_votes(matrix, posteriors), pseudo=pseudo)
    prior = posteriors.sum(axis=0) + class_strength
    prior = np.maximum(prior / max(prior.sum(), SMALLEST), SMALLEST)
    return Model(confusion=confusion, prior=prior)


def expect(matrix: VoteMatrix, model: Model, *, gold: Gold | None) -> tuple[Array, float]:
    """The posteriors, and the marginal log-likelihood of all votes under the model."""
    with np.errstate(divide="ignore"):
        logs = np.log(model.confusion)
    logs[np.isneginf(logs)] = 0.0  # a label that the worker never gave: no vote meets it
    joint = matrix.sum_by_item(logs)
    joint += np.log(model.prior)
    known = None if gold is None else joint[gold.item, gold.label]
    peak = joint.max(axis=1, keepdims=True)
    joint -= peak
    np.exp(joint, out=joint)
    sums = joint.sum(axis=1, keepdims=True)
    joint /= sums
    marginal = np.log(sums[:, 0]) + peak[:, 0]
    if gold is not None and known is not None:
        marginal[gold.item] = known
    clamp(joint, gold)
    return joint, float(marginal.sum())


def _penalty(model: Model, *, pseudo: Array, class_strength: float) -> float:
    """The log prior: of the parameters, so once each and not once a vote."""
    classes = len(model.prior)
    penalty = class_strength * float(np.log(model.prior).sum())
    if pseudo.any():
        penalty += float((np.log(model.confusion.reshape(-1, classes, classes)).sum(axis=0) * pseudo).sum())
    return penalty


def grow(history: list[float], likelihood: float, *, tolerance: float) -> bool:
    """Appends a vote's log-likelihood; whether it grew by less than `tolerance`.

    Raises:
        ArithmeticError: it fell by more than rounding explains.
    """
    history.append(likelihood)
    if len(history) == 1:
        return False
    growth = history[-1] - history[-2]
    if growth < -LARGEST_FALL:
        raise ArithmeticError(f"the log-likelihood of a vote fell by {-growth:g} in iteration {len(history)}")
    return growth < tolerance


def _result(
    votes: Votes,
    posteriors: Array,
    confusion: Array,
    *,
    prior: Array,
    history: tuple[float, ...],
    is_converged: bool,
) -> Consensus:
    for array in (posteriors, confusion, prior):
        array.flags.writeable = False
    return Consensus(
        method="dawid-skene",
        items=votes.items,
        classes=votes.classes,
        workers=votes.workers,
        posteriors=posteriors,
        prior=prior,
        confusion=confusion,
        log_likelihood=history,
        iterations=len(history),
        is_converged=is_converged,
        notes=notes_of(votes, confusion=confusion, is_converged=is_converged),
    )
