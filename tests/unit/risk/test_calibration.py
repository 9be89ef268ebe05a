"""Calibration: worked by hand, equal with and without scipy, better on points it has not seen."""

import numpy as np
import pytest
from benchmarks.guarantee import labelled_imdb

from overread.errors import InvalidDataError
from overread.risk import binomial
from overread.risk.calibration import (
    expected_calibration_error,
    fit_isotonic,
    fit_temperature,
    pool_adjacent_violators,
    split,
)
from overread.risk.scores import Scores, scores


def test_a_temperature_by_hand() -> None:
    # Four cases at 0.9, three of them right. Softmax of log p / T gives the label 9^(1/T)/(9^(1/T) + 1); the
    # likelihood is greatest where that is 3/4: 9^(1/T) = 3, T = 2.
    found = fit_temperature([[0.9, 0.1]] * 4, ["a", "a", "a", "b"], classes=["a", "b"])
    assert found.value == pytest.approx(2, rel=1e-6)
    assert found.apply([[0.9, 0.1]]) == pytest.approx(np.array([[0.75, 0.25]]), rel=1e-6)


def test_a_temperature_restores_what_another_spoilt() -> None:
    # Guo et al. 2017: an overconfident network is one whose logits were scaled. Labels drawn from the honest
    # probabilities, logits tripled: the temperature is 3.
    rng = np.random.default_rng(3)
    honest = rng.dirichlet([1, 1, 1, 1], 20_000)
    truth = (rng.random((20_000, 1)) > honest.cumsum(axis=1)).sum(axis=1).clip(0, 3)
    spoilt = honest**3 / (honest**3).sum(axis=1, keepdims=True)
    classes = ["a", "b", "c", "d"]
    found = fit_temperature(spoilt, np.array(classes)[truth], classes=classes)
    assert found.value == pytest.approx(3, rel=0.03)
    assert np.abs(found.apply(spoilt) - honest).max() < 0.02


def test_a_temperature_changes_no_label_and_does_not_depend_on_the_order_of_classes() -> None:
    rng = np.random.default_rng(4)
    matrix = rng.dirichlet([1, 2, 3], 500)
    truth = np.array(["a", "b", "c"])[rng.integers(0, 3, 500)]
    found = fit_temperature(matrix, truth, classes=["a", "b", "c"])
    turned = fit_temperature(matrix[:, ::-1], truth, classes=["c", "b", "a"])
    assert turned.value == pytest.approx(found.value, rel=1e-6)
    assert (found.apply(matrix).argmax(axis=1) == matrix.argmax(axis=1)).all()
    assert found.apply(matrix).sum(axis=1) == pytest.approx(np.ones(500))


def test_all_right_and_all_wrong_end_at_the_bracket() -> None:
    right = fit_temperature([[0.9, 0.1]] * 3, ["a"] * 3, classes=["a", "b"])
    assert 0 < right.value <= 0.05
    wrong = fit_temperature([[0.9, 0.1]] * 3, ["b"] * 3, classes=["a", "b"])
    assert wrong.value >= 100
    impossible = fit_temperature([[1.0, 0.0]] * 2, ["a", "b"], classes=["a", "b"])
    assert impossible.apply([[1.0, 0.0]]) == pytest.approx(np.array([[0.5, 0.5]]), abs=0.02)


def test_a_temperature_of_faulty_data_is_refused() -> None:
    with pytest.raises(InvalidDataError) as refused:
        fit_temperature([[0.5, 0.1], [0.5, 0.5]], ["a", "x"], classes=["a", "b"])
    assert refused.value.faults == (
        "probabilities of a row must sum to one, got 0.6 (row 1)",
        "truth must be one of the classes a, b, got 'x' (row 2)",
    )


def test_adjacent_violators_by_hand() -> None:
    # 1 3 2 4: 3 and 2 violate, their mean is 2.5. Weights 1 3 1 1: (3·3 + 2·1)/4 = 2.75.
    values = np.array([1.0, 3, 2, 4])
    assert pool_adjacent_violators(values, weights=np.ones(4)).tolist() == [1, 2.5, 2.5, 4]
    assert pool_adjacent_violators(values, weights=np.array([1.0, 3, 1, 1])).tolist() == [1, 2.75, 2.75, 4]
    # 5 4 3: one block of mean 4, found only by pooling backwards.
    assert pool_adjacent_violators(np.array([5.0, 4, 3]), weights=np.ones(3)).tolist() == [4, 4, 4]


def test_isotonic_by_hand_pools_equal_confidences_first() -> None:
    # .6: 1 of 2 right; .7: 0 of 1; .8: 2 of 2. The first two violate: (1 + 0)/3.
    found = fit_isotonic(scores([0.6, 0.6, 0.7, 0.8, 0.8], [1, 0, 0, 1, 1]))
    assert found.apply([0.6, 0.7, 0.8]) == pytest.approx([1 / 3, 1 / 3, 1])
    assert found.apply([0.1, 0.95]) == pytest.approx([1 / 3, 1])  # flat outside
    assert found.apply([0.75]) == pytest.approx([2 / 3])  # linear between


def test_isotonic_is_the_same_without_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    confidence = np.round(rng.random(700), 2)
    points = Scores(confidence, rng.random(700) < confidence**2)
    one = fit_isotonic(points)
    monkeypatch.setattr(binomial, "HAS_SCIPY", False)
    other = fit_isotonic(points)
    at = np.linspace(0, 1, 333)
    assert other.apply(at) == pytest.approx(one.apply(at), abs=1e-12)
    assert (np.diff(one.apply(at)) >= -1e-12).all()


def test_isotonic_helps_on_points_it_has_not_seen() -> None:
    whole = labelled_imdb()
    fitted, held_out = split(len(whole), seed=1)
    found = fit_isotonic(whole.take(fitted))
    before, after = whole.take(held_out), found.applied_to(whole.take(held_out))
    assert expected_calibration_error(after) < 0.6 * expected_calibration_error(before)
    assert after.is_correct.tolist() == before.is_correct.tolist()


def test_a_split_is_disjoint_whole_and_the_same_for_a_seed() -> None:
    one, other = split(1_001, seed=7)
    assert sorted([*one.tolist(), *other.tolist()]) == list(range(1_001))
    assert (one.size, other.size) == (500, 501)
    again, _ = split(1_001, seed=7)
    different, _ = split(1_001, seed=8)
    assert again.tolist() == one.tolist()
    assert different.tolist() != one.tolist()


def test_calibration_error_by_hand() -> None:
    # Two bins of two: (.6, .8) with one right: |.7 - .5| = .2; (.9, .9) both right: |.9 - 1| = .1. Mean .15.
    points = scores([0.6, 0.8, 0.9, 0.9], [1, 0, 1, 1])
    assert expected_calibration_error(points, bins=2) == pytest.approx(0.15)
    assert expected_calibration_error(scores([1.0] * 3, [1] * 3)) == 0


def test_calibration_error_does_not_depend_on_the_order_of_rows() -> None:
    rng = np.random.default_rng(6)
    points = Scores(np.round(rng.random(400), 1), rng.random(400) < 0.5)
    shuffled = points.take(rng.permutation(400))
    assert expected_calibration_error(shuffled) == pytest.approx(
        expected_calibration_error(points), abs=1e-12
    )


def test_nothing_to_calibrate_with() -> None:
    empty = Scores(np.empty(0), np.empty(0, dtype=np.bool_))
    for work in (fit_isotonic, expected_calibration_error):
        with pytest.raises(InvalidDataError, match="scores must have at least one row, got none"):
            work(empty)
