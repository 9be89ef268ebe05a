"""Who may call a deployment's API: AWS principals, or an identity provider's clients where it says so."""

from __future__ import annotations

from overread_config.settings import ApiClientSettings, ApiSettings
from overread_constructs import OidcClients
from overread_stacks.inference_stack import clients_of


def test_the_configured_provider_is_the_one_whose_tokens_count() -> None:
    oidc = ApiClientSettings(issuer="https://id.example.com/realm", audience="overread")
    api = ApiSettings(requests_per_second=100, burst=200, oidc=oidc, domain=None)
    assert clients_of(api) == OidcClients(issuer="https://id.example.com/realm", audience="overread")


def test_without_one_callers_are_aws_principals() -> None:
    assert clients_of(ApiSettings(requests_per_second=100, burst=200, oidc=None, domain=None)) is None
