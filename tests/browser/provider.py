"""An identity provider with one person, and a review service whose people sign in with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from overread_review.app import create_app
from overread_review.identity.app import create_sign_in_app
from overread_review.identity.providers import OidcProvider
from overread_review.portal.sessions import Sessions
from overread_review.portal.sign_in import OidcSignIn, SignInMethod
from overread_review.service.model import Reviewer
from overread_testing.review_fakes import ReviewLab
from overread_testing.review_server import served

_SIGN_IN_PROGRAM = ("/portal/sign-in/", "/portal/signed-in/", "/portal/sign-out/", "/portal/invitations")


@dataclass
class Provider:
    """Signs in `person` without asking, and remembers whom it was told to invite."""

    person: Reviewer
    lab: ReviewLab
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    nonces: dict[str, str] = field(default_factory=dict)
    invited: list[tuple[str, str, str]] = field(default_factory=list)
    signed_out: int = 0

    def invite(self, *, email: str, name: str, group: str) -> None:
        self.invited.append((email, name, group))

    def exchange(self, provider: OidcProvider, form: Mapping[str, str]) -> Mapping[str, Any]:
        now = int(self.lab.clock().timestamp())
        claims = {
            "iss": provider.issuer,
            "aud": provider.client_id,
            "iat": now,
            "exp": now + 300,
            "nonce": self.nonces.pop(form["code"]),
            "sub": self.person.sub,
            "name": self.person.name,
            "email": f"{self.person.name}@example.com",
            provider.groups_claim: sorted(self.person.groups),
        }
        return {"id_token": jwt.encode(claims, self.key, algorithm="ES256", headers={"kid": "1"})}

    def keys(self, _provider: OidcProvider, _kid: str) -> Any:
        return self.key.public_key()

    def pages(self) -> Starlette:
        """The provider's own site."""

        async def authorize(request: Request) -> Response:
            asked = request.query_params
            code = f"code-{len(self.nonces)}"
            self.nonces[code] = asked["nonce"]
            back = urlencode({"code": code, "state": asked["state"]})
            return RedirectResponse(f"{asked['redirect_uri']}?{back}")

        async def logout(_request: Request) -> Response:
            self.signed_out += 1
            return HTMLResponse("<h1>Signed out everywhere</h1>")

        return Starlette(routes=[Route("/authorize", authorize), Route("/logout", logout)])


@dataclass
class _Site:
    """One address for the review service and its sign-in program, which are built once that is known."""

    review: ASGIApp | None = None
    sign_in: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.sign_in if scope.get("path", "").startswith(_SIGN_IN_PROGRAM) else self.review
        assert app is not None
        await app(scope, receive, send)


@contextmanager
def signing_in(lab: ReviewLab, *, person: Reviewer) -> Iterator[tuple[str, Provider]]:
    """The review service's address while the block runs, and its identity provider."""
    provider, site = Provider(person, lab), _Site()
    with served(provider.pages()) as elsewhere, served(site) as url:
        known = OidcProvider(
            id="workforce",
            title="Our people",
            issuer=elsewhere,
            client_id="client",
            client_secret="secret",
            authorization_endpoint=f"{elsewhere}/authorize",
            token_endpoint=f"{elsewhere}/token",
            jwks_uri=f"{elsewhere}/keys",
            logout_endpoint=f"{elsewhere}/logout",
            groups_claim="cognito:groups",
        )
        site.review = create_app(
            lab.service,
            sign_in=OidcSignIn([SignInMethod("workforce", "Our people", signs_out=True, invites=True)]),
        )
        site.sign_in = create_sign_in_app(
            providers=[known],
            sessions=Sessions(lab.service.session_secret),
            clock=lab.clock,
            exchange=provider.exchange,
            keys=provider.keys,
            inviter=provider,
            portal_url=url,
        )
        yield url, provider
