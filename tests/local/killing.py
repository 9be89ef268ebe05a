"""Kill -9 of a local stack's processes, and what brings them back."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import psutil

from overread_local.stack import LocalStack, restart_dead_parts
from overread_local.state import StateFolder, read_record

PARTS = ("portal", "model_server")


def workers(stack: LocalStack) -> list[psutil.Process]:
    """The Lambda workers that run now."""
    record = read_record(StateFolder(stack.state_dir))
    if record is None:
        return []
    try:
        return psutil.Process(record.processes["emulator"].pid).children()
    except psutil.NoSuchProcess:
        return []


def kill_worker(stack: LocalStack, *, drawn: random.Random) -> bool:
    """Whether one of the Lambda workers, any of them, was killed."""
    running = workers(stack)
    if not running:
        return False
    try:
        drawn.choice(running).kill()
    except psutil.NoSuchProcess:
        return False
    return True


def kill_part(stack: LocalStack, part: str) -> None:
    """A part is killed and started again."""
    folder = StateFolder(stack.state_dir)
    record = read_record(folder)
    assert record is not None
    psutil.Process(record.processes[part].pid).kill()
    time.sleep(0.3)
    restart_dead_parts(folder)


@dataclass
class Killer:
    """While it is entered, something is killed every now and then."""

    stack: LocalStack
    seed: int
    every_s: float
    parts: tuple[str, ...] = PARTS
    kills: Counter[str] = field(default_factory=Counter)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Killer:
        self._thread = threading.Thread(target=self._kill_on)
        self._thread.start()
        return self

    def __exit__(self, *_failure: object) -> None:
        self._over.set()
        assert self._thread is not None
        self._thread.join()

    def _kill_on(self) -> None:
        drawn = random.Random(self.seed)
        while not self._over.wait(drawn.uniform(0, 2 * self.every_s)):
            victim = drawn.choice(("worker",) * 4 + self.parts)
            if victim == "worker":
                self.kills["worker"] += kill_worker(self.stack, drawn=drawn)
            else:
                kill_part(self.stack, victim)
                self.kills[victim] += 1
