"""A client that acts as a role, of another account perhaps; its credentials renew themselves."""

from __future__ import annotations

from typing import Any

from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.session import Session

from overread_aws.clients import client_config, make_session

SESSION_NAME = "overread"


def client_as(role_arn: str, service: str, *, read_timeout_s: float, attempts: int) -> Any:
    """A client of `service` as `role_arn`, which is assumed at the first call and again before it expires.

    Calls raise botocore's ClientError when the role may not be assumed.
    """
    session = Session()
    session.register_component("credential_provider", _RoleCredentials(role_arn))
    config = client_config(read_timeout_s=read_timeout_s, attempts=attempts)
    return session.create_client(service, config=config)


class _RoleCredentials:
    """What a botocore session asks for its credentials."""

    def __init__(self, role_arn: str) -> None:
        self._role_arn = role_arn

    def load_credentials(self) -> DeferredRefreshableCredentials:
        own = make_session()
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=own.create_client,
            source_credentials=own.get_credentials(),
            role_arn=self._role_arn,
            extra_args={"RoleSessionName": SESSION_NAME},
        )
        return DeferredRefreshableCredentials(method="assume-role", refresh_using=fetcher.fetch_credentials)
