"""The route of a case: the model decides, or people do, always with reasons."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from overread.routing.policy import Rule, UseCasePolicy
from overread.routing.prediction import EVALUATION_ERRORS, Prediction, Reading, Reason, ReasonCode
from overread.routing.spot_check import is_spot_check


class Decider(StrEnum):
    """Who decides."""

    MODEL = "model"
    HUMAN = "human"


@dataclass(frozen=True, slots=True)
class Route:
    """Who decides and why. `is_spot_check` is drawn for every case, whatever else sends it to people.

    `readers`: how many people read it, where the use case itself does not want two.
    """

    to: Decider
    reasons: tuple[Reason, ...]
    is_spot_check: bool
    spot_check_probability: float
    readers: int = 1

    @property
    def is_spot_check_only(self) -> bool:
        """Whether people see the case for no other reason than the draw; such reviews are blind."""
        return bool(self.reasons) and all(reason.code == ReasonCode.SPOT_CHECK for reason in self.reasons)


def route(
    policy: UseCasePolicy,
    *,
    decision_id: str,
    visible_input: Mapping[str, Any],
    reading: Reading,
    spot_check_key: bytes,
) -> Route:
    """Who decides the case: people wherever there is any doubt, else the model."""
    prediction = reading.prediction
    reasons = list(reading.faults)
    if policy.always_review:
        reasons.append(Reason(ReasonCode.ALWAYS_REVIEW))
    if prediction is not None:
        threshold = policy.threshold_for(prediction.label)
        is_confident = policy.may_be_automatic(prediction.label) and prediction.confidence >= threshold
        if not is_confident:
            detail = {"threshold": threshold, "confidence": prediction.confidence}
            reasons.append(Reason(ReasonCode.CONFIDENCE_BELOW_THRESHOLD, detail))
    if policy.rules:
        facts = {"input": visible_input, "prediction": _facts(prediction)}
        reasons += [reason for rule in policy.rules if (reason := _apply(rule, facts))]
    probability = policy.spot_check_probability
    drawn = is_spot_check(spot_check_key, decision_id=decision_id, probability=probability)
    if drawn:
        reasons.append(Reason(ReasonCode.SPOT_CHECK, {"probability": probability}))
    is_automatic = prediction is not None and not reasons
    return Route(
        to=Decider.MODEL if is_automatic else Decider.HUMAN,
        reasons=tuple(reasons),
        is_spot_check=drawn,
        spot_check_probability=probability,
        readers=2 if drawn and _is_read_by_two(policy, decision_id, spot_check_key) else 1,
    )


def _is_read_by_two(policy: UseCasePolicy, decision_id: str, key: bytes) -> bool:
    """Drawn again, independently of whether the case is checked at all."""
    return is_spot_check(
        key, decision_id=f"{decision_id}/two", probability=policy.spot_check_two_reader_share
    )


def visible_part(document: Mapping[str, Any], *, withheld: tuple[str, ...]) -> dict[str, Any]:
    """The input without the fields that neither a model nor a worker may see."""
    return {name: value for name, value in document.items() if name not in withheld}


def _facts(prediction: Prediction | None) -> dict[str, Any]:
    if prediction is None:
        return {"label": None, "confidence": None}
    return {"label": prediction.label, "confidence": prediction.confidence}


def _apply(rule: Rule, facts: dict[str, Any]) -> Reason | None:
    try:
        verdict = rule.when.search(facts)
    except EVALUATION_ERRORS:
        return Reason(ReasonCode.RULE_ERROR, {"rule": rule.name})
    if verdict is False:
        return None
    return Reason(ReasonCode.RULE if verdict is True else ReasonCode.RULE_NOT_BOOLEAN, {"rule": rule.name})
