"""What the functions' roles are fenced off by (partition keys) against what the code behind them writes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from overread.decisions.error_monitor import WatchPorts, watch
from overread.routing.policy import MonitorTerms
from overread_aws.error_monitors import DynamoDbErrorMonitors, ErrorMonitorReceiver
from overread_aws.steering import DynamoDbSteering
from overread_testing.decision_builders import policy
from overread_testing.decision_fakes import Faults, FixedPolicies
from overread_testing.stored_records import NOW, make_news

TABLE, BUCKET, USE_CASE = "decisions", "inputs", "loan-approval"
WATCHER = ("MONITOR#*", "SWITCH#*", "CHAIN#*", "change/*")
"""As the synthesised role has it; tests/synth holds the constructs to the same words."""


def written_keys(dynamodb: Any) -> set[str]:
    """Every partition that has an item."""
    return {item["pk"]["S"] for item in dynamodb.scan(TableName=TABLE)["Items"]}


def test_an_alarm_writes_only_where_the_watcher_may(dynamodb: Any, s3_client: Any) -> None:
    watched = replace(policy(), model_version="v1", monitor=MonitorTerms(0.1, 0.05, outcomes=False))
    receiver = ErrorMonitorReceiver(dynamodb, table=TABLE)
    for number in range(8):
        told = {
            "kind": "spot-check",
            "dedupe_key": f"d-{number}/1",
            "decision_id": f"d-{number}",
            "use_case": USE_CASE,
            "guarantee": "",
            "model_version": "v1",
            "is_error": True,
            "at": "2026-11-23T12:00:00.000Z",
        }
        receiver.deliver(replace(make_news(), target="monitor", payload=json.dumps(told)))
    assert all(key.startswith("MONITOR#") for key in written_keys(dynamodb))

    def clock() -> datetime:
        return NOW

    ports = WatchPorts(
        monitors=DynamoDbErrorMonitors(dynamodb, table=TABLE),
        policies=FixedPolicies(watched, Faults()),
        steering=DynamoDbSteering(dynamodb, s3_client, table=TABLE, bucket=BUCKET),
    )
    state = watch(USE_CASE, ports=ports, clock=clock)
    assert state is not None
    assert state.is_answered
    keys = written_keys(dynamodb)
    assert f"SWITCH#{USE_CASE}" in keys
    assert [key for key in keys if not any(fnmatchcase(key, fence) for fence in WATCHER)] == []
