"""Dawid–Skene and its relatives: published figures, a peer's posteriors, and what must never change them."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.consensus import vote_matrix
from overread.consensus.dawid_skene import dawid_skene, grow
from overread.consensus.incremental import Judged, fold_in, learn
from overread.consensus.majority import majority, weighted_majority
from overread.consensus.one_coin import one_coin
from overread.consensus.result import Consensus
from overread.consensus.votes import Votes, gold_of, votes
from overread.errors import InvalidDataError
from overread_testing.label_sets import LabelSet, dawid_skene_1979, hitspam, unlicensed

Method = Callable[..., Consensus]
MAXIMUM_LIKELIHOOD = {"confusion_strength": 0.0, "class_strength": 0.0}


def _truth(*, items: int, classes: int, seed: int) -> list[str]:
    """What is true of the items of the crowd of that seed."""
    return [str(each) for each in np.random.default_rng(seed).integers(0, classes, items)]


def _crowd(*, items: int, workers: int, classes: int, seed: int) -> Votes:
    """Five votes an item by workers who are right in 40 to 95 % of the cases."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, items)
    skill = random.uniform(0.4, 0.95, workers)
    item = np.repeat(np.arange(items), 5)
    worker = random.integers(0, workers, item.size)
    is_right = random.random(item.size) < skill[worker]
    label = np.where(is_right, truth[item], random.integers(0, classes, item.size))
    return votes(item, worker, label, classes=[str(each) for each in range(classes)])


_VOTES = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from("uvwx"), st.sampled_from("123")),
    min_size=1,
    max_size=40,
).map(lambda rows: votes(*map(list, zip(*rows, strict=True))))


def test_the_class_marginals_of_the_paper_are_found() -> None:
    """Dawid & Skene 1979, table 2: .40 .42 .11 .07, observer 1's three looks as three votes."""
    found = dawid_skene(dawid_skene_1979().votes, **MAXIMUM_LIKELIHOOD)
    assert found.prior.round(2).tolist() == [0.40, 0.42, 0.11, 0.07]
    assert found.is_converged


def test_a_worked_example_of_one_step() -> None:
    """Two items, two workers: u says 1 and 2, v says 1 and 1. Shares: item a (1, 0), item b (½, ½).

    π = (¾, ¼). u: label 1 counted (1, 0), label 2 (½, ½), so θ(1|1) = 1/1.5 = ⅔, θ(2|1) = ⅓, θ(2|2) = 1.
    v: label 1 always, so θ(1|1) = θ(1|2) = 1. Item b, u says 2 and v says 1: ¾·⅓·1 = ¼ against ¼·1·1 = ¼.
    Item a: ¾·⅔·1 = ½ against ¼·10⁻¹⁰ or so: certain.
    """
    found = dawid_skene(
        votes(["a", "b", "a", "b"], ["u", "u", "v", "v"], ["1", "2", "1", "1"]),
        max_iterations=1,
        **MAXIMUM_LIKELIHOOD,
    )
    assert found.posteriors == pytest.approx(np.array([[1.0, 0.0], [0.5, 0.5]]), abs=1e-9)
    assert found.log_likelihood[0] * 4 == pytest.approx(np.log(0.5) + np.log(0.5), abs=1e-8)
    assert found.notes[0].startswith("stopped before it converged")


def _of_peer(peer: Any, labels: LabelSet, found: Votes) -> Any:
    frame = pd.DataFrame({"task": labels.items, "worker": labels.workers, "label": labels.labels})
    return peer.fit(frame).probas_.loc[list(found.items), list(found.classes)].to_numpy()


@pytest.mark.filterwarnings("ignore::Warning")  # the peer's own, of newer pandas
@pytest.mark.parametrize("iterations", [1, 7, 30])
def test_posteriors_are_crowd_kits_at_equal_iterations(iterations: int) -> None:
    from crowdkit.aggregation import DawidSkene

    labels = dawid_skene_1979()
    expected = _of_peer(DawidSkene(n_iter=iterations, tol=-1e9), labels, labels.votes)
    found = dawid_skene(labels.votes, max_iterations=iterations, tolerance=-1.0, **MAXIMUM_LIKELIHOOD)
    assert np.abs(found.posteriors - expected).max() <= 1e-8


@pytest.mark.filterwarnings("ignore::Warning")  # the peer's own, of newer pandas
def test_one_coin_posteriors_are_crowd_kits_at_equal_iterations() -> None:
    from crowdkit.aggregation import OneCoinDawidSkene

    labels = dawid_skene_1979()
    expected = _of_peer(OneCoinDawidSkene(n_iter=10, tol=-1e9), labels, labels.votes)
    found = one_coin(
        labels.votes, max_iterations=10, tolerance=-1.0, accuracy_strength=0.0, class_strength=0.0
    )
    assert np.abs(found.posteriors - expected).max() <= 1e-8


