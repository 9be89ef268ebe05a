"""What waits in the table of decisions, and since when: read from its indexes, for those who watch it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from overread.decisions.record import State
from overread.instants import format_instant, parse_instant
from overread_aws.attribute_values import plain_item
from overread_aws.decision_items import OUTBOX_DUE, WITH_PEOPLE, scopes_over, switch_key
from overread_aws.decision_table import (
    OPEN_INDEX,
    OUTBOX_INDEX,
    PEOPLE_INDEX,
    Condition,
    DecisionTable,
    Item,
    Key,
)

_NEWS_LOOKED_AT = 100
_MOST_OF_A_BATCH = 100


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A decision that waits for people. `failed_starts`: how often its human loop could not be started."""

    decision_id: str
    use_case: str
    state: State
    received_at: datetime
    failed_starts: int


class DynamoDbBacklog:
    """The port `Backlog`. Indexes follow the table within moments; nothing here is read to decide by it."""

    def __init__(self, client: Any, *, table: str) -> None:
        self._table = DecisionTable(client, name=table)

    def with_people(self) -> Iterator[OpenCase]:
        """Every decision that waits for people, of each state the oldest first."""
        for state in WITH_PEOPLE:
            key = Condition("people_state = :state", {":state": str(state)}, {})
            for page in self._table.pages(PEOPLE_INDEX, key=key):
                for attributes in page["Items"]:
                    item = plain_item(attributes)
                    yield OpenCase(
                        decision_id=item["pk"],
                        use_case=item["use_case"],
                        state=state,
                        received_at=parse_instant(item["received_at"]),
                        failed_starts=int((item.get("waiting") or {}).get("attempts", 0)),
                    )

    def overdue(self, *, since: datetime) -> int:
        """How many decisions, of every state, were to be looked at by then and were not."""
        return sum(self._count_due(state, until=since) for state in State)

    def oldest_news(self) -> datetime | None:
        """When the oldest of the news that are not delivered were written; None when all are.

        The index is by the next attempt: of those that are due first and last, a hundred each are looked at.
        News that fail wait longer after each attempt, so the oldest are at one of the two ends.
        """
        keys = list(dict.fromkeys([*self._news(first=True), *self._news(first=False)]))
        written = [
            parse_instant(item["created_at"])
            for item in self._items(keys).values()
            if item.get("outbox_state") == OUTBOX_DUE
        ]
        return min(written, default=None)

    def switched_off(self, use_cases: Iterable[str]) -> frozenset[str]:
        """Those of the use cases whose model must not decide: a kill switch over them is on."""
        scopes = {use_case: scopes_over(use_case) for use_case in use_cases}
        keys = sorted({switch_key(scope) for over in scopes.values() for scope in over})
        turned_on = {key for key, item in self._items(keys).items() if item["is_on"]}
        return frozenset(
            use_case
            for use_case, over in scopes.items()
            if any(switch_key(scope) in turned_on for scope in over)
        )

    def _items(self, keys: Sequence[Key]) -> dict[Key, Item]:
        found: dict[Key, Item] = {}
        for first in range(0, len(keys), _MOST_OF_A_BATCH):
            found |= self._table.get_all(keys[first : first + _MOST_OF_A_BATCH])
        return found

    def _count_due(self, state: State, *, until: datetime) -> int:
        values = {":state": str(state), ":until": format_instant(until)}
        key = Condition("open_state = :state AND due_at <= :until", values, {})
        return sum(page["Count"] for page in self._table.pages(OPEN_INDEX, key=key, Select="COUNT"))

    def _news(self, *, first: bool) -> list[Key]:
        key = Condition("outbox_state = :state", {":state": OUTBOX_DUE}, {})
        pages = self._table.pages(OUTBOX_INDEX, key=key, Limit=_NEWS_LOOKED_AT, ScanIndexForward=first)
        return [(item["pk"]["S"], item["sk"]["S"]) for item in next(pages)["Items"]]
