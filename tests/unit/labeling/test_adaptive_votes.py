"""Another vote where a label is not sure yet."""

import random

import pytest

from overread.labeling.adaptive_votes import needs_vote, sureness


def test_two_equal_votes_of_two_classes_by_hand() -> None:
    """0.8² / (0.8² + 0.2²) = 0.64 / 0.68."""
    assert sureness(["cat", "cat"], classes=2) == pytest.approx(0.64 / 0.68)


def test_three_votes_of_ten_classes_by_hand() -> None:
    """Weights: right 0.8² × (0.2/9), the other 0.8 × (0.2/9)², each of eight (0.2/9)³."""
    other = 0.2 / 9
    first, second, rest = 0.8**2 * other, 0.8 * other**2, 8 * other**3
    expected = first / (first + second + rest)
    assert sureness(["1", "1", "7"], classes=10) == pytest.approx(expected)


def test_nobody_has_voted() -> None:
    assert sureness([], classes=4) == 0.25


def test_more_different_votes_than_classes_are_taken_as_they_are() -> None:
    assert sureness(["a", "b", "c"], classes=2) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("votes", "needed"),
    [(["cat"], True), (["cat", "cat"], True), (["cat"] * 3, False), (["cat", "dog"] * 3 + ["cat"], False)],
)
def test_votes_are_bought_until_the_label_is_sure_or_there_are_enough(votes: list[str], needed: bool) -> None:
    assert needs_vote(votes, classes=2, confidence=0.95, most=7) is needed


def test_fewer_votes_give_the_accuracy_of_five() -> None:
    """2,000 objects of ten classes, people who are right in 80 %: adaptive from 2 to 7 against five each."""
    drawn = random.Random(4)

    def vote(truth: int) -> str:
        wrong = [label for label in range(10) if label != truth]
        return str(truth if drawn.random() < 0.8 else drawn.choice(wrong))

    def winner(votes: list[str]) -> str:
        return max(sorted(set(votes)), key=votes.count)

    fixed = adaptive = spent = 0
    for number in range(2000):
        truth = number % 10
        fixed += winner([vote(truth) for _ in range(5)]) == str(truth)
        votes = [vote(truth), vote(truth)]
        while needs_vote(votes, classes=10, confidence=0.99, most=7):
            votes.append(vote(truth))
        adaptive += winner(votes) == str(truth)
        spent += len(votes)
    assert spent < 0.6 * 5 * 2000
    assert adaptive >= fixed - 0.01 * 2000
