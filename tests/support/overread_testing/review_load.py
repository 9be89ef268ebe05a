"""Reviewers who work off queues over HTTP at once, untidily, and the books to hold the outcome against."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

PATIENCE_S = 90.0
_PAUSE_S = 0.05
_LISTING, _AT_A_TIME = 0.3, 25
_DECLINING = 3
"""So many of the reviewers decline; the others can always fill a task's seats."""


@dataclass
class Books:
    """What the reviewers sent and heard.

    `sent` are all answers by their token: person and loop; `taken` the tokens that were answered with 200;
    `surprises` what no well-behaved service answers.
    """

    sent: dict[str, tuple[str, str]] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    heard: Counter[str] = field(default_factory=Counter)
    surprises: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str) -> None:
        """Count something."""
        with self.lock:
            self.heard[what] += 1

    def surprise(self, what: str) -> None:
        """Write down what should not have happened."""
        with self.lock:
            self.surprises.append(what)


class LoadReviewer:
    """One reviewer's browser and bad habits, which come from the seed."""

    def __init__(self, name: str, *, url: str, seed: int, number: int, books: Books) -> None:
        self.name = name
        self._number = number
        self._chance = random.Random(f"{seed}/{name}")
        self._books = books
        self._http = httpx.Client(base_url=url, timeout=30.0, trust_env=False)
        self._answers = 0
        self._listed: list[str] = []

    def work(self, *, until: Callable[[], bool]) -> None:
        """Take and do tasks until there is nothing left to do."""
        self._sign_in()
        try:
            while not until():
                task = self._taken()
                if task:
                    self._do(task)
                else:
                    time.sleep(_PAUSE_S)
        finally:
            self._http.close()

    def _sign_in(self) -> None:
        reply, _ = self._send("session", {"reviewer": self.name})
        self._http.headers["X-Overread-CSRF"] = reply.json()["csrf_token"]

    def _taken(self) -> str:
        """A task in hand: the next one, or one from a list that others have seen too; empty for none."""
        if not self._listed and self._chance.random() < _LISTING:
            reply, _ = self._send("tasks", None)
            self._listed = [task["task_id"] for task in reply.json()["tasks"]]
            self._chance.shuffle(self._listed)
            del self._listed[_AT_A_TIME:]
        if self._listed:
            task = self._listed.pop()
            reply, _ = self._post(f"tasks/{task}/claim", {}, allowed={404, 409, 410})
            return task if reply.status_code == 200 else ""
        reply, _ = self._post("tasks/next", {})
        return str(reply.json()["task_id"] or "")

    def _do(self, task: str) -> None:
        mood = self._chance.random()
        if mood < 0.05:
            self._post(f"tasks/{task}/release", {}, allowed={409, 410})
            return
        if mood < 0.08 and self._number < _DECLINING:
            self._post(f"tasks/{task}/decline", {}, allowed={409, 410})
            return
        if mood < 0.14:
            self._post(f"tasks/{task}/pause", {})
            self._post(f"tasks/{task}/resume", {})
        if mood < 0.20:
            self._post(f"tasks/{task}/notes", {"kind": "question", "text": f"What is {task}?"})
        self._answer(task)
        if mood > 0.90:
            self._answer(task, again=True)

    def _answer(self, task: str, *, again: bool = False) -> None:
        self._answers += 1
        token = f"{self.name}-{self._answers}"
        with self._books.lock:
            self._books.sent[token] = (self.name, task)
        allowed = {409} if again else set()
        reply, in_doubt = self._post(
            f"tasks/{task}/answer", {"answer": {"token": token}}, allowed=allowed, doubtful={409}
        )
        if reply.status_code == 200 and again:
            self._books.surprise(f"{self.name} answered {task} twice")
        elif reply.status_code == 200:
            with self._books.lock:
                self._books.taken.add(token)
        elif in_doubt:
            self._books.note("answers whose reply was lost")

    def _post(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        allowed: set[int] | frozenset[int] = frozenset(),
        doubtful: set[int] | frozenset[int] = frozenset(),
    ) -> tuple[httpx.Response, bool]:
        """The reply, and whether an earlier one was lost; `doubtful` are expected only after a lost one."""
        reply, in_doubt = self._send(path, body)
        fine = {200} | allowed | (doubtful if in_doubt else set())
        if reply.status_code not in fine:
            self._books.surprise(f"{self.name}: {path}: {reply.status_code} {reply.text[:200]}")
        return reply, in_doubt

    def _send(self, path: str, body: Mapping[str, Any] | None) -> tuple[httpx.Response, bool]:
        """Patiently: a service that is away or overloaded is asked again."""
        deadline, in_doubt = time.monotonic() + PATIENCE_S, False
        while True:
            try:
                method = "GET" if body is None else "POST"
                reply = self._http.request(method, f"/portal/api/{path}", json=body)
            except httpx.TransportError:
                self._books.note("replies lost")
            else:
                if reply.status_code != 503:
                    return reply, in_doubt
                self._books.note("503")
            in_doubt = True
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path}: no answer within {PATIENCE_S:.0f} s")
            time.sleep(_PAUSE_S)


def work_off(
    *, url: str, names: Sequence[str], seed: int, books: Books, finished: Callable[[], bool]
) -> list[threading.Thread]:
    """The reviewers at work, a thread each, until `finished`; what they die of is a surprise."""

    def work(number: int, name: str) -> None:
        try:
            LoadReviewer(name, url=url, seed=seed, number=number, books=books).work(until=finished)
        except (TimeoutError, ValueError, KeyError) as error:
            books.surprise(f"{name} gave up: {error!r}")

    threads = [
        threading.Thread(target=work, args=pair, name=f"reviewer-{pair[1]}", daemon=True)
        for pair in enumerate(names)
    ]
    for thread in threads:
        thread.start()
    return threads


def faults(books: Books, *, outputs: Mapping[str, bytes], seats: Mapping[str, int]) -> list[str]:
    """What is wrong with the output documents, by loop, of loops with so many seats."""
    found = [f"{loop} has no output" for loop in seats.keys() - outputs.keys()]
    kept: Counter[str] = Counter()
    for loop, body in outputs.items():
        answers = json.loads(body)["humanAnswers"]
        workers = [answer["workerId"] for answer in answers]
        tokens = [answer["answerContent"]["token"] for answer in answers]
        kept.update(tokens)
        if len(answers) != seats[loop]:
            found.append(f"{loop} has {len(answers)} answers for {seats[loop]} seats")
        if len(set(workers)) != len(workers):
            found.append(f"one person answered {loop} twice")
        people = {books.sent[token][0] for token in tokens if token in books.sent}
        if len(people) != len(tokens):
            found.append(f"{loop} holds an answer that nobody sent, or two of one person: {tokens}")
        found += [
            f"{token} was sent for another loop than {loop}"
            for token in tokens
            if _loop(books, token) != loop
        ]
    found += [f"{token} was taken and is lost" for token in books.taken if not kept[token]]
    found += [f"{token} counts {times} times" for token, times in kept.items() if times > 1]
    return found


def _loop(books: Books, token: str) -> str:
    return books.sent.get(token, ("", ""))[1]
