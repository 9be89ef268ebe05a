"""`overread plan --config FILE`: people-hours, reviewers and cost of a deployment before it starts."""

from __future__ import annotations

import json
from importlib.resources import files
from math import isfinite
from pathlib import Path
from typing import Any

import click

from overread.errors import InvalidDataError
from overread.planning.prices import PriceList, parse_prices
from overread.planning.review_plan import HOURS_A_MONTH, plan_team, reading_of
from overread_cli.plan.deployment_plan import Assumptions, bill, demand_of
from overread_cli.plan.page import Plan, document, print_plan
from overread_config import ConfigError, Settings, load_settings

FAULTY = 2


class FaultyPlanError(click.ClickException):
    """Figures or files that no plan can be made of."""

    exit_code = FAULTY


class Amount(click.FloatRange):
    """A number in the range; `nan` is none, though no comparison says so."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or the fault."""
        number = float(super().convert(value, param, ctx))
        if not isfinite(number):
            self.fail(f"{value} is not a number that can be reckoned with", param, ctx)
        return number


@click.command()
@click.option(
    "--config", type=click.Path(path_type=Path), required=True, help="The deployment's configuration."
)
@click.option(
    "--volume",
    type=Amount(min=0),
    help="Cases of each use case in a month; by default what `load` of the use case says.",
)
@click.option(
    "--hours",
    type=Amount(1, 744),
    default=HOURS_A_MONTH,
    show_default=True,
    help="Hours of a month in which cases come and people review.",
)
@click.option(
    "--review-seconds",
    type=Amount(min=1),
    default=60.0,
    show_default=True,
    help="What one review takes, where the use case has no `load`.",
)
@click.option(
    "--coverage",
    type=Amount(0, 1),
    default=0.8,
    show_default=True,
    help="Share of cases that reach the threshold, where no guarantee says it.",
)
@click.option(
    "--rule-share",
    type=Amount(0, 1),
    default=0.05,
    show_default=True,
    help="Share of those cases that rules give to people all the same, where there are rules.",
)
@click.option(
    "--target-wait",
    type=Amount(min=1),
    default=300.0,
    show_default=True,
    help="Seconds until somebody begins, at most.",
)
@click.option(
    "--service-level",
    type=Amount(0.01, 0.999),
    default=0.9,
    show_default=True,
    help="Share of cases that wait no longer than that.",
)
@click.option(
    "--hourly-wage",
    type=Amount(min=0),
    help="US dollars for an hour that a reviewer is at work, busy or not.",
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

    Waiting is reckoned by Erlang C for each team: cases come at random, whoever is free takes the next one.
    What was assumed, and which prices nobody verified, is said with the figures.

    \b
    Example:
      overread plan --config config/prod.yaml --volume 20000 --hourly-wage 30
    """
    settings, price_list = _settings(config), prices_of(prices)
    assumed = Assumptions(volume, hours, review_seconds, coverage, rule_share)
    demands = [demand_of(use_case, assumed) for use_case in settings.use_cases]
    try:
        readings = [reading_of(demand) for demand, _ in demands]
        teams = [
            plan_team(name, readings, hours_a_month=hours, target_s=target_wait, service_level=service_level)
            for name in dict.fromkeys(team for one in readings for team in one.reviews)
        ]
    except InvalidDataError as error:
        raise FaultyPlanError(str(error)) from error
    made = Plan(
        settings=settings,
        hours_a_month=hours,
        readings=readings,
        teams=teams,
        lines=bill(settings, readings, teams, price_list, hourly_wage_usd=hourly_wage),
        prices=price_list,
        assumed={demand.use_case: guessed for demand, guessed in demands},
    )
    if as_json:
        click.echo(json.dumps(document(made), indent=2))
    else:
        print_plan(made)


def _settings(path: Path) -> Settings:
    try:
        return load_settings(path)
    except ConfigError as error:
        raise FaultyPlanError("\n".join(map(str, error.faults))) from error


def prices_of(path: Path | None) -> PriceList:
    """The prices in a file; those that come with Overread by default.

    Raises:
        FaultyPlanError: the file cannot be read, or is no price list.
    """
    if path is None:
        return parse_prices(files("overread_cli.plan").joinpath("prices.json").read_text(encoding="utf-8"))
    try:
        return parse_prices(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FaultyPlanError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FaultyPlanError(f"{path}: the price file is not UTF-8 text") from error
    except InvalidDataError as error:
        raise FaultyPlanError(f"{path}: {error}") from error
