"""What AppConfig's validator lets through, and what it refuses."""

import json
from typing import Any

import pytest
from cfnlint.jsonschema import StandardValidator

from overread_constructs.routing_policies import SCHEMA

POLICY: dict[str, Any] = {
    "schema": 1,
    "use_case": "loan-approval",
    "version": "3f2a9c1b77de",
    "mode": "live",
    "prediction": {
        "source": "sagemaker-endpoint",
        "endpoint_name": "overread-demo-loan-approval",
        "label": "label",
        "confidence": "confidence",
        "model_name": "loan-approval",
        "model_version": "sha256:0123456789ab",
    },
    "labels": ["approve", "decline"],
    "input": {"withheld": ["sex", "age"]},
    "routing": {
        "threshold": 0.9,
        "label_thresholds": {"decline": 0.8},
        "always_review": False,
        "rules": [{"name": "high-amount", "when": "input.amount > `10000`"}],
        "spot_check_probability": 0.02,
        "spot_check_two_reader_share": 0.5,
        "guarantee": {
            "id": "g-abcdefghijklmnopqrstuvwxyz",
            "alpha": 0.02,
            "delta": 0.05,
            "threshold": 0.8,
            "label_thresholds": {"decline": 0.75},
            "coverage": 0.7,
            "model_version": "sha256:0123456789ab",
            "reference": "two-blind-readers",
        },
    },
    "monitor": {"alpha": 0.02, "delta": 0.05, "outcomes": False},
    "review": {
        "flow_definition_arn": "arn:aws:sagemaker:eu-central-1:123456789012:flow-definition/loans",
        "task_ui_sha256": "ab",
        "backend": "a2i",
        "answer": {"label": "decision.label", "reason_code": "reason_code"},
        "blind": False,
        "show_prediction_to_caller": False,
        "max_generations": 3,
        "public_workforce": False,
        "queue": {"name": "reviewers", "max_open": 6, "max_waiting": 100},
        "two_person": True,
        "merge": "majority",
    },
    "data": {"class": "personal"},
}


def test_appconfig_accepts_a_routing_policy() -> None:
    schema = json.loads(SCHEMA.read_text())
    assert schema["$schema"] == "http://json-schema.org/draft-04/schema#"  # the one AppConfig knows
    assert list(StandardValidator(schema).iter_errors(POLICY)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"labels": []},
        {"routing": {"threshold": 1.5}},
        {"routing": {"threshold": "0.9"}},
        {"routing": {"threshold": 0.9, "rules": [{"name": "x"}]}},
        {"routing": {"threshold": 0.9, "spot_check_probability": -0.1}},
        {"routing": POLICY["routing"] | {"guarantee": {"id": "g-1"}}},
        {"routing": {**POLICY["routing"], "guarantee": POLICY["routing"]["guarantee"] | {"alpha": 1}}},
        {"routing": {**POLICY["routing"], "guarantee": POLICY["routing"]["guarantee"] | {"reference": "me"}}},
        {"monitor": {"alpha": 0.02}},
        {"monitor": {"alpha": 0, "delta": 0.05}},
        {"prediction": {"source": "bedrock"}},
        {"review": {"backend": "a2i", "answer": {"label": "x"}}},
        {"review": POLICY["review"] | {"merge": "loudest"}},
        {"review": POLICY["review"] | {"queue": {"max_open": 6}}},
        {"review": POLICY["review"] | {"two_person": "yes"}},
        {"delivery": {"webhook": "https://core.example"}},
        {"data": {"class": "secret"}},
    ],
    ids=str,
)
def test_appconfig_refuses_a_faulty_policy(change: dict[str, Any]) -> None:
    assert not StandardValidator(json.loads(SCHEMA.read_text())).is_valid(POLICY | change)


@pytest.mark.parametrize("missing", [key for key in POLICY if key not in {"input", "monitor"}])
def test_appconfig_refuses_a_policy_without_a_part(missing: str) -> None:
    partial = {key: value for key, value in POLICY.items() if key != missing}
    assert not StandardValidator(json.loads(SCHEMA.read_text())).is_valid(partial)
