"""Error rates from audits with unequal propensities: by hand, by simulation, and bad logs refused."""

import math

import numpy as np
import pytest
from scipy import stats

from overread.errors import InvalidDataError
from overread.risk.propensity import error_rate


def test_estimates_worked_by_hand() -> None:
    # Weights 2, 2, 4, 1, one error of weight 2: Hájek 2/9; Horvitz-Thompson 2/12 of 12 decisions.
    # Var(Hájek) = (4 (7/9)² + (4 + 16 + 1) (2/9)²) / 81 = (196 + 84)/81/81 = 280/6561.
    # Var(HT) = sample variance of one 2 and eleven 0 over 12: (4 - 12/36)/11/12 = 1/36. Kish: 81/25 = 3.24.
    found = error_rate([1, 0, 0, 0], [0.5, 0.5, 0.25, 1], cases=12)

    assert found.horvitz_thompson is not None
    assert found.hajek.value == pytest.approx(2 / 9)
    assert found.hajek.standard_error == pytest.approx(math.sqrt(280) / 81)
    assert found.horvitz_thompson.value == pytest.approx(1 / 6)
    assert found.horvitz_thompson.standard_error == pytest.approx(1 / 6)
    assert (found.audited, found.errors, found.effective_n) == (4, 1, pytest.approx(3.24))


def test_equal_propensities_give_the_plain_share_and_its_exact_interval() -> None:
    found = error_rate([True] * 5 + [False] * 95, [0.2] * 100)
    exact = stats.binomtest(5, 100).proportion_ci(0.95, method="exact")

    assert found.hajek.value == pytest.approx(0.05)
    assert (found.hajek.low, found.hajek.high) == pytest.approx((exact.low, exact.high), rel=1e-9)
    assert found.horvitz_thompson is None


def test_no_error_and_only_errors_still_have_an_interval() -> None:
    none = error_rate([0] * 10, [1.0] * 10).hajek
    only = error_rate([1] * 10, [1.0] * 10).hajek

    # Clopper and Pearson: none of 10 up to 0.3085.
    assert (none.value, none.low, none.high) == (0, 0, pytest.approx(0.3085, abs=5e-5))
    assert (only.value, only.low, only.high) == (1, pytest.approx(0.6915, abs=5e-5), 1)


def test_a_few_silent_audits_that_stand_for_many_decisions_leave_the_interval_wide() -> None:
    # 5 errors of 1,000 audited for sure; 10 audits at 0.01 without any stand for 1,000 decisions more.
    found = error_rate([1] * 5 + [0] * 1005, [1.0] * 1000 + [0.01] * 10)

    assert found.hajek.value == pytest.approx(5 / 2000)
    assert found.hajek.high > 0.05


@pytest.fixture(scope="module")
def simulated() -> tuple[list[tuple[float, float, bool]], float]:
    """Hájek, Horvitz-Thompson and whether Hájek's interval holds the rate, of 400 periods; and the rate.

    Audits are twice as likely, and errors three times, in a fifth of the decisions.
    """
    generator = np.random.default_rng(17)
    rate, periods = 0.2 * 0.12 + 0.8 * 0.04, []
    for _ in range(400):
        is_hard = generator.random(4000) < 0.2
        propensity = np.where(is_hard, 0.2, 0.1)
        is_error = generator.random(4000) < np.where(is_hard, 0.12, 0.04)
        is_audited = generator.random(4000) < propensity
        found = error_rate(is_error[is_audited], propensity[is_audited], cases=4000)
        assert found.horvitz_thompson is not None
        periods.append(
            (found.hajek.value, found.horvitz_thompson.value, found.hajek.low <= rate <= found.hajek.high)
        )
    return periods, rate


def test_estimates_are_right_on_average_though_audits_look_at_hard_cases(
    simulated: tuple[list[tuple[float, float, bool]], float],
) -> None:
    periods, rate = simulated
    hajek, horvitz_thompson, _ = zip(*periods, strict=True)

    # Of the audited alone, (0.2 × 2 × 0.12 + 0.8 × 0.04) / 1.2 = 0.067 are wrong, of all 0.056.
    assert np.mean(hajek) == pytest.approx(rate, abs=4 * np.std(hajek) / 20)
    assert np.mean(horvitz_thompson) == pytest.approx(rate, abs=4 * np.std(horvitz_thompson) / 20)
    assert abs(np.mean(hajek) - 0.067) > 8 * np.std(hajek) / 20


def test_interval_holds_the_rate_as_often_as_it_says(
    simulated: tuple[list[tuple[float, float, bool]], float],
) -> None:
    periods, _ = simulated

    assert 0.94 <= np.mean([is_held for _, _, is_held in periods]) <= 1


def test_order_does_not_matter_and_arrays_are_as_good_as_lists() -> None:
    generator = np.random.default_rng(2)
    is_error, propensity = generator.random(50) < 0.3, generator.uniform(0.1, 1, 50)
    order = generator.permutation(50)
    one = error_rate(is_error, propensity, cases=200)
    other = error_rate(is_error[order].tolist(), propensity[order].tolist(), cases=200)

    assert one.hajek.value == pytest.approx(other.hajek.value, rel=1e-12)
    assert one.hajek.high == pytest.approx(other.hajek.high, rel=1e-9)


def test_bad_propensities_are_refused_with_their_rows() -> None:
    with pytest.raises(InvalidDataError) as refused:
        error_rate([0, 1, 2, 0], [0.5, 1.2, math.nan, 0.3], cases=3)

    text = str(refused.value)
    assert "is_error must be true or false" in text
    assert "row 3" in text
    assert "propensity must be a probability in [0, 1]" in text
    assert "row 2" in text
    assert "cases must be at least the 4 audited, got 3" in text


def test_a_propensity_of_zero_cannot_have_been_audited() -> None:
    with pytest.raises(InvalidDataError, match=r"propensity must be above 0.*\(rows 1, 3\)"):
        error_rate([0, 0, 1], [0, 0.5, 0])


def test_columns_of_unequal_length_and_empty_ones_are_refused() -> None:
    with pytest.raises(InvalidDataError, match="columns must be equally long"):
        error_rate([0, 1], [0.5])
    with pytest.raises(InvalidDataError, match="at least one row"):
        error_rate([], [])
    with pytest.raises(InvalidDataError, match="confidence must lie between 0 and 1, got 95"):
        error_rate([0], [0.5], confidence=95)
