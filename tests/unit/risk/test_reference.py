"""The reference standard's own error, from two blind readers."""

import numpy as np
import pytest

from overread.errors import InvalidDataError
from overread.risk.binomial import clopper_pearson
from overread.risk.reference import reference_error, true_error_bound


def test_one_reader_by_hand() -> None:
    # 95 of 1,000 read differently: d = .095 = 2 x .05 x .95, so each reader errs in 5 %.
    found = reference_error(95, 1_000, standard="one-reader")
    assert found.estimate == pytest.approx(0.05)
    assert (found.disagreement, found.points) == (0.095, 1_000)
    low, high = clopper_pearson(95, 1_000, confidence=0.95)
    assert (found.disagreement_low, found.disagreement_high) == (low, high)
    assert 2 * found.upper * (1 - found.upper) == pytest.approx(high)
    assert found.estimate < found.upper < 0.08


def test_two_readers_and_a_third_who_settles_by_hand() -> None:
    # Wrong where both err, .05² = .0025, or one errs and so does the third: 2 x .05 x .95 x .05 = .00475.
    found = reference_error(95, 1_000, standard="two-blind-readers")
    assert found.estimate == pytest.approx(0.0025 + 0.00475)


def test_simulated_readers_err_as_estimated() -> None:
    rng = np.random.default_rng(3)
    wrong = rng.random((3, 400_000)) < 0.08
    disagreements = int((wrong[0] != wrong[1]).sum())
    one = reference_error(disagreements, 400_000, standard="one-reader")
    settled = reference_error(disagreements, 400_000, standard="two-blind-readers")
    assert one.estimate == pytest.approx(0.08, abs=0.001)
    assert settled.estimate == pytest.approx(float((wrong.sum(axis=0) >= 2).mean()), abs=0.001)
    assert one.estimate <= one.upper


def test_no_disagreement_leaves_an_upper_bound_and_much_of_it_leaves_chance() -> None:
    none = reference_error(0, 300, standard="one-reader")
    assert none.estimate == 0
    assert 0.003 < none.upper < 0.01
    assert reference_error(60, 100, standard="one-reader").estimate == 0.5


def test_the_model_is_at_most_so_far_from_the_truth() -> None:
    reference = reference_error(95, 1_000, standard="one-reader")
    assert true_error_bound(0.01, reference=reference) == pytest.approx(0.01 + reference.upper)
    assert true_error_bound(0.01, reference=reference, coverage=0.5) == pytest.approx(
        0.01 + 2 * reference.upper
    )
    assert true_error_bound(0.9, reference=reference, coverage=0.1) == 1


def test_a_later_outcome_has_no_readers() -> None:
    with pytest.raises(InvalidDataError) as refused:
        reference_error(1, 10, standard="later-outcome")  # type: ignore[arg-type]
    assert refused.value.faults == (
        "standard must be one of one-reader, two-blind-readers, got 'later-outcome'",
    )


@pytest.mark.parametrize(
    ("disagreements", "points", "confidence", "faults"),
    [
        (1, 0, 0.95, ("points must be at least 1, got 0", "disagreements must be 0 to 0, got 1")),
        (5, 4, 0.95, ("disagreements must be 0 to 4, got 5",)),
        (1, 4, 1.0, ("confidence must be a probability in (0, 1), got 1",)),
    ],
)
def test_counts_that_make_no_sense(
    disagreements: int, points: int, confidence: float, faults: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidDataError) as refused:
        reference_error(disagreements, points, standard="one-reader", confidence=confidence)
    assert refused.value.faults == faults
