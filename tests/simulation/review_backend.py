"""The review service, as Amazon A2I behaves at its worst: slow stops, late outputs, lost events."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from tests.simulation.scenario import (
    HEALERS,
    HOUR,
    ISSUER,
    LABELS,
    TEAMS,
    Person,
    flow_definition,
)
from tests.simulation.scheduler import Scheduler

from overread.decisions.ports import ReadObject
from overread.decisions.record import StoredObject
from overread.errors import (
    FlowDefinitionGoneError,
    NameTakenError,
    PoisonedAnswerError,
    RetryableError,
)
from overread.instants import format_instant
from overread.review.wire import HumanLoop, LoopStatus
from overread_testing.decision_fakes import OUTPUT_BUCKET

GOOD, LATE, MISSING = "good", "late", "missing"
POISONS = (
    "not_json",
    "no_answers",
    "unknown_label",
    "other_loop",
    "other_flow_definition",
    "other_content",
    "elsewhere",
    "same_person",
)
OPEN = frozenset({LoopStatus.IN_PROGRESS, LoopStatus.STOPPING})


@dataclass(frozen=True, slots=True)
class Given:
    """What one person really answered; an empty label: cannot decide."""

    person: Person
    label: str
    reason: str
    accepted_at: float
    submitted_at: float


@dataclass(slots=True)
class Loop:
    """A human loop, with what nobody outside knows: who works on it, what will become of its output."""

    name: str
    flow_definition_arn: str
    content: bytes
    free_of_personal_data: bool
    started_at: float
    task_count: int
    output_kind: str
    status: LoopStatus = LoopStatus.IN_PROGRESS
    failure_code: str = ""
    at_work: set[Person] = field(default_factory=set)
    given: list[Given] = field(default_factory=list)
    ended_at: float | None = None
    readable_at: float = 0.0
    body: bytes = b""

    @property
    def is_open(self) -> bool:
        """Whether an answer may still come."""
        return self.status in OPEN

    @property
    def is_answered(self) -> bool:
        """Whether it ended with answers that are what people gave."""
        return self.status is LoopStatus.COMPLETED and self.output_kind in {GOOD, LATE, MISSING}

    @property
    def uri(self) -> str:
        """Where the output lies."""
        if self.output_kind == "elsewhere":
            return f"s3://another-bucket/{self.name}.json"
        return f"s3://{OUTPUT_BUCKET}/{self.name}/output.json"


@dataclass(slots=True)
class Mood:
    """How people and the service behave in a world; `healed` all do what they should."""

    never_accepts: float
    abandons: float
    cannot_decide: float
    fails: float
    poison: float
    missing: float
    late: float
    mean_wait_s: float
    slow_stop_s: float
    drops_events: float
    repeats_events: float
    late_events_s: float
    conflict_on_repeat: bool
    excludes_readers: bool
    forgetful_s: float
    """For so long a new loop cannot be described yet."""


class ReviewBackend:
    """Human loops with their people. `tell` gets the name of a loop whose status changed."""

    def __init__(
        self, scheduler: Scheduler, random: Random, *, mood: Mood, tell: Callable[[str], None]
    ) -> None:
        self._scheduler = scheduler
        self._random = random
        self._tell = tell
        self.mood = mood
        self.is_healed = False
        self.loops: dict[str, Loop] = {}
        self.gone: set[str] = set()
        self.read_before: dict[str, set[Person]] = {}
        self.starts: list[float] = []

    def start(
        self, name: str, flow_definition_arn: str, input_content: bytes, free_of_personal_data: bool
    ) -> None:
        """Starts the loop, or finds it started with the same content."""
        if flow_definition_arn in self.gone:
            raise FlowDefinitionGoneError("ResourceNotFound", operation="StartHumanLoop")
        known = self.loops.get(name)
        if known is not None:
            same = (known.content, known.flow_definition_arn) == (input_content, flow_definition_arn)
            if not same or self.mood.conflict_on_repeat:
                raise NameTakenError("ConflictException", operation="StartHumanLoop")
            return
        random, mood = self._random, self.mood
        loop = Loop(
            name=name,
            flow_definition_arn=flow_definition_arn,
            content=input_content,
            free_of_personal_data=free_of_personal_data,
            started_at=self._scheduler.now,
            task_count=1 if random.random() < 0.8 else random.choice([2, 3]),
            output_kind=self._draw_output_kind(),
        )
        self.loops[name] = loop
        self.starts.append(self._scheduler.now)
        limit_s = random.choice([0.25, 0.5, 1.0]) * HOUR
        self._scheduler.after(limit_s, lambda: self._expire(loop))
        if not self.is_healed and random.random() < mood.fails:
            self._scheduler.after(random.random() * HOUR, lambda: self._fail(loop))
        for _ in range(loop.task_count):
            self._offer(loop)

    def describe(self, name: str) -> HumanLoop | None:
        """The loop as it stands."""
        loop = self.loops.get(name)
        if loop is None:
            return None
        is_new = self._scheduler.now - loop.started_at < self.mood.forgetful_s
        if is_new and not self.is_healed and loop.is_open:
            return None
        return HumanLoop(
            name=name,
            arn=f"arn:aws:sagemaker:human-loop/{name}",
            flow_definition_arn=loop.flow_definition_arn,
            status=loop.status,
            output_uri=loop.uri if loop.status is LoopStatus.COMPLETED else "",
            failure_code=loop.failure_code,
        )

    def stop(self, name: str) -> None:
        """Asks for the loop's end, which comes later; who has begun may still answer."""
        loop = self.loops.get(name)
        if loop is None or loop.status is not LoopStatus.IN_PROGRESS:
            return
        loop.status = LoopStatus.STOPPING
        self._scheduler.after(self._random.random() * self.mood.slow_stop_s, lambda: self._end_stop(loop))

    def names(self, flow_definition_arn: str) -> Iterator[str]:
        """Loops of the flow definition that are in progress."""
        return iter(
            [
                loop.name
                for loop in self.loops.values()
                if loop.status is LoopStatus.IN_PROGRESS and loop.flow_definition_arn == flow_definition_arn
            ]
        )

    def read(self, uri: str) -> ReadObject:
        """What a loop wrote, when it is there."""
        prefix = f"s3://{OUTPUT_BUCKET}/"
        if not uri.startswith(prefix):
            raise PoisonedAnswerError("output_elsewhere", uri)
        loop = self.loops[uri.removeprefix(prefix).partition("/")[0]]
        if loop.status is not LoopStatus.COMPLETED or loop.readable_at > self._scheduler.now:
            raise RetryableError("NoSuchKey", operation="GetObject")
        stored = StoredObject(
            bucket=OUTPUT_BUCKET,
            key=uri.removeprefix(prefix),
            version_id="1",
            sha256=hashlib.sha256(loop.body).hexdigest(),
        )
        return ReadObject(body=loop.body, stored=stored)

    def heal(self) -> None:
        """From now on people answer what is open, and outputs can be read at once or never."""
        self.is_healed = True
        for loop in self.loops.values():
            if loop.status is LoopStatus.IN_PROGRESS:
                for _ in range(loop.task_count - len(loop.given) - len(loop.at_work)):
                    self._offer(loop)

    def _draw_output_kind(self) -> str:
        if self.is_healed:
            return GOOD
        mood, draw = self.mood, self._random.random()
        for kind, share in ((MISSING, mood.missing), (LATE, mood.late)):
            if draw < share:
                return kind
            draw -= share
        return self._random.choice(POISONS) if draw < mood.poison else GOOD

    def _offer(self, loop: Loop) -> None:
        random, mood = self._random, self.mood
        if not self.is_healed and random.random() < mood.never_accepts:
            return
        wait_s = random.expovariate(1.0) * (120.0 if self.is_healed else mood.mean_wait_s)
        self._scheduler.after(wait_s, lambda: self._accept(loop))

    def _accept(self, loop: Loop) -> None:
        if (
            loop.status is not LoopStatus.IN_PROGRESS
            or len(loop.at_work) + len(loop.given) >= loop.task_count
        ):
            return
        person = self._person_for(loop)
        if person is None:
            return
        loop.at_work.add(person)
        random = self._random
        if not self.is_healed and random.random() < self.mood.abandons:
            return
        accepted_at = self._scheduler.now
        if random.random() < self.mood.cannot_decide and not self.is_healed:
            label = ""
        else:
            label = LABELS[0] if self.is_healed or random.random() < 0.6 else random.choice(LABELS)
        work_s = 20.0 + random.expovariate(1.0) * 200.0
        self._scheduler.after(work_s, lambda: self._submit(loop, person, label, accepted_at))

    def _person_for(self, loop: Loop) -> Person | None:
        team = HEALERS if self.is_healed else TEAMS[flow_definition(loop.flow_definition_arn).team]
        taken = {given.person for given in loop.given} | loop.at_work
        if self.mood.excludes_readers or self.is_healed:
            separation = json.loads(loop.content).get("separation", "")
            taken |= self.read_before.get(separation, set())
        free = [person for person in team if person not in taken]
        return self._random.choice(free) if free else None

    def _submit(self, loop: Loop, person: Person, label: str, accepted_at: float) -> None:
        if not loop.is_open:
            return
        loop.at_work.discard(person)
        reason = "as-stated" if label else ""
        loop.given.append(Given(person, label, reason, accepted_at, self._scheduler.now))
        separation = json.loads(loop.content).get("separation", "")
        self.read_before.setdefault(separation, set()).add(person)
        if len(loop.given) == loop.task_count:
            self._complete(loop)
        elif loop.status is LoopStatus.STOPPING:
            self._end_stop(loop)

    def _complete(self, loop: Loop) -> None:
        now, random = self._scheduler.now, self._random
        loop.body = self._output(loop)
        if loop.output_kind == MISSING:
            loop.readable_at = float("inf")
        elif loop.output_kind == LATE:
            loop.readable_at = now + random.choice([60.0, 0.5 * HOUR, 3 * HOUR, 6 * HOUR])
        self._end(loop, LoopStatus.COMPLETED)

    def _end_stop(self, loop: Loop) -> None:
        if loop.status is LoopStatus.STOPPING and not loop.at_work:
            self._end(loop, LoopStatus.STOPPED)

    def _expire(self, loop: Loop) -> None:
        if loop.status is LoopStatus.STOPPING:
            self._end(loop, LoopStatus.STOPPED)
        elif loop.is_open:
            loop.failure_code = "Expired"
            self._end(loop, LoopStatus.FAILED)

    def _fail(self, loop: Loop) -> None:
        if loop.status is LoopStatus.IN_PROGRESS:
            loop.failure_code = "InternalError"
            self._end(loop, LoopStatus.FAILED)

    def _end(self, loop: Loop, status: LoopStatus) -> None:
        loop.status = status
        loop.ended_at = self._scheduler.now
        self._tell(loop.name)

    def _output(self, loop: Loop) -> bytes:
        kind = loop.output_kind
        if kind == "not_json":
            return b"\xff not JSON"
        given = loop.given
        answers = [] if kind == "no_answers" else [self._answer(one, kind) for one in given]
        if kind == "same_person":
            answers.append(answers[0])
        name = f"{loop.name}x" if kind == "other_loop" else loop.name
        arn = loop.flow_definition_arn + ("x" if kind == "other_flow_definition" else "")
        content = loop.content
        if kind == "other_content":
            content = content.replace(b'"amount":', b'"amount":1', 1)
        head = json.dumps({"flowDefinitionArn": arn, "humanAnswers": answers, "humanLoopName": name})
        return head[:-1].encode() + b', "inputContent": ' + content + b"}"

    def _answer(self, given: Given, kind: str) -> dict[str, object]:
        label = "perhaps" if kind == "unknown_label" else given.label
        content: dict[str, object] = {"label": label, "reason": given.reason}
        if not given.label and kind != "unknown_label":
            content = {"cannot_decide": True}
        return {
            "acceptanceTime": format_instant(self._at(given.accepted_at)),
            "submissionTime": format_instant(self._at(given.submitted_at)),
            "timeSpentInSeconds": given.submitted_at - given.accepted_at,
            "answerContent": content,
            "workerId": given.person.worker_id,
            "workerMetadata": {"identityData": {"issuer": ISSUER, "sub": given.person.sub}},
        }

    def _at(self, seconds: float) -> datetime:
        return self._scheduler.instant(seconds - self._scheduler.now)
