"""The beta distribution's tails: against exact sums, identities, scipy, and without numpy."""

import math
import subprocess
import sys
from decimal import Decimal, localcontext

import numpy as np
import pytest
from scipy import special

from overread.risk import beta


def _exact_binomial_cdf(k: int, n: int, p: float) -> Decimal:
    """P(X <= k) in 60 digits, at exactly the double p."""
    with localcontext() as context:
        context.prec = 60
        share = Decimal(p)
        return sum(
            (Decimal(math.comb(n, i)) * share**i * (1 - share) ** (n - i) for i in range(k + 1)), Decimal(0)
        )


@pytest.mark.parametrize(
    ("k", "n", "p"),
    [
        (0, 299, 0.01),
        (3, 52, 0.04),
        (1, 822_814, 3.7674098639247453e-06),
        (4, 1_000_003, 2.2e-06),
        (2, 1_000_000, 9e-05),  # 1e-36
        (60, 1000, 0.05),
        (500, 1000, 0.5),
    ],
)
def test_binomial_tails_equal_the_exact_sums(k: int, n: int, p: float) -> None:
    below = _exact_binomial_cdf(k, n, p)

    assert math.exp(beta.log_binomial_cdf(k, n, p)) == pytest.approx(float(below), rel=1e-12)
    assert math.exp(beta.log_binomial_sf(k, n, p)) == pytest.approx(float(1 - below), rel=1e-12)


def test_tails_of_two_by_three_worked_by_hand() -> None:
    # I_x(2, 3) = P(Binomial(4, x) >= 2) = 6 x² - 8 x³ + 3 x⁴: at 0.4 it is 0.96 - 0.512 + 0.0768 = 0.5248.
    assert math.exp(beta.log_betainc(2, 3, 0.4)) == pytest.approx(0.5248, rel=1e-14)
    assert math.exp(beta.log_betainc_upper(2, 3, 0.4)) == pytest.approx(0.4752, rel=1e-14)
    # B(2, 3) = 1! 2! / 4! = 1/12; the kernel is 12 x² (1 - x)³ = 12 × 0.16 × 0.216 = 0.41472.
    assert math.exp(beta.log_beta(2, 3)) == pytest.approx(1 / 12, rel=1e-14)
    assert math.exp(beta.log_beta_kernel(2, 3, 0.4)) == pytest.approx(0.41472, rel=1e-14)


def test_both_tails_equal_scipy_from_half_to_a_million() -> None:
    generator = np.random.default_rng(20261123)
    a, b = 10 ** generator.uniform(-0.3, 6, (2, 1500))
    mean = a / (a + b)
    far = generator.normal(size=1500) * generator.choice([0.3, 1, 5], 1500)
    x = np.clip(mean + far * np.sqrt(mean * (1 - mean) / (a + b + 1)), 1e-12, 1 - 1e-12)
    lower = [beta.log_betainc(*one) for one in zip(a, b, x, strict=True)]
    upper = [beta.log_betainc_upper(*one) for one in zip(a, b, x, strict=True)]

    np.testing.assert_allclose(np.exp(lower), special.betainc(a, b, x), rtol=1e-10)
    np.testing.assert_allclose(np.exp(upper), special.betaincc(a, b, x), rtol=1e-10)


def test_log_beta_equals_scipy_as_far_as_that_is_exact() -> None:
    a, b = 10 ** np.random.default_rng(5).uniform(-1, 6, (2, 500))
    ours = [beta.log_beta(*one) for one in zip(a, b, strict=True)]

    # scipy subtracts logarithms of gamma functions of some 1e7: 1e-8 is what that leaves.
    np.testing.assert_allclose(ours, special.betaln(a, b), rtol=1e-12, atol=1e-8)


@pytest.mark.parametrize("b", [0.1, 3.0, 477.3, 1e6])
def test_log_beta_keeps_its_digits_where_the_parameters_are_far_apart(b: float) -> None:
    # B(3, b) = 2 / (b (b + 1) (b + 2)).
    assert math.exp(beta.log_beta(3, b)) == pytest.approx(2 / (b * (b + 1) * (b + 2)), rel=1e-13)
    assert beta.log_beta(b, 3) == beta.log_beta(3, b)


