"""One world: about eight decisions, or a busy day's, from a seed; first with faults, then all is mended."""

from dataclasses import dataclass
from hashlib import sha256
from random import Random

from tests.simulation.faults import RATES, Faults
from tests.simulation.review_backend import Mood, ReviewBackend
from tests.simulation.scenario import (
    BUSY_MODEL_WEIGHTS,
    HOUR,
    MODEL_WEIGHTS,
    PRESETS,
    QUEUE,
    SAID_BY_MODELS,
    SPOKEN,
    USE_CASES,
    Version,
    policy_of,
)
from tests.simulation.scheduler import Scheduler
from tests.simulation.store import Commit, Store

from overread.decisions.ports import ModelReply
from overread.decisions.record import OutboxEntry, Record, StoredObject
from overread.decisions.requests import Submission
from overread.decisions.start_rate import Rate
from overread.errors import PolicyUnavailableError, Problem
from overread.routing.policy import UseCasePolicy

HORIZON_S = 3 * HOUR
RECOVERY_S = 96 * HOUR
POLICY_STALE_S = 60.0
BUSY_EVERY = 15
"""One world in so many has as many cases in its hours as a good part of the others together."""
SERVICES = ("model", "loops", "outputs", "policies", "receivers")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a caller got for one request: a record as it stood, or a problem."""

    began_at: float
    at: float
    key: tuple[str, str, str]
    """Caller, use case, idempotency key; for a look at a decision its id."""
    request_sha256: str
    record: Record | None
    problem: Problem | None


@dataclass(frozen=True, slots=True)
class Told:
    """One delivery of news to a receiver."""

    at: float
    entry: OutboxEntry


@dataclass(frozen=True, slots=True)
class Deployed:
    """Which version of a use case's policy counts since when."""

    at: float
    version: Version
    policy: UseCasePolicy


@dataclass(slots=True)
class Asked:
    """What a caller wants: a key, and the request under it."""

    caller: str
    use_case: str
    key: str
    submission: Submission
    is_reused: bool = False
    """Whether the key was used for another request before."""


@dataclass(slots=True)
class Spoke:
    """One question to the model, and what it said."""

    inference_id: str
    said: str
    body: bytes


