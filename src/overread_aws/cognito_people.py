"""People of a Cognito user pool: invited by mail, and put into the group of their team."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from overread_aws.failures import error_code, error_message
from overread_review.identity.errors import InvitationError

_HAS_ACCOUNT = frozenset({"AliasExistsException", "UsernameExistsException"})
_IN_WORDS = {
    "CodeDeliveryFailureException": "Cognito could not send the mail",
    "LimitExceededException": "the user pool has sent or holds as much as it may; try again later",
    "NotAuthorizedException": "the sign-in function may not create people in the user pool",
    "AccessDeniedException": "the sign-in function may not create people in the user pool",
    "TooManyRequestsException": "too many invitations at once; try again in a minute",
}


class CognitoPeople:
    """Implements `overread_review.identity.providers.Inviter`.

    The permissions it takes are cognito-idp:AdminCreateUser and cognito-idp:AdminAddUserToGroup.
    """

    def __init__(self, client: Any, *, user_pool_id: str) -> None:
        self._client = client
        self._pool = user_pool_id

    def invite(self, *, email: str, name: str, group: str) -> None:
        """Create the person, who gets a mail with a temporary password, and add them to the group.

        Somebody who has an account is added to the group only: so an invitation of which the second half
        failed is made whole by repeating it.

        Raises:
            InvitationError: Cognito refuses, with its reason, or does not answer.
        """
        username = self._created(email=email, name=name)
        try:
            self._client.admin_add_user_to_group(UserPoolId=self._pool, Username=username, GroupName=group)
        except (ClientError, BotoCoreError, ResponseParserError) as error:
            raise InvitationError(
                f"{email} has an account now, but could not be added to the group {group!r}: {_reason(error)}"
            ) from error

    def _created(self, *, email: str, name: str) -> str:
        """The username under which Cognito knows the address now."""
        try:
            try:
                return self._create(_username(email), email=email, name=name)
            except ClientError as error:
                if not _wants_address(error):
                    raise
                return self._create(email, email=email, name=name)
        except (ClientError, BotoCoreError, ResponseParserError) as error:
            if isinstance(error, ClientError) and error_code(error) in _HAS_ACCOUNT:
                return email  # maybe under another name, but Cognito finds it by its address
            raise InvitationError(f"{email} could not be invited: {_reason(error)}") from error

    def _create(self, username: str, *, email: str, name: str) -> str:
        reply = self._client.admin_create_user(
            UserPoolId=self._pool,
            Username=username,
            UserAttributes=[
                {"Name": "email", "Value": email},
                {"Name": "email_verified", "Value": "true"},
                {"Name": "name", "Value": name},
            ],
            DesiredDeliveryMediums=["EMAIL"],
        )
        created: str = reply["User"]["Username"]
        return created


def _username(email: str) -> str:
    """The same for the same address: pools in which the address is an alias take none as username."""
    digest = hashlib.sha256(email.casefold().encode()).digest()
    return f"reviewer-{base64.b32encode(digest).decode()[:16].lower()}"


def _wants_address(error: ClientError) -> bool:
    """Whether the pool is one whose usernames are mail addresses; Cognito has no code for that."""
    refused = error_code(error) == "InvalidParameterException"
    return refused and "should be an email" in error_message(error)


def _reason(error: ClientError | BotoCoreError | ResponseParserError) -> str:
    if isinstance(error, ClientError):
        code = error_code(error)
        return _IN_WORDS.get(code) or f"{code}: {error_message(error)}"
    return "Cognito cannot be reached; try again"
