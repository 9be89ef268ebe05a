"""Changes of what decisions depend on, appended to their own chain of the audit log."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from overread.audit.chain import Link, shard_of
from overread.decisions.commit import sealed
from overread.decisions.record import AuditEntry, OutboxEntry
from overread.errors import ChainMovedError, RetryableError
from overread_aws import decision_items as items
from overread_aws.attribute_values import plain_item
from overread_aws.audited_writes import chained, news
from overread_aws.decision_table import Condition, DecisionTable, Pause

_ATTEMPTS = 16


class DynamoDbChangeLog:
    """Entries about one subject (`change/…`) are numbered from 1 without a gap."""

    def __init__(self, client: Any, *, table: str, pause: Pause = time.sleep) -> None:
        self._table = DecisionTable(client, name=table, pause=pause)

    def last(self, subject: str) -> Link | None:
        """The newest entry about the subject, as of now."""
        values = {":subject": subject, ":prefix": "AUDIT#"}
        key = Condition("pk = :subject AND begins_with(sk, :prefix)", values, {})
        newest = self._table.pages(None, key=key, ConsistentRead=True, ScanIndexForward=False, Limit=1)
        found = next(newest)["Items"]
        return items.link_of(plain_item(found[0])) if found else None

    def append(
        self,
        subject: str,
        *,
        event: str,
        detail: Mapping[str, Any],
        at: datetime,
        outbox: tuple[OutboxEntry, ...] = (),
    ) -> Link:
        """The entry, behind all others.

        Raises:
            RetryableError: too many others write to the chain.
        """
        shard = shard_of(subject)
        for _ in range(_ATTEMPTS):
            # The end of the chain first: when it still is the end, nothing came behind `last` either.
            head = items.head_of(self._table.get(items.head_key(shard)), shard=shard)
            last = self.last(subject)
            entry = AuditEntry(
                decision_id=subject,
                number=1 if last is None else last.entry["number"] + 1,
                at=at,
                event=event,
                from_state="",
                to_state="",
                generation=0,
                detail=detail,
            )
            (link,) = sealed((entry,), head=head)
            writes = chained((link,), head=head, table=self._table)
            try:
                self._table.write([*writes, *news(outbox, table=self._table)])
            except ChainMovedError:
                continue
            return link
        raise RetryableError("AuditChainContended", operation="Append")
