"""The shared rate of starts and the outbox in DynamoDB."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from overread.decisions.record import OutboxEntry
from overread.decisions.start_rate import Rate
from overread_aws.audited_writes import news
from overread_aws.decision_items import outbox_key
from overread_aws.decision_table import DecisionTable
from overread_aws.outbox_store import DynamoDbOutbox
from overread_aws.start_rate import DynamoDbStartRate
from overread_testing.stored_records import NOW, make_news

TABLE = "decisions"
RATE = Rate(per_second=2.0, burst=3)
SOON = NOW + timedelta(minutes=5)


# Starts


def test_all_functions_share_one_bucket(dynamodb: Any) -> None:
    one, other = (DynamoDbStartRate(dynamodb, table=TABLE, rate=RATE) for _ in range(2))
    assert [one.take(NOW), other.take(NOW), one.take(NOW)] == [0.0, 0.0, 0.0]
    assert other.take(NOW) == 0.5
    assert other.take(NOW + timedelta(seconds=0.5)) == 0.0
    assert one.take(NOW + timedelta(seconds=0.5)) == 0.5


def test_takers_at_once_get_no_more_than_there_are_tokens(dynamodb: Any) -> None:
    def attempt(_: int) -> bool:
        return DynamoDbStartRate(dynamodb, table=TABLE, rate=RATE).take(NOW) == 0.0

    with ThreadPoolExecutor(6) as pool:
        taken = sum(pool.map(attempt, range(12)))
    assert taken == 3


def test_fractions_of_a_millisecond_make_no_tokens(dynamodb: Any) -> None:
    # The table keeps milliseconds. Were each start to count from the cut time, 0.9 ms more would flow in.
    rate = DynamoDbStartRate(dynamodb, table=TABLE, rate=Rate(per_second=1000.0, burst=1))
    at = NOW + timedelta(microseconds=900)
    assert rate.take(at) == 0.0
    assert rate.take(at) == pytest.approx(0.001)


class Contended:
    """A table at which somebody else always comes first."""

    def get_item(self, **_: Any) -> dict[str, Any]:
        item = {"tokens": {"N": "1"}, "at": {"S": "2026-11-22T21:07:44.120Z"}, "revision": {"N": "7"}}
        return {"Item": item}

    def __init__(self, refusal: Exception) -> None:
        self._refusal = refusal

    def update_item(self, **_: Any) -> None:
        raise self._refusal


def test_who_always_loses_waits_as_long_as_a_token_takes(dynamodb: Any) -> None:
    refusal = dynamodb.exceptions.ConditionalCheckFailedException(
        {"Error": {"Code": "ConditionalCheckFailedException"}}, "UpdateItem"
    )
    assert DynamoDbStartRate(Contended(refusal), table=TABLE, rate=RATE).take(NOW) == 0.5


# News


@pytest.fixture
def outbox(dynamodb: Any) -> DynamoDbOutbox:
    """The port over an empty table."""
    return DynamoDbOutbox(dynamodb, table=TABLE)


def store(dynamodb: Any, *entries: OutboxEntry) -> None:
    table = DecisionTable(dynamodb, name=TABLE)
    table.write(news(entries, table=table))


def test_news_come_back_as_they_were_written(outbox: DynamoDbOutbox, dynamodb: Any) -> None:
    entry = make_news()
    store(dynamodb, entry)
    assert outbox.get("d-1", number=1, target="events") == entry
    assert outbox.get("d-1", number=2, target="events") is None
    assert outbox.get("d-1", number=1, target="webhook") is None


def test_what_is_due_comes_most_overdue_first(outbox: DynamoDbOutbox, dynamodb: Any) -> None:
    store(
        dynamodb,
        make_news("change/kill-switch/all", number=3, due_at=NOW),
        make_news("d-1", target="webhook", due_at=NOW - timedelta(seconds=2)),
        make_news("d-1", target="events", due_at=NOW - timedelta(seconds=3)),
        make_news("d-2", due_at=NOW + timedelta(seconds=1)),
    )
    assert list(outbox.due(until=NOW)) == [
        ("d-1", 1, "events"),
        ("d-1", 1, "webhook"),
        ("change/kill-switch/all", 3, "events"),
    ]


def test_what_was_delivered_is_not_due_and_keeps_its_first_time(
    outbox: DynamoDbOutbox, dynamodb: Any
) -> None:
    entry = make_news()
    store(dynamodb, entry)
    outbox.done(entry, at=NOW)
    outbox.done(entry, at=SOON)
    assert outbox.get("d-1", number=1, target="events") is None
    assert list(outbox.due(until=SOON)) == []
    item = DecisionTable(dynamodb, name=TABLE).get(outbox_key("d-1", 1, "events"))
    assert item is not None
    assert (item["delivered_at"], item["payload"]) == ("2026-11-22T21:07:44.120Z", entry.payload)


def test_news_that_are_not_there_are_not_made_by_delivering_them(
    outbox: DynamoDbOutbox, dynamodb: Any
) -> None:
    outbox.done(make_news(), at=NOW)
    assert dynamodb.scan(TableName=TABLE)["Items"] == []


def test_a_postponed_delivery_is_due_later_with_an_attempt_more(
    outbox: DynamoDbOutbox, dynamodb: Any
) -> None:
    entry = make_news()
    store(dynamodb, entry)
    assert outbox.postpone(entry, due_at=SOON)
    assert list(outbox.due(until=NOW)) == []
    assert list(outbox.due(until=SOON)) == [("d-1", 1, "events")]
    assert outbox.get("d-1", number=1, target="events") == replace(entry, attempts=1, due_at=SOON)


def test_two_that_try_at_once_count_as_one_attempt(outbox: DynamoDbOutbox, dynamodb: Any) -> None:
    entry = make_news()
    store(dynamodb, entry)
    assert outbox.postpone(entry, due_at=SOON)
    assert not outbox.postpone(entry, due_at=NOW)
    assert not outbox.give_up(entry, code="refused")
    assert outbox.get("d-1", number=1, target="events") == replace(entry, attempts=1, due_at=SOON)


def test_what_was_delivered_is_neither_postponed_nor_given_up(outbox: DynamoDbOutbox, dynamodb: Any) -> None:
    entry = make_news()
    store(dynamodb, entry)
    outbox.done(entry, at=NOW)
    assert not outbox.postpone(entry, due_at=SOON)
    assert not outbox.give_up(entry, code="refused")
    assert (list(outbox.due(until=SOON)), list(outbox.dead())) == ([], [])


def test_what_was_given_up_is_found_and_can_be_driven_again(outbox: DynamoDbOutbox, dynamodb: Any) -> None:
    entry = make_news(attempts=9)
    store(dynamodb, entry)
    assert not outbox.redrive("d-1", number=1, target="events", at=SOON)
    assert outbox.give_up(entry, code="timeout")
    assert outbox.get("d-1", number=1, target="events") is None
    assert list(outbox.due(until=SOON)) == []
    assert list(outbox.dead()) == [("d-1", 1, "events")]
    assert outbox.redrive("d-1", number=1, target="events", at=SOON)
    assert list(outbox.dead()) == []
    assert outbox.get("d-1", number=1, target="events") == replace(entry, attempts=0, due_at=SOON)
    assert not outbox.redrive("d-1", number=1, target="events", at=SOON)
