"""The JSON API under /portal/api: sign-in, task list, claim, answer, decline, release."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overread_review.portal.problems import API_HEADERS, PortalProblemError, problem_of, problem_response
from overread_review.portal.sessions import COOKIE, CSRF_HEADER, Session, Sessions
from overread_review.service.errors import DocumentRefusedError, TaskRefusedError, UnavailableError
from overread_review.service.model import Reviewer
from overread_review.service.output import timestamp
from overread_review.service.review_service import ReviewService
from overread_review.service.tasks import MAX_ANSWER_BYTES, OfferedTask

_Endpoint = Callable[[Request], Awaitable[Response]]


class PortalApi:
    """Every endpoint works in the name of the signed-in reviewer; whoever it is, groups are read afresh."""

    def __init__(self, service: ReviewService, *, sessions: Sessions) -> None:
        self._service = service
        self._sessions = sessions
        self.routes = [
            Route("/portal/api/reviewers", _guarded(self._reviewers), methods=["GET"]),
            Route("/portal/api/session", _guarded(self._sign_in), methods=["POST"]),
            Route("/portal/api/session", _guarded(self._who), methods=["GET"]),
            Route("/portal/api/session", _guarded(self._sign_out), methods=["DELETE"]),
            Route("/portal/api/tasks", _guarded(self._tasks), methods=["GET"]),
            Route("/portal/api/tasks/{task_id}/claim", _guarded(self._claim), methods=["POST"]),
            Route("/portal/api/tasks/{task_id}/answer", _guarded(self._answer), methods=["POST"]),
            Route("/portal/api/tasks/{task_id}/decline", _guarded(self._decline), methods=["POST"]),
            Route("/portal/api/tasks/{task_id}/release", _guarded(self._release), methods=["POST"]),
        ]

    def signed_in(self, request: Request) -> tuple[Session, Reviewer]:
        """The session and the reviewer of a request. Raises PortalProblemError (401) without a valid one."""
        cookie = request.cookies.get(COOKIE, "")
        session = self._sessions.read(cookie, now=self._service.clock())
        reviewer = None if session is None else self._service.reviewers.find(session.reviewer_name)
        if session is None or reviewer is None:
            raise PortalProblemError(
                "session-missing", status=401, title="Not signed in", detail="sign in to go on"
            )
        return session, reviewer

    def _acting(self, request: Request) -> Reviewer:
        """The reviewer of a state-changing request, whose CSRF token must fit."""
        session, reviewer = self.signed_in(request)
        if not self._sessions.is_csrf_token(request.headers.get(CSRF_HEADER, ""), session=session):
            raise PortalProblemError(
                "csrf-token-invalid",
                status=403,
                title="Request not confirmed",
                detail=f"the header {CSRF_HEADER} is missing or belongs to another session",
            )
        return reviewer

    async def _reviewers(self, _request: Request) -> Response:
        return _json({"reviewers": [{"name": name} for name in self._service.reviewers.names()]})

    async def _sign_in(self, request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            raise PortalProblemError(
                "csrf-token-invalid",
                status=403,
                title="Request not confirmed",
                detail="sign-in is possible from the portal's own page only",
            )
        body = await _object(request)
        name = body.get("reviewer")
        reviewer = self._service.reviewers.find(name) if isinstance(name, str) else None
        if reviewer is None:
            raise PortalProblemError(
                "reviewer-unknown",
                status=403,
                title="Unknown reviewer",
                detail=f"nobody signs in as {name!r}",
            )
        session = self._sessions.open(reviewer.name, now=self._service.clock())
        reply = _json(self._session_document(session, reviewer))
        reply.set_cookie(
            COOKIE,
            self._sessions.cookie(session),
            path=f"{request.scope.get('root_path', '')}/portal",
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return reply

    async def _who(self, request: Request) -> Response:
        session, reviewer = self.signed_in(request)
        return _json(self._session_document(session, reviewer))

    async def _sign_out(self, request: Request) -> Response:
        self._acting(request)
        reply = _json({})
        reply.delete_cookie(COOKIE, path=f"{request.scope.get('root_path', '')}/portal")
        return reply

    async def _tasks(self, request: Request) -> Response:
        _, reviewer = self.signed_in(request)
        offered = await run_in_threadpool(self._service.tasks.offered, reviewer)
        now = timestamp(self._service.clock())
        return _json({"tasks": [_task_document(task) for task in offered], "now": now})

    async def _claim(self, request: Request) -> Response:
        reviewer, task_id = self._acting(request), request.path_params["task_id"]
        claimed = await run_in_threadpool(self._service.tasks.claim, task_id, reviewer=reviewer)
        terms = claimed.loop.terms
        return _json(
            {
                "task_id": task_id,
                "frame_url": f"{request.scope.get('root_path', '')}/portal/tasks/{task_id}/frame",
                "accepted_at": timestamp(claimed.claim.accepted_at),
                "deadline_at": timestamp(claimed.claim.deadline_at),
                "now": timestamp(self._service.clock()),
                "title": terms.title,
                "description": terms.description,
                "human_loop": claimed.loop.name,
                "input": claimed.task_input,
            }
        )

    async def _answer(self, request: Request) -> Response:
        reviewer, task_id = self._acting(request), request.path_params["task_id"]
        body = await _object(request)
        loop = await run_in_threadpool(
            self._service.tasks.answer, task_id, reviewer=reviewer, content=body.get("answer")
        )
        return _json({"task_id": task_id, "human_loop": loop.name, "status": str(loop.status)})

    async def _decline(self, request: Request) -> Response:
        return await self._give_back(request, decline=True)

    async def _release(self, request: Request) -> Response:
        return await self._give_back(request, decline=False)

    async def _give_back(self, request: Request, *, decline: bool) -> Response:
        reviewer, task_id = self._acting(request), request.path_params["task_id"]
        await run_in_threadpool(self._service.tasks.give_back, task_id, reviewer=reviewer, decline=decline)
        return _json({"task_id": task_id})

    def _session_document(self, session: Session, reviewer: Reviewer) -> dict[str, Any]:
        return {
            "reviewer": {"name": reviewer.name, "sub": reviewer.sub, "groups": sorted(reviewer.groups)},
            "csrf_token": self._sessions.csrf_token(session),
        }


def _task_document(task: OfferedTask) -> dict[str, Any]:
    terms = task.loop.terms
    return {
        "task_id": task.loop.name,
        "title": terms.title,
        "description": terms.description,
        "keywords": list(terms.keywords),
        "flow_definition": terms.flow_definition_name,
        "human_loop": task.loop.name,
        "created_at": timestamp(task.loop.created_at),
        "expires_at": timestamp(task.loop.expires_at),
        "time_limit_s": terms.time_limit_s,
        "claimed_by_me": task.claimed_by_me,
    }


async def _object(request: Request) -> dict[str, Any]:
    if int(request.headers.get("content-length") or 0) > 2 * MAX_ANSWER_BYTES:
        raise PortalProblemError(
            "request-too-large",
            status=413,
            title="Request too large",
            detail=f"the body may have at most {2 * MAX_ANSWER_BYTES:,} bytes",
        )
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise PortalProblemError(
            "malformed-json", status=400, title="The body is not JSON", detail=str(error)
        ) from error
    if not isinstance(body, dict):
        raise PortalProblemError(
            "malformed-json", status=400, title="The body is not JSON", detail="the body is not an object"
        )
    return body


def _guarded(endpoint: _Endpoint) -> _Endpoint:
    async def guarded(request: Request) -> Response:
        try:
            return await endpoint(request)
        except PortalProblemError as problem:
            return problem_response(problem)
        except TaskRefusedError as error:
            return problem_response(problem_of(error))
        except (DocumentRefusedError, UnavailableError) as error:
            title = "The task's documents cannot be read or written now"
            return problem_response(
                PortalProblemError("documents-unavailable", status=503, title=title, detail=str(error))
            )

    return guarded


def _json(document: dict[str, Any]) -> Response:
    return Response(json.dumps(document), media_type="application/json", headers=API_HEADERS)
