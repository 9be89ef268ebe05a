"""What people steer by hand in the table of decisions, each change with its audit entry and its news."""

import base64
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from overread.audit.chain import Head, Link
from overread.decisions.monitor_state import MonitorState
from overread.decisions.ports import Steered
from overread.decisions.record import OutboxEntry
from overread.decisions.steered import GuaranteePin, Proposal, RosterPin, Switch
from overread.errors import RecordConflictError
from overread.instants import format_instant, parse_instant
from overread_aws import decision_items as items
from overread_aws.audited_writes import chained, news
from overread_aws.decision_table import (
    NOT_THERE,
    Condition,
    DecisionTable,
    Item,
    Key,
    Pause,
    refused_with,
)
from overread_aws.error_monitors import monitor_key, state_item
from overread_aws.failures import calling
from overread_aws.rosters import ROSTER_KEY, roster_object


class DynamoDbSteering:
    """The port `Steering`; rosters themselves lie in a bucket."""

    def __init__(self, client: Any, s3: Any, *, table: str, bucket: str, pause: Pause = time.sleep) -> None:
        self._table = DecisionTable(client, name=table, pause=pause)
        self._s3 = s3
        self._bucket = bucket

    def head(self, shard: str) -> Head:
        """The end of the audit chain, as of now."""
        return items.head_of(self._table.get(items.head_key(shard)), shard=shard)

    def switch(self, scope: str) -> Switch:
        """The kill switch of a use case, or of all (`*`); off when it was never turned."""
        item = self._table.get(items.switch_key(scope))
        return _switch_of(item or {"is_on": False, "epoch": 0, "revision": 0}, scope=scope)

    def roster(self) -> RosterPin | None:
        """Which roster is in force and which is proposed."""
        item = self._table.get(ROSTER_KEY)
        return None if item is None else _pin_of(item)

    def keep_roster(self, body: bytes, *, sha256: str) -> None:
        """Stores a roster under its hash, which S3 checks it against; again and again is once."""
        self._keep(roster_object(sha256), body, sha256=sha256)

    def guarantee(self, use_case: str) -> GuaranteePin | None:
        """Which threshold guarantee of the use case is approved and which is proposed."""
        return _guarantee_pin(self._table, use_case)

    def keep_guarantee(self, body: bytes, *, sha256: str) -> None:
        """Stores a guarantee's document under its hash, which S3 checks it against; again is once."""
        self._keep(guarantee_object(sha256), body, sha256=sha256)

    def guarantee_body(self, sha256: str) -> bytes:
        """The document of that hash, approved or only proposed."""
        with calling("GetObject"):
            body: bytes = self._s3.get_object(Bucket=self._bucket, Key=guarantee_object(sha256))[
                "Body"
            ].read()
        return body

    def commit(self, item: Steered, *, link: Link, head: Head, outbox: tuple[OutboxEntry, ...]) -> None:
        """The item in place of that with the revision before, behind `head`.

        Raises:
            RecordConflictError: the item has been changed meanwhile.
            ChainMovedError: the chain has grown meanwhile.
        """
        key, content = _placed(item)
        steered = self._table.put(
            key,
            content,
            condition=_follows(item.revision),
            refusal=refused_with(RecordConflictError(key[0])),
        )
        writes = [steered, *chained((link,), head=head, table=self._table), *news(outbox, table=self._table)]
        self._table.write(writes)

    def _keep(self, key: str, body: bytes, *, sha256: str) -> None:
        with calling("PutObject"):
            self._s3.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ContentType="application/json",
                ChecksumSHA256=base64.b64encode(bytes.fromhex(sha256)).decode(),
            )


def read_guarantee_pin(client: Any, *, table: str, use_case: str) -> GuaranteePin | None:
    """Which threshold guarantee of the use case is approved and which is proposed, for who only reads it."""
    return _guarantee_pin(DecisionTable(client, name=table), use_case)


def _guarantee_pin(table: DecisionTable, use_case: str) -> GuaranteePin | None:
    item = table.get(items.guarantee_key(use_case))
    return None if item is None else _guarantee_of(item)


