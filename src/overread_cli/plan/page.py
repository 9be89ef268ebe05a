"""A plan as people read it, and as one JSON document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from overread.planning.prices import PriceList
from overread.planning.review_plan import Reading, TeamPlan
from overread_cli.plan.deployment_plan import PEOPLE, Line, Standing
from overread_config import Settings

_SHOWN = {
    "review_seconds": "{:g} s a review",
    "coverage": "{:.0%} of the cases reach the threshold",
    "rule_share": "rules give {:.0%} of these to people",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a configuration asks for in a month.

    `assumed`: by use case and name, None where it is not known. Cases come in `hours_a_month` of the month.
    """

    settings: Settings
    hours_a_month: float
    readings: Sequence[Reading]
    teams: Sequence[TeamPlan]
    lines: Sequence[Line]
    prices: PriceList
    assumed: Mapping[str, Mapping[str, float | None]]

    @property
    def usd(self) -> float:
        """Of all lines that have a price."""
        return sum(line.usd or 0.0 for line in self.lines)

    @property
    def usd_a_decision(self) -> float | None:
        """None where there is none."""
        cases = sum(one.cases_a_month for one in self.readings)
        return self.usd / cases if cases else None

    @property
    def capacity(self) -> Mapping[str, int]:
        """Reviewers at a time that the configuration states, by team."""
        return {one.name: one.capacity.reviewers for one in self.settings.teams if one.capacity}

    @property
    def has_wages(self) -> bool:
        """Whether it is known what people cost."""
        return any(line.what == PEOPLE for line in self.lines)

    def what(self, *standings: Standing) -> list[str]:
        """The lines whose prices stand so."""
        return [line.what for line in self.lines if line.price in standings]


def document(plan: Plan) -> dict[str, Any]:
    """The plan for programs; shares are of 1, money is in US dollars."""
    return {
        "use_cases": [
            {
                **asdict(one),
                "reviews_a_month": one.reviews_a_month,
                "hours_reading": one.hours_a_month,
                "assumed": plan.assumed[one.use_case],
            }
            for one in plan.readings
        ],
        "teams": [asdict(one) | {"capacity": plan.capacity.get(one.team)} for one in plan.teams],
        "hours_reading": sum(one.hours_reading for one in plan.teams),
        "hours_at_work": sum(one.hours_at_work for one in plan.teams),
        "bill": [asdict(line) for line in plan.lines],
        "usd_a_month": plan.usd,
        "usd_a_decision": plan.usd_a_decision,
        "prices_as_of": plan.prices.as_of,
        "prices_region": plan.prices.region,
        "unverified": plan.what(Standing.NOT_VERIFIED),
        "without_price": plan.what(Standing.MISSING),
    }


def print_plan(plan: Plan) -> None:
    """The plan in three tables, and what to know of them."""
    console = Console()
    for table in (_use_cases(plan), _teams(plan), _costs(plan)):
        console.print(table)
        console.print()
    for sentence in _remarks(plan):
        console.print(sentence, highlight=False, soft_wrap=True)


def _table(title: str, *columns: str, texts: int = 1) -> Table:
    """The first columns, so many, are texts; the others are figures."""
    table = Table(title=title, box=None, title_justify="left", pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number < texts else "right", no_wrap=True)
    return table


def _use_cases(plan: Plan) -> Table:
    table = _table("Cases, in a month", "use case", "cases", "to people", "reviews", "hours reading")
    for one in plan.readings:
        known = "volume" not in plan.assumed[one.use_case]
        figures = (f"{one.cases_a_month:,.0f}", f"{one.reviews_a_month:,.0f}", f"{one.hours_a_month:,.1f}")
        cases, reviews, hours = figures if known else ("not known", "", "")
        table.add_row(one.use_case, cases, f"{one.review_share:.1%}", reviews, hours)
    return table


def _teams(plan: Plan) -> Table:
    table = _table(
        "People, in a month", "team", "at once", "configured", "hours at work", "reading", "mean wait"
    )
    for one in plan.teams:
        configured = str(plan.capacity.get(one.team, ""))
        busy, wait = f"{one.utilisation:.0%}", f"{one.mean_wait_s:,.0f} s"
        table.add_row(one.team, f"{one.reviewers:,}", configured, f"{one.hours_at_work:,.0f}", busy, wait)
    return table


def _costs(plan: Plan) -> Table:
    table = _table("Cost, in a month", "what", "price", "unit", "quantity", "USD", texts=3)
    for line in plan.lines:
        usd = "" if line.usd is None else f"{line.usd:,.2f}"
        table.add_row(line.what, str(line.price), line.unit, f"{line.quantity:,.0f}", usd)
    table.add_row("in all", "", "", "", f"{plan.usd:,.2f}")
    return table


def _remarks(plan: Plan) -> list[str]:
    found = [f"Cases come, and people are at work, in {plan.hours_a_month:g} hours of the month (--hours)."]
    if plan.usd_a_decision is not None:
        found.append(f"The sum is {plan.usd_a_decision:,.4f} USD a decision.")
    if not plan.has_wages:
        found.append("People's wages are not in it: give --hourly-wage.")
    found += [
        f"Team {one.team} needs {one.reviewers:,} at once; its capacity.reviewers is {configured:,}."
        for one in plan.teams
        if one.reviewers > (configured := plan.capacity.get(one.team, one.reviewers))
    ]
    if unknown := [name for name, guessed in plan.assumed.items() if "volume" in guessed]:
        told = "give --volume, or `load` in the configuration"
        found.append(f"No volume is known of {', '.join(unknown)}: {told}. Their cases are in no figure.")
    for name, guessed in plan.assumed.items():
        texts = [_SHOWN[what].format(value) for what, value in guessed.items() if what in _SHOWN]
        if texts:
            found.append(f"Assumed of {name}: {', '.join(texts)}.")
    return [*found, *_on_prices(plan)]


def _on_prices(plan: Plan) -> list[str]:
    prices, region = plan.prices, plan.settings.region
    found = [f"Prices are of {prices.as_of}, {prices.region}; --json says where each comes from."]
    if region not in (None, prices.region):
        found.append(f"This is deployed to {region}, where prices differ.")
    if without := plan.what(Standing.MISSING):
        found.append(f"Not in the sum, because the price file has no price: {', '.join(without)}.")
    if plan.what(Standing.NOT_VERIFIED):
        found.append("Verify what matters to you before you show this to anybody.")
    return found
