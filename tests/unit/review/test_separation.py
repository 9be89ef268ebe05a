"""One decision, several readers: who answered one loop with a separation gets no other; what readers sign."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from overread_review.portal.documents import claimed_document
from overread_review.service.errors import PersonUnsuitableError, TaskConflictError
from overread_review.service.model import Reviewer
from overread_review.service.own_members import separation_of, statement_of
from overread_testing.review_fakes import ADA, GRACE, LENA, ReviewLab, review_lab

STATEMENT = "I have read the whole file and decide in my own name."


@pytest.fixture
def lab() -> ReviewLab:
    """Loops `a` and `b` of one decision, and `other` of another."""
    lab = review_lab(sandbox=True)
    lab.flow_definition(TaskTimeLimitInSeconds=300)
    start(lab, "a", separation="s-1")
    start(lab, "b", separation="s-1")
    start(lab, "other", separation="s-2")
    return lab


def start(lab: ReviewLab, name: str, **members: Any) -> None:
    lab.start(name, decision_id="d-1", **members)


def names(lab: ReviewLab, reviewer: Reviewer) -> list[str]:
    return [task.loop.name for task in lab.service.tasks.offered(reviewer)]


def test_who_answered_one_loop_is_offered_no_other_of_that_separation(lab: ReviewLab) -> None:
    lab.answer("a", by=ADA)
    assert names(lab, ADA) == ["other"]
    assert names(lab, GRACE) == ["b", "other"]
    claimed = lab.service.tasks.next(ADA)
    assert claimed is not None
    assert claimed.loop.name == "other"
    assert lab.service.tasks.next(GRACE) is not None


def test_nor_may_they_claim_it_and_hear_why(lab: ReviewLab) -> None:
    lab.answer("a", by=ADA)
    with pytest.raises(TaskConflictError, match="answered another review of this decision"):
        lab.service.tasks.claim("b", reviewer=ADA)
    assert lab.answer("b", by=GRACE).answers[0].person == GRACE.key


def test_what_they_had_begun_goes_back_to_the_others(lab: ReviewLab) -> None:
    lab.service.tasks.claim("b", reviewer=ADA)
    lab.service.tasks.claim("other", reviewer=ADA)
    lab.answer("a", by=ADA)
    assert lab.loop("b").claims == ()
    assert [claim.person for claim in lab.loop("other").claims] == [ADA.key]
    with pytest.raises(TaskConflictError, match="answered another review"):
        lab.service.tasks.answer("b", reviewer=ADA, content={})


def test_the_store_itself_refuses_an_answer_that_comes_at_the_same_moment(
    lab: ReviewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.service.tasks.claim("b", reviewer=ADA)
    lab.answer("a", by=ADA)
    # As if both answers had passed every check before either was written.
    held = lab.service.tasks.claim("other", reviewer=ADA).claim
    lab.store.replace_loop(replace(lab.loop("b"), claims=(held,)))
    monkeypatch.setattr(lab.store, "separated", lambda person, *, loops: frozenset())
    with pytest.raises(TaskConflictError, match="answered another review"):
        lab.service.tasks.answer("b", reviewer=ADA, content={})
    assert lab.loop("b").answers == ()


def test_only_answers_count(lab: ReviewLab) -> None:
    tasks = lab.service.tasks
    tasks.claim("a", reviewer=ADA)
    tasks.give_back("a", reviewer=ADA, decline=False)
    tasks.claim("a", reviewer=ADA)
    lab.clock.advance(400)
    assert names(lab, ADA) == ["a", "b", "other"]
    assert lab.answer("b", by=ADA).answers


def test_an_answer_that_was_given_back_counts_and_can_be_given_again(lab: ReviewLab) -> None:
    lab.flow_definition("two", TaskCount=2)
    lab.start("c", flow="two", decision_id="d-3", separation="s-3")
    lab.start("e", decision_id="d-3", separation="s-3")
    lab.answer("c", by=ADA)
    lab.service.lead.return_answer(LENA, "c", person=ADA.key, comment="look again")
    with pytest.raises(TaskConflictError, match="answered another review"):
        lab.service.tasks.claim("e", reviewer=ADA)
    assert lab.answer("c", by=ADA, label="decline").answers[0].choices == {"decision": "decline"}


def test_a_synthetic_reader_is_one_person_as_well(lab: ReviewLab) -> None:
    answer = lab.service.tasks.sandbox_answer
    answer("a", reviewer_name="sandbox-1", content={})
    with pytest.raises(TaskConflictError, match="answered another review"):
        answer("b", reviewer_name="sandbox-1", content={})
    assert answer("b", reviewer_name="sandbox-2", content={}).answers


def test_a_lead_cannot_assign_it_to_them(lab: ReviewLab) -> None:
    for person in (ADA, GRACE):
        lab.service.people.seen(person)
    lab.answer("a", by=ADA)
    with pytest.raises(PersonUnsuitableError, match="ada has answered another review of this decision"):
        lab.service.lead.assign(LENA, "b", person=ADA.key)
    assert lab.service.lead.assign(LENA, "b", person=GRACE.key).assigned_to == GRACE.key


def test_another_generation_has_another_reader_too(lab: ReviewLab) -> None:
    lab.answer("a", by=ADA)
    start(lab, "a-g2", separation="s-1")
    assert "a-g2" not in names(lab, ADA)


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({"decision_id": "d", "separation": "s"}, "s"),
        ({"overread": {"separation": "s"}}, "s"),
        ({"separation": "legal"}, ""),
        ({"decision_id": "d", "separation": 5}, ""),
        ({"decision_id": "d", "separation": "s" * 257}, ""),
        ({"decision_id": "d"}, ""),
    ],
)
def test_only_overreads_own_members_separate(content: dict[str, Any], key: str) -> None:
    assert separation_of(content) == key


def test_loops_without_separation_are_read_by_anyone() -> None:
    lab = review_lab()
    lab.flow_definition()
    lab.start("a", separation="legal")
    lab.start("b", separation="legal")
    lab.answer("a", by=ADA)
    assert names(lab, ADA) == ["b"]


# The statement


def test_the_statement_stands_with_the_claimed_task_and_with_the_answer() -> None:
    lab = review_lab()
    lab.flow_definition()
    start(lab, "a", statement=STATEMENT)
    claimed = lab.service.tasks.claim("a", reviewer=ADA)
    document = claimed_document(claimed, notes=(), person=ADA.key, now=lab.clock(), root="")
    assert document["statement"] == STATEMENT
    sha256 = hashlib.sha256(STATEMENT.encode()).hexdigest()
    assert lab.answer("a", by=ADA).answers[0].statement_sha256 == sha256
    ((uri, body),) = lab.documents.outputs.items()
    assert lab.documents.metadata[uri]["statement-sha256"] == sha256
    output = json.loads(body)
    assert set(output) == {"flowDefinitionArn", "humanAnswers", "humanLoopName", "inputContent"}
    assert set(output["humanAnswers"][0]) == {
        "acceptanceTime",
        "answerContent",
        "submissionTime",
        "timeSpentInSeconds",
        "workerId",
        "workerMetadata",
    }
    assert output["inputContent"]["statement"] == STATEMENT


def test_without_a_statement_nothing_is_signed(lab: ReviewLab) -> None:
    claimed = lab.service.tasks.claim("a", reviewer=ADA)
    document = claimed_document(claimed, notes=(), person=ADA.key, now=lab.clock(), root="")
    assert document["statement"] == ""
    assert lab.answer("a", by=ADA).answers[0].statement_sha256 == ""
    (metadata,) = lab.documents.metadata.values()
    assert "statement-sha256" not in metadata


@pytest.mark.parametrize("content", [{"statement": "x"}, {"decision_id": "d", "statement": 7}, {}])
def test_only_overreads_own_statement_is_shown(content: dict[str, Any]) -> None:
    assert statement_of(content) == ""
