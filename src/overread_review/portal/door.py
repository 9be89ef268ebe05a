"""Who is at the door: the reviewer behind a request, checked on every one."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from overread_review.portal.problems import PortalProblemError, problem_of, problem_response
from overread_review.portal.sessions import COOKIE, CSRF_HEADER, Session, Sessions
from overread_review.portal.sign_in import SignIn
from overread_review.service.errors import (
    DocumentRefusedError,
    ResourceMissingError,
    TaskGoneError,
    TaskRefusedError,
    UnavailableError,
)
from overread_review.service.model import Reviewer
from overread_review.service.review_service import ReviewService

Endpoint = Callable[[Request], Awaitable[Response]]
_LOG = logging.getLogger(__name__)
_SEEN_FOR = timedelta(hours=1)
_MOST_REMEMBERED = 10_000


class Door:
    """Reads sessions; nobody who has been disabled comes in, whatever their session says."""

    def __init__(self, service: ReviewService, *, sessions: Sessions, sign_in: SignIn) -> None:
        self._service = service
        self.sessions = sessions
        self.sign_in = sign_in
        self._seen: dict[str, datetime] = {}

    def session(self, request: Request) -> tuple[Session, Reviewer]:
        """The session and the reviewer of a request. Raises PortalProblemError (401) without a valid one."""
        session = self.sessions.read(request.cookies.get(COOKIE, ""), now=self._service.clock())
        reviewer = None if session is None else self.sign_in.reviewer(session)
        if session is None or reviewer is None:
            raise PortalProblemError(
                "session-missing", status=401, title="Not signed in", detail="sign in to go on"
            )
        return session, reviewer

    def confirmed(self, request: Request) -> tuple[Session, Reviewer]:
        """The same for a request that changes something, whose CSRF token must fit."""
        session, reviewer = self.session(request)
        if not self.sessions.is_csrf_token(request.headers.get(CSRF_HEADER, ""), session=session):
            raise PortalProblemError(
                "csrf-token-invalid",
                status=403,
                title="Request not confirmed",
                detail=f"the header {CSRF_HEADER} is missing or belongs to another session",
            )
        return session, reviewer

    async def reviewer(self, request: Request) -> Reviewer:
        """The reviewer of a request that reads. Raises PersonDisabledError for one who was disabled."""
        session, reviewer = self.session(request)
        await self._admit(session, reviewer)
        return reviewer

    async def acting(self, request: Request) -> Reviewer:
        """The reviewer of a request that changes something. Raises PersonDisabledError as well."""
        session, reviewer = self.confirmed(request)
        await self._admit(session, reviewer)
        return reviewer

    async def welcome(self, session: Session, reviewer: Reviewer) -> None:
        """Let the service remember the reviewer as they are now. Raises PersonDisabledError."""
        await run_in_threadpool(self._service.people.seen, reviewer)
        if len(self._seen) >= _MOST_REMEMBERED:
            self._seen.clear()
        self._seen[session.session_id] = self._service.clock()

    async def _admit(self, session: Session, reviewer: Reviewer) -> None:
        """The sign-in program knows no people: the first request of a session makes its person known."""
        seen_at = self._seen.get(session.session_id)
        if seen_at is None or self._service.clock() - seen_at >= _SEEN_FOR:
            await self.welcome(session, reviewer)
        else:
            await run_in_threadpool(self._service.people.check, reviewer)


def guarded(endpoint: Endpoint) -> Endpoint:
    """The endpoint with each failure answered as a problem document."""

    async def answering(request: Request) -> Response:
        try:
            return await endpoint(request)
        except PortalProblemError as problem:
            return problem_response(problem)
        except (TaskRefusedError, DocumentRefusedError, UnavailableError) as error:
            return problem_response(problem_of(error))
        except ResourceMissingError:
            # Somebody deleted the task between our reading and our writing it.
            return problem_response(problem_of(TaskGoneError("this task is not there any more")))
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        except Exception:  # noqa: BLE001 - the last place before the person, who must not see a stack trace
            _LOG.exception("a call of the portal failed")
            return problem_response(
                PortalProblemError(
                    "internal-error",
                    status=500,
                    title="Something is wrong here",
                    detail="this did not work, and trying again may not help; tell whoever runs this service",
                )
            )

    return answering
