"""Reviews that use cases need at a stated volume, and the people that their teams need for these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from overread.errors import InvalidDataError
from overread.risk.staffing import review_load, reviewers_needed, staffing

HOURS_A_MONTH = 730.0
"""The hours of a twelfth of a year."""
MOST_AT_ONCE = 1_000_000.0
"""Reviewers beyond whom a figure is a slip, and no answer would come in time."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What is known or assumed of a use case.

    `coverage` is the share of cases that reach the threshold; `rule_share` of these go to people by rules;
    `readers` is how many people of each team read one case.
    """

    use_case: str
    cases_a_month: float
    review_seconds: float
    coverage: float
    spot_check_probability: float
    rule_share: float
    readers: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a use case gives people to read in a month; `readers` of one case and `reviews`, by team."""

    use_case: str
    cases_a_month: float
    review_share: float
    review_seconds: float
    readers: Mapping[str, float]
    reviews: Mapping[str, float]

    @property
    def reviews_a_month(self) -> float:
        """Of all teams."""
        return sum(self.reviews.values())

    @property
    def hours_a_month(self) -> float:
        """Of reading, by whomever."""
        return self.reviews_a_month * self.review_seconds / 3600


@dataclass(frozen=True, slots=True)
class TeamPlan:
    """What is asked of a team in a month. `reviewers` work at once; `mean_wait_s` is until one begins.

    `hours_reading` are within `hours_at_work`: who is there so that nobody waits long is not always busy.
    """

    team: str
    reviews_a_month: float
    hours_reading: float
    hours_at_work: float
    reviewers: int
    utilisation: float
    mean_wait_s: float
    service_level: float


def reading_of(demand: Demand) -> Reading:
    """What people read of a use case.

    Raises:
        InvalidDataError: a figure is outside its range.
    """
    load = review_load(
        cases_per_hour=demand.cases_a_month,
        review_seconds=demand.review_seconds,
        coverage=demand.coverage,
        spot_check_probability=demand.spot_check_probability,
        rule_share=demand.rule_share,
    )
    read = demand.cases_a_month * load.review_share
    return Reading(
        use_case=demand.use_case,
        cases_a_month=demand.cases_a_month,
        review_share=load.review_share,
        review_seconds=demand.review_seconds,
        readers=demand.readers,
        reviews={team: read * readers for team, readers in demand.readers.items()},
    )


def plan_team(
    team: str, readings: Sequence[Reading], *, hours_a_month: float, target_s: float, service_level: float
) -> TeamPlan:
    """The fewest reviewers with whom the share `service_level` of cases is begun in `target_s` (Erlang C).

    The team reads all its use cases; a review takes the mean of their times. Who reads one case are different
    people, so there are at least so many.

    Raises:
        InvalidDataError: a figure is outside its range, or would take more than a million reviewers.
    """
    reviews = sum(one.reviews.get(team, 0.0) for one in readings)
    reading_s = sum(one.reviews.get(team, 0.0) * one.review_seconds for one in readings)
    if reviews == 0:
        return TeamPlan(team, 0.0, 0.0, 0.0, 0, 0.0, 0.0, 1.0)
    at_once = reading_s / 3600 / hours_a_month
    if at_once > MOST_AT_ONCE:
        raise InvalidDataError(
            [f"team {team} would need {at_once:.3g} reviewers at once; look at the volume and the hours"]
        )
    reviews_per_hour, review_seconds = reviews / hours_a_month, reading_s / reviews
    found = reviewers_needed(
        reviews_per_hour=reviews_per_hour,
        review_seconds=review_seconds,
        target_s=target_s,
        service_level=service_level,
    )
    least = max(ceil(one.readers.get(team, 0.0)) for one in readings)
    if found.reviewers < least:
        found = staffing(
            reviews_per_hour=reviews_per_hour,
            review_seconds=review_seconds,
            reviewers=least,
            target_s=target_s,
        )
    return TeamPlan(
        team=team,
        reviews_a_month=reviews,
        hours_reading=reading_s / 3600,
        hours_at_work=found.reviewers * hours_a_month,
        reviewers=found.reviewers,
        utilisation=found.utilisation,
        mean_wait_s=found.mean_wait_s,
        service_level=found.service_level,
    )
