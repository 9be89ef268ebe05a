"""Who is at the door: the reviewer behind a request, checked on every one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from overread_review.portal.problems import PortalProblemError, problem_of, problem_response
from overread_review.portal.sessions import COOKIE, CSRF_HEADER, Session, Sessions
from overread_review.portal.sign_in import SignIn
from overread_review.service.errors import DocumentRefusedError, TaskRefusedError, UnavailableError
from overread_review.service.model import Reviewer
from overread_review.service.review_service import ReviewService

Endpoint = Callable[[Request], Awaitable[Response]]


class Door:
    """Reads sessions; nobody who has been disabled comes in, whatever their session says."""

    def __init__(self, service: ReviewService, *, sessions: Sessions, sign_in: SignIn) -> None:
        self._service = service
        self.sessions = sessions
        self.sign_in = sign_in

    def session(self, request: Request) -> tuple[Session, Reviewer]:
        """The session and the reviewer of a request. Raises PortalProblemError (401) without a valid one."""
        session = self.sessions.read(request.cookies.get(COOKIE, ""), now=self._service.clock())
        reviewer = None if session is None else self.sign_in.reviewer(session)
        if session is None or reviewer is None:
            raise PortalProblemError(
                "session-missing", status=401, title="Not signed in", detail="sign in to go on"
            )
        return session, reviewer

    async def reviewer(self, request: Request) -> Reviewer:
        """The reviewer of a request that reads. Raises PersonDisabledError for one who was disabled."""
        _, reviewer = self.session(request)
        await run_in_threadpool(self._service.people.check, reviewer)
        return reviewer

    async def acting(self, request: Request) -> Reviewer:
        """The reviewer of a request that changes something, whose CSRF token must fit."""
        session, reviewer = self.session(request)
        if not self.sessions.is_csrf_token(request.headers.get(CSRF_HEADER, ""), session=session):
            raise PortalProblemError(
                "csrf-token-invalid",
                status=403,
                title="Request not confirmed",
                detail=f"the header {CSRF_HEADER} is missing or belongs to another session",
            )
        await run_in_threadpool(self._service.people.check, reviewer)
        return reviewer


def guarded(endpoint: Endpoint) -> Endpoint:
    """The endpoint with each refusal answered as a problem document."""

    async def answering(request: Request) -> Response:
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

    return answering
