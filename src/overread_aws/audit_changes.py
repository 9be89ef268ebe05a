"""The chain of changes in the table of decisions, for writing."""

from collections.abc import Mapping
from typing import Any

from overread.audit.chain import Link, seal, shard_of
from overread.errors import ChainMovedError, PermanentError, RecordConflictError, RetryableError
from overread_aws.audit_log import DynamoDbAuditLog
from overread_aws.audited_writes import chained
from overread_aws.decision_table import DecisionTable

_ATTEMPTS = 16
_EXISTS = "AuditEntryExists"


class DynamoDbChangeLog:
    """The port `ChangeLog`."""

    def __init__(self, client: Any, *, table: str) -> None:
        self._table = DecisionTable(client, name=table)
        self._log = DynamoDbAuditLog(client, table=table)

    def last(self, subject: str) -> Link | None:
        """The newest entry about the subject, as of now."""
        return max(self._log.entries(subject), key=lambda link: link.seq, default=None)

    def append(self, entry: Mapping[str, Any]) -> None:
        """The entry behind the end of the chain.

        Raises:
            RecordConflictError: an entry of this number about this subject is there already.
            RetryableError: others wrote to the chain all the time.
        """
        shard = shard_of(entry["decision_id"])
        for _ in range(_ATTEMPTS):
            head = self._log.head(shard)
            try:
                self._table.write(chained((seal(entry, head=head),), head=head, table=self._table))
            except ChainMovedError:
                continue
            except PermanentError as error:
                if error.code != _EXISTS:
                    raise
                raise RecordConflictError(f"{entry['decision_id']} {entry['number']}") from error
            return
        raise RetryableError("AuditChainContended", operation="Append")
