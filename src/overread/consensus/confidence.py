"""Whether a consensus is as right as its confidence says, measured on gold, and making it so."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overread.consensus.result import Consensus
from overread.consensus.votes import Gold
from overread.errors import InvalidDataError
from overread.risk.calibration import Isotonic, expected_calibration_error, fit_isotonic
from overread.risk.curves import ReliabilityBin, reliability
from overread.risk.scores import Scores

Array = NDArray[np.float64]
ENOUGH_GOLD = 100
"""With fewer gold items isotonic regression follows their noise: confidence is left as stated."""
_BINS = 10
_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Reliability:
    """A consensus on its gold items: None, and a note, where there are none.

    `expected_calibration_error` is the mean distance of confidence from the share that is right, over `bins`
    of equally many items. `notes` say in plain English what keeps the figures from meaning much.
    """

    items: int
    accuracy: float | None
    mean_confidence: float | None
    expected_calibration_error: float | None
    bins: tuple[ReliabilityBin, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Confidences (N,) as gold says they should be, and the map that made them: None with too little gold.

    `before` and `after` are expected calibration errors, the latter on gold items that the map in question
    did not see (five folds). Each fold has a map of its own, so that equal confidences come out of them
    slightly apart and are binned apart: with little gold, or few distinct confidences, `after` reads too
    high, and may exceed a `before` that is small.
    """

    confidence: Array
    isotonic: Isotonic | None
    before: float | None
    after: float | None
    notes: tuple[str, ...]


def reliability_on_gold(consensus: Consensus, *, gold: Gold) -> Reliability:
    """How right the consensus is on gold, and how far its confidence is from that.

    The consensus must have been made without this gold, or it knows what it is asked.
    M. P. Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602; bins of equally many as in
    `overread.risk.calibration.expected_calibration_error`.

    Raises:
        InvalidDataError: gold on other items or classes than the consensus.
    """
    seen = _scores(consensus, gold)
    notes = _notes(seen, gold)
    if not len(seen):
        return Reliability(0, None, None, None, (), notes)
    return Reliability(
        items=len(seen),
        accuracy=float(seen.is_correct.mean()),
        mean_confidence=float(seen.confidence.mean()),
        expected_calibration_error=expected_calibration_error(seen),
        bins=reliability(seen, bins=_BINS),
        notes=notes,
    )


def calibrated(consensus: Consensus, *, gold: Gold, enough: int = ENOUGH_GOLD) -> Calibrated:
    """The confidence of every item by isotonic regression on the gold items, from `enough` of them on.

    Labels do not change. As `reliability_on_gold`, for a consensus that was made without this gold.
    B. Zadrozny and C. Elkan 2002, doi:10.1145/775047.775151.

    Raises:
        InvalidDataError: gold on other items or classes than the consensus, or `enough` below 2.
    """
    if enough < 2:
        raise InvalidDataError([f"enough must be at least 2, got {enough}"])
    seen = _scores(consensus, gold)
    notes = _notes(seen, gold, enough=enough)
    before = expected_calibration_error(seen) if len(seen) else None
    if len(seen) < enough:
        return Calibrated(consensus.confidence, None, before, None, notes)
    isotonic = fit_isotonic(seen)
    return Calibrated(
        confidence=isotonic.apply(consensus.confidence),
        isotonic=isotonic,
        before=before,
        after=_error_left_out(seen),
        notes=notes,
    )


def _error_left_out(seen: Scores) -> float:
    fold = np.arange(len(seen)) % _FOLDS
    confidence = np.empty(len(seen))
    for number in range(min(_FOLDS, len(seen))):
        isotonic = fit_isotonic(seen.take(fold != number))
        confidence[fold == number] = isotonic.apply(seen.confidence[fold == number])
    return expected_calibration_error(Scores(confidence, seen.is_correct))


def _scores(consensus: Consensus, gold: Gold) -> Scores:
    if gold.item.max(initial=-1) >= len(consensus.items) or gold.label.max(initial=-1) >= len(
        consensus.classes
    ):
        raise InvalidDataError(["gold must be on the items and classes of the consensus"])
    own = consensus.posteriors[gold.item]
    return Scores(own.max(axis=1), own.argmax(axis=1) == gold.label)


def _notes(seen: Scores, gold: Gold, *, enough: int = ENOUGH_GOLD) -> tuple[str, ...]:
    notes = []
    if len(seen) < enough:
        notes.append(f"{len(seen):,} gold items are too few to calibrate with: it takes {enough:,}")
    if gold.unknown:
        notes.append(f"{gold.unknown:,} gold items have no votes and say nothing")
    if len(seen) and bool(seen.is_correct.all()) and bool((seen.confidence == 1.0).all()):
        notes.append("every gold item is right and certain: was the consensus made with this gold?")
    elif len(seen) and (seen.is_correct.all() or not seen.is_correct.any()):
        notes.append("gold items are all right or all wrong: confidence cannot be told apart by them")
    return tuple(notes)
