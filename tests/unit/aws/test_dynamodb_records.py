"""Records in DynamoDB: what is written together, under which conditions, and what refusals mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError
from botocore.stub import Stubber

from overread.audit.chain import genesis, shard_of, verify
from overread.decisions.codec import outbox_of
from overread.decisions.commit import commit_change
from overread.decisions.ports import Batch, Guard, Switches
from overread.decisions.record import Change, Fence, QueueMove, Record, State
from overread.errors import (
    AmbiguousError,
    ChainMovedError,
    KillSwitchOnError,
    OverreadError,
    PermanentError,
    QueueFullError,
    RecordConflictError,
    RetryableError,
)
from overread_aws import decision_items as items
from overread_aws.attribute_values import attribute_values, plain_item
from overread_aws.decision_table import CHAIN_INDEX, Condition, DecisionTable
from overread_aws.dynamodb_records import DynamoDbRecords
from overread_testing.aws_emulator import AwsEmulator
from overread_testing.aws_stubs import stubbed
from overread_testing.stored_records import (
    NOW,
    batch_of,
    creation,
    make_news,
    make_record,
    review_terms,
    step,
)

TABLE = "decisions"
SHARD = shard_of("d-1")
ONE_PLACE = QueueMove(queue="loans", slots=1, limit=1)
SWITCHES_OFF = Switches(is_on=False, epochs=(0, 0))


@pytest.fixture
def records(dynamodb: Any) -> DynamoDbRecords:
    """The port over an empty table."""
    return DynamoDbRecords(dynamodb, table=TABLE)


@pytest.fixture
def table(dynamodb: Any) -> DecisionTable:
    """The same table, to look behind the port."""
    return DecisionTable(dynamodb, name=TABLE)


def create(records: DynamoDbRecords, record: Record) -> Record:
    """The record, stored."""
    records.commit(Batch(change=creation(record), links=(), guard=None))
    return record


def final(record: Record, **changes: Any) -> Change:
    """The model's decision."""
    change = step(record, state=State.FINAL, due_at=None)
    return replace(change, is_automatic=True, **changes)


def turn(table: DecisionTable, scope: str, *, is_on: bool, epoch: int) -> None:
    """A kill switch as it shall stand."""
    item = {"is_on": is_on, "epoch": epoch, "revision": epoch}
    table.write_one(table.put(items.switch_key(scope), item))


@contextmanager
def all_conditions_but(client: Any, position: int) -> Iterator[None]:
    """Makes the condition of one action of each transaction hold whatever stands there."""

    def weaken(params: dict[str, Any], **_: Any) -> None:
        (action,) = params["TransactItems"][position].values()
        condition = action["ConditionExpression"]
        action["ConditionExpression"] = f"({condition}) OR attribute_not_exists(nowhere)"

    event = "before-parameter-build.dynamodb.TransactWriteItems"
    client.meta.events.register(event, weaken)
    try:
        yield
    finally:
        client.meta.events.unregister(event, weaken)


# What is written


def test_a_step_is_written_with_its_audit_entry_its_loop_and_its_news(
    records: DynamoDbRecords, table: DecisionTable
) -> None:
    change = final(create(records, make_record()))
    commit_change(change, records=records)
    assert records.get("d-1") == change.record
    assert records.find_loop(change.loops[0].loop_name) == change.loops[0]
    assert outbox_of(table.get(items.outbox_key("d-1", 1, "events")) or {}) == change.outbox[0]
    link = items.link_of(table.get(items.audit_key("d-1", 1)) or {})
    assert verify([link], from_head=genesis(SHARD)).is_intact
    assert link.entry["detail"] == {"confidence": 1, "threshold": 0.9}
    assert records.guard(shard=SHARD, use_case="loan-approval") == Guard(link.head, SWITCHES_OFF)


def test_what_is_not_there_is_none(records: DynamoDbRecords) -> None:
    assert records.get("d-9") is None
    assert records.find_loop("h-9") is None
    assert records.guard(shard="03", use_case="x") == Guard(genesis("03"), SWITCHES_OFF)


