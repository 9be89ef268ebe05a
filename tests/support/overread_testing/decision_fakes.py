"""In-memory worlds for the decision's use cases: every port, with the faults that the real ones have."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from overread.decisions import codec
from overread.decisions.ports import IngestPorts, ModelReply, ReadObject, StartPorts, SubmitPorts
from overread.decisions.record import AuditEntry, Change, LoopEntry, Record, State, StoredObject
from overread.errors import (
    FlowDefinitionGoneError,
    NameTakenError,
    PoisonedAnswerError,
    RecordConflictError,
    RetryableError,
    ServiceError,
)
from overread.instants import format_instant
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
    """The port `Records` with the store's fences; what is kept went through the codec."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.items: dict[str, codec.Item] = {}
        self.audit: list[AuditEntry] = []
        self.loops: dict[str, codec.Item] = {}
        self.writes: list[Change] = []

    def get(self, decision_id: str) -> Record | None:
        """The record as of now."""
        self._faults.enter("get")
        item = self.items.get(decision_id)
        return None if item is None else codec.record_of(item)

    def write(self, change: Change) -> None:
        """All of the change or nothing."""
        self._faults.enter("write")
        record, fence = change.record, change.fence
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
        self.items[record.decision_id] = codec.record_item(record)
        self.audit += change.audit
        self.loops |= {entry.loop_name: codec.loop_item(entry) for entry in change.loops}
        self.writes.append(change)
        self._faults.leave("write")

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

    @property
    def submit_ports(self) -> SubmitPorts:
        """What `submit` needs."""
        return SubmitPorts(
            records=self.records,
            inputs=self.inputs,
            models=self.models,
            policies=self.policies,
            spot_check_key=self._key,
        )

    @property
    def start_ports(self) -> StartPorts:
        """What `start_loop` needs."""
        return StartPorts(records=self.records, inputs=self.inputs, policies=self.policies, loops=self.loops)

    @property
    def ingest_ports(self) -> IngestPorts:
        """What `ingest` needs."""
        return IngestPorts(records=self.records, loops=self.loops, outputs=self.outputs)

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
