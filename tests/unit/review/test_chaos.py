"""Chaos in the delivery of status events: each comes at least once, some twice, some late."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from overread.review.wire import LoopStatus
from overread_review.service.chaos import ChaoticEvents
from overread_review.service.errors import EventUndeliveredError
from overread_review.service.review_service import build_review_service
from overread_testing.review_fakes import ADA, FakeDirectory, FakeEvents, review_lab


def drawn(*values: float) -> Iterator[float]:
    return iter(values)


def emit(chaos: ChaoticEvents) -> None:
    chaos.emit(resource_arn="arn", detail_type="type", detail={"n": 1})


def test_without_shares_every_event_comes_once() -> None:
    sink = FakeEvents()
    chaos = ChaoticEvents(sink, duplicate=0, delay=0, random=lambda: 0.0)
    emit(chaos)
    assert sink.delivered == [{"detail-type": "type", "resources": ["arn"], "detail": {"n": 1}}]


def test_a_duplicate_is_the_same_event_again() -> None:
    sink = FakeEvents()
    draws = drawn(0.9, 0.29, 0.9, 0.3)
    chaos = ChaoticEvents(sink, duplicate=0.3, delay=0.5, random=lambda: next(draws))
    emit(chaos)
    assert len(sink.delivered) == 2
    assert sink.delivered[0] == sink.delivered[1]
    emit(chaos)
    assert len(sink.delivered) == 3


def test_a_delayed_event_is_not_delivered_and_stays_due() -> None:
    sink = FakeEvents()
    draws = drawn(0.49, 0.5, 0.9)
    chaos = ChaoticEvents(sink, duplicate=0.3, delay=0.5, random=lambda: next(draws))
    with pytest.raises(EventUndeliveredError, match="on purpose"):
        emit(chaos)
    assert sink.delivered == []
    emit(chaos)
    assert len(sink.delivered) == 1


def test_shares_are_those_that_were_asked_for() -> None:
    """Of 20,000 events 30% are delayed: 6,000 ± 4.5 standard deviations of sqrt(20,000 · 0.3 · 0.7) = 65.

    Of the 14,000 that pass about 20% come twice: 2,800 ± 4.5 · sqrt(14,000 · 0.2 · 0.8) = 4.5 · 47.
    """
    sink, generator = FakeEvents(), random.Random(20)
    chaos = ChaoticEvents(sink, duplicate=0.2, delay=0.3, random=generator.random)
    delayed = 0
    for _ in range(20_000):
        try:
            emit(chaos)
        except EventUndeliveredError:
            delayed += 1
    passed = 20_000 - delayed
    assert abs(delayed - 6_000) < 4.5 * 65
    assert abs(len(sink.delivered) - passed - 0.2 * passed) < 4.5 * 47 + 1


def test_every_ended_loop_is_announced_at_least_once_under_chaos() -> None:
    """Half of the events late, half of the rest twice: the sweep brings them all."""
    generator = random.Random(7)
    sink = FakeEvents()
    lab = review_lab()
    lab.flow_definition()
    service = build_review_service(
        settings=lab.service.settings,
        store=lab.store,
        documents=lab.documents,
        events=ChaoticEvents(sink, duplicate=0.5, delay=0.5, random=generator.random),
        reviewers=FakeDirectory(ADA),
        clock=lab.clock,
        session_secret="secret",
        objects=lab.objects,
        functions=lab.functions,
    )
    for number in range(40):
        lab.start(f"loop-{number}")
        service.tasks.claim(f"loop-{number}", reviewer=ADA)
        service.tasks.answer(f"loop-{number}", reviewer=ADA, content={"decision": {"label": "approve"}})
    at_once = {event["detail"]["humanLoopName"] for event in sink.delivered}
    assert 0 < len(at_once) < 40
    for _ in range(30):
        lab.clock.advance(60)
        service.loops.sweep()
    times = Counter(event["detail"]["humanLoopName"] for event in sink.delivered)
    assert len(times) == 40
    assert set(times.values()) == {1, 2}
    assert {lab.loop(name).status for name in times} == {LoopStatus.COMPLETED}
    assert not any(lab.loop(name).event_due for name in times)
