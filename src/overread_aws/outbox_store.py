"""News for the world in the table of decisions: what is due, what was delivered, what was given up."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from overread.decisions.codec import outbox_of
from overread.decisions.record import OutboxEntry
from overread.instants import format_instant
from overread_aws.decision_items import OUTBOX_DEAD, OUTBOX_DUE, outbox_key
from overread_aws.decision_table import OUTBOX_INDEX, Condition, DecisionTable, Key

OutboxKey = tuple[str, int, str]
"""Decision, number and target of news."""


@dataclass(frozen=True, slots=True)
class HeldNews:
    """News that are not delivered; `gave_up_code` says why they were given up, empty while they are due."""

    entry: OutboxEntry
    gave_up_code: str


class DynamoDbOutbox:
    """The port `Outbox`. What was delivered keeps its item, without a place in the index."""

    def __init__(self, client: Any, *, table: str) -> None:
        self._table = DecisionTable(client, name=table)

    def get(self, decision_id: str, *, number: int, target: str) -> OutboxEntry | None:
        """The news if they are still to be delivered, as of now."""
        item = self._table.get(outbox_key(decision_id, number, target))
        if item is None or item.get("outbox_state") != OUTBOX_DUE:
            return None
        return outbox_of(item)

    def held(self, decision_id: str, *, number: int, target: str) -> HeldNews | None:
        """The news if they are not delivered, given up or not."""
        item = self._table.get(outbox_key(decision_id, number, target))
        if item is None or item.get("outbox_state") not in (OUTBOX_DUE, OUTBOX_DEAD):
            return None
        return HeldNews(outbox_of(item), gave_up_code=str(item.get("gave_up_code", "")))

    def due(self, *, until: datetime) -> Iterator[OutboxKey]:
        """What is due by then, most overdue first."""
        values = {":state": OUTBOX_DUE, ":until": format_instant(until)}
        return self._keys(Condition("outbox_state = :state AND outbox_due_at <= :until", values, {}))

    def dead(self) -> Iterator[OutboxKey]:
        """What was given up."""
        return self._keys(Condition("outbox_state = :state", {":state": OUTBOX_DEAD}, {}))

    def done(self, entry: OutboxEntry, *, at: datetime) -> None:
        """Delivered; of several deliveries the first one's time stays."""
        update = "SET delivered_at = if_not_exists(delivered_at, :at) REMOVE outbox_state, outbox_due_at"
        condition = Condition("attribute_exists(pk)", {":at": format_instant(at)}, {})
        self._table.update_one(_key(entry), update=update, condition=condition)

    def postpone(self, entry: OutboxEntry, *, due_at: datetime) -> bool:
        """Not delivered: again at that time. False when somebody else has tried, or delivered, meanwhile."""
        update = "SET attempts = :after, due_at = :due_at, outbox_due_at = :due_at"
        return self._after_attempt(entry, update, values={":due_at": format_instant(due_at)})

    def give_up(self, entry: OutboxEntry, *, code: str) -> bool:
        """Not delivered, and not tried again. False when somebody else has tried, or delivered, meanwhile."""
        update = "SET outbox_state = :dead, attempts = :after, gave_up_code = :code"
        return self._after_attempt(entry, update, values={":dead": OUTBOX_DEAD, ":code": code})

    def redrive(self, decision_id: str, *, number: int, target: str, at: datetime) -> bool:
        """Due again, as if never tried; False when it was not given up."""
        values = {":due": OUTBOX_DUE, ":dead": OUTBOX_DEAD, ":at": format_instant(at), ":none": 0}
        update = (
            "SET outbox_state = :due, attempts = :none, due_at = :at, outbox_due_at = :at REMOVE gave_up_code"
        )
        condition = Condition("outbox_state = :dead", values, {})
        return self._table.update_one(
            outbox_key(decision_id, number, target), update=update, condition=condition
        )

    def _keys(self, key: Condition) -> Iterator[OutboxKey]:
        for page in self._table.pages(OUTBOX_INDEX, key=key, Limit=100):
            for item in page["Items"]:
                _, number, target = item["sk"]["S"].split("#", 2)
                yield item["pk"]["S"], int(number), target

    def _after_attempt(self, entry: OutboxEntry, update: str, *, values: dict[str, Any]) -> bool:
        values = {**values, ":due": OUTBOX_DUE, ":before": entry.attempts, ":after": entry.attempts + 1}
        condition = Condition("outbox_state = :due AND attempts = :before", values, {})
        return self._table.update_one(_key(entry), update=update, condition=condition)


def _key(entry: OutboxEntry) -> Key:
    return outbox_key(entry.decision_id, entry.number, entry.target)
