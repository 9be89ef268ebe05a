"""Where qualification and gold questions take part in what reviewers do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from overread_review.service.model import Answer, Loop, Resource, Reviewer


class Admission(Protocol):
    """Decides who gets tasks of a qualification, and asks questions whose answers are known.

    Such a question is a loop with `gold` set and `assigned_to` its person; `Tasks` offers it like any other.
    """

    def prepare(self, reviewer: Reviewer, flow_definitions: Sequence[Resource]) -> None:
        """Called before the reviewer's tasks of these queues are listed: start what they have to be asked."""

    def admits(self, reviewer: Reviewer, *, qualification: str) -> bool:
        """Whether the reviewer may work on tasks that ask for that qualification (never empty)."""

    def answered(self, loop: Loop, *, reviewer: Reviewer, answer: Answer) -> None:
        """Called after every stored answer, of real tasks and of gold ones."""

    def ended(self, loop: Loop) -> None:
        """Called before an answered gold loop is stored as ended; again when that was interrupted."""
