"""Evidence: copied under the decision's own key, readable until the key goes, never after."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from overread.audit.chain import DECISION_SHARDS, Link, shard_of
from overread.audit.evidence import EvidencePorts, about, evidence_key, read_evidence, subject_hash
from overread.decisions.record import StoredObject
from overread.errors import MissingSettingsError
from overread_aws.sealing import seal, unseal
from overread_lambda.archive_evidence import TIME_TO_LEAVE_MS, evidence_settings, respond
from overread_testing.audit_case import AuditCase
from overread_testing.audit_fakes import MemoryArchive


class Keys:
    """Keys and progress in memory."""

    def __init__(self) -> None:
        self.subjects: dict[str, str] = {}
        self.keys: dict[str, bytes] = {}
        self.places: dict[str, int] = {}

    def key_for(self, decision_id: str, *, subject: str) -> bytes | None:
        if decision_id not in self.subjects:
            self.subjects[decision_id] = subject
            self.keys[decision_id] = bytes([len(self.keys)]) * 32
        return self.keys.get(decision_id)

    def key_of(self, decision_id: str) -> bytes | None:
        return self.keys.get(decision_id)

    def reached(self, shard: str) -> int:
        return self.places.get(shard, 0)

    def reach(self, shard: str, seq: int) -> None:
        self.places[shard] = seq


class Evidence:
    """One decision of people whose evidence is archived."""

    def __init__(self, *, subject_path: str = "") -> None:
        self.case = AuditCase(routing__always_review=True)
        self.case.read("decline")
        self.keys, self.archive = Keys(), MemoryArchive()
        self.gone: set[str] = set()
        self.path = subject_path
        self.read_times = 0

    def run(self, *, remaining_ms: int = 900_000) -> int:
        ports = EvidencePorts(
            record=self.case.world.records.get,
            read=self.read,
            subject_path=lambda _: self.path,
            keys=self.keys,
            seal=seal,
            archive=self.archive,
        )
        done = respond(links=self.links, progress=self.keys, ports=ports, remaining_ms=lambda: remaining_ms)
        return done["copies"]

    def links(self, shard: str, after: int) -> Iterator[Link]:
        chain = [link for link in self.case.world.records.links if link.shard == shard]
        return iter([link for link in chain if link.seq > after])

    def read(self, stored: StoredObject) -> bytes | None:
        self.read_times += 1
        if stored.key in self.gone:
            return None
        if stored == self.case.record.input:
            return self.case.world.inputs.read(stored)
        return self.case.world.outputs.objects[f"s3://{stored.bucket}/{stored.key}"]

    def copy(self, sha256: str) -> bytes | None:
        keys = self.keys
        return read_evidence(self.case.decision_id, sha256, archive=self.archive, keys=keys, unseal=unseal)


@pytest.fixture
def evidence() -> Evidence:
    return Evidence()


def test_input_and_answer_are_copied_and_can_be_read(evidence: Evidence) -> None:
    assert evidence.run() == 2
    record = evidence.case.record
    (review,) = record.reviews
    assert review.output is not None
    assert evidence.copy(record.input.sha256) == evidence.case.world.inputs.read(record.input)
    assert b"humanAnswers" in (evidence.copy(review.output.sha256) or b"")


def test_copies_show_nothing_without_the_key(evidence: Evidence) -> None:
    evidence.run()
    for (body,) in evidence.archive.versions.values():
        assert b"9600" not in body
        assert b"humanAnswers" not in body


def test_erased_key_leaves_copies_that_nobody_can_read(evidence: Evidence) -> None:
    evidence.run()
    evidence.keys.keys.clear()
    assert evidence.copy(evidence.case.record.input.sha256) is None
    assert evidence.archive.find(evidence_key(evidence.case.decision_id, evidence.case.record.input.sha256))


def test_erased_decision_is_not_archived_again(evidence: Evidence) -> None:
    evidence.run()
    evidence.keys.keys.clear()
    evidence.keys.places.clear()
    assert evidence.run() == 0
    assert evidence.keys.keys == {}


def test_the_next_run_goes_on_where_this_one_stopped(evidence: Evidence) -> None:
    evidence.run()
    read = evidence.read_times
    assert (evidence.run(), evidence.read_times) == (0, read)
    shard = shard_of(evidence.case.decision_id)
    assert evidence.keys.places == {shard: len(evidence.case.links)}


def test_the_same_again_is_the_same_copy(evidence: Evidence) -> None:
    evidence.run()
    evidence.keys.places.clear()
    assert evidence.run() == 2
    assert all(len(versions) == 1 for versions in evidence.archive.versions.values())


def test_run_that_has_no_time_left_does_nothing(evidence: Evidence) -> None:
    assert evidence.run(remaining_ms=TIME_TO_LEAVE_MS) == 0
    assert evidence.keys.places == {}


def test_links_behind_a_gap_wait(evidence: Evidence) -> None:
    links = evidence.case.world.records.links
    del links[0]
    assert evidence.run() == 0
    assert evidence.keys.places == {}


def test_input_that_is_gone_is_no_error_and_makes_no_key(evidence: Evidence) -> None:
    evidence.gone = {evidence.case.record.input.key}
    assert evidence.run() == 0
    assert evidence.keys.keys == {}


def test_input_that_was_altered_is_not_taken_for_evidence(
    evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "read", lambda _: b"{}")
    assert evidence.run() == 0


@pytest.mark.parametrize(
    ("path", "subject"),
    [("input.purpose", "car"), ("", None), ("input.nobody", None), ("length(input.amount)", None)],
)
def test_subject_is_whom_the_policy_finds_or_the_decision_itself(path: str, subject: Any) -> None:
    evidence = Evidence(subject_path=path)
    evidence.run()
    decision_id = evidence.case.decision_id
    assert evidence.keys.subjects == {decision_id: subject_hash(subject or decision_id)}


def test_the_log_tells_nothing_of_whom_a_case_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    evidence = Evidence(subject_path="input.purpose")
    evidence.run()
    assert set(evidence.keys.subjects.values()) == {subject_hash("car")}
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line).keys() == {"at", "level", "message", "copies"}


def test_copy_of_another_decision_is_refused(evidence: Evidence) -> None:
    evidence.run()
    sha256 = evidence.case.record.input.sha256
    key = evidence.keys.keys[evidence.case.decision_id]
    evidence.archive.versions[evidence_key(evidence.case.decision_id, sha256)] = [
        seal(key, b"{}", about("d-other", sha256))
    ]
    with pytest.raises(ValueError, match="sealed with another key, about something else, or changed"):
        evidence.copy(sha256)
    evidence.archive.versions[evidence_key(evidence.case.decision_id, sha256)] = [
        seal(key, b"{}", about(evidence.case.decision_id, sha256))
    ]
    with pytest.raises(ValueError, match="is another one"):
        evidence.copy(sha256)


def test_what_was_sealed_is_bound_to_key_and_text() -> None:
    sealed = seal(b"k" * 32, b"text", b"about")
    assert unseal(b"k" * 32, sealed, b"about") == b"text"
    assert seal(b"k" * 32, b"text", b"about") == sealed
    assert seal(b"k" * 32, b"other", b"about")[4:16] != sealed[4:16]
    for key, body in ((b"j" * 32, sealed), (b"k" * 32, sealed[:-1]), (b"k" * 32, b""), (b"k" * 32, b"OVR1")):
        with pytest.raises(ValueError, match="sealed"):
            unseal(key, body, b"about")


def test_the_function_names_all_settings_that_it_lacks() -> None:
    with pytest.raises(MissingSettingsError, match="OVERREAD_TABLE, OVERREAD_AUDIT_BUCKET"):
        evidence_settings({})
    assert len(DECISION_SHARDS) == 16
