"""The exact binomial: published intervals, the zero-failure rule, and the same figures without scipy."""

import numpy as np
import pytest
from scipy import stats

from overread.risk import binomial
from overread.risk.binomial import (
    binomial_cdf,
    clopper_pearson,
    count_needed,
    upper_bound,
    wilson,
    zero_failure_count,
)


@pytest.fixture(params=[True, False], ids=["scipy", "numpy alone"])
def _each_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binomial, "HAS_SCIPY", request.param)


@pytest.mark.usefixtures("_each_way")
def test_the_distribution_of_three_coins() -> None:
    # P(X <= 0..3) of three fair coins: 1/8, 4/8, 7/8, 8/8; below 0 nothing, beyond n everything.
    assert binomial_cdf([-1, 0, 1, 2, 3, 4], 3, 0.5).tolist() == pytest.approx([0, 1 / 8, 4 / 8, 7 / 8, 1, 1])


@pytest.mark.usefixtures("_each_way")
def test_the_distribution_is_that_of_scipys_slow_and_careful_one() -> None:
    rng = np.random.default_rng(4)
    n = rng.integers(1, 3_000, 60)
    k = np.minimum(n, rng.integers(0, 200, 60))
    assert binomial_cdf(k, n, 0.05) == pytest.approx(stats.binom.cdf(k, n, 0.05), rel=1e-9, abs=1e-280)


@pytest.mark.usefixtures("_each_way")
@pytest.mark.parametrize(
    ("k", "n", "exact", "score"),
    [
        (81, 263, (0.2527, 0.3676), (0.2553, 0.3662)),
        (15, 148, (0.0578, 0.1617), (0.0624, 0.1605)),
        (0, 20, (0.0000, 0.1684), (0.0000, 0.1611)),
        (1, 29, (0.0009, 0.1776), (0.0061, 0.1718)),
    ],
)
def test_published_intervals(k: int, n: int, exact: tuple[float, float], score: tuple[float, float]) -> None:
    # R. G. Newcombe, Statistics in Medicine 17, 1998, table I (methods 5 and 3): four decimals.
    assert clopper_pearson(k, n, confidence=0.95) == pytest.approx(exact, abs=5.1e-5)
    assert wilson(k, n, confidence=0.95) == pytest.approx(score, abs=5.1e-5)


@pytest.mark.usefixtures("_each_way")
def test_nothing_seen_leaves_everything_possible() -> None:
    assert clopper_pearson(0, 0, confidence=0.95) == (0, 1)
    assert wilson(0, 0, confidence=0.95) == (0, 1)
    assert upper_bound(0, 0, confidence=0.95) == 1


@pytest.mark.usefixtures("_each_way")
def test_an_interval_mirrors_when_failures_are_counted_instead() -> None:
    for of in (clopper_pearson, wilson):
        low, high = of(7, 50, confidence=0.9)
        assert of(43, 50, confidence=0.9) == pytest.approx((1 - high, 1 - low))


@pytest.mark.usefixtures("_each_way")
def test_the_upper_bound_is_where_so_few_errors_become_improbable() -> None:
    bound = upper_bound(5, 200, confidence=0.9)
    assert binomial_cdf(5, 200, bound) == pytest.approx(0.1)
    # None of 167 patients: "at most 1.8 %" (J. A. Hanley and A. Lippman-Hand, JAMA 249, 1983).
    assert upper_bound(0, 167, confidence=0.95) == pytest.approx(0.018, abs=5e-4)


def test_two_hundred_and_ninety_nine_without_a_failure_show_one_percent() -> None:
    # ln 0.05 / ln 0.99 = 298.07: the published attribute plan for 95 % / 99 %.
    assert zero_failure_count(alpha=0.01, delta=0.05) == 299
    assert zero_failure_count(alpha=0.05, delta=0.05) == 59
    assert zero_failure_count(alpha=0.5, delta=0.25) == 2  # exactly: 0.5² = 0.25


@pytest.mark.usefixtures("_each_way")
def test_the_count_needed_is_the_least_that_will_do() -> None:
    errors = np.array([0, 1, 1, 4, 30])
    needed = count_needed(errors, alpha=0.01, delta=0.05)
    assert needed[0] == 299
    assert needed[1] == needed[2] == 473  # the published plan for one failure allowed
    assert (binomial_cdf(errors, needed, 0.01) <= 0.05).all()
    assert (binomial_cdf(errors, needed - 1, 0.01) > 0.05).all()
