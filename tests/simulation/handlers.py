"""One run of a Lambda function: every call of its ports is an await point where anything may go wrong."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Protocol, TypeVar

from tests.simulation.faults import NO_FAULT, Fault, Faults, KilledError
from tests.simulation.review_backend import ReviewBackend
from tests.simulation.scenario import roster_of
from tests.simulation.scheduler import Scheduler
from tests.simulation.store import OutboxKey, Store

from overread.audit.chain import Head, Link
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
)
from overread.decisions.record import LoopEntry, OutboxEntry, Record, State, StoredObject
from overread.decisions.steered import RosterPin, Switch
from overread.delivery.ports import DeliverPorts
from overread.errors import AmbiguousError, RetryableError
from overread.review.roster import Roster
from overread.review.wire import HumanLoop
from overread.routing.policy import UseCasePolicy
from overread_testing.decision_fakes import SPOT_CHECK_KEY

T = TypeVar("T")
TIME_LIMIT_S = 60.0


class Surroundings(Protocol):
    """What a run of a function finds outside: a world."""

    scheduler: Scheduler
    faults: Faults
    store: Store
    backend: ReviewBackend

    def latency_s(self) -> float:
        """How long a call takes that goes well."""

    def skew_s(self) -> float:
        """How wrong a clock goes."""

    def is_out(self, service: str) -> bool:
        """Whether the service is down."""

    def policy_in_sight(self, use_case: str) -> UseCasePolicy:
        """The policy as a cache may show it."""

    def put_input(self, body: bytes, use_case: str, sha256: str) -> StoredObject:
        """Stores an input."""

    def read_input(self, stored: StoredObject) -> bytes:
        """An input."""

    def predict(self, body: bytes, inference_id: str) -> ModelReply:
        """What the model says."""

    def receive(self, entry: OutboxEntry) -> None:
        """What a receiver of news does with them."""


class Handler:
    """One run, with its own clock; it lives for a minute."""

    __slots__ = ("_draw", "_ends_at", "_latency_s", "_scheduler", "skew_s", "started_at", "world")

    def __init__(self, world: Surroundings) -> None:
        self.world = world
        self.skew_s = world.skew_s()
        self._draw, self._latency_s = world.faults.draw, world.latency_s
        self._scheduler = world.scheduler
        self.started_at = world.scheduler.now
        self._ends_at = self.started_at + TIME_LIMIT_S

    def clock(self) -> datetime:
        """What this run thinks is the time."""
        return self._scheduler.instant(self.skew_s)

    def call(self, operation: str, effect: Callable[..., T], *arguments: object) -> T:
        """The await point."""
        scheduler = self._scheduler
        fault = self._draw()
        scheduler.sleep(self._latency_s())
        if fault is not NO_FAULT:
            return self._call_badly(fault, operation, effect, arguments)
        if scheduler.now > self._ends_at:
            raise KilledError
        return effect(*arguments)

    def _call_badly(
        self, fault: Fault, operation: str, effect: Callable[..., T], arguments: tuple[object, ...]
    ) -> T:
        faults = self.world.faults
        if fault is Fault.DELAY:
            self._scheduler.sleep(faults.delay_s())
        if self._scheduler.now > self._ends_at or fault is Fault.KILL_BEFORE:
            raise KilledError
        if fault is Fault.FAIL_BEFORE:
            raise faults.before(operation)
        result = effect(*arguments)
        if fault is Fault.APPLY_THEN_KILL:
            raise KilledError
        if fault is Fault.APPLY_THEN_FAIL:
            raise faults.after(operation)
        return result

    def call_service(self, service: str, operation: str, effect: Callable[..., T], *arguments: object) -> T:
        """The await point of a call to a service that may be down for hours."""
        if self.world.is_out(service):
            self._scheduler.sleep(self.world.latency_s())
            raise RetryableError("ServiceQuotaExceededException", operation=operation)
        return self.call(operation, effect, *arguments)

    @property
    def submit_ports(self) -> SubmitPorts:
        """For `submit` and `resume`."""
        return SubmitPorts(
            records=RecordsPort(self),
            inputs=InputsPort(self),
            models=ModelsPort(self),
            policies=PoliciesPort(self),
            gauges=GaugesPort(self),
            spot_check_key=self._spot_check_key,
        )

    @property
    def start_ports(self) -> StartPorts:
        """For `start_loop`."""
        return StartPorts(
            records=RecordsPort(self),
            inputs=InputsPort(self),
            policies=PoliciesPort(self),
            loops=LoopsPort(self),
            rate=RatePort(self),
        )

    @property
    def ingest_ports(self) -> IngestPorts:
        """For `ingest` and the sweeps."""
        return IngestPorts(
            records=RecordsPort(self),
            loops=LoopsPort(self),
            outputs=OutputsPort(self),
            rosters=RostersPort(self),
        )

    @property
    def change_ports(self) -> ChangePorts:
        """For callers who come back."""
        return ChangePorts(records=RecordsPort(self), policies=PoliciesPort(self))

    @property
    def deliver_ports(self) -> DeliverPorts:
        """For `deliver`."""
        receiver = ReceiverPort(self)
        receivers = {"events": receiver, "webhook": receiver, "feedback": receiver}
        return DeliverPorts(outbox=OutboxPort(self), receivers=receivers)

    def _spot_check_key(self) -> bytes:
        return SPOT_CHECK_KEY


class _Port:
    __slots__ = ("_handler",)

    def __init__(self, handler: Handler) -> None:
        self._handler = handler


class RecordsPort(_Port):
    """`Records`."""

    __slots__ = ()

    def get(self, decision_id: str) -> Record | None:
        """The record as of now."""
        return self._handler.call("get", self._handler.world.store.get, decision_id)

    def guard(self, *, shard: str, use_case: str) -> Guard:
        """The end of the chain and the switches."""
        return self._handler.call("guard", self._handler.world.store.guard, shard, use_case)

    def commit(self, batch: Batch) -> None:
        """All of the batch or nothing."""
        self._handler.call("commit", self._handler.world.store.commit, batch)

    def find_loop(self, loop_name: str) -> LoopEntry | None:
        """Whose loop this is."""
        return self._handler.call("find_loop", self._handler.world.store.find_loop, loop_name)

    def due(self, state: State, *, until: datetime) -> Iterator[str]:
        """What is to be looked at."""
        return iter(self._handler.call("due", self._handler.world.store.due, state, until))

    def waiting(self, queue: str) -> Iterator[str]:
        """What waits for a place."""
        return iter(self._handler.call("waiting", self._handler.world.store.waiting, queue))


class InputsPort(_Port):
    """`Inputs`."""

    __slots__ = ()

    def put(self, body: bytes, *, use_case: str, sha256: str) -> StoredObject:
        """Stores the input."""
        return self._handler.call("put_input", self._handler.world.put_input, body, use_case, sha256)

    def read(self, stored: StoredObject) -> bytes:
        """The bytes."""
        return self._handler.call("read_input", self._handler.world.read_input, stored)


class ModelsPort(_Port):
    """`Models`."""

    __slots__ = ()

    def predict(self, endpoint_name: str, *, body: bytes, inference_id: str) -> ModelReply:
        """The endpoint's reply."""
        return self._handler.call_service("model", "predict", self._handler.world.predict, body, inference_id)


