"""Votes: which worker gave which item which label, as three arrays of codes."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.errors import InvalidDataError
from overread.risk.columns import ColumnFaults, note_lengths

Codes = NDArray[np.int32]
_ABSENT = -1
_GAPS = ("NAType", "NaTType")
"""Types of what pandas writes where a value is missing, known by name so that pandas need not be there."""


@dataclass(frozen=True, slots=True)
class Votes:
    """n votes as codes (n,) into `items` (N), `workers` (W) and `classes` (K), each sorted.

    `missing` rows had no label and are left out; an item all of whose rows had none is still among the
    items. `repeats` votes are of a worker who had given the item one before; each counts.
    """

    items: tuple[str, ...]
    workers: tuple[str, ...]
    classes: tuple[str, ...]
    item: Codes
    worker: Codes
    label: Codes
    missing: int = 0
    repeats: int = 0

    def __len__(self) -> int:
        return int(self.label.size)


@dataclass(frozen=True, slots=True)
class Gold:
    """Items (g,) whose true label (g,) is known, as codes of their votes; each item once.

    `unknown` gold items have no votes and are left out.
    """

    item: Codes
    label: Codes
    unknown: int = 0

    def __len__(self) -> int:
        return int(self.item.size)


@dataclass(frozen=True, slots=True)
class _Column:
    """A factorised column: code a row (−1 where the value is missing) and the sorted names."""

    codes: Codes
    names: tuple[str, ...]


def votes(items: Any, workers: Any, labels: Any, *, classes: Sequence[str] | None = None) -> Votes:
    """Votes of three equally long columns: lists, arrays, data-frame columns of texts or whole numbers.

    A missing label (None, NaN, an empty text) is no vote. `classes` fixes the labels that are allowed, and
    their order; without it they are those that occur, numbers by their size.

    Raises:
        InvalidDataError: unequal lengths, no rows, a missing item or worker, texts and numbers mixed in one
            column, a label that is no class, no label at all and no classes; all faults together, with their
            rows.
    """
    faults = ColumnFaults()
    lists = {"item": _listed(items), "worker": _listed(workers), "label": _listed(labels)}
    if not note_lengths([(name, len(values)) for name, values in lists.items()], faults=faults):
        raise InvalidDataError(faults.found)
    item = _factorised(lists["item"], name="item", faults=faults)
    worker = _factorised(lists["worker"], name="worker", faults=faults)
    label = _factorised(lists["label"], name="label", faults=faults)
    for name, column in (("item", item), ("worker", worker)):
        faults.add_rows(f"{name} is missing", column.codes == _ABSENT)
    label = _in_classes(label, classes, faults=faults)
    if not faults.found and not label.names:
        faults.add("label is missing in every row, and no classes are given")
    if faults.found:
        raise InvalidDataError(faults.found)
    is_vote = label.codes != _ABSENT
    kept = [column.codes if is_vote.all() else column.codes[is_vote] for column in (item, worker, label)]
    return Votes(
        items=item.names,
        workers=worker.names,
        classes=label.names,
        item=_frozen(kept[0]),
        worker=_frozen(kept[1]),
        label=_frozen(kept[2]),
        missing=int(is_vote.size - is_vote.sum()),
        repeats=_repeats(kept[0], kept[1], workers=len(worker.names)),
    )


def votes_of_frame(
    frame: Any,
    *,
    item: str = "item",
    worker: str = "worker",
    label: str = "label",
    classes: Sequence[str] | None = None,
) -> Votes:
    """Votes of a data frame (pandas, polars, Arrow), or of anything whose columns are `frame[name]`.

    Raises:
        InvalidDataError: as `votes`, or a column is not there.
    """
    columns = []
    faults = ColumnFaults()
    for name in (item, worker, label):
        try:
            columns.append(frame[name])
        except Exception as error:  # noqa: BLE001  each library has an error of its own for it
            faults.add(f"column {name!r} is missing ({type(error).__name__})")
    if faults.found:
        raise InvalidDataError(faults.found)
    return votes(*columns, classes=classes)


def gold_of(items: Any, labels: Any, *, votes: Votes) -> Gold:
    """Known true labels for the items of `votes`.

    Raises:
        InvalidDataError: an item twice, a missing item or label, a label that is no class of the votes.
    """
    faults = ColumnFaults()
    lists = {"item": _listed(items), "label": _listed(labels)}
    if not note_lengths([(name, len(values)) for name, values in lists.items()], faults=faults):
        raise InvalidDataError([f"gold: {fault}" for fault in faults.found])
    item = _factorised(lists["item"], name="item", faults=faults)
    label = _factorised(lists["label"], name="label", faults=faults)
    faults.add_rows("item is missing", item.codes == _ABSENT)
    faults.add_rows("label is missing", label.codes == _ABSENT)
    if not faults.found:
        _note_repeated(item, faults=faults)
    label = _in_classes(label, votes.classes, faults=faults)
    if faults.found:
        raise InvalidDataError([f"gold: {fault}" for fault in faults.found])
    place = {name: code for code, name in enumerate(votes.items)}
    places = np.array([place.get(name, _ABSENT) for name in item.names], dtype=np.int32)
    codes = places[item.codes]
    is_known = codes != _ABSENT
    order = np.argsort(codes[is_known], kind="stable")
    return Gold(
        item=_frozen(codes[is_known][order]),
        label=_frozen(label.codes[is_known][order]),
        unknown=int(is_known.size - is_known.sum()),
    )


def _in_classes(label: _Column, classes: Sequence[str] | None, *, faults: ColumnFaults) -> _Column:
    """The column's codes as places in `classes`."""
    if classes is None:
        return label
    names = tuple(classes)
    if len(set(names)) != len(names):
        faults.add(f"classes must differ, got {', '.join(names)}")
    place = {name: code for code, name in enumerate(names)}
    places = np.array([place.get(name, _ABSENT) for name in label.names] + [_ABSENT], dtype=np.int32)
    codes = places[label.codes]  # the last place is that of a missing label
    is_unknown = (codes == _ABSENT) & (label.codes != _ABSENT)
    if is_unknown.any():
        example = label.names[int(label.codes[np.flatnonzero(is_unknown)[0]])]
        faults.add_rows(f"label must be one of {', '.join(names)}", is_unknown, example=example)
    return _Column(codes, names)


