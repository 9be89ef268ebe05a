"""What every change of a human loop goes through: it is stored, and whatever it brings about is done."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from overread.review.wire import EVENT_DETAIL_TYPE, FailureCode, LoopStatus
from overread_review.service import transitions
from overread_review.service.admission import Admission
from overread_review.service.errors import (
    DocumentRefusedError,
    EventUndeliveredError,
    PersonSeparatedError,
    RecordChangedError,
    ResourceMissingError,
    ReviewError,
    StoreUnavailableError,
    TaskConflictError,
    UnavailableError,
)
from overread_review.service.model import Loop
from overread_review.service.output import event_detail, output_document, output_location, output_metadata
from overread_review.service.ports import Clock, Documents, EventSink, ReviewStore

_LOG = logging.getLogger(__name__)
_WRITE_ATTEMPTS = 12
_SWEEP_BATCH, _SWEEP_LOOKS = 50, 500
SEPARATED = "you have answered another review of this decision: this one is for somebody else"
_FAULTS_OF_ONE_LOOP = (ReviewError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError)
"""What the data and documents of one loop may raise."""


class LoopChanges:
    """Changes, ends and events of human loops; `sweep` does what time or trouble has left to do."""

    def __init__(
        self,
        *,
        store: ReviewStore,
        documents: Documents,
        events: EventSink,
        clock: Clock,
        admission: Admission,
    ) -> None:
        self._store = store
        self._documents = documents
        self._events = events
        self._clock = clock
        self._admission = admission

    def change(self, loop: Loop, *, by: Callable[[Loop], Loop]) -> Loop:
        """The loop after `by` and after whatever that brings about (output document, end, event).

        `by` is applied again to the newest version when others write meanwhile; its refusals pass through.
        """
        current = loop
        for _ in range(_WRITE_ATTEMPTS):
            changed = by(current)
            try:
                stored = current if changed == current else self._store.replace_loop(changed, before=current)
            except RecordChangedError:
                current = self._newest(loop)
                continue
            except PersonSeparatedError as error:
                raise TaskConflictError(SEPARATED) from error
            return self.conclude(stored)
        raise StoreUnavailableError(
            f"human loop {loop.name} is being changed by too many requests; try again"
        )

    def conclude(self, loop: Loop) -> Loop:
        """End the loop if it has to end now, and hand over its event if that is due.

        What cannot be done now stays due, and the sweep does it.
        """
        try:
            status = transitions.conclusion(loop, now=self._clock())
            if status is not None:
                loop = self._store.replace_loop(self._ended(loop, status=status), before=loop)
            if loop.event_due:
                self._events.emit(
                    resource_arn=loop.arn, detail_type=EVENT_DETAIL_TYPE, detail=event_detail(loop)
                )
                loop = self._store.replace_loop(replace(loop, event_due=False), before=loop)
        except RecordChangedError:
            return self._overtaken(loop)
        except (UnavailableError, EventUndeliveredError) as error:
            _LOG.warning("a human loop's end stays due", extra=_about(loop, error))
        return loop

    def _overtaken(self, loop: Loop) -> Loop:
        """The loop as others left it meanwhile.

        If they wrote its output with answers that ours lacks, ours may have come later: theirs is written
        once more.
        """
        newest = loop
        try:
            newest = self._store.find_loop(loop.name) or loop
            if newest.output_uri and newest.answers != loop.answers:
                self._write_output(newest)
        except (UnavailableError, DocumentRefusedError) as error:
            _LOG.warning("a human loop's output may lack answers", extra=_about(loop, error))
        return newest

    def sweep(self) -> int:
        """End what time has ended and hand over late events; the number of loops that this brought on.

        It ends with a batch of loops that could be ended: those that cannot be for now, whose bucket or role
        is broken, are tried again each time and keep none of the others from its end.
        """
        ended = 0
        for loop in self._store.due_loops(self._clock(), limit=_SWEEP_LOOKS):
            try:
                ended += self.conclude(loop).version != loop.version
            except _FAULTS_OF_ONE_LOOP as error:
                _LOG.warning("human loop cannot be concluded", extra=_about(loop, error))
            if ended == _SWEEP_BATCH:
                break
        return ended

    def retired(self, gold: Loop) -> Loop:
        """A gold question ended before its time, because a loop needs its name; its answer counts."""
        if not gold.is_open:
            return gold
        if gold.answers:
            self._admission.ended(gold)
        ended = transitions.conclude_quietly(gold, status=LoopStatus.STOPPED, now=self._clock())
        try:
            return self._store.replace_loop(ended, before=gold)
        except RecordChangedError as error:
            raise StoreUnavailableError(f"human loop {gold.name} is being changed; try again") from error

    def task_input(self, loop: Loop) -> dict[str, Any]:
        """What the loop was started with."""
        content: dict[str, Any] = json.loads(self._documents.get(loop.input_key))
        return content

    def _ended(self, loop: Loop, *, status: LoopStatus) -> Loop:
        now = self._clock()
        if loop.gold is not None:
            if loop.answers:
                self._admission.ended(loop)
            return transitions.conclude_quietly(loop, status=status, now=now)
        if loop.labeling_object:
            return transitions.conclude_quietly(loop, status=status, now=now)
        if status is LoopStatus.FAILED or not loop.answers:
            return transitions.conclude(loop, status=status, output_uri="", now=now)
        try:
            uri = self._write_output(loop)
        except DocumentRefusedError as error:
            location = output_location(loop)
            reason = f"The output could not be written to s3://{location.bucket}/{location.key}: {error}"
            return transitions.fail(loop, code=FailureCode.INTERNAL_ERROR, reason=reason, now=now)
        return transitions.conclude(loop, status=status, output_uri=uri, now=now)

    def _write_output(self, loop: Loop) -> str:
        """The address of the output document, which is written now."""
        location = output_location(loop)
        body = output_document(
            loop,
            input_content=self.task_input(loop),
            contents=[json.loads(self._documents.get(answer.content_key)) for answer in loop.answers],
        )
        self._documents.write_output(
            location,
            body,
            role_arn=loop.terms.role_arn,
            kms_key_id=loop.terms.kms_key_id,
            metadata=output_metadata(loop),
        )
        return f"s3://{location.bucket}/{location.key}"

    def _newest(self, loop: Loop) -> Loop:
        found = self._store.find_loop(loop.name)
        if found is None:
            raise ResourceMissingError(f"Human loop {loop.arn} does not exist")
        return found


def _about(loop: Loop, error: Exception) -> dict[str, str]:
    return {"human_loop": loop.name, "error": type(error).__name__}
