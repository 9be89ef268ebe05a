"""What people steer by hand: kill switches, and which roster is in force."""

from dataclasses import dataclass
from datetime import datetime

ALL = "*"
"""The scope of the kill switch over every use case."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that waits for a second person. `value` is what it would set."""

    value: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Switch:
    """A kill switch. `revision` counts the writes, `epoch` how often it was turned."""

    scope: str
    is_on: bool
    epoch: int
    revision: int
    changed_at: datetime | None
    changed_by: str
    reason: str
    proposal: Proposal | None = None


@dataclass(frozen=True, slots=True)
class RosterPin:
    """The roster in force, by its hash; empty before the first one was approved."""

    sha256: str
    revision: int
    changed_at: datetime | None
    proposed_by: str
    approved_by: str
    proposal: Proposal | None = None


@dataclass(frozen=True, slots=True)
class GuaranteePin:
    """The threshold guarantee that a use case's policy may stand on, by its id and its document's hash; both
    empty before the first one was approved. A proposal's value is the hash of what it proposes.
    `terms_sha256` is the hash of what a policy says that stands on it.
    """

    use_case: str
    id: str
    sha256: str
    terms_sha256: str
    revision: int
    changed_at: datetime | None
    proposed_by: str
    approved_by: str
    proposal: Proposal | None = None
