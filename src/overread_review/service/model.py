"""The records of the review service: people, control-plane resources, human loops and what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from overread.review.wire import FailureCode, LoopStatus

WORKFORCE = "workforce"
"""The identity provider of the account's own workforce; vendors have others."""
RESERVED_PROVIDERS = frozenset({WORKFORCE, "invited", "sandbox"})
"""What no vendor's provider is called, because keys of other people begin with it."""


@dataclass(frozen=True, slots=True)
class Reviewer:
    """A person who signs in; `sub` identifies them for good at their `provider`."""

    name: str
    sub: str
    groups: frozenset[str]
    provider: str = WORKFORCE
    issuer: str = ""
    email: str = ""

    @property
    def key(self) -> str:
        """Who it is in the service's records: what a vendor's provider says never stands for others' people.

        Signing in refuses a `sub` of the workforce that begins with another provider's name and a colon.
        """
        return self.sub if self.provider == WORKFORCE else f"{self.provider}:{self.sub}"


@dataclass(frozen=True, slots=True)
class Person:
    """A reviewer as the service remembers them, or somebody who is invited and has no `sub` yet."""

    key: str
    sub: str
    provider: str
    issuer: str
    name: str
    email: str = ""
    groups: tuple[str, ...] = ()
    disabled: bool = False
    invited_at: datetime | None = None
    first_seen_at: datetime | None = None
    last_seen_at: datetime | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """How a person did in one qualification: its test, and the gold questions mixed in afterwards.

    `test_correct` of `test_total` are about the test number `test_round`, which goes on until
    `test_ended_at`; `test_answers` are its items and whether they were answered right. `passed_at` and
    `valid_until` are of the last test that was passed, `failed_at` of the last that was not. `asked` are the
    items asked so far, the longest ago first, and `scored` the last loops that count already.
    """

    person: str
    qualification: str
    test_correct: int = 0
    test_total: int = 0
    passed_at: datetime | None = None
    valid_until: datetime | None = None
    gold_correct: int = 0
    gold_total: int = 0
    failed_at: datetime | None = None
    test_round: int = 0
    test_answers: Mapping[str, bool] = field(default_factory=dict)
    test_ended_at: datetime | None = None
    asked: tuple[str, ...] = ()
    scored: tuple[str, ...] = ()
    version: int = 0


@dataclass(frozen=True, slots=True)
class GoldItem:
    """A question whose answer is known: `expected` are the choices (`choices_of`) that a right answer has."""

    item_id: str
    input: Mapping[str, Any]
    expected: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Qualification:
    """What somebody has to show before they get tasks, and how often they are asked again unknowingly."""

    name: str
    items: tuple[GoldItem, ...]
    questions: int
    pass_mark: float
    gold_share: float
    valid_days: int
    version: int = 0


@dataclass(frozen=True, slots=True)
class GoldRef:
    """Which gold item a loop asks, and whether it belongs to the test number `test_round` or is mixed in.

    With several seats a real task waits for others after an answer: so does its gold question, for `lag_s`.
    """

    qualification: str
    item: str
    purpose: Literal["test", "gold"]
    test_round: int = 0
    lag_s: float = 0.0


class ResourceKind(StrEnum):
    """The control-plane resources, by their word in ARNs."""

    FLOW_DEFINITION = "flow-definition"
    HUMAN_TASK_UI = "human-task-ui"
    WORKFORCE = "workforce"
    WORKTEAM = "workteam"
    LABELING_JOB = "labeling-job"


@dataclass(frozen=True, slots=True)
class Resource:
    """A control-plane resource: `request` holds the members of its create call as AWS names them.

    `version` counts writes and guards against lost updates; 0 is not stored yet.
    """

    kind: ResourceKind
    name: str
    arn: str
    request: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    version: int = 0


class Priority(StrEnum):
    """How soon a task is offered, the most urgent first."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for the most urgent."""
        return list(Priority).index(self)


