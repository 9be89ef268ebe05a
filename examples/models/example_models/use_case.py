"""What the three example models share: records, a fitted estimator, and the same model as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Record:
    """One case: what a caller sends as `input`, and the truth that only the evaluation knows."""

    reference: str
    input: Mapping[str, object]
    truth: str


@dataclass(frozen=True)
class TrainedModel:
    """A fitted estimator with its held-out records.

    `document` is `model.json`: the very same model as numbers. `held_out_probabilities` are scikit-learn's
    own predictions for `held_out`, shape (records, labels), columns in the order of `labels`.
    """

    use_case: str
    labels: Sequence[str]
    document: Mapping[str, Any]
    training: Sequence[Record]
    held_out: Sequence[Record]
    held_out_probabilities: Numbers
    origin: str
    withheld: Sequence[str] = ()


def model_document(
    *,
    use_case: str,
    labels: Sequence[str],
    features: Sequence[Mapping[str, Any]],
    layers: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The content of `model.json`."""
    return {
        "schema": 1,
        "use_case": use_case,
        "labels": [str(label) for label in labels],
        "features": list(features),
        "layers": list(layers),
    }


def dense_layer(weights: Numbers, biases: Numbers, *, activation: str = "identity") -> dict[str, Any]:
    """A layer `inputs @ weights + biases`; weights of shape (inputs, outputs)."""
    return {"weights": weights.tolist(), "biases": biases.tolist(), "activation": activation}


def two_label_layer(coefficients: Numbers, intercept: float) -> dict[str, Any]:
    """Binary logistic regression as a layer of two outputs: softmax(0, z) is the logistic function of z."""
    weights = np.stack([np.zeros_like(coefficients), coefficients], axis=1)
    return dense_layer(weights, np.array([0.0, intercept]))
