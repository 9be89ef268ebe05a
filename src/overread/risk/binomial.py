"""The exact binomial: its distribution, and intervals for a share. By scipy where installed."""

import math
from functools import cache
from importlib.util import find_spec
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from overread.risk import beta

HAS_SCIPY = find_spec("scipy") is not None


def binomial_cdf(k: ArrayLike, n: ArrayLike, p: float) -> NDArray[np.float64]:
    """P(X <= k) for X ~ Binomial(n, p), element by element (k and n broadcast); 0 for k < 0, 1 for k >= n."""
    successes, trials = np.broadcast_arrays(np.asarray(k), np.asarray(n))
    if HAS_SCIPY:
        import scipy.special  # noqa: PLC0415  (a third of a second, and only where used)

        inside = (successes >= 0) & (successes < trials)
        a, b = np.where(inside, trials - successes, 1.0), np.where(inside, successes + 1.0, 1.0)
        tails = scipy.special.betainc(a, b, 1.0 - p)
        return np.where(inside, tails, np.where(successes >= trials, 1.0, 0.0))
    flat = [
        math.exp(beta.log_binomial_cdf(each, of, p))
        for each, of in zip(successes.ravel().tolist(), trials.ravel().tolist(), strict=True)
    ]
    return np.array(flat, dtype=np.float64).reshape(successes.shape)


def clopper_pearson(k: int, n: int, *, confidence: float) -> tuple[float, float]:
    """The exact two-sided interval for a share, k of n, each tail (1 - confidence)/2; (0, 1) for n = 0.

    C. J. Clopper and E. S. Pearson, Biometrika 26, 1934, doi:10.1093/biomet/26.4.404. Covers at least as
    often as it says, whatever the share: decide by this one.
    """
    tail = (1 - confidence) / 2
    lower = 0.0 if k <= 0 else 1 - upper_bound(n - k, n, confidence=1 - tail)
    return lower, upper_bound(k, n, confidence=1 - tail)


def upper_bound(k: int, n: int, *, confidence: float) -> float:
    """The exact one-sided upper bound of a share, k of n: the largest p with P(X <= k) >= 1 - confidence."""
    if k >= n:
        return 1.0
    tail = 1 - confidence
    if HAS_SCIPY:
        import scipy.special  # noqa: PLC0415  (a third of a second, and only where used)

        return float(scipy.special.betaincinv(k + 1, n - k, confidence)) if tail > 0 else 1.0
    return beta.betainc_upper_inverse(k + 1, n - k, tail)


def wilson(k: int, n: int, *, confidence: float) -> tuple[float, float]:
    """The score interval for a share, k of n; (0, 1) for n = 0. Right on average over shares: show this one.

    E. B. Wilson, Journal of the American Statistical Association 22, 1927,
    doi:10.1080/01621459.1927.10502953.
    """
    if n == 0:
        return 0.0, 1.0
    z = _normal_quantile((1 + confidence) / 2)
    share, shrink = k / n, 1 + z * z / n
    middle = (share + z * z / (2 * n)) / shrink
    reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / shrink
    return max(0.0, middle - reach) if k > 0 else 0.0, min(1.0, middle + reach) if k < n else 1.0


def zero_failure_count(*, alpha: float, delta: float) -> int:
    """How many points without an error show a rate of at most alpha: the least n, (1-alpha)^n <= delta."""
    count = math.ceil(math.log(delta) / math.log1p(-alpha) - 1e-9)
    return max(count, 1)


def count_needed(errors: NDArray[np.int64], *, alpha: float, delta: float) -> NDArray[np.int64]:
    """For each number of errors the least n with P(X <= errors) <= delta for X ~ Binomial(n, alpha)."""
    distinct, back = np.unique(errors, return_inverse=True)
    low = distinct.astype(np.int64)  # P = 1 here
    high = np.maximum(
        zero_failure_count(alpha=alpha, delta=delta), np.ceil(4 * (distinct + 1) / alpha).astype(np.int64)
    )
    while (is_short := binomial_cdf(distinct, high, alpha) > delta).any():
        high = np.where(is_short, high * 2, high)
    while (high - low > 1).any():
        middle = (low + high) // 2
        is_enough = binomial_cdf(distinct, middle, alpha) <= delta
        low, high = np.where(is_enough, low, middle), np.where(is_enough, middle, high)
    return high[back.reshape(errors.shape)]


@cache
def _normal_quantile(probability: float) -> float:
    return NormalDist().inv_cdf(probability)
