"""JSON or problem details (RFC 9457) out: for the service's own routes, which AWS does not have."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from overread_review.portal.problems import PortalProblemError, problem_of, problem_response
from overread_review.portal.replies import json_reply
from overread_review.service.errors import (
    DocumentRefusedError,
    ResourceMissingError,
    TaskRefusedError,
    TaskUnknownError,
    UnavailableError,
)

Endpoint = Callable[[Request], Awaitable[Mapping[str, Any]]]


def documented(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint's document as a reply, and what the service refuses as a problem."""

    async def answer(request: Request) -> Response:
        try:
            document = await endpoint(request)
        except PortalProblemError as problem:
            return problem_response(problem)
        except TaskRefusedError as error:
            return problem_response(problem_of(error))
        except ResourceMissingError as error:
            return problem_response(problem_of(TaskUnknownError(str(error))))
        except (DocumentRefusedError, UnavailableError) as error:
            title = "The service cannot read or write now"
            return problem_response(
                PortalProblemError("documents-unavailable", status=503, title=title, detail=str(error))
            )
        return json_reply(document)

    return answer
