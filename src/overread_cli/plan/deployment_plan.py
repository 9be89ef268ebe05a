"""A configuration as demands on people and as lines of a bill; pure, apart from the settings it reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from overread.planning.prices import Price, PriceList
from overread.planning.review_plan import Demand, ReviewPlan
from overread_config import Settings
from overread_config.adoption import needed_endpoints
from overread_config.use_cases import UseCaseSettings

MONTH_HOURS = 730
OWN_KEYS = 2
"""Keys of a deployment: data and operations."""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What is taken where a configuration does not say it."""

    cases_a_month: float | None
    hours_a_month: float
    review_seconds: float
    coverage: float
    rule_share: float


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the bill for a month."""

    what: str
    quantity: float
    unit: str
    usd: float
    verified: bool
    source: str


def demand_of(use_case: UseCaseSettings, assumed: Assumptions) -> tuple[Demand, tuple[str, ...]]:
    """What a use case will ask for, and which of its figures were assumed, by name."""
    load, routing = use_case.load, use_case.routing
    guessed = []
    if assumed.cases_a_month is not None:
        cases = assumed.cases_a_month
    elif load is not None:
        cases = load.cases_per_hour * assumed.hours_a_month
    else:
        cases = 0.0
        guessed.append("volume")
    seconds = assumed.review_seconds
    if load is not None:
        seconds = load.review_seconds
    else:
        guessed.append("review_seconds")
    coverage = assumed.coverage
    if routing.always_review:
        coverage = 0.0
    elif routing.guarantee is not None:
        coverage = routing.guarantee.coverage
    else:
        guessed.append("coverage")
    if routing.rules:
        guessed.append("rule_share")
    demand = Demand(
        use_case=use_case.name,
        cases_a_month=cases,
        hours_a_month=assumed.hours_a_month,
        review_seconds=seconds,
        coverage=coverage,
        spot_check_probability=routing.spot_check_probability,
        rule_share=assumed.rule_share if routing.rules else 0.0,
        readers=2.0 if use_case.review.two_person else float(use_case.review.task_count),
    )
    return demand, tuple(guessed)


def bill(
    settings: Settings,
    plans: Mapping[str, ReviewPlan],
    prices: PriceList,
    *,
    hourly_wage_usd: float | None,
) -> list[Line]:
    """The lines of a month's bill.

    Raises:
        InvalidDataError: a price that is needed is not in the list.
    """
    return [*_services(settings, plans, prices), *_models(settings, prices), *_wages(plans, hourly_wage_usd)]


def _services(settings: Settings, plans: Mapping[str, ReviewPlan], prices: PriceList) -> Iterator[Line]:
    decisions = sum(plan.cases_a_month for plan in plans.values())
    if settings.review.backend == "a2i":
        reviews = sum(plan.reviews_a_month for plan in plans.values())
        yield _line("Amazon A2I", reviews, prices.price("a2i-review"))
    yield _line("decisions", decisions, prices.price("decision-infrastructure"))
    network = settings.network
    access = settings.review.access if settings.review.backend == "overread" else "public"
    endpoints = {
        *needed_endpoints(backend=settings.review.backend, access=access),
        *network.interface_endpoints,
    }
    adopted = set(settings.adopt.endpoints) if settings.adopt is not None else set()
    made = len(endpoints - adopted) * network.availability_zones * MONTH_HOURS
    yield _line("interface endpoints", made, prices.price("interface-endpoint-hour"))
    yield _line("keys", OWN_KEYS, prices.price("kms-key-month"))


def _models(settings: Settings, prices: PriceList) -> Iterator[Line]:
    for use_case in settings.use_cases:
        prediction = use_case.prediction
        if prediction.source != "sagemaker-endpoint":
            continue
        price = prices.price(f"instance-hour {prediction.instance_type}")
        hours = prediction.instance_count * MONTH_HOURS
        yield _line(f"endpoint of {use_case.name}", hours, price)


def _wages(plans: Mapping[str, ReviewPlan], hourly_wage_usd: float | None) -> Iterator[Line]:
    if hourly_wage_usd is None:
        return
    hours = sum(plan.people_hours_a_month for plan in plans.values())
    yield Line(
        "people", hours, "hour of work", hours * hourly_wage_usd, verified=True, source="--hourly-wage"
    )


def _line(what: str, quantity: float, price: Price) -> Line:
    return Line(what, quantity, price.unit, price.of(quantity), price.verified, price.source)
