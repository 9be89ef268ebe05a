"""Reliability, coverage and risk, costs: worked by hand, and a known limit."""

import math

import numpy as np
import pytest
from scipy import stats

from overread.errors import InvalidDataError
from overread.risk.costs import Costs, cost_curve, cost_optimal_threshold
from overread.risk.curves import coverage_risk, reliability
from overread.risk.scores import Scores, scores

EMPTY = Scores(np.empty(0), np.empty(0, dtype=np.bool_))


def test_reliability_by_hand() -> None:
    first, second = reliability(scores([0.9, 0.6, 0.8, 0.9], [1, 1, 0, 1]), bins=2)
    assert (first.least, first.largest, first.n) == (0.6, 0.8, 2)
    assert (first.confidence, first.accuracy) == (pytest.approx(0.7), 0.5)
    assert (second.least, second.largest, second.n, second.accuracy) == (0.9, 0.9, 2, 1)
    interval = stats.binomtest(1, 2).proportion_ci(0.95, method="wilson")
    assert (first.low, first.high) == pytest.approx((interval.low, interval.high))


def test_equal_confidences_share_a_bin_and_bins_may_stay_empty() -> None:
    bins = reliability(scores([0.9] * 8 + [0.1, 0.2], [1] * 10), bins=5)
    assert [part.n for part in bins] == [2, 8]
    assert sum(part.n for part in bins) == 10


def test_coverage_and_risk_by_hand() -> None:
    curve = coverage_risk(scores([0.7, 0.9, 0.8, 0.8], [0, 1, 1, 0]))
    assert curve.threshold.tolist() == [0.9, 0.8, 0.7]
    assert curve.coverage.tolist() == [0.25, 0.75, 1]
    assert curve.risk.tolist() == pytest.approx([0, 1 / 3, 1 / 2])
    # Risks at one to four accepted points: 0, 1/3, 1/3 (a tie: both count with the risk after), 1/2.
    assert curve.aurc == pytest.approx((0 + 1 / 3 + 1 / 3 + 1 / 2) / 4)


def test_a_perfect_ranking_reaches_the_published_optimum() -> None:
    # Geifman, Uziel and El-Yaniv 2019, equation 3: about r + (1 - r) ln(1 - r) for an error rate r.
    n, rate = 20_000, 0.1
    order = np.arange(n)
    curve = coverage_risk(Scores(1 - order / n, order < n * (1 - rate)))
    assert curve.aurc == pytest.approx(rate + (1 - rate) * math.log(1 - rate), abs=1e-4)


def test_a_curve_does_not_depend_on_the_order_of_rows() -> None:
    rng = np.random.default_rng(1)
    points = Scores(np.round(rng.random(300), 1), rng.random(300) < 0.8)
    one, other = coverage_risk(points), coverage_risk(points.take(rng.permutation(300)))
    assert one.risk.tolist() == other.risk.tolist()
    assert one.aurc == other.aurc


def test_a_cost_optimal_threshold_by_hand() -> None:
    # An error costs 100, a review 4, reviewers err in 1 %: automatic iff (1 - c - .01) x 100 < 4, c > 0.95.
    threshold = cost_optimal_threshold(Costs(error=100, review=4, reviewer_error=0.01))
    assert threshold == pytest.approx(0.95, abs=1e-12)
    assert threshold is not None
    assert threshold > 1 - 0.01 - 0.04  # equal costs go to people


def test_all_or_nothing_by_cost() -> None:
    assert cost_optimal_threshold(Costs(error=1, review=5)) == 0  # a review costs more than any error
    assert cost_optimal_threshold(Costs(error=1, review=0)) is None  # free, faultless reviews
    assert cost_optimal_threshold(Costs(error=1, review=0, reviewer_error=0.2)) == pytest.approx(0.8)


def test_a_cost_curve_by_hand() -> None:
    # Error 10, review 2, reviewers err in 5 %: a reviewed case costs 2 + .5.
    # Nobody: 2.5. From .9: 1 of 4 automatic, right: 3/4 x 2.5. From .8: 1/4 x 10 + 2/4 x 2.5. All: 2/4 x 10.
    curve = cost_curve(
        scores([0.9, 0.8, 0.7, 0.7], [1, 0, 0, 1]), costs=Costs(error=10, review=2, reviewer_error=0.05)
    )
    assert curve.threshold.tolist() == [math.inf, 0.9, 0.8, 0.7]
    assert curve.coverage.tolist() == [0, 0.25, 0.5, 1]
    assert curve.cost.tolist() == pytest.approx([2.5, 1.875, 3.75, 5])
    assert curve.best == 1


def test_on_calibrated_scores_the_two_rules_agree() -> None:
    rng = np.random.default_rng(2)
    confidence = np.round(rng.random(200_000), 2)
    points = Scores(confidence, rng.random(200_000) < confidence)
    costs = Costs(error=50, review=10, reviewer_error=0.02)
    curve = cost_curve(points, costs=costs)
    wanted = cost_optimal_threshold(costs)
    assert wanted == pytest.approx(0.78, abs=1e-9)
    assert curve.threshold[curve.best] == pytest.approx(wanted, abs=0.0301)


def test_costs_that_make_no_sense_are_told_together() -> None:
    with pytest.raises(InvalidDataError) as refused:
        Costs(error=0, review=-1, reviewer_error=1)
    assert refused.value.faults == (
        "cost of an error must be above 0, got 0",
        "cost of a review must be 0 or more, got -1",
        "reviewer_error must be a probability in [0, 1), got 1",
    )
    with pytest.raises(InvalidDataError, match="cost of an error must be above 0, got inf"):
        Costs(error=math.inf, review=1)


def test_nothing_to_draw() -> None:
    for work in (
        reliability,
        coverage_risk,
        lambda points: cost_curve(points, costs=Costs(error=2, review=1)),
    ):
        with pytest.raises(InvalidDataError, match="scores must have at least one row, got none"):
            work(EMPTY)
    with pytest.raises(InvalidDataError, match="bins must be at least 1, got 0"):
        reliability(scores([0.5], [1]), bins=0)
