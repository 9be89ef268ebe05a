"""What a change tells the world: outbox entries, whose payload never changes afterwards."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from overread.decisions.documents import decision_document
from overread.decisions.record import OutboxEntry, Record, State
from overread.instants import format_instant
from overread.routing.policy import Mode
from overread.routing.route import Decider
from overread.strict_json import canonical_json

FINAL, ESCALATED, CANCELLED = "Decision Final", "Decision Escalated", "Decision Cancelled"
TRUTH = "Decision Truth Recorded"
KILL_SWITCH, ROSTER = "Kill Switch Changed", "Roster Changed"
GUARANTEE, ERROR_MONITOR = "Threshold Guarantee Changed", "Error Monitor Restarted"


class AuditKind(StrEnum):
    """How it became known whether the model was right: people looked blindly, or it turned out."""

    SPOT_CHECK = "spot-check"
    OUTCOME = "outcome"


def news_of(record: Record, event: str, *, at: datetime) -> tuple[OutboxEntry, ...]:
    """One entry a target, numbered like the audit entry of the same change."""
    payload = _text({"event": event, "dedupe_key": _dedupe_key(record), **decision_document(record)})
    targets = [("events", payload)]
    if record.terms.webhook:
        targets.append(("webhook", payload))
    if record.terms.feedback and _teaches(record, event):
        targets.append(("feedback", _text(_lesson(record, event))))
    if (kind := _audited_as(record, event)) is not None:
        targets.append(("monitor", _text(_audit(record, kind))))
    return tuple(
        OutboxEntry(
            decision_id=record.decision_id,
            number=record.audit_length,
            target=target,
            event=event,
            use_case=record.use_case,
            dedupe_key=_dedupe_key(record),
            payload=text,
            created_at=at,
            attempts=0,
            due_at=at,
        )
        for target, text in targets
    )


def change_news(
    subject: str, event: str, detail: dict[str, Any], *, number: int, at: datetime
) -> tuple[OutboxEntry, ...]:
    """What a change by hand tells."""
    key = f"{subject}/{number}"
    entry = OutboxEntry(
        decision_id=subject,
        number=number,
        target="events",
        event=event,
        use_case="",
        dedupe_key=key,
        payload=_text({"event": event, "dedupe_key": key, **detail}),
        created_at=at,
        attempts=0,
        due_at=at,
    )
    return (entry,)


def _audited_as(record: Record, event: str) -> AuditKind | None:
    """How the case tells whether the model alone would have been wrong, None when it does not."""
    terms, outcome, route = record.terms, record.outcome, record.route
    if not terms.monitor or outcome is None or record.prediction is None or record.supersedes:
        return None
    if event == TRUTH:
        is_automatic = outcome.source == Decider.MODEL and record.policy.mode == Mode.LIVE
        return AuditKind.OUTCOME if terms.monitor_outcomes and is_automatic else None
    is_checked = event == FINAL and outcome.source == Decider.HUMAN
    if is_checked and route is not None and route.is_spot_check_only:
        return AuditKind.SPOT_CHECK
    return None


def _audit(record: Record, kind: AuditKind) -> dict[str, Any]:
    """The case for the error monitor; only called where prediction, route and reference are there."""
    prediction, route, outcome, truth = record.prediction, record.route, record.outcome, record.truth
    reference = truth.label if kind is AuditKind.OUTCOME and truth else outcome.label if outcome else ""
    return {
        "kind": str(kind),
        "dedupe_key": _dedupe_key(record),
        "decision_id": record.decision_id,
        "use_case": record.use_case,
        "policy_version": record.policy.version,
        "guarantee": record.policy.guarantee,
        "model_version": prediction.version if prediction else "",
        "is_error": prediction is not None and prediction.label != reference,
        "propensity": route.spot_check_probability if route and kind is AuditKind.SPOT_CHECK else None,
        "at": format_instant(record.updated_at),
    }


def _teaches(record: Record, event: str) -> bool:
    """Whether the case can train a model: people decided it, or the truth is known."""
    if event == TRUTH:
        return True
    outcome = record.outcome
    return record.state is State.FINAL and outcome is not None and outcome.source == Decider.HUMAN


def _lesson(record: Record, event: str) -> dict[str, Any]:
    """The case for the data set that trains the next model: where its input lies, and its label."""
    truth, outcome = record.truth, record.outcome
    is_truth = event == TRUTH and truth is not None
    label = truth.label if is_truth and truth else outcome.label if outcome else ""
    at = truth.recorded_at if is_truth and truth else record.updated_at
    return {
        "event": event,
        "dedupe_key": _dedupe_key(record),
        "decision_id": record.decision_id,
        "use_case": record.use_case,
        "input": {
            "bucket": record.input.bucket,
            "key": record.input.key,
            "version_id": record.input.version_id,
        },
        "label": label,
        "labels": list(record.terms.labels),
        "source": "outcome" if is_truth else "human",
        "at": format_instant(at),
    }


def _dedupe_key(record: Record) -> str:
    return f"{record.decision_id}/{record.audit_length}"


def _text(document: dict[str, Any]) -> str:
    return canonical_json(document).decode()
