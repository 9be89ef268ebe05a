"""The beta distribution's tails as logarithms, with the standard library alone: a Lambda needs them.

Accurate where the usual form lgamma(a) + lgamma(b) - lgamma(a + b) is not: at a = b = 1e6 that one is good to
some 1e-9, here the terms that cancel are cancelled on paper first.
"""

from math import exp, expm1, inf, lgamma, log, log1p, pi

_HALF_LOG_2_PI = 0.5 * log(2 * pi)
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)
_STIRLING_FROM = 10.0
_TINY = 1e-300
_PRECISION = 1e-16
_LONGEST_FRACTION = 1_000_000


def log_beta(a: float, b: float) -> float:
    """The logarithm of the beta function B(a, b), for a, b > 0."""
    n = a + b
    small, large = min(a, b), max(a, b)
    return (
        small * log(small / n)
        - large * log1p(small / large)
        + 0.5 * (log(n / large) - log(small))
        + _HALF_LOG_2_PI
        + _stirling_error(a)
        + _stirling_error(b)
        - _stirling_error(n)
    )


def log_beta_kernel(a: float, b: float, x: float) -> float:
    """The logarithm of x^a (1 - x)^b / B(a, b), for a, b > 0 and 0 < x < 1.

    By deviances (C. Loader, Fast and accurate computation of binomial probabilities, 2000), so that near the
    mean, where powers and beta function are huge and nearly cancel, no digit is lost.
    """
    n = a + b
    return (
        0.5 * (log(a) + log(b / n))
        - _HALF_LOG_2_PI
        - _deviance(a, n * x)
        - _deviance(b, n * (1 - x))
        - _stirling_error(a)
        - _stirling_error(b)
        + _stirling_error(n)
    )


def log_betainc(a: float, b: float, x: float) -> float:
    """The logarithm of the regularised incomplete beta function I_x(a, b), the lower tail P(Beta(a, b) <= x).

    For a, b > 0 and any x (below 0 as 0, above 1 as 1). Relative error of the tail itself below 1e-10 for
    a, b from 0.5 to 1e6, however far out: the logarithm does not underflow.
    """
    if x <= 0:
        return -inf
    if x >= 1:
        return 0.0
    if x <= a / (a + b):
        return min(0.0, _log_tail(a, b, x))
    return _log_complement(_log_upper_tail(a, b, x))


