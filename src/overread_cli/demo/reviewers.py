"""Scripted reviewers: they work the portal over the HTTP endpoints that its pages use."""

import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click
import httpx

from overread_cli.demo.portal_client import PortalClient

CANNOT_DECIDE = "cannot-decide"
SOONEST_S, LATEST_S = 0.1, 1.0
"""How long a reviewer without tasks waits before looking again: longer each time."""


@dataclass(frozen=True)
class Reading:
    """What scripted reviewers bring to a task: the truth by case reference, and how often they err.

    `forms` holds a filled-in form for each use case, as its worker template sends it. In the use cases
    `escalating`, where a senior decides then, they say as often as `unsure_rate` that they cannot decide.
    """

    truth: Mapping[str, str]
    forms: Mapping[str, Mapping[str, Any]]
    error_rate: float
    seed: int
    unsure_rate: float = 0.0
    escalating: frozenset[str] = frozenset()

    def answer(self, task_input: Mapping[str, Any], *, seat: str, is_senior: bool = False) -> dict[str, Any]:
        """The form's answer to a task; a senior always decides.

        The task never holds the true label: it is looked up by the case's reference. The draw depends on
        seed, reference and seat alone: whoever gets the task, a run repeats.
        """
        reference, use_case = str(task_input["reference"]), str(task_input["use_case"])
        right = self.truth[reference]
        draw = random.Random(f"{self.seed}|{reference}|{seat}")  # noqa: S311 - a simulation
        wrong = [label for label in task_input["labels"] if label != right]
        label = draw.choice(wrong) if draw.random() < self.error_rate else right
        if not is_senior and use_case in self.escalating and draw.random() < self.unsure_rate:
            label = CANNOT_DECIDE
        return {**self.forms[use_case], "decision": {"label": label}}


@dataclass(frozen=True)
class ScriptedReviewer:
    """Somebody at the portal who answers what they are offered."""

    portal: PortalClient
    reading: Reading
    is_senior: bool = False

    def work(self, stop: threading.Event) -> None:
        """Answers the oldest task, and the next, until `stop` is set."""
        wait_s = SOONEST_S
        with self.portal:
            while not stop.is_set():
                if self.answer_next():
                    wait_s = SOONEST_S
                else:
                    stop.wait(wait_s)
                    wait_s = min(2 * wait_s, LATEST_S)

    def answer_next(self) -> bool:
        """Whether there was a task to answer. The page is fetched too: one that fails is noticed."""
        for task in self.portal.tasks():
            claimed = self.portal.claim(task["task_id"])
            if claimed is None:
                continue
            self.portal.page(claimed)
            seat = task["task_id"].rpartition("-g")[2]  # two people may read one case
            answer = self.reading.answer(claimed["input"], seat=seat, is_senior=self.is_senior)
            if self.portal.answer(task["task_id"], answer):
                return True
        return False


class ReviewTeam:
    """Scripted reviewers in threads of their own; use as a context manager."""

    def __init__(self, people: Sequence[ScriptedReviewer]) -> None:
        self._stop = threading.Event()
        self._failures: list[tuple[str, BaseException]] = []
        self._threads = [
            threading.Thread(target=self._run, args=(person,), name=person.portal.reviewer)
            for person in people
        ]

    def __enter__(self) -> "ReviewTeam":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        deadline = time.monotonic() + 30
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def check(self) -> None:
        """Raises click.ClickException when a reviewer could not go on."""
        if self._failures:
            name, failure = self._failures[0]
            what = str(failure) or type(failure).__name__
            raise click.ClickException(f"the scripted reviewer {name} cannot go on: {what}") from failure

    def _run(self, person: ScriptedReviewer) -> None:
        try:
            person.work(self._stop)
        except (httpx.HTTPError, KeyError, ValueError) as failure:
            self._failures.append((person.portal.reviewer, failure))
