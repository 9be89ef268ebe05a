"""Active learning's bookkeeping, choice of objects and guarantee, without a model."""

from __future__ import annotations

import math

import numpy as np
import pytest

from overread.labeling.active import campaign as campaigns
from overread.labeling.active.campaign import Campaign, End, Plan
from overread.labeling.active.guarantee import RoundGuarantee, delta_of_round, guarantee_of_round
from overread.labeling.active.selection import Strategy, k_centres, least_sure, sureness

PLAN = Plan(first=10, validation=6, batch=4, alpha=0.05, delta=0.1, most_by_people=50)


def after_first(plan: Plan = PLAN, *, objects: int = 100, seed: int = 1) -> Campaign:
    return campaigns.labeled_by_people(campaigns.begin(plan, objects=objects, seed=seed))


def round_of(threshold: float | None) -> RoundGuarantee:
    return RoundGuarantee(
        round=1, alpha=0.05, delta=0.06, threshold=threshold, validated=6, accepted=6, errors=0, message=""
    )


def test_the_first_objects_are_drawn_at_random_and_always_the_same() -> None:
    begun = campaigns.begin(PLAN, objects=100, seed=1)
    assert begun.asked == campaigns.begin(PLAN, objects=100, seed=1).asked
    assert begun.asked != campaigns.begin(PLAN, objects=100, seed=2).asked
    assert len(set(begun.asked)) == 10


def test_a_validation_sample_is_drawn_from_the_pool_alone() -> None:
    going = campaigns.validation_sample(after_first())
    assert going.round == 1
    assert set(going.asked) <= set(going.pool)
    assert not set(going.asked) & set(going.by_people)
    assert len(going.asked) == 6


def test_the_model_labels_at_or_above_the_threshold_and_nothing_without_one() -> None:
    going = after_first()
    confidence = np.linspace(0, 1, len(going.pool))
    labeled = campaigns.label_by_model(going, guarantee=round_of(0.5), confidence=confidence)
    assert len(labeled.by_model) == int((confidence >= 0.5).sum())
    assert labeled.unproductive == 0
    refused = campaigns.label_by_model(going, guarantee=round_of(None), confidence=confidence)
    assert refused.by_model == ()
    assert refused.pool == going.pool
    assert refused.unproductive == 1


def test_every_object_is_in_one_place_whatever_happens() -> None:
    going = after_first()
    drawn = np.random.default_rng(3)
    while not going.is_over:
        going = campaigns.labeled_by_people(campaigns.validation_sample(going))
        if going.is_over:
            break
        threshold = None if drawn.random() < 0.5 else 0.8
        going = campaigns.label_by_model(
            going, guarantee=round_of(threshold), confidence=drawn.random(len(going.pool))
        )
        if not going.is_over:
            going = campaigns.next_batch(going, probabilities=drawn.dirichlet([1, 1], size=len(going.pool)))
            going = campaigns.labeled_by_people(going)
        placed = [*going.pool, *going.by_people, *going.by_model]
        assert sorted(placed) == list(range(100))
    assert len(going.by_people) <= PLAN.most_by_people
    assert going.end in {End.EVERYTHING_LABELED, End.BUDGET_SPENT}


def test_the_least_sure_are_asked_next() -> None:
    going = after_first()
    probabilities = np.full((len(going.pool), 2), (0.9, 0.1))
    probabilities[[3, 30, 60, 80]] = (0.55, 0.45)
    asked = campaigns.next_batch(going, probabilities=probabilities).asked
    assert asked == tuple(going.pool[place] for place in (3, 30, 60, 80))


def test_people_label_the_rest_when_it_is_small_or_the_model_earns_nothing() -> None:
    going = after_first(objects=20)
    assert campaigns.next_batch(going, probabilities=np.full((10, 2), 0.5)).asked == going.pool
    stuck = after_first(Plan(first=10, validation=6, batch=4, alpha=0.05, delta=0.1, most_by_people=1000))
    for _ in range(2):
        stuck = campaigns.label_by_model(stuck, guarantee=round_of(None), confidence=np.ones(90))
    assert campaigns.next_batch(stuck, probabilities=np.full((90, 2), 0.5)).asked == stuck.pool


