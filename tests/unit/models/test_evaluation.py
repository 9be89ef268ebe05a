"""Held-out records stay apart from training, the confidence means what it says, and the card reports it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_models import loan_approval
from example_models.card import calibration_error
from example_models.use_case import TrainedModel

LEAST_ACCURACY = {"digit-reading": 0.97, "loan-approval": 0.73, "tumor-screening": 0.95}
USE_CASES = tuple(LEAST_ACCURACY)


@pytest.mark.parametrize("use_case", USE_CASES)
def test_models_are_worth_asking(packed: Path, use_case: str) -> None:
    card = json.loads((packed / f"{use_case}.card.json").read_text())
    assert card["held_out"]["accuracy"] >= LEAST_ACCURACY[use_case]
    assert card["held_out"]["accuracy"] > card["held_out"]["accuracy_of_the_most_frequent_label"]


@pytest.mark.parametrize("use_case", USE_CASES)
def test_confidence_is_a_probability_of_being_right(
    trained: Mapping[str, TrainedModel], use_case: str
) -> None:
    confidence, right = _held_out(trained[use_case])
    assert calibration_error(confidence, right) < 0.06
    assert right[confidence >= 0.9].mean() > right[confidence < 0.9].mean() + 0.1


def test_calibration_error_by_hand() -> None:
    # bin [0.6, 0.7): one of two right, mean confidence 0.65, gap 0.15; bin [0.9, 1]: both right, gap 0.05
    confidence = np.array([0.62, 0.68, 0.90, 1.00])
    right = np.array([True, False, True, True])
    assert calibration_error(confidence, right) == pytest.approx(0.5 * 0.15 + 0.5 * 0.05)


@pytest.mark.parametrize("use_case", USE_CASES)
def test_card_counts_what_a_threshold_sends_to_people(
    trained: Mapping[str, TrainedModel], packed: Path, use_case: str
) -> None:
    card = json.loads((packed / f"{use_case}.card.json").read_text())
    confidence, right = _held_out(trained[use_case])
    for row in card["thresholds"]:
        automatic = right[confidence >= row["threshold"]]
        assert row["share_to_people"] == pytest.approx(1 - len(automatic) / len(right), abs=1e-4)
        if len(automatic):
            assert row["accuracy_of_automatic"] == pytest.approx(automatic.mean(), abs=1e-4)
        else:
            assert row["accuracy_of_automatic"] is None


@pytest.mark.parametrize("use_case", USE_CASES)
def test_records_are_the_held_out_ones_with_their_truth(
    trained: Mapping[str, TrainedModel], packed: Path, use_case: str
) -> None:
    model = trained[use_case]
    lines = [json.loads(line) for line in (packed / f"{use_case}.records.jsonl").read_text().splitlines()]
    assert {frozenset(line) for line in lines} == {frozenset({"reference", "input", "truth"})}
    references = [line["reference"] for line in lines]
    assert len(set(references)) == len(references) == len(model.held_out)
    assert not set(references) & {record.reference for record in model.training}
    assert {line["truth"] for line in lines} == set(model.labels)


def test_german_credit_is_the_published_data() -> None:
    records = loan_approval.read_records()
    amounts = [record.input["amount"] for record in records]
    assert len(records) == 1000
    assert sum(record.truth == "approve" for record in records) == 700
    assert sum(int(str(amount)) for amount in amounts) == 3_271_258
    assert (amounts[0], records[0].input["duration_months"], records[0].input["age"]) == (1169, 6, 67)
    assert sum(record.input["purpose"] == "new car" for record in records) == 234
    assert sum(record.input["checking_account"] == "no checking account" for record in records) == 394
    assert sum(record.input["foreign_worker"] == "yes" for record in records) == 963
    assert sum(record.input["sex"] == "female" for record in records) == 310
    assert sum(record.input["telephone"] == "none" for record in records) == 596


def test_loan_records_carry_the_withheld_columns_for_the_router_to_remove(packed: Path) -> None:
    line = json.loads((packed / "loan-approval.records.jsonl").read_text().splitlines()[0])
    assert {"sex", "age", "foreign_worker"} < set(line["input"])


def _held_out(model: TrainedModel) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    truth = np.array([record.truth for record in model.held_out])
    right = np.array(model.labels)[model.held_out_probabilities.argmax(axis=1)] == truth
    return model.held_out_probabilities.max(axis=1), right
