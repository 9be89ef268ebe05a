"""How many decisions to check: once, for a lot of them, and for good, so that errors are found soon.

A plan (n, c) reads n decisions drawn at random and accepts the lot with at most c errors among them. Its
two risks: the producer's, that a lot as good as `good_rate` is refused, and the consumer's, that one as bad
as `bad_rate` is accepted. Both exactly: binomial, or hypergeometric for a finite lot (E. G. Schilling, D.
V. Neubauer: Acceptance Sampling in Quality Control, 2nd ed. 2009, doi:10.1201/9781584889533).
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil, exp, floor, isfinite, log, log1p, sqrt

from overread.errors import InvalidDataError
from overread.risk.beta import log_binomial_cdf, log_binomial_pmf
from overread.risk.monitor import alarm_chances

_ROUNDING = 1e-9
_LONGEST_RUN = 100
_WIDTH = 9
_STEPS = 40


@dataclass(frozen=True, slots=True)
class SamplingPlan:
    """Read `n`, accept with at most `allowed_errors`; with both risks at the two rates it was made for.

    `lot` is the number of decisions that it judges; None for a stream of them without end.
    """

    n: int
    allowed_errors: int
    good_rate: float
    bad_rate: float
    producer_risk: float
    consumer_risk: float
    lot: int | None


@dataclass(frozen=True, slots=True)
class SpotCheckRate:
    """The lowest probability of a spot check with which an error rate is found in time.

    `probability` is None where not even a check of every case would do; `detection_chance` and `audits`
    (the expected number) are then those of checking every case. `cases` is how many automatic decisions
    there are in the time.
    """

    probability: float | None
    detection_chance: float
    cases: int
    audits: float
    message: str


def zero_failure_size(rate: float, *, delta: float, lot: int | None = None) -> int:
    """How many decisions without any error show, with confidence 1 - delta, an error rate below `rate`.

    ln(delta) / ln(1 - rate), rounded up: were the rate as high as that, none would be wrong with a chance
    of at most delta. In a finite lot, where at least rate × lot are then wrong, somewhat fewer.

    Raises:
        InvalidDataError: a figure is outside its range.
    """
    _refuse([*_not_between("rate", rate), *_not_between("delta", delta), *_lot_faults(lot)])
    if lot is None:
        return max(1, ceil(log(delta) / log1p(-rate) - _ROUNDING))
    return _smallest(
        lambda n: acceptance_chance(n, allowed_errors=0, rate=rate, lot=lot) <= delta, longest=lot
    )


def acceptance_chance(n: int, *, allowed_errors: int, rate: float, lot: int | None = None) -> float:
    """The chance that the plan (n, allowed_errors) accepts at an error rate: its operating curve.

    Of a finite lot, rate × lot decisions are wrong, rounded up.

    Raises:
        InvalidDataError: a figure is outside its range.
    """
    longest = n if lot is None else lot
    size = [] if 0 <= n <= longest else [f"n must be between 0 and the lot of {lot}, got {n}"]
    share = [] if 0 <= rate <= 1 else [f"rate must lie in [0, 1], got {rate}"]
    _refuse([*size, *_lot_faults(lot), *share])
    if lot is None:
        return exp(log_binomial_cdf(allowed_errors, n, rate))
    return _hypergeometric_cdf(allowed_errors, n=n, wrong=ceil(rate * lot - _ROUNDING), lot=lot)


def plan_risks(
    n: int, *, allowed_errors: int, good_rate: float, bad_rate: float, lot: int | None = None
) -> SamplingPlan:
    """The plan with its two risks.

    In a finite lot, a good one has at most good_rate × lot errors and a bad one at least bad_rate × lot.

    Raises:
        InvalidDataError: a figure is outside its range.
    """
    _refuse([*_rates_faults(good_rate, bad_rate=bad_rate), *_lot_faults(lot)])
    good = good_rate if lot is None else floor(good_rate * lot + _ROUNDING) / lot
    return SamplingPlan(
        n=n,
        allowed_errors=allowed_errors,
        good_rate=good_rate,
        bad_rate=bad_rate,
        producer_risk=max(0.0, 1 - acceptance_chance(n, allowed_errors=allowed_errors, rate=good, lot=lot)),
        consumer_risk=acceptance_chance(n, allowed_errors=allowed_errors, rate=bad_rate, lot=lot),
        lot=lot,
    )


def sampling_plan(
    *, good_rate: float, bad_rate: float, producer_risk: float, consumer_risk: float, lot: int | None = None
) -> SamplingPlan:
    """The smallest plan whose risks are at most these.

    Raises:
        InvalidDataError: a figure is outside its range, or the lot is too small to tell the two rates
        apart.
    """
    _refuse(
        [
            *_rates_faults(good_rate, bad_rate=bad_rate),
            *_not_between("producer_risk", producer_risk),
            *_not_between("consumer_risk", consumer_risk),
            *_lot_faults(lot),
            *_alike_faults(good_rate, bad_rate=bad_rate, lot=lot),
        ]
    )
    allowed, n = 0, 1
    while True:
        # More errors allowed need more decisions: the search goes on from the last size.
        n = _smallest(
            _refuses_bad(allowed, bad_rate=bad_rate, risk=consumer_risk, lot=lot), at_least=n, longest=lot
        )
        plan = plan_risks(n, allowed_errors=allowed, good_rate=good_rate, bad_rate=bad_rate, lot=lot)
        if plan.producer_risk <= producer_risk:
            return plan
        allowed += 1


def spot_check_rate(
    *, alpha: float, delta: float, rate: float, cases_per_day: float, days: float, power: float = 0.9
) -> SpotCheckRate:
    """The lowest spot-check probability with which the monitor finds the error rate `rate` in time.

    In time is within `days` of `cases_per_day` automatic decisions each, with a chance of at least `power`,
    for `ErrorMonitor(alpha, delta)` started at the same time. The number of decisions that are checked is
    random as well. The time that reviews take comes on top: subtract it from `days`. The probability is
    rounded up to three digits.

    Raises:
        InvalidDataError: a figure is outside its range; the rate is not above alpha.
    """
    _refuse(
        [
            *_not_between("alpha", alpha),
            *_not_between("delta", delta),
            *_not_between("power", power),
            *([] if alpha < rate <= 1 else [f"rate must be above alpha = {alpha} and at most 1, got {rate}"]),
            *_not_positive("cases_per_day", cases_per_day),
            *_not_positive("days", days),
        ]
    )
    cases = floor(cases_per_day * days)
    looks = min(cases, ceil(_LONGEST_RUN / alpha))
    chances = (0.0, *alarm_chances(alpha, delta=delta, rate=rate, looks=looks))
    promise = f"an error rate of {rate:.4g} is found within {cases:,} automatic decisions"
    most = chances[-1]
    if most < power:
        enough = f"not even checking every case does, with a chance of {most:.3g} instead of {power:.4g}"
        return SpotCheckRate(
            probability=None,
            detection_chance=most,
            cases=cases,
            audits=float(cases),
            message=f"{promise}: {enough}",
        )
    probability = _lowest_probability(chances, cases=cases, power=power)
    found = _detection_chance(chances, cases=cases, probability=probability)
    return SpotCheckRate(
        probability=probability,
        detection_chance=found,
        cases=cases,
        audits=cases * probability,
        message=f"{promise} with a chance of {found:.3g}, by checking {probability:.3g} of them",
    )


def _lowest_probability(chances: Sequence[float], *, cases: int, power: float) -> float:
    """By bisection between the share that gives the audits needed on average, halved, and every case."""
    low, high = bisect_left(chances, power) / cases / 2, 1.0
    for _ in range(_STEPS):
        middle = sqrt(low * high)
        if _detection_chance(chances, cases=cases, probability=middle) >= power:
            high = middle
        else:
            low = middle
    digits = 10.0 ** (2 - floor(log(high, 10)))
    return min(1.0, ceil(high * digits - _ROUNDING) / digits)


def _detection_chance(chances: Sequence[float], *, cases: int, probability: float) -> float:
    """The alarm's chance over the binomial number of audits; `chances[m]` is that of m."""
    if probability >= 1:
        return chances[-1]
    mean = cases * probability
    reach = _WIDTH * sqrt(mean * (1 - probability)) + _WIDTH
    first, last = max(0, floor(mean - reach)), min(cases, ceil(mean + reach))
    odds = probability / (1 - probability)
    weight, total = exp(log_binomial_pmf(first, cases, probability)), 0.0
    for audits in range(first, last + 1):
        total += weight * chances[min(audits, len(chances) - 1)]
        weight *= (cases - audits) / (audits + 1) * odds
    return total


