"""What a reader of a consensus must be told: where the votes cannot carry what the figures seem to say."""

import numpy as np
from numpy.typing import NDArray

from overread.consensus.votes import Votes

FEW_VOTES = 10
"""Below so many votes a worker's confusion matrix is mostly the prior's."""


def notes_of(votes: Votes, *, confusion: NDArray[np.float64], is_converged: bool) -> tuple[str, ...]:
    """One sentence each: no convergence, no disagreement, exchanged labels, workers with few votes."""
    notes = []
    if not is_converged:
        notes.append("stopped before it converged: the posteriors may still move")
    if len(votes) and not _has_disagreement(votes):
        notes.append(
            "no item has votes that differ: they say nothing about who errs, and confidences near 100 % mean "
            "no more than that"
        )
    weight = np.bincount(votes.worker, minlength=len(votes.workers))
    right = np.diagonal(confusion, axis1=1, axis2=2).mean(axis=1)
    classes = len(votes.classes)
    if weight.any() and classes > 1 and (mean := float(np.average(right, weights=weight))) < 1.0 / classes:
        notes.append(
            f"workers are right in {mean:.0%} of their votes, less than chance: labels may be exchanged"
        )
    few = int(((weight > 0) & (weight < FEW_VOTES)).sum())
    if few:
        notes.append(f"{few} of {len(votes.workers)} workers gave fewer than {FEW_VOTES} votes")
    return tuple(notes)


def _has_disagreement(votes: Votes) -> bool:
    first = np.full(len(votes.items), -1, dtype=np.int32)
    first[votes.item[::-1]] = votes.label[::-1]
    return bool((votes.label != first[votes.item]).any())
