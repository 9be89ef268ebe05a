"""Error monitors and approved guarantees in DynamoDB and S3."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from overread.audit.chain import CHANGES_SHARD, genesis, verify
from overread.decisions.error_monitor import WatchPorts, fresh, restart, watch
from overread.decisions.monitor_state import MonitorState, Watched
from overread.decisions.steering import put_guarantee
from overread.errors import RecordConflictError
from overread.instants import format_instant
from overread.risk.guarantee import parse_guarantee
from overread.routing.policy import MonitorTerms
from overread_aws.audit_log import DynamoDbAuditLog
from overread_aws.error_monitors import DynamoDbErrorMonitors, ErrorMonitorReceiver
from overread_aws.steering import DynamoDbSteering, read_guarantee_pin
from overread_testing.audits import GUARANTEE
from overread_testing.decision_builders import policy
from overread_testing.decision_fakes import Faults, FixedPolicies
from overread_testing.stored_records import NOW, make_news

TABLE, BUCKET, USE_CASE = "decisions", "inputs", "loan-approval"
WATCHED = Watched(guarantee="", model_version="v1", alpha=0.1, delta=0.05)


@pytest.fixture
def steering(dynamodb: Any, s3_client: Any) -> DynamoDbSteering:
    """The port over an empty table."""
    return DynamoDbSteering(dynamodb, s3_client, table=TABLE, bucket=BUCKET)


@pytest.fixture
def monitors(dynamodb: Any) -> DynamoDbErrorMonitors:
    """The port over an empty table."""
    return DynamoDbErrorMonitors(dynamodb, table=TABLE)


def _tell(dynamodb: Any, number: int, *, is_error: bool = True, key: int = 1) -> None:
    told = {
        "kind": "spot-check",
        "dedupe_key": f"d-{number}/{key}",
        "decision_id": f"d-{number}",
        "use_case": USE_CASE,
        "policy_version": "7",
        "guarantee": "",
        "model_version": "v1",
        "is_error": is_error,
        "propensity": 0.1,
        "at": format_instant(NOW + timedelta(seconds=number)),
    }
    entry = replace(make_news(), target="monitor", payload=json.dumps(told))
    ErrorMonitorReceiver(dynamodb, table=TABLE).deliver(entry)


def test_a_decision_is_told_once_and_audits_are_counted_oldest_first(
    dynamodb: Any, monitors: DynamoDbErrorMonitors
) -> None:
    for number, key in ((3, 1), (1, 1), (1, 1), (3, 2), (2, 1)):
        _tell(dynamodb, number, key=key)
    pending = monitors.pending(USE_CASE, limit=2)
    assert [audited.decision_id for audited in pending] == ["d-1", "d-2"]
    state = replace(fresh(USE_CASE, WATCHED, at=NOW), revision=1)
    monitors.commit(state, counted=pending)
    assert [audited.decision_id for audited in monitors.pending(USE_CASE, limit=9)] == ["d-3"]
    _tell(dynamodb, 1)
    assert len(monitors.pending(USE_CASE, limit=9)) == 1
    assert monitors.pending("other", limit=9) == ()


def test_a_state_is_read_as_it_was_written(monitors: DynamoDbErrorMonitors) -> None:
    new = fresh(USE_CASE, WATCHED, at=NOW)
    monitor = new.monitor.fold([True, False, True]).monitor
    state = replace(new, monitor=monitor, revision=1, passed_over=4, alarmed_at=NOW, is_answered=False)
    assert monitors.state(USE_CASE, watched=WATCHED) is None
    monitors.commit(state)
    assert monitors.state(USE_CASE, watched=WATCHED) == state
    assert monitors.state(USE_CASE, watched=replace(WATCHED, model_version="v2")) is None


def test_who_comes_second_counts_nothing(dynamodb: Any, monitors: DynamoDbErrorMonitors) -> None:
    _tell(dynamodb, 1)
    pending = monitors.pending(USE_CASE, limit=9)
    state = replace(fresh(USE_CASE, WATCHED, at=NOW), revision=1)
    monitors.commit(state, counted=pending)
    with pytest.raises(RecordConflictError):
        monitors.commit(state, counted=())
    with pytest.raises(RecordConflictError):
        monitors.commit(replace(state, revision=2), counted=pending)
    stored = monitors.state(USE_CASE, watched=WATCHED)
    assert stored is not None
    assert stored.revision == 1


def test_over_the_table_an_alarm_turns_the_switch_and_two_persons_begin_anew(
    dynamodb: Any, steering: DynamoDbSteering, monitors: DynamoDbErrorMonitors
) -> None:
    watched = replace(
        policy(), model_version="v1", monitor=MonitorTerms(alpha=0.1, delta=0.05, outcomes=False)
    )
    ports = WatchPorts(monitors=monitors, policies=FixedPolicies(watched, Faults()), steering=steering)

    def clock() -> datetime:
        return NOW

    for number in range(8):
        _tell(dynamodb, number)
    state = watch(USE_CASE, ports=ports, clock=clock)
    assert state is not None
    assert (state.monitor.n, state.is_answered) == (8, True)
    assert steering.switch(USE_CASE).is_on
    assert steering.switch(USE_CASE).changed_by == "error-monitor"
    begun: list[MonitorState | None] = [
        restart(USE_CASE, by=by, reason="replaced", needs_two=True, ports=ports, clock=clock)
        for by in ("ada", "grace")
    ]
    assert [one and (one.monitor.n, one.run) for one in begun] == [(8, 1), (0, 2)]
    stored = monitors.state(USE_CASE, watched=state.watched)
    assert stored == begun[1]
    links = list(DynamoDbAuditLog(dynamodb, table=TABLE).links(CHANGES_SHARD, after=0))
    assert verify(links, from_head=genesis(CHANGES_SHARD)).is_intact
    assert [link.entry["event"] for link in links] == [
        "kill_switch_on",
        "error_monitor_restart_proposed",
        "error_monitor_restarted",
    ]


def test_a_guarantee_is_approved_by_a_second_person_and_read_again(
    dynamodb: Any, steering: DynamoDbSteering
) -> None:
    guarantee = parse_guarantee(json.dumps(GUARANTEE))

    def put(by: str) -> str:
        pin = put_guarantee(
            guarantee, by=by, needs_two=True, steering=steering, clock=lambda: datetime.now(UTC)
        )
        return pin.id

    assert read_guarantee_pin(dynamodb, table=TABLE, use_case=USE_CASE) is None
    assert [put("ada"), put("ada"), put("grace")] == ["", "", guarantee.id]
    pin = read_guarantee_pin(dynamodb, table=TABLE, use_case=USE_CASE)
    assert pin is not None
    assert (pin.proposed_by, pin.approved_by, pin.proposal) == ("ada", "grace", None)
    assert json.loads(steering.guarantee_body(pin.sha256)) == GUARANTEE
