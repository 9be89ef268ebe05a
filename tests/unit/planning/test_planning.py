"""Reviews, hours, reviewers and prices: worked by hand."""

from __future__ import annotations

import json

import pytest

from overread.errors import InvalidDataError
from overread.planning.prices import Price, Tier, parse_prices
from overread.planning.review_plan import Demand, plan_reviews

A2I = Price(
    "object", (Tier(100_000, 0.08), Tier(1_000_000, 0.04), Tier(None, 0.02)), verified=False, source="x"
)


@pytest.mark.parametrize(
    ("quantity", "usd"),
    [(0, 0.0), (100_000, 8_000.0), (1_000_000, 44_000.0), (10_000_000, 224_000.0), (150_000, 10_000.0)],
)
def test_tiers_add_up(quantity: float, usd: float) -> None:
    assert A2I.of(quantity) == pytest.approx(usd)


def demand(**changes: float) -> Demand:
    figures = {
        "cases_a_month": 7_300.0,
        "hours_a_month": 730.0,
        "review_seconds": 360.0,
        "coverage": 0.8,
        "spot_check_probability": 0.1,
        "rule_share": 0.0,
        "readers": 1.0,
    }
    return Demand(use_case="loans", **(figures | changes))


def test_a_plan_worked_by_hand() -> None:
    # Ten cases an hour; people read 1 - 0.8 * 0.9 = 28 %: 2.8 an hour, of a tenth of an hour: 0.28 erlang.
    plan = plan_reviews(demand(), target_s=600, service_level=0.8)
    assert plan.review_share == pytest.approx(0.28)
    assert plan.reviews_a_month == pytest.approx(2_044)
    assert plan.people_hours_a_month == pytest.approx(204.4)
    # One reviewer: waits with chance 0.28, longer than 600 s with 0.28 exp(-0.72 * 600 / 360) = 0.084.
    assert plan.reviewers == 1
    assert plan.service_level == pytest.approx(1 - 0.0843, abs=1e-3)
    assert plan.mean_wait_s == pytest.approx(0.28 / 0.72 * 360)
    assert plan_reviews(demand(), target_s=600, service_level=0.95).reviewers == 2


def test_two_readers_are_twice_the_work_and_no_cases_are_none() -> None:
    once, twice = (plan_reviews(demand(readers=n), target_s=600, service_level=0.8) for n in (1.0, 2.0))
    assert twice.people_hours_a_month == pytest.approx(2 * once.people_hours_a_month)
    nothing = plan_reviews(demand(cases_a_month=0.0), target_s=600, service_level=0.8)
    assert (nothing.reviewers, nothing.people_hours_a_month) == (0, 0.0)


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


def test_a_price_that_is_missing_is_named() -> None:
    with pytest.raises(InvalidDataError, match="no price 'q' in the price file; it has p"):
        parse_prices(document()).price("q")
