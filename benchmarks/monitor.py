"""The error monitor: false alarms at the bound and delays above it, over many streams, beside the design.

At alpha = delta = 0.05. The same streams also go through a test made for one look, peeked at: it must fail.
"""

import numpy as np
from benchmarks.measure import Measurement
from numpy.typing import NDArray
from scipy import special

from overread.risk.beta import log_binomial_sf
from overread.risk.monitor import alarm_boundary, alarm_chances, bets, design_delay

ALPHA = DELTA = 0.05
RATE = 2 * ALPHA
STREAMS, LOOKS = 2_000, 5_000
SEEDS = 200
GOOD_AUDITS, GOOD_RATE = 1_000, 0.02
BLOCK = 200

Counts = NDArray[np.int64]


def run() -> list[Measurement]:
    """Shares of streams with a false alarm, medians and means of delays, each beside its design value."""
    generator = np.random.default_rng(20261123)
    boundary = np.array(alarm_boundary(ALPHA, delta=DELTA, looks=LOOKS))
    limit = DELTA + 2 * float(np.sqrt(DELTA * (1 - DELTA) / STREAMS))
    exact = alarm_chances(ALPHA, delta=DELTA, rate=ALPHA, looks=LOOKS)
    alarms, naive = _false_alarms(boundary, generator=generator)
    weighted = _weighted_alarms(generator=generator)
    return [
        _beside("monitor: false alarms, 5,000 looks (limit)", alarms[LOOKS], "share", limit),
        _beside("monitor: false alarms, 5,000 looks (exact)", alarms[LOOKS], "share", exact[-1]),
        _beside("monitor: false alarms, 3,000 looks (exact)", alarms[3000], "share", exact[2999]),
        _beside("monitor: one-look test peeked at, 3,000 looks (delta)", naive[3000], "share", DELTA),
        *_delays(boundary, generator=generator),
        *_after_a_good_time(boundary, generator=generator),
        *_lasting(limit, generator=generator),
        _beside("monitor, weighted: false alarms (limit)", weighted, "share", limit),
    ]


def one_look_boundary(looks: int) -> Counts:
    """For each n the fewest errors at which the exact binomial test of level delta refuses alpha."""
    fewest, found = 1, []
    for n in range(1, looks + 1):
        while log_binomial_sf(fewest - 1, n, ALPHA) > np.log(DELTA):
            fewest += 1
        found.append(fewest)
    return np.array(found)


