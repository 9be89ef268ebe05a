"""Fakes of the review service's ports: store (under the same conditions), documents, events, a clock."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from overread_review.service import transitions
from overread_review.service.errors import (
    DocumentRefusedError,
    DocumentUnavailableError,
    EventUndeliveredError,
    OpenLimitReachedError,
    PersonSeparatedError,
    RecordChangedError,
    RecordExistsError,
)
from overread_review.service.model import (
    Completion,
    HistoryEntry,
    HistoryPage,
    Loop,
    LoopPage,
    Resource,
    ResourceKind,
    Reviewer,
)
from overread_review.service.ports import LoopQuery, RecordKind, ReviewStore, StoredRecord
from overread_review.service.review_service import ReviewService, build_review_service
from overread_review.service.settings import ServiceSettings
from overread_review.service.side_records import (
    completion,
    concerned,
    new_entries,
    newly_separated,
    queue_key,
)
from overread_templates import S3Location
from overread_testing.labeling_fakes import FakeFunctions, FakeObjects


class FakeClock:
    """A clock that moves only when told to."""

    def __init__(self, now: datetime = datetime(2026, 3, 2, 9, 14, 55, 100_000, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


class FakeStore:
    """ReviewStore in memory; every write is checked against the stored version under one lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loops: dict[str, Loop] = {}
        self._resources: dict[tuple[ResourceKind, str], Resource] = {}
        self._records: dict[tuple[RecordKind, str], StoredRecord] = {}
        self._history: dict[str, dict[str, HistoryEntry]] = {}
        self._separations: dict[tuple[str, str], str] = {}
        self._completions: list[Completion] = []
        self._secrets: dict[str, str] = {}

    def create_loop(self, loop: Loop, *, open_limit: int) -> Loop:
        with self._lock:
            if loop.name in self._loops:
                raise RecordExistsError(loop.name)
            counted = loop.is_open and loop.gold is None
            if counted and self._count(loop.terms.flow_definition_arn) >= open_limit:
                raise OpenLimitReachedError(loop.terms.flow_definition_arn)
            return self._keep(None, replace(loop, version=1))

    def replace_loop(self, loop: Loop, *, before: Loop | None = None) -> Loop:
        with self._lock:
            stored = self._check(loop)
            return self._keep(stored, replace(loop, version=loop.version + 1))

    def delete_loop(self, loop: Loop) -> None:
        with self._lock:
            if self._check(loop).is_open:
                raise RecordChangedError(loop.name)
            del self._loops[loop.name]

    def find_loop(self, name: str) -> Loop | None:
        return self._loops.get(name)

    def list_loops(self, query: LoopQuery) -> LoopPage:
        after, before = query.created_after, query.created_before
        chosen = {
            f"{loop.created_at.isoformat()}#{loop.name}": loop
            for loop in self._listed(query.flow_definition_arn)
            if (after is None or loop.created_at > after) and (before is None or loop.created_at < before)
        }
        keys = sorted(chosen, reverse=not query.ascending)
        if query.cursor:
            keys = [key for key in keys if (key > query.cursor) == query.ascending and key != query.cursor]
        found = keys[: query.limit]
        return LoopPage(tuple(chosen[key] for key in found), found[-1] if len(keys) > query.limit else "")

    def open_loops(self, flow_definition_arn: str, *, limit: int, cursor: str = "") -> LoopPage:
        chosen = {queue_key(loop): loop for loop in self._listed(flow_definition_arn) if loop.is_open}
        keys = [key for key in sorted(chosen) if key > cursor]
        found = keys[:limit]
        return LoopPage(tuple(chosen[key] for key in found), found[-1] if len(keys) > limit else "")

    def open_loops_of_person(self, person: str) -> Sequence[Loop]:
        return [loop for loop in list(self._loops.values()) if person in concerned(loop)]

    def separated(self, person: str, *, loops: Sequence[Loop]) -> frozenset[str]:
        with self._lock:
            marks = {loop.name: self._separations.get((loop.separation, person), loop.name) for loop in loops}
        return frozenset(name for name, mark in marks.items() if mark != name)

    def count_open_loops(self, flow_definition_arn: str) -> int:
        with self._lock:
            return self._count(flow_definition_arn)

    def due_loops(self, now: datetime, *, limit: int) -> Sequence[Loop]:
        due = [(moment, loop) for loop in list(self._loops.values()) if (moment := transitions.due_at(loop))]
        ready = sorted((pair for pair in due if pair[0] <= now), key=lambda pair: pair[0])
        return [loop for _, loop in ready][:limit]

    def history(self, person: str, *, limit: int, cursor: str = "") -> HistoryPage:
        entries = self._history.get(person, {})
        keys = [key for key in sorted(entries, reverse=True) if not cursor or key < cursor]
        found = keys[:limit]
        following = found[-1] if len(keys) > limit else ""
        return HistoryPage(tuple(entries[key] for key in found), following)

    def completions(self, flow_definition_arn: str, *, since: datetime, limit: int) -> Sequence[Completion]:
        found = [
            done
            for done in self._completions
            if done.flow_definition_arn == flow_definition_arn and done.ended_at >= since
        ]
        return sorted(found, key=lambda done: done.ended_at, reverse=True)[:limit]

    def create_resource(self, resource: Resource) -> Resource:
        with self._lock:
            key = (resource.kind, resource.name)
            if key in self._resources:
                raise RecordExistsError(resource.arn)
            self._resources[key] = replace(resource, version=1)
            return self._resources[key]

    def replace_resource(self, resource: Resource) -> Resource:
        with self._lock:
            self._check_resource(resource)
            stored = replace(resource, version=resource.version + 1)
            self._resources[resource.kind, resource.name] = stored
            return stored

    def delete_resource(self, resource: Resource) -> None:
        with self._lock:
            self._check_resource(resource)
            del self._resources[resource.kind, resource.name]

    def find_resource(self, kind: ResourceKind, *, name: str) -> Resource | None:
        return self._resources.get((kind, name))

    def list_resources(self, kind: ResourceKind) -> Sequence[Resource]:
        return [found for found in list(self._resources.values()) if found.kind is kind]

    def create_record(self, record: StoredRecord) -> StoredRecord:
        with self._lock:
            if (record.kind, record.key) in self._records:
                raise RecordExistsError(record.key)
            return self._keep_record(replace(record, version=1))

    def replace_record(self, record: StoredRecord) -> StoredRecord:
        with self._lock:
            self._check_record(record)
            return self._keep_record(replace(record, version=record.version + 1))

    def delete_record(self, record: StoredRecord) -> None:
        with self._lock:
            self._check_record(record)
            del self._records[record.kind, record.key]

    def find_record(self, kind: RecordKind, *, key: str) -> StoredRecord | None:
        if not key:  # as DynamoDB does
            raise ValueError("a key attribute cannot contain an empty string value")
        return self._records.get((kind, key))

    def list_records(self, kind: RecordKind, *, prefix: str = "") -> Sequence[StoredRecord]:
        with self._lock:
            found = [one for one in self._records.values() if one.kind is kind and one.key.startswith(prefix)]
        return sorted(found, key=lambda one: one.key)

    def secret(self, name: str, *, proposal: str) -> str:
        return self._secrets.setdefault(name, proposal)

    def _keep(self, before: Loop | None, loop: Loop) -> Loop:
        marks = {(one.separation, one.person): one.loop_name for one in newly_separated(before, loop)}
        if any(self._separations.get(place, name) != name for place, name in marks.items()):
            raise PersonSeparatedError(loop.name)
        self._separations |= marks
        self._loops[loop.name] = loop
        for person, entry in new_entries(before, loop):
            place = f"{entry.submitted_at.isoformat()}#{entry.loop_name}"
            self._history.setdefault(person, {})[place] = entry
        if (done := completion(before, loop)) is not None:
            self._completions.append(done)
        return loop

    def _keep_record(self, record: StoredRecord) -> StoredRecord:
        self._records[record.kind, record.key] = record
        return record

    def _listed(self, flow_definition_arn: str) -> list[Loop]:
        return [
            loop
            for loop in list(self._loops.values())
            if loop.gold is None and loop.terms.flow_definition_arn == flow_definition_arn
        ]

    def _count(self, flow_definition_arn: str) -> int:
        return sum(loop.is_open for loop in self._listed(flow_definition_arn))

    def _check(self, loop: Loop) -> Loop:
        stored = self._loops.get(loop.name)
        if stored is None or stored.version != loop.version:
            raise RecordChangedError(loop.name)
        return stored

    def _check_resource(self, resource: Resource) -> None:
        stored = self._resources.get((resource.kind, resource.name))
        if stored is None or stored.version != resource.version:
            raise RecordChangedError(resource.arn)

    def _check_record(self, record: StoredRecord) -> None:
        stored = self._records.get((record.kind, record.key))
        if stored is None or stored.version != record.version:
            raise RecordChangedError(record.key)


