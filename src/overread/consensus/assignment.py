"""One-to-one matching with the greatest total benefit; by scipy where installed, else exact as well."""

from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

HAS_SCIPY = find_spec("scipy") is not None
Array = NDArray[np.float64]


def best_pairs(benefit: Array) -> list[tuple[int, int]]:
    """Pairs (row, column) of a table, each row and column at most once, with the greatest sum.

    As many pairs as the shorter side has; the caller drops those that are worth nothing.
    """
    if not benefit.size:
        return []
    if HAS_SCIPY:
        from scipy.optimize import linear_sum_assignment  # noqa: PLC0415  (half a second, and only where used)

        rows, columns = linear_sum_assignment(benefit, maximize=True)
        return list(zip(rows.tolist(), columns.tolist(), strict=True))
    return hungarian(-benefit)


def hungarian(cost: Array) -> list[tuple[int, int]]:
    """The assignment of least cost, by shortest augmenting paths with potentials, in O(rows² columns).

    H. W. Kuhn 1955, doi:10.1002/nav.3800020109; by paths: R. Jonker and A. Volgenant 1987,
    doi:10.1007/BF02278710.
    """
    if cost.shape[0] > cost.shape[1]:
        return sorted((row, column) for column, row in hungarian(cost.T))
    rows, columns = cost.shape
    row_potential, column_potential = np.zeros(rows), np.zeros(columns)
    row_of = np.full(columns, -1, dtype=np.int64)
    for row in range(rows):
        _augment(cost, row, row_of=row_of, row_potential=row_potential, column_potential=column_potential)
    return sorted((int(row_of[column]), column) for column in np.flatnonzero(row_of >= 0).tolist())


def _augment(
    cost: Array,
    row: int,
    *,
    row_of: NDArray[np.int64],
    row_potential: Array,
    column_potential: Array,
) -> None:
    """Gives `row` a column, along the cheapest path of exchanges; changes the other arrays in place."""
    columns = cost.shape[1]
    distance = np.full(columns, np.inf)
    before = np.full(columns, -1, dtype=np.int64)
    is_done = np.zeros(columns, dtype=np.bool_)
    current, column, reached = row, -1, 0.0
    while True:
        slack = reached + cost[current] - row_potential[current] - column_potential
        is_shorter = ~is_done & (slack < distance)
        distance[is_shorter] = slack[is_shorter]
        before[is_shorter] = column
        column = int(np.argmin(np.where(is_done, np.inf, distance)))
        reached = float(distance[column])
        is_done[column] = True
        if row_of[column] < 0:
            break
        current = int(row_of[column])
    for done in np.flatnonzero(is_done).tolist():
        if row_of[done] >= 0:
            row_potential[row_of[done]] += reached - distance[done]
        column_potential[done] -= reached - distance[done]
    row_potential[row] += reached
    while column >= 0:
        previous = int(before[column])
        row_of[column] = row if previous < 0 else row_of[previous]
        column = previous
