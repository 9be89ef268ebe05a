"""Request bodies: JSON objects of a limited size, read no further than that."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from overread_review.portal.problems import PortalProblemError


async def json_object(request: Request, *, limit: int) -> dict[str, Any]:
    """The body, at most `limit` bytes of it, however it is sent.

    Raises:
        PortalProblemError: it is larger (413), or no JSON object (400).
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise PortalProblemError(
                "request-too-large",
                status=413,
                title="Request too large",
                detail=f"the body may have at most {limit:,} bytes",
            )
    try:
        document = json.loads(bytes(body))
    except (ValueError, RecursionError) as error:
        raise PortalProblemError(
            "malformed-json", status=400, title="The body is not JSON", detail=str(error)
        ) from error
    if not isinstance(document, dict):
        raise PortalProblemError(
            "malformed-json", status=400, title="The body is not JSON", detail="the body is not an object"
        )
    return document
