"""Records as text: everything comes back, and texts of other versions can be read."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest

from overread.review.wire import FailureCode, LoopStatus
from overread_review.service.model import (
    Answer,
    Claim,
    Completion,
    FlowTerms,
    GoldItem,
    GoldRef,
    HistoryEntry,
    Loop,
    Note,
    NoteKind,
    Person,
    Priority,
    Qualification,
    QueueState,
    Standing,
)
from overread_review.service.output import timestamp
from overread_review.service.records import loop_text, parse_loop, parse_record, record_text, sortable

NOW = datetime(2026, 3, 2, 9, 0, 0, 120_001, tzinfo=UTC)
TERMS = FlowTerms(
    "arn:f", "f", "arn:t", "arn:r", "s3://o/", "key", "0" * 64, "T", "D", ("k",), 2, 60, "v1", "q"
)
ANSWER = Answer("acme:a", "a", "w", "Oidc", "i", NOW, NOW, "k", 1.25, "v1", {"x": "ü"}, True, "5" * 64)
LOOP = Loop(
    name="loop",
    arn="arn:l",
    terms=TERMS,
    created_at=NOW,
    expires_at=NOW,
    input_key="k",
    input_sha256="s",
    classifiers=("c",),
    status=LoopStatus.FAILED,
    claims=(Claim("a", NOW, NOW, 0.1 + 0.2, NOW, 3.5), Claim("b", NOW, NOW)),
    answers=(ANSWER,),
    declined_by=("c",),
    failure_code=FailureCode.EXPIRED,
    failure_reason="r",
    output_uri="s3://o/k",
    ended_at=NOW,
    event_due=True,
    priority=Priority.URGENT,
    deadline_at=NOW,
    assigned_to="a",
    held=True,
    notes=(Note("1", "a", "A", "lead", NoteKind.RETURN, "text\n", NOW, to="b"),),
    returned=(ANSWER,),
    gold=GoldRef("q", "i", "gold"),
    separation="s-1",
    statement_sha256="5" * 64,
    labeling_object="17",
    is_extra_vote=True,
    version=7,
)


def test_every_member_of_a_loop_comes_back() -> None:
    defaults = Loop("loop", "arn:l", TERMS, NOW, NOW, "k", "s")
    same = [one.name for one in fields(Loop) if getattr(LOOP, one.name) == getattr(defaults, one.name)]
    assert same == ["name", "arn", "terms", "created_at", "expires_at", "input_key", "input_sha256"]
    assert parse_loop(loop_text(LOOP), version=7) == LOOP


@pytest.mark.parametrize(
    "record",
    [
        Person("k", "s", "p", "i", "n", "e", ("g",), True, NOW, NOW, NOW, 3),
        Standing("p", "q", 1, 2, NOW, NOW, 3, 4, NOW, 3),
        Qualification("q", (GoldItem("i", {"a": [1]}, {"x": "y"}),), 1, 0.8, 0.05, 180, 3),
        QueueState("arn", True, "lena", NOW, 3),
        HistoryEntry("l", "t", "f", NOW, 1.5, {"x": "y"}, False, "v", "Completed"),
        Completion("l", "arn", LoopStatus.COMPLETED, NOW, (ANSWER,)),
    ],
    ids=lambda record: type(record).__name__,
)
def test_every_record_comes_back(record: object) -> None:
    version = getattr(record, "version", None)
    assert parse_record(type(record), record_text(record), version=version) == record


def test_a_loop_of_the_first_version_can_be_read() -> None:
    terms = {
        name: value
        for name, value in json.loads(loop_text(LOOP))["terms"].items()
        if name not in {"guideline_version", "qualification"}
    }
    moments = {"accepted_at": "2026-03-02T09:00:00.000000Z"}
    answer = {
        "sub": "ada",
        "worker_id": "w",
        "identity_provider": "Cognito",
        "issuer": "i",
        **moments,
        "submitted_at": "2026-03-02T09:00:41.500000Z",
        "content_key": "k",
    }
    text = json.dumps(
        {
            "name": "loop",
            "arn": "arn:l",
            "terms": terms,
            "created_at": "2026-03-02T09:00:00.000000Z",
            "expires_at": "2026-03-02T10:00:00.000000Z",
            "input_key": "k",
            "input_sha256": "s",
            "classifiers": [],
            "status": "InProgress",
            "claims": [{"sub": "grace", **moments, "deadline_at": "2026-03-02T09:05:00.000000Z"}],
            "answers": [answer],
            "declined_by": [],
            "failure_code": None,
            "failure_reason": "",
            "output_uri": "",
            "ended_at": None,
            "event_due": False,
        }
    )
    loop = parse_loop(text, version=2)
    (claim,), (given,) = loop.claims, loop.answers
    assert (claim.person, claim.running_since, claim.worked_s) == ("grace", claim.accepted_at, 0)
    assert (given.person, given.sub, given.worked_s) == ("ada", "ada", 41.5)
    assert (loop.priority, loop.deadline_at, loop.assigned_to) == (Priority.NORMAL, None, "")
    assert (loop.terms.guideline_version, loop.version) == ("", 2)


def test_members_of_a_later_version_are_left_out() -> None:
    members = json.loads(loop_text(LOOP))
    members["mood"] = members["terms"]["mood"] = members["answers"][0]["mood"] = "good"
    assert parse_loop(json.dumps(members), version=7) == LOOP


def test_moments_are_kept_to_the_microsecond_in_utc() -> None:
    shifted = replace(LOOP, ended_at=NOW + timedelta(microseconds=1))
    assert parse_loop(loop_text(shifted), version=7).ended_at == shifted.ended_at


@pytest.mark.parametrize("year", [1, 999, 9999])
def test_a_moment_of_any_year_can_be_read_again_and_sorts_by_time(year: int) -> None:
    moment = NOW.replace(year=year)
    assert parse_loop(loop_text(replace(LOOP, deadline_at=moment)), version=0).deadline_at == moment
    assert (sortable(moment) < sortable(NOW)) == (moment < NOW)
    assert timestamp(moment) == f"{year:04d}-03-02T09:00:00.120Z"
