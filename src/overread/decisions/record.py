"""The record of one decision: what was asked, what it was decided by, where it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from overread.routing.policy import ReviewTerms
from overread.routing.prediction import Reason
from overread.routing.route import Route


class State(StrEnum):
    """Where a decision stands. Only FINAL is terminal; ESCALATED waits for another decider."""

    RECEIVED = "RECEIVED"
    PENDING = "PENDING"
    IN_REVIEW = "IN_REVIEW"
    ESCALATED = "ESCALATED"
    FINAL = "FINAL"


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
    """The routing policy that a record was routed by."""

    version: str
    mode: str
    source: str


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


@dataclass(frozen=True, slots=True)
class Review:
    """One human loop of the decision.

    `input_content_sha256` is the hash of what its people were to see, which the output must repeat; empty in
    records from before it was kept.
    """

    generation: int
    loop_name: str
    flow_definition_arn: str
    input_content_sha256: str
    started_at: datetime
    end: LoopEnd
    end_code: str
    output: StoredObject | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The final answer. `seconds` is the reviewers' active time; None for the model's, or when not known."""

    label: str
    source: str
    reason_code: str
    decided_at: datetime
    seconds: float | None
    reviewers: tuple[Reviewer, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One decision. `revision` counts the writes, `generation` the human loops (0 before the first).

    `due_at` says when to look at it again, None once it is final.
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
    prediction: RecordedPrediction | None = None
    route: Route | None = None
    waiting: Waiting | None = None
    reviews: tuple[Review, ...] = ()
    escalation: Reason | None = None
    outcome: Outcome | None = None

    def review_of(self, generation: int) -> Review | None:
        """The human loop of that generation, as far as it was started."""
        return next((review for review in self.reviews if review.generation == generation), None)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that happened to a decision; numbered from 1 without a gap."""

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
    """Which decision, and which generation of it, a human loop belongs to."""

    loop_name: str
    decision_id: str
    generation: int


@dataclass(frozen=True, slots=True)
class Fence:
    """What the stored record must still look like for a write to happen."""

    state: State
    generation: int
    revision: int


@dataclass(frozen=True, slots=True)
class Change:
    """What to write, all or nothing. `fence` None: the record must not exist yet."""

    record: Record
    fence: Fence | None
    audit: tuple[AuditEntry, ...] = ()
    loops: tuple[LoopEntry, ...] = ()