def _refuses_bad(allowed: int, *, bad_rate: float, risk: float, lot: int | None) -> Callable[[int], bool]:
    return lambda n: acceptance_chance(n, allowed_errors=allowed, rate=bad_rate, lot=lot) <= risk


def _smallest(is_enough: Callable[[int], bool], *, at_least: int = 1, longest: int | None = None) -> int:
    """The smallest n from `at_least` on that is enough; that `longest` is enough is known."""
    step, high = 1, at_least
    while (longest is None or high < longest) and not is_enough(high):
        at_least, high, step = high + 1, high + step, step * 2
        high = high if longest is None else min(high, longest)
    while at_least < high:
        middle = (at_least + high) // 2
        if is_enough(middle):
            high = middle
        else:
            at_least = middle + 1
    return high


def _hypergeometric_cdf(k: int, *, n: int, wrong: int, lot: int) -> float:
    """P(at most k of the n drawn are wrong), where `wrong` of `lot` are; by binomials of the same share."""
    if k >= min(n, wrong):
        return 1.0
    share = n / lot
    whole = log_binomial_pmf(n, lot, share)
    terms = (
        log_binomial_pmf(i, wrong, share) + log_binomial_pmf(n - i, lot - wrong, share) - whole
        for i in range(k + 1)
    )
    return min(1.0, sum(map(exp, terms)))


def _not_between(name: str, value: float) -> list[str]:
    return [] if 0 < value < 1 else [f"{name} must lie between 0 and 1, got {value}"]


def _not_positive(name: str, value: float) -> list[str]:
    return [] if isfinite(value) and value > 0 else [f"{name} must be above 0, got {value}"]


def _lot_faults(lot: int | None) -> list[str]:
    return [] if lot is None or lot >= 1 else [f"lot must be at least 1, got {lot}"]


def _rates_faults(good_rate: float, *, bad_rate: float) -> list[str]:
    if 0 <= good_rate < bad_rate <= 1:
        return []
    return [f"rates must be 0 <= good_rate < bad_rate <= 1, got {good_rate} and {bad_rate}"]


def _alike_faults(good_rate: float, *, bad_rate: float, lot: int | None) -> list[str]:
    if lot is None or floor(good_rate * lot + _ROUNDING) < ceil(bad_rate * lot - _ROUNDING):
        return []
    return [f"a lot of {lot} is too small to tell {good_rate} from {bad_rate}"]


def _refuse(faults: Iterable[str]) -> None:
    found = list(faults)
    if found:
        raise InvalidDataError(found)
