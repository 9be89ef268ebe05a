"""The review service behind its REST API: boto3's calls, the portal's pages and its JSON."""

from functools import cache
from typing import Any

from overread_lambda import review_program
from overread_lambda.entry import entry
from overread_lambda.review_gateway import Event, Handler, rest_handler
from overread_lambda.review_settings import Provider
from overread_review.app import create_app
from overread_review.portal.sign_in import OidcSignIn, SignInMethod


@entry()
def handler(event: Event, context: Any) -> dict[str, Any]:
    """What API Gateway calls."""
    return _handler()(event, context)


@cache
def _handler() -> Handler:
    sign_in = review_program.settings().sign_in
    app = create_app(
        review_program.service(), sign_in=OidcSignIn([_method(one) for one in sign_in.providers])
    )
    return rest_handler(app, url=sign_in.portal_url)


def _method(provider: Provider) -> SignInMethod:
    return SignInMethod(
        id=provider.id,
        title=provider.title,
        signs_out=bool(provider.logout_endpoint),
        invites=bool(provider.user_pool_id),
    )
