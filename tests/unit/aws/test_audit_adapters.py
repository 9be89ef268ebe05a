"""The audit log in a real table and the archive in a real bucket: places, lag, versions, contention."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from overread.audit.anchors import anchor, read_anchors, verify_log
from overread.audit.chain import genesis, verify
from overread.decisions.record import StoredObject
from overread.errors import PermanentError, RecordConflictError
from overread_aws.audit_archive import S3AuditArchive
from overread_aws.audit_changes import DynamoDbChangeLog
from overread_aws.audit_erasure import AwsHoldings
from overread_aws.audit_log import DynamoDbAuditLog
from overread_aws.evidence_keys import DynamoDbEvidenceKeys
from overread_testing.aws_emulator import AwsEmulator

TABLE = "decisions"
BUCKET = "audit"
AT = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)


def entry(subject: str, number: int) -> dict[str, Any]:
    # The table forgets between tests, but not which transactions it has done.
    detail = {
        "unique": uuid4().hex,
        "confidence": 1.0,
        "share": 0.25,
        "none": None,
        "list": [],
        "place": number,
    }
    return {"decision_id": f"change/{subject}", "number": number, "event": "policy_changed", "detail": detail}


@pytest.fixture(scope="session")
def bucket(aws: AwsEmulator, s3_client: Any) -> str:
    s3_client.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
    return BUCKET


@pytest.fixture
def archive(bucket: str, s3_client: Any, request: pytest.FixtureRequest) -> S3AuditArchive:
    for kind in ("Versions", "DeleteMarkers"):
        for one in s3_client.list_object_versions(Bucket=bucket).get(kind, ()):
            s3_client.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
    return S3AuditArchive(s3_client, bucket=bucket)


def test_entries_come_back_as_they_were_sealed(dynamodb: Any) -> None:
    changes, log = DynamoDbChangeLog(dynamodb, table=TABLE), DynamoDbAuditLog(dynamodb, table=TABLE)
    for number in range(1, 4):
        changes.append(entry("roster", number))
    links = list(log.links("changes", after=0))
    found = verify(links, from_head=genesis("changes"), anchors=[log.head("changes")])
    assert (found.faults, found.links) == ((), 3)
    assert [link.seq for link in log.links("changes", after=1)] == [2, 3]
    assert list(log.entries("change/roster")) == links
    assert changes.last("change/roster") == links[-1]
    assert changes.last("change/other") is None


def test_writers_at_once_make_one_chain(dynamodb: Any) -> None:
    changes, log = DynamoDbChangeLog(dynamodb, table=TABLE), DynamoDbAuditLog(dynamodb, table=TABLE)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(changes.append, [entry(f"subject-{number}", 1) for number in range(12)]))
    found = verify(log.links("changes", after=0), from_head=genesis("changes"), anchors=[log.head("changes")])
    assert (found.faults, found.links) == ((), 12)


def test_entry_of_a_number_that_is_taken_is_refused(dynamodb: Any) -> None:
    changes = DynamoDbChangeLog(dynamodb, table=TABLE)
    changes.append(entry("roster", 1))
    with pytest.raises(RecordConflictError, match="change/roster 1"):
        changes.append(entry("roster", 1))


def test_item_that_is_no_link_is_named(dynamodb: Any) -> None:
    item = {"pk": {"S": "x"}, "sk": {"S": "AUDIT#1"}, "chain_shard": {"S": "00"}, "chain_seq": {"N": "1"}}
    dynamodb.put_item(TableName=TABLE, Item=item)
    with pytest.raises(PermanentError, match="AuditEntryUnreadable: x AUDIT#1"):
        list(DynamoDbAuditLog(dynamodb, table=TABLE).links("00", after=0))


def test_the_first_version_counts(archive: S3AuditArchive, s3_client: Any) -> None:
    archive.put("a/1", b"first", content_type="text/plain")
    archive.put("a/2", b"second", content_type="text/plain")
    s3_client.put_object(Bucket=BUCKET, Key="a/1", Body=b"forged")
    s3_client.delete_object(Bucket=BUCKET, Key="a/2")
    found = list(archive.first_versions("a/"))
    assert [(one.key, one.is_only, archive.read(one)) for one in found] == [
        ("a/1", False, b"first"),
        ("a/2", False, b"second"),
    ]
    assert archive.find("a/1") == b"first"
    assert archive.find("a/") is None


def test_the_same_again_is_no_second_version_and_other_bytes_are_refused(archive: S3AuditArchive) -> None:
    for _ in range(2):
        archive.put("a/1", b"first", content_type="text/plain")
    assert [one.is_only for one in archive.first_versions("a/")] == [True]
    with pytest.raises(PermanentError, match="ArchivedDifferently"):
        archive.put("a/1", b"other", content_type="text/plain")


def test_log_in_the_table_is_anchored_in_the_bucket(dynamodb: Any, archive: S3AuditArchive) -> None:
    changes, log = DynamoDbChangeLog(dynamodb, table=TABLE), DynamoDbAuditLog(dynamodb, table=TABLE)
    for number in range(1, 4):
        changes.append(entry("roster", number))
    pauses: list[float] = []
    assert anchor(log=log, archive=archive, clock=lambda: AT, pause=pauses.append).links == 3
    assert [
        one
        for report in verify_log(log=log, read=read_anchors(archive), pause=pauses.append)
        for one in report.faults
    ] == []
    dynamodb.delete_item(TableName=TABLE, Key={"pk": {"S": "change/roster"}, "sk": {"S": "AUDIT#00000002"}})
    codes = {
        one.code
        for report in verify_log(log=log, read=read_anchors(archive), pause=pauses.append)
        for one in report.faults
    }
    assert codes == {"missing"}


def test_every_version_of_an_object_is_erased_and_of_no_other(dynamodb: Any, s3_client: Any) -> None:
    inputs = "erasable"
    s3_client.create_bucket(Bucket=inputs)
    enabled = {"Status": "Enabled"}
    s3_client.put_bucket_versioning(Bucket=inputs, VersioningConfiguration=enabled)
    for key in ("a.json", "a.json", "a.json.other"):
        s3_client.put_object(Bucket=inputs, Key=key, Body=b"{}")
    s3_client.delete_object(Bucket=inputs, Key="a.json")
    holdings = AwsHoldings(dynamodb, s3_client, table=TABLE)
    stored = StoredObject(bucket=inputs, key="a.json", version_id="", sha256="")
    assert holdings.delete_object(stored) == 3
    assert holdings.delete_object(stored) == 0
    left = s3_client.list_object_versions(Bucket=inputs)
    assert [one["Key"] for one in left["Versions"]] == ["a.json.other"]
    assert not left.get("DeleteMarkers")


def test_news_are_erased_once_they_were_delivered(dynamodb: Any, s3_client: Any) -> None:
    holdings = AwsHoldings(dynamodb, s3_client, table=TABLE)
    for number, state in ((1, None), (2, "due"), (3, "dead")):
        item = {"pk": {"S": "d-1"}, "sk": {"S": f"OUTBOX#{number:08d}#events"}}
        dynamodb.put_item(TableName=TABLE, Item=item | ({"outbox_state": {"S": state}} if state else {}))
    assert (holdings.undelivered("d-1"), holdings.delete_news("d-1")) == (2, 1)
    assert (holdings.undelivered("d-1"), holdings.delete_news("d-1")) == (2, 0)


def test_keys_of_a_subject_lie_together_and_are_made_once(dynamodb: Any) -> None:
    keys = DynamoDbEvidenceKeys(dynamodb, table=TABLE)
    one, other, subject = uuid4().hex, uuid4().hex, uuid4().hex
    made = keys.key_for(one, subject=subject)
    assert made is not None
    assert len(made) == 32
    assert keys.key_for(one, subject="another") == keys.key_of(one) == made
    assert keys.key_for(other, subject=subject) != made
    assert sorted(keys.decisions_of(subject)) == sorted([one, other])
    assert keys.key_of("d-unknown") is None


def test_erased_key_is_never_made_again(dynamodb: Any, s3_client: Any) -> None:
    keys = DynamoDbEvidenceKeys(dynamodb, table=TABLE)
    decision_id = uuid4().hex
    keys.key_for(decision_id, subject="s")
    holdings = AwsHoldings(dynamodb, s3_client, table=TABLE)
    assert (holdings.delete_key(decision_id), holdings.delete_key(decision_id)) == (1, 0)
    assert keys.key_of(decision_id) is None
    assert keys.key_for(decision_id, subject="s") is None
    assert list(keys.decisions_of("s")) == []
    assert holdings.delete_key("d-unknown") == 0


def test_progress_is_remembered(dynamodb: Any) -> None:
    keys = DynamoDbEvidenceKeys(dynamodb, table=TABLE)
    assert keys.reached("00") == 0
    for place in (4, 9):
        keys.reach("00", place)
        assert keys.reached("00") == place
