"""The routing policy document: what it becomes, and that each fault is named."""

import json
from typing import Any

import pytest

from overread.errors import InvalidPolicyError
from overread.routing.policy import MergePolicy, Mode, Source, parse_policy
from overread_testing.decision_builders import (
    CALLER_PREDICTS,
    FLOW_DEFINITION_ARN,
    policy,
    policy_document,
)

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


def test_who_decides_and_how_is_part_of_the_terms() -> None:
    second, seniors = (FLOW_DEFINITION_ARN.replace("loan", name) for name in ("second", "seniors"))
    read = policy(
        routing__spot_check_two_reader_share=0.25,
        review__queue={"name": "loans", "max_open": 12, "max_waiting": 500},
        review__two_person=True,
        review__second_flow_definition_arn=second,
        review__escalation_flow_definition_arn=seniors,
        review__merge="majority",
        review__requires_roster=True,
        review__authority="input.amount",
        review__conflict_key="input.customer",
        review__statement="I have read the case.",
        review__reason_code_required=True,
        delivery={"webhook": True, "feedback": True},
        data__subject="input.customer",
    )
    terms = read.review
    assert (terms.queue, terms.max_open, read.max_waiting) == ("loans", 12, 500)
    assert (terms.two_person, terms.merge, terms.requires_roster) == (True, MergePolicy.MAJORITY, True)
    assert (terms.second_flow_definition_arn, terms.escalation_flow_definition_arn) == (second, seniors)
    assert (terms.authority_path, terms.conflict_path) == ("input.amount", "input.customer")
    assert (terms.statement, terms.reason_code_required) == ("I have read the case.", True)
    assert (terms.webhook, terms.feedback) == (True, True)
    assert (read.spot_check_two_reader_share, read.subject_path) == (0.25, "input.customer")


def test_one_reader_without_limits_is_the_default() -> None:
    terms = policy().review
    assert (terms.two_person, terms.merge, terms.requires_roster) == (False, MergePolicy.UNANIMOUS, False)
    assert (terms.queue, terms.max_open, policy().max_waiting) == ("", None, None)


def test_a_reason_code_is_required_only_where_the_answer_has_one() -> None:
    with pytest.raises(InvalidPolicyError, match=r"review\.reason_code_required must be false while"):
        policy(review__reason_code_required=True, review__answer={"label": "label"})


def test_nobody_of_a_public_workforce_is_on_a_roster() -> None:
    with pytest.raises(InvalidPolicyError, match=r"review\.requires_roster must be false for a public"):
        policy(
            review__public_workforce=True, review__requires_roster=True, data__class="free-of-personal-data"
        )


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
    ("routing__spot_check_two_reader_share", 1.1, "routing.spot_check_two_reader_share must be a number in"),
    ("review__two_person", "yes", "review.two_person must be true or false, got 'yes'"),
    ("review__second_flow_definition_arn", "arn:x", "review.second_flow_definition_arn must be a text"),
    ("review__escalation_flow_definition_arn", "", "review.escalation_flow_definition_arn must be a text"),
    ("review__merge", "average", "review.merge must be one of unanimous, majority, first, got 'average'"),
    ("review__merge", ["first"], "review.merge must be one of unanimous, majority, first"),
    ("review__requires_roster", 1, "review.requires_roster must be true or false, got 1"),
    ("review__authority", "input.", "review.authority must be a JMESPath expression"),
    ("review__conflict_key", 7, "review.conflict_key must be a JMESPath expression of 1 to 1024"),
    ("review__authority", "input.a", "review.authority must be left out while review.requires_roster is"),
    ("review__conflict_key", "input.a", "review.conflict_key must be left out while review.requires_roster"),
    ("review__statement", LONG, "review.statement must be a text of 1 to 1000 characters"),
    ("review__queue", "team", "review.queue must be an object, got 'team'"),
    ("review__queue", {}, "review.queue.name is missing"),
    ("review__queue", {"name": "Team"}, "review.queue.name must be a text"),
    ("review__queue", {"name": "t", "max_open": 0}, "review.queue.max_open must be a whole number from 1"),
    ("review__queue", {"name": "t", "max_waiting": 1.5}, "review.queue.max_waiting must be a whole number"),
    ("review__queue", {"name": "t", "size": 3}, "review.queue.size is unknown, allowed are name, max_open"),
    ("delivery", {"webhook": "https://x"}, "delivery.webhook must be true or false, got 'https://x'"),
    ("delivery", {"email": True}, "delivery.email is unknown, allowed are webhook, feedback"),
    ("data__subject", "input..id", "data.subject must be a JMESPath expression"),
    ("data__subject", 7, "data.subject must be a JMESPath expression"),
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
