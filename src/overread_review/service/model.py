"""The records of the review service: reviewers, control-plane resources, human loops and what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from overread.review.wire import FailureCode, LoopStatus


@dataclass(frozen=True, slots=True)
class Reviewer:
    """A person who signs in; `sub` identifies them for good, `groups` decide which teams' tasks they get."""

    name: str
    sub: str
    groups: frozenset[str]


class ResourceKind(StrEnum):
    """The control-plane resources, by their word in ARNs."""

    FLOW_DEFINITION = "flow-definition"
    HUMAN_TASK_UI = "human-task-ui"
    WORKFORCE = "workforce"
    WORKTEAM = "workteam"


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


@dataclass(frozen=True, slots=True)
class Claim:
    """A reviewer's hold on one seat of a task, from acceptance to the deadline for answering."""

    sub: str
    accepted_at: datetime
    deadline_at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What one reviewer submitted; the content itself lies in the document under `content_key`."""

    sub: str
    worker_id: str
    identity_provider: str
    issuer: str
    accepted_at: datetime
    submitted_at: datetime
    content_key: str


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


@dataclass(frozen=True, slots=True)
class Loop:
    """A human loop, which is one task with `terms.task_count` seats for different reviewers.

    `event_due` says that the status event has not been handed over yet. `version` counts writes; 0 is not
    stored yet.
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
    version: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the loop still waits for people."""
        return self.status in {LoopStatus.IN_PROGRESS, LoopStatus.STOPPING}


@dataclass(frozen=True, slots=True)
class LoopPage:
    """Some loops of a listing, and where the next page begins (empty: nowhere)."""

    loops: tuple[Loop, ...]
    next_cursor: str = ""
