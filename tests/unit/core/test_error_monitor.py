"""The error monitor in the product: what is counted, when it alarms, and that people decide from then on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median

import pytest

from overread.decisions.error_monitor import BATCH, BY, restart, watch, watched_by
from overread.decisions.monitor_state import Audited, MonitorState
from overread.decisions.steering import turn_off
from overread.errors import AmbiguousError, RetryableError
from overread.risk.monitor import design_delay
from overread.routing.policy import MonitorTerms
from overread_testing.decision_builders import policy
from overread_testing.decision_fakes import World

USE_CASE = "loan-approval"
START = datetime(2026, 11, 23, tzinfo=UTC)


def _world(*, alpha: float = 0.1, delta: float = 0.05) -> World:
    terms = MonitorTerms(alpha=alpha, delta=delta, outcomes=False)
    return World(replace(policy(), monitor=terms))


def _audited(number: int, *, is_error: bool, version: str = "") -> Audited:
    return Audited(
        decision_id=f"d-{number:05d}",
        kind="spot-check",
        guarantee="",
        model_version=version,
        is_error=is_error,
        at=START + timedelta(seconds=number),
    )


def _tell(world: World, errors: list[bool], *, first: int = 0, version: str | None = None) -> None:
    of_model = world.policies.current(USE_CASE).model_version if version is None else version
    for number, is_error in enumerate(errors, first):
        world.monitors.tell(USE_CASE, _audited(number, is_error=is_error, version=of_model))


def _watch(world: World) -> MonitorState:
    state = watch(USE_CASE, ports=world.watch_ports, clock=world.clock)
    assert state is not None
    return state


def test_a_policy_without_a_monitor_is_not_watched() -> None:
    world = World(policy())
    assert watch(USE_CASE, ports=world.watch_ports, clock=world.clock) is None


def test_audits_are_counted_once_however_often_they_are_told() -> None:
    world = _world()
    _tell(world, [True, False, False])
    _tell(world, [True, False, False])
    assert (_watch(world).monitor.n, _watch(world).monitor.errors) == (3, 1)
    _tell(world, [True])
    assert _watch(world).monitor.n == 3


def test_many_audits_are_counted_in_one_run() -> None:
    world = _world()
    _tell(world, [False] * (3 * BATCH + 1))
    assert _watch(world).monitor.n == 3 * BATCH + 1


def test_calm_figures_turn_nothing() -> None:
    world = _world()
    _tell(world, [False] * 100)
    state = _watch(world)
    assert (state.monitor.is_alarm, state.alarmed_at) == (False, None)
    assert not world.records.switches


def test_an_alarm_turns_the_use_case_to_people_and_says_why() -> None:
    world = _world()
    _tell(world, [True] * 8)
    state = _watch(world)
    switch = world.records.switches[USE_CASE]
    assert (state.alarmed_at, state.is_answered) == (world.clock(), True)
    assert (switch.is_on, switch.changed_by) == (True, BY)
    assert switch.reason.startswith("8 of 8 audited decisions were wrong (")
    assert "allowed: 10 %" in switch.reason
    [link] = world.records.links
    assert link.entry["event"] == "kill_switch_on"
    assert link.entry["detail"]["reason"] == switch.reason
    assert {entry.event for entry in world.records.outbox} == {"Kill Switch Changed"}


def test_the_switch_is_turned_once() -> None:
    world = _world()
    _tell(world, [True] * 8)
    epochs = {_watch(world) and world.records.switches[USE_CASE].epoch for _ in range(3)}
    assert epochs == {1}


@pytest.mark.parametrize("operation", ["monitor commit", "steer"])
@pytest.mark.parametrize("has_happened", [False, True])
def test_whatever_fails_between_count_and_switch_the_next_run_turns_it(
    operation: str, has_happened: bool
) -> None:
    world = _world()
    _tell(world, [True] * 8)
    plan = world.faults.after if has_happened else world.faults.before
    plan[operation] = [AmbiguousError("Timeout", operation="Commit")]
    with pytest.raises(AmbiguousError):
        _watch(world)
    state = _watch(world)
    assert (state.monitor.n, state.is_answered) == (8, True)
    assert world.records.switches[USE_CASE].is_on


def test_a_switch_that_was_on_before_stays_as_people_left_it() -> None:
    world = _world()
    _tell(world, [True] * 8)
    _watch(world)
    before = world.records.switches[USE_CASE]
    _tell(world, [True], first=8)
    assert _watch(world).monitor.n == 9
    assert world.records.switches[USE_CASE] == before


def test_after_an_alarm_models_decide_no_longer_than_to_the_next_audit_unless_the_monitor_begins_anew() -> (
    None
):
    world = _world()
    _tell(world, [True] * 8)
    _watch(world)
    for by in ("ada", "grace"):
        turn_off(USE_CASE, by=by, reason="r", needs_two=True, steering=world.steering, clock=world.clock)
    assert not world.records.switches[USE_CASE].is_on
    _watch(world)
    assert not world.records.switches[USE_CASE].is_on
    _tell(world, [False], first=8)
    _watch(world)
    assert world.records.switches[USE_CASE].is_on


def test_two_persons_let_a_monitor_begin_anew() -> None:
    world = _world()
    _tell(world, [True] * 8)
    _watch(world)

    def ask(by: str) -> MonitorState | None:
        ports, clock = world.watch_ports, world.clock
        return restart(USE_CASE, by=by, reason="model replaced", needs_two=True, ports=ports, clock=clock)

    proposed = ask("ada")
    assert proposed is not None
    assert (proposed.monitor.n, proposed.run) == (8, 1)
    assert ask("ada") == proposed
    begun = ask("grace")
    assert begun is not None
    assert (begun.monitor.n, begun.run, begun.alarmed_at, begun.proposal) == (0, 2, None, None)
    assert world.records.switches[USE_CASE].is_on
    entries = [link.entry for link in world.records.links if "error_monitor" in link.entry["event"]]
    assert [(entry["number"], entry["event"]) for entry in entries] == [
        (1, "error_monitor_restart_proposed"),
        (2, "error_monitor_restarted"),
    ]
    assert entries[1]["detail"]["errors_until_then"] == 8


def test_another_model_is_watched_anew_and_the_first_one_is_remembered() -> None:
    world = _world()
    first = world.policies.current(USE_CASE)
    _tell(world, [False] * 5)
    assert _watch(world).monitor.n == 5
    world.policies.policy = replace(first, model_version="other")
    _tell(world, [True, True], first=5, version=first.model_version)
    _tell(world, [False], first=7, version="other")
    state = _watch(world)
    assert (state.monitor.n, state.passed_over, state.watched.model_version) == (1, 2, "other")
    world.policies.policy = first
    assert _watch(world).monitor.n == 5


def test_a_contended_monitor_is_left_to_the_next_run() -> None:
    world = _world()
    _tell(world, [True])
    state = _watch(world)

    def meanwhile() -> None:
        key = USE_CASE, state.watched.key
        standing = world.records.monitors[key]
        world.records.monitors[key] = replace(standing, revision=standing.revision + 1)

    _tell(world, [True], first=1)
    world.faults.hooks["monitor commit"] = [meanwhile] * 8
    with pytest.raises(RetryableError, match="ErrorMonitorContended"):
        _watch(world)


def test_what_is_watched_is_the_models_version_only_where_the_endpoint_is_ours() -> None:
    ours = replace(policy(), monitor=MonitorTerms(alpha=0.1, delta=0.05, outcomes=False))
    watched = watched_by(ours)
    assert watched is not None
    assert watched.model_version == ours.model_version
    assert watched_by(policy()) is None


def test_a_drift_is_caught_as_soon_as_the_design_says_over_200_seeds() -> None:
    """At twice the allowed rate half of the runs end by the design median, few beyond its 90th percentile."""
    alpha, delta = 0.1, 0.05
    design = design_delay(alpha, delta=delta, rate=2 * alpha)
    assert design.median is not None
    assert design.p90 is not None
    delays = [_delay(seed, alpha=alpha, delta=delta, most=3 * design.p90) for seed in range(200)]
    assert median(delays) == pytest.approx(design.median, rel=0.2)
    assert 0.84 <= sum(delay <= design.p90 for delay in delays) / 200 <= 0.96


def _delay(seed: int, *, alpha: float, delta: float, most: int) -> int:
    """Audits until the switch is on, told ten at a time."""
    random, world = Random(seed), _world(alpha=alpha, delta=delta)
    for first in range(0, most, 10):
        _tell(world, [random.random() < 2 * alpha for _ in range(10)], first=first)
        state = _watch(world)
        if world.records.switches:
            assert state.monitor.alarm_n is not None
            return state.monitor.alarm_n
    return most
