"""In-memory worlds for the decision's use cases: every port, with the faults that the real ones have."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from overread.audit.chain import Head, Link, genesis
from overread.decisions import codec
from overread.decisions.error_monitor import WatchPorts
from overread.decisions.monitor_state import Audited, MonitorState, Watched
from overread.decisions.ports import (
    Batch,
    ChangePorts,
    Guard,
    IngestPorts,
    ModelReply,
    ReadObject,
    StartPorts,
    Steered,
    SubmitPorts,
    Switches,
)
from overread.decisions.record import (
    AuditEntry,
    Change,
    Fence,
    LoopEntry,
    OutboxEntry,
    QueueMove,
    Record,
    State,
    StoredObject,
)
from overread.decisions.steered import ALL, GuaranteePin, RosterPin, Switch
from overread.errors import (
    ChainMovedError,
    FlowDefinitionGoneError,
    KillSwitchOnError,
    NameTakenError,
    PoisonedAnswerError,
    QueueFullError,
    RecordConflictError,
    RetryableError,
    ServiceError,
)
from overread.instants import format_instant
from overread.review.roster import Roster, parse_roster
from overread.review.wire import HumanLoop
from overread.routing.policy import UseCasePolicy

ACCOUNT = "111122223333"
REGION = "eu-west-1"
OUTPUT_BUCKET = "outputs"
SPOT_CHECK_KEY = b"a key that only tests know"


@dataclass
class Faults:
    """Errors to raise at the next calls of named operations: `before` it took effect, or `after`."""

    before: dict[str, list[Exception]] = field(default_factory=dict)
    after: dict[str, list[Exception]] = field(default_factory=dict)
    hooks: dict[str, list[Callable[[], None]]] = field(default_factory=dict)

    def enter(self, operation: str) -> None:
        """Runs the next hook and raises the next error planned before the operation."""
        if self.hooks.get(operation):
            self.hooks[operation].pop(0)()
        if self.before.get(operation):
            raise self.before[operation].pop(0)

    def leave(self, operation: str) -> None:
        """Raises the next error planned after the operation took effect."""
        if self.after.get(operation):
            raise self.after[operation].pop(0)


class ManualClock:
    """A clock that moves when told."""

    def __init__(self, start: datetime = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        """Lets time pass."""
        self.now += timedelta(seconds=seconds)


class InMemoryRecords:
    """The ports `Records` and `Steering` with the store's conditions; what is kept went through the codec."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.items: dict[str, codec.Item] = {}
        self.audit: list[AuditEntry] = []
        self.links: list[Link] = []
        self.heads: dict[str, Head] = {}
        self.loops: dict[str, codec.Item] = {}
        self.outbox: list[OutboxEntry] = []
        self.open: dict[str, int] = {}
        self.switches: dict[str, Switch] = {}
        self.pin: RosterPin | None = None
        self.rosters: dict[str, bytes] = {}
        self.guarantees: dict[str, GuaranteePin] = {}
        self.guarantee_bodies: dict[str, bytes] = {}
        self.monitors: dict[tuple[str, str], MonitorState] = {}
        self.writes: list[Change] = []

    def get(self, decision_id: str) -> Record | None:
        """The record as of now."""
        self._faults.enter("get")
        item = self.items.get(decision_id)
        return None if item is None else codec.record_of(item)

    def guard(self, *, shard: str, use_case: str) -> Guard:
        """The end of the audit chain and the kill switches."""
        self._faults.enter("guard")
        return Guard(head=self.head(shard), switches=self._switches(use_case))

    def commit(self, batch: Batch) -> None:
        """All of the batch or nothing."""
        self._faults.enter("write")
        change, guard = batch.change, batch.guard
        self._check_fence(change.record, change.fence)
        if change.is_automatic:
            switches = self._switches(change.record.use_case)
            if switches.is_on:
                raise KillSwitchOnError(change.record.use_case)
            if guard is not None and switches != guard.switches:
                raise ChainMovedError("a switch was turned")
        self._check_queue(change.queue)
        if guard is not None and self.head(guard.head.shard) != guard.head:
            raise ChainMovedError(guard.head.shard)
        self.items[change.record.decision_id] = codec.record_item(change.record)
        self.audit += change.audit
        self._append(batch.links)
        self.loops |= {entry.loop_name: codec.loop_item(entry) for entry in change.loops}
        self.outbox += [codec.outbox_of(codec.outbox_item(entry)) for entry in change.outbox]
        if change.queue is not None:
            self.open[change.queue.queue] = self.open.get(change.queue.queue, 0) + change.queue.slots
        self.writes.append(change)
        self._faults.leave("write")

    def waiting(self, queue: str) -> Iterator[str]:
        """Pending decisions without a place in the queue: by priority, deadline, age."""
        self._faults.enter("waiting")
        records = [codec.record_of(item) for item in self.items.values()]
        found = [
            (
                ["high", "normal", "low"].index(one.priority),
                one.deadline is None,
                str(one.deadline),
                one.received_at,
                one.decision_id,
            )
            for one in records
            if (one.state, one.terms.queue, one.is_admitted) == (State.PENDING, queue, False)
            and one.terms.max_open is not None
        ]
        yield from (name for *_, name in sorted(found, key=lambda key: (key[:2], str(key[2]), key[3:])))

    def head(self, shard: str) -> Head:
        """The end of the audit chain."""
        return self.heads.get(shard, genesis(shard))

    def switch(self, scope: str) -> Switch:
        """The kill switch."""
        self._faults.enter("switch")
        off = Switch(scope=scope, is_on=False, epoch=0, revision=0, changed_at=None, changed_by="", reason="")
        return self.switches.get(scope, off)

    def roster(self) -> RosterPin | None:
        """Which roster is in force."""
        return self.pin

    def keep_roster(self, body: bytes, *, sha256: str) -> None:
        """Stores a roster."""
        self.rosters[sha256] = body

    def current_roster(self) -> Roster | None:
        """The roster in force."""
        self._faults.enter("roster")
        if self.pin is None or not self.pin.sha256:
            return None
        return parse_roster(self.rosters[self.pin.sha256])

    def guarantee(self, use_case: str) -> GuaranteePin | None:
        """Which guarantee is approved and which is proposed."""
        return self.guarantees.get(use_case)

    def keep_guarantee(self, body: bytes, *, sha256: str) -> None:
        """Stores a guarantee."""
        self.guarantee_bodies[sha256] = body

    def steer(self, item: Steered, *, link: Link, head: Head, outbox: tuple[OutboxEntry, ...]) -> None:
        """The item in place of that with the revision before."""
        self._faults.enter("steer")
        before = self._steered_like(item)
        if (before.revision if before else 0) != item.revision - 1:
            raise RecordConflictError("steered item")
        if self.head(head.shard) != head:
            raise ChainMovedError(head.shard)
        match item:
            case Switch():
                self.switches[item.scope] = item
            case RosterPin():
                self.pin = item
            case GuaranteePin():
                self.guarantees[item.use_case] = item
            case MonitorState():
                self.monitors[item.use_case, item.watched.key] = item
        self._append((link,))
        self.outbox += outbox
        self._faults.leave("steer")

    def _steered_like(self, item: Steered) -> Steered | None:
        match item:
            case Switch():
                return self.switches.get(item.scope)
            case RosterPin():
                return self.pin
            case GuaranteePin():
                return self.guarantees.get(item.use_case)
            case MonitorState():
                return self.monitors.get((item.use_case, item.watched.key))

    def _append(self, links: tuple[Link, ...]) -> None:
        self.links += links
        for link in links:
            self.heads[link.shard] = link.head

    def _switches(self, use_case: str) -> Switches:
        both = [self.switches.get(ALL), self.switches.get(use_case)]
        first, second = (one.epoch if one else 0 for one in both)
        return Switches(is_on=any(one.is_on for one in both if one), epochs=(first, second))

    def _check_fence(self, record: Record, fence: Fence | None) -> None:
        stored = self.items.get(record.decision_id)
        if fence is None:
            holds = stored is None
        else:
            expected = (str(fence.state), fence.generation, fence.revision)
            holds = stored is not None and expected == tuple(
                stored[name] for name in ("state", "generation", "revision")
            )
        if not holds:
            raise RecordConflictError(record.decision_id)

    def _check_queue(self, move: QueueMove | None) -> None:
        if move is not None and move.slots > 0 and self.open.get(move.queue, 0) + move.slots > move.limit:
            raise QueueFullError(move.queue)

    def find_loop(self, loop_name: str) -> LoopEntry | None:
        """Whose loop this is."""
        self._faults.enter("find_loop")
        item = self.loops.get(loop_name)
        return None if item is None else codec.loop_of(item)

    def due(self, state: State, *, until: datetime) -> Iterator[str]:
        """The ids of records in `state` that were to be looked at by `until`."""
        self._faults.enter("due")
        found = [
            (item["due_at"], name)
            for name, item in self.items.items()
            if item["state"] == state and item.get("due_at", "~") <= format_instant(until)
        ]
        yield from (name for _, name in sorted(found))

    def only(self) -> Record:
        """The one record there is."""
        (item,) = self.items.values()
        return codec.record_of(item)


