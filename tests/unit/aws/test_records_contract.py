"""One contract for two stores: the fake that other tests trust, and DynamoDB in the emulator.

Hypothesis makes up histories of writers that are too late, too many or against a kill switch; after every
write both stores must have said the same, and at the end they must hold the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from overread.audit.chain import CHANGES_SHARD, SHARDS, shard_of
from overread.decisions.commit import sealed
from overread.decisions.ports import Batch, Guard, Records, Steering
from overread.decisions.record import AuditEntry, Change, Fence, QueueMove, Record, State
from overread.decisions.steered import ALL
from overread.errors import OverreadError
from overread_aws.dynamodb_records import DynamoDbRecords
from overread_aws.steering import DynamoDbSteering
from overread_testing.decision_builders import policy
from overread_testing.decision_fakes import World
from overread_testing.stored_records import NOW, creation, make_record, review_terms, step

TABLE = "decisions"
IDS = ("d-1", "d-2", "d-3")
USE_CASE = "loan-approval"
LIMITED = review_terms(queue="loans", max_open=2)


@dataclass
class Store:
    """A store, and the guards that were read of it: a writer may come with an old one."""

    records: Records
    steering: Steering
    guards: dict[str, list[Guard]] = field(default_factory=dict)

    def guard(self, decision_id: str, *, age: int) -> Guard:
        """The guard as it is now, or (`age` > 0) as it was that many reads ago."""
        read = self.guards.setdefault(decision_id, [])
        read.append(self.records.guard(shard=shard_of(decision_id), use_case=USE_CASE))
        return read[max(len(read) - 1 - age, 0)]


Act = Callable[[Store], object]


@dataclass(frozen=True)
class Create:
    """Puts a record as a new one."""

    decision_id: str

    def __call__(self, store: Store) -> object:
        record = make_record(self.decision_id, terms=LIMITED)
        store.records.commit(Batch(creation(record), (), None))
        return record


@dataclass(frozen=True)
class Move:
    """An audited step, with a fence and a guard that may be out of date."""

    decision_id: str
    state: State
    fence_state: State | None
    revision_off: int
    guard_age: int
    is_automatic: bool
    slots: int

    def __call__(self, store: Store) -> object:
        record = store.records.get(self.decision_id) or make_record(self.decision_id, terms=LIMITED)
        change = self._change(record)
        guard = store.guard(self.decision_id, age=self.guard_age)
        store.records.commit(Batch(change, sealed(change.audit, head=guard.head), guard))
        return change.record

    def _change(self, record: Record) -> Change:
        change = step(record, state=self.state)
        fence = Fence(
            self.fence_state or record.state, record.generation, record.revision + self.revision_off
        )
        move = QueueMove("loans", self.slots, 2) if self.slots else None
        return replace(change, fence=fence, is_automatic=self.is_automatic, queue=move)


@dataclass(frozen=True)
class Turn:
    """Turns a kill switch, perhaps from a reading of it that is out of date."""

    scope: str
    is_on: bool
    revision_off: int

    def __call__(self, store: Store) -> object:
        switch = store.steering.switch(self.scope)
        changed = replace(
            switch,
            is_on=self.is_on,
            epoch=switch.epoch + (switch.is_on != self.is_on),
            revision=switch.revision + 1 + self.revision_off,
            changed_at=NOW,
            changed_by="ada",
        )
        head = store.steering.head(CHANGES_SHARD)
        subject = f"change/kill-switch/{self.scope}"
        entry = AuditEntry(subject, changed.revision, NOW, "turned", "", "", 0, {})
        (link,) = sealed((entry,), head=head)
        store.steering.commit(changed, link=link, head=head, outbox=())
        return changed


ids = st.sampled_from(IDS)
moves = st.builds(
    Move,
    decision_id=ids,
    state=st.sampled_from((State.PENDING, State.IN_REVIEW, State.FINAL)),
    fence_state=st.sampled_from((None, None, None, None, None, None, State.RECEIVED, State.PENDING)),
    revision_off=st.sampled_from((0, 0, 0, 0, 0, 0, -1, 1)),
    guard_age=st.sampled_from((0, 0, 0, 1, 2)),
    is_automatic=st.booleans(),
    slots=st.sampled_from((0, 0, 1, 2, -1)),
)
turns = st.builds(
    Turn,
    scope=st.sampled_from((ALL, USE_CASE)),
    is_on=st.booleans(),
    revision_off=st.sampled_from((0, 0, -1, 1)),
)
acts = st.one_of(moves, moves, moves, turns, st.builds(Create, decision_id=ids))
histories = st.lists(acts, min_size=3, max_size=14).map(lambda late: [*map(Create, IDS), *late])


def told(act: Act, store: Store) -> object:
    """What came of it: the error's kind, or what was written."""
    try:
        return act(store)
    except OverreadError as error:
        return type(error)


def content(store: Store) -> Iterator[object]:
    """All that a store can be asked for."""
    for decision_id in IDS:
        record = store.records.get(decision_id)
        yield record
        for review in range(4):
            yield store.records.find_loop(f"h-{review}")
    for state in State:
        yield sorted(store.records.due(state, until=NOW))
    yield list(store.records.waiting("loans"))
    yield [store.steering.head(shard) for shard in SHARDS]
    yield [store.steering.switch(scope) for scope in (ALL, USE_CASE)]


def fake_store() -> Store:
    world = World(policy())
    return Store(world.records, world.steering)


def emptied(dynamodb: Any) -> None:
    for item in dynamodb.scan(TableName=TABLE)["Items"]:
        dynamodb.delete_item(TableName=TABLE, Key={"pk": item["pk"], "sk": item["sk"]})


@settings(
    max_examples=70,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories)
def test_both_stores_say_and_hold_the_same(dynamodb: Any, s3_client: Any, history: list[Act]) -> None:
    emptied(dynamodb)
    fake = fake_store()
    real = Store(
        DynamoDbRecords(dynamodb, table=TABLE),
        DynamoDbSteering(dynamodb, s3_client, table=TABLE, bucket="inputs"),
    )
    for act in history:
        # Another writer each time: a writer that says the same again only repeats itself.
        real.records = DynamoDbRecords(dynamodb, table=TABLE)
        expected = told(act, fake)
        event(getattr(expected, "__name__", "written"))
        assert told(act, real) == expected, act
    assert list(content(real)) == list(content(fake))


REFUSALS = {
    "fence": (Move("d-1", State.FINAL, State.RECEIVED, 0, 0, False, 0), "RecordConflictError"),
    "late_guard": (Move("d-1", State.FINAL, None, 0, 1, False, 0), "ChainMovedError"),
    "queue": (Move("d-1", State.FINAL, None, 0, 0, False, 1), "QueueFullError"),
    "switch": (Move("d-1", State.FINAL, None, 0, 0, True, 0), "KillSwitchOnError"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_the_histories_reach_every_refusal(case: str) -> None:
    """A generator that never meets a condition would prove nothing about it: here is one history for each."""
    act, refusal = REFUSALS[case]
    store = fake_store()
    Create("d-1")(store)
    Move("d-1", State.PENDING, None, 0, 0, False, 2)(store)
    Turn(ALL, True, 0)(store)
    assert getattr(told(act, store), "__name__", "") == refusal