@pytest.mark.parametrize(
    ("name", "floor", "majority_accuracy"),
    [("zhang_rte", 0.9275, 0.9188), ("zheng_product", 0.939, 0.8966), ("zhang_dog", 0.841, 0.8178)],
)
def test_published_accuracies_are_reached(name: str, floor: float, majority_accuracy: float) -> None:
    """Zhang et al. 2016 (rte .9288, dog .8331) and Zheng et al. 2017 (product .9366): no licence to copy."""
    labels = unlicensed(name)
    if labels is None:
        pytest.skip("set OVERREAD_DATA to a folder with zhang_rte, zheng_product, zhang_dog: not distributed")
    assert labels.accuracy(dawid_skene(labels.votes)) >= floor
    assert labels.accuracy(majority(labels.votes)) == pytest.approx(majority_accuracy, abs=1e-4)


@pytest.mark.parametrize("method", [dawid_skene, one_coin])
def test_votes_that_never_differ_are_reported(method: Method) -> None:
    """HITspam: 66 % of the known items are right while every confidence is 100 %; no method can see it."""
    labels = hitspam()
    found = method(labels.votes)
    assert labels.accuracy(found) == pytest.approx(0.66)
    assert found.confidence.min() > 0.99
    assert any("no item has votes that differ" in note for note in found.notes)


@pytest.mark.parametrize("method", [dawid_skene, one_coin])
def test_consensus_beats_majority_where_workers_differ(method: Method) -> None:
    found = _crowd(items=2000, workers=30, classes=4, seed=20261123)
    truth = dict(enumerate(_truth(items=2000, classes=4, seed=20261123)))

    def errors(consensus: Consensus) -> int:
        pairs = zip(consensus.items, consensus.labels, strict=True)
        return sum(truth[int(item)] != label for item, label in pairs)

    assert errors(method(found)) < 0.8 * errors(majority(found))


@pytest.mark.parametrize("method", [dawid_skene, one_coin])
@settings(max_examples=60, deadline=None)
@given(found=_VOTES)
def test_the_likelihood_never_falls(method: Method, found: Votes) -> None:
    consensus = method(found, max_iterations=30, tolerance=-1.0)
    assert (np.diff(consensus.log_likelihood) > -1e-9).all()
    assert consensus.posteriors.sum(axis=1) == pytest.approx(np.ones(len(found.items)))
    assert consensus.confusion is not None
    assert consensus.confusion.sum(axis=2) == pytest.approx(np.ones_like(consensus.confusion[:, :, 0]))


@pytest.mark.parametrize("method", [dawid_skene, one_coin, majority])
@settings(max_examples=40, deadline=None)
@given(found=_VOTES, random=st.randoms(use_true_random=False))
def test_neither_names_nor_order_change_the_consensus(method: Method, found: Votes, random: Any) -> None:
    order = list(range(len(found)))
    random.shuffle(order)
    renamed = votes(
        [f"item {found.items[found.item[row]]}" for row in order],
        [f"worker {found.workers[found.worker[row]]}" for row in order],
        [{"1": "z", "2": "y", "3": "x"}[found.classes[found.label[row]]] for row in order],
    )
    expected, got = method(found), method(renamed)
    assert got.posteriors[:, ::-1] == pytest.approx(expected.posteriors, abs=1e-7)


@pytest.mark.parametrize("method", [dawid_skene, one_coin])
def test_gold_stays_certain_and_teaches(method: Method) -> None:
    """u is always wrong: three gold items say so, and turn the item that only u and v read."""
    rows = [(item, worker) for item in "abcd" for worker in "uv"]
    found = votes(
        [item for item, _ in rows],
        [worker for _, worker in rows],
        ["no" if worker == "u" else "yes" for _, worker in rows],
    )
    known = gold_of(["a", "b", "c"], ["yes"] * 3, votes=found)
    consensus = method(found, gold=known)
    assert consensus.posteriors[:3].tolist() == [[0.0, 1.0]] * 3
    assert consensus.labels[3] == "yes"
    assert consensus.confidence[3] > 0.9


