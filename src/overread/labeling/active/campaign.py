"""An active-learning campaign: what to do next, from how far it has come. Others label, train and score."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from overread.labeling.active.guarantee import RoundGuarantee
from overread.labeling.active.selection import Probabilities, Strategy, least_sure, sureness


class End(StrEnum):
    """Why a campaign is over."""

    EVERYTHING_LABELED = "everything-labeled"
    BUDGET_SPENT = "budget-spent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a campaign goes.

    `first` objects drawn at random are labeled before the first training. Then each round people label
    `validation` objects drawn at random and the `batch` that the model is least sure of. `alpha` and `delta`
    are the guarantee over all rounds; `most_by_people` the objects that people may label at all.
    """

    first: int
    validation: int
    batch: int
    alpha: float
    delta: float
    most_by_people: int
    strategy: Strategy = Strategy.MARGIN


@dataclass(frozen=True, slots=True)
class Campaign:
    """How far a campaign has come. Objects are their places from 0 on in the manifest.

    `by_people` and `by_model` are labeled; `pool` is not. `unproductive` counts rounds in a row in which the
    model was allowed nothing.
    """

    plan: Plan
    seed: int
    pool: tuple[int, ...]
    by_people: tuple[int, ...] = ()
    by_model: tuple[int, ...] = ()
    round: int = 0
    unproductive: int = 0
    guarantees: tuple[RoundGuarantee, ...] = ()
    end: End | None = None
    asked: tuple[int, ...] = field(default=())
    """What people have to label now."""

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do, or nobody left who may do it."""
        return self.end is not None


_PATIENCE = 2
"""After so many rounds in a row without a guarantee people label the rest: the model does not learn it."""


def begin(plan: Plan, *, objects: int, seed: int) -> Campaign:
    """The campaign whose first objects are with people."""
    pool = tuple(range(objects))
    fresh = Campaign(plan=plan, seed=seed, pool=pool)
    return _asking(fresh, _drawn(fresh, pool, size=plan.first))


def labeled_by_people(campaign: Campaign) -> Campaign:
    """The campaign after people labeled what they were asked; those objects are out of the pool."""
    gone = set(campaign.asked)
    pool = tuple(place for place in campaign.pool if place not in gone)
    done = replace(campaign, by_people=(*campaign.by_people, *campaign.asked), asked=(), pool=pool)
    return _ended(done)


def validation_sample(campaign: Campaign) -> Campaign:
    """The next round, after its model was trained: people label a random sample of the whole pool.

    It is drawn before anybody looks at the model's scores; that is what its guarantee rests on.
    """
    following = replace(campaign, round=campaign.round + 1)
    return _asking(following, _drawn(following, following.pool, size=campaign.plan.validation))


def label_by_model(
    campaign: Campaign, *, guarantee: RoundGuarantee, confidence: NDArray[np.float64]
) -> Campaign:
    """The campaign after the model labeled what the round's guarantee allows, which may be nothing.

    `confidence` (N,) is the model's in each object of the pool, in the pool's order.
    """
    threshold = np.inf if guarantee.threshold is None else guarantee.threshold
    taken = tuple(place for place, sure in zip(campaign.pool, confidence, strict=True) if sure >= threshold)
    gone = set(taken)
    return _ended(
        replace(
            campaign,
            by_model=(*campaign.by_model, *taken),
            pool=tuple(place for place in campaign.pool if place not in gone),
            guarantees=(*campaign.guarantees, guarantee),
            unproductive=0 if taken else campaign.unproductive + 1,
        )
    )


def next_batch(campaign: Campaign, *, probabilities: Probabilities) -> Campaign:
    """What people label before the next training: the least sure of the pool, or all that is left.

    All of it when it is no more than another round would ask for, or the model has not earned a guarantee for
    rounds. `probabilities` (N, K) are of the pool's objects in its order.
    """
    plan = campaign.plan
    a_round = plan.batch + plan.validation
    if len(campaign.pool) <= a_round or campaign.unproductive >= _PATIENCE:
        return _asking(campaign, campaign.pool)
    sure = sureness(probabilities, strategy=plan.strategy)
    return _asking(campaign, [campaign.pool[place] for place in least_sure(sure, size=plan.batch)])


def _asking(campaign: Campaign, places: Sequence[int]) -> Campaign:
    """The campaign that asks people for these, as far as they may still be asked."""
    left = campaign.plan.most_by_people - len(campaign.by_people)
    asked = tuple(places)[: max(0, left)]
    if not asked and campaign.pool:
        return replace(campaign, asked=(), end=End.BUDGET_SPENT)
    return replace(campaign, asked=asked)


def _ended(campaign: Campaign) -> Campaign:
    return campaign if campaign.pool else replace(campaign, end=End.EVERYTHING_LABELED)


def _drawn(campaign: Campaign, pool: Sequence[int], *, size: int) -> tuple[int, ...]:
    """Objects drawn at random: always the same ones for a seed and a round."""
    drawn = np.random.default_rng([campaign.seed, campaign.round])
    places = drawn.choice(len(pool), size=min(size, len(pool)), replace=False)
    return tuple(pool[place] for place in places.tolist())
