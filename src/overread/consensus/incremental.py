"""Dawid–Skene as votes come in: what was learnt of the workers is kept, and new items are judged by it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overread.consensus.dawid_skene import (
    CLASS_STRENGTH,
    CONFUSION_STRENGTH,
    Model,
    count_votes,
    crowd_rows,
    expect,
    normalised,
)
from overread.consensus.result import Consensus
from overread.consensus.vote_matrix import VoteMatrix
from overread.consensus.votes import Gold, Votes
from overread.errors import InvalidDataError

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Learned:
    """What is known of workers and classes: expected votes `counts` (W, K, K), label by true class, and
    expected items of each class (K,).
    """

    workers: tuple[str, ...]
    classes: tuple[str, ...]
    counts: Array
    class_counts: Array


def learn(consensus: Consensus, votes: Votes) -> Learned:
    """What the consensus on these votes has learnt.

    Raises:
        InvalidDataError: the consensus is on other items, workers or classes.
    """
    if (consensus.items, consensus.workers, consensus.classes) != (votes.items, votes.workers, votes.classes):
        raise InvalidDataError(["consensus must be on the same items, workers and classes as the votes"])
    counts = count_votes(VoteMatrix.of(votes), consensus.posteriors)
    return Learned(
        workers=votes.workers,
        classes=votes.classes,
        counts=counts,
        class_counts=consensus.posteriors.sum(axis=0),
    )


def fold_in(
    learned: Learned,
    votes: Votes,
    *,
    gold: Gold | None = None,
    confusion_strength: float = CONFUSION_STRENGTH,
    class_strength: float = CLASS_STRENGTH,
) -> tuple[Consensus, Learned]:
    """The consensus on new items by one E-step, and what is then known of the workers.

    A worker not met before is taken for like the others. What is old is not judged again: run the whole
    `dawid_skene` now and then, as it also corrects what early items were taken for. Items are not compared
    with earlier ones: votes for an item that come later belong into a run with its first ones.

    Raises:
        InvalidDataError: the votes have other classes.
    """
    if votes.classes != learned.classes:
        raise InvalidDataError(
            [f"classes must be {', '.join(learned.classes)}, got {', '.join(votes.classes)}"]
        )
    workers = (*learned.workers, *(name for name in votes.workers if name not in set(learned.workers)))
    classes = len(votes.classes)
    counts = np.zeros((len(workers), classes, classes))
    counts[: len(learned.workers)] = learned.counts
    pseudo = crowd_rows(counts) * confusion_strength
    place = {name: code for code, name in enumerate(workers)}
    known = counts[[place[name] for name in votes.workers]]
    prior = learned.class_counts + class_strength
    model = Model(confusion=normalised(known, pseudo=pseudo), prior=prior / prior.sum())
    matrix = VoteMatrix.of(votes)
    posteriors, likelihood = expect(matrix, model, gold=gold)
    for code, added in enumerate(count_votes(matrix, posteriors)):
        counts[place[votes.workers[code]]] += added
    grown = Learned(
        workers=workers,
        classes=votes.classes,
        counts=counts,
        class_counts=learned.class_counts + posteriors.sum(axis=0),
    )
    confusion = model.confusion.reshape(-1, classes, classes).transpose(0, 2, 1).copy()
    for array in (posteriors, confusion, model.prior, grown.counts, grown.class_counts):
        array.flags.writeable = False
    consensus = Consensus(
        method="dawid-skene-incremental",
        items=votes.items,
        classes=votes.classes,
        workers=votes.workers,
        posteriors=posteriors,
        prior=model.prior,
        confusion=confusion,
        log_likelihood=(likelihood / max(len(votes), 1),),
        iterations=1,
    )
    return consensus, grown
