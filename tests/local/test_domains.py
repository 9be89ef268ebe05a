"""Studio domains and user profiles through plain boto3: success and each error AWS models."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.local.conftest import Clients

ROLE = "arn:aws:iam::000000000000:role/studio"
APP = {"UserProfileName": "x", "AppType": "RSessionGateway", "AppName": "default"}
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


def alive(aws: Clients, domain: str) -> list[dict[str, Any]]:
    apps = aws("sagemaker").list_apps(DomainIdEquals=domain)["Apps"]
    return [app for app in apps if app["Status"] != "Deleted"]


def code_of(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**request)
    return str(refused.value.response["Error"]["Code"])


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
    for app in alive(aws, identifier):
        key = {
            name: app[name]
            for name in ("DomainId", "UserProfileName", "SpaceName", "AppType", "AppName")
            if name in app
        }
        sagemaker.delete_app(**key)
    until(lambda: not alive(aws, identifier))
    for space in sagemaker.list_spaces(DomainIdEquals=identifier)["Spaces"]:
        sagemaker.delete_space(DomainId=identifier, SpaceName=space["SpaceName"])
    until(lambda: not sagemaker.list_spaces(DomainIdEquals=identifier)["Spaces"])
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


def test_the_rstudio_server_comes_with_the_domain_and_is_restarted_by_delete_and_create(
    aws: Clients, domain: str
) -> None:
    sagemaker = aws("sagemaker")
    server = {"DomainId": domain, "UserProfileName": "domain-shared", "AppType": "RStudioServerPro"}
    until(lambda: [app["Status"] for app in alive(aws, domain)] == ["InService"])
    described = sagemaker.describe_app(**server, AppName="default")
    assert described["AppArn"].endswith(f":app/{domain}/domain-shared/rstudioserverpro/default")
    assert described["ResourceSpec"] == {"InstanceType": "system"}
    assert code_of(sagemaker.create_app, **server, AppName="default") == "ResourceInUse"
    assert code_of(sagemaker.delete_domain, DomainId=domain) == "ResourceInUse"
    sagemaker.delete_app(**server, AppName="default")
    assert code_of(sagemaker.delete_app, **server, AppName="default") == "ResourceInUse"
    until(lambda: sagemaker.describe_app(**server, AppName="default")["Status"] == "Deleted")
    assert code_of(sagemaker.delete_app, **server, AppName="default") == "ResourceNotFound"
    sagemaker.create_app(**server, AppName="default")
    until(lambda: [app["Status"] for app in alive(aws, domain)] == ["InService"])


def test_what_apps_run_in_cannot_be_deleted(aws: Clients, domain: str) -> None:
    sagemaker = aws("sagemaker")
    sagemaker.create_user_profile(DomainId=domain, UserProfileName="rosalind")
    sagemaker.create_space(DomainId=domain, SpaceName="shared")
    until(lambda: sagemaker.describe_space(DomainId=domain, SpaceName="shared")["Status"] == "InService")
    session = {"DomainId": domain, "UserProfileName": "rosalind", "AppType": "RSessionGateway"}
    lab = {"DomainId": domain, "SpaceName": "shared", "AppType": "JupyterLab", "AppName": "lab"}
    sagemaker.create_app(**session, AppName="session")
    sagemaker.create_app(**lab)
    until(lambda: {app["Status"] for app in alive(aws, domain)} == {"InService"})
    assert code_of(sagemaker.delete_user_profile, DomainId=domain, UserProfileName="rosalind") == (
        "ResourceInUse"
    )
    assert code_of(sagemaker.delete_space, DomainId=domain, SpaceName="shared") == "ResourceInUse"
    assert [
        app["AppName"]
        for app in sagemaker.list_apps(DomainIdEquals=domain, UserProfileNameEquals="rosalind")["Apps"]
    ] == ["session"]
    address = sagemaker.create_presigned_domain_url(DomainId=domain, UserProfileName="rosalind")
    assert domain in address["AuthorizedUrl"]


def test_an_app_with_an_image_that_the_account_lacks_fails_and_can_be_deleted(
    aws: Clients, domain: str
) -> None:
    sagemaker = aws("sagemaker")
    sagemaker.create_user_profile(DomainId=domain, UserProfileName="ross")
    key = {"DomainId": domain, "UserProfileName": "ross"}
    until(lambda: sagemaker.describe_user_profile(**key)["Status"] == "InService")
    app = {**key, "AppType": "RSessionGateway", "AppName": "broken"}
    image = "arn:aws:sagemaker:us-east-1:000000000000:image/r-none"
    sagemaker.create_app(**app, ResourceSpec={"SageMakerImageArn": image})
    until(lambda: sagemaker.describe_app(**app)["Status"] == "Failed")
    assert image in sagemaker.describe_app(**app)["FailureReason"]


def test_a_domain_whose_rstudio_server_cannot_start_fails(aws: Clients) -> None:
    sagemaker = aws("sagemaker")
    image = "arn:aws:sagemaker:us-east-1:000000000000:image/workbench-none"
    settings = {
        **RSTUDIO["RStudioServerProDomainSettings"],
        "DefaultResourceSpec": {"SageMakerImageArn": image},
    }
    identifier = sagemaker.create_domain(
        DomainName="broken",
        AuthMode="IAM",
        DefaultUserSettings={"ExecutionRole": ROLE},
        DomainSettings={"RStudioServerProDomainSettings": settings},
    )["DomainId"]
    until(lambda: status_of(aws, identifier) == "Failed")
    assert "failed to start" in sagemaker.describe_domain(DomainId=identifier)["FailureReason"]
    server = {"DomainId": identifier, "UserProfileName": "domain-shared", "AppType": "RStudioServerPro"}
    until(lambda: sagemaker.describe_app(**server, AppName="default")["Status"] == "Failed")
    sagemaker.delete_app(**server, AppName="default")
    until(lambda: not alive(aws, identifier))
    sagemaker.delete_domain(DomainId=identifier)
    until(lambda: status_of(aws, identifier) == "ResourceNotFound")


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
        ("create_space", {"DomainId": "d-nothing", "SpaceName": "x"}),
        ("describe_space", {"DomainId": "d-nothing", "SpaceName": "x"}),
        ("delete_space", {"DomainId": "d-nothing", "SpaceName": "x"}),
        ("create_app", {"DomainId": "d-nothing", **APP}),
        ("describe_app", {"DomainId": "d-nothing", **APP}),
        ("delete_app", {"DomainId": "d-nothing", **APP}),
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
