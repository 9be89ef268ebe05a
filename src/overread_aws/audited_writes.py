"""What every audited write has in it: the chain of audit entries grows by its own, and its news are due."""

from collections.abc import Sequence

from overread.audit.chain import Head, Link
from overread.decisions.record import OutboxEntry
from overread.errors import ChainMovedError, PermanentError
from overread_aws import decision_items as items
from overread_aws.decision_table import NOT_THERE, Condition, DecisionTable, Write, refused_with


def chained(links: Sequence[Link], *, head: Head, table: DecisionTable) -> list[Write]:
    """The sealed entries behind `head`; refused with ChainMovedError when others came first."""
    if not links:
        return []
    entries = [_entry(link, table=table) for link in links]
    return [_new_head(links[-1].head, behind=head, table=table), *entries]


def news(outbox: Sequence[OutboxEntry], *, table: DecisionTable) -> list[Write]:
    """The news, due as they say."""
    return [
        table.put(items.outbox_key(entry.decision_id, entry.number, entry.target), items.due_news(entry))
        for entry in outbox
    ]


def _new_head(head: Head, *, behind: Head, table: DecisionTable) -> Write:
    stands = NOT_THERE
    if behind.seq:
        values = {":seq": behind.seq, ":hash": behind.hash}
        stands = Condition("seq = :seq AND #hash = :hash", values, {"#hash": "hash"})
    moved = refused_with(ChainMovedError(f"chain {behind.shard} has grown beyond {behind.seq}"))
    return table.put(items.head_key(head.shard), items.head_item(head), condition=stands, refusal=moved)


def _entry(link: Link, *, table: DecisionTable) -> Write:
    """An entry replaces no other one, whatever is wrong with the numbers."""
    subject, number = link.entry["decision_id"], link.entry["number"]
    there = PermanentError("AuditEntryExists", operation="Commit", message=f"{subject}, number {number}")
    key = items.audit_key(subject, number)
    return table.put(key, items.sealed_item(link), condition=NOT_THERE, refusal=refused_with(there))