def test_nothing_is_written_when_one_condition_fails(records: DynamoDbRecords, dynamodb: Any) -> None:
    change = final(create(records, make_record()))
    stale = replace(change, fence=Fence(State.PENDING, 0, 1))
    with pytest.raises(RecordConflictError):
        commit_change(stale, records=records)
    assert len(dynamodb.scan(TableName=TABLE)["Items"]) == 1


def test_places_in_a_queue_are_taken_and_given_back(records: DynamoDbRecords, table: DecisionTable) -> None:
    taken = replace(step(create(records, make_record())), queue=QueueMove("loans", 2, 2))
    commit_change(taken, records=records)
    assert (table.get(items.queue_key("loans")) or {})["open"] == 2
    back = replace(step(taken.record), queue=QueueMove("loans", -2, 2))
    commit_change(back, records=records)
    assert (table.get(items.queue_key("loans")) or {})["open"] == 0


def test_an_item_that_is_no_record_is_an_error_that_a_sweep_survives(
    records: DynamoDbRecords, table: DecisionTable
) -> None:
    item = items.indexed_record(make_record(), writer="w")
    for fault in ({"deadline": "999-01-01T00:00:00.000Z"}, {"state": "LOST"}):
        table.write_one(table.put(items.record_key("d-1"), item | fault))
        with pytest.raises(PermanentError) as caught:
            records.get("d-1")
        assert caught.value.code == "RecordUnreadable"


# Conditions. Each case: what stands in the way, which error it is, and which action of the transaction
# carries the condition: with that one weakened, the same batch is accepted, so nothing else does.

Arrange = Callable[[DynamoDbRecords, DecisionTable], Batch]


def with_fence(**changes: Any) -> Arrange:
    def arrange(records: DynamoDbRecords, _: DecisionTable) -> Batch:
        change = final(create(records, make_record(state=State.PENDING, generation=1, revision=4)))
        assert change.fence is not None
        return batch_of(replace(change, fence=replace(change.fence, **changes)), records=records)

    return arrange


def created_again(records: DynamoDbRecords, _: DecisionTable) -> Batch:
    create(records, make_record())
    change = replace(step(make_record()), fence=None)
    return batch_of(change, records=records)


def with_switch(scope: str, *, is_on: bool, before: int, after: int) -> Arrange:
    def arrange(records: DynamoDbRecords, table: DecisionTable) -> Batch:
        if before:
            turn(table, scope, is_on=False, epoch=before)
        batch = batch_of(final(create(records, make_record())), records=records)
        turn(table, scope, is_on=is_on, epoch=after)
        return batch

    return arrange


def with_queue(*, taken: int, wanted: int, limit: int) -> Arrange:
    def arrange(records: DynamoDbRecords, table: DecisionTable) -> Batch:
        table.write_one(table.put(items.queue_key("loans"), {"open": taken}))
        move = QueueMove(queue="loans", slots=wanted, limit=limit)
        return batch_of(replace(step(create(records, make_record())), queue=move), records=records)

    return arrange


def with_head(**changes: Any) -> Arrange:
    def arrange(records: DynamoDbRecords, table: DecisionTable) -> Batch:
        commit_change(step(create(records, make_record())), records=records)
        record = records.get("d-1")
        assert record is not None
        batch = batch_of(step(record), records=records)
        assert batch.guard is not None
        head = items.head_item(batch.guard.head)
        table.write_one(table.put(items.head_key(SHARD), head | changes))
        return batch

    return arrange


def with_first_link_taken(records: DynamoDbRecords, _: DecisionTable) -> Batch:
    batch = batch_of(step(create(records, make_record())), records=records)
    other = next(f"d-{n}" for n in range(2, 999) if shard_of(f"d-{n}") == SHARD)
    commit_change(step(create(records, make_record(other))), records=records)
    return batch


def with_entry_there(records: DynamoDbRecords, table: DecisionTable) -> Batch:
    table.write_one(table.put(items.audit_key("d-1", 1), {"event": "forged"}))
    return batch_of(step(create(records, make_record())), records=records)


