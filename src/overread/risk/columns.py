"""Columns as callers have them (lists, arrays, data-frame columns), checked as a whole and made into arrays.

Every fault names the column, what is allowed, what stood there, and its first rows; rows count from 1.
"""

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SHOWN_ROWS = 5
_ROUNDING = 1e-4  # probabilities that were clipped or normalised in single precision
_TRUTHS = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}


class ColumnFaults:
    """The faults found so far, each one sentence."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, sentence: str) -> None:
        """Note a fault that has no rows."""
        self.found.append(sentence)

    def add_rows(self, sentence: str, is_at_fault: NDArray[np.bool_], *, example: object = None) -> None:
        """Note a fault of the rows where `is_at_fault`; nothing where there are none."""
        rows = np.flatnonzero(is_at_fault)
        if rows.size:
            got = "" if example is None else f", got {_shown(example)}"
            self.found.append(f"{sentence}{got} ({describe_rows(rows)})")


def describe_rows(rows: NDArray[np.intp]) -> str:
    """The first five of the rows (indices from 0), counted from 1, and how many more there are."""
    shown = ", ".join(str(int(row) + 1) for row in rows[:_SHOWN_ROWS])
    more = f" and {rows.size - _SHOWN_ROWS:,} more" if rows.size > _SHOWN_ROWS else ""
    return f"row{'s' if rows.size > 1 else ''} {shown}{more}"


def probabilities_of(values: Any, *, name: str, faults: ColumnFaults) -> NDArray[np.float64]:
    """Numbers in [0, 1]. A column of texts is read as numbers; one of texts and numbers mixed is a fault.
    What rounding leaves beyond 0 or 1, up to 0.0001, counts as 0 or 1.

    Gives zeros of the right length where there are faults.
    """
    numbers = _numbers(values, name=name, faults=faults)
    is_rounded = (np.abs(numbers - 0.5) > 0.5) & (np.abs(numbers - 0.5) <= 0.5 + _ROUNDING)
    numbers = np.where(is_rounded, np.round(numbers), numbers)
    is_outside = ~((numbers >= 0) & (numbers <= 1))  # also true of NaN
    if not is_outside.any():
        return numbers
    is_nan = np.isnan(numbers)
    faults.add_rows(f"{name} must be a number, got NaN", is_nan)
    is_outside &= ~is_nan
    if is_outside.any():
        faults.add_rows(
            f"{name} must be a probability in [0, 1]", is_outside, example=float(numbers[is_outside][0])
        )
    return np.where(is_outside | is_nan, 0.0, numbers)


def truths_of(values: Any, *, name: str, faults: ColumnFaults) -> NDArray[np.bool_]:
    """True and false: booleans, 1 and 0, or the texts true, false, 1, 0 (any case)."""
    column = _array(values)
    allowed = f"{name} must be true or false (1 or 0)"
    if column.dtype.kind == "b":
        return column
    if column.dtype.kind in "iuf":
        is_fault = (column != 0) & (column != 1)
        faults.add_rows(allowed, is_fault, example=column[is_fault][0] if is_fault.any() else None)
        return np.asarray(column == 1)
    if _note_mixed(column, name=name, faults=faults):
        return np.zeros(column.size, dtype=np.bool_)
    read = [_TRUTHS.get(str(value).strip().lower()) for value in column]
    is_fault = np.array([value is None for value in read], dtype=np.bool_)
    faults.add_rows(allowed, is_fault, example=column[is_fault][0] if is_fault.any() else None)
    return np.array([bool(value) for value in read], dtype=np.bool_)


def names_of(values: Any, *, name: str, faults: ColumnFaults) -> tuple[str, ...]:
    """Labels, groups or ids as texts: texts, whole numbers or booleans, but not mixed, and none missing."""
    column = _array(values)
    if _note_mixed(column, name=name, faults=faults):
        return ("",) * column.size
    if column.dtype.kind in "fc":
        is_fault = ~(np.isfinite(column) & (column == np.floor(column)))
        faults.add_rows(
            f"{name} must be a text or a whole number",
            is_fault,
            example=column[is_fault][0] if is_fault.any() else None,
        )
        return tuple(
            str(int(value)) if not fault else "" for value, fault in zip(column, is_fault, strict=True)
        )
    if column.dtype.kind != "O":
        return _non_empty(tuple(map(str, column.tolist())), name=name, faults=faults)
    texts = tuple("" if _is_absent(value) else str(value) for value in column)
    return _non_empty(texts, name=name, faults=faults)


def codes_of(values: Any, *, name: str, classes: Sequence[str], faults: ColumnFaults) -> NDArray[np.int64]:
    """The number of each row's class among `classes`; 0, and a fault noted, where it is none of them."""
    if len(set(classes)) != len(classes):
        faults.add(f"classes must differ, got {', '.join(classes)}")
    names = names_of(values, name=name, faults=faults)
    numbers = {each: number for number, each in enumerate(classes)}
    is_unknown = np.array([bool(each) and each not in numbers for each in names], dtype=np.bool_)
    if is_unknown.any():
        faults.add_rows(
            f"{name} must be one of the classes {', '.join(classes)}",
            is_unknown,
            example=names[int(np.flatnonzero(is_unknown)[0])],
        )
    return np.array([numbers.get(each, 0) for each in names], dtype=np.int64)


