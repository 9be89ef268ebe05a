"""One batch of a labeling job from its manifest lines to its finished lines; each step may be done again."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from overread.labeling.adaptive_votes import needs_vote
from overread.labeling.annotation_events import (
    ConsolidationRequest,
    EventError,
    PreAnnotationRequest,
    consolidation_event,
    parse_pre_annotation_answer,
    pre_annotation_event,
)
from overread.labeling.manifest import parse_line
from overread.review.wire import LoopStatus
from overread_review.service.errors import DocumentRefusedError, RecordExistsError
from overread_review.service.flow_definitions import terms_of
from overread_review.service.labeling import files, labels
from overread_review.service.labeling.files import Answered
from overread_review.service.labeling.jobs import availability_s, task_type_of
from overread_review.service.labeling.labels import ConsolidationError
from overread_review.service.labeling.model import Batch, Batches, Item, Job, Phase
from overread_review.service.labeling.ports import AnnotationFunctions, CallFailed, LabelingObjects
from overread_review.service.model import Loop
from overread_review.service.ports import Clock, Documents, ReviewStore
from overread_review.service.settings import ServiceSettings
from overread_review.service.task_uis import TaskUis
from overread_templates import TemplateError

_LOG = logging.getLogger(__name__)
_NO_LIMIT = 1_000_000_000
_CONSOLIDATION_TRIES = 3

Row = Mapping[str, Any]


class BatchWork:
    """The steps of a batch: its tasks are opened, looked at, and made into lines."""

    def __init__(
        self,
        *,
        store: ReviewStore,
        batches: Batches,
        documents: Documents,
        objects: LabelingObjects,
        functions: AnnotationFunctions,
        task_uis: TaskUis,
        clock: Clock,
        settings: ServiceSettings,
    ) -> None:
        self._store = store
        self._batches = batches
        self._documents = documents
        self._objects = objects
        self._functions = functions
        self._task_uis = task_uis
        self._clock = clock
        self._settings = settings

    def open(self, job: Job, batch: Batch) -> Batch:
        """The batch with a task for each object that needs one."""
        rows = self._rows(job, batch)
        asked = [row for row in rows if job.attribute not in row]
        inputs = dict(zip(map(id, asked), self._inputs(job, asked), strict=True))
        items = []
        for item, row in zip(batch.items, rows, strict=True):
            found = inputs.get(id(row))
            if found is None:
                items.append(replace(item, is_asked=False))
            elif isinstance(found, CallFailed):
                items.append(replace(item, fault=found.reason))
            else:
                items.append(replace(item, fault=self._opened(job, item, found)))
        return self._batches.save(replace(batch, items=tuple(items), phase=Phase.WAITING))

    def give_up(self, job: Job, batch: Batch) -> Batch:
        """The batch of a stopped job whose opening is not over: of its tasks those count that were made."""
        items = tuple(
            item if self._loops(job, item)[0] is not None else replace(item, is_asked=False)
            for item in batch.items
        )
        return self._batches.save(replace(batch, items=items, phase=Phase.WAITING))

    def look(self, job: Job, batch: Batch, *, seems_open: Callable[[str], bool]) -> Batch:
        """The batch with what is known of its tasks now; `seems_open` may say so of a loop that has ended.

        An object that is to have another vote gets its task here.
        """
        answered = 0
        items = []
        for item in batch.items:
            looked_at, is_complete = item, False
            if item.is_asked and not item.fault:
                looked_at, is_complete = self._looked_at(job, item, seems_open=seems_open)
            answered += is_complete
            items.append(looked_at)
        changed = replace(batch, items=tuple(items), answered=answered)
        return batch if changed == batch else self._batches.save(changed)

    def is_complete(self, batch: Batch) -> bool:
        """Whether nobody has anything left to do."""
        return batch.answered == sum(item.is_asked and not item.fault for item in batch.items)

    def finish(self, job: Job, batch: Batch, *, is_stopped: bool) -> Batch:
        """The batch with its lines written, or with one more failed try.

        In a stopped job an object without an answer has not failed: its line stays as it was.
        """
        rows = self._rows(job, batch)
        answered = {
            item.line: found
            for item, row in zip(batch.items, rows, strict=True)
            if (found := self._answered(job, item, row)) is not None
        }
        made: Mapping[int, Row | str] = {}
        if answered:
            try:
                made = self._labeled(job, batch, list(answered.values()))
            except ConsolidationError as error:
                _LOG.warning("labels cannot be consolidated", extra={"labeling_job": job.name})
                if batch.tries + 1 < _CONSOLIDATION_TRIES:
                    return self._batches.save(replace(batch, tries=batch.tries + 1))
                made = dict.fromkeys(answered, f"The consolidation function failed: {error}")
        lines = [
            self._line(job, item, row, made=made.get(item.line), is_stopped=is_stopped)
            for item, row in zip(batch.items, rows, strict=True)
        ]
        body = files.lines_bytes(lines)
        part = files.part_key(job, batch.number, lines=body)
        self._documents.put(part, body)
        labeled = sum(not isinstance(each, str) for each in made.values())
        passed = sum(
            not item.is_asked or (is_stopped and not item.fault and item.line not in made)
            for item in batch.items
        )
        return self._batches.save(
            replace(
                batch,
                phase=Phase.DONE,
                part=part,
                labeled=labeled,
                passed=passed,
                failed=len(batch.items) - labeled - passed,
            )
        )

    def _rows(self, job: Job, batch: Batch) -> list[Row]:
        text = self._objects.read(
            files.location(job.request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"]),
            role_arn=job.role_arn,
            begin=batch.begin,
            end=batch.end,
            etag=job.state.etag,
        )
        return [parse_line(line) for line in text.removesuffix(b"\n").split(b"\n")]

    def _inputs(self, job: Job, rows: Sequence[Row]) -> list[Mapping[str, Any] | CallFailed | None]:
        """The task input of each row; None where its function says that nobody is needed."""
        arn = job.task.get("PreHumanTaskLambdaArn", "")
        if not arn:
            return list(rows)
        events = [
            pre_annotation_event(PreAnnotationRequest(job_arn=job.arn, data_object=row)) for row in rows
        ]
        answers = self._functions.call(arn, events, role_arn=job.role_arn) if events else []
        return [_task_input(answer) for answer in answers]

    def _opened(self, job: Job, item: Item, task_input: Mapping[str, Any]) -> str:
        """Why the object cannot become a task; "" when it has become one."""
        try:
            template = self._task_uis.template(job.state.template_sha256)
            template.render(task_input, sign_url=lambda place: f"s3://{place.bucket}/{place.key}")
        except TemplateError as error:
            return f"The worker template cannot be rendered with this object: {error}"
        self._start(job, item, task_input, vote=0)
        return ""

    def _start(self, job: Job, item: Item, task_input: Mapping[str, Any], *, vote: int) -> None:
        """The task of an object, or of one more vote; nothing when it is there already."""
        content = json.dumps(task_input, ensure_ascii=False).encode()
        sha256 = hashlib.sha256(content).hexdigest()
        name = loop_name(job, item.line, vote=vote)
        now = self._clock()
        terms = terms_of(job.resource)
        loop = Loop(
            name=name,
            arn=self._settings.arn(f"human-loop/{name}"),
            terms=replace(terms, task_count=1) if vote else terms,
            created_at=now,
            expires_at=now + timedelta(seconds=availability_s(job)),
            input_key=f"inputs/{name}/{sha256}.json",
            input_sha256=sha256,
            separation=f"{job.key}/{item.line}" if job.state.adaptive else "",
            labeling_object=str(item.line),
            is_extra_vote=vote > 0,
        )
        self._documents.put(loop.input_key, content)
        try:
            self._store.create_loop(loop, open_limit=_NO_LIMIT)
        except RecordExistsError:
            return

    def _looked_at(self, job: Job, item: Item, *, seems_open: Callable[[str], bool]) -> tuple[Item, bool]:
        last = loop_name(job, item.line, vote=item.extra_votes)
        if seems_open(last):
            return item, False
        loops = [loop for loop in self._loops(job, item) if loop is not None]
        if len(loops) <= item.extra_votes or any(loop.is_open for loop in loops):
            return item, False
        if not self._needs_vote(job, loops):
            return item, True
        vote = item.extra_votes + 1
        task_input = json.loads(self._documents.get(loops[0].input_key))
        self._start(job, item, task_input, vote=vote)
        return replace(item, extra_votes=vote), False

    def _needs_vote(self, job: Job, loops: Sequence[Loop]) -> bool:
        """Whether the object is to have another vote: people chose, and its label is not sure yet."""
        adaptive = job.state.adaptive
        votes = [json.dumps(sorted(answer.choices.items())) for loop in loops for answer in loop.answers]
        if adaptive is None or not all(answer.choices for loop in loops for answer in loop.answers):
            return False
        is_over = any(loop.status is not LoopStatus.COMPLETED for loop in loops)
        return not is_over and needs_vote(
            votes,
            classes=len(job.state.categories),
            confidence=adaptive.confidence,
            most=adaptive.most,
        )

    def _loops(self, job: Job, item: Item) -> list[Loop | None]:
        return [
            self._store.find_loop(loop_name(job, item.line, vote=vote))
            for vote in range(item.extra_votes + 1)
        ]

    def _answered(self, job: Job, item: Item, row: Row) -> Answered | None:
        if not item.is_asked or item.fault:
            return None
        found = [loop for loop in self._loops(job, item) if loop is not None]
        answers = tuple(answer for loop in found for answer in loop.answers)
        if not answers:
            return None
        contents = tuple(json.loads(self._documents.get(answer.content_key)) for answer in answers)
        return Answered(item.line, row, answers, contents)

    def _labeled(self, job: Job, batch: Batch, objects: Sequence[Answered]) -> dict[int, Row | str]:
        """The line of each object, or why it has none. Raises ConsolidationError for all of them."""
        region = self._settings.region
        for each in objects:
            self._write(
                job, files.worker_response_uri(job, batch, each), files.worker_response(each, region=region)
            )
        task, now = task_type_of(job.resource.tags), self._clock()
        arn = job.task.get("AnnotationConsolidationConfig", {}).get("AnnotationConsolidationLambdaArn", "")
        if not arn:
            return {
                each.line: labels.unconsolidated_row(
                    each,
                    response_uri=files.worker_response_uri(job, batch, each),
                    task=task,
                    attribute=job.attribute,
                    job=job.name,
                    created=now,
                )
                for each in objects
            }
        self._write(job, files.request_uri(job, batch), files.payload(objects, region=region))
        event = consolidation_event(
            ConsolidationRequest(
                job_arn=job.arn,
                label_attribute=job.attribute,
                payload=files.request_uri(job, batch),
                categories=job.state.categories,
                role_arn=job.role_arn,
            )
        )
        (made,) = self._functions.call(arn, [event], role_arn=job.role_arn)
        if isinstance(made, CallFailed):
            raise ConsolidationError(made.reason)
        content = labels.consolidated(made)
        self._write(job, files.response_uri(job, batch), files.response(made))
        finished: dict[int, Row | str] = {}
        for each in objects:
            if each.id not in content:
                finished[each.line] = "The consolidation function returned no label"
                continue
            try:
                finished[each.line] = labels.labeled_row(
                    each,
                    content[each.id],
                    task=task,
                    attribute=job.attribute,
                    job=job.name,
                    categories=job.state.categories,
                    created=now,
                )
            except ConsolidationError as error:
                finished[each.line] = f"The consolidation function's label cannot be written: {error}"
        return finished

    def _line(self, job: Job, item: Item, row: Row, *, made: Row | str | None, is_stopped: bool) -> Row:
        if not item.is_asked or (is_stopped and made is None and not item.fault):
            return row
        if isinstance(made, Mapping):
            return made
        reason = made or item.fault or labels.NO_ANSWER
        return labels.failed_row(
            row, reason=reason, attribute=job.attribute, job=job.name, created=self._clock()
        )

    def _write(self, job: Job, uri: str, body: bytes) -> None:
        key = job.request["OutputConfig"].get("KmsKeyId", "")
        try:
            self._objects.write(files.location(uri), body, role_arn=job.role_arn, kms_key_id=key)
        except ValueError as error:
            raise DocumentRefusedError(f"OutputConfig.S3OutputPath {error}") from error


def loop_name(job: Job, line: int, *, vote: int) -> str:
    """The name of the task of an object: always the same, so that no object has two; by vote from 0 on."""
    digest = hashlib.sha256(job.arn.encode()).hexdigest()[:20]
    return f"l-{digest}-{line}" + (f"-v{vote}" if vote else "")


def _task_input(answer: Any) -> Mapping[str, Any] | CallFailed | None:
    if isinstance(answer, CallFailed):
        return CallFailed(f"The pre-annotation function failed: {answer.reason}")
    try:
        parsed = parse_pre_annotation_answer(answer)
    except EventError as error:
        return CallFailed(f"The pre-annotation function failed: {error}")
    return parsed.task_input if parsed.is_needed else None
