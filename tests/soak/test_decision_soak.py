"""Thousands of decisions while every AWS call fails in every way and processes are killed: each ends once."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from tests.local.fault_campaign import Campaign, deployed_world, one_kind_each, say
from tests.local.faults import KINDS
from tests.local.killing import Killer

DECISIONS = int(os.environ.get("DECISIONS", "2000"))
SEED = int(os.environ.get("SEED", "20261123"))
AT_ONCE = 40
SHARE = 0.003
"""So often any call of any function fails by chance."""


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    """The demo's stacks on a stack whose functions can fail, and the calls that these make."""
    say(f"seed {SEED}, {DECISIONS} decisions")
    with deployed_world(tmp_path_factory.mktemp("soak"), seed=SEED) as world:
        made = Campaign(world)
        made.explore(40)
        say(f"{len(made.sites)} call sites")
        yield made


@pytest.mark.parametrize("turn", range(len(KINDS)))
def test_every_call_fails_in_every_way(campaign: Campaign, turn: int) -> None:
    began = time.monotonic()
    plan = one_kind_each(campaign.sites, turn=turn)
    assert campaign.inflict(plan, rounds=40, a_round=8) == set()
    say(f"turn {turn}: {len(plan)} faults in {time.monotonic() - began:.0f} s; {dict(campaign.inflicted)}")


def test_faults_by_chance_and_killed_processes_lose_no_decision(campaign: Campaign) -> None:
    world, began = campaign.world, time.monotonic()
    left = max(AT_ONCE, DECISIONS - len(campaign.ids))
    world.faults.by_chance(SHARE)
    with Killer(world.deployed.stack, seed=SEED, every_s=4.0) as killer:
        for number in range(-(-left // AT_ONCE)):
            campaign.drive(AT_ONCE, name=f"chance-{number}", cancelled=2, patience_s=300)
            say(f"{len(campaign.ids)} decisions, {dict(killer.kills)}")
    world.faults.disarm()
    drawn = Counter(world.faults.drawn())
    say(f"{left} decisions in {time.monotonic() - began:.0f} s; faults {dict(drawn)}")
    assert all(killer.kills[name] for name in ("worker", "portal", "model_server"))
    assert set(drawn) == set(KINDS)


def test_every_decision_has_ended_once(campaign: Campaign) -> None:
    assert campaign.reckoning() == []
    say(f"{len(campaign.ids)} decisions, {sum(campaign.inflicted.values())} faults at chosen calls")
    assert len(campaign.ids) >= DECISIONS
