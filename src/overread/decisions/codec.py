"""Records, audit entries and loop entries as plain items, and back.

Items hold texts, numbers, truth values, lists and objects. Members that are None are left out. Times are
texts that sort.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from overread.decisions.ids import separation_of
from overread.decisions.record import (
    AuditEntry,
    LoopEnd,
    LoopEntry,
    OutboxEntry,
    Outcome,
    PolicyPin,
    Record,
    RecordedPrediction,
    Review,
    Reviewer,
    Seat,
    SeatAnswer,
    SignOff,
    State,
    StoredObject,
    Truth,
    Waiting,
)
from overread.decisions.requests import CallerPrediction
from overread.instants import format_instant, parse_instant
from overread.routing.policy import MergePolicy, ReviewTerms
from overread.routing.prediction import Reason
from overread.routing.route import Decider, Route
from overread.strict_json import canonical_json

Item = dict[str, Any]
SCHEMA = 2
"""1: without seats, sign-offs and separation; such records are still read."""


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
        "policy": _without_none(
            {
                "version": record.policy.version,
                "mode": str(record.policy.mode),
                "source": str(record.policy.source),
                "guarantee": record.policy.guarantee or None,
            }
        ),
        "terms": _terms_item(record.terms),
        "stated": record.stated and _stated_item(record.stated),
        "prediction": record.prediction and _prediction_item(record.prediction),
        "route": record.route and _route_item(record.route),
        "waiting": record.waiting and _waiting_item(record.waiting),
        "is_admitted": record.is_admitted,
        "seats": [{"name": seat.name, "generation": seat.generation} for seat in record.seats],
        "reviews": [_review_item(review) for review in record.reviews],
        "separation": record.separation,
        "supersedes": record.supersedes,
        "grounds": record.grounds,
        "contested_by": record.contested_by,
        "excluded": [_reviewer_item(reviewer) for reviewer in record.excluded],
        "escalation": record.escalation and record.escalation.document(),
        "cancellation": record.cancellation and record.cancellation.document(),
        "outcome": record.outcome and _outcome_item(record.outcome),
        "truth": record.truth and _truth_item(record.truth),
        "is_erased": record.is_erased or None,
    }
    return _without_none(item)


def record_of(item: Mapping[str, Any]) -> Record:
    """The record that `record_item` made the item of."""
    route, waiting = item.get("route"), item.get("waiting")
    prediction, outcome, truth = item.get("prediction"), item.get("outcome"), item.get("truth")
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
        stated=_stated_of(item["stated"]) if "stated" in item else None,
        prediction=_prediction_of(prediction) if prediction else None,
        route=_route_of(route) if route else None,
        waiting=_waiting_of(waiting) if waiting else None,
        is_admitted=item.get("is_admitted", False),
        seats=_seats_of(item),
        reviews=tuple(_review_of(review) for review in item.get("reviews", ())),
        separation=item.get("separation") or separation_of(item["decision_id"]),
        supersedes=item.get("supersedes", ""),
        grounds=item.get("grounds", ""),
        contested_by=item.get("contested_by", ""),
        excluded=tuple(Reviewer(**reviewer) for reviewer in item.get("excluded", ())),
        escalation=_reason_of(item["escalation"]) if "escalation" in item else None,
        cancellation=_reason_of(item["cancellation"]) if "cancellation" in item else None,
        outcome=_outcome_of(outcome) if outcome else None,
        truth=_truth_of(truth) if truth else None,
        is_erased=item.get("is_erased", False),
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
        "seat": entry.seat,
    }


def loop_of(item: Mapping[str, Any]) -> LoopEntry:
    """The loop entry that `loop_item` made the item of."""
    return LoopEntry(
        loop_name=item["loop_name"],
        decision_id=item["decision_id"],
        generation=int(item["generation"]),
        seat=item.get("seat", ""),
    )


def outbox_item(entry: OutboxEntry) -> Item:
    """The outbox entry as an item."""
    return {
        "decision_id": entry.decision_id,
        "number": entry.number,
        "target": entry.target,
        "event": entry.event,
        "use_case": entry.use_case,
        "dedupe_key": entry.dedupe_key,
        "payload": entry.payload,
        "created_at": format_instant(entry.created_at),
        "attempts": entry.attempts,
        "due_at": format_instant(entry.due_at),
    }


def outbox_of(item: Mapping[str, Any]) -> OutboxEntry:
    """The outbox entry that `outbox_item` made the item of."""
    return OutboxEntry(
        decision_id=item["decision_id"],
        number=int(item["number"]),
        target=item["target"],
        event=item["event"],
        use_case=item["use_case"],
        dedupe_key=item["dedupe_key"],
        payload=item["payload"],
        created_at=parse_instant(item["created_at"]),
        attempts=int(item["attempts"]),
        due_at=parse_instant(item["due_at"]),
    )


def _seats_of(item: Mapping[str, Any]) -> tuple[Seat, ...]:
    generation = int(item["generation"])
    if "seats" not in item:
        return (Seat("", generation),) if generation else ()
    return tuple(Seat(seat["name"], int(seat["generation"])) for seat in item["seats"])


def _stated_item(stated: CallerPrediction) -> Item:
    """Label and confidence as JSON: a caller may have stated anything."""
    return {
        "label": canonical_json(stated.label).decode(),
        "confidence": canonical_json(stated.confidence).decode(),
        "model": stated.model,
        "version": stated.version,
    }


def _stated_of(item: Mapping[str, Any]) -> CallerPrediction:
    return CallerPrediction(
        label=json.loads(item["label"]),
        confidence=json.loads(item["confidence"]),
        model=item["model"],
        version=item["version"],
    )


def _object_item(stored: StoredObject) -> Item:
    return {
        "bucket": stored.bucket,
        "key": stored.key,
        "version_id": stored.version_id,
        "sha256": stored.sha256,
    }


def _terms_item(terms: ReviewTerms) -> Item:
    item = {field.name: getattr(terms, field.name) for field in fields(terms)}
    listed = {"labels": list(terms.labels), "withheld": list(terms.withheld), "merge": str(terms.merge)}
    return _without_none({**item, **listed})


def _terms_of(item: Mapping[str, Any]) -> ReviewTerms:
    known: Item = {**item, "labels": tuple(item["labels"]), "withheld": tuple(item["withheld"])}
    known["max_generations"] = int(item["max_generations"])
    if "max_open" in item:
        known["max_open"] = int(item["max_open"])
    if "merge" in item:
        known["merge"] = MergePolicy(item["merge"])
    return ReviewTerms(**known)


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
        "readers": route.readers,
    }


def _route_of(item: Mapping[str, Any]) -> Route:
    return Route(
        to=Decider(item["to"]),
        reasons=tuple(map(_reason_of, item["reasons"])),
        is_spot_check=item["is_spot_check"],
        spot_check_probability=float(item["spot_check_probability"]),
        readers=int(item.get("readers", 1)),
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
            "seat": review.seat,
            "generation": review.generation,
            "loop_name": review.loop_name,
            "flow_definition_arn": review.flow_definition_arn,
            "input_content_sha256": review.input_content_sha256,
            "started_at": format_instant(review.started_at),
            "end": str(review.end),
            "end_code": review.end_code,
            "output": review.output and _object_item(review.output),
            "answer": review.answer and _answer_item(review.answer),
            "unreadable_since": _instant(review.unreadable_since),
        }
    )


def _review_of(item: Mapping[str, Any]) -> Review:
    return Review(
        seat=item.get("seat", ""),
        generation=int(item["generation"]),
        loop_name=item["loop_name"],
        flow_definition_arn=item["flow_definition_arn"],
        input_content_sha256=item.get("input_content_sha256", ""),
        started_at=parse_instant(item["started_at"]),
        end=LoopEnd(item["end"]),
        end_code=item["end_code"],
        output=StoredObject(**item["output"]) if "output" in item else None,
        answer=_answer_of(item["answer"]) if "answer" in item else None,
        unreadable_since=_optional_instant(item.get("unreadable_since")),
    )


def _answer_item(answer: SeatAnswer) -> Item:
    return _without_none(
        {
            "label": answer.label,
            "no_label_code": answer.no_label_code,
            "sign_offs": [_sign_off_item(sign_off) for sign_off in answer.sign_offs],
            "seconds": answer.seconds,
        }
    )


def _answer_of(item: Mapping[str, Any]) -> SeatAnswer:
    return SeatAnswer(
        label=item["label"],
        no_label_code=item["no_label_code"],
        sign_offs=tuple(map(_sign_off_of, item["sign_offs"])),
        seconds=float(item["seconds"]) if "seconds" in item else None,
    )


def _sign_off_item(sign_off: SignOff) -> Item:
    return _without_none(
        {
            "reviewer": _reviewer_item(sign_off.reviewer),
            "label": sign_off.label,
            "reason_code": sign_off.reason_code,
            "statement": sign_off.statement,
            "accepted_at": sign_off.accepted_at,
            "submitted_at": sign_off.submitted_at,
            "seconds": sign_off.seconds,
        }
    )


def _sign_off_of(item: Mapping[str, Any]) -> SignOff:
    return SignOff(
        reviewer=Reviewer(**item["reviewer"]),
        label=item["label"],
        reason_code=item["reason_code"],
        statement=item["statement"],
        accepted_at=item["accepted_at"],
        submitted_at=item["submitted_at"],
        seconds=float(item["seconds"]) if "seconds" in item else None,
    )


def _reviewer_item(reviewer: Reviewer) -> Item:
    return {"worker_id": reviewer.worker_id, "sub": reviewer.sub, "issuer": reviewer.issuer}


def _truth_item(truth: Truth) -> Item:
    return {
        "label": truth.label,
        "learnt_at": format_instant(truth.learnt_at),
        "recorded_at": format_instant(truth.recorded_at),
        "recorded_by": truth.recorded_by,
    }


def _truth_of(item: Mapping[str, Any]) -> Truth:
    return Truth(
        label=item["label"],
        learnt_at=parse_instant(item["learnt_at"]),
        recorded_at=parse_instant(item["recorded_at"]),
        recorded_by=item["recorded_by"],
    )


def _outcome_item(outcome: Outcome) -> Item:
    return _without_none(
        {
            "label": outcome.label,
            "source": outcome.source,
            "reason_code": outcome.reason_code,
            "decided_at": format_instant(outcome.decided_at),
            "seconds": outcome.seconds,
            "sign_offs": [_sign_off_item(sign_off) for sign_off in outcome.sign_offs],
        }
    )


def _outcome_of(item: Mapping[str, Any]) -> Outcome:
    return Outcome(
        label=item["label"],
        source=item["source"],
        reason_code=item["reason_code"],
        decided_at=parse_instant(item["decided_at"]),
        seconds=float(item["seconds"]) if "seconds" in item else None,
        sign_offs=_sign_offs_of(item),
    )


def _sign_offs_of(outcome: Mapping[str, Any]) -> tuple[SignOff, ...]:
    if "sign_offs" in outcome:
        return tuple(map(_sign_off_of, outcome["sign_offs"]))
    return tuple(
        SignOff(
            reviewer=Reviewer(**reviewer),
            label=outcome["label"],
            reason_code=outcome["reason_code"],
            statement="",
            accepted_at="",
            submitted_at="",
            seconds=None,
        )
        for reviewer in outcome["reviewers"]
    )


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else format_instant(instant)


def _optional_instant(text: str | None) -> datetime | None:
    return None if text is None else parse_instant(text)


def _without_none(item: Item) -> Item:
    return {name: value for name, value in item.items() if value is not None}
