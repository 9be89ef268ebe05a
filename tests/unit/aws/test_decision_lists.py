"""A caller's decisions in pages, and gauges of queues."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.decisions.ports import Batch
from overread.decisions.record import Record, State
from overread.errors import RequestRefusedError
from overread.instants import format_instant
from overread_aws import decision_items as items
from overread_aws.decision_lists import DecisionLists, DecisionPage, ListedDecision, Listing
from overread_aws.decision_table import INDEXES, DecisionTable, table_definition
from overread_aws.dynamodb_records import DynamoDbRecords
from overread_aws.queue_gauges import QueueGauges
from overread_testing.stored_records import NOW, SCOPE, creation, make_record, review_terms

TABLE = "decisions"
MINE = Listing(caller_scope=SCOPE)


def store(dynamodb: Any, *records: Record) -> None:
    """The records, as they are created."""
    adapter = DynamoDbRecords(dynamodb, table=TABLE)
    for record in records:
        adapter.commit(Batch(change=creation(record), links=(), guard=None))


def received(number: int, **changes: Any) -> Record:
    """The decision `d-<number>`, received that many seconds late."""
    return make_record(f"d-{number}", **{"received_at": NOW + timedelta(seconds=number), **changes})


def all_pages(lists: DecisionLists, listing: Listing, *, limit: int) -> list[DecisionPage]:
    """Every page, by the cursor of the one before."""
    pages, cursor = [], ""
    while True:
        pages.append(lists.page(listing, limit=limit, cursor=cursor))
        cursor = pages[-1].cursor
        if not cursor:
            return pages


def ids(pages: list[DecisionPage]) -> list[str]:
    return [decision.decision_id for page in pages for decision in page.decisions]


@pytest.fixture
def lists(dynamodb: Any) -> DecisionLists:
    """The listing over an empty table."""
    return DecisionLists(dynamodb, table=TABLE)


def test_a_caller_sees_its_own_decisions_newest_first(lists: DecisionLists, dynamodb: Any) -> None:
    store(dynamodb, received(1), received(2, state=State.FINAL), received(3, caller_scope="other"))
    page = lists.page(MINE, limit=10)
    assert page == DecisionPage(
        (
            ListedDecision(
                "d-2",
                "loan-approval",
                State.FINAL,
                "loan-8841",
                format_instant(NOW + timedelta(seconds=2)),
            ),
            ListedDecision(
                "d-1",
                "loan-approval",
                State.RECEIVED,
                "loan-8841",
                format_instant(NOW + timedelta(seconds=1)),
            ),
        ),
        cursor="",
    )


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
def test_pages_of_any_size_hold_every_decision_once(limit: int, lists: DecisionLists, dynamodb: Any) -> None:
    # Two of them were received in the same millisecond.
    store(dynamodb, *(received(number) for number in range(6)), make_record("d-9"))
    pages = all_pages(lists, MINE, limit=limit)
    assert ids(pages) == ["d-5", "d-4", "d-3", "d-2", "d-1", "d-9", "d-0"]
    assert [len(page.decisions) for page in pages[:-1]] == [limit] * (len(pages) - 1)


def test_a_decision_that_comes_meanwhile_moves_no_page(lists: DecisionLists, dynamodb: Any) -> None:
    store(dynamodb, *(received(number) for number in range(4)))
    first = lists.page(MINE, limit=2)
    store(dynamodb, received(9))
    second = lists.page(MINE, limit=2, cursor=first.cursor)
    assert ids([first, second]) == ["d-3", "d-2", "d-1", "d-0"]


def test_a_listing_by_state_and_reference(lists: DecisionLists, dynamodb: Any) -> None:
    store(
        dynamodb,
        received(1, state=State.FINAL, reference="a"),
        received(2, state=State.PENDING, reference="a"),
        received(3, state=State.FINAL, reference="b"),
        received(4, state=State.FINAL, reference="a", caller_scope="other"),
        received(5, state=State.FINAL, reference=""),
    )

    def listed(**which: Any) -> list[str]:
        return ids(all_pages(lists, Listing(SCOPE, **which), limit=1))

    assert listed(state=State.FINAL) == ["d-5", "d-3", "d-1"]
    assert listed(reference="a") == ["d-2", "d-1"]
    assert listed(state=State.FINAL, reference="a") == ["d-1"]
    assert listed(state=State.CANCELLED) == []
    assert listed(reference="none") == []
    assert listed(reference="ä" * 2000) == []


def test_callers_whose_scope_and_reference_read_alike_do_not_see_each_other(
    lists: DecisionLists, dynamodb: Any
) -> None:
    store(
        dynamodb,
        received(1, caller_scope="oidc:a", reference="b#c"),
        received(2, caller_scope="oidc:a#b", reference="c"),
    )
    assert ids(all_pages(lists, Listing("oidc:a#b", reference="c"), limit=1)) == ["d-2"]
    assert ids(all_pages(lists, Listing("oidc:a", reference="b#c"), limit=1)) == ["d-1"]


def test_a_listing_by_use_case(lists: DecisionLists, dynamodb: Any) -> None:
    store(
        dynamodb,
        received(1, use_case="claims"),
        received(2, use_case="loan"),
        received(3, use_case="claims", state=State.FINAL),
        received(4, use_case="claims", caller_scope="other"),
    )

    def listed(**changes: Any) -> list[str]:
        return ids(all_pages(lists, Listing(SCOPE, **changes), limit=1))

    assert listed(use_case="claims") == ["d-3", "d-1"]
    assert listed(use_case="claims", state=State.FINAL) == ["d-3"]
    assert listed(use_case="else") == []


def test_a_state_that_is_rare_costs_short_pages_and_not_a_long_answer(
    lists: DecisionLists, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("overread_aws.decision_lists._LOOKED_AT", 2)
    monkeypatch.setattr("overread_aws.decision_lists._PAGES", 3)
    store(dynamodb, received(0, state=State.FINAL), *(received(number) for number in range(1, 10)))
    pages = all_pages(lists, Listing(SCOPE, state=State.FINAL), limit=1)
    assert ids(pages) == ["d-0"]
    assert [len(page.decisions) for page in pages] == [0, 1]


def test_a_reference_that_was_erased_is_not_found(lists: DecisionLists, dynamodb: Any) -> None:
    table = DecisionTable(dynamodb, name=TABLE)
    for reference in ("a", ""):
        item = items.indexed_record(make_record(reference=reference), writer="w")
        table.write_one(table.put(items.record_key("d-1"), item))
    assert lists.page(Listing(SCOPE, reference="a"), limit=9).decisions == ()
    assert "caller_reference" not in item


# Cursors


def cursor_of(lists: DecisionLists, dynamodb: Any, listing: Listing = MINE) -> str:
    store(dynamodb, *(received(number) for number in range(3)))
    return lists.page(listing, limit=1).cursor


@pytest.mark.parametrize(
    "other",
    [
        Listing("other"),
        Listing(SCOPE, state=State.RECEIVED),
        Listing(SCOPE, use_case="loan-approval"),
        Listing(SCOPE, reference="loan-8841"),
    ],
)
def test_a_cursor_belongs_to_its_listing(other: Listing, lists: DecisionLists, dynamodb: Any) -> None:
    cursor = cursor_of(lists, dynamodb)
    with pytest.raises(RequestRefusedError) as caught:
        lists.page(other, limit=1, cursor=cursor)
    assert caught.value.field == "cursor"


def test_a_cursor_with_any_character_changed_is_refused(lists: DecisionLists, dynamodb: Any) -> None:
    cursor = cursor_of(lists, dynamodb)
    for position, character in enumerate(cursor):
        other = "A" if character != "A" else "B"
        changed = cursor[:position] + other + cursor[position + 1 :]
        with pytest.raises(RequestRefusedError):
            lists.page(MINE, limit=1, cursor=changed)
    for changed in (cursor[:-1], cursor + "A", cursor + "=", " " + cursor):
        with pytest.raises(RequestRefusedError):
            lists.page(MINE, limit=1, cursor=changed)


@given(st.text(min_size=1))
def test_no_text_is_a_cursor(text: str) -> None:
    with pytest.raises(RequestRefusedError):
        DecisionLists(None, table=TABLE).page(MINE, limit=1, cursor=text)


# Queues


def test_a_gauge_shows_what_waited_when_it_was_measured(dynamodb: Any) -> None:
    gauges = QueueGauges(dynamodb, table=TABLE)
    limited = review_terms(queue="loans", max_open=2)
    store(dynamodb, *(received(number, state=State.PENDING, terms=limited) for number in range(3)))
    assert gauges.waiting("loans") == 0
    assert gauges.measure("loans") == 3
    assert (gauges.waiting("loans"), gauges.waiting("claims")) == (3, 0)


def test_measuring_leaves_the_places_alone(dynamodb: Any) -> None:
    table = DecisionTable(dynamodb, name=TABLE)
    table.write_one(table.put(items.queue_key("loans"), {"open": 2}))
    QueueGauges(dynamodb, table=TABLE).measure("loans")
    item = table.get(items.queue_key("loans"))
    assert item is not None
    assert (item["open"], item["waiting"]) == (2, 0)


# Indexes


def test_every_index_holds_what_is_read_from_it() -> None:
    definition = table_definition("t")
    projections = {index["IndexName"]: index["Projection"] for index in definition["GlobalSecondaryIndexes"]}
    assert {index.name for index in INDEXES} == set(projections)
    for name in ("caller", "reference"):
        assert set(projections[name]["NonKeyAttributes"]) == {
            "decision_id",
            "state",
            "reference",
            "use_case",
        }
    for name in ("open", "queue"):
        assert projections[name]["NonKeyAttributes"] == ["decision_id"]
    assert set(projections["people"]["NonKeyAttributes"]) == {"use_case", "waiting"}
    assert projections["chain"] == {"ProjectionType": "ALL"}
    assert projections["outbox"] == {"ProjectionType": "KEYS_ONLY"}