@dataclass
class FakeDocuments:
    """Documents in memory. `unavailable` fails the next so many calls; `missing_buckets` refuse for good."""

    kept: dict[str, bytes] = field(default_factory=dict)
    outputs: dict[str, bytes] = field(default_factory=dict)
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    missing_buckets: frozenset[str] = frozenset()
    unavailable: int = 0
    objects_url: str = "https://objects.example"
    address_of: Callable[[S3Location], str] | None = None

    def put(self, key: str, body: bytes) -> None:
        self.kept[key] = body

    def get(self, key: str) -> bytes:
        if key not in self.kept:
            raise DocumentRefusedError(f"{key} does not exist")
        return self.kept[key]

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.kept.pop(key, None)

    def address(self, key: str, *, expires_s: int) -> str:
        return f"https://documents.example/{key}?expires={expires_s}"

    def write_output(
        self,
        location: S3Location,
        body: bytes,
        *,
        role_arn: str,
        kms_key_id: str,
        metadata: Mapping[str, str],
    ) -> None:
        if self.unavailable > 0:
            self.unavailable -= 1
            raise DocumentUnavailableError("SlowDown")
        if location.bucket in self.missing_buckets:
            raise DocumentRefusedError("NoSuchBucket")
        self.outputs[f"s3://{location.bucket}/{location.key}"] = body
        self.metadata[f"s3://{location.bucket}/{location.key}"] = dict(metadata)

    def sign_url(self, location: S3Location, *, role_arn: str, expires_s: int) -> str:
        if self.address_of is not None:
            return self.address_of(location)
        return f"{self.objects_url}/{location.bucket}/{location.key}?expires={expires_s}"


