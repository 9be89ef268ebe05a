"""Reconciliation: what was asked of a model and what was decided belong together, one to one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from overread.audit.captured import endpoint_of, invocations_in
from overread.audit.chain import Link
from overread.audit.reconcile import Case, Invocation, Reconciliation, reconcile
from overread.decisions.requests import parse_submission
from overread.decisions.submit import submit
from overread_testing.decision_builders import CALLER_SCOPE, policy, request_body
from overread_testing.decision_fakes import World

BEGIN = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
END = BEGIN + timedelta(hours=1)


def asked(inference_id: str, *, minutes: int = 1) -> Invocation:
    return Invocation(inference_id=inference_id, endpoint="loans", at=BEGIN + timedelta(minutes=minutes))


@pytest.fixture
def case() -> tuple[str, Case]:
    """A decision of the model, as the decision code itself writes it."""
    world = World(policy())
    record = submit(
        parse_submission(request_body()),
        use_case="loan-approval",
        environment="test",
        caller_scope=CALLER_SCOPE,
        idempotency_key="order-1",
        ports=world.submit_ports,
        clock=world.clock,
    )
    return record.decision_id, Case(record=record, links=links_of(world, record.decision_id))


def links_of(world: Any, decision_id: str) -> tuple[Link, ...]:
    return tuple(link for link in world.records.links if link.entry["decision_id"] == decision_id)


def of(cases: dict[str, Case], *invocations: Invocation) -> Reconciliation:
    return reconcile(begin=BEGIN, end=END, invocations=invocations, cases=cases)


def test_decision_and_its_invocation_belong_together(case: tuple[str, Case]) -> None:
    decision_id, stored = case
    found = of({decision_id: stored}, asked(f"{decision_id}/1"))
    assert found.is_clean
    assert (found.invocations, found.decisions) == (1, 1)
    assert found.document()["is_clean"] is True


@pytest.mark.parametrize("inference_id", ["", "by-hand", "d-unknown/1", "{id}/2", "{id}/0", "{id}/x", "{id}"])
def test_invocation_that_no_decision_made_is_listed(case: tuple[str, Case], inference_id: str) -> None:
    decision_id, stored = case
    stray = asked(inference_id.format(id=decision_id))
    found = of({decision_id: stored}, asked(f"{decision_id}/1"), stray)
    assert found.without_decision == (stray,)
    assert not found.is_clean


def test_prediction_that_the_endpoint_does_not_know_is_listed(case: tuple[str, Case]) -> None:
    decision_id, stored = case
    found = of({decision_id: stored})
    assert found.without_invocation == (f"{decision_id}/1",)


def test_invocation_shortly_before_the_period_is_known(case: tuple[str, Case]) -> None:
    decision_id, stored = case
    found = of({decision_id: stored}, asked(f"{decision_id}/1", minutes=-1))
    assert (found.is_clean, found.invocations) == (True, 0)


def test_stray_invocation_outside_the_period_is_another_periods(case: tuple[str, Case]) -> None:
    assert of({}, asked("by-hand", minutes=-1), asked("by-hand", minutes=60)).is_clean


def test_decision_without_its_audit_entries_is_listed(case: tuple[str, Case]) -> None:
    decision_id, stored = case
    found = of({decision_id: replace(stored, links=())}, asked(f"{decision_id}/1"))
    assert found.without_audit == (decision_id,)


def test_audit_entry_too_many_is_listed(case: tuple[str, Case]) -> None:
    decision_id, stored = case
    found = of({decision_id: replace(stored, links=stored.links * 2)}, asked(f"{decision_id}/1"))
    assert found.without_audit == (decision_id,)


def test_audit_entries_without_a_decision_are_listed(case: tuple[str, Case]) -> None:
    decision_id, stored = case
    found = of({decision_id: replace(stored, record=None)}, asked(f"{decision_id}/1"))
    assert found.without_record == (decision_id,)
    assert [one.inference_id for one in found.without_decision] == [f"{decision_id}/1"]


def test_the_same_attempt_twice_is_a_fault_and_several_attempts_are_told(case: tuple[str, Case]) -> None:
    decision_id, stored = case
    assert stored.record is not None
    again = {decision_id: replace(stored, record=replace(stored.record, attempts=2))}
    found = of(again, asked(f"{decision_id}/1"), asked(f"{decision_id}/2"))
    assert (found.is_clean, found.repeats) == (True, (decision_id,))
    found = of(again, asked(f"{decision_id}/1"), asked(f"{decision_id}/1"))
    assert (found.is_clean, found.doubled) == (False, (f"{decision_id}/1",))


def test_files_of_data_capture_are_read() -> None:
    line = (
        b'{"captureData": {"endpointOutput": {}}, "eventMetadata": {"eventId": "e", '
        b'"inferenceId": "d-1/1", "inferenceTime": "2026-11-22T21:01:00Z"}, "eventVersion": "0"}\n'
    )
    anonymous = b'{"eventMetadata": {"inferenceTime": "2026-11-22T21:01:00Z"}}\n'
    path = "captured/loans/AllTraffic/2026/11/22/21/01-00-000.jsonl"
    assert list(invocations_in([line, anonymous], endpoint=endpoint_of(path))) == [asked("d-1/1"), asked("")]


@pytest.mark.parametrize("line", [b"", b"{}", b"[]", b'{"eventMetadata": {"inferenceTime": "now"}}'])
def test_line_that_is_none_of_data_capture_is_named(line: bytes) -> None:
    with pytest.raises(ValueError, match="line 1 is none of data capture's"):
        list(invocations_in([line], endpoint="loans"))


@pytest.mark.parametrize("path", ["loans/capture.jsonl", "a/b/c/d/e/f/g.jsonl"])
def test_path_that_is_none_of_data_capture_is_named(path: str) -> None:
    with pytest.raises(ValueError, match="is no path of data capture"):
        endpoint_of(path)
