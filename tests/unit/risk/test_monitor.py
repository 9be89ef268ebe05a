"""The monitors of a live error rate: what they promise under the bound, how soon they alarm above it."""

import json
import math
from itertools import pairwise, product, repeat

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from overread.errors import InvalidDataError
from overread.risk.beta import log_binomial_sf
from overread.risk.monitor import (
    AnyMonitor,
    Audit,
    ErrorDetector,
    ErrorMonitor,
    LastingErrorMonitor,
    WeightedErrorMonitor,
    alarm_boundary,
    alarm_chances,
    crossing_chances,
    design_delay,
)

ALPHA = DELTA = 0.05
AUDITS = st.lists(st.booleans(), max_size=60)


def _evidence(n: int, errors: int, *, alpha: float = ALPHA) -> float:
    return math.exp(ErrorMonitor(alpha=alpha, delta=DELTA, n=n, errors=errors).log_e)


def _monitor(*, n: int = 0, errors: int = 0) -> ErrorMonitor:
    return ErrorMonitor(alpha=ALPHA, delta=DELTA, n=n, errors=errors)


def _detector(*, horizon: int = 1000) -> ErrorDetector:
    return ErrorDetector(alpha=ALPHA, delta=DELTA, horizon=horizon)


def _lasting() -> LastingErrorMonitor:
    return LastingErrorMonitor(alpha=ALPHA, delta=DELTA)


def test_evidence_of_one_error_worked_by_hand() -> None:
    # alpha 1/2, prior Beta(2, 2) with density 6 q (1 - q), above 1/2 with weight 1/2. After one error:
    # E = 2 × ∫_{1/2}^1 6 q (1 - q) × q / (1/2) dq = 24 × [q³/3 - q⁴/4] = 24 × (1/12 - 5/192) = 1.375;
    # after one audit without: each q weighs (1 - q) / (1/2), so E = 2 - 1.375.
    assert _evidence(1, 1, alpha=0.5) == pytest.approx(1.375, rel=1e-12)
    assert _evidence(1, 0, alpha=0.5) == pytest.approx(0.625, rel=1e-12)


@pytest.mark.parametrize(("n", "errors"), [(1, 0), (40, 7), (300, 15), (300, 40)])
def test_evidence_is_the_integral_that_it_is_said_to_be(n: int, errors: int) -> None:
    prior = stats.beta(2, 1 / ALPHA)

    def weighed(rate: float) -> float:
        ratio = errors * math.log(rate / ALPHA) + (n - errors) * math.log((1 - rate) / (1 - ALPHA))
        return float(prior.pdf(rate) / prior.sf(ALPHA) * math.exp(ratio))

    value, _ = integrate.quad(weighed, ALPHA, 1 - 1e-12, points=[0.1, 0.2], limit=200)

    assert _evidence(n, errors) == pytest.approx(value, rel=1e-7)


def _expected(values: dict[tuple[bool, ...], float], *, rate: float) -> float:
    return sum(
        value * rate ** sum(stream) * (1 - rate) ** (len(stream) - sum(stream))
        for stream, value in values.items()
    )


@pytest.mark.parametrize(("rate", "is_fair"), [(ALPHA, True), (0.03, False), (0.0, False)])
def test_evidence_is_not_expected_to_grow_under_the_bound(rate: float, is_fair: bool) -> None:
    # Every stream of 9 audits; at alpha itself the mean evidence stays exactly 1.
    streams = {
        stream: math.exp(_monitor().fold(stream).monitor.log_e) for stream in product([False, True], repeat=9)
    }
    mean = _expected(streams, rate=rate)

    assert mean == pytest.approx(1, rel=1e-12) if is_fair else mean < 0.95


def test_detector_sums_as_many_monitors_as_there_were_audits() -> None:
    # At alpha each of the 7 restarted bets is fair, so that the sum is expected to be 7.
    streams = {
        stream: math.exp(_detector().fold(stream).monitor.log_e)
        for stream in product([False, True], repeat=7)
    }

    assert _expected(streams, rate=ALPHA) == pytest.approx(7, rel=1e-12)
    assert _expected(streams, rate=0.02) < 7


