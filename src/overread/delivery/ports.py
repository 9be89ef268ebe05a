"""What delivering news needs from the world. Every method may raise `overread.errors.ServiceError`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from overread.decisions.record import OutboxEntry


class Outbox(Protocol):
    """News that are yet to be delivered."""

    def get(self, decision_id: str, *, number: int, target: str) -> OutboxEntry | None:
        """The news if they are still to be delivered, as of now."""

    def due(self, *, until: datetime) -> Iterator[tuple[str, int, str]]:
        """Decision, number and target of what is due by then, most overdue first."""

    def done(self, entry: OutboxEntry, *, at: datetime) -> None:
        """Delivered."""

    def postpone(self, entry: OutboxEntry, *, due_at: datetime) -> bool:
        """Not delivered: again at that time. False when somebody else has tried meanwhile."""

    def give_up(self, entry: OutboxEntry, *, code: str) -> bool:
        """Not delivered, and not tried again. False when somebody else has tried meanwhile."""


class Receiver(Protocol):
    """Who hears the news of one target."""

    def deliver(self, entry: OutboxEntry) -> None:
        """Hands the news over; whoever hears them twice knows them by their dedupe key."""


@dataclass(frozen=True, slots=True)
class DeliverPorts:
    """What `deliver` needs; receivers by target."""

    outbox: Outbox
    receivers: Mapping[str, Receiver]
