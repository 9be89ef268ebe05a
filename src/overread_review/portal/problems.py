"""Errors of the portal's API as problem details (RFC 9457)."""

from __future__ import annotations

import json

from starlette.responses import Response

from overread_review.service.errors import (
    DocumentRefusedError,
    StoreUnavailableError,
    TaskRefusedError,
    UnavailableError,
)


class PortalProblemError(Exception):
    """A call of the portal's API that is answered with a problem document."""

    def __init__(self, slug: str, *, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.slug = slug
        self.status = status
        self.title = title


def problem_of(error: TaskRefusedError | DocumentRefusedError | UnavailableError) -> PortalProblemError:
    """The problem behind what the service refused or cannot do; the one place where errors become replies."""
    if isinstance(error, TaskRefusedError):
        return PortalProblemError(error.slug, status=error.status, title=error.title, detail=str(error))
    if isinstance(error, StoreUnavailableError):
        title = "The service is too busy"
        return PortalProblemError("temporarily-unavailable", status=503, title=title, detail=str(error))
    title = "The task's documents cannot be read or written now"
    return PortalProblemError("documents-unavailable", status=503, title=title, detail=str(error))


def problem_response(problem: PortalProblemError) -> Response:
    """The reply for a problem."""
    document = {
        "type": f"urn:overread:problem:{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "detail": str(problem),
    }
    return Response(
        json.dumps(document),
        status_code=problem.status,
        media_type="application/problem+json",
        headers=API_HEADERS,
    )


API_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
