"""What waits, read from the indexes of the table of decisions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from overread.decisions.record import Record, State, Waiting
from overread_aws import decision_items as items
from overread_aws.audited_writes import news
from overread_aws.backlog import DynamoDbBacklog
from overread_aws.decision_table import DecisionTable
from overread_aws.outbox_store import DynamoDbOutbox
from overread_testing.stored_records import NOW, make_news, make_record

TABLE = "decisions"


@pytest.fixture
def backlog(dynamodb: Any) -> DynamoDbBacklog:
    """The port over an empty table."""
    return DynamoDbBacklog(dynamodb, table=TABLE)


def store(dynamodb: Any, *records: Record) -> None:
    table = DecisionTable(dynamodb, name=TABLE)
    for record in records:
        item = items.indexed_record(record, writer="test")
        table.write_one(table.put(items.record_key(record.decision_id), item))


def turn(dynamodb: Any, scope: str, *, is_on: bool) -> None:
    table = DecisionTable(dynamodb, name=TABLE)
    table.write_one(table.put(items.switch_key(scope), {"is_on": is_on, "epoch": 1}))


def test_of_each_state_with_people_the_oldest_comes_first(backlog: DynamoDbBacklog, dynamodb: Any) -> None:
    failed = Waiting(code="ServiceUnavailable", attempts=2, next_attempt_at=NOW, is_unknown=False)
    store(
        dynamodb,
        make_record("d-1", state=State.PENDING),
        make_record("d-2", state=State.PENDING, received_at=NOW - timedelta(hours=1), waiting=failed),
        make_record("d-3", state=State.IN_REVIEW, use_case="digit-reading"),
        make_record("d-4", state=State.ESCALATED),
        make_record("d-5", state=State.RECEIVED),
        make_record("d-6", state=State.FINAL, due_at=None),
        make_record("d-7", state=State.CANCELLED),
    )
    found = [
        (case.decision_id, case.use_case, str(case.state), case.received_at, case.failed_starts)
        for case in backlog.with_people()
    ]
    assert found == [
        ("d-2", "loan-approval", "PENDING", NOW - timedelta(hours=1), 2),
        ("d-1", "loan-approval", "PENDING", NOW, 0),
        ("d-3", "digit-reading", "IN_REVIEW", NOW, 0),
        ("d-4", "loan-approval", "ESCALATED", NOW, 0),
    ]


def test_whatever_its_state_what_was_due_long_ago_is_counted(backlog: DynamoDbBacklog, dynamodb: Any) -> None:
    states = (State.RECEIVED, State.PENDING, State.IN_REVIEW, State.ESCALATED, State.CANCELLED)
    store(
        dynamodb,
        *(make_record(f"d-{number}", state=state) for number, state in enumerate(states)),
        make_record("d-8", state=State.PENDING, due_at=NOW + timedelta(seconds=1)),
        make_record("d-9", state=State.FINAL, due_at=None),
    )
    assert backlog.overdue(since=NOW) == len(states)
    assert backlog.overdue(since=NOW - timedelta(seconds=1)) == 0


def test_the_oldest_news_are_found_however_late_their_next_attempt(
    backlog: DynamoDbBacklog, dynamodb: Any
) -> None:
    table, outbox = DecisionTable(dynamodb, name=TABLE), DynamoDbOutbox(dynamodb, table=TABLE)
    assert backlog.oldest_news() is None
    old, dead = make_news("d-1", created_at=NOW - timedelta(days=1)), make_news("d-2")
    entries = [old, dead, *(make_news(f"d-{number}", created_at=NOW) for number in range(3, 123))]
    for entry in entries:
        table.write(news((entry,), table=table))
    outbox.postpone(old, due_at=NOW + timedelta(hours=6))
    outbox.give_up(dead, code="Gone")
    assert backlog.oldest_news() == NOW - timedelta(days=1)
    outbox.done(old, at=NOW)
    assert backlog.oldest_news() == NOW


def test_a_switch_over_all_is_one_over_each(backlog: DynamoDbBacklog, dynamodb: Any) -> None:
    names = ("loan-approval", "digit-reading")
    assert backlog.switched_off(names) == frozenset()
    turn(dynamodb, "loan-approval", is_on=True)
    turn(dynamodb, "*", is_on=False)
    assert backlog.switched_off(names) == {"loan-approval"}
    turn(dynamodb, "*", is_on=True)
    assert backlog.switched_off(names) == set(names)
