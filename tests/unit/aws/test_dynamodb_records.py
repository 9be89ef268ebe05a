"""Records in DynamoDB: what is asked of it, and what its refusals mean."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import ANY, Stubber
from hypothesis import given
from hypothesis import strategies as st

from overread.decisions import transitions
from overread.decisions.record import Change, Record, State
from overread.decisions.requests import parse_submission
from overread.decisions.submit import submit
from overread.errors import AmbiguousError, PermanentError, RecordConflictError, RetryableError
from overread.review.wire import loop_name
from overread_aws.attribute_values import attribute_values, plain_item
from overread_aws.dynamodb_records import DynamoDbRecords
from overread_testing.aws_stubs import stubbed
from overread_testing.decision_builders import CALLER_SCOPE, policy, request_body
from overread_testing.decision_fakes import World, service_error

TABLE = "overread-test"


def changes() -> list[Change]:
    """Creation of a record, then its way to people."""
    world = World(policy())
    world.models.reply = b'{"label": "approve", "confidence": 0.71}'
    submit(
        parse_submission(request_body()),
        use_case="loan-approval",
        environment="test",
        caller_scope=CALLER_SCOPE,
        idempotency_key="k",
        ports=world.submit_ports,
        clock=world.clock,
    )
    return world.records.writes


CREATION, TO_PEOPLE = changes()


def postponement() -> Change:
    return transitions.postpone(
        TO_PEOPLE.record,
        error=service_error(RetryableError, "ThrottlingException"),
        is_unknown=False,
        at=TO_PEOPLE.record.updated_at,
        jitter=0,
    )


def item_of(record: Record) -> dict[str, Any]:
    """What a put of the record writes, caught by a script that takes anything."""
    caught: list[dict[str, Any]] = []
    with stubbed("dynamodb") as (client, script):
        client.meta.events.register("before-parameter-build.*.*", lambda params, **_: caught.append(params))
        script.add_response("put_item", {}, {"TableName": TABLE, "Item": ANY, "ConditionExpression": ANY})
        DynamoDbRecords(client, table=TABLE).write(transitions.receive(record))
    item: dict[str, Any] = caught[0]["Item"]
    return item


@pytest.mark.parametrize(("name", "value"), [("deadline", "999-01-01T00:00:00.000Z"), ("state", "LOST")])
def test_an_item_that_is_no_record_is_an_error_that_a_sweep_survives(name: str, value: str) -> None:
    item = {**item_of(CREATION.record), name: {"S": value}}
    with stubbed("dynamodb") as (client, script):
        script.add_response(
            "get_item", {"Item": item}, {"TableName": TABLE, "Key": ANY, "ConsistentRead": True}
        )
        with pytest.raises(PermanentError) as caught:
            DynamoDbRecords(client, table=TABLE).get(CREATION.record.decision_id)
    assert caught.value.code == "RecordUnreadable"


def test_a_record_is_created_only_where_there_is_none() -> None:
    with stubbed("dynamodb") as (client, script):
        script.add_response(
            "put_item",
            {},
            {"TableName": TABLE, "Item": ANY, "ConditionExpression": "attribute_not_exists(pk)"},
        )
        DynamoDbRecords(client, table=TABLE).write(CREATION)


def test_an_open_record_stands_in_the_index_and_a_final_one_does_not() -> None:
    item = item_of(TO_PEOPLE.record)
    assert (item["pk"]["S"], item["sk"]["S"]) == (TO_PEOPLE.record.decision_id, "DECISION")
    assert (item["state"], item["open_state"]) == ({"S": "PENDING"}, {"S": "PENDING"})
    assert item["due_at"] == {"S": "2026-11-22T21:01:00.000Z"}
    assert item["generation"] == {"N": "1"}
    world = World(policy())
    submit(
        parse_submission(request_body()),
        use_case="loan-approval",
        environment="test",
        caller_scope=CALLER_SCOPE,
        idempotency_key="k",
        ports=world.submit_ports,
        clock=world.clock,
    )
    final = item_of(world.records.only())
    assert final["state"] == {"S": "FINAL"}
    assert not {"open_state", "due_at"} & set(final)


def test_a_step_with_audit_and_loop_is_one_transaction_under_the_fence() -> None:
    seen: list[dict[str, Any]] = []
    with stubbed("dynamodb") as (client, script):
        client.meta.events.register("before-parameter-build.*.*", lambda params, **_: seen.append(params))
        script.add_response("transact_write_items", {}, {"TransactItems": ANY})
        DynamoDbRecords(client, table=TABLE).write(TO_PEOPLE)
    record, audit, loop = (one["Put"] for one in seen[0]["TransactItems"])
    assert record["ConditionExpression"] == (
        "#state = :state AND generation = :generation AND revision = :revision"
    )
    assert record["ExpressionAttributeValues"] == {
        ":state": {"S": "RECEIVED"},
        ":generation": {"N": "0"},
        ":revision": {"N": "1"},
    }
    decision_id = TO_PEOPLE.record.decision_id
    assert (audit["Item"]["pk"]["S"], audit["Item"]["sk"]["S"]) == (decision_id, "AUDIT#00000001")
    assert loop["Item"]["pk"]["S"] == "LOOP#" + loop_name(decision_id, generation=1)
    assert (loop["Item"]["sk"]["S"], loop["Item"]["decision_id"]["S"]) == ("LOOP", decision_id)


def test_a_postponement_is_a_single_write_under_the_fence() -> None:
    with stubbed("dynamodb") as (client, script):
        script.add_response(
            "put_item",
            {},
            {
                "TableName": TABLE,
                "Item": ANY,
                "ConditionExpression": ANY,
                "ExpressionAttributeNames": {"#state": "state"},
                "ExpressionAttributeValues": {
                    ":state": {"S": "PENDING"},
                    ":generation": {"N": "1"},
                    ":revision": {"N": "2"},
                },
            },
        )
        DynamoDbRecords(client, table=TABLE).write(postponement())


def refuse(script: Stubber, operation: str, code: str, status: int = 400, *reasons: str) -> None:
    extra = {"CancellationReasons": [{"Code": reason} for reason in reasons]} if reasons else {}
    script.add_client_error(operation, code, http_status_code=status, modeled_fields=extra or None)


def test_a_record_that_exists_is_a_conflict() -> None:
    with stubbed("dynamodb") as (client, script):
        refuse(script, "put_item", "ConditionalCheckFailedException")
        with pytest.raises(RecordConflictError):
            DynamoDbRecords(client, table=TABLE).write(CREATION)


@pytest.mark.parametrize(
    ("reasons", "error"),
    [
        (("ConditionalCheckFailed", "None", "None"), RecordConflictError),
        (("None", "TransactionConflict", "None"), RecordConflictError),
        (("ThrottlingError", "None", "None"), RetryableError),
        (("ProvisionedThroughputExceeded", "None", "None"), RetryableError),
        (("ValidationError", "None", "None"), PermanentError),
    ],
)
def test_a_cancelled_transaction_means_what_its_reasons_say(
    reasons: tuple[str, ...], error: type[Exception]
) -> None:
    with stubbed("dynamodb") as (client, script):
        refuse(script, "transact_write_items", "TransactionCanceledException", 400, *reasons)
        with pytest.raises(error):
            DynamoDbRecords(client, table=TABLE).write(TO_PEOPLE)


def test_an_internal_error_of_the_table_is_ambiguous() -> None:
    with stubbed("dynamodb") as (client, script):
        refuse(script, "transact_write_items", "InternalServerError", 500)
        with pytest.raises(AmbiguousError, match="TransactWriteItems: InternalServerError"):
            DynamoDbRecords(client, table=TABLE).write(TO_PEOPLE)


def test_what_was_written_is_read_back_consistently() -> None:
    record = TO_PEOPLE.record
    key = {"pk": {"S": record.decision_id}, "sk": {"S": "DECISION"}}
    with stubbed("dynamodb") as (client, script):
        wanted = {"TableName": TABLE, "Key": key, "ConsistentRead": True}
        script.add_response("get_item", {"Item": item_of(record)}, wanted)
        script.add_response("get_item", {}, wanted)
        records = DynamoDbRecords(client, table=TABLE)
        assert records.get(record.decision_id) == record
        assert records.get(record.decision_id) is None


def test_a_loop_is_looked_up_by_its_name() -> None:
    (entry,) = TO_PEOPLE.loops
    item = attribute_values(
        {"loop_name": entry.loop_name, "decision_id": entry.decision_id, "generation": entry.generation}
    )
    key = {"pk": {"S": f"LOOP#{entry.loop_name}"}, "sk": {"S": "LOOP"}}
    with stubbed("dynamodb") as (client, script):
        wanted = {"TableName": TABLE, "Key": key, "ConsistentRead": True}
        script.add_response("get_item", {"Item": item}, wanted)
        script.add_response("get_item", {}, wanted)
        records = DynamoDbRecords(client, table=TABLE)
        assert records.find_loop(entry.loop_name) == entry
        assert records.find_loop(entry.loop_name) is None


def test_the_sweep_reads_every_page_of_what_is_due() -> None:
    query: dict[str, Any] = {
        "TableName": TABLE,
        "IndexName": "open",
        "KeyConditionExpression": "open_state = :state AND due_at <= :until",
        "ExpressionAttributeValues": {
            ":state": {"S": "PENDING"},
            ":until": {"S": "2026-11-22T21:00:00.000Z"},
        },
        "ProjectionExpression": "decision_id",
        "Limit": 100,
    }
    last = {"pk": {"S": "d-2"}}
    with stubbed("dynamodb") as (client, script):
        script.add_response(
            "query",
            {
                "Items": [{"decision_id": {"S": "d-1"}}, {"decision_id": {"S": "d-2"}}],
                "LastEvaluatedKey": last,
            },
            query,
        )
        script.add_response(
            "query", {"Items": [{"decision_id": {"S": "d-3"}}]}, {**query, "ExclusiveStartKey": last}
        )
        records = DynamoDbRecords(client, table=TABLE)
        due = records.due(State.PENDING, until=datetime(2026, 11, 22, 21, tzinfo=UTC))
        assert list(due) == ["d-1", "d-2", "d-3"]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(-1e100, 1e100).filter(lambda x: x == 0 or abs(x) > 1e-100)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(min_size=1), VALUES, max_size=4))
def test_every_plain_item_survives_dynamodb(item: dict[str, Any]) -> None:
    assert plain_item(attribute_values(item)) == item


def test_numbers_too_small_for_dynamodb_become_zero() -> None:
    assert attribute_values({"a": 1e-200, "b": -1e-300, "c": 5e-324}) == {
        "a": {"N": "0"},
        "b": {"N": "0"},
        "c": {"N": "0"},
    }


def test_a_kind_that_no_item_has_is_an_error() -> None:
    with pytest.raises(TypeError, match="no attribute value for bytes"):
        attribute_values({"a": b"x"})
    with pytest.raises(TypeError, match="kind SS"):
        plain_item({"a": {"SS": ["x"]}})
