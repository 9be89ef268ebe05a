"""Which line had an object first, in few bytes a line: an open hash table of 64-bit hashes in two arrays.

Two different objects are taken for one with a chance of n²/2⁶⁵ among n lines: 3 in 100 million at a million.
"""

from array import array

_SMALLEST = 1 << 10


class FirstLines:
    """The numbers of the lines that came first, by the hash of their object: 24 to 48 bytes each, and
    half as much again while the table grows."""

    __slots__ = ("_count", "_hashes", "_mask", "_numbers")

    def __init__(self) -> None:
        self._count = 0
        self._resize(_SMALLEST)

    def __len__(self) -> int:
        return self._count

    def add(self, key: int, number: int) -> int | None:
        """Notes that the object with this hash has `number`, or gives the number that it had before."""
        wanted = (key & 0xFFFFFFFFFFFFFFFF) or 1
        mask, hashes = self._mask, self._hashes
        slot = wanted & mask
        while found := hashes[slot]:
            if found == wanted:
                return self._numbers[slot]
            slot = (slot + 1) & mask
        hashes[slot] = wanted
        self._numbers[slot] = number
        self._count += 1
        if self._count * 3 > mask * 2:
            self._grow()
        return None

    def get(self, key: int) -> int | None:
        """The number of the object with this hash; None where there is none."""
        wanted = (key & 0xFFFFFFFFFFFFFFFF) or 1
        slot = wanted & self._mask
        while found := self._hashes[slot]:
            if found == wanted:
                return self._numbers[slot]
            slot = (slot + 1) & self._mask
        return None

    def _grow(self) -> None:
        hashes, numbers = self._hashes, self._numbers
        self._resize(2 * (self._mask + 1))
        mask, into, at = self._mask, self._hashes, self._numbers
        for old, wanted in enumerate(hashes):
            if wanted:
                slot = wanted & mask
                while into[slot]:
                    slot = (slot + 1) & mask
                into[slot] = wanted
                at[slot] = numbers[old]

    def _resize(self, slots: int) -> None:
        self._mask = slots - 1
        self._hashes = array("Q", (0,)) * slots
        self._numbers = array("Q", (0,)) * slots
