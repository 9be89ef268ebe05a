"""What the review service needs from the outside: a store, documents, an event sink, reviewers, time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from overread_review.service.model import (
    Completion,
    HistoryPage,
    Loop,
    LoopPage,
    Resource,
    ResourceKind,
    Reviewer,
)
from overread_templates import S3Location

Clock = Callable[[], datetime]
"""Gives the time, with a time zone."""


@dataclass(frozen=True, slots=True)
class LoopQuery:
    """Which loops of a flow definition to list: times excluded, `cursor` is a page's `next_cursor`."""

    flow_definition_arn: str
    created_after: datetime | None
    created_before: datetime | None
    ascending: bool
    limit: int
    cursor: str


class RecordKind(StrEnum):
    """The small records that are found by their key alone."""

    PERSON = "person"
    STANDING = "standing"
    QUALIFICATION = "qualification"
    QUEUE = "queue"
    LABELING_BATCH = "labeling-batch"


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A small record as text (`records.record_text`); version 0 is not stored yet."""

    kind: RecordKind
    key: str
    text: str
    version: int = 0


class ReviewStore(Protocol):
    """Loops, resources and small records under conditional writes, which give back what is stored then.

    Raises StoreUnavailableError for what may work later. Loops that ask a gold question (`loop.gold`) are
    found by name and by person only: no listing shows them and no limit counts them.
    """

    def create_loop(self, loop: Loop, *, open_limit: int) -> Loop:
        """Store a new loop, and count it among its flow definition's open ones if it is open.

        Raises:
            RecordExistsError: a loop of that name is stored.
            OpenLimitReachedError: `open_limit` loops of the flow definition are open.
        """

    def replace_loop(self, loop: Loop, *, before: Loop | None = None) -> Loop:
        """Store `loop` over its own version, and in the same transaction what its change brings about.

        That is what `side_records` derives from the two: entries in people's histories for new answers,
        the completion of a loop that ends, the way from newly concerned people to the loop, and what
        their answer separates its author from. `before` is
        the loop as it was read; without it the store reads it again.

        Raises:
            RecordChangedError: the stored version is another.
            PersonSeparatedError: a new answer's author has answered another loop with this separation.
        """

    def delete_loop(self, loop: Loop) -> None:
        """Remove exactly this version. Raises RecordChangedError when it is not the stored one."""

    def find_loop(self, name: str) -> Loop | None:
        """The loop of that name as of now, never a stale one."""

    def list_loops(self, query: LoopQuery) -> LoopPage:
        """One page of a flow definition's loops in the order of creation."""

    def open_loops(self, flow_definition_arn: str, *, limit: int, cursor: str = "") -> LoopPage:
        """One page of the flow definition's open loops in the order of its queue; may lag behind a little.

        The order is `side_records.queue_key`: by priority, deadline and age, those on hold last.
        """

    def open_loops_of_person(self, person: str) -> Sequence[Loop]:
        """The open loops that the person has claimed or is assigned to, as of now."""

    def history(self, person: str, *, limit: int, cursor: str = "") -> HistoryPage:
        """One page of what the person answered, the newest first."""

    def completions(self, flow_definition_arn: str, *, since: datetime, limit: int) -> Sequence[Completion]:
        """The flow definition's loops that ended with answers since then, the newest first."""

    def separated(self, person: str, *, loops: Sequence[Loop]) -> frozenset[str]:
        """The names of those of the loops that the person may not answer as of now.

        They have answered another one with the same `separation`.
        """

    def count_open_loops(self, flow_definition_arn: str) -> int:
        """How many of the flow definition's loops are open."""

    def due_loops(self, now: datetime, *, limit: int) -> Sequence[Loop]:
        """Loops in which something is due (`transitions.due_at`), the longest overdue first."""

    def create_resource(self, resource: Resource) -> Resource:
        """Store a new resource. Raises RecordExistsError when its kind and name are stored."""

    def replace_resource(self, resource: Resource) -> Resource:
        """Store `resource` over its own version. Raises RecordChangedError when that is another."""

    def delete_resource(self, resource: Resource) -> None:
        """Remove exactly this version. Raises RecordChangedError when it is not the stored one."""

    def find_resource(self, kind: ResourceKind, *, name: str) -> Resource | None:
        """The resource as of now, never a stale one."""

    def list_resources(self, kind: ResourceKind) -> Sequence[Resource]:
        """All resources of a kind."""

    def create_record(self, record: StoredRecord) -> StoredRecord:
        """Store a new record. Raises RecordExistsError when its kind and key are stored."""

    def replace_record(self, record: StoredRecord) -> StoredRecord:
        """Store `record` over its own version. Raises RecordChangedError when that is another."""

    def delete_record(self, record: StoredRecord) -> None:
        """Remove exactly this version. Raises RecordChangedError when it is not the stored one."""

    def find_record(self, kind: RecordKind, *, key: str) -> StoredRecord | None:
        """The record as of now, never a stale one."""

    def list_records(self, kind: RecordKind, *, prefix: str = "") -> Sequence[StoredRecord]:
        """All records of a kind whose keys begin with `prefix`, by key."""

    def secret(self, name: str, *, proposal: str) -> str:
        """The secret kept under `name`; `proposal` is stored and given back when there is none."""


class Documents(Protocol):
    """The service's own documents, and the objects of its users that a flow definition's role may touch.

    Raises DocumentRefusedError for what cannot work, DocumentUnavailableError for what may work later.
    """

    def put(self, key: str, body: bytes) -> None:
        """Keep `body` under `key`."""

    def get(self, key: str) -> bytes:
        """The body kept under `key`."""

    def delete(self, keys: Sequence[str]) -> None:
        """Forget the bodies kept under `keys`; those that are not there are fine."""

    def address(self, key: str, *, expires_s: int) -> str:
        """An address under which the body kept under `key` can be read for `expires_s` seconds."""

    def write_output(
        self,
        location: S3Location,
        body: bytes,
        *,
        role_arn: str,
        kms_key_id: str,
        metadata: Mapping[str, str],
    ) -> None:
        """Write an output document, with metadata of the object, as the flow definition's role."""

    def sign_url(self, location: S3Location, *, role_arn: str, expires_s: int) -> str:
        """An address under which a browser can read the object for `expires_s` seconds."""


class EventSink(Protocol):
    """Takes status events, at least once."""

    def emit(self, *, resource_arn: str, detail_type: str, detail: Mapping[str, Any]) -> None:
        """Hand an event over. Raises EventUndeliveredError when it has to be tried again."""


class ReviewerDirectory(Protocol):
    """The people who may sign in."""

    def find(self, name: str) -> Reviewer | None:
        """The reviewer who signs in under `name`."""

    def names(self) -> Sequence[str]:
        """Who is offered at the local sign-in page; empty where an identity provider asks."""