class World:
    """Everything there is. What happened lies in its attributes, for the properties to be checked."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.is_busy = seed % BUSY_EVERY == 0
        self.random = random = Random(f"world {seed}")
        self.scheduler = Scheduler()
        self.faults = Faults(Random(f"faults {seed}"), rate=random.choice(RATES))
        self.is_healed = False
        per_second, burst = random.choice([0.02, 0.2, 5.0]), random.choice([1, 3, 20])
        self.rate = Rate(per_second=5.0 if self.is_busy else per_second, burst=burst)
        self.store = Store(now=self._now, rate=self.rate, on_commit=self._committed)
        self.mood = _mood(random, self.faults.rate)
        self.backend = ReviewBackend(self.scheduler, random, mood=self.mood, tell=self._loop_ended)
        self.tick_s = random.choice([120.0, 300.0, 600.0])
        self.max_skew_s = random.choice([0.0, 0.0, 1.0, 600.0])
        self.outages = _outages(random) if self.faults.rate and random.random() < 0.3 else []
        self.planned_rate, self.planned_skew_s = self.faults.rate, self.max_skew_s
        self.planned_outages = self.outages
        self.policies: dict[str, list[Deployed]] = {}
        for use_case in USE_CASES[: random.choice([1, 1, 2])]:
            preset = random.randrange(PRESETS)
            version = Version(preset=preset, number=1, is_healed=False, is_busy=self.is_busy)
            self.policies[use_case] = [Deployed(0.0, version, policy_of(use_case, version))]
        self.inputs: dict[str, bytes] = {}
        self.spoken: list[Spoke] = []
        self.asked: list[Asked] = []
        self.posted_at: list[float] = []
        self.replies: list[Reply] = []
        self.told: list[Told] = []
        self.errors: list[str] = []
        self.handler_runs = 0

    # What handlers find outside.

    def _now(self) -> float:
        return self.scheduler.now

    def latency_s(self) -> float:
        """A few milliseconds, sometimes a second."""
        draw = self.random.random()
        return draw * 0.05 if draw < 0.9 else draw

    def skew_s(self) -> float:
        """How wrong the clock of one run goes."""
        return self.random.uniform(-self.max_skew_s, self.max_skew_s) if self.max_skew_s else 0.0

    def is_out(self, service: str) -> bool:
        """Whether the service is down."""
        now = self.scheduler.now
        return any(down == service and begin <= now < end for down, begin, end in self.outages)

    def policy_in_sight(self, use_case: str) -> UseCasePolicy:
        """The version of now, or of up to a minute ago."""
        if self.is_out("policies") and self.random.random() < 0.5:
            raise PolicyUnavailableError("ServiceUnavailable", operation="GetLatestConfiguration")
        seen_at = self.scheduler.now - self.random.random() * POLICY_STALE_S
        return self.deployed(use_case, at=seen_at).policy

    def deployed(self, use_case: str, *, at: float) -> Deployed:
        """The version that was in force at that time."""
        versions = self.policies[use_case]
        return next((one for one in reversed(versions) if one.at <= at), versions[0])

    def put_input(self, body: bytes, use_case: str, sha256: str) -> StoredObject:
        """Stores an input."""
        key = f"inputs/{use_case}/{sha256}.json"
        self.inputs[key] = body
        return StoredObject(bucket="inputs", key=key, version_id="1", sha256=sha256)

    def read_input(self, stored: StoredObject) -> bytes:
        """An input."""
        return self.inputs[stored.key]

    def predict(self, body: bytes, inference_id: str) -> ModelReply:
        """What the model says: each time what it likes."""
        weights = BUSY_MODEL_WEIGHTS if self.is_busy else MODEL_WEIGHTS
        (said,) = self.random.choices(SAID_BY_MODELS, weights)
        self.spoken.append(Spoke(inference_id, said, body))
        return ModelReply(body=SPOKEN[said].body, variant="AllTraffic")

    def receive(self, entry: OutboxEntry) -> None:
        """A receiver has the news."""
        self.told.append(Told(self.scheduler.now, entry))

    # What actors subscribe to (see tests/simulation/actors.py).

    def on_commit(self, commit: Commit) -> None:
        """A write took effect."""

    def on_loop_ended(self, name: str) -> None:
        """A human loop's status changed for good."""

    def _loop_ended(self, name: str) -> None:
        self.on_loop_ended(name)

    def _committed(self, commit: Commit) -> None:
        self.on_commit(commit)

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues of the teams that have a limit."""
        limits = (one.policy.review.max_open for versions in self.policies.values() for one in versions)
        return (QUEUE,) if any(limit is not None for limit in limits) else ()

    def forget(self) -> None:
        """Lets go of everything, so that memory is used again at once."""
        self.scheduler.forget()
        self.__dict__.clear()

    def digest(self) -> str:
        """One text that tells two runs apart: everything that was audited and when, and all faults."""
        text = "|".join(f"{head.shard} {head.seq} {head.hash}" for head in self.store.heads.values())
        counts = f"{self.faults.steps} {sum(self.faults.counts.values())} {len(self.told)} {len(self.spoken)}"
        return sha256(f"{text}|{counts}|{self.scheduler.now:.6f}".encode()).hexdigest()


def _outages(random: Random) -> list[tuple[str, float, float]]:
    begin = random.random() * HORIZON_S * 0.7
    return [(random.choice(SERVICES), begin, begin + random.random() * 2 * HOUR)]


def _mood(random: Random, rate: float) -> Mood:
    """How people behave; worlds without faults have friendly people."""
    bad = min(1.0, rate * 4)

    def share(most: float) -> float:
        return random.random() * most * (0.3 + bad)

    return Mood(
        never_accepts=share(0.18),
        abandons=share(0.1),
        cannot_decide=share(0.2),
        fails=share(0.1),
        poison=share(0.2) if rate else 0.0,
        missing=share(0.08) if rate else 0.0,
        late=share(0.1) if rate else 0.0,
        mean_wait_s=random.choice([30.0, 120.0, 600.0]),
        slow_stop_s=random.choice([1.0, 60.0, 1200.0]),
        drops_events=random.choice([0.0, share(0.5), 1.0]) if rate else 0.0,
        repeats_events=share(0.4),
        late_events_s=random.choice([1.0, 60.0, 3 * HOUR]),
        conflict_on_repeat=random.random() < 0.5,
        excludes_readers=random.random() < 0.4,
        forgetful_s=random.choice([0.0, 0.0, 3.0]),
    )