def _false_alarms(
    boundary: Counts, *, generator: np.random.Generator
) -> tuple[dict[int, float], dict[int, float]]:
    naive = one_look_boundary(LOOKS)
    first: dict[str, list[Counts]] = {"monitor": [], "naive": []}
    for _ in range(STREAMS // BLOCK):
        counts = (generator.random((BLOCK, LOOKS)) < ALPHA).cumsum(axis=1)
        first["monitor"].append(_first_crossing(counts, boundary))
        first["naive"].append(_first_crossing(counts, naive))
    alarms, peeked = (np.concatenate(first[name]) for name in ("monitor", "naive"))
    looks = (3000, LOOKS)
    return (
        {look: float((alarms <= look).mean()) for look in looks},
        {look: float((peeked <= look).mean()) for look in looks},
    )


def _delays(boundary: Counts, *, generator: np.random.Generator) -> list[Measurement]:
    designed = design_delay(ALPHA, delta=DELTA, rate=RATE)
    counts = (generator.random((STREAMS, 3000)) < RATE).cumsum(axis=1)
    delays = _first_crossing(counts, boundary[:3000])
    seeds = np.array(
        [
            _first_crossing(
                (np.random.default_rng(seed).random((1, 3000)) < RATE).cumsum(axis=1), boundary[:3000]
            )[0]
            for seed in range(SEEDS)
        ]
    )
    return [
        _beside(
            "monitor: audits to alarm at 2 alpha, median", float(np.median(delays)), "audits", designed.median
        ),
        _beside("monitor: audits to alarm, median (170)", float(np.median(delays)), "audits", 170),
        _beside("monitor: audits to alarm, 90 %", float(np.quantile(delays, 0.9)), "audits", designed.p90),
        _beside("monitor: 200 seeds, median", float(np.median(seeds)), "audits", designed.median),
        _beside("monitor: 200 seeds, mean", float(seeds.mean()), "audits", designed.mean),
    ]


def _after_a_good_time(boundary: Counts, *, generator: np.random.Generator) -> list[Measurement]:
    """The delay after 1,000 good audits: the monitor's by its design, the detector's by that."""
    designed = design_delay(ALPHA, delta=DELTA, rate=RATE, good_audits=GOOD_AUDITS, good_rate=GOOD_RATE)
    looks = LOOKS - GOOD_AUDITS
    rates = np.repeat([GOOD_RATE, RATE], [GOOD_AUDITS, looks])
    errors = generator.random((SEEDS, LOOKS)) < rates
    delays = _first_crossing(errors.cumsum(axis=1), boundary) - GOOD_AUDITS
    detected = _detector_alarms(errors, horizon=LOOKS)
    null = _detector_alarms(generator.random((SEEDS * 2, LOOKS)) < ALPHA, horizon=LOOKS)
    after = detected[detected > GOOD_AUDITS] - GOOD_AUDITS
    median = float(np.median(delays))
    return [
        _beside("monitor: delay after 1,000 good audits, median", median, "audits", designed.median),
        _beside(
            "monitor, detector: delay after 1,000 good audits, median (monitor)",
            float(np.median(after)),
            "audits",
            median,
        ),
        _beside(
            "monitor, detector: false alarms in its horizon (delta)",
            float((null <= LOOKS).mean()),
            "share",
            DELTA,
        ),
    ]


def _lasting(limit: float, *, generator: np.random.Generator) -> list[Measurement]:
    """`LastingErrorMonitor`: false alarms; delays at once and after good audits by `ErrorMonitor`'s."""
    designed = design_delay(ALPHA, delta=DELTA, rate=RATE)
    null = _lasting_alarms(generator.random((STREAMS, LOOKS)) < ALPHA)
    at_once = _lasting_alarms(generator.random((SEEDS, 2000)) < RATE)
    found = [
        _beside("monitor, lasting: false alarms (limit)", float((null <= LOOKS).mean()), "share", limit),
        _beside(
            "monitor, lasting: audits to alarm, median",
            float(np.median(at_once)),
            "audits",
            designed.median,
        ),
    ]
    for good in (GOOD_AUDITS, 4 * GOOD_AUDITS):
        plain = design_delay(ALPHA, delta=DELTA, rate=RATE, good_audits=good, good_rate=GOOD_RATE, looks=9000)
        rates = np.repeat([GOOD_RATE, RATE], [good, 2000])
        alarms = _lasting_alarms(generator.random((SEEDS, good + 2000)) < rates)
        after = float(np.median(alarms[alarms > good] - good))
        found.append(_beside(f"monitor, lasting: after {good:,} good ones", after, "audits", plain.median))
    return found


def _lasting_alarms(errors: NDArray[np.bool_]) -> Counts:
    """When each stream's `LastingErrorMonitor` first alarms, one more than there are audits for never."""
    stakes = np.array(bets(ALPHA))
    sums, counts = np.zeros((len(errors), len(stakes))), np.zeros(len(errors))
    first = np.full(len(errors), errors.shape[1] + 1)
    kept = 1.0
    for look, wrong in enumerate(errors.T, 1):
        before, kept = kept, 1 / (1 + np.log1p(look))
        sums = np.minimum((sums + (before - kept)) * (1 + stakes * (wrong[:, None] - ALPHA)), 1e200)
        counts += wrong
        evidence = (_evidence(look, counts) + sums.mean(axis=1) + kept) / 2
        first[(evidence >= 1 / DELTA) & (first > look)] = look
    return first


def _evidence(n: int, errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """The evidence of `ErrorMonitor` by its formula, with scipy."""
    a, b = 2.0, 1 / ALPHA
    after = a + errors, b + n - errors
    with np.errstate(divide="ignore"):
        tail = np.log(special.betaincc(*after, ALPHA)) - np.log(special.betaincc(a, b, ALPHA))
    ratio = (
        special.betaln(*after)
        - special.betaln(a, b)
        - errors * np.log(ALPHA)
        - (n - errors) * np.log1p(-ALPHA)
    )
    return np.asarray(np.exp(np.minimum(tail + ratio, 300.0)), dtype=np.float64)


def _detector_alarms(errors: NDArray[np.bool_], *, horizon: int) -> Counts:
    """When each stream's detector first alarms, LOOKS + 1 for never: the recursion of `ErrorDetector`."""
    stakes = np.array(bets(ALPHA))
    sums = np.zeros((len(errors), len(stakes)))
    first = np.full(len(errors), LOOKS + 1)
    for look, wrong in enumerate(errors.T, 1):
        sums = (sums + 1) * (1 + stakes * (wrong[:, None] - ALPHA))
        crossed = (sums.mean(axis=1) >= horizon / DELTA) & (first > look)
        first[crossed] = look
        sums = np.minimum(sums, 1e200)
    return first


def _weighted_alarms(*, generator: np.random.Generator) -> float:
    """The share of 2,000 streams of 3,000 audits that alarms at propensities 1 and 0.2, alpha overall.

    Half of the cases are audited at 0.2, and they make all the errors.
    """
    stakes = np.array(bets(ALPHA))
    logs = np.zeros((STREAMS, len(stakes)))
    highest = np.zeros(STREAMS)
    for _ in range(3000):
        # Of the audited cases, 1 in 6 is of the half that is audited at 0.2; 2 alpha of that half are wrong.
        is_rare = generator.random(STREAMS) < 1 / 6
        wrong = is_rare & (generator.random(STREAMS) < 2 * ALPHA)
        share = np.where(is_rare, 1.0, 0.2)
        logs += np.log1p(stakes * (share * (wrong - ALPHA))[:, None])
        peak = logs.max(axis=1)
        highest = np.maximum(highest, peak + np.log(np.exp(logs - peak[:, None]).mean(axis=1)))
    return float((highest >= -np.log(DELTA)).mean())


def _first_crossing(counts: NDArray[np.integer], boundary: Counts) -> Counts:
    """The first look at which each stream reaches the boundary; one more than there are looks for never."""
    crossed = counts >= boundary
    first = np.where(crossed.any(axis=1), crossed.argmax(axis=1) + 1, counts.shape[1] + 1)
    return np.asarray(first, dtype=np.int64)


def _beside(name: str, value: float, unit: str, baseline: float | None) -> Measurement:
    if not baseline:
        return Measurement(name=name, value=value, unit=unit)
    return Measurement.against(name, value=value, unit=unit, baseline=baseline)
