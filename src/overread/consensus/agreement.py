"""Agreement beyond chance: Krippendorff's alpha, Fleiss' kappa, Cohen's kappa, each with an interval.

Items are first reduced to the distinct patterns of their votes ("ten items with two yes and one no"): all the
rest, resampling included, costs as many steps as there are patterns, which are few where classes are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from overread.consensus.votes import Votes
from overread.errors import InvalidDataError
from overread.risk.beta import betainc_inverse

Metric = Literal["nominal", "ordinal", "interval"]
Uncertainty = Literal["jackknife", "bootstrap", "none"]
Array = NDArray[np.float64]
RESAMPLES = 1_000
_METRICS = ("nominal", "ordinal", "interval")
_UNCERTAINTIES = ("jackknife", "bootstrap", "none")
_LARGEST_KEY = 2**53
_MOST_COUNTERS = 2**20
_DRAWS_A_STEP = 5_000_000
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Agreement:
    """A statistic with its interval; 1 is full agreement, 0 what chance gives.

    `value` is None where agreement is undefined, as with votes of one class only; `low` and `high` are None
    where there is no interval. `items`, `raters` and `votes` are those that counted. `note` says in plain
    English what the reader must know; empty for nothing.
    """

    statistic: str
    value: float | None
    low: float | None
    high: float | None
    items: int
    raters: int
    votes: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Interval:
    """How an interval is found: over items, as votes on one item hang together.

    The jackknife leaves out one item at a time: value ± Student's t × standard error (J. W. Tukey, Annals of
    Mathematical Statistics 29, 1958, doi:10.1214/aoms/1177706647), cut off at 1. The bootstrap draws as many
    items again, `resamples` times from `seed`, and takes percentiles (B. Efron, Annals of Statistics 7, 1979,
    doi:10.1214/aos/1176344552).
    """

    uncertainty: Uncertainty = "jackknife"
    confidence: float = 0.95
    resamples: int = RESAMPLES
    seed: int = 0


JACKKNIFE = Interval()


@dataclass(frozen=True, slots=True)
class _Patterns:
    """P patterns of votes, `times` (P,) items each; cell (`unit`, `label`) holds `count` votes."""

    unit: NDArray[np.int64]
    label: NDArray[np.int64]
    count: Array
    times: Array
    classes: int
    raters: int

    @property
    def size(self) -> Array:
        """Votes of an item of each pattern (P,)."""
        return self.per_unit(self.count)

    def per_unit(self, cells: Array) -> Array:
        """Sums over the cells of each pattern."""
        return _sums(self.unit, cells, length=self.times.size)

    def class_sums(self, cells: Array, *, times: Array) -> Array:
        """Sums over the cells of each class (K,), each pattern `times` often."""
        return _sums(self.label, cells * times[self.unit], length=self.classes)

    def dense(self) -> Array:
        """Votes of each pattern for each class (P, K)."""
        table = np.zeros((self.times.size, self.classes))
        table[self.unit, self.label] = self.count
        return table


def krippendorff(
    votes: Votes,
    *,
    metric: Metric = "nominal",
    values: Mapping[str, float] | Sequence[float] | None = None,
    interval: Interval = JACKKNIFE,
) -> Agreement:
    """Krippendorff's alpha, 1 − observed / expected disagreement, for any number of raters and gaps.

    Items with fewer than two votes say nothing of agreement and are left out. With m_u votes on item u, of
    which c_uk for class k, n_k = Σ c_uk and n votes in all, two votes disagree by δ²: 1 unless equal
    (nominal), (v − v')² (interval), and (r − r')² for the middle ranks r_k = Σ_{g<k} n_g + n_k/2 (ordinal).
    Observed: Σ_u Σ δ² over ordered pairs in u / (m_u − 1); expected: Σ δ² over ordered pairs of all votes
    / (n − 1). Both come from Σ v and Σ v² alone; there is no matrix of values by values. Each vote of a
    worker who gave an item several counts.

    `metric` ordinal takes the classes in the order of `votes.classes`; interval takes them as numbers, or
    `values`: by class, or in the order of `votes.classes`.

    K. Krippendorff, Content Analysis, 2004; Computing Krippendorff's Alpha-Reliability, 2011,
    https://repository.upenn.edu/asc_papers/43.

    Raises:
        InvalidDataError: an unknown metric, an interval metric of labels that are no numbers, values that are
            missing or not finite, an interval that cannot be.
    """
    faults = _interval_faults(interval)
    if metric not in _METRICS:
        faults.append(f"metric must be one of {', '.join(_METRICS)}, got {metric!r}")
    numbers = _numbers(votes.classes, values, faults=faults) if metric == "interval" else None
    if faults:
        raise InvalidDataError(faults)
    patterns = _patterns(votes)
    statistic = f"Krippendorff's alpha ({metric})"
    notes = _repeat_notes(votes)
    if metric == "ordinal" and numbers is None and not all(map(_is_number, votes.classes)):
        notes.append(f"classes are taken in the order {' < '.join(votes.classes[:8])}")
    measure: _Measure
    if numbers is not None:
        measure = _alpha_interval(patterns, numbers)
    elif metric == "ordinal":
        measure = _alpha_ordinal(patterns)
    else:
        measure = _alpha_nominal(patterns)
    return _agreement(statistic, patterns, measure, interval=interval, notes=notes)


def fleiss(votes: Votes, *, interval: Interval = JACKKNIFE) -> Agreement:
    """Fleiss' kappa, (P̄ − P̄_e) / (1 − P̄_e): the raters of one item need not be those of another.

    P_i is the share of the pairs of votes on item i that agree, P̄ their mean; P̄_e = Σ p_k² with p_k the mean
    share of class k. Items may have unequal numbers of votes, from two on (fewer are left out): each item
    counts alike, in P̄ and in p_k, as in K. L. Gwet, Handbook of Inter-Rater Reliability, 2014; with equal
    numbers that is Fleiss' own definition. J. L. Fleiss, Psychological Bulletin 76, 1971,
    doi:10.1037/h0031619.

    Raises:
        InvalidDataError: an interval that cannot be.
    """
    _require(_interval_faults(interval))
    patterns = _patterns(votes)
    notes = _repeat_notes(votes)
    if np.unique(patterns.size).size > 1:
        notes.append("items have unequal numbers of votes: each item counts alike")
    return _agreement("Fleiss' kappa", patterns, _fleiss(patterns), interval=interval, notes=notes)


def cohen(votes: Votes, *, workers: tuple[str, str], interval: Interval = JACKKNIFE) -> Agreement:
    """Cohen's kappa of two raters, (p_o − p_e) / (1 − p_e), on the items that both have labelled.

    p_o is the share of items on which they agree, p_e = Σ a_k b_k what their own shares of the classes would
    give by chance. Of several votes of one worker on an item the first counts. J. Cohen, Educational and
    Psychological Measurement 20, 1960, doi:10.1177/001316446002000104.

    Raises:
        InvalidDataError: not two different workers of these votes, or an interval that cannot be.
    """
    faults = _interval_faults(interval)
    faults += [
        f"workers must be among those of the votes, got {name!r}"
        for name in workers
        if name not in votes.workers
    ]
    if len(workers) != 2 or len(set(workers)) != 2:
        faults.append(f"workers must be two different ones, got {', '.join(map(repr, workers))}")
    _require(faults)
    one, other = (_first_labels(votes, worker=name) for name in workers)
    is_both = (one >= 0) & (other >= 0)
    classes = len(votes.classes)
    pairs, counts = np.unique(one[is_both] * classes + other[is_both], return_counts=True)
    a, b = pairs // max(classes, 1), pairs % max(classes, 1)
    patterns = _Patterns(
        unit=np.tile(np.arange(pairs.size), 2),
        label=np.concatenate([a, b]),
        count=np.ones(2 * pairs.size),
        times=counts.astype(np.float64),
        classes=classes,
        raters=2,
    )
    measure = _cohen(a, b, patterns.times, classes=classes)
    return _agreement("Cohen's kappa", patterns, measure, interval=interval, notes=_repeat_notes(votes))


@dataclass(frozen=True, slots=True)
class _Measure:
    """A statistic as functions of how often each pattern occurs; NaN where it is undefined."""

    left_out: Callable[[], Array]
    """Without one item of each pattern (P,)."""
    of: Callable[[Array], float]
    """Of these numbers of items (P,)."""


def _alpha_nominal(patterns: _Patterns) -> _Measure:
    size = patterns.size
    observed = (size**2 - patterns.per_unit(patterns.count**2)) / (size - 1)

    def of(times: Array) -> float:
        sums = patterns.class_sums(patterns.count, times=times)
        n = float(times @ size)
        return float(_alpha(times @ observed, n * n - (sums**2).sum(), n))

    def left_out() -> Array:
        sums = patterns.class_sums(patterns.count, times=patterns.times)
        n = sums.sum() - size
        squares = (sums**2).sum() - patterns.per_unit(
            patterns.count * (2 * sums[patterns.label] - patterns.count)
        )
        return _alpha(patterns.times @ observed - observed, n * n - squares, n)

    return _Measure(left_out, of)


def _alpha_interval(patterns: _Patterns, numbers: Array) -> _Measure:
    """Sums are of values less their mean, so that large values with small differences lose no digits."""
    size = patterns.size
    counts = patterns.class_sums(patterns.count, times=patterns.times)
    centred = numbers - (counts @ numbers) / max(counts.sum(), 1.0)
    scale = float(np.abs(centred[counts > 0]).max(initial=0.0))
    centred = centred / scale if scale > 0 else centred
    cells = centred[patterns.label]
    first, second = patterns.per_unit(patterns.count * cells), patterns.per_unit(patterns.count * cells**2)
    means = (first / size)[patterns.unit]
    observed = 2 * size / (size - 1) * patterns.per_unit(patterns.count * (cells - means) ** 2)

    def of(times: Array) -> float:
        n, s, q = float(times @ size), float(times @ first), float(times @ second)
        return float(_alpha(times @ observed, 2 * (n * q - s * s), n))

    def left_out() -> Array:
        times = patterns.times
        n, s, q = times @ size - size, times @ first - first, times @ second - second
        return _alpha(times @ observed - observed, 2 * (n * q - s * s), n)

    return _Measure(left_out, of)


def _alpha_ordinal(patterns: _Patterns) -> _Measure:
    """Ranks depend on all votes, so that what an item disagrees by changes when others are left out.

    The observed disagreement is a quadratic form of the ranks, whose matrix (K, K) is a sum over the items.
    """
    table, size = patterns.dense(), patterns.size

    def form(times: Array) -> Array:
        share = times / (size - 1)
        return 2.0 * (np.diag((share * size) @ table) - (table * share[:, None]).T @ table)

    def of(times: Array) -> float:
        counts = times @ table
        n = float(counts.sum())
        ranks = _middle_ranks(counts) / max(n, 1.0) - 0.5
        expected = 2 * (n * (counts @ ranks**2) - (counts @ ranks) ** 2)
        return float(_alpha(ranks @ form(times) @ ranks, expected, n))

    def left_out() -> Array:
        counts = patterns.times @ table
        remaining = counts - table
        n = remaining.sum(axis=1)
        ranks = _middle_ranks(remaining) / np.maximum(n, 1.0)[:, None] - 0.5
        whole = ((ranks @ form(patterns.times)) * ranks).sum(axis=1)
        own = (table * ranks**2).sum(axis=1) * size - (table * ranks).sum(axis=1) ** 2
        expected = n * (remaining * ranks**2).sum(axis=1) - (remaining * ranks).sum(axis=1) ** 2
        return _alpha(whole - 2 * own / (size - 1), 2 * expected, n)

    return _Measure(left_out, of)


def _fleiss(patterns: _Patterns) -> _Measure:
    size = patterns.size
    agreeing = (patterns.per_unit(patterns.count**2) - size) / (size * (size - 1))
    shares = patterns.count / size[patterns.unit]

    def of(times: Array) -> float:
        n = float(times.sum())
        sums = patterns.class_sums(shares, times=times)
        return float(_kappa(times @ agreeing, (sums**2).sum() / max(n, 1.0), n))

    def left_out() -> Array:
        sums = patterns.class_sums(shares, times=patterns.times)
        n = patterns.times.sum() - np.ones_like(size)
        squares = (sums**2).sum() - patterns.per_unit(shares * (2 * sums[patterns.label] - shares))
        return _kappa(patterns.times @ agreeing - agreeing, squares / np.maximum(n, 1.0), n)

    return _Measure(left_out, of)


def _cohen(a: NDArray[np.int64], b: NDArray[np.int64], times: Array, *, classes: int) -> _Measure:
    is_same = (a == b).astype(np.float64)

    def margins(times: Array) -> tuple[Array, Array]:
        return _sums(a, times, length=classes), _sums(b, times, length=classes)

    def of(times: Array) -> float:
        ones, others = margins(times)
        n = float(times.sum())
        return float(_kappa(times @ is_same, (ones @ others) / max(n, 1.0), n))

    def left_out() -> Array:
        ones, others = margins(times)
        n = times.sum() - np.ones_like(times)
        products = ones @ others - others[a] - ones[b] + is_same
        return _kappa(times @ is_same - is_same, products / np.maximum(n, 1.0), n)

    return _Measure(left_out, of)


def _sums(places: NDArray[np.int64], amounts: Array, *, length: int) -> Array:
    return np.asarray(np.bincount(places, weights=amounts, minlength=length), dtype=np.float64)


def _alpha(observed: Array | float, expected: Array | float, n: Array | float) -> Array:
    """1 − observed (n − 1) / expected; NaN where nothing could disagree (up to rounding)."""
    numbers = np.asarray(n, dtype=np.float64)
    possible = np.asarray(expected, dtype=np.float64)
    is_defined = (possible > _ROUNDING * np.maximum(numbers, 1.0) ** 2) & (numbers > 1)
    found = np.full(np.broadcast(np.asarray(observed), possible).shape, nan)
    np.divide(np.asarray(observed) * (numbers - 1), possible, out=found, where=is_defined)
    return np.asarray(1.0 - found)


def _kappa(agreed: Array | float, by_chance: Array | float, n: Array | float) -> Array:
    """(agreed − by chance) / (n − by chance), of numbers of items; NaN where chance alone agrees on all."""
    chance, numbers = np.asarray(by_chance, dtype=np.float64), np.asarray(n, dtype=np.float64)
    room = numbers - chance
    is_defined = room > _ROUNDING * np.maximum(numbers, 1.0)
    found = np.full(np.broadcast(np.asarray(agreed), room).shape, nan)
    np.divide(np.asarray(agreed) - chance, room, out=found, where=is_defined)
    return found


def _middle_ranks(counts: Array) -> Array:
    return np.asarray(np.cumsum(counts, axis=-1) - counts / 2)


def _agreement(
    statistic: str, patterns: _Patterns, measure: _Measure, *, interval: Interval, notes: list[str]
) -> Agreement:
    items, cast = int(patterns.times.sum()), int(patterns.times @ patterns.size)
    value: float | None = measure.of(patterns.times) if items else nan
    low = high = None
    if value is None or not isfinite(value):
        value = None
        why = "all votes are of one class" if items else "no item has two votes to compare"
        notes = [f"undefined: {why}", *notes]
    elif interval.uncertainty == "jackknife":
        low, high = _jackknife(patterns.times, measure, value=value, interval=interval, notes=notes)
    elif interval.uncertainty == "bootstrap":
        low, high = _bootstrap(patterns.times, measure, interval=interval, notes=notes)
    return Agreement(
        statistic=statistic,
        value=value,
        low=low,
        high=high,
        items=items,
        raters=patterns.raters,
        votes=cast,
        note="; ".join(notes),
    )


def _jackknife(
    times: Array, measure: _Measure, *, value: float, interval: Interval, notes: list[str]
) -> tuple[float | None, float | None]:
    items = float(times.sum())
    if items < 2:
        notes.append("no interval: it takes two items")
        return None, None
    values = measure.left_out()
    if not np.isfinite(values).all():
        notes.append("no interval: without some one item agreement would be undefined")
        return None, None
    centre = float(times @ values) / items
    variance = (items - 1) / items * float(times @ (values - centre) ** 2)
    if variance <= _ROUNDING**2:
        notes.append("no item differs from the others in what it says: the interval has no width")
    reach = _student(interval.confidence, freedom=items - 1) * sqrt(variance)
    return value - reach, min(1.0, value + reach)


def _bootstrap(
    times: Array, measure: _Measure, *, interval: Interval, notes: list[str]
) -> tuple[float | None, float | None]:
    items = int(times.sum())
    generator = np.random.default_rng(interval.seed)
    step = max(1, min(interval.resamples, _DRAWS_A_STEP // times.size))
    values = np.empty(interval.resamples)
    for start in range(0, interval.resamples, step):
        end = min(start + step, interval.resamples)
        draws = generator.multinomial(items, times / items, size=end - start).astype(np.float64)
        values[start:end] = [measure.of(draw) for draw in draws]
    known = values[np.isfinite(values)]
    if known.size < values.size:
        notes.append(f"{values.size - known.size:,} of {values.size:,} resamples were undefined and left out")
    if known.size < 2:
        return None, None
    tail = (1 - interval.confidence) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low), float(high)


def _student(confidence: float, *, freedom: float) -> float:
    """The two-sided point t of Student's distribution: freedom / (freedom + t²) is Beta(freedom/2, 1/2)."""
    x = betainc_inverse(freedom / 2, 0.5, 1 - confidence)
    return sqrt(freedom * (1 - x) / x)