class InMemoryInputs:
    """The port `Inputs`."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.objects: dict[str, bytes] = {}

    def put(self, body: bytes, *, use_case: str, sha256: str) -> StoredObject:
        """Stores the input."""
        self._faults.enter("put_input")
        key = f"inputs/{use_case}/{sha256}.json"
        self.objects[key] = body
        self._faults.leave("put_input")
        return StoredObject(bucket="inputs", key=key, version_id="v1", sha256=sha256)

    def read(self, stored: StoredObject) -> bytes:
        """The bytes of that version."""
        self._faults.enter("read_input")
        return self.objects[stored.key]


class FakeModels:
    """The port `Models`: one reply for all, and a record of every question."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.reply = b'{"label": "approve", "confidence": 0.95}'
        self.asked: list[tuple[str, bytes, str]] = []

    def predict(self, endpoint_name: str, *, body: bytes, inference_id: str) -> ModelReply:
        """The reply."""
        self.asked.append((endpoint_name, body, inference_id))
        self._faults.enter("predict")
        return ModelReply(body=self.reply, variant="AllTraffic")


class FixedPolicies:
    """The port `Policies`: whatever policy is set."""

    def __init__(self, policy: UseCasePolicy, faults: Faults) -> None:
        self.policy = policy
        self._faults = faults

    def current(self, use_case: str) -> UseCasePolicy:
        """The policy in force."""
        self._faults.enter("current_policy")
        assert use_case == self.policy.use_case
        return self.policy


