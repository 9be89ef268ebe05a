"""Agreement: published figures, examples by hand, a peer, and what must not change it."""

from dataclasses import replace

import krippendorff as peer
import numpy as np
import pytest

from overread.consensus.agreement import Agreement, Interval, Metric, cohen, fleiss, krippendorff
from overread.consensus.votes import Votes, votes
from overread.errors import InvalidDataError

# K. Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011, section C: four observers, twelve units.
OBSERVERS = ("12332141 2***", "12332241 25*3", "*3332342 251*", "12332441 251*")
BOOTSTRAP = Interval(uncertainty="bootstrap", resamples=400, seed=7)


def _of_rows(rows: tuple[str, ...]) -> Votes:
    """Votes of one text a rater, one letter an item; * is no vote."""
    columns = [
        (f"{item:03}", f"r{rater}", letter)
        for rater, row in enumerate(rows)
        for item, letter in enumerate(row.replace(" ", ""))
        if letter != "*"
    ]
    return votes(*zip(*columns, strict=True))


def _random(seed: int, *, items: int = 60, raters: int = 5, classes: int = 4, gaps: float = 0.3) -> Votes:
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=items)
    item, rater = np.divmod(np.arange(items * raters), raters)
    label = np.where(rng.random(item.size) < 0.6, truth[item], rng.integers(classes, size=item.size))
    kept = rng.random(item.size) > gaps
    return votes(item[kept], rater[kept], label[kept] + 1)


def _table(found: Votes) -> np.ndarray:
    table = np.full((len(found.workers), len(found.items)), np.nan)
    table[found.worker, found.item] = [float(found.classes[code]) for code in found.label]
    return table


