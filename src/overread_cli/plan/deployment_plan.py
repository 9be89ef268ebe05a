"""A configuration as demands on people and as lines of a bill; pure, apart from the settings it reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from overread.planning.prices import PriceList
from overread.planning.review_plan import HOURS_A_MONTH, Demand, Reading, TeamPlan
from overread_config import Settings
from overread_config.adoption import needed_endpoints
from overread_config.use_cases import UseCaseSettings

PEOPLE = "people"
_ALARMS, _ALARMS_A_USE_CASE = 60, 2
_METRICS, _METRICS_A_USE_CASE = 60, 27
"""Round and rather too many: CloudWatch takes money for those that had a figure in the hour."""


class Standing(StrEnum):
    """What a price rests on."""

    VERIFIED = "verified"
    NOT_VERIFIED = "not verified"
    GIVEN = "given"
    MISSING = "no price"


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
    """One line of the bill for a month; `usd` is None where nothing is known of the price."""

    what: str
    quantity: float
    unit: str
    usd: float | None
    price: Standing
    source: str


def demand_of(use_case: UseCaseSettings, assumed: Assumptions) -> tuple[Demand, Mapping[str, float | None]]:
    """What a use case will ask for, and what of it was assumed, by name; None: it is not known."""
    load, routing = use_case.load, use_case.routing
    guessed: dict[str, float | None] = {}
    if assumed.cases_a_month is not None:
        cases = assumed.cases_a_month
    elif load is not None:
        cases = load.cases_per_hour * assumed.hours_a_month
    else:
        cases, guessed["volume"] = 0.0, None
    seconds = assumed.review_seconds
    if load is not None:
        seconds = load.review_seconds
    else:
        guessed["review_seconds"] = seconds
    coverage = assumed.coverage
    if routing.always_review:
        coverage = 0.0
    elif routing.guarantee is not None:
        coverage = routing.guarantee.coverage
    else:
        guessed["coverage"] = coverage
    if routing.rules:
        guessed["rule_share"] = assumed.rule_share
    demand = Demand(
        use_case=use_case.name,
        cases_a_month=cases,
        review_seconds=seconds,
        coverage=coverage,
        spot_check_probability=routing.spot_check_probability,
        rule_share=assumed.rule_share if routing.rules else 0.0,
        readers=_readers(use_case),
    )
    return demand, guessed


def _readers(use_case: UseCaseSettings) -> Mapping[str, float]:
    review = use_case.review
    if not review.two_person:
        return {review.team: float(review.task_count)}
    return {team: float(n) for team, n in Counter((review.team, review.second_team or review.team)).items()}


def bill(
    settings: Settings,
    readings: Sequence[Reading],
    teams: Sequence[TeamPlan],
    prices: PriceList,
    *,
    hourly_wage_usd: float | None,
) -> list[Line]:
    """The lines of a month's bill."""
    return [
        *(
            _priced(what, quantity, price, prices)
            for what, quantity, price in _priced_items(settings, readings)
        ),
        *_public_tasks(settings, readings),
        *_wages(settings, teams, hourly_wage_usd),
    ]


def _priced_items(settings: Settings, readings: Sequence[Reading]) -> Iterator[tuple[str, float, str]]:
    """What is used, how much of it, and the name of its price."""
    if settings.review.backend == "a2i":
        yield "Amazon A2I", sum(one.reviews_a_month for one in readings), "a2i-review"
    yield "decisions", sum(one.cases_a_month for one in readings), "decision-infrastructure"
    yield "interface endpoints", _endpoints_and_zones(settings) * HOURS_A_MONTH, "interface-endpoint-hour"
    yield "keys", own_keys(settings), "kms-key-month"
    uses = len(settings.use_cases)
    yield "metrics", _METRICS + uses * _METRICS_A_USE_CASE, "metric-month"
    yield "alarms", _ALARMS + uses * _ALARMS_A_USE_CASE, "alarm-month"
    for use_case in settings.use_cases:
        model = use_case.prediction
        if model.source == "sagemaker-endpoint":
            hours = model.instance_count * HOURS_A_MONTH
            yield f"endpoint of {use_case.name}", hours, f"instance-hour {model.instance_type}"


def _endpoints_and_zones(settings: Settings) -> int:
    """How many interface endpoints are made, each counted in each of its zones."""
    network, review, adopt = settings.network, settings.review, settings.adopt
    needed = needed_endpoints(
        backend=review.backend,
        access=review.access,
        models_apart=settings.accounts.model is not None,
        studio=settings.studio is not None,
    )
    used = {*needed, *network.interface_endpoints}
    zones = len(adopt.subnet_ids) if adopt.vpc_id else network.availability_zones
    return len(used - set(adopt.endpoints)) * zones


def own_keys(settings: Settings) -> int:
    """Keys that are made: of data, operations, the own network's flow logs, and each account apart."""
    adopted, accounts = settings.adopt.keys, settings.accounts
    flow_logs = settings.adopt.vpc_id is None and adopted.operations is None
    apart = (accounts.audit is not None) + (accounts.model is not None)
    return (adopted.data is None) + (adopted.operations is None) + flow_logs + apart


def _priced(what: str, quantity: float, name: str, prices: PriceList) -> Line:
    price = prices.prices.get(name)
    if price is None:
        return Line(what, quantity, name, None, Standing.MISSING, f"the price file has no {name!r}")
    standing = Standing.VERIFIED if price.verified else Standing.NOT_VERIFIED
    return Line(what, quantity, price.unit, price.of(quantity), standing, price.source)


def _public_tasks(settings: Settings, readings: Sequence[Reading]) -> Iterator[Line]:
    """What Mechanical Turk is paid, by the configuration."""
    for use_case, reading in zip(settings.use_cases, readings, strict=True):
        if use_case.review.price_usd is not None:
            tasks = reading.reviews_a_month
            usd = tasks * float(use_case.review.price_usd)
            what = f"public tasks of {use_case.name}"
            yield Line(what, tasks, "task and worker", usd, Standing.GIVEN, "price_usd of the use case")


def _wages(settings: Settings, teams: Sequence[TeamPlan], hourly_wage_usd: float | None) -> Iterator[Line]:
    if hourly_wage_usd is None:
        return
    public = {team.name for team in settings.teams if team.kind == "public"}
    hours = sum(team.hours_at_work for team in teams if team.team not in public)
    yield Line(PEOPLE, hours, "hour at work", hours * hourly_wage_usd, Standing.GIVEN, "--hourly-wage")