REFUSED: dict[str, tuple[Arrange, type[OverreadError], int]] = {
    "created_again": (created_again, RecordConflictError, 0),
    "fence_of_another_state": (with_fence(state=State.IN_REVIEW), RecordConflictError, 0),
    "fence_of_another_generation": (with_fence(generation=2), RecordConflictError, 0),
    "fence_of_another_revision": (with_fence(revision=3), RecordConflictError, 0),
    "all_switched_off": (with_switch("*", is_on=True, before=0, after=1), KillSwitchOnError, 1),
    "use_case_switched_off": (
        with_switch("loan-approval", is_on=True, before=0, after=1),
        KillSwitchOnError,
        2,
    ),
    "all_switched_off_again": (with_switch("*", is_on=True, before=2, after=3), KillSwitchOnError, 1),
    # Should never be: the epoch counts every turn. The switch is believed, not the number.
    "on_without_an_epoch": (with_switch("*", is_on=True, before=2, after=2), KillSwitchOnError, 1),
    "all_switched_off_and_on": (with_switch("*", is_on=False, before=0, after=2), ChainMovedError, 1),
    "use_case_switched_off_and_on": (
        with_switch("loan-approval", is_on=False, before=2, after=4),
        ChainMovedError,
        2,
    ),
    "queue_full": (with_queue(taken=3, wanted=1, limit=3), QueueFullError, 1),
    "queue_without_room_for_two": (with_queue(taken=2, wanted=2, limit=3), QueueFullError, 1),
    "queue_over_its_new_limit": (with_queue(taken=5, wanted=1, limit=3), QueueFullError, 1),
    "pair_in_a_queue_of_one": (with_queue(taken=1, wanted=2, limit=1), QueueFullError, 1),
    "first_link_taken": (with_first_link_taken, ChainMovedError, 1),
    "chain_of_another_length": (with_head(seq=7), ChainMovedError, 1),
    "chain_of_another_hash": (with_head(hash="00" * 32), ChainMovedError, 1),
    "audit_entry_there": (with_entry_there, PermanentError, 2),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_failed_condition_refuses_the_batch_and_is_all_that_does(
    case: str, records: DynamoDbRecords, table: DecisionTable, dynamodb: Any
) -> None:
    arrange, error, position = REFUSED[case]
    batch = arrange(records, table)
    before = records.get("d-1")
    with pytest.raises(error):
        records.commit(batch)
    assert records.get("d-1") == before
    with all_conditions_but(dynamodb, position):
        records.commit(batch)
    assert records.get("d-1") == batch.change.record


ACCEPTED: dict[str, Arrange] = {
    "queue_with_room": with_queue(taken=2, wanted=1, limit=3),
    "pair_in_an_empty_queue_of_one": with_queue(taken=0, wanted=2, limit=1),
    "queue_full_and_a_place_given_back": with_queue(taken=3, wanted=-1, limit=3),
    "queue_far_over_its_new_limit_and_a_place_given_back": with_queue(taken=9, wanted=-1, limit=3),
    "switches_as_they_were": with_switch("*", is_on=False, before=2, after=2),
    "switch_made_but_never_turned": with_switch("*", is_on=False, before=0, after=0),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_what_no_condition_forbids_is_written(
    case: str, records: DynamoDbRecords, table: DecisionTable
) -> None:
    batch = ACCEPTED[case](records, table)
    records.commit(batch)
    assert records.get("d-1") == batch.change.record


def test_people_decide_while_the_kill_switch_is_on(records: DynamoDbRecords, table: DecisionTable) -> None:
    turn(table, "*", is_on=True, epoch=1)
    change = step(create(records, make_record()), state=State.PENDING)
    commit_change(change, records=records)
    assert records.get("d-1") == change.record


def test_of_several_refusals_the_record_counts_first_then_switch_queue_and_chain(
    records: DynamoDbRecords, table: DecisionTable
) -> None:
    record = create(records, make_record())
    change = final(record, queue=ONE_PLACE)
    stale = replace(change, fence=Fence(State.PENDING, 0, 1))
    batch = batch_of(change, records=records)
    turn(table, "*", is_on=True, epoch=1)
    table.write_one(table.put(items.queue_key("loans"), {"open": 1}))
    table.write_one(table.put(items.head_key(SHARD), {"seq": 1, "hash": "x"}))
    table.write_one(table.put(items.audit_key("d-1", 1), {"event": "forged"}))
    with pytest.raises(RecordConflictError):
        records.commit(replace(batch, change=stale))
    with pytest.raises(KillSwitchOnError):
        records.commit(batch)
    turn(table, "*", is_on=False, epoch=0)
    with pytest.raises(QueueFullError):
        records.commit(batch)
    table.write_one(table.put(items.queue_key("loans"), {"open": 0}))
    with pytest.raises(ChainMovedError):
        records.commit(batch)


def test_a_single_write_keeps_the_fence(records: DynamoDbRecords) -> None:
    record = create(records, make_record())
    with pytest.raises(RecordConflictError):
        create(DynamoDbRecords(records._table._client, table=TABLE), record)
    later = replace(record, revision=2, due_at=NOW + timedelta(minutes=1))
    for fence in (Fence(State.PENDING, 0, 1), Fence(State.RECEIVED, 1, 1), Fence(State.RECEIVED, 0, 2)):
        with pytest.raises(RecordConflictError):
            records.commit(Batch(Change(record=later, fence=fence), (), None))
    assert records.get("d-1") == record
    records.commit(Batch(Change(record=later, fence=Fence(State.RECEIVED, 0, 1)), (), None))
    assert records.get("d-1") == later


# Races


def at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(act, range(count)))


def test_of_many_writers_of_one_record_one_wins(aws: AwsEmulator, records: DynamoDbRecords) -> None:
    record = create(records, make_record())
    client = records._table._client

    def attempt(_: int) -> bool:
        # All write the very same words: only who they are tells them apart.
        try:
            commit_change(final(record), records=DynamoDbRecords(client, table=TABLE))
        except RecordConflictError:
            return False
        return True

    assert sum(at_once(8, attempt)) == 1
    assert records.guard(shard=SHARD, use_case="loan-approval").head.seq == 1


def test_of_many_creators_of_one_record_one_wins(records: DynamoDbRecords) -> None:
    def attempt(_: int) -> bool:
        try:
            create(DynamoDbRecords(records._table._client, table=TABLE), make_record())
        except RecordConflictError:
            return False
        return True

    assert sum(at_once(8, attempt)) == 1


def test_writers_racing_on_one_chain_all_get_a_place_and_the_chain_holds(
    records: DynamoDbRecords, table: DecisionTable
) -> None:
    ids = [f"d-{n}" for n in range(4000) if shard_of(f"d-{n}") == SHARD][:24]
    for decision_id in ids:
        create(records, make_record(decision_id))

    def attempt(worker: int) -> None:
        own = DynamoDbRecords(records._table._client, table=TABLE)
        for decision_id in ids[worker::4]:
            commit_change(step(make_record(decision_id)), records=own)

    at_once(4, attempt)
    key = Condition("chain_shard = :shard", {":shard": SHARD}, {})
    pages = table.pages(CHAIN_INDEX, key=key)
    links = [items.link_of(plain_item(item)) for page in pages for item in page["Items"]]
    report = verify(links, from_head=genesis(SHARD))
    assert (report.is_intact, report.links) == (True, 24)
    assert report.head == records.guard(shard=SHARD, use_case="loan-approval").head


def test_of_many_that_want_the_last_place_in_a_queue_one_gets_it(
    records: DynamoDbRecords, table: DecisionTable
) -> None:
    changes = [
        replace(step(create(records, make_record(f"d-{number}"))), queue=ONE_PLACE) for number in range(8)
    ]

    def attempt(number: int) -> bool:
        try:
            commit_change(changes[number], records=DynamoDbRecords(records._table._client, table=TABLE))
        except QueueFullError:
            return False
        return True

    assert sum(at_once(8, attempt)) == 1
    assert (table.get(items.queue_key("loans")) or {})["open"] == 1


def test_once_the_kill_switch_is_on_no_decision_of_the_model_is_written(
    records: DynamoDbRecords, table: DecisionTable
) -> None:
    for number in range(60):
        create(records, make_record(f"d-{number}"))
    is_on = Event()

    def decide(worker: int) -> list[tuple[bool, bool]]:
        """For each decision: whether the switch was known to be on before, and whether it was written."""
        own, seen = DynamoDbRecords(records._table._client, table=TABLE), []
        for number in range(worker, 60, 3):
            was_on = is_on.is_set()
            try:
                commit_change(final(make_record(f"d-{number}")), records=own)
                seen.append((was_on, True))
            except KillSwitchOnError:
                seen.append((was_on, False))
        return seen

    def turn_on_halfway() -> None:
        while records.guard(shard=SHARD, use_case="loan-approval").head.seq < 1:
            pass
        turn(table, "*", is_on=True, epoch=1)
        is_on.set()

    with ThreadPoolExecutor(4) as pool:
        deciders = [pool.submit(decide, worker) for worker in range(3)]
        pool.submit(turn_on_halfway).result()
        seen = [one for decider in deciders for one in decider.result()]
    assert (True, True) not in seen
    assert (True, False) in seen
    assert (False, True) in seen


# Replies that are lost


@contextmanager
def lost_replies(client: Any, *, times: int) -> Iterator[list[str]]:
    """Everything is done, but the first `times` replies never arrive; gives what was asked of the service."""
    session, asked = client._endpoint.http_session, []
    send = session.send

    def lose(request: Any) -> Any:
        reply = send(request)
        asked.append(request.headers["X-Amz-Target"].decode().partition(".")[2])
        if len(asked) <= times:
            raise ConnectionClosedError(endpoint_url=request.url)
        return reply

    session.send = lose
    try:
        yield asked
    finally:
        session.send = send


def admitted(record: Record) -> Change:
    """A step with a place in a queue of many, which counts how often it is done."""
    return replace(step(record, state=State.PENDING), queue=QueueMove("loans", 1, 100))


@pytest.fixture
def impatient(aws: AwsEmulator) -> Any:
    """A client that repeats nothing."""
    return aws.client("dynamodb", attempts=1)


def test_a_transaction_whose_reply_is_lost_is_repeated_and_happens_once(
    records: DynamoDbRecords, table: DecisionTable, dynamodb: Any
) -> None:
    batch = batch_of(admitted(create(records, make_record())), records=records)
    with lost_replies(dynamodb, times=2) as asked:
        records.commit(batch)
    assert asked == ["TransactWriteItems"] * 3
    assert records.get("d-1") == batch.change.record
    assert (table.get(items.queue_key("loans")) or {})["open"] == 1


def test_a_lost_reply_is_ambiguous_and_the_same_writer_may_say_the_same_again(
    records: DynamoDbRecords, table: DecisionTable, impatient: Any
) -> None:
    batch = batch_of(admitted(create(records, make_record())), records=records)
    writer = DynamoDbRecords(impatient, table=TABLE)
    with (
        lost_replies(impatient, times=1) as asked,
        pytest.raises(AmbiguousError, match="TransactWriteItems"),
    ):
        writer.commit(batch)
    assert asked == ["TransactWriteItems"]
    assert records.get("d-1") == batch.change.record
    writer.commit(batch)
    with pytest.raises(RecordConflictError):
        records.commit(batch)
    assert (table.get(items.queue_key("loans")) or {})["open"] == 1


def test_a_single_write_whose_reply_is_lost_is_repeated_and_known_as_ones_own(
    records: DynamoDbRecords, dynamodb: Any
) -> None:
    with lost_replies(dynamodb, times=1) as asked:
        create(records, make_record())
    assert asked == ["PutItem"] * 2
    with pytest.raises(RecordConflictError):
        create(DynamoDbRecords(dynamodb, table=TABLE), make_record())


# What DynamoDB says when it does not do it


def still(_: float) -> None:
    """Does not wait."""


def refuse(script: Stubber, operation: str, code: str, status: int = 400, *reasons: str) -> None:
    extra = {"CancellationReasons": [{"Code": reason} for reason in reasons]} if reasons else {}
    script.add_client_error(operation, code, http_status_code=status, modeled_fields=extra or None)


BATCH = Batch(
    change=Change(record=make_record(), fence=None, outbox=(make_news(),)),
    links=(),
    guard=None,
)


@pytest.mark.parametrize(
    ("reasons", "error", "code"),
    [
        (("ThrottlingError", "None"), RetryableError, "ThrottlingError"),
        (("None", "ProvisionedThroughputExceeded"), RetryableError, "ThrottlingError"),
        (("TransactionConflict", "ThrottlingError"), RetryableError, "ThrottlingError"),
        (("ValidationError", "None"), PermanentError, "TransactionCanceledException"),
        (("ItemCollectionSizeLimitExceeded", "None"), PermanentError, "TransactionCanceledException"),
    ],
)
def test_a_cancelled_transaction_means_what_its_reasons_say(
    reasons: tuple[str, ...], error: type[RetryableError], code: str
) -> None:
    with stubbed("dynamodb") as (client, script):
        refuse(script, "transact_write_items", "TransactionCanceledException", 400, *reasons)
        with pytest.raises(error) as caught:
            DynamoDbRecords(client, table=TABLE, pause=still).commit(BATCH)
    assert (type(caught.value), caught.value.code) == (error, code)


def test_a_failed_condition_counts_more_than_throttling_or_another_transaction() -> None:
    with stubbed("dynamodb") as (client, script):
        reasons = ("ConditionalCheckFailed", "ThrottlingError", "TransactionConflict")
        refuse(script, "transact_write_items", "TransactionCanceledException", 400, *reasons)
        with pytest.raises(RecordConflictError):
            DynamoDbRecords(client, table=TABLE, pause=still).commit(BATCH)


def test_other_transactions_at_the_same_items_are_waited_for_as_the_same_transaction() -> None:
    tokens: list[str] = []
    waits: list[float] = []
    with stubbed("dynamodb") as (client, script):
        client.meta.events.register(
            "before-parameter-build.*.*", lambda params, **_: tokens.append(params["ClientRequestToken"])
        )
        for _ in range(2):
            reasons = ("TransactionConflict", "None")
            refuse(script, "transact_write_items", "TransactionCanceledException", 400, *reasons)
        script.add_response("transact_write_items", {})
        DynamoDbRecords(client, table=TABLE, pause=waits.append).commit(BATCH)
    assert len(set(tokens)) == 1
    assert len(tokens) == 3
    assert len(waits) == 2
    assert all(0 <= wait <= 0.32 for wait in waits)


def test_others_at_the_same_items_all_the_time_are_for_later() -> None:
    with stubbed("dynamodb") as (client, script):
        for _ in range(6):
            refuse(script, "transact_write_items", "TransactionCanceledException", 400, "TransactionConflict")
        with pytest.raises(RetryableError, match="TransactWriteItems: TransactionConflict"):
            DynamoDbRecords(client, table=TABLE, pause=still).commit(BATCH)


def test_an_internal_error_of_the_table_is_ambiguous() -> None:
    with stubbed("dynamodb") as (client, script):
        refuse(script, "transact_write_items", "InternalServerError", 500)
        with pytest.raises(AmbiguousError, match="TransactWriteItems: InternalServerError"):
            DynamoDbRecords(client, table=TABLE, pause=still).commit(BATCH)


def head_reply(key: tuple[str, str], item: dict[str, Any]) -> dict[str, Any]:
    return attribute_values({"pk": key[0], "sk": key[1], **item})


def keys_wanted(*keys: tuple[str, str]) -> dict[str, Any]:
    wanted = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in keys]
    return {TABLE: {"Keys": wanted, "ConsistentRead": True}}


