"""What goes wrong at await points: drawn for each one, from the world's seed."""

from collections import Counter
from enum import Enum, auto
from random import Random

from overread.errors import AmbiguousError, RecordConflictError, RetryableError

RATES = (0.0, 0.01, 0.06, 0.20)
"""Swarm: a world has one of these fault rates."""
DELAYS_S = (1.0, 8.0, 25.0, 70.0)


class Fault(Enum):
    """What happens at one await point."""

    NONE = auto()
    DELAY = auto()
    FAIL_BEFORE = auto()
    APPLY_THEN_FAIL = auto()
    KILL_BEFORE = auto()
    APPLY_THEN_KILL = auto()


_KINDS = (
    Fault.DELAY,
    Fault.DELAY,
    Fault.FAIL_BEFORE,
    Fault.FAIL_BEFORE,
    Fault.APPLY_THEN_FAIL,
    Fault.APPLY_THEN_FAIL,
    Fault.KILL_BEFORE,
    Fault.APPLY_THEN_KILL,
)


class KilledError(BaseException):
    """The process is gone. No code of ours may catch it, as none runs after a kill."""


NO_FAULT = Fault.NONE
"""Looked up at every await point."""


class Faults:
    """Draws faults at `rate` until they heal; counts those that it drew."""

    def __init__(self, random: Random, *, rate: float) -> None:
        self._random = random
        self.rate = rate
        self.counts: Counter[Fault] = Counter()
        self.steps = 0

    def draw(self) -> Fault:
        """What happens at this await point."""
        self.steps += 1
        if self.rate == 0.0 or self._random.random() >= self.rate:
            return NO_FAULT
        fault = _KINDS[int(self._random.random() * len(_KINDS))]
        self.counts[fault] += 1
        return fault

    def delay_s(self) -> float:
        """How long a slow call takes."""
        return DELAYS_S[int(self._random.random() * len(DELAYS_S))] * self._random.random()

    def before(self, operation: str) -> Exception:
        """The error of a call that did nothing; its caller cannot always tell."""
        if self._random.random() < 0.6:
            return RetryableError("ThrottlingException", operation=operation)
        return AmbiguousError("ReadTimeoutError", operation=operation)

    def after(self, operation: str) -> Exception:
        """The error of a call that was done: the reply was lost, or a repetition of the write was refused."""
        if operation == "commit" and self._random.random() < 0.3:
            return RecordConflictError("its own write came first")
        return AmbiguousError("ReadTimeoutError", operation=operation)