@pytest.mark.parametrize(("rate", "is_fair"), [(ALPHA, True), (0.03, False)])
def test_lasting_evidence_is_not_expected_to_grow_under_the_bound(rate: float, is_fair: bool) -> None:
    streams = {
        stream: math.exp(_lasting().fold(stream).monitor.log_e) for stream in product([False, True], repeat=8)
    }
    mean = _expected(streams, rate=rate)

    assert _lasting().log_e == pytest.approx(0, abs=1e-12)
    assert mean == pytest.approx(1, rel=1e-12) if is_fair else mean < 0.97


@given(st.lists(st.floats(0, 1), min_size=1, max_size=300), st.sampled_from([0.02, 0.1, 0.3]))
@settings(max_examples=30, deadline=None)
def test_lasting_monitor_alarms_no_later_than_a_plain_one_twice_as_sure(
    positions: list[float], rate: float
) -> None:
    errors = [position < rate for position in positions]
    plain = ErrorMonitor(alpha=ALPHA, delta=DELTA / 2).fold(errors).alarm_at

    assert plain is None or (_lasting().fold(errors).alarm_at or 0) <= plain


def test_lasting_monitor_keeps_delta_and_is_soon_whenever_the_drift_begins() -> None:
    generator = np.random.default_rng(20261123)
    null = [_lasting().fold((generator.random(300) < ALPHA).tolist()).alarm_at for _ in range(60)]
    at_once = [_lasting().fold((generator.random(200) < 0.1).tolist()).alarm_at for _ in range(100)]
    start = _lasting().fold((generator.random(2000) < 0.02).tolist()).monitor
    later = [start.fold((generator.random(900) < 0.1).tolist()).alarm_at for _ in range(15)]

    assert np.mean([alarm is not None for alarm in null]) <= DELTA + 2 * math.sqrt(DELTA * (1 - DELTA) / 60)
    surely = alarm_chances(ALPHA, delta=DELTA / 2, rate=0.1, looks=200)[-1]
    assert np.mean([alarm is not None for alarm in at_once]) >= surely - 2 * math.sqrt(0.25 / 100)
    assert np.median([alarm or 9999 for alarm in later]) < 800  # a plain one: more than 2,000


def test_lasting_monitor_tells_how_it_has_been_of_late() -> None:
    drifted = _lasting().fold([False] * 900 + [number % 5 == 0 for number in range(400)]).monitor
    good = drifted.fold([False] * 2000).monitor

    # The errors begin with the 901st audit, and every fifth is one.
    assert (drifted.recent_n, drifted.recent_errors) == (400, 80)
    assert drifted.recent_estimate == pytest.approx(0.2)
    assert drifted.estimate == pytest.approx(80 / 1300)
    assert (good.recent_n, good.recent_estimate) == (0, None)
    assert good.is_alarm


def test_weighted_evidence_is_fair_where_propensities_follow_the_case() -> None:
    # Half of the cases are audited at 0.8 and never wrong, half at 0.2 and wrong at 0.1: 0.05 of all are
    # wrong, though of the audited ones only 0.2 × 0.1 / (0.8 + 0.2) = 0.02 are. What one case may come to:
    outcomes = {
        None: 0.5 * 0.2 + 0.5 * 0.8,
        Audit(is_error=False, propensity=0.8): 0.5 * 0.8,
        Audit(is_error=True, propensity=0.2): 0.5 * 0.2 * 0.1,
        Audit(is_error=False, propensity=0.2): 0.5 * 0.2 * 0.9,
    }
    start = WeightedErrorMonitor(alpha=ALPHA, delta=DELTA, floor=0.2)
    mean = 0.0
    for cases in product(outcomes, repeat=5):
        audits = [case for case in cases if case is not None]
        evidence = math.exp(start.fold(audits).monitor.log_e)
        mean += evidence * math.prod(outcomes[case] for case in cases)

    assert mean == pytest.approx(1, rel=1e-12)


