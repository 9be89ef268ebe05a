"""The routing policy of one use case, as the router reads it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from overread_config import Settings, UseCaseSettings

_SHOWN = 12


def policy_document(
    settings: Settings,
    use_case: UseCaseSettings,
    *,
    flow_definition_arn: str,
    flow_definition_name: str,
    task_ui_sha256: str,
    public: bool,
) -> str:
    """The policy as JSON. Its version is a hash of everything it says, the flow definition by its name."""
    routing, review = use_case.routing, use_case.review
    answer = {"label": review.answer.label}
    answer |= {"reason_code": review.answer.reason_code} if review.answer.reason_code else {}
    answer |= {"cannot_decide": review.answer.cannot_decide} if review.answer.cannot_decide else {}
    document: dict[str, Any] = {
        "schema": 1,
        "use_case": use_case.name,
        "mode": use_case.mode,
        "prediction": _prediction(settings, use_case),
        "labels": list(use_case.labels),
        "input": {"withheld": list(use_case.input.withheld)},
        "routing": {
            "threshold": routing.threshold,
            "label_thresholds": dict(routing.label_thresholds),
            "always_review": routing.always_review,
            "rules": [{"name": rule.name, "when": rule.when} for rule in routing.rules],
            "spot_check_probability": routing.spot_check_probability,
        },
        "review": {
            "flow_definition_arn": flow_definition_name,
            "task_ui_sha256": task_ui_sha256,
            "backend": settings.review.backend,
            "answer": answer,
            "blind": review.blind,
            "show_prediction_to_caller": review.show_prediction_to_caller,
            "max_generations": review.max_generations,
            "public_workforce": public,
        },
        "data": {"class": use_case.data.data_class},
    }
    version = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:_SHOWN]
    document["version"] = version
    document["review"]["flow_definition_arn"] = flow_definition_arn
    return json.dumps(document, sort_keys=True, indent=1)


def endpoint_name(settings: Settings, use_case: UseCaseSettings) -> str:
    """The name of a use case's endpoint; it never changes, so that nothing has to follow it."""
    return f"{settings.prefix}-{use_case.name}"


def _prediction(settings: Settings, use_case: UseCaseSettings) -> dict[str, str]:
    prediction = use_case.prediction
    if prediction.model is None:
        return {"source": prediction.source}
    digest = hashlib.sha256(prediction.model.read_bytes()).hexdigest()
    return {
        "source": prediction.source,
        "endpoint_name": endpoint_name(settings, use_case),
        "label": prediction.label,
        "confidence": prediction.confidence,
        "model_name": use_case.name,
        "model_version": f"sha256:{digest[:_SHOWN]}",
    }
