"""Rows of decisions, reviews and outcomes: what is in them, and that no word of a case or a person is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.analytics import (
    TABLES,
    ExportPorts,
    Kind,
    Progress,
    Pseudonyms,
    Table,
    export_decisions,
    rows_of_link,
    without_gap,
)
from overread.audit.chain import Link
from overread.decisions.callers import learn_truth
from overread.decisions.record import Record, Reviewer
from overread.errors import RecordConflictError
from overread_testing.audit_case import AuditCase

KEY = bytes(range(32))
PSEUDONYMS = Pseudonyms(KEY)


def rows(case: AuditCase, *, record: Record | None = None, **options: Any) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for link in case.links:
        for some in rows_of_link(link, record or case.record, pseudonyms=PSEUDONYMS, **options):
            found.setdefault(some.table.name, []).extend(dict(row) for row in some.rows)
    return found


@pytest.fixture
def decided() -> AuditCase:
    """One decision that people made."""
    case = AuditCase(routing__always_review=True)
    case.read("decline")
    return case


def test_a_decision_of_people_is_one_row_and_its_answer_another(decided: AuditCase) -> None:
    found = rows(decided)
    (decision,), (review,) = found["decisions"], found["reviews"]
    record = decided.record
    assert (decision["state"], decision["source"], decision["label"]) == ("FINAL", "human", "decline")
    assert decision["route"] == "human"
    assert "always_review" in decision["route_reasons"].split(",")
    assert decision["overridden"] is (record.prediction is not None and record.prediction.label != "decline")
    assert decision["ended_at"] == record.outcome.decided_at if record.outcome else None
    assert decision["seconds_to_end"] >= 0
    assert review["decision"] == decision["decision"]
    assert review["label"] == "decline"
    assert review["reviewer"] == PSEUDONYMS.of("reviewer", record.outcome.reviewers[0].person)  # type: ignore[union-attr]


def test_a_decision_of_the_model_has_no_review() -> None:
    found = rows(AuditCase(routing__threshold=0.5, routing__rules=[]))
    assert set(found) == {"decisions"}
    (row,) = found["decisions"]
    assert (row["source"], row["overridden"], row["sign_offs"]) == ("model", None, 0)
    assert row["label"] == row["predicted_label"]


def test_a_truth_that_is_learnt_is_a_row_of_its_own(decided: AuditCase) -> None:
    learnt = datetime(2026, 11, 23, tzinfo=UTC)
    change_of = learn_truth_change(decided, label="approve", learnt_at=learnt)
    assert change_of == [
        {
            "decision": PSEUDONYMS.of("decision", decided.decision_id),
            "use_case": "loan-approval",
            "label": "approve",
            "decided_label": "decline",
            "correct": False,
            "source": "human",
            "learnt_at": learnt,
        }
    ]


def learn_truth_change(case: AuditCase, *, label: str, learnt_at: datetime) -> list[dict[str, Any]]:
    learn_truth(
        case.decision_id,
        label=label,
        learnt_at=learnt_at,
        by="caller",
        ports=case.world.change_ports,
        clock=case.world.clock,
    )
    return rows(case)["outcomes"]


def test_reason_codes_go_out_only_when_they_are_listed(decided: AuditCase) -> None:
    record = decided.record
    assert record.outcome is not None
    coded = replace(record, outcome=replace(record.outcome, reason_code="income-unverified"))
    assert rows(decided, record=coded)["decisions"][0]["reason_code"] == "other"
    listed = rows(decided, record=coded, reason_codes={"income-unverified"})
    assert listed["decisions"][0]["reason_code"] == "income-unverified"


def test_a_label_that_is_not_the_use_cases_own_is_other(decided: AuditCase) -> None:
    record = decided.record
    assert record.outcome is not None
    odd = replace(record, outcome=replace(record.outcome, label="Mr Smith"))
    assert rows(decided, record=odd)["decisions"][0]["label"] == "other"


_CANARY = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=8, max_size=40).map(
    lambda text: f"Zq{text}qZ"
)


@settings(max_examples=60, deadline=None)
@given(canary=_CANARY)
def test_no_column_carries_what_a_case_or_a_person_says(canary: str) -> None:
    case = AuditCase(routing__always_review=True)
    case.read("decline")
    record = case.record
    assert record.outcome is not None
    assert record.prediction is not None
    person = Reviewer(worker_id=canary, sub=canary, issuer=canary)
    tainted = replace(
        record,
        decision_id=canary,
        caller_scope=canary,
        request_sha256=canary,
        reference=canary,
        input=replace(record.input, key=canary, bucket=canary, sha256=canary),
        grounds=canary,
        contested_by=canary,
        supersedes=canary,
        excluded=(person,),
        prediction=replace(record.prediction, label=canary, model=canary, version=canary, attempt=0),
        outcome=replace(
            record.outcome,
            label=canary,
            reason_code=canary,
            sign_offs=tuple(
                replace(one, reviewer=person, label=canary, reason_code=canary, statement=canary)
                for one in record.outcome.sign_offs
            ),
        ),
    )
    for link in case.links:
        spoiled = replace(link, entry=spoil(link.entry, canary))
        for some in rows_of_link(spoiled, tainted, pseudonyms=PSEUDONYMS):
            for row in some.rows:
                text = json.dumps(dict(row), default=str, ensure_ascii=False)
                assert canary not in text, f"{some.table.name}: {text}"
                assert canary not in str(row)


def spoil(entry: Mapping[str, Any], canary: str) -> dict[str, Any]:
    """The entry with the canary in every text of its answers."""
    detail = dict(entry["detail"])
    if detail.get("answers"):
        detail["answers"] = [
            {name: canary if isinstance(value, str) else value for name, value in one.items()}
            for one in detail["answers"]
        ]
    if "label" in detail:
        detail["label"] = canary
    return {**entry, "decision_id": canary, "detail": detail}


def test_every_row_has_exactly_the_documented_columns_and_kinds(decided: AuditCase) -> None:
    learn_truth_change(decided, label="approve", learnt_at=datetime(2026, 11, 23, tzinfo=UTC))
    kinds = {
        Kind.TEXT: str,
        Kind.FLAG: bool,
        Kind.COUNT: int,
        Kind.NUMBER: float | int,
        Kind.TIME: datetime,
    }
    found = rows(decided)
    assert set(found) == {"decisions", "reviews", "outcomes"}
    for name, some in found.items():
        columns = {column.name: column.kind for column in TABLES[name].columns}
        for row in some:
            assert list(row) == list(columns)
            for column, value in row.items():
                assert value is None or isinstance(value, kinds[columns[column]]), column


def test_pseudonyms_are_keyed_and_tell_kinds_and_parts_apart() -> None:
    other = Pseudonyms(bytes(range(1, 33)))
    assert PSEUDONYMS.of("reviewer", "a") == PSEUDONYMS.of("reviewer", ("a",))
    told = {
        PSEUDONYMS.of("reviewer", "a"),
        PSEUDONYMS.of("decision", "a"),
        PSEUDONYMS.of("reviewer", ("a", "")),
        PSEUDONYMS.of("reviewer", ("ab", "c")),
        PSEUDONYMS.of("reviewer", ("a", "bc")),
        other.of("reviewer", "a"),
    }
    assert len(told) == 6
    with pytest.raises(ValueError, match="at least 16 bytes, got 15"):
        Pseudonyms(bytes(15))


class Memory:
    """Ports over a world's links, with files by name."""

    def __init__(self, case: AuditCase) -> None:
        self.case = case
        self.files: dict[tuple[str, date, str], list[Mapping[str, Any]]] = {}
        self.progress = Progress({})
        self.fails_at: Callable[[], bool] = lambda: False

    def read(self) -> Progress:
        return self.progress

    def write(self, progress: Progress) -> Progress:
        if progress.etag != self.progress.etag:
            raise RecordConflictError("progress", "another run noted more")
        self.progress = replace(progress, etag=str(len(progress.name) + sum(progress.reached.values())))
        return self.progress

    def put(self, table: Table, day: date, name: str, rows: list[Mapping[str, Any]]) -> None:
        self.files[(table.name, day, name)] = rows
        if self.fails_at():
            raise ConnectionError

    def links(self, shard: str, after: int) -> Iterator[Link]:
        return (link for link in self.case.world.records.links if link.shard == shard and link.seq > after)

    def run(self) -> dict[str, int]:
        ports = ExportPorts(links=self.links, record=self.case.world.records.get, marks=self, write=self.put)
        return export_decisions(ports=ports, pseudonyms=PSEUDONYMS)

    def rows(self, table: str) -> list[Mapping[str, Any]]:
        return [row for (name, _, _), some in self.files.items() if name == table for row in some]


