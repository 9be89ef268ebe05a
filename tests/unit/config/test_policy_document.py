"""The routing policy that settings become: its version follows everything it says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.config.broken_guarantees import guaranteed, loaded, monitored
from tests.unit.config.conftest import VALID, Write

from overread.routing.envelope import Envelope
from overread.routing.policy import parse_policy
from overread_config import load_settings
from overread_stacks.policy_document import envelope_of, policy_document

ARN = "arn:aws:sagemaker:eu-central-1:111122223333:flow-definition/overread-test-loans-0a1b2c3d"


def document(write: Write, text: str = VALID, *, arn: str = ARN) -> dict[str, Any]:
    settings = load_settings(write(text))
    made = policy_document(
        settings,
        settings.use_cases[0],
        flow_definition_arn=arn,
        flow_definition_name=arn.rpartition("/")[2],
        task_ui_sha256="f" * 64,
        public=False,
        others={},
    )
    parse_policy(made)
    loaded: dict[str, Any] = json.loads(made)
    return loaded


def test_the_policy_says_what_the_settings_say(write: Write) -> None:
    made = document(write)
    assert made["routing"]["threshold"] == 0.9
    assert made["input"] == {"withheld": ["sex"]}
    assert made["review"]["flow_definition_arn"] == ARN
    assert made["prediction"]["endpoint_name"] == "overread-test-loans"
    # sha256 of the stand-in model, "stand-in"
    assert made["prediction"]["model_version"] == "sha256:d6051828bcfb"


def test_the_same_settings_give_the_same_version(write: Write) -> None:
    assert document(write)["version"] == document(write)["version"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("threshold: 0.9", "threshold: 0.8"),
        ("withheld: [sex]", "withheld: []"),
        ("[approve, decline]", "[approve, decline, refer]"),
        ("title: Loan", "title: Loan\n      blind: true"),
        ("class: personal", "class: free-of-personal-data"),
        ("    input:", "    mode: shadow\n    input:"),
    ],
)
def test_whatever_changes_changes_the_version(old: str, new: str, write: Write) -> None:
    assert document(write, VALID.replace(old, new))["version"] != document(write)["version"]


def test_another_flow_definition_changes_the_version(write: Write) -> None:
    other = ARN.replace("0a1b2c3d", "ffffffff")
    assert document(write, arn=other)["version"] != document(write)["version"]


def test_another_model_changes_the_version(write: Write) -> None:
    before = document(write)
    settings = load_settings(write(VALID))
    model = settings.use_cases[0].prediction.model
    assert model is not None
    model.write_text("retrained")
    after = document(write)
    assert after["version"] != before["version"]
    assert after["prediction"]["model_version"] != before["prediction"]["model_version"]


def test_a_guarantee_gives_the_policy_its_thresholds_and_its_monitor(write: Write) -> None:
    made = document(write, guaranteed(more="label_thresholds: {approve: 0.95}"))
    assert made["routing"]["threshold"] == 0.93
    assert made["routing"]["label_thresholds"] == {"decline": 0.97, "approve": 0.95}
    guarantee = dict(made["routing"]["guarantee"])
    assert guarantee.pop("id").startswith("g-")
    assert guarantee == {
        "alpha": 0.02,
        "delta": 0.05,
        "threshold": 0.93,
        "label_thresholds": {"decline": 0.97},
        "coverage": 0.72,
        "model_version": "sha256:d6051828bcfb",
        "reference": "two-blind-readers",
    }
    assert made["monitor"] == {"alpha": 0.02, "delta": 0.05, "outcomes": False}


def test_a_monitor_may_be_stricter_than_the_guarantee(write: Write) -> None:
    text = guaranteed().replace("    labels: [", "    monitor: {alpha: 0.01, outcomes: true}\n    labels: [")
    assert document(write, text)["monitor"] == {"alpha": 0.01, "delta": 0.05, "outcomes": True}


def test_without_guarantee_and_monitor_the_policy_has_neither(write: Write) -> None:
    made = document(write)
    assert "guarantee" not in made["routing"]
    assert "monitor" not in made


def test_a_monitor_and_its_figures_change_the_version(write: Write) -> None:
    texts = (
        VALID,
        monitored("{alpha: 0.02, delta: 0.05}"),
        monitored("{alpha: 0.03, delta: 0.05}"),
        monitored("{alpha: 0.03, delta: 0.05, outcomes: true}"),
        guaranteed(),
    )
    assert len({document(write, text)["version"] for text in texts}) == len(texts)


def test_an_envelope_is_as_wide_as_the_settings_say(write: Write) -> None:
    settings = load_settings(write(loaded("{cases_per_hour: 90, review_seconds: 60}")))
    assert envelope_of(settings, settings.use_cases[0]) == Envelope(
        lowest_threshold=0.9,
        highest_alpha=0.02,
        highest_delta=0.05,
        cases_per_hour=90.0,
        review_seconds=60.0,
        reviewers=4,
    )
    settings = load_settings(write(VALID))
    assert envelope_of(settings, settings.use_cases[0]) == Envelope(
        lowest_threshold=0.0,
        highest_alpha=1.0,
        highest_delta=1.0,
        cases_per_hour=None,
        review_seconds=None,
        reviewers=None,
    )
