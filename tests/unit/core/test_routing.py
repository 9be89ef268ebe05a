"""The route of a case: any doubt goes to people, and says which."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.routing.policy import PolicyGuarantee, UseCasePolicy
from overread.routing.prediction import Prediction, Reading, endpoint_failed, read_reply, read_values
from overread.routing.route import Decider, Route, route, visible_part
from overread.routing.spot_check import is_spot_check, spot_check_position
from overread_testing.decision_builders import policy

KEY = b"0123456789abcdef"
LIVE = policy()


def route_of(reading: Reading, *, by: UseCasePolicy = LIVE, visible: dict[str, Any] | None = None) -> Route:
    return route(
        by, decision_id="d-1", visible_input=visible or {"amount": 500}, reading=reading, spot_check_key=KEY
    )


def codes(chosen: Route) -> list[str]:
    return [reason.code for reason in chosen.reasons]


def reading(label: object = "approve", confidence: object = 0.95) -> Reading:
    return read_values(label=label, confidence=confidence, labels=LIVE.review.labels)


def test_a_confident_prediction_is_left_to_the_model_without_reasons() -> None:
    chosen = route_of(reading())
    assert (chosen.to, chosen.reasons, chosen.is_spot_check) == (Decider.MODEL, (), False)


def test_confidence_equal_to_the_threshold_is_enough() -> None:
    assert route_of(reading(confidence=0.9)).to is Decider.MODEL
    assert route_of(reading(confidence=math.nextafter(0.9, 0))).to is Decider.HUMAN


def test_low_confidence_tells_threshold_and_confidence() -> None:
    (reason,) = route_of(reading(confidence=0.71)).reasons
    assert reason.document() == {"code": "confidence_below_threshold", "threshold": 0.9, "confidence": 0.71}


def test_even_a_prediction_that_holds_nan_is_never_left_to_the_model() -> None:
    chosen = route_of(Reading(Prediction(label="approve", confidence=math.nan)))
    assert (chosen.to, codes(chosen)) == (Decider.HUMAN, ["confidence_below_threshold"])


def test_a_label_threshold_beats_the_general_one_both_ways() -> None:
    by = policy(routing__label_thresholds={"approve": 0.99, "decline": 0.5})
    assert route_of(reading("approve", 0.95), by=by).to is Decider.HUMAN
    assert route_of(reading("decline", 0.6), by=by).to is Decider.MODEL


@pytest.mark.parametrize(
    ("confidence", "code"),
    [
        (math.nan, "confidence_not_finite"),
        (math.inf, "confidence_not_finite"),
        (-math.inf, "confidence_not_finite"),
        (None, "confidence_missing"),
        (True, "confidence_not_a_number"),
        ("0.99", "confidence_not_a_number"),
        ([0.99], "confidence_not_a_number"),
        ({}, "confidence_not_a_number"),
        (1.0000001, "confidence_out_of_range"),
        (-0.1, "confidence_out_of_range"),
        (99, "confidence_out_of_range"),
        (10**400, "confidence_out_of_range"),
    ],
)
def test_an_abnormal_confidence_goes_to_a_human(confidence: object, code: str) -> None:
    chosen = route_of(reading(confidence=confidence))
    assert (chosen.to, codes(chosen)) == (Decider.HUMAN, [code])


@pytest.mark.parametrize(
    ("label", "code"),
    [
        (None, "label_missing"),
        ("maybe", "label_unknown"),
        (7, "label_not_text"),
        (["approve"], "label_not_text"),
    ],
)
def test_an_abnormal_label_goes_to_a_human(label: object, code: str) -> None:
    chosen = route_of(reading(label=label))
    assert (chosen.to, codes(chosen)) == (Decider.HUMAN, [code])


@pytest.mark.parametrize(
    "reply",
    [b"", b"oops", b"{", b"\xff", b"[" * 100_000],
)
def test_a_malformed_reply_goes_to_a_human(reply: bytes) -> None:
    read = read_reply(reply, label=LIVE.label, confidence=LIVE.confidence, labels=LIVE.review.labels)
    assert codes(route_of(read)) == ["reply_malformed"]


@pytest.mark.parametrize("reply", [b"[]", b"null", b"7", b'"approve"', b"{}"])
def test_a_reply_of_another_shape_goes_to_a_human(reply: bytes) -> None:
    read = read_reply(reply, label=LIVE.label, confidence=LIVE.confidence, labels=LIVE.review.labels)
    assert codes(route_of(read)) == ["label_missing", "confidence_missing"]


def test_nan_as_python_servers_write_it_goes_to_a_human() -> None:
    reply = b'{"label": "approve", "confidence": NaN}'
    read = read_reply(reply, label=LIVE.label, confidence=LIVE.confidence, labels=LIVE.review.labels)
    assert codes(route_of(read)) == ["confidence_not_finite"]


def test_a_label_that_cannot_be_written_is_recorded_in_a_form_that_can() -> None:
    (reason,) = reading(label="\ud800" + "x" * 5000).faults
    text = str(reason.detail["got"])
    assert text.encode()
    assert len(text) == 64


def test_an_endpoint_error_goes_to_a_human_with_its_code() -> None:
    (reason,) = route_of(endpoint_failed("ModelError")).reasons
    assert reason.document() == {"code": "endpoint_error", "error": "ModelError"}


@given(st.floats(allow_nan=True, allow_infinity=True) | st.integers(), st.floats(0, 1))
def test_the_model_decides_exactly_when_a_sound_confidence_reaches_the_threshold(
    confidence: float, threshold: float
) -> None:
    chosen = route_of(reading(confidence=confidence), by=policy(routing__threshold=threshold))
    is_sound = 0 <= confidence <= 1
    assert (chosen.to is Decider.MODEL) == (is_sound and confidence >= threshold)
    assert bool(chosen.reasons) == (chosen.to is Decider.HUMAN)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["label", "confidence"]), inner)
    ),
)


@given(JSON)
def test_no_reply_whatsoever_breaks_the_router(document: object) -> None:
    read = read_reply(
        json.dumps(document).encode(),
        label=LIVE.label,
        confidence=LIVE.confidence,
        labels=LIVE.review.labels,
    )
    chosen = route_of(read)
    assert bool(chosen.reasons) == (chosen.to is Decider.HUMAN)


def rules(*expressions: str) -> UseCasePolicy:
    return policy(routing__rules=[{"name": f"r{i}", "when": when} for i, when in enumerate(expressions)])


def test_a_rule_that_holds_goes_to_a_human_by_name() -> None:
    chosen = route_of(reading(), by=rules("input.amount > `100`", "prediction.label == 'decline'"))
    assert [reason.document() for reason in chosen.reasons] == [{"code": "rule", "rule": "r0"}]


def test_a_rule_that_does_not_hold_leaves_the_case_to_the_model() -> None:
    assert route_of(reading(), by=rules("input.amount > `1000`")).to is Decider.MODEL


@pytest.mark.parametrize("when", ["input.amount", "input.missing > `3`", "input.missing", "'true'", "`1`"])
def test_a_rule_without_a_clear_verdict_goes_to_a_human(when: str) -> None:
    chosen = route_of(reading(), by=rules(when))
    assert [reason.document() for reason in chosen.reasons] == [{"code": "rule_not_boolean", "rule": "r0"}]


@pytest.mark.parametrize("when", ["length(input.amount) > `1`", "unknown_function(input)", "abs(input)"])
def test_a_rule_that_fails_goes_to_a_human(when: str) -> None:
    chosen = route_of(reading(), by=rules(when))
    assert [reason.document() for reason in chosen.reasons] == [{"code": "rule_error", "rule": "r0"}]


def test_rules_are_applied_even_without_a_prediction_and_all_reasons_are_told() -> None:
    by = policy(
        routing__rules=[{"name": "high", "when": "input.amount > `100`"}],
        routing__always_review=True,
        routing__spot_check_probability=1,
    )
    chosen = route_of(endpoint_failed("ModelError"), by=by)
    assert codes(chosen) == ["endpoint_error", "always_review", "rule", "spot_check"]


def test_always_review_sends_everything_to_people() -> None:
    assert codes(route_of(reading(), by=policy(routing__always_review=True))) == ["always_review"]


def test_a_spot_check_is_recorded_with_its_probability_whether_drawn_or_not() -> None:
    drawn = route_of(reading(), by=policy(routing__spot_check_probability=1))
    assert (codes(drawn), drawn.is_spot_check_only, drawn.is_spot_check) == (["spot_check"], True, True)
    assert drawn.reasons[0].document() == {"code": "spot_check", "probability": 1.0}
    spared = route_of(reading(), by=policy(routing__spot_check_probability=1e-12))
    assert (spared.to, spared.is_spot_check, spared.spot_check_probability) == (Decider.MODEL, False, 1e-12)


def test_a_doubtful_case_that_is_also_drawn_is_no_mere_spot_check() -> None:
    chosen = route_of(reading(confidence=0.1), by=policy(routing__spot_check_probability=1))
    assert chosen.is_spot_check
    assert not chosen.is_spot_check_only


def readers(*, probability: float, share: float, cases: int = 4000) -> list[int]:
    """How many people read each of many cases that the model is sure of."""
    by = policy(routing__spot_check_probability=probability, routing__spot_check_two_reader_share=share)
    return [
        route(by, decision_id=f"d-{i}", visible_input={}, reading=reading(), spot_check_key=KEY).readers
        for i in range(cases)
    ]


def test_a_stated_share_of_the_spot_checks_is_read_by_two() -> None:
    # Binomial with n = 4,000 and p = 0.25: mean 1000, standard deviation 27.4; five of them are 137.
    assert abs(readers(probability=1, share=0.25).count(2) - 1000) < 137
    # Half of 4,000 are drawn, and of these again a half: a quarter only if the draws are independent.
    assert abs(readers(probability=0.5, share=0.5).count(2) - 1000) < 137


def test_only_spot_checks_are_read_by_two_for_that_reason() -> None:
    assert set(readers(probability=0, share=1, cases=50)) == {1}
    assert set(readers(probability=1, share=0, cases=50)) == {1}
    assert set(readers(probability=1, share=1, cases=50)) == {2}


def test_a_doubtful_case_that_is_drawn_is_read_by_two_as_well() -> None:
    by = policy(routing__spot_check_probability=1, routing__spot_check_two_reader_share=1)
    assert route_of(reading(confidence=0.1), by=by).readers == 2
    assert route_of(endpoint_failed("ModelError"), by=by).readers == 2


@given(st.text(alphabet="abc234", min_size=1))
def test_a_retry_draws_the_same_and_another_key_draws_anew(decision_id: str) -> None:
    position = spot_check_position(KEY, decision_id=decision_id)
    assert position == spot_check_position(KEY, decision_id=decision_id)
    assert 0 <= position < 1
    assert position != spot_check_position(b"another", decision_id=decision_id)


def test_the_drawn_share_is_the_probability() -> None:
    # Binomial with n = 20,000 and p = 0.02: mean 400, standard deviation 19.8; five of them are 99.
    drawn = sum(is_spot_check(KEY, decision_id=f"d-{i}", probability=0.02) for i in range(20_000))
    assert abs(drawn - 400) < 99


def test_withheld_fields_are_not_in_the_visible_part() -> None:
    document = {"amount": 1, "sex": "f", "age": 3}
    assert visible_part(document, withheld=("sex", "age")) == {"amount": 1}
    assert document == {"amount": 1, "sex": "f", "age": 3}


def test_a_rule_cannot_see_what_is_withheld() -> None:
    by = rules("input.sex == 'f'")
    chosen = route_of(reading(), by=by, visible=visible_part({"sex": "f"}, withheld=("sex",)))
    assert chosen.to is Decider.MODEL


def test_a_label_that_a_guarantee_by_label_does_not_know_goes_to_people_however_sure() -> None:
    by_label = policy(routing__label_thresholds={"decline": 0.9}, routing__threshold=1.0)
    assert (
        route_of(reading(confidence=1.0), by=by_label).to is Decider.MODEL
    )  # no guarantee: as it is written
    terms = PolicyGuarantee(
        id="g-x",
        alpha=0.05,
        delta=0.05,
        threshold=1.0,
        label_thresholds={"decline": 0.9},
        coverage=0.8,
        model_version="m",
        reference="one-reader",
    )
    guaranteed = replace(by_label, guarantee=terms)
    unseen = route_of(reading("approve", 1.0), by=guaranteed)
    assert (unseen.to, codes(unseen)) == (Decider.HUMAN, ["confidence_below_threshold"])
    assert route_of(reading("decline", 0.95), by=guaranteed).to is Decider.MODEL
