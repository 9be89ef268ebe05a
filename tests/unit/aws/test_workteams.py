"""Workforces and work teams: adopted where they are as wanted, changed in place, never taken from others."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import Stubber

from overread_aws.provisioning import Patience, ProvisioningRefusedError
from overread_aws.workteams import Workforces, Workteams
from overread_testing.aws_stubs import stubbed

ACCOUNT = "arn:aws:sagemaker:eu-west-1:111122223333"
FORCE_ARN = f"{ACCOUNT}:workforce/overread-test"
TEAM_ARN = f"{ACCOUNT}:workteam/private-crowd/overread-test-readers"
COGNITO = {"UserPool": "eu-west-1_AbCdEf123", "ClientId": "client"}
FORCE = {"WorkforceName": "overread-test", "CognitoConfig": COGNITO}
TEAM = {
    "WorkteamName": "overread-test-readers",
    "WorkforceName": "overread-test",
    "Description": "second readers",
    "MemberDefinitions": [{"CognitoMemberDefinition": {**COGNITO, "UserGroup": "readers"}}],
}
NO_FORCE = "No workforce found with name overread-test"
NO_TEAM = f"The work team {TEAM_ARN} does not exist"


class Aws:
    """A script of replies and a clock that only sleeping moves."""

    def __init__(self, sagemaker: Any, script: Stubber) -> None:
        self.script = script
        self.slept_s = 0.0
        patience = Patience(budget_s=lambda: 300.0 - self.slept_s, sleep=self._sleep)
        self.workforces = Workforces(sagemaker, patience=patience)
        self.workteams = Workteams(sagemaker, patience=patience)

    def _sleep(self, seconds: float) -> None:
        self.slept_s += seconds

    def has_no_workforce(self) -> None:
        self.refuses("describe_workforce", "ValidationException", NO_FORCE)

    def has_workforce(self, *, status: str = "Active", **members: Any) -> None:
        described = {
            "WorkforceName": "overread-test",
            "WorkforceArn": FORCE_ARN,
            "CognitoConfig": COGNITO,
            "SubDomain": "portal",
            "Status": status,
            **members,
        }
        given = {name: value for name, value in described.items() if value is not None}
        self.script.add_response(
            "describe_workforce", {"Workforce": given}, {"WorkforceName": "overread-test"}
        )

    def has_no_workteam(self) -> None:
        self.refuses("describe_workteam", "ValidationException", NO_TEAM)

    def has_workteam(self, **members: Any) -> None:
        described = {key: value for key, value in TEAM.items() if key != "WorkforceName"}
        reply = {"Workteam": {**described, "WorkteamArn": TEAM_ARN, "SubDomain": "portal", **members}}
        self.script.add_response("describe_workteam", reply, {"WorkteamName": TEAM["WorkteamName"]})

    def refuses(self, operation: str, code: str, message: str = "") -> None:
        self.script.add_client_error(operation, code, message, http_status_code=400)


@pytest.fixture
def aws() -> Iterator[Aws]:
    with stubbed("sagemaker") as (sagemaker, script):
        yield Aws(sagemaker, script)


# Workforces


def test_a_workforce_is_created_and_waited_for(aws: Aws) -> None:
    aws.has_no_workforce()
    aws.script.add_response("create_workforce", {"WorkforceArn": FORCE_ARN}, FORCE)
    aws.has_workforce(status="Initializing")
    aws.has_workforce()
    assert aws.workforces.create(FORCE) == FORCE_ARN
    assert aws.slept_s == 0.5


def test_a_workforce_that_is_there_as_wanted_is_adopted(aws: Aws) -> None:
    aws.has_workforce()
    aws.has_workforce()
    assert aws.workforces.create({**FORCE, "Tags": [{"Key": "a", "Value": "b"}]}) == FORCE_ARN


def test_a_secret_that_is_never_described_makes_no_difference(aws: Aws) -> None:
    oidc = {"ClientId": "client", "Issuer": "https://issuer.example", "AuthorizationEndpoint": "https://a"}
    aws.has_workforce(CognitoConfig=None, OidcConfig=oidc)
    aws.has_workforce(CognitoConfig=None, OidcConfig=oidc)
    wanted = {"WorkforceName": "overread-test", "OidcConfig": {**oidc, "ClientSecret": "secret"}}
    assert aws.workforces.create(wanted) == FORCE_ARN


def test_a_workforce_of_another_pool_is_not_taken(aws: Aws) -> None:
    aws.has_workforce(CognitoConfig={**COGNITO, "ClientId": "other"})
    with pytest.raises(ProvisioningRefusedError, match="another identity provider") as caught:
        aws.workforces.create(FORCE)
    assert not caught.value.is_ours


def test_a_second_workforce_is_refused_in_the_services_words(aws: Aws) -> None:
    aws.has_no_workforce()
    aws.refuses("create_workforce", "ValidationException", "Cannot create more than one workforce")
    with pytest.raises(ProvisioningRefusedError, match="Cannot create more than one workforce") as caught:
        aws.workforces.create(FORCE)
    assert not caught.value.is_ours


def test_a_workforce_that_failed_says_why(aws: Aws) -> None:
    aws.has_no_workforce()
    aws.script.add_response("create_workforce", {"WorkforceArn": FORCE_ARN}, FORCE)
    aws.has_workforce(status="Failed", FailureReason="the issuer does not answer")
    with pytest.raises(ProvisioningRefusedError, match="the issuer does not answer") as caught:
        aws.workforces.create(FORCE)
    assert caught.value.is_ours


def test_the_network_of_a_workforce_changes_in_place(aws: Aws) -> None:
    cidrs = {"SourceIpConfig": {"Cidrs": ["10.0.0.0/8"]}}
    aws.has_workforce()
    expected = {"WorkforceName": "overread-test", **cidrs}
    aws.script.add_response(
        "update_workforce",
        {"Workforce": {"WorkforceName": "overread-test", "WorkforceArn": FORCE_ARN}},
        expected,
    )
    aws.has_workforce(**cidrs)
    assert aws.workforces.change({**FORCE, **cidrs}) == FORCE_ARN


def test_an_equal_workforce_is_left_alone(aws: Aws) -> None:
    aws.has_workforce()
    aws.has_workforce()
    assert aws.workforces.change(FORCE) == FORCE_ARN


def test_another_pool_cannot_become_a_workforces_own(aws: Aws) -> None:
    aws.has_workforce()
    with pytest.raises(ProvisioningRefusedError, match="keeps its Cognito user pool") as caught:
        aws.workforces.change({**FORCE, "CognitoConfig": {**COGNITO, "ClientId": "other"}})
    assert caught.value.is_ours


def test_a_workforce_with_teams_is_not_deleted(aws: Aws) -> None:
    aws.refuses("delete_workforce", "ResourceInUse", "The workforce has work teams (readers)")
    with pytest.raises(ProvisioningRefusedError, match=r"has work teams \(readers\)") as caught:
        aws.workforces.delete("overread-test")
    assert caught.value.is_ours


def test_a_workforce_that_is_gone_is_deleted(aws: Aws) -> None:
    aws.refuses("delete_workforce", "ValidationException", NO_FORCE)
    aws.workforces.delete("overread-test")
    aws.script.add_response("delete_workforce", {}, {"WorkforceName": "overread-test"})
    aws.workforces.delete("overread-test")


# Work teams


def test_a_team_is_created(aws: Aws) -> None:
    aws.has_no_workteam()
    aws.script.add_response("create_workteam", {"WorkteamArn": TEAM_ARN}, TEAM)
    assert aws.workteams.create(TEAM) == TEAM_ARN


def test_throttling_and_a_new_policy_are_waited_out(aws: Aws) -> None:
    aws.refuses("describe_workteam", "AccessDeniedException")
    aws.has_no_workteam()
    aws.refuses("create_workteam", "AccessDeniedException")
    aws.refuses("create_workteam", "ThrottlingException")
    aws.script.add_response("create_workteam", {"WorkteamArn": TEAM_ARN}, TEAM)
    assert aws.workteams.create(TEAM) == TEAM_ARN
    assert aws.slept_s == 0.5 + 0.5 + 1


def test_a_missing_permission_is_told_in_the_end(aws: Aws) -> None:
    for _ in range(26):
        aws.refuses("describe_workteam", "AccessDeniedException", "not authorized")
    with pytest.raises(ProvisioningRefusedError, match="not authorized"):
        aws.workteams.create(TEAM)
    assert 90 <= aws.slept_s < 100


def test_an_equal_team_is_adopted_and_another_ones_is_not(aws: Aws) -> None:
    aws.has_workteam()
    assert aws.workteams.create(TEAM) == TEAM_ARN
    aws.has_workteam(Description="somebody else's")
    with pytest.raises(ProvisioningRefusedError, match="in use by another work team") as caught:
        aws.workteams.create(TEAM)
    assert not caught.value.is_ours


def test_a_team_changes_in_place(aws: Aws) -> None:
    changed = {**TEAM, "Description": "third readers"}
    aws.has_workteam()
    expected = {key: value for key, value in changed.items() if key != "WorkforceName"}
    aws.script.add_response(
        "update_workteam",
        {"Workteam": {**expected, "WorkteamArn": TEAM_ARN}},
        expected,
    )
    assert aws.workteams.change(changed) == TEAM_ARN


def test_a_team_that_vanished_cannot_be_changed(aws: Aws) -> None:
    aws.has_no_workteam()
    with pytest.raises(ProvisioningRefusedError, match="does not exist any more"):
        aws.workteams.change(TEAM)


def test_a_team_that_is_gone_is_deleted(aws: Aws) -> None:
    aws.refuses("delete_workteam", "ValidationException", NO_TEAM)
    aws.workteams.delete("overread-test-readers")


def test_another_validation_error_is_no_absence(aws: Aws) -> None:
    aws.refuses("delete_workteam", "ValidationException", "WorkteamName is too long")
    with pytest.raises(ProvisioningRefusedError, match="WorkteamName is too long"):
        aws.workteams.delete("x")
