"""The decision service: an HTTP API that routes predictions, and functions that open and read human loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from aws_cdk import Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from overread.review.limits import RangeLimit, TextLimit
from overread_constructs._acknowledgements import accept_wildcards, acknowledge
from overread_constructs._encryption import let_events_use, use_of_keys
from overread_constructs._handler import Handler, Placement
from overread_constructs._router_api import RouterApi
from overread_constructs._router_events import hear_reviews, start_each_minute, start_from_stream
from overread_constructs._rules import Rule, check
from overread_constructs.python_code import handler_code
from overread_constructs.review_service import ReviewService
from overread_constructs.reviewed_endpoint import ReviewedEndpoint
from overread_constructs.routing_policies import USE_CASE_NAME, RoutingPolicies

Backend = Literal["a2i", "overread"]
INPUT_PREFIX = "inputs/"
OPEN_INDEX = "open"
_NAME_PREFIX = TextLimit(1, 40, r"[a-z0-9](-*[a-z0-9])*")
_OUTPUT_PREFIX = TextLimit(1, 400, r"[A-Za-z0-9!_.*'()-]+(/[A-Za-z0-9!_.*'()-]+)*/")
_PROXY = TextLimit(8, 500, r"https?://[^\s/@]+(:[0-9]+)?/?")
_USE_CASES = RangeLimit(1, 100)
_SECURITY_GROUPS = RangeLimit(1, 5)
_INSIDE = ("appconfigdata", "dynamodb", "kms", "s3", "sqs")
"""What the functions behind a proxy reach through the network's own endpoints."""
_OUTSIDE_REASON = (
    "A2I's runtime, or a public review service, has no address in isolated subnets. This one takes no "
    "inbound traffic and reaches what its role allows, over TLS. With proxy_url or a private service it "
    "runs inside."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceRouterProps:
    """What a router is made of; endpoints by name, the table by its stream."""

    name_prefix: str
    output_prefix: str
    use_cases: tuple[str, ...]
    endpoints: tuple[str, ...]
    security_groups: tuple[ec2.ISecurityGroup, ...]
    backend: str
    reviews: bool
    proxy_url: str | None
    table: str | None
    throttling_rate: int
    throttling_burst: int


RULES: tuple[Rule[ConfidenceRouterProps], ...] = (
    Rule(prop="name_prefix", must=f"be {_NAME_PREFIX}", holds=lambda p: _NAME_PREFIX.allows(p.name_prefix)),
    Rule(
        prop="output_prefix",
        must=f"be {_OUTPUT_PREFIX}, such as reviews/",
        holds=lambda p: _OUTPUT_PREFIX.allows(p.output_prefix),
    ),
    Rule(
        prop="use_cases",
        must=f"name {_USE_CASES} use cases, each once",
        holds=lambda p: _USE_CASES.allows(len(p.use_cases)) and len(set(p.use_cases)) == len(p.use_cases),
    ),
    Rule(
        prop="use_cases",
        must=f"each be {USE_CASE_NAME}",
        holds=lambda p: all(USE_CASE_NAME.allows(name) for name in p.use_cases),
    ),
    Rule(
        prop="endpoints",
        must="hold each endpoint once",
        holds=lambda p: len(set(p.endpoints)) == len(p.endpoints),
    ),
    Rule(
        prop="security_groups",
        must=f"be {_SECURITY_GROUPS}",
        holds=lambda p: _SECURITY_GROUPS.allows(len(p.security_groups)),
    ),
    Rule(
        prop="backend",
        must=f"be one of {', '.join(get_args(Backend))}",
        holds=lambda p: p.backend in get_args(Backend),
    ),
    Rule(
        prop="reviews",
        must="be given with backend overread, and only then",
        holds=lambda p: p.reviews == (p.backend == "overread"),
    ),
    Rule(
        prop="proxy_url",
        must="be an http or https address without credentials or path, such as http://proxy.internal:3128",
        holds=lambda p: p.proxy_url is None or _PROXY.allows(p.proxy_url),
    ),
    Rule(
        prop="proxy_url",
        must="be left out with backend overread, which needs no way out of the network",
        holds=lambda p: p.proxy_url is None or p.backend != "overread",
    ),
    Rule(
        prop="table",
        must="have a stream of new images",
        holds=lambda p: p.table is not None,
    ),
    Rule(prop="throttling_rate", must="be at least 1 request/s", holds=lambda p: p.throttling_rate >= 1),
    Rule(prop="throttling_burst", must="be at least 1 request", holds=lambda p: p.throttling_burst >= 1),
)


class ConfidenceRouter(Construct):
    """Routes each prediction by confidence, rules and spot checks; uncertain ones become human loops.

    `POST /v1/use-cases/{name}/decisions` decides or answers 202, `GET /v1/decisions/{id}` reads. Both need
    AWS credentials that may `execute-api:Invoke`.

    Example::

        ConfidenceRouter(
            self, "Router", name_prefix="loans", table=table, input_bucket=inputs, output_bucket=answers,
            policies=policies, use_cases=["loan-approval"], endpoints=[endpoint],
            vpc=vpc, security_groups=[group], backend="a2i", key=key,
        )
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name_prefix: str,
        table: dynamodb.ITable,
        input_bucket: s3.IBucket,
        output_bucket: s3.IBucket,
        output_prefix: str = "reviews/",
        policies: RoutingPolicies,
        use_cases: Sequence[str],
        endpoints: Sequence[ReviewedEndpoint] = (),
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup],
        backend: Backend,
        reviews: ReviewService | None = None,
        proxy_url: str | None = None,
        code: lambda_.Code | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_YEAR,
        key: kms.IKey,
        throttling_rate: int = 100,
        throttling_burst: int = 200,
    ) -> None:
        """`table`: keys pk and sk, index `open`, a stream of new images. `key`: of logs, queues and secret.

        `proxy_url`: a way out of the network for the two functions that call A2I's runtime, which has no
        interface endpoint; without it these two run outside the network (backend "a2i" only). `reviews`:
        the review service of backend "overread"; with a private one these two run inside.

        Raises:
            PropsError: with every broken rule.
        """
        super().__init__(scope, id)
        props = ConfidenceRouterProps(
            name_prefix=name_prefix,
            output_prefix=output_prefix,
            use_cases=tuple(use_cases),
            endpoints=tuple(endpoint.endpoint_name for endpoint in endpoints),
            security_groups=tuple(security_groups),
            backend=backend,
            reviews=reviews is not None,
            proxy_url=proxy_url,
            table=table.table_stream_arn,
            throttling_rate=throttling_rate,
            throttling_burst=throttling_burst,
        )
        check(self, construct="ConfidenceRouter", props=props, rules=RULES)
        self._name_prefix = name_prefix
        self._table = table
        self._inputs = input_bucket
        self._key = key
        self._log_retention = log_retention
        self._code = code or handler_code()
        self._network = Placement(vpc=vpc, subnets=subnets, security_groups=tuple(security_groups))
        self._proxy_url = proxy_url
        self._outside = proxy_url is None and (reviews is None or not reviews.is_private)
        self._reviews = reviews
        self._policies = policies
        self._wildcards = {
            f"/{INPUT_PREFIX}*": "Inputs are named by their hash, and this prefix holds nothing else.",
            f"/{output_prefix}*": "A2I chooses the keys of its answers, and reports them.",
            ":human-loop/h-*": "A loop's name is made from its decision; the prefix is Overread's.",
            "/GET/human-loops/h-*": "A loop's name is made from its decision; the prefix is Overread's.",
            f":flow-definition/{name_prefix}-*": "Names end in a hash; the prefix is this deployment's.",
            "/configuration/*": "One profile a use case; the environment is this deployment's.",
            "/stream/*": "A stream is named by its time; listing streams reads no record.",
        }
        let_events_use(key, scope=self)
        secret = self._spot_check_secret()

        self._router = self._create_router(use_cases, secret=secret, endpoints=endpoints)
        self._reader = self._create_reader()
        self._starter = self._create_starter()
        self._ingest = self._create_ingest(output_bucket, output_prefix=output_prefix)
        start_from_stream(self._starter, table=table, key=key)
        start_each_minute(self._starter, key=key)
        hear_reviews(self._ingest, name_prefix=name_prefix, key=key)
        api = RouterApi(
            self,
            "Http",
            name=name_prefix,
            route_prediction=self._router.function,
            read_decision=self._reader.function,
            log_retention=log_retention,
            key=key,
            throttling_rate=throttling_rate,
            throttling_burst=throttling_burst,
        )
        self.api = api.api
        self.route_prediction: lambda_.Function = self._router.function
        self.read_decision: lambda_.Function = self._reader.function
        self.start_loop: lambda_.Function = self._starter.function
        self.ingest_review: lambda_.Function = self._ingest.function

    def _spot_check_secret(self) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            "SpotCheckKey",
            description="Key of the hash that picks spot checks, so that nobody can foretell them",
            encryption_key=self._key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=64, exclude_punctuation=True
            ),
        )
        acknowledge(
            secret,
            rule="SMG4",
            reason=(
                "Rotation would change the spot check of a request that is repeated meanwhile. The key opens "
                "nothing: only the router's role reads it, and KMS logs each reading."
            ),
        )
        return secret

    def _create_router(
        self,
        use_cases: Sequence[str],
        *,
        secret: secretsmanager.Secret,
        endpoints: Sequence[ReviewedEndpoint],
    ) -> Handler:
        handler = self._handler(
            "RoutePrediction",
            module="route_prediction",
            description="POST /v1/use-cases/{name}/decisions: records, predicts, decides or asks people",
            environment={
                **self._inputs_environment(),
                **self._policies_environment(),
                "OVERREAD_ENVIRONMENT": self._name_prefix,
                "OVERREAD_USE_CASES": ",".join(use_cases),
                "OVERREAD_SPOT_CHECK_SECRET": secret.secret_arn,
            },
            timeout=Duration.seconds(29),
            memory_mb=1024,
        )
        self._use_table(handler, "GetItem", "PutItem")
        self._use_inputs(handler, "s3:PutObject")
        self._policies.grant_read(handler.role)
        handler.allow("secretsmanager:GetSecretValue", on=[secret.secret_arn])
        for endpoint in endpoints:
            endpoint.grant_invoke(handler.role)
        self._use_keys(handler, self._table.encryption_key, self._inputs.encryption_key, self._key)
        return handler

    def _create_reader(self) -> Handler:
        handler = self._handler(
            "ReadDecision",
            module="read_decision",
            description="GET /v1/decisions/{id}",
            environment={},
            timeout=Duration.seconds(10),
        )
        self._use_table(handler, "GetItem")
        self._use_keys(handler, self._table.encryption_key)
        return handler

    def _create_starter(self) -> Handler:
        handler = self._handler(
            "StartLoop",
            module="start_loop",
            description="Opens a human loop for each pending decision; tries again each minute",
            environment={
                **self._inputs_environment(),
                **self._policies_environment(),
                **self._reviews_environment(),
            },
            timeout=Duration.seconds(55),
            asynchronous=True,
            outside=self._outside,
        )
        self._use_table(handler, "GetItem", "PutItem")
        handler.allow("dynamodb:Query", on=[f"{self._table.table_arn}/index/{OPEN_INDEX}"])
        self._use_inputs(handler, "s3:GetObject", "s3:GetObjectVersion")
        self._policies.grant_read(handler.role)
        if self._reviews is None:
            flow_definitions = self._sagemaker_arn("flow-definition", name=f"{self._name_prefix}-*")
            handler.allow("sagemaker:StartHumanLoop", on=[flow_definitions])
        else:
            self._reviews.grant_call(handler, ("POST", "/human-loops"))
        self._let_describe(handler)
        self._use_keys(handler, self._table.encryption_key, self._inputs.encryption_key)
        return handler

    def _create_ingest(self, output_bucket: s3.IBucket, *, output_prefix: str) -> Handler:
        handler = self._handler(
            "IngestReview",
            module="ingest_review",
            description="On a human loop's end: describes it, reads the answer, makes the decision final",
            environment={"OVERREAD_OUTPUT_BUCKET": output_bucket.bucket_name, **self._reviews_environment()},
            timeout=Duration.seconds(55),
            asynchronous=True,
            outside=self._outside,
        )
        self._use_table(handler, "GetItem", "PutItem")
        self._let_describe(handler)
        handler.allow("s3:GetObject", on=[output_bucket.arn_for_objects(f"{output_prefix}*")])
        self._use_keys(handler, self._table.encryption_key, output_bucket.encryption_key)
        return handler

    def _let_describe(self, handler: Handler) -> None:
        if self._reviews is None:
            loops = self._sagemaker_arn("human-loop", name="h-*")
            handler.allow("sagemaker:DescribeHumanLoop", on=[loops])
        else:
            self._reviews.grant_call(handler, ("GET", "/human-loops/h-*"))

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
            self,
            id,
            function_name=f"{self._name_prefix}-{module.replace('_', '-')}",
            module=module,
            description=description,
            code=self._code,
            environment={"OVERREAD_TABLE": self._table.table_name, **environment},
            timeout=timeout,
            asynchronous=asynchronous,
            placement=None if outside else self._network,
            log_retention=self._log_retention,
            key=self._key,
            memory_mb=memory_mb,
        )
        accept_wildcards(handler.role, reasons=self._wildcards)
        if outside:
            acknowledge(
                handler.function, rule="LambdaInsideVPC", pack="NIST.800.53.R5", reason=_OUTSIDE_REASON
            )
        return handler

    def _inputs_environment(self) -> dict[str, str]:
        return {"OVERREAD_INPUT_BUCKET": self._inputs.bucket_name}

    def _policies_environment(self) -> dict[str, str]:
        return {
            "OVERREAD_APPCONFIG_APPLICATION": self._policies.application_id,
            "OVERREAD_APPCONFIG_ENVIRONMENT": self._policies.environment_id,
        }

    def _reviews_environment(self) -> dict[str, str]:
        if self._reviews is not None:
            return {"OVERREAD_REVIEW_URL": self._reviews.url}
        if self._proxy_url is None:
            return {}
        domain = f"{Stack.of(self).region}.{Stack.of(self).url_suffix}"
        inside = [f"{prefix}{service}.{domain}" for service in _INSIDE for prefix in ("", ".")]
        return {"HTTPS_PROXY": self._proxy_url, "NO_PROXY": ",".join(inside)}

    def _use_table(self, handler: Handler, *operations: str) -> None:
        handler.allow(*(f"dynamodb:{operation}" for operation in operations), on=[self._table.table_arn])

    def _use_inputs(self, handler: Handler, *actions: str) -> None:
        handler.allow(*actions, on=[self._inputs.arn_for_objects(f"{INPUT_PREFIX}*")])

    def _use_keys(self, handler: Handler, *keys: kms.IKey | None) -> None:
        services = ("dynamodb", "s3", "secretsmanager")
        for statement in use_of_keys(keys, scope=self, services=services):
            handler.role.add_to_policy(statement)

    def _sagemaker_arn(self, resource: str, *, name: str) -> str:
        return Stack.of(self).format_arn(service="sagemaker", resource=resource, resource_name=name)
