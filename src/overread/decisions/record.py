"""The record of one decision: what was asked, what it was decided by, where it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from overread.decisions.requests import CallerPrediction
from overread.routing.policy import ReviewTerms
from overread.routing.prediction import Reason
from overread.routing.route import Route


class State(StrEnum):
    """Where a decision stands. ESCALATED is with the second team; FINAL and CANCELLED are the end."""

    RECEIVED = "RECEIVED"
    PENDING = "PENDING"
    IN_REVIEW = "IN_REVIEW"
    ESCALATED = "ESCALATED"
    FINAL = "FINAL"
    CANCELLED = "CANCELLED"


TERMINAL = frozenset({State.FINAL, State.CANCELLED})


class LoopEnd(StrEnum):
    """How a human loop ended, as far as its decision is concerned."""

    OPEN = "open"
    ANSWERED = "answered"
    UNUSABLE = "unusable"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One version of one object in a bucket."""

    bucket: str
    key: str
    version_id: str
    sha256: str


@dataclass(frozen=True, slots=True)
class PolicyPin:
    """The routing policy that a record was routed by, and the guarantee that it stands on, if on one."""

    version: str
    mode: str
    source: str
    guarantee: str = ""


@dataclass(frozen=True, slots=True)
class RecordedPrediction:
    """A usable prediction and whose it is; `attempt` is 0 for a caller's own, whose statement it then is."""

    label: str
    confidence: float
    model: str
    version: str
    variant: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A start of a human loop that did not succeed yet. `is_unknown`: the loop may exist all the same."""

    code: str
    attempts: int
    next_attempt_at: datetime
    is_unknown: bool


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who answered, in the words of the workforce's identity provider."""

    worker_id: str
    sub: str
    issuer: str

    @property
    def person(self) -> tuple[str, ...]:
        """What tells people apart; outside a private workforce there is nothing but the worker id."""
        return (self.sub, self.issuer) if self.sub else (self.worker_id,)


@dataclass(frozen=True, slots=True)
class SignOff:
    """One person's answer, signed by being theirs: under which statement, and when.

    `label` is empty where the person could not decide. Times are as the review's backend wrote them.
    """

    reviewer: Reviewer
    label: str
    reason_code: str
    statement: str
    accepted_at: str
    submitted_at: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class SeatAnswer:
    """What a seat's loop came to: a label, or (then it is empty) why there is none in `no_label_code`."""

    label: str
    no_label_code: str
    sign_offs: tuple[SignOff, ...]
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Seat:
    """A reader's place in the review, and the generation of the human loop that fills it now.

    One reader has the seat "". Under the two-person rule there are "a" and "b", and "c" once they disagree;
    the second team's seats are "e", "f" and "g".
    """

    name: str
    generation: int


@dataclass(frozen=True, slots=True)
class Review:
    """One human loop of the decision.

    `input_content_sha256` is the hash of what its people were to see, which the output must repeat; empty in
    records from before it was kept. `unreadable_since`: when its output was first found to be unreadable.
    """

    seat: str
    generation: int
    loop_name: str
    flow_definition_arn: str
    input_content_sha256: str
    started_at: datetime
    end: LoopEnd
    end_code: str
    output: StoredObject | None
    answer: SeatAnswer | None = None
    unreadable_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The final answer. `seconds` is the reviewers' active time; None for the model's, or when not known."""

    label: str
    source: str
    reason_code: str
    decided_at: datetime
    seconds: float | None
    sign_offs: tuple[SignOff, ...]

    @property
    def reviewers(self) -> tuple[Reviewer, ...]:
        """The people who signed it."""
        return tuple(sign_off.reviewer for sign_off in self.sign_offs)


@dataclass(frozen=True, slots=True)
class Truth:
    """What turned out to be right, learnt after the decision."""

    label: str
    learnt_at: datetime
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True, slots=True)
class Record:
    """One decision. `revision` counts the writes, `generation` the human loops (0 before the first).

    `due_at` says when to look at it again, None once nothing is left to do. `is_admitted`: the human loops
    that it waits for have their places in the team's queue. `separation` is one for all human loops that
    must have different readers; `excluded` names readers of the decision that this one `supersedes`.
    `is_erased`: its input and answers are gone.
    """

    decision_id: str
    use_case: str
    caller_scope: str
    request_sha256: str
    reference: str
    priority: str
    deadline: datetime | None
    input: StoredObject
    state: State
    generation: int
    revision: int
    audit_length: int
    attempts: int
    received_at: datetime
    updated_at: datetime
    due_at: datetime | None
    policy: PolicyPin
    terms: ReviewTerms
    stated: CallerPrediction | None = None
    prediction: RecordedPrediction | None = None
    route: Route | None = None
    waiting: Waiting | None = None
    is_admitted: bool = False
    seats: tuple[Seat, ...] = ()
    reviews: tuple[Review, ...] = ()
    separation: str = ""
    supersedes: str = ""
    grounds: str = ""
    contested_by: str = ""
    excluded: tuple[Reviewer, ...] = ()
    escalation: Reason | None = None
    cancellation: Reason | None = None
    outcome: Outcome | None = None
    truth: Truth | None = None
    is_erased: bool = False

    def review_of(self, seat: Seat) -> Review | None:
        """The human loop that fills the seat now, as far as it was started."""
        return next(
            (one for one in self.reviews if (one.seat, one.generation) == (seat.name, seat.generation)), None
        )

    def review_named(self, loop_name: str) -> Review | None:
        """The human loop of that name, as far as it was started."""
        return next((review for review in self.reviews if review.loop_name == loop_name), None)

    @property
    def open_reviews(self) -> tuple[Review, ...]:
        """Human loops whose end is not known yet."""
        return tuple(review for review in self.reviews if review.end is LoopEnd.OPEN)

    @property
    def empty_seats(self) -> tuple[Seat, ...]:
        """Seats whose human loop has not been started yet."""
        return tuple(seat for seat in self.seats if self.review_of(seat) is None)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that happened to a decision, or to what decisions depend on; numbered from 1 without a gap.

    `decision_id` is the subject: a decision's id, or `change/…` for a change of roster, policy, kill switch.
    """

    decision_id: str
    number: int
    at: datetime
    event: str
    from_state: str
    to_state: str
    generation: int
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LoopEntry:
    """Which decision, which generation and seat of it, a human loop belongs to."""

    loop_name: str
    decision_id: str
    generation: int
    seat: str = ""


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """News to one target, `events`, `webhook` or `feedback`; written with what it tells of.

    `payload` is the JSON text that every delivery carries; `number` is the audit entry's.
    """

    decision_id: str
    number: int
    target: str
    event: str
    use_case: str
    dedupe_key: str
    payload: str
    created_at: datetime
    attempts: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class QueueMove:
    """Places in a team's queue taken (positive) or given back; at most `limit` are taken at a time."""

    queue: str
    slots: int
    limit: int


@dataclass(frozen=True, slots=True)
class Fence:
    """What the stored record must still look like for a write to happen."""

    state: State
    generation: int
    revision: int


@dataclass(frozen=True, slots=True)
class Change:
    """What to write, all or nothing. `fence` None: the record must not exist yet.

    `is_automatic`: the model decides; not while a kill switch is on.
    """

    record: Record
    fence: Fence | None
    audit: tuple[AuditEntry, ...] = ()
    loops: tuple[LoopEntry, ...] = ()
    outbox: tuple[OutboxEntry, ...] = ()
    queue: QueueMove | None = None
    is_automatic: bool = False
