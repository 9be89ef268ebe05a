"""The open tasks of a flow definition or labeling job as a queue: whose, in which order, whether paused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from overread_review.service.errors import QueueUnknownError
from overread_review.service.labeling.model import job_of
from overread_review.service.model import Loop, QueueState, Resource, ResourceKind, Reviewer
from overread_review.service.ports import Clock, ReviewStore
from overread_review.service.registers import queues_register
from overread_review.service.resources import Resources
from overread_review.service.teams import Teams

_FIRST_PAGE, _LONGEST_PAGE = 10, 160
"""Who wants the next task reads a few; who wants them all reads long pages soon."""


class Queues:
    """The queues that a reviewer or lead has to do with, through their teams."""

    def __init__(self, *, store: ReviewStore, resources: Resources, teams: Teams, clock: Clock) -> None:
        self._store = store
        self._resources = resources
        self._teams = teams
        self._clock = clock
        self._states = queues_register(store)

    def of(self, reviewer: Reviewer) -> list[Resource]:
        """The flow definitions whose team the reviewer belongs to, by name; also those being deleted.

        And the labeling jobs that have not ended.
        """
        arns = frozenset(self._teams.arns_of(reviewer))
        jobs = self._resources.live(ResourceKind.LABELING_JOB)
        live = [
            *self._resources.live(ResourceKind.FLOW_DEFINITION),
            *(one for one in jobs if not job_of(one).state.status.has_ended),
        ]
        own = [one for one in live if one.request["HumanLoopConfig"]["WorkteamArn"] in arns]
        return sorted(own, key=lambda one: one.name)

    def named(self, name: str, *, reviewer: Reviewer) -> Resource:
        """One of the reviewer's queues. Raises QueueUnknownError."""
        found = next((one for one in self.of(reviewer) if one.name == name), None)
        if found is None:
            raise QueueUnknownError(f"there is no queue {name!r}, or it is not for you")
        return found

    def open_loops(self, flow_definition_arn: str) -> Iterator[Loop]:
        """All open loops in the order of the queue, those on hold last, read as far as consumed."""
        cursor, size = "", _FIRST_PAGE
        while True:
            page = self._store.open_loops(flow_definition_arn, limit=size, cursor=cursor)
            yield from page.loops
            cursor, size = page.next_cursor, min(4 * size, _LONGEST_PAGE)
            if not cursor:
                return

    def state(self, flow_definition_arn: str) -> QueueState:
        """Whether the queue is paused."""
        return self._states.find(flow_definition_arn) or QueueState(flow_definition_arn)

    def paused(self) -> dict[str, QueueState]:
        """The paused queues by the flow definition's ARN."""
        return {state.flow_definition_arn: state for state in self._states.list() if state.paused}

    def pause(self, flow_definition_arn: str, *, by: str) -> QueueState:
        """From now on nothing of the queue is offered; who has begun may finish."""
        now = self._clock()
        return self._states.change(
            QueueState(flow_definition_arn),
            by=lambda newest: (
                newest if newest.paused else replace(newest, paused=True, paused_by=by, paused_at=now)
            ),
        )

    def resume(self, flow_definition_arn: str) -> QueueState:
        """The queue is offered again."""
        return self._states.change(
            QueueState(flow_definition_arn),
            by=lambda newest: replace(newest, paused=False, paused_by="", paused_at=None),
        )
