"""All faults of one construct come in one error; values that CloudFormation fills in are not judged."""

from decimal import Decimal
from pathlib import Path

import pytest
from aws_cdk import App, Duration, Fn, SecretValue, Stack, Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

import overread_constructs
from overread.errors import OverreadError
from overread_constructs import (
    AnyOf,
    CognitoIdentity,
    CognitoWorkforce,
    FlowDefinition,
    HumanTaskUi,
    OidcSignIn,
    OidcWorkforce,
    PrivateWorkforce,
    PropsError,
    ReviewedEndpoint,
    ReviewService,
    RoutingPolicies,
    TextractActivation,
    VendorSignIn,
    Workteam,
    sklearn_image,
)

PAGE = "<crowd-form><crowd-input name='a'></crowd-input></crowd-form>"


@pytest.fixture
def stack() -> Stack:
    return Stack(App(context={"aws:cdk:bundling-stacks": []}), "Loans")


def team(stack: Stack) -> Workteam:
    workforce = PrivateWorkforce.adopt(stack, "Workforce", workforce_name="default")
    return Workteam(stack, "Team", name="loans", description="x", workforce=workforce, groups=["readers"])


def test_every_fault_of_a_flow_definition_is_in_one_error(stack: Stack) -> None:
    with pytest.raises(PropsError) as raised:
        FlowDefinition(
            stack,
            "Review",
            name_prefix="loans",
            workteam=team(stack),
            human_task_ui=HumanTaskUi(stack, "Page", name_prefix="loans", template=PAGE),
            output_bucket=s3.Bucket(stack, "Answers"),
            output_prefix="reviews/",
            title="",
            description="Decide",
            task_count=4,
            availability=Duration.days(1),
            time_limit=Duration.minutes(30),
            price_usd=Decimal("0.012"),
            activation=TextractActivation((AnyOf(()),)),
        )
    assert raised.value.construct == "FlowDefinition at Loans/Review"
    assert [fault.split(" must ")[0] for fault in raised.value.faults] == [
        "title",
        "task_count",
        "price_usd",
        "activation.conditions[0]: AnyOf",
    ]
    assert all(fault in str(raised.value) for fault in raised.value.faults)


def test_a_props_error_is_one_of_overreads_and_a_value_error() -> None:
    assert issubclass(PropsError, OverreadError)
    assert issubclass(PropsError, ValueError)


def test_tokens_are_not_judged(stack: Stack) -> None:
    token = Fn.import_value("Something_With Bad-Characters")
    PrivateWorkforce.adopt(stack, "Workforce", workforce_name=token)
    assert Workteam.from_workteam_arn(stack, "Team", arn=token).kind == "private"
    RoutingPolicies(
        stack, "Policies", name=token, documents={"loan": Token.as_string({"Ref": "X"})}, deployment="linear"
    )


def test_a_template_with_a_liquid_error_is_refused_with_file_line_and_column(
    stack: Stack, tmp_path: Path
) -> None:
    page = tmp_path / "page.liquid.html"
    page.write_text("<crowd-form>\n{% if task.input.x %}\n</crowd-form>\n")
    with pytest.raises(PropsError) as raised:
        HumanTaskUi(stack, "Page", name_prefix="Loans", template=page)
    name, liquid = raised.value.faults
    assert name.startswith("name_prefix must be")
    assert liquid.startswith(f"{page}:")
    assert liquid.split(":")[1].isdigit()
    assert "liquid-syntax" in liquid


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "must be a readable file"), (b"\xff", "must be UTF-8 text"), (b"", "must have 1 to 128,000")],
)
def test_a_template_file_that_cannot_be_read_is_one_fault(
    stack: Stack, tmp_path: Path, content: bytes | None, message: str
) -> None:
    page = tmp_path / "page.liquid.html"
    if content is not None:
        page.write_bytes(content)
    with pytest.raises(PropsError) as raised:
        HumanTaskUi(stack, "Page", name_prefix="loans", template=page)
    (fault,) = raised.value.faults
    assert message in fault


def test_task_uis_of_one_stack_share_the_room_of_its_template(stack: Stack) -> None:
    # 65,900 characters of six bytes each in JSON, about 395,500 bytes a page: two fit, a third does not.
    page = PAGE.replace("name=", "title=''  name=").replace("''", f"'{'ü' * 65_900}'")
    for number in range(2):
        HumanTaskUi(stack, f"Page{number}", name_prefix="loans", template=page)
    with pytest.raises(PropsError) as raised:
        HumanTaskUi(stack, "Page2", name_prefix="loans", template=page)
    (fault,) = raised.value.faults
    assert fault.startswith("templates_bytes must be at most 800,000 in one stack")


def test_faults_of_the_identity_provider_are_reported_with_those_of_the_workforce(stack: Stack) -> None:
    with pytest.raises(PropsError) as raised:
        PrivateWorkforce.create(
            stack, "Workforce", workforce_name="", cognito=CognitoWorkforce(domain_prefix="AWS")
        )
    assert len(raised.value.faults) == 2
    oidc = OidcWorkforce(
        client_id="c",
        client_secret=SecretValue.secrets_manager("s"),
        issuer="id.example.com",
        authorization_endpoint="https://id.example.com/a",
        token_endpoint="https://id.example.com/t",
        user_info_endpoint="https://id.example.com/u",
        logout_endpoint="https://id.example.com/l",
        jwks_uri="https://id.example.com/j",
    )
    with pytest.raises(PropsError, match=r"issuer must be an https address .* got 'id\.example\.com'"):
        PrivateWorkforce.create(stack, "Other", workforce_name="default", oidc=oidc)


