"""Signing in and inviting: the part that talks to identity providers, and knows neither tasks nor answers."""

import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

from overread_aws.clients import make_client
from overread_aws.cognito_people import CognitoPeople
from overread_lambda.entry import entry
from overread_lambda.review_gateway import Event, Handler, rest_handler
from overread_lambda.review_secrets import secret_text
from overread_lambda.review_settings import Provider, SignInSettings, sign_in_settings
from overread_review.identity.app import create_sign_in_app
from overread_review.identity.providers import Inviter, OidcProvider
from overread_review.identity.remote import PublishedKeys, exchange
from overread_review.portal.sessions import Sessions


@entry()
def handler(event: Event, context: Any) -> dict[str, Any]:
    """What API Gateway calls."""
    return _handler()(event, context)


@cache
def _handler() -> Handler:
    settings = sign_in_settings(os.environ)
    app = create_sign_in_app(
        providers=[_provider(one) for one in settings.providers],
        sessions=Sessions(secret_text(settings.session_secret)),
        clock=_now,
        exchange=exchange,
        keys=PublishedKeys(),
        inviter=_inviter(settings),
        portal_url=settings.portal_url,
    )
    return rest_handler(app, url=settings.portal_url)


def _now() -> datetime:
    return datetime.now(UTC)


def _provider(provider: Provider) -> OidcProvider:
    return OidcProvider(
        id=provider.id,
        title=provider.title,
        issuer=provider.issuer,
        client_id=provider.client_id,
        client_secret=secret_text(provider.client_secret_arn) if provider.client_secret_arn else "",
        authorization_endpoint=provider.authorization_endpoint,
        token_endpoint=provider.token_endpoint,
        jwks_uri=provider.jwks_uri,
        logout_endpoint=provider.logout_endpoint,
        groups_claim=provider.groups_claim,
    )


def _inviter(settings: SignInSettings) -> Inviter | None:
    """People are created in this deployment's own pool, where it has one."""
    pools = [one.user_pool_id for one in settings.providers if one.user_pool_id]
    return CognitoPeople(make_client("cognito-idp"), user_pool_id=pools[0]) if pools else None