@dataclass
class FakeEvents:
    """Collects events. `undeliverable` fails the next so many."""

    delivered: list[dict[str, Any]] = field(default_factory=list)
    undeliverable: int = 0

    def emit(self, *, resource_arn: str, detail_type: str, detail: Mapping[str, Any]) -> None:
        if self.undeliverable > 0:
            self.undeliverable -= 1
            raise EventUndeliveredError("connection refused")
        self.delivered.append(
            {"detail-type": detail_type, "resources": [resource_arn], "detail": dict(detail)}
        )


class FakeDirectory:
    """Reviewers by name."""

    def __init__(self, *reviewers: Reviewer) -> None:
        self.reviewers = {reviewer.name: reviewer for reviewer in reviewers}

    def find(self, name: str) -> Reviewer | None:
        return self.reviewers.get(name)

    def names(self) -> Sequence[str]:
        return list(self.reviewers)


ADA = Reviewer("ada", "5f0c8a52-1111-4222-8333-000000000001", frozenset({"reviewers"}))
GRACE = Reviewer("grace", "5f0c8a52-1111-4222-8333-000000000002", frozenset({"reviewers"}))
KATHERINE = Reviewer("katherine", "5f0c8a52-1111-4222-8333-000000000003", frozenset({"reviewers"}))
LENA = Reviewer("lena", "5f0c8a52-1111-4222-8333-000000000005", frozenset({"reviewers", "leads"}))
VERA = Reviewer(
    "vera", "v-1", frozenset({"reviewers", "leads"}), provider="acme", issuer="https://acme.example"
)
STRANGER = Reviewer("stranger", "5f0c8a52-1111-4222-8333-000000000004", frozenset({"others"}))

TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-classifier name="decision" categories="['approve', 'decline', 'cannot-decide']" header="Approve?">
    <classification-target>{{ task.input.note }}</classification-target>
    <full-instructions header="How to decide">Read all of it.</full-instructions>
    <short-instructions>Read the note.</short-instructions>
  </crowd-classifier>
</crowd-form>
"""


@dataclass(frozen=True)
class ReviewLab:
    """A review service over fakes."""

    service: ReviewService
    store: ReviewStore
    documents: FakeDocuments
    events: FakeEvents
    clock: FakeClock
    objects: FakeObjects
    functions: FakeFunctions

    def call(self, operation: Any, **params: Any) -> dict[str, Any]:
        """One API call by its members."""
        result: dict[str, Any] = operation(params)
        return result

    def start(self, name: str, *, flow: str = "flow", **content: Any) -> Loop:
        """A started loop whose input is `content`."""
        self.call(
            self.service.loops.start,
            HumanLoopName=name,
            FlowDefinitionArn=self.service.settings.arn(f"flow-definition/{flow}"),
            HumanLoopInput={"InputContent": json.dumps(content)},
        )
        return self.loop(name)

    def answer(
        self, name: str, *, by: Reviewer, label: str = "approve", worked_s: float = 10, **content: Any
    ) -> Loop:
        """The loop after a reviewer claimed it, worked for a while and chose `label`."""
        self.service.tasks.claim(name, reviewer=by)
        self.clock.advance(worked_s)
        chosen = {"decision": {"label": label}, **content}
        return self.service.tasks.answer(name, reviewer=by, content=chosen)

    def loop(self, name: str) -> Loop:
        """The loop as stored."""
        found = self.store.find_loop(name)
        if found is None:
            raise LookupError(name)
        return found

    def flow_definition(
        self, name: str = "flow", *, tags: Mapping[str, str] | None = None, **config: Any
    ) -> str:
        """An active flow definition of team `team` and task UI `ui`; `config` overrides HumanLoopConfig."""
        settings = self.service.settings
        reply = self.call(
            self.service.flow_definitions.create,
            FlowDefinitionName=name,
            RoleArn=f"arn:aws:iam::{settings.account}:role/flow",
            OutputConfig={"S3OutputPath": "s3://outputs/reviews/"},
            Tags=[{"Key": key, "Value": value} for key, value in (tags or {}).items()],
            HumanLoopConfig={
                "WorkteamArn": settings.arn("workteam/private-crowd/team"),
                "HumanTaskUiArn": settings.arn("human-task-ui/ui"),
                "TaskTitle": "Review a loan",
                "TaskDescription": "Approve or decline",
                "TaskCount": 1,
                **config,
            },
        )
        self.clock.advance(settings.status_lag_s)
        arn: str = reply["FlowDefinitionArn"]
        return arn


def review_lab(*, template: str = TEMPLATE, store: ReviewStore | None = None, **settings: Any) -> ReviewLab:
    """A service with a workforce, a team of the group `reviewers`, a task UI and nothing else.

    `settings` are further ones of ServiceSettings.
    """
    store = FakeStore() if store is None else store
    documents, events, clock = FakeDocuments(), FakeEvents(), FakeClock()
    objects, functions = FakeObjects(), FakeFunctions()
    service = build_review_service(
        settings=ServiceSettings(account="111122223333", region="eu-west-1", **settings),
        store=store,
        documents=documents,
        events=events,
        reviewers=FakeDirectory(ADA, GRACE, KATHERINE, STRANGER, LENA),
        clock=clock,
        session_secret="secret",
        objects=objects,
        functions=functions,
    )
    lab = ReviewLab(service, store, documents, events, clock, objects, functions)
    cognito = {"UserPool": "eu-west-1_AbCdEf123", "ClientId": "client"}
    lab.call(service.teams.create_workforce, WorkforceName="default", CognitoConfig=cognito)
    member = {"CognitoMemberDefinition": {**cognito, "UserGroup": "reviewers"}}
    lab.call(
        service.teams.create_workteam, WorkteamName="team", Description="All", MemberDefinitions=[member]
    )
    lab.call(service.task_uis.create, HumanTaskUiName="ui", UiTemplate={"Content": template})
    clock.advance(1)
    return lab
