"""Figures about queues and people, from what is open and what has ended lately."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from overread.review.wire import LoopStatus
from overread_review.service import transitions
from overread_review.service.model import Agreement, Completion, Loop, QueueState, Resource
from overread_review.service.notes import is_flagged
from overread_review.service.ports import ReviewStore
from overread_review.service.queues import Queues
from overread_review.service.statistics import agreement, median_of

SANDBOX_PROVIDER = "sandbox"
_DAY = timedelta(days=1)
_WINDOW = timedelta(days=30)
_MOST_OF_A_DAY = 5_000
_MOST_OF_A_PERSONS, _MOST_OF_A_QUEUES = 2_000, 500
"""The overview is read again and again: its agreement is about one page of the store."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A flow definition's backlog and throughput.

    `waiting` loops are open and nobody works on them; `overdue` ones are past their deadline or availability.
    `median_worked_s` is about the last day, `agreement` about the last 30 days (at most 500 tasks). Medians
    and ages are None when there is nothing to measure.
    """

    flow_definition: str
    arn: str
    title: str
    team: str
    paused: bool
    paused_by: str
    open: int
    claimed: int
    waiting: int
    flagged: int
    overdue: int
    oldest_age_s: float | None
    median_age_s: float | None
    completed_1h: int
    completed_24h: int
    median_worked_s: float | None
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class PersonStatistics:
    """What one person did in the last 30 days, of at most 2,000 tasks a queue."""

    answers: int
    median_worked_s: float | None
    agreement: Agreement


def queue_figures(
    flow_definition: Resource,
    *,
    state: QueueState,
    open_loops: Sequence[Loop],
    ended: Sequence[Completion],
    agreed: Agreement,
    now: datetime,
) -> Queue:
    """The queue's figures; `ended` are the completions of the last day."""
    config = flow_definition.request["HumanLoopConfig"]
    ages = [(now - loop.created_at).total_seconds() for loop in open_loops]
    claimed = sum(bool(transitions.active_claims(loop, now=now)) for loop in open_loops)
    completed = [done for done in ended if done.status is LoopStatus.COMPLETED]
    return Queue(
        flow_definition=flow_definition.name,
        arn=flow_definition.arn,
        title=config["TaskTitle"],
        team=config["WorkteamArn"].rsplit("/", 1)[-1],
        paused=state.paused,
        paused_by=state.paused_by,
        open=len(open_loops),
        claimed=claimed,
        waiting=len(open_loops) - claimed,
        flagged=sum(map(is_flagged, open_loops)),
        overdue=sum(_is_overdue(loop, now=now) for loop in open_loops),
        oldest_age_s=max(ages, default=None),
        median_age_s=median_of(ages),
        completed_1h=sum(done.ended_at > now - timedelta(hours=1) for done in completed),
        completed_24h=len(completed),
        median_worked_s=median_of(answer.worked_s for done in ended for answer in done.answers),
        agreement=agreed,
    )


def _is_overdue(loop: Loop, *, now: datetime) -> bool:
    return now >= min(loop.expires_at, loop.deadline_at or loop.expires_at)


def person_figures(completions: Iterable[Completion]) -> dict[str, PersonStatistics]:
    """Everybody's figures by their key; programs that answered in a sandbox are nobody."""
    tasks = [
        [answer for answer in done.answers if not answer.person.startswith(f"{SANDBOX_PROVIDER}:")]
        for done in completions
    ]
    figures = {}
    for person in sorted({answer.person for answers in tasks for answer in answers}):
        own = [answers for answers in tasks if any(answer.person == person for answer in answers)]
        worked = [answer.worked_s for answers in own for answer in answers if answer.person == person]
        figures[person] = PersonStatistics(
            answers=len(worked),
            median_worked_s=median_of(worked),
            agreement=agreement(own, of=person),
        )
    return figures


class Figures:
    """Reads what the figures are about."""

    def __init__(self, *, store: ReviewStore, queues: Queues) -> None:
        self._store = store
        self._queues = queues

    def of_queue(self, flow_definition: Resource, *, state: QueueState, now: datetime) -> Queue:
        """The queue's figures as of now."""
        arn = flow_definition.arn
        return queue_figures(
            flow_definition,
            state=state,
            open_loops=list(self._queues.open_loops(arn)),
            ended=self._store.completions(arn, since=now - _DAY, limit=_MOST_OF_A_DAY),
            agreed=agreement(done.answers for done in self._window(arn, now=now, limit=_MOST_OF_A_QUEUES)),
            now=now,
        )

    def of_people(
        self, flow_definitions: Iterable[Resource], *, now: datetime
    ) -> dict[str, PersonStatistics]:
        """The figures of everybody who answered in these queues."""
        return person_figures(
            done
            for queue in flow_definitions
            for done in self._window(queue.arn, now=now, limit=_MOST_OF_A_PERSONS)
        )

    def _window(self, arn: str, *, now: datetime, limit: int) -> Sequence[Completion]:
        return self._store.completions(arn, since=now - _WINDOW, limit=limit)
