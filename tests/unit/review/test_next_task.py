"""The next task: in the list's order, read no further than needed, and no race of all for the same one."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from overread_review.service.model import Reviewer
from overread_testing.review_fakes import ADA, GRACE, FakeStore, ReviewLab, review_lab

CROWD = [Reviewer(f"r{number}", f"sub-{number}", frozenset({"reviewers"})) for number in range(50)]


@pytest.fixture
def lab() -> ReviewLab:
    """Two queues with 150 tasks each."""
    made = review_lab()
    for flow in ("flow", "other"):
        made.flow_definition(flow)
    for number in range(150):
        for flow in ("flow", "other"):
            made.clock.advance(0.5)
            made.start(
                f"{flow}-{number:03}", flow=flow, overread={"priority": "high"} if number == 100 else {}
            )
    return made


def calls(monkeypatch: pytest.MonkeyPatch, name: str) -> Counter[str]:
    """Counts the store's calls of that name from now on, and the loops that it gives in pages."""
    counted: Counter[str] = Counter()
    real = getattr(FakeStore, name)

    def call(*arguments: Any, **named: Any) -> Any:
        counted[name] += 1
        found = real(*arguments, **named)
        counted["loops"] += len(getattr(found, "loops", ()))
        return found

    monkeypatch.setattr(FakeStore, name, call)
    return counted


def test_one_after_the_other_comes_in_the_order_of_the_list(lab: ReviewLab) -> None:
    tasks = lab.service.tasks
    tasks.claim("other-007", reviewer=ADA)
    listed = [task.loop.name for task in tasks.offered(ADA)][:6]
    assert listed[:3] == ["other-007", "flow-100", "other-100"]
    done = []
    for _ in listed:
        claimed = tasks.next(ADA)
        assert claimed is not None
        done.append(claimed.loop.name)
        tasks.answer(claimed.loop.name, reviewer=ADA, content={})
    assert done == listed


def test_the_queues_are_not_read_as_a_whole(lab: ReviewLab, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = calls(monkeypatch, "open_loops")
    lab.service.tasks.next(ADA)
    assert (pages["open_loops"], pages["loops"]) == (2, 20)
    lab.service.tasks.offered(GRACE)
    assert pages["open_loops"] < 2 + 2 * 4


def test_who_loses_races_passes_over_ever_more(lab: ReviewLab, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = lab.service.tasks
    taken = [task.loop.name for task in tasks.offered(ADA)][:60]
    real = lab.store.open_loops

    def stale(*arguments: Any, **named: Any) -> Any:
        """What was in the queue before others took the first sixty."""
        page = real(*arguments, **named)
        for loop in page.loops:
            if loop.name in taken:
                taken.remove(loop.name)
                tasks.claim(loop.name, reviewer=GRACE)
        return page

    monkeypatch.setattr(lab.store, "open_loops", stale)
    tries = calls(monkeypatch, "find_loop")
    claimed = tasks.next(ADA)
    assert claimed is not None
    assert tries["find_loop"] - 60 < 20


def test_what_was_passed_over_is_tried_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = review_lab()
    lab.flow_definition()
    names = [f"loop-{number}" for number in range(8)]
    for name in names:
        lab.clock.advance(1)
        lab.start(name)
    for name in names:
        if name != "loop-2":
            lab.service.tasks.claim(name, reviewer=GRACE)
    offers = lab.service.tasks._offers
    everything = offers.of(GRACE)
    monkeypatch.setattr(
        type(offers), "in_turn", lambda *_: iter(sorted(everything, key=lambda t: t.loop.name))
    )
    for reviewer in CROWD[:12]:
        claimed = lab.service.tasks.next(reviewer)
        assert claimed is not None
        assert claimed.loop.name == "loop-2"
        lab.service.tasks.give_back("loop-2", reviewer=reviewer, decline=False)


def test_a_list_that_others_emptied_meanwhile_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = review_lab()
    lab.flow_definition()
    for name in ("one", "two"):
        lab.start(name)
    offers = lab.service.tasks._offers
    real, made = offers.in_turn, [offers.of(ADA)]
    for name in ("one", "two"):
        lab.service.tasks.claim(name, reviewer=GRACE)
    lab.start("three")
    monkeypatch.setattr(type(offers), "in_turn", lambda _, who: iter(made.pop()) if made else real(who))
    claimed = lab.service.tasks.next(ADA)
    assert claimed is not None
    assert claimed.loop.name == "three"


def test_fifty_who_ask_at_once_get_fifty_different_tasks(lab: ReviewLab) -> None:
    with ThreadPoolExecutor(len(CROWD)) as pool:
        claimed = list(pool.map(lab.service.tasks.next, CROWD))
    names = {task.loop.name for task in claimed if task is not None}
    assert len(names) == len(CROWD)
