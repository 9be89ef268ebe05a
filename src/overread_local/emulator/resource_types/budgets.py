"""AWS::Budgets::Budget."""

from collections.abc import Mapping
from typing import Any, ClassVar

from ministack.core.responses import get_account_id

from overread_local.emulator.resource_types.handler import (
    Clients,
    Properties,
    Resource,
    ResourceType,
    code_of,
    ignoring_absence,
)


def resource_types(clients: Clients) -> list[ResourceType]:
    """The types of this module."""
    return [Budget(clients)]


class Budget(ResourceType):
    """Ref is the budget's name; other notifications make a new budget."""

    name = "AWS::Budgets::Budget"
    replaced_by: ClassVar[frozenset[str]] = frozenset({"NotificationsWithSubscribers", "ResourceTags"})

    def create(self, props: Properties, *, default_name: str) -> Resource:
        name = str(props["Budget"].get("BudgetName") or default_name)
        self._clients("budgets").create_budget(
            AccountId=get_account_id(),
            Budget=_budget(props, name=name),
            NotificationsWithSubscribers=[
                _notified(one) for one in props.get("NotificationsWithSubscribers", [])
            ],
        )
        return name, {}

    def change(self, physical_id: str, props: Properties) -> Resource:
        new = _budget(props, name=physical_id)
        self._clients("budgets").update_budget(AccountId=get_account_id(), NewBudget=new)
        return physical_id, {}

    def delete(self, physical_id: str, props: Properties) -> None:
        ignoring_absence(
            lambda: self._clients("budgets").delete_budget(
                AccountId=get_account_id(), BudgetName=physical_id
            ),
            absent=lambda error: code_of(error) == "NotFoundException",
        )


def _budget(props: Properties, *, name: str) -> dict[str, Any]:
    """As the API takes it, which has amounts as texts."""
    budget = {**props["Budget"], "BudgetName": name}
    if "BudgetLimit" in budget:
        limit = budget["BudgetLimit"]
        budget["BudgetLimit"] = {"Amount": str(limit["Amount"]), "Unit": limit["Unit"]}
    return budget


def _notified(entry: Mapping[str, Any]) -> dict[str, Any]:
    notification = entry["Notification"]
    threshold = float(notification["Threshold"])
    return {
        "Notification": {**notification, "Threshold": threshold},
        "Subscribers": entry["Subscribers"],
    }
