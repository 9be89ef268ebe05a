"""Clients that act as the roles of flow definitions and labeling jobs, each kept while its session lasts."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from overread_aws.clients import client_config, make_session
from overread_review.service.errors import DocumentRefusedError, DocumentUnavailableError

SESSION_S = 3600
SPARE = timedelta(minutes=20)
"""A signed address dies with the session that signed it, so no session signs in its last minutes."""
READ_TIMEOUT_S = 10.0
FUNCTION_TIMEOUT_S = 180.0
_SESSION_NAME = "overread-review"
_TEMPORARY = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "ServiceUnavailable"})


@dataclass(frozen=True)
class RoleCredentials:
    """What STS gave for a role."""

    access_key: str
    secret_key: str
    token: str


@dataclass(frozen=True)
class _Kept:
    client: Any
    until: datetime


def make_s3_client(credentials: RoleCredentials | None = None) -> Any:
    """An S3 client of this process itself, or of a role.

    Addresses name the region: a browser cannot follow S3 from its global host to another one, for which the
    address would have to be signed anew.
    """
    config = client_config(read_timeout_s=READ_TIMEOUT_S).merge(
        Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
    )
    if credentials is None:
        return make_session().create_client("s3", config=config)
    return make_session().create_client(
        "s3",
        config=config,
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.token,
    )


def make_lambda_client(credentials: RoleCredentials) -> Any:
    """A Lambda client of a role, which waits as long as a labeling job's function may take."""
    return make_session().create_client(
        "lambda",
        config=client_config(read_timeout_s=FUNCTION_TIMEOUT_S, attempts=1),
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.token,
    )


class RoleClients:
    """Implements `overread_aws.review_documents.ClientOfRole`.

    `make` gives a client for a role's credentials, `clock` the time.
    """

    def __init__(
        self, sts: Any, *, make: Callable[[RoleCredentials], Any], clock: Callable[[], datetime]
    ) -> None:
        self._sts = sts
        self._make = make
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()

    def __call__(self, role_arn: str) -> Any:
        """The client of the role of that ARN.

        Raises:
            DocumentRefusedError: the role cannot be assumed.
            DocumentUnavailableError: STS does not answer now.
        """
        with self._lock:
            kept = self._kept.get(role_arn)
            if kept is None or self._clock() >= kept.until:
                kept = self._kept[role_arn] = self._assumed(role_arn)
            return kept.client

    def _assumed(self, role_arn: str) -> _Kept:
        try:
            reply = self._sts.assume_role(
                RoleArn=role_arn, RoleSessionName=_SESSION_NAME, DurationSeconds=SESSION_S
            )
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
            code = error.response["Error"]["Code"]
            message = (
                f"the role {role_arn} cannot be assumed: {code}: {error.response['Error'].get('Message')}"
            )
            if status >= 500 or code in _TEMPORARY:
                raise DocumentUnavailableError(message) from error
            raise DocumentRefusedError(message) from error
        except BotoCoreError as error:
            raise DocumentUnavailableError(f"STS: {error}") from error
        given = reply["Credentials"]
        credentials = RoleCredentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        return _Kept(self._make(credentials), given["Expiration"] - SPARE)
