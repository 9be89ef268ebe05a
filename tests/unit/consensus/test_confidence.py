"""Confidence measured and calibrated on gold."""

import numpy as np
import pytest

from overread.consensus.confidence import calibrated, reliability_on_gold
from overread.consensus.majority import majority
from overread.consensus.result import Consensus
from overread.consensus.votes import Gold, gold_of, votes
from overread.errors import InvalidDataError
from overread.risk.calibration import expected_calibration_error
from overread.risk.scores import Scores


def _overconfident(items: int, *, seed: int = 5) -> tuple[Consensus, Gold]:
    """Stated 0.9 to 1, right in 60 to 90 %, more so where more is stated."""
    rng = np.random.default_rng(seed)
    stated = rng.uniform(0.9, 1.0, size=items)
    is_right = rng.random(items) < 0.6 + 3 * (stated - 0.9)
    posteriors = np.column_stack([stated, 1 - stated])
    names = tuple(f"{place:06}" for place in range(items))
    consensus = Consensus("stated", names, ("x", "y"), (), posteriors, posteriors.mean(axis=0))
    label = np.where(is_right, 0, 1).astype(np.int32)
    return consensus, Gold(np.arange(items, dtype=np.int32), label)


def test_by_hand() -> None:
    # Two items at 0.75, one right; two at 1.0, both right: |.75 - .5| x 2/4 + 0 = .125.
    rows = [(item, worker, "x") for item in (1, 2, 3, 4) for worker in "abcd"]
    rows[3], rows[7] = (1, "d", "y"), (2, "d", "y")
    cast = votes(*zip(*rows, strict=True))
    found = reliability_on_gold(majority(cast), gold=gold_of([1, 2, 3, 4], ["x", "y", "x", "x"], votes=cast))
    assert found.expected_calibration_error == pytest.approx(0.125)
    assert (found.items, found.accuracy, found.mean_confidence) == (4, 0.75, 0.875)
    assert [(part.n, part.confidence, part.accuracy) for part in found.bins] == [
        (2, 0.75, 0.5),
        (2, 1.0, 1.0),
    ]


def test_overconfidence_is_found_and_mended() -> None:
    consensus, gold = _overconfident(4_000)
    found = calibrated(consensus, gold=gold)
    # Stated .95 on average, right in .75.
    assert reliability_on_gold(consensus, gold=gold).expected_calibration_error == pytest.approx(
        0.2, abs=0.02
    )
    assert found.before == pytest.approx(0.2, abs=0.02)
    assert found.after is not None
    assert found.after < 0.04
    assert found.confidence.mean() == pytest.approx(0.75, abs=0.02)
    order = np.argsort(consensus.confidence)
    assert (np.diff(found.confidence[order]) >= -1e-12).all()
    fresh, truth = _overconfident(4_000, seed=6)
    assert found.isotonic is not None
    told = found.isotonic.apply(fresh.confidence)
    assert abs(told.mean() - (truth.label == 0).mean()) < 0.03


def test_the_order_of_gold_does_not_matter_to_what_is_measured() -> None:
    consensus, gold = _overconfident(500)
    turned = Gold(gold.item[::-1], gold.label[::-1])
    one, other = reliability_on_gold(consensus, gold=gold), reliability_on_gold(consensus, gold=turned)
    assert one.expected_calibration_error == pytest.approx(other.expected_calibration_error)


def test_too_little_gold_is_told_and_changes_nothing() -> None:
    consensus, gold = _overconfident(60)
    found = calibrated(consensus, gold=gold)
    assert found.isotonic is None
    assert found.after is None
    assert (found.confidence == consensus.confidence).all()
    assert found.notes == ("60 gold items are too few to calibrate with: it takes 100",)
    none = reliability_on_gold(consensus, gold=Gold(gold.item[:0], gold.label[:0], unknown=3))
    assert (none.items, none.accuracy, none.expected_calibration_error, none.bins) == (0, None, None, ())
    assert "3 gold items have no votes and say nothing" in none.notes


def test_a_consensus_that_knew_the_gold_is_suspected() -> None:
    cast = votes([1, 1, 2, 2], ["a", "b", "a", "b"], ["x", "y", "x", "y"])
    gold = gold_of([1, 2], ["x", "y"], votes=cast)
    notes = reliability_on_gold(majority(cast, gold=gold), gold=gold).notes
    assert any("was the consensus made with this gold?" in note for note in notes)


def test_gold_of_something_else_is_refused() -> None:
    consensus, gold = _overconfident(10)
    with pytest.raises(InvalidDataError, match="items and classes of the consensus"):
        reliability_on_gold(consensus, gold=Gold(gold.item + 5, gold.label))
    with pytest.raises(InvalidDataError, match="enough must be at least 2"):
        calibrated(consensus, gold=gold, enough=1)


def test_what_calibration_mends_is_measured_on_items_it_did_not_see() -> None:
    # Confidence that says nothing: on the items it was fitted to a map follows noise, and looks perfect.
    rng = np.random.default_rng(8)
    consensus, gold = _overconfident(150)
    noise = Gold(gold.item, rng.integers(2, size=150).astype(np.int32))
    found = calibrated(consensus, gold=noise)
    assert found.isotonic is not None
    assert found.after is not None
    fitted = Scores(found.confidence, consensus.posteriors.argmax(axis=1) == noise.label)
    assert found.after > expected_calibration_error(fitted) + 0.02


def test_what_is_measured_after_calibration_flatters_nobody() -> None:
    # Three distinct confidences, right in 60, 75 and 90 %: the map's true error is known.
    levels, shares = np.array([0.6, 0.8, 1.0]), np.array([0.6, 0.75, 0.9])
    measured, true = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        level = rng.integers(3, size=200)
        is_right = rng.random(200) < shares[level]
        posteriors = np.column_stack([levels[level], 1 - levels[level]])
        names = tuple(f"{place:03}" for place in range(200))
        consensus = Consensus("stated", names, ("x", "y"), (), posteriors, posteriors.mean(axis=0))
        gold = Gold(np.arange(200, dtype=np.int32), np.where(is_right, 0, 1).astype(np.int32))
        found = calibrated(consensus, gold=gold)
        measured.append(found.after)
        true.append(float(np.abs(found.confidence - shares[level]).mean()))
    assert np.mean(true) < np.mean(measured) < 0.15
