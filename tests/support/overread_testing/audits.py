"""Audited decisions for error monitors, and a guarantee's document."""

from datetime import UTC, datetime, timedelta
from typing import Any

from overread.decisions.error_monitor import watch
from overread.decisions.monitor_state import Audited
from overread_testing.decision_fakes import World

USE_CASE = "loan-approval"
GUARANTEE: dict[str, Any] = {
    "schema": 1,
    "use_case": USE_CASE,
    "model_version": "v1",
    "method": "fixed-sequence-binomial",
    "alpha": 0.01,
    "delta": 0.05,
    "threshold": 0.93,
    "label_thresholds": {},
    "coverage": 0.72,
    "n": 1440,
    "errors": 5,
    "points": 2000,
    "data_sha256": "a" * 64,
    "reference": {"standard": "one-reader", "error": None},
    "date": "2026-11-23",
}


def tell_errors(world: World, errors: int) -> None:
    """So many audited errors of the model in force, counted."""
    for number in range(errors):
        world.monitors.tell(
            USE_CASE,
            Audited(
                decision_id=f"d-{number:05d}",
                kind="spot-check",
                guarantee="",
                model_version=world.policies.current(USE_CASE).model_version,
                is_error=True,
                at=datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=number),
            ),
        )
    watch(USE_CASE, ports=world.watch_ports, clock=world.clock)
