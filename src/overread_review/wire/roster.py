"""`/qualifications…`: what reviewers have to show before they get tasks, and who has shown it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.routing import Route

from overread_review.portal.bodies import json_object
from overread_review.portal.documents import moment
from overread_review.service.model import Qualification
from overread_review.service.qualifications import MAX_BYTES, RosterEntry, qualification_document
from overread_review.service.review_service import ReviewService
from overread_review.wire.documents import documented

_BODY_BYTES = 4 * MAX_BYTES
"""More than a qualification may have, so that one that is too large is told so with all its other faults."""


class RosterWire:
    """`PUT /qualifications/{name}`, `GET /qualifications`, `GET /qualifications/{name}/roster`."""

    def __init__(self, service: ReviewService) -> None:
        self._qualifications = service.qualifications
        self.routes = [
            Route("/qualifications", documented(self._list), methods=["GET"]),
            Route("/qualifications/{name}", documented(self._put), methods=["PUT"]),
            Route("/qualifications/{name}/roster", documented(self._roster), methods=["GET"]),
        ]

    async def _put(self, request: Request) -> Mapping[str, Any]:
        document = await json_object(request, limit=_BODY_BYTES)
        name = request.path_params["name"]
        return _document(await run_in_threadpool(self._qualifications.put, name, document))

    async def _list(self, _request: Request) -> Mapping[str, Any]:
        found = await run_in_threadpool(self._qualifications.list)
        return {"qualifications": [_document(one) for one in found]}

    async def _roster(self, request: Request) -> Mapping[str, Any]:
        name = request.path_params["name"]
        found = await run_in_threadpool(self._qualifications.roster, name)
        return {"name": name, "roster": [_entry(one) for one in found]}


def _document(qualification: Qualification) -> dict[str, Any]:
    return {"name": qualification.name} | qualification_document(qualification)


def _entry(entry: RosterEntry) -> dict[str, Any]:
    return {
        "person": entry.person,
        "name": entry.name,
        "state": str(entry.state),
        "score": entry.score,
        "test_correct": entry.test_correct,
        "test_total": entry.test_total,
        "passed_at": moment(entry.passed_at),
        "valid_until": moment(entry.valid_until),
        "gold_correct": entry.gold_correct,
        "gold_total": entry.gold_total,
    }
