"""`overread backlog` over a real table: what waits, whoever asked, and nothing of the case."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from overread.decisions.record import State, Waiting
from overread_aws import decision_items as items
from overread_aws.decision_table import DecisionTable
from overread_cli.audit import target as targets
from overread_cli.audit.target import Target
from overread_cli.main import main
from overread_testing.stored_records import NOW, make_record

FAILED = Waiting(code="ServiceUnavailable", attempts=2, next_attempt_at=NOW, is_unknown=False)


@pytest.fixture
def run(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs the command over three decisions of three callers."""
    table = DecisionTable(dynamodb, name="decisions")
    for record in (
        make_record("d-1", state=State.PENDING, caller_scope="a", received_at=NOW, waiting=FAILED),
        make_record("d-2", state=State.PENDING, caller_scope="b", received_at=NOW - timedelta(hours=1)),
        make_record("d-3", state=State.IN_REVIEW, caller_scope="c", use_case="digit-reading"),
    ):
        item = items.indexed_record(record, writer="test")
        table.write_one(table.put(items.record_key(record.decision_id), item))
    found = Target(
        name="AWS",
        deployment="overread-demo",
        make_client=lambda service: {"dynamodb": dynamodb}[service],
        outputs={"TableName": "decisions"},
        state_dir=Path(),
        invocations=None,
    )
    monkeypatch.setattr(targets, "_on_local_stack", lambda state_dir, stack: found)
    return lambda *words: CliRunner().invoke(main, ["backlog", *words])


def test_what_waits_is_listed_whoever_asked_for_it(run: Callable[..., Result]) -> None:
    lines = run("list").stdout.splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["d-2", "PENDING", "loan-approval"],
        ["d-1", "PENDING", "loan-approval"],
        ["d-3", "IN_REVIEW", "digit-reading"],
    ]
    assert [line.endswith("2 starts failed") for line in lines] == [False, True, False]
    assert [
        json.loads(line)["decision_id"] for line in run("list", "--json", "--limit", "1").stdout.splitlines()
    ] == ["d-2"]


def test_states_and_use_cases_are_picked(run: Callable[..., Result]) -> None:
    assert run("list", "--state", "in_review").stdout.split()[0] == "d-3"
    assert run("list", "--use-case", "digit-reading").stdout.split()[0] == "d-3"
    assert run("list", "--state", "ESCALATED").stdout == "nothing waits\n"


def test_a_decision_shows_where_it_stands_and_nothing_of_its_case(run: Callable[..., Result]) -> None:
    shown = run("show", "d-1")
    assert shown.exit_code == 0, shown.output
    assert "d-1  PENDING  loan-approval" in shown.stdout
    assert "review not started yet: ServiceUnavailable, 2 attempts, again at" in shown.stdout
    document = json.loads(run("show", "d-1", "--json").stdout)
    assert document.keys() == {
        "decision_id", "state", "use_case", "received_at", "due_at", "reasons", "waiting", "human_loops"
    }  # fmt: skip


def test_a_decision_that_is_not_there_is_told(run: Callable[..., Result]) -> None:
    done = run("show", "d-9")
    assert (done.exit_code, done.output) == (1, "Error: AWS has no decision d-9\n")
