"""Flow definitions' roles: assumed once an hour, never with a session too short for what it signs."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.stub import Stubber

from overread_aws.review_roles import RoleClients, RoleCredentials, make_s3_client
from overread_review.service.errors import DocumentRefusedError, DocumentUnavailableError
from overread_testing.aws_stubs import stubbed

ROLE = "arn:aws:iam::111122223333:role/flow"
START = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Sts:
    """Scripted STS, and RoleClients over it at a settable time; a client is its role's access key."""

    def __init__(self, client: Any, script: Stubber) -> None:
        self.script = script
        self.now = START
        self.clients = RoleClients(client, make=self._make, clock=lambda: self.now)
        self.tokens: list[str] = []

    def _make(self, credentials: RoleCredentials) -> str:
        self.tokens.append(credentials.token)
        return credentials.access_key

    def assumes(self, role: str, key: str, *, lasts_s: int = 3600) -> None:
        credentials = {
            "AccessKeyId": key,
            "SecretAccessKey": "secret",
            "SessionToken": f"token of {key}",
            "Expiration": self.now + timedelta(seconds=lasts_s),
        }
        expected = {"RoleArn": role, "RoleSessionName": "overread-review", "DurationSeconds": 3600}
        self.script.add_response("assume_role", {"Credentials": credentials}, expected)


@pytest.fixture
def sts() -> Iterator[Sts]:
    with stubbed("sts") as (client, script):
        yield Sts(client, script)


def test_a_role_is_assumed_once_while_its_session_lasts(sts: Sts) -> None:
    sts.assumes(ROLE, "ASIAFIRST00000000")
    first = sts.clients(ROLE)
    sts.now += timedelta(minutes=39)
    assert sts.clients(ROLE) is first
    assert sts.tokens == ["token of ASIAFIRST00000000"]


def test_a_session_that_is_nearly_over_signs_nothing_more(sts: Sts) -> None:
    sts.assumes(ROLE, "ASIAFIRST00000000")
    sts.clients(ROLE)
    sts.now += timedelta(minutes=40)
    sts.assumes(ROLE, "ASIASECOND0000000")
    assert sts.clients(ROLE) == "ASIASECOND0000000"


def test_each_role_has_a_client_of_its_own(sts: Sts) -> None:
    sts.assumes(ROLE, "ASIAFIRST00000000")
    sts.assumes(f"{ROLE}-2", "ASIASECOND0000000")
    assert (sts.clients(ROLE), sts.clients(f"{ROLE}-2")) == ("ASIAFIRST00000000", "ASIASECOND0000000")


def test_a_role_that_refuses_is_named(sts: Sts) -> None:
    sts.script.add_client_error("assume_role", "AccessDenied", "not authorized", http_status_code=403)
    with pytest.raises(DocumentRefusedError, match=f"{ROLE} cannot be assumed: AccessDenied: not authorized"):
        sts.clients(ROLE)


@pytest.mark.parametrize(("code", "status"), [("Throttling", 400), ("InternalFailure", 500)])
def test_a_busy_sts_is_tried_again_later(sts: Sts, code: str, status: int) -> None:
    sts.script.add_client_error("assume_role", code, http_status_code=status)
    with pytest.raises(DocumentUnavailableError):
        sts.clients(ROLE)
    sts.assumes(ROLE, "ASIAFIRST00000000")
    assert sts.clients(ROLE) == "ASIAFIRST00000000"


def test_a_signed_address_names_region_and_role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    client = make_s3_client(RoleCredentials("ASIAFIRST00000000", "secret", "token of the role"))
    address = urlsplit(client.generate_presigned_url("get_object", Params={"Bucket": "inputs", "Key": "a b"}))
    assert (address.netloc, address.path) == ("inputs.s3.eu-west-1.amazonaws.com", "/a%20b")
    query = parse_qs(address.query)
    assert query["X-Amz-Security-Token"] == ["token of the role"]
    assert query["X-Amz-Credential"][0].startswith("ASIAFIRST00000000/")
