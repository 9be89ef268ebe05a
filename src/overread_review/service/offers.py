"""Which tasks a reviewer finds in their list, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice

from overread_review.service import transitions
from overread_review.service.admission import Admission
from overread_review.service.model import Loop, QueueState, Resource, Reviewer
from overread_review.service.ports import Clock, ReviewStore
from overread_review.service.queues import Queues
from overread_review.service.side_records import queue_key

_OFFERED = 200
_ASKED_FIRST = 5
_ASKED_AT_MOST = 80
"""For so many loops the store is asked at once whether the reviewer may answer them: few, then more."""
_LOOKED_AT = 2_000
"""So many open loops of a queue are looked at for a reviewer who may take none of them."""


@dataclass(frozen=True, slots=True)
class OfferedTask:
    """One line of a reviewer's list."""

    loop: Loop
    claimed_by_me: bool
    assigned_to_me: bool = False
    returned_to_me: bool = False


class Offers:
    """The lists of reviewers."""

    def __init__(self, *, store: ReviewStore, queues: Queues, admission: Admission, clock: Clock) -> None:
        self._store = store
        self._queues = queues
        self._admission = admission
        self._clock = clock

    def of(self, reviewer: Reviewer) -> list[OfferedTask]:
        """First what the reviewer has begun, then what is assigned to them, then in the queues' order."""
        return sorted(self.in_turn(reviewer), key=_place)

    def in_turn(self, reviewer: Reviewer) -> Iterator[OfferedTask]:
        """The same one by one, in that order; the queues are read no further than needed."""
        queues = self._queues.of(reviewer)
        self._admission.prepare(reviewer, queues)
        paused, now = self._queues.paused(), self._clock()
        arns = {queue.arn for queue in queues}
        held = [
            loop
            for loop in self._store.open_loops_of_person(reviewer.key)
            if loop.terms.flow_definition_arn in arns
        ]
        admitted = self._admitted(held, reviewer, paused=paused)
        own = sorted((_task(loop, person=reviewer.key, now=now) for loop in admitted), key=_place)
        first = [task for task in own if task.claimed_by_me or task.assigned_to_me]
        rest = [task for task in own if not (task.claimed_by_me or task.assigned_to_me)]
        yield from first
        given = {task.loop.name for task in own}
        waiting = [
            (
                _task(loop, person=reviewer.key, now=now)
                for loop in self._offered(queue, reviewer, paused=paused)
                if loop.name not in given
            )
            for queue in queues
        ]
        yield from merge(rest, *waiting, key=_place)

    def _offered(
        self, queue: Resource, reviewer: Reviewer, *, paused: Mapping[str, QueueState]
    ) -> Iterator[Loop]:
        if queue.arn in paused:
            return iter(())
        waiting = _until_held(islice(self._queues.open_loops(queue.arn), _LOOKED_AT))
        return islice(self._admitted(waiting, reviewer, paused=paused), _OFFERED)

    def _admitted(
        self, loops: Iterable[Loop], reviewer: Reviewer, *, paused: Mapping[str, QueueState]
    ) -> Iterator[Loop]:
        offered, size = self._open_to(loops, reviewer, paused=paused), _ASKED_FIRST
        while some := list(islice(offered, size)):
            separated = self._store.separated(reviewer.key, loops=some)
            yield from (loop for loop in some if loop.name not in separated)
            size = min(2 * size, _ASKED_AT_MOST)

    def _open_to(
        self, loops: Iterable[Loop], reviewer: Reviewer, *, paused: Mapping[str, QueueState]
    ) -> Iterator[Loop]:
        now, person = self._clock(), reviewer.key
        admits: dict[str, bool] = {}
        for loop in loops:
            if not transitions.is_offered(loop, person=person, now=now):
                continue
            if transitions.claim_of(loop, person=person, now=now) is None:
                if loop.terms.flow_definition_arn in paused:
                    continue
                name = "" if loop.gold is not None else loop.terms.qualification
                if name and name not in admits:
                    admits[name] = self._admission.admits(reviewer, qualification=name)
                if name and not admits[name]:
                    continue
            yield loop


def _until_held(loops: Iterable[Loop]) -> Iterator[Loop]:
    """Up to the first loop on hold: all others after it are on hold too."""
    for loop in loops:
        if loop.held:
            return
        yield loop


def _task(loop: Loop, *, person: str, now: datetime) -> OfferedTask:
    assigned = transitions.is_openly_assigned(loop, person=person)
    return OfferedTask(
        loop=loop,
        claimed_by_me=transitions.claim_of(loop, person=person, now=now) is not None,
        assigned_to_me=assigned,
        returned_to_me=assigned and any(answer.person == person for answer in loop.returned),
    )


def _place(task: OfferedTask) -> tuple[bool, bool, str]:
    return not task.claimed_by_me, not task.assigned_to_me, queue_key(task.loop)
