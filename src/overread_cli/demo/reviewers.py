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

PACE_S = 0.1
"""How long a reviewer without tasks waits before looking again."""


@dataclass(frozen=True)
class Reading:
    """What a scripted reviewer brings to a task: the truth by case reference, and how often they err.

    `forms` holds a filled-in form for each use case, as its worker template sends it.
    """

    truth: Mapping[str, str]
    forms: Mapping[str, Mapping[str, Any]]
    error_rate: float
    seed: int

    def answer(self, task_input: Mapping[str, Any], *, seat: str) -> dict[str, Any]:
        """The form's answer to a task.

        The task never holds the true label: it is looked up by the case's reference. The draw depends on
        seed, reference and seat alone: whoever gets the task, a run repeats.
        """
        reference = str(task_input["reference"])
        right = self.truth[reference]
        draw = random.Random(f"{self.seed}|{reference}|{seat}")  # noqa: S311 - a simulation
        wrong = [label for label in task_input["labels"] if label != right]
        label = draw.choice(wrong) if draw.random() < self.error_rate else right
        return {**self.forms[str(task_input["use_case"])], "decision": {"label": label}}


def work(portal: PortalClient, *, reading: Reading, stop: threading.Event) -> None:
    """Answers the oldest task, and the next, until `stop` is set."""
    with portal:
        while not stop.is_set():
            if not answer_next(portal, reading=reading):
                stop.wait(PACE_S)


def answer_next(portal: PortalClient, *, reading: Reading) -> bool:
    """Whether there was a task to answer. The page is fetched too: one that does not render is noticed."""
    for task in portal.tasks():
        claimed = portal.claim(task["task_id"])
        if claimed is None:
            continue
        portal.page(claimed)
        seat = task["task_id"].rpartition("-g")[2]  # two people may read one case
        answer = reading.answer(claimed["input"], seat=seat)
        if portal.answer(task["task_id"], answer):
            return True
    return False


class ReviewTeam:
    """Scripted reviewers in threads of their own; use as a context manager."""

    def __init__(self, portals: Sequence[PortalClient], *, reading: Reading) -> None:
        self._stop = threading.Event()
        self._failures: list[tuple[str, BaseException]] = []
        self._threads = [
            threading.Thread(target=self._run, args=(portal, reading), name=portal.reviewer)
            for portal in portals
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

    def _run(self, portal: PortalClient, reading: Reading) -> None:
        try:
            work(portal, reading=reading, stop=self._stop)
        except (httpx.HTTPError, KeyError, ValueError) as failure:
            self._failures.append((portal.reviewer, failure))
