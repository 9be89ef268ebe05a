"""Figures about answers: what was chosen, how long it took, how often people agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from statistics import median
from typing import Any

from overread_review.service.model import Agreement, Answer

_LONGEST, _LONGEST_SET = 64, 1_000
_MOST, _MOST_TEXT = 50, 4_000
"""Choices lie in the loop's record, of which the store takes 400 kB with the answers of all its people."""


def choices_of(content: Mapping[str, Any]) -> dict[str, str]:
    """The categorical members of an answer's content, each as one text; others are left out.

    `{"x": {"label": "a"}}` and `{"x": "a"}` give a, `{"x": {"labels": ["b", "a"]}}` gives a|b,
    `{"x": {"v": true, "w": false}}` gives v. At most 50 members with 4,000 characters in all, in the order of
    their names; a set of labels has at most 1,000.
    """
    found: dict[str, str] = {}
    room = _MOST_TEXT
    for name in sorted(content)[:_MOST]:
        choice = _choice(content[name])
        if choice is not None and len(name) <= _LONGEST and len(name) + len(choice) <= room:
            found[name] = choice
            room -= len(name) + len(choice)
    return found


def _choice(value: object) -> str | None:
    if isinstance(value, str):
        return value if _is_short(value) else None
    if not isinstance(value, Mapping) or not value:
        return None
    if isinstance(value.get("label"), str):
        return value["label"] if _is_short(value["label"]) else None
    labels = value.get("labels")
    if not isinstance(labels, list) and all(isinstance(one, bool) for one in value.values()):
        labels = [name for name, chosen in value.items() if chosen]
    if isinstance(labels, list) and all(isinstance(one, str) and _is_short(one) for one in labels):
        chosen = "|".join(sorted(labels))
        return chosen if len(chosen) <= _LONGEST_SET else None
    return None


def _is_short(text: str) -> bool:
    return len(text) <= _LONGEST and "\n" not in text


def agreement(tasks: Iterable[Sequence[Answer]], *, of: str = "") -> Agreement:
    """Over the answers of several tasks: all pairs to the same task, or those with the person `of` in them.

    Two answers agree when both chose the same, or both could not decide. Pairs of which one holds nothing
    categorical count for nothing.
    """
    pairs = [
        (first, second)
        for answers in tasks
        for first, second in combinations(answers, 2)
        if of in {"", first.person, second.person} and _is_comparable(first) and _is_comparable(second)
    ]
    return Agreement(pairs=len(pairs), agreed=sum(_chosen(one) == _chosen(other) for one, other in pairs))


def _is_comparable(answer: Answer) -> bool:
    return bool(answer.choices) or answer.cannot_decide


def _chosen(answer: Answer) -> tuple[bool, tuple[tuple[str, str], ...]]:
    return answer.cannot_decide, tuple(sorted(answer.choices.items()))


def median_of(values: Iterable[float]) -> float | None:
    """The median, None of nothing."""
    known = list(values)
    return float(median(known)) if known else None
