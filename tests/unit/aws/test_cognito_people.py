"""Invitations through Cognito: what is asked of it, what repeating repairs, how failures read."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from overread_aws.cognito_people import CognitoPeople
from overread_review.identity.errors import InvitationError
from overread_testing.aws_stubs import stubbed

POOL = "eu-west-1_AbCdEf123"
USERNAME = "reviewer-wuz5ivd6vjna7kkv"
CREATION = {
    "UserPoolId": POOL,
    "Username": USERNAME,
    "UserAttributes": [
        {"Name": "email", "Value": "grace@example.com"},
        {"Name": "email_verified", "Value": "true"},
        {"Name": "name", "Value": "Grace Hopper"},
    ],
    "DesiredDeliveryMediums": ["EMAIL"],
}


def joining(username: str) -> dict[str, str]:
    return {"UserPoolId": POOL, "Username": username, "GroupName": "reviewers"}


def invite(client: Any, *, email: str = "grace@example.com") -> None:
    CognitoPeople(client, user_pool_id=POOL).invite(email=email, name="Grace Hopper", group="reviewers")


def test_the_person_is_created_with_a_verified_address_and_joins_the_group() -> None:
    with stubbed("cognito-idp") as (client, script):
        script.add_response("admin_create_user", {"User": {"Username": USERNAME}}, CREATION)
        script.add_response("admin_add_user_to_group", {}, joining(USERNAME))
        invite(client)


def test_the_username_depends_on_the_address_only_and_is_none_itself() -> None:
    proposed = []
    for email in ("grace@example.com", "GRACE@Example.com", "ada@example.com"):
        with stubbed("cognito-idp") as (client, script):
            asked: dict[str, Any] = {}
            client.meta.events.register(
                "provide-client-params.cognito-identity-provider.AdminCreateUser",
                lambda params, asked=asked, **_: asked.update(params),
            )
            script.add_response("admin_create_user", {"User": {"Username": "x"}})
            script.add_response("admin_add_user_to_group", {})
            invite(client, email=email)
            proposed.append(asked["Username"])
    assert proposed[0] == proposed[1] != proposed[2]
    assert not any("@" in name for name in proposed)


def test_a_pool_whose_usernames_are_addresses_gets_the_address() -> None:
    with stubbed("cognito-idp") as (client, script):
        script.add_client_error(
            "admin_create_user", "InvalidParameterException", "Username should be an email."
        )
        by_address = CREATION | {"Username": "grace@example.com"}
        script.add_response("admin_create_user", {"User": {"Username": "0a1b"}}, by_address)
        script.add_response("admin_add_user_to_group", {}, joining("0a1b"))
        invite(client)


@pytest.mark.parametrize("code", ["UsernameExistsException", "AliasExistsException"])
def test_who_has_an_account_joins_the_group(code: str) -> None:
    with stubbed("cognito-idp") as (client, script):
        script.add_client_error("admin_create_user", code, expected_params=CREATION)
        script.add_response("admin_add_user_to_group", {}, joining("grace@example.com"))
        invite(client)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("CodeDeliveryFailureException", "could not send the mail"),
        ("LimitExceededException", "try again later"),
        ("TooManyRequestsException", "try again in a minute"),
        ("NotAuthorizedException", "may not create people"),
        ("InvalidParameterException", "InvalidParameterException: what Cognito says"),
    ],
)
def test_a_refused_creation_is_said_in_words(code: str, said: str) -> None:
    with stubbed("cognito-idp") as (client, script):
        script.add_client_error("admin_create_user", code, "what Cognito says")
        with pytest.raises(InvitationError, match=r"grace@example\.com could not be invited") as caught:
            invite(client)
    assert said in str(caught.value)


def test_a_half_done_invitation_says_which_half_is_missing() -> None:
    with stubbed("cognito-idp") as (client, script):
        script.add_response("admin_create_user", {"User": {"Username": USERNAME}})
        script.add_client_error("admin_add_user_to_group", "ResourceNotFoundException", "Group not found.")
        with pytest.raises(InvitationError, match="has an account now, but could not be added to the group"):
            invite(client)


def test_a_cognito_that_cannot_be_reached_is_said() -> None:
    class Unreachable:
        def admin_create_user(self, **_: object) -> None:
            raise EndpointConnectionError(endpoint_url="https://cognito-idp.example")

    with pytest.raises(InvitationError, match="cannot be reached"):
        invite(Unreachable())
