"""`/human-loops/{name}/work`: who holds a loop's seats and who answered, which DescribeHumanLoop cannot say.

A path of its own, because it names people: API Gateway's permissions can tell it from DescribeHumanLoop.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.routing import Route

from overread_review.portal.documents import lead_task_document
from overread_review.service.errors import TaskUnknownError
from overread_review.service.review_service import ReviewService
from overread_review.wire.documents import documented


class WorkWire:
    """`GET /human-loops/{name}/work` → the loop as a lead sees it; `?input=true` adds its input.

    Authors of answers appear as the deployment's setting for statistics lets leads see them.
    """

    def __init__(self, service: ReviewService) -> None:
        self._service = service
        self.routes = [Route("/human-loops/{name}/work", documented(self._work), methods=["GET"])]

    async def _work(self, request: Request) -> Mapping[str, Any]:
        with_input = request.query_params.get("input") == "true"
        return await run_in_threadpool(self._document, request.path_params["name"], with_input)

    def _document(self, name: str, with_input: bool) -> Mapping[str, Any]:
        loop = self._service.loops.named(name)
        if loop is None or loop.gold is not None:
            raise TaskUnknownError(f"there is no human loop {name!r}")
        document = lead_task_document(
            loop, people=self._service.people, reader="", now=self._service.clock()
        ) | {"declined": len(loop.declined_by)}
        return document | {"input": self._service.loops.task_input(loop)} if with_input else document
