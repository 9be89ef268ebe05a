"""The use case "tell the world": at least once, always the same words, until they are heard or given up."""

from datetime import datetime, timedelta
from enum import StrEnum

from overread.decisions.ports import Clock
from overread.decisions.record import OutboxEntry
from overread.delivery.ports import DeliverPorts
from overread.errors import PermanentError, ServiceError

BACKOFF_FIRST = timedelta(seconds=15)
BACKOFF_LONGEST = timedelta(hours=6)
PATIENCE = timedelta(days=3)
"""How long a receiver may be deaf before its news are set aside for somebody to redrive."""
ATTEMPTS_AT_LEAST = 20
"""About as many as fit into that time. News that are redriven later have them all before them again."""


class DeliverResult(StrEnum):
    """What became of the attempt."""

    DELIVERED = "delivered"
    POSTPONED = "postponed"
    GIVEN_UP = "given_up"
    NOTHING_TO_DO = "nothing_to_do"


def deliver(
    decision_id: str, *, number: int, target: str, ports: DeliverPorts, clock: Clock, jitter: float
) -> DeliverResult:
    """Delivers the news when they are due. `jitter` in [0, 1) spreads the attempts.

    Raises:
        ServiceError: the outbox cannot be read or written; run it again. The news may have been heard.
    """
    entry = ports.outbox.get(decision_id, number=number, target=target)
    if entry is None or entry.due_at > clock():
        return DeliverResult.NOTHING_TO_DO
    try:
        _receive(entry, ports=ports)
    except ServiceError as error:
        return _again(entry, error, ports=ports, at=clock(), jitter=jitter)
    ports.outbox.done(entry, at=clock())
    return DeliverResult.DELIVERED


def backoff(attempts: int, *, jitter: float) -> timedelta:
    """Until the next attempt: doubling from 15 s to 6 h, the upper half drawn by `jitter`."""
    full = min(BACKOFF_LONGEST, BACKOFF_FIRST * 2.0 ** min(attempts - 1, 16))
    return full * (0.5 + jitter / 2)


def _receive(entry: OutboxEntry, *, ports: DeliverPorts) -> None:
    receiver = ports.receivers.get(entry.target)
    if receiver is None:
        raise PermanentError("NoReceiver", operation="Deliver", message=entry.target)
    receiver.deliver(entry)


def _again(
    entry: OutboxEntry, error: ServiceError, *, ports: DeliverPorts, at: datetime, jitter: float
) -> DeliverResult:
    if at - entry.created_at >= PATIENCE and entry.attempts + 1 >= ATTEMPTS_AT_LEAST:
        is_mine = ports.outbox.give_up(entry, code=error.code)
        return DeliverResult.GIVEN_UP if is_mine else DeliverResult.NOTHING_TO_DO
    due_at = at + backoff(entry.attempts + 1, jitter=jitter)
    is_mine = ports.outbox.postpone(entry, due_at=due_at)
    return DeliverResult.POSTPONED if is_mine else DeliverResult.NOTHING_TO_DO
