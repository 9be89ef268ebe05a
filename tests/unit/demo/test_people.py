"""Who sits at the demo's desks, and how long the demo waits for them."""

from pathlib import Path

import pytest

from overread_cli.demo.command import escalating, groups_of, still_open
from overread_client import Decision
from overread_config import Settings, load_settings

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings(ROOT / "config/demo.yaml")


def decision(state: str, use_case: str = "loan-approval") -> Decision:
    return Decision(decision_id="d-1", use_case=use_case, state=state, document={})


def test_reviewers_and_seniors_are_different_people(settings: Settings) -> None:
    assert groups_of(settings) == (["reviewers"], ["seniors"])
    assert escalating(settings) == {"digit-reading", "loan-approval", "tumor-screening"}


@pytest.mark.parametrize(
    ("state", "is_open"),
    [("RECEIVED", True), ("PENDING", True), ("IN_REVIEW", True), ("FINAL", False), ("CANCELLED", False)],
)
def test_the_demo_waits_until_a_decision_is_final_or_cancelled(state: str, is_open: bool) -> None:
    assert still_open(decision(state), escalating=frozenset()) is is_open


def test_an_escalated_decision_is_awaited_where_somebody_decides_it() -> None:
    escalated = decision("ESCALATED")
    assert still_open(escalated, escalating=frozenset({"loan-approval"}))
    assert not still_open(escalated, escalating=frozenset({"tumor-screening"}))