@pytest.mark.parametrize("size", [1.0, 40.0, 1e4, 1e6])
@pytest.mark.parametrize("x", [1e-9, 0.003, 0.5, 0.97])
def test_with_one_parameter_of_one_the_tail_is_a_power(size: float, x: float) -> None:
    # Beta(1, b) has the upper tail (1 - x)^b; Beta(a, 1) the lower tail x^a, however small.
    assert beta.log_betainc_upper(1, size, x) == pytest.approx(size * math.log1p(-x), rel=1e-10)
    assert beta.log_betainc(size, 1, x) == pytest.approx(size * math.log(x), rel=1e-10)


@pytest.mark.parametrize(
    ("a", "b", "x"), [(3, 8, 0.2), (250.5, 4000, 0.05), (1e6, 2e5, 0.834), (0.5, 0.5, 0.1)]
)
def test_tails_add_up_and_mirror(a: float, b: float, x: float) -> None:
    lower, upper = beta.log_betainc(a, b, x), beta.log_betainc_upper(a, b, x)

    assert math.exp(lower) + math.exp(upper) == pytest.approx(1, rel=1e-12)
    assert beta.log_betainc(b, a, 1 - x) == pytest.approx(upper, rel=1e-9)


def test_tails_beyond_what_a_double_holds_stay_finite() -> None:
    # P(X <= 0) of Binomial(1e6, 0.5) is 2^-1000000.
    assert beta.log_binomial_cdf(0, 1_000_000, 0.5) == pytest.approx(-1_000_000 * math.log(2), rel=1e-12)
    assert beta.log_binomial_sf(999_999, 1_000_000, 0.5) == pytest.approx(-1_000_000 * math.log(2), rel=1e-12)


def test_ends_are_certain() -> None:
    assert beta.log_betainc(2, 3, 0.0) == beta.log_betainc_upper(2, 3, 1.0) == -math.inf
    assert beta.log_betainc(2, 3, 1.0) == beta.log_betainc_upper(2, 3, 0.0) == 0.0
    assert beta.log_binomial_cdf(-1, 5, 0.3) == beta.log_binomial_sf(5, 5, 0.3) == -math.inf
    assert beta.log_binomial_cdf(5, 5, 0.3) == beta.log_binomial_sf(-1, 5, 0.3) == 0.0


def test_point_probabilities_sum_to_one_and_equal_the_exact_ones() -> None:
    chances = [math.exp(beta.log_binomial_pmf(k, 12, 0.3)) for k in range(13)]

    assert sum(chances) == pytest.approx(1, rel=1e-13)
    assert chances[4] == pytest.approx(math.comb(12, 4) * 0.3**4 * 0.7**8, rel=1e-13)
    assert beta.log_binomial_pmf(13, 12, 0.3) == -math.inf
    assert beta.log_binomial_pmf(0, 12, 0.0) == beta.log_binomial_pmf(12, 12, 1.0) == 0.0


@pytest.mark.parametrize(("a", "b"), [(1, 299), (6, 995), (0.5, 3), (3000, 70_000)])
@pytest.mark.parametrize("probability", [1e-12, 0.025, 0.5, 0.95])
def test_inverses_are_where_the_tail_is_the_probability(a: float, b: float, probability: float) -> None:
    below = beta.betainc_inverse(a, b, probability)
    above = beta.betainc_upper_inverse(a, b, probability)

    assert math.exp(beta.log_betainc(a, b, below)) == pytest.approx(probability, rel=1e-9)
    assert math.exp(beta.log_betainc_upper(a, b, above)) == pytest.approx(probability, rel=1e-9)


def test_inverse_gives_the_published_exact_interval() -> None:
    # Clopper and Pearson, Biometrika 26 (1934), doi:10.1093/biomet/26.4.404: of 10 none, 95 %: 0 to 0.3085.
    assert beta.betainc_upper_inverse(1, 10, 0.025) == pytest.approx(0.3085, abs=5e-5)
    assert beta.betainc_inverse(2, 3, 0.0) == beta.betainc_upper_inverse(2, 3, 1.0) == 0.0
    assert beta.betainc_inverse(2, 3, 1.0) == beta.betainc_upper_inverse(2, 3, 0.0) == 1.0


@pytest.mark.parametrize("module", ["beta", "monitor", "staffing", "spot_checks"])
def test_runs_where_there_is_no_numpy(module: str) -> None:
    code = (
        "import sys\n"
        "sys.modules['numpy'] = sys.modules['scipy'] = None\n"
        f"import overread.risk.{module}\n"
        "print('imported')"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (result.stdout.strip(), result.stderr) == ("imported", "")
