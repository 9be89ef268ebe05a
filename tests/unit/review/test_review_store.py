"""One contract for both stores: the fake that the other tests trust, and DynamoDB in the emulator."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config

from overread.review.wire import LoopStatus
from overread_aws.review_documents import S3ReviewDocuments
from overread_aws.review_store import DynamoReviewStore
from overread_review.service import transitions
from overread_review.service.errors import (
    DocumentRefusedError,
    DocumentUnavailableError,
    OpenLimitReachedError,
    PersonSeparatedError,
    RecordChangedError,
    RecordExistsError,
    StoreUnavailableError,
)
from overread_review.service.model import Answer, FlowTerms, GoldRef, Loop, Priority, Resource, ResourceKind
from overread_review.service.ports import LoopQuery, RecordKind, ReviewStore, StoredRecord
from overread_templates import S3Location
from overread_testing.review_fakes import FakeStore

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FLOW = "arn:aws:sagemaker:eu-west-1:111122223333:flow-definition/flow"
TEAM = "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/team"
TERMS = FlowTerms(FLOW, "flow", TEAM, "arn:role", "s3://o/", "", "0" * 64, "T", "D", ("k",), 2, 60)


def make_loop(name: str, *, age_s: float = 0, flow: str = FLOW) -> Loop:
    created = NOW - timedelta(seconds=age_s)
    return Loop(
        name=name,
        arn=f"arn:aws:sagemaker:eu-west-1:111122223333:human-loop/{name}",
        terms=replace(TERMS, flow_definition_arn=flow),
        created_at=created,
        expires_at=created + timedelta(seconds=600),
        input_key=f"inputs/{name}.json",
        input_sha256="1" * 64,
    )


def make_answer(person: str, *, seconds: float = 1.5) -> Answer:
    return Answer(
        person=person,
        sub=person,
        worker_id="w",
        identity_provider="Oidc",
        issuer="https://i",
        accepted_at=NOW,
        submitted_at=NOW + timedelta(seconds=seconds),
        content_key=f"answers/{person}",
        worked_s=1.25,
        choices={"decision": "approve"},
    )


@pytest.fixture(params=["fake", "dynamodb"])
def store(request: pytest.FixtureRequest) -> ReviewStore:
    """An empty store of either kind."""
    if request.param == "fake":
        return FakeStore()
    client = request.getfixturevalue("emulator").client("dynamodb")
    for item in client.scan(TableName="records")["Items"]:
        client.delete_item(TableName="records", Key={"pk": item["pk"], "sk": item["sk"]})
    return DynamoReviewStore(client, table_name="records")


def test_a_loop_comes_back_as_it_was_stored(store: ReviewStore) -> None:
    stored = store.create_loop(make_loop("a"), open_limit=9)
    assert store.find_loop("a") == stored
    claimed = store.replace_loop(transitions.claim(stored, person="ada", now=NOW))
    assert store.find_loop("a") == claimed
    assert claimed.claims[0].deadline_at == NOW + timedelta(seconds=60)


def test_a_name_is_taken_once(store: ReviewStore) -> None:
    store.create_loop(make_loop("a"), open_limit=9)
    with pytest.raises(RecordExistsError):
        store.create_loop(make_loop("a"), open_limit=9)
    assert store.count_open_loops(FLOW) == 1


def test_a_stale_version_is_refused(store: ReviewStore) -> None:
    first = store.create_loop(make_loop("a"), open_limit=9)
    store.replace_loop(first)
    for write in (store.replace_loop, store.delete_loop):
        with pytest.raises(RecordChangedError):
            write(first)


def test_one_of_many_writers_wins(store: ReviewStore) -> None:
    first = store.create_loop(make_loop("a"), open_limit=9)

    def attempt(sub: str) -> bool:
        try:
            store.replace_loop(transitions.claim(first, person=sub, now=NOW))
        except RecordChangedError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, map(str, range(16)))) == 1


def test_open_loops_are_counted_and_limited(store: ReviewStore) -> None:
    loops = [store.create_loop(make_loop(f"loop-{n}"), open_limit=2) for n in range(2)]
    with pytest.raises(OpenLimitReachedError):
        store.create_loop(make_loop("more"), open_limit=2)
    store.create_loop(make_loop("elsewhere", flow=FLOW + "-2"), open_limit=2)
    ended = store.replace_loop(
        transitions.conclude(loops[0], status=LoopStatus.STOPPED, output_uri="", now=NOW)
    )
    store.replace_loop(replace(ended, event_due=False))
    assert store.count_open_loops(FLOW) == 1
    store.create_loop(make_loop("more"), open_limit=2)
    assert store.count_open_loops(FLOW) == 2


def test_many_starts_at_once_keep_the_limit(store: ReviewStore) -> None:
    def attempt(number: int) -> bool:
        try:
            store.create_loop(make_loop(f"loop-{number}"), open_limit=5)
        except OpenLimitReachedError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(attempt, range(12))) == 5
    assert store.count_open_loops(FLOW) == 5


def test_a_loop_that_failed_at_birth_is_not_counted(store: ReviewStore) -> None:
    failed = transitions.conclude(make_loop("a"), status=LoopStatus.STOPPED, output_uri="", now=NOW)
    store.create_loop(failed, open_limit=0)
    assert store.count_open_loops(FLOW) == 0


def test_listing_by_creation_in_both_directions_with_bounds(store: ReviewStore) -> None:
    for number in range(6):
        store.create_loop(make_loop(f"loop-{number}", age_s=60 - number), open_limit=9)
    store.create_loop(make_loop("other", flow=FLOW + "-2"), open_limit=9)

    def names(query: LoopQuery) -> list[list[str]]:
        pages = []
        while True:
            page = store.list_loops(query)
            pages.append([loop.name for loop in page.loops])
            if not page.next_cursor:
                return pages
            query = replace(query, cursor=page.next_cursor)

    everything = LoopQuery(FLOW, None, None, ascending=True, limit=4, cursor="")
    assert names(everything) == [["loop-0", "loop-1", "loop-2", "loop-3"], ["loop-4", "loop-5"]]
    assert names(replace(everything, ascending=False)) == [
        ["loop-5", "loop-4", "loop-3", "loop-2"],
        ["loop-1", "loop-0"],
    ]
    bounded = replace(
        everything,
        created_after=NOW - timedelta(seconds=60),
        created_before=NOW - timedelta(seconds=57),
        limit=1,
    )
    assert names(bounded) == [["loop-1"], ["loop-2"]]
    assert names(replace(bounded, ascending=False)) == [["loop-2"], ["loop-1"]]


def test_a_queue_holds_its_open_loops_by_priority_deadline_and_age_with_those_on_hold_last(
    store: ReviewStore,
) -> None:
    def create(name: str, **changes: Any) -> None:
        store.create_loop(replace(make_loop(name), **changes), open_limit=99)

    create("old", created_at=NOW - timedelta(seconds=9))
    create("young")
    create("low", priority=Priority.LOW, deadline_at=NOW)
    create("urgent", priority=Priority.URGENT)
    create("due-late", deadline_at=NOW + timedelta(seconds=60))
    create("due-soon", deadline_at=NOW + timedelta(seconds=30))
    create("held", priority=Priority.URGENT, held=True)
    create("gold", gold=GoldRef("q", "i", "gold"), assigned_to="ada")
    create("elsewhere", terms=replace(TERMS, flow_definition_arn=FLOW + "-2"))
    ended = store.create_loop(make_loop("ended"), open_limit=99)
    store.replace_loop(transitions.conclude(ended, status=LoopStatus.STOPPED, output_uri="", now=NOW))
    expected = ["urgent", "due-soon", "due-late", "old", "young", "low", "held"]
    assert [loop.name for loop in store.open_loops(FLOW, limit=99).loops] == expected
    names, cursor = [], ""
    while True:
        page = store.open_loops(FLOW, limit=3, cursor=cursor)
        names += [loop.name for loop in page.loops]
        cursor = page.next_cursor
        if not cursor:
            break
    assert names == expected


def test_gold_loops_are_found_by_name_and_person_only(store: ReviewStore) -> None:
    gold = replace(make_loop("gold"), gold=GoldRef("q", "i", "gold"), assigned_to="ada")
    stored = store.create_loop(gold, open_limit=0)
    assert store.find_loop("gold") == stored
    assert [loop.name for loop in store.open_loops_of_person("ada")] == ["gold"]
    assert store.list_loops(LoopQuery(FLOW, None, None, ascending=True, limit=9, cursor="")).loops == ()
    assert store.count_open_loops(FLOW) == 0
    answered = replace(stored, answers=(make_answer("ada"),), status=LoopStatus.COMPLETED, ended_at=NOW)
    store.replace_loop(answered, before=stored)
    assert store.completions(FLOW, since=NOW, limit=9) == []
    assert [entry.loop_name for entry in store.history("ada", limit=9).entries] == ["gold"]
    assert list(store.open_loops_of_person("ada")) == []


def test_people_find_the_open_loops_that_they_claimed_or_were_given(store: ReviewStore) -> None:
    claimed = store.create_loop(make_loop("claimed"), open_limit=9)
    claimed = store.replace_loop(transitions.claim(claimed, person="ada", now=NOW), before=claimed)
    store.create_loop(replace(make_loop("given"), assigned_to="ada"), open_limit=9)
    store.create_loop(make_loop("other"), open_limit=9)
    assert {loop.name for loop in store.open_loops_of_person("ada")} == {"claimed", "given"}
    assert list(store.open_loops_of_person("grace")) == []
    released = transitions.release(claimed, person="ada", now=NOW, decline=False)
    released = store.replace_loop(released, before=claimed)
    assert {loop.name for loop in store.open_loops_of_person("ada")} == {"given"}
    store.replace_loop(transitions.claim(released, person="ada", now=NOW), before=released)
    assert {loop.name for loop in store.open_loops_of_person("ada")} == {"claimed", "given"}


def test_an_answer_enters_its_authors_history_with_the_write_of_the_loop(store: ReviewStore) -> None:
    for number in range(5):
        first = store.create_loop(make_loop(f"loop-{number}"), open_limit=9)
        answered = replace(first, answers=(make_answer("ada", seconds=number),))
        store.replace_loop(answered, before=first)
        with pytest.raises(RecordChangedError):
            store.replace_loop(replace(first, answers=(make_answer("grace"),)), before=first)
    page = store.history("ada", limit=3)
    assert [entry.loop_name for entry in page.entries] == ["loop-4", "loop-3", "loop-2"]
    assert page.entries[0].choices == {"decision": "approve"}
    rest = store.history("ada", limit=3, cursor=page.next_cursor)
    assert [entry.loop_name for entry in rest.entries] == ["loop-1", "loop-0"]
    assert rest.next_cursor == ""
    assert store.history("grace", limit=3).entries == ()


def test_loops_that_ended_with_answers_are_listed_by_their_end(store: ReviewStore) -> None:
    for number in range(4):
        loop = store.create_loop(make_loop(f"loop-{number}"), open_limit=9)
        ended = transitions.conclude(
            replace(loop, answers=(make_answer("ada"),) if number else ()),
            status=LoopStatus.COMPLETED,
            output_uri="",
            now=NOW + timedelta(seconds=number),
        )
        stored = store.replace_loop(ended, before=loop)
        store.replace_loop(replace(stored, event_due=False), before=stored)
    found = store.completions(FLOW, since=NOW + timedelta(seconds=2), limit=9)
    assert [done.loop_name for done in found] == ["loop-3", "loop-2"]
    assert found[0].answers == (make_answer("ada"),)
    assert [done.loop_name for done in store.completions(FLOW, since=NOW, limit=1)] == ["loop-3"]


def test_small_records_are_written_by_version_and_listed_by_prefix(store: ReviewStore) -> None:
    first = store.create_record(StoredRecord(RecordKind.STANDING, "q/ada", '{"ü":1}'))
    with pytest.raises(RecordExistsError):
        store.create_record(StoredRecord(RecordKind.STANDING, "q/ada", "{}"))
    second = store.replace_record(replace(first, text="{}"))
    for write in (store.replace_record, store.delete_record):
        with pytest.raises(RecordChangedError):
            write(first)
    assert store.find_record(RecordKind.STANDING, key="q/ada") == second
    other = store.create_record(StoredRecord(RecordKind.STANDING, "r/grace", "{}"))
    store.create_record(StoredRecord(RecordKind.PERSON, "ada", "{}"))
    assert list(store.list_records(RecordKind.STANDING)) == [second, other]
    assert list(store.list_records(RecordKind.STANDING, prefix="r/")) == [other]
    store.delete_record(second)
    assert store.find_record(RecordKind.STANDING, key="q/ada") is None


def test_loops_are_due_when_they_expire_or_owe_an_event(store: ReviewStore) -> None:
    store.create_loop(make_loop("young"), open_limit=9)
    store.create_loop(make_loop("expired", age_s=601), open_limit=9)
    owing = store.create_loop(make_loop("owing"), open_limit=9)
    owing = store.replace_loop(
        transitions.conclude(owing, status=LoopStatus.STOPPED, output_uri="", now=NOW - timedelta(seconds=6))
    )
    assert sorted(loop.name for loop in store.due_loops(NOW, limit=9)) == ["expired", "owing"]
    store.replace_loop(replace(owing, event_due=False))
    assert [loop.name for loop in store.due_loops(NOW, limit=9)] == ["expired"]


def test_an_ended_loop_can_be_deleted_and_its_name_used_again(store: ReviewStore) -> None:
    loop = store.create_loop(make_loop("a"), open_limit=9)
    loop = store.replace_loop(replace(loop, answers=(make_answer("ada"),)))
    loop = store.replace_loop(
        transitions.conclude(loop, status=LoopStatus.COMPLETED, output_uri="s3://o/k", now=NOW)
    )
    assert store.find_loop("a") == loop
    store.delete_loop(loop)
    assert store.find_loop("a") is None
    store.create_loop(make_loop("a"), open_limit=9)


def test_resources_are_created_once_changed_by_version_listed_and_deleted(store: ReviewStore) -> None:
    resource = Resource(ResourceKind.WORKTEAM, "team", TEAM, {"Description": "ü"}, NOW, NOW, tags={"a": "b"})
    first = store.create_resource(resource)
    assert store.find_resource(ResourceKind.WORKTEAM, name="team") == first
    with pytest.raises(RecordExistsError):
        store.create_resource(resource)
    second = store.replace_resource(replace(first, deleted_at=NOW))
    for write in (store.replace_resource, store.delete_resource):
        with pytest.raises(RecordChangedError):
            write(first)
    assert list(store.list_resources(ResourceKind.WORKTEAM)) == [second]
    assert list(store.list_resources(ResourceKind.WORKFORCE)) == []
    store.delete_resource(second)
    assert store.find_resource(ResourceKind.WORKTEAM, name="team") is None


@pytest.mark.parametrize("name", ["", "x" * 3000, "ж" * 600])
def test_nothing_is_stored_under_what_can_be_no_key(store: ReviewStore, name: str) -> None:
    """DynamoDB takes keys of 1 to 1,024 bytes and complains about others."""
    assert store.find_resource(ResourceKind.WORKTEAM, name=name) is None
    assert store.find_loop(name * 2) is None
    if name:
        assert store.find_record(RecordKind.PERSON, key=name) is None


def test_the_first_secret_stays(store: ReviewStore) -> None:
    assert store.secret("portal", proposal="one") == "one"
    assert store.secret("portal", proposal="two") == "one"


def test_documents_are_kept_read_and_forgotten(emulator: Any) -> None:
    s3 = emulator.client("s3")
    documents = S3ReviewDocuments(s3, bucket="documents", client_of_role=lambda _arn: s3)
    documents.put("inputs/a.json", b"{}")
    assert documents.get("inputs/a.json") == b"{}"
    documents.delete(["inputs/a.json", "inputs/never-there.json"])
    with pytest.raises(DocumentRefusedError, match="NoSuchKey"):
        documents.get("inputs/a.json")


def test_documents_that_could_not_be_forgotten_are_said() -> None:
    class Refusing:
        def delete_objects(self, **_: Any) -> Any:
            return {"Errors": [{"Key": "inputs/a.json", "Code": "InternalError", "Message": "?"}]}

    documents = S3ReviewDocuments(Refusing(), bucket="documents", client_of_role=lambda _arn: None)
    with pytest.raises(DocumentUnavailableError, match="InternalError: inputs/a"):
        documents.delete(["inputs/a.json"])


def test_outputs_go_where_the_role_may_write(emulator: Any) -> None:
    s3, asked = emulator.client("s3"), []

    def client_of_role(role_arn: str) -> Any:
        asked.append(role_arn)
        return s3

    documents = S3ReviewDocuments(s3, bucket="documents", client_of_role=client_of_role)
    place = S3Location("documents", "reviews/flow/output.json")
    metadata = {"guideline-version": "2026-03 (b)"}
    documents.write_output(place, b'{"a": 1}', role_arn="arn:role", kms_key_id="", metadata=metadata)
    reply = s3.get_object(Bucket=place.bucket, Key=place.key)
    assert (reply["Body"].read(), reply["ContentType"]) == (b'{"a": 1}', "application/json")
    assert reply["Metadata"] == metadata
    url = documents.sign_url(place, role_arn="arn:role", expires_s=60)
    assert "X-Amz-Expires=60" in url
    assert asked == ["arn:role", "arn:role"]
    missing = S3Location("missing-bucket", "k")
    with pytest.raises(DocumentRefusedError, match="NoSuchBucket"):
        documents.write_output(missing, b"", role_arn="arn:role", kms_key_id="", metadata={})


def test_services_that_cannot_be_reached_are_unavailable_not_refusing() -> None:
    session = boto3.Session(
        aws_access_key_id="111122223333", aws_secret_access_key="x", region_name="us-east-1"
    )
    config = Config(proxies={}, retries={"total_max_attempts": 1}, connect_timeout=1)
    s3, dynamodb = (
        session.client(name, endpoint_url="http://127.0.0.1:9", config=config) for name in ("s3", "dynamodb")
    )
    documents = S3ReviewDocuments(s3, bucket="documents", client_of_role=lambda _arn: s3)
    with pytest.raises(DocumentUnavailableError):
        documents.get("k")
    with pytest.raises(StoreUnavailableError):
        DynamoReviewStore(dynamodb, table_name="records").find_loop("a")
    s3.close()
    dynamodb.close()


def answered(store: ReviewStore, name: str, *, person: str, separation: str = "s-1") -> Loop:
    """A new loop of that separation with the person's answer."""
    loop = store.create_loop(replace(make_loop(name), separation=separation), open_limit=9)
    return store.replace_loop(replace(loop, answers=(make_answer(person),)), before=loop)


