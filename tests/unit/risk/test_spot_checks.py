"""Plans of spot checks: published sizes and curves, both risks, finite lots, the rate that finds errors."""

import math

import numpy as np
import pytest
from scipy import stats

from overread.errors import InvalidDataError
from overread.risk.monitor import alarm_boundary, design_delay
from overread.risk.spot_checks import (
    acceptance_chance,
    plan_risks,
    sampling_plan,
    spot_check_rate,
    zero_failure_size,
)


@pytest.mark.parametrize(
    ("rate", "delta", "n"),
    [(0.01, 0.05, 299), (0.05, 0.05, 59), (0.1, 0.05, 29), (0.01, 0.01, 459), (0.5, 0.5, 1)],
)
def test_error_free_decisions_needed_are_the_published_ones(rate: float, delta: float, n: int) -> None:
    # 59, 299 and 459 are the known sizes of S. S. Wilks, Annals of Mathematical Statistics 12 (1941),
    # doi:10.1214/aoms/1177731788.
    assert zero_failure_size(rate, delta=delta) == n
    assert (1 - rate) ** n <= delta * (1 + 1e-12)
    assert n == 1 or (1 - rate) ** (n - 1) > delta


def test_a_finite_lot_needs_fewer() -> None:
    # Of 1,000 at least 10 would be wrong; of 100 one: without it among 95 of them with a chance of 5 %.
    for lot, n in ((1000, 258), (100, 95), (1, 1)):
        wrong = math.ceil(lot / 100)
        assert zero_failure_size(0.01, delta=0.05, lot=lot) == n
        assert stats.hypergeom.pmf(0, lot, wrong, n) <= 0.05 + 1e-12
        assert n == 1 or stats.hypergeom.pmf(0, lot, wrong, n - 1) > 0.05
    assert zero_failure_size(0.01, delta=0.05, lot=10**9) == 299


@pytest.mark.parametrize("lot", range(20, 130, 7))
def test_no_smaller_part_of_a_lot_would_do(lot: int) -> None:
    wrong = math.ceil(lot * 0.07 - 1e-9)
    enough = [n for n in range(1, lot + 1) if stats.hypergeom.pmf(0, lot, wrong, n) <= 0.1]

    assert zero_failure_size(0.07, delta=0.1, lot=lot) == min(enough)


def test_operating_curve_is_the_published_one() -> None:
    # NIST/SEMATECH e-Handbook of Statistical Methods, 6.2.3.2 (doi:10.18434/M32189): n = 52, c = 3.
    published = (0.998, 0.980, 0.930, 0.845, 0.739, 0.620, 0.502, 0.394, 0.300, 0.223, 0.162, 0.115)
    curve = [acceptance_chance(52, allowed_errors=3, rate=share / 100) for share in range(1, 13)]

    assert curve == pytest.approx(published, abs=1.5e-3)


@pytest.mark.parametrize(
    ("allowed", "ratio", "product"),
    [(0, 44.890, 0.052), (1, 10.946, 0.355), (2, 6.509, 0.818), (4, 4.057, 1.970)],
)
def test_smallest_plans_for_rare_errors_are_camerons(allowed: int, ratio: float, product: float) -> None:
    # J. M. Cameron, Industrial Quality Control 9 (1952): bad over good rate, and n × good rate, by c at risks
    # of 5 % and 10 %. A ratio a little larger needs just this c.
    plan = sampling_plan(good_rate=1e-4, bad_rate=ratio * 1.001e-4, producer_risk=0.05, consumer_risk=0.1)

    assert plan.allowed_errors == allowed
    assert plan.n * 1e-4 == pytest.approx(product, rel=0.02)


