"""What the portal's API reads from requests, and its replies."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from overread_review.portal.problems import API_HEADERS, PortalProblemError
from overread_review.service.errors import TaskUnknownError

_KINDS = {dict: "an object", list: "a list", bool: "a boolean", int: "a number", float: "a number"}
_TASK_ID = re.compile(r"[a-z0-9-]{1,63}")
_CURSOR = re.compile(r"[0-9][\x21-\x7e]{0,255}")
"""As the store writes them; what sorts behind all of its keys would be refused there as a fault of ours."""


def json_reply(document: Mapping[str, Any]) -> Response:
    """A JSON document that nothing stores."""
    # Without escapes: what is no ASCII would be up to three times as long, and Lambda's replies end at 6 MB.
    text = json.dumps(document, ensure_ascii=False)
    return Response(text, media_type="application/json", headers=API_HEADERS)


def text_member(body: Mapping[str, Any], name: str) -> str:
    """A member that must be a text that can be written. Raises PortalProblemError (400)."""
    value = body.get(name)
    if not isinstance(value, str):
        raise invalid(f"{name} must be a text, got {_KINDS.get(type(value), 'nothing')}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise invalid(f"{name} holds half of a surrogate pair") from error
    return value


def cursor_of(query: Mapping[str, str]) -> str:
    """The `cursor` of a listing, empty for its beginning. Raises PortalProblemError (400)."""
    cursor = query.get("cursor", "")
    if cursor and not _CURSOR.fullmatch(cursor):
        raise invalid("cursor must be the next_cursor of the page before")
    return cursor


def task_id_of(request: Request) -> str:
    """The task that the address names. Raises TaskUnknownError for what no task is called."""
    task_id: str = request.path_params["task_id"]
    if not _TASK_ID.fullmatch(task_id):
        raise TaskUnknownError("there is no such task, or it is not for you")
    return task_id


def invalid(detail: str) -> PortalProblemError:
    """The problem of a request whose parts are not as they must be."""
    return PortalProblemError("member-invalid", status=400, title="The request is not valid", detail=detail)
