"""Gold among the objects of a job: at places drawn from a seed, and like any other object to workers."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from overread.errors import InvalidDataError
from overread.labeling.manifest import Row, identity


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLine:
    """A line of a job's manifest; `gold` is the label that is known, for the key file only.

    `number` counts lines from 0, as Ground Truth counts objects.
    """

    number: int
    row: Row
    gold: Any = None


def unlabeled(rows: Iterable[Row], *, attribute: str) -> Iterator[Row]:
    """The objects without a label: of an earlier output manifest, what is still to be done.

    A job that was stopped may have left objects out of its output: merge it over its input before.
    What an earlier job said of its failure is taken off; labels by other attributes stay (chained jobs).
    """
    for row in rows:
        if not has_label(row, attribute=attribute):
            yield bare(row, attribute=attribute)


def has_label(row: Row, *, attribute: str) -> bool:
    """Whether the object has a label that a job did not fail at."""
    metadata = row.get(f"{attribute}-metadata")
    return attribute in row and isinstance(metadata, dict) and "failure-reason" not in metadata


def bare(row: Row, *, attribute: str) -> dict[str, Any]:
    """The row without the label and what is said of it."""
    return {key: value for key, value in row.items() if key not in (attribute, f"{attribute}-metadata")}


def mixed(
    rows: Iterable[Row], *, objects: int, gold: Sequence[Row], attribute: str, seed: str
) -> Iterator[JobLine]:
    """The objects in their order, the gold among them in an order and at places drawn from the seed.

    `objects` is how many rows there are. Of a gold row nothing is shown but what the row without its label
    has; gold that is among the objects must be left out of them before.

    Raises:
        InvalidDataError: gold without a label or twice, an object that is gold, or another number of rows.
    """
    _refuse(_gold_faults(gold, attribute=attribute))
    drawn = random.Random(seed)  # noqa: S311 - a seed makes it repeatable
    order = list(gold)
    drawn.shuffle(order)
    places = set(drawn.sample(range(objects + len(order)), len(order)))
    known = {identity(row) for row in gold}
    gold_left, rows_left = iter(order), iter(rows)
    for number in range(objects + len(order)):
        if number in places:
            row = next(gold_left)
            yield JobLine(number=number, row=bare(row, attribute=attribute), gold=row[attribute])
            continue
        plain = next(rows_left, None)
        if plain is None:
            raise InvalidDataError([f"objects must be as many as rows, got {objects:,} and fewer rows"])
        if identity(plain) in known:
            raise InvalidDataError([f"object of line {number:,} must not be gold: {identity(plain)!r}"])
        yield JobLine(number=number, row=plain)
    if next(rows_left, None) is not None:
        raise InvalidDataError([f"objects must be as many as rows, got {objects:,} and more rows"])


def without_gold(rows: Iterable[Row], *, key: Mapping[int, Any]) -> Iterator[Row]:
    """A job's output without the lines that the key file names by their number from 0."""
    return (row for number, row in enumerate(rows) if number not in key)


def _gold_faults(gold: Sequence[Row], *, attribute: str) -> list[str]:
    faults, seen = [], set()
    for number, row in enumerate(gold, 1):
        if attribute not in row:
            faults.append(f"gold of line {number:,} must have a label {attribute!r}, has none")
        if (same := identity(row)) in seen:
            faults.append(f"gold of line {number:,} must be there once: {same!r}")
        seen.add(same)
    return faults


def _refuse(faults: list[str]) -> None:
    if faults:
        raise InvalidDataError(faults)
