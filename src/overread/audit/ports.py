"""What the audit needs from the world. Every method may raise `overread.errors.ServiceError`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from overread.audit.chain import Head, Link


@dataclass(frozen=True, slots=True)
class Archived:
    """The first version of an object in the archive; `is_only`: no other one came, and no deletion."""

    key: str
    version_id: str
    is_only: bool


class AuditLog(Protocol):
    """The audit entries as they are written."""

    def head(self, shard: str) -> Head:
        """The end of the chain, as the log itself has it."""

    def links(self, shard: str, *, after: int) -> Iterator[Link]:
        """The chain behind a place, in order; what was written in the last moments may be missing."""

    def entries(self, subject: str) -> Iterator[Link]:
        """All links about one decision or change, in order (a consistent read)."""


class Archive(Protocol):
    """Objects that nobody can change: under retention in a bucket with Object Lock."""

    def put(self, key: str, body: bytes, *, content_type: str) -> None:
        """Stores the object."""

    def first_versions(self, prefix: str) -> Iterator[Archived]:
        """What was first stored under each key that begins so, in the order of the keys."""

    def read(self, archived: Archived) -> bytes:
        """The bytes of that very version."""