class PoliciesPort(_Port):
    """`Policies`."""

    __slots__ = ()

    def current(self, use_case: str) -> UseCasePolicy:
        """The policy as the function's cache shows it."""
        return self._handler.call("current_policy", self._handler.world.policy_in_sight, use_case)


class LoopsPort(_Port):
    """`HumanLoops`."""

    __slots__ = ()

    def start(
        self, name: str, *, flow_definition_arn: str, input_content: bytes, free_of_personal_data: bool
    ) -> None:
        """Starts the loop."""
        self._handler.call_service(
            "loops",
            "start",
            self._handler.world.backend.start,
            name,
            flow_definition_arn,
            input_content,
            free_of_personal_data,
        )

    def describe(self, name: str) -> HumanLoop | None:
        """The loop as it stands."""
        return self._handler.call("describe", self._handler.world.backend.describe, name)

    def stop(self, name: str) -> None:
        """Asks for its end."""
        self._handler.call("stop", self._handler.world.backend.stop, name)

    def names(self, flow_definition_arn: str) -> Iterator[str]:
        """Loops in progress."""
        return self._handler.call("names", self._handler.world.backend.names, flow_definition_arn)


class OutputsPort(_Port):
    """`Outputs`: whatever fails, the object may be read later."""

    __slots__ = ()

    def read(self, uri: str) -> ReadObject:
        """The object."""
        try:
            return self._handler.call_service("outputs", "read_output", self._handler.world.backend.read, uri)
        except AmbiguousError as error:
            raise RetryableError(error.code, operation=error.operation) from error