def _patterns(votes: Votes) -> _Patterns:
    """The distinct patterns of votes of the items that have at least two."""
    classes = max(len(votes.classes), 1)
    per_item = np.bincount(votes.item, minlength=len(votes.items))
    is_compared = per_item >= 2
    raters = _raters(votes, is_compared=is_compared)
    radix = int(per_item.max(initial=0)) + 1
    if radix**classes <= _LARGEST_KEY:
        table, times = _distinct(votes, is_compared=is_compared, radix=radix)
        unit, label = np.nonzero(table)
        count = table[unit, label]
    else:
        keys, counts = np.unique(votes.item.astype(np.int64) * classes + votes.label, return_counts=True)
        is_kept = is_compared[keys // classes]
        unit = (np.cumsum(is_compared) - 1)[keys[is_kept] // classes]
        label, count = keys[is_kept] % classes, counts[is_kept]
        times = np.ones(int(is_compared.sum()), dtype=np.int64)
    return _Patterns(
        unit=unit,
        label=label,
        count=count.astype(np.float64),
        times=times.astype(np.float64),
        classes=classes,
        raters=raters,
    )


def _distinct(
    votes: Votes, *, is_compared: NDArray[np.bool_], radix: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct rows of the items' counts (P, K), and how many items have each.

    A row is one number, Σ_k c_k radix^k, exact as a float up to 2^53: a sum over the item's votes.
    """
    powers = np.array([radix**place for place in range(max(len(votes.classes), 1))], dtype=np.int64)
    key = np.bincount(
        votes.item, weights=powers.astype(np.float64)[votes.label], minlength=len(votes.items)
    ).astype(np.int64)
    if not is_compared.all():
        key = key[is_compared]
    if int(powers[-1]) * radix <= _MOST_COUNTERS:
        counts = np.bincount(key)
        distinct = np.flatnonzero(counts)
        times = counts[distinct]
    else:
        distinct, times = np.unique(key, return_counts=True)
    return distinct[:, None] // powers % radix, times


def _raters(votes: Votes, *, is_compared: NDArray[np.bool_]) -> int:
    counted = votes.worker if is_compared.all() else votes.worker[is_compared[votes.item]]
    return int(np.count_nonzero(np.bincount(counted, minlength=len(votes.workers))))


def _first_labels(votes: Votes, *, worker: str) -> NDArray[np.int64]:
    """The worker's first label of each item, −1 without one."""
    is_own = votes.worker == votes.workers.index(worker)
    labels = np.full(len(votes.items), -1, dtype=np.int64)
    labels[votes.item[is_own][::-1]] = votes.label[is_own][::-1]
    return labels


def _numbers(
    classes: tuple[str, ...], values: Mapping[str, float] | Sequence[float] | None, *, faults: list[str]
) -> Array | None:
    """The classes' values (K,); None, with a fault noted, where there is no number for each."""
    if isinstance(values, Mapping):
        missing = [name for name in classes if name not in values]
        if missing:
            faults.append(f"values must have every class, not {_listed(missing)}")
            return None
        given: list[object] = [values[name] for name in classes]
    elif values is not None:
        given = list(values)
        if len(given) != len(classes):
            faults.append(f"values must be as many as the {len(classes)} classes, got {len(given)}")
            return None
    else:
        given = list(classes)
    wrong = [value for value in given if not _is_number(value)]
    if wrong:
        faults.append(f"labels must be finite numbers for the interval metric, got {_listed(wrong)}")
        return None
    return np.array([float(str(value)) for value in given], dtype=np.float64)


def _is_number(value: object) -> bool:
    try:
        return isfinite(float(str(value)))
    except ValueError:
        return False


def _listed(values: Sequence[object]) -> str:
    more = f" and {len(values) - 5:,} more" if len(values) > 5 else ""
    return ", ".join(map(repr, values[:5])) + more


def _repeat_notes(votes: Votes) -> list[str]:
    if not votes.repeats:
        return []
    return [f"{votes.repeats:,} votes are of workers who had given the item one before"]


def _interval_faults(interval: Interval) -> list[str]:
    faults = []
    if interval.uncertainty not in _UNCERTAINTIES:
        faults.append(f"uncertainty must be one of {', '.join(_UNCERTAINTIES)}, got {interval.uncertainty!r}")
    if not 0 < interval.confidence < 1:
        faults.append(f"confidence must be above 0 and below 1, got {interval.confidence}")
    if interval.resamples < 100:
        faults.append(f"resamples must be at least 100, got {interval.resamples}")
    return faults


def _require(faults: list[str]) -> None:
    if faults:
        raise InvalidDataError(faults)
