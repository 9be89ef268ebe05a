"""Active learning on scikit-learn's digits: labels saved, and how often the guaranteed error was exceeded.

People are simulated: three read each object, each wrong in `ERROR` of the cases. Two rules label in the same
harness: one by the round's guarantee, and one that takes the lowest threshold at which its validation sample
shows no more than alpha, which is what one would do without.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import mean

import numpy as np
from benchmarks.measure import Measurement
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC

from overread.labeling.active import campaign as campaigns
from overread.labeling.active.campaign import Campaign, Plan
from overread.labeling.active.guarantee import RoundGuarantee, guarantee_of_round

SEEDS = 50
ERROR, VOTES = 0.05, 3
PLAN = Plan(first=150, validation=215, batch=60, alpha=0.05, delta=0.1, most_by_people=628)
"""628 of 1,797 objects are 35 %."""

Rule = Callable[[NDArray[np.float64], NDArray[np.bool_]], float]


@dataclass(frozen=True)
class Result:
    """What one campaign came to: shares of all objects, and the model's error in each round."""

    accuracy: float
    by_people: float
    by_model: float
    errors: tuple[float, ...]
    human_only: float


def run() -> list[Measurement]:
    """Means over all seeds, and how many seeds broke their promise."""
    results = [campaign(seed) for seed in range(SEEDS)]
    naive = [campaign(seed, rule=at_most_alpha_seen) for seed in range(SEEDS)]
    share = mean(one.by_people for one in results)
    accuracy = mean(one.accuracy for one in results)
    broken = sum(any(error > PLAN.alpha for error in one.errors) for one in results)
    naively = sum(any(error > PLAN.alpha for error in one.errors) for one in naive)
    return [
        Measurement("active learning: accuracy on digits", accuracy, "of 1"),
        Measurement(
            "active learning: worst accuracy of a seed", min(one.accuracy for one in results), "of 1"
        ),
        Measurement.against(
            "active learning: objects labeled by people (baseline: all)",
            value=share,
            unit="of 1",
            baseline=1.0,
        ),
        Measurement(
            "active learning: accuracy of people alone", mean(one.human_only for one in results), "of 1"
        ),
        Measurement(
            "active learning: seeds below 97 %", sum(one.accuracy < 0.97 for one in results), "seeds"
        ),
        Measurement(f"active learning: of {SEEDS} seeds broke the guarantee", broken, "seeds"),
        Measurement(f"active learning: … promised at most {PLAN.delta:.0%}", PLAN.delta * SEEDS, "seeds"),
        Measurement(f"active learning: of {SEEDS} seeds broke it by the naive rule", naively, "seeds"),
    ]


def at_most_alpha_seen(confidence: NDArray[np.float64], is_right: NDArray[np.bool_]) -> float:
    """The lowest threshold at which the sample shows at most alpha."""
    best = np.inf
    for threshold in np.unique(confidence)[::-1]:
        accepted = confidence >= threshold
        if (~is_right[accepted]).mean() <= PLAN.alpha:
            best = threshold
    return float(best)


def campaign(seed: int, *, rule: Rule | None = None, plan: Plan = PLAN) -> Result:
    """One campaign with its simulated people and a support vector machine."""
    digits = load_digits()
    features, truth = digits.data / 16, digits.target
    said = people(truth, seed=seed)
    model_says = np.full(len(truth), -1)
    errors: list[float] = []
    going = campaigns.labeled_by_people(campaigns.begin(plan, objects=len(truth), seed=seed))
    while not going.is_over:
        known = np.array(going.by_people)
        model = OneVsRestClassifier(SVC(C=10, gamma=0.25)).fit(features[known], said[known])
        going = campaigns.validation_sample(going)
        checked = np.array(going.asked, dtype=int)
        going = campaigns.labeled_by_people(going)
        if going.is_over:
            break
        guarantee = _guarantee(going, model, features=features[checked], said=said[checked], rule=rule)
        pool = np.array(going.pool)
        sure = probabilities(model, features[pool])
        going = campaigns.label_by_model(going, guarantee=guarantee, confidence=sure.max(axis=1))
        taken = np.setdiff1d(pool, np.array(going.pool, dtype=int))
        if len(taken):
            model_says[taken] = classes_of(model, features[taken])
            errors.append(float((model_says[taken] != truth[taken]).mean()))
        if not going.is_over:
            left = np.array(going.pool)
            going = campaigns.next_batch(going, probabilities=probabilities(model, features[left]))
            going = going if going.is_over else campaigns.labeled_by_people(going)
    final, known = model_says.copy(), np.array(going.by_people)
    final[known] = said[known]
    return Result(
        accuracy=float((final == truth).mean()),
        by_people=len(going.by_people) / len(truth),
        by_model=len(going.by_model) / len(truth),
        errors=tuple(errors),
        human_only=float((said == truth).mean()),
    )


def _guarantee(
    going: Campaign,
    model: OneVsRestClassifier,
    *,
    features: NDArray[np.float64],
    said: NDArray[np.int64],
    rule: Rule | None,
) -> RoundGuarantee:
    confidence = probabilities(model, features).max(axis=1)
    right = classes_of(model, features) == said
    plan = going.plan
    found = guarantee_of_round(
        going.round, confidence=confidence, is_right=right, alpha=plan.alpha, delta=plan.delta
    )
    return found if rule is None else replace(found, threshold=rule(confidence, right))


def people(truth: NDArray[np.int64], *, seed: int) -> NDArray[np.int64]:
    """The majority of three readers of each object; a tie is the first's."""
    drawn = np.random.default_rng([seed, 7])
    votes = np.repeat(truth[:, None], VOTES, axis=1)
    wrong = drawn.random(votes.shape) < ERROR
    votes = np.where(wrong, (votes + drawn.integers(1, 10, votes.shape)) % 10, votes)
    agreed = np.where((votes[:, 1] == votes[:, 2]), votes[:, 1], votes[:, 0])
    return np.asarray(agreed)


def probabilities(model: OneVsRestClassifier, features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Class scores as probabilities, (N, K): the softmax of one-against-the-rest decisions."""
    raw = model.decision_function(features) * 4
    raw = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(raw / raw.sum(axis=1, keepdims=True))


def classes_of(model: OneVsRestClassifier, features: NDArray[np.float64]) -> NDArray[np.int64]:
    """The most probable class by the same scores."""
    return np.asarray(model.classes_[probabilities(model, features).argmax(axis=1)])


if __name__ == "__main__":
    for line in run():
        print(line)
