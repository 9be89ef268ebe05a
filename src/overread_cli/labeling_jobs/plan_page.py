"""The plan of a job as people read it, and as one JSON document."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from overread.planning.labeling_plan import Span
from overread_cli.labeling_jobs.job_plan import JobPlan
from overread_cli.plan.deployment_plan import Standing


def plan_document(plan: JobPlan) -> dict[str, Any]:
    """The plan for programs; spans have `low` and `high`, money is in US dollars."""
    return {
        "name": plan.settings.name,
        "task_type": plan.settings.task_type,
        "mode": plan.settings.mode,
        "backend": plan.asked.backend or None,
        "team_kind": plan.asked.team_kind or None,
        "objects": plan.plan.objects,
        "labeled_already": plan.labeled,
        "objects_by_people": asdict(plan.plan.by_people),
        "gold": asdict(plan.plan.gold),
        "spot_checks": plan.plan.checked,
        "votes": asdict(plan.plan.votes),
        "seconds_per_task": plan.seconds_per_task,
        "people_hours": asdict(plan.plan.people_hours),
        "times": [asdict(one) for one in plan.times],
        "bill": [asdict(line) for line in plan.lines],
        "usd": asdict(plan.usd),
        "prices_as_of": plan.prices.as_of,
        "prices_region": plan.prices.region,
        "unverified": [line.what for line in plan.lines if line.price is Standing.NOT_VERIFIED],
        "without_price": [line.what for line in plan.lines if line.price is Standing.MISSING],
        "remarks": list(plan.remarks),
    }


def print_job_plan(plan: JobPlan) -> None:
    """The plan in three tables, and what to know of them."""
    console = Console()
    settings, backend = plan.settings, plan.asked.backend or "backend not known"
    titles = (
        f"{settings.name}: {settings.task_type}, mode {settings.mode}, {backend}",
        "Cost",
        f"Time to finish, {plan.asked.hours_a_day:g} hours at tasks a day",
    )
    for title, table in zip(titles, (_work(plan), _costs(plan), _times(plan)), strict=True):
        console.print(title, style="italic", highlight=False, soft_wrap=True)
        console.print(table)
        console.print()
    for sentence in [*_of_prices(plan), *plan.remarks]:
        console.print(sentence, highlight=False, soft_wrap=True)


def _table(*columns: str, texts: int = 1) -> Table:
    table = Table(box=None, pad_edge=False, show_header=bool(columns[0]))
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number < texts else "right", no_wrap=True)
    return table


def _work(plan: JobPlan) -> Table:
    settings, made = plan.settings, plan.plan
    table = _table("", "")
    table.add_row("objects to label", f"{made.objects:,}")
    if plan.labeled:
        table.add_row("labeled already", f"{plan.labeled:,}")
    if settings.mode != "human":
        table.add_row("of these by people", _span(made.by_people))
    if made.gold.high:
        table.add_row("gold items", _span(made.gold))
    if made.checked:
        table.add_row("spot checks", f"{made.checked:,}")
    table.add_row("answers (votes)", _span(made.votes))
    table.add_row("seconds a task", f"{plan.seconds_per_task:g}")
    table.add_row("people-hours", _span(made.people_hours, digits=1))
    return table


def _costs(plan: JobPlan) -> Table:
    table = _table("what", "price", "unit", "quantity", "USD", texts=3)
    for line in plan.lines:
        usd = "" if line.usd is None else _span(line.usd, digits=2)
        table.add_row(
            line.what,
            str(line.price),
            line.unit,
            _span(line.quantity, digits=1 if "hour" in line.unit else 0),
            usd,
        )
    if any(line.usd is not None for line in plan.lines):
        table.add_row("in all that has a price", "", "", "", _span(plan.usd, digits=2))
    return table


def _times(plan: JobPlan) -> Table:
    table = _table("people", "hours of each", "days", texts=0)
    for one in plan.times:
        hours = "too few" if one.hours is None else _span(one.hours, digits=1)
        table.add_row(str(one.people), hours, "" if one.days is None else _span(one.days, digits=1))
    return table


def _of_prices(plan: JobPlan) -> list[str]:
    found = []
    unverified = [line.what for line in plan.lines if line.price is Standing.NOT_VERIFIED]
    missing = [f"{line.what} ({line.source})" for line in plan.lines if line.price is Standing.MISSING]
    if unverified:
        found.append(
            f"Prices of {plan.prices.as_of}, {plan.prices.region}; nobody verified: {', '.join(unverified)}."
        )
    if missing:
        found.append(f"Without a price: {'; '.join(missing)}.")
    return found


def _span(span: Span, *, digits: int = 0) -> str:
    low, high = f"{span.low:,.{digits}f}", f"{span.high:,.{digits}f}"
    return low if low == high else f"{low} to {high}"
