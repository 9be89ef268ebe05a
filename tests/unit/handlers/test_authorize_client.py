"""Bearer tokens of OIDC clients as API Gateway hands them over."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from overread.errors import MissingSettingsError
from overread_lambda.authorize_client import (
    ProviderError,
    UnauthorizedError,
    published_keys_address,
    respond,
)
from overread_lambda.rest_proxy import caller_of
from overread_lambda.settings import AuthorizeSettings, authorize_settings
from overread_testing.decision_builders import CALLER_SCOPE, proxy_event

NOW = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
ISSUER, AUDIENCE = "https://id.example.com/realm", "overread"
SETTINGS = AuthorizeSettings(issuer=ISSUER, audience=AUDIENCE)
STAGE = "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3d4e5/live"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def claims(**changes: Any) -> dict[str, Any]:
    """What a client's token says; a change to None removes the claim."""
    now = int(NOW.timestamp())
    stated = {"iss": ISSUER, "aud": AUDIENCE, "exp": now + 600, "iat": now, "client_id": "loans"} | changes
    return {name: value for name, value in stated.items() if value is not None}


def token(key: Any = KEY, algorithm: str = "RS256", **changes: Any) -> str:
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers={"kid": "k-1"})


def ask(text: str | None, *, keys: Callable[[str], Any] = lambda _: KEY.public_key()) -> dict[str, Any]:
    event = {
        "type": "TOKEN",
        "authorizationToken": text,
        "methodArn": f"{STAGE}/POST/v1/use-cases/loan-approval/decisions",
    }
    return respond(event, settings=SETTINGS, keys=keys, now=NOW)


def test_a_client_is_let_in_under_its_own_scope() -> None:
    policy = ask(f"Bearer {token()}")
    assert (policy["principalId"], policy["context"]) == ("loans", {"caller_scope": "oidc:loans"})
    (statement,) = policy["policyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "execute-api:Invoke")


def test_it_may_make_the_decisions_calls_and_steer_nothing() -> None:
    (statement,) = ask(f"bearer {token()}")["policyDocument"]["Statement"]
    assert statement["Resource"] == [
        f"{STAGE}/POST/v1/use-cases/*/decisions",
        f"{STAGE}/GET/v1/decisions",
        f"{STAGE}/GET/v1/decisions/*",
        f"{STAGE}/POST/v1/decisions/*/cancel",
        f"{STAGE}/POST/v1/decisions/*/contest",
        f"{STAGE}/POST/v1/decisions/*/outcome",
    ]


@pytest.mark.parametrize(
    ("changes", "client"),
    [
        ({"azp": "other"}, "loans"),
        ({"client_id": None, "azp": "loans-2", "sub": "x"}, "loans-2"),
        ({"client_id": None, "appid": "loans-3"}, "loans-3"),
        ({"client_id": None, "sub": "loans-4"}, "loans-4"),
        ({"aud": ["else", AUDIENCE]}, "loans"),
        ({"iat": None}, "loans"),
        ({"exp": int(NOW.timestamp()) - 59}, "loans"),
    ],
)
def test_providers_spell_the_client_in_their_ways(changes: dict[str, Any], client: str) -> None:
    assert ask(f"Bearer {token(**changes)}")["principalId"] == client


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://id.example.com/other"},
        {"iss": None},
        {"aud": "else"},
        {"aud": None},
        {"exp": int(NOW.timestamp()) - 60},
        {"exp": None},
        {"nbf": int(NOW.timestamp()) + 61},
        {"iat": int(NOW.timestamp()) + 61},
        {"client_id": None},
        {"client_id": ""},
        {"client_id": "two words"},
        {"client_id": 7},
        {"client_id": "x" * 201},
        {"client_id": "übermut"},
    ],
)
def test_a_token_that_says_something_else_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UnauthorizedError, match=r"^Unauthorized$"):
        ask(f"Bearer {token(**changes)}")


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Basic bG9hbnM6eA==",
        token(),
        f"Bearer {token(OTHER_KEY)}",
        f"Bearer {token(ec.generate_private_key(ec.SECP256R1()), 'ES256')}",
        f"Bearer {token('a' * 32, 'HS256')}",
        f"Bearer {jwt.encode(claims(), None, algorithm='none')}",
        f"Bearer {token(padding='x' * 9000)}",
    ],
)
def test_what_the_provider_did_not_sign_is_refused(text: str | None) -> None:
    with pytest.raises(UnauthorizedError, match=r"^Unauthorized$"):
        ask(text)


def test_a_changed_claim_breaks_the_signature() -> None:
    head, _, signature = token().split(".")
    other = token(OTHER_KEY, client_id="else").split(".")[1]
    with pytest.raises(UnauthorizedError):
        ask(f"Bearer {head}.{other}.{signature}")


def test_a_key_that_is_not_published_is_refused_and_one_that_cannot_be_read_is_not() -> None:
    def unknown(_: str) -> Any:
        raise jwt.PyJWKClientError("no such key")

    def unreachable(_: str) -> Any:
        raise jwt.PyJWKClientConnectionError("down")

    with pytest.raises(UnauthorizedError):
        ask(f"Bearer {token()}", keys=unknown)
    with pytest.raises(ProviderError, match="cannot be read"):
        ask(f"Bearer {token()}", keys=unreachable)


def test_why_a_token_is_refused_is_logged_without_it(capsys: pytest.CaptureFixture[str]) -> None:
    text = token(client_id="two words")
    with pytest.raises(UnauthorizedError):
        ask(f"Bearer {text}")
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["why"] == "names no client"
    assert text not in line


def test_the_place_of_keys_is_the_providers_own_word() -> None:
    document = {"issuer": ISSUER, "jwks_uri": "https://id.example.com/keys"}
    asked = []

    def fetch(address: str) -> bytes:
        asked.append(address)
        return json.dumps(document).encode()

    assert published_keys_address(SETTINGS, fetch=fetch) == "https://id.example.com/keys"
    assert asked == ["https://id.example.com/realm/.well-known/openid-configuration"]


@pytest.mark.parametrize(
    "content",
    [
        b"<html>",
        b"[]",
        b'{"issuer": "https://id.example.com/other", "jwks_uri": "https://id.example.com/keys"}',
        b'{"issuer": "https://id.example.com/realm"}',
        b'{"issuer": "https://id.example.com/realm", "jwks_uri": "http://id.example.com/keys"}',
    ],
)
def test_a_discovery_document_that_is_none_is_no_place_of_keys(content: bytes) -> None:
    with pytest.raises(jwt.PyJWKClientConnectionError):
        published_keys_address(SETTINGS, fetch=lambda _: content)


def test_a_client_is_a_caller_of_its_own() -> None:
    event = proxy_event(user_arn=None)
    event["requestContext"]["authorizer"] = {"principalId": "loans", "caller_scope": "oidc:loans"}
    assert caller_of(event) == "oidc:loans"
    event = proxy_event()
    event["requestContext"]["authorizer"] = {"caller_scope": "111122223333:role/Admin"}
    assert caller_of(event) == CALLER_SCOPE


def test_it_needs_its_own_settings_only() -> None:
    environ = {"OVERREAD_OIDC_ISSUER": ISSUER, "OVERREAD_OIDC_AUDIENCE": AUDIENCE}
    assert authorize_settings(environ) == SETTINGS
    with pytest.raises(MissingSettingsError, match="OVERREAD_OIDC_ISSUER, OVERREAD_OIDC_AUDIENCE"):
        authorize_settings({})
