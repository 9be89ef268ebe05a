"""Scored predictions with their truth: what every threshold, curve and calibration is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from overread.errors import InvalidDataError
from overread.risk.columns import (
    ColumnFaults,
    codes_of,
    length_of,
    names_of,
    note_duplicates,
    note_lengths,
    probabilities_of,
    truths_of,
)

_SLACK = 1e-3  # what rounding to few digits, or single precision, leaves
_DIMENSIONS = 2
_Element = TypeVar("_Element", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Scores:
    """n predictions: confidence (n,) in [0, 1], whether the predicted label is right (n,), and what is known
    of each: predicted label, true label, and a group (region, product, …) to be certified for itself.
    """

    confidence: NDArray[np.float64]
    is_correct: NDArray[np.bool_]
    label: tuple[str, ...] | None = None
    truth: tuple[str, ...] | None = None
    group: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return int(self.confidence.size)

    def take(self, rows: NDArray[Any]) -> "Scores":
        """The predictions at `rows`: indices or a mask."""
        chosen = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows

        def of(names: tuple[str, ...] | None) -> tuple[str, ...] | None:
            return None if names is None else tuple(names[row] for row in chosen.tolist())

        return Scores(
            confidence=self.confidence[chosen],
            is_correct=self.is_correct[chosen],
            label=of(self.label),
            truth=of(self.truth),
            group=of(self.group),
        )


def scores(
    confidence: Any,
    correct: Any,
    *,
    ids: Any = None,
    label: Any = None,
    truth: Any = None,
    group: Any = None,
) -> Scores:
    """Scores of columns: lists, arrays or data-frame columns, as numbers and booleans or as texts.

    Raises:
        InvalidDataError: all faults of all columns together, with their rows.
    """
    given = {
        "confidence": confidence,
        "correct": correct,
        "id": ids,
        "label": label,
        "truth": truth,
        "group": group,
    }
    columns = {
        name: values if hasattr(values, "__len__") else list(values)
        for name, values in given.items()
        if values is not None
    }
    faults = ColumnFaults()
    _require(columns, faults=faults)
    found = Scores(
        confidence=_frozen(probabilities_of(columns["confidence"], name="confidence", faults=faults)),
        is_correct=_frozen(truths_of(columns["correct"], name="correct", faults=faults)),
        label=_names(columns, name="label", faults=faults),
        truth=_names(columns, name="truth", faults=faults),
        group=_names(columns, name="group", faults=faults),
    )
    if "id" in columns:
        note_duplicates(names_of(columns["id"], name="id", faults=faults), name="id", faults=faults)
    if faults.found:
        raise InvalidDataError(faults.found)
    return found


def scores_of_probabilities(
    probabilities: ArrayLike, truth: Any, *, classes: Sequence[str], ids: Any = None, group: Any = None
) -> Scores:
    """Scores of class probabilities (n, K) and true labels: the label is the most probable class (of equal
    ones the first in `classes`), the confidence its probability. `truth` holds classes, not their numbers.

    Raises:
        InvalidDataError: rows that do not sum to one within 0.001, entries outside [0, 1] or NaN, labels that
            are no class, another number of columns than classes, repeated classes.
    """
    faults = ColumnFaults()
    matrix = probability_matrix(probabilities, classes=len(classes), faults=faults)
    codes = codes_of(truth, name="truth", classes=classes, faults=faults)
    note_lengths([("probabilities", len(matrix)), ("truth", len(codes))], faults=faults)
    if faults.found:
        raise InvalidDataError(faults.found)
    best = matrix.argmax(axis=1)
    names = np.array(classes, dtype=object)
    return scores(
        matrix[np.arange(len(matrix)), best],
        best == codes,
        ids=ids,
        label=names[best],
        truth=names[codes],
        group=group,
    )


def probability_matrix(
    probabilities: ArrayLike, *, classes: int, faults: ColumnFaults
) -> NDArray[np.float64]:
    """The probabilities as an array (n, K); where that cannot be, one without rows, and a fault noted."""
    try:
        matrix = np.asarray(probabilities, dtype=np.float64)
    except (TypeError, ValueError):
        faults.add("probabilities must be numbers, one row a case and one column a class")
        return np.empty((0, classes))
    if matrix.ndim != _DIMENSIONS or matrix.shape[1] != classes:
        faults.add(f"probabilities must have {classes} columns, one a class, got shape {matrix.shape}")
        return np.empty((0, classes))
    is_nan = np.asarray(np.isnan(matrix).any(axis=1))
    faults.add_rows("probabilities must be numbers, got NaN", is_nan)
    is_outside = np.asarray(((matrix < -_SLACK) | (matrix > 1 + _SLACK)).any(axis=1))
    faults.add_rows("probabilities must lie in [0, 1]", is_outside)
    sums = matrix.sum(axis=1)
    is_off = ~is_nan & ~is_outside & (np.abs(sums - 1) > _SLACK)
    faults.add_rows(
        "probabilities of a row must sum to one",
        is_off,
        example=float(sums[is_off][0]) if is_off.any() else None,
    )
    return np.clip(matrix, 0.0, 1.0)


def _require(columns: dict[str, Any], *, faults: ColumnFaults) -> None:
    lengths = [(name, length_of(values)) for name, values in columns.items()]
    if not note_lengths(lengths, faults=faults):
        raise InvalidDataError(faults.found)


def _names(columns: dict[str, Any], *, name: str, faults: ColumnFaults) -> tuple[str, ...] | None:
    return names_of(columns[name], name=name, faults=faults) if name in columns else None


def _frozen(values: NDArray[_Element]) -> NDArray[_Element]:
    copy = values.copy()
    copy.flags.writeable = False
    return copy
