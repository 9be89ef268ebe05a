"""Votes from columns as people have them, and every fault with its rows."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from overread.consensus.votes import gold_of, votes, votes_of_frame
from overread.errors import InvalidDataError

ITEMS, WORKERS, LABELS = ["b", "a", "b"], ["w2", "w1", "w1"], ["no", "yes", "yes"]


def test_names_are_sorted_and_votes_stay_in_their_order() -> None:
    found = votes(ITEMS, WORKERS, LABELS)
    assert (found.items, found.workers, found.classes) == (("a", "b"), ("w1", "w2"), ("no", "yes"))
    assert found.item.tolist() == [1, 0, 1]
    assert found.worker.tolist() == [1, 0, 0]
    assert found.label.tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    "columns",
    [
        (np.array(ITEMS), np.array(WORKERS), np.array(LABELS)),
        (np.array(ITEMS, dtype=object), tuple(WORKERS), iter(LABELS)),
        tuple(pd.DataFrame({"i": ITEMS, "w": WORKERS, "l": LABELS})[name] for name in "iwl"),
        tuple(pa.chunked_array([column]) for column in (ITEMS, WORKERS, LABELS)),
    ],
)
def test_lists_arrays_and_data_frame_columns_give_the_same_votes(columns: tuple[Any, Any, Any]) -> None:
    found, expected = votes(*columns), votes(ITEMS, WORKERS, LABELS)
    assert (found.items, found.workers, found.classes) == (expected.items, expected.workers, expected.classes)
    assert found.item.tolist() == expected.item.tolist()
    assert found.label.tolist() == expected.label.tolist()


@pytest.mark.parametrize("make", [pd.DataFrame, pa.table])
def test_a_data_frame_gives_votes_by_the_names_of_its_columns(make: Any) -> None:
    found = votes_of_frame(make({"x": ITEMS, "worker": WORKERS, "label": LABELS}), item="x")
    assert found.items == ("a", "b")
    with pytest.raises(InvalidDataError, match="column 'rater' is missing"):
        votes_of_frame(make({"item": ITEMS, "label": LABELS}), worker="rater")


def test_whole_numbers_are_sorted_by_size_also_as_texts() -> None:
    assert votes(["10", "9"], [1, 2], [10, 9]).items == ("9", "10")
    assert votes(["10", "9"], [1, 2], [10, 9]).classes == ("9", "10")
    assert votes(["010", "9x"], [1, 2], [10, 9]).items == ("010", "9x")


def test_a_list_of_numpys_values_is_as_good_as_one_of_pythons() -> None:
    found = votes(list(np.array(ITEMS)), list(np.array([1, 2, 2])), [np.float64(1), np.float64("nan"), 2.0])
    assert (found.items, found.workers, found.classes) == (("a", "b"), ("1", "2"), ("1", "2"))
    assert found.missing == 1


@pytest.mark.parametrize("absent", [None, float("nan"), "", pd.NA, pd.NaT])
def test_a_missing_label_is_no_vote_and_its_item_stays(absent: object) -> None:
    found = votes(["a", "b"], ["w", "w"], ["yes", absent])
    assert (found.items, found.missing, len(found)) == (("a", "b"), 1, 1)


def test_numbers_that_a_gap_made_floats_are_numbers_again() -> None:
    frame = pd.DataFrame({"item": ["a", "b"], "worker": ["w", "w"], "label": [1.0, np.nan]})
    assert votes_of_frame(frame).classes == ("1",)


def test_repeated_votes_count_and_are_told() -> None:
    found = votes(["a", "a", "a", "b"], ["w", "w", "v", "w"], ["yes", "yes", "no", "no"])
    assert (len(found), found.repeats) == (4, 1)


def test_all_faults_come_together_with_their_rows() -> None:
    with pytest.raises(InvalidDataError) as refused:
        votes(["a", "", None, "d"], [1, "2", 3, 4], ["yes", "no", "maybe", "yes"], classes=("yes", "no"))
    assert refused.value.faults == (
        "worker must be of one type, got texts and numbers mixed (row 2)",
        "item is missing (rows 2, 3)",
        "label must be one of yes, no, got 'maybe' (row 3)",
    )


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (([], [], []), "item must have at least one row, got none"),
        ((["a"], ["w", "v"], ["yes"]), "columns must be equally long, got item 1, worker 2, label 1"),
        ((["a"], ["w"], [0.5]), r"label must be a text or a whole number, got 0.5 \(row 1\)"),
        ((["a"], ["w"], [None]), "label is missing in every row, and no classes are given"),
        (
            ([1, True, 2], ["w"] * 3, ["yes"] * 3),
            r"item must be of one type, got truth values and numbers mixed \(row 2\)",
        ),
        ((["a"], ["w"], [b"yes"]), r"label must be a text or a whole number, got b'yes' \(row 1\)"),
    ],
)
def test_a_column_that_cannot_be_votes_is_refused(columns: tuple[Any, Any, Any], said: str) -> None:
    with pytest.raises(InvalidDataError, match=said):
        votes(*columns)


def test_many_rows_at_fault_are_counted() -> None:
    with pytest.raises(InvalidDataError, match=r"item is missing \(rows 1, 2, 3, 4, 5 and 2,995 more\)"):
        votes([""] * 3000, ["w"] * 3000, ["yes"] * 3000)


def test_gold_without_votes_is_counted_and_left_out() -> None:
    known = gold_of(["z", "b", "a"], ["no", "yes", "no"], votes=votes(ITEMS, WORKERS, LABELS))
    assert (known.item.tolist(), known.label.tolist(), known.unknown) == ([0, 1], [0, 1], 1)


@pytest.mark.parametrize(
    ("items", "labels", "said"),
    [
        (["a", "a"], ["yes", "no"], r"gold: item must be unique, got 'a' \(row 2\)"),
        (["a"], ["maybe"], r"gold: label must be one of no, yes, got 'maybe' \(row 1\)"),
        (["a"], [None], r"gold: label is missing \(row 1\)"),
    ],
)
def test_gold_that_cannot_be_used_is_refused(items: list[Any], labels: list[Any], said: str) -> None:
    with pytest.raises(InvalidDataError, match=said):
        gold_of(items, labels, votes=votes(ITEMS, WORKERS, LABELS))