def test_a_guard_is_asked_for_until_all_of_it_is_there() -> None:
    head, everybodys, own = (items.head_key("00"), items.switch_key("*"), items.switch_key("x"))
    missing = keys_wanted(own)
    with stubbed("dynamodb") as (client, script):
        script.add_response(
            "batch_get_item",
            {
                "Responses": {TABLE: [head_reply(head, {"shard": "00", "seq": 3, "hash": "ab"})]},
                "UnprocessedKeys": missing,
            },
            {"RequestItems": keys_wanted(head, everybodys, own)},
        )
        script.add_response(
            "batch_get_item",
            {"Responses": {TABLE: [head_reply(own, {"is_on": True, "epoch": 5})]}},
            {"RequestItems": missing},
        )
        guard = DynamoDbRecords(client, table=TABLE, pause=still).guard(shard="00", use_case="x")
    assert (guard.head.seq, guard.switches) == (3, Switches(is_on=True, epochs=(0, 5)))


def test_a_guard_that_is_never_whole_is_an_error_and_not_a_switch_that_is_off() -> None:
    with stubbed("dynamodb") as (client, script):
        for _ in range(6):
            reply = {"Responses": {}, "UnprocessedKeys": keys_wanted(items.switch_key("*"))}
            script.add_response("batch_get_item", reply)
        with pytest.raises(RetryableError, match="BatchGetItem: UnprocessedKeys"):
            DynamoDbRecords(client, table=TABLE, pause=still).guard(shard="00", use_case="x")


