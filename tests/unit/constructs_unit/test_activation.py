"""Activation conditions render to the flat parameters of A2I's JSON schema, and refuse what it refuses."""

import json
import math
from decimal import Decimal

import pytest

from overread_constructs import (
    Activation,
    AllOf,
    AnyOf,
    Confidence,
    FormKeyConfidence,
    FormKeyMissing,
    ModerationLabelConfidence,
    RandomSample,
    RekognitionActivation,
    TextractActivation,
)

MISSING = FormKeyMissing(key="Total")


def test_textract_conditions_render_with_flat_parameters() -> None:
    activation = TextractActivation(
        (
            AnyOf(
                (
                    FormKeyConfidence(
                        key="Total",
                        aliases=("Amount due",),
                        key_value_block=Confidence(less_than=85),
                        word_block=Confidence(less_than=80),
                    ),
                    FormKeyMissing(key="Total", aliases=("Amount due",)),
                )
            ),
            RandomSample(percentage=Decimal("5.0")),
        )
    )
    assert activation.faults() == []
    assert json.loads(activation.render()) == {
        "Conditions": [
            {
                "Or": [
                    {
                        "ConditionType": "ImportantFormKeyConfidenceCheck",
                        "ConditionParameters": {
                            "ImportantFormKey": "Total",
                            "ImportantFormKeyAliases": ["Amount due"],
                            "KeyValueBlockConfidenceLessThan": 85,
                            "WordBlockConfidenceLessThan": 80,
                        },
                    },
                    {
                        "ConditionType": "MissingImportantFormKey",
                        "ConditionParameters": {
                            "ImportantFormKey": "Total",
                            "ImportantFormKeyAliases": ["Amount due"],
                        },
                    },
                ]
            },
            {"ConditionType": "Sampling", "ConditionParameters": {"RandomSamplingPercentage": 5}},
        ]
    }


def test_a_range_of_confidence_renders_as_two_conditions() -> None:
    activation = RekognitionActivation(
        (
            AllOf(
                (
                    ModerationLabelConfidence(
                        label="Violence", confidence=Confidence(greater_than_equals=50)
                    ),
                    ModerationLabelConfidence(label="Violence", confidence=Confidence(less_than=90.5)),
                )
            ),
        )
    )
    assert activation.faults() == []
    assert activation.render() == (
        '{"Conditions":[{"And":['
        '{"ConditionType":"ModerationLabelConfidenceCheck","ConditionParameters":'
        '{"ModerationLabelName":"Violence","ConfidenceGreaterThanEquals":50}},'
        '{"ConditionType":"ModerationLabelConfidenceCheck","ConditionParameters":'
        '{"ModerationLabelName":"Violence","ConfidenceLessThan":90.5}}]}]}'
    )


def test_each_comparison_has_its_own_parameter() -> None:
    every = Confidence(equals=1, less_than=2, less_than_equals=3, greater_than=4, greater_than_equals=5)
    assert every.parameters(prefix="") == {
        "ConfidenceEquals": 1,
        "ConfidenceLessThan": 2,
        "ConfidenceLessThanEquals": 3,
        "ConfidenceGreaterThan": 4,
        "ConfidenceGreaterThanEquals": 5,
    }


def test_no_condition_means_that_every_request_is_reviewed() -> None:
    assert TextractActivation().faults() == []
    assert TextractActivation().render() == '{"Conditions":[]}'


@pytest.mark.parametrize(
    ("activation", "message"),
    [
        (
            TextractActivation((AnyOf((MISSING,)),)),
            "conditions[0]: AnyOf must join at least 2 conditions, got 1",
        ),
        (
            TextractActivation((AnyOf((MISSING, AllOf((MISSING, AnyOf((MISSING, MISSING)))))),)),
            "AnyOf[1].AllOf[1]: AnyOf and AllOf must nest at most 2 levels deep, got AnyOf at level 3",
        ),
        (
            TextractActivation((FormKeyMissing(key=""),)),
            "conditions[0].key must name a key of the form, got ''",
        ),
        (
            TextractActivation((FormKeyConfidence(key="", word_block=Confidence(equals=1)),)),
            "conditions[0].key must name a key of the form or be '*', got ''",
        ),
        (
            TextractActivation((FormKeyConfidence(key="*"),)),
            "conditions[0] must have key_value_block or word_block, got neither",
        ),
        (
            TextractActivation((FormKeyConfidence(key="*", key_value_block=Confidence()),)),
            "key_value_block must compare the confidence with at least one number, got none",
        ),
        (
            TextractActivation((FormKeyConfidence(key="*", word_block=Confidence(less_than=101)),)),
            "conditions[0].word_block.less_than must be 0 to 100, got 101",
        ),
        (
            RekognitionActivation((ModerationLabelConfidence(label="", confidence=Confidence(equals=1)),)),
            "conditions[0].label must name a moderation label or be '*', got ''",
        ),
        (
            RekognitionActivation(
                (ModerationLabelConfidence(label="*", confidence=Confidence(equals=math.nan)),)
            ),
            "conditions[0].confidence.equals must be 0 to 100, got nan",
        ),
        (
            RekognitionActivation((MISSING,)),
            "conditions[0] must be one of ModerationLabelConfidence, RandomSample, got FormKeyMissing",
        ),
        (
            TextractActivation((ModerationLabelConfidence(label="*", confidence=Confidence(equals=1)),)),
            "must be one of FormKeyConfidence, FormKeyMissing, RandomSample, got ModerationLabelConfidence",
        ),
        (
            TextractActivation((RandomSample(percentage=0.001),)),
            "conditions[0].percentage must be 0.01 to 100, got 0.001",
        ),
        (TextractActivation((RandomSample(percentage=math.nan),)), "percentage must be 0.01 to 100, got nan"),
        (
            TextractActivation(tuple(FormKeyMissing(key="k" * 1000) for _ in range(11))),
            "activation must render to at most 10,240 characters, got 12,006",
        ),
    ],
    ids=lambda value: str(value)[-60:] if isinstance(value, str) else "",
)
def test_a_faulty_condition_is_named_by_its_place(activation: Activation, message: str) -> None:
    (fault,) = activation.faults()
    assert message in fault


def test_a_nested_pair_of_levels_is_allowed() -> None:
    activation = TextractActivation((AnyOf((MISSING, AllOf((MISSING, RandomSample(percentage=1))))),))
    assert activation.faults() == []
