"""What the model says about a case, and the route that follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from overread.decisions.ports import SubmitPorts
from overread.decisions.record import Record, RecordedPrediction
from overread.errors import ServiceError
from overread.routing.policy import UseCasePolicy
from overread.routing.prediction import Reading, Reason, endpoint_failed, read_reply, read_values
from overread.routing.route import Decider, Route, route, visible_part
from overread.strict_json import canonical_json


@dataclass(frozen=True, slots=True)
class Prediction:
    """What is kept of a prediction (nothing of an unusable one), why it is unusable, and the route."""

    recorded: RecordedPrediction | None
    faults: tuple[Reason, ...]
    route: Route

    def by_people(self, reason: Reason) -> "Prediction":
        """The same, but people decide, for one more reason."""
        return replace(
            self, route=replace(self.route, to=Decider.HUMAN, reasons=(*self.route.reasons, reason))
        )


def predict(
    record: Record, *, input_document: Mapping[str, Any], policy: UseCasePolicy, ports: SubmitPorts
) -> Prediction:
    """The model asked once, or the caller's own prediction read."""
    visible = visible_part(input_document, withheld=policy.review.withheld)
    reading, variant = _read(record, visible=visible, policy=policy, ports=ports)
    return _routed(record, reading, visible=visible, variant=variant, policy=policy, ports=ports)


def unpredicted(
    record: Record,
    *,
    fault: Reason,
    input_document: Mapping[str, Any],
    policy: UseCasePolicy,
    ports: SubmitPorts,
) -> Prediction:
    """A case whose model is not asked (any more)."""
    visible = visible_part(input_document, withheld=policy.review.withheld)
    reading = Reading(prediction=None, faults=(fault,))
    return _routed(record, reading, visible=visible, variant="", policy=policy, ports=ports)


def _routed(
    record: Record,
    reading: Reading,
    *,
    visible: Mapping[str, Any],
    variant: str,
    policy: UseCasePolicy,
    ports: SubmitPorts,
) -> Prediction:
    chosen = route(
        policy,
        decision_id=record.decision_id,
        visible_input=visible,
        reading=reading,
        spot_check_key=ports.spot_check_key(),
    )
    recorded = _recorded(reading, record, policy=policy, variant=variant)
    return Prediction(recorded=recorded, faults=reading.faults, route=chosen)


def _read(
    record: Record, *, visible: dict[str, Any], policy: UseCasePolicy, ports: SubmitPorts
) -> tuple[Reading, str]:
    """What the prediction comes to, and the endpoint's variant that made it."""
    labels = policy.review.labels
    if record.stated is not None:
        stated = record.stated
        return read_values(label=stated.label, confidence=stated.confidence, labels=labels), ""
    try:
        reply = ports.models.predict(
            policy.endpoint_name,
            body=canonical_json(visible),
            inference_id=f"{record.decision_id}/{record.attempts}",
        )
    except ServiceError as error:
        return endpoint_failed(error.code), ""
    reading = read_reply(reply.body, label=policy.label, confidence=policy.confidence, labels=labels)
    return reading, reply.variant


def _recorded(
    reading: Reading, record: Record, *, policy: UseCasePolicy, variant: str
) -> RecordedPrediction | None:
    if reading.prediction is None:
        return None
    stated = record.stated
    return RecordedPrediction(
        label=reading.prediction.label,
        confidence=reading.prediction.confidence,
        model=stated.model if stated else policy.model_name,
        version=stated.version if stated else policy.model_version,
        variant=variant,
        attempt=0 if stated else record.attempts,
    )
