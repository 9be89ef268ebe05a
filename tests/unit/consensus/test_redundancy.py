"""Buying votes where they are worth most."""

import numpy as np
import pytest

from overread.consensus.dawid_skene import dawid_skene
from overread.consensus.majority import majority
from overread.consensus.redundancy import Redundancy, crowd_confusion, expected_reduction, next_purchases
from overread.consensus.votes import Votes, votes
from overread.errors import InvalidDataError

CROWD = np.array([[0.8, 0.2], [0.2, 0.8]])


def test_by_hand() -> None:
    # P = (.6, .4): Σ_l max_k P_k θ_kl = max(.48, .08) + max(.12, .32) = .80; less .6 is .20.
    # P = (.9, .1): max(.72, .02) + max(.18, .08) = .90: one vote cannot turn it.
    gains = expected_reduction(np.array([[0.6, 0.4], [0.9, 0.1]]), CROWD)
    assert gains == pytest.approx([0.2, 0.0])
    found = next_purchases([[0.9, 0.1], [0.6, 0.4], [0.97, 0.03]], bought=[2, 2, 2], next_vote=CROWD)
    assert found.item.tolist() == [1, 0]
    assert found.gain == pytest.approx([0.2, 0.0])
    assert found.is_enough.tolist() == [False, False, True]


def test_least_and_most_come_before_gain() -> None:
    posteriors = [[0.5, 0.5], [0.99, 0.01], [0.5, 0.5]]
    found = next_purchases(posteriors, bought=[7, 1, 3], next_vote=CROWD)
    assert found.item.tolist() == [1, 2]
    rule = Redundancy(eps=0.6, least=1, most=3)
    assert next_purchases(posteriors, bought=[1, 1, 1], next_vote=CROWD, redundancy=rule).item.size == 0


def test_a_dear_vote_must_be_worth_its_price() -> None:
    # Gains .20 at price 4, .15 at 1: (.65, .35): .52 + .28 = .80 less .65.
    found = next_purchases([[0.6, 0.4], [0.65, 0.35]], bought=[2, 2], next_vote=CROWD, price=[4.0, 1.0])
    assert found.item.tolist() == [1, 0]
    assert found.gain == pytest.approx([0.15, 0.05])


def test_the_order_of_items_and_classes_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    posteriors, crowd = rng.dirichlet([1, 1, 1], size=50), rng.dirichlet([1, 1, 1], size=3)
    found = next_purchases(posteriors, bought=[2] * 50, next_vote=crowd)
    turned = next_purchases(posteriors[::-1, ::-1], bought=[2] * 50, next_vote=crowd[::-1, ::-1])
    assert sorted(49 - turned.item) == sorted(found.item)
    assert turned.gain == pytest.approx(found.gain)
    assert (found.gain >= 0).all()
    assert next_purchases(np.empty((0, 3)), bought=[], next_vote=crowd).item.size == 0


def test_a_worker_who_guesses_is_worth_nothing() -> None:
    assert expected_reduction(np.array([[0.5, 0.3, 0.2]]), np.full((3, 3), 1 / 3)) == pytest.approx([0.0])


def _simulated(seed: int, *, items: int = 800) -> tuple[float, float, list[float]]:
    """Votes an item and accuracy when bought one after another, and accuracies of 1 to 7 votes for all."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=items)
    skill = rng.uniform(0.6, 0.95, size=40)
    order = np.array([rng.permutation(40)[:7] for _ in range(items)])
    answer = np.where(rng.random((items, 7)) < skill[order], truth[:, None], 1 - truth[:, None])

    def cast(bought: np.ndarray) -> Votes:
        item, place = np.nonzero(np.arange(7) < bought[:, None])
        return votes(item, order[item, place], answer[item, place], classes=["0", "1"])

    def accuracy(posteriors: np.ndarray) -> float:
        return float((posteriors.argmax(axis=1) == truth).mean())

    bought = np.full(items, 2)
    while True:
        current = cast(bought)
        consensus = dawid_skene(current)
        wanted = next_purchases(
            consensus.posteriors, bought=bought, next_vote=crowd_confusion(consensus, current)
        ).item
        if not wanted.size:
            break
        bought[wanted[: max(20, wanted.size // 2)]] += 1
    fixed = [accuracy(dawid_skene(cast(np.full(items, n))).posteriors) for n in range(1, 8)]
    return float(bought.mean()), accuracy(consensus.posteriors), fixed


def test_fewer_votes_are_as_right_as_a_fixed_number() -> None:
    runs = [_simulated(seed) for seed in (1, 2, 3)]
    spent = float(np.mean([run[0] for run in runs]))
    right = float(np.mean([run[1] for run in runs]))
    fixed = np.mean([run[2] for run in runs], axis=0)
    # 3.99 votes for .936; six for each item give .933, five .922.
    assert right >= fixed[5]
    assert spent <= 4.2


def test_crowd_confusion_needs_a_method_that_learns_one() -> None:
    cast = votes([1, 1, 2], ["a", "b", "a"], ["x", "y", "x"])
    assert crowd_confusion(dawid_skene(cast), cast).sum(axis=1) == pytest.approx(1.0)
    with pytest.raises(InvalidDataError, match="majority has no confusion matrices"):
        crowd_confusion(majority(cast), cast)


def test_every_fault_is_told_with_its_rows() -> None:
    with pytest.raises(InvalidDataError) as caught:
        next_purchases(
            [[0.5, 0.5], [0.9, 0.2], [np.nan, 1]],
            bought=[1, -1, 1],
            next_vote=CROWD,
            price=0,
            redundancy=Redundancy(eps=0, least=3, most=2),
        )
    assert caught.value.faults == (
        "eps must be above 0 and below 1, got 0",
        "least must be from 1 to most, got 3 and 2",
        "posteriors must be probabilities that sum to one (rows 2, 3)",
        "bought must be at least 0 (row 2)",
        "price must be above 0 (row 1)",
    )
