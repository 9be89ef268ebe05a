"""The routing policy document: what it becomes, and that each fault is named."""

import json
from typing import Any

import pytest

from overread.errors import InvalidPolicyError
from overread.routing.policy import Mode, Source, parse_policy
from overread_testing.decision_builders import CALLER_PREDICTS, policy, policy_document

LONG = "x" * 2000


def test_the_documented_policy_is_read() -> None:
    read = policy(routing__label_thresholds={"decline": 0.99}, routing__threshold=0.9)
    assert (read.use_case, read.mode, read.source) == ("loan-approval", Mode.LIVE, Source.ENDPOINT)
    assert (read.threshold_for("decline"), read.threshold_for("approve")) == (0.99, 0.9)
    assert read.review.withheld == ("sex", "age")
    assert read.review.labels == ("approve", "decline")
    assert not read.review.free_of_personal_data


def test_members_with_defaults_may_be_left_out() -> None:
    document = policy_document(mode=None, input=None)
    document["routing"] = {"threshold": 1}
    document["review"] = {
        "flow_definition_arn": document["review"]["flow_definition_arn"],
        "answer": {"label": "decision.label"},
    }
    read = parse_policy(json.dumps(document))
    assert (read.mode, read.rules, read.spot_check_probability) == (Mode.LIVE, (), 0.0)
    assert (read.review.max_generations, read.review.cannot_decide_path) == (3, "")


def test_a_caller_who_predicts_needs_no_endpoint() -> None:
    read = policy(**CALLER_PREDICTS)
    assert (read.source, read.endpoint_name, read.label) == (Source.CALLER, "", None)


def test_shadow_mode_is_a_mode() -> None:
    assert policy(mode="shadow").mode is Mode.SHADOW


FAULTS: list[tuple[str, Any, str]] = [
    ("schema", 2, "schema must be one of 1, got 2"),
    ("schema", True, "schema must be one of 1, got True"),
    ("use_case", "Loan", "use_case must be a text"),
    ("use_case", None, "use_case is missing"),
    ("version", LONG, "version must be a text of 1 to 64 characters"),
    ("mode", "dark", "mode must be one of live, shadow, got 'dark'"),
    ("colour", "red", "colour is unknown, allowed are schema"),
    ("labels", [], "labels must be a list of 1 to 1000 different texts"),
    ("labels", ["a", "a"], "labels must be a list"),
    ("labels", [["a"], "b"], "labels must be a list"),
    ("prediction", "x", "prediction must be an object, got 'x'"),
    ("prediction__source", "oracle", "prediction.source must be one of sagemaker-endpoint, caller"),
    ("prediction__endpoint_name", "a_b", "prediction.endpoint_name must be a text"),
    ("prediction__endpoint_name", None, "prediction.endpoint_name is missing"),
    ("prediction", {"source": "caller", "label": "label"}, "prediction.label is unknown, allowed are source"),
    ("use_case", "a" * 31, "use_case must be a text of 1 to 30 characters"),
    ("prediction__label", "a[", "prediction.label must be a JMESPath expression"),
    ("prediction__confidence", LONG, "prediction.confidence must be a JMESPath expression of 1 to 1024"),
    ("routing__threshold", 1.2, "routing.threshold must be a number in [0, 1], got 1.2"),
    ("routing__threshold", "0.9", "routing.threshold must be a number in [0, 1], got '0.9'"),
    ("routing__threshold", True, "routing.threshold must be a number in [0, 1], got True"),
    ("routing__threshold", None, "routing.threshold is missing"),
    (
        "routing__label_thresholds",
        {"aprove": 0.5},
        "routing.label_thresholds.aprove must be one of the labels",
    ),
    (
        "routing__label_thresholds",
        {"approve": 2},
        "routing.label_thresholds.approve must be a number in [0, 1]",
    ),
    ("routing__label_thresholds", [], "routing.label_thresholds must be an object"),
    ("routing__always_review", "yes", "routing.always_review must be true or false, got 'yes'"),
    ("routing__rules", [{"name": "A", "when": "a"}], "routing.rules[0].name must be a text"),
    ("routing__rules", [{"name": "a", "when": "a ="}], "routing.rules[0].when must be a JMESPath expression"),
    (
        "routing__rules",
        [{"name": "a", "when": "a"}] * 2,
        "routing.rules[1].name must be a name that no other",
    ),
    ("routing__rules", [{"name": "a"}], "routing.rules[0].when is missing"),
    ("routing__rules", {}, "routing.rules must be a list of at most 100 rules"),
    ("routing__spot_check_probability", -0.1, "routing.spot_check_probability must be a number in [0, 1]"),
    ("review__flow_definition_arn", "arn:x", "review.flow_definition_arn must be a text"),
    ("review__max_generations", 0, "review.max_generations must be a whole number from 1 to 20, got 0"),
    ("review__max_generations", 2.5, "review.max_generations must be a whole number"),
    ("review__backend", "mturk", "review.backend must be one of a2i, overread"),
    ("review__answer", {}, "review.answer.label is missing"),
    ("review__answer__label", "[", "review.answer.label must be a JMESPath expression"),
    ("review__public_workforce", True, "review.public_workforce must be false while data.class is personal"),
    ("data__class", "secret", "data.class must be one of personal, free-of-personal-data"),
    (
        "labels",
        ["approve", *(f"{number:0128}" for number in range(999))],
        "labels and input.withheld must be at most 100000 bytes together, got 127885",
    ),
    ("input__withheld", "sex", "input.withheld must be a list"),
    ("input__hidden", ["sex"], "input.hidden is unknown, allowed are withheld"),
]


@pytest.mark.parametrize(("path", "value", "fault"), FAULTS)
def test_a_fault_is_named_with_its_path_and_what_is_allowed(path: str, value: object, fault: str) -> None:
    with pytest.raises(InvalidPolicyError) as caught:
        policy(**{path: value})
    assert any(found.startswith(fault) for found in caught.value.faults), caught.value.faults


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InvalidPolicyError) as caught:
        policy(routing__threshold=2, mode="dark", labels=[])
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize("text", ["", "[]", "null", '{"schema": 1, "schema": 1}', '{"threshold": NaN}'])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(InvalidPolicyError):
        parse_policy(text)


def test_a_public_workforce_is_for_data_without_personal_information_only() -> None:
    read = policy(review__public_workforce=True, data__class="free-of-personal-data")
    assert read.review.free_of_personal_data
