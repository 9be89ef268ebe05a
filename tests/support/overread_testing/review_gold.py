"""Qualifications for tests, and people who answer questions with known answers right or wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from overread_review.service.model import Loop, Reviewer
from overread_review.service.offers import OfferedTask
from overread_testing.review_fakes import ReviewLab

TAGS = {"overread:qualification": "loans"}
_ENDLESS = 150


def qualification_of(count: int = 6, **changes: Any) -> dict[str, Any]:
    """A document with `count` items, of which the odd ones are to be approved; three questions, two right."""
    items = [
        {
            "id": f"item-{number}",
            "input": {"note": f"loan {number}"},
            "expected": {"decision": "approve" if number % 2 else "decline"},
        }
        for number in range(count)
    ]
    terms = {"questions": 3, "pass_mark": 0.6, "gold_share": 0.0, "valid_days": 30}
    return {"items": items, **terms, **changes}


def gold_tasks(lab: ReviewLab, person: Reviewer) -> list[OfferedTask]:
    """The offered tasks whose answers are known."""
    return [task for task in lab.service.tasks.offered(person) if task.loop.gold is not None]


def real_tasks(lab: ReviewLab, person: Reviewer) -> list[str]:
    """The names of the other offered tasks."""
    return [task.loop.name for task in lab.service.tasks.offered(person) if task.loop.gold is None]


def known_label(lab: ReviewLab, loop: Loop, *, right: bool = True) -> str:
    """A right or a wrong label for a gold loop."""
    assert loop.gold is not None
    items = lab.service.qualifications.get(loop.gold.qualification).items
    expected = next(item.expected["decision"] for item in items if item.item_id == loop.gold.item)
    return expected if right else "cannot-decide"


def answer_gold(lab: ReviewLab, loop: Loop, *, by: Reviewer, right: bool = True) -> Loop:
    """The gold loop after it was answered right or wrong."""
    return lab.answer(loop.name, by=by, label=known_label(lab, loop, right=right))


def take_test(
    lab: ReviewLab, person: Reviewer, *, right: Callable[[int], bool] | None = None
) -> Sequence[str]:
    """Answer the questions of a test until there are none; the items in the order of asking."""
    asked: list[str] = []
    while loops := [
        task.loop
        for task in gold_tasks(lab, person)
        if task.loop.gold is not None and task.loop.gold.purpose == "test"
    ]:
        gold = loops[0].gold
        assert gold is not None
        assert len(asked) < _ENDLESS, "a test without an end"
        answer_gold(lab, loops[0], by=person, right=right is None or right(len(asked)))
        asked.append(gold.item)
    return asked
