"""Each rule of each construct's table is broken by a value of its own, and says so; good props break none."""

import dataclasses
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Duration, SecretValue

from overread.review.limits import PricedTask
from overread.routing.envelope import Envelope
from overread_constructs import (
    confidence_router,
    flow_definition,
    human_task_ui,
    policy_validator,
    review_service,
    reviewed_endpoint,
    routing_policies,
    workforce,
    workteam,
)
from overread_constructs._client_authorizer import OidcClients
from overread_constructs._review_identity import SIGN_IN_RULES, OidcSignIn
from overread_constructs._rules import Rule, broken

ARCHIVE = Path("model.tar.gz")
PUBLIC = {"team": "public", "price_usd": Decimal("0.036"), "availability": Duration.hours(12)}
TEXTRACT = {"priced_as": PricedTask.TEXTRACT}
VERSION = ("overread:guideline-version", "2026-11")
GROUP: Any = object()
ENVELOPE = Envelope(
    lowest_threshold=0.9,
    highest_alpha=0.02,
    highest_delta=0.05,
    cases_per_hour=120,
    review_seconds=90,
    reviewers=4,
)

GOOD: dict[str, tuple[Sequence[Rule[Any]], Any]] = {
    "ui": (
        human_task_ui.RULES,
        human_task_ui.HumanTaskUiProps(
            name_prefix="loans",
            template="<crowd-form></crowd-form>",
            template_bytes=400_000,
            templates_bytes=800_000,
        ),
    ),
    "adopt": (
        workforce.ADOPT_RULES,
        workforce.PrivateWorkforceProps(
            workforce_name="default", cognito=None, oidc=None, source_ip_cidrs=()
        ),
    ),
    "create": (
        workforce.CREATE_RULES,
        workforce.PrivateWorkforceProps(
            workforce_name="default",
            cognito=workforce.CognitoWorkforce(domain_prefix="loans"),
            oidc=None,
            source_ip_cidrs=("203.0.113.0/24", "2001:db8::/32"),
        ),
    ),
    "cognito": (workforce.COGNITO_RULES, workforce.CognitoWorkforce(domain_prefix="loan-reviewers")),
    "oidc": (
        workforce.OIDC_RULES,
        workforce.OidcWorkforce(
            client_id="overread",
            client_secret=SecretValue.secrets_manager("oidc"),
            **dict.fromkeys(workforce.OIDC_ENDPOINTS, "https://id.example.com/x"),
        ),
    ),
    "team": (
        workteam.RULES,
        workteam.WorkteamProps(name="Loans-1", description="Readers", groups=("reviewers",), cognito=False),
    ),
    "imported team": (
        workteam.IMPORT_RULES,
        workteam.ImportedWorkteamProps(
            arn="arn:aws:sagemaker:eu-west-1:123456789012:workteam/vendor-crowd/acme"
        ),
    ),
    "public team": (
        workteam.PUBLIC_RULES,
        workteam.PublicWorkteamProps(data_free_of_personal_information=True, acknowledge_closure=True),
    ),
    "flow": (
        flow_definition.RULES,
        flow_definition.FlowDefinitionProps(
            name_prefix="loans",
            human_task_ui="loans",
            team="private",
            output_prefix="reviews/",
            title="Loan",
            description="Decide",
            task_count=3,
            availability=Duration.days(10),
            time_limit=Duration.hours(8),
            keywords=("loans", "credit risk"),
            price_usd=None,
            priced_as=PricedTask.CUSTOM,
            on_delete="drain",
            service=False,
            tags=(),
        ),
    ),
    "policies": (
        routing_policies.RULES,
        routing_policies.RoutingPoliciesProps(
            name="loans", documents={"loan-approval": "{}"}, deployment="linear"
        ),
    ),
    "validator": (
        policy_validator.RULES,
        policy_validator.PolicyValidatorProps(name_prefix="loans", envelopes={"loan-approval": ENVELOPE}),
    ),
    "endpoint": (
        reviewed_endpoint.RULES,
        reviewed_endpoint.ReviewedEndpointProps(
            endpoint_name="loans",
            model_archive=ARCHIVE,
            image="683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3",
            instance_type="ml.m5.large",
            instance_count=1,
            max_instance_count=1,
            security_groups=(GROUP,),
            inference_environment={"WORKERS": "2"},
        ),
    ),
    "router": (
        confidence_router.RULES,
        confidence_router.ConfidenceRouterProps(
            name_prefix="loans",
            output_prefix="reviews/",
            use_cases=("loan-approval",),
            endpoints=("loans",),
            security_groups=(GROUP,),
            backend="a2i",
            reviews=False,
            proxy_url="http://proxy.internal:3128",
            table="arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/now",
            queues=("readers",),
            starts_per_second=0.1,
            start_burst=1,
            throttling_rate=1,
            throttling_burst=1,
            clients=None,
        ),
    ),
    "service": (
        review_service.RULES,
        review_service.ReviewServiceProps(
            name_prefix="loans",
            vendors=("acme", "second-readers"),
            lead_groups=("leads",),
            statistics="pseudonymous",
            chaos=(1.0, 0.9),
            source_ip_cidrs=("203.0.113.0/24", "2001:db8::/32"),
            is_private=False,
        ),
    ),
    "sign-in": (
        SIGN_IN_RULES,
        OidcSignIn(
            client_id="overread",
            client_secret_arn="arn:aws:secretsmanager:eu-west-1:123456789012:secret:oidc-AbCdEf",
            **dict.fromkeys(workforce.OIDC_ENDPOINTS, "https://id.example.com/x"),
        ),
    ),
}

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:workteam"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/a"
FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("ui", {"name_prefix": "Loans"}, "name_prefix must be 1 to 54 characters"),
    ("ui", {"name_prefix": "x" * 55}, "name_prefix must be 1 to 54 characters"),
    ("ui", {"name_prefix": "-x"}, "got '-x'"),
    ("ui", {"template": ""}, "template must have 1 to 128,000 characters, got ''"),
    ("ui", {"template": "x" * 128_001}, "(128003 characters)"),
    ("ui", {"template_bytes": 400_001}, "template_bytes must be at most 400,000, written as JSON in ASCII"),
    ("ui", {"templates_bytes": 800_001}, "templates_bytes must be at most 800,000 in one stack"),
    ("adopt", {"workforce_name": "my_force"}, "workforce_name must be 1 to 63 characters"),
    ("create", {"workforce_name": ""}, "workforce_name must be 1 to 63 characters"),
    ("create", {"cognito": None}, "cognito must be given when oidc is not, and only then"),
    ("create", {"oidc": GROUP}, "cognito must be given when oidc is not, and only then"),
    ("create", {"source_ip_cidrs": ("10.0.0.0/8",) * 11}, "source_ip_cidrs must have at most 10 networks"),
    ("create", {"source_ip_cidrs": ("10.0.0.1/8",)}, "source_ip_cidrs must be IPv4 or IPv6 networks"),
    ("cognito", {"domain_prefix": "Loans"}, "domain_prefix must be 1 to 63 characters"),
    ("cognito", {"domain_prefix": "my-aws-pool"}, "without aws, amazon or cognito"),
    ("oidc", {"client_id": ""}, "client_id must have 1 to 1,024 characters"),
    *(
        ("oidc", {endpoint: "http://id.example.com"}, f"{endpoint} must be an https address")
        for endpoint in workforce.OIDC_ENDPOINTS
    ),
    ("team", {"name": "loan team"}, "name must be 1 to 63 characters"),
    ("team", {"description": "x" * 201}, "description must have 1 to 200 characters"),
    ("team", {"groups": ()}, "groups must name 1 to 10 groups, got ()"),
    ("team", {"groups": tuple("abcdefghijk")}, "groups must name 1 to 10 groups"),
    ("team", {"groups": ("a", "a")}, "groups must name each group once"),
    ("team", {"groups": ("x" * 64,)}, "with OIDC 1 to 63 characters"),
    ("team", {"groups": ("x" * 129,), "cognito": True}, "be names of 1 to 128 characters"),
    ("imported team", {"arn": "loans"}, "arn must be the ARN of a work team"),
    ("imported team", {"arn": f"{ARN}/public-crowd/default"}, "for the public team use Workteam.public"),
    ("imported team", {"arn": f"{ARN}/other-crowd/x"}, "of a private-crowd or vendor-crowd team"),
    (
        "public team",
        {"data_free_of_personal_information": False},
        "everybody on Mechanical Turk can see the tasks",
    ),
    ("public team", {"acknowledge_closure": False}, "Mechanical Turk is closing and refuses new customers"),
    ("flow", {"human_task_ui": "cards"}, "human_task_ui must have the flow definition's name_prefix"),
    ("flow", {"name_prefix": "a_b", "human_task_ui": "a_b"}, "name_prefix must be 1 to 54 characters"),
    ("flow", {"output_prefix": "/reviews"}, "output_prefix must be 1 to 400 characters"),
    ("flow", {"title": "x" * 129}, "title must have 1 to 128 characters"),
    ("flow", {"description": ""}, "description must have 1 to 255 characters, got ''"),
    ("flow", {"task_count": 0}, "task_count must be 1 to 3 workers for each loop, got 0"),
    ("flow", {"task_count": 4}, "task_count must be 1 to 3 workers for each loop, got 4"),
    ("flow", {"availability": Duration.days(11)}, "1 to 864,000 seconds (10 days), got 11 days"),
    ("flow", {"availability": Duration.seconds(0)}, "availability must be 1 to 864,000 seconds"),
    (
        "flow",
        {**PUBLIC, "availability": Duration.hours(13)},
        "1 to 43,200 seconds (12 hours) with the public team, got 13 hours",
    ),
    ("flow", {"time_limit": Duration.seconds(29)}, "30 to 28,800 seconds (8 hours), got 29 seconds"),
    ("flow", {"time_limit": Duration.hours(9)}, "time_limit must be 30 to 28,800 seconds"),
    ("flow", {"keywords": tuple("abcdef")}, "keywords must be at most 5"),
    ("flow", {"keywords": ("credit-risk",)}, "keywords must each be 1 to 30 characters"),
    ("flow", {"price_usd": Decimal("0.036")}, "A2I pays the public team only, got Decimal('0.036')"),
    ("flow", {**PUBLIC, "price_usd": None}, "price_usd must be given for the public team"),
    ("flow", {**PUBLIC, "price_usd": Decimal("0.037")}, "price_usd must be one of 0.012 0.024 0.036"),
    ("flow", {**PUBLIC, "price_usd": Decimal("1.320")}, "1.080 1.200, got Decimal('1.320')"),
    ("flow", {**PUBLIC, **TEXTRACT, "price_usd": Decimal("2.5")}, "2.280 2.400, got Decimal('2.5')"),
    ("flow", {"on_delete": "force"}, "on_delete must be one of refuse, drain, got 'force'"),
    ("flow", {**PUBLIC, "service": True}, "service must be left out with the public team"),
    (
        "flow",
        {"service": True, "tags": (("overread:guideline-version", "draft #2"),)},
        "tags must have values",
    ),
    ("flow", {"tags": (VERSION,)}, "service must be given with guideline_version or qualification"),
    ("policies", {"name": "x" * 65}, "name must have 1 to 64 characters"),
    ("policies", {"documents": {}}, "documents must hold at least one use case, got {}"),
    ("policies", {"documents": {"Loan": "{}"}}, "documents must be by use case, each 1 to 30 characters"),
    ("policies", {"documents": {"loan": ""}}, "documents must each have a text of 1 to 1,048,576"),
    ("policies", {"deployment": "canary"}, "deployment must be one of all-at-once, linear, got 'canary'"),
    ("validator", {"name_prefix": "Loans"}, "name_prefix must be 1 to 40 characters"),
    ("validator", {"envelopes": {}}, "envelopes must hold at least one use case"),
    (
        "validator",
        {"envelopes": {f"use-case-{number}": ENVELOPE for number in range(40)}},
        "envelopes must be at most 3500 characters as JSON",
    ),
    ("endpoint", {"endpoint_name": "Loans"}, "lower case, as in its ARN"),
    ("endpoint", {"model_archive": Path("/nowhere/m.tar.gz")}, "must be an existing .tar.gz file"),
    ("endpoint", {"model_archive": Path(__file__)}, "must be an existing .tar.gz file"),
    ("endpoint", {"image": "scikit-learn:1"}, "image must be an image in ECR"),
    ("endpoint", {"image": f"{IMAGE}@sha256:12"}, "image must be an image in ECR"),
    ("endpoint", {"instance_type": "m5.large"}, "instance_type must be a SageMaker instance type"),
    ("endpoint", {"instance_type": "ml.m5d.large"}, "instance_type must have no local disk"),
    ("endpoint", {"instance_count": 0}, "instance_count must be 1 to 100, got 0"),
    ("endpoint", {"instance_count": 2}, "max_instance_count must be 1 to 100 and not below instance_count"),
    ("endpoint", {"max_instance_count": 101}, "max_instance_count must be 1 to 100"),
    ("endpoint", {"security_groups": ()}, "security_groups must be 1 to 5"),
    (
        "endpoint",
        {"inference_environment": {f"K{n}": "" for n in range(15)}},
        "inference_environment must have at most 14 entries",
    ),
    ("endpoint", {"inference_environment": {"1A": ""}}, "inference_environment must have keys of"),
    ("endpoint", {"inference_environment": {"SAGEMAKER_PROGRAM": "x"}}, "none of SAGEMAKER_PROGRAM"),
    ("router", {"name_prefix": "x" * 41}, "name_prefix must be 1 to 40 characters"),
    ("router", {"output_prefix": "reviews"}, "such as reviews/, got 'reviews'"),
    ("router", {"use_cases": ()}, "use_cases must name 1 to 100 use cases, each once"),
    ("router", {"use_cases": ("a", "a")}, "use_cases must name 1 to 100 use cases, each once"),
    ("router", {"use_cases": ("Loan",)}, "use_cases must each be 1 to 30 characters"),
    ("router", {"endpoints": ("a", "a")}, "endpoints must hold each endpoint once"),
    ("router", {"security_groups": ()}, "security_groups must be 1 to 5"),
    ("router", {"backend": "own", "proxy_url": None}, "backend must be one of a2i, overread, got 'own'"),
    ("router", {"proxy_url": "http://user:secret@proxy"}, "proxy_url must be an http or https address"),
    ("router", {"backend": "overread", "proxy_url": None}, "reviews must be given with backend overread"),
    ("router", {"reviews": True}, "reviews must be given with backend overread, and only then, got True"),
    ("router", {"table": None}, "table must have a stream of new images, got None"),
    ("router", {"queues": ("Read ers",)}, "queues must name teams, each once"),
    ("router", {"starts_per_second": 0.0}, "starts_per_second must be above 0 human loops/s, got 0.0"),
    ("router", {"start_burst": 0}, "start_burst must be at least 1 human loop, got 0"),
    (
        "router",
        {"clients": OidcClients(issuer="http://id.example", audience="overread")},
        "clients must have an https address as issuer, and an audience",
    ),
    ("router", {"throttling_rate": 0}, "throttling_rate must be at least 1 request/s, got 0"),
    ("router", {"throttling_burst": 0}, "throttling_burst must be at least 1 request, got 0"),
    ("service", {"name_prefix": "Loans"}, "name_prefix must be 1 to 40 characters"),
    ("service", {"vendors": ("acme", "acme")}, "vendors must have different names"),
    ("service", {"vendors": ("Acme",)}, "of lower-case letters, digits and hyphens"),
    ("service", {"vendors": ("a" * 64,)}, "vendors must have different names of lower-case letters"),
    *(
        ("service", {"vendors": (name,)}, "none of them invited, sandbox, workforce")
        for name in ("invited", "sandbox", "workforce")
    ),
    ("service", {"lead_groups": ()}, "lead_groups must name at least one group, got ()"),
    ("service", {"statistics": "all"}, "statistics must be one of off, pseudonymous, named, got 'all'"),
    ("service", {"chaos": (1.1, 0.0)}, "chaos must be shares from 0 to 1, of delays to 0.9"),
    ("service", {"chaos": (0.0, 1.0)}, "chaos must be shares from 0 to 1, of delays to 0.9"),
    ("service", {"source_ip_cidrs": ("10.0.0.1/8",)}, "source_ip_cidrs must be IPv4 or IPv6 networks"),
    ("sign-in", {"client_id": ""}, "client_id must have 1 to 1,024 characters"),
    (
        "sign-in",
        {"client_secret_arn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:oidc"},
        "client_secret_arn must be a secret's whole ARN",
    ),
    *(
        ("sign-in", {endpoint: "http://id.example.com"}, f"{endpoint} must be an https address")
        for endpoint in workforce.OIDC_ENDPOINTS
    ),
    ("service", {"is_private": True}, "source_ip_cidrs must be left out of a private service"),
]


