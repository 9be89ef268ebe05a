"""`/sandbox/…`: an application's own tests answer its pending reviews, where the deployment allows that."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.routing import Route

from overread_review.portal.bodies import json_object
from overread_review.service.errors import AnswerInvalidError
from overread_review.service.review_service import ReviewService
from overread_review.wire.documents import documented

DEFAULT_REVIEWER = "sandbox-1"
_MEMBERS = ("answer", "reviewer")
_ENVELOPE_BYTES = 64 * 1024


class SandboxWire:
    """`POST /sandbox/human-loops/{name}/answers {"answer": {}, "reviewer": "sandbox-1"}` → `{"status"}`."""

    def __init__(self, service: ReviewService) -> None:
        self._service = service
        path = "/sandbox/human-loops/{name}/answers"
        self.routes = [Route(path, documented(self._answer), methods=["POST"])]

    async def _answer(self, request: Request) -> Mapping[str, Any]:
        # Twice, because JSON may write one character as a longer escape sequence.
        limit = 2 * self._service.settings.max_answer_bytes + _ENVELOPE_BYTES
        body = await json_object(request, limit=limit)
        reviewer = body.get("reviewer", DEFAULT_REVIEWER)
        _check(body, reviewer=reviewer)
        loop = await run_in_threadpool(
            self._service.tasks.sandbox_answer,
            request.path_params["name"],
            reviewer_name=reviewer,
            content=body["answer"],
        )
        return {"human_loop": loop.name, "status": str(loop.status)}


def _check(body: Mapping[str, Any], *, reviewer: object) -> None:
    """Raises AnswerInvalidError for members that are missing, unknown or of the wrong kind."""
    faults = [
        f"unknown member {reprlib.repr(name)}, allowed are answer and reviewer"
        for name in body.keys() - {*_MEMBERS}
    ]
    if "answer" not in body:
        faults.append("the member answer is missing: the form's answer as a JSON object")
    if not isinstance(reviewer, str):
        faults.append(f"reviewer must be a text, got {reprlib.repr(reviewer)}")
    if faults:
        raise AnswerInvalidError("; ".join(sorted(faults)))
