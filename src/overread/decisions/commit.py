"""The one way to write a decision: with its audit entries sealed behind the end of their chain."""

from overread.audit.chain import Head, Link, seal, shard_of
from overread.decisions.codec import audit_item
from overread.decisions.ports import Batch, Records
from overread.decisions.record import AuditEntry, Change
from overread.errors import ChainMovedError, KillSwitchOnError, RetryableError

ATTEMPTS = 64


def commit_change(change: Change, *, records: Records) -> None:
    """All of the change or nothing.

    Raises:
        RecordConflictError: the fence does not hold: read the record and decide again.
        KillSwitchOnError: the change is automatic and a kill switch is on.
        QueueFullError: the queue has no place left.
        ServiceError: the store failed, or too many others write to the same chain.
    """
    if not change.audit:
        records.commit(Batch(change=change, links=(), guard=None))
        return
    for _ in range(ATTEMPTS):
        guard = records.guard(shard=shard_of(change.record.decision_id), use_case=change.record.use_case)
        if change.is_automatic and guard.switches.is_on:
            raise KillSwitchOnError(change.record.use_case)
        try:
            records.commit(Batch(change=change, links=sealed(change.audit, head=guard.head), guard=guard))
        except ChainMovedError:
            continue
        return
    raise RetryableError("AuditChainContended", operation="Commit")


def sealed(entries: tuple[AuditEntry, ...], *, head: Head) -> tuple[Link, ...]:
    """The entries as links of the chain behind `head`."""
    links: list[Link] = []
    for entry in entries:
        links.append(seal(audit_item(entry), head=links[-1].head if links else head))
    return tuple(links)
