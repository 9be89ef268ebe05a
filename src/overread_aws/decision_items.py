"""Decisions, their audit entries, human loops and news as items of the table, and where each one lies."""

from collections.abc import Mapping
from typing import Any

from overread.audit.chain import Head, Link, genesis
from overread.decisions.codec import outbox_item, record_item
from overread.decisions.ports import Switches
from overread.decisions.record import OutboxEntry, Record, State
from overread.decisions.requests import PRIORITIES
from overread.decisions.steered import ALL
from overread.instants import format_instant
from overread_aws.decision_table import Item, Key

OUTBOX_DUE, OUTBOX_DEAD = "due", "dead"
WITH_PEOPLE = (State.PENDING, State.IN_REVIEW, State.ESCALATED)
"""The states in which a decision waits for people; what the model decides is not in their index."""
_NO_DEADLINE = "~"  # sorts behind every instant
_LINK = ("shard", "seq", "previous", "hash", "chain_shard", "chain_seq")


def record_key(decision_id: str) -> Key:
    """Where a decision's record lies."""
    return decision_id, "DECISION"


def audit_key(subject: str, number: int) -> Key:
    """Where an audit entry lies: beside the record of the decision that it tells of."""
    return subject, f"AUDIT#{number:08d}"


def outbox_key(decision_id: str, number: int, target: str) -> Key:
    """Where news for one target lies: beside the record of the decision that they tell of."""
    return decision_id, f"OUTBOX#{number:08d}#{target}"


def loop_key(loop_name: str) -> Key:
    """Where it is written whose a human loop is."""
    return f"LOOP#{loop_name}", "LOOP"


def head_key(shard: str) -> Key:
    """Where the end of a chain of audit entries lies."""
    return f"CHAIN#{shard}", "HEAD"


def queue_key(queue: str) -> Key:
    """Where the places of a team's queue are counted."""
    return f"QUEUE#{queue}", "QUEUE"


def switch_key(scope: str) -> Key:
    """Where the kill switch of a use case, or of all (`*`), lies."""
    return f"SWITCH#{scope}", "SWITCH"


def guarantee_key(use_case: str) -> Key:
    """Where it is written which threshold guarantee of a use case is approved."""
    return f"GUARANTEE#{use_case}", "GUARANTEE"


def indexed_record(record: Record, *, writer: str) -> Item:
    """The record with the attributes that put it into indexes, and who wrote it.

    Two writers of the same words at the same millisecond differ in `writer`, so that only one of them wins.
    """
    item = record_item(record)
    item |= {"writer": writer, "listed_at": listed_at(item["received_at"], record.decision_id)}
    if record.reference:
        item["caller_reference"] = caller_reference(record.caller_scope, record.reference)
    if record.due_at is not None:
        item["open_state"] = str(record.state)
    if record.state in WITH_PEOPLE:
        item["people_state"] = str(record.state)
    if is_queued(record):
        item |= {"queue": record.terms.queue, "queue_key": place_in_queue(record)}
    return item


def listed_at(received_at: str, decision_id: str) -> str:
    """A decision's place in its caller's listing."""
    return f"{received_at}#{decision_id}"


def caller_reference(caller_scope: str, reference: str) -> str:
    """What finds a caller's decisions by its own reference."""
    return f"{caller_scope}#{reference}"


def is_queued(record: Record) -> bool:
    """Whether it waits for places among the open human loops of a team that has only so many."""
    is_limited = record.terms.queue != "" and record.terms.max_open is not None
    return is_limited and record.state is State.PENDING and not record.is_admitted


def place_in_queue(record: Record) -> str:
    """Sorts by priority, then by deadline (none is last), then by age."""
    rank = len(PRIORITIES) - PRIORITIES.index(record.priority)
    deadline = _NO_DEADLINE if record.deadline is None else format_instant(record.deadline)
    return f"{rank}#{deadline}#{format_instant(record.received_at)}#{record.decision_id}"


def sealed_item(link: Link) -> Item:
    """An audit entry with its place in the chain."""
    return {
        **link.entry,
        "shard": link.shard,
        "seq": link.seq,
        "previous": link.previous,
        "hash": link.hash,
        "chain_shard": link.shard,
        "chain_seq": link.seq,
    }


def link_of(item: Mapping[str, Any]) -> Link:
    """The link that `sealed_item` made the item of."""
    entry = {name: value for name, value in item.items() if name not in (*_LINK, "pk", "sk")}
    return Link(
        shard=item["shard"],
        seq=int(item["seq"]),
        previous=item["previous"],
        hash=item["hash"],
        entry=entry,
    )


def head_item(head: Head) -> Item:
    """The end of a chain."""
    return {"shard": head.shard, "seq": head.seq, "hash": head.hash}


def head_of(item: Mapping[str, Any] | None, *, shard: str) -> Head:
    """The end of a chain, which is its beginning while nothing was written."""
    if item is None:
        return genesis(shard)
    return Head(shard=shard, seq=int(item["seq"]), hash=item["hash"])


def due_news(entry: OutboxEntry) -> Item:
    """News that are due, as the index of what is due finds them."""
    due_at = format_instant(entry.due_at)
    return {**outbox_item(entry), "outbox_state": OUTBOX_DUE, "outbox_due_at": due_at}


def switches_of(everybodys: Mapping[str, Any] | None, own: Mapping[str, Any] | None) -> Switches:
    """What two switches come to; one that was never turned is off."""
    return Switches(
        is_on=any(item is not None and item["is_on"] for item in (everybodys, own)),
        epochs=(epoch_of(everybodys), epoch_of(own)),
    )


def epoch_of(item: Mapping[str, Any] | None) -> int:
    """How often the switch was turned."""
    return 0 if item is None else int(item["epoch"])


def scopes_over(use_case: str) -> tuple[str, str]:
    """The scopes of the kill switches that hold for a use case, in the order of `Switches.epochs`."""
    return ALL, use_case
