"""The studio stack: the domain's exact settings, roles without wildcards, endpoints in reach, the guard."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment
from tests.synth.stacks_synth.conftest import ACCOUNT, REPOSITORY

from overread_cli.guard.create_only import create_only
from overread_cli.guard.dangers import dangers
from overread_config import ConfigError, Settings, StudioSettings, load_settings
from overread_config.studio import RImageSettings, StudioUserSettings
from overread_config.studio_lock import lock_faults, write_lock
from overread_constructs._rules import PropsError
from overread_stacks.app_factory import FEATURE_FLAGS, build_app
from overread_stacks.checks import add_every_check
from overread_stacks.data_stack import DataStack
from overread_stacks.network_stack import NetworkStack
from overread_stacks.operations_stack import OperationsStack, watch
from overread_stacks.studio_stack import StudioStack

ENVIRONMENT = Environment(account="111122223333", region="eu-central-1")
TODAY = date(2026, 11, 24)
VERSION = "2026.08.2+200.pro1"
Template = dict[str, Any]


def studio_of(**changes: Any) -> StudioSettings:
    given: dict[str, Any] = {
        "auth_mode": "IAM",
        "users": (
            StudioUserSettings(name="ada", owner="ada@acme.example", admin=True),
            StudioUserSettings(name="ben", owner="ben@acme.example", admin=False),
        ),
        "connect_url": None,
        "package_manager_url": "https://packages.acme.example",
        "workbench_version": VERSION,
        "server_instance": None,
        "r_images": (
            RImageSettings(
                name="r-geo",
                image="111122223333.dkr.ecr.eu-central-1.amazonaws.com/r-geo:4",
                workbench_version=VERSION,
            ),
        ),
        "data_prefix": "r/",
        "instance_types": ("ml.m5.large",),
        "project": "loans",
        "log_group": "create",
        "on_destroy": "domain",
    }
    return StudioSettings(**(given | changes))


def synthesize(folder: Path, *, settings: Settings, checked: bool = False) -> StudioStack:
    app = App(
        outdir=str(folder),
        context={**FEATURE_FLAGS, "aws:cdk:bundling-stacks": []},
        analytics_reporting=False,
    )
    assert settings.studio is not None
    network = NetworkStack(app, "net", settings=settings, env=ENVIRONMENT)
    data = DataStack(app, "data", settings=settings, env=ENVIRONMENT)
    stack = StudioStack(
        app,
        "studio",
        settings=settings,
        studio=settings.studio,
        env=ENVIRONMENT,
        network=network,
        data=data,
        today=TODAY,
    )
    operations = OperationsStack(
        app, "operations", settings=settings, env=ENVIRONMENT, network=network, data=data
    )
    watch(network, data, stack, operations, operations=operations, settings=settings)
    if checked:
        add_every_check(app, today=datetime.now(UTC).date())
    try:
        app.synth()
    except RuntimeError as error:  # the report says more
        if "ValidationFailed" not in str(error):
            raise
    return stack


def settings_with(studio: StudioSettings, *, file: str = "config/prod.yaml") -> Settings:
    return replace(load_settings(REPOSITORY / file), studio=studio)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("studio")
    synthesize(path, settings=settings_with(studio_of()), checked=True)
    return path


@pytest.fixture
def template(folder: Path) -> Template:
    return dict(json.loads((folder / "studio.template.json").read_text()))


@pytest.fixture
def network(folder: Path) -> Template:
    return dict(json.loads((folder / "net.template.json").read_text()))


def of(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in template["Resources"].items() if one["Type"] == kind}


def only(template: Template, kind: str, *, like: str = "") -> dict[str, Any]:
    (found,) = (one for name, one in of(template, kind).items() if like in name)
    return dict(found)


def statements(template: Template, *, role: str = "") -> list[dict[str, Any]]:
    return [
        statement
        for name, policy in of(template, "AWS::IAM::Policy").items()
        if role in name
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]


def test_no_finding_of_any_pack_is_left(folder: Path) -> None:
    report = json.loads((folder / "validation-report.json").read_text())
    left = [
        (finding["ruleName"], construct.get("constructPath"))
        for pack in report["pluginReports"]
        for finding in pack["violations"]
        for construct in finding["violatingConstructs"]
        if str(construct.get("constructPath")).startswith(("studio", "net"))
    ]
    assert left == [], "\n".join(map(str, left))


def test_the_domain_is_closed_kept_and_has_exactly_these_settings(template: Template) -> None:
    domain = only(template, "AWS::SageMaker::Domain")
    properties = domain["Properties"]
    assert domain["DeletionPolicy"] == domain["UpdateReplacePolicy"] == "Retain"
    fixed = {
        "AppNetworkAccessType": "VpcOnly",
        "AppSecurityGroupManagement": "Service",
        "AuthMode": "IAM",
        "DomainName": "overread-prod",
        "TagPropagation": "ENABLED",
    }
    assert {name: properties[name] for name in fixed} == fixed
    assert "Fn::ImportValue" in json.dumps(properties["KmsKeyId"])
    settings = properties["DomainSettings"]
    assert len(settings["SecurityGroupIds"]) == 1
    rstudio = settings["RStudioServerProDomainSettings"]
    assert set(rstudio) == {"DefaultResourceSpec", "DomainExecutionRoleArn", "RStudioPackageManagerUrl"}
    assert rstudio["DefaultResourceSpec"] == {
        "SageMakerImageArn": "arn:aws:sagemaker:eu-central-1:936697816551:image/"
        "rstudio-workbench-2026.08-sagemaker-1.0"
    }
    (image,) = properties["DefaultUserSettings"]["RSessionAppSettings"]["CustomImages"]
    assert image["ImageName"] == "r-geo"


def test_a_domain_without_a_pinned_version_has_no_create_only_server(tmp_path: Path) -> None:
    studio = studio_of(workbench_version=None, r_images=())
    synthesize(tmp_path, settings=settings_with(studio))
    template = json.loads((tmp_path / "studio.template.json").read_text())
    settings = only(template, "AWS::SageMaker::Domain")["Properties"]["DomainSettings"]
    assert "DefaultResourceSpec" not in settings["RStudioServerProDomainSettings"]


def test_administrators_have_profiles_of_other_names(template: Template) -> None:
    profiles = {
        one["Properties"]["UserProfileName"]: (
            one["Properties"]["UserSettings"]["RStudioServerProAppSettings"],
            [tag for tag in one["Properties"]["Tags"] if tag["Key"] == "owner"],
        )
        for one in of(template, "AWS::SageMaker::UserProfile").values()
    }
    assert profiles == {
        "ada-admin": (
            {"AccessStatus": "ENABLED", "UserGroup": "R_STUDIO_ADMIN"},
            [{"Key": "owner", "Value": "ada@acme.example"}],
        ),
        "ben": (
            {"AccessStatus": "ENABLED", "UserGroup": "R_STUDIO_USER"},
            [{"Key": "owner", "Value": "ben@acme.example"}],
        ),
    }


def test_no_role_has_a_policy_with_full_access(template: Template) -> None:
    assert "FullAccess" not in json.dumps(template)
    for statement in statements(template):
        actions = statement["Action"]
        assert all("*" not in one for one in ([actions] if isinstance(actions, str) else actions))


def test_one_role_is_passed_and_to_sagemaker_only(template: Template) -> None:
    (passed,) = (one for one in statements(template) if "iam:PassRole" in one["Action"])
    assert passed["Action"] == "iam:PassRole"
    (role,) = (name for name in of(template, "AWS::IAM::Role") if "JobRole" in name)
    assert passed["Resource"] == {"Fn::GetAtt": [role, "Arn"]}
    assert passed["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    holders = [
        name for name, one in of(template, "AWS::IAM::Policy").items() if "iam:PassRole" in json.dumps(one)
    ]
    assert len(holders) == 1
    assert "SessionRole" in holders[0]


def test_training_jobs_are_bound_to_network_tag_and_instances(template: Template) -> None:
    (made,) = (
        one
        for one in statements(template, role="SessionRole")
        if one["Action"] == "sagemaker:CreateTrainingJob"
    )
    condition = made["Condition"]
    assert condition["StringEquals"] == {"aws:RequestTag/project": "loans"}
    assert condition["ForAllValues:StringEquals"]["sagemaker:InstanceTypes"] == ["ml.m5.large"]
    # ForAllValues holds for a request that names none: it has to be there.
    assert set(condition["Null"]) == set(condition["ForAllValues:StringEquals"])


def test_the_session_role_signs_nobody_in_and_people_open_their_own_profile(template: Template) -> None:
    assert "Presigned" not in json.dumps(statements(template, role="SessionRole"))
    (sign_in,) = statements(template, role="SignInRole")
    assert sign_in["Action"] == "sagemaker:CreatePresignedDomainUrl"
    assert sign_in["Condition"] == {
        "Null": {"aws:PrincipalTag/owner": "false"},
        "StringEquals": {"sagemaker:ResourceTag/owner": "${aws:PrincipalTag/owner}"},
    }


@pytest.mark.parametrize(
    "service",
    [
        "ecr.api",
        "ecr.dkr",
        "kms",
        "license-manager",
        "logs",
        "monitoring",
        "sagemaker.api",
        "sagemaker.runtime",
        "sts",
    ],
)
def test_each_endpoint_has_a_policy_and_is_reached_from_the_domain(network: Template, service: str) -> None:
    (endpoint,) = (
        one["Properties"]
        for one in of(network, "AWS::EC2::VPCEndpoint").values()
        if json.dumps(one["Properties"]["ServiceName"]).endswith(f'.{service}"')
    )
    assert endpoint["PolicyDocument"]["Statement"]
    assert endpoint["PrivateDnsEnabled"]
    (group,) = endpoint["SecurityGroupIds"]
    entrance = network["Resources"][group["Fn::GetAtt"][0]]["Properties"]
    cidr = only(network, "AWS::EC2::VPC")["Properties"]["CidrBlock"]
    let_in = [(one["CidrIp"], one["FromPort"], one["ToPort"]) for one in entrance["SecurityGroupIngress"]]
    assert (cidr, 443, 443) in let_in
    leaving = only(network, "AWS::EC2::SecurityGroup", like="Studio")["Properties"]["SecurityGroupEgress"]
    assert {one["FromPort"] for one in leaving} == {443, 2049}


def test_layers_of_images_come_through_the_gateway(network: Template) -> None:
    (gateway,) = (
        one["Properties"]
        for name, one in of(network, "AWS::EC2::VPCEndpoint").items()
        if one["Properties"]["VpcEndpointType"] == "Gateway" and "S3" in name
    )
    assert "starport-layer-bucket" in json.dumps(gateway["PolicyDocument"])


def test_a_users_apps_go_before_the_profile_and_profiles_before_the_domain(template: Template) -> None:
    resources = of(template, "Custom::OverreadStudioTeardown")
    (whole,) = (name for name, one in resources.items() if "UserProfileName" not in one["Properties"])
    assert resources[whole]["Properties"]["DeleteHomes"] == "false"
    for name, profile in of(template, "AWS::SageMaker::UserProfile").items():
        assert whole in profile["DependsOn"]
        user = profile["Properties"]["UserProfileName"]
        (apps,) = (one for one in resources.values() if one["Properties"].get("UserProfileName") == user)
        assert name in apps["DependsOn"]


def test_a_retained_domain_is_never_taken_apart(tmp_path: Path) -> None:
    stack = synthesize(tmp_path, settings=settings_with(studio_of(on_destroy="retain")))
    assert stack.termination_protection
    template = json.loads((tmp_path / "studio.template.json").read_text())
    assert all(
        "UserProfileName" in one["Properties"]
        for one in of(template, "Custom::OverreadStudioTeardown").values()
    )
    assert "sagemaker:DeleteDomain" not in json.dumps(template)


def test_every_illegal_combination_is_told_at_once(tmp_path: Path) -> None:
    studio = studio_of(
        workbench_version="2025.05.1+513.pro3",
        package_manager_url="http://packages.acme.example",
        users=tuple(StudioUserSettings(name=f"u{n}", owner="x", admin=False) for n in range(61)),
    )
    settings = settings_with(studio)
    app = App(context={**FEATURE_FLAGS, "aws:cdk:bundling-stacks": []}, outdir=str(tmp_path))
    network = NetworkStack(app, "net", settings=settings, env=ENVIRONMENT)
    data = DataStack(app, "data", settings=settings, env=ENVIRONMENT)
    with pytest.raises(PropsError) as refused:
        StudioStack(
            app,
            "studio",
            settings=settings,
            studio=studio,
            env=ENVIRONMENT,
            network=network,
            data=data,
            today=date(2026, 12, 5),
        )
    told = str(refused.value)
    assert len(refused.value.faults) == 4
    for word in ("at most 60", "dropped by AWS on 2026-12-05", "https://", "r-geo (2026.08.2+200.pro1)"):
        assert word in told


@pytest.mark.parametrize(
    ("change", "field", "destroys"),
    [
        ({"auth_mode": "SSO"}, "studio.auth_mode", "domain is replaced"),
        ({"workbench_version": None, "r_images": ()}, "studio.workbench_version", "domain is replaced"),
        ({"server_instance": "ml.c5.4xlarge"}, "studio.server_instance", "domain is replaced"),
        (
            {"users": (StudioUserSettings(name="ben", owner="ben@acme.example", admin=True),)},
            "studio.users.ben",
            "profile is replaced",
        ),
    ],
)
def test_a_change_of_what_is_create_only_fails_synthesis(
    tmp_path: Path, change: dict[str, Any], field: str, destroys: str
) -> None:
    before = replace(settings_with(studio_of()), file=tmp_path / "prod.yaml")
    write_lock(before)
    assert lock_faults(before) == []
    after = replace(before, studio=studio_of(**change))
    with pytest.raises(ConfigError) as refused:
        synthesize(tmp_path / "out", settings=after)
    (fault,) = refused.value.faults
    assert fault.field == field
    assert (destroys in fault.problem and "docs/rstudio.md" in fault.allowed) or "deploy" in fault.allowed


def test_it_fits_into_a_regulated_account(tmp_path: Path) -> None:
    synthesize(tmp_path, settings=settings_with(studio_of(), file="config/regulated.yaml"))
    template = json.loads((tmp_path / "studio.template.json").read_text())
    for role in of(template, "AWS::IAM::Role").values():
        assert "PermissionsBoundary" in role["Properties"]
    network = json.loads((tmp_path / "net.template.json").read_text())
    assert of(network, "AWS::EC2::SecurityGroup")


def test_the_example_synthesizes_and_its_sessions_read_the_masked_export(
    project: Path, tmp_path: Path
) -> None:
    app = App(
        outdir=str(tmp_path),
        context={**FEATURE_FLAGS, "aws:cdk:bundling-stacks": []},
        analytics_reporting=False,
    )
    build_app(load_settings(project / "config/studio.yaml"), app=app, environ=ACCOUNT, today=TODAY)
    app.synth()
    template = json.loads((tmp_path / "overread-studio-studio.template.json").read_text())
    (session,) = (one for name, one in of(template, "AWS::IAM::Role").items() if "SessionRole" in name)
    assert "AnalyticsReader" in json.dumps(session["Properties"]["ManagedPolicyArns"])
    assert "dynamodb" not in json.dumps(statements(template))


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("AWS::SageMaker::Domain", ("AuthMode",), "SSO"),
        ("AWS::SageMaker::Domain", ("DomainName",), "another"),
        ("AWS::SageMaker::Domain", ("KmsKeyId",), "another"),
        (
            "AWS::SageMaker::Domain",
            ("DomainSettings", "RStudioServerProDomainSettings", "DefaultResourceSpec"),
            {"InstanceType": "ml.c5.4xlarge"},
        ),
        (
            "AWS::SageMaker::UserProfile",
            ("UserSettings", "RStudioServerProAppSettings", "UserGroup"),
            "another",
        ),
        (
            "AWS::SageMaker::UserProfile",
            ("UserSettings", "RStudioServerProAppSettings", "AccessStatus"),
            "DISABLED",
        ),
    ],
)
def test_the_guard_finds_the_same_between_templates(
    template: Template, kind: str, path: tuple[str, ...], value: Any
) -> None:
    after = json.loads(json.dumps(template))
    assert not list(dangers("studio", template, after, create_only=create_only))
    name = next(iter(of(after, kind)))
    place = after["Resources"][name]["Properties"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    found = list(dangers("studio", template, after, create_only=create_only))
    assert name in {one.logical_id for one in found}
    assert any("replaced" in one.what and ".".join(path) in one.what for one in found)
