"""What keeps a routing policy back that must not go out: outside its envelope, unapproved, too much work."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from overread.review.limits import TextLimit
from overread.routing.envelope import Envelope
from overread_constructs._encryption import use_of_keys
from overread_constructs._handler import Handler, Placement
from overread_constructs._rules import Rule, check
from overread_constructs.acknowledgements import acknowledge
from overread_constructs.python_code import handler_code

_NAME_PREFIX = TextLimit(1, 40, r"[a-z0-9](-*[a-z0-9])*")
_LONGEST = 3500
"""Of the 4 KB that Lambda gives a function's environment."""
NAMESPACE, ALARM_METRIC = "Overread", "ErrorMonitorAlarmRaised"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyValidatorProps:
    """What the validator checks against."""

    name_prefix: str
    envelopes: Mapping[str, Envelope]


RULES: tuple[Rule[PolicyValidatorProps], ...] = (
    Rule(prop="name_prefix", must=f"be {_NAME_PREFIX}", holds=lambda p: _NAME_PREFIX.allows(p.name_prefix)),
    Rule(prop="envelopes", must="hold at least one use case", holds=lambda p: bool(p.envelopes)),
    Rule(
        prop="envelopes",
        must=f"be at most {_LONGEST} characters as JSON, about thirty use cases",
        holds=lambda p: len(_stated(p.envelopes)) <= _LONGEST,
    ),
)


class PolicyValidator(Construct):
    """The function that AppConfig asks before it rolls a policy out, and the alarm that rolls it back.

    Example::

        validator = PolicyValidator(
            self,
            "Validator",
            name_prefix="loans",
            table=table,
            envelopes={"loan-approval": envelope},
            vpc=vpc,
            security_groups=[group],
            key=key,
        )
        RoutingPolicies(
            self, "Policies", name="loans", documents=documents, deployment="linear", validator=validator
        )
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name_prefix: str,
        table: dynamodb.ITable,
        envelopes: Mapping[str, Envelope],
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup],
        code: lambda_.Code | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_YEAR,
        key: kms.IKey,
    ) -> None:
        """`table`: where the router keeps which guarantees are approved. `envelopes`: by use case.

        Raises:
            PropsError: with every broken rule.
        """
        super().__init__(scope, id)
        props = PolicyValidatorProps(name_prefix=name_prefix, envelopes=envelopes)
        check(self, construct="PolicyValidator", props=props, rules=RULES)
        handler = Handler(
            self,
            "ValidatePolicy",
            function_name=f"{name_prefix}-validate-policy",
            module="validate_policy",
            description="AppConfig asks: inside the envelope, approved, and people enough?",
            code=code or handler_code(),
            environment={
                "OVERREAD_TABLE": table.table_name,
                "OVERREAD_ENVELOPES": _stated(envelopes),
            },
            timeout=Duration.seconds(15),
            asynchronous=False,
            placement=Placement(vpc=vpc, subnets=subnets, security_groups=tuple(security_groups)),
            log_retention=log_retention,
            key=key,
        )
        handler.allow("dynamodb:GetItem", on=[table.table_arn])
        for statement in use_of_keys([table.encryption_key], scope=self, services=("dynamodb",)):
            handler.role.add_to_policy(statement)
        self.function: lambda_.Function = handler.function
        self.alarm: cloudwatch.Alarm = self._alarm(name_prefix)

    def let_validate(self, application_id: str) -> None:
        """Lets AppConfig, for this application alone, call the function."""
        stack = Stack.of(self)
        application = stack.format_arn(
            service="appconfig", resource="application", resource_name=f"{application_id}/*"
        )
        self.function.add_permission(
            "AppConfig",
            principal=iam.ServicePrincipal("appconfig.amazonaws.com"),
            action="lambda:InvokeFunction",
            source_account=stack.account,
            source_arn=application,
        )

    def _alarm(self, name_prefix: str) -> cloudwatch.Alarm:
        metric = cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=ALARM_METRIC,
            dimensions_map={"Deployment": name_prefix},
            statistic="Maximum",
            period=Duration.minutes(1),
        )
        alarm = metric.create_alarm(
            self,
            "ErrsTooOften",
            alarm_name=f"{name_prefix}-errs-too-often",
            alarm_description="A model was turned off a moment ago: it errs more often than is allowed",
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        acknowledge(
            alarm,
            rule="CloudWatchAlarmAction",
            reason="AppConfig watches it and rolls the policy back; what raises it turned the model off.",
        )
        return alarm


def _stated(envelopes: Mapping[str, Envelope]) -> str:
    """The envelopes as the function reads them, without what nobody has said."""
    said = {
        name: {limit: value for limit, value in asdict(envelope).items() if value is not None}
        for name, envelope in envelopes.items()
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":"))
