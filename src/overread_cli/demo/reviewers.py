"""Scripted reviewers: they work the portal over the HTTP endpoints that its pages use."""

import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Reading:
    """What a scripted reviewer brings to a task: the truth by case reference, and how often they err.

    `forms` holds a filled-in form for each use case, as its worker template sends it.
    """

    truth: Mapping[str, str]
    forms: Mapping[str, Mapping[str, Any]]
    error_rate: float
    seed: int

    def answer(self, *, reviewer: str, task_input: Mapping[str, Any]) -> dict[str, Any]:
        """The form's answer to a task.

        The task never holds the true label: it is looked up by the case's reference. The draw depends on
        seed, reviewer and reference alone, so that a run repeats.
        """
        reference = str(task_input["reference"])
        right = self.truth[reference]
        draw = random.Random(f"{self.seed}|{reviewer}|{reference}")  # noqa: S311 - a simulation
        wrong = [label for label in task_input["labels"] if label != right]
        label = draw.choice(wrong) if draw.random() < self.error_rate else right
        return {**self.forms[str(task_input["use_case"])], "decision": {"label": label}}


class ScriptedReviewer:
    """One reviewer who signs in, claims the oldest task, answers it, and goes on until told to stop."""

    def __init__(self, name: str, *, portal_url: str, reading: Reading, pace_s: float = 0.1) -> None:
        self._name = name
        self._reading = reading
        self._pace_s = pace_s
        self._http = httpx.Client(base_url=portal_url, timeout=20.0)

    def work(self, stop: threading.Event) -> None:
        """Answers tasks until `stop` is set.

        Raises:
            httpx.HTTPStatusError: the portal refused something other than a task that another one took.
        """
        with self._http:
            session = self._http.post("/portal/api/session", json={"reviewer": self._name})
            session.raise_for_status()
            self._http.headers["X-Overread-CSRF"] = session.json()["csrf_token"]
            while not stop.is_set():
                if not self._answer_next():
                    stop.wait(self._pace_s)

    def _answer_next(self) -> bool:
        tasks = self._http.get("/portal/api/tasks")
        tasks.raise_for_status()
        for task in tasks.json()["tasks"]:
            path = f"/portal/api/tasks/{task['task_id']}"
            claim = self._http.post(f"{path}/claim", json={})
            if claim.status_code in {httpx.codes.CONFLICT, httpx.codes.GONE, httpx.codes.NOT_FOUND}:
                continue
            claim.raise_for_status()
            # Fetched as a browser would: a template that does not render is noticed here too.
            self._http.get(claim.json()["frame_url"]).raise_for_status()
            answer = self._reading.answer(reviewer=self._name, task_input=claim.json()["input"])
            reply = self._http.post(f"{path}/answer", json={"answer": answer})
            if reply.status_code in {httpx.codes.CONFLICT, httpx.codes.GONE}:
                continue
            reply.raise_for_status()
            return True
        return False


class ReviewTeam:
    """Scripted reviewers in threads of their own; use as a context manager."""

    def __init__(self, names: Sequence[str], *, portal_url: str, reading: Reading) -> None:
        self._stop = threading.Event()
        self._failures: list[BaseException] = []
        self._threads = [
            threading.Thread(
                target=self._run,
                args=(ScriptedReviewer(name, portal_url=portal_url, reading=reading),),
                name=name,
            )
            for name in names
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
        """Raises what a reviewer's thread ran into, if anything."""
        if self._failures:
            raise self._failures[0]

    def _run(self, reviewer: ScriptedReviewer) -> None:
        try:
            reviewer.work(self._stop)
        except (httpx.HTTPError, KeyError, ValueError) as failure:
            self._failures.append(failure)
