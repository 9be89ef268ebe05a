"""The function behind the custom resource of flow definitions: one a stack, another for the public team."""

from __future__ import annotations

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from overread_constructs._acknowledgements import acknowledge
from overread_constructs._handler import Handler
from overread_constructs.python_code import handler_code

SERVICE_TIMEOUT = Duration.minutes(10)
"""CloudFormation gives up then; the function has as long."""

_ID = {False: "OverreadFlowDefinitions", True: "OverreadPublicFlowDefinitions"}


class FlowDefinitionProvider(Construct):
    """Creates, awaits and deletes flow definitions that policies beside them allow it by name.

    Unless it is the one for the public team, IAM denies it a flow definition with that team.
    """

    def __init__(self, scope: Construct, id: str, *, code: lambda_.Code, public: bool) -> None:
        """Use `of`: there is one in a stack."""
        super().__init__(scope, id)
        self.handler = Handler(
            self,
            "Provide",
            function_name=None,
            module="provide_flow_definition",
            description="Custom resource: creates, awaits and deletes flow definitions",
            code=code,
            environment={},
            timeout=SERVICE_TIMEOUT,
            asynchronous=True,
            placement=None,
            log_retention=logs.RetentionDays.ONE_YEAR,
            key=None,
            memory_mb=256,
        )
        self.handler.allow("sagemaker:ListHumanLoops", on=["*"])
        if not public:
            self.handler.role.add_to_policy(
                iam.PolicyStatement(
                    effect=iam.Effect.DENY,
                    actions=["sagemaker:CreateFlowDefinition"],
                    resources=["*"],
                    conditions={"StringEquals": {"sagemaker:WorkteamType": "public-crowd"}},
                )
            )
        acknowledge(
            self.handler.function,
            rule="LambdaInsideVPC",
            pack="NIST.800.53.R5",
            reason=(
                "CloudFormation calls it and awaits its answer at S3. It reads no data; its role "
                "reaches flow definitions only; and outside the network it outlives changes of the network."
            ),
        )

    @classmethod
    def of(cls, scope: Construct, *, code: lambda_.Code | None, public: bool) -> FlowDefinitionProvider:
        """The provider of the stack that `scope` is in; the first flow definition's `code` counts."""
        stack = Stack.of(scope)
        existing = stack.node.try_find_child(_ID[public])
        if isinstance(existing, FlowDefinitionProvider):
            return existing
        return cls(stack, _ID[public], code=code or handler_code(), public=public)
