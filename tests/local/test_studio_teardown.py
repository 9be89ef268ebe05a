"""The teardown as CloudFormation and Lambda run it: running and failed apps, a missing domain, one user."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.local.conftest import LAMBDA_PYTHON, Clients

from overread_constructs import python_code
from overread_constructs._bundle import Bundle

ROLE = "arn:aws:iam::000000000000:role/studio"
NO_IMAGE = "arn:aws:sagemaker:us-east-1:000000000000:image-version/none/1"
TEARDOWN = "Custom::OverreadStudioTeardown"


@pytest.fixture(scope="module")
def provider(aws: Clients, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The ARN of the function, from the code that would be deployed."""
    folder = tmp_path_factory.mktemp("teardown")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OVERREAD_BUNDLE_PYTHON", str(LAMBDA_PYTHON))
        Bundle.of(
            packages=python_code.HANDLER_PACKAGES,
            requirements=python_code.HANDLER_REQUIREMENTS,
            exclude=python_code.HANDLER_EXCLUDE,
        ).write(folder)
    created = aws("lambda").create_function(
        FunctionName="studio-teardown",
        Runtime="python3.14",
        Role=ROLE,
        Handler="overread_lambda.studio_teardown.handler",
        Code={"ZipFile": _zip(folder)},
        # A minute is kept in reserve; what is left is less than one wait: every step is a run of its own.
        Timeout=75,
        Environment={"Variables": {"OVERREAD_DEPLOYMENT": "test"}},
    )
    yield str(created["FunctionArn"])
    aws("lambda").delete_function(FunctionName="studio-teardown")


def _zip(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in folder.rglob("*"):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    return buffer.getvalue()


def resources(provider: str, *users: str) -> dict[str, Any]:
    """As the construct makes them: a retained domain, its teardown, profiles, and what ends their apps."""
    made: dict[str, Any] = {
        "Domain": {
            "Type": "AWS::SageMaker::Domain",
            "DeletionPolicy": "Retain",
            "Properties": {
                "DomainName": "torn-down",
                "AuthMode": "IAM",
                "AppNetworkAccessType": "VpcOnly",
                "AppSecurityGroupManagement": "Service",
                "DefaultUserSettings": {"ExecutionRole": ROLE},
                "DomainSettings": {"RStudioServerProDomainSettings": {"DomainExecutionRoleArn": ROLE}},
                "VpcId": "vpc-1",
                "SubnetIds": ["subnet-1"],
            },
        },
        "Teardown": {
            "Type": TEARDOWN,
            "Properties": {
                "ServiceToken": provider,
                "DomainId": {"Ref": "Domain"},
                "HomeEfsFileSystemId": {"Fn::GetAtt": ["Domain", "HomeEfsFileSystemId"]},
                "DeleteHomes": "true",
            },
        },
    }
    for user in users:
        made[f"User{user}"] = {
            "Type": "AWS::SageMaker::UserProfile",
            "DependsOn": ["Teardown"],
            "Properties": {"DomainId": {"Ref": "Domain"}, "UserProfileName": user},
        }
        made[f"Apps{user}"] = {
            "Type": TEARDOWN,
            "DependsOn": [f"User{user}"],
            "Properties": {
                "ServiceToken": provider,
                "DomainId": {"Ref": "Domain"},
                "UserProfileName": user,
            },
        }
    return made


def settled(aws: Clients, stack: str) -> str:
    deadline = time.monotonic() + 90
    while True:
        try:
            (found,) = aws("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        except ClientError:
            return "DELETE_COMPLETE"
        status = str(found["StackStatus"])
        if not status.endswith("_IN_PROGRESS"):
            return status
        assert time.monotonic() < deadline, status
        time.sleep(0.2)


def domains(aws: Clients) -> list[str]:
    return [one["DomainId"] for one in aws("sagemaker").list_domains()["Domains"]]


def app_states(aws: Clients, domain: str) -> set[tuple[str, str]]:
    apps = aws("sagemaker").list_apps(DomainIdEquals=domain)["Apps"]
    return {(app["UserProfileName"], app["Status"]) for app in apps}


def until(done: Any) -> None:
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_studio_in_use_goes_with_its_stack(aws: Clients, provider: str) -> None:
    cloudformation, sagemaker = aws("cloudformation"), aws("sagemaker")
    before = resources(provider, "ada", "ben")
    cloudformation.create_stack(StackName="studio-torn-down", TemplateBody=json.dumps({"Resources": before}))
    assert settled(aws, "studio-torn-down") == "CREATE_COMPLETE"
    (domain,) = domains(aws)
    for user, spec in (("ada", {}), ("ben", {"SageMakerImageVersionArn": NO_IMAGE})):
        sagemaker.create_app(
            DomainId=domain,
            UserProfileName=user,
            AppType="RSessionGateway",
            AppName="default",
            **({"ResourceSpec": spec} if spec else {}),
        )
    until(lambda: {("ada", "InService"), ("ben", "Failed")} <= app_states(aws, domain))

    # A user leaves while working: the app ends, the profile goes, nobody else notices.
    after = resources(provider, "ben")
    cloudformation.update_stack(StackName="studio-torn-down", TemplateBody=json.dumps({"Resources": after}))
    assert settled(aws, "studio-torn-down") == "UPDATE_COMPLETE"
    left = sagemaker.list_user_profiles(DomainIdEquals=domain)["UserProfiles"]
    assert [one["UserProfileName"] for one in left] == ["ben"]
    assert ("domain-shared", "InService") in app_states(aws, domain)

    cloudformation.delete_stack(StackName="studio-torn-down")
    assert settled(aws, "studio-torn-down") == "DELETE_COMPLETE"
    assert domains(aws) == []


def test_a_domain_that_somebody_deleted_by_hand_holds_nothing_up(aws: Clients, provider: str) -> None:
    teardown = {
        "Type": TEARDOWN,
        "Properties": {"ServiceToken": provider, "DomainId": "d-gone", "HomeEfsFileSystemId": ""},
    }
    aws("cloudformation").create_stack(
        StackName="studio-gone", TemplateBody=json.dumps({"Resources": {"Teardown": teardown}})
    )
    assert settled(aws, "studio-gone") == "CREATE_COMPLETE"
    aws("cloudformation").delete_stack(StackName="studio-gone")
    assert settled(aws, "studio-gone") == "DELETE_COMPLETE"
