"""Parts of a manifest by a keyed hash of each object: the same object is always in the same part.

That holds in other orders, beside other objects and in later manifests, so that what was once tested on is
never trained on. Parts are therefore as large as asked only about: n·p ± 3·√(n·p·(1-p)).
"""

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

_SPAN = 1 << 64


@dataclass(frozen=True, slots=True)
class Part:
    """A part and its weight among all parts."""

    name: str
    weight: int


class Splitter:
    """Tells the part of each object. The key is up to 64 bytes; another key gives other parts."""

    __slots__ = ("_ends", "_key", "_names")

    def __init__(self, parts: Sequence[Part], *, key: str) -> None:
        """Raises ValueError for parts without a name, twice of one name or of no weight, or a long key."""
        names = [part.name for part in parts]
        if not parts or len(set(names)) != len(names) or not all(names):
            raise ValueError(f"parts must have different names, got {', '.join(names) or 'none'}")
        if any(part.weight < 1 for part in parts):
            raise ValueError("the weight of a part must be a whole number of at least 1")
        self._key = key.encode()
        if len(self._key) > hashlib.blake2b.MAX_KEY_SIZE:
            raise ValueError("the key must have at most 64 bytes")
        self._names = names
        total = sum(part.weight for part in parts)
        self._ends = [_SPAN * end // total for end in accumulate(part.weight for part in parts)]

    def part_of(self, identity: str) -> str:
        """The name of the part of the object with this identity (`manifest.identity`)."""
        digest = hashlib.blake2b(identity.encode(), digest_size=8, key=self._key).digest()
        return self._names[bisect_right(self._ends, int.from_bytes(digest))]
