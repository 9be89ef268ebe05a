"""The function behind the custom resources of human review: one a stack, another for the public team."""

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

_ID = {False: "OverreadReviewResources", True: "OverreadPublicReviewResources"}


class ReviewResourcesProvider(Construct):
    """Creates and deletes flow definitions and task UIs that policies beside them allow it by name.

    Unless it is the one for the public team, IAM denies it a flow definition with that team.
    """

    def __init__(self, scope: Construct, id: str, *, code: lambda_.Code, public: bool) -> None:
        """Use `of`: there is one in a stack."""
        super().__init__(scope, id)
        self.template_bytes: int = 0
        """Of the worker templates in this stack's template so far, written as JSON."""
        self.handler = Handler(
            self,
            "Provide",
            function_name=None,
            module="provide_review_resources",
            description="Custom resources: create, await and delete flow definitions and task UIs",
            code=code,
            environment={},
            timeout=SERVICE_TIMEOUT,
            asynchronous=True,
            placement=None,
            log_retention=logs.RetentionDays.ONE_YEAR,
            key=None,
            memory_mb=256,
        )
        self.handler.allow("sagemaker:ListFlowDefinitions", "sagemaker:ListHumanLoops", on=["*"])
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
                "CloudFormation calls it and awaits its answer at S3. It reads no data; its role reaches "
                "flow definitions and task UIs only; outside the network it outlives the network's changes."
            ),
        )

    @classmethod
    def of(
        cls, scope: Construct, *, code: lambda_.Code | None, public: bool = False
    ) -> ReviewResourcesProvider:
        """The provider of the stack that `scope` is in; the `code` of the stack's first resource counts."""
        existing = cls.find(scope, public=public)
        return existing or cls(Stack.of(scope), _ID[public], code=code or handler_code(), public=public)

    @classmethod
    def find(cls, scope: Construct, *, public: bool = False) -> ReviewResourcesProvider | None:
        """The provider of the stack that `scope` is in, where it has one already."""
        found = Stack.of(scope).node.try_find_child(_ID[public])
        return found if isinstance(found, ReviewResourcesProvider) else None
