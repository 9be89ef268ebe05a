"""Error monitors in the table of decisions: audits that wait, those told before, how each monitor stands."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from overread.decisions.monitor_state import Audited, MonitorState, Watched
from overread.decisions.record import OutboxEntry
from overread.decisions.steered import Proposal
from overread.errors import RecordConflictError
from overread.instants import format_instant, parse_instant
from overread.risk.monitor import LastingErrorMonitor
from overread_aws.attribute_values import plain_item
from overread_aws.decision_table import NOT_THERE, Condition, DecisionTable, Item, Key, refused_with

_PENDING = "AUDITED#"


def monitor_key(use_case: str, watched: Watched) -> Key:
    """Where the state of a monitor lies."""
    return _partition(use_case), f"STATE#{watched.key}"


class ErrorMonitorReceiver:
    """The port `Receiver` of target `monitor`: a decision is told once, however often it is delivered."""

    def __init__(self, client: Any, *, table: str) -> None:
        self._table = DecisionTable(client, name=table)

    def deliver(self, entry: OutboxEntry) -> None:
        """Lays the audit down to be counted; one of a decision that was told before changes nothing."""
        told = json.loads(entry.payload)
        key = _partition(told["use_case"]), f"TOLD#{told['decision_id']}"
        marker = {"dedupe_key": told["dedupe_key"], "told_at": told["at"]}
        known = refused_with(_ToldBeforeError())
        try:
            self._table.write(
                [
                    self._table.put(key, marker, condition=NOT_THERE, refusal=known),
                    self._table.put(_pending_key(told["use_case"], told["at"], told["decision_id"]), told),
                ]
            )
        except _ToldBeforeError:
            return


class DynamoDbErrorMonitors:
    """The port `ErrorMonitors`."""

    def __init__(self, client: Any, *, table: str) -> None:
        self._table = DecisionTable(client, name=table)

    def state(self, use_case: str, *, watched: Watched) -> MonitorState | None:
        """How the monitor stands, None before the first audit."""
        item = self._table.get(monitor_key(use_case, watched))
        return None if item is None else _state_of(item)

    def pending(self, use_case: str, *, limit: int) -> tuple[Audited, ...]:
        """Audits that are not counted yet, oldest first."""
        values = {":pk": _partition(use_case), ":audited": _PENDING}
        key = Condition("pk = :pk AND begins_with(sk, :audited)", values, {})
        found = (item for page in self._table.items(key=key, Limit=limit) for item in page["Items"])
        return tuple(_audited_of(plain_item(item)) for item in islice(found, limit))

    def commit(self, state: MonitorState, *, counted: Iterable[Audited] = ()) -> None:
        """The state in place of that with the revision before, and these audits not pending any more.

        Raises:
            RecordConflictError: another one was there first, or an audit is not pending.
        """
        key = monitor_key(state.use_case, state.watched)
        follows = Condition("revision = :before", {":before": state.revision - 1}, {})
        moved = refused_with(RecordConflictError(key[0]))
        writes = [
            self._table.put(
                key,
                state_item(state),
                condition=NOT_THERE if state.revision == 1 else follows,
                refusal=moved,
            )
        ]
        for audited in counted:
            place = _pending_key(state.use_case, format_instant(audited.at), audited.decision_id)
            writes.append(self._table.remove(place, refusal=moved))
        self._table.write(writes)


class _ToldBeforeError(Exception):
    """The decision was told before."""


def state_item(state: MonitorState) -> Item:
    """How a monitor stands, as an item."""
    watched, proposal = state.watched, state.proposal
    item = {
        "use_case": state.use_case,
        "watched": {
            "guarantee": watched.guarantee,
            "model_version": watched.model_version,
            "alpha": watched.alpha,
            "delta": watched.delta,
        },
        "monitor": json.dumps(state.monitor.document(), sort_keys=True),
        "since": format_instant(state.since),
        "updated_at": format_instant(state.updated_at),
        "revision": state.revision,
        "changes": state.changes,
        "run": state.run,
        "passed_over": state.passed_over,
        "alarmed_at": state.alarmed_at and format_instant(state.alarmed_at),
        "is_answered": state.is_answered,
        "proposal": proposal
        and {
            "value": proposal.value,
            "by": proposal.by,
            "reason": proposal.reason,
            "at": format_instant(proposal.at),
        },
    }
    return {name: value for name, value in item.items() if value is not None}


def _state_of(item: Mapping[str, Any]) -> MonitorState:
    proposal = item.get("proposal")
    return MonitorState(
        use_case=item["use_case"],
        watched=Watched(**{**item["watched"], **_floats(item["watched"], "alpha", "delta")}),
        monitor=LastingErrorMonitor.from_document(json.loads(item["monitor"])),
        since=parse_instant(item["since"]),
        updated_at=parse_instant(item["updated_at"]),
        revision=int(item["revision"]),
        changes=int(item["changes"]),
        run=int(item["run"]),
        passed_over=int(item["passed_over"]),
        alarmed_at=_optional_instant(item.get("alarmed_at")),
        is_answered=item["is_answered"],
        proposal=Proposal(**{**proposal, "at": parse_instant(proposal["at"])}) if proposal else None,
    )


def _audited_of(item: Mapping[str, Any]) -> Audited:
    return Audited(
        decision_id=item["decision_id"],
        kind=item["kind"],
        guarantee=item["guarantee"],
        model_version=item["model_version"],
        is_error=item["is_error"],
        at=parse_instant(item["at"]),
    )


def _partition(use_case: str) -> str:
    return f"MONITOR#{use_case}"


def _pending_key(use_case: str, at: str, decision_id: str) -> Key:
    return _partition(use_case), f"{_PENDING}{at}#{decision_id}"


def _floats(values: Mapping[str, Any], *names: str) -> dict[str, float]:
    return {name: float(values[name]) for name in names}


def _optional_instant(text: str | None) -> datetime | None:
    return None if text is None else parse_instant(text)
