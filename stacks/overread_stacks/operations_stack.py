"""What watches over a deployment: measurements, alarms and their topic, dashboard, budget."""

from __future__ import annotations

from aws_cdk import CfnOutput, Environment, Stack
from aws_cdk import aws_budgets as budgets
from constructs import Construct

from overread_config import LEAST_PENDING_AGE_S, BudgetSettings, Settings
from overread_constructs import AlarmTopic, Operations, ToTopic, alarm_topic_arn, watch_services
from overread_stacks.data_stack import DataStack
from overread_stacks.network_stack import ISOLATED, NetworkStack
from overread_stacks.organization import fit, synthesizer
from overread_stacks.retention import log_retention


class OperationsStack(Stack):
    """Whatever tells people about one deployment."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        env: Environment,
        network: NetworkStack,
        data: DataStack,
    ) -> None:
        """It needs network and data only; what the other stacks measure it knows by name."""
        super().__init__(
            scope,
            id,
            stack_name=id,
            env=env,
            tags=dict(settings.tags),
            synthesizer=synthesizer(settings.organization),
            termination_protection=settings.retention.termination_protection,
            description=f"Overread {settings.environment}: measurements, alarms, dashboard",
        )
        fit(self, settings=settings)
        topic_arn = alarm_topic_arn(self, deployment=settings.prefix, adopted=settings.adopt.alarm_topic_arn)
        if settings.adopt.alarm_topic_arn is None:
            AlarmTopic(self, "Alarms", deployment=settings.prefix, key=data.operations_key)
        operations = settings.operations
        self.operations = Operations(
            self,
            "Operations",
            name_prefix=settings.prefix,
            pending_age_s={
                use_case.name: operations.pending_age_s
                or max(use_case.review.time_limit_s, LEAST_PENDING_AGE_S)
                for use_case in settings.use_cases
            },
            outbox_age_s=operations.outbox_age_s,
            override_rate=operations.override_rate,
            table=data.table,
            actions=ToTopic(topic_arn),
            vpc=network.vpc,
            subnets=ISOLATED,
            security_groups=[network.handlers],
            log_retention=log_retention(settings.retention.log_days),
            key=data.operations_key,
        )
        if operations.budget is not None:
            self._budget(operations.budget, settings=settings, topic_arn=topic_arn)
        CfnOutput(self, "AlarmTopicArn", value=topic_arn)

    def _budget(self, budget: BudgetSettings, *, settings: Settings, topic_arn: str) -> None:
        tagged = {"TagKeyValue": [f"user:{budget.tag}${settings.tags[budget.tag]}"]} if budget.tag else None
        subscriber = budgets.CfnBudget.SubscriberProperty(subscription_type="SNS", address=topic_arn)
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=budget.monthly_usd, unit="USD"),
                cost_filters=tagged,
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        notification_type=kind,
                        comparison_operator="GREATER_THAN",
                        threshold=percent,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=[subscriber],
                )
                for kind, percent in (("ACTUAL", 80), ("FORECASTED", 100))
            ],
        )


def watch(*stacks: Stack, operations: OperationsStack, settings: Settings) -> None:
    """Adds the alarms over what AWS measures of the stacks, once they are whole, and shows them too."""
    names: list[str] = []
    for stack in stacks:
        topic_arn = alarm_topic_arn(stack, deployment=settings.prefix, adopted=settings.adopt.alarm_topic_arn)
        names += watch_services(stack, deployment=settings.prefix, actions=ToTopic(topic_arn))
    operations.operations.show(names)