def note_duplicates(ids: Sequence[Hashable], *, name: str, faults: ColumnFaults) -> None:
    """Each id may stand once; the rows of the second and later ones are at fault."""
    if len(set(ids)) == len(ids):
        return
    seen: set[Hashable] = set()
    is_repeat = np.zeros(len(ids), dtype=np.bool_)
    for row, each in enumerate(ids):
        is_repeat[row] = each in seen
        seen.add(each)
    faults.add_rows(f"{name} must be unique", is_repeat, example=ids[int(np.flatnonzero(is_repeat)[0])])


def note_lengths(lengths: Iterable[tuple[str, int]], *, faults: ColumnFaults) -> bool:
    """Whether all columns (name, length) are equally long, and not empty; else a fault is noted."""
    known = list(lengths)
    if len({length for _, length in known}) > 1:
        faults.add(
            "columns must be equally long, got " + ", ".join(f"{name} {length:,}" for name, length in known)
        )
        return False
    if known[0][1] == 0:
        faults.add(f"{known[0][0]} must have at least one row, got none")
        return False
    return True


def length_of(values: Any) -> int:
    """How many rows a column has."""
    return len(values) if hasattr(values, "__len__") else len(list(values))


def _non_empty(texts: tuple[str, ...], *, name: str, faults: ColumnFaults) -> tuple[str, ...]:
    if "" in texts:
        faults.add_rows(f"{name} is missing", np.array([not text for text in texts], dtype=np.bool_))
    return texts


def _numbers(values: Any, *, name: str, faults: ColumnFaults) -> NDArray[np.float64]:
    column = _array(values)
    if column.dtype.kind in "iuf":
        return column.astype(np.float64, copy=False)
    if column.dtype.kind == "b":
        faults.add(f"{name} must be a number, got true and false")
        return np.zeros(column.size)
    is_mixed = _note_mixed(column, name=name, faults=faults)
    try:
        return column.astype(np.float64)
    except (TypeError, ValueError):
        read = [_number(value) for value in column]
        is_fault = np.array([value is None for value in read], dtype=np.bool_)
        if is_mixed:  # the texts are named already
            is_fault &= np.array([not isinstance(value, str) for value in column], dtype=np.bool_)
        faults.add_rows(
            f"{name} must be a number", is_fault, example=column[is_fault][0] if is_fault.any() else None
        )
        return np.array([0.0 if value is None else value for value in read])


def _number(value: object) -> float | None:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def _note_mixed(column: NDArray[Any], *, name: str, faults: ColumnFaults) -> bool:
    """Whether texts and numbers stand in one column, which hides a broken row more often than it is meant."""
    if column.dtype.kind != "O":
        return False
    is_text = np.array([isinstance(value, str) for value in column], dtype=np.bool_)
    is_absent = np.array([_is_absent(value) for value in column], dtype=np.bool_)
    if not is_text.any() or (is_text | is_absent).all():
        return False
    rarer = is_text if is_text.sum() * 2 <= is_text.size else ~is_text & ~is_absent
    faults.add_rows(f"{name} must be of one type, got texts and numbers mixed", rarer)
    return True


def _is_absent(value: object) -> bool:
    if value is None:
        return True
    try:
        return bool(value != value)  # noqa: PLR0124  (NaN and NaT)
    except TypeError:  # pandas' NA knows neither
        return True


def _array(values: Any) -> NDArray[Any]:
    """One-dimensional; objects where elements are of several types, so that numpy turns none into text."""
    if isinstance(values, np.ndarray):
        column = values
    elif hasattr(values, "__array__"):
        column = np.asarray(values)
    else:
        listed = list(values)
        kinds = {type(value) for value in listed}
        column = (
            np.asarray(listed) if len(kinds) == 1 and kinds <= {int, float, bool, str} else _objects(listed)
        )
    return column.reshape(-1)


def _objects(listed: list[Any]) -> NDArray[Any]:
    if listed and all(
        isinstance(value, int | float | np.number) and not isinstance(value, bool) for value in listed
    ):
        return np.asarray(listed, dtype=np.float64)
    column = np.empty(len(listed), dtype=object)
    column[:] = listed
    return column


def _shown(value: object) -> str:
    plain = value.item() if isinstance(value, np.generic) else value
    return f"{plain:.6g}" if isinstance(plain, float) else repr(plain)[:80]
