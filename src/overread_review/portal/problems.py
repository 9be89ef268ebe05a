"""Errors of the portal's API as problem details (RFC 9457)."""

from __future__ import annotations

import json

from starlette.responses import Response

from overread_review.service.errors import TaskRefusedError


class PortalProblemError(Exception):
    """A call of the portal's API that is answered with a problem document."""

    def __init__(self, slug: str, *, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.slug = slug
        self.status = status
        self.title = title


def problem_of(error: TaskRefusedError) -> PortalProblemError:
    """The problem behind what the service refused."""
    return PortalProblemError(error.slug, status=error.status, title=error.title, detail=str(error))


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
