"""Virtual time: what is to happen lies in a heap, and synchronous code runs in greenlets that wait."""

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from greenlet import getcurrent, greenlet

EPOCH = datetime(2026, 11, 23, tzinfo=UTC)

Action = Callable[[], None]


class Scheduler:
    """Runs actions in the order of their times; those of one time in the order in which they were planned.

    `now` is in seconds since `EPOCH`.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._limit = 0.0
        self._heap: list[tuple[float, int, Action]] = []
        self._planned = 0
        self._hub = getcurrent()

    def after(self, seconds: float, action: Action) -> None:
        """Plans an action."""
        self._planned += 1
        heapq.heappush(self._heap, (self.now + seconds, self._planned, action))

    def run(self, *, until: float) -> None:
        """Lets time pass until nothing is left to do, or until that time."""
        self._limit = until
        heap = self._heap
        while heap and heap[0][0] <= until:
            time, _, action = heapq.heappop(heap)
            self.now = time
            action()
        self.now = max(self.now, min(until, self._limit))

    def forget(self) -> None:
        """Nothing is planned any more."""
        self._heap.clear()

    def spawn(self, body: Action) -> None:
        """Runs `body` at once, in a greenlet of its own."""
        greenlet(body, self._hub).switch()

    def sleep(self, seconds: float) -> None:
        """Lets others run for so long; for use inside what was spawned."""
        wake_at = self.now + seconds
        heap = self._heap
        if wake_at <= self._limit and (not heap or heap[0][0] > wake_at):
            self.now = wake_at  # nobody else is to run before
            return
        self.after(seconds, getcurrent().switch)
        self._hub.switch()

    def instant(self, skew_s: float = 0.0) -> datetime:
        """What a clock shows that goes wrong by so much."""
        return EPOCH + timedelta(seconds=self.now + skew_s)