class RatePort(_Port):
    """`StartRate`."""

    __slots__ = ()

    def take(self, now: datetime) -> float:
        """Seconds to wait."""
        return self._handler.call("take_start", self._handler.world.store.take_start, now)


class GaugesPort(_Port):
    """`Gauges`."""

    __slots__ = ()

    def waiting(self, queue: str) -> int:
        """How many wait."""
        return len(self._handler.call("gauge", self._handler.world.store.waiting, queue))


class RostersPort(_Port):
    """`Rosters`."""

    __slots__ = ()

    def current(self) -> Roster | None:
        """The roster in force."""
        return self._handler.call("roster", self._current)

    def _current(self) -> Roster | None:
        store = self._handler.world.store
        if store.pin is None or not store.pin.sha256:
            return None
        return roster_of(store.roster_bodies[store.pin.sha256])


class SteeringPort(_Port):
    """`Steering`."""

    __slots__ = ()

    def head(self, shard: str) -> Head:
        """The end of the chain."""
        return self._handler.call("head", self._handler.world.store.head, shard)

    def switch(self, scope: str) -> Switch:
        """The kill switch."""
        return self._handler.call("switch", self._handler.world.store.switch, scope)

    def roster(self) -> RosterPin | None:
        """Which roster is in force."""
        return self._handler.call("pin", lambda: self._handler.world.store.pin)

    def keep_roster(self, body: bytes, *, sha256: str) -> None:
        """Stores a roster."""
        self._handler.call("keep_roster", self._handler.world.store.keep_roster, body, sha256)

    def commit(self, item: Steered, *, link: Link, head: Head, outbox: tuple[OutboxEntry, ...]) -> None:
        """The item in place of the one before."""
        if not isinstance(item, Switch | RosterPin):
            raise TypeError(f"no {type(item).__name__} is steered here")
        self._handler.call("steer", self._handler.world.store.steer, item, link, head, outbox)


class OutboxPort(_Port):
    """`Outbox`."""

    __slots__ = ()

    def get(self, decision_id: str, *, number: int, target: str) -> OutboxEntry | None:
        """News if they are still to be delivered."""
        return self._handler.call("news", self._handler.world.store.news, (decision_id, number, target))

    def due(self, *, until: datetime) -> Iterator[OutboxKey]:
        """News that are due."""
        return iter(self._handler.call("news_due", self._handler.world.store.news_due, until))

    def done(self, entry: OutboxEntry, *, at: datetime) -> None:
        """Delivered."""
        self._handler.call("news_done", self._handler.world.store.news_done, entry)

    def postpone(self, entry: OutboxEntry, *, due_at: datetime) -> bool:
        """Again later."""
        return self._handler.call("news_postponed", self._handler.world.store.postpone_news, entry, due_at)

    def give_up(self, entry: OutboxEntry, *, code: str) -> bool:
        """Not any more."""
        return self._handler.call("news_given_up", self._handler.world.store.give_up_news, entry)


class ReceiverPort(_Port):
    """`Receiver`: one that may have understood and fail to say so."""

    __slots__ = ()

    def deliver(self, entry: OutboxEntry) -> None:
        """Tells the receiver."""
        self._handler.call_service("receivers", "deliver", self._handler.world.receive, entry)
