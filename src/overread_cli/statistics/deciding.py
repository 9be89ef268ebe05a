"""A consensus on read votes, measured and calibrated on gold where there is some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from overread_cli.statistics.inputs import ReadVotes
from overread_cli.statistics.measuring import bins_of, calibration_error
from overread_cli.statistics.page import percent
from overread_cli.statistics.tables import Say
from overread_cli.statistics.threshold_page import Bin

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from overread.consensus.confidence import Calibrated
    from overread.consensus.result import Consensus
    from overread.consensus.votes import Gold, Votes
    from overread.consensus.worker_quality import WorkerQuality
    from overread.risk.scores import Scores

METHODS = ("majority", "dawid-skene", "one-coin")
_ALL_GOLD = (
    "every item is gold, so the labels are those of the gold file; --measure-only gives what votes alone say"
)
_FOLDS = 5
_SHOWN_BINS = 10
_ERROR_BINS = 15
_SEED = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """How right votes alone are on gold, as stated and calibrated on other gold items than those measured."""

    items: int
    accuracy: float
    stated_error: float
    stated_bins: Sequence[Bin]
    calibrated_error: float | None
    calibrated_bins: Sequence[Bin]


@dataclass(frozen=True, slots=True)
class Found:
    """The consensus on a file's votes; `items`, `labels` and `confidence` leave out items without a vote."""

    read: ReadVotes
    method: str
    consensus: Consensus
    gold: Gold | None
    is_learnt: bool
    items: Sequence[str]
    labels: Sequence[str]
    confidence: NDArray[np.float64]
    measured: Measured | None
    calibration: str
    is_calibrated: bool
    notes: Sequence[str]

    @property
    def mean_confidence(self) -> float | None:
        """None without items."""
        return float(self.confidence.mean()) if len(self.confidence) else None

    @property
    def gold_items(self) -> int:
        """Gold items that have votes."""
        return 0 if self.gold is None else len(self.gold)

    def document(self) -> dict[str, Any]:
        """What `--json` prints."""
        votes, measured = self.read.votes, self.measured
        return {
            "method": self.method,
            "items": len(self.items),
            "workers": len(votes.workers),
            "votes": len(votes),
            "classes": list(votes.classes),
            "missing": votes.missing,
            "repeats": votes.repeats,
            "iterations": self.consensus.iterations,
            "is_converged": self.consensus.is_converged,
            "notes": list(self.notes),
            "mean_confidence": self.mean_confidence,
            "is_calibrated": self.is_calibrated,
            "calibration": self.calibration,
            "gold": None
            if self.gold is None
            else {"items": len(self.gold), "without_votes": self.gold.unknown, "is_learnt": self.is_learnt},
            "accuracy": None if measured is None else measured.accuracy,
            "expected_calibration_error": None if measured is None else measured.stated_error,
            "expected_calibration_error_calibrated": None if measured is None else measured.calibrated_error,
        }

    def sentences(self) -> list[str]:
        """The same in words."""
        votes, measured = self.read.votes, self.measured
        told = [
            f"{len(self.items):,} items, {len(votes.workers):,} workers, {len(votes):,} votes, "
            f"{len(votes.classes):,} classes; {self.method}"
            + (f" in {self.consensus.iterations:,} iterations" if self.consensus.iterations else "")
            + f"; mean confidence {percent(self.mean_confidence)}"
        ]
        if measured is not None:
            told.append(
                f"on {measured.items:,} gold items votes alone are right in {percent(measured.accuracy)}, "
                "with an "
                f"expected calibration error of {percent(measured.stated_error)}"
            )
        return [*told, self.calibration, *(f"note: {note}" for note in self.notes)]


def find_consensus(read: ReadVotes, *, gold: Gold | None, method: str, is_learnt: bool, say: Say) -> Found:
    """The consensus by a method; gold items have their known label if `is_learnt`.

    What is measured, and the calibration, are of a consensus that did not know the gold labels.
    """
    votes = read.votes
    known = gold if gold is not None and len(gold) else None
    blind = _consensus(votes, gold=None, method=method, say=say)
    consensus = blind
    if known is not None and is_learnt:
        consensus = _consensus(votes, gold=known, method=method, say=say)
    confidence = consensus.confidence
    made = None if known is None else _calibrated(blind, known)
    seen = None if known is None else _on_gold(blind, known)
    is_calibrated = made is not None and made.isotonic is not None
    if made is not None and made.isotonic is not None:
        confidence = made.isotonic.apply(confidence)
        if known is not None and is_learnt:
            confidence[known.item] = 1.0
    voted = _voted(votes, known if is_learnt else None)
    labels = consensus.labels
    return Found(
        read=read,
        method=method,
        consensus=consensus,
        gold=gold,
        is_learnt=is_learnt,
        items=[votes.items[place] for place in voted],
        labels=[labels[place] for place in voted],
        confidence=confidence[voted],
        measured=None if seen is None else _measured(seen, is_calibrated=is_calibrated),
        calibration=_told(0 if seen is None else len(seen), is_calibrated=is_calibrated),
        is_calibrated=is_calibrated,
        notes=(
            *consensus.notes,
            *(() if made is None else made.notes),
            *_left_out(len(votes.items) - len(voted)),
            *([_ALL_GOLD] if is_learnt and known is not None and len(known) == len(voted) else []),
        ),
    )


