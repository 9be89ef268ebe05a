"""Records, changes and batches for tests of stores: valid ones, whatever the use cases would make of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from overread.audit.chain import shard_of
from overread.decisions.commit import sealed
from overread.decisions.ports import Batch, Records
from overread.decisions.record import (
    AuditEntry,
    Change,
    Fence,
    LoopEntry,
    OutboxEntry,
    PolicyPin,
    Record,
    State,
    StoredObject,
)
from overread.review.wire import loop_name
from overread.routing.policy import ReviewTerms

NOW = datetime(2026, 11, 22, 21, 7, 44, 120_000, tzinfo=UTC)
SCOPE = "111122223333:assumed-role/LoanService"
FLOW_DEFINITION_ARN = "arn:aws:sagemaker:eu-west-1:111122223333:flow-definition/loan"


def review_terms(**changes: Any) -> ReviewTerms:
    """Terms of a review by one reader of a team without a limit."""
    terms = ReviewTerms(
        flow_definition_arn=FLOW_DEFINITION_ARN,
        task_ui_sha256="ab" * 32,
        backend="a2i",
        labels=("approve", "decline"),
        withheld=(),
        label_path="decision.label",
        reason_code_path="",
        cannot_decide_path="",
        blind=False,
        show_prediction_to_caller=False,
        free_of_personal_data=False,
        max_generations=3,
    )
    return replace(terms, **changes)


def make_record(decision_id: str = "d-1", **changes: Any) -> Record:
    """A record as it is created: RECEIVED, revision 1."""
    record = Record(
        decision_id=decision_id,
        use_case="loan-approval",
        caller_scope=SCOPE,
        request_sha256="cd" * 32,
        reference="loan-8841",
        priority="normal",
        deadline=None,
        input=StoredObject(
            bucket="inputs", key=f"inputs/{decision_id}.json", version_id="v1", sha256="ef" * 32
        ),
        state=State.RECEIVED,
        generation=0,
        revision=1,
        audit_length=0,
        attempts=1,
        received_at=NOW,
        updated_at=NOW,
        due_at=NOW,
        policy=PolicyPin(version="7", mode="live", source="sagemaker-endpoint"),
        terms=review_terms(),
        separation="s-1",
    )
    return replace(record, **changes)


def creation(record: Record) -> Change:
    """The record as a new one."""
    return Change(record=record, fence=None)


def step(record: Record, *, event: str = "moved", **changes: Any) -> Change:
    """One audited step from `record` on, with its human loop and its news; `changes` are the new record's."""
    number = record.audit_length + 1
    moved = replace(record, **{"revision": record.revision + 1, "audit_length": number, **changes})
    entry = AuditEntry(
        decision_id=record.decision_id,
        number=number,
        at=NOW,
        event=event,
        from_state=str(record.state),
        to_state=str(moved.state),
        generation=moved.generation,
        detail={"confidence": 1.0, "threshold": 0.9},
    )
    name = loop_name(record.decision_id, generation=moved.generation)
    return Change(
        record=moved,
        fence=Fence(state=record.state, generation=record.generation, revision=record.revision),
        audit=(entry,),
        loops=(LoopEntry(loop_name=name, decision_id=record.decision_id, generation=moved.generation),),
        outbox=(make_news(record.decision_id, number=number),),
    )


def make_news(
    decision_id: str = "d-1", *, number: int = 1, target: str = "events", **changes: Any
) -> OutboxEntry:
    """News that are due at once."""
    entry = OutboxEntry(
        decision_id=decision_id,
        number=number,
        target=target,
        event="Decision Final",
        use_case="loan-approval",
        dedupe_key=f"{decision_id}/{number}",
        payload='{"decision_id":"d-1"}',
        created_at=NOW,
        attempts=0,
        due_at=NOW,
    )
    return replace(entry, **changes)


def batch_of(change: Change, *, records: Records) -> Batch:
    """The change behind the end of the chain as it is now."""
    if not change.audit:
        return Batch(change=change, links=(), guard=None)
    guard = records.guard(shard=shard_of(change.record.decision_id), use_case=change.record.use_case)
    return Batch(change=change, links=sealed(change.audit, head=guard.head), guard=guard)
