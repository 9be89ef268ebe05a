"""Kill switches and rosters in DynamoDB and S3, each change with its audit entry."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from overread.audit.chain import CHANGES_SHARD, Link, genesis, verify
from overread.decisions.commit import sealed
from overread.decisions.record import AuditEntry
from overread.decisions.steered import ALL, Proposal, RosterPin, Switch
from overread.decisions.steering import put_roster, turn_off, turn_on
from overread.errors import ChainMovedError, PermanentError, RecordConflictError
from overread_aws import decision_items as items
from overread_aws.audit_log import DynamoDbAuditLog
from overread_aws.decision_table import DecisionTable
from overread_aws.dynamodb_records import DynamoDbRecords
from overread_aws.rosters import ROSTER_KEY, S3Rosters, roster_object
from overread_aws.steering import DynamoDbSteering
from overread_testing.stored_records import NOW, make_news

TABLE, BUCKET = "decisions", "inputs"
SUBJECT = "change/kill-switch/all"


@pytest.fixture
def steering(dynamodb: Any, s3_client: Any) -> DynamoDbSteering:
    """The port over an empty table."""
    return DynamoDbSteering(dynamodb, s3_client, table=TABLE, bucket=BUCKET)


@pytest.fixture
def rosters(dynamodb: Any, s3_client: Any) -> S3Rosters:
    """What decisions ask for the roster."""
    return S3Rosters(dynamodb, s3_client, table=TABLE, bucket=BUCKET)


def chain(dynamodb: Any) -> list[Link]:
    """All changes, verified."""
    links = list(DynamoDbAuditLog(dynamodb, table=TABLE).links(CHANGES_SHARD, after=0))
    assert verify(links, from_head=genesis(CHANGES_SHARD)).is_intact
    return links


def switch(**changes: Any) -> Switch:
    first = Switch(
        scope=ALL, is_on=True, epoch=1, revision=1, changed_at=NOW, changed_by="ada", reason="drill"
    )
    return replace(first, **changes)


def link_behind(steering: DynamoDbSteering, *, number: int) -> Link:
    entry = AuditEntry(
        decision_id=SUBJECT,
        number=number,
        at=NOW,
        event="kill_switch_on",
        from_state="",
        to_state="",
        generation=0,
        detail={},
    )
    (link,) = sealed((entry,), head=steering.head(CHANGES_SHARD))
    return link


def commit(steering: DynamoDbSteering, item: Switch | RosterPin) -> None:
    link = link_behind(steering, number=item.revision)
    steering.commit(item, link=link, head=steering.head(CHANGES_SHARD), outbox=())


def test_a_switch_that_nobody_turned_is_off(steering: DynamoDbSteering) -> None:
    untouched = Switch(
        scope="loan-approval", is_on=False, epoch=0, revision=0, changed_at=None, changed_by="", reason=""
    )
    assert steering.switch("loan-approval") == untouched
    assert steering.roster() is None
    assert steering.head(CHANGES_SHARD) == genesis(CHANGES_SHARD)


def test_a_switch_comes_back_as_it_was_written_with_its_entry_and_its_news(
    steering: DynamoDbSteering, dynamodb: Any
) -> None:
    proposed = switch(proposal=Proposal(value="off", by="grace", reason="over", at=NOW))
    link = link_behind(steering, number=1)
    news = make_news(SUBJECT, event="Kill Switch Changed")
    steering.commit(proposed, link=link, head=steering.head(CHANGES_SHARD), outbox=(news,))
    assert steering.switch(ALL) == proposed
    assert chain(dynamodb) == [link]
    item = DecisionTable(dynamodb, name=TABLE).get(items.outbox_key(SUBJECT, 1, "events"))
    assert item is not None
    assert item["outbox_state"] == "due"


def test_a_switch_that_was_turned_meanwhile_is_left_as_it_is(steering: DynamoDbSteering) -> None:
    commit(steering, switch())
    link = link_behind(steering, number=2)
    for revision in (1, 3):
        with pytest.raises(RecordConflictError):
            steering.commit(
                switch(revision=revision), link=link, head=steering.head(CHANGES_SHARD), outbox=()
            )
    assert steering.switch(ALL) == switch()


def test_a_chain_that_has_grown_meanwhile_refuses_the_change(steering: DynamoDbSteering) -> None:
    head = steering.head(CHANGES_SHARD)
    link = link_behind(steering, number=1)
    commit(steering, switch(scope="loan-approval"))
    with pytest.raises(ChainMovedError):
        steering.commit(switch(), link=link, head=head, outbox=())
    assert steering.switch(ALL).revision == 0


def test_what_people_turn_is_what_decisions_see(steering: DynamoDbSteering, dynamodb: Any) -> None:
    records = DynamoDbRecords(dynamodb, table=TABLE)

    def seen(use_case: str) -> tuple[bool, tuple[int, int]]:
        switches = records.guard(shard="00", use_case=use_case).switches
        return switches.is_on, switches.epochs

    who: dict[str, Any] = {"reason": "drill", "steering": steering, "clock": lambda: NOW}
    turn_on("loan-approval", by="ada", **who)
    assert (seen("loan-approval"), seen("claims")) == ((True, (0, 1)), (False, (0, 0)))
    turn_on(ALL, by="ada", **who)
    turn_off("loan-approval", by="ada", needs_two=False, **who)
    assert (seen("loan-approval"), seen("claims")) == ((True, (1, 2)), (True, (1, 0)))
    turn_off(ALL, by="ada", needs_two=True, **who)
    assert seen("claims") == (True, (1, 0))
    turn_off(ALL, by="grace", needs_two=True, **who)
    assert seen("claims") == (False, (2, 0))
    assert len(chain(dynamodb)) == 5


def test_of_many_that_turn_a_switch_at_once_one_does(dynamodb: Any, s3_client: Any) -> None:
    def attempt(number: int) -> Switch:
        own = DynamoDbSteering(dynamodb, s3_client, table=TABLE, bucket=BUCKET)
        return turn_on(ALL, by=f"person-{number}", reason="", steering=own, clock=lambda: NOW)

    with ThreadPoolExecutor(6) as pool:
        turned = list(pool.map(attempt, range(6)))
    assert {one.revision for one in turned} == {1}
    assert len({one.changed_by for one in turned}) == 1
    assert len(chain(dynamodb)) == 1


# Rosters


def roster_body(name: str = "Ada") -> bytes:
    person = {
        "sub": "s-1",
        "issuer": "https://i",
        "name": name,
        "use_cases": {"loan-approval": {"qualified_until": "2027-01-01T00:00:00Z"}},
    }
    return json.dumps({"schema": 1, "people": [person]}).encode()


def put(steering: DynamoDbSteering, body: bytes, *, by: str) -> RosterPin:
    return put_roster(body, by=by, reason="", needs_two=True, steering=steering, clock=lambda: NOW)


def test_there_is_no_roster_before_the_first_is_approved(
    steering: DynamoDbSteering, rosters: S3Rosters
) -> None:
    assert rosters.current() is None
    proposed = put(steering, roster_body(), by="ada")
    assert steering.roster() == proposed
    assert rosters.current() is None


def test_the_roster_in_force_is_the_one_that_two_people_put_there(
    steering: DynamoDbSteering, rosters: S3Rosters, dynamodb: Any
) -> None:
    for name in ("Ada", "Lovelace"):
        for by in ("ada", "grace"):
            put(steering, roster_body(name), by=by)
        current = rosters.current()
        assert current is not None
        assert current.sha256 == hashlib.sha256(roster_body(name)).hexdigest()
    assert [link.entry["number"] for link in chain(dynamodb)] == [1, 2, 3, 4]


class CountingS3:
    """Counts reads."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.reads = 0

    def get_object(self, **request: Any) -> Any:
        self.reads += 1
        return self._client.get_object(**request)


