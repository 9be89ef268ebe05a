"""The decision table as a simulation needs it: the real one's conditions, immutable values, a history."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from overread.audit.chain import Head, Link, genesis
from overread.decisions.ports import Batch, Guard, Switches
from overread.decisions.record import Change, Fence, LoopEntry, OutboxEntry, QueueMove, Record, State
from overread.decisions.start_rate import Bucket, Rate, take
from overread.decisions.steered import ALL, RosterPin, Switch
from overread.errors import ChainMovedError, KillSwitchOnError, QueueFullError, RecordConflictError

_URGENCY = {"high": 0, "normal": 1, "low": 2}
OutboxKey = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class Commit:
    """One write to a decision that took effect, and what was in force at that instant."""

    at: float
    before: Record | None
    change: Change
    is_switched_off: bool
    """Whether a kill switch over the use case was on."""


@dataclass(frozen=True, slots=True)
class RosterInForce:
    """Since when which roster counts."""

    at: float
    sha256: str


class Store:
    """All items of the table. Every method is one request, and happens at one instant."""

    def __init__(self, *, now: Callable[[], float], rate: Rate, on_commit: Callable[[Commit], None]) -> None:
        self._now = now
        self._rate = rate
        self._on_commit = on_commit
        self.records: dict[str, Record] = {}
        self.loops: dict[str, LoopEntry] = {}
        self.links: list[Link] = []
        self.heads: dict[str, Head] = {}
        self.outbox: dict[OutboxKey, OutboxEntry] = {}
        self.due_outbox: dict[OutboxKey, OutboxEntry] = {}
        self.places: dict[str, int] = {}
        self.switches: dict[str, Switch] = {}
        self.pin: RosterPin | None = None
        self.roster_bodies: dict[str, bytes] = {}
        self.rosters: list[RosterInForce] = []
        self.bucket: Bucket | None = None
        self.commits: list[Commit] = []

    def get(self, decision_id: str) -> Record | None:
        """The record as of now."""
        return self.records.get(decision_id)

    def guard(self, shard: str, use_case: str) -> Guard:
        """The end of the chain and the kill switches."""
        return Guard(head=self.head(shard), switches=self.switches_over(use_case))

    def commit(self, batch: Batch) -> None:
        """All of the batch or nothing."""
        change, guard = batch.change, batch.guard
        record = change.record
        before = self.records.get(record.decision_id)
        self.check_fence(before, change.fence, record)
        switches = self.switches_over(record.use_case)
        if change.is_automatic:
            self.check_switches(switches, guard, record.use_case)
        self.check_queue(change.queue)
        if guard is not None:
            self.check_chain(guard.head)
        self.records[record.decision_id] = record
        self.append(batch.links)
        for loop in change.loops:
            self.loops[loop.loop_name] = loop
        self._publish(change.outbox)
        if change.queue is not None:
            queue = change.queue.queue
            self.places[queue] = self.places.get(queue, 0) + change.queue.slots
        done = Commit(at=self._now(), before=before, change=change, is_switched_off=switches.is_on)
        self.commits.append(done)
        self._on_commit(done)

    def check_fence(self, before: Record | None, fence: Fence | None, record: Record) -> None:
        """Raises RecordConflictError where the stored record is not as the fence says."""
        if fence is None:
            holds = before is None
        else:
            holds = before is not None and fence == Fence(before.state, before.generation, before.revision)
        if not holds:
            raise RecordConflictError(record.decision_id)

    def check_switches(self, switches: Switches, guard: Guard | None, use_case: str) -> None:
        """Raises where a switch is on or was turned."""
        if switches.is_on:
            raise KillSwitchOnError(use_case)
        if guard is not None and switches != guard.switches:
            raise ChainMovedError(use_case)

    def check_queue(self, move: QueueMove | None) -> None:
        """Raises where the queue is full."""
        if move is not None and move.slots > 0 and self.places.get(move.queue, 0) + move.slots > move.limit:
            raise QueueFullError(move.queue)

    def check_chain(self, head: Head) -> None:
        """Raises where the chain has grown."""
        if self.head(head.shard) != head:
            raise ChainMovedError(head.shard)

    def find_loop(self, loop_name: str) -> LoopEntry | None:
        """Whose loop this is."""
        return self.loops.get(loop_name)

    def due(self, state: State, until: datetime) -> list[str]:
        """Records in the state that are to be looked at, most overdue first."""
        found = [
            (record.due_at, record.decision_id)
            for record in self.records.values()
            if record.state is state and record.due_at is not None and record.due_at <= until
        ]
        return [name for _, name in sorted(found)]

    def waiting(self, queue: str) -> list[str]:
        """Pending decisions without a place in the queue: by priority, deadline, age."""
        found = [
            (
                _URGENCY[one.priority],
                one.deadline is None,
                one.deadline or one.received_at,
                one.received_at,
                one.decision_id,
            )
            for one in self.records.values()
            if one.state is State.PENDING
            and one.terms.queue == queue
            and not one.is_admitted
            and one.terms.max_open is not None
        ]
        return [key[-1] for key in sorted(found)]

    def take_start(self, now: datetime) -> float:
        """0.0 when a human loop may be started now, else the seconds to wait."""
        self.bucket, wait_s = take(self.bucket, rate=self._rate, now=now)
        return wait_s

    def head(self, shard: str) -> Head:
        """The end of a chain."""
        return self.heads.get(shard) or genesis(shard)

    def switch(self, scope: str) -> Switch:
        """A kill switch."""
        return self.switches.get(scope) or Switch(
            scope=scope, is_on=False, epoch=0, revision=0, changed_at=None, changed_by="", reason=""
        )

    def switches_over(self, use_case: str) -> Switches:
        """The kill switches that count for a use case."""
        if not self.switches:
            return _OFF
        both = self.switch(ALL), self.switch(use_case)
        return Switches(is_on=both[0].is_on or both[1].is_on, epochs=(both[0].epoch, both[1].epoch))

    def keep_roster(self, body: bytes, sha256: str) -> None:
        """Stores a roster."""
        self.roster_bodies[sha256] = body

    def steer(
        self, item: Switch | RosterPin, link: Link, head: Head, outbox: tuple[OutboxEntry, ...]
    ) -> None:
        """A switch or the roster's pin in place of that of the revision before."""
        before = self.switches.get(item.scope) if isinstance(item, Switch) else self.pin
        if (before.revision if before else 0) != item.revision - 1:
            raise RecordConflictError("steered item")
        self.check_chain(head)
        if isinstance(item, Switch):
            self.switches[item.scope] = item
        else:
            if item.sha256 and (self.pin is None or self.pin.sha256 != item.sha256):
                self.rosters.append(RosterInForce(self._now(), item.sha256))
            self.pin = item
        self.append((link,))
        self._publish(outbox)

    def append(self, links: tuple[Link, ...]) -> None:
        """More links of the chain."""
        for link in links:
            self.links.append(link)
            self.heads[link.shard] = link.head

    def news_due(self, until: datetime) -> list[OutboxKey]:
        """News that are to be delivered by then."""
        found = [(entry.due_at, key) for key, entry in self.due_outbox.items() if entry.due_at <= until]
        return [key for _, key in sorted(found)]

    def news(self, key: OutboxKey) -> OutboxEntry | None:
        """News if they are still to be delivered."""
        return self.due_outbox.get(key)

    def news_done(self, entry: OutboxEntry) -> None:
        """Delivered."""
        self.due_outbox.pop((entry.decision_id, entry.number, entry.target), None)

    def postpone_news(self, entry: OutboxEntry, due_at: datetime) -> bool:
        """Not delivered: again later. False when somebody else has tried, or delivered, meanwhile."""
        key = (entry.decision_id, entry.number, entry.target)
        stored = self.due_outbox.get(key)
        if stored is None or stored.attempts != entry.attempts:
            return False
        self.due_outbox[key] = replace(entry, attempts=entry.attempts + 1, due_at=due_at)
        return True

    def give_up_news(self, entry: OutboxEntry) -> bool:
        """Not delivered, and not tried again."""
        key = (entry.decision_id, entry.number, entry.target)
        return self.due_outbox.pop(key, None) is not None

    def _publish(self, entries: tuple[OutboxEntry, ...]) -> None:
        for entry in entries:
            key = (entry.decision_id, entry.number, entry.target)
            self.outbox[key] = self.due_outbox[key] = entry

    def decisions(self) -> Iterator[Record]:
        """All records."""
        yield from self.records.values()


_OFF = Switches(is_on=False, epochs=(0, 0))