def test_an_answer_keeps_its_author_from_other_loops_of_the_separation(store: ReviewStore) -> None:
    first = answered(store, "a", person="ada")
    with pytest.raises(PersonSeparatedError):
        answered(store, "b", person="ada")
    second = store.find_loop("b")
    assert second is not None
    assert (second.answers, second.version) == ((), 1)
    assert answered(store, "c", person="grace").answers
    assert answered(store, "d", person="ada", separation="s-2").answers
    loops = [loop for name in "abcd" if (loop := store.find_loop(name)) is not None]
    assert store.separated("ada", loops=loops) == {"b", "c"}
    assert store.separated("grace", loops=loops) == {"a", "b"}
    assert store.separated("nobody", loops=loops) == frozenset()
    # The same loop again: its answer was given back and comes anew.
    back = store.replace_loop(replace(first, answers=(), returned=first.answers), before=first)
    again = replace(back, answers=(make_answer("ada", seconds=9),))
    assert store.replace_loop(again, before=back).answers == again.answers


def test_of_two_answers_at_once_to_loops_of_one_separation_one_is_taken(store: ReviewStore) -> None:
    loops = [
        store.create_loop(replace(make_loop(f"l{number}"), separation="s-1"), open_limit=9)
        for number in range(6)
    ]

    def taken(loop: Loop) -> bool:
        try:
            store.replace_loop(replace(loop, answers=(make_answer("ada"),)), before=loop)
        except PersonSeparatedError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(taken, loops)) == 1


def test_many_loops_are_looked_up_at_once(store: ReviewStore) -> None:
    answered(store, "first", person="ada", separation="s-107")
    loops = [replace(make_loop(f"n{number}"), separation=f"s-{number}") for number in range(130)]
    assert store.separated("ada", loops=loops) == {"n107"}
