"""The routing policy of one use case, as the router reads it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from overread.routing.envelope import Envelope
from overread_config import Settings, TeamSettings, UseCaseSettings, model_version

_SHOWN = 12


def policy_document(
    settings: Settings,
    use_case: UseCaseSettings,
    *,
    flow_definition_arn: str,
    flow_definition_name: str,
    task_ui_sha256: str,
    public: bool,
    others: Mapping[str, tuple[str, str]],
) -> str:
    """The policy as JSON. Its version is a hash of everything it says, flow definitions by their names.

    `others`: ARN and name of the flow definitions beside the first, by their member of the document.
    """
    routing, review = use_case.routing, use_case.review
    guarantee = routing.guarantee
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
            "threshold": guarantee.threshold if guarantee else routing.threshold,
            "label_thresholds": {
                **(guarantee.label_thresholds if guarantee else {}),
                **routing.label_thresholds,
            },
            "always_review": routing.always_review,
            "rules": [{"name": rule.name, "when": rule.when} for rule in routing.rules],
            "spot_check_probability": routing.spot_check_probability,
            "spot_check_two_reader_share": routing.spot_check_two_reader_share,
            **_given(guarantee=guarantee and guarantee.in_policy().document()),
        },
        **_given(monitor=_monitor(use_case)),
        "review": {
            "flow_definition_arn": flow_definition_name,
            "task_ui_sha256": task_ui_sha256,
            "backend": settings.review.backend,
            "answer": answer,
            "blind": review.blind,
            "show_prediction_to_caller": review.show_prediction_to_caller,
            "max_generations": review.max_generations,
            "public_workforce": public,
            "two_person": review.two_person,
            "merge": review.merge,
            "requires_roster": review.requires_roster,
            "reason_code_required": review.reason_code_required,
            "queue": _queue(settings, review.team),
            **_given(
                authority=review.authority, conflict_key=review.conflict_key, statement=review.statement
            ),
            **{member: name for member, (_, name) in others.items()},
        },
        "delivery": {
            "webhook": use_case.delivery.webhook is not None,
            "feedback": use_case.delivery.feedback,
        },
        "data": {"class": use_case.data.data_class, **_given(subject=use_case.data.subject)},
    }
    version = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:_SHOWN]
    document["version"] = version
    document["review"]["flow_definition_arn"] = flow_definition_arn
    document["review"] |= {member: arn for member, (arn, _) in others.items()}
    return json.dumps(document, sort_keys=True, indent=1)


def envelope_of(settings: Settings, use_case: UseCaseSettings) -> Envelope:
    """What the policy of a use case may be before it goes out."""
    envelope, load = use_case.routing.envelope, use_case.load
    capacity = _team(settings, use_case.review.team).capacity
    return Envelope(
        lowest_threshold=envelope.lowest_threshold if envelope else 0.0,
        highest_alpha=envelope.highest_alpha if envelope else 1.0,
        highest_delta=envelope.highest_delta if envelope else 1.0,
        cases_per_hour=load.cases_per_hour if load else None,
        review_seconds=load.review_seconds if load else None,
        reviewers=capacity.reviewers if capacity else None,
    )


def _monitor(use_case: UseCaseSettings) -> dict[str, Any] | None:
    """What the error monitor alarms at, if there is one: what is not said is as guaranteed."""
    monitor, guarantee = use_case.monitor, use_case.routing.guarantee
    if monitor is None and guarantee is None:
        return None
    alpha, delta = monitor and monitor.alpha, monitor and monitor.delta
    return {
        "alpha": alpha if alpha is not None or guarantee is None else guarantee.alpha,
        "delta": delta if delta is not None or guarantee is None else guarantee.delta,
        "outcomes": monitor is not None and monitor.outcomes,
    }


def _team(settings: Settings, name: str) -> TeamSettings:
    (team,) = (team for team in settings.teams if team.name == name)
    return team


def _queue(settings: Settings, team_name: str) -> dict[str, Any]:
    """The team's queue; where the team has a capacity, how much of it may be open and wait."""
    team = _team(settings, team_name)
    if team.capacity is None:
        return {"name": team_name}
    most = team.capacity.reviewers * team.capacity.open_per_reviewer
    return {"name": team_name, "max_open": most, **_given(max_waiting=team.capacity.max_waiting)}


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def endpoint_name(settings: Settings, use_case: UseCaseSettings) -> str:
    """The name of a use case's endpoint; it never changes, so that nothing has to follow it."""
    return f"{settings.prefix}-{use_case.name}"


def _prediction(settings: Settings, use_case: UseCaseSettings) -> dict[str, str]:
    prediction = use_case.prediction
    if prediction.model is None:
        return {"source": prediction.source}
    return {
        "source": prediction.source,
        "endpoint_name": endpoint_name(settings, use_case),
        "label": prediction.label,
        "confidence": prediction.confidence,
        "model_name": use_case.name,
        "model_version": model_version(prediction.model),
    }
