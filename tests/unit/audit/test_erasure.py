"""Erasure: what is about a person goes, the log stays intact, and the decision can still be replayed."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from overread.audit.chain import genesis, shard_of, verify
from overread.audit.erasure import Erased, ErasureRefusedError, erase
from overread.decisions import callers
from overread.decisions.documents import decision_document
from overread.decisions.record import Record, StoredObject
from overread.decisions.start_loop import start_loop
from overread.errors import RecordConflictError, RequestRefusedError
from overread.strict_json import canonical_json
from overread_testing.audit_case import AuditCase


@dataclass
class Holdings:
    """What is held elsewhere."""

    waiting: int = 0
    deleted: list[StoredObject] = field(default_factory=list)

    def undelivered(self, decision_id: str) -> int:
        return self.waiting

    def delete_news(self, decision_id: str) -> int:
        return 2

    def delete_object(self, stored: StoredObject) -> int:
        self.deleted.append(stored)
        return 1

    def delete_key(self, decision_id: str) -> int:
        return 1


@pytest.fixture
def case() -> AuditCase:
    made = AuditCase(routing__always_review=True)
    made.read("decline")
    return made


def erased(case: AuditCase, holdings: Holdings, *, by: str = "dpo") -> Erased:
    world = case.world
    return erase(case.decision_id, by=by, records=world.records, holdings=holdings, clock=world.clock)


def test_everything_about_the_person_goes(case: AuditCase) -> None:
    holdings = Holdings()
    assert case.record.reference == "loan-8841"
    loop_name = case.record.reviews[0].loop_name
    assert erased(case, holdings) == Erased(human_loops=(loop_name,), objects=2, news=2, keys=1)
    assert holdings.deleted == [case.record.input, case.record.reviews[0].output]
    assert b"loan-8841" not in canonical_json(case.world.records.items[case.decision_id])


def test_the_decision_stays_and_so_does_the_log(case: AuditCase) -> None:
    before, links = case.record, case.links
    erased(case, Holdings())
    assert case.record.outcome == before.outcome
    assert case.record.state == before.state
    assert case.links[:-1] == links
    shard = shard_of(case.decision_id)
    chain = [link for link in case.world.records.links if link.shard == shard]
    assert verify(chain, from_head=genesis(shard)).is_intact
    entry = case.links[-1].entry
    assert entry["event"] == "erased"
    assert entry["detail"] == {
        "by": "dpo",
        "input_sha256": before.input.sha256,
        "output_sha256s": [review.output.sha256 for review in before.reviews if review.output],
    }


def test_erased_decision_is_still_replayed_as_far_as_hashes_go(case: AuditCase) -> None:
    erased(case, Holdings())
    assert case.replay(input_body=None).is_confirmed


def test_erasure_may_be_repeated(case: AuditCase) -> None:
    erased(case, Holdings())
    erased(case, Holdings())
    assert [link.entry["event"] for link in case.links[-2:]] == ["erased", "erased"]


def test_nothing_is_deleted_before_the_erasure_is_audited(case: AuditCase) -> None:
    holdings = Holdings()
    commit = case.world.records.commit

    def lose(batch: object) -> None:
        raise RecordConflictError("lost")

    case.world.records.commit = lose  # type: ignore[method-assign]
    with pytest.raises(Exception, match="RecordContended"):
        erased(case, holdings)
    assert holdings.deleted == []
    case.world.records.commit = commit  # type: ignore[method-assign]


def test_words_of_a_cancellation_go_and_are_in_no_audit_entry() -> None:
    case = AuditCase(routing__always_review=True)
    callers.cancel(
        case.decision_id,
        reason="Mrs Miller has died",
        by="role/loans",
        ports=case.world.change_ports,
        clock=case.world.clock,
    )
    case.world.clock.pass_seconds(timedelta(hours=1).total_seconds())
    erased(case, Holdings())
    kept = canonical_json([case.world.records.items[case.decision_id], [link.entry for link in case.links]])
    assert b"Miller" not in kept
    assert b"cancelled_by_caller" in kept


def test_open_decision_is_refused() -> None:
    case = AuditCase(routing__always_review=True)
    with pytest.raises(
        ErasureRefusedError, match="is PENDING: it can be erased once it is FINAL or CANCELLED"
    ):
        erased(case, Holdings())


def test_decision_whose_loops_are_still_open_is_refused() -> None:
    case = AuditCase(routing__always_review=True)
    world = case.world
    start_loop(case.decision_id, ports=world.start_ports, clock=world.clock, jitter=0.0)
    callers.cancel(case.decision_id, reason="", by="role/loans", ports=world.change_ports, clock=world.clock)
    name = case.record.open_reviews[0].loop_name
    with pytest.raises(ErasureRefusedError, match=f"still has open human loops: {name}"):
        erased(case, Holdings())


def test_decision_with_news_to_deliver_is_refused(case: AuditCase) -> None:
    with pytest.raises(ErasureRefusedError, match="has 3 news to deliver first"):
        erased(case, Holdings(waiting=3))


def contested(case: AuditCase, *, key: str = "c-1") -> Record:
    world = case.world
    return callers.contest(
        case.decision_id,
        grounds="",
        idempotency_key=key,
        by="role/loans",
        ports=world.change_ports,
        clock=world.clock,
    )


def test_what_people_are_to_read_again_stays_until_the_contest_has_ended(case: AuditCase) -> None:
    contest, holdings = contested(case), Holdings()
    case.world.clock.pass_seconds(3600)
    with pytest.raises(ErasureRefusedError, match=f"contested by {contest.decision_id}, which must end"):
        erased(case, holdings)
    assert holdings.deleted == []
    callers.cancel(
        contest.decision_id, reason="", by="role/loans", ports=case.world.change_ports, clock=case.world.clock
    )
    erased(case, holdings)
    assert case.record.is_erased


def test_a_contest_that_is_beginning_keeps_the_input_and_a_note_without_one_does_not(case: AuditCase) -> None:
    contest = contested(case)
    del case.world.records.items[contest.decision_id]
    with pytest.raises(ErasureRefusedError, match="must end first"):
        erased(case, Holdings())
    case.world.clock.pass_seconds(60)
    erased(case, Holdings())


def test_what_was_erased_cannot_be_contested(case: AuditCase) -> None:
    erased(case, Holdings())
    assert "contest" not in decision_document(case.record)["links"]
    with pytest.raises(RequestRefusedError, match="was erased"):
        contested(case)
    assert case.record.contested_by == ""


def test_a_contest_that_was_made_before_the_erasure_is_told_again(case: AuditCase) -> None:
    contest = contested(case)
    callers.cancel(
        contest.decision_id, reason="", by="role/loans", ports=case.world.change_ports, clock=case.world.clock
    )
    case.world.clock.pass_seconds(60)
    erased(case, Holdings())
    assert contested(case).decision_id == contest.decision_id


def test_unknown_decision_is_refused(case: AuditCase) -> None:
    with pytest.raises(ErasureRefusedError, match="no decision d-unknown"):
        erase("d-unknown", by="", records=case.world.records, holdings=Holdings(), clock=case.world.clock)
