"""What watches over a deployment: the function that measures it, its alarms, its dashboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from overread_constructs._dead_letters import dead_letter_queue
from overread_constructs._encryption import let_events_use, use_of_keys
from overread_constructs._handler import Handler, Placement
from overread_constructs.operations_alarms import alarms, make_alarm
from overread_constructs.operations_dashboard import make_dashboard
from overread_constructs.python_code import handler_code

_INDEXES = ("open", "outbox", "people")


class Operations(Construct):
    """Measures each five minutes what no event tells, and tells people when something is wrong.

    Example::

        Operations(
            self, "Operations", name_prefix="loans", pending_age_s={"loan-approval": 1800}, table=table,
            actions=ToTopic(topic_arn), vpc=vpc, subnets=None, security_groups=[group], key=key,
        )
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name_prefix: str,
        pending_age_s: Mapping[str, int],
        outbox_age_s: int = 900,
        override_rate: float = 0.5,
        table: dynamodb.ITable,
        actions: cloudwatch.IAlarmAction,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection | None,
        security_groups: Sequence[ec2.ISecurityGroup],
        code: lambda_.Code | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_YEAR,
        key: kms.IKey,
    ) -> None:
        """`pending_age_s`: for each use case, how long a decision may wait for a human loop to begin.

        `table`: with the indexes open, outbox and people. `key`: of logs and queues.
        """
        super().__init__(scope, id)
        let_events_use(key, scope=self)
        handler = Handler(
            self,
            "Measure",
            function_name=f"{name_prefix}-measure-operations",
            module="measure_operations",
            description="Each five minutes: measures what waits, since when, and what is overdue",
            code=code or handler_code(),
            environment={
                "OVERREAD_DEPLOYMENT": name_prefix,
                "OVERREAD_TABLE": table.table_name,
                "OVERREAD_USE_CASES": ",".join(pending_age_s),
            },
            timeout=Duration.minutes(4),
            asynchronous=True,
            placement=Placement(vpc=vpc, subnets=subnets, security_groups=tuple(security_groups)),
            log_retention=log_retention,
            key=key,
        )
        handler.allow("dynamodb:BatchGetItem", on=[table.table_arn])
        handler.allow("dynamodb:Query", on=[f"{table.table_arn}/index/{index}" for index in _INDEXES])
        for statement in use_of_keys(
            [table.encryption_key], scope=self, services=("dynamodb",), actions=("kms:Decrypt",)
        ):
            handler.role.add_to_policy(statement)
        self.measure_operations: lambda_.Function = handler.function
        self._run_each_five_minutes(handler, key=key)
        self.alarms: tuple[cloudwatch.Alarm, ...] = tuple(
            make_alarm(self, terms=terms, deployment=name_prefix, actions=actions)
            for terms in alarms(
                pending_age_s=pending_age_s, outbox_age_s=outbox_age_s, override_rate=override_rate
            )
        )
        self.dashboard: cloudwatch.Dashboard = make_dashboard(
            self, "Dashboard", deployment=name_prefix, use_cases=list(pending_age_s), alarms=self.alarms
        )

    def show(self, alarm_names: Sequence[str]) -> None:
        """Puts the states of other stacks' alarms on the dashboard; known by name, so nothing is exported."""
        alarms = [
            cloudwatch.Alarm.from_alarm_name(self, f"Elsewhere{number}", name)
            for number, name in enumerate(alarm_names)
        ]
        self.dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(title="Queues, functions, APIs", alarms=alarms, width=24, height=8)
        )

    def _run_each_five_minutes(self, handler: Handler, *, key: kms.IKey) -> None:
        events.Rule(
            self,
            "EachFiveMinutes",
            description="What waits is measured",
            schedule=events.Schedule.rate(Duration.minutes(5)),
            targets=[
                targets.LambdaFunction(
                    handler.function,
                    dead_letter_queue=dead_letter_queue(self, "Undelivered", key=key),
                    max_event_age=Duration.minutes(5),  # the next one comes soon
                    retry_attempts=2,
                )
            ],
        )