@pytest.mark.parametrize(("metric", "value"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_of_krippendorffs_own_example(metric: Metric, value: float) -> None:
    found = krippendorff(_of_rows(OBSERVERS), metric=metric)
    assert found.value == pytest.approx(value, abs=5e-4)
    # Unit 12 has one vote only: 11 units and 40 values count.
    assert (found.items, found.raters, found.votes) == (11, 4, 40)


def test_fleiss_kappa_of_a_known_table() -> None:
    # Fourteen raters, ten subjects, five classes: the example of Wikipedia's article on Fleiss' kappa,
    # where P-bar = .378, P-bar_e = .213 and kappa = .210.
    table = (
        "0 0 0 0 14,0 2 6 4 2,0 0 3 5 6,0 3 9 2 0,2 2 8 1 1,7 7 0 0 0,3 2 6 3 0,2 5 3 2 2,6 5 2 1 0,0 2 2 3 7"
    )
    rows = []
    for item, line in enumerate(table.split(",")):
        labels = [label for label, count in enumerate(map(int, line.split())) for _ in range(count)]
        rows += [(item, rater, label) for rater, label in enumerate(labels)]
    found = fleiss(votes(*zip(*rows, strict=True)))
    assert found.value == pytest.approx(0.210, abs=5e-4)
    assert (found.items, found.raters, found.votes, found.note) == (10, 14, 140, "")


def test_cohens_kappa_of_cohens_own_example() -> None:
    # J. Cohen 1960, table 2: 200 cases, p_o = (88 + 40 + 12) / 200 = .70,
    # p_e = .6 x .5 + .3 x .3 + .1 x .2 = .41, kappa = .29 / .59 = .492.
    counts = ((88, 14, 18), (10, 40, 10), (2, 6, 12))
    pairs = [(a, b) for a, row in enumerate(counts) for b, count in enumerate(row) for _ in range(count)]
    a, b = zip(*pairs, strict=True)
    found = cohen(votes([*range(200)] * 2, ["a"] * 200 + ["b"] * 200, a + b), workers=("a", "b"))
    assert found.value == pytest.approx(0.29 / 0.59)
    # Fleiss, Cohen and Everitt 1969 (doi:10.1037/h0028106) give a large-sample standard error;
    # the jackknife's must be near it.
    p = np.array(counts) / 200
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    po, pe = float(np.trace(p)), float(rows @ columns)
    a_ = sum(p[i, i] * ((1 - pe) - (rows[i] + columns[i]) * (1 - po)) ** 2 for i in range(3))
    b_ = (1 - po) ** 2 * sum(
        p[i, j] * (columns[i] + rows[j]) ** 2 for i in range(3) for j in range(3) if i != j
    )
    error = ((a_ + b_ - (po * pe - 2 * pe + po) ** 2) / (200 * (1 - pe) ** 4)) ** 0.5
    assert found.high is not None
    assert found.value is not None
    assert (found.high - found.value) / 1.972 == pytest.approx(error, rel=0.03)


def test_by_hand() -> None:
    # Two raters: yes/yes, no/no, yes/no. n = 6, three of each. Observed: the third item has 2 unequal ordered
    # pairs / (2 - 1) = 2. Expected: (36 - 9 - 9) / 5 = 3.6. alpha = 1 - 2 / 3.6 = 4/9.
    found = _of_rows(("ynn", "yny"))
    assert krippendorff(found).value == pytest.approx(4 / 9)
    # Fleiss: P-bar = 2/3, P-bar_e = 1/2: (1/6) / (1/2) = 1/3.
    assert fleiss(found).value == pytest.approx(1 / 3)
    # Cohen: p_o = 2/3, p_e = (1/3)(2/3) + (2/3)(1/3) = 4/9: (2/9) / (5/9) = 2/5.
    assert cohen(found, workers=("r0", "r1")).value == pytest.approx(2 / 5)


def test_fleiss_with_unequal_numbers_counts_each_item_alike() -> None:
    found = fleiss(_of_rows(("yn", "yy", "y*", "n*")))
    # P_1 = (9 + 1 - 4) / 12 = 1/2, P_2 = 0; p_yes = (3/4 + 1/2) / 2 = 5/8; P_e = (25 + 9) / 64 = 17/32.
    assert found.value == pytest.approx((1 / 4 - 17 / 32) / (1 - 17 / 32))
    assert "unequal" in found.note


@pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval"])
@pytest.mark.parametrize("seed", range(4))
def test_alpha_is_the_peers(metric: Metric, seed: int) -> None:
    found = _random(seed, classes=2 + 3 * seed)
    expected = peer.alpha(reliability_data=_table(found), level_of_measurement=metric)
    assert krippendorff(found, metric=metric).value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", ["nominal", "interval"])
def test_many_values_take_no_matrix_of_values(metric: Metric) -> None:
    rng = np.random.default_rng(3)
    base = np.repeat(rng.integers(1_000_000, size=80), 2)
    label = base + rng.integers(3, size=160)
    found = votes(np.repeat(np.arange(80), 2), np.tile([0, 1], 80), label)
    expected = peer.alpha(reliability_data=_table(found), level_of_measurement=metric)
    assert krippendorff(found, metric=metric).value == pytest.approx(expected, abs=1e-9)


def test_far_from_zero_no_digits_are_lost() -> None:
    found = _random(2)
    shifted = [float(name) + 1e9 for name in found.classes]
    near = krippendorff(found, metric="interval").value
    assert krippendorff(found, metric="interval", values=shifted).value == pytest.approx(near, abs=1e-6)


@pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval"])
def test_the_jackknife_leaves_out_each_item_in_turn(metric: Metric) -> None:
    found = _random(5, items=12, raters=3, classes=3, gaps=0.1)
    values = []
    for item in range(len(found.items)):
        if np.count_nonzero(found.item == item) < 2:
            continue
        kept = found.item != item
        part = replace(found, item=found.item[kept], worker=found.worker[kept], label=found.label[kept])
        values.append(krippendorff(part, metric=metric).value)
    n = len(values)
    spread = np.sqrt((n - 1) / n * ((np.array(values) - np.mean(values)) ** 2).sum())
    whole = krippendorff(found, metric=metric)
    assert whole.value is not None
    assert whole.low is not None
    from scipy.stats import t

    assert whole.value - whole.low == pytest.approx(spread * t.ppf(0.975, n - 1), rel=1e-9)


def test_the_jackknife_of_the_kappas_leaves_out_each_item_too() -> None:
    found = _random(6, items=15, raters=2, classes=3, gaps=0.0)
    for measure in (fleiss, lambda each: cohen(each, workers=("0", "1"))):
        values = []
        for item in range(15):
            kept = found.item != item
            part = replace(found, item=found.item[kept], worker=found.worker[kept], label=found.label[kept])
            values.append(measure(part).value)
        spread = np.sqrt(14 / 15 * ((np.array(values) - np.mean(values)) ** 2).sum())
        whole: Agreement = measure(found)
        assert whole.value is not None
        assert whole.low is not None
        assert (whole.value - whole.low) / spread == pytest.approx(2.1447866879, abs=1e-6)  # t, 14 degrees


@pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval"])
def test_bootstrap_and_jackknife_agree_and_the_seed_decides(metric: Metric) -> None:
    found = _random(8, items=400)
    one, other = krippendorff(found, metric=metric), krippendorff(found, metric=metric, interval=BOOTSTRAP)
    assert one.low is not None
    assert one.high is not None
    assert other.low == pytest.approx(one.low, abs=0.02)
    assert other.high == pytest.approx(one.high, abs=0.02)
    assert krippendorff(found, metric=metric, interval=BOOTSTRAP) == other
    assert krippendorff(found, metric=metric, interval=replace(BOOTSTRAP, seed=8)).low != other.low


def test_intervals_cover_about_as_often_as_they_say() -> None:
    draws = [krippendorff(_random(seed, items=40)) for seed in range(200)]
    truth = krippendorff(_random(999, items=40_000)).value
    assert truth is not None
    covered = sum((each.low or 0) <= truth <= (each.high or 0) for each in draws)
    assert 178 <= covered <= 199  # 190 expected, standard deviation 3.1


def test_order_names_and_lonely_votes_do_not_matter() -> None:
    found = _random(9)
    order = np.random.default_rng(1).permutation(len(found))
    shuffled = replace(
        found, item=found.item[order], worker=found.worker[order][::-1], label=found.label[order]
    )
    for metric in ("ordinal", "nominal"):
        assert krippendorff(shuffled, metric=metric).value == pytest.approx(
            krippendorff(found, metric=metric).value
        )
    lonely = votes(["a", "a", "b", "b", "c"], [1, 2, 1, 2, 1], ["x", "x", "x", "y", "z"])
    assert krippendorff(lonely).items == 2
    assert krippendorff(lonely).votes == 4


def test_agreement_is_undefined_where_nothing_can_disagree() -> None:
    same = _of_rows(("xxx", "xxx"))
    for found in (krippendorff(same), krippendorff(same, metric="ordinal"), fleiss(same)):
        assert (found.value, found.low, found.high) == (None, None, None)
        assert "one class" in found.note
    assert cohen(same, workers=("r0", "r1")).value is None
    alone = krippendorff(_of_rows(("xyz",)))
    assert alone.value is None
    assert "no item has two votes" in alone.note


def test_full_agreement_is_one_and_repeats_are_told() -> None:
    found = krippendorff(_of_rows(("xyxy", "xyxy")))
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)
    repeated = votes([1, 1, 2, 2], ["a", "a", "a", "b"], ["x", "y", "x", "x"])
    assert "1 votes are of workers who had given the item one before" in krippendorff(repeated).note


def test_every_fault_of_the_call_is_told_together() -> None:
    found = _of_rows(("xy", "yx"))
    with pytest.raises(InvalidDataError) as caught:
        krippendorff(found, metric="interval", interval=Interval(confidence=1.2, resamples=1))
    assert len(caught.value.faults) == 3
    assert "labels must be finite numbers for the interval metric, got 'x', 'y'" in str(caught.value)
    with pytest.raises(InvalidDataError, match="every class, not 'y'"):
        krippendorff(found, metric="interval", values={"x": 1.0})
    with pytest.raises(InvalidDataError, match="metric must be one of"):
        krippendorff(found, metric="ratio")  # type: ignore[arg-type]
    with pytest.raises(InvalidDataError, match="got 'nobody'"):
        cohen(found, workers=("r0", "nobody"))
    with pytest.raises(InvalidDataError, match="two different"):
        cohen(found, workers=("r0", "r0"))


def test_of_a_workers_votes_on_an_item_cohen_takes_the_first() -> None:
    once = votes([1, 1, 2, 2, 3, 3], ["a", "b"] * 3, ["x", "x", "y", "y", "x", "y"])
    twice = votes(
        [1, 1, 2, 2, 3, 3, 1, 1], ["a", "b"] * 3 + ["b", "b"], ["x", "x", "y", "y", "x", "y", "y", "y"]
    )
    found = cohen(twice, workers=("a", "b"))
    assert found.value == cohen(once, workers=("a", "b")).value
    assert found.note.startswith("2 votes are of workers")


def test_without_any_vote_nothing_is_defined() -> None:
    none = votes([1, 2], ["a", "b"], [None, None], classes=["1", "2"])
    for metric in ("nominal", "ordinal", "interval"):
        found = krippendorff(none, metric=metric)
        assert (found.value, found.low, found.items, found.votes) == (None, None, 0, 0)
    assert fleiss(none).value is None
    assert cohen(none, workers=("a", "b")).value is None
