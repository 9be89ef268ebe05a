"""Faults of alarms and budgets."""

from __future__ import annotations

from tests.unit.config.broken import Broken, top


def operations(line: str, *, more: str = "") -> str:
    """VALID with a setting of its operations."""
    return top(f"operations:\n  {line}{more}")


OPERATIONS: dict[str, Broken] = {
    "operations": Broken(
        top("operations: on"), "operations", "operations", "on", "`pending_age_s`", "must be a mapping"
    ),
    "pending_age": Broken(
        operations("pending_age_s: 60"), "pending_age_s", "operations.pending_age_s", "60", "from 900"
    ),
    "outbox_age": Broken(
        operations("outbox_age_s: 299"), "outbox_age_s", "operations.outbox_age_s", "299", "from 300"
    ),
    "override_rate": Broken(
        operations("override_rate: 1"), "override_rate", "operations.override_rate", "1", "in [0.01, 0.99]"
    ),
    "budget": Broken(operations("budget: 500"), "budget", "operations.budget", "500", "`monthly_usd`"),
    "budget_amount": Broken(
        operations("budget: {monthly_usd: 0.5}"),
        "monthly_usd",
        "operations.budget.monthly_usd",
        "0.5",
        "an integer from 1",
    ),
    "budget_tag": Broken(
        operations("budget: {monthly_usd: 500, tag: team}", more="\ntags: {application: overread}"),
        "tag: team",
        "operations.budget.tag",
        "'team'",
        "`application`",
        "is no tag of this deployment",
    ),
    "budget_tag_without_tags": Broken(
        operations("budget: {monthly_usd: 500, tag: team}"),
        "tag: team",
        "operations.budget.tag",
        "'team'",
        "leave it out",
    ),
}