def test_weighted_monitor_with_equal_propensities_is_nearly_the_plain_one() -> None:
    errors = [number % 10 == 0 for number in range(300)]
    plain = _monitor().fold(errors)
    weighted = WeightedErrorMonitor(alpha=ALPHA, delta=DELTA, floor=0.3).fold(
        Audit(is_error=each, propensity=0.3) for each in errors
    )

    assert weighted.monitor.log_e == pytest.approx(plain.monitor.log_e, abs=0.05)
    assert weighted.monitor.estimate == pytest.approx(0.1)


def test_weighted_monitor_sees_errors_where_hardly_anyone_looks() -> None:
    # 15 % of the cases audited at 0.1 are wrong, none of those at 1: 0.075 of all, 0.0136 of the audited.
    generator = np.random.default_rng(11)
    is_rare = generator.random(40_000) < 0.5
    propensity = np.where(is_rare, 0.1, 1.0)
    is_error = is_rare & (generator.random(40_000) < 0.15)
    is_audited = generator.random(40_000) < propensity
    audits = [
        Audit(is_error=bool(wrong), propensity=float(share))
        for wrong, share in zip(is_error[is_audited], propensity[is_audited], strict=True)
    ]
    weighted = WeightedErrorMonitor(alpha=ALPHA, delta=DELTA, floor=0.1).fold(audits)

    assert weighted.alarm_at is not None
    assert weighted.monitor.estimate == pytest.approx(0.075, abs=0.008)
    assert not _monitor().fold(audit.is_error for audit in audits).monitor.is_alarm


@given(st.integers(1, 400), st.data())
def test_more_errors_are_more_evidence(n: int, data: st.DataObject) -> None:
    errors = data.draw(st.integers(0, n - 1))

    evidence = _monitor(n=n, errors=errors).log_e
    assert evidence < _monitor(n=n, errors=errors + 1).log_e
    assert evidence > _monitor(n=n + 1, errors=errors).log_e


@given(AUDITS, st.integers(0, 60))
@settings(max_examples=40, deadline=None)
def test_batches_fold_to_the_same_as_one_by_one(errors: list[bool], cut: int) -> None:
    for start in (_monitor(), _lasting(), _detector()):
        whole = start.fold(errors).monitor
        parts = start.fold(errors[:cut]).monitor.fold(errors[cut:]).monitor
        single = start
        for each in errors:
            single = single.observed(is_error=each)

        assert whole == parts == single


def test_order_within_the_counts_changes_the_highest_evidence_only() -> None:
    early = _monitor().fold([True] * 6 + [False] * 94).monitor
    late = _monitor().fold([False] * 94 + [True] * 6).monitor

    assert (early.n, early.errors, early.log_e) == (late.n, late.errors, late.log_e)
    assert early.is_alarm
    assert not late.is_alarm


def test_alarm_tells_its_audit_and_stays() -> None:
    # The fewest errors that alarm after n = 1, 2 … audits; with one good audit first, n - 1 errors.
    fewest = alarm_boundary(ALPHA, delta=DELTA, looks=9)
    first = next(n for n in range(1, 10) if n - 1 >= fewest[n - 1])
    crossed = _monitor().fold([False] + [True] * 8)
    quiet_after = crossed.monitor.fold([False] * 500)

    assert 2 < first < 9
    assert _monitor().fold([False] + [True] * (first - 2)).alarm_at is None
    assert (crossed.alarm_at, crossed.monitor.alarm_n) == (first, first)
    assert quiet_after.alarm_at is None
    assert quiet_after.monitor.log_e < 0
    assert (quiet_after.monitor.is_alarm, quiet_after.monitor.alarm_n) == (True, first)


