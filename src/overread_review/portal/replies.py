"""Replies of the portal's API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from overread_review.portal.problems import API_HEADERS, PortalProblemError


def json_reply(document: Mapping[str, Any]) -> Response:
    """A JSON document that nothing stores."""
    return Response(json.dumps(document), media_type="application/json", headers=API_HEADERS)


def text_member(body: Mapping[str, Any], name: str) -> str:
    """A member that must be a text. Raises PortalProblemError (400)."""
    value = body.get(name)
    if not isinstance(value, str):
        raise PortalProblemError(
            "member-invalid",
            status=400,
            title="The request is not valid",
            detail=f"{name} must be a text, got {json.dumps(value)[:80]}",
        )
    return value