def test_an_export_goes_on_where_the_last_one_stopped(decided: AuditCase) -> None:
    memory = Memory(decided)
    assert memory.run() == {"decisions": 1, "reviews": 1}
    assert memory.run() == {}
    learn_truth_change(decided, label="approve", learnt_at=datetime(2026, 11, 23, tzinfo=UTC))
    assert memory.run() == {"outcomes": 1}
    assert [len(memory.rows(name)) for name in ("decisions", "reviews", "outcomes")] == [1, 1, 1]


def test_a_run_that_breaks_off_after_writing_doubles_nothing(decided: AuditCase) -> None:
    memory = Memory(decided)
    memory.fails_at = lambda: True
    with pytest.raises(ConnectionError):
        memory.run()
    memory.fails_at = lambda: False
    learn_truth_change(decided, label="approve", learnt_at=datetime(2026, 11, 23, tzinfo=UTC))
    memory.run()
    assert [len(memory.rows(name)) for name in ("decisions", "reviews", "outcomes")] == [1, 1, 1]


def test_two_runs_at_once_do_not_put_progress_back(decided: AuditCase) -> None:
    memory = Memory(decided)
    stale = memory.read()
    memory.run()
    with pytest.raises(RecordConflictError):
        memory.write(stale)


def test_what_is_behind_a_gap_is_left_for_the_next_time(decided: AuditCase) -> None:
    links = sorted(decided.links, key=lambda link: link.seq)
    whole = list(without_gap(iter(links), after=links[0].seq - 1))
    assert whole == links
    holed = [links[0], *links[2:]]
    assert list(without_gap(iter(holed), after=links[0].seq - 1)) == [links[0]]
