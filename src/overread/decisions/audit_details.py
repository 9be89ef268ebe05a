"""What audit entries tell of a step: hashes, ids, codes and labels, never what a case says."""

import hashlib
from typing import Any

from overread.decisions.record import Record, RecordedPrediction, Review, SignOff, StoredObject


def routing_detail(record: Record) -> dict[str, Any]:
    route, terms = record.route, record.terms
    return {
        "use_case": record.use_case,
        "caller_scope": record.caller_scope,
        "input_sha256": record.input.sha256,
        "input_version": record.input.version_id,
        "policy_version": record.policy.version,
        "guarantee": record.policy.guarantee,
        "mode": str(record.policy.mode),
        "flow_definition_arn": terms.flow_definition_arn,
        "task_ui_sha256": terms.task_ui_sha256,
        "blind": terms.blind,
        "attempts": record.attempts,
        "prediction": prediction_document(record.prediction),
        "route": {"to": str(route.to), "reasons": [reason.document() for reason in route.reasons]}
        if route
        else None,
        "is_spot_check": route.is_spot_check if route else False,
        "spot_check_probability": route.spot_check_probability if route else 0.0,
    }


def answer_detail(review: Review, *, roster_sha256: str) -> dict[str, Any]:
    answer = review.answer
    return {
        "human_loop": review.loop_name,
        "seat": review.seat,
        "output": object_document(review.output),
        "answers": [sign_off_document(one) for one in answer.sign_offs] if answer else [],
        "no_label_code": answer.no_label_code if answer else "",
        "seconds": answer.seconds if answer else None,
        "roster_sha256": roster_sha256,
    }


def sign_off_document(sign_off: SignOff) -> dict[str, Any]:
    reviewer = sign_off.reviewer
    return {
        "worker_id": reviewer.worker_id,
        "sub": reviewer.sub,
        "issuer": reviewer.issuer,
        "label": sign_off.label,
        "reason_code": sign_off.reason_code,
        "statement_sha256": text_sha256(sign_off.statement),
        "accepted_at": sign_off.accepted_at,
        "submitted_at": sign_off.submitted_at,
        "seconds": sign_off.seconds,
    }


def text_sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def prediction_document(prediction: RecordedPrediction | None) -> dict[str, Any] | None:
    if prediction is None:
        return None
    return {
        "label": prediction.label,
        "confidence": prediction.confidence,
        "model": prediction.model,
        "version": prediction.version,
        "variant": prediction.variant,
        "attempt": prediction.attempt,
    }


def object_document(stored: StoredObject | None) -> dict[str, str] | None:
    if stored is None:
        return None
    return {
        "bucket": stored.bucket,
        "key": stored.key,
        "version_id": stored.version_id,
        "sha256": stored.sha256,
    }
