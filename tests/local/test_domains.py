"""Studio domains and user profiles through plain boto3: success and each error AWS models."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.local.conftest import Clients

ROLE = "arn:aws:iam::000000000000:role/studio"
RSTUDIO = {"RStudioServerProDomainSettings": {"DomainExecutionRoleArn": ROLE}}


def until(done: Any, *, timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def status_of(aws: Clients, domain: str) -> str:
    try:
        return str(aws("sagemaker").describe_domain(DomainId=domain)["Status"])
    except ClientError as error:
        return str(error.response["Error"]["Code"])


@pytest.fixture
def domain(aws: Clients) -> Iterator[str]:
    """A domain in service, removed afterwards: AWS allows one in a region."""
    sagemaker = aws("sagemaker")
    created = sagemaker.create_domain(
        DomainName="analysts",
        AuthMode="IAM",
        DefaultUserSettings={"ExecutionRole": ROLE},
        DomainSettings=RSTUDIO,
        VpcId="vpc-1",
        SubnetIds=["subnet-1"],
    )
    identifier = str(created["DomainId"])
    assert status_of(aws, identifier) == "Pending"
    until(lambda: status_of(aws, identifier) == "InService")
    yield identifier
    for profile in sagemaker.list_user_profiles(DomainIdEquals=identifier)["UserProfiles"]:
        sagemaker.delete_user_profile(DomainId=identifier, UserProfileName=profile["UserProfileName"])
    until(lambda: not sagemaker.list_user_profiles(DomainIdEquals=identifier)["UserProfiles"])
    sagemaker.delete_domain(DomainId=identifier)
    assert status_of(aws, identifier) == "Deleting"
    until(lambda: status_of(aws, identifier) == "ResourceNotFound")


def test_a_domain_keeps_its_rstudio_settings_through_an_update(aws: Clients, domain: str) -> None:
    sagemaker = aws("sagemaker")
    change = {
        "RStudioServerProDomainSettingsForUpdate": {
            "DomainExecutionRoleArn": ROLE,
            "RStudioPackageManagerUrl": "https://packages.example",
        }
    }
    sagemaker.update_domain(DomainId=domain, DomainSettingsForUpdate=change)
    until(lambda: status_of(aws, domain) == "InService")
    described = sagemaker.describe_domain(DomainId=domain)
    settings = described["DomainSettings"]["RStudioServerProDomainSettings"]
    assert settings["RStudioPackageManagerUrl"] == "https://packages.example"
    assert [one["DomainId"] for one in sagemaker.list_domains()["Domains"]] == [domain]


def test_a_second_domain_in_the_region_is_over_the_limit(aws: Clients, domain: str) -> None:
    with pytest.raises(ClientError) as refused:
        aws("sagemaker").create_domain(
            DomainName="second", AuthMode="IAM", DefaultUserSettings={"ExecutionRole": ROLE}
        )
    assert refused.value.response["Error"]["Code"] == "ResourceLimitExceeded"


def test_user_profiles_live_in_a_domain(aws: Clients, domain: str) -> None:
    sagemaker = aws("sagemaker")
    settings = {"RStudioServerProAppSettings": {"AccessStatus": "ENABLED", "UserGroup": "R_STUDIO_ADMIN"}}
    key = {"DomainId": domain, "UserProfileName": "rosalind"}
    sagemaker.create_user_profile(**key)
    until(lambda: sagemaker.describe_user_profile(**key)["Status"] == "InService")
    sagemaker.update_user_profile(**key, UserSettings=settings)
    until(lambda: sagemaker.describe_user_profile(**key)["Status"] == "InService")
    assert sagemaker.describe_user_profile(**key)["UserSettings"] == settings
    with pytest.raises(ClientError) as taken:
        sagemaker.create_user_profile(**key)
    assert taken.value.response["Error"]["Code"] == "ResourceInUse"


def test_a_domain_with_user_profiles_cannot_be_deleted(aws: Clients, domain: str) -> None:
    sagemaker = aws("sagemaker")
    sagemaker.create_user_profile(DomainId=domain, UserProfileName="ross")
    with pytest.raises(ClientError) as refused:
        sagemaker.delete_domain(DomainId=domain)
    assert refused.value.response["Error"]["Code"] == "ResourceInUse"
    assert "ross" in refused.value.response["Error"]["Message"]
    until(
        lambda: (
            sagemaker.describe_user_profile(DomainId=domain, UserProfileName="ross")["Status"] == "InService"
        )
    )


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("describe_domain", {"DomainId": "d-nothing"}),
        ("update_domain", {"DomainId": "d-nothing"}),
        ("delete_domain", {"DomainId": "d-nothing"}),
        ("create_user_profile", {"DomainId": "d-nothing", "UserProfileName": "x"}),
        ("describe_user_profile", {"DomainId": "d-nothing", "UserProfileName": "x"}),
        ("update_user_profile", {"DomainId": "d-nothing", "UserProfileName": "x"}),
        ("delete_user_profile", {"DomainId": "d-nothing", "UserProfileName": "x"}),
    ],
)
def test_what_does_not_exist_is_not_found(aws: Clients, operation: str, request_: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(aws("sagemaker"), operation)(**request_)
    assert refused.value.response["Error"]["Code"] == "ResourceNotFound"


def test_rstudio_in_a_closed_network_needs_the_security_group_setting(aws: Clients) -> None:
    with pytest.raises(ClientError) as refused:
        aws("sagemaker").create_domain(
            DomainName="closed",
            AuthMode="IAM",
            DefaultUserSettings={"ExecutionRole": ROLE},
            AppNetworkAccessType="VpcOnly",
            DomainSettings=RSTUDIO,
        )
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert "AppSecurityGroupManagement" in refused.value.response["Error"]["Message"]
