"""A model's card: what it reads, how it does on records it never saw, what a threshold sends to people."""

from __future__ import annotations

from typing import Any

import numpy as np

from example_models.use_case import TrainedModel

THRESHOLDS = (0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99)
BINS = 10


def model_card(model: TrainedModel, *, archive_sha256: str) -> dict[str, Any]:
    """The card as a JSON document; every figure is of the held-out records."""
    truth = np.array([record.truth for record in model.held_out])
    labels = np.array(model.labels)
    confidence = model.held_out_probabilities.max(axis=1)
    right = labels[model.held_out_probabilities.argmax(axis=1)] == truth
    of_truth = model.held_out_probabilities[np.arange(len(truth)), np.searchsorted(labels, truth)]
    largest_class = max(np.mean(truth == label) for label in labels)
    return {
        "use_case": model.use_case,
        "labels": list(model.labels),
        "features": [feature["field"] for feature in model.document["features"]],
        "withheld": list(model.withheld),
        "origin": model.origin,
        "archive_sha256": archive_sha256,
        "records": {"training": len(model.training), "held_out": len(model.held_out)},
        "held_out": {
            "accuracy": _rounded(right.mean()),
            "accuracy_of_the_most_frequent_label": _rounded(largest_class),
            "log_loss": _rounded(-np.log(of_truth).mean()),
            "expected_calibration_error": _rounded(calibration_error(confidence, right)),
        },
        "thresholds": [
            {
                "threshold": threshold,
                "share_to_people": _rounded((confidence < threshold).mean()),
                "accuracy_of_automatic": _rounded(right[confidence >= threshold].mean())
                if (confidence >= threshold).any()
                else None,
            }
            for threshold in THRESHOLDS
        ],
    }


def calibration_error(confidence: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> float:
    """Expected calibration error over ten equal bins: mean |accuracy - confidence|, by share of records.

    Reference: Naeini, Cooper and Hauskrecht 2015, AAAI, section "Calibration metrics".
    """
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [
        np.mean(bins == b) * abs(right[bins == b].mean() - confidence[bins == b].mean())
        for b in np.unique(bins)
    ]
    return float(sum(gaps))


def _rounded(value: Any) -> float:
    return round(float(value), 4)