def log_betainc_upper(a: float, b: float, x: float) -> float:
    """The logarithm of 1 - I_x(a, b): the upper tail, P(Beta(a, b) > x); as accurate as `log_betainc`."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return -inf
    if x <= a / (a + b):
        return _log_complement(_log_tail(a, b, x))
    return min(0.0, _log_upper_tail(a, b, x))


def betainc_inverse(a: float, b: float, probability: float) -> float:
    """The x with I_x(a, b) = `probability`; 0 for a probability of 0 or less, 1 for one of 1 or more."""
    if probability <= 0:
        return 0.0
    if probability >= 1:
        return 1.0
    target = log(probability)
    low, high = 0.0, 1.0
    while low < (middle := (low + high) / 2) < high:
        if log_betainc(a, b, middle) < target:
            low = middle
        else:
            high = middle
    return high


def betainc_upper_inverse(a: float, b: float, probability: float) -> float:
    """The x with 1 - I_x(a, b) = `probability`; right for a tiny one too, where 1 less it is not."""
    if probability <= 0:
        return 1.0
    if probability >= 1:
        return 0.0
    target = log(probability)
    low, high = 0.0, 1.0
    while low < (middle := (low + high) / 2) < high:
        if log_betainc_upper(a, b, middle) > target:
            low = middle
        else:
            high = middle
    return high


def log_binomial_pmf(k: int, n: int, p: float) -> float:
    """The logarithm of P(X = k) for X ~ Binomial(n, p)."""
    if not 0 <= k <= n:
        return -inf
    if p <= 0 or p >= 1:
        return 0.0 if k == (n if p >= 1 else 0) else -inf
    if k == 0:
        return n * log1p(-p)
    if k == n:
        return n * log(p)
    return log_beta_kernel(k, n - k, p) + log(n) - log(k) - log(n - k)


def log_binomial_cdf(k: int, n: int, p: float) -> float:
    """The logarithm of P(X <= k) for X ~ Binomial(n, p): the upper tail of Beta(k + 1, n - k) beyond p."""
    if k < 0:
        return -inf
    return 0.0 if k >= n else log_betainc_upper(k + 1, n - k, p)


def log_binomial_sf(k: int, n: int, p: float) -> float:
    """The logarithm of P(X > k) for X ~ Binomial(n, p): the lower tail of Beta(k + 1, n - k) up to p."""
    if k < 0:
        return 0.0
    return -inf if k >= n else log_betainc(k + 1, n - k, p)


def _log_tail(a: float, b: float, x: float) -> float:
    return log_beta_kernel(a, b, x) + log(_fraction(a, b, x, 1 - x))


def _log_upper_tail(a: float, b: float, x: float) -> float:
    return log_beta_kernel(a, b, x) + log(_fraction(b, a, 1 - x, x))


def _log_complement(value: float) -> float:
    """log(1 - e^value) for value <= 0; rounding may have left the value a hair above."""
    if value >= 0:
        return -inf
    return log(-expm1(value)) if value > -1 else log1p(-exp(value))


def _fraction(a: float, b: float, x: float, y: float) -> float:
    """I_x(a, b) over its kernel, for y = 1 - x and x up to the mean, by Lentz's method.

    The continued fraction of A. R. DiDonato and A. H. Morris (ACM Transactions on Mathematical Software 18,
    1992, doi:10.1145/131766.131776), which near the mean loses nothing to cancellation and takes some
    sqrt(max(a, b)) steps; with g = a y - b x and n from 1, it is 1 / (B_0 + A_1 / (B_1 + A_2 / (B_2 + ...))):
    A_n = (a + n - 1)(a + b + n - 1) n (b - n) x^2 / (a + 2n - 1)^2,
    B_n = n + n (b - n) x / (a + 2n - 1) + (a + n)(g + 1 + n (1 + y)) / (a + 2n + 1).
    """
    gap = a * y - b * x + 1
    value = c = _away_from_zero(a * gap / (a + 1))
    d = 0.0
    for n in range(1, _LONGEST_FRACTION):
        before = a + 2 * n - 1
        share = n * (b - n) * x / before
        numerator = share * (a + n - 1) * (a + b + n - 1) * x / before
        denominator = n + share + (a + n) * (gap + n * (1 + y)) / (before + 2)
        d = 1 / _away_from_zero(denominator + numerator * d)
        c = _away_from_zero(denominator + numerator / c)
        value *= c * d
        if abs(c * d - 1) <= _PRECISION:
            return 1 / value
    raise ArithmeticError(f"the incomplete beta function did not converge at a={a}, b={b}, x={x}")


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def _stirling_error(x: float) -> float:
    """How far lgamma(x) is above Stirling's (x - 1/2) log x - x + log(2 pi)/2."""
    if x < _STIRLING_FROM:
        return lgamma(x) - ((x - 0.5) * log(x) - x + _HALF_LOG_2_PI)
    square = 1 / (x * x)
    total = 0.0
    for coefficient in reversed(_STIRLING):
        total = total * square + coefficient
    return total / x


def _deviance(x: float, mean: float) -> float:
    """x log(x / mean) + mean - x, by its series where the two are close."""
    gap = x - mean
    if abs(gap) >= 0.1 * (x + mean):
        return x * log(x / mean) - gap
    v = gap / (x + mean)
    total = gap * v
    power = 2 * x * v
    order = 1
    while True:
        power *= v * v
        order += 2
        longer = total + power / order
        if longer == total:
            return total
        total = longer
