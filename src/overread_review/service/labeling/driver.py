"""What brings labeling jobs on, step by step; whoever is killed between two steps has lost nothing."""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from overread.labeling.manifest import Code
from overread.labeling.manifest_check import ManifestCheck
from overread.labeling.manifest_lines import lines_of
from overread_review.service import transitions
from overread_review.service.errors import (
    DocumentRefusedError,
    EventUndeliveredError,
    RecordChangedError,
    RecordExistsError,
    RequestRefusedError,
    ReviewError,
    UnavailableError,
)
from overread_review.service.labeling import files
from overread_review.service.labeling.batches import BatchWork
from overread_review.service.labeling.jobs import LabelingJobs, output_manifest
from overread_review.service.labeling.model import Batch, Batches, Item, Job, JobState, JobStatus, Phase
from overread_review.service.labeling.ports import LabelingObjects
from overread_review.service.model import Loop
from overread_review.service.ports import Clock, Documents, EventSink, ReviewStore
from overread_review.service.task_uis import template_key
from overread_templates import TemplateError, parse_template

_LOG = logging.getLogger(__name__)
EVENT_DETAIL_TYPE = "SageMaker Ground Truth Labeling Job State Change"
_BATCH, _OPEN_PAGE = 100, 160
_BATCHES_AT_ONCE = 4
"""So many batches share the places of a job: one slow object does not keep all others waiting."""
_MOST_OPEN = 2 * _BATCHES_AT_ONCE
"""More are not open even where nobody is needed for them: the rest is for the next step."""
_BLOCK = 1 << 18
_LARGEST_TEMPLATE = 4 * 128_000
_SHOWN_FAULTS = 5
_LOOK_ANYWAY_S = 30.0
_HARMLESS = frozenset({Code.DUPLICATE_OBJECT})
"""Objects may be in a manifest twice: each is labeled."""


