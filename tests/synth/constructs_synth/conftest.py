"""One synthesis for the whole suite: stacks that use each construct in each of its ways, under cdk-nag."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Acknowledgment, App, Duration, Environment, RemovalPolicy, SecretValue, Stack, Validations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks

from overread.routing.envelope import Envelope
from overread_constructs import (
    AuditTrail,
    CognitoIdentity,
    CognitoWorkforce,
    Confidence,
    ConfidenceRouter,
    FlowDefinition,
    FormKeyConfidence,
    HumanTaskUi,
    NewsDelivery,
    OidcClients,
    OidcSignIn,
    OidcWorkforce,
    PolicyValidator,
    PrivateWorkforce,
    RandomSample,
    ReviewedEndpoint,
    ReviewService,
    RoutingPolicies,
    TextractActivation,
    VendorSignIn,
    Webhook,
    Workteam,
    sklearn_image,
)

ENVIRONMENT = Environment(account="123456789012", region="eu-central-1")
PAGE = (
    '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>'
    "<crowd-form><crowd-input name='note'></crowd-input></crowd-form>"
)
ISOLATED = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)


@dataclass(frozen=True)
class Synthesized:
    """The templates by stack, and what the validators found."""

    templates: dict[str, dict[str, Any]]
    report: dict[str, Any]

    def resources(self, stack: str, kind: str) -> dict[str, dict[str, Any]]:
        """Resources of one type by logical id."""
        found = self.templates[stack]["Resources"].items()
        return {name: resource for name, resource in found if resource["Type"] == kind}

    def one(self, stack: str, kind: str, *, like: str = "") -> dict[str, Any]:
        """Properties of the only resource of a type whose logical id has `like` in it."""
        (resource,) = (r for name, r in self.resources(stack, kind).items() if like in name)
        properties: dict[str, Any] = resource.get("Properties", {})
        return properties

    def functions(self, stack: str) -> dict[str, dict[str, Any]]:
        """Properties of Overread's functions by handler module."""
        found = self.resources(stack, "AWS::Lambda::Function").values()
        return {f["Properties"]["Handler"].split(".")[1]: f["Properties"] for f in found}

    def statements(self, stack: str, *, role: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
        """Every statement of identity policies with its roles; `role`: only of ids that have this in them."""
        for policy in self.resources(stack, "AWS::IAM::Policy").values():
            roles = ",".join(_role(reference) for reference in policy["Properties"]["Roles"])
            if role in roles:
                for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                    yield roles, statement

    def actions(self, stack: str, *, role: str) -> set[str]:
        """What a role is allowed."""
        found: set[str] = set()
        for _, statement in self.statements(stack, role=role):
            if statement["Effect"] == "Allow":
                found |= set(as_list(statement["Action"]))
        return found


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _role(reference: dict[str, str]) -> str:
    """The logical id; of another stack's role its export."""
    ((_, name),) = reference.items()
    return name


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    folder = tmp_path_factory.mktemp("synth")
    archive = folder / "model.tar.gz"
    archive.write_bytes(b"model")
    app = App(
        outdir=str(folder / "out"),
        context={"aws:cdk:bundling-stacks": []},
        analytics_reporting=False,
    )
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    data = Data(app)
    flow = review(app, data=data)
    policies = inference(app, data=data, archive=archive, flow=flow)
    reviews = review_service(app, data=data)
    exposed_service(app, data=data)
    routers(app, data=data, policies=policies, reviews=reviews)
    trail(app, data=data)
    workforces(app, data=data)
    app.synth()
    templates = {
        path.name.removesuffix(".template.json"): json.loads(path.read_text())
        for path in (folder / "out").glob("*.template.json")
    }
    report = json.loads((folder / "out" / "validation-report.json").read_text())
    return Synthesized(templates=templates, report=report)


class Data(Stack):
    """What an app that uses the constructs has already."""

    def __init__(self, app: App) -> None:
        super().__init__(app, "Data", env=ENVIRONMENT)
        self.key = kms.Key(self, "Key", enable_key_rotation=True)
        subnets = ec2.SubnetConfiguration(name="inner", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        self.vpc = ec2.Vpc(self, "Vpc", max_azs=2, nat_gateways=0, subnet_configuration=[subnets])
        self.group = ec2.SecurityGroup(self, "Group", vpc=self.vpc)
        service = ec2.InterfaceVpcEndpointAwsService("execute-api")
        self.endpoint = self.vpc.add_interface_endpoint("ExecuteApi", service=service)
        self.inputs = self._bucket("Inputs")
        self.answers = self._bucket("Answers")
        self.table = dynamodb.Table(
            self,
            "Decisions",
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            stream=dynamodb.StreamViewType.NEW_IMAGE,
            encryption_key=self.key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
        )
        for rule in ("S1", "VPC7", "EC23"):
            Validations.of(self).acknowledge(
                Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason="scenery of this test")
            )

    def _bucket(self, name: str) -> s3.Bucket:
        return s3.Bucket(
            self, name, encryption=s3.BucketEncryption.KMS, encryption_key=self.key, enforce_ssl=True
        )

    @property
    def network(self) -> dict[str, Any]:
        return {"vpc": self.vpc, "subnets": ISOLATED, "security_groups": [self.group]}

    @property
    def stores(self) -> dict[str, Any]:
        return {"table": self.table, "input_bucket": self.inputs, "output_bucket": self.answers}


def flow_definition(stack: Stack, name: str, *, data: Data, team: Workteam, **props: Any) -> FlowDefinition:
    """A flow definition with a page of its own."""
    return FlowDefinition(
        stack,
        name,
        **{
            "name_prefix": f"loans-{name.lower()}",
            "workteam": team,
            "human_task_ui": HumanTaskUi(
                stack,
                f"{name}Page",
                name_prefix=f"loans-{name.lower()}",
                template=PAGE,
                service=props.get("service"),
            ),
            "output_bucket": data.answers,
            "output_prefix": "reviews/",
            "input_buckets": [data.inputs],
            "title": "Loan decision",
            "description": "Read the application again and decide",
            "availability": Duration.days(1),
            "time_limit": Duration.minutes(30),
            **props,
        },
    )


def review(app: App, *, data: Data) -> FlowDefinition:
    """A private team and two flow definitions, one of them for Textract."""
    stack = Stack(app, "Review", env=ENVIRONMENT)
    identity = CognitoIdentity(user_pool_id="eu-central-1_abc", client_id="client")
    workforce = PrivateWorkforce.adopt(stack, "Workforce", workforce_name="default", cognito=identity)
    team = Workteam(
        stack, "Team", name="loans", description="Readers", workforce=workforce, groups=["senior", "junior"]
    )
    low = FormKeyConfidence(key="Total", key_value_block=Confidence(less_than=85))
    flow_definition(
        stack,
        "Forms",
        data=data,
        team=team,
        keywords=["forms", "credit risk"],
        task_count=2,
        on_delete="drain",
        activation=TextractActivation((low, RandomSample(percentage=5))),
    )
    return flow_definition(stack, "Loans", data=data, team=team)


def inference(app: App, *, data: Data, archive: Path, flow: FlowDefinition) -> RoutingPolicies:
    """A reviewed endpoint behind a router on A2I, and the policies of two use cases."""
    stack = Stack(app, "Inference", env=ENVIRONMENT)
    arn = flow.flow_definition_arn
    documents = {
        name: json.dumps({"use_case": name, "review": {"flow_definition_arn": arn}})
        for name in ("loan", "card")
    }
    envelope = Envelope(
        lowest_threshold=0.8,
        highest_alpha=0.02,
        highest_delta=0.05,
        cases_per_hour=120,
        review_seconds=90,
        reviewers=4,
    )
    validator = PolicyValidator(
        stack,
        "Validator",
        name_prefix="loans",
        table=data.table,
        envelopes=dict.fromkeys(documents, envelope),
        key=data.key,
        **data.network,
    )
    policies = RoutingPolicies(
        stack, "Policies", name="loans", documents=documents, deployment="linear", validator=validator
    )
    endpoint = ReviewedEndpoint(
        stack,
        "Model",
        endpoint_name="loans-loan",
        model_archive=archive,
        image=sklearn_image("eu-central-1"),
        instance_type="ml.m5.large",
        instance_count=2,
        max_instance_count=4,
        key=data.key,
        inference_environment={"WORKERS": "2"},
        **data.network,
    )
    ConfidenceRouter(
        stack,
        "Router",
        name_prefix="loans",
        policies=policies,
        use_cases=["loan", "card"],
        endpoints=[endpoint],
        backend="a2i",
        key=data.key,
        **data.stores,
        **data.network,
    )
    return policies


def review_service(app: App, *, data: Data) -> ReviewService:
    """A private review service with a team and a flow definition, and another stack's flow definition."""
    stack = Stack(app, "Desk", env=ENVIRONMENT)
    service = ReviewService(
        stack,
        "Reviews",
        name_prefix="desk",
        workforce=CognitoWorkforce(domain_prefix="desk-readers"),
        endpoint=data.endpoint,
        key=data.key,
        operations_key=data.key,
        access_logs=data.answers,
        **data.network,
    )
    team = Workteam.of_service(
        stack, "Team", name="loans", description="Readers", service=service, groups=["senior", "leads"]
    )
    flow_definition(
        stack,
        "Loans",
        data=data,
        team=team,
        service=service,
        guideline_version="2026-11",
        qualification="loans",
    )
    elsewhere = Stack(app, "Elsewhere", env=ENVIRONMENT)
    flow_definition(elsewhere, "Cards", data=data, team=team, service=service)
    return service


def oidc_client(name: str) -> OidcSignIn:
    """A client at an identity provider."""
    names = ("issuer", "authorization", "token", "user_info", "logout", "jwks")
    issuer, authorization, token, user_info, logout, jwks = (f"https://{name}.example/{n}" for n in names)
    return OidcSignIn(
        client_id=f"{name}-client",
        client_secret_arn=f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:{name}-AbCdEf",
        issuer=issuer,
        authorization_endpoint=authorization,
        token_endpoint=token,
        user_info_endpoint=user_info,
        logout_endpoint=logout,
        jwks_uri=jwks,
    )


def exposed_service(app: App, *, data: Data) -> None:
    """A public review service with foreign sign-in, a vendor, a proxy, and what tests switch on."""
    stack = Stack(app, "Exposed", env=ENVIRONMENT)
    service = ReviewService(
        stack,
        "Reviews",
        name_prefix="exposed",
        workforce=oidc_client("staff"),
        vendors=[VendorSignIn(name="acme", title="Acme Reviews", oidc=oidc_client("acme"))],
        lead_groups=["heads"],
        statistics="named",
        sandbox=True,
        chaos_duplicate=0.2,
        chaos_delay=0.1,
        source_ip_cidrs=["203.0.113.0/24"],
        proxy_url="http://proxy.internal:3128",
        key=data.key,
        operations_key=data.key,
        access_logs=data.answers,
        removal_policy=RemovalPolicy.DESTROY,
        deletion_protection=False,
        **data.network,
    )
    vendor = Workteam.of_vendor(stack, "Vendor", name="acme", service=service)
    flow_definition(stack, "Open", data=data, team=vendor, service=service)


def routers(app: App, *, data: Data, policies: RoutingPolicies, reviews: ReviewService) -> None:
    """Routers behind a proxy, on the review service, and for OIDC clients, with somebody else's policies."""
    backends: dict[str, dict[str, Any]] = {
        "Proxied": {"backend": "a2i", "proxy_url": "http://proxy.internal:3128"},
        "Own": {"backend": "overread", "reviews": reviews},
        "Clients": {
            "backend": "a2i",
            "clients": OidcClients(issuer="https://id.example.com", audience="overread"),
        },
    }
    for name, props in backends.items():
        stack = Stack(app, name, env=ENVIRONMENT)
        imported = RoutingPolicies.from_ids(
            stack,
            "Policies",
            application_id=policies.application_id,
            environment_id=policies.environment_id,
        )
        ConfidenceRouter(
            stack,
            "Router",
            name_prefix=name.lower(),
            policies=imported,
            use_cases=["loan"],
            key=data.key,
            **props,
            **data.stores,
            **data.network,
        )


def trail(app: App, *, data: Data) -> None:
    """The audit log's archive with a change of terms, and a delivery with a receiver in the internet."""
    stack = Stack(app, "Trail", env=ENVIRONMENT)
    stores = data.stores
    audit = AuditTrail(
        stack,
        "Audit",
        name_prefix="loans",
        table=stores["table"],
        bucket=data.answers,
        inputs=stores["input_bucket"],
        outputs=stores["output_bucket"],
        key=data.key,
        **{"subnets": None, **data.network},
    )
    audit.log_changes(
        "Terms", texts={"policy/loan": "{}"}, proposed_by="ada", approved_by="bob", needs_two=True
    )
    NewsDelivery(
        stack,
        "News",
        name_prefix="loans",
        table=stores["table"],
        feedback_bucket=stores["input_bucket"],
        webhooks={"loan": Webhook(url="https://core.example/decisions")},
        key=data.key,
        **{"subnets": None, **data.network},
    )


def workforces(app: App, *, data: Data) -> None:
    """Workforces that are created, with Cognito and with OIDC, and the public team."""
    stack = Stack(app, "Cognito", env=ENVIRONMENT)
    workforce = PrivateWorkforce.create(
        stack,
        "Workforce",
        workforce_name="readers",
        cognito=CognitoWorkforce(domain_prefix="loan-readers"),
        source_ip_cidrs=["203.0.113.0/24"],
    )
    for name in ("one", "two"):
        Workteam(stack, name, name=name, description=name, workforce=workforce, groups=["readers", name])

    stack = Stack(app, "Oidc", env=ENVIRONMENT)
    addresses = ("issuer", "authorization", "token", "user_info", "logout", "jwks")
    issuer, authorization, token, user_info, logout, jwks = (f"https://id.example.com/{a}" for a in addresses)
    oidc = OidcWorkforce(
        client_id="overread",
        client_secret=SecretValue.secrets_manager("oidc-client"),
        issuer=issuer,
        authorization_endpoint=authorization,
        token_endpoint=token,
        user_info_endpoint=user_info,
        logout_endpoint=logout,
        jwks_uri=jwks,
    )
    workforce = PrivateWorkforce.create(stack, "Workforce", workforce_name="readers", oidc=oidc)
    Workteam(stack, "Team", name="loans", description="x", workforce=workforce, groups=["a", "b"])

    stack = Stack(app, "Crowd", env=ENVIRONMENT)
    public = Workteam.public(
        stack, "Public", data_free_of_personal_information=True, acknowledge_closure=True
    )
    flow_definition(
        stack, "Open", data=data, team=public, price_usd=Decimal("0.036"), availability=Duration.hours(12)
    )
    vendor = Workteam.from_workteam_arn(
        stack, "Vendor", arn="arn:aws:sagemaker:eu-central-1:111122223333:workteam/vendor-crowd/acme"
    )
    flow_definition(stack, "Closed", data=data, team=vendor)