def _consensus(votes: Votes, *, gold: Gold | None, method: str, say: Say) -> Consensus:
    if method == "majority":
        from overread.consensus.majority import majority  # noqa: PLC0415 - numpy

        return majority(votes, gold=gold)

    def progress(iteration: int, likelihood: float) -> None:
        say(f"{method}: iteration {iteration}, log-likelihood of a vote {likelihood:.6f}")

    if method == "one-coin":
        from overread.consensus.one_coin import one_coin  # noqa: PLC0415 - numpy

        return one_coin(votes, gold=gold, progress=progress)
    from overread.consensus.dawid_skene import dawid_skene  # noqa: PLC0415 - numpy

    return dawid_skene(votes, gold=gold, progress=progress)


def _on_gold(blind: Consensus, gold: Gold) -> Scores:
    """The blind consensus on the gold items, as scores."""
    from overread.risk.scores import Scores  # noqa: PLC0415 - numpy

    said = blind.posteriors[gold.item].argmax(axis=1)
    return Scores(confidence=blind.confidence[gold.item].clip(0.0, 1.0), is_correct=said == gold.label)


def _calibrated(blind: Consensus, gold: Gold) -> Calibrated:
    from overread.consensus.confidence import calibrated  # noqa: PLC0415 - numpy

    return calibrated(blind, gold=gold)


def _measured(seen: Scores, *, is_calibrated: bool) -> Measured:
    left_out = _left_out_folds(seen) if is_calibrated else None
    calibrated = None if left_out is None else _binned(seen, left_out, bins=_ERROR_BINS)
    return Measured(
        items=len(seen),
        accuracy=float(seen.is_correct.mean()),
        stated_error=calibration_error(seen),
        stated_bins=bins_of(seen),
        calibrated_error=None
        if calibrated is None
        else sum(one.count * abs(one.confidence - one.right) for one in calibrated) / len(seen),
        calibrated_bins=() if left_out is None else _binned(seen, left_out, bins=_SHOWN_BINS),
    )


def _left_out_folds(seen: Scores) -> NDArray[np.float64]:
    """Confidence on each fold of the gold items, calibrated on the other folds."""
    import numpy as np  # noqa: PLC0415 - here already

    from overread.risk.calibration import fit_isotonic  # noqa: PLC0415 - as above

    fold = np.random.default_rng(_SEED).permutation(len(seen)) % _FOLDS
    confidence = np.empty(len(seen))
    for number in range(_FOLDS):
        mapping = fit_isotonic(seen.take(fold != number))
        confidence[fold == number] = mapping.apply(seen.confidence[fold == number])
    return confidence


def _binned(seen: Scores, calibrated: NDArray[np.float64], *, bins: int) -> list[Bin]:
    """The bins of the stated confidence, with the calibrated one: the folds' maps differ a little, and would
    part what was stated alike."""
    import numpy as np  # noqa: PLC0415 - here already

    from overread.risk.curves import reliability  # noqa: PLC0415 - as above

    parts = reliability(seen, bins=bins)
    place = np.searchsorted([one.least for one in parts], seen.confidence, side="right") - 1
    sums = np.bincount(place, weights=calibrated, minlength=len(parts))
    return [
        Bin(confidence=float(total / one.n), right=one.accuracy, low=one.low, high=one.high, count=one.n)
        for one, total in zip(parts, sums, strict=True)
    ]


def _voted(votes: Votes, gold: Gold | None) -> NDArray[np.intp]:
    """The items that have a vote, or a known label."""
    import numpy as np  # noqa: PLC0415 - here already

    has_label = np.bincount(votes.item, minlength=len(votes.items)) > 0
    if gold is not None:
        has_label[gold.item] = True
    return np.flatnonzero(has_label)


def _left_out(count: int) -> list[str]:
    if not count:
        return []
    return [f"{count:,} item{'' if count == 1 else 's'} without any label left out"]


def _told(gold: int, *, is_calibrated: bool) -> str:
    if is_calibrated:
        return f"confidence is calibrated on {gold:,} gold items (isotonic regression)"
    few = "there is too little gold" if gold else "there is no gold"
    return f"confidence is as the method states it, not calibrated: {few}"


def quality_of(found: Found) -> Sequence[WorkerQuality]:
    """Each worker's quality, on gold and as the method has learnt it."""
    from overread.consensus.worker_quality import worker_quality  # noqa: PLC0415 - numpy

    quality: Sequence[WorkerQuality] = worker_quality(
        found.read.votes, gold=found.gold, consensus=found.consensus
    )
    return quality
