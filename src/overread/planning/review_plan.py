"""Reviews, people's hours and reviewers that a use case needs at a stated volume."""

from __future__ import annotations

from dataclasses import dataclass

from overread.risk.staffing import review_load, reviewers_needed

HOURS_A_MONTH = 730.0
"""The hours of a twelfth of a year."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What is known or assumed of a use case.

    `coverage` is the share of cases that reach the threshold; `rule_share` of these go to people by rules;
    `readers` is how many people read one case on average, two-person reviews and repeats included.
    """

    use_case: str
    cases_a_month: float
    hours_a_month: float
    review_seconds: float
    coverage: float
    spot_check_probability: float
    rule_share: float
    readers: float


@dataclass(frozen=True, slots=True)
class ReviewPlan:
    """What a use case asks of people. `reviewers` work at once; `mean_wait_s` is until one of them begins."""

    use_case: str
    cases_a_month: float
    review_share: float
    reviews_a_month: float
    people_hours_a_month: float
    reviewers: int
    utilisation: float
    mean_wait_s: float
    service_level: float


def plan_reviews(demand: Demand, *, target_s: float, service_level: float) -> ReviewPlan:
    """The fewest reviewers with whom the share `service_level` of cases is begun in `target_s` (Erlang C).

    Raises:
        InvalidDataError: a figure is outside its range.
    """
    load = review_load(
        cases_per_hour=demand.cases_a_month / demand.hours_a_month,
        review_seconds=demand.review_seconds,
        coverage=demand.coverage,
        spot_check_probability=demand.spot_check_probability,
        rule_share=demand.rule_share,
        readers=demand.readers,
    )
    reviews = load.reviews_per_hour * demand.hours_a_month
    staffing = reviewers_needed(
        reviews_per_hour=load.reviews_per_hour,
        review_seconds=demand.review_seconds,
        target_s=target_s,
        service_level=service_level,
    )
    return ReviewPlan(
        use_case=demand.use_case,
        cases_a_month=demand.cases_a_month,
        review_share=load.review_share,
        reviews_a_month=reviews,
        people_hours_a_month=reviews * demand.review_seconds / 3600,
        reviewers=staffing.reviewers if reviews > 0 else 0,
        utilisation=staffing.utilisation if reviews > 0 else 0.0,
        mean_wait_s=staffing.mean_wait_s if reviews > 0 else 0.0,
        service_level=staffing.service_level,
    )
