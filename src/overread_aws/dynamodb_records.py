"""Decision records in DynamoDB, and all that is written together with them, in one transaction."""

import time
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

from overread.decisions.codec import loop_item, loop_of, record_of
from overread.decisions.ports import Batch, Guard, Switches
from overread.decisions.record import Fence, LoopEntry, QueueMove, Record, State
from overread.errors import (
    ChainMovedError,
    KillSwitchOnError,
    PermanentError,
    QueueFullError,
    RecordConflictError,
)
from overread.instants import format_instant
from overread_aws import decision_items as items
from overread_aws.audited_writes import chained, news
from overread_aws.decision_table import (
    NOT_THERE,
    OPEN_INDEX,
    QUEUE_INDEX,
    Condition,
    DecisionTable,
    Item,
    Pause,
    Write,
    refused_with,
)


class DynamoDbRecords:
    """The port `Records`. `writer` tells this one from all others that write the same."""

    def __init__(self, client: Any, *, table: str, writer: str = "", pause: Pause = time.sleep) -> None:
        self._table = DecisionTable(client, name=table, pause=pause, writer=writer)

    def get(self, decision_id: str) -> Record | None:
        """The record as of now (a consistent read).

        Raises:
            PermanentError: an item stands there that is no record; whoever reads many goes on with the next.
        """
        item = self._table.get(items.record_key(decision_id))
        try:
            return None if item is None else record_of(item)
        except (KeyError, TypeError, ValueError) as error:
            raise PermanentError("RecordUnreadable", operation="GetItem", message=repr(error)) from error

    def find_loop(self, loop_name: str) -> LoopEntry | None:
        """Whose loop this is."""
        item = self._table.get(items.loop_key(loop_name))
        return None if item is None else loop_of(item)

    def guard(self, *, shard: str, use_case: str) -> Guard:
        """The end of the audit chain and the kill switches, as of now."""
        head_key = items.head_key(shard)
        switch_keys = [items.switch_key(scope) for scope in items.scopes_over(use_case)]
        found = self._table.get_all([head_key, *switch_keys])
        everybodys, own = (found.get(key) for key in switch_keys)
        return Guard(
            head=items.head_of(found.get(head_key), shard=shard),
            switches=items.switches_of(everybodys, own),
        )

    def commit(self, batch: Batch) -> None:
        """All of the batch or nothing; one plain write where it is one item.

        Where several conditions fail, the record's counts first, then the kill switches', the queue's, the
        chain's.

        Raises:
            RecordConflictError: the fence does not hold.
            KillSwitchOnError: the change is automatic and a kill switch is on.
            QueueFullError: the queue has no place left.
            ChainMovedError: the chain has grown, or a switch has been turned, since the guard was read.
        """
        writes = self._writes(batch)
        if len(writes) == 1:
            self._table.write_one(writes[0])
        else:
            self._table.write(writes)

    def due(self, state: State, *, until: datetime) -> Iterator[str]:
        """The ids of records in `state` that were to be looked at by `until`, most overdue first."""
        values = {":state": str(state), ":until": format_instant(until)}
        key = Condition("open_state = :state AND due_at <= :until", values, {})
        return self._ids(OPEN_INDEX, key)

    def waiting(self, queue: str) -> Iterator[str]:
        """The ids of pending decisions without a place in the queue: by priority, deadline, age."""
        return self._ids(QUEUE_INDEX, Condition("queue = :queue", {":queue": queue}, {}))

    def _ids(self, index: str, key: Condition) -> Iterator[str]:
        for page in self._table.pages(index, key=key, ProjectionExpression="decision_id", Limit=100):
            for item in page["Items"]:
                yield item["decision_id"]["S"]

    def _writes(self, batch: Batch) -> list[Write]:
        """In the order in which their refusals count."""
        change, guard = batch.change, batch.guard
        writes = [self._record(change.record, change.fence)]
        if guard is not None and change.is_automatic:
            writes += self._switches(change.record.use_case, guard.switches)
        if change.queue is not None and change.queue.slots:
            writes.append(self._places(change.queue))
        if guard is not None:
            writes += chained(batch.links, head=guard.head, table=self._table)
        writes += news(change.outbox, table=self._table)
        return writes + [
            self._table.put(items.loop_key(entry.loop_name), loop_item(entry)) for entry in change.loops
        ]

    def _record(self, record: Record, fence: Fence | None) -> Write:
        return self._table.put(
            items.record_key(record.decision_id),
            items.indexed_record(record, writer=self._table.writer),
            condition=NOT_THERE if fence is None else _stands(fence),
            refusal=refused_with(RecordConflictError(record.decision_id)),
        )

    def _switches(self, use_case: str, seen: Switches) -> list[Write]:
        return [
            self._table.check(
                items.switch_key(scope), condition=_is_off(epoch), refusal=partial(_turned, use_case)
            )
            for scope, epoch in zip(items.scopes_over(use_case), seen.epochs, strict=True)
        ]

    def _places(self, move: QueueMove) -> Write:
        """An empty queue takes any decision, so one with more seats than places need not wait for ever."""
        values: dict[str, Any] = {":slots": move.slots}
        condition = ""
        if move.slots > 0:
            condition = "attribute_not_exists(#open) OR #open <= :room"
            values[":room"] = max(move.limit - move.slots, 0)
        return self._table.update(
            items.queue_key(move.queue),
            update="ADD #open :slots",
            condition=Condition(condition, values, {"#open": "open"}),
            refusal=refused_with(QueueFullError(move.queue)),
        )


def _stands(fence: Fence) -> Condition:
    values = {":state": str(fence.state), ":generation": fence.generation, ":revision": fence.revision}
    expression = "#state = :state AND generation = :generation AND revision = :revision"
    return Condition(expression, values, {"#state": "state"})


def _is_off(epoch: int) -> Condition:
    """Off, and not turned since it was read; epoch 0 is that of a switch that nobody has turned."""
    expression = "is_on = :off AND epoch = :epoch"
    if epoch == 0:
        expression = f"attribute_not_exists(pk) OR ({expression})"
    return Condition(expression, {":off": False, ":epoch": epoch}, {})


def _turned(use_case: str, switch: Item | None) -> Exception:
    if switch is not None and switch["is_on"]:
        return KillSwitchOnError(use_case)
    return ChainMovedError(f"a kill switch over {use_case} was turned meanwhile")
