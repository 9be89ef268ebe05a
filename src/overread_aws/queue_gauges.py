"""How many decisions wait for a place in a team's queue: counted now and then, and read at every request."""

from typing import Any

from overread_aws.decision_items import queue_key
from overread_aws.decision_table import QUEUE_INDEX, Condition, DecisionTable


class QueueGauges:
    """The port `Gauges`, and the count behind it."""

    def __init__(self, client: Any, *, table: str) -> None:
        self._table = DecisionTable(client, name=table)

    def waiting(self, queue: str) -> int:
        """How many waited when they were last counted; 0 before."""
        item = self._table.get(queue_key(queue))
        return 0 if item is None else int(item.get("waiting", 0))

    def measure(self, queue: str) -> int:
        """Counts what waits and keeps the number for `waiting`."""
        key = Condition("queue = :queue", {":queue": queue}, {})
        count: int = sum(page["Count"] for page in self._table.pages(QUEUE_INDEX, key=key, Select="COUNT"))
        self._table.update_one(
            queue_key(queue), update="SET waiting = :count", condition=Condition("", {":count": count}, {})
        )
        return count
