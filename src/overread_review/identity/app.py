"""The sign-in program: away to the identity provider, back with a session, out again, and invitations."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal
from urllib.parse import urlencode, urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from overread_review.identity import flow
from overread_review.identity.errors import InvitationError, SignInError, SignInRefusedError
from overread_review.identity.invitations import invitation_of
from overread_review.identity.providers import Exchange, Inviter, Keys, OidcProvider
from overread_review.portal.bodies import json_object
from overread_review.portal.problems import API_HEADERS, PortalProblemError, problem_response
from overread_review.portal.sessions import COOKIE, LIFETIME, MAX_COOKIE_BYTES, Sessions
from overread_review.service.model import RESERVED_PROVIDERS, WORKFORCE, Reviewer
from overread_review.service.ports import Clock

STATE_COOKIE = "overread_sign_in"
_BACK_TO = re.compile(r"#/[A-Za-z0-9/._~-]{0,200}")
_MAX_TICKET_BYTES = 8 * 1024
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Overread</title>
<style>
body {{ font: 1.05rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 18vh auto 0; padding: 0 1.5rem }}
</style>
</head>
<body>
<h1>Not signed in</h1>
<p role="alert">{reason}</p>
<p><a href="{portal}">Back to the sign-in page</a></p>
</body>
</html>
"""


def create_sign_in_app(
    *,
    providers: Sequence[OidcProvider],
    sessions: Sessions,
    clock: Clock,
    exchange: Exchange,
    keys: Keys,
    inviter: Inviter | None,
    portal_url: str,
) -> Starlette:
    """The program; `portal_url` is the address under which browsers see what is above /portal."""
    return Starlette(
        routes=sign_in_routes(
            providers=providers,
            sessions=sessions,
            clock=clock,
            exchange=exchange,
            keys=keys,
            inviter=inviter,
            portal_url=portal_url,
        )
    )


def sign_in_routes(
    *,
    providers: Sequence[OidcProvider],
    sessions: Sessions,
    clock: Clock,
    exchange: Exchange,
    keys: Keys,
    inviter: Inviter | None,
    portal_url: str,
) -> list[BaseRoute]:
    """The program's routes, for a program that has others too."""
    program = _SignIn(
        providers=providers,
        sessions=sessions,
        clock=clock,
        exchange=exchange,
        keys=keys,
        inviter=inviter,
        portal_url=portal_url,
    )
    return [
        Route("/portal/sign-in/{provider}", program.page(program.depart)),
        Route("/portal/signed-in/{provider}", program.page(program.arrive)),
        Route("/portal/sign-out/{provider}", program.page(program.leave)),
        Route("/portal/invitations", program.invite, methods=["POST"]),
    ]


