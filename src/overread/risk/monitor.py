"""Monitors of a live error rate: looked at after every audit, they still seldom alarm falsely.

Each holds evidence against "the error rate is at most alpha": a process that starts at 1 and, while that is
true, is not expected to grow. By Ville's inequality it then ever reaches 1/delta with a chance of at most
delta, however often one looks. An audit is one automatic decision that was drawn at random beforehand, and
whether it was wrong; the audits count in the order in which they became known, and what an earlier one
showed must not decide which later ones become known.

I. Waudby-Smith, A. Ramdas: Estimating means of bounded random variables by betting. JRSS B 86 (2024),
doi:10.1093/jrsssb/qkad009. S. R. Howard and others: Time-uniform, nonparametric, nonasymptotic confidence
sequences. Annals of Statistics 49 (2021), doi:10.1214/20-AOS1991. J. Shin, A. Ramdas, A. Rinaldo:
E-detectors. New England Journal of Statistics in Data Science (2024), doi:10.51387/23-NEJSDS51.

The standard library alone: the functions that watch a deployment run without numpy.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from itertools import chain, islice, pairwise, repeat
from math import ceil, exp, inf, isfinite, log, log1p
from typing import Any, Generic, Protocol, Self, TypeVar

from overread.errors import InvalidDataError
from overread.risk.beta import betainc_upper_inverse, log_beta_kernel, log_betainc_upper

Document = dict[str, Any]

_PRIOR_ERRORS = 2.0
_BETS = 32
_FORGOTTEN = 1e-18
_SETTLED = 1e-6
_SHOWN_ROWS = 5


@dataclass(frozen=True, slots=True)
class ErrorMonitor:
    """Evidence that more than the share `alpha` of the automatic decisions is wrong, after `n` audits.

    The evidence E is the likelihood ratio of the audits between an error rate q and alpha, averaged over q
    from Beta(a, b) restricted to q > alpha, where a = 2 and b = 1/alpha. With S errors of n, A = a + S, B =
    b + n - S:

        E = B(A, B) P(Beta(A, B) > alpha) / (B(a, b) P(Beta(a, b) > alpha) alpha^S (1 - alpha)^(n - S))

    For every q > alpha the ratio is not expected to grow while each audit is wrong with a chance of at most
    alpha given all before, whether or not that chance stays the same: so drift below alpha causes no alarm
    either.

    It needs audits drawn alike at any one time; the share that is drawn may change over time. Where the
    share depends on the case, use `WeightedErrorMonitor`. After a long good time its evidence is far below
    1 and has to climb back: `LastingErrorMonitor` makes the same promise and does not have to.

    `log_e_max` is the highest log E so far, and `alarm_n` the number of audits when it first reached
    1/delta: an alarm stays. Built from counts alone, both know only of the end.
    """

    alpha: float
    delta: float
    n: int = 0
    errors: int = 0
    log_e_max: float = 0.0
    alarm_n: int | None = None
    log_e: float = field(init=False)

    def __post_init__(self) -> None:
        _refuse(
            [*_share_faults(alpha=self.alpha, delta=self.delta), *_count_faults(self.n, errors=self.errors)]
        )
        log_e = _log_evidence(self.alpha, n=self.n, errors=self.errors)
        _settle(self, log_e=log_e, threshold=-log(self.delta))

    @property
    def is_alarm(self) -> bool:
        """Whether the evidence ever reached 1/delta."""
        return self.alarm_n is not None

    @property
    def estimate(self) -> float | None:
        """The share of errors; None before the first audit."""
        return self.errors / self.n if self.n else None

    def observed(self, *, is_error: bool) -> Self:
        """The monitor after one more audit."""
        return replace(self, n=self.n + 1, errors=self.errors + int(is_error))

    def with_counts(self, *, n: int, errors: int) -> Self:
        """The monitor at these totals.

        What the evidence was in between is not seen: where the order of the audits is known, `fold` sees
        more.

        Raises:
            InvalidDataError: n or errors are below what was counted before.
        """
        _refuse(
            f"{name} must not fall, got {now} after {before}"
            for name, now, before in (("n", n, self.n), ("errors", errors, self.errors))
            if now < before
        )
        return replace(self, n=n, errors=errors)

    def fold(self, errors: Iterable[bool]) -> "Fold[Self]":
        """The monitor after these audits, one by one in order, and at which of them it first alarmed."""
        return _fold(self, errors, lambda monitor, is_error: monitor.observed(is_error=is_error))

    def interval(self) -> tuple[float, float]:
        """Limits of the error rate that hold after every audit at once with confidence 1 - delta.

        For a rate that stays the same. All rates p that the mixture over Beta(2, 1/alpha), not restricted,
        does not refute: B(A, B) / (B(2, 1/alpha) p^S (1 - p)^(n - S)) < 1/delta (the beta-binomial
        confidence sequence). Holds the estimate; without audits it is (0, 1). A lower limit above alpha
        implies the alarm, which, looking to one side only, comes somewhat sooner.
        """
        if not self.n:
            return 0.0, 1.0
        estimate = self.errors / self.n
        low = 0.0 if not self.errors else self._limit(inside=estimate, outside=0.0)
        high = 1.0 if self.errors == self.n else self._limit(inside=estimate, outside=1.0)
        return low, high

    def document(self) -> Document:
        """The state as a JSON object."""
        return _document(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The monitor that `document` tells of.

        Raises:
            InvalidDataError: members are missing, unknown or not what they may be.
        """
        return cls(**_members(document, kinds=_STATE))

    def _limit(self, *, inside: float, outside: float) -> float:
        a, b = _prior(self.alpha)
        after = a + self.errors, b + self.n - self.errors
        while (middle := (inside + outside) / 2) not in (inside, outside):
            if log_beta_kernel(a, b, middle) - log_beta_kernel(*after, middle) < -log(self.delta):
                inside = middle
            else:
                outside = middle
        return outside


