"""Scores: whatever columns callers have, and a clear sentence with rows for whatever is wrong in them."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from overread.errors import InvalidDataError
from overread.risk.scores import scores, scores_of_probabilities


def _faults(*columns: object, **named: object) -> tuple[str, ...]:
    with pytest.raises(InvalidDataError) as refused:
        scores(*columns, **named)
    return refused.value.faults


@pytest.mark.parametrize(
    ("confidence", "correct"),
    [
        ([0.5, 1, 0], [True, False, True]),
        (np.array([0.5, 1, 0]), np.array([1, 0, 1])),
        (["0.5", "1", "0"], ["true", "False", "1"]),
        (pd.Series([0.5, 1, 0]), pd.Series([1.0, 0.0, 1.0])),
        (pa.array([0.5, 1, 0]), pa.array([True, False, True])),
        (iter([0.5, 1, 0]), (each for each in (1, 0, 1))),
    ],
    ids=["lists", "arrays", "texts", "pandas", "arrow", "iterators"],
)
def test_columns_of_every_kind(confidence: object, correct: object) -> None:
    found = scores(confidence, correct)
    assert found.confidence.tolist() == [0.5, 1, 0]
    assert found.is_correct.tolist() == [True, False, True]
    assert len(found) == 3


def test_labels_may_be_numbers_and_are_texts_afterwards() -> None:
    found = scores([0.5, 0.6], [1, 0], label=[3, 4], truth=np.array([3, 5]), group=pd.Series(["a", "b"]))
    assert (found.label, found.truth, found.group) == (("3", "4"), ("3", "5"), ("a", "b"))


def test_scores_cannot_be_changed_and_do_not_change_with_what_they_were_made_of() -> None:
    confidence = np.array([0.5, 0.6])
    found = scores(confidence, [1, 0])
    confidence[0] = 0.9
    assert found.confidence[0] == 0.5
    with pytest.raises(ValueError, match="read-only"):
        found.confidence[0] = 1


def test_all_faults_are_told_together_with_their_rows() -> None:
    assert _faults(
        [0.5, 1.2, float("nan"), -0.1],
        [1, 0, 2, 1],
        ids=["a", "b", "a", "c"],
        label=["x", None, "y", ""],
    ) == (
        "confidence must be a number, got NaN (row 3)",
        "confidence must be a probability in [0, 1], got 1.2 (rows 2, 4)",
        "correct must be true or false (1 or 0), got 2 (row 3)",
        "label is missing (rows 2, 4)",
        "id must be unique, got 'a' (row 3)",
    )


def test_of_many_rows_at_fault_the_first_five_are_named() -> None:
    assert _faults([2.0] * 1_007, [1] * 1_007) == (
        "confidence must be a probability in [0, 1], got 2 (rows 1, 2, 3, 4, 5 and 1,002 more)",
    )


def test_texts_among_numbers() -> None:
    assert _faults([0.5, "high", None, 7], [1, 0, 1, 1]) == (
        "confidence must be of one type, got texts and numbers mixed (row 2)",
        "confidence must be a number (row 3)",
        "confidence must be a probability in [0, 1], got 7 (row 4)",
    )
    assert _faults([0.5, 0.6, 0.7], [1, "yes", 0]) == (
        "correct must be of one type, got texts and numbers mixed (row 2)",
    )
    assert _faults([0.5, 0.6, 0.7], [1, 1, 0], group=["a", 2, "b"]) == (
        "group must be of one type, got texts and numbers mixed (row 2)",
    )


def test_texts_that_are_no_numbers_or_truths() -> None:
    assert _faults(["0.5", "high"], ["true", "maybe"]) == (
        "confidence must be a number, got 'high' (row 2)",
        "correct must be true or false (1 or 0), got 'maybe' (row 2)",
    )
    assert _faults([True, False], [1, 0]) == ("confidence must be a number, got true and false",)


def test_columns_of_different_length_and_no_rows() -> None:
    assert _faults([0.5, 0.6], [1], group=["a", "b"]) == (
        "columns must be equally long, got confidence 2, correct 1, group 2",
    )
    assert _faults([], []) == ("confidence must have at least one row, got none",)


def test_a_fraction_is_no_label() -> None:
    assert _faults([0.5, 0.6], [1, 1], label=np.array([2.0, 0.5])) == (
        "label must be a text or a whole number, got 0.5 (row 2)",
    )


def test_missing_values_of_pandas_columns() -> None:
    assert _faults(
        pd.Series([0.5, None], dtype="Float64"), [1, 1], group=pd.Series(["a", None], dtype="string")
    ) == ("confidence must be a number, got NaN (row 2)", "group is missing (row 2)")


def test_the_most_probable_class_is_the_label_and_of_equal_ones_the_first() -> None:
    found = scores_of_probabilities(
        [[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]], ["yes", "yes", "no"], classes=["no", "yes"]
    )
    assert found.label == ("yes", "no", "no")
    assert found.truth == ("yes", "yes", "no")
    assert found.confidence.tolist() == [0.8, 0.5, 0.9]
    assert found.is_correct.tolist() == [True, False, True]


def test_relabelling_the_classes_changes_nothing_but_names() -> None:
    rng = np.random.default_rng(1)
    matrix = rng.dirichlet([1, 1, 1], 50)
    truth = rng.integers(0, 3, 50)
    classes = np.array(["a", "b", "c"])
    one = scores_of_probabilities(matrix, classes[truth], classes=classes.tolist())
    order = [2, 0, 1]
    other = scores_of_probabilities(matrix[:, order], classes[truth], classes=classes[order].tolist())
    assert other.label == one.label
    assert other.confidence.tolist() == one.confidence.tolist()
    assert other.is_correct.tolist() == one.is_correct.tolist()


def test_probabilities_at_fault() -> None:
    with pytest.raises(InvalidDataError) as refused:
        scores_of_probabilities(
            [[0.5, 0.4], [1.5, -0.5], [float("nan"), 1], [0.3, 0.7]], ["a", "b", "b", "z"], classes=["a", "b"]
        )
    assert refused.value.faults == (
        "probabilities must be numbers, got NaN (row 3)",
        "probabilities must lie in [0, 1] (row 2)",
        "probabilities of a row must sum to one, got 0.9 (row 1)",
        "truth must be one of the classes a, b, got 'z' (row 4)",
    )


@pytest.mark.parametrize(
    ("matrix", "classes", "sentence"),
    [
        ([[0.5, 0.5]], ["a", "b", "c"], "probabilities must have 3 columns, one a class, got shape (1, 2)"),
        ([0.5, 0.5], ["a", "b"], "probabilities must have 2 columns, one a class, got shape (2,)"),
        ([["x", "y"]], ["a", "b"], "probabilities must be numbers, one row a case and one column a class"),
        ([[0.5, 0.5]], ["a", "a"], "classes must differ, got a, a"),
        ([[0.5, 0.5]] * 2, ["a", "b"], "columns must be equally long, got probabilities 2, truth 1"),
    ],
)
def test_probabilities_of_the_wrong_form(matrix: object, classes: list[str], sentence: str) -> None:
    with pytest.raises(InvalidDataError) as refused:
        scores_of_probabilities(matrix, ["a"], classes=classes)  # type: ignore[arg-type]
    assert sentence in refused.value.faults


def test_single_precision_sums_are_close_enough() -> None:
    found = scores_of_probabilities(
        np.array([[1.00001, 0.00001]], dtype=np.float32), ["a"], classes=["a", "b"]
    )
    assert found.confidence.tolist() == [1.0]


def test_what_rounding_leaves_beyond_one_counts_as_one() -> None:
    beyond = float(np.float32(1.0) + np.float32(1.2e-7))
    found = scores([beyond, -1e-5, 0.5], [1, 0, 1])
    assert found.confidence.tolist() == [1.0, 0.0, 0.5]
    with pytest.raises(InvalidDataError, match=r"confidence must be a probability in \[0, 1\]"):
        scores([1.001], [1])
