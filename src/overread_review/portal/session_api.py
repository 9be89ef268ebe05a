"""Signing in and out, and who is signed in."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overread_review.portal import documents
from overread_review.portal.bodies import json_object
from overread_review.portal.door import Door, guarded
from overread_review.portal.problems import PortalProblemError
from overread_review.portal.replies import json_reply
from overread_review.portal.sessions import COOKIE, LIFETIME, Session
from overread_review.service.model import Reviewer
from overread_review.service.review_service import ReviewService

_MAX_BYTES = 4096


class SessionApi:
    """`sign-in` and `session`."""

    def __init__(self, service: ReviewService, *, door: Door) -> None:
        self._service = service
        self._door = door
        self.routes = [
            Route("/portal/api/sign-in", guarded(self._methods), methods=["GET"]),
            Route("/portal/api/session", guarded(self._sign_in), methods=["POST"]),
            Route("/portal/api/session", guarded(self._who), methods=["GET"]),
            Route("/portal/api/session", guarded(self._sign_out), methods=["DELETE"]),
        ]

    async def _methods(self, _request: Request) -> Response:
        lead_groups = self._service.settings.lead_groups
        return json_reply(await run_in_threadpool(self._door.sign_in.methods, lead_groups=lead_groups))

    async def _sign_in(self, request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            raise PortalProblemError(
                "csrf-token-invalid",
                status=403,
                title="Request not confirmed",
                detail="sign-in is possible from the portal's own page only",
            )
        body = await json_object(request, limit=_MAX_BYTES)
        name = body.get("reviewer")
        reviewer = self._door.sign_in.by_name(name) if isinstance(name, str) else None
        if reviewer is None:
            raise PortalProblemError(
                "reviewer-unknown",
                status=403,
                title="Unknown reviewer",
                detail=f"nobody signs in as {name!r}"[:200],
            )
        session = self._door.sessions.open(reviewer, now=self._service.clock())
        reply = json_reply(await self._document(session, reviewer))
        reply.set_cookie(
            COOKIE,
            self._door.sessions.cookie(session),
            max_age=int(LIFETIME.total_seconds()),
            path=_cookie_path(request),
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return reply

    async def _who(self, request: Request) -> Response:
        session, reviewer = self._door.session(request)
        return json_reply(await self._document(session, reviewer))

    async def _sign_out(self, request: Request) -> Response:
        session, _ = self._door.confirmed(request)
        address = self._door.sign_in.sign_out_url(session)
        reply = json_reply({"sign_out_url": address} if address else {})
        reply.delete_cookie(COOKIE, path=_cookie_path(request))
        return reply

    async def _document(self, session: Session, reviewer: Reviewer) -> dict[str, Any]:
        await self._door.welcome(session, reviewer)
        own = await run_in_threadpool(self._service.qualifications.of, reviewer)
        return {
            "reviewer": {
                "name": reviewer.name,
                "sub": reviewer.sub,
                "key": reviewer.key,
                "groups": sorted(reviewer.groups),
                "lead": self._service.people.is_lead(reviewer),
                "provider": reviewer.provider,
            },
            "csrf_token": self._door.sessions.csrf_token(session),
            "statistics": self._service.settings.statistics,
            "qualifications": [documents.own_qualification_document(one) for one in own],
        }


def _cookie_path(request: Request) -> str:
    return f"{request.scope.get('root_path', '')}/portal"