@pytest.fixture(autouse=True)
def _folder_with_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ARCHIVE).write_bytes(b"")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("table", GOOD)
def test_good_props_break_no_rule(table: str) -> None:
    rules, props = GOOD[table]
    assert broken(props, rules=rules) == []


@pytest.mark.parametrize(
    ("table", "change", "message"), FAULTS, ids=[f"{table}-{message[:50]}" for table, _, message in FAULTS]
)
def test_a_bad_prop_is_named_with_its_value_and_what_is_allowed(
    table: str, change: dict[str, Any], message: str
) -> None:
    rules, props = GOOD[table]
    (fault,) = broken(dataclasses.replace(props, **change), rules=rules)
    assert message in fault
    assert ", got " in fault


@pytest.mark.parametrize("table", GOOD)
def test_every_rule_is_broken_by_some_fault(table: str) -> None:
    rules, props = GOOD[table]
    worlds = [dataclasses.replace(props, **change) for name, change, _ in FAULTS if name == table]
    unbroken = [f"{rule.prop} must {rule.must}" for rule in rules if all(rule.holds(w) for w in worlds)]
    assert unbroken == []


@pytest.mark.parametrize(
    "change",
    [PUBLIC, {**PUBLIC, **TEXTRACT, "price_usd": Decimal("2.4")}, {**PUBLIC, "price_usd": Decimal("1.2")}],
)
def test_the_public_team_takes_prices_of_its_ladder(change: dict[str, Any]) -> None:
    rules, props = GOOD["flow"]
    assert broken(dataclasses.replace(props, **change), rules=rules) == []
