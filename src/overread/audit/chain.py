"""Hash chains of audit entries: each link's hash covers its entry, its place and the hash of the link before.

    hash(n) = sha256(hash(n - 1) + newline + JSON of {"entry", "seq", "shard"})

with hashes as 64 hexadecimal digits and the JSON in its canonical spelling. Nothing that was written can be
changed, left out, put in or put elsewhere without every hash after it being another. Who rewrites all of them
is found by the *anchors*: hashes that were put where nobody can change them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from overread.strict_json import canonical_json

CHANGES_SHARD = "changes"
"""The chain of what decisions depend on: routing policies, templates, rosters, kill switches."""

DECISION_SHARDS = tuple(f"{number:02x}" for number in range(16))
SHARDS = (*DECISION_SHARDS, CHANGES_SHARD)

_CHANGE_PREFIX = "change/"
_LARGEST_NUMBER = 2**53
_SMALLEST_NUMBER = 1e-128


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: the place and the hash of its last link; 0 and the chain's own hash before any."""

    shard: str
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Link:
    """One audit entry in its place; `previous` is the hash of the link before."""

    shard: str
    seq: int
    previous: str
    hash: str
    entry: Mapping[str, Any]

    @property
    def head(self) -> Head:
        """The end of the chain when this is its last link."""
        return Head(shard=self.shard, seq=self.seq, hash=self.hash)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a chain. `seq` is where it shows; `code` is one of `FAULT_CODES`."""

    shard: str
    seq: int
    code: str
    detail: str


FAULT_CODES = {
    "changed": "the entry is not what its hash was made of",
    "broken": "the link does not follow from the link before it",
    "missing": "links are left out",
    "out_of_order": "the link stands behind one of a later or of the same place",
    "foreign": "the link belongs to another chain",
    "truncated": "the chain ends before a place that was anchored",
    "rewritten": "the hash at an anchored place is another one",
    "beyond": "the link stands behind the end of its chain",
    "anchor": "an anchor is unreadable, was replaced, or does not follow from the one before",
}


@dataclass(frozen=True, slots=True)
class Verification:
    """What was read of one chain, and all that is wrong with it."""

    head: Head
    links: int
    faults: tuple[Fault, ...]

    @property
    def is_intact(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


@cache
def genesis(shard: str) -> Head:
    """The end of the chain before its first link."""
    return Head(shard=shard, seq=0, hash=sha256(f"overread audit chain {shard}".encode()).hexdigest())


def shard_of(subject: str) -> str:
    """Which chain holds the entries about a decision, or about a change (`change/…`)."""
    if subject.startswith(_CHANGE_PREFIX):
        return CHANGES_SHARD
    return DECISION_SHARDS[sha256(subject.encode()).digest()[0] % len(DECISION_SHARDS)]


def seal(entry: Mapping[str, Any], *, head: Head) -> Link:
    """The entry as the link behind `head`.

    Numbers get the one form in which every store gives them back: whole ones are integers, and those that
    not every store can hold are texts.
    """
    stored = {name: _storable(value) for name, value in entry.items()}
    seq = head.seq + 1
    return Link(
        shard=head.shard,
        seq=seq,
        previous=head.hash,
        hash=link_hash(stored, shard=head.shard, seq=seq, previous=head.hash),
        entry=stored,
    )


def link_hash(entry: Mapping[str, Any], *, shard: str, seq: int, previous: str) -> str:
    """The hash of the entry in that place.

    Raises:
        ValueError: the entry is none that `seal` could have made.
    """
    try:
        body = canonical_json({"shard": shard, "seq": seq, "entry": entry})
    except (TypeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    return sha256(previous.encode("ascii") + b"\n" + body).hexdigest()


def verify(links: Iterable[Link], *, from_head: Head, anchors: Iterable[Head] = ()) -> Verification:
    """Reads one chain from behind `from_head` to its end, and reports every fault.

    `anchors` are ends that the chain is known to have had (anchors from before `from_head` say nothing about
    what is read here). Behind a fault the chain is read on from what the link itself says.
    """
    faults: list[Fault] = []
    known = _by_seq(anchors, from_head=from_head)
    faults += _against_anchors(from_head, known)
    head, count = from_head, 0
    for link in links:
        count += 1
        faults += _link_faults(link, head)
        if link.shard != from_head.shard or link.seq <= head.seq:
            continue
        head = link.head
        faults += _against_anchors(head, known)
    if known and head.seq < max(known):
        detail = f"ends at {head.seq}, was anchored at {max(known)}"
        faults.append(Fault(from_head.shard, head.seq, "truncated", detail))
    return Verification(head=head, links=count, faults=tuple(faults))


def _by_seq(anchors: Iterable[Head], *, from_head: Head) -> dict[int, set[str]]:
    known: dict[int, set[str]] = {}
    for anchor in anchors:
        if anchor.shard == from_head.shard and anchor.seq >= from_head.seq:
            known.setdefault(anchor.seq, set()).add(anchor.hash)
    return known


def _against_anchors(head: Head, known: Mapping[int, set[str]]) -> Sequence[Fault]:
    if head.seq not in known or known[head.seq] == {head.hash}:
        return ()
    return (Fault(head.shard, head.seq, "rewritten", f"is {head.hash}, was anchored as another"),)


def _link_faults(link: Link, head: Head) -> Iterator[Fault]:
    if link.shard != head.shard:
        yield Fault(head.shard, link.seq, "foreign", f"belongs to {link.shard}")
    elif link.seq <= head.seq:
        yield Fault(head.shard, link.seq, "out_of_order", f"stands behind {head.seq}")
    elif link.seq != head.seq + 1:
        detail = f"nothing from {head.seq + 1} to {link.seq - 1}"
        yield Fault(head.shard, head.seq + 1, "missing", detail)
    elif link.previous != head.hash:
        yield Fault(
            head.shard, link.seq, "broken", f"follows {link.previous}, the link before is {head.hash}"
        )
    try:
        computed = link_hash(link.entry, shard=link.shard, seq=link.seq, previous=link.previous)
    except ValueError as error:
        yield Fault(head.shard, link.seq, "changed", str(error)[:200])
        return
    if computed != link.hash:
        yield Fault(head.shard, link.seq, "changed", f"hash {link.hash}, computed {computed}")


def _storable(value: Any) -> Any:
    if type(value) is str:  # most of what is audited
        return value
    match value:
        case bool() | None | str():
            return value
        case int() | float():
            return _storable_number(value)
        case Mapping():
            return {name: _storable(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_storable(inner) for inner in value]
        case _:
            raise TypeError(f"an audit entry cannot hold {type(value).__name__}")


def _storable_number(value: float) -> int | float | str:
    if abs(value) > _LARGEST_NUMBER or 0 < abs(value) < _SMALLEST_NUMBER or value != value:  # noqa: PLR0124
        return repr(value)
    return int(value) if float(value).is_integer() else value
