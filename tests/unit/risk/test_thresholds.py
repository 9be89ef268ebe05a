"""Certified thresholds: worked by hand, whole ties, honest refusals, delta spent once, no silent pooling."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.threshold import ALPHA, DELTA, peer_threshold
from benchmarks.threshold import GRID as PEER_GRID
from hypothesis import given
from hypothesis import strategies as st

from overread.errors import InvalidDataError
from overread.risk import binomial
from overread.risk.binomial import binomial_cdf
from overread.risk.scores import Scores, scores
from overread.risk.sequences import Counts, plan_for, run_search
from overread.risk.thresholds import (
    GRID,
    certify_miss_rate,
    certify_missed,
    certify_threshold,
    certify_thresholds_by,
)


def _points(*parts: tuple[float, int, int], **columns: str) -> Scores:
    """(confidence, right, wrong) for each part; the same label, truth or group throughout."""
    confidence = np.concatenate([np.full(right + wrong, at) for at, right, wrong in parts])
    correct = np.concatenate([np.arange(right + wrong) < right for _, right, wrong in parts])
    named = {name: (value,) * confidence.size for name, value in columns.items()}
    return Scores(confidence, correct, **named)  # type: ignore[arg-type]


def _together(*parts: Scores) -> Scores:
    def names(name: str) -> tuple[str, ...] | None:
        columns = [getattr(part, name) for part in parts]
        return None if None in columns else tuple(each for column in columns for each in column)

    return Scores(
        np.concatenate([part.confidence for part in parts]),
        np.concatenate([part.is_correct for part in parts]),
        label=names("label"),
        truth=names("truth"),
        group=names("group"),
    )


def test_a_sequence_by_hand() -> None:
    # alpha 1/2, delta 0.3, four points: too few for the usual start (4 ln 0.3/ln 0.5 = 6.95), so the sequence
    # starts at two points (0.5² = 0.25 <= 0.3).  t = .9: 0 of 2, p = 1/4; t = .8: 0 of 3, p = 1/8;
    # t = .7: 1 of 4, p = (1 + 4)/16 = 0.3125 > 0.3: stop.
    found = certify_threshold(
        _points((0.9, 2, 0), (0.8, 1, 0), (0.7, 0, 1)), alpha=0.5, delta=0.3, grid=[0.6, 0.7, 0.8, 0.9]
    )
    assert found.is_certified
    assert (found.threshold, found.n, found.errors, found.points, found.coverage) == (0.8, 3, 0, 4, 0.75)
    assert found.upper_bound == pytest.approx(1 - 0.3 ** (1 / 3))  # (1 - u)³ = 0.3
    assert found.method == "fixed-sequence-binomial"
    assert found.needed is None
    assert found.message == (
        "at most 50 % of the automatic decisions are wrong (70 % sure) at a threshold of 0.8: "
        "75 % of 4 points, 0 errors in 3"
    )


def test_the_sequence_stops_at_the_first_failure_even_if_a_later_test_would_pass() -> None:
    # t = .9: 0 of 2, p = 1/4; t = .8: 1 of 3, p = 4/8: stop. t = .7 would give 1 of 5, p = 6/32.
    found = certify_threshold(
        _points((0.9, 2, 0), (0.8, 0, 1), (0.7, 2, 0)), alpha=0.5, delta=0.3, grid=[0.7, 0.8, 0.9]
    )
    assert found.threshold == 0.9


def test_equal_confidences_are_accepted_or_refused_together() -> None:
    found = certify_threshold(_points((0.9, 300, 0), (0.8, 150, 150)), alpha=0.05, delta=0.1)
    assert found.n == 300
    assert found.threshold is not None
    assert 0.8 < found.threshold <= 0.9


def test_a_confidence_that_equals_the_threshold_is_automatic() -> None:
    found = certify_threshold(_points((0.9, 300, 0)), alpha=0.05, delta=0.1, grid=[0.9])
    assert (found.threshold, found.n) == (0.9, 300)


def test_the_order_of_the_points_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    confidence = np.round(rng.random(1_500), 3)
    points = Scores(confidence, rng.random(1_500) < 0.9 + 0.1 * confidence)
    shuffled = points.take(rng.permutation(1_500))
    assert certify_threshold(shuffled, alpha=0.06, delta=0.1) == certify_threshold(
        points, alpha=0.06, delta=0.1
    )


def test_299_points_without_an_error_certify_one_percent_and_298_do_not() -> None:
    assert certify_threshold(_points((0.8, 299, 0)), alpha=0.01, delta=0.05).is_certified
    found = certify_threshold(_points((0.8, 298, 0)), alpha=0.01, delta=0.05)
    assert not found.is_certified
    assert found.needed == 1
    assert found.message == "cannot guarantee 1 % from 298 points; about 1 more error-free one is needed"


def test_a_refusal_counts_what_is_missing() -> None:
    # 900 points of one confidence, 9 wrong. With so many more that a search becomes possible the sequence has
    # 0.9 x 0.05 = 0.045; the least n with P(X <= 9) <= 0.045 at 0.5 % is due (at 0.05 chi-square tables
    # give 31.41/2/0.005 = 3,141; a little more here).
    found = certify_threshold(_points((0.8, 891, 9)), alpha=0.005, delta=0.05, grid=[0.5])
    assert found.needed is not None
    assert binomial_cdf(9, 900 + found.needed, 0.005) <= 0.045
    assert binomial_cdf(9, 900 + found.needed - 1, 0.005) > 0.045
    assert 3_141 - 900 < found.needed < 3_200 - 900
    assert found.message == (
        f"cannot guarantee 0.5 % from 900 points; about {found.needed:,} more error-free ones are needed "
        "(the 900 most confident err at 1 %: more data alone will hardly do)"
    )
    assert (found.threshold, found.coverage, found.n, found.upper_bound) == (None, 0, 0, None)


@pytest.mark.parametrize(
    ("points", "alpha", "delta"), [(900, 0.005, 0.05), (100, 0.02, 0.1), (40, 0.05, 0.1)]
)
def test_with_as_many_more_as_were_asked_for_it_is_certified(points: int, alpha: float, delta: float) -> None:
    few = _points((0.999, points // 4, 0), (0.8, points - points // 4 - 3, 3))
    found = certify_threshold(few, alpha=alpha, delta=delta)
    assert found.needed is not None
    more = _together(few, _points((0.999, found.needed, 0)))
    assert certify_threshold(more, alpha=alpha, delta=delta).is_certified
    fewer = _together(few, _points((0.999, found.needed - 1, 0)))
    assert not certify_threshold(fewer, alpha=alpha, delta=delta).is_certified


def test_the_search_takes_over_where_the_most_confident_are_wrong() -> None:
    # The 6 most confident are all wrong, so the sequence (start: 4 ln .36/ln .5 = 5.9 points) fails at once.
    # The search has 0.04 over two steps: middle first, 6 errors in 46 (p < 0.001), then 36 in 76 (p = .37).
    found = certify_threshold(
        _points((0.9, 0, 6), (0.5, 40, 0), (0.1, 0, 30)), alpha=0.5, delta=0.4, grid=[0.1, 0.5, 0.9]
    )
    assert (found.method, found.threshold, found.n, found.errors) == ("sgr", 0.5, 46, 6)
    assert found.upper_bound is not None
    assert binomial_cdf(6, 46, found.upper_bound) == pytest.approx(0.02)
    assert found.upper_bound < 0.5


def test_the_search_alone_certifies_what_all_nulls_would_allow_at_its_level_only() -> None:
    # Every threshold errs at just above alpha: a search at level 0.1 certifies in at most 0.1 of the draws.
    rng = np.random.default_rng(6)
    grid = np.linspace(1, 0, 100)
    cells = rng.multinomial(2_000, np.full(100, 0.01), size=2_000)
    errors = rng.binomial(cells, 0.0501)
    false = sum(
        run_search(Counts(grid, np.cumsum(c), np.cumsum(e), 2_000), level=0.1, alpha=0.05).index is not None
        for c, e in zip(cells, errors, strict=True)
    )
    assert 0 < false <= 200


def _false_certificates(masses: list[float], rates: list[float], *, draws: int) -> float:
    """The share of draws of 2,000 points that certify a threshold whose true rate is above 5 %."""
    rng = np.random.default_rng(12)
    grid = np.linspace(1, 0, len(masses))
    true_rates = np.cumsum(np.multiply(masses, rates)) / np.cumsum(masses)
    cells = rng.multinomial(2_000, masses, size=draws)
    errors = rng.binomial(cells, rates)
    false = 0
    for cell, error in zip(cells, errors, strict=True):
        # The cells as points: each at its grid value.
        confidence = np.repeat(grid, cell)
        is_error = np.concatenate([np.arange(n) < e for n, e in zip(cell, error, strict=True)])
        found = certify_threshold(Scores(confidence, ~is_error), alpha=0.05, delta=0.1, grid=grid)
        false += found.threshold is not None and bool(
            true_rates[np.flatnonzero(grid == found.threshold)[0]] > 0.05
        )
    return false / draws


@pytest.mark.parametrize(
    ("masses", "rates"),
    [
        (
            [0.095, 0.1, 0.805],
            [0.051, 0.0501, 0.2],
        ),  # the start (188 points) falls on either of two bad cells
        ([0.08, 0.05, 0.87], [0.08, 0.0035, 0.2]),  # a gap without errors behind a bad start
        ([0.01] * 100, [0.07, 0.0315] * 50),  # to and fro all the way
    ],
)
def test_a_rate_that_falls_and_rises_gets_no_more_false_certificates(
    masses: list[float], rates: list[float]
) -> None:
    assert _false_certificates(masses, rates, draws=600) <= 0.1 + 2 * (0.09 / 600) ** 0.5


@given(
    points=st.integers(0, 100_000),
    alpha=st.floats(0.001, 0.5),
    delta=st.floats(0.001, 0.5),
)
def test_sequence_and_search_never_spend_more_than_delta(points: int, alpha: float, delta: float) -> None:
    plan = plan_for(points, alpha=alpha, delta=delta)
    assert plan.sequence_level + plan.search_level <= delta * (1 + 1e-12)
    assert plan.start_count >= 1
    # An error-free first test passes.
    assert (1 - alpha) ** plan.start_count <= plan.sequence_level * (1 + 1e-6)


def test_the_plan_knows_the_number_of_points_only() -> None:
    # 4 ln 0.09/ln 0.95 = 187.8
    plan = plan_for(2_000, alpha=0.05, delta=0.1)
    assert plan.start_count == 188
    assert plan.sequence_level == pytest.approx(0.09)
    assert plan.search_level == pytest.approx(0.01)


def test_a_stricter_bound_or_more_confidence_never_lowers_the_threshold_or_raises_coverage() -> None:
    rng = np.random.default_rng(9)
    confidence = rng.beta(5, 1, 4_000)
    points = Scores(confidence, rng.random(4_000) < confidence)
    coverages = [
        certify_threshold(points, alpha=alpha, delta=0.1).coverage for alpha in (0.02, 0.05, 0.1, 0.2)
    ]
    assert coverages == sorted(coverages)
    assert coverages[-1] > coverages[0]
    sure, surer = (certify_threshold(points, alpha=0.1, delta=delta).coverage for delta in (0.2, 0.001))
    assert surer < sure


def test_a_certificate_never_shows_more_errors_than_its_bound() -> None:
    rng = np.random.default_rng(10)
    for _ in range(50):
        confidence = rng.beta(8, 1, 800)
        found = certify_threshold(Scores(confidence, rng.random(800) < confidence), alpha=0.1, delta=0.1)
        if found.is_certified:
            assert found.upper_bound is not None
            assert found.errors / found.n <= found.upper_bound <= 0.1 + 1e-12


def test_without_scipy_the_answer_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(11)
    confidence = rng.beta(8, 1, 1_000)
    points = Scores(confidence, rng.random(1_000) < confidence)
    with_scipy = certify_threshold(points, alpha=0.1, delta=0.1)
    monkeypatch.setattr(binomial, "HAS_SCIPY", False)
    alone = certify_threshold(points, alpha=0.1, delta=0.1)
    assert replace(alone, upper_bound=with_scipy.upper_bound) == with_scipy
    assert alone.upper_bound == pytest.approx(with_scipy.upper_bound, rel=1e-9)
    assert not certify_threshold(points.take(np.arange(20)), alpha=0.01, delta=0.05).is_certified


@pytest.mark.parametrize(
    ("alpha", "delta", "grid", "sentence"),
    [
        (0.0, 0.1, GRID, "alpha must be a probability in (0, 1), got 0"),
        (1.0, 0.1, GRID, "alpha must be a probability in (0, 1), got 1"),
        (0.05, float("nan"), GRID, "delta must be a probability in (0, 1), got nan"),
        (0.05, 0.1, [0.5, 1.2], "grid must hold thresholds in [0, 1], at least one"),
        (0.05, 0.1, [], "grid must hold thresholds in [0, 1], at least one"),
    ],
)
def test_levels_and_grids_that_make_no_sense(
    alpha: float, delta: float, grid: list[float], sentence: str
) -> None:
    with pytest.raises(InvalidDataError) as refused:
        certify_threshold(_points((0.9, 10, 0)), alpha=alpha, delta=delta, grid=grid)
    assert refused.value.faults == (sentence,)


def test_the_grid_is_fixed_and_dense_near_one() -> None:
    assert GRID[0] == 0
    assert GRID[-1] == pytest.approx(1 - 1e-5)
    assert np.diff(GRID).max() <= 0.0101
    assert (GRID > 0.99).sum() > 50
    with pytest.raises(ValueError, match="read-only"):
        GRID[0] = 0.5


def test_each_label_gets_its_own_threshold() -> None:
    points = _together(
        _points((0.9, 400, 0), (0.6, 400, 0), label="cat"),
        _points((0.9, 400, 0), (0.6, 200, 200), label="dog"),
    )
    found = certify_thresholds_by(points, by="label", alpha=0.05, delta=0.1)
    assert list(found) == ["cat", "dog"]
    assert (found["cat"].threshold, found["cat"].n, found["cat"].points) == (0, 800, 800)
    assert found["dog"].n == 400
    assert found["dog"].message.startswith("label dog: at most 5 % of the automatic decisions")


def test_a_group_with_too_little_data_is_refused_by_name_and_not_pooled() -> None:
    points = _together(_points((0.9, 1_000, 0), group="north"), _points((0.9, 20, 0), group="south"))
    found = certify_thresholds_by(points, by="group", alpha=0.05, delta=0.1)
    assert found["north"].is_certified
    assert not found["south"].is_certified
    # 0.95^n <= 0.1 from n = 45: 25 more. The north does not pay for the south: it tests at the whole delta.
    assert found["south"].message == (
        "group south: cannot guarantee 5 % from 20 points; about 25 more error-free ones are needed"
    )
    assert (
        found["north"].upper_bound
        == certify_threshold(points.take(np.arange(1_000)), alpha=0.05, delta=0.1).upper_bound
    )


def test_a_finished_label_hands_its_share_to_the_others() -> None:
    # alpha .05, delta .1, two labels: 0.045 each for their sequences. "hard" has 1 error in 90:
    # p = .95^90 + 90 × .05 × .95^89 = .0099 + .0468 = .0567 fails at .045 and passes at .09.
    hard = _points((0.8, 89, 1), label="hard")
    easy = _points((0.8, 200, 0), label="easy")
    broken = _points((0.8, 100, 100), label="easy")
    grid = [0.5]
    assert certify_thresholds_by(_together(hard, easy), by="label", alpha=0.05, delta=0.1, grid=grid)[
        "hard"
    ].is_certified
    assert not certify_thresholds_by(_together(hard, broken), by="label", alpha=0.05, delta=0.1, grid=grid)[
        "hard"
    ].is_certified


def test_one_label_alone_is_certified_as_all_together() -> None:
    points = _points((0.95, 500, 5), (0.7, 300, 60), label="only")
    alone = certify_thresholds_by(points, by="label", alpha=0.05, delta=0.1)["only"]
    assert replace(alone, message="") == replace(certify_threshold(points, alpha=0.05, delta=0.1), message="")


def test_thresholds_by_a_column_that_is_not_there() -> None:
    with pytest.raises(InvalidDataError, match="group is missing: thresholds by group need that column"):
        certify_thresholds_by(_points((0.9, 10, 0), label="a"), by="group", alpha=0.05, delta=0.1)


def _screening(*parts: tuple[float, str, str, int]) -> Scores:
    """(confidence, label, truth, how many) for each part."""
    rows = [(at, label, truth) for at, label, truth, number in parts for _ in range(number)]
    confidence, label, truth = zip(*rows, strict=True)
    return scores(confidence, [a == b for a, b in zip(label, truth, strict=True)], label=label, truth=truth)


def test_missed_positives_are_counted_among_automatic_negatives_only() -> None:
    # The positives' own errors (ill predicted, healthy in truth) must not count, nor their points.
    points = _screening(
        (0.9, "healthy", "healthy", 300),
        (0.6, "healthy", "healthy", 150),
        (0.6, "healthy", "ill", 150),
        (0.9, "ill", "healthy", 400),
        (0.9, "ill", "ill", 100),
    )
    found = certify_missed(points, positive="ill", alpha=0.05, delta=0.1)
    assert (found.n, found.errors, found.points) == (300, 0, 600)
    assert found.threshold is not None
    assert 0.6 < found.threshold <= 0.9
    assert "of the automatic negatives are ill in truth" in found.message
    assert not certify_threshold(points, alpha=0.05, delta=0.1).is_certified


def test_a_negative_taken_for_another_negative_is_no_missed_positive() -> None:
    points = _screening((0.9, "flu", "cold", 300), (0.9, "cold", "cold", 100), (0.3, "flu", "cancer", 3))
    assert certify_missed(points, positive="cancer", alpha=0.05, delta=0.1).errors <= 3
    assert certify_missed(points, positive="cancer", alpha=0.05, delta=0.1).is_certified
    assert not certify_threshold(points, alpha=0.05, delta=0.1).is_certified


def test_the_miss_rate_is_a_share_of_all_positives() -> None:
    # 100 positives: 2 become automatic negatives from 0.9 on, 30 from 0.6 on.
    # alpha .1, delta .1: P(X <= 2 of 100) = .002 passes, P(X <= 30) fails.
    points = _screening(
        (0.9, "no", "no", 500), (0.9, "no", "yes", 2), (0.6, "no", "yes", 28), (0.8, "yes", "yes", 70)
    )
    found = certify_miss_rate(points, positive="yes", alpha=0.1, delta=0.1)
    assert (found.n, found.errors, found.points, found.coverage) == (502, 2, 600, 502 / 600)
    assert found.threshold is not None
    assert 0.6 < found.threshold <= 0.9
    assert found.upper_bound is not None
    assert binomial_cdf(2, 100, found.upper_bound) == pytest.approx(0.1)
    assert "2 of 100, among 502 automatic negatives" in found.message


def test_too_few_positives_for_a_miss_rate() -> None:
    points = _screening((0.9, "no", "no", 5_000), (0.9, "yes", "yes", 20))
    found = certify_miss_rate(points, positive="yes", alpha=0.05, delta=0.1)
    assert not found.is_certified
    assert found.needed == 25  # 0.95^45 <= 0.1
    assert found.points == 20


@pytest.mark.parametrize(
    ("points", "sentence"),
    [
        (_points((0.9, 5, 0)), "label and truth are needed to tell missed positives"),
        (
            _screening((0.9, "no", "no", 5)),
            "positive must be a label of the data, got 'yes', which no row has",
        ),
        (
            _screening((0.9, "yes", "yes", 5)),
            "label must be another than 'yes' in some row: nothing is predicted negative",
        ),
        (
            _screening((0.9, "yes", "no", 5), (0.9, "no", "no", 5)),
            "truth must be 'yes' in some row, else nothing shows how positives are missed",
        ),
    ],
)
def test_missed_positives_need_both_sides(points: Scores, sentence: str) -> None:
    for certify in (certify_missed, certify_miss_rate):
        with pytest.raises(InvalidDataError) as refused:
            certify(points, positive="yes", alpha=0.05, delta=0.1)
        assert refused.value.faults == (sentence,)


def test_no_points_are_refused_as_such() -> None:
    empty = Scores(np.empty(0), np.empty(0, dtype=np.bool_))
    found = certify_threshold(empty, alpha=0.05, delta=0.1)
    assert not found.is_certified
    assert found.needed == 45
    assert found.coverage == 0
    none = certify_thresholds_by(replace(empty, label=()), by="label", alpha=0.05, delta=0.1)
    assert none == {}


@pytest.mark.filterwarnings("ignore:Fixed sequence testing requires a monotonic risk:UserWarning")
def test_the_exact_test_accepts_no_less_than_the_peers_wider_bound() -> None:
    rng = np.random.default_rng(14)
    confidence = 0.5 + 0.5 * rng.beta(4, 1, 20_000)
    is_correct = rng.random(20_000) < confidence
    own = certify_threshold(Scores(confidence, is_correct), alpha=ALPHA, delta=DELTA, grid=PEER_GRID)
    peer = peer_threshold(confidence, is_correct)
    assert own.threshold is not None
    assert peer is not None
    assert peer - 0.1 < own.threshold <= peer