class _SignIn:
    def __init__(
        self,
        *,
        providers: Sequence[OidcProvider],
        sessions: Sessions,
        clock: Clock,
        exchange: Exchange,
        keys: Keys,
        inviter: Inviter | None,
        portal_url: str,
    ) -> None:
        self._providers = {provider.id: provider for provider in providers}
        self._sessions = sessions
        self._clock = clock
        self._exchange = exchange
        self._keys = keys
        self._inviter = inviter
        self._url = portal_url.rstrip("/")
        self._path = f"{urlsplit(self._url).path}/portal"
        self._secure = urlsplit(self._url).scheme == "https"

    def page(
        self, endpoint: Callable[[Request, OidcProvider], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint for browsers: whatever stops a sign-in is said on a page that leads back."""

        async def answering(request: Request) -> Response:
            try:
                provider = self._providers.get(request.path_params["provider"])
                if provider is None:
                    raise SignInRefusedError("nobody signs in with that identity provider here")
                return await endpoint(request, provider)
            except SignInError as error:
                return self._refusal(str(error))

        return answering

    async def depart(self, request: Request, provider: OidcProvider) -> Response:
        """To the provider's sign-in page."""
        if _is_foreign(request):
            return _redirect(f"{self._path}/")
        wanted = f"#{request.query_params.get('to', '')}"
        departure = flow.depart(
            provider,
            redirect_uri=self._redirect_uri(provider),
            sessions=self._sessions,
            back_to=wanted if _BACK_TO.fullmatch(wanted) else "",
            now=self._clock(),
        )
        reply = _redirect(departure.address)
        # Lax: the browser comes back from the provider's site with a GET, and has to bring this one along.
        age_s = int(flow.PENDING_FOR.total_seconds())
        self._set_cookie(reply, STATE_COOKIE, departure.cookie, age_s=age_s, samesite="lax")
        return reply

    async def arrive(self, request: Request, provider: OidcProvider) -> Response:
        """Back from there: with a session into the portal."""
        reviewer, back_to = await run_in_threadpool(
            flow.arrive,
            provider,
            query=dict(request.query_params),
            cookie=request.cookies.get(STATE_COOKIE, ""),
            redirect_uri=self._redirect_uri(provider),
            sessions=self._sessions,
            exchange=self._exchange,
            keys=self._keys,
            now=self._clock(),
        )
        self._check_key(reviewer)
        session = self._sessions.open(reviewer, now=self._clock())
        cookie = self._sessions.cookie(session)
        if len(cookie) > MAX_COOKIE_BYTES:
            raise SignInRefusedError("the identity provider lists more groups than a session can hold")
        reply = _redirect(f"{self._path}/{back_to}")
        # Strict does although the browser comes from the provider's site: the page that it goes on to is the
        # same for everybody, and asks for the session from the portal's own origin.
        self._set_cookie(reply, COOKIE, cookie, age_s=int(LIFETIME.total_seconds()), samesite="strict")
        reply.delete_cookie(STATE_COOKIE, path=self._path)
        return reply

    def _check_key(self, reviewer: Reviewer) -> None:
        """Raises SignInRefusedError for one of the workforce whose key would be that of somebody else."""
        prefix, colon, _ = reviewer.key.partition(":")
        if reviewer.provider == WORKFORCE and colon and prefix in {*self._providers, *RESERVED_PROVIDERS}:
            raise SignInRefusedError("the identity provider names somebody whom another one names")

    async def leave(self, request: Request, provider: OidcProvider) -> Response:
        """To the provider's sign-out, and from there to the portal."""
        reply: Response
        if _is_foreign(request):
            return _redirect(f"{self._path}/")
        if provider.logout_endpoint:
            home = f"{self._url}/portal/"
            # Cognito reads logout_uri, OpenID Connect RP-Initiated Logout 1.0 post_logout_redirect_uri.
            query = urlencode(
                {"client_id": provider.client_id, "logout_uri": home, "post_logout_redirect_uri": home}
            )
            reply = _redirect(f"{provider.logout_endpoint}?{query}")
        else:
            reply = _redirect(f"{self._path}/")
        reply.delete_cookie(COOKIE, path=self._path)
        return reply

    async def invite(self, request: Request) -> Response:
        """Carry out an invitation that the portal gave a ticket for."""
        try:
            body = await json_object(request, limit=_MAX_TICKET_BYTES)
            text = body.get("ticket")
            invitation = (
                invitation_of(text, sessions=self._sessions, now=self._clock())
                if isinstance(text, str)
                else None
            )
            if invitation is None:
                raise PortalProblemError(
                    "ticket-invalid",
                    status=403,
                    title="Invitation not allowed",
                    detail="the ticket is not the portal's, or is over; invite again",
                )
            await run_in_threadpool(self._invite, invitation.email, invitation.name, invitation.group)
        except PortalProblemError as problem:
            return problem_response(problem)
        document = json.dumps({"invited": invitation.email})
        return Response(document, media_type="application/json", headers=API_HEADERS)

    def _invite(self, email: str, name: str, group: str) -> None:
        if self._inviter is None:
            raise PortalProblemError(
                "invitation-impossible",
                status=409,
                title="Nobody can be invited here",
                detail="people are created at the identity provider; add them to the group there",
            )
        try:
            self._inviter.invite(email=email, name=name, group=group)
        except InvitationError as error:
            raise PortalProblemError(
                "invitation-failed", status=409, title="The invitation failed", detail=str(error)
            ) from error

    def _redirect_uri(self, provider: OidcProvider) -> str:
        return f"{self._url}/portal/signed-in/{provider.id}"

    def _set_cookie(
        self, reply: Response, name: str, value: str, *, age_s: int, samesite: Literal["lax", "strict"]
    ) -> None:
        reply.set_cookie(
            name,
            value,
            max_age=age_s,
            path=self._path,
            httponly=True,
            samesite=samesite,
            secure=self._secure,
        )

    def _refusal(self, reason: str) -> Response:
        sentence = reason[:1].upper() + reason[1:].rstrip(".") + "."
        page = _PAGE.format(reason=html.escape(sentence), portal=html.escape(f"{self._path}/"))
        headers = {**API_HEADERS, "Content-Security-Policy": _PAGE_POLICY}
        reply = HTMLResponse(page, status_code=403, headers=headers)
        reply.delete_cookie(STATE_COOKIE, path=self._path)
        return reply


def _is_foreign(request: Request) -> bool:
    """Whether a page of another site sent the browser here: nobody else signs people in or out."""
    return request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}


def _redirect(address: str) -> Response:
    return RedirectResponse(
        address,
        status_code=303,
        headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
    )
