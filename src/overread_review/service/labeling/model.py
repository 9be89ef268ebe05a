"""The records of labeling jobs: a job with how far it has come, and its batches of objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from overread_review.service.model import Resource
from overread_review.service.ports import RecordKind, ReviewStore, StoredRecord
from overread_review.service.records import parse_record, record_text

_JOB, _STATE = "Job", "State"
_OF_THE_TASK = ("WorkteamArn", "TaskTitle", "TaskDescription", "TaskKeywords")


class JobStatus(StrEnum):
    """A labeling job's status, in the API's words."""

    INITIALIZING = "Initializing"
    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPING = "Stopping"
    STOPPED = "Stopped"

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen."""
        return self in {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.STOPPED}


@dataclass(frozen=True, slots=True)
class Adaptive:
    """An object gets another vote while its label is less sure than `confidence`, up to `most` votes."""

    most: int
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """How far a job has come; everything that may change after its creation.

    `workers` and `time_limit_s` hold from now on. `etag` is the manifest's as it was checked, `objects` its
    lines. The next batch has the number `next_batch` and begins with line `next_line` at byte `next_offset`;
    `open_batches` are those in which something is left to do. `answered` objects are complete in the open
    batches, `labeled`, `failed` and `passed` (nobody was needed) those of the batches that are done.
    """

    status: JobStatus
    workers: int
    time_limit_s: int
    failure_reason: str = ""
    adaptive: Adaptive | None = None
    template_sha256: str = ""
    categories: tuple[str, ...] = ()
    etag: str = ""
    objects: int = 0
    bytes: int = 0
    next_batch: int = 0
    next_line: int = 0
    next_offset: int = 0
    open_batches: tuple[int, ...] = ()
    answered: int = 0
    labeled: int = 0
    failed: int = 0
    passed: int = 0
    changed_at: datetime | None = None
    event_due: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """A labeling job: `request` is its CreateLabelingJob, `resource` where both are stored."""

    resource: Resource
    request: Mapping[str, Any]
    state: JobState

    @property
    def name(self) -> str:
        """Its name as it was given."""
        return str(self.request["LabelingJobName"])

    @property
    def arn(self) -> str:
        """Its ARN, which is also that of the queue of its tasks."""
        return self.resource.arn

    @property
    def key(self) -> str:
        """Its name as names are compared: no two jobs differ in case only."""
        return self.resource.name

    @property
    def task(self) -> Mapping[str, Any]:
        """HumanTaskConfig of the request."""
        found: Mapping[str, Any] = self.request["HumanTaskConfig"]
        return found

    @property
    def attribute(self) -> str:
        """The label attribute's name."""
        return str(self.request["LabelAttributeName"])

    @property
    def role_arn(self) -> str:
        """In whose name objects are read and written, and functions called."""
        return str(self.request["RoleArn"])

    @property
    def output_path(self) -> str:
        """The S3 address of the job's folder, without a slash at its end."""
        return f"{self.request['OutputConfig']['S3OutputPath'].rstrip('/')}/{self.name}"

    @property
    def concurrent_objects(self) -> int:
        """How many objects may be with people at a time."""
        return int(self.task.get("MaxConcurrentTaskCount", 1000))


def job_of(resource: Resource) -> Job:
    """The job behind its resource."""
    state = parse_record(JobState, resource.request[_STATE])
    return Job(resource, resource.request[_JOB], state)


def members_of(request: Mapping[str, Any], state: JobState) -> dict[str, Any]:
    """What the resource of a job holds.

    Its task is written as a flow definition's, so that it is offered and shown as that of any queue.
    """
    task = request["HumanTaskConfig"]
    return {
        _JOB: {name: value for name, value in request.items() if name != "Tags"},
        _STATE: record_text(state),
        "HumanLoopConfig": {
            **{member: task[member] for member in _OF_THE_TASK if member in task},
            "TaskCount": state.workers,
            "TaskTimeLimitInSeconds": state.time_limit_s,
        },
        "OutputConfig": request["OutputConfig"],
        "RoleArn": request["RoleArn"],
        "TemplateSha256": state.template_sha256,
    }


def with_state(job: Job, state: JobState) -> Resource:
    """The resource of the job as it stands with that state."""
    return replace(job.resource, request=members_of(job.request, state))


class Phase(StrEnum):
    """What a batch waits for."""

    OPENING = "opening"
    WAITING = "waiting"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Item:
    """An object of a batch: `line` is its place in the manifest, `extra_votes` those beyond its first task.

    `is_asked` is False where nobody is needed: it has its label, or its function says so. `fault` is why it
    cannot become a task.
    """

    line: int
    is_asked: bool = True
    extra_votes: int = 0
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Objects that are labeled together: the bytes `[begin, end)` of the manifest. `tries` count calls of the
    consolidation function that failed, `part` is where its finished lines are."""

    job: str
    number: int
    first_line: int
    begin: int
    end: int
    phase: Phase = Phase.OPENING
    items: tuple[Item, ...] = ()
    labeled: int = 0
    failed: int = 0
    passed: int = 0
    answered: int = 0
    tries: int = 0
    part: str = ""
    opened_at: datetime | None = None
    version: int = field(default=0, compare=False)


class Batches:
    """The stored batches."""

    def __init__(self, store: ReviewStore) -> None:
        self._store = store

    def find(self, job: str, number: int) -> Batch | None:
        """The batch of that number."""
        found = self._store.find_record(RecordKind.LABELING_BATCH, key=_key(job, number))
        return None if found is None else _batch(found)

    def of(self, job: str) -> Sequence[Batch]:
        """All batches of a job in their order."""
        return [
            _batch(found) for found in self._store.list_records(RecordKind.LABELING_BATCH, prefix=f"{job}/")
        ]

    def save(self, batch: Batch) -> Batch:
        """Store the batch as new (version 0), or over its own version.

        Raises:
            RecordExistsError: it is not new.
            RecordChangedError: the stored version is another.
        """
        record = StoredRecord(
            RecordKind.LABELING_BATCH, _key(batch.job, batch.number), record_text(batch), batch.version
        )
        write = self._store.create_record if batch.version == 0 else self._store.replace_record
        return _batch(write(record))


def _key(job: str, number: int) -> str:
    return f"{job}/{number:08}"


def _batch(stored: StoredRecord) -> Batch:
    return parse_record(Batch, stored.text, version=stored.version)
