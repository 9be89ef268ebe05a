"""Workers measured on gold, and who may be blocked."""

import numpy as np
import pytest

from overread.consensus.dawid_skene import dawid_skene
from overread.consensus.majority import majority
from overread.consensus.votes import gold_of, votes
from overread.consensus.worker_quality import worker_quality
from overread.errors import InvalidDataError


def test_by_hand() -> None:
    # Worker a: 9 of 10 gold items right; b: none of 2; c has no gold.
    items = [*range(10), 0, 1, 99]
    workers = ["a"] * 10 + ["b"] * 2 + ["c"]
    labels = ["y"] * 9 + ["n"] + ["n"] * 2 + ["y"]
    cast = votes(items, workers, labels)
    a, b, c = worker_quality(cast, gold=gold_of([*range(10)], ["y"] * 10, votes=cast))
    assert (a.worker, a.votes, a.gold_right, a.gold_total) == ("a", 10, 9, 10)
    assert a.accuracy == pytest.approx(10 / 12)  # Beta(1 + 9, 1 + 1)
    # Wilson, z = 1.96: (.9 + .19207 +- 1.96 sqrt(.009 + .0096)) / 1.38415 = .5958, .9821.
    assert a.wilson == pytest.approx((0.5958, 0.9821), abs=1e-4)
    # Clopper and Pearson for 9 of 10: .5550, .9975 (tables).
    assert a.clopper_pearson == pytest.approx((0.5550, 0.9975), abs=1e-4)
    # None of 2: upper bound 1 - .025^(1/2) = .8419.
    assert b.clopper_pearson == pytest.approx((0.0, 1 - 0.025**0.5))
    assert (b.is_below(0.85), b.is_below(0.84)) == (True, False)
    assert (c.gold_total, c.accuracy, c.wilson, c.clopper_pearson) == (0, 0.5, (0.0, 1.0), (0.0, 1.0))
    assert not c.is_below(1.0)


def test_one_bad_gold_answer_blocks_nobody() -> None:
    cast = votes([1], ["w"], ["n"], classes=["n", "y"])
    (found,) = worker_quality(cast, gold=gold_of([1], ["y"], votes=cast))
    assert (found.gold_right, found.gold_total) == (0, 1)
    assert not found.is_below(0.9)


def test_the_learnt_accuracy_is_shrunken_towards_the_crowd() -> None:
    rng = np.random.default_rng(4)
    truth = rng.integers(2, size=300)
    rates = {"good": 0.95, "fair": 0.9, "also": 0.85, "poor": 0.55}
    rows = [
        (item, name, int(right if rng.random() < rate else 1 - right))
        for item, right in enumerate(truth.tolist())
        for name, rate in rates.items()
    ]
    rows.append((0, "new", 1 - int(truth[0])))  # one vote, and a wrong one
    cast = votes(*zip(*rows, strict=True))
    found = {each.worker: each for each in worker_quality(cast, consensus=dawid_skene(cast))}
    for name, rate in rates.items():
        assert found[name].shrunken == pytest.approx(rate, abs=0.06)
    assert 0.2 < (found["new"].shrunken or 0) < 0.95
    assert all(each.shrunken is None for each in worker_quality(cast, consensus=majority(cast)))


def test_gold_and_consensus_of_other_votes_are_refused() -> None:
    cast = votes([1, 2], ["a", "b"], ["x", "y"])
    other = votes([*range(9)], ["z"] * 9, ["x"] * 9)
    with pytest.raises(InvalidDataError) as caught:
        worker_quality(cast, gold=gold_of([8], ["x"], votes=other), consensus=majority(other))
    assert len(caught.value.faults) == 2