@pytest.mark.parametrize("method", [dawid_skene, one_coin, majority])
def test_one_class_one_worker_and_no_vote_have_results(method: Method) -> None:
    assert method(votes(["a", "b"], ["w", "v"], ["yes", "yes"])).posteriors.tolist() == [[1.0], [1.0]]
    alone = method(votes(["a", "b", "c"], ["w"] * 3, ["yes", "yes", "no"]))
    assert alone.labels == ("yes", "yes", "no")
    nobody = method(votes(["a"], ["w"], [None], classes=("no", "yes")))
    assert nobody.posteriors == pytest.approx(np.array([[0.5, 0.5]]))


@pytest.mark.parametrize("prior", [{}, MAXIMUM_LIKELIHOOD])
def test_a_worker_without_a_vote_says_nothing(prior: dict[str, float]) -> None:
    found = dawid_skene(votes(["a", "b", "b"], ["u", "v", "idle"], ["x", "y", None]), **prior)
    without = dawid_skene(votes(["a", "b"], ["u", "v"], ["x", "y"]), **prior)
    assert found.posteriors == pytest.approx(without.posteriors, abs=1e-9)
    assert found.confusion is not None
    assert found.confusion.sum(axis=2) == pytest.approx(np.ones((3, 2)))


@pytest.mark.parametrize("method", [dawid_skene, one_coin, majority])
def test_a_class_that_nobody_voted_for_is_unlikely_but_there(method: Method) -> None:
    found = method(votes(["a", "a", "b"], ["w", "v", "w"], ["1", "1", "2"], classes=("1", "2", "3")))
    assert found.posteriors.shape == (2, 3)
    assert found.labels == ("1", "2")


def test_exchanged_labels_are_reported() -> None:
    """Gold says that everybody is wrong always."""
    found = votes(["a", "a", "b", "b"], ["w", "v"] * 2, ["yes", "yes", "no", "no"])
    consensus = dawid_skene(found, gold=gold_of(["a", "b"], ["no", "yes"], votes=found))
    assert any("less than chance" in note for note in consensus.notes)


def test_a_falling_likelihood_is_an_error() -> None:
    history = [-1.0]
    with pytest.raises(ArithmeticError, match=r"fell by 0\.5 in iteration 2"):
        grow(history, -1.5, tolerance=1e-6)


def test_progress_is_told_after_each_iteration() -> None:
    told: list[tuple[int, float]] = []
    found = dawid_skene(dawid_skene_1979().votes, progress=lambda *step: told.append(step))
    assert [number for number, _ in told] == list(range(1, found.iterations + 1))
    assert [likelihood for _, likelihood in told] == list(found.log_likelihood)


