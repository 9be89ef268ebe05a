"""Anchors: the ends of all chains, and the links behind the last ones, put where nobody can change them.

An anchor is one JSON object, `anchors/{time}.json`, that names the end of every chain, the segments of links
that were archived with it, and the hash of the anchor before. A segment, which is
`chain/{shard}/{first}-{last}.jsonl`, holds the links themselves. Whoever rewrites the log later contradicts
an anchor; whoever adds forged anchors contradicts those before.
"""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from overread.audit.chain import SHARDS, Fault, Head, Link, genesis, shard_of, verify
from overread.audit.lines import head_document, head_of, links_of, segment_of
from overread.audit.ports import Archive, Archived, AuditLog
from overread.instants import format_instant
from overread.strict_json import canonical_json, parse_json

ANCHORS = "anchors/"
SEGMENTS = "chain/"
SCHEMA = 1
LINKS_A_SEGMENT = 10_000
ATTEMPTS = 4
_AT_ONCE = 16
PAUSE_S = 2.0
"""An index of the log lags a little behind what is written; so the log is read again before it is a fault."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Links that were archived together with an anchor, and the hash of their text."""

    shard: str
    first: int
    last: int
    key: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """What an anchor's object says. `sha256` is the object's own."""

    at: str
    sha256: str
    previous: str
    heads: tuple[Head, ...]
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Anchored:
    """What a run put into the archive, and what is wrong with the log."""

    key: str
    links: int
    heads: tuple[Head, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class AnchorsRead:
    """Every anchor there is, and what is wrong with them."""

    anchors: tuple[Anchor, ...]
    faults: tuple[Fault, ...]

    @property
    def heads(self) -> tuple[Head, ...]:
        """Every end of a chain that was ever anchored."""
        return tuple(head for anchor in self.anchors for head in anchor.heads)


def anchor(
    *,
    log: AuditLog,
    archive: Archive,
    clock: Callable[[], datetime],
    pause: Callable[[float], None],
) -> Anchored:
    """Archives what came since the last anchor, and anchors the ends of all chains.

    A chain with a fault keeps its last anchored end, so that the fault is found again and again.

    Raises:
        ServiceError: a service failed; run it again.
    """
    last = _last(archive)
    before = {head.shard: head for head in last.heads} if last else {}
    heads: list[Head] = []
    faults: list[Fault] = []
    segments: list[dict[str, Any]] = []
    count = 0
    for shard in SHARDS:
        head, links, wrong = _behind(before.get(shard) or genesis(shard), log=log, pause=pause)
        heads.append(head)
        faults += wrong
        count += len(links)
        parts = (links[start : start + LINKS_A_SEGMENT] for start in range(0, len(links), LINKS_A_SEGMENT))
        segments += [_archive(part, archive=archive) for part in parts]
    at = format_instant(clock())
    document = {
        "schema": SCHEMA,
        "at": at,
        "previous": last.sha256 if last else "",
        "heads": [head_document(head) for head in heads],
        "segments": segments,
        "faulty": sorted({fault.shard for fault in faults}),
    }
    key = f"{ANCHORS}{at}.json"
    archive.put(key, canonical_json(document), content_type="application/json")
    return Anchored(key=key, links=count, heads=tuple(heads), faults=tuple(faults))


def read_anchors(archive: Archive) -> AnchorsRead:
    """Every anchor, the first version of each, held against the one before."""
    anchors: list[Anchor] = []
    faults: list[Fault] = []
    before = ""
    listed = list(archive.first_versions(ANCHORS))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        bodies = list(pool.map(archive.read, listed))
    for archived, body in zip(listed, bodies, strict=True):
        if not archived.is_only:
            faults.append(_anchor_fault(archived, "was overwritten or deleted; its first version is used"))
        try:
            found = _anchor_of(body)
        except ValueError as error:
            faults.append(_anchor_fault(archived, str(error)))
            continue
        if found.previous != before:
            faults.append(_anchor_fault(archived, "does not follow from the anchor before it"))
        before = found.sha256
        anchors.append(found)
    return AnchorsRead(anchors=tuple(anchors), faults=tuple(faults))


@dataclass(frozen=True, slots=True)
class ShardReport:
    """What was read of one chain (or of the anchors), and all that is wrong with it."""

    shard: str
    links: int
    head: Head | None
    faults: tuple[Fault, ...]


def verify_log(*, log: AuditLog, read: AnchorsRead, pause: Callable[[float], None]) -> Iterator[ShardReport]:
    """Every chain from its beginning to its end, against every anchor and against the log's own word."""
    yield ShardReport(shard="anchors", links=len(read.anchors), head=None, faults=read.faults)
    for shard in SHARDS:
        yield _verify_shard(shard, anchors=read.heads, log=log, pause=pause)


class ArchivedLog:
    """The log as the archive holds it, as far as it was anchored: the port `AuditLog` without the table.

    A segment that is missing, or is not what its anchor says, is left out, so that its links are missing.
    """

    def __init__(self, archive: Archive, *, read: AnchorsRead) -> None:
        self._archive = archive
        self._read = read

    def head(self, shard: str) -> Head:
        """The last anchored end of the chain."""
        heads = [head for head in self._read.heads if head.shard == shard]
        return max(heads, key=lambda head: head.seq, default=genesis(shard))

    def links(self, shard: str, *, after: int) -> Iterator[Link]:
        """The archived chain behind a place, in order."""
        for anchor in self._read.anchors:
            for segment in anchor.segments:
                if segment.shard == shard and segment.last > after:
                    yield from (link for link in self._links(segment) if link.seq > after)

    def entries(self, subject: str) -> Iterator[Link]:
        """All archived links about one decision or change, in order."""
        chain = self.links(shard_of(subject), after=0)
        return (link for link in chain if link.entry["decision_id"] == subject)

    def _links(self, segment: Segment) -> list[Link]:
        for archived in self._archive.first_versions(segment.key):
            body = self._archive.read(archived)
            if archived.key == segment.key and hashlib.sha256(body).hexdigest() == segment.sha256:
                return links_of(body)
        return []


def _verify_shard(
    shard: str, *, anchors: tuple[Head, ...], log: AuditLog, pause: Callable[[float], None]
) -> ShardReport:
    for attempt in range(ATTEMPTS):
        if attempt:
            pause(PAUSE_S)
        end = log.head(shard)
        chain = _Chain(log.links(shard, after=0), end=end)
        found = verify(chain, from_head=genesis(shard), anchors=(*anchors, end))
        faults = (*found.faults, *chain.beyond(log))
        if not faults:
            break
    return ShardReport(shard=shard, links=found.links, head=found.head, faults=faults)


def _behind(
    head: Head, *, log: AuditLog, pause: Callable[[float], None]
) -> tuple[Head, list[Link], tuple[Fault, ...]]:
    """The new end, the links up to it, and the faults; with faults the old end and no links."""
    for attempt in range(ATTEMPTS):
        if attempt:
            pause(PAUSE_S)
        end = log.head(head.shard)
        chain = _Chain(log.links(head.shard, after=head.seq), end=end)
        links = list(chain)
        found = verify(links, from_head=head, anchors=(end,))
        faults = (*found.faults, *_cut_off(end, anchored=head), *chain.beyond(log))
        if not faults:
            return found.head, links, ()
    return head, [], faults


def _cut_off(end: Head, *, anchored: Head) -> tuple[Fault, ...]:
    if end.seq >= anchored.seq:
        return ()
    detail = f"ends at {end.seq}, was anchored at {anchored.seq}"
    return (Fault(end.shard, end.seq, "truncated", detail),)


class _Chain:
    """The links up to an end that was read before; what was written since is left for the next time."""

    def __init__(self, links: Iterator[Link], *, end: Head) -> None:
        self._links = links
        self._end = end
        self._next: Link | None = None

    def __iter__(self) -> Iterator[Link]:
        for link in self._links:
            if link.seq > self._end.seq and link.shard == self._end.shard:
                self._next = link
                return
            yield link

    def beyond(self, log: AuditLog) -> tuple[Fault, ...]:
        """The fault that the next link is none that was written since."""
        if self._next is None or self._next.seq <= log.head(self._end.shard).seq:
            return ()
        detail = f"the chain ends at {self._end.seq}"
        return (Fault(self._end.shard, self._next.seq, "beyond", detail),)


def _archive(links: list[Link], *, archive: Archive) -> dict[str, Any]:
    shard, first, last = links[0].shard, links[0].seq, links[-1].seq
    key = f"{SEGMENTS}{shard}/{first:012d}-{last:012d}.jsonl"
    body = segment_of(links)
    archive.put(key, body, content_type="application/x-ndjson")
    return {
        "shard": shard,
        "first": first,
        "last": last,
        "key": key,
        "sha256": hashlib.sha256(body).hexdigest(),
    }


def _last(archive: Archive) -> Anchor | None:
    """The last anchor that can be read."""
    for archived in reversed(list(archive.first_versions(ANCHORS))):
        try:
            return _anchor_of(archive.read(archived))
        except ValueError:
            continue
    return None


def _anchor_of(body: bytes) -> Anchor:
    document = parse_json(body)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise ValueError("is no anchor")
    heads = document.get("heads")
    if not isinstance(heads, list):
        raise ValueError("has no heads")
    return Anchor(
        at=str(document.get("at")),
        sha256=hashlib.sha256(body).hexdigest(),
        previous=str(document.get("previous")),
        heads=tuple(map(head_of, heads)),
        segments=tuple(map(_segment_of, document.get("segments", ()))),
    )


def _segment_of(document: Any) -> Segment:
    try:
        return Segment(**document)
    except TypeError as error:
        raise ValueError("has a segment that is none") from error


def _anchor_fault(archived: Archived, detail: str) -> Fault:
    return Fault("anchors", 0, "anchor", f"{archived.key} {detail}")