# What is due, and what waits


def test_what_is_due_comes_most_overdue_first_and_only_of_its_state(records: DynamoDbRecords) -> None:
    for number, late_s in enumerate((10, 30, 20, -10)):
        create(records, make_record(f"d-{number}", due_at=NOW - timedelta(seconds=late_s)))
    create(records, make_record("d-pending", state=State.PENDING))
    create(records, make_record("d-final", state=State.FINAL, due_at=None))
    assert list(records.due(State.RECEIVED, until=NOW)) == ["d-1", "d-2", "d-0"]
    assert list(records.due(State.PENDING, until=NOW)) == ["d-pending"]
    assert list(records.due(State.FINAL, until=NOW)) == []


def test_a_record_leaves_the_index_with_its_state(records: DynamoDbRecords) -> None:
    commit_change(final(create(records, make_record())), records=records)
    assert list(records.due(State.RECEIVED, until=NOW)) == []


def test_every_page_of_what_is_due_is_read(records: DynamoDbRecords, dynamodb: Any) -> None:
    for number in range(5):
        create(records, make_record(f"d-{number}"))

    def small(params: dict[str, Any], **_: Any) -> None:
        params["Limit"] = 2

    dynamodb.meta.events.register("before-parameter-build.dynamodb.Query", small)
    try:
        assert sorted(records.due(State.RECEIVED, until=NOW)) == [f"d-{number}" for number in range(5)]
    finally:
        dynamodb.meta.events.unregister("before-parameter-build.dynamodb.Query", small)