def test_faults_of_every_provider_of_a_review_service_come_together_each_with_whose_it_is(
    stack: Stack,
) -> None:
    def provider(issuer: str) -> OidcSignIn:
        return OidcSignIn(
            client_id="c",
            client_secret_arn="arn:aws:secretsmanager:eu-west-1:123456789012:secret:s-AbCdEf",
            issuer=issuer,
            authorization_endpoint="https://id.example.com/a",
            token_endpoint="https://id.example.com/t",
            user_info_endpoint="https://id.example.com/u",
            logout_endpoint="https://id.example.com/l",
            jwks_uri="https://id.example.com/j",
        )

    vpc = ec2.Vpc(stack, "Vpc")
    with pytest.raises(PropsError) as raised:
        ReviewService(
            stack,
            "Reviews",
            name_prefix="Loans",
            workforce=provider("id.example.com"),
            vendors=[VendorSignIn(name="acme", title="Acme", oidc=provider("acme.example.com"))],
            vpc=vpc,
            security_groups=[ec2.SecurityGroup(stack, "Group", vpc=vpc)],
            key=kms.Key(stack, "Key"),
            operations_key=kms.Key(stack, "Operations"),
            access_logs=s3.Bucket(stack, "Logs"),
        )
    assert [fault.split(" must ")[0] for fault in raised.value.faults] == [
        "name_prefix",
        "workforce: issuer",
        "vendor acme: issuer",
    ]
    assert "got 'acme.example.com'" in raised.value.faults[-1]


def test_groups_of_a_cognito_workforce_may_be_longer_than_those_of_oidc(stack: Stack) -> None:
    identity = CognitoIdentity(user_pool_id="eu-west-1_abc", client_id="c")
    workforce = PrivateWorkforce.adopt(stack, "Workforce", workforce_name="default", cognito=identity)
    Workteam(stack, "Team", name="t", description="x", workforce=workforce, groups=["g" * 128])


def test_the_public_team_is_refused_with_both_reasons(stack: Stack) -> None:
    with pytest.raises(PropsError) as raised:
        Workteam.public(stack, "Crowd", data_free_of_personal_information=False, acknowledge_closure=False)
    assert len(raised.value.faults) == 2


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ({"loan": "{"}, "documents['loan'] must be JSON, got '{'"),
        ({"loan": "[]"}, "documents['loan'] must be a JSON object, got list"),
        ({"loan": '{"use_case": "card"}'}, "documents['loan'] must have that use_case, got 'card'"),
    ],
)
def test_a_policy_that_is_no_json_object_for_its_use_case_is_refused(
    stack: Stack, documents: dict[str, str], message: str
) -> None:
    with pytest.raises(PropsError) as raised:
        RoutingPolicies(stack, "Policies", name="loans", documents=documents, deployment="linear")
    assert message in str(raised.value)


def test_only_one_principal_may_invoke_a_reviewed_endpoint(stack: Stack, tmp_path: Path) -> None:
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(b"")
    vpc = ec2.Vpc(stack, "Vpc")
    endpoint = ReviewedEndpoint(
        stack,
        "Model",
        endpoint_name="loans",
        model_archive=archive,
        image=sklearn_image("eu-west-1"),
        instance_type="ml.m5.large",
        instance_count=1,
        max_instance_count=2,
        key=kms.Key(stack, "Key"),
        vpc=vpc,
        security_groups=[ec2.SecurityGroup(stack, "Group", vpc=vpc)],
    )
    router, other = (
        iam.Role(stack, name, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        for name in ("Router", "Other")
    )
    endpoint.grant_invoke(router)
    endpoint.grant_invoke(router)
    with pytest.raises(PropsError, match="grant_invoke must have one grantee, the router"):
        endpoint.grant_invoke(other)


def test_an_image_in_a_token_needs_a_role(stack: Stack, tmp_path: Path) -> None:
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(b"")
    vpc = ec2.Vpc(stack, "Vpc")
    with pytest.raises(PropsError, match="image must be plain text unless a role is given"):
        ReviewedEndpoint(
            stack,
            "Model",
            endpoint_name="loans",
            model_archive=archive,
            image=Fn.import_value("Image"),
            instance_type="ml.m5.large",
            instance_count=1,
            max_instance_count=2,
            key=kms.Key(stack, "Key"),
            vpc=vpc,
            security_groups=[ec2.SecurityGroup(stack, "Group", vpc=vpc)],
        )


@pytest.mark.parametrize(
    "name",
    [
        "ConfidenceRouter",
        "FlowDefinition",
        "HumanTaskUi",
        "PolicyValidator",
        "PrivateWorkforce",
        "ReviewService",
        "ReviewedEndpoint",
        "RoutingPolicies",
        "Workteam",
        "TextractActivation",
        "RekognitionActivation",
        "handler_code",
        "review_code",
    ],
)
def test_a_public_construct_has_an_example_in_its_docstring(name: str) -> None:
    assert "Example::\n\n" in getattr(overread_constructs, name).__doc__


def test_the_bundler_has_an_example_in_its_docstring() -> None:
    assert "Example::\n\n" in (overread_constructs.PythonCode.bundle.__doc__ or "")
