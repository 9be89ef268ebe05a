"""What the use cases need from the world. Every method may raise `overread.errors.ServiceError`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from overread.audit.chain import Head, Link
from overread.decisions.monitor_state import MonitorState
from overread.decisions.record import Change, LoopEntry, OutboxEntry, Record, State, StoredObject
from overread.decisions.steered import GuaranteePin, RosterPin, Switch
from overread.review.roster import Roster
from overread.review.wire import HumanLoop
from overread.routing.policy import UseCasePolicy

Clock = Callable[[], datetime]
Steered = Switch | RosterPin | GuaranteePin | MonitorState
"""What people change by hand."""


@dataclass(frozen=True, slots=True)
class ModelReply:
    """What an endpoint answered, and which of its variants did."""

    body: bytes
    variant: str


@dataclass(frozen=True, slots=True)
class ReadObject:
    """An object's bytes, and exactly which version of it they are."""

    body: bytes
    stored: StoredObject


@dataclass(frozen=True, slots=True)
class Switches:
    """The kill switches over a use case, everybody's and its own; `epochs`: how often each was turned."""

    is_on: bool
    epochs: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Guard:
    """What an audited write depends on beside its record, read together."""

    head: Head
    switches: Switches


@dataclass(frozen=True, slots=True)
class Batch:
    """One transaction: the change, its audit entries sealed behind `guard.head`, and what must still hold.

    `guard` is None when nothing is audited. When the change is automatic, the switches must be off and stand
    as they were read.
    """

    change: Change
    links: tuple[Link, ...]
    guard: Guard | None


class Records(Protocol):
    """Decision records with all that is written together with them."""

    def get(self, decision_id: str) -> Record | None:
        """The record as of now (a consistent read)."""

    def guard(self, *, shard: str, use_case: str) -> Guard:
        """The end of the audit chain and the kill switches, as of now."""

    def commit(self, batch: Batch) -> None:
        """All of the batch or nothing.

        Raises:
            RecordConflictError: the fence does not hold.
            KillSwitchOnError: the change is automatic and a kill switch is on.
            QueueFullError: the queue has no place left.
            ChainMovedError: the chain has grown, or a switch has been turned, since the guard was read.
        """

    def find_loop(self, loop_name: str) -> LoopEntry | None:
        """Whose loop this is."""

    def due(self, state: State, *, until: datetime) -> Iterator[str]:
        """The ids of records in `state` that were to be looked at by `until`, most overdue first."""

    def waiting(self, queue: str) -> Iterator[str]:
        """The ids of pending decisions without a place in the queue: by priority, deadline, age."""


class Inputs(Protocol):
    """Inputs under their hash."""

    def put(self, body: bytes, *, use_case: str, sha256: str) -> StoredObject:
        """Stores the input; again and again is once."""

    def read(self, stored: StoredObject) -> bytes:
        """The bytes of that very version."""


class Models(Protocol):
    """Endpoints that predict."""

    def predict(self, endpoint_name: str, *, body: bytes, inference_id: str) -> ModelReply:
        """The endpoint's reply to `body`, asked once."""


class Policies(Protocol):
    """Routing policies in force."""

    def current(self, use_case: str) -> UseCasePolicy:
        """The policy in force now, or the last good one."""


class HumanLoops(Protocol):
    """Human loops of either backend."""

    def start(
        self, name: str, *, flow_definition_arn: str, input_content: bytes, free_of_personal_data: bool
    ) -> None:
        """Starts the loop; with the same name and content again it stays one.

        Raises:
            NameTakenError: the name is in use with other content.
            FlowDefinitionGoneError: the flow definition does not exist any more.
        """

    def describe(self, name: str) -> HumanLoop | None:
        """The loop as it stands, None when there is none."""

    def stop(self, name: str) -> None:
        """Asks for the loop's end; one that ended, or never was, stays as it is."""

    def names(self, flow_definition_arn: str) -> Iterator[str]:
        """The names of the flow definition's loops that are in progress."""


class Outputs(Protocol):
    """What human loops wrote."""

    def read(self, uri: str) -> ReadObject:
        """The object at an `s3://` address.

        Raises:
            PoisonedAnswerError: the address lies outside the place for outputs, or the object is too large.
        """


class StartRate(Protocol):
    """How fast human loops may be started, over all functions together."""

    def take(self, now: datetime) -> float:
        """0.0 when one may be started now, else the seconds to wait."""


class Rosters(Protocol):
    """Who may decide."""

    def current(self) -> Roster | None:
        """The roster in force, None when there never was one."""


class Gauges(Protocol):
    """How much waits for people."""

    def waiting(self, queue: str) -> int:
        """About how many pending decisions have no place in the queue."""


class Steering(Protocol):
    """What people change by hand, each change in one transaction with its audit entry and its news."""

    def head(self, shard: str) -> Head:
        """The end of the audit chain, as of now."""

    def switch(self, scope: str) -> Switch:
        """The kill switch of a use case, or of all (`*`); off when it was never turned."""

    def roster(self) -> RosterPin | None:
        """Which roster is in force and which is proposed."""

    def keep_roster(self, body: bytes, *, sha256: str) -> None:
        """Stores a roster under its hash; again and again is once."""

    def commit(self, item: Steered, *, link: Link, head: Head, outbox: tuple[OutboxEntry, ...]) -> None:
        """The item in place of that with the revision before, behind `head`.

        Raises:
            RecordConflictError: the item has been changed meanwhile.
            ChainMovedError: the chain has grown meanwhile.
        """


class GuaranteeSteering(Steering, Protocol):
    """The same for threshold guarantees too."""

    def guarantee(self, use_case: str) -> GuaranteePin | None:
        """Which threshold guarantee of the use case is approved and which is proposed."""

    def keep_guarantee(self, body: bytes, *, sha256: str) -> None:
        """Stores a guarantee's document under its hash; again and again is once."""


@dataclass(frozen=True, slots=True)
class SubmitPorts:
    """What `submit` and `resume` need. `spot_check_key` gives the secret of the spot checks."""

    records: Records
    inputs: Inputs
    models: Models
    policies: Policies
    gauges: Gauges
    spot_check_key: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class StartPorts:
    """What `start_loop` needs."""

    records: Records
    inputs: Inputs
    policies: Policies
    loops: HumanLoops
    rate: StartRate


@dataclass(frozen=True, slots=True)
class IngestPorts:
    """What `ingest` and the sweeps need."""

    records: Records
    loops: HumanLoops
    outputs: Outputs
    rosters: Rosters


@dataclass(frozen=True, slots=True)
class ChangePorts:
    """What callers' later calls need: cancel, contest, and the truth learnt afterwards."""

    records: Records
    policies: Policies
