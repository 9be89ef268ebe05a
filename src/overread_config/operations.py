"""When people are told that something is wrong, and what a month may cost."""

from __future__ import annotations

from dataclasses import dataclass, field

from overread_config.breaches import refuse
from overread_config.faults import FaultList
from overread_config.kinds import Integer, Number, Text
from overread_config.sections import Branch, Section, setting

LEAST_PENDING_AGE_S = 900
"""Below it, sweeps and retries alone would raise an alarm."""


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """A budget of AWS Budgets."""

    monthly_usd: int = field(
        metadata=setting(
            Integer(1, 100_000_000),
            "US dollars a month; the alarm topic is told at 80 % of it, and when all of it is forecast.",
        )
    )
    tag: str | None = field(
        metadata=setting(
            Text(longest=128),
            "Key of `tags` by which this deployment's costs are told apart; it must be activated as a cost "
            "allocation tag. By default the whole account's costs count.",
            default=None,
        )
    )


@dataclass(frozen=True, slots=True)
class OperationsSettings:
    """Thresholds of the alarms; docs/operations.md lists them all."""

    pending_age_s: int | None = field(
        metadata=setting(
            Integer(LEAST_PENDING_AGE_S, 2_592_000),
            "Alarm when a decision has waited for longer without a human loop; by default the use case's "
            "`time_limit_s`, at least 900.",
            default=None,
        )
    )
    outbox_age_s: int = field(
        metadata=setting(
            Integer(300, 259_200), "Alarm when news have not been delivered for longer.", default=900
        )
    )
    override_rate: float = field(
        metadata=setting(
            Number(0.01, 0.99),
            "Alarm when people who saw the prediction decided otherwise in this share of a day's cases.",
            default=0.5,
        )
    )
    budget: BudgetSettings | None = field(
        metadata=setting(
            Section(BudgetSettings), "What a month may cost; by default nobody is told.", default=None
        )
    )


def check_operations(root: Branch, faults: FaultList) -> None:
    """Note a budget of a tag that nothing has."""
    budget = root.get("operations.budget")
    if not isinstance(budget, Branch) or budget.get("tag") is None:
        return
    tags = root.get("tags")
    if tags is not None and budget.get("tag") not in tags:
        refuse(
            budget,
            "tag",
            faults=faults,
            problem="is no tag of this deployment",
            allowed=", ".join(f"`{key}`" for key in tags) or "leave it out; `tags` is empty",
        )
