"""A decision as the API describes it to its caller, a task as its reviewer's page reads it."""

from collections.abc import Mapping
from typing import Any

from overread.decisions.record import Outcome, Record, Seat, State
from overread.errors import Problem
from overread.instants import format_instant
from overread.routing.prediction import Reason, ReasonCode
from overread.routing.route import visible_part

Document = dict[str, Any]
_OPEN_REASONS = frozenset(
    {
        ReasonCode.ALWAYS_REVIEW,
        ReasonCode.CONFIDENCE_BELOW_THRESHOLD,
        ReasonCode.RULE,
        ReasonCode.SPOT_CHECK,
        ReasonCode.CONTESTED,
        ReasonCode.ENDPOINT_ERROR,
        ReasonCode.INTERRUPTED,
        ReasonCode.KILL_SWITCH,
    }
)
"""Reasons whose code may be told while the model's answer may not; all others are faults of that answer."""
_FAULT = "prediction_unusable"


def decision_document(record: Record) -> Document:
    """The reply of the API. Until the decision is final, nothing in it tells what the model said.

    Exception: use cases that show the prediction to the caller. Optional members are left out when empty.
    """
    is_open_about_prediction = record.state is State.FINAL or record.terms.show_prediction_to_caller
    document: Document = {
        "decision_id": record.decision_id,
        "use_case": record.use_case,
        "state": str(record.state),
        "reference": record.reference or None,
        "outcome": _outcome_document(record),
        "prediction": _prediction_document(record) if is_open_about_prediction else None,
        "route": _route_document(record, with_prediction=is_open_about_prediction),
        "review": _review_document(record),
        "supersedes": record.supersedes or None,
        "contested_by": record.contested_by or None,
        "truth": _truth_document(record),
        "cancellation": record.cancellation.document() if record.cancellation else None,
        "shadow": True if record.policy.mode == "shadow" and not record.supersedes else None,
        "links": _links(record),
    }
    return {name: value for name, value in document.items() if value is not None}


def problem_document(problem: Problem, *, detail: str, field: str = "") -> Document:
    """The reply of the API to a request that it refuses (RFC 9457)."""
    document: Document = {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status,
        "detail": detail,
    }
    return {**document, "field": field} if field else document


def task_document(record: Record, *, seat: Seat, input_document: Mapping[str, Any]) -> Document:
    """The input content of the seat's human loop.

    A blind review gets neither prediction nor reasons, which would tell of it. No reader sees what another
    one said.
    """
    terms, route = record.terms, record.route
    blind = is_blind(record)
    document: Document = {
        "decision_id": record.decision_id,
        "use_case": record.use_case,
        "reference": record.reference or None,
        "input": visible_part(input_document, withheld=terms.withheld),
        "labels": list(terms.labels),
        "reasons": [] if blind or route is None else [reason.document() for reason in route.reasons],
        "generation": seat.generation,
        "separation": record.separation,
    }
    if terms.statement:
        document["statement"] = terms.statement
    if record.grounds:
        document["grounds"] = record.grounds
    if record.prediction and not blind:
        prediction = {"label": record.prediction.label, "confidence": record.prediction.confidence}
        document["prediction"] = prediction
    return document


def is_blind(record: Record) -> bool:
    """Whether people do not see the prediction: by its terms, in every spot check, and in every contest."""
    is_spot_check = record.route is not None and record.route.is_spot_check
    return record.terms.blind or bool(record.supersedes) or is_spot_check


def _links(record: Record) -> dict[str, str]:
    this = f"/v1/decisions/{record.decision_id}"
    links = {"self": this}
    if record.state is State.FINAL:
        links |= {"outcome": f"{this}/outcome"}
        links |= {} if record.contested_by or record.is_erased else {"contest": f"{this}/contest"}
    elif record.state is not State.CANCELLED:
        links["cancel"] = f"{this}/cancel"
    return links


def _truth_document(record: Record) -> Document | None:
    truth = record.truth
    if truth is None:
        return None
    return {
        "label": truth.label,
        "learnt_at": format_instant(truth.learnt_at),
        "recorded_at": format_instant(truth.recorded_at),
    }


def _outcome_document(record: Record) -> Document | None:
    outcome = record.outcome
    if outcome is None:
        return None
    document = {"label": outcome.label, "source": outcome.source}
    if outcome.reason_code:
        document["reason_code"] = outcome.reason_code
    return {**document, "decided_at": format_instant(outcome.decided_at)}


def _prediction_document(record: Record) -> Document | None:
    prediction = record.prediction
    if prediction is None:
        return None
    return {
        "label": prediction.label,
        "confidence": prediction.confidence,
        "model": prediction.model,
        "version": prediction.version,
    }


def _route_document(record: Record, *, with_prediction: bool) -> Document | None:
    route = record.route
    if route is None:
        return None
    reasons = [_reason_document(reason, with_prediction=with_prediction) for reason in route.reasons]
    if not with_prediction:  # how often a code stands there would tell something, too
        reasons = [reason for index, reason in enumerate(reasons) if reason not in reasons[:index]]
    return {
        "to": str(route.to),
        "reasons": reasons,
        "spot_check_probability": route.spot_check_probability,
        "routing_policy": record.policy.version,
        "guarantee": record.policy.guarantee or None,
    }


def _reason_document(reason: Reason, *, with_prediction: bool) -> Document:
    if with_prediction:
        return reason.document()
    # A threshold of its own, a rule's name, or which fault it was would give the model's answer away.
    return {"code": str(reason.code) if reason.code in _OPEN_REASONS else _FAULT}


def _review_document(record: Record) -> Document | None:
    if record.generation == 0:
        return None
    document: Document = {"generation": record.generation}
    if record.waiting:
        document["waiting"] = {
            "code": record.waiting.code,
            "attempts": record.waiting.attempts,
            "next_attempt_at": format_instant(record.waiting.next_attempt_at),
        }
    if record.escalation:
        document["escalation"] = record.escalation.document()
    if record.outcome:
        document |= _signed_document(record.outcome)
    return document


def _signed_document(outcome: Outcome) -> Document:
    """How many signed the outcome, under which statement and when; never who."""
    document: Document = {
        "reviews": len(outcome.sign_offs),
        "signed_at": [sign_off.submitted_at for sign_off in outcome.sign_offs],
    }
    if outcome.seconds is not None:
        document["seconds"] = outcome.seconds
    statements = sorted({sign_off.statement for sign_off in outcome.sign_offs if sign_off.statement})
    return {**document, "statement": statements[0]} if statements else document
