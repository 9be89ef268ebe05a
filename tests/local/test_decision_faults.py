"""Every AWS call of the deployed functions fails, and every decision still ends once.

The calls are found by themselves: a run without faults notes them. Here each has one kind of fault: the
worker is killed behind what changes something. `make soak` has every kind at every call.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.local.fault_campaign import Campaign, changing, deployed_world, one_kind_each
from tests.local.faults import KINDS

ROUNDS, A_ROUND = 15, 6


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    """The demo's stacks on a stack whose functions can fail, and the calls that these make."""
    with deployed_world(tmp_path_factory.mktemp("faults")) as world:
        made = Campaign(world)
        made.explore(14)
        yield made


def test_the_calls_of_all_functions_are_found(campaign: Campaign) -> None:
    functions = {site.split(":")[0].partition("demo-")[2].replace("-", "_") for site in campaign.sites}
    assert functions >= {
        "route_prediction",
        "start_loop",
        "ingest_review",
        "resume_decisions",
        "deliver_outbox",
    }
    assert functions >= {"read_decision", "change_decision", "steer", "anchor_audit", "archive_evidence"}
    operations = {site.split(":")[1].partition("#")[0] for site in campaign.sites}
    assert operations >= {
        "dynamodb.TransactWriteItems",
        "s3.PutObject",
        "sagemaker-a2i-runtime.StartHumanLoop",
        "sagemaker-a2i-runtime.DescribeHumanLoop",
        "sagemaker-runtime.InvokeEndpoint",
    }


def test_every_call_fails_once(campaign: Campaign) -> None:
    plan = one_kind_each(campaign.sites) | dict.fromkeys(changing(campaign.sites), "kill-after")
    assert campaign.inflict(plan, rounds=ROUNDS, a_round=A_ROUND) == set()


def test_sweeps_alone_finish_decisions_when_every_event_is_lost(campaign: Campaign) -> None:
    campaign.without_events(8)


def test_killed_portal_and_model_server_lose_no_decision(campaign: Campaign) -> None:
    campaign.beside_killed_parts(4, parts=("portal", "model_server"))


def test_decisions_go_on_when_the_emulator_is_killed_after_a_checkpoint(campaign: Campaign) -> None:
    campaign.beside_a_killed_emulator(6)


def test_every_decision_has_ended_once(campaign: Campaign) -> None:
    assert set(campaign.inflicted) == set(KINDS)
    assert any(status >= 500 for status in campaign.world.heard.statuses)
    assert campaign.reckoning() == []