@dataclass(frozen=True, slots=True)
class Claim:
    """A person's hold on one seat of a task, from acceptance to the deadline for answering.

    `worked_s` counts the work up to `running_since`, which is None while the work is paused; then the
    deadline holds all of the pause that is still allowed. `paused_s` counts the pauses that are over.
    """

    person: str
    accepted_at: datetime
    deadline_at: datetime
    worked_s: float = 0.0
    running_since: datetime | None = None
    paused_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What one person submitted; the content itself lies in the document under `content_key`.

    `statement_sha256` is of the statement that stood beside the button with which they submitted it.
    """

    person: str
    sub: str
    worker_id: str
    identity_provider: str
    issuer: str
    accepted_at: datetime
    submitted_at: datetime
    content_key: str
    worked_s: float = 0.0
    guideline_version: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    cannot_decide: bool = False
    statement_sha256: str = ""


class NoteKind(StrEnum):
    """What a note on a task is for."""

    QUESTION = "question"
    FLAG = "flag"
    REPLY = "reply"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class Note:
    """Something said about a task; `to` is the person it is meant for, or empty for all."""

    note_id: str
    person: str
    author: str
    role: Literal["reviewer", "lead"]
    kind: NoteKind
    text: str
    at: datetime
    to: str = ""


@dataclass(frozen=True, slots=True)
class FlowTerms:
    """What a loop takes over from its flow definition when it starts, and keeps whatever becomes of that."""

    flow_definition_arn: str
    flow_definition_name: str
    workteam_arn: str
    role_arn: str
    output_path: str
    kms_key_id: str
    template_sha256: str
    title: str
    description: str
    keywords: tuple[str, ...]
    task_count: int
    time_limit_s: int
    guideline_version: str = ""
    qualification: str = ""


@dataclass(frozen=True, slots=True)
class Loop:
    """A human loop, which is one task with `terms.task_count` seats for different people.

    `assigned_to` is a person for whom one seat is kept. `returned` are answers that a lead gave back.
    `event_due` says that the status event has not been handed over yet. Of all loops with the same
    `separation` one person may answer one only. `labeling_object` is the object of a labeling job that the
    loop is a task of, `is_extra_vote` where its first task was not enough; such loops write no output
    document and send no event. `version` counts writes; 0 is not stored yet.
    """

    name: str
    arn: str
    terms: FlowTerms
    created_at: datetime
    expires_at: datetime
    input_key: str
    input_sha256: str
    classifiers: tuple[str, ...] = ()
    status: LoopStatus = LoopStatus.IN_PROGRESS
    claims: tuple[Claim, ...] = ()
    answers: tuple[Answer, ...] = ()
    declined_by: tuple[str, ...] = ()
    failure_code: FailureCode | None = None
    failure_reason: str = ""
    output_uri: str = ""
    ended_at: datetime | None = None
    event_due: bool = False
    priority: Priority = Priority.NORMAL
    deadline_at: datetime | None = None
    assigned_to: str = ""
    held: bool = False
    notes: tuple[Note, ...] = ()
    returned: tuple[Answer, ...] = ()
    gold: GoldRef | None = None
    separation: str = ""
    statement_sha256: str = ""
    labeling_object: str = ""
    is_extra_vote: bool = False
    version: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the loop still waits for people."""
        return self.status in {LoopStatus.IN_PROGRESS, LoopStatus.STOPPING}

    @property
    def is_humans_loop(self) -> bool:
        """Whether it is a human loop of the API, and not a gold question or a task of a labeling job."""
        return self.gold is None and not self.labeling_object


@dataclass(frozen=True, slots=True)
class LoopPage:
    """Some loops of a listing, and where the next page begins (empty: nowhere)."""

    loops: tuple[Loop, ...]
    next_cursor: str = ""


@dataclass(frozen=True, slots=True)
class QueueState:
    """Whether a flow definition's queue is paused, and by whom."""

    flow_definition_arn: str
    paused: bool = False
    paused_by: str = ""
    paused_at: datetime | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One answer as its author looks back on it. `status` is the loop's now, or "Returned" or "Deleted"."""

    loop_name: str
    title: str
    flow_definition: str
    submitted_at: datetime
    worked_s: float
    choices: Mapping[str, str]
    cannot_decide: bool
    guideline_version: str
    status: str


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Some answers, the newest first, and where the next page begins (empty: nowhere)."""

    entries: tuple[HistoryEntry, ...]
    next_cursor: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """What is kept of a loop that ended with answers, for the figures; by the time of its end."""

    loop_name: str
    flow_definition_arn: str
    status: LoopStatus
    ended_at: datetime
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Pairs of answers to the same task by different people, and how many of them chose the same."""

    pairs: int = 0
    agreed: int = 0
