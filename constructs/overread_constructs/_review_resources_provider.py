"""The function behind the custom resources of human review: one a stack, another for the public team."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from overread_constructs._handler import Handler
from overread_constructs.acknowledgements import acknowledge
from overread_constructs.python_code import handler_code

if TYPE_CHECKING:
    from overread_constructs.review_service import ReviewService

SERVICE_TIMEOUT = Duration.minutes(10)
"""CloudFormation gives up then; the function has as long."""

_SERVICE_ID = "OverreadServiceResources"
_OPERATIONS = (
    "CreateFlowDefinition",
    "CreateHumanTaskUi",
    "CreateWorkforce",
    "CreateWorkteam",
    "DeleteFlowDefinition",
    "DeleteHumanTaskUi",
    "DeleteWorkforce",
    "DeleteWorkteam",
    "DescribeFlowDefinition",
    "DescribeHumanTaskUi",
    "DescribeWorkforce",
    "DescribeWorkteam",
    "ListFlowDefinitions",
    "UpdateWorkforce",
    "UpdateWorkteam",
)
"""What making and removing resources takes, of the review service's API."""

_ID = {False: "OverreadReviewResources", True: "OverreadPublicReviewResources"}


class ReviewResourcesProvider(Construct):
    """Creates and deletes flow definitions and task UIs that policies beside them allow it by name.

    Unless it is the one for the public team, IAM denies it a flow definition with that team.
    """

    def __init__(
        self, scope: Construct, id: str, *, code: lambda_.Code, public: bool, service: ReviewService | None
    ) -> None:
        """Use `of`: there is one in a stack."""
        super().__init__(scope, id)
        self.template_bytes: int = 0
        """Of the worker templates in this stack's template so far, written as JSON."""
        self.service = service
        self.handler = Handler(
            self,
            "Provide",
            function_name=_function_name(self, service=service) if service else None,
            module="provide_review_resources",
            description="Custom resources: create, await and delete flow definitions and task UIs",
            code=code,
            environment={"OVERREAD_REVIEW_URL": service.url} if service else {},
            timeout=SERVICE_TIMEOUT,
            asynchronous=True,
            placement=service.callers if service else None,
            log_retention=logs.RetentionDays.ONE_YEAR,
            key=service.operations_key if service else None,
            memory_mb=256,
        )
        if service is None:
            self._manage_a2i(public=public)
            acknowledge(
                self.handler.log_group,
                rule="CloudWatchLogGroupEncrypted",
                reason=(
                    "It logs names of flow definitions and task UIs, no data; CloudWatch Logs encrypts "
                    "it with its own key."
                ),
            )
        else:
            service.grant_call(
                self.handler,
                *(("POST", f"/sagemaker/{name}") for name in _OPERATIONS),
                ("GET", "/human-loops"),
            )
        if service is None or service.callers is None:
            self._acknowledge_outside()

    def _manage_a2i(self, *, public: bool) -> None:
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

    def _acknowledge_outside(self) -> None:
        acknowledge(
            self.handler.function,
            rule="LambdaInsideVPC",
            reason=(
                "CloudFormation calls it and awaits its answer at S3. It reads no data; its role reaches "
                "flow definitions and task UIs only; outside the network it outlives the network's changes."
            ),
        )

    @classmethod
    def of(
        cls,
        scope: Construct,
        *,
        code: lambda_.Code | None,
        public: bool = False,
        service: ReviewService | None = None,
    ) -> ReviewResourcesProvider:
        """The provider of the stack that `scope` is in; the `code` of the stack's first resource counts.

        With `service` it makes its resources in that review service, and runs in its network.
        """
        existing = cls.find(scope, public=public, service=service)
        if existing is not None:
            return existing
        name = _SERVICE_ID if service else _ID[public]
        return cls(Stack.of(scope), name, code=code or handler_code(), public=public, service=service)

    @classmethod
    def find(
        cls, scope: Construct, *, public: bool = False, service: ReviewService | None = None
    ) -> ReviewResourcesProvider | None:
        """The provider of the stack that `scope` is in, where it has one already."""
        found = Stack.of(scope).node.try_find_child(_SERVICE_ID if service else _ID[public])
        return found if isinstance(found, ReviewResourcesProvider) else None


def _function_name(scope: Construct, *, service: ReviewService) -> str:
    """Of the provider in the service's own stack, or in another, which is told apart by a hash."""
    own, name = Stack.of(scope), f"{service.name_prefix}-review-resources"
    if own is Stack.of(service):
        return name
    return f"{name}-{hashlib.sha256(own.stack_name.encode()).hexdigest()[:6]}"