def test_a_queue_is_served_by_priority_then_deadline_then_age(records: DynamoDbRecords) -> None:
    limited = review_terms(queue="loans", max_open=3)
    soon, later = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    waiting: list[dict[str, Any]] = [
        {"decision_id": "d-low", "priority": "low", "deadline": soon},
        {"decision_id": "d-younger", "received_at": NOW + timedelta(seconds=1)},
        {"decision_id": "d-older"},
        {"decision_id": "d-later", "deadline": later},
        {"decision_id": "d-soon", "deadline": soon},
        {"decision_id": "d-high", "priority": "high"},
    ]
    for one in waiting:
        create(records, make_record(state=State.PENDING, terms=limited, **one))
    others: dict[str, dict[str, Any]] = {
        "d-admitted": {"is_admitted": True},
        "d-reviewed": {"state": State.IN_REVIEW},
        "d-unlimited": {"terms": review_terms(queue="loans")},
        "d-elsewhere": {"terms": review_terms(queue="claims", max_open=3)},
    }
    for decision_id, changes in others.items():
        create(records, make_record(decision_id, **{"state": State.PENDING, "terms": limited, **changes}))
    order = ["d-high", "d-soon", "d-later", "d-older", "d-younger", "d-low"]
    assert list(records.waiting("loans")) == order
    assert list(records.waiting("claims")) == ["d-elsewhere"]
