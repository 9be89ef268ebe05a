"""What training and transform jobs share: records with a status, a task each, an end that leaves nothing."""

import asyncio
import json
import logging
import uuid
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from overread_local.sagemaker.containers import Container
from overread_local.sagemaker.errors import ResourceInUse, ResourceLimitExceeded, ValidationException
from overread_local.sagemaker.images import Images
from overread_local.sagemaker.job_files import JobFiles
from overread_local.sagemaker.log_streams import LogStream
from overread_local.sagemaker.records import Caller, Clock, Record, Records, tags_of

JOBS_AT_ONCE = 20  # of one kind; AWS's quotas differ by instance type
INTERRUPTED = "InternalServerError: the local stack ended while the job ran"
_SHIP_EVERY_S = 1.0
Emit = Callable[[dict[str, Any]], object]
_LOGGER = logging.getLogger("overread.jobs")


class JobFailure(Exception):  # noqa: N818 - the outcome of a job, not a defect
    """The job ends as Failed; the message is its FailureReason."""


@dataclass(frozen=True, slots=True)
class JobHost:
    """What jobs run on: files, images, the folder for their roots, the bus and the clock."""

    files: JobFiles
    images: Images
    folder: Path
    emulator_url: str
    emit: Emit
    clock: Clock

    def container(self) -> Container:
        """A new, empty container."""
        return Container(self.folder / f"job-{uuid.uuid4().hex}", emulator_url=self.emulator_url)


@dataclass(frozen=True, slots=True)
class JobKind:
    """How one kind of job is named on the wire."""

    noun: str  # as in TrainingJobName
    words: str  # as in messages: "Training job"
    resource: str  # as in the ARN


class Jobs:
    """The life of the jobs of one kind; what a job does is the coroutine it is started with."""

    def __init__(self, records: Records, kind: JobKind, *, host: JobHost) -> None:
        self.records = records
        self.kind = kind
        self.host = host
        self.containers: dict[str, Container] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closing = False

    def add(self, caller: Caller, params: Mapping[str, Any], document: Mapping[str, Any]) -> Record:
        """A new record in progress.

        Raises:
            ResourceInUse: the name was used before, as names of jobs are never free again.
            ResourceLimitExceeded: too many run.
        """
        name = params[f"{self.kind.noun}Name"]
        arn = caller.arn(self.kind.resource, name)
        if self.records.get(arn) is not None:
            raise ResourceInUse(
                f"{self.kind.words} names must be unique within an AWS account and Region, and a"
                f" {self.kind.words.lower()} with this name already exists ({arn})"
            )
        if len(self._tasks) >= JOBS_AT_ONCE:
            raise ResourceLimitExceeded(
                f"The local stack runs {JOBS_AT_ONCE} {self.kind.words.lower()}s at once; wait for one."
            )
        now = self.host.clock()
        record = Record(
            arn,
            self.kind.resource,
            name,
            {
                **document,
                f"{self.kind.noun}Arn": arn,
                f"{self.kind.noun}Status": "InProgress",
                "CreationTime": now,
                "LastModifiedTime": now,
            },
            tags=tags_of(params),
        )
        self.records.put(record)
        return record

    def find(self, caller: Caller, name: str) -> Record:
        """A job by name.

        Raises:
            ValidationException: there is none; worded as AWS words it.
        """
        if (record := self.records.get(caller.arn(self.kind.resource, name))) is None:
            raise ValidationException("Requested resource not found.")
        return record

    def status(self, record: Record) -> str:
        return str(record.document[f"{self.kind.noun}Status"])

    def update(self, record: Record, **members: Any) -> None:
        """Writes members of the record; a changed status goes out as an event."""
        before = self.status(record)
        record.document.update(members, LastModifiedTime=self.host.clock())
        self.records.put(record)
        if self.status(record) != before or f"{self.kind.noun}Status" in members:
            self._announce(record)

    def run(
        self, record: Record, work: Coroutine[Any, Any, None], *, end: Callable[[str, str], None]
    ) -> None:
        """Runs a job; `end(status, reason)` writes how it ended."""
        self._announce(record)
        task = asyncio.get_running_loop().create_task(self._guarded(record, work, end=end))
        self._tasks[record.arn] = task
        task.add_done_callback(lambda _task: self._tasks.pop(record.arn, None))

    def begin_stop(self, caller: Caller, name: str) -> Record | None:
        """The record of a job that is now stopping; None when it is stopping already.

        Raises:
            ValidationException: no such job, or it has ended.
        """
        record = self.find(caller, name)
        status = self.status(record)
        if status == "Stopping":
            return None
        if status != "InProgress":
            raise ValidationException(
                f"The request was rejected because the {self.kind.words.lower()} is in status {status}."
            )
        return record

    def interrupted(self) -> list[Record]:
        """The records that a stopped emulator left in progress."""
        return [
            record
            for record in self.records.of_kind(self.kind.resource)
            if self.status(record) in {"InProgress", "Stopping"} and record.arn not in self._tasks
        ]

    def kill(self) -> None:
        """Ends every program now; the records stay as they are and are mended at the next start."""
        self._closing = True
        for container in self.containers.values():
            container.kill()

    async def _guarded(
        self, record: Record, work: Coroutine[Any, Any, None], *, end: Callable[[str, str], None]
    ) -> None:
        log = LogStream(
            self.host.files,
            group=f"/aws/sagemaker/{self.kind.noun}s",
            stream=f"{record.name}/algo-1-{int(self.host.clock() * 1000)}",
            clock=self.host.clock,
        )
        follower = asyncio.get_running_loop().create_task(self._follow(record, log))
        outcome = await asyncio.gather(work, return_exceptions=True)
        follower.cancel()
        if self._closing:
            return
        fault = outcome[0]
        container = self.containers.pop(record.arn, None)
        if container is not None:
            await container.stop()
            await self._ship(record, log, container, last=True)
            container.discard()
        if self.status(record) == "Stopping":
            end("Stopped", "")
        elif isinstance(fault, BaseException):
            if not isinstance(fault, JobFailure):
                _LOGGER.error("%s: %r", record.arn, fault)
            end("Failed", str(fault)[:1024] or repr(fault))
        else:
            end("Completed", "")

    async def _follow(self, record: Record, log: LogStream) -> None:
        while True:
            await asyncio.sleep(_SHIP_EVERY_S)
            if (container := self.containers.get(record.arn)) is not None:
                await self._ship(record, log, container)

    async def _ship(
        self, record: Record, log: LogStream, container: Container, *, last: bool = False
    ) -> None:
        """Puts what a program printed into the group that SageMaker writes to."""
        shipped = asyncio.to_thread(log.ship, container.log, last=last)
        if isinstance(refused := (await asyncio.gather(shipped, return_exceptions=True))[0], Exception):
            _LOGGER.warning("%s: its log could not be written: %s", record.arn, refused)

    def _announce(self, record: Record) -> None:
        self.host.emit(
            {
                "Source": "aws.sagemaker",
                "DetailType": f"SageMaker {self.kind.words.title()} State Change",
                "Resources": [record.arn],
                "Time": datetime.fromtimestamp(self.host.clock(), UTC).isoformat(),
                "Detail": json.dumps(_in_milliseconds(record.document)),
            }
        )


def _in_milliseconds(value: Any) -> Any:
    """Points in time as events write them; Describe answers seconds."""
    if isinstance(value, list):
        return [_in_milliseconds(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    return {
        name: int(one * 1000)
        if name.endswith("Time") and isinstance(one, int | float)
        else _in_milliseconds(one)
        for name, one in value.items()
    }
