"""The decision service: an HTTP API that routes predictions, and functions that open and read human loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from overread.review.limits import OIDC_ENDPOINT, RangeLimit, TextLimit
from overread_constructs._client_authorizer import ClientAuthorizer, OidcClients
from overread_constructs._decision_functions import DecisionFunctions
from overread_constructs._encryption import let_events_use
from overread_constructs._handler import Placement
from overread_constructs._router_api import RouterApi
from overread_constructs._router_events import (
    hear_reviews,
    look_at_open_reviews,
    resume_each_minute,
    start_each_minute,
    start_from_stream,
    watch_each_minute,
)
from overread_constructs._rules import Rule, check
from overread_constructs.acknowledgements import acknowledge
from overread_constructs.python_code import handler_code
from overread_constructs.review_service import ReviewService
from overread_constructs.reviewed_endpoint import ReviewedEndpoint
from overread_constructs.routing_policies import USE_CASE_NAME, RoutingPolicies

Backend = Literal["a2i", "overread"]
_NAME_PREFIX = TextLimit(1, 40, r"[a-z0-9](-*[a-z0-9])*")
_OUTPUT_PREFIX = TextLimit(1, 400, r"[A-Za-z0-9!_.*'()-]+(/[A-Za-z0-9!_.*'()-]+)*/")
_PROXY = TextLimit(8, 500, r"https?://[^\s/@]+(:[0-9]+)?/?")
_USE_CASES = RangeLimit(1, 100)
_SECURITY_GROUPS = RangeLimit(1, 5)


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
    queues: tuple[str, ...]
    starts_per_second: float
    start_burst: int
    throttling_rate: int
    throttling_burst: int
    clients: OidcClients | None


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
        prop="table",
        must="have a stream of new images",
        holds=lambda p: p.table is not None,
    ),
    Rule(
        prop="queues",
        must="name teams, each once, with letters, digits and hyphens",
        holds=lambda p: (
            all(USE_CASE_NAME.allows(name) for name in p.queues) and len(set(p.queues)) == len(p.queues)
        ),
    ),
    Rule(
        prop="starts_per_second",
        must="be above 0 human loops/s",
        holds=lambda p: p.starts_per_second > 0,
    ),
    Rule(prop="start_burst", must="be at least 1 human loop", holds=lambda p: p.start_burst >= 1),
    Rule(prop="throttling_rate", must="be at least 1 request/s", holds=lambda p: p.throttling_rate >= 1),
    Rule(prop="throttling_burst", must="be at least 1 request", holds=lambda p: p.throttling_burst >= 1),
    Rule(
        prop="clients",
        must="have an https address as issuer, and an audience",
        holds=lambda p: (
            p.clients is None or (OIDC_ENDPOINT.allows(p.clients.issuer) and bool(p.clients.audience.strip()))
        ),
    ),
)


class ConfidenceRouter(Construct):
    """Routes each prediction by confidence, rules and spot checks; uncertain ones become human loops.

    `POST /v1/use-cases/{name}/decisions` decides or answers 202, `GET /v1/decisions/{id}` reads; callers may
    cancel, contest, and tell what turned out to be true. All need AWS credentials that may
    `execute-api:Invoke`, or, with `clients`, a token of an identity provider.

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
        prediction_role_arn: str | None = None,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup],
        backend: Backend,
        reviews: ReviewService | None = None,
        proxy_url: str | None = None,
        code: lambda_.Code | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_YEAR,
        key: kms.IKey,
        queues: Sequence[str] = (),
        starts_per_second: float = 2.0,
        start_burst: int = 10,
        changes_need_two: bool = True,
        throttling_rate: int = 100,
        throttling_burst: int = 200,
        clients: OidcClients | None = None,
    ) -> None:
        """`table`: keys pk and sk, the indexes of docs/constructs.md, a stream of new images. `key`: of logs,
        queues and secret.

        `queues`: the teams for which a routing policy limits the human loops that are open at a time.
        `starts_per_second`, `start_burst`: how fast human loops are started, over all use cases.
        `changes_need_two`: switching models on again and changing the roster, approving a guarantee and
        letting an error monitor begin anew take two persons.

        `clients`: callers with an identity provider's tokens, in place of AWS principals.

        `prediction_role_arn`: a role in the account of models, which may invoke them; the functions that
        predict assume it.

        `proxy_url`: a way out of the network for the two functions that call A2I's runtime, which has no
        interface endpoint, or a public review service, and for the check of clients' tokens; without it
        these run outside the network. `reviews`: the review service of backend "overread"; with a private
        one the two run inside without a proxy.

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
            queues=tuple(queues),
            starts_per_second=starts_per_second,
            start_burst=start_burst,
            throttling_rate=throttling_rate,
            throttling_burst=throttling_burst,
            clients=clients,
        )
        check(self, construct="ConfidenceRouter", props=props, rules=RULES)
        let_events_use(key, scope=self)
        functions = DecisionFunctions(
            scope=self,
            name_prefix=name_prefix,
            table=table,
            inputs=input_bucket,
            outputs=output_bucket,
            output_prefix=output_prefix,
            policies=policies,
            use_cases=tuple(use_cases),
            endpoints=tuple(endpoints),
            prediction_role_arn=prediction_role_arn,
            network=Placement(vpc=vpc, subnets=subnets, security_groups=tuple(security_groups)),
            reviews=reviews,
            proxy_url=proxy_url,
            queues=tuple(queues),
            starts_per_second=starts_per_second,
            start_burst=start_burst,
            changes_need_two=changes_need_two,
            spot_check_secret=self._spot_check_secret(key),
            code=code or handler_code(),
            log_retention=log_retention,
            key=key,
        )
        router, reader = functions.router(), functions.reader()
        starter, ingest = functions.starter(), functions.ingest()
        changer, steerer, resumer = functions.changer(), functions.steerer(), functions.resumer()
        watcher = functions.watcher()
        for endpoint in endpoints:
            endpoint.grant_invoke(router.role, resumer.role)
        start_from_stream(starter, table=table, key=key)
        start_each_minute(starter, key=key)
        hear_reviews(ingest, name_prefix=name_prefix, key=key)
        look_at_open_reviews(ingest, key=key)
        resume_each_minute(resumer, key=key)
        watch_each_minute(watcher, key=key)
        authorizer = None
        if clients is not None:
            authorizer = ClientAuthorizer(
                self,
                "Clients",
                name_prefix=name_prefix,
                clients=clients,
                network=functions.network,
                proxy_url=proxy_url,
                code=code,
                log_retention=log_retention,
                key=key,
            )
        api = RouterApi(
            self,
            "Http",
            name=name_prefix,
            route_prediction=router.function,
            read_decision=reader.function,
            change_decision=changer.function,
            steer=steerer.function,
            log_retention=log_retention,
            key=key,
            throttling_rate=throttling_rate,
            throttling_burst=throttling_burst,
            clients=authorizer.authorizer if authorizer else None,
        )
        self.api = api.api
        self.route_prediction: lambda_.Function = router.function
        self.read_decision: lambda_.Function = reader.function
        self.change_decision: lambda_.Function = changer.function
        self.steer: lambda_.Function = steerer.function
        self.start_loop: lambda_.Function = starter.function
        self.ingest_review: lambda_.Function = ingest.function
        self.resume_decisions: lambda_.Function = resumer.function
        self.watch_errors: lambda_.Function = watcher.function
        self.predicting: tuple[iam.IRole, ...] = (router.role, resumer.role)

    def _spot_check_secret(self, key: kms.IKey) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            "SpotCheckKey",
            description="Key of the hash that picks spot checks, so that nobody can foretell them",
            encryption_key=key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=64, exclude_punctuation=True
            ),
        )
        acknowledge(
            secret,
            rule="SMG4",
            reason=(
                "Rotation would change the spot check of a request that is repeated meanwhile. The key opens "
                "nothing: only the routers' roles read it, and KMS logs each reading."
            ),
        )
        return secret
