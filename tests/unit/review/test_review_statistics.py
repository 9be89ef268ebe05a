"""What counts as a choice, when two answers agree, and medians."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from overread_review.service.model import Agreement, Answer
from overread_review.service.statistics import agreement, choices_of, median_of

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("member", "choice"),
    [
        ({"label": "a"}, "a"),
        ({"labels": ["b", "a"]}, "a|b"),
        ({"labels": []}, ""),
        ({"v": True, "w": False, "u": True}, "u|v"),
        ({"v": False}, ""),
        ("a", "a"),
        ("x" * 64, "x" * 64),
    ],
)
def test_categorical_members_are_choices(member: Any, choice: str) -> None:
    assert choices_of({"x": member}) == {"x": choice}


@pytest.mark.parametrize(
    "member",
    [
        "x" * 65,
        "two\nlines",
        3,
        True,
        None,
        ["a"],
        {},
        {"label": 3},
        {"label": "x" * 65},
        {"labels": ["a", 1]},
        {"v": True, "w": "text"},
        {"boundingBoxes": [{"left": 1}]},
    ],
)
def test_everything_else_is_left_out(member: Any) -> None:
    assert choices_of({"x": member, "y": "kept"}) == {"y": "kept"}


def test_at_most_fifty_choices_with_short_names_are_read() -> None:
    assert choices_of({f"m{number:03d}": "a" for number in range(80)}) == {
        f"m{number:03d}": "a" for number in range(50)
    }
    assert choices_of({"n" * 65: "a"}) == {}


def test_sets_of_labels_and_all_choices_together_are_limited() -> None:
    labels = [f"{number:09d}" for number in range(100)]
    assert choices_of({"x": {"labels": labels}})["x"].count("|") == 99
    assert choices_of({"x": {"labels": [*labels, "z"]}, "y": dict.fromkeys([*labels, "z"], True)}) == {}
    many = {f"m{number:02d}": {"labels": labels} for number in range(5)}
    assert choices_of(many | {"z": "short"}).keys() == {"m00", "m01", "m02", "z"}


def chose(person: str, *, cannot_decide: bool = False, **choices: str) -> Answer:
    return Answer(
        person=person,
        sub=person,
        worker_id=person,
        identity_provider="Cognito",
        issuer="",
        accepted_at=NOW,
        submitted_at=NOW,
        content_key="",
        choices=choices,
        cannot_decide=cannot_decide,
    )


def test_agreement_counts_pairs_within_tasks_only() -> None:
    """Three answers a, a, b make 3 pairs of which 1 agrees; two answers b, b make 1 pair that agrees."""
    tasks = [
        [chose("ada", x="a"), chose("grace", x="a"), chose("lena", x="b")],
        [chose("ada", x="b"), chose("grace", x="b")],
        [chose("ada", x="a")],
        [],
    ]
    assert agreement(tasks) == Agreement(pairs=4, agreed=2)
    assert agreement(tasks, of="lena") == Agreement(pairs=2, agreed=0)
    assert agreement(tasks, of="ada") == Agreement(pairs=3, agreed=2)
    assert agreement(tasks, of="nobody") == Agreement()


def test_agreement_is_on_all_choices_of_an_answer() -> None:
    assert agreement([[chose("ada", x="a", y="1"), chose("grace", x="a", y="2")]]) == Agreement(1, 0)


def test_who_cannot_decide_agrees_with_their_like_only() -> None:
    undecided = [chose("ada", cannot_decide=True), chose("grace", cannot_decide=True)]
    assert agreement([undecided]) == Agreement(1, 1)
    assert agreement([[chose("ada", cannot_decide=True), chose("grace", x="a")]]) == Agreement(1, 0)


def test_answers_without_anything_categorical_are_not_compared() -> None:
    assert agreement([[chose("ada"), chose("grace", x="a")], [chose("ada"), chose("grace")]]) == Agreement()


def test_agreement_does_not_depend_on_order() -> None:
    answers = [chose("ada", x="a"), chose("grace", x="b"), chose("lena", x="a")]
    assert agreement([answers]) == agreement([answers[::-1]]) == Agreement(3, 1)


def test_medians() -> None:
    assert median_of([]) is None
    assert median_of([3]) == 3
    assert median_of([1, 10, 2]) == 2
    assert median_of([1, 2, 3, 10]) == 2.5
