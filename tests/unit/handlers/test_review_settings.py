"""The environment of the review service's functions: read once, every fault named."""

import json
from typing import Any

import pytest

from overread.errors import MissingSettingsError
from overread_lambda.review_settings import (
    ReviewSettingsError,
    review_settings,
    sign_in_settings,
)

ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123"
PROVIDER = {
    "id": "workforce",
    "title": "Sign in",
    "issuer": ISSUER,
    "client_id": "client",
    "authorization_endpoint": "https://overread.auth.eu-west-1.amazoncognito.com/oauth2/authorize",
    "token_endpoint": "https://overread.auth.eu-west-1.amazoncognito.com/oauth2/token",
    "jwks_uri": f"{ISSUER}/.well-known/jwks.json",
    "logout_endpoint": "https://overread.auth.eu-west-1.amazoncognito.com/logout",
    "groups_claim": "cognito:groups",
    "client_secret_arn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:client-AbCdEf",
    "user_pool_id": "eu-west-1_AbCdEf123",
}
BEHAVIOUR = {
    "lead_groups": ["leads"],
    "statistics": "pseudonymous",
    "sandbox": True,
    "chaos": {"duplicate": 0.25, "delay": 0},
    "vendor_teams": [{"name": "acme", "title": "Acme readers", "seller": "Acme", "provider": "acme"}],
}


def environ(behaviour: Any = None, providers: Any = None, **changes: str) -> dict[str, str]:
    return {
        "OVERREAD_REVIEW_TABLE": "records",
        "OVERREAD_REVIEW_BUCKET": "documents",
        "OVERREAD_REVIEW_BUS": "default",
        "OVERREAD_PORTAL_URL": "https://abc.execute-api.eu-west-1.amazonaws.com/live/",
        "OVERREAD_SESSION_SECRET": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:session-AbCdEf",
        "OVERREAD_REVIEW_SETTINGS": json.dumps(BEHAVIOUR if behaviour is None else behaviour),
        "OVERREAD_IDENTITY": json.dumps({"providers": [PROVIDER] if providers is None else providers}),
        **changes,
    }


def faults(**changes: Any) -> str:
    with pytest.raises(ReviewSettingsError) as refused:
        review_settings(environ(**changes))
    return str(refused.value)


def test_settings_are_read() -> None:
    settings = review_settings(environ())
    assert (settings.table, settings.bucket, settings.bus) == ("records", "documents", "default")
    assert (settings.chaos_duplicate, settings.chaos_delay) == (0.25, 0.0)
    service = settings.service
    assert (service.account, service.region, service.partition) == ("111122223333", "eu-west-1", "aws")
    assert service.portal_url == "https://abc.execute-api.eu-west-1.amazonaws.com/live"
    assert service.portal_host == "abc.execute-api.eu-west-1.amazonaws.com"
    assert (service.statistics, service.sandbox, service.lead_groups) == (
        "pseudonymous",
        True,
        frozenset({"leads"}),
    )
    assert [(team.name, team.provider) for team in service.vendor_teams] == [("acme", "acme")]


def test_an_answer_fits_into_what_a_function_takes() -> None:
    assert review_settings(environ()).service.max_answer_bytes * 4 / 3 < 6_000_000


def test_defaults_are_the_safe_ones() -> None:
    service = review_settings(environ(behaviour={})).service
    assert (service.statistics, service.sandbox, service.vendor_teams) == ("off", False, ())
    assert review_settings(environ(behaviour={})).chaos_delay == 0


def test_the_sign_in_function_needs_less() -> None:
    settings = sign_in_settings(
        {
            name: value
            for name, value in environ().items()
            if name in {"OVERREAD_PORTAL_URL", "OVERREAD_SESSION_SECRET", "OVERREAD_IDENTITY"}
        }
    )
    (provider,) = settings.providers
    assert (provider.id, provider.issuer, provider.user_pool_id) == (
        "workforce",
        ISSUER,
        "eu-west-1_AbCdEf123",
    )


def test_a_foreign_provider_has_no_pool_and_may_have_no_secret() -> None:
    foreign = PROVIDER | {"user_pool_id": None, "client_secret_arn": None, "logout_endpoint": None}
    (provider,) = review_settings(environ(providers=[foreign])).sign_in.providers
    assert (provider.user_pool_id, provider.client_secret_arn, provider.logout_endpoint) == ("", "", "")


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(MissingSettingsError) as refused:
        review_settings(environ(OVERREAD_REVIEW_TABLE="", OVERREAD_IDENTITY=""))
    assert "OVERREAD_REVIEW_TABLE" in str(refused.value)
    assert "OVERREAD_IDENTITY" in str(refused.value)


@pytest.mark.parametrize(
    ("behaviour", "fault"),
    [
        ({"statistics": "all"}, "statistics must be one of off, pseudonymous, named, got 'all'"),
        ({"sandbox": "yes"}, "sandbox must be bool, got 'yes'"),
        ({"chaos": {"delay": 2}}, "chaos.delay must be a share from 0 to 1, got 2"),
        ({"chaos": {"duplicate": True}}, "chaos.duplicate must be a share from 0 to 1, got True"),
        ({"chaos": []}, "chaos must be dict, got []"),
        ({"lead_groups": "leads"}, "lead_groups must be a list of texts, got 'leads'"),
        ({"vendor_teams": [{"name": "a"}]}, "vendor_teams[0].title must be a text, got None"),
        ({"vendor_teams": ["a"]}, "vendor_teams[0] must be an object, got 'a'"),
        ([], "OVERREAD_REVIEW_SETTINGS must be a JSON object, got '[]'"),
    ],
)
def test_behaviour_that_cannot_be_meant_is_refused(behaviour: Any, fault: str) -> None:
    assert fault in faults(behaviour=behaviour)


@pytest.mark.parametrize(
    ("providers", "fault"),
    [
        ([], "OVERREAD_IDENTITY must have a list of providers, got []"),
        ([PROVIDER | {"client_id": ""}], "providers[0].client_id must be a text, got ''"),
        ([PROVIDER | {"jwks_uri": "file:///etc"}], "providers[0].jwks_uri must be an http(s) address"),
        (["x"], "providers[0] must be an object, got 'x'"),
    ],
)
def test_providers_that_nobody_could_sign_in_with_are_refused(providers: Any, fault: str) -> None:
    assert fault in faults(providers=providers)


def test_all_faults_come_together() -> None:
    text = faults(behaviour={"sandbox": 1}, OVERREAD_PORTAL_URL="portal", OVERREAD_SESSION_SECRET="secret")
    assert "sandbox must be bool, got 1" in text
    assert "OVERREAD_PORTAL_URL must be an http(s) address, got 'portal'" in text
    assert "OVERREAD_SESSION_SECRET must be the ARN of a secret, got 'secret'" in text


def test_text_that_is_no_json_is_refused() -> None:
    assert "OVERREAD_IDENTITY is not JSON" in faults(OVERREAD_IDENTITY="{")
