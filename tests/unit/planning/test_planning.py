"""Reviews, hours, reviewers and prices: worked by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from overread.errors import InvalidDataError
from overread.planning.prices import Price, Tier, parse_prices
from overread.planning.review_plan import Demand, Reading, TeamPlan, plan_team, reading_of

A2I = Price(
    "object", (Tier(100_000, 0.08), Tier(1_000_000, 0.04), Tier(None, 0.02)), verified=False, source="x"
)


@pytest.mark.parametrize(
    ("quantity", "usd"),
    [(0, 0.0), (100_000, 8_000.0), (1_000_000, 44_000.0), (10_000_000, 224_000.0), (150_000, 10_000.0)],
)
def test_tiers_add_up(quantity: float, usd: float) -> None:
    assert A2I.of(quantity) == pytest.approx(usd)


def reading(**changes: Any) -> Reading:
    figures = {
        "use_case": "loans",
        "cases_a_month": 7_300.0,
        "review_seconds": 360.0,
        "coverage": 0.8,
        "spot_check_probability": 0.1,
        "rule_share": 0.0,
        "readers": {"readers": 1.0},
    }
    return reading_of(Demand(**(figures | changes)))


def team(*readings: Reading, name: str = "readers", **changes: float) -> TeamPlan:
    target = {"hours_a_month": 730.0, "target_s": 600.0, "service_level": 0.8} | changes
    return plan_team(name, readings, **target)


def test_a_plan_worked_by_hand() -> None:
    # Ten cases an hour; people read 1 - 0.8 * 0.9 = 28 %: 2.8 an hour, of a tenth of an hour: 0.28 erlang.
    read, plan = reading(), team(reading())
    assert read.review_share == pytest.approx(0.28)
    assert read.reviews_a_month == plan.reviews_a_month == pytest.approx(2_044)
    assert read.hours_a_month == plan.hours_reading == pytest.approx(204.4)
    # One reviewer: waits with chance 0.28, longer than 600 s with 0.28 exp(-0.72 * 600 / 360) = 0.084.
    assert (plan.reviewers, plan.hours_at_work) == (1, 730.0)
    assert plan.service_level == pytest.approx(1 - 0.0843, abs=1e-3)
    assert plan.mean_wait_s == pytest.approx(0.28 / 0.72 * 360)
    assert team(reading(), service_level=0.95).reviewers == 2


@pytest.mark.parametrize(
    ("reviews_an_hour", "seconds", "target_s", "reviewers", "mean_wait_s"),
    [(200, 180, 470.5, 11, 122.8), (200, 180, 198, 12, 40.4), (1_000, 120, 190, 35, 50.1)],
)
def test_published_figures_of_erlang_c(
    reviews_an_hour: float, seconds: float, target_s: float, reviewers: int, mean_wait_s: float
) -> None:
    """Ten and 33.3 erlang; each target is the wait that 95 % stay below with so many."""
    read = reading(cases_a_month=reviews_an_hour * 730.0, review_seconds=seconds, coverage=0.0)
    plan = team(read, target_s=target_s, service_level=0.95)
    assert plan.reviewers == reviewers
    assert plan.mean_wait_s == pytest.approx(mean_wait_s, abs=0.1)


def test_two_readers_are_twice_the_work_and_no_cases_are_none() -> None:
    once, twice = (team(reading(readers={"readers": n})) for n in (1.0, 2.0))
    assert (once.reviewers, twice.reviewers) == (1, 2)
    assert twice.hours_reading == pytest.approx(2 * once.hours_reading)
    nothing = team(reading(cases_a_month=0.0))
    assert (nothing.reviewers, nothing.hours_reading, nothing.hours_at_work) == (0, 0.0, 0.0)


def test_a_team_reads_all_its_use_cases_with_the_same_people() -> None:
    quick = reading(use_case="digits", review_seconds=60.0)
    together = team(reading(), quick)
    # 2.8 an hour of 360 s and 2.8 of 60 s are 5.6 of 210 s: 0.327 erlang, which one person carries.
    assert (together.reviewers, together.utilisation) == (1, pytest.approx(5.6 * 210 / 3600))
    assert team(quick, name="others").reviews_a_month == 0.0


def test_two_people_who_read_a_case_are_two_however_little_there_is() -> None:
    plan = team(reading(cases_a_month=10.0, readers={"readers": 2.0}))
    # 5.6 reviews of a tenth of an hour in 730 hours, by two.
    assert (plan.reviewers, plan.utilisation) == (2, pytest.approx(5.6 * 0.1 / 730 / 2))
    assert team(reading(cases_a_month=10.0)).reviewers == 1


def test_readers_of_two_teams_are_of_both() -> None:
    both = reading(readers={"readers": 1.0, "seniors": 1.0})
    assert team(both) == replace(team(both, name="seniors"), team="readers")


def test_a_slip_of_the_volume_is_told_and_not_reckoned_for_ever() -> None:
    with pytest.raises(InvalidDataError, match=r"team readers would need .* reviewers at once"):
        team(reading(cases_a_month=1e300))


def document(**changes: object) -> str:
    price = {"unit": "u", "tiers": [{"up_to": None, "usd": 1}], "verified": True, "source": "s"} | changes
    return json.dumps({"as_of": "2026-11-22", "region": "us-east-1", "prices": {"p": price}})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "the price file is not JSON"),
        ("[]", "must be an object"),
        (document(unit=""), "prices.p.unit must be a text"),
        (document(verified="yes"), "prices.p.verified must be true or false"),
        (document(tiers=[]), "prices.p.tiers must rise"),
        (document(tiers=[{"up_to": 5, "usd": 1}]), "prices.p.tiers must rise"),
        (document(tiers=[{"up_to": None, "usd": -1}]), "prices.p.tiers must hold objects"),
        (
            document(tiers=[{"up_to": 9, "usd": 1}, {"up_to": 5, "usd": 1}, {"up_to": None, "usd": 1}]),
            "must rise",
        ),
    ],
)
def test_a_faulty_price_file_is_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidDataError, match=words):
        parse_prices(text)
