"""What of a domain has to go next: apps, then spaces and profiles, then the domain, then its interfaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GONE = frozenset({"Deleted"})
LEAVING = frozenset({"Deleting"})
SETTLING = frozenset({"Pending", "Updating"})
"""States in which SageMaker refuses a deletion; it is asked for again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An app, space, profile or the domain. `key` is what its Describe and Delete calls take."""

    kind: str
    key: tuple[tuple[str, str], ...]
    status: str

    @property
    def name(self) -> str:
        """How people read it: `App alice/RSession/default`."""
        return f"{self.kind} {'/'.join(value for name, value in self.key if name != 'DomainId')}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`delete` now; `left` is everything that is not gone yet: empty means done."""

    delete: tuple[Part, ...]
    left: tuple[str, ...]


def next_step(
    *, apps: Sequence[Part], spaces: Sequence[Part], profiles: Sequence[Part], domain: Part | None
) -> Step:
    """The deletions that can be asked for now: nothing before what it is made of is gone."""
    levels = [
        [part for part in level if part.status not in GONE]
        for level in (apps, spaces, profiles, [domain] if domain else [])
    ]
    left = tuple(f"{part.name} ({part.status})" for level in levels for part in level)
    for level in levels:
        if level:
            ready = tuple(part for part in level if part.status not in LEAVING | SETTLING)
            return Step(delete=ready, left=left)
    return Step(delete=(), left=left)