def _note_repeated(item: _Column, *, faults: ColumnFaults) -> None:
    first = np.full(len(item.names), -1, dtype=np.int64)
    rows = np.arange(item.codes.size)
    first[item.codes[::-1]] = rows[::-1]
    is_repeat = first[item.codes] != rows
    if is_repeat.any():
        example = item.names[int(item.codes[np.flatnonzero(is_repeat)[0]])]
        faults.add_rows("item must be unique", is_repeat, example=example)


def _repeats(item: Codes, worker: Codes, *, workers: int) -> int:
    pairs = item.astype(np.int64) * max(workers, 1) + worker
    pairs.sort()
    return int((pairs[1:] == pairs[:-1]).sum())


def _listed(values: Any) -> Any:
    """Something with a length: an array as it is, a data frame's column as its array, else a list."""
    if isinstance(values, np.ndarray):
        return values.reshape(-1)
    if hasattr(values, "to_pylist"):
        return values.to_pylist()
    if hasattr(values, "to_numpy"):
        return np.asarray(values.to_numpy()).reshape(-1)
    return values if isinstance(values, list | tuple) else list(values)


def _factorised(values: Any, *, name: str, faults: ColumnFaults) -> _Column:
    if isinstance(values, np.ndarray) and values.dtype.kind in "iub":
        numbers, codes = np.unique(values, return_inverse=True)
        return _Column(codes.astype(np.int32), tuple(map(str, numbers.tolist())))
    if isinstance(values, np.ndarray):
        values = values.tolist()
    kinds = set(map(type, values)) - {type(None)}
    if any(issubclass(kind, np.generic) or kind.__name__ in _GAPS for kind in kinds):
        values = [_plain(value) for value in values]
        kinds = set(map(type, values)) - {type(None)}
    if float in kinds:
        values = list(_without_nan(values))
        kinds = set(map(type, values)) - {type(None)}
    if str in kinds and len(kinds) > 1:
        _note_mixed(
            values, str, fault=f"{name} must be of one type, got texts and numbers mixed", faults=faults
        )
        return _Column(np.zeros(len(values), dtype=np.int32), ("",))
    if kinds == {bool, int}:
        _note_mixed(
            values,
            bool,
            fault=f"{name} must be of one type, got truth values and numbers mixed",
            faults=faults,
        )
        return _Column(np.zeros(len(values), dtype=np.int32), ("",))
    if not kinds <= {str, int, bool}:
        allowed = np.array(
            [value is None or isinstance(value, str | int) for value in values], dtype=np.bool_
        )
        example = values[int(np.flatnonzero(~allowed)[0])]
        faults.add_rows(f"{name} must be a text or a whole number", ~allowed, example=example)
        return _Column(np.zeros(len(values), dtype=np.int32), ("",))
    return _of_values(values)


def _note_mixed(values: Sequence[Any], kind: type, *, fault: str, faults: ColumnFaults) -> None:
    """Notes the rows of the rarer of two kinds of values: they are likelier to be at fault."""
    is_kind = np.array([isinstance(value, kind) for value in values], dtype=np.bool_)
    is_other = np.array([value is not None for value in values], dtype=np.bool_) & ~is_kind
    faults.add_rows(fault, is_kind if is_kind.sum() <= is_other.sum() else is_other)


def _plain(value: Any) -> Any:
    """A number or text of Python's own for numpy's, None for what pandas writes into a gap."""
    if type(value).__name__ in _GAPS:
        return None
    return value.item() if isinstance(value, np.generic) else value


def _without_nan(values: Sequence[Any]) -> Iterator[Any]:
    """Whole floats as the numbers that they were before a gap in the column made floats of them all."""
    for value in values:
        if not isinstance(value, float):
            yield value
        elif math.isnan(value):
            yield None
        else:
            yield int(value) if value.is_integer() else value


def _of_values(values: Sequence[Any]) -> _Column:
    """Codes in the order of the sorted names; None and empty texts are missing."""
    seen: dict[Any, int] = {}
    codes = np.fromiter(
        (seen.setdefault(value, len(seen)) for value in values), dtype=np.int32, count=len(values)
    )
    known = [value for value in seen if value is not None and value != ""]
    names = {value: str(value) for value in known}
    ordered = sorted(known, key=_by_size(names.values(), names))
    place = {value: code for code, value in enumerate(ordered)}
    places = np.array([place.get(value, _ABSENT) for value in seen], dtype=np.int32)
    return _Column(places[codes] if seen else codes, tuple(names[value] for value in ordered))


def _by_size(texts: Any, names: dict[Any, str]) -> Any:
    """Whole numbers are sorted by their size, whether they come as texts or not; anything else as text."""
    if all(text.isascii() and text.lstrip("-").isdecimal() and len(text) <= 18 for text in texts):
        return lambda value: (int(names[value]), names[value])
    return lambda value: names[value]


def _frozen(codes: Codes) -> Codes:
    codes = codes.copy() if not codes.flags.owndata else codes
    codes.flags.writeable = False
    return codes
