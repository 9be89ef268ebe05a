"""The functions of the decision service, each with a role that may do what its handler does."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from overread_constructs._encryption import use_of_keys
from overread_constructs._handler import Handler, Placement, proxy_environment
from overread_constructs._item_fences import MONITORED, STEERED, keep_off, keep_to
from overread_constructs.acknowledgements import accept_wildcards, acknowledge
from overread_constructs.review_service import ReviewService
from overread_constructs.reviewed_endpoint import ReviewedEndpoint
from overread_constructs.routing_policies import RoutingPolicies

INPUT_PREFIX, ROSTER_PREFIX, GUARANTEE_PREFIX = "inputs/", "rosters/", "guarantees/"
_OPEN, _QUEUE, _LISTS = "open", "queue", ("caller", "reference")
_READ = ("GetItem", "BatchGetItem")
_COMMIT_AUTOMATIC = (*_READ, "PutItem", "ConditionCheckItem")
_COMMIT = (*_READ, "PutItem", "UpdateItem")
"""Only where the model decides are kill switches part of the transaction; places in queues elsewhere only."""
_INSIDE = ("appconfigdata", "dynamodb", "kms", "s3", "sqs")
"""What the functions behind a proxy reach through the network's own endpoints."""
_OUTSIDE_REASON = (
    "A2I's runtime, or a public review service, has no address in isolated subnets. This one takes no "
    "inbound traffic and reaches what its role allows, over TLS. With proxy_url or a private service it "
    "runs inside."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionFunctions:
    """Makes the functions under `scope`; every method may be called once."""

    scope: Construct
    name_prefix: str
    table: dynamodb.ITable
    inputs: s3.IBucket
    outputs: s3.IBucket
    output_prefix: str
    policies: RoutingPolicies
    use_cases: tuple[str, ...]
    endpoints: tuple[ReviewedEndpoint, ...]
    prediction_role_arn: str | None
    network: Placement
    reviews: ReviewService | None
    proxy_url: str | None
    queues: tuple[str, ...]
    starts_per_second: float
    start_burst: int
    changes_need_two: bool
    spot_check_secret: secretsmanager.Secret
    code: lambda_.Code
    log_retention: logs.RetentionDays
    key: kms.IKey

    def router(self) -> Handler:
        """Answers requests for decisions."""
        handler = self._handler(
            "RoutePrediction",
            module="route_prediction",
            description="POST /v1/use-cases/{name}/decisions: records, predicts, decides or asks people",
            environment={
                **self._inputs_environment(),
                **self._policies_environment(),
                **self._use_cases_environment(),
                "OVERREAD_ENVIRONMENT": self.name_prefix,
                **self._models_environment(),
                "OVERREAD_SPOT_CHECK_SECRET": self.spot_check_secret.secret_arn,
            },
            timeout=Duration.seconds(29),
            memory_mb=1024,
        )
        self._let_predict(handler)
        self._use_inputs(handler, "s3:PutObject")
        return handler

    def resumer(self) -> Handler:
        """Finishes requests whose router died."""
        handler = self._handler(
            "ResumeDecisions",
            module="resume_decisions",
            description="Each minute: routes requests whose router died before it could",
            environment={
                **self._inputs_environment(),
                **self._policies_environment(),
                **self._models_environment(),
                "OVERREAD_SPOT_CHECK_SECRET": self.spot_check_secret.secret_arn,
            },
            timeout=Duration.seconds(55),
            asynchronous=True,
        )
        self._let_predict(handler)
        self._query(handler, _OPEN)
        self._use_inputs(handler, "s3:GetObjectVersion")
        return handler

    def reader(self) -> Handler:
        """Answers what became of decisions."""
        handler = self._handler(
            "ReadDecision",
            module="read_decision",
            description="GET /v1/decisions and /v1/decisions/{id}",
            environment={},
            timeout=Duration.seconds(10),
        )
        self._use_table(handler, "GetItem")
        self._query(handler, *_LISTS)
        self._use_keys(handler, self.table.encryption_key)
        return handler

    def changer(self) -> Handler:
        """Cancels, begins contests, records truths."""
        handler = self._handler(
            "ChangeDecision",
            module="change_decision",
            description="POST /v1/decisions/{id}/cancel, /contest and /outcome",
            environment=self._policies_environment(),
            timeout=Duration.seconds(29),
        )
        self._use_table(handler, *_COMMIT)
        self._keep_to_decisions(handler)
        self.policies.grant_read(handler.role)
        self._use_keys(handler, self.table.encryption_key)
        return handler

    def steerer(self) -> Handler:
        """Turns kill switches, puts rosters in force, keeps approved guarantees, restarts error monitors."""
        handler = self._handler(
            "Steer",
            module="steer",
            description="What people steer, each change by two persons where that is the rule",
            environment={
                **self._inputs_environment(),
                **self._policies_environment(),
                **self._use_cases_environment(),
                "OVERREAD_CHANGES_NEED_TWO": "true" if self.changes_need_two else "false",
            },
            timeout=Duration.seconds(29),
        )
        self._use_table(handler, "GetItem", "PutItem")
        for prefix in (ROSTER_PREFIX, GUARANTEE_PREFIX):
            handler.allow("s3:GetObject", "s3:PutObject", on=[self.inputs.arn_for_objects(f"{prefix}*")])
        self.policies.grant_read(handler.role)
        self._use_keys(handler, self.table.encryption_key, self.inputs.encryption_key)
        return handler

    def watcher(self) -> Handler:
        """Watches how often models are wrong."""
        handler = self._handler(
            "WatchErrors",
            module="watch_errors",
            description="Each minute: counts spot checks and outcomes, turns off a model that errs too often",
            environment={
                **self._inputs_environment(),
                **self._policies_environment(),
                **self._use_cases_environment(),
            },
            timeout=Duration.seconds(55),
            asynchronous=True,
        )
        self._use_table(handler, "GetItem", "PutItem", "DeleteItem", "Query")
        keep_to(handler, *MONITORED, "SWITCH#*", "CHAIN#*", "change/*", table=self.table)
        self.policies.grant_read(handler.role)
        self._use_keys(handler, self.table.encryption_key)
        return handler

    def starter(self) -> Handler:
        """Opens human loops."""
        handler = self._handler(
            "StartLoop",
            module="start_loop",
            description="Opens human loops for the decisions that wait for people; tries again each minute",
            environment={
                **self._inputs_environment(),
                **self._policies_environment(),
                **self._reviews_environment(),
                **({"OVERREAD_QUEUES": ",".join(self.queues)} if self.queues else {}),
                "OVERREAD_STARTS_PER_SECOND": str(self.starts_per_second),
                "OVERREAD_START_BURST": str(self.start_burst),
            },
            timeout=Duration.seconds(55),
            asynchronous=True,
            outside=self._is_outside,
        )
        self._use_table(handler, *_COMMIT)
        self._keep_to_decisions(handler)
        self._query(handler, _OPEN, _QUEUE)
        self._use_inputs(handler, "s3:GetObjectVersion")
        self.policies.grant_read(handler.role)
        if self.reviews is None:
            flow_definitions = self._sagemaker_arn("flow-definition", name=f"{self.name_prefix}-*")
            handler.allow("sagemaker:StartHumanLoop", on=[flow_definitions])
        else:
            self.reviews.grant_call(handler, ("POST", "/human-loops"))
        self._let_describe_and_stop(handler)
        self._use_keys(handler, self.table.encryption_key, self.inputs.encryption_key)
        return handler

    def ingest(self) -> Handler:
        """Reads what human loops came to."""
        handler = self._handler(
            "IngestReview",
            module="ingest_review",
            description="On a human loop's end, and each minute: reads answers, makes decisions final",
            environment={
                "OVERREAD_OUTPUT_BUCKET": self.outputs.bucket_name,
                **self._inputs_environment(),
                **self._policies_environment(),
                **self._use_cases_environment(),
                **self._reviews_environment(),
            },
            timeout=Duration.seconds(55),
            asynchronous=True,
            outside=self._is_outside,
        )
        self._use_table(handler, *_COMMIT)
        self._keep_to_decisions(handler)
        self._query(handler, _OPEN)
        self.policies.grant_read(handler.role)
        self._let_describe_and_stop(handler)
        self._let_list(handler)
        handler.allow("s3:GetObject", on=[self.outputs.arn_for_objects(f"{self.output_prefix}*")])
        handler.allow("s3:GetObject", on=[self.inputs.arn_for_objects(f"{ROSTER_PREFIX}*")])
        self._use_keys(
            handler, self.table.encryption_key, self.outputs.encryption_key, self.inputs.encryption_key
        )
        return handler

    @property
    def _is_outside(self) -> bool:
        return self.proxy_url is None and (self.reviews is None or not self.reviews.is_private)

    def _let_predict(self, handler: Handler) -> None:
        self._use_table(handler, *_COMMIT_AUTOMATIC)
        self._keep_to_decisions(handler)
        self.policies.grant_read(handler.role)
        handler.allow("secretsmanager:GetSecretValue", on=[self.spot_check_secret.secret_arn])
        if self.prediction_role_arn is not None:
            handler.allow("sts:AssumeRole", on=[self.prediction_role_arn])
        self._use_keys(handler, self.table.encryption_key, self.inputs.encryption_key, self.key)

    def _let_describe_and_stop(self, handler: Handler) -> None:
        if self.reviews is None:
            loops = self._sagemaker_arn("human-loop", name="h-*")
            handler.allow("sagemaker:DescribeHumanLoop", "sagemaker:StopHumanLoop", on=[loops])
        else:
            self.reviews.grant_call(handler, ("GET", "/human-loops/h-*"), ("POST", "/human-loops/stop"))

    def _let_list(self, handler: Handler) -> None:
        if self.reviews is None:
            handler.allow("sagemaker:ListHumanLoops", on=["*"])
        else:
            self.reviews.grant_call(handler, ("GET", "/human-loops"))

    def _handler(
        self,
        id: str,
        *,
        module: str,
        description: str,
        environment: dict[str, str],
        timeout: Duration,
        asynchronous: bool = False,
        outside: bool = False,
        memory_mb: int = 512,
    ) -> Handler:
        handler = Handler(
            self.scope,
            id,
            function_name=f"{self.name_prefix}-{module.replace('_', '-')}",
            module=module,
            description=description,
            code=self.code,
            environment={
                "OVERREAD_DEPLOYMENT": self.name_prefix,
                "OVERREAD_TABLE": self.table.table_name,
                **environment,
            },
            timeout=timeout,
            asynchronous=asynchronous,
            placement=None if outside else self.network,
            log_retention=self.log_retention,
            key=self.key,
            memory_mb=memory_mb,
        )
        accept_wildcards(handler.role, reasons=self._wildcards)
        if outside:
            acknowledge(handler.function, rule="LambdaInsideVPC", reason=_OUTSIDE_REASON)
        return handler

    @property
    def _wildcards(self) -> dict[str, str]:
        return {
            f"/{INPUT_PREFIX}*": "Inputs are named by their hash, and this prefix holds nothing else.",
            f"/{GUARANTEE_PREFIX}*": "Guarantees are named by their hash; nothing else is there.",
            f"/{ROSTER_PREFIX}*": "Rosters are named by their hash, and this prefix holds nothing else.",
            f"/{self.output_prefix}*": "A2I chooses the keys of its answers, and reports them.",
            ":human-loop/h-*": "A loop's name is made from its decision; the prefix is Overread's.",
            "/GET/human-loops/h-*": "A loop's name is made from its decision; the prefix is Overread's.",
            f":flow-definition/{self.name_prefix}-*": "Names end in a hash; the prefix is this deployment's.",
            "/configuration/*": "One profile a use case; the environment is this deployment's.",
            "/stream/*": "A stream is named by its time; listing streams reads no record.",
        }

    def _inputs_environment(self) -> dict[str, str]:
        return {"OVERREAD_INPUT_BUCKET": self.inputs.bucket_name}

    def _models_environment(self) -> dict[str, str]:
        role = self.prediction_role_arn
        return {} if role is None else {"OVERREAD_PREDICTION_ROLE": role}

    def _use_cases_environment(self) -> dict[str, str]:
        return {"OVERREAD_USE_CASES": ",".join(self.use_cases)}

    def _policies_environment(self) -> dict[str, str]:
        return {
            "OVERREAD_APPCONFIG_APPLICATION": self.policies.application_id,
            "OVERREAD_APPCONFIG_ENVIRONMENT": self.policies.environment_id,
        }

    def _reviews_environment(self) -> dict[str, str]:
        reviews = {} if self.reviews is None else {"OVERREAD_REVIEW_URL": self.reviews.url}
        if self.proxy_url is None or (self.reviews is not None and self.reviews.is_private):
            return reviews
        return reviews | proxy_environment(self.proxy_url, scope=self.scope, inside=_INSIDE)

    def _use_table(self, handler: Handler, *operations: str) -> None:
        handler.allow(*(f"dynamodb:{operation}" for operation in operations), on=[self.table.table_arn])

    def _keep_to_decisions(self, handler: Handler) -> None:
        keep_off(handler, *STEERED, *MONITORED, table=self.table)

    def _query(self, handler: Handler, *indexes: str) -> None:
        handler.allow("dynamodb:Query", on=[f"{self.table.table_arn}/index/{index}" for index in indexes])

    def _use_inputs(self, handler: Handler, *actions: str) -> None:
        handler.allow(*actions, on=[self.inputs.arn_for_objects(f"{INPUT_PREFIX}*")])

    def _use_keys(self, handler: Handler, *keys: kms.IKey | None) -> None:
        services = ("dynamodb", "s3", "secretsmanager")
        for statement in use_of_keys(keys, scope=self.scope, services=services):
            handler.role.add_to_policy(statement)

    def _sagemaker_arn(self, resource: str, *, name: str) -> str:
        return Stack.of(self.scope).format_arn(service="sagemaker", resource=resource, resource_name=name)