class FakeLoops:
    """The port `HumanLoops`, as A2I behaves: idempotent by name, conflict on other content."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.loops: dict[str, HumanLoop] = {}
        self.contents: dict[str, bytes] = {}
        self.personal: dict[str, bool] = {}
        self.gone: set[str] = set()

    def start(
        self, name: str, *, flow_definition_arn: str, input_content: bytes, free_of_personal_data: bool
    ) -> None:
        """Starts the loop."""
        self._faults.enter("start")
        if flow_definition_arn in self.gone:
            raise FlowDefinitionGoneError("ValidationException", operation="StartHumanLoop")
        if name in self.loops and self.contents[name] != input_content:
            raise NameTakenError("ConflictException", operation="StartHumanLoop")
        if name not in self.loops:
            self.loops[name] = HumanLoop(
                name=name,
                arn=f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:human-loop/{name}",
                flow_definition_arn=flow_definition_arn,
                status="InProgress",
            )
            self.contents[name] = input_content
            self.personal[name] = not free_of_personal_data
        self._faults.leave("start")

    def describe(self, name: str) -> HumanLoop | None:
        """The loop as it stands."""
        self._faults.enter("describe")
        return self.loops.get(name)

    def stop(self, name: str) -> None:
        """Asks for the loop's end."""
        self._faults.enter("stop")
        loop = self.loops.get(name)
        if loop is not None and loop.status == "InProgress":
            self.loops[name] = replace(loop, status="Stopped")
        self._faults.leave("stop")

    def names(self, flow_definition_arn: str) -> Iterator[str]:
        """Loops of the flow definition that are in progress."""
        self._faults.enter("names")
        for name, loop in list(self.loops.items()):
            if (loop.flow_definition_arn, loop.status) == (flow_definition_arn, "InProgress"):
                yield name

    def content(self, name: str) -> dict[str, Any]:
        """What the loop shows to people."""
        document: dict[str, Any] = json.loads(self.contents[name])
        return document

    def end(self, name: str, status: str, *, output_uri: str = "", failure_code: str = "") -> None:
        """Ends the loop."""
        self.loops[name] = replace(
            self.loops[name], status=status, output_uri=output_uri, failure_code=failure_code
        )


