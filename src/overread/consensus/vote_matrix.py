"""Sums over votes, which every iteration of a consensus method consists of; as sparse products with scipy."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.consensus.votes import Votes

HAS_SCIPY = find_spec("scipy") is not None
_ROWS_A_STEP = 1 << 19
Table = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class VoteMatrix:
    """The sparse matrix X (N, W·K): how often worker w gave item i label l, in column w·K + l."""

    items: int
    columns: int
    item: NDArray[np.int32]
    """Of each vote, votes sorted by it."""
    column: NDArray[np.int32]
    by_item: Any
    by_column: Any

    @classmethod
    def of(cls, votes: Votes) -> "VoteMatrix":
        """The matrix of these votes."""
        classes, columns = len(votes.classes), len(votes.workers) * len(votes.classes)
        column = votes.worker * np.int32(classes) + votes.label
        item = votes.item
        if item.size and (item[1:] < item[:-1]).any():
            order = np.argsort(item, kind="stable")
            item, column = item[order], column[order]
        by_item = by_column = None
        if HAS_SCIPY:
            by_item, by_column = _sparse(item, column, shape=(len(votes.items), columns))
        return cls(len(votes.items), columns, item, column, by_item, by_column)

    def sum_by_item(self, table: Table) -> Table:
        """X @ `table`: the rows (W·K, C) of each item's votes added up, (N, C)."""
        if self.by_item is not None:
            return np.asarray(self.by_item @ table)
        sums = np.zeros((self.items, table.shape[1]))
        for start in range(0, self.item.size, _ROWS_A_STEP):
            step = slice(start, start + _ROWS_A_STEP)
            first = np.flatnonzero(np.diff(self.item[step], prepend=-1))
            sums[self.item[step][first]] += np.add.reduceat(table[self.column[step]], first, axis=0)
        return sums

    def sum_by_column(self, table: Table) -> Table:
        """Xᵀ @ `table`: the rows (N, C) of each column's votes added up, (W·K, C)."""
        if self.by_column is not None:
            return np.asarray(self.by_column @ table)
        weights = (np.ascontiguousarray(table[:, each])[self.item] for each in range(table.shape[1]))
        sums = [np.bincount(self.column, weights=weight, minlength=self.columns) for weight in weights]
        return np.stack(sums, axis=1)


def _sparse(item: NDArray[np.int32], column: NDArray[np.int32], *, shape: tuple[int, int]) -> tuple[Any, Any]:
    from scipy.sparse import csr_array  # noqa: PLC0415  half a second that numpy alone does not need

    ones = np.ones(item.size)
    starts = np.concatenate(([0], np.cumsum(np.bincount(item, minlength=shape[0])))).astype(np.int32)
    by_item = csr_array((ones, column, starts), shape=shape)
    order = np.argsort(column, kind="stable")
    starts = np.concatenate(([0], np.cumsum(np.bincount(column, minlength=shape[1])))).astype(np.int32)
    by_column = csr_array((ones, item[order], starts), shape=shape[::-1])
    return by_item, by_column