@pytest.mark.parametrize("lot", [None, 500, 5000])
def test_plan_keeps_both_risks_and_no_smaller_one_does(lot: int | None) -> None:
    plan = sampling_plan(good_rate=0.01, bad_rate=0.06, producer_risk=0.05, consumer_risk=0.1, lot=lot)
    again = plan_risks(plan.n, allowed_errors=plan.allowed_errors, good_rate=0.01, bad_rate=0.06, lot=lot)

    assert plan == again
    assert plan.producer_risk <= 0.05
    assert plan.consumer_risk <= 0.1
    if lot is None:
        accept_good = stats.binom.cdf(plan.allowed_errors, plan.n, 0.01)
        accept_bad = stats.binom.cdf(plan.allowed_errors, plan.n, 0.06)
    else:
        accept_good = stats.hypergeom.cdf(plan.allowed_errors, lot, lot // 100, plan.n)
        accept_bad = stats.hypergeom.cdf(plan.allowed_errors, lot, lot * 6 // 100, plan.n)
    assert plan.producer_risk == pytest.approx(1 - accept_good, rel=1e-9)
    assert plan.consumer_risk == pytest.approx(accept_bad, rel=1e-9)
    smaller = [
        plan_risks(plan.n - 1, allowed_errors=allowed, good_rate=0.01, bad_rate=0.06, lot=lot)
        for allowed in range(10)
    ]
    assert not [one for one in smaller if one.producer_risk <= 0.05 and one.consumer_risk <= 0.1]


def test_reading_a_whole_lot_leaves_no_risk() -> None:
    plan = plan_risks(40, allowed_errors=2, good_rate=0.05, bad_rate=0.1, lot=40)

    assert (plan.producer_risk, plan.consumer_risk) == (0, 0)


def test_hypergeometric_chances_of_a_tiny_lot_by_hand() -> None:
    # Of 5 decisions 2 are wrong, 2 are read: none wrong 3/10, one 6/10, two 1/10.
    chances = [acceptance_chance(2, allowed_errors=allowed, rate=0.4, lot=5) for allowed in (0, 1, 2)]

    assert chances == pytest.approx([0.3, 0.9, 1.0])
    assert acceptance_chance(4, allowed_errors=0, rate=0.4, lot=5) == 0


def test_plans_that_cannot_be_are_refused() -> None:
    with pytest.raises(
        InvalidDataError, match=r"a lot of 10 is too small to tell 0\.2 from 0\.19|good_rate < bad"
    ):
        sampling_plan(good_rate=0.2, bad_rate=0.19, producer_risk=0.05, consumer_risk=0.1, lot=10)
    with pytest.raises(InvalidDataError, match=r"a lot of 10 is too small to tell 0\.1 from 0\.1"):
        sampling_plan(good_rate=0.1, bad_rate=0.1 + 1e-12, producer_risk=0.05, consumer_risk=0.1, lot=10)
    with pytest.raises(InvalidDataError, match="rate must lie between 0 and 1, got 0; delta must"):
        zero_failure_size(0, delta=1)
    with pytest.raises(InvalidDataError, match="n must be between 0 and the lot of 5, got 6"):
        acceptance_chance(6, allowed_errors=0, rate=0.4, lot=5)


def test_spot_check_rate_is_the_lowest_that_finds_the_error_rate_in_time() -> None:
    found = spot_check_rate(alpha=0.05, delta=0.05, rate=0.1, cases_per_day=1000, days=7)

    assert found.cases == 7000
    assert found.probability == pytest.approx(0.0542)
    # Nine in ten alarms come within 380 audits, and 7,000 cases checked at 0.0542 give 379.4 on average.
    assert design_delay(0.05, delta=0.05, rate=0.1).p90 == 380
    assert found.audits == pytest.approx(379.4)
    assert 0.9 <= found.detection_chance < 0.902


def test_simulated_days_detect_as_often_as_was_worked_out() -> None:
    found = spot_check_rate(alpha=0.05, delta=0.05, rate=0.15, cases_per_day=500, days=4, power=0.8)
    assert found.probability is not None
    boundary = np.array(alarm_boundary(0.05, delta=0.05, looks=2000))
    generator = np.random.default_rng(7)
    detected = 0
    for _ in range(1000):
        audits = int((generator.random(found.cases) < found.probability).sum())
        errors = (generator.random(audits) < 0.15).cumsum()
        detected += bool((errors >= boundary[:audits]).any())

    assert detected / 1000 == pytest.approx(found.detection_chance, abs=3 * math.sqrt(0.16 / 1000))


def test_more_traffic_needs_a_smaller_share_and_a_smaller_drift_a_larger_one() -> None:
    def probability(*, rate: float, traffic: float) -> float:
        found = spot_check_rate(alpha=0.05, delta=0.05, rate=rate, cases_per_day=traffic, days=7)
        assert found.probability is not None
        return found.probability

    assert probability(rate=0.1, traffic=10_000) < probability(rate=0.1, traffic=1000)
    assert probability(rate=0.2, traffic=1000) < probability(rate=0.1, traffic=1000)


@pytest.mark.parametrize("traffic", [10, 0.01])
def test_too_few_cases_are_said_to_be_too_few(traffic: float) -> None:
    found = spot_check_rate(alpha=0.05, delta=0.05, rate=0.1, cases_per_day=traffic, days=7)

    assert found.probability is None
    assert found.detection_chance < 0.3
    assert "not even checking every case does" in found.message


def test_an_error_rate_within_the_bound_cannot_be_designed_for() -> None:
    with pytest.raises(
        InvalidDataError, match=r"rate must be above alpha = 0\.05 and at most 1, got 0\.05; days"
    ):
        spot_check_rate(alpha=0.05, delta=0.05, rate=0.05, cases_per_day=10, days=0)