@dataclass(frozen=True, slots=True)
class LastingErrorMonitor:
    """An `ErrorMonitor` with the same promise, that finds drift soon even after a long good time.

    Half of the evidence is `ErrorMonitor`'s. The other half is spread over monitors that start at every
    audit to come, audit j with the share c_j = g(j - 1) - g(j), g(n) = 1 / (1 + log(1 + n)), which sum to
    1: each bets as `WeightedErrorMonitor` does at equal propensities, and what is meant for later ones
    stays as it is. For each bet the sum follows from the last one, M_n = (M_(n-1) + c_n) (1 + lambda (error
    - alpha)), so the state is bounded: one logarithm a bet, and E = (E' + mean of M_n + g(n)) / 2 with E'
    that of `ErrorMonitor`.

    A mean of processes that are not expected to grow under the bound is not either (the e-process that
    Shin, Ramdas & Rinaldo 2024 set beside their detectors): whatever is audited, however long, it alarms
    falsely with a chance of at most delta. It alarms no later than an `ErrorMonitor` at delta/2, whose
    `design_delay` thus bounds its own.

    `recent_n` and `recent_errors` count the audits since the errors became more frequent, as far as that
    can be told: since the likelihood ratio of the rate 2 alpha against alpha, `recent_log_ratio`, was last
    at its lowest (E. S. Page: Continuous inspection schemes. Biometrika 41, 1954,
    doi:10.1093/biomet/41.1-2.100).
    """

    alpha: float
    delta: float
    n: int = 0
    errors: int = 0
    log_sums: tuple[float, ...] = (-inf,) * _BETS
    recent_n: int = 0
    recent_errors: int = 0
    recent_log_ratio: float = 0.0
    log_e_max: float = 0.0
    alarm_n: int | None = None
    log_e: float = field(init=False)

    def __post_init__(self) -> None:
        counts = [
            *_count_faults(self.n, errors=self.errors),
            *_count_faults(self.recent_n, errors=self.recent_errors),
        ]
        sums = _wealth_faults(self.log_sums) if self.n else []
        _refuse([*_share_faults(alpha=self.alpha, delta=self.delta), *counts, *sums])
        whole = _log_evidence(self.alpha, n=self.n, errors=self.errors)
        started = _log_mean(self.log_sums) if self.n else -inf
        # The mean of three thirds is (E' + M + g) / 3.
        log_e = _log_mean((whole, started, log(_yet_to_start(self.n)))) + log(1.5)
        _settle(self, log_e=log_e, threshold=-log(self.delta))

    @property
    def is_alarm(self) -> bool:
        """Whether the evidence ever reached 1/delta."""
        return self.alarm_n is not None

    @property
    def estimate(self) -> float | None:
        """The share of errors among all audits; None before the first one."""
        return self.errors / self.n if self.n else None

    @property
    def recent_estimate(self) -> float | None:
        """The share of errors among the recent audits; None where there are none."""
        return self.recent_errors / self.recent_n if self.recent_n else None

    def observed(self, *, is_error: bool) -> Self:
        """The monitor after one more audit."""
        stake = int(is_error) - self.alpha
        share = log(_yet_to_start(self.n) - _yet_to_start(self.n + 1))
        worse = min(2 * self.alpha, (1 + self.alpha) / 2)
        step = log(worse / self.alpha) if is_error else log1p(-worse) - log1p(-self.alpha)
        ratio = self.recent_log_ratio + step
        is_recent = ratio > 0
        return replace(
            self,
            n=self.n + 1,
            errors=self.errors + int(is_error),
            log_sums=tuple(
                share + _log_plus_one(held - share) + log1p(bet * stake)
                for held, bet in zip(self.log_sums, bets(self.alpha), strict=True)
            ),
            recent_n=self.recent_n + 1 if is_recent else 0,
            recent_errors=self.recent_errors + int(is_error) if is_recent else 0,
            recent_log_ratio=ratio if is_recent else 0.0,
        )

    def fold(self, errors: Iterable[bool]) -> "Fold[Self]":
        """The monitor after these audits, one by one in order, and at which of them it first alarmed."""
        return _fold(self, errors, lambda monitor, is_error: monitor.observed(is_error=is_error))

    def interval(self) -> tuple[float, float]:
        """`ErrorMonitor.interval` of all audits: for a rate that stays the same.

        After drift it is about a rate between the one before and the one now, and may hold alpha or lie
        below it although the monitor alarms: `recent_estimate` then tells more.
        """
        return ErrorMonitor(alpha=self.alpha, delta=self.delta, n=self.n, errors=self.errors).interval()

    def document(self) -> Document:
        """The state as a JSON object; no audits yet, no sums."""
        return {**_document(self), "log_sums": list(self.log_sums) if self.n else []}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The monitor that `document` tells of.

        Raises:
            InvalidDataError: members are missing, unknown or not what they may be.
        """
        members = _members(document, kinds={**_STATE, **_LASTING_STATE})
        return cls(**{**members, "log_sums": tuple(members["log_sums"]) or (-inf,) * _BETS})


@dataclass(frozen=True, slots=True)
class WeightedErrorMonitor:
    """An `ErrorMonitor` for audits that were drawn with unequal propensities, each logged at decision time.

    With q the propensity of a case, bets are placed on A (error - alpha) / q, where A tells whether it was
    audited: its mean is the error rate of all cases less alpha, whatever q depends on, and cases that are
    not audited cost nothing (betting on A error / q alone loses a little with each of them). `floor` is the
    lowest propensity that may occur, fixed beforehand, so that an audit at propensity q counts floor/q of a
    full one: capital becomes capital × (1 + lambda (floor/q) (error - alpha)), which stays above 0 for
    lambda < 1/alpha.

    Strategy: capital is split evenly over 32 constant bets, lambda = (r - alpha) / (alpha (1 - alpha)) for
    r at the middle of each 32nd of Beta(2, 1/alpha) restricted to r > alpha ("diversified Kelly betting" of
    Waudby-Smith & Ramdas 2024): where all propensities are `floor`, nearly the evidence of `ErrorMonitor`.
    A bet may depend on the past but not on q: then the capital could grow although the rate is at most
    alpha.

    The state is bounded: one logarithm a bet. `weight` and `error_weight` are the sums of 1/q and of
    error/q.
    """

    alpha: float
    delta: float
    floor: float
    n: int = 0
    errors: int = 0
    weight: float = 0.0
    error_weight: float = 0.0
    log_wealth: tuple[float, ...] = (0.0,) * _BETS
    log_e_max: float = 0.0
    alarm_n: int | None = None
    log_e: float = field(init=False)

    def __post_init__(self) -> None:
        shares = _share_faults(alpha=self.alpha, delta=self.delta)
        floor = [] if 0 < self.floor <= 1 else [f"floor must be a propensity in (0, 1], got {self.floor}"]
        counts = _count_faults(self.n, errors=self.errors)
        _refuse([*shares, *floor, *counts, *_wealth_faults(self.log_wealth)])
        _settle(self, log_e=_log_mean(self.log_wealth), threshold=-log(self.delta))

    @property
    def is_alarm(self) -> bool:
        """Whether the evidence ever reached 1/delta."""
        return self.alarm_n is not None

    @property
    def estimate(self) -> float | None:
        """The error rate of all cases, by Hájek's ratio of sums; None before the first audit."""
        return self.error_weight / self.weight if self.weight else None

    def observed(self, *, is_error: bool, propensity: float) -> Self:
        """The monitor after one more audit, of a case that was audited with the chance `propensity`.

        Raises:
            InvalidDataError: the propensity is not in [floor, 1].
        """
        _refuse(_propensity_faults(propensity, floor=self.floor))
        stake = self.floor / propensity * (int(is_error) - self.alpha)
        stakes = bets(self.alpha)
        return replace(
            self,
            n=self.n + 1,
            errors=self.errors + int(is_error),
            weight=self.weight + 1 / propensity,
            error_weight=self.error_weight + int(is_error) / propensity,
            log_wealth=tuple(
                held + log1p(bet * stake) for held, bet in zip(self.log_wealth, stakes, strict=True)
            ),
        )

    def fold(self, audits: "Iterable[Audit]") -> "Fold[Self]":
        """The monitor after these audits, one by one in order, and at which of them it first alarmed.

        Raises:
            InvalidDataError: propensities are not in [floor, 1], with their rows.
        """
        known = tuple(audits)
        rows = [
            row for row, one in enumerate(known, 1) if _propensity_faults(one.propensity, floor=self.floor)
        ]
        if rows:
            first = _propensity_faults(known[rows[0] - 1].propensity, floor=self.floor)
            raise InvalidDataError([f"{first[0]} ({_described(rows)})"])
        return _fold(
            self,
            known,
            lambda monitor, audit: monitor.observed(is_error=audit.is_error, propensity=audit.propensity),
        )

    def document(self) -> Document:
        """The state as a JSON object."""
        return _document(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The monitor that `document` tells of.

        Raises:
            InvalidDataError: members are missing, unknown or not what they may be.
        """
        members = _members(document, kinds={**_STATE, **_WEIGHTED_STATE})
        return cls(**{**members, "log_wealth": tuple(members["log_wealth"])})


@dataclass(frozen=True, slots=True)
class ErrorDetector:
    """Finds the error rate rising above `alpha` at some time, soon even after a long good time.

    For a promise by the number of audits, where alarms are dealt with and watching goes on; for one false
    alarm ever with a chance of at most delta, `LastingErrorMonitor`. The Shiryaev-Roberts e-detector of
    Shin, Ramdas & Rinaldo (2024): a monitor is started before every audit, and the sum M of their evidence
    decides. For each of the 32 bets of `WeightedErrorMonitor` (at equal propensities) that sum follows from
    the last one, M_n = (M_(n-1) + 1) (1 + lambda (error - alpha)), so the state is bounded: one logarithm a
    bet.

    Promise: while every audit is wrong with a chance of at most alpha, M_n - n is not expected to grow. So
    M reaches horizon/delta within the first `horizon` audits with a chance of at most delta, and false
    alarms are horizon/delta audits apart or more on average. The price is log(horizon) more evidence than
    `ErrorMonitor` needs, which is less than what that has to make up for after a long good time.
    """

    alpha: float
    delta: float
    horizon: int
    n: int = 0
    errors: int = 0
    log_sums: tuple[float, ...] = (-inf,) * _BETS
    log_e_max: float = 0.0
    alarm_n: int | None = None
    log_e: float = field(init=False)

    def __post_init__(self) -> None:
        horizon = [] if self.horizon >= 1 else [f"horizon must be at least 1 audit, got {self.horizon}"]
        counts = _count_faults(self.n, errors=self.errors)
        sums = _wealth_faults(self.log_sums) if self.n else []
        _refuse([*_share_faults(alpha=self.alpha, delta=self.delta), *horizon, *counts, *sums])
        log_e = _log_mean(self.log_sums) if self.n else 0.0
        _settle(self, log_e=log_e, threshold=log(self.horizon) - log(self.delta))

    @property
    def is_alarm(self) -> bool:
        """Whether the sum ever reached horizon/delta."""
        return self.alarm_n is not None

    def observed(self, *, is_error: bool) -> Self:
        """The detector after one more audit."""
        stake = int(is_error) - self.alpha
        stakes = bets(self.alpha)
        return replace(
            self,
            n=self.n + 1,
            errors=self.errors + int(is_error),
            log_sums=tuple(
                _log_plus_one(held) + log1p(bet * stake)
                for held, bet in zip(self.log_sums, stakes, strict=True)
            ),
        )

    def fold(self, errors: Iterable[bool]) -> "Fold[Self]":
        """The detector after these audits, one by one in order, and at which of them it first alarmed."""
        return _fold(self, errors, lambda monitor, is_error: monitor.observed(is_error=is_error))

    def document(self) -> Document:
        """The state as a JSON object; no audits yet, no sums."""
        return {**_document(self), "log_sums": list(self.log_sums) if self.n else []}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The detector that `document` tells of.

        Raises:
            InvalidDataError: members are missing, unknown or not what they may be.
        """
        members = _members(document, kinds={**_STATE, **_DETECTOR_STATE})
        return cls(**{**members, "log_sums": tuple(members["log_sums"]) or (-inf,) * _BETS})


class _Alarming(Protocol):
    @property
    def is_alarm(self) -> bool: ...


AnyMonitor = ErrorMonitor | LastingErrorMonitor | WeightedErrorMonitor | ErrorDetector
Monitor = TypeVar("Monitor", bound=_Alarming)
Observation = TypeVar("Observation")


@dataclass(frozen=True, slots=True)
class Audit:
    """One audited decision: whether it was wrong, and the chance with which it was drawn."""

    is_error: bool
    propensity: float


@dataclass(frozen=True, slots=True)
class Fold(Generic[Monitor]):
    """A monitor after some audits; `alarm_at` counts from 1 the one of these at which it first alarmed.

    None where it did not alarm among these, be it that it had alarmed before.
    """

    monitor: Monitor
    alarm_at: int | None


@dataclass(frozen=True, slots=True)
class DesignDelay:
    """How many audits the alarm takes to come, worked out exactly.

    `alarm_chance` is the chance that it comes within `looks` audits; `median` and `p90` are the numbers of
    audits by which it has come with a chance of 50 % and 90 %, None where `looks` are too few; `mean` is
    None where an alarm within `looks` is not all but certain.
    """

    alpha: float
    delta: float
    rate: float
    looks: int
    alarm_chance: float
    median: int | None
    p90: int | None
    mean: float | None


def alarm_boundary(alpha: float, *, delta: float, looks: int) -> tuple[int, ...]:
    """For each n from 1 to `looks`, the fewest errors at which `ErrorMonitor` alarms after n audits.

    n + 1 where not even n errors of n would do. Never falls, and rises by at most 1 an audit.
    """
    _refuse(_share_faults(alpha=alpha, delta=delta))
    return tuple(islice(_boundary(alpha, delta=delta), looks))


def crossing_chances(boundary: Iterable[int], *, rates: Iterable[float]) -> Iterator[float]:
    """The chance that the count of errors has reached the boundary by the first, second … audit.

    Exact (a walk over the number of errors). The boundary must neither fall nor rise by more than 1 an
    audit; `rates` are the error rates audit by audit.
    """
    chances, lowest, crossed = [1.0], 0, 0.0
    for limit, rate in zip(boundary, rates, strict=False):
        # Of s errors now, one less before and an error, or as many before and none.
        padded = chain((0.0,), chances, (0.0,))
        chances = [fewer * rate + same * (1 - rate) for fewer, same in pairwise(padded)]
        if lowest + len(chances) > limit:
            crossed += chances.pop()
        lowest += _trim(chances)
        yield crossed


def alarm_chances(alpha: float, *, delta: float, rate: float, looks: int) -> tuple[float, ...]:
    """The exact chance that `ErrorMonitor` has alarmed by the first, second … audit, at a true error rate."""
    _refuse([*_share_faults(alpha=alpha, delta=delta), *_rate_faults(rate)])
    return tuple(islice(crossing_chances(_boundary(alpha, delta=delta), rates=repeat(rate)), looks))


def design_delay(
    alpha: float,
    *,
    delta: float,
    rate: float,
    good_audits: int = 0,
    good_rate: float = 0.0,
    looks: int | None = None,
) -> DesignDelay:
    """How many audits `ErrorMonitor(alpha, delta)` takes to alarm at the true error rate `rate`, exactly.

    With `good_audits`, the rate is `good_rate` for so many audits first, and the delay counts from there
    on, given that there was no alarm before. `looks` audits are followed, 100/alpha unless told.

    Raises:
        InvalidDataError: a share is outside its range, or the good time all but surely ends in an alarm.
    """
    _refuse([*_share_faults(alpha=alpha, delta=delta), *_rate_faults(rate), *_rate_faults(good_rate)])
    looks = ceil(100 / alpha) if looks is None else looks
    rates = chain(repeat(good_rate, good_audits), repeat(rate))
    crossed = crossing_chances(_boundary(alpha, delta=delta), rates=rates)
    before = 0.0
    for chance in islice(crossed, good_audits):
        before = chance
    if 1 - before < _SETTLED:
        raise InvalidDataError(
            [f"{good_audits} audits at an error rate of {good_rate} end in an alarm already"]
        )
    left, total, median, p90 = 1.0, 0.0, None, None
    for audits, chance in enumerate(islice(crossed, looks), 1):
        total += left
        left = max(0.0, (1 - chance) / (1 - before))
        median = audits if median is None and left <= 0.5 else median
        p90 = audits if p90 is None and left <= 0.1 else p90
        if left < _SETTLED:
            break
    return DesignDelay(
        alpha=alpha,
        delta=delta,
        rate=rate,
        looks=looks,
        alarm_chance=1 - left,
        median=median,
        p90=p90,
        mean=total if left < _SETTLED else None,
    )


def _boundary(alpha: float, *, delta: float) -> Iterator[int]:
    """The alarm boundary without end: for each number of errors, the longest run in which it alarms."""
    last, errors = 0, 1
    while True:
        reach = _longest_run(alpha, delta=delta, errors=errors, at_least=max(last, errors - 1))
        yield from repeat(errors, reach - last)
        last, errors = reach, errors + 1


def _longest_run(alpha: float, *, delta: float, errors: int, at_least: int) -> int:
    """The largest n at which `errors` errors alarm; `at_least` where none beyond it does."""
    threshold = -log(delta)

    def alarms(n: int) -> bool:
        return _log_evidence(alpha, n=n, errors=errors) >= threshold

    step = 1
    while alarms(at_least + step):
        at_least += step
        step *= 2
    while step > 1:
        step //= 2
        if alarms(at_least + step):
            at_least += step
    return at_least


def _prior(alpha: float) -> tuple[float, float]:
    return _PRIOR_ERRORS, 1 / alpha


def _log_evidence(alpha: float, *, n: int, errors: int) -> float:
    if not n:
        return 0.0
    a, b = _prior(alpha)
    return _log_tail_over_kernel(a + errors, b + n - errors, alpha) - _log_prior_tail_over_kernel(alpha)


def _log_tail_over_kernel(a: float, b: float, x: float) -> float:
    """log of the integral of q^(a-1) (1 - q)^(b-1) over q > x, divided by x^a (1 - x)^b."""
    return log_betainc_upper(a, b, x) - log_beta_kernel(a, b, x)


@lru_cache(maxsize=64)
def _log_prior_tail_over_kernel(alpha: float) -> float:
    return _log_tail_over_kernel(*_prior(alpha), alpha)


@lru_cache(maxsize=64)
def bets(alpha: float) -> tuple[float, ...]:
    """The constant bets lambda = (r - alpha) / (alpha (1 - alpha)) that capital is split over.

    Each r is the middle of an equal share of the prior beyond alpha.
    """
    a, b = _prior(alpha)
    beyond = exp(log_betainc_upper(a, b, alpha))
    rates = (betainc_upper_inverse(a, b, beyond * (index + 0.5) / _BETS) for index in range(_BETS))
    return tuple((rate - alpha) / (alpha * (1 - alpha)) for rate in rates)


def _yet_to_start(n: int) -> float:
    """What `LastingErrorMonitor` keeps for monitors that start after n audits: 1 at first, then less."""
    return 1 / (1 + log1p(n))


def _log_mean(logs: Sequence[float]) -> float:
    highest = max(logs)
    return highest + log(sum(exp(each - highest) for each in logs) / len(logs))


def _log_plus_one(value: float) -> float:
    """log(e^value + 1)."""
    return value + log1p(exp(-value)) if value > 0 else log1p(exp(value))


def _trim(chances: list[float]) -> int:
    """Forget numbers of errors that all but never occur; gives how many of the lowest were left out."""
    while len(chances) > 1 and chances[-1] < _FORGOTTEN:
        chances.pop()
    dropped = 0
    while len(chances) - dropped > 1 and chances[dropped] < _FORGOTTEN:
        dropped += 1
    del chances[:dropped]
    return dropped


def _settle(monitor: AnyMonitor, *, log_e: float, threshold: float) -> None:
    """Set what follows from the state: the evidence now, its maximum, and when it first sufficed."""
    highest = max(monitor.log_e_max, log_e)
    object.__setattr__(monitor, "log_e", log_e)
    object.__setattr__(monitor, "log_e_max", highest)
    if monitor.alarm_n is None and highest >= threshold:
        object.__setattr__(monitor, "alarm_n", monitor.n)


def _fold(
    monitor: Monitor, observations: Iterable[Observation], observe: Callable[[Monitor, Observation], Monitor]
) -> Fold[Monitor]:
    was_alarm, alarm_at = monitor.is_alarm, None
    for position, observation in enumerate(observations, 1):
        monitor = observe(monitor, observation)
        if alarm_at is None and monitor.is_alarm and not was_alarm:
            alarm_at = position
    return Fold(monitor=monitor, alarm_at=alarm_at)


def _document(monitor: AnyMonitor) -> Document:
    state = asdict(monitor)
    del state["log_e"]
    return {name: list(value) if isinstance(value, tuple) else value for name, value in state.items()}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_evidence(value: object) -> bool:
    return _is_number(value) and value >= 0  # type: ignore[operator]


def _is_count_or_none(value: object) -> bool:
    return value is None or _is_count(value)


def _are_numbers(value: object) -> bool:
    return isinstance(value, list) and all(_is_number(each) for each in value)


_Kinds = Mapping[str, tuple[Callable[[object], bool], str]]
_NUMBER = (_is_number, "a number")
_COUNT = (_is_count, "a whole number of at least 0")
_NUMBERS = (_are_numbers, "a list of numbers")
_STATE: _Kinds = {
    "alpha": _NUMBER,
    "delta": _NUMBER,
    "n": _COUNT,
    "errors": _COUNT,
    "log_e_max": (_is_evidence, "a number of at least 0"),
    "alarm_n": (_is_count_or_none, "a whole number of at least 0, or null"),
}
_WEIGHTED_STATE: _Kinds = {
    "floor": _NUMBER,
    "weight": _NUMBER,
    "error_weight": _NUMBER,
    "log_wealth": _NUMBERS,
}
_DETECTOR_STATE: _Kinds = {"horizon": _COUNT, "log_sums": _NUMBERS}
_LASTING_STATE: _Kinds = {
    "log_sums": _NUMBERS,
    "recent_n": _COUNT,
    "recent_errors": _COUNT,
    "recent_log_ratio": _NUMBER,
}


def _members(document: Mapping[str, Any], *, kinds: _Kinds) -> dict[str, Any]:
    """The members of a state document, each what it may be."""
    faults = [f"{name} is missing" for name in kinds if name not in document]
    faults += [f"{name} is not known here" for name in document if name not in kinds]
    for name, (is_allowed, allowed) in kinds.items():
        if name in document and not is_allowed(document[name]):
            faults.append(f"{name} must be {allowed}, got {document[name]!r}"[:200])
    _refuse(faults)
    return dict(document)


def _refuse(faults: Iterable[str]) -> None:
    found = list(faults)
    if found:
        raise InvalidDataError(found)


def _share_faults(*, alpha: float, delta: float) -> list[str]:
    shares = (("alpha", alpha), ("delta", delta))
    return [f"{name} must lie between 0 and 1, got {value}" for name, value in shares if not 0 < value < 1]


def _rate_faults(rate: float) -> list[str]:
    return [] if 0 <= rate <= 1 else [f"an error rate must lie in [0, 1], got {rate}"]


def _count_faults(n: int, *, errors: int) -> list[str]:
    if 0 <= errors <= n:
        return []
    return [f"errors must be between 0 and n, got {errors} errors of n = {n}"]


def _wealth_faults(logs: Sequence[float]) -> list[str]:
    return (
        []
        if len(logs) == _BETS
        else [f"there must be one logarithm for each of {_BETS} bets, got {len(logs)}"]
    )


def _propensity_faults(propensity: float, *, floor: float) -> list[str]:
    if floor <= propensity <= 1:
        return []
    return [f"propensity must lie between the floor {floor} and 1, got {propensity}"]


def _described(rows: Sequence[int]) -> str:
    shown = ", ".join(map(str, rows[:_SHOWN_ROWS]))
    more = f" and {len(rows) - _SHOWN_ROWS:,} more" if len(rows) > _SHOWN_ROWS else ""
    return f"row{'s' if len(rows) > 1 else ''} {shown}{more}"
