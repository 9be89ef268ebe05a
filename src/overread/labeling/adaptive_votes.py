"""Whether an object's label needs another vote, or is sure enough already."""

from collections import Counter
from collections.abc import Sequence

SKILL = 0.8
"""How often a person is taken to be right of whom nothing is known."""


def sureness(votes: Sequence[str], *, classes: int, skill: float = SKILL) -> float:
    """How probable the most probable label is after these votes, in [0, 1].

    Each person says the true label with probability `skill` and any other one alike: a one-coin model with a
    flat prior (Dawid & Skene 1979 with one parameter a person). Without votes it is 1 / classes. There are as
    many classes as different votes at least, and two.
    """
    counts = Counter(votes)
    kinds = max(classes, len(counts), 2)
    odds = skill * (kinds - 1) / (1 - skill)
    weights = [odds**count for count in counts.values()]
    return max(weights, default=1.0) / (sum(weights) + kinds - len(counts))


def needs_vote(
    votes: Sequence[str], *, classes: int, confidence: float, most: int, skill: float = SKILL
) -> bool:
    """Whether another vote is to be had: the label is less sure than `confidence`, and `most` are not in."""
    return len(votes) < most and sureness(votes, classes=classes, skill=skill) < confidence