def test_totals_may_be_given_at_once_but_not_fall() -> None:
    monitor = _monitor(n=100, errors=3)

    assert monitor.with_counts(n=200, errors=30) == ErrorMonitor(
        alpha=ALPHA, delta=DELTA, n=200, errors=30, log_e_max=0.0, alarm_n=200
    )
    with pytest.raises(InvalidDataError, match="n must not fall, got 99 after 100; errors must not fall"):
        monitor.with_counts(n=99, errors=2)


@given(st.integers(1, 2000), st.data())
@settings(max_examples=60, deadline=None)
def test_interval_holds_the_estimate_and_is_where_the_mixture_refutes(n: int, data: st.DataObject) -> None:
    errors = data.draw(st.integers(0, n // 2))
    low, high = _monitor(n=n, errors=errors).interval()

    assert low <= errors / n <= high < 1
    assert (low == 0) == (errors == 0)
    assert _monitor(n=n, errors=n).interval()[1] == 1
    for limit in {low, high} - {0.0, 1.0}:
        prior, after = (2, 20), (2 + errors, 20 + n - errors)
        mixture = (
            special.betaln(*after)
            - special.betaln(*prior)
            - errors * math.log(limit)
            - (n - errors) * math.log1p(-limit)
        )
        assert mixture == pytest.approx(math.log(1 / DELTA), abs=1e-6)


def test_interval_shrinks_and_knows_nothing_before_the_first_audit() -> None:
    widths = [high - low for low, high in (_monitor(n=20 * k, errors=k).interval() for k in (1, 5, 50, 500))]

    assert _monitor().interval() == (0.0, 1.0)
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.016


@given(st.integers(1, 1000), st.data())
@settings(max_examples=60, deadline=None)
def test_an_interval_above_the_bound_is_never_without_alarm(n: int, data: st.DataObject) -> None:
    errors = data.draw(st.integers(0, min(n, n // 5 + 5)))
    monitor = _monitor(n=n, errors=errors)

    assert monitor.is_alarm or monitor.interval()[0] <= ALPHA


def test_interval_covers_the_rate_at_all_times_at_once() -> None:
    # The rate leaves the interval when the count reaches either side; 400 streams of 1,000 audits.
    generator = np.random.default_rng(3)
    counts = (generator.random((400, 1000)) < 0.08).cumsum(axis=1)
    looks = (10, 30, 100, 200, 300, 500, 700, 1000)
    limits = {
        (n, int(errors)): _monitor(n=n, errors=int(errors)).interval()
        for n in looks
        for errors in np.unique(counts[:, n - 1])
    }
    is_missed = [any(not low <= 0.08 <= high for low, high in _along(row, looks, limits)) for row in counts]

    assert np.mean(is_missed) <= DELTA


def _along(
    row: np.ndarray, looks: tuple[int, ...], limits: dict[tuple[int, int], tuple[float, float]]
) -> list[tuple[float, float]]:
    return [limits[n, int(row[n - 1])] for n in looks]


def test_boundary_is_the_fewest_errors_that_alarm() -> None:
    boundary = alarm_boundary(ALPHA, delta=DELTA, looks=400)

    for n, fewest in enumerate(boundary, 1):
        assert fewest > n or _monitor(n=n, errors=fewest).is_alarm
        assert not _monitor(n=n, errors=min(fewest - 1, n)).is_alarm
    assert {later - earlier for earlier, later in pairwise(boundary)} == {0, 1}


def test_a_boundary_that_no_run_of_errors_reaches_is_one_beyond_it() -> None:
    assert alarm_boundary(0.5, delta=0.01, looks=4) == (2, 3, 4, 5)


def test_chances_equal_those_of_all_streams() -> None:
    boundary = alarm_boundary(0.1, delta=0.2, looks=10)
    chances = alarm_chances(0.1, delta=0.2, rate=0.3, looks=10)
    crossed = {
        stream: float(any(sum(stream[:n]) >= boundary[n - 1] for n in range(1, 11)))
        for stream in product([False, True], repeat=10)
    }

    assert chances[-1] == pytest.approx(_expected(crossed, rate=0.3), rel=1e-12)


def test_false_alarms_stay_below_delta_however_long_one_looks() -> None:
    # Exactly, not by trial: over 3,000 and over 20,000 looks at the bound itself.
    chances = alarm_chances(ALPHA, delta=DELTA, rate=ALPHA, looks=20_000)

    assert chances[2999] == pytest.approx(0.0332, abs=0.0001)
    assert 0.034 < chances[-1] < DELTA


def test_a_test_made_for_one_look_fails_when_peeked_at() -> None:
    def naive() -> "list[int]":
        fewest, boundary = 1, []
        for n in range(1, 3001):
            while log_binomial_sf(fewest - 1, n, ALPHA) > math.log(DELTA):
                fewest += 1
            boundary.append(fewest)
        return boundary

    chance = list(crossing_chances(naive(), rates=repeat(ALPHA)))[-1]

    assert chance > 0.3


def test_simulated_streams_alarm_as_the_exact_chances_say() -> None:
    boundary = np.array(alarm_boundary(ALPHA, delta=DELTA, looks=2000))
    generator = np.random.default_rng(20261123)
    null = (generator.random((600, 2000)) < ALPHA).cumsum(axis=1) >= boundary
    drifted = (generator.random((600, 2000)) < 2 * ALPHA).cumsum(axis=1) >= boundary
    delays = drifted.argmax(axis=1) + 1

    assert null.any(axis=1).mean() <= DELTA + 2 * math.sqrt(DELTA * (1 - DELTA) / 600)
    assert drifted.any(axis=1).all()
    assert np.median(delays) == pytest.approx(138, abs=25)


def test_design_delay_at_twice_the_bound() -> None:
    delay = design_delay(ALPHA, delta=DELTA, rate=2 * ALPHA)

    assert (delay.median, delay.p90) == (138, 380)
    assert delay.mean == pytest.approx(178.3, abs=0.1)
    assert delay.alarm_chance == pytest.approx(1, abs=1e-6)


def test_design_delay_shrinks_with_the_rate_and_grows_with_certainty() -> None:
    medians = [design_delay(ALPHA, delta=DELTA, rate=rate).median for rate in (0.08, 0.1, 0.2, 0.5)]
    certain = design_delay(ALPHA, delta=0.001, rate=0.1).median

    assert None not in medians
    assert medians == sorted(medians, reverse=True)  # type: ignore[type-var]
    assert certain is not None
    assert certain > 138


def test_design_delay_says_when_the_looks_are_too_few() -> None:
    delay = design_delay(ALPHA, delta=DELTA, rate=ALPHA, looks=500)

    assert (delay.median, delay.p90, delay.mean) == (None, None, None)
    assert delay.alarm_chance < DELTA


def test_a_long_good_time_delays_the_monitor_but_hardly_the_detector() -> None:
    after_good = design_delay(ALPHA, delta=DELTA, rate=0.1, good_audits=1000, good_rate=0.02).median
    generator = np.random.default_rng(8)
    start = _detector(horizon=5000).fold((generator.random(1000) < 0.02).tolist()).monitor
    delays = [start.fold((generator.random(1500) < 0.1).tolist()).alarm_at for _ in range(20)]

    assert after_good is not None
    assert after_good > 1000
    assert None not in delays
    assert np.median([delay for delay in delays if delay]) < 500


def test_good_audits_before_the_drift_do_not_count_in_the_delay() -> None:
    # One good audit, after which no alarm is possible: the delay is one less than the audits from the start.
    boundary = alarm_boundary(0.2, delta=0.3, looks=60)
    chances = list(crossing_chances(boundary, rates=[0.0, *repeat(0.6, 59)]))
    delay = design_delay(0.2, delta=0.3, rate=0.6, good_audits=1, looks=50)

    assert chances[0] == 0
    assert delay.median == next(n for n, chance in enumerate(chances) if chance >= 0.5)
    assert delay.p90 == next(n for n, chance in enumerate(chances) if chance >= 0.9)


def test_delay_is_that_of_the_streams_without_an_alarm_before() -> None:
    # At 0.3 for 20 audits, many streams alarm before the drift to 0.6: these do not wait for it any more.
    boundary = alarm_boundary(0.2, delta=0.3, looks=60)
    chances = list(crossing_chances(boundary, rates=[*repeat(0.3, 20), *repeat(0.6, 40)]))
    waiting = [(1 - chance) / (1 - chances[19]) for chance in chances[20:]]
    delay = design_delay(0.2, delta=0.3, rate=0.6, good_audits=20, good_rate=0.3, looks=40)

    assert chances[19] > 0.3
    assert delay.p90 == next(n for n, share in enumerate(waiting, 1) if share <= 0.1)
    assert delay.alarm_chance == pytest.approx(1 - waiting[-1], abs=1e-9)
    with pytest.raises(
        InvalidDataError, match=r"500 audits at an error rate of 0\.9 end in an alarm already"
    ):
        design_delay(0.2, delta=0.3, rate=0.6, good_audits=500, good_rate=0.9)


def test_detector_keeps_its_promise_over_its_horizon() -> None:
    generator = np.random.default_rng(21)
    detector = _detector(horizon=400)
    alarms = [
        detector.fold((generator.random(400) < ALPHA).tolist()).alarm_at is not None for _ in range(100)
    ]

    assert np.mean(alarms) <= DELTA + 2 * math.sqrt(DELTA * (1 - DELTA) / 100)


def _states() -> list[AnyMonitor]:
    weighted = WeightedErrorMonitor(alpha=ALPHA, delta=DELTA, floor=0.1)
    return [
        _monitor(),
        _monitor().fold([False] + [True] * 8 + [False]).monitor,
        weighted,
        weighted.observed(is_error=True, propensity=0.4),
        _lasting(),
        _lasting().fold([False] + [True] * 8 + [False]).monitor,
        _detector(),
        _detector().fold([True, False, True]).monitor,
    ]


@pytest.mark.parametrize("state", _states())
def test_state_survives_json(state: AnyMonitor) -> None:
    text = json.dumps(state.document(), allow_nan=False)

    assert type(state).from_document(json.loads(text)) == state


def test_a_broken_state_names_all_its_faults() -> None:
    document = {**_monitor().document(), "n": -1, "errors": 2.5, "log_e_max": float("nan"), "color": "red"}
    del document["delta"]

    with pytest.raises(InvalidDataError) as refused:
        ErrorMonitor.from_document(document)

    assert refused.value.faults == (
        "delta is missing",
        "color is not known here",
        "n must be a whole number of at least 0, got -1",
        "errors must be a whole number of at least 0, got 2.5",
        "log_e_max must be a number of at least 0, got nan",
    )


def test_bad_bounds_and_counts_are_refused_together() -> None:
    with pytest.raises(InvalidDataError) as refused:
        ErrorMonitor(alpha=0.0, delta=1.5, n=3, errors=4)

    assert refused.value.faults == (
        "alpha must lie between 0 and 1, got 0.0",
        "delta must lie between 0 and 1, got 1.5",
        "errors must be between 0 and n, got 4 errors of n = 3",
    )


@pytest.mark.parametrize("propensity", [0.0, 0.05, 1.2, math.nan])
def test_propensities_outside_the_floor_and_one_are_refused_with_their_rows(propensity: float) -> None:
    monitor = WeightedErrorMonitor(alpha=ALPHA, delta=DELTA, floor=0.1)
    audits = [Audit(is_error=False, propensity=0.5), Audit(is_error=True, propensity=propensity)]

    with pytest.raises(InvalidDataError, match=r"between the floor 0\.1 and 1, got .* \(row 2\)"):
        monitor.fold(audits)
    with pytest.raises(InvalidDataError, match="floor must be a propensity"):
        WeightedErrorMonitor(alpha=ALPHA, delta=DELTA, floor=0.0)
