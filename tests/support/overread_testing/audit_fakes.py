"""An audit log and an archive in memory."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from overread.audit.chain import Head, Link, genesis, seal, shard_of
from overread.audit.ports import Archived
from overread.errors import PermanentError


class MemoryLog:
    """An audit log whose chains and ends can be tampered with; `lag` hides the last links from `links`."""

    def __init__(self) -> None:
        self.chains: dict[str, list[Link]] = defaultdict(list)
        self.heads: dict[str, Head] = {}
        self.lag = 0

    def append(self, entry: Mapping[str, Any]) -> Link:
        """The entry behind the end of its subject's chain."""
        shard = shard_of(entry["decision_id"])
        link = seal(entry, head=self.head(shard))
        self.chains[shard].append(link)
        self.heads[shard] = link.head
        return link

    def head(self, shard: str) -> Head:
        return self.heads.get(shard) or genesis(shard)

    def links(self, shard: str, *, after: int) -> Iterator[Link]:
        chain = self.chains[shard]
        return iter([link for link in chain[: len(chain) - self.lag] if link.seq > after])

    def entries(self, subject: str) -> Iterator[Link]:
        return iter([link for link in self.chains[shard_of(subject)] if link.entry["decision_id"] == subject])


class MemoryArchive:
    """An archive that keeps every version; the first one counts."""

    def __init__(self) -> None:
        self.versions: dict[str, list[bytes]] = defaultdict(list)

    def put(self, key: str, body: bytes, *, content_type: str) -> None:
        stored = self.versions[key]
        if stored and stored[0] != body:
            raise PermanentError("ArchivedDifferently", operation="PutObject", message=key)
        if not stored:
            stored.append(body)

    def find(self, key: str) -> bytes | None:
        return self.versions[key][0] if self.versions[key] else None

    def first_versions(self, prefix: str) -> Iterator[Archived]:
        for key in sorted(self.versions):
            if key.startswith(prefix) and self.versions[key]:
                yield Archived(key=key, version_id="0", is_only=len(self.versions[key]) == 1)

    def read(self, archived: Archived) -> bytes:
        return self.versions[archived.key][int(archived.version_id)]


class MemoryChangeLog:
    """The chain of changes over a log in memory."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    def last(self, subject: str) -> Link | None:
        return max(self._log.entries(subject), key=lambda link: link.seq, default=None)

    def append(self, entry: Mapping[str, Any]) -> None:
        self._log.append(entry)
