"""Erasure: what a decision holds about a person goes, and everything that was audited stays.

The audit log holds hashes of inputs and outputs, not them, so its chains are as intact after an erasure as
before; the erasure is an entry itself.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from overread.decisions.commit import commit_change
from overread.decisions.moves import LOOK_AGAIN
from overread.decisions.ports import Records
from overread.decisions.record import TERMINAL, AuditEntry, Change, Fence, Record, StoredObject
from overread.errors import OverreadError, RecordConflictError, RetryableError
from overread.routing.prediction import Reason

ATTEMPTS = 8


class ErasureRefusedError(OverreadError):
    """A decision that cannot be erased, or not yet."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was deleted: versions of objects, news, and evidence that nobody can read any more."""

    human_loops: tuple[str, ...]
    objects: int
    news: int
    keys: int


class Holdings(Protocol):
    """Everything outside the record that holds personal data. Deleting again what is gone changes nothing."""

    def undelivered(self, decision_id: str) -> int:
        """How many news of the decision are still to be delivered."""

    def delete_news(self, decision_id: str) -> int:
        """Deletes the news that were delivered; how many."""

    def delete_object(self, stored: StoredObject) -> int:
        """Deletes every version of the object; how many."""

    def delete_key(self, decision_id: str) -> int:
        """Deletes the key of the decision's archived evidence; how many there were."""


def erase(
    decision_id: str, *, by: str, records: Records, holdings: Holdings, clock: Callable[[], datetime]
) -> Erased:
    """Audits the erasure, then does it; safe to repeat, which audits it again.

    Raises:
        ErasureRefusedError: there is no such decision, it or its contest is not at its end, or news are
            undelivered.
        ServiceError: a service failed; run it again.
    """
    record = _audit(decision_id, by=by, records=records, holdings=holdings, clock=clock)
    stored = [record.input, *(review.output for review in record.reviews if review.output)]
    return Erased(
        human_loops=tuple(review.loop_name for review in record.reviews),
        objects=sum(holdings.delete_object(one) for one in dict.fromkeys(stored)),
        news=holdings.delete_news(decision_id),
        keys=holdings.delete_key(decision_id),
    )


def _audit(
    decision_id: str, *, by: str, records: Records, holdings: Holdings, clock: Callable[[], datetime]
) -> Record:
    for _ in range(ATTEMPTS):
        record = records.get(decision_id)
        _check(decision_id, record, holdings)
        if record is None:
            break
        _check_contest(record, records=records, at=clock())
        change = _blanked(record, by=by, at=clock())
        try:
            commit_change(change, records=records)
        except RecordConflictError:
            continue
        return change.record
    raise RetryableError("RecordContended", operation="Erase")


def _check(decision_id: str, record: Record | None, holdings: Holdings) -> None:
    if record is None:
        raise ErasureRefusedError(f"no decision {decision_id}")
    if record.state not in TERMINAL:
        raise ErasureRefusedError(
            f"decision {decision_id} is {record.state}: it can be erased once it is FINAL or CANCELLED"
        )
    if record.open_reviews:
        names = ", ".join(review.loop_name for review in record.open_reviews)
        raise ErasureRefusedError(f"decision {decision_id} still has open human loops: {names}")
    if undelivered := holdings.undelivered(decision_id):
        raise ErasureRefusedError(f"decision {decision_id} has {undelivered} news to deliver first")


def _check_contest(record: Record, *, records: Records, at: datetime) -> None:
    """People who read the contest need the input, which both decisions share.

    One that nobody knows a minute after it was noted never began.
    """
    contest = records.get(record.contested_by) if record.contested_by else None
    has_begun = contest is not None or at - record.updated_at < LOOK_AGAIN
    if record.contested_by and has_begun and (contest is None or contest.state not in TERMINAL):
        raise ErasureRefusedError(
            f"decision {record.decision_id} is contested by {record.contested_by}, which must end first"
        )


def _blanked(record: Record, *, by: str, at: datetime) -> Change:
    """The record without words of its caller, and the entry that says so."""
    outputs = [review.output.sha256 for review in record.reviews if review.output]
    cancellation = record.cancellation and Reason(record.cancellation.code)
    after = replace(
        record,
        reference="",
        grounds="",
        cancellation=cancellation,
        is_erased=True,
        revision=record.revision + 1,
        audit_length=record.audit_length + 1,
        updated_at=at,
    )
    entry = AuditEntry(
        decision_id=record.decision_id,
        number=after.audit_length,
        at=at,
        event="erased",
        from_state=record.state,
        to_state=record.state,
        generation=record.generation,
        detail={"by": by, "input_sha256": record.input.sha256, "output_sha256s": outputs},
    )
    fence = Fence(state=record.state, generation=record.generation, revision=record.revision)
    return Change(record=after, fence=fence, audit=(entry,))