def guarantee_object(sha256: str) -> str:
    """The key of the object that holds the guarantee's document of that hash."""
    return f"guarantees/{sha256}.json"


def _placed(item: Steered) -> tuple[Key, Item]:
    if isinstance(item, Switch):
        return items.switch_key(item.scope), _switch_item(item)
    if isinstance(item, GuaranteePin):
        return items.guarantee_key(item.use_case), _guarantee_item(item)
    if isinstance(item, MonitorState):
        return monitor_key(item.use_case, item.watched), state_item(item)
    return ROSTER_KEY, _pin_item(item)


def _follows(revision: int) -> Condition:
    if revision == 1:
        return NOT_THERE
    return Condition("revision = :before", {":before": revision - 1}, {})


def _switch_item(switch: Switch) -> Item:
    return _without_none(
        {
            "scope": switch.scope,
            "is_on": switch.is_on,
            "epoch": switch.epoch,
            "revision": switch.revision,
            "changed_at": switch.changed_at and format_instant(switch.changed_at),
            "changed_by": switch.changed_by,
            "reason": switch.reason,
            "proposal": switch.proposal and _proposal_item(switch.proposal),
        }
    )


def _switch_of(item: Mapping[str, Any], *, scope: str) -> Switch:
    return Switch(
        scope=scope,
        is_on=item["is_on"],
        epoch=items.epoch_of(item),
        revision=int(item["revision"]),
        changed_at=_optional_instant(item.get("changed_at")),
        changed_by=item.get("changed_by", ""),
        reason=item.get("reason", ""),
        proposal=_proposal_of(item.get("proposal")),
    )


def _pin_item(pin: RosterPin) -> Item:
    return _without_none(
        {
            "sha256": pin.sha256,
            "revision": pin.revision,
            "object": roster_object(pin.sha256) if pin.sha256 else None,
            "changed_at": pin.changed_at and format_instant(pin.changed_at),
            "proposed_by": pin.proposed_by,
            "approved_by": pin.approved_by,
            "proposal": pin.proposal and _proposal_item(pin.proposal),
        }
    )


def _pin_of(item: Mapping[str, Any]) -> RosterPin:
    return RosterPin(
        sha256=item["sha256"],
        revision=int(item["revision"]),
        changed_at=_optional_instant(item.get("changed_at")),
        proposed_by=item["proposed_by"],
        approved_by=item["approved_by"],
        proposal=_proposal_of(item.get("proposal")),
    )


def _guarantee_item(pin: GuaranteePin) -> Item:
    return _without_none(
        {
            "use_case": pin.use_case,
            "id": pin.id,
            "sha256": pin.sha256,
            "terms_sha256": pin.terms_sha256,
            "revision": pin.revision,
            "changed_at": pin.changed_at and format_instant(pin.changed_at),
            "proposed_by": pin.proposed_by,
            "approved_by": pin.approved_by,
            "proposal": pin.proposal and _proposal_item(pin.proposal),
        }
    )


def _guarantee_of(item: Mapping[str, Any]) -> GuaranteePin:
    return GuaranteePin(
        use_case=item["use_case"],
        id=item["id"],
        sha256=item["sha256"],
        terms_sha256=item["terms_sha256"],
        revision=int(item["revision"]),
        changed_at=_optional_instant(item.get("changed_at")),
        proposed_by=item["proposed_by"],
        approved_by=item["approved_by"],
        proposal=_proposal_of(item.get("proposal")),
    )


def _proposal_item(proposal: Proposal) -> Item:
    return {
        "value": proposal.value,
        "by": proposal.by,
        "reason": proposal.reason,
        "at": format_instant(proposal.at),
    }


def _proposal_of(item: Mapping[str, Any] | None) -> Proposal | None:
    if item is None:
        return None
    return Proposal(value=item["value"], by=item["by"], reason=item["reason"], at=parse_instant(item["at"]))


def _optional_instant(text: str | None) -> datetime | None:
    return None if text is None else parse_instant(text)


def _without_none(item: Item) -> Item:
    return {name: value for name, value in item.items() if value is not None}
