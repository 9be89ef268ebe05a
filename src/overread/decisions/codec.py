"""Records, audit entries and loop entries as plain items, and back.

Items hold texts, numbers, truth values, lists and objects. Members that are None are left out. Times are
texts that sort.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from overread.decisions.record import (
    AuditEntry,
    LoopEnd,
    LoopEntry,
    Outcome,
    PolicyPin,
    Record,
    RecordedPrediction,
    Review,
    Reviewer,
    State,
    StoredObject,
    Waiting,
)
from overread.instants import format_instant, parse_instant
from overread.routing.policy import ReviewTerms
from overread.routing.prediction import Reason
from overread.routing.route import Decider, Route

Item = dict[str, Any]
SCHEMA = 1


def record_item(record: Record) -> Item:
    """The record as an item."""
    item: Item = {
        "schema": SCHEMA,
        "decision_id": record.decision_id,
        "use_case": record.use_case,
        "caller_scope": record.caller_scope,
        "request_sha256": record.request_sha256,
        "reference": record.reference,
        "priority": record.priority,
        "deadline": _instant(record.deadline),
        "input": _object_item(record.input),
        "state": str(record.state),
        "generation": record.generation,
        "revision": record.revision,
        "audit_length": record.audit_length,
        "attempts": record.attempts,
        "received_at": format_instant(record.received_at),
        "updated_at": format_instant(record.updated_at),
        "due_at": _instant(record.due_at),
        "policy": {
            "version": record.policy.version,
            "mode": str(record.policy.mode),
            "source": str(record.policy.source),
        },
        "terms": _terms_item(record.terms),
        "prediction": record.prediction and _prediction_item(record.prediction),
        "route": record.route and _route_item(record.route),
        "waiting": record.waiting and _waiting_item(record.waiting),
        "reviews": [_review_item(review) for review in record.reviews],
        "escalation": record.escalation and record.escalation.document(),
        "outcome": record.outcome and _outcome_item(record.outcome),
    }
    return _without_none(item)


def record_of(item: Mapping[str, Any]) -> Record:
    """The record that `record_item` made the item of."""
    route, waiting = item.get("route"), item.get("waiting")
    prediction, outcome = item.get("prediction"), item.get("outcome")
    return Record(
        decision_id=item["decision_id"],
        use_case=item["use_case"],
        caller_scope=item["caller_scope"],
        request_sha256=item["request_sha256"],
        reference=item["reference"],
        priority=item["priority"],
        deadline=_optional_instant(item.get("deadline")),
        input=StoredObject(**item["input"]),
        state=State(item["state"]),
        generation=int(item["generation"]),
        revision=int(item["revision"]),
        audit_length=int(item["audit_length"]),
        attempts=int(item["attempts"]),
        received_at=parse_instant(item["received_at"]),
        updated_at=parse_instant(item["updated_at"]),
        due_at=_optional_instant(item.get("due_at")),
        policy=PolicyPin(**item["policy"]),
        terms=_terms_of(item["terms"]),
        prediction=_prediction_of(prediction) if prediction else None,
        route=_route_of(route) if route else None,
        waiting=_waiting_of(waiting) if waiting else None,
        reviews=tuple(_review_of(review) for review in item.get("reviews", ())),
        escalation=_reason_of(item["escalation"]) if "escalation" in item else None,
        outcome=_outcome_of(outcome) if outcome else None,
    )


def audit_item(entry: AuditEntry) -> Item:
    """The audit entry as an item."""
    return {
        "schema": SCHEMA,
        "decision_id": entry.decision_id,
        "number": entry.number,
        "at": format_instant(entry.at),
        "event": entry.event,
        "from_state": entry.from_state,
        "to_state": entry.to_state,
        "generation": entry.generation,
        "detail": dict(entry.detail),
    }


def loop_item(entry: LoopEntry) -> Item:
    """The loop entry as an item."""
    return {
        "loop_name": entry.loop_name,
        "decision_id": entry.decision_id,
        "generation": entry.generation,
    }


def loop_of(item: Mapping[str, Any]) -> LoopEntry:
    """The loop entry that `loop_item` made the item of."""
    return LoopEntry(
        loop_name=item["loop_name"], decision_id=item["decision_id"], generation=int(item["generation"])
    )


def _object_item(stored: StoredObject) -> Item:
    return {
        "bucket": stored.bucket,
        "key": stored.key,
        "version_id": stored.version_id,
        "sha256": stored.sha256,
    }


def _terms_item(terms: ReviewTerms) -> Item:
    return {
        "flow_definition_arn": terms.flow_definition_arn,
        "task_ui_sha256": terms.task_ui_sha256,
        "backend": terms.backend,
        "labels": list(terms.labels),
        "withheld": list(terms.withheld),
        "label_path": terms.label_path,
        "reason_code_path": terms.reason_code_path,
        "cannot_decide_path": terms.cannot_decide_path,
        "blind": terms.blind,
        "show_prediction_to_caller": terms.show_prediction_to_caller,
        "free_of_personal_data": terms.free_of_personal_data,
        "max_generations": terms.max_generations,
    }


def _terms_of(item: Mapping[str, Any]) -> ReviewTerms:
    known = {**item, "labels": tuple(item["labels"]), "withheld": tuple(item["withheld"])}
    return ReviewTerms(**{**known, "max_generations": int(item["max_generations"])})


def _prediction_item(prediction: RecordedPrediction) -> Item:
    return {
        "label": prediction.label,
        "confidence": prediction.confidence,
        "model": prediction.model,
        "version": prediction.version,
        "variant": prediction.variant,
        "attempt": prediction.attempt,
    }


def _prediction_of(item: Mapping[str, Any]) -> RecordedPrediction:
    return RecordedPrediction(
        label=item["label"],
        confidence=float(item["confidence"]),
        model=item["model"],
        version=item["version"],
        variant=item["variant"],
        attempt=int(item["attempt"]),
    )


def _route_item(route: Route) -> Item:
    return {
        "to": str(route.to),
        "reasons": [reason.document() for reason in route.reasons],
        "is_spot_check": route.is_spot_check,
        "spot_check_probability": route.spot_check_probability,
    }


def _route_of(item: Mapping[str, Any]) -> Route:
    return Route(
        to=Decider(item["to"]),
        reasons=tuple(map(_reason_of, item["reasons"])),
        is_spot_check=item["is_spot_check"],
        spot_check_probability=float(item["spot_check_probability"]),
    )


def _reason_of(item: Mapping[str, Any]) -> Reason:
    return Reason(item["code"], {name: value for name, value in item.items() if name != "code"})


def _waiting_item(waiting: Waiting) -> Item:
    return {
        "code": waiting.code,
        "attempts": waiting.attempts,
        "next_attempt_at": format_instant(waiting.next_attempt_at),
        "is_unknown": waiting.is_unknown,
    }


def _waiting_of(item: Mapping[str, Any]) -> Waiting:
    return Waiting(
        code=item["code"],
        attempts=int(item["attempts"]),
        next_attempt_at=parse_instant(item["next_attempt_at"]),
        is_unknown=item["is_unknown"],
    )


def _review_item(review: Review) -> Item:
    return _without_none(
        {
            "generation": review.generation,
            "loop_name": review.loop_name,
            "flow_definition_arn": review.flow_definition_arn,
            "input_content_sha256": review.input_content_sha256,
            "started_at": format_instant(review.started_at),
            "end": str(review.end),
            "end_code": review.end_code,
            "output": review.output and _object_item(review.output),
        }
    )


def _review_of(item: Mapping[str, Any]) -> Review:
    return Review(
        generation=int(item["generation"]),
        loop_name=item["loop_name"],
        flow_definition_arn=item["flow_definition_arn"],
        input_content_sha256=item.get("input_content_sha256", ""),
        started_at=parse_instant(item["started_at"]),
        end=LoopEnd(item["end"]),
        end_code=item["end_code"],
        output=StoredObject(**item["output"]) if "output" in item else None,
    )


def _outcome_item(outcome: Outcome) -> Item:
    return _without_none(
        {
            "label": outcome.label,
            "source": outcome.source,
            "reason_code": outcome.reason_code,
            "decided_at": format_instant(outcome.decided_at),
            "seconds": outcome.seconds,
            "reviewers": [
                {"worker_id": one.worker_id, "sub": one.sub, "issuer": one.issuer}
                for one in outcome.reviewers
            ],
        }
    )


def _outcome_of(item: Mapping[str, Any]) -> Outcome:
    return Outcome(
        label=item["label"],
        source=item["source"],
        reason_code=item["reason_code"],
        decided_at=parse_instant(item["decided_at"]),
        seconds=float(item["seconds"]) if "seconds" in item else None,
        reviewers=tuple(Reviewer(**one) for one in item["reviewers"]),
    )


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else format_instant(instant)


def _optional_instant(text: str | None) -> datetime | None:
    return None if text is None else parse_instant(text)


def _without_none(item: Item) -> Item:
    return {name: value for name, value in item.items() if value is not None}
