"""Tokens by client credentials: fetched, kept, renewed, refused."""

from typing import Any
from urllib.parse import parse_qs

import pytest

from overread_client import ClientCredentials, TokenRefusedError


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def tokens(server: Any, clock: Clock, **changes: Any) -> ClientCredentials:
    return ClientCredentials(
        f"{server.url}/token", client_id="loans:1", client_secret="s&cret", monotonic=clock, **changes
    )


def test_a_token_is_asked_for_as_the_standard_says(server: Any) -> None:
    server.will_answer(200, {"access_token": "t-1", "expires_in": 3600})
    assert tokens(server, Clock(), scope="decide", audience="overread")() == "t-1"
    ((method, path, headers, body),) = server.requests
    assert (method, path) == ("POST", "/stage/token")
    assert headers["Authorization"] == "Basic bG9hbnMlM0ExOnMlMjZjcmV0"  # loans%3A1:s%26cret
    assert parse_qs(body.decode()) == {
        "grant_type": ["client_credentials"],
        "scope": ["decide"],
        "audience": ["overread"],
    }


def test_a_token_is_kept_until_a_minute_before_its_end(server: Any) -> None:
    clock = Clock()
    server.will_answer(200, {"access_token": "t-1", "expires_in": 3600})
    server.will_answer(200, {"access_token": "t-2", "expires_in": 3600})
    source = tokens(server, clock)
    assert (source(), source()) == ("t-1", "t-1")
    clock.now = 3539.0
    assert source() == "t-1"
    clock.now = 3540.0
    assert source() == "t-2"
    assert len(server.requests) == 2


def test_a_short_token_is_asked_for_every_time(server: Any) -> None:
    server.will_answer(200, {"access_token": "t-1", "expires_in": 30})
    source = tokens(server, Clock())
    source()
    source()
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("status", "document", "told"),
    [
        (401, {"error": "invalid_client", "error_description": "no such client"}, "no such client"),
        (400, {"error": "invalid_scope"}, "invalid_scope"),
        (500, b"oops", "status 500"),
        (200, {"token_type": "Bearer"}, "status 200"),
        (200, {"access_token": 7}, "status 200"),
    ],
)
def test_a_refusal_is_told_in_the_providers_words(server: Any, status: int, document: Any, told: str) -> None:
    server.will_answer(status, document)
    with pytest.raises(TokenRefusedError, match=told):
        tokens(server, Clock())()


def test_a_provider_that_does_not_answer_is_named(server: Any) -> None:
    server.will_drop()
    with pytest.raises(TokenRefusedError, match="does not answer"):
        tokens(server, Clock())()


def test_a_provider_that_is_not_there_is_named() -> None:
    source = ClientCredentials("http://127.0.0.1:1/token", client_id="a", client_secret="b")
    with pytest.raises(TokenRefusedError, match=r"127\.0\.0\.1:1/token does not answer"):
        source()


def test_a_secret_goes_over_https_only() -> None:
    with pytest.raises(ValueError, match="https address"):
        ClientCredentials("http://id.example.com/token", client_id="a", client_secret="b")
