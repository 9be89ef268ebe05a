"""What the use cases need from the world. Every method may raise `overread.errors.ServiceError`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from overread.decisions.record import Change, LoopEntry, Record, StoredObject
from overread.review.wire import HumanLoop
from overread.routing.policy import UseCasePolicy

Clock = Callable[[], datetime]


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


class Records(Protocol):
    """Decision records, their audit entries and loop entries."""

    def get(self, decision_id: str) -> Record | None:
        """The record as of now (a consistent read)."""

    def write(self, change: Change) -> None:
        """All of the change or nothing.

        Raises:
            RecordConflictError: the fence does not hold.
        """

    def find_loop(self, loop_name: str) -> LoopEntry | None:
        """Whose loop this is."""


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


class Outputs(Protocol):
    """What human loops wrote."""

    def read(self, uri: str) -> ReadObject:
        """The object at an `s3://` address.

        Raises:
            PoisonedAnswerError: the address lies outside the place for outputs, or the object is too large.
        """


@dataclass(frozen=True, slots=True)
class SubmitPorts:
    """What `submit` needs. `spot_check_key` gives the secret of the spot checks."""

    records: Records
    inputs: Inputs
    models: Models
    policies: Policies
    spot_check_key: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class StartPorts:
    """What `start_loop` needs."""

    records: Records
    inputs: Inputs
    policies: Policies
    loops: HumanLoops


@dataclass(frozen=True, slots=True)
class IngestPorts:
    """What `ingest` needs."""

    records: Records
    loops: HumanLoops
    outputs: Outputs