class InMemoryOutputs:
    """The port `Outputs`."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.objects: dict[str, bytes] = {}

    def read(self, uri: str) -> ReadObject:
        """The object at the address."""
        self._faults.enter("read_output")
        prefix = f"s3://{OUTPUT_BUCKET}/"
        if not uri.startswith(prefix):
            raise PoisonedAnswerError("output_elsewhere", uri)
        if uri not in self.objects:
            raise RetryableError("NoSuchKey", operation="GetObject")
        body = self.objects[uri]
        stored = StoredObject(
            bucket=OUTPUT_BUCKET,
            key=uri.removeprefix(prefix),
            version_id="v1",
            sha256=hashlib.sha256(body).hexdigest(),
        )
        return ReadObject(body=body, stored=stored)


class FakeRate:
    """The port `StartRate`: as many starts as there are tokens; None: any number."""

    def __init__(self) -> None:
        self.tokens: int | None = None

    def take(self, now: datetime) -> float:
        """0.0 when one may be started now."""
        if self.tokens is None:
            return 0.0
        self.tokens -= 1
        return 0.0 if self.tokens >= 0 else 30.0


class FakeGauges:
    """The port `Gauges`."""

    def __init__(self) -> None:
        self.queues: dict[str, int] = {}

    def waiting(self, queue: str) -> int:
        """How many wait."""
        return self.queues.get(queue, 0)

    def measure(self, queue: str) -> int:
        """Counts what waits: here it is set."""
        return self.waiting(queue)


class _Rosters:
    def __init__(self, records: InMemoryRecords) -> None:
        self._records = records

    def current(self) -> Roster | None:
        return self._records.current_roster()


class _Steering:
    def __init__(self, records: InMemoryRecords) -> None:
        self._records = records
        self.head = records.head
        self.switch = records.switch
        self.roster = records.roster
        self.keep_roster = records.keep_roster
        self.guarantee = records.guarantee
        self.keep_guarantee = records.keep_guarantee
        self.commit = records.steer


class InMemoryErrorMonitors:
    """The port `ErrorMonitors`; `tell` is what a delivery does."""

    def __init__(self, records: InMemoryRecords, faults: Faults) -> None:
        self._records = records
        self._faults = faults
        self._told: set[str] = set()
        self._pending: dict[str, list[Audited]] = {}

    def tell(self, use_case: str, audited: Audited) -> None:
        """Lays an audit down; one decision is told once."""
        if audited.decision_id not in self._told:
            self._told.add(audited.decision_id)
            self._pending.setdefault(use_case, []).append(audited)

    def state(self, use_case: str, *, watched: Watched) -> MonitorState | None:
        """How the monitor stands."""
        self._faults.enter("monitor state")
        return self._records.monitors.get((use_case, watched.key))

    def pending(self, use_case: str, *, limit: int) -> tuple[Audited, ...]:
        """Audits that are not counted yet, oldest first."""
        found = sorted(self._pending.get(use_case, ()), key=lambda one: (one.at, one.decision_id))
        return tuple(found[:limit])

    def commit(self, state: MonitorState, *, counted: Iterable[Audited] = ()) -> None:
        """The state in place of that with the revision before."""
        self._faults.enter("monitor commit")
        place = state.use_case, state.watched.key
        before = self._records.monitors.get(place)
        if (before.revision if before else 0) != state.revision - 1:
            raise RecordConflictError("monitor")
        pending = self._pending.get(state.use_case, [])
        taken = list(counted)
        if any(audited not in pending for audited in taken):
            raise RecordConflictError("an audit is not pending")
        self._records.monitors[place] = state
        self._pending[state.use_case] = [audited for audited in pending if audited not in taken]
        self._faults.leave("monitor commit")


class World:
    """All ports of all use cases over one memory."""

    def __init__(self, policy: UseCasePolicy) -> None:
        self.faults = Faults()
        self.clock = ManualClock()
        self.records = InMemoryRecords(self.faults)
        self.inputs = InMemoryInputs(self.faults)
        self.models = FakeModels(self.faults)
        self.policies = FixedPolicies(policy, self.faults)
        self.loops = FakeLoops(self.faults)
        self.outputs = InMemoryOutputs(self.faults)
        self.rate = FakeRate()
        self.gauges = FakeGauges()
        self.steering = _Steering(self.records)
        self.monitors = InMemoryErrorMonitors(self.records, self.faults)

    @property
    def submit_ports(self) -> SubmitPorts:
        """What `submit` needs."""
        return SubmitPorts(
            records=self.records,
            inputs=self.inputs,
            models=self.models,
            policies=self.policies,
            gauges=self.gauges,
            spot_check_key=self._key,
        )

    @property
    def watch_ports(self) -> WatchPorts:
        """What `watch` needs."""
        return WatchPorts(monitors=self.monitors, policies=self.policies, steering=self.steering)

    @property
    def start_ports(self) -> StartPorts:
        """What `start_loop` needs."""
        return StartPorts(
            records=self.records,
            inputs=self.inputs,
            policies=self.policies,
            loops=self.loops,
            rate=self.rate,
        )

    @property
    def ingest_ports(self) -> IngestPorts:
        """What `ingest` and the sweeps need."""
        return IngestPorts(
            records=self.records, loops=self.loops, outputs=self.outputs, rosters=_Rosters(self.records)
        )

    @property
    def change_ports(self) -> ChangePorts:
        """What callers' later calls need."""
        return ChangePorts(records=self.records, policies=self.policies)

    def answer(self, loop_name: str, document: bytes) -> None:
        """The loop completes with this output."""
        uri = f"s3://{OUTPUT_BUCKET}/reviews/{loop_name}/output.json"
        self.outputs.objects[uri] = document
        self.loops.end(loop_name, "Completed", output_uri=uri)

    def events(self) -> list[str]:
        """What the audit tells, in order."""
        return [entry.event for entry in self.records.audit]

    def _key(self) -> bytes:
        self.faults.enter("spot_check_key")
        return SPOT_CHECK_KEY


def service_error(kind: type[ServiceError], code: str) -> ServiceError:
    """An error of that kind."""
    return kind(code, operation="Test")