class LabelingDriver:
    """Brings every running job on; many may run at once, of which one gets on."""

    def __init__(
        self,
        *,
        jobs: LabelingJobs,
        work: BatchWork,
        store: ReviewStore,
        batches: Batches,
        documents: Documents,
        objects: LabelingObjects,
        events: EventSink,
        change_loop: Callable[[Loop, Callable[[Loop], Loop]], Loop],
        clock: Clock,
    ) -> None:
        self._jobs = jobs
        self._work = work
        self._store = store
        self._batches = batches
        self._documents = documents
        self._objects = objects
        self._events = events
        self._change_loop = change_loop
        self._clock = clock
        self._seen: dict[str, tuple[int, float]] = {}

    def drive(self) -> int:
        """One step of each job that has something to do; how many had."""
        steps = 0
        for job in self._jobs.all():
            if job.state.status.has_ended and not job.state.event_due:
                continue
            try:
                steps += self._step(job)
            except (RecordChangedError, UnavailableError, EventUndeliveredError) as error:
                _LOG.info("a labeling job's step is left for later", extra=_about(job, error))
            except (
                ReviewError,
                ArithmeticError,
                LookupError,
                RecursionError,
                TypeError,
                ValueError,
            ) as error:
                _LOG.warning("a labeling job cannot go on", extra=_about(job, error))
                self._fail(job, str(error))
                steps += 1
            except Exception as error:  # noqa: BLE001 - one job's fault must not keep all others from going on
                _LOG.warning("a labeling job's step failed and is repeated", extra=_about(job, error))
        return steps

    def _step(self, job: Job) -> bool:
        match job.state.status:
            case JobStatus.INITIALIZING:
                self._begin(job)
                return True
            case JobStatus.IN_PROGRESS:
                return self._go_on(job)
            case JobStatus.STOPPING:
                return self._stop(job)
        self._tell(job)
        return True

    # Initializing

    def _begin(self, job: Job) -> None:
        """Everything that the job needs from S3 is there and right, or the job has Failed."""
        manifest = files.location(_manifest(job))
        template = self._read(job, job.task["UiConfig"]["UiTemplateS3Uri"], most=_LARGEST_TEMPLATE).decode()
        try:
            parse_template(template, name="UiTemplateS3Uri")
        except TemplateError as error:
            raise DocumentRefusedError(f"UiTemplateS3Uri is not a valid Liquid template: {error}") from error
        sha256 = hashlib.sha256(template.encode()).hexdigest()
        self._documents.put(template_key(sha256), template.encode())
        head = self._objects.head(manifest, role_arn=job.role_arn)
        objects = self._checked(job)
        categories = self._categories(job)
        self._jobs.change(
            job,
            lambda state: replace(
                state,
                status=JobStatus.IN_PROGRESS if state.status is JobStatus.INITIALIZING else state.status,
                template_sha256=sha256,
                categories=categories,
                etag=head.etag,
                bytes=head.size,
                objects=objects,
            ),
        )

    def _checked(self, job: Job) -> int:
        """How many objects the manifest has. Raises DocumentRefusedError with its first faults."""
        check = ManifestCheck()
        faults: list[str] = []
        with self._objects.open(files.location(_manifest(job)), role_arn=job.role_arn) as stream:
            for line in check(lines_of(stream)):
                faults += [
                    f"line {fault.line:,} {fault.reason}"
                    for fault in line.faults
                    if fault.code not in _HARMLESS and len(faults) < _SHOWN_FAULTS
                ]
        total = sum(count for code, count in check.faults.items() if code not in _HARMLESS)
        if faults:
            more = f" (and {total - len(faults):,} more)" if total > len(faults) else ""
            raise DocumentRefusedError(f"The manifest has faults: {'; '.join(faults)}{more}")
        if not check.lines:
            raise DocumentRefusedError("The manifest is empty")
        return check.lines

    def _categories(self, job: Job) -> tuple[str, ...]:
        uri = job.request.get("LabelCategoryConfigS3Uri", "")
        if not uri:
            return ()
        try:
            document = json.loads(self._read(job, uri, most=_LARGEST_TEMPLATE))
            return tuple(str(each["label"]) for each in document["labels"])
        except (ValueError, LookupError, TypeError) as error:
            raise DocumentRefusedError(
                "LabelCategoryConfigS3Uri is no label category configuration: it must be JSON with labels"
            ) from error

    def _read(self, job: Job, uri: str, *, most: int) -> bytes:
        with self._objects.open(files.location(uri), role_arn=job.role_arn) as stream:
            body = stream.read(most + 1)
        if len(body) > most:
            raise DocumentRefusedError(f"{uri} must have at most {most:,} bytes")
        return body

    # In progress

    def _go_on(self, job: Job) -> bool:
        before = job.state
        job = self._advanced(job, is_stopped=False)
        job = self._filled(job)
        if self._is_through(job):
            self._end(job, status=self._last_status(job))
            return True
        return job.state != before

    def _advanced(self, job: Job, *, is_stopped: bool) -> Job:
        """The job with its open batches brought on."""
        seems_open = self._open_names(job)
        for number in job.state.open_batches:
            batch = self._batches.find(job.key, number)
            if batch is None:
                continue
            if batch.phase is Phase.OPENING:
                batch = self._work.open(job, batch) if not is_stopped else self._work.give_up(job, batch)
            elif batch.phase is Phase.WAITING and seems_open is not None:
                batch = self._work.look(job, batch, seems_open=seems_open)
            if batch.phase is Phase.WAITING and self._work.is_complete(batch):
                batch = self._work.finish(job, batch, is_stopped=is_stopped)
            if batch.phase is Phase.DONE:
                job = self._jobs.change(job, _without(batch))
        return self._counted(job)

    def _counted(self, job: Job) -> Job:
        answered = 0
        for number in job.state.open_batches:
            batch = self._batches.find(job.key, number)
            answered += 0 if batch is None else batch.answered
        if answered == job.state.answered:
            return job
        return self._jobs.change(job, lambda state: replace(state, answered=answered))

    def _open_names(self, job: Job) -> Callable[[str], bool] | None:
        """Which loops are open, perhaps with some that have ended; None when no task can have ended since."""
        count, now = self._store.count_open_loops(job.arn), self._clock().timestamp()
        seen, at = self._seen.get(job.arn, (-1, 0.0))
        if count == seen and now - at < _LOOK_ANYWAY_S:
            return None
        self._seen[job.arn] = (count, now)
        names = {loop.name for loop in self._open_loops(job)}
        return names.__contains__

    def _open_loops(self, job: Job) -> Iterator[Loop]:
        cursor = ""
        while True:
            page = self._store.open_loops(job.arn, limit=_OPEN_PAGE, cursor=cursor)
            yield from page.loops
            cursor = page.next_cursor
            if not cursor:
                return

    def _filled(self, job: Job) -> Job:
        """The job with as many batches as it may have at once."""
        size = min(_BATCH, math.ceil(job.concurrent_objects / _BATCHES_AT_ONCE))
        while (
            job.state.next_offset < job.state.bytes
            and len(job.state.open_batches) < _MOST_OPEN
            and not self._jobs.is_paused(job)
        ):
            free = job.concurrent_objects - self._store.count_open_loops(job.arn)
            wanted = min(size, free, self._allowed(job))
            if wanted < 1 or (wanted < min(size, self._allowed(job)) and job.state.open_batches):
                break
            job = self._with_batch(job, size=wanted)
        return job

    def _allowed(self, job: Job) -> int:
        """How many more objects the stopping conditions allow."""
        conditions, state = job.request.get("StoppingConditions", {}), job.state
        most: int = min(
            conditions.get("MaxHumanLabeledObjectCount", state.objects),
            math.ceil(state.objects * conditions.get("MaxPercentageOfInputDatasetLabeled", 100) / 100),
        )
        with_people = sum(
            sum(item.is_asked for item in batch.items)
            for number in state.open_batches
            if (batch := self._batches.find(job.key, number)) is not None
        )
        return max(0, most - state.labeled - with_people)

    def _with_batch(self, job: Job, *, size: int) -> Job:
        state = job.state
        end, count = self._lines_from(job, size=size)
        fresh = Batch(
            job=job.key,
            number=state.next_batch,
            first_line=state.next_line,
            begin=state.next_offset,
            end=end,
            items=tuple(Item(state.next_line + place) for place in range(count)),
            opened_at=self._clock(),
        )
        try:
            batch = self._batches.save(fresh)
        except RecordExistsError:
            found = self._batches.find(job.key, state.next_batch)
            if found is None:
                raise
            batch = found
        job = self._jobs.change(job, _with(batch))
        if batch.phase is Phase.OPENING:
            self._seen.pop(job.arn, None)
            self._work.open(job, batch)
            now = self._jobs.named(job.key)
            if (now.state.workers, now.state.time_limit_s) != (job.state.workers, job.state.time_limit_s):
                self._jobs.settle(now)
        return job

    def _lines_from(self, job: Job, *, size: int) -> tuple[int, int]:
        """Where the next `size` lines end, and how many there are."""
        begin, found, count = job.state.next_offset, b"", 0
        location = files.location(_manifest(job))
        while begin + len(found) < job.state.bytes and count < size:
            following = min(begin + len(found) + _BLOCK, job.state.bytes)
            found += self._objects.read(
                location,
                role_arn=job.role_arn,
                begin=begin + len(found),
                end=following,
                etag=job.state.etag,
            )
            count = found.count(b"\n")
        if count < size:
            return job.state.bytes, count + (not found.endswith(b"\n"))
        place = -1
        for _ in range(size):
            place = found.index(b"\n", place + 1)
        return begin + place + 1, size

    def _is_through(self, job: Job) -> bool:
        if job.state.open_batches:
            return False
        return job.state.next_offset >= job.state.bytes or self._allowed(job) == 0

    def _last_status(self, job: Job) -> JobStatus:
        return JobStatus.COMPLETED if job.state.next_offset >= job.state.bytes else JobStatus.STOPPED

    # The end

    def _stop(self, job: Job) -> bool:
        if not job.state.objects and not job.state.next_batch:
            return self._stop_before_begin(job)
        for loop in self._open_loops(job):
            try:
                self._change_loop(loop, transitions.stop)
            except RequestRefusedError:
                continue  # it ended meanwhile
        before = job.state
        self._seen.pop(job.arn, None)
        job = self._advanced(job, is_stopped=True)
        if job.state.open_batches:
            return job.state != before
        self._end(job, status=JobStatus.STOPPED)
        return True

    def _stop_before_begin(self, job: Job) -> bool:
        self._jobs.change(job, lambda state: replace(state, status=JobStatus.STOPPED, event_due=True))
        return True

    def _end(self, job: Job, *, status: JobStatus) -> None:
        """The output manifest is written, and the job has ended."""
        key = job.request["OutputConfig"].get("KmsKeyId", "")
        self._objects.write_parts(
            files.location(output_manifest(job)), self._parts(job), role_arn=job.role_arn, kms_key_id=key
        )
        reason = ""
        if status is JobStatus.COMPLETED and not job.state.labeled and job.state.failed:
            status, reason = JobStatus.FAILED, "No object was labeled; the output manifest says why of each"
        ended = self._jobs.change(
            job,
            lambda state: replace(state, status=status, failure_reason=reason, event_due=True),
        )
        self._tell(ended)

    def _parts(self, job: Job) -> Iterator[bytes]:
        """The output manifest: the lines of all batches, and after them what no batch came to."""
        for number in range(job.state.next_batch):
            batch = self._batches.find(job.key, number)
            if batch is None:
                raise LookupError(f"batch {number} of {job.name}")
            yield self._documents.get(batch.part)
        place, location = job.state.next_offset, files.location(_manifest(job))
        last = b"\n"
        while place < job.state.bytes:
            end = min(place + _BLOCK, job.state.bytes)
            last = self._objects.read(
                location, role_arn=job.role_arn, begin=place, end=end, etag=job.state.etag
            )
            yield last
            place = end
        if not last.endswith(b"\n"):
            yield b"\n"

    def _fail(self, job: Job, reason: str) -> None:
        """The job as Failed. Its open tasks are nobody's any more."""
        try:
            for loop in self._open_loops(job):
                self._change_loop(loop, transitions.stop)
            failed = self._jobs.change(
                job,
                lambda state: replace(
                    state,
                    status=JobStatus.FAILED,
                    failure_reason=f"ClientError: {reason}"[:1024],
                    event_due=True,
                ),
            )
            self._tell(failed)
        except (ReviewError, LookupError, TypeError, ValueError) as error:
            _LOG.warning("a labeling job cannot fail", extra=_about(job, error))

    def _tell(self, job: Job) -> None:
        """The event of the job's end, at least once."""
        self._events.emit(
            resource_arn=job.arn,
            detail_type=EVENT_DETAIL_TYPE,
            detail={"LabelingJobStatus": str(job.state.status)},
        )
        self._jobs.change(job, lambda state: replace(state, event_due=False))


def _with(batch: Batch) -> Callable[[JobState], JobState]:
    def changed(state: JobState) -> JobState:
        if state.next_batch != batch.number:
            return state
        return replace(
            state,
            next_batch=batch.number + 1,
            next_line=state.next_line + len(batch.items),
            next_offset=batch.end,
            open_batches=(*state.open_batches, batch.number),
        )

    return changed


def _without(batch: Batch) -> Callable[[JobState], JobState]:
    def changed(state: JobState) -> JobState:
        if batch.number not in state.open_batches:
            return state
        return replace(
            state,
            open_batches=tuple(one for one in state.open_batches if one != batch.number),
            labeled=state.labeled + batch.labeled,
            failed=state.failed + batch.failed,
            passed=state.passed + batch.passed,
        )

    return changed


def _manifest(job: Job) -> str:
    uri: str = job.request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"]
    return uri


def _about(job: Job, error: Exception) -> dict[str, Any]:
    return {"labeling_job": job.name, "error": type(error).__name__}