def test_a_roster_is_read_once_while_it_is_in_force(
    steering: DynamoDbSteering, dynamodb: Any, s3_client: Any
) -> None:
    for by in ("ada", "grace"):
        put(steering, roster_body(), by=by)
    counting = CountingS3(s3_client)
    rosters = S3Rosters(dynamodb, counting, table=TABLE, bucket=BUCKET)
    assert rosters.current() is rosters.current()
    assert counting.reads == 1


@pytest.mark.parametrize(
    ("body", "pinned", "code"),
    [
        (roster_body("Mallory"), roster_body(), "RosterAltered"),
        (b'{"schema": 9}', b'{"schema": 9}', "RosterUnreadable"),
    ],
)
def test_nobody_decides_by_a_roster_that_is_not_what_was_approved(
    body: bytes, pinned: bytes, code: str, rosters: S3Rosters, dynamodb: Any, s3_client: Any
) -> None:
    sha256 = hashlib.sha256(pinned).hexdigest()
    s3_client.put_object(Bucket=BUCKET, Key=roster_object(sha256), Body=body)
    table = DecisionTable(dynamodb, name=TABLE)
    table.write_one(table.put(ROSTER_KEY, {"sha256": sha256}))
    with pytest.raises(PermanentError) as caught:
        rosters.current()
    assert caught.value.code == code


def test_a_roster_that_is_not_its_hash_is_not_stored(steering: DynamoDbSteering, s3_client: Any) -> None:
    with pytest.raises(PermanentError):
        steering.keep_roster(b"other", sha256=hashlib.sha256(b"one").hexdigest())
    sha256 = hashlib.sha256(b"one").hexdigest()
    steering.keep_roster(b"one", sha256=sha256)
    stored = s3_client.get_object(Bucket=BUCKET, Key=roster_object(sha256))
    assert stored["Body"].read() == b"one"