def test_people_are_asked_no_more_than_the_budget_allows() -> None:
    tight = Plan(first=10, validation=6, batch=4, alpha=0.05, delta=0.1, most_by_people=12)
    going = campaigns.validation_sample(after_first(tight))
    assert len(going.asked) == 2
    going = campaigns.labeled_by_people(going)
    assert campaigns.next_batch(going, probabilities=np.full((88, 2), 0.5)).end is End.BUDGET_SPENT


def test_the_shares_of_all_rounds_together_are_delta() -> None:
    total = sum(delta_of_round(number, delta=0.1) for number in range(1, 200_000))
    assert total == pytest.approx(0.1, abs=1e-6)
    assert delta_of_round(1, delta=0.1) == pytest.approx(0.6 / math.pi**2)


def test_the_guarantee_needs_enough_objects_without_error() -> None:
    sure = np.linspace(0.5, 1, 215)
    given = guarantee_of_round(1, confidence=sure, is_right=np.ones(215, bool), alpha=0.05, delta=0.1)
    assert given.threshold is not None
    assert given.errors == 0
    few = guarantee_of_round(1, confidence=sure[:40], is_right=np.ones(40, bool), alpha=0.05, delta=0.1)
    assert few.threshold is None
    wrong = guarantee_of_round(1, confidence=sure, is_right=np.arange(215) % 5 > 0, alpha=0.05, delta=0.1)
    assert wrong.threshold is None
    assert guarantee_of_round(1, confidence=[], is_right=[], alpha=0.05, delta=0.1).threshold is None


def test_a_guarantee_is_exceeded_no_more_often_than_promised() -> None:
    """2,000 rounds of 215 validation objects: the model errs the more, the less sure it is."""
    drawn = np.random.default_rng(11)
    broken = given = 0
    for _ in range(2000):
        confidence = drawn.beta(5, 1, 215)
        right = drawn.random(215) < 0.80 + 0.18 * confidence
        found = guarantee_of_round(1, confidence=confidence, is_right=right, alpha=0.05, delta=0.1)
        if found.threshold is None:
            continue
        given += 1
        pool = drawn.beta(5, 1, 2000)
        accepted = pool[pool >= found.threshold]
        broken += (1 - (0.80 + 0.18 * accepted)).mean() > 0.05
    share = delta_of_round(1, delta=0.1)
    assert given > 50
    assert broken <= 2000 * share + 2 * math.sqrt(2000 * share * (1 - share))


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (Strategy.MARGIN, [0.2, 0.3]),
        (Strategy.LEAST_CONFIDENCE, [0.5, 0.6]),
        (
            Strategy.ENTROPY,
            [
                0.5 * math.log(0.5) + 0.3 * math.log(0.3) + 0.2 * math.log(0.2),
                0.6 * math.log(0.6) + 0.3 * math.log(0.3) + 0.1 * math.log(0.1),
            ],
        ),
    ],
)
def test_sureness_by_hand(strategy: Strategy, expected: list[float]) -> None:
    found = sureness(np.array([[0.5, 0.3, 0.2], [0.6, 0.3, 0.1]]), strategy=strategy)
    assert found == pytest.approx(expected)
    assert least_sure(found, size=1).tolist() == [0]


def test_centres_cover_what_lies_apart() -> None:
    around = np.random.default_rng(1).normal(size=(30, 2)) * 0.1
    features = np.concatenate([around, around + np.array([10, 0]), around + np.array([0, 10])])
    chosen = k_centres(features, covered=np.array([[0.0, 0.0]]), size=2)
    assert {int(place) // 30 for place in chosen} == {1, 2}
    assert k_centres(np.empty((0, 2)), covered=np.empty((0, 2)), size=3).tolist() == []
    assert len(set(k_centres(features, covered=np.empty((0, 2)), size=90).tolist())) == 90
