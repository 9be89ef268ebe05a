"""`overread plan --config FILE`: people-hours, reviewers and cost of a deployment before it starts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from overread.errors import InvalidDataError
from overread.planning.prices import PriceList, parse_prices
from overread.planning.review_plan import HOURS_A_MONTH, ReviewPlan, plan_reviews
from overread_cli.plan.deployment_plan import Assumptions, Line, bill, demand_of
from overread_config import ConfigError, Settings, load_settings

FAULTY = 2


class FaultyPlanError(click.ClickException):
    """Figures or files that no plan can be made of."""

    exit_code = FAULTY


@click.command()
@click.option(
    "--config", type=click.Path(path_type=Path), required=True, help="The deployment's configuration."
)
@click.option(
    "--volume",
    type=click.FloatRange(min=0),
    help="Cases of each use case in a month; by default what `load` of the use case says.",
)
@click.option(
    "--hours",
    type=click.FloatRange(1, 744),
    default=HOURS_A_MONTH,
    show_default=True,
    help="Hours of a month in which cases come and people review.",
)
@click.option(
    "--review-seconds",
    type=click.FloatRange(min=1),
    default=60.0,
    show_default=True,
    help="What one review takes, where the use case has no `load`.",
)
@click.option(
    "--coverage",
    type=click.FloatRange(0, 1),
    default=0.8,
    show_default=True,
    help="Share of cases that reach the threshold, where no guarantee says it.",
)
@click.option(
    "--rule-share",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    help="Share of those cases that rules give to people all the same, where there are rules.",
)
@click.option(
    "--target-wait",
    type=click.FloatRange(min=1),
    default=300.0,
    show_default=True,
    help="Seconds until somebody begins.",
)
@click.option(
    "--service-level",
    type=click.FloatRange(0.01, 0.999),
    default=0.9,
    show_default=True,
    help="Share of cases that wait no longer than that.",
)
@click.option(
    "--hourly-wage", type=click.FloatRange(min=0), help="US dollars for an hour of a reviewer's work."
)
@click.option("--prices", type=click.Path(path_type=Path), help="Another price file.")
@click.option("--json", "as_json", is_flag=True, help="The plan as one JSON document.")
def plan(
    *,
    config: Path,
    volume: float | None,
    hours: float,
    review_seconds: float,
    coverage: float,
    rule_share: float,
    target_wait: float,
    service_level: float,
    hourly_wage: float | None,
    prices: Path | None,
    as_json: bool,
) -> None:
    """Say what a deployment will ask of people and cost in a month, before anything starts.

    Waiting is reckoned by Erlang C: cases come at random, each reviewer takes the next one. What was assumed,
    and which prices nobody verified, is said with the figures.

    \b
    Example:
      overread plan --config config/prod.yaml --volume 20000 --hourly-wage 30
    """
    settings, price_list = _settings(config), _prices(prices)
    assumed = Assumptions(volume, hours, review_seconds, coverage, rule_share)
    demands = [demand_of(use_case, assumed) for use_case in settings.use_cases]
    try:
        plans = {
            demand.use_case: plan_reviews(demand, target_s=target_wait, service_level=service_level)
            for demand, _ in demands
        }
        lines = bill(settings, plans, price_list, hourly_wage_usd=hourly_wage)
    except InvalidDataError as error:
        raise FaultyPlanError(str(error)) from error
    guessed = {demand.use_case: names for demand, names in demands if names}
    if as_json:
        click.echo(json.dumps(_document(plans, lines, price_list, guessed), indent=2))
        return
    _print(plans, lines, price_list, guessed)


def _settings(path: Path) -> Settings:
    try:
        return load_settings(path)
    except ConfigError as error:
        raise FaultyPlanError("\n".join(map(str, error.faults))) from error


def _prices(path: Path | None) -> PriceList:
    try:
        text = (
            files("overread_cli.plan").joinpath("prices.json").read_text(encoding="utf-8")
            if path is None
            else path.read_text(encoding="utf-8")
        )
        return parse_prices(text)
    except OSError as error:
        raise FaultyPlanError(f"{path}: {error.strerror}") from error
    except InvalidDataError as error:
        raise FaultyPlanError(f"{path}: {error}") from error


def _document(
    plans: Mapping[str, ReviewPlan],
    lines: Sequence[Line],
    prices: PriceList,
    guessed: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    return {
        "use_cases": [
            asdict(one) | {"assumed": list(guessed.get(one.use_case, ()))} for one in plans.values()
        ],
        "people_hours_a_month": sum(one.people_hours_a_month for one in plans.values()),
        "reviewers": sum(one.reviewers for one in plans.values()),
        "bill": [asdict(line) for line in lines],
        "usd_a_month": sum(line.usd for line in lines),
        "prices_as_of": prices.as_of,
        "prices_region": prices.region,
        "unverified": sorted({line.what for line in lines if not line.verified}),
    }


def _print(
    plans: Mapping[str, ReviewPlan],
    lines: Sequence[Line],
    prices: PriceList,
    guessed: Mapping[str, Sequence[str]],
) -> None:
    console = Console()
    people = Table(title="People, in a month", box=None, title_justify="left")
    for name in (
        "use case",
        "cases",
        "to people",
        "reviews",
        "hours",
        "reviewers at once",
        "busy",
        "mean wait",
    ):
        people.add_column(name, justify="left" if name == "use case" else "right", no_wrap=name == "use case")
    for one in plans.values():
        people.add_row(
            one.use_case,
            f"{one.cases_a_month:,.0f}",
            f"{one.review_share:.1%}",
            f"{one.reviews_a_month:,.0f}",
            f"{one.people_hours_a_month:,.1f}",
            f"{one.reviewers}",
            f"{one.utilisation:.0%}",
            f"{one.mean_wait_s:,.0f} s",
        )
    console.print(people)
    costs = Table(title="Cost, in a month", box=None, title_justify="left")
    for name in ("what", "quantity", "unit", "USD", "price"):
        costs.add_column(
            name, justify="right" if name in {"quantity", "USD"} else "left", no_wrap=name != "unit"
        )
    for line in lines:
        price = "verified" if line.verified else "not verified"
        costs.add_row(line.what, f"{line.quantity:,.0f}", line.unit, f"{line.usd:,.2f}", price)
    console.print(costs)
    console.print(
        f"in all {sum(line.usd for line in lines):,.2f} USD; prices of {prices.as_of}, {prices.region}",
        highlight=False,
    )
    if not all(line.verified for line in lines):
        console.print("verify what matters to you: --json says where each price comes from", highlight=False)
    for name, names in guessed.items():
        console.print(f"{name}: assumed: {', '.join(names)}", highlight=False)
