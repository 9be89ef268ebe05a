"""The rate of starts that all functions share: its bucket of tokens is one item, changed by comparison."""

from datetime import datetime
from typing import Any

from overread.decisions.start_rate import Bucket, Rate, take
from overread.instants import format_instant, parse_instant
from overread_aws.decision_table import Condition, DecisionTable, Item, Key

RATE_KEY: Key = ("RATE#StartHumanLoop", "RATE")
_ATTEMPTS = 8


class DynamoDbStartRate:
    """The port `StartRate`."""

    def __init__(self, client: Any, *, table: str, rate: Rate) -> None:
        self._table = DecisionTable(client, name=table)
        self._rate = rate

    def take(self, now: datetime) -> float:
        """0.0 when one may be started now, else the seconds to wait.

        Who loses against others all the time waits as long as one token takes to flow in.
        """
        # As exact as what is stored: were more of it counted, every start would gain a fraction.
        now = parse_instant(format_instant(now))
        for _ in range(_ATTEMPTS):
            item = self._table.get(RATE_KEY)
            bucket, wait_s = take(_bucket_of(item), rate=self._rate, now=now)
            if wait_s > 0 or self._replace(item, bucket):
                return wait_s
        return 1 / self._rate.per_second

    def _replace(self, item: Item | None, bucket: Bucket) -> bool:
        before = 0 if item is None else int(item["revision"])
        values = {":tokens": bucket.tokens, ":at": format_instant(bucket.at), ":after": before + 1}
        stands = "attribute_not_exists(pk)"
        if before:
            stands, values = "revision = :before", values | {":before": before}
        return self._table.update_one(
            RATE_KEY,
            update="SET tokens = :tokens, #at = :at, revision = :after",
            condition=Condition(stands, values, {"#at": "at"}),
        )


def _bucket_of(item: Item | None) -> Bucket | None:
    return None if item is None else Bucket(tokens=float(item["tokens"]), at=parse_instant(item["at"]))
