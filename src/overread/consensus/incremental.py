"""Dawid–Skene as votes come in: what was learnt of the workers is kept, and items are judged by it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overread.consensus.dawid_skene import (
    CLASS_STRENGTH,
    CONFUSION_STRENGTH,
    SMALLEST,
    Model,
    count_votes,
    crowd_rows,
    expect,
    normalised,
)
from overread.consensus.majority import clamp, vote_shares
from overread.consensus.result import Consensus
from overread.consensus.vote_matrix import VoteMatrix
from overread.consensus.votes import Gold, Votes
from overread.errors import InvalidDataError

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Learned:
    """What is known of workers and classes: expected votes `counts` (W, K, K), label by true class, expected
    items of each class (K,), and how the crowd as a whole confused classes at the start (K, K).
    """

    workers: tuple[str, ...]
    classes: tuple[str, ...]
    counts: Array
    class_counts: Array
    crowd: Array


@dataclass(frozen=True, slots=True)
class Judged:
    """Votes and the consensus that was found on them.

    Raises:
        InvalidDataError: the consensus is on other items, workers or classes.
    """

    consensus: Consensus
    votes: Votes

    def __post_init__(self) -> None:
        mine, theirs = self.consensus, self.votes
        if (mine.items, mine.workers, mine.classes) != (theirs.items, theirs.workers, theirs.classes):
            raise InvalidDataError(["consensus must be on the same items, workers and classes as the votes"])


def learn(judged: Judged, *, gold: Gold | None = None) -> Learned:
    """What a consensus by `dawid_skene` has learnt; `gold` is what it was given then."""
    matrix = VoteMatrix.of(judged.votes)
    shares = vote_shares(judged.votes)
    clamp(shares, gold)
    return Learned(
        workers=judged.votes.workers,
        classes=judged.votes.classes,
        counts=_frozen(count_votes(matrix, judged.consensus.posteriors)),
        class_counts=_frozen(judged.consensus.posteriors.sum(axis=0)),
        crowd=_frozen(crowd_rows(count_votes(matrix, shares))),
    )


def fold_in(
    learned: Learned,
    votes: Votes,
    *,
    replaced: Judged | None = None,
    gold: Gold | None = None,
    confusion_strength: float = CONFUSION_STRENGTH,
    class_strength: float = CLASS_STRENGTH,
) -> tuple[Consensus, Learned]:
    """The consensus on these items by one E-step, and what is then known of the workers.

    An item that gets further votes comes with all of its votes; what it had said before is taken back by
    `replaced`, its former votes and consensus. With nothing new, one fold is one iteration of `dawid_skene`.
    A worker not met before is taken for like the others.

    It drifts: items that do not come again keep what was believed of them, and the crowd's rows stay those
    of the start. Run the whole `dawid_skene` now and then, such as when votes have grown by a tenth.

    Raises:
        InvalidDataError: the votes, or those replaced, have other classes, or a replaced worker is unknown.
    """
    _require_same(learned, votes, replaced=replaced)
    known = set(learned.workers)
    workers = (*learned.workers, *(name for name in votes.workers if name not in known))
    place = {name: code for code, name in enumerate(workers)}
    classes = len(votes.classes)
    counts = np.zeros((len(workers), classes, classes))
    counts[: len(learned.workers)] = learned.counts
    rows = [place[name] for name in votes.workers]
    prior = learned.class_counts + class_strength
    pseudo = learned.crowd * confusion_strength
    model = Model(
        confusion=normalised(counts[rows], pseudo=pseudo),
        prior=np.maximum(prior / max(float(prior.sum()), SMALLEST), SMALLEST),
    )
    matrix = VoteMatrix.of(votes)
    posteriors, likelihood = expect(matrix, model, gold=gold)
    class_counts = learned.class_counts + posteriors.sum(axis=0)
    counts[rows] += count_votes(matrix, posteriors)
    if replaced is not None:
        former = replaced.consensus.posteriors
        counts[[place[name] for name in replaced.votes.workers]] -= count_votes(
            VoteMatrix.of(replaced.votes), former
        )
        class_counts = class_counts - former.sum(axis=0)
    grown = Learned(
        workers=workers,
        classes=votes.classes,
        counts=_frozen(np.maximum(counts, 0.0)),  # rounding may leave a little less than nothing
        class_counts=_frozen(np.maximum(class_counts, 0.0)),
        crowd=learned.crowd,
    )
    confusion = model.confusion.reshape(-1, classes, classes).transpose(0, 2, 1).copy()
    consensus = Consensus(
        method="dawid-skene-incremental",
        items=votes.items,
        classes=votes.classes,
        workers=votes.workers,
        posteriors=_frozen(posteriors),
        prior=_frozen(model.prior),
        confusion=_frozen(confusion),
        log_likelihood=(likelihood / max(len(votes), 1),),
        iterations=1,
    )
    return consensus, grown


def _require_same(learned: Learned, votes: Votes, *, replaced: Judged | None) -> None:
    allowed = ", ".join(learned.classes)
    faults = []
    if votes.classes != learned.classes:
        faults.append(f"classes must be {allowed}, got {', '.join(votes.classes)}")
    if replaced is not None:
        if replaced.votes.classes != learned.classes:
            faults.append(f"replaced classes must be {allowed}, got {', '.join(replaced.votes.classes)}")
        unknown = sorted(set(replaced.votes.workers) - set(learned.workers))
        faults += [f"replaced votes must be of known workers, got {name!r}" for name in unknown[:5]]
    if faults:
        raise InvalidDataError(faults)


def _frozen(values: Array) -> Array:
    values.flags.writeable = False
    return values
