"""What a lead sees and steers: the queues and tasks of their teams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from overread_review.service.model import Agreement, Loop, LoopPage, Reviewer


@dataclass(frozen=True, slots=True)
class Queue:
    """A flow definition's backlog and throughput.

    `waiting` loops are open and nobody works on them; `overdue` ones are past their deadline or availability.
    Medians and ages are None when there is nothing to measure.
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
class Overview:
    """All queues of a lead, by name."""

    queues: tuple[Queue, ...]


@dataclass(frozen=True, slots=True)
class LeadTask:
    """A task with its input and the contents of its answers, in the order of `loop.answers`."""

    loop: Loop
    task_input: Mapping[str, Any]
    contents: tuple[Mapping[str, Any], ...]


class Lead:
    """Every method raises NotLeadError for others, and knows only tasks and queues of the lead's teams."""

    def overview(self, lead: Reviewer) -> Overview:
        """All queues of the lead's teams."""
        raise NotImplementedError

    def tasks(
        self,
        lead: Reviewer,
        *,
        flow_definition: str,
        state: Literal["open", "flagged", "ended"] = "open",
        cursor: str = "",
        limit: int = 50,
    ) -> LoopPage:
        """Some of a queue's tasks."""
        raise NotImplementedError

    def task(self, lead: Reviewer, task_id: str) -> LeadTask:
        """All of one task."""
        raise NotImplementedError

    def assign(self, lead: Reviewer, task_id: str, *, person: str | None) -> Loop:
        """Keep the task for one person; for None it goes back to everybody."""
        raise NotImplementedError

    def return_answer(self, lead: Reviewer, task_id: str, *, person: str, comment: str) -> Loop:
        """Give an answer back to its author, while the task is open."""
        raise NotImplementedError

    def stop(self, lead: Reviewer, task_id: str) -> Loop:
        """Stop the task as StopHumanLoop does."""
        raise NotImplementedError

    def hold(self, lead: Reviewer, task_id: str) -> Loop:
        """Offer the task to nobody; who has begun may finish."""
        raise NotImplementedError

    def unhold(self, lead: Reviewer, task_id: str) -> Loop:
        """Offer the task again."""
        raise NotImplementedError

    def reply(self, lead: Reviewer, task_id: str, *, text: str) -> Loop:
        """Answer what was asked or flagged."""
        raise NotImplementedError

    def pause_queue(self, lead: Reviewer, flow_definition: str) -> Queue:
        """Offer nothing of the queue; who has begun may finish."""
        raise NotImplementedError

    def resume_queue(self, lead: Reviewer, flow_definition: str) -> Queue:
        """Offer the queue again."""
        raise NotImplementedError
