"""Decisions per second of the pure routing core, against parsing the same reply with json alone."""

import json
import time

from benchmarks.measure import Measurement

from overread.routing.policy import parse_policy
from overread.routing.prediction import read_reply
from overread.routing.route import route, visible_part

POLICY = {
    "schema": 1,
    "use_case": "loan-approval",
    "version": "1",
    "prediction": {
        "source": "sagemaker-endpoint",
        "endpoint_name": "overread-bench-loan-approval",
        "label": "label",
        "confidence": "confidence",
        "model_name": "loan-approval",
        "model_version": "1",
    },
    "labels": ["approve", "decline"],
    "input": {"withheld": ["sex", "age", "foreign_worker"]},
    "routing": {
        "threshold": 0.9,
        "label_thresholds": {"approve": 0.92},
        "rules": [{"name": "high-amount", "when": "input.amount > `10000`"}],
        "spot_check_probability": 0.02,
    },
    "review": {
        "flow_definition_arn": "arn:aws:sagemaker:eu-west-1:111122223333:flow-definition/overread-bench",
        "answer": {"label": "decision.label"},
    },
    "data": {"class": "personal"},
}
REPLY = b'{"label": "approve", "confidence": 0.97, "probabilities": {"approve": 0.97, "decline": 0.03}}'
INPUT = {
    "amount": 9600,
    "duration_months": 48,
    "purpose": "car",
    "sex": "female",
    "age": 44,
    "foreign_worker": "yes",
}
DECISIONS = 50_000


def run() -> list[Measurement]:
    """The core's rate, and json's for the reply alone: what remains is the core's own work."""
    policy = parse_policy(json.dumps(POLICY))
    labels = policy.review.labels

    def decide(number: int) -> None:
        reading = read_reply(REPLY, label=policy.label, confidence=policy.confidence, labels=labels)
        route(
            policy,
            decision_id=f"d-{number:026d}",
            visible_input=visible_part(INPUT, withheld=policy.review.withheld),
            reading=reading,
            spot_check_key=b"k" * 32,
        )

    core = _rate(decide)
    floor = _rate(lambda _: json.loads(REPLY))
    return [Measurement.against("routing core", value=core, unit="decisions/s", baseline=floor)]


def _rate(work: object) -> float:
    assert callable(work)
    started = time.process_time()
    for number in range(DECISIONS):
        work(number)
    return DECISIONS / (time.process_time() - started)
