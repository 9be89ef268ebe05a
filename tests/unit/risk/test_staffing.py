"""Review load and staffing: published figures, limits, and loads that no queue survives."""

import math

import pytest

from overread.errors import InvalidDataError
from overread.risk.staffing import review_load, reviewers_needed, staffing, waiting_chance


def test_load_worked_by_hand() -> None:
    # 0.8 of the cases reach the threshold, a rule takes 5 % of them, a spot check 10 % of the rest:
    # 1 - 0.8 × 0.95 × 0.9 = 0.316 are read; 120 × 0.316 × 2 = 75.84 reviews an hour of 90 s: 1.896 erlang.
    load = review_load(
        cases_per_hour=120,
        review_seconds=90,
        coverage=0.8,
        spot_check_probability=0.1,
        rule_share=0.05,
        readers=2,
    )

    assert load.review_share == pytest.approx(0.316)
    assert load.reviews_per_hour == pytest.approx(75.84)
    assert load.erlangs == pytest.approx(1.896)


def test_nothing_automatic_means_everything_is_read() -> None:
    assert review_load(cases_per_hour=60, review_seconds=60, coverage=0).erlangs == pytest.approx(1)
    assert review_load(cases_per_hour=60, review_seconds=60, coverage=1).erlangs == 0


def test_one_reviewer_waits_as_the_simplest_queue_does() -> None:
    # M/M/1 at load 1/2: the chance to wait is 1/2, the mean wait 1/2 × s / (1 - 1/2) = s.
    queue = staffing(reviews_per_hour=30, review_seconds=60, reviewers=1, target_s=60)

    assert queue.waiting_chance == pytest.approx(0.5)
    assert queue.mean_wait_s == pytest.approx(60)
    assert queue.service_level == pytest.approx(1 - 0.5 * math.exp(-0.5))


def test_two_servers_at_one_erlang_wait_with_a_third() -> None:
    # C(2, a) = (a²/2 × 2/(2 - a)) / (1 + a + a²/2 × 2/(2 - a)) = 1 / 3 at a = 1.
    assert waiting_chance(1.0, reviewers=2) == pytest.approx(1 / 3)


def test_published_example_of_fifty_five_agents() -> None:
    # 360 calls in half an hour of 4 minutes each, 55 agents: 48 erlang, occupancy 0.873, 23.9 % wait, 8.18 s
    # on average, 84.5 % within 15 s (the worked example of www.mitan.co.uk/erlang/elgcmath.htm, digits cut).
    queue = staffing(reviews_per_hour=720, review_seconds=240, reviewers=55, target_s=15)

    assert queue.erlangs == pytest.approx(48)
    assert queue.utilisation == pytest.approx(0.873, abs=5e-4)
    assert queue.waiting_chance == pytest.approx(0.239, abs=5e-4)
    assert queue.mean_wait_s == pytest.approx(8.18, abs=5e-3)
    assert queue.service_level == pytest.approx(0.845, abs=1e-3)


@pytest.mark.parametrize(("reviews", "level"), [(12, 0.8), (120, 0.9), (720, 0.8), (5000, 0.99)])
def test_needed_reviewers_are_the_fewest(reviews: float, level: float) -> None:
    found = reviewers_needed(reviews_per_hour=reviews, review_seconds=240, target_s=60, service_level=level)

    assert found.service_level >= level
    assert found == staffing(
        reviews_per_hour=reviews, review_seconds=240, reviewers=found.reviewers, target_s=60
    )
    if found.reviewers - 1 > found.erlangs:
        fewer = staffing(
            reviews_per_hour=reviews, review_seconds=240, reviewers=found.reviewers - 1, target_s=60
        )
        assert fewer.service_level < level


def test_without_work_nobody_waits_and_one_is_enough() -> None:
    found = reviewers_needed(reviews_per_hour=0, review_seconds=240, target_s=0, service_level=0.99)

    assert (found.reviewers, found.waiting_chance, found.mean_wait_s, found.service_level) == (1, 0, 0, 1)


def test_a_thousand_reviewers_neither_overflow_nor_vanish() -> None:
    assert 0 < waiting_chance(950.0, reviewers=1000) < waiting_chance(990.0, reviewers=1000) < 1


@pytest.mark.parametrize(("erlangs", "reviewers", "needed"), [(13.3, 12, 14), (12.0, 12, 13), (0.5, 0, 1)])
def test_too_few_reviewers_are_refused_with_how_many_it_takes(
    erlangs: float, reviewers: int, needed: int
) -> None:
    with pytest.raises(InvalidDataError, match=f"grow without end; at least {needed} are needed"):
        waiting_chance(erlangs, reviewers=reviewers)


def test_bad_figures_are_refused_together() -> None:
    with pytest.raises(InvalidDataError) as refused:
        review_load(
            cases_per_hour=-1,
            review_seconds=0,
            coverage=1.2,
            spot_check_probability=math.nan,
            readers=math.inf,
        )

    assert refused.value.faults == (
        "cases_per_hour must be 0 or more, got -1",
        "review_seconds must be above 0, got 0",
        "coverage must be a share in [0, 1], got 1.2",
        "spot_check_probability must be a share in [0, 1], got nan",
        "readers must be at least 1, got inf",
    )
    with pytest.raises(InvalidDataError, match="service_level must lie between 0 and 1, got 1"):
        reviewers_needed(reviews_per_hour=1, review_seconds=1, target_s=1, service_level=1)