@pytest.mark.parametrize("method", [dawid_skene, one_coin])
def test_without_scipy_the_posteriors_are_the_same(method: Method, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _crowd(items=300, workers=20, classes=3, seed=1)
    expected = method(found)
    monkeypatch.setattr(vote_matrix, "HAS_SCIPY", False)
    monkeypatch.setattr(vote_matrix, "_ROWS_A_STEP", 64)
    assert method(found).posteriors == pytest.approx(expected.posteriors, abs=1e-9)


def test_it_works_where_there_is_no_scipy() -> None:
    code = (
        "import sys\n"
        "sys.modules['scipy'] = None\n"
        "from overread.consensus import vote_matrix\n"
        "vote_matrix.HAS_SCIPY = False\n"
        "from overread.consensus.dawid_skene import dawid_skene\n"
        "from overread.consensus.votes import votes\n"
        "print(dawid_skene(votes(['a', 'a'], ['u', 'v'], ['x', 'x'])).labels)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert ran.stdout == "('x',)\n", ran.stderr


@pytest.mark.parametrize("method", [dawid_skene, one_coin, majority])
def test_results_cannot_be_changed(method: Method) -> None:
    found = method(votes(["a"], ["w"], ["yes"]))
    with pytest.raises(ValueError, match="read-only"):
        found.posteriors[0, 0] = 0.0


def test_weights_decide_against_the_greater_number() -> None:
    """Two votes of weight 0.3 and 0.3 against one of 0.9: 0.6 / 1.5 = 0.4."""
    found = votes(["a"] * 3, ["u", "v", "w"], ["no", "no", "yes"])
    weighted = weighted_majority(found, weights={"u": 0.3, "v": 0.3, "w": 0.9})
    assert weighted.posteriors == pytest.approx(np.array([[0.4, 0.6]]))
    assert majority(found).labels == ("no",)


def test_weights_that_cannot_be_used_are_refused() -> None:
    found = votes(["a", "a"], ["u", "v"], ["no", "yes"])
    with pytest.raises(InvalidDataError) as refused:
        weighted_majority(found, weights={"u": -1.0})
    assert refused.value.faults == (
        "weights must have worker 'v'",
        "weight of worker 'u' must be at least 0, got -1.0",
    )


def test_ties_go_to_the_first_class() -> None:
    assert majority(votes(["a", "a"], ["u", "v"], ["yes", "no"])).labels == ("no",)


@pytest.mark.parametrize("prior", [{}, MAXIMUM_LIKELIHOOD])
def test_one_fold_with_nothing_new_is_one_iteration_of_the_whole(prior: dict[str, float]) -> None:
    found = _crowd(items=500, workers=20, classes=3, seed=2)
    batch = dawid_skene(found, max_iterations=6, tolerance=-1.0, **prior)
    further = dawid_skene(found, max_iterations=7, tolerance=-1.0, **prior)
    judged = Judged(batch, found)
    again, grown = fold_in(learn(judged), found, replaced=judged, **prior)
    assert again.posteriors == pytest.approx(further.posteriors, abs=1e-9)
    assert grown.counts == pytest.approx(learn(Judged(further, found)).counts, abs=1e-6)
    assert np.abs(batch.posteriors - further.posteriors).max() > 1e-4  # else it would prove nothing


def test_once_converged_a_fold_changes_nothing() -> None:
    found = _crowd(items=500, workers=20, classes=3, seed=2)
    judged = Judged(dawid_skene(found, tolerance=1e-13), found)
    again, _ = fold_in(learn(judged), found, replaced=judged)
    assert again.posteriors == pytest.approx(judged.consensus.posteriors, abs=1e-5)


def test_a_further_vote_replaces_what_the_item_had_said() -> None:
    found = _crowd(items=200, workers=5, classes=2, seed=6)
    learned = learn(Judged(dawid_skene(found), found))
    first = votes(["new"], ["0"], ["1"], classes=("0", "1"))
    once, grown = fold_in(learned, first)
    second = votes(["new"] * 3, ["0", "1", "2"], ["1", "0", "0"], classes=("0", "1"))
    twice, replaced = fold_in(grown, second, replaced=Judged(once, first))
    assert (once.labels, twice.labels) == (("1",), ("0",))
    assert replaced.counts.sum() == pytest.approx(len(found) + 3)
    assert replaced.class_counts.sum() == pytest.approx(len(found.items) + 1)


def test_items_that_come_later_are_judged_almost_as_if_all_had_come_at_once() -> None:
    whole = _crowd(items=1000, workers=20, classes=3, seed=3)
    rows = [
        (whole.items[item], whole.workers[worker], whole.classes[label])
        for item, worker, label in zip(whole.item, whole.worker, whole.label, strict=True)
    ]
    early, late = rows[:4500], rows[4500:]
    first = votes(*map(list, zip(*early, strict=True)), classes=whole.classes)
    then = votes(*map(list, zip(*late, strict=True)), classes=whole.classes)
    consensus, grown = fold_in(learn(Judged(dawid_skene(first), first)), then)
    expected = dict(zip(whole.items, dawid_skene(whole).labels, strict=True))
    pairs = list(zip(consensus.items, consensus.labels, strict=True))
    assert len(pairs) == 100
    assert np.mean([expected[item] == label for item, label in pairs]) >= 0.98
    assert grown.counts.sum() == pytest.approx(len(whole))


def test_a_new_worker_is_taken_for_like_the_others() -> None:
    found = _crowd(items=200, workers=5, classes=2, seed=4)
    learned = learn(Judged(dawid_skene(found), found))
    consensus, grown = fold_in(learned, votes(["new"], ["stranger"], ["1"], classes=("0", "1")))
    assert grown.workers == (*learned.workers, "stranger")
    assert 0.5 < consensus.confidence[0] < 1.0
    assert consensus.labels == ("1",)


def test_votes_of_other_classes_cannot_be_folded_in() -> None:
    found = _crowd(items=20, workers=5, classes=2, seed=5)
    learned = learn(Judged(dawid_skene(found), found))
    with pytest.raises(InvalidDataError, match="classes must be 0, 1, got 0, 1, 2"):
        fold_in(learned, votes(["new"], ["0"], ["2"], classes=("0", "1", "2")))
    stranger = votes(["new"], ["stranger"], ["1"], classes=("0", "1"))
    with pytest.raises(InvalidDataError, match="replaced votes must be of known workers, got 'stranger'"):
        fold_in(learned, found, replaced=Judged(majority(stranger), stranger))
    with pytest.raises(InvalidDataError, match="consensus must be on the same items"):
        Judged(dawid_skene(found), votes(["other"], ["0"], ["1"], classes=("0", "1")))
